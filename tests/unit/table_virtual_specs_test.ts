/** Specs of virtual columns: what they come to, and what is refused, with nothing left behind. */
import assert from "node:assert/strict";
import {
  array,
  bitFlags,
  type ColumnSpec,
  compressComplex,
  compressFloat,
  mappedArray,
  type NDArray,
  retypedArray,
  scalar,
  scaledArray,
  scaledComplex,
  standard,
  type StorageSpec,
  Table,
  TableError,
} from "../../mod.ts";
import { library } from "../../ffi/binding.ts";
import { temporaryFolder } from "../fixture.ts";

const lock = library() === null ? "none" : "auto";

/** The error of making a table, as "CODE: message"; nothing may be left of it. */
function refused(columns: readonly ColumnSpec[], ...storage: StorageSpec[]): string {
  using folder = temporaryFolder();
  try {
    Table.create(`${folder.path}/t`, { columns, storage, rows: 2, lock }).close();
  } catch (error) {
    if (!(error instanceof TableError)) throw error;
    assert.deepEqual([...Deno.readDirSync(folder.path)], []);
    return `${error.code}: ${error.message}`;
  }
  return "no error";
}

const FLOATS = [array("v", "float32"), array("s", "int16"), scalar("k", "float32"), scalar("o", "float32")];

Deno.test("a spec of a virtual column names columns that are there and of the right kind", () => {
  const both = (options: object, columns: readonly ColumnSpec[] = FLOATS) =>
    refused(columns, compressFloat("v", { stored: "s", ...options }));
  assert.equal(both({}), "no error");
  assert.equal(both({ scale: "k", offset: "o", autoScale: true }), "no error");
  assert.match(both({ stored: "x" }), /^NO_SUCH_COLUMN: .*column v names column x/);
  assert.match(both({ stored: 3 }), /^INVALID_ARGUMENT: .*stored names the stored column, found 3/);
  assert.match(both({ stored: "v" }), /^INVALID_ARGUMENT: .*stored in itself/);
  assert.match(both({ stored: "k" }), /^INVALID_ARGUMENT: .*column k is one of scalars/);
  assert.match(both({ scale: "x", offset: "o" }), /^NO_SUCH_COLUMN/);
  assert.match(
    both({ scale: "s", offset: "o" }),
    /^INVALID_ARGUMENT: .*scale column s is one of array int16/,
  );
  assert.match(both({ scale: "k" }), /^INVALID_ARGUMENT: .*both/);
  assert.match(both({ offset: "o" }), /^INVALID_ARGUMENT: .*both/);
  assert.match(both({ scale: 0 }), /^INVALID_ARGUMENT: .*scale of 0/);
  assert.match(both({ scale: [1, 2] }), /^INVALID_ARGUMENT: .*value of type float32/);
  assert.match(both({ autoScale: true }), /^INVALID_ARGUMENT: .*autoScale needs columns/);
  assert.match(both({ autoScale: 1 }), /^INVALID_ARGUMENT: .*boolean/);
  assert.match(both({}, [array("v", "float64"), array("s", "int16")]), /type float64, expected float32/);
  assert.match(both({}, [array("v", "float32"), array("s", "int32")]), /type int32, expected int16/);
  assert.match(both({}, [scalar("v", "float32"), array("s", "int16")]), /column of scalars, expected arrays/);
  const two = { ...compressFloat("v", { stored: "s" }), columns: ["v", "w"] };
  assert.match(refused([...FLOATS, array("w", "float32")], two), /it takes one column, found v, w/);
});

Deno.test("shapes of virtual and stored cells agree, and casacore can open the table", () => {
  const shapes = (virtual: number[] | null, stored: number[] | null) => {
    const options = (shape: number[] | null) => shape === null ? {} : { shape };
    const columns = [array("v", "complex64", options(virtual)), array("s", "int16", options(stored))];
    return refused(columns, scaledComplex("v", { stored: "s" }));
  };
  assert.equal(shapes([3], [2, 3]), "no error");
  assert.equal(shapes([3], null), "no error");
  assert.match(shapes(null, [2, 3]), /^INVALID_ARGUMENT: .*s has a fixed shape/);
  assert.match(shapes([3], [3]), /^INVALID_ARGUMENT: .*have shape \[3\], expected \[2, 3\]/);
});

