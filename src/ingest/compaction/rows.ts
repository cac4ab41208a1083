/**
 * Which rows of the inputs a merge keeps, and in which order. Rows are numbered through all inputs, in the order of the
 * segments.
 *
 * 1. Rows that are deleted go.
 * 2. Of rows with the same key the newest stays. In a segment that isn't sorted rows stand in the order of their sequence
 *    numbers, and one that is sorted has been merged before and has each key once: so the newest has the highest number.
 * 3. What is left is sorted, if the store says so.
 */
import { allocate } from "../../array/alloc.ts";
import { type DType, isNumeric, type NumericType } from "../../array/dtype.ts";
import { decodeText } from "../../format/strings.ts";
import type { Table } from "../../table/table.ts";
import type { Deletion, SegmentEntry } from "../manifest/format.ts";
import { type IngestSchema, SEQUENCE_COLUMN } from "../schema.ts";
import type { Step } from "../segments/seal.ts";
import { hashKeys, type KeyColumn } from "../segments/key-hash.ts";
import { concerns } from "./policy.ts";
import { compareBy, type SortColumn, sortRows } from "./sort.ts";

/** A segment that is merged. */
export interface MergeInput {
  readonly entry: SegmentEntry;
  readonly table: Table;
}

/** The rows that come out. */
export interface KeptRows {
  /** How many. */
  readonly count: number;
  /** Number of the first row of each input, and of all rows. */
  readonly starts: readonly number[];
  /** 1 for each row that stays; null: all do. */
  readonly kept: Uint8Array | null;
  /** Numbers of the rows that stay in their new order; null: as they are. */
  readonly order: Uint32Array | null;
}

/** Rows that are looked at in one go. */
const BLOCK_ROWS = 1 << 16;

/**
 * Decides.
 *
 * @param hash What two keys are first compared by; that of another function only takes longer
 * @throws TableError CORRUPT, IO
 */
export function* chooseRows(
  inputs: readonly MergeInput[],
  schema: IngestSchema,
  deletions: readonly Deletion[],
  hash: typeof hashKeys = hashKeys,
): Generator<Step, KeptRows> {
  const starts = [0];
  for (const { table } of inputs) starts.push(starts.at(-1)! + table.rowCount);
  const rows = starts.at(-1)!;
  let kept: Uint8Array | null = null;
  const drop = (row: number) => (kept ??= new Uint8Array(rows).fill(1))[row] = 0;
  for (const [i, input] of inputs.entries()) yield* dropDeleted(input, starts[i]!, schema, deletions, drop);
  if (schema.key.length > 0) yield* dropOlder(inputs, starts, schema, () => kept, drop, hash);
  const count = kept === null ? rows : countOf(kept);
  const order = schema.sort.length === 0 ? null : yield* sorted(inputs, starts, schema, kept, count);
  return { count, starts, kept, order };
}

function countOf(kept: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < kept.length; i++) count += kept[i]!;
  return count;
}

/** Values of scalar columns, some rows at a time. */
function* blocks(
  table: Table,
  columns: readonly string[],
): Generator<{ readonly start: number; readonly end: number; readonly values: readonly KeyColumn[] }> {
  for (let start = 0; start < table.rowCount; start += BLOCK_ROWS) {
    const end = Math.min(table.rowCount, start + BLOCK_ROWS);
    const values = columns.map((name) => table.getColumn(name, { rows: { start, end } }).data as KeyColumn);
    yield { start, end, values };
  }
}

function stepOf(values: readonly KeyColumn[]): Step {
  const read = values.reduce((sum, one) => sum + (ArrayBuffer.isView(one) ? one.byteLength : 0), 0);
  return { read, written: 0 };
}

function* dropDeleted(
  { entry, table }: MergeInput,
  first: number,
  schema: IngestSchema,
  deletions: readonly Deletion[],
  drop: (row: number) => void,
): Generator<Step, void> {
  for (const deletion of deletions) {
    if (!concerns(deletion, entry, schema.time)) continue;
    const { column, from, to, before } = deletion, partly = before < entry.endSequence;
    for (const { start, values } of blocks(table, partly ? [column, SEQUENCE_COLUMN] : [column])) {
      const [data, sequence] = values as [ArrayLike<number>, ArrayLike<bigint>?];
      for (let i = 0; i < data.length; i++) {
        // Also of an int64, which compares with a number by value.
        if (data[i]! >= from && data[i]! < to && !(sequence !== undefined && sequence[i]! >= before)) {
          drop(first + start + i);
        }
      }
      yield stepOf(values);
    }
  }
}

/** A table of hashes that are in it, each with a row: open addressing. */
class HashTable {
  readonly #low: Uint32Array;
  readonly #high: Uint32Array;
  /** Row + 1, or 0 for a place that is free. */
  readonly #rows: Uint32Array;
  readonly #mask: number;

  constructor(rows: number) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(16, rows * 1.5)));
    this.#low = new Uint32Array(size);
    this.#high = new Uint32Array(size);
    this.#rows = new Uint32Array(size);
    this.#mask = size - 1;
  }

  /** Puts a row in; the row that had the hash before, -1 if there was none. */
  put(low: number, high: number, row: number): number {
    let at = (low ^ high >>> 7) & this.#mask;
    for (; this.#rows[at] !== 0; at = at + 1 & this.#mask) {
      if (this.#low[at] !== low || this.#high[at] !== high) continue;
      const before = this.#rows[at]! - 1;
      this.#rows[at] = row + 1;
      return before;
    }
    this.#low[at] = low;
    this.#high[at] = high;
    this.#rows[at] = row + 1;
    return -1;
  }
}

/** Rows that share a hash: the older one, and the newer one. */
interface Pairs {
  readonly older: number[];
  readonly newer: number[];
}

