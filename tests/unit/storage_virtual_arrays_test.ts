/**
 * Engines on a stored array column, on columns in memory: values worked out by hand, slices, rows, damage.
 */
import assert from "node:assert/strict";
import type { DType } from "../../src/array/dtype.ts";
import { boxOf, rowList, rowRange } from "../../src/array/rows.ts";
import { TableError } from "../../src/error.ts";
import type { RecordFields } from "../../src/format/record.ts";
import type { BoundColumn, StorageManager } from "../../src/storage/manager.ts";
import { virtualEngines } from "../../src/storage/virtual/mod.ts";
import { boundColumn } from "./storage_managed_support.ts";
import {
  cellsOf,
  keywordsOf,
  type MemoryCell,
  MemoryColumn,
  openEngine,
  run,
  sourceOf,
} from "./storage_virtual_support.ts";

const f = Math.fround;

function virtual(dtype: DType, keywords: Readonly<Record<string, unknown>>): BoundColumn {
  return boundColumn("virtual", { dtype, kind: "array", keywords: keywordsOf(keywords) });
}

function compressKeywords(prefix: string, more: Readonly<Record<string, unknown>> = {}) {
  return {
    _BaseMappedArrayEngine_Name: "stored",
    [`_${prefix}_Scale`]: [0.0123, "float32"],
    [`_${prefix}_Offset`]: [-7.7, "float32"],
    [`_${prefix}_ScaleName`]: "",
    [`_${prefix}_OffsetName`]: "",
    [`_${prefix}_Fixed`]: true,
    [`_${prefix}_AutoScale`]: false,
    ...more,
  };
}

function scaledKeywords(engine: string, scale: unknown, offset: unknown, dtype: DType) {
  return {
    _BaseMappedArrayEngine_Name: "stored",
    [`_${engine}_Scale`]: [scale, dtype],
    [`_${engine}_Offset`]: [offset, dtype],
    [`_${engine}_ScaleName`]: "",
    [`_${engine}_OffsetName`]: "",
    [`_${engine}_FixedScale`]: true,
    [`_${engine}_FixedOffset`]: true,
  };
}

function flagKeywords(mask: number, keys: readonly string[] = []) {
  return {
    _BaseMappedArrayEngine_Name: "stored",
    _BitFlagsEngine_ReadMask: [mask, "uint32"],
    _BitFlagsEngine_ReadMaskKeys: { dtype: "string", shape: [keys.length], data: keys },
    _BitFlagsEngine_WriteMask: [1, "uint32"],
    _BitFlagsEngine_WriteMaskKeys: { dtype: "string", shape: [0], data: [] },
  };
}

function stored(dtype: DType, cells: readonly (MemoryCell | null)[], keywords?: RecordFields): MemoryColumn {
  return new MemoryColumn("stored", dtype, cells, keywords === undefined ? {} : { keywords });
}

/** The only cell of an engine on one stored cell. */
function only(
  type: string,
  bound: BoundColumn,
  dtype: DType,
  cell: MemoryCell,
  keywords?: RecordFields,
): unknown {
  const source = sourceOf([stored(dtype, [cell], keywords)]);
  return (cellsOf(openEngine(type, bound, source), bound, 1)[0] as { data: unknown }).data;
}

function code(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof TableError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "no error";
}

const WORDS = Int32Array.of(-2147483648, -2147483647, 2147483647, 1, -1, 32768, -32769, 32769);

Deno.test("CompressFloat scales with single precision, and -32768 is no value", () => {
  const bound = virtual("float32", compressKeywords("CompressFloat"));
  const data = Int16Array.of(-32768, -32767, 0, 1, 32767);
  const scale = f(0.0123), offset = f(-7.7);
  assert.deepEqual(only("CompressFloat", bound, "int16", { shape: [5], data }), [
    "NaN",
    ...[-32767, 0, 1, 32767].map((value) => f(f(value * scale) + offset)),
  ]);
});

