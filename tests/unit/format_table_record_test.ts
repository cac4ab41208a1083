import assert from "node:assert/strict";
import fc from "fast-check";
import type { DType } from "../../src/array/dtype.ts";
import type { NDArray } from "../../src/array/ndarray.ts";
import { fieldOf } from "../../src/format/record.ts";
import { TableKeyword, TableRecord } from "../../src/format/table-record.ts";
import { anyRecord, failsWith } from "./format_help.ts";

/** dtype, kind and plain value of a field. */
function shown(record: TableRecord, key: string): unknown[] {
  const value = record.get(key);
  return [record.dtype(key), record.kind(key), value instanceof TableRecord ? value.toJSON() : value];
}

Deno.test("TableRecord gives back the fields that it was made of", () => {
  fc.assert(fc.property(anyRecord, (fields) => {
    const record = new TableRecord(fields);
    // Having every value, also those inside, must not change anything.
    const visit = (r: TableRecord) =>
      [...r].forEach(([, value]) => value instanceof TableRecord && visit(value));
    visit(record);
    assert.deepEqual(record.toFields(), fields);
    record.set("\u0001new", 1);
    record.delete("\u0001new");
    assert.deepEqual(record.toFields(), fields);
    assert.deepEqual(record.keys(), fields.fields.map((f) => f.name));
  }));
});

Deno.test("set() infers the type of a value", () => {
  const record = new TableRecord();
  const cases: [value: unknown, dtype: string, kind: string, found: unknown][] = [
    [true, "bool", "scalar", true],
    [5, "int32", "scalar", 5],
    [-(2 ** 31), "int32", "scalar", -(2 ** 31)],
    [2 ** 31, "float64", "scalar", 2 ** 31],
    [0.5, "float64", "scalar", 0.5],
    [-0, "float64", "scalar", -0],
    [NaN, "float64", "scalar", NaN],
    [7n, "int64", "scalar", 7n],
    ["x", "string", "scalar", "x"],
    [["a", "b"], "string", "array", { dtype: "string", shape: [2], data: ["a", "b"] }],
    [[1, 2], "int32", "array", { dtype: "int32", shape: [2], data: Int32Array.of(1, 2) }],
    [[1, 0.5], "float64", "array", { dtype: "float64", shape: [2], data: Float64Array.of(1, 0.5) }],
    [[true, false], "bool", "array", { dtype: "bool", shape: [2], data: Uint8Array.of(1, 0) }],
    [[1n], "int64", "array", { dtype: "int64", shape: [1], data: BigInt64Array.of(1n) }],
    [Int16Array.of(1, -1), "int16", "array", { dtype: "int16", shape: [2], data: Int16Array.of(1, -1) }],
    [{ shape: [1, 2], data: Float32Array.of(1, 2) }, "float32", "array", {
      dtype: "float32",
      shape: [1, 2],
      data: Float32Array.of(1, 2),
    }],
    [{ dtype: "complex64", shape: [1], data: Float32Array.of(1, 2) }, "complex64", "array", {
      dtype: "complex64",
      shape: [1],
      data: Float32Array.of(1, 2),
    }],
    [{ type: "epoch", sub: { n: 1 } }, "record", "record", { type: "epoch", sub: { n: 1 } }],
    [new TableKeyword("././ANTENNA"), "table", "table", new TableKeyword("././ANTENNA")],
  ];
  for (const [value, dtype, kind, found] of cases) {
    record.set("f", value);
    assert.deepEqual(shown(record, "f"), [dtype, kind, found], String(value));
  }
  assert.equal(record.size, 1);
});