Deno.test("values of scales and offsets are of the virtual column's type", () => {
  const make = (dtype: ColumnSpec["dtype"], stored: ColumnSpec["dtype"], options: object) =>
    refused([array("v", dtype), array("s", stored)], scaledArray("v", { stored: "s", ...options }));
  assert.equal(make("int64", "int32", { scale: 3n, offset: 2 ** 40 }), "no error");
  assert.equal(make("int16", "uint8", { scale: -3, offset: -32768 }), "no error");
  assert.match(make("int16", "uint8", { offset: -32769 }), /offset is a value of type int16/);
  assert.match(make("uint8", "int16", { offset: -1 }), /offset is a value of type uint8/);
  assert.match(make("int16", "uint8", { scale: 0.5 }), /scale is a value of type int16/);
  assert.match(make("int64", "uint8", { scale: 0n }), /scale of 0/);
  assert.match(make("float32", "int16", { scale: 3n }), /scale is a value of type float32/);
  assert.match(make("float32", "complex64", {}), /float32 can't be stored as complex64/);
  assert.match(make("complex64", "int16", {}), /complex64 can't be stored as int16/);
  assert.match(make("bool", "int16", {}), /bool can't be stored as int16/);
  assert.match(make("string", "int16", {}), /type string, expected numbers/);
  const pair = (options: object) =>
    refused([array("v", "complex128"), array("s", "int16")], scaledComplex("v", { stored: "s", ...options }));
  assert.equal(pair({ scale: [0.5, -1], offset: [1, 2] }), "no error");
  assert.match(pair({ scale: [0.5, 0] }), /scale of 0/);
  assert.match(pair({ scale: 0.5 }), /scale is a value of type complex128/);
  assert.match(pair({ offset: [1] }), /offset is a value of type complex128/);
});

Deno.test("masks are bits or names, and classes have names", () => {
  const flags = (options: object, stored: ColumnSpec["dtype"] = "uint8") =>
    refused([array("v", "bool"), array("s", stored)], bitFlags("v", { stored: "s", ...options }));
  assert.equal(flags({ readMask: -1, writeMask: ["A"] }), "no error");
  assert.match(flags({ readMask: 2 ** 32 }), /readMask is bits, or names/);
  assert.match(flags({ writeMask: [] }), /writeMask is bits, or names/);
  assert.match(flags({ writeMask: [1] }), /writeMask is bits, or names/);
  assert.match(flags({}, "uint16"), /type uint16, expected uint8 or int16 or int32/);
  const mapped = (virtual: ColumnSpec["dtype"], stored: ColumnSpec["dtype"]) =>
    refused([array("v", virtual), array("s", stored)], mappedArray("v", { stored: "s" }));
  assert.equal(mapped("float32", "bool"), "no error");
  assert.match(mapped("float32", "complex64"), /can't be stored as complex64/);
  const retyped = (options: object, column = array("v", "float32")) =>
    refused(
      [column, array("s", "float32")],
      retypedArray("v", { stored: "s", className: "Own", shape: [4], ...options }),
    );
  assert.equal(retyped({}), "no error");
  assert.match(retyped({ className: "Pair<int,int>" }), /className is the name of a class/);
  assert.match(retyped({ shape: [] }), /shape of an object/);
  assert.match(retyped({ shape: 4 }), /shape of an object/);
  assert.match(retyped({}, array("v", "float64")), /described with the type of stored column s, float32/);
  assert.match(retyped({}, array("v", "float32", { ndim: 2 })), /without axes/);
});

Deno.test("columns that are computed from each other in a circle are refused, a chain isn't", () => {
  const columns = ["a", "b", "c"].map((name) => array(name, "float32"));
  const cast = (name: string, stored: string) => mappedArray(name, { stored });
  assert.match(
    refused(columns, cast("a", "b"), cast("b", "c"), cast("c", "a")),
    /^INVALID_ARGUMENT: .*computed/,
  );
  assert.equal(refused(columns, cast("a", "b"), cast("b", "c")), "no error");
});

Deno.test("a chain of virtual columns is written through to the last one", () => {
  using folder = temporaryFolder();
  using table = Table.create(`${folder.path}/t`, {
    columns: [
      array("top", "float32", { shape: [3] }),
      array("middle", "int16", { ndim: 1 }),
      array("bottom", "int32", { ndim: 1 }),
    ],
    storage: [
      compressFloat("top", { stored: "middle", scale: 0.5, offset: 1 }),
      mappedArray("middle", { stored: "bottom" }),
      standard(),
    ],
    rows: 2,
    lock,
  });
  assert.deepEqual(table.getCells("bottom").map((cell) => (cell as NDArray).shape), [[3], [3]]);
  table.putColumn("top", Float32Array.of(1, 2, NaN, -1, 0, 3.3));
  assert.deepEqual([...table.getColumn("bottom").data as Int32Array], [0, 2, -32768, -4, -2, 5]);
  table.putColumn("top", Float32Array.of(9, 8), { slice: [[2, 3]] });
  assert.deepEqual([...table.getColumn("top").data as Float32Array], [1, 2, 9, -1, 0, 8]);
  table.addRows(1);
  assert.deepEqual((table.getCell("middle", 2) as NDArray).shape, [3]);
});

Deno.test("what can't be written is refused before anything is", () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`;
  using table = Table.create(path, {
    columns: [
      array("v", "complex64", { shape: [2] }),
      array("s", "int32", { shape: [2] }),
      array("f", "float32", { shape: [2] }),
      array("i", "int16", { shape: [2] }),
      scalar("k", "float32"),
    ],
    storage: [
      compressComplex("v", { stored: "s" }),
      scaledArray("f", { stored: "i", scale: "k" }),
      standard(),
    ],
    rows: 2,
    lock,
  });
  const code = (action: () => void) => {
    try {
      action();
    } catch (error) {
      if (error instanceof TableError) return `${error.code}: ${error.message}`;
    }
    return "no error";
  };
  // A scale of 0: everything is out of range.
  assert.match(
    code(() => table.putColumn("f", Float32Array.of(1, 2, 3, 4))),
    /^OUT_OF_RANGE: .*row 0: 1 can't be stored/,
  );
  table.putColumn("k", Float32Array.of(1, 1));
  table.putColumn("f", Float32Array.of(1, 2, 3, 4));
  assert.match(
    code(() => table.putColumn("f", Float32Array.of(5, 6, 7, 32768))),
    /^OUT_OF_RANGE: .*column f, row 1: 32768 can't be stored as int16 in column i/,
  );
  assert.match(
    code(() => table.putColumn("f", Float32Array.of(5, NaN, 7, 8))),
    /^OUT_OF_RANGE: .*row 0: NaN/,
  );
  assert.match(code(() => table.putCell("f", 0, null)), /^INVALID_ARGUMENT/);
  assert.match(code(() => table.putColumn("f", new Float32Array(5))), /^SHAPE_MISMATCH/);
  assert.match(code(() => table.putColumn("f", new Float64Array(4))), /^TYPE_MISMATCH/);
  assert.deepEqual([...table.getColumn("f").data as Float32Array], [1, 2, 3, 4]);
  // Edges that are cut off into the range.
  table.putColumn("f", Float32Array.of(32767.9, -32768.9, -0.9, 0.9));
  assert.deepEqual([...table.getColumn("i").data as Int16Array], [32767, -32768, 0, 0]);
  assert.deepEqual([...table.getColumn("v").data as Float32Array], new Array(8).fill(0));
});