Deno.test("CompressComplex keeps two halves in a word", () => {
  const bound = virtual("complex64", compressKeywords("CompressComplex"));
  const found = only("CompressComplex", bound, "int32", { shape: [8], data: WORDS }) as (number | string)[];
  // Format reference part 6, section 5.2.
  const expected = [
    [NaN, NaN],
    [-410.7464, -7.6877],
    [395.34637, -7.7123],
    [-7.7, -7.6877],
    [-7.7, -7.7123],
    [-7.6877, -410.7464],
    [-7.7123, 395.33408],
    [-7.6877, -410.7341],
  ].flat();
  assert.deepEqual(found.slice(0, 2), ["NaN", "NaN"]);
  expected.slice(2).forEach((value, i) => assert.ok(Math.abs(found[i + 2] as number - value) < 5e-5, `${i}`));
});

Deno.test("CompressComplexSD has more bits for real values, and no word for NaN", () => {
  const bound = virtual("complex64", compressKeywords("CompressComplex"));
  const found = only("CompressComplexSD", bound, "int32", { shape: [8], data: WORDS }) as number[];
  const expected = [
    [-410.7464, 0],
    [-410.7464, -7.7],
    [395.34637, -7.7246],
    [-7.7, -7.7],
    [-7.7, -7.7246],
    [-7.69385, 0],
    [-7.7123, 395.32178],
    [-7.6877, -410.7464],
  ].flat();
  expected.forEach((value, i) => assert.ok(Math.abs(found[i]! - value) < 5e-5, `${i}`));
});

Deno.test("scale and offset of each row come from their columns, for the rows that are asked for", () => {
  const keywords = compressKeywords("CompressFloat", {
    _CompressFloat_Fixed: false,
    _CompressFloat_ScaleName: "scale",
    _CompressFloat_OffsetName: "offset",
  });
  const bound = virtual("float32", keywords);
  const scalar = (value: number) => ({ shape: [], data: Float32Array.of(value) });
  const scale = new MemoryColumn("scale", "float32", [1, 2, 0, 4].map(scalar), { kind: "scalar" });
  const offset = new MemoryColumn("offset", "float32", [10, 20, 30, 40].map(scalar), { kind: "scalar" });
  const cells = [1, 2, 3, 4].map((value) => ({ shape: [2], data: Int16Array.of(value, -value) }));
  const manager = openEngine("CompressFloat", bound, sourceOf([scale, offset, stored("int16", cells)]));
  assert.deepEqual(cellsOf(manager, bound, rowList([3, 0, 2, 3])), [
    { shape: [2], data: [56, 24] },
    { shape: [2], data: [11, 9] },
    { shape: [2], data: [30, 30] },
    { shape: [2], data: [56, 24] },
  ]);
  assert.deepEqual(scale.reads.map((read) => read.rows), [[3, 0, 2, 3]]);
  assert.deepEqual(manager.info, { stored: "stored", scale: "scale", offset: "offset", autoScale: false });
});

Deno.test("cells that are not defined stay so", () => {
  const bound = virtual("float32", compressKeywords("CompressFloat"));
  const cells = [null, { shape: [1], data: Int16Array.of(0) }, null];
  const manager = openEngine("CompressFloat", bound, sourceOf([stored("int16", cells)]));
  assert.deepEqual(cellsOf(manager, bound, 3), [null, { shape: [1], data: [f(-7.7)] }, null]);
});

Deno.test("a slice is read as the same slice of the stored column", () => {
  const bound = virtual("float64", scaledKeywords("ScaledArrayEngine", 0.5, 1, "float64"));
  const column = stored("int32", [{ shape: [3, 4], data: Int32Array.from({ length: 12 }, (_, i) => i) }]);
  const manager = openEngine("ScaledArrayEngine<double  ,Int     >", bound, sourceOf([column]));
  const box = boxOf([[1, 3], [0, 4, 2]], [3, 4]);
  assert.deepEqual(cellsOf(manager, bound, 1, box), [{ shape: [2, 2], data: [1.5, 2, 4.5, 5] }]);
  assert.deepEqual(column.reads.map((read) => read.box), [box]);
});