Deno.test("set() with a dtype converts what fits", () => {
  const record = new TableRecord();
  const cases: [value: unknown, dtype: DType | "table", found: unknown][] = [
    [255, "uint8", 255],
    [-0, "int16", 0],
    [4294967295, "uint32", 4294967295],
    [3n, "int32", 3],
    [2 ** 52, "int64", 2n ** 52n],
    [0.1, "float32", Math.fround(0.1)],
    [NaN, "float32", NaN],
    [1, "float64", 1],
    [[0.1, 2], "complex64", [Math.fround(0.1), 2]],
    [[0.1, 2], "complex128", [0.1, 2]],
    [[[1, 2], [3, 4]], "complex128", { dtype: "complex128", shape: [2], data: Float64Array.of(1, 2, 3, 4) }],
    [Float32Array.of(1, 2, 3, 4), "complex64", {
      dtype: "complex64",
      shape: [2],
      data: Float32Array.of(1, 2, 3, 4),
    }],
    [Uint8Array.of(0, 1), "bool", { dtype: "bool", shape: [2], data: Uint8Array.of(0, 1) }],
    [[], "string", { dtype: "string", shape: [0], data: [] }],
    [[1, 2], "uint8", { dtype: "uint8", shape: [2], data: Uint8Array.of(1, 2) }],
    [{ shape: [0, 3], data: [] }, "float64", { dtype: "float64", shape: [0, 3], data: new Float64Array(0) }],
    ["./x", "table", new TableKeyword("./x")],
  ];
  for (const [value, dtype, found] of cases) {
    record.set("f", value, dtype);
    assert.deepEqual(record.get("f"), found, `${String(value)} as ${dtype}`);
    assert.equal(record.dtype("f"), dtype);
  }
});

Deno.test("set() refuses what doesn't fit, and leaves the record as it was", () => {
  const record = TableRecord.from({ a: 1 });
  const before = record.toFields();
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  const cases: [
    code: "TYPE_MISMATCH" | "OUT_OF_RANGE" | "SHAPE_MISMATCH" | "INVALID_ARGUMENT" | "LIMIT",
    unknown,
    DType?,
  ][] = [
    ["OUT_OF_RANGE", 256, "uint8"],
    ["OUT_OF_RANGE", -1, "uint32"],
    ["OUT_OF_RANGE", 1e20, "int32"],
    ["OUT_OF_RANGE", 2n ** 63n, "int64"],
    ["OUT_OF_RANGE", 1e39, "float32"],
    ["OUT_OF_RANGE", [1e39, 0], "complex64"],
    ["OUT_OF_RANGE", Uint8Array.of(2), "bool"],
    ["TYPE_MISMATCH", 1.5, "int32"],
    ["TYPE_MISMATCH", NaN, "int64"],
    ["TYPE_MISMATCH", 1, "bool"],
    ["TYPE_MISMATCH", 1, "string"],
    ["TYPE_MISMATCH", "1", "int32"],
    ["TYPE_MISMATCH", 1n, "float64"],
    ["TYPE_MISMATCH", 1, "uint16"],
    ["TYPE_MISMATCH", Uint16Array.of(1)],
    ["TYPE_MISMATCH", Int8Array.of(1)],
    ["TYPE_MISMATCH", Float64Array.of(1), "float32"],
    ["TYPE_MISMATCH", Float64Array.of(1), "string"],
    ["TYPE_MISMATCH", [1, "x"]],
    ["TYPE_MISMATCH", [1, null]],
    ["TYPE_MISMATCH", null],
    ["TYPE_MISMATCH", undefined],
    ["TYPE_MISMATCH", () => 1],
    ["TYPE_MISMATCH", new Date()],
    ["TYPE_MISMATCH", new Map()],
    ["TYPE_MISMATCH", new DataView(new ArrayBuffer(4))],
    ["TYPE_MISMATCH", { a: 1 }, "int32"],
    ["TYPE_MISMATCH", { a: null }],
    ["SHAPE_MISMATCH", { shape: [2, 2], data: Float64Array.of(1, 2) }],
    ["SHAPE_MISMATCH", { shape: [-1], data: [1] }],
    ["SHAPE_MISMATCH", { shape: [], data: [1] }],
    ["SHAPE_MISMATCH", Float32Array.of(1, 2, 3), "complex64"],
    ["INVALID_ARGUMENT", []],
    ["INVALID_ARGUMENT", { "": 1 }],
    ["INVALID_ARGUMENT", { "\ud800": 1 }],
    ["LIMIT", cyclic],
  ];
  for (const [code, value, dtype] of cases) {
    failsWith(code, () => record.set("f", value, dtype), /record, field "f"/);
  }
  failsWith("INVALID_ARGUMENT", () => record.set("", 1));
  failsWith("INVALID_ARGUMENT", () => record.setComment("none", "x"));
  assert.deepEqual(record.toFields(), before);
  assert.equal(record.changes, 1);
});

