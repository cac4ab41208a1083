/**
 * Rows for stores that are tested hard: every value follows from the row's number, so that whoever reads a row knows what
 * it must be. `peer/programs/ingest_check.py` computes the same for casacore.
 */
import assert from "node:assert/strict";
import { array, type ColumnSpec, scalar, type Table } from "../mod.ts";
import type { IngestBatch, IngestRows } from "../src/ingest/mod.ts";

/** Different keys. */
export const KEYS = 50;

/** Columns of the store. */
export const COLUMNS: readonly ColumnSpec[] = [
  scalar("TIME", "float64", { unit: "s" }),
  scalar("KEY", "int32"),
  scalar("CHECK", "int64"),
  scalar("NAME", "string"),
  array("DATA", "complex64", { shape: [2, 4] }),
  array("FLAG", "bool", { shape: [2, 4] }),
  array("FREE", "int32", { ndim: 1 }),
];

const checkOf = (n: number) => BigInt(n) * 2654435761n + 12345n;

/** Rows `from` to `from + count`. */
export function rowsFrom(from: number, count: number): IngestRows {
  const numbers = Float64Array.from({ length: count }, (_, i) => from + i);
  const data = new Float32Array(count * 16), flags = new Uint8Array(count * 8);
  for (let i = 0; i < data.length; i++) data[i] = (from + (i >> 4)) % 4096 + (i & 15) / 16;
  for (let i = 0; i < flags.length; i++) flags[i] = (from + (i >> 3) + (i & 7)) % 3 === 0 ? 1 : 0;
  return {
    TIME: numbers.map((n) => n / 8),
    KEY: Int32Array.from(numbers, (n) => (n * 7) % KEYS),
    CHECK: BigInt64Array.from(numbers, checkOf),
    NAME: Array.from(numbers, (n) => n % 5 === 0 ? "" : `row ${n}`),
    DATA: data,
    FLAG: flags,
    FREE: Array.from(numbers, (n) =>
      n % 4 === 0 ? null : {
        dtype: "int32" as const,
        shape: [n % 4],
        data: new Int32Array(n % 4).fill(n % 1000),
      }),
  };
}

/** Values of some rows, of which the sequence numbers are known. */
function checkValues(sequences: ArrayLike<number>, of: (column: string) => unknown, what: string) {
  // Rows behind each other are made at once.
  for (let at = 0; at < sequences.length;) {
    let end = at + 1;
    while (end < sequences.length && sequences[end] === sequences[end - 1]! + 1) end++;
    const expected = rowsFrom(sequences[at]!, end - at) as Record<string, ArrayLike<unknown>>;
    for (const [column, values] of Object.entries(expected)) {
      const found = of(column) as ArrayLike<unknown>, each = values.length / (end - at);
      const part = Array.prototype.slice.call(found, at * each, end * each);
      if (column === "FREE") assert.deepEqual(part, values, `${what}: FREE from row ${sequences[at]}`);
      else if (part.some((value, i) => value !== values[i])) {
        assert.fail(`${what}: column ${column} of the rows from ${sequences[at]} has other values`);
      }
    }
    at = end;
  }
}

/** Sequence numbers of a table's rows, after every value of every row was checked. */
export function checkedTable(table: Table, what: string): number[] {
  const all: number[] = [];
  for (let start = 0; start < table.rowCount; start += 10_000) {
    const rows = { start, end: Math.min(table.rowCount, start + 10_000) };
    const sequences = Array.from(table.getColumn("INGEST_SEQUENCE", { rows }).data as BigInt64Array, Number);
    checkValues(
      sequences,
      (name) => name === "FREE" ? table.getCells(name, { rows }) : table.getColumn(name, { rows }).data,
      what,
    );
    for (const sequence of sequences) all.push(sequence);
  }
  return all;
}

/** Checks every value of a batch that has all columns. */
export function checkBatch({ sequences, columns }: IngestBatch, what: string) {
  checkValues(sequences, (name) => {
    const values = columns[name]!;
    return "data" in values ? values.data : values;
  }, what);
}

/** The rows that a store must have: the first `count`, or of those with the same key at least the newest. */
export function assertWhole(sequences: readonly number[], count: number, keyed: boolean, what: string) {
  const found = new Set(sequences);
  assert.equal(found.size, sequences.length, `${what}: a row is there twice`);
  assert.ok(sequences.every((sequence) => sequence < count), `${what}: a row that was never appended`);
  for (let n = keyed ? Math.max(0, count - KEYS) : 0; n < count; n++) {
    assert.ok(found.has(n), `${what}: row ${n} of ${count} is missing`);
  }
}