Deno.test("more values than are computed at once are computed in turns", () => {
  const rows = 7, length = 100_000;
  const bound = virtual("float32", scaledKeywords("ScaledArrayEngine", 2, 0, "float32"));
  const cells = Array.from({ length: rows }, (_, row) => ({
    shape: [length],
    data: new Int16Array(length).fill(row),
  }));
  const column = stored("int16", cells);
  const manager = openEngine("ScaledArrayEngine<float   ,Short   >", bound, sourceOf([column]));
  const bytes = new Uint8Array(rows * length * 4);
  run(manager.column(0).read(rowList([6, 5, 4, 3, 2, 1, 0]), [length], null, { kind: "numeric", bytes }, 0));
  const values = new Float32Array(bytes.buffer);
  for (let row = 0; row < rows; row++) {
    const cell = values.subarray(row * length, (row + 1) * length);
    assert.ok(cell.every((value) => value === 2 * (6 - row)), `row ${row}`);
  }
  assert.deepEqual(column.reads.map((read) => read.rows), [[6, 5], [4, 3], [2, 1], [0]]);
});

Deno.test("cells without elements are read without asking for values", () => {
  const bound = virtual("float32", compressKeywords("CompressFloat"));
  const column = stored("int16", [{ shape: [0, 3], data: new Int16Array(0) }]);
  const manager = openEngine("CompressFloat", bound, sourceOf([column]));
  run(manager.column(0).read(rowList([0]), [0, 3], null, { kind: "numeric", bytes: new Uint8Array(0) }, 0));
  assert.equal(column.reads.length, 0);
});

Deno.test("ScaledArrayEngine computes in the common type of both types", () => {
  const scaled = (
    s: string,
    t: string,
    dtype: DType,
    scale: unknown,
    offset: unknown,
    from: DType,
    data: MemoryCell["data"],
  ) =>
    only(
      `ScaledArrayEngine<${s.padEnd(8)},${t.padEnd(8)}>`,
      virtual(dtype, scaledKeywords("ScaledArrayEngine", scale, offset, dtype)),
      from,
      { shape: [data.length], data },
    );
  // Singles: the stored integer is rounded first.
  assert.deepEqual(scaled("float", "Int", "float32", 1, 0, "int32", Int32Array.of(16777217)), [16777216]);
  // A double, rounded at the end only.
  const [d] = [1 + 2 ** -30];
  assert.deepEqual(scaled("float", "double", "float32", 3, -3, "float64", Float64Array.of(d!)), [
    f(d! * 3 - 3),
  ]);
  // Shorter integers are computed as int32, and keep the low bits.
  assert.deepEqual(scaled("uChar", "uChar", "uint8", 2, 0, "uint8", Uint8Array.of(200)), [144]);
  assert.deepEqual(scaled("Int", "Short", "int32", 65537, 1, "int16", Int16Array.of(32767)), [
    Math.imul(32767, 65537) + 1,
  ]);
  assert.deepEqual(scaled("uInt", "Short", "uint32", 1, 1, "int16", Int16Array.of(-2)), [4294967295]);
  assert.deepEqual(scaled("Int64", "Int", "int64", 3n, 1n, "int32", Int32Array.of(2 ** 30)), [3221225473]);
  // Cut towards zero.
  assert.deepEqual(scaled("Int", "float", "int32", 1, 0, "float32", Float32Array.of(-2.7, 2.7)), [-2, 2]);
  // Out of range.
  assert.deepEqual(scaled("Int", "float", "int32", 1, 0, "float32", Float32Array.of(NaN, 3e9, -3e9)), [
    -2147483648,
    -2147483648,
    -2147483648,
  ]);
});

Deno.test("an offset of 0 is not added, so zeros keep their sign", () => {
  const engine = "ScaledArrayEngine<double  ,double  >", data = Float64Array.of(-0);
  const keywords = (offset: number) => scaledKeywords("ScaledArrayEngine", 1, offset, "float64");
  assert.deepEqual(only(engine, virtual("float64", keywords(0)), "float64", { shape: [1], data }), [-0]);
  assert.deepEqual(only(engine, virtual("float64", keywords(-0)), "float64", { shape: [1], data }), [-0]);
  const pairs = "ScaledComplexData<DComplex,double  >",
    two = { shape: [2, 1], data: Float64Array.of(-0, -0) };
  const complex = (offset: readonly number[]) =>
    virtual("complex128", scaledKeywords("ScaledComplexData", [1, 1], offset, "complex128"));
  assert.deepEqual(only(pairs, complex([0, 0]), "float64", two), [-0, -0]);
  assert.deepEqual(only(pairs, complex([0, 1]), "float64", two), [0, 1]);
});