function* dropOlder(
  inputs: readonly MergeInput[],
  starts: readonly number[],
  schema: IngestSchema,
  kept: () => Uint8Array | null,
  drop: (row: number) => void,
  hash: typeof hashKeys,
): Generator<Step, void> {
  const { key } = schema, dtypes = key.map((name) => schema.column(name).dtype);
  const hashes = new HashTable(starts.at(-1)!), pairs: Pairs = { older: [], newer: [] };
  for (const [i, { table }] of inputs.entries()) {
    for (const { start, end, values } of blocks(table, key)) {
      const { low, high } = hash(values, dtypes, end - start);
      for (let k = 0; k < low.length; k++) {
        const row = starts[i]! + start + k;
        if (kept()?.[row] === 0) continue;
        const before = hashes.put(low[k]!, high[k]!, row);
        if (before < 0) continue;
        pairs.older.push(before);
        pairs.newer.push(row);
      }
      yield stepOf(values);
    }
  }
  if (pairs.older.length === 0) return;
  const same = yield* haveSameKeys(inputs, starts, schema, pairs);
  if (same) { for (const row of pairs.older) drop(row); }
  else yield* dropOlderExactly(inputs, starts, schema, kept, drop);
}

/** False when two different keys have the same hash, which happens once in a very long time. */
function* haveSameKeys(
  inputs: readonly MergeInput[],
  starts: readonly number[],
  { key }: IngestSchema,
  { older, newer }: Pairs,
): Generator<Step, boolean> {
  for (const name of key) {
    for (let from = 0; from < older.length; from += BLOCK_ROWS) {
      const a = valuesOf(inputs, starts, name, older.slice(from, from + BLOCK_ROWS));
      const b = valuesOf(inputs, starts, name, newer.slice(from, from + BLOCK_ROWS));
      if (!a.every((value, i) => sameValue(value, b[i]))) return false;
      yield { read: 0, written: 0 };
    }
  }
  return true;
}

/** Tables of merges give texts as bytes. */
function plain(value: unknown): unknown {
  return value instanceof Uint8Array ? decodeText(value, "utf8") : value;
}

function sameValue(a: unknown, b: unknown): boolean {
  return a === b || (a !== a && b !== b);
}

/** Values of a scalar column in some rows of all inputs. */
function valuesOf(
  inputs: readonly MergeInput[],
  starts: readonly number[],
  column: string,
  rows: readonly number[],
): unknown[] {
  const values = new Array<unknown>(rows.length);
  for (const [i, { table }] of inputs.entries()) {
    const places: number[] = [];
    rows.forEach((row, at) => {
      if (row >= starts[i]! && row < starts[i + 1]!) places.push(at);
    });
    if (places.length === 0) continue;
    const { data } = table.getColumn(column, { rows: places.map((at) => rows[at]! - starts[i]!) });
    places.forEach((at, k) => values[at] = plain((data as ArrayLike<unknown>)[k]));
  }
  return values;
}

/** By the keys themselves. */
function* dropOlderExactly(
  inputs: readonly MergeInput[],
  starts: readonly number[],
  { key }: IngestSchema,
  kept: () => Uint8Array | null,
  drop: (row: number) => void,
): Generator<Step, void> {
  const newest = new Map<string, number>();
  for (const [i, { table }] of inputs.entries()) {
    for (const { start, end, values } of blocks(table, key)) {
      for (let k = 0; k < end - start; k++) {
        const row = starts[i]! + start + k;
        if (kept()?.[row] === 0) continue;
        const text = JSON.stringify(values.map((column) => String(column[k] === 0 ? 0 : plain(column[k]))));
        const before = newest.get(text);
        if (before !== undefined) drop(before);
        newest.set(text, row);
      }
      yield stepOf(values);
    }
  }
}

/** 2^53: whole numbers up to here are numbers. */
const EXACT = 2n ** 53n;

function* sorted(
  inputs: readonly MergeInput[],
  starts: readonly number[],
  schema: IngestSchema,
  kept: Uint8Array | null,
  count: number,
): Generator<Step, Uint32Array> {
  const columns: SortColumn[] = [];
  for (const name of schema.sort) {
    columns.push(yield* wholeColumn(inputs, starts, name, schema.column(name).dtype));
  }
  const order = new Uint32Array(count);
  for (let row = 0, at = 0; at < count; row++) if (kept === null || kept[row] === 1) order[at++] = row;
  const steps = sortRows(order, compareBy(columns));
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    yield { read: 0, written: 0 };
  }
}

/** A scalar column of all inputs, in memory. */
function* wholeColumn(
  inputs: readonly MergeInput[],
  starts: readonly number[],
  name: string,
  dtype: DType,
): Generator<Step, SortColumn> {
  const rows = starts.at(-1)!;
  if (!isNumeric(dtype)) {
    const texts: string[] = [];
    for (const { table } of inputs) {
      for (const { values } of blocks(table, [name])) {
        for (const text of values[0] as readonly Uint8Array[]) texts.push(decodeText(text, "utf8"));
        yield { read: 0, written: 0 };
      }
    }
    return texts;
  }
  const all = allocate(dtype as NumericType, rows) as Float64Array;
  for (const [i, { table }] of inputs.entries()) {
    for (const { start, values } of blocks(table, [name])) {
      all.set(values[0] as ArrayLike<number>, starts[i]! + start);
      yield stepOf(values);
    }
  }
  return dtype === "int64" ? asNumbers(all as unknown as BigInt64Array) : all;
}

/** Comparing numbers is much faster than comparing bigints. */
function asNumbers(values: BigInt64Array): Float64Array | BigInt64Array {
  const numbers = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value > EXACT || value < -EXACT) return values;
    numbers[i] = Number(value);
  }
  return numbers;
}
