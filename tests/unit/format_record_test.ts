import assert from "node:assert/strict";
import fc from "fast-check";
import { NUMERIC_TYPES, numericInfo } from "../../src/array/dtype.ts";
import { AipsReader, AipsWriter, MAX_RECORD_DEPTH } from "../../src/format/aipsio.ts";
import { readArray } from "../../src/format/array-io.ts";
import { readRecord, writeRecord } from "../../src/format/record-io.ts";
import { EMPTY_RECORD, fieldOf, type FieldValue, type RecordFields } from "../../src/format/record.ts";
import { anyRecord, damaged, failsWith, randomNumbers, survives } from "./format_help.ts";

const FILE = "t/table.dat";

function bytesOf(record: RecordFields, bigEndian = true): Uint8Array {
  const w = new AipsWriter({ bigEndian });
  writeRecord(w, record);
  return w.finish();
}

function read(bytes: Uint8Array, bigEndian = true): RecordFields {
  const r = new AipsReader(bytes, { file: FILE, bigEndian });
  const record = readRecord(r);
  assert.equal(r.remaining(), 0);
  return record;
}

function one(name: string, value: FieldValue): RecordFields {
  return { fields: [{ name, comment: "", value }], recordType: 1 };
}

Deno.test("records of every type and nesting come back as they were written, in both byte orders", () => {
  fc.assert(
    fc.property(anyRecord, fc.boolean(), (record, bigEndian) => {
      assert.deepEqual(read(bytesOf(record, bigEndian), bigEndian), record);
    }),
    { numRuns: 300 },
  );
});