Deno.test("ScaledComplexData scales real and imaginary part by themselves", () => {
  const keywords = scaledKeywords("ScaledComplexData", [2, 3], [10, 20], "complex64");
  const bound = virtual("complex64", keywords);
  const column = stored("int16", [{ shape: [2, 3], data: Int16Array.of(1, 2, 3, 4, 5, 6) }, null]);
  const manager = openEngine("ScaledComplexData<Complex ,Short   >", bound, sourceOf([column]));
  assert.deepEqual(cellsOf(manager, bound, 2), [{ shape: [3], data: [12, 26, 16, 32, 20, 38] }, null]);
  assert.deepEqual(cellsOf(manager, bound, 1, boxOf([[1, 3]], [3])), [{
    shape: [2],
    data: [16, 32, 20, 38],
  }]);
  assert.deepEqual(manager.info, { stored: "stored", scale: [2, 3], offset: [10, 20] });
});

Deno.test("stored cells without an axis for the parts are refused", () => {
  for (const shape of [[3], []]) {
    const bound = virtual("complex64", scaledKeywords("ScaledComplexData", [1, 1], [0, 0], "complex64"));
    const column = stored("int16", [{ shape, data: new Int16Array(3) }]);
    const manager = openEngine("ScaledComplexData<Complex ,Short   >", bound, sourceOf([column]));
    assert.match(
      code(() => run(manager.column(0).shapes(rowList([0])))),
      /^CORRUPT: .*shape \[3?\], expected 2/,
    );
  }
});

Deno.test("MappedArrayEngine casts each value", () => {
  const bound = virtual("complex64", { _BaseMappedArrayEngine_Name: "stored" });
  const data = Float64Array.of(0.1, 1e300, NaN, -0);
  assert.deepEqual(
    only("MappedArrayEngine<Complex ,DComplex>", bound, "complex128", { shape: [2], data }),
    [f(0.1), "Infinity", "NaN", -0],
  );
});

Deno.test("BitFlagsEngine takes the bits of the mask, cut to the stored type", () => {
  const flags = (name: string, dtype: DType, mask: number, data: MemoryCell["data"]) =>
    only(`BitFlagsEngine<${name.padEnd(8)}`, virtual("bool", flagKeywords(mask)), dtype, {
      shape: [data.length],
      data,
    });
  assert.deepEqual(flags("uChar", "uint8", 6, Uint8Array.of(0, 1, 2, 4, 255)), [
    false,
    false,
    true,
    true,
    true,
  ]);
  assert.deepEqual(flags("uChar", "uint8", 0xffffff00, Uint8Array.of(255)), [false]);
  assert.deepEqual(flags("Short", "int16", 0xffff0000, Int16Array.of(-1)), [false]);
  assert.deepEqual(flags("Short", "int16", 0x8000, Int16Array.of(-32768, 32767)), [true, false]);
  assert.deepEqual(flags("Int", "int32", 0x80000000, Int32Array.of(-2147483648, 2147483647)), [true, false]);
});

Deno.test("BitFlagsEngine makes its mask of flag sets where the stored column has them", () => {
  const sets = keywordsOf({
    FLAGSETS: { A: 1, B: 6, C: 4n },
  });
  const data = Uint8Array.of(1, 2, 4, 8), cell = { shape: [4], data };
  const flags = (keys: readonly string[], keywords?: RecordFields) =>
    only("BitFlagsEngine<uChar   ", virtual("bool", flagKeywords(8, keys)), "uint8", cell, keywords);
  assert.deepEqual(flags(["A", "C"], sets), [true, false, true, false]);
  assert.deepEqual(flags(["B", "nobody"], sets), [false, true, true, false]);
  assert.deepEqual(flags(["nobody"], sets), [false, false, false, false]);
  assert.deepEqual(flags([], sets), [false, false, false, true]);
  assert.deepEqual(flags(["A"]), [false, false, false, true]);
});

