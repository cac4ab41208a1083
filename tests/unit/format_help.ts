/** What the tests of the format floor share. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { TableError, type TableErrorCode } from "../../src/error.ts";
import { arrayClass, NUMERIC_TYPES, numericInfo } from "../../src/array/dtype.ts";
import type { FieldValue, RecordField, RecordFields } from "../../src/format/record.ts";

/** Runs something that must throw a TableError of a code, and gives the error. */
export function failsWith(code: TableErrorCode, run: () => unknown, text?: RegExp): TableError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof TableError, error instanceof Error ? error.stack : String(error));
    assert.equal(error.code, code, error.message);
    if (text !== undefined) assert.match(error.message, text);
    return error;
  }
  assert.fail(`expected a TableError of code ${code}`);
}

/** Says where two byte arrays differ first. */
export function assertSameBytes(found: Uint8Array, expected: Uint8Array, what: string): void {
  const n = Math.min(found.length, expected.length);
  let at = 0;
  while (at < n && found[at] === expected[at]) at++;
  if (at === n && found.length === expected.length) return;
  const around = (bytes: Uint8Array) => bytes.subarray(Math.max(0, at - 8), at + 24).toHex();
  assert.fail(
    `${what}: ${found.length} bytes, expected ${expected.length}; first difference at ${at}\n` +
      `  found    …${around(found)}…\n  expected …${around(expected)}…`,
  );
}

/** Numbers that look random but are the same each time (mulberry32). */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x = (x + Math.imul(x ^ (x >>> 7), x | 61)) ^ x;
    return Math.floor(((x ^ (x >>> 14)) >>> 0) / 2 ** 32 * below);
  };
}

/** Bytes with a few damages: flipped bits, overwritten words, a cut end. */
export function damaged(bytes: Uint8Array, random: (below: number) => number): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  for (let n = 1 + random(3); n > 0; n--) {
    const at = random(copy.length);
    if (random(3) > 0) copy[at]! ^= 1 << random(8);
    else if (at + 4 <= copy.length) {
      view.setUint32(at, [0, 1, 0x7fffffff, 0xffffffff, 1 << random(31)][random(5)]!);
    }
  }
  return random(4) === 0 ? copy.subarray(0, random(copy.length)) : copy;
}

/** Runs a reader over damaged bytes: anything but a clean result or a TableError fails. */
export function survives(run: () => unknown, what: string): "read" | "refused" {
  try {
    run();
    return "read";
  } catch (error) {
    if (error instanceof TableError) return "refused";
    throw new Error(`${what}: ${error instanceof Error ? error.stack : error}`);
  }
}

const FIELD_TYPES = NUMERIC_TYPES.filter((dtype) => dtype !== "uint16");

const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.constantFrom("", "\udce9t\udcff", "\ufeffx"),
);

function scalarOf(dtype: (typeof FIELD_TYPES)[number]): fc.Arbitrary<FieldValue> {
  const value: Record<string, fc.Arbitrary<unknown>> = {
    bool: fc.boolean(),
    uint8: fc.nat(255),
    int16: fc.integer({ min: -32768, max: 32767 }),
    int32: fc.integer(),
    uint32: fc.nat(0xffffffff),
    int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    float32: fc.float(),
    float64: fc.double(),
    complex64: fc.tuple(fc.float(), fc.float()),
    complex128: fc.tuple(fc.double(), fc.double()),
  };
  return value[dtype]!.map((v) => ({ kind: "scalar", dtype, value: v }) as FieldValue);
}

function arrayOf(dtype: (typeof FIELD_TYPES)[number]): fc.Arbitrary<FieldValue> {
  return fc.tuple(fc.array(fc.nat(4), { maxLength: 3 }), fc.nat()).map(([shape, seed]) => {
    const random = randomNumbers(seed);
    const { items } = numericInfo(dtype);
    const data = new (arrayClass(dtype))(shape.length === 0 ? 0 : shape.reduce((a, b) => a * b, items));
    const bytes = new Uint8Array(data.buffer);
    // No NaN: which one is read back is up to the machine.
    for (let i = 0; i < bytes.length; i++) bytes[i] = dtype === "bool" ? random(2) : random(100);
    return { kind: "array", dtype, shape, data } as FieldValue;
  });
}

/** Random records, three levels deep at most, with every kind of field. */
export const anyRecord: fc.Arbitrary<RecordFields> =
  fc.letrec<{ record: RecordFields; field: RecordField }>((tie) => ({
    record: fc.uniqueArray(tie("field"), { selector: (field) => field.name, maxLength: 6 })
      .map((fields): RecordFields => ({ fields, recordType: 1 })),
    field: fc.oneof({ maxDepth: 3 }, ...valueCases(), nested(tie("record"))),
  })).record;

function valueCases(): fc.Arbitrary<RecordField>[] {
  const named = (
    value: fc.Arbitrary<FieldValue>,
    more: fc.Arbitrary<Partial<RecordField>> = fc.constant({}),
  ) =>
    fc.tuple(text, text, value, more).map(([name, comment, v, extra]): RecordField => ({
      name,
      comment,
      value: v,
      ...(v.kind === "array" && extra.fixedShape !== undefined ? { fixedShape: v.shape } : {}),
      ...(extra.tableDescName === undefined ? {} : { tableDescName: extra.tableDescName }),
    }));
  const strings = fc.array(text, { maxLength: 4 }).map((data): FieldValue => ({
    kind: "array",
    dtype: "string",
    shape: [data.length],
    data,
  }));
  return [
    named(fc.constantFrom(...FIELD_TYPES).chain(scalarOf)),
    named(fc.constantFrom(...FIELD_TYPES).chain(arrayOf), fc.constantFrom({}, { fixedShape: [] })),
    named(text.map((value): FieldValue => ({ kind: "scalar", dtype: "string", value }))),
    named(strings),
    named(
      text.map((name): FieldValue => ({ kind: "table", name })),
      fc.constantFrom({}, { tableDescName: "desc" }),
    ),
  ];
}

function nested(record: fc.Arbitrary<RecordFields>): fc.Arbitrary<RecordField> {
  return fc.tuple(text, text, record, fc.boolean()).map(([name, comment, fields, fixed]): RecordField =>
    fixed && fields.fields.length > 0
      ? { name, comment, value: { kind: "record", fields: { ...fields, recordType: 0 } }, fixedRecord: true }
      : { name, comment, value: { kind: "record", fields } }
  );
}