Deno.test("fields keep their order, comments stay with their fields", () => {
  const record = TableRecord.from([["b", 1], ["a", 2], ["c", 3]]);
  record.setComment("a", "second");
  record.set("a", "two");
  assert.equal(record.delete("b"), true);
  assert.equal(record.delete("b"), false);
  record.set("b", 4);
  assert.deepEqual(record.keys(), ["a", "c", "b"]);
  assert.equal(record.comment("a"), "second");
  assert.equal(record.comment("none"), undefined);
  assert.equal(record.get("none"), undefined);
  assert.equal(record.has("none"), false);
  assert.deepEqual([...record], [["a", "two"], ["c", 3], ["b", 4]]);
});

Deno.test("a record inside a record is part of it; one that was put in is a copy", () => {
  const outer = TableRecord.from({ sub: { n: 1 } });
  const inner = outer.get("sub") as TableRecord;
  assert.equal(inner, outer.get("sub"));
  const changes = outer.changes;
  inner.set("n", 2);
  assert.equal(outer.changes, changes + 1);
  assert.deepEqual(outer.toJSON(), { sub: { n: 2 } });
  outer.set("copy", inner);
  inner.set("n", 3);
  assert.deepEqual(outer.toJSON(), { sub: { n: 3 }, copy: { n: 2 } });
  outer.setComment("sub", "still there");
  inner.set("n", 4);
  assert.deepEqual(outer.toJSON(), { sub: { n: 4 }, copy: { n: 2 } });
  outer.set("sub", { n: 9 });
  inner.set("n", 5);
  assert.deepEqual(
    outer.toJSON(),
    { sub: { n: 9 }, copy: { n: 2 } },
    "the one that was got is no part any more",
  );
  const second = outer.get("sub") as TableRecord;
  outer.delete("sub");
  second.set("n", 6);
  assert.deepEqual(outer.toJSON(), { copy: { n: 2 } });
});

Deno.test("changing an array that was got or put doesn't change the record", () => {
  const given = Float64Array.of(1, 2);
  const record = new TableRecord();
  record.set("a", given);
  given[0] = 9;
  const got = record.get("a") as NDArray<"float64">;
  got.data[1] = 9;
  assert.deepEqual(record.toJSON(), { a: { shape: [2], data: [1, 2] } });
});

Deno.test("a read-only record refuses every change, also of records inside", () => {
  const record = new TableRecord(TableRecord.from({ sub: { n: 1 } }).toFields(), {
    readOnly: true,
    name: "keywords of t/x.ms",
  });
  const inner = record.get("sub") as TableRecord;
  assert.ok(inner.readOnly);
  failsWith("READ_ONLY", () => record.set("x", 1), /^keywords of t\/x\.ms/);
  failsWith("READ_ONLY", () => inner.set("n", 2), /^keywords of t\/x\.ms, field "sub"/);
  failsWith("READ_ONLY", () => record.delete("sub"));
  failsWith("READ_ONLY", () => record.setComment("sub", "x"));
  failsWith("READ_ONLY", () => record.assign(TableRecord.from({ x: 1 })));
  assert.equal(record.changes, 0);
});

Deno.test("beforeChange is called before any change and can forbid it", () => {
  let calls = 0;
  const record = new TableRecord(undefined, {
    beforeChange: () => {
      if (++calls > 2) throw new RangeError("no more");
    },
  });
  record.set("sub", {});
  (record.get("sub") as TableRecord).set("n", 1);
  assert.throws(() => record.set("x", 1), /no more/);
  assert.deepEqual(record.toJSON(), { sub: { n: 1 } });
});

Deno.test("assign() takes over types, comments and shapes", () => {
  const from = new TableRecord();
  from.set("f", 1, "float32");
  from.setComment("f", "one");
  from.set("t", new TableKeyword("././T"));
  const to = TableRecord.from({ f: "old", g: 1 });
  to.assign(from);
  assert.deepEqual(to.keys(), ["f", "g", "t"]);
  assert.deepEqual(fieldOf(to.toFields(), "f"), { kind: "scalar", dtype: "float32", value: 1 });
  assert.equal(to.comment("f"), "one");
});