Deno.test("RetypedArrayEngine gives the stored numbers, the object's axes first", () => {
  const engine = "RetypedArrayEngine<StokesVector,float   >";
  const bound = virtual("float32", {
    _BaseMappedArrayEngine_Name: "stored",
    _RetypedArrayEngine_Shape: { dtype: "int32", shape: [1], data: [4] },
    _RetypedArrayEngine_Record: {},
  });
  const data = Float32Array.from({ length: 8 }, (_, i) => i);
  const manager = openEngine(engine, bound, sourceOf([stored("float32", [{ shape: [4, 2], data }])]));
  assert.deepEqual(cellsOf(manager, bound, 1), [{ shape: [4, 2], data: [...data] }]);
  assert.deepEqual(cellsOf(manager, bound, 1, boxOf([[0, 4, 3], [1, 2]], [4, 2])), [
    { shape: [2, 1], data: [4, 7] },
  ]);
  assert.deepEqual(manager.info, { stored: "stored", elementShape: [4] });
  const kind = virtualEngines.find((one) => one.serves(engine));
  const described = { ...bound, dtype: "record" as const, shape: [2], ndim: 1 };
  assert.deepEqual(kind!.present!(engine, described), { ...bound, dtype: "float32", shape: null, ndim: -1 });
});

Deno.test("an engine is a manager without files that never changes anything", () => {
  const bound = virtual("complex64", { _BaseMappedArrayEngine_Name: "stored" });
  const manager: StorageManager = openEngine(
    "MappedArrayEngine<Complex ,DComplex>",
    bound,
    sourceOf([]),
    { sequence: 4 },
  );
  const { type, name, sequence, rowCount, dirty } = manager;
  assert.deepEqual({ type, name, sequence, rowCount, dirty, files: manager.files() }, {
    type: "MappedArrayEngine<Complex ,DComplex>",
    name: "virtual",
    sequence: 4,
    rowCount: -1,
    dirty: false,
    files: [],
  });
  // Rows are no business of its own, and table.dat holds nothing for it.
  run(manager.addRows!(3));
  run(manager.removeRows!(rowRange(0, 1)));
  assert.equal(run(manager.flush!()).length, 0);
});

Deno.test("a keyword of a wider type is taken, rounded to the type that it should have", () => {
  const data = Int16Array.of(1), cell = { shape: [1], data };
  const wide = compressKeywords("CompressFloat", {
    _CompressFloat_Scale: [0.1, "float64"],
    _CompressFloat_Offset: [0, "int32"],
  });
  assert.deepEqual(only("CompressFloat", virtual("float32", wide), "int16", cell), [f(0.1)]);
  const real = scaledKeywords("ScaledComplexData", 2, 1, "float64");
  assert.deepEqual(
    only("ScaledComplexData<Complex ,Short   >", virtual("complex64", real), "int16", {
      shape: [2, 1],
      data: Int16Array.of(5, 7),
    }),
    [11, 0],
  );
});

Deno.test("a keyword that is missing, or no such thing, is named with its column", () => {
  const engines: [type: string, dtype: DType, keywords: Record<string, unknown>][] = [
    ["CompressFloat", "float32", compressKeywords("CompressFloat")],
    ["CompressComplexSD", "complex64", compressKeywords("CompressComplex")],
    ["ScaledArrayEngine<float   ,Short   >", "float32", scaledKeywords("ScaledArrayEngine", 1, 0, "float32")],
    [
      "ScaledComplexData<Complex ,Short   >",
      "complex64",
      scaledKeywords("ScaledComplexData", [1, 1], [0, 0], "complex64"),
    ],
    ["MappedArrayEngine<float   ,double  >", "float32", { _BaseMappedArrayEngine_Name: "stored" }],
    ["RetypedArrayEngine<Own,float   >", "float32", { _BaseMappedArrayEngine_Name: "stored" }],
    ["BitFlagsEngine<Int     ", "bool", flagKeywords(1)],
  ];
  // What only a writer needs, or what only matters when scale and offset are in columns.
  const needless = /Write|_(Scale|Offset)Name$/;
  for (const [type, dtype, keywords] of engines) {
    for (const keyword of Object.keys(keywords)) {
      const without = { ...keywords };
      delete without[keyword];
      const missing = code(() => openEngine(type, virtual(dtype, without), sourceOf([])));
      const wrong = code(() =>
        openEngine(type, virtual(dtype, { ...keywords, [keyword]: { a: 1 } }), sourceOf([]))
      );
      if (needless.test(keyword)) {
        assert.deepEqual([missing, wrong], ["no error", "no error"], keyword);
        continue;
      }
      assert.match(missing, new RegExp(`^CORRUPT: .*column virtual .*keyword ${keyword} is missing`));
      assert.match(
        wrong,
        new RegExp(`^CORRUPT: .*column virtual .*keyword ${keyword} is a record, expected`),
      );
    }
  }
});