Deno.test("damaged records give a TableError or a record, nothing else", () => {
  fc.assert(
    fc.property(anyRecord, fc.nat(), (record, seed) => {
      const random = randomNumbers(seed);
      const bytes = bytesOf(record);
      for (let i = 0; i < 5; i++) {
        survives(() => readRecord(new AipsReader(damaged(bytes, random), { file: FILE })), `seed ${seed}`);
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("an empty TableRecord takes the 53 bytes of the reference", () => {
  const hex = "00000035" + "0000000b" + "5461626c655265636f7264" + "00000001" +
    "0000001a" + "0000000a" + "5265636f726444657363" + "00000002" + "00000000" + "00000001";
  assert.equal(bytesOf(EMPTY_RECORD).toHex(), hex);
});

Deno.test("array fields have casacore's decorated type names", () => {
  const names: Record<string, string> = {
    bool: "Array<void>",
    complex64: "Array<void>",
    complex128: "Array<void>",
    uint8: "Array<uChar>",
    int16: "Array<short>",
    int32: "Array<Int>",
    uint32: "Array<uInt>",
    int64: "Array<Int64>",
    float32: "Array<float>",
    float64: "Array<double>",
  };
  for (const dtype of NUMERIC_TYPES.filter((d) => d !== "uint16")) {
    const data = dtype === "int64" ? new BigInt64Array(0) : new Uint8Array(0);
    const text = new TextDecoder().decode(
      bytesOf(one("a", { kind: "array", dtype, shape: [0], data } as FieldValue)),
    );
    assert.ok(text.includes(`${names[dtype]!}\0`), dtype);
  }
});

Deno.test("booleans of an array are bits, the first the least significant", () => {
  const data = Uint8Array.of(1, 0, 0, 1, 0, 0, 0, 0, 1);
  const bytes = bytesOf(one("a", { kind: "array", dtype: "bool", shape: [9], data }));
  assert.deepEqual([...bytes.subarray(-2)], [0b00001001, 1]);
});

function nest(levels: number, fixed: boolean): RecordFields {
  let record = one("leaf", { kind: "scalar", dtype: "bool", value: true });
  for (let i = 1; i < levels; i++) {
    const fields = [{
      name: "sub",
      comment: "",
      value: { kind: "record", fields: fixed ? { ...record, recordType: 0 } : record } as const,
      ...(fixed ? { fixedRecord: true } : {}),
    }];
    record = { fields, recordType: 1 };
  }
  return record;
}

Deno.test("256 levels of records are read and written, 257 refused with LIMIT", () => {
  for (const fixed of [false, true]) {
    const deep = nest(MAX_RECORD_DEPTH, fixed);
    assert.deepEqual(read(bytesOf(deep)), deep);
    failsWith("LIMIT", () => bytesOf(nest(MAX_RECORD_DEPTH + 1, fixed)), /256 levels/);
  }
  // One level more than the writer allows, put together by hand.
  let inner: Uint8Array = bytesOf(EMPTY_RECORD);
  for (let i = 0; i < 2000; i++) {
    const w = new AipsWriter();
    w.begin("TableRecord", 1);
    w.begin("RecordDesc", 2);
    w.i32(1);
    w.string("s");
    w.i32(25);
    w.begin("RecordDesc", 2);
    w.i32(0);
    w.end();
    w.string("");
    w.end();
    w.i32(1);
    w.bytes(inner);
    w.end();
    inner = w.finish();
  }
  failsWith("LIMIT", () => read(inner), /256 levels/);
});

Deno.test("what a record can't hold is refused when it is written", () => {
  const data = new Uint16Array(1);
  failsWith("TYPE_MISMATCH", () => bytesOf(one("u", { kind: "array", dtype: "uint16", shape: [1], data })));
  failsWith("TYPE_MISMATCH", () => bytesOf(one("u", { kind: "scalar", dtype: "uint16", value: 1 })));
  failsWith(
    "TYPE_MISMATCH",
    () => writeRecord(new AipsWriter(), one("t", { kind: "table", name: "./x" }), "Record"),
  );
});

Deno.test("the class Record is framed under its own name, nested ones too", () => {
  const w = new AipsWriter();
  const record = one("sub", { kind: "record", fields: EMPTY_RECORD });
  writeRecord(w, record, "Record");
  const bytes = w.finish();
  assert.ok(!new TextDecoder().decode(bytes).includes("TableRecord"));
  assert.deepEqual(readRecord(new AipsReader(bytes, { file: FILE }), "Record"), record);
  failsWith("CORRUPT", () => read(bytes), /found "Record"/);
});

Deno.test("a RecordDesc of version 1 has no comments", () => {
  const w = new AipsWriter();
  w.begin("TableRecord", 1);
  w.begin("RecordDesc", 1);
  w.i32(2);
  w.string("n");
  w.i32(5);
  w.string("s");
  w.i32(11);
  w.end();
  w.i32(0);
  w.i32(-7);
  w.string("text");
  w.end();
  const record = read(w.finish());
  assert.equal(record.recordType, 0);
  assert.deepEqual(record.fields.map((f) => [f.name, f.comment, (f.value as { value: unknown }).value]), [
    ["n", "", -7],
    ["s", "", "text"],
  ]);
});

Deno.test("arrays of versions 1 and 2 have an origin, which is ignored", () => {
  for (const version of [1, 2, 3]) {
    const w = new AipsWriter();
    w.begin("Array<void>", version);
    w.u32(2);
    if (version < 3) {
      w.i32(-5);
      w.i32(9);
    }
    w.u32(2);
    w.u32(1);
    w.u32(2);
    for (const part of [1, 2, 3, 4]) w.f32(part);
    w.end();
    const bytes = w.finish();
    assert.deepEqual(readArray(new AipsReader(bytes, { file: FILE }), "complex64"), {
      dtype: "complex64",
      shape: [2, 1],
      data: Float32Array.of(1, 2, 3, 4),
    });
  }
});

Deno.test("arrays whose lengths and count disagree are refused before memory is taken", () => {
  const make = (shape: number[], count: number) => {
    const w = new AipsWriter();
    w.begin("Array", 3);
    w.u32(shape.length);
    for (const n of shape) w.u32(n);
    w.u32(count);
    w.end();
    return () => readArray(new AipsReader(w.finish(), { file: FILE }), "float64");
  };
  failsWith("CORRUPT", make([2, 3], 5), /shape \[2, 3\] holds 5 values/);
  failsWith("CORRUPT", make([], 1));
  failsWith("CORRUPT", make([0xffffffff], 0xffffffff), /expected 34359738360 more bytes/);
  failsWith("CORRUPT", make(new Array(40).fill(0xffffffff).concat([0]), 0), /holds 0 values/);
});

Deno.test("a field that is named twice, or of an unknown type, is refused", () => {
  const make = (names: string[], code: number) => {
    const w = new AipsWriter();
    w.begin("TableRecord", 1);
    w.begin("RecordDesc", 2);
    w.i32(names.length);
    for (const name of names) {
      w.string(name);
      w.i32(code);
      w.string("");
    }
    w.end();
    w.i32(1);
    for (const _ of names) w.i32(0);
    w.end();
    return () => read(w.finish());
  };
  failsWith("CORRUPT", make(["a", "a"], 5), /"a" occurs twice/);
  for (const code of [1, 4, 26, 27, 99, -1]) failsWith("CORRUPT", make(["a"], code), /has type code/);
  assert.equal(make(["a", "b"], 5)().fields.length, 2);
});

Deno.test("old keyword sets are read as records", () => {
  const w = new AipsWriter();
  w.begin("TableKeywordSet", 2);
  w.begin("Map<String,void>", 1);
  w.u32(4);
  w.i32(0);
  w.string("");
  for (
    const [name, code, comment] of [["T", 12, "a table"], ["N", 5, ""], ["D", 8, "pi"], ["V", 7, ""]] as const
  ) {
    w.string(name);
    w.i32(code);
    w.string(comment);
  }
  w.end();
  w.blockU32([1, 2]);
  w.blockString(["x"]);
  const scalars: Record<number, () => void> = {
    1: () => (w.string("N"), w.i32(-3)),
    4: () => (w.string("D"), w.f64(3.25)),
    5: () => (w.string("Z"), w.f32(1), w.f32(-1)),
  };
  for (let group = 0; group < 8; group++) {
    w.u32(scalars[group] ? 1 : 0);
    scalars[group]?.();
  }
  for (let group = 0; group < 8; group++) {
    w.u32(group === 3 ? 1 : 0);
    if (group !== 3) continue;
    w.string("V");
    w.begin("Array<float>", 1);
    for (const word of [1, 0, 2, 2]) w.u32(word);
    w.f32(0.5);
    w.f32(1.5);
    w.end();
  }
  w.u32(1);
  w.string("T");
  w.string("./old");
  w.u32(0);
  w.end();
  const bytes = w.finish();
  const record = read(bytes);
  assert.deepEqual(record.fields.map((f) => [f.name, f.comment]), [["T", "a table"], ["N", ""], ["D", "pi"], [
    "V",
    "",
  ], [
    "Z",
    "",
  ]]);
  assert.deepEqual(fieldOf(record, "T"), { kind: "table", name: "./old" });
  assert.deepEqual(fieldOf(record, "N"), { kind: "scalar", dtype: "int32", value: -3 });
  assert.deepEqual(fieldOf(record, "Z"), { kind: "scalar", dtype: "complex64", value: [1, -1] });
  assert.deepEqual(fieldOf(record, "V"), {
    kind: "array",
    dtype: "float32",
    shape: [2],
    data: Float32Array.of(0.5, 1.5),
  });
  const random = randomNumbers(1);
  for (let i = 0; i < 300; i++) survives(() => read(damaged(bytes, random)), `damage ${i}`);
});

Deno.test("every array code of a record field is the one of its type", () => {
  for (const dtype of NUMERIC_TYPES.filter((d) => d !== "uint16")) {
    const data = dtype === "int64" ? new BigInt64Array(0) : new Uint8Array(0);
    const bytes = bytesOf(one("a", { kind: "array", dtype, shape: [0], data } as FieldValue));
    const r = new AipsReader(bytes, { file: FILE });
    r.begin("TableRecord");
    r.begin("RecordDesc");
    assert.equal(r.i32(), 1);
    assert.equal(r.string(), "a");
    assert.equal(r.i32(), numericInfo(dtype).arrayCode);
    assert.deepEqual(r.iposition(), [-1]);
  }
});