Deno.test("toJSON() has the form of table cat", () => {
  const record = new TableRecord();
  record.set("nan", NaN);
  record.set("inf", -Infinity);
  record.set("big", 2n ** 53n + 1n);
  record.set("small", -(2n ** 53n));
  record.set("z", [1, Infinity], "complex64");
  record.set("zs", { shape: [1, 2], data: Float64Array.of(1, 2, 3, NaN) }, "complex128");
  record.set("flags", [true, false]);
  record.set("longs", [1n, 2n ** 60n]);
  record.set("names", ["a"]);
  record.set("sub", { "__proto__x": 1 });
  record.set("__proto__", 1);
  record.set("t", new TableKeyword("./x"));
  assert.equal(
    JSON.stringify(record),
    '{"nan":"NaN","inf":"-Infinity","big":"9007199254740993","small":-9007199254740992,"z":[1,"Infinity"],' +
      '"zs":{"shape":[1,2],"data":[1,2,3,"NaN"]},"flags":{"shape":[2],"data":[true,false]},' +
      '"longs":{"shape":[2],"data":[1,"1152921504606846976"]},"names":{"shape":[1],"data":["a"]},' +
      '"sub":{"__proto__x":1},"__proto__":1,"t":{"table":"./x"}}',
  );
});

Deno.test("records nested deeper than 256 levels are refused wherever they are put", () => {
  const nested = (levels: number) => {
    let record = new TableRecord();
    for (let i = 1; i < levels; i++) record = TableRecord.from({ r: record });
    return record;
  };
  const record = new TableRecord();
  record.set("r", nested(255));
  failsWith("LIMIT", () => record.set("r", nested(256)));
  failsWith("LIMIT", () => TableRecord.from({ a: 1 }).assign(nestedFields(256)));
  let deepest = record;
  while (deepest.has("r")) deepest = deepest.get("r") as TableRecord;
  failsWith("LIMIT", () => deepest.set("one more", {}));
  deepest.set("leaf", 1);

  function nestedFields(levels: number) {
    const inner = nested(levels);
    return {
      fields: [{ name: "x", comment: "", value: { kind: "record", fields: inner.toFields() } as const }],
      recordType: 1,
    };
  }
});

Deno.test("an int64 is a number up to 2^53 itself, and a string past it", () => {
  const border = 2n ** 53n;
  const record = TableRecord.from({ at: border, past: border + 1n, low: -border, lower: -border - 1n });
  record.set("list", BigInt64Array.of(border, border + 1n, -border, -border - 1n));
  const said = [2 ** 53, "9007199254740993", -(2 ** 53), "-9007199254740993"];
  const { list, ...scalars } = record.toJSON();
  assert.deepEqual(Object.values(scalars), said);
  assert.deepEqual(list, { shape: [4], data: said });
});

Deno.test("rename() keeps a field's place, type, value and comment, and the record in it", () => {
  let changes = 0;
  const record = new TableRecord(undefined, { beforeChange: () => changes++ });
  record.set("a", 1, "int16");
  record.setComment("a", "first");
  record.set("b", { inner: 1 });
  record.set("c", "x");
  const inner = record.get("b") as TableRecord;
  changes = 0;
  record.rename("a", "z");
  record.rename("b", "y");
  record.rename("c", "c");
  assert.equal(changes, 2);
  assert.deepEqual(record.keys(), ["z", "y", "c"]);
  assert.deepEqual([record.get("z"), record.dtype("z"), record.comment("z")], [1, "int16", "first"]);
  inner.set("inner", 2);
  assert.deepEqual(record.toJSON(), { z: 1, y: { inner: 2 }, c: "x" });
  failsWith("INVALID_ARGUMENT", () => record.rename("a", "q"));
  failsWith("INVALID_ARGUMENT", () => record.rename("z", "c"));
  failsWith("INVALID_ARGUMENT", () => record.rename("z", ""));
  assert.deepEqual(record.keys(), ["z", "y", "c"]);
});