Deno.test("names of scale and offset columns must be there when they are used", () => {
  const keywords = { ...compressKeywords("CompressFloat"), _CompressFloat_Fixed: false };
  const { _CompressFloat_OffsetName: _, ...without } = keywords as Record<string, unknown>;
  assert.match(
    code(() => openEngine("CompressFloat", virtual("float32", without), sourceOf([]))),
    /keyword _CompressFloat_OffsetName is missing/,
  );
});

Deno.test("columns that are not there, or of another type, are named", () => {
  const bound = virtual("float32", compressKeywords("CompressFloat"));
  const shapes = (columns: readonly MemoryColumn[]) =>
    code(() => run(openEngine("CompressFloat", bound, sourceOf(columns)).column(0).shapes(rowList([0]))));
  assert.match(
    shapes([]),
    /^CORRUPT: t\/table.dat: column virtual is computed from column stored, which is not there/,
  );
  assert.match(shapes([stored("int32", [])]), /^CORRUPT: .*is a column of array int32, expected array int16/);
  assert.match(
    shapes([new MemoryColumn("stored", "int16", [], { kind: "scalar" })]),
    /^CORRUPT: .*is a column of scalar int16, expected array int16/,
  );
  const columns = virtual(
    "float32",
    compressKeywords("CompressFloat", {
      _CompressFloat_Fixed: false,
      _CompressFloat_ScaleName: "scale",
      _CompressFloat_OffsetName: "offset",
    }),
  );
  const cell = { shape: [1], data: Int16Array.of(1) };
  const read = (others: readonly MemoryColumn[]) => {
    const manager = openEngine("CompressFloat", columns, sourceOf([stored("int16", [cell]), ...others]));
    return code(() => cellsOf(manager, columns, 1));
  };
  assert.match(read([]), /^CORRUPT: .*computed from column scale, which is not there/);
  const double = new MemoryColumn("scale", "float64", [{ shape: [], data: Float64Array.of(1) }], {
    kind: "scalar",
  });
  assert.match(
    read([double]),
    /^CORRUPT: .*scale, which is a column of scalar float64, expected scalar float32/,
  );
});

Deno.test("a virtual column of another type than its engine makes is refused", () => {
  const keywords = keywordsOf(compressKeywords("CompressFloat"));
  for (const about of [{ dtype: "float64", kind: "array" }, { dtype: "float32", kind: "scalar" }] as const) {
    const bound = boundColumn("virtual", { ...about, keywords });
    assert.match(
      code(() => openEngine("CompressFloat", bound, sourceOf([]))),
      new RegExp(`^CORRUPT: .*it is a column of ${about.kind} ${about.dtype}, expected array float32`),
    );
  }
});

Deno.test("class names are served as casacore writes them, and pairs of types that C++ has no use for are not", () => {
  const served = (type: string) => virtualEngines.filter((kind) => kind.serves(type)).length;
  for (
    const type of [
      "CompressFloat",
      "CompressComplex",
      "CompressComplexSD",
      "MappedArrayEngine<Complex ,DComplex>",
      "BitFlagsEngine<uChar   ",
      "BitFlagsEngine<Short   ",
      "BitFlagsEngine<Int     ",
      "ScaledArrayEngine<double  ,Int     >",
      "ScaledComplexData<Complex ,Short   >",
      "RetypedArrayEngine<My<Own,Class>,double  >",
      "ForwardColumnEngine",
      "ForwardColumnIndexedRowEngine",
      "VirtualTaQLColumn",
    ]
  ) assert.equal(served(type), 1, type);
  for (
    const type of [
      "CompressFloats",
      "MappedArrayEngine<Complex ,float   >",
      "MappedArrayEngine<Complex ",
      "BitFlagsEngine<uInt    ",
      "BitFlagsEngine<Short   ,Int     ",
      "ScaledArrayEngine<Complex ,Complex >",
      "ScaledArrayEngine<Bool    ,Int     >",
      "ScaledArrayEngine<nothing ,Int     >",
      "ScaledComplexData<float   ,Short   >",
      "RetypedArrayEngine<Own,Other>",
      "",
    ]
  ) assert.equal(served(type), 0, type);
});
