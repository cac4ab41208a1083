/**
 * Merging segments into one: the rows that stay, in their new order, with the managers that merged segments are to have.
 *
 * Values go through memory, some rows of every column at a time: as many as fit a bound, and whole tiles of the new
 * segment. Of segments that are only put behind each other values are read to where they are written from.
 */
import { allocate } from "../../array/alloc.ts";
import { bytesOf, isNumeric, numericInfo, type NumericType, viewOf } from "../../array/dtype.ts";
import type { JsonValue } from "../../format/json.ts";
import type { IoName } from "../../io/backend.ts";
import type { StorageSpec } from "../../storage/manager.ts";
import { contextOf } from "../../table/open.ts";
import type { Cell } from "../../table/read.ts";
import { Table } from "../../table/table.ts";
import type { ColumnValues } from "../../table/values.ts";
import type { Deletion, SegmentEntry } from "../manifest/format.ts";
import { type IngestColumn, IngestSchema, SEQUENCE_SPEC } from "../schema.ts";
import { type BuiltSegment, SegmentBuilder, type StoreFiles } from "../segments/build.ts";
import type { KeyColumn } from "../segments/key-hash.ts";
import { segmentPath } from "../segments/places.ts";
import { putCells, writeOrder } from "../segments/put.ts";
import type { Step } from "../segments/seal.ts";
import { chooseRows, type KeptRows, type MergeInput } from "./rows.ts";

/** A merge; plain data, so that it can go to another thread. */
export interface MergeJob extends StoreFiles {
  readonly kind: "merge";
  readonly schema: JsonValue;
  /** Segments beside each other, in their order. */
  readonly inputs: readonly SegmentEntry[];
  readonly deletions: readonly Deletion[];
  /** Id of the new segment. */
  readonly segment: number;
  readonly storage: readonly StorageSpec[] | undefined;
  /** Backends: of the new segment, and of those that are read. */
  readonly io: IoName | "auto";
  readonly readIo: IoName | "auto";
  /** Memory for values, in bytes. */
  readonly batchBytes: number;
  /** Bytes a second, read and written. */
  readonly bytesPerSecond: number;
}

/** What came of a merge. */
export interface Merged {
  /** Null when no row is left. */
  readonly built: BuiltSegment | null;
  readonly sorted: boolean;
  readonly rowsIn: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** Merges, a batch a step. Who doesn't go on to the end returns: then nothing is left of it. @throws TableError */
export function* mergeSteps(job: MergeJob): Generator<Step, Merged> {
  const schema = IngestSchema.fromJSON(job.schema, job.directory);
  const inputs: MergeInput[] = [];
  try {
    for (const entry of job.inputs) {
      const table = Table.open(segmentPath(job.directory, entry.name), {
        io: job.readIo,
        lock: "none",
        strings: "bytes",
        ...contextOf(job),
      });
      inputs.push({ entry, table });
    }
    let bytesRead = 0, bytesWritten = 0;
    const count = (step: Step): Step => {
      bytesRead += step.read;
      bytesWritten += step.written;
      return step;
    };
    const rows = yield* counted(chooseRows(inputs, schema, job.deletions), count);
    const rowsIn = rows.starts.at(-1)!, sorted = schema.sort.length > 0;
    if (rows.count === 0) return { built: null, sorted, rowsIn, bytesRead, bytesWritten };
    using builder = new SegmentBuilder(job, {
      id: job.segment,
      rows: rows.count,
      schema,
      storage: job.storage,
      io: job.io,
    });
    yield* counted(new Mover(job, schema, inputs, rows, builder).steps(), count);
    const built = builder.finish();
    return { built, sorted, rowsIn, bytesRead, bytesWritten: Math.max(bytesWritten, builder.written) };
  } finally {
    for (const { table } of inputs) table.close();
  }
}

function* counted<T>(steps: Generator<Step, T>, count: (step: Step) => Step): Generator<Step, T> {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value as T;
    yield count(value as Step);
  }
}

/** Rows of one input in a batch, and where they stand in it. */
interface Share {
  readonly table: Table;
  /** Rows of the input: a range, or a list in ascending order. */
  readonly rows: { readonly start: number; readonly end: number } | Uint32Array;
  readonly count: number;
  /** Where the first one stands in the batch, if the others follow it; else where each of them stands. */
  readonly at: number | Uint32Array;
}

/** Moves values, a batch of rows at a time. */
class Mover {
  readonly #job: MergeJob;
  readonly #inputs: readonly MergeInput[];
  readonly #rows: KeptRows;
  readonly #builder: SegmentBuilder;
  readonly #columns: readonly (Pick<IngestColumn, "name" | "kind" | "dtype" | "encoding" | "elements">)[];
  readonly #noted: ReadonlySet<string>;
  readonly #buffers = new Map<string, Uint8Array<ArrayBuffer>>();
  #read = 0;

  constructor(
    job: MergeJob,
    schema: IngestSchema,
    inputs: readonly MergeInput[],
    rows: KeptRows,
    builder: SegmentBuilder,
  ) {
    this.#job = job;
    this.#inputs = inputs;
    this.#rows = rows;
    this.#builder = builder;
    this.#noted = new Set(builder.noted);
    const sequence = { ...SEQUENCE_SPEC, dtype: "int64" as const, encoding: "fixed" as const, elements: 1 };
    this.#columns = writeOrder([...schema.columns, sequence], job.storage ?? schema.storage);
  }

  *steps(): Generator<Step, void> {
    const { count } = this.#rows, each = this.#batchRows(), shares = this.#shares();
    for (let start = 0; start < count; start += each) {
      const end = Math.min(count, start + each), before = this.#builder.written;
      const noted = new Map<string, KeyColumn>(), of = shares(start, end);
      let written = before;
      for (const column of this.#columns) {
        this.#read = 0;
        this.#move(column, of, start, end, noted);
        const now = this.#builder.written;
        yield { read: this.#read, written: now - written };
        written = now;
      }
      this.#builder.note(noted, end - start);
    }
  }

  /** Rows of a batch: as many as fit the bound, whole tiles if they do. */
  #batchRows(): number {
    const bytes = this.#inputs.reduce((sum, { entry }) => sum + entry.bytes, 0);
    const known = this.#columns.reduce(
      (sum, { dtype, elements, encoding }) =>
        sum + (encoding === "fixed" && isNumeric(dtype) ? elements * numericInfo(dtype).size : 0),
      0,
    );
    const each = Math.max(1, known, bytes / this.#rows.starts.at(-1)!);
    const fit = Math.max(1, Math.floor(this.#job.batchBytes / each));
    const tiles = this.#columns.map(({ name }) => this.#builder.table.column(name).tileShape?.at(-1) ?? 1);
    const tile = Math.max(...tiles);
    return fit > tile ? fit - fit % tile : fit;
  }

  /** What finds the rows of each input for a batch. */
  #shares(): (start: number, end: number) => Share[] {
    const { order, kept } = this.#rows;
    if (order !== null) return (start, end) => this.#sortedShares(order, start, end);
    if (kept !== null) return this.#keptShares(kept);
    return (start, end) => this.#wholeShares(start, end);
  }

  /** All rows, in their order. */
  #wholeShares(start: number, end: number): Share[] {
    const { starts } = this.#rows;
    return this.#inputs.flatMap(({ table }, i) => {
      const from = Math.max(start, starts[i]!), to = Math.min(end, starts[i + 1]!);
      if (from >= to) return [];
      return [{
        table,
        rows: { start: from - starts[i]!, end: to - starts[i]! },
        count: to - from,
        at: from - start,
      }];
    });
  }

  /** The rows that stay, in their order; asked for one batch after the other. */
  #keptShares(kept: Uint8Array): (start: number, end: number) => Share[] {
    const { starts } = this.#rows;
    let row = 0;
    return (start, end) => {
      const shares: Share[] = [];
      let at = 0;
      for (let i = 0; i < this.#inputs.length && at < end - start; i++) {
        if (starts[i + 1]! <= row) continue;
        const list: number[] = [];
        for (; row < starts[i + 1]! && at + list.length < end - start; row++) {
          if (kept[row] === 1) list.push(row - starts[i]!);
        }
        if (list.length === 0) continue;
        shares.push({
          table: this.#inputs[i]!.table,
          rows: asRange(Uint32Array.from(list)),
          count: list.length,
          at,
        });
        at += list.length;
      }
      return shares;
    };
  }

  /** Rows in another order. */
  #sortedShares(order: Uint32Array, start: number, end: number): Share[] {
    const { starts } = this.#rows;
    // Ascending rows read best; each knows its place in the batch.
    const places = Uint32Array.from({ length: end - start }, (_, i) => i)
      .sort((a, b) => order[start + a]! - order[start + b]!);
    const shares: Share[] = [];
    let at = 0;
    for (const [i, { table }] of this.#inputs.entries()) {
      const first = at;
      while (at < places.length && order[start + places[at]!]! < starts[i + 1]!) at++;
      if (at === first) continue;
      const own = places.subarray(first, at);
      const rows = own.map((place) => order[start + place]! - starts[i]!);
      shares.push({ table, rows: asRange(rows), count: own.length, at: asPlace(own) });
    }
    return shares;
  }

  #move(
    column: Pick<IngestColumn, "name" | "kind" | "dtype" | "encoding" | "elements">,
    shares: readonly Share[],
    start: number,
    end: number,
    noted: Map<string, KeyColumn>,
  ): void {
    const { name, dtype, encoding, elements } = column, builder = this.#builder, count = end - start;
    if (encoding === "cells") {
      const cells = new Array<Cell>(count).fill(null);
      for (const share of shares) spread(share, share.table.getCells(name, { rows: share.rows }), cells, 1);
      return putCells(builder.table, column, cells, start);
    }
    let values: unknown;
    if (encoding === "strings") {
      const texts = new Array<unknown>(count * elements);
      for (const share of shares) {
        spread(
          share,
          share.table.getColumn(name, { rows: share.rows }).data as ArrayLike<unknown>,
          texts,
          elements,
        );
      }
      values = texts;
    } else values = this.#numbers(name, dtype as NumericType, elements, shares, count);
    builder.put(name, values as ColumnValues, start, end);
    if (this.#noted.has(name)) noted.set(name, values as KeyColumn);
  }

  #numbers(
    name: string,
    dtype: NumericType,
    elements: number,
    shares: readonly Share[],
    count: number,
  ): ArrayBufferView {
    const size = elements * numericInfo(dtype).size, all = this.#memory(name, dtype, count * elements);
    const bytes = bytesOf(all), perElement = all.length / (count * elements);
    for (const { table, rows, count, at } of shares) {
      this.#read += count * size;
      if (typeof at === "number") {
        const into = all.subarray(at * elements * perElement, (at + count) * elements * perElement);
        table.getColumn(name, { rows, into: into as never });
        continue;
      }
      const found = this.#memory(` ${name}`, dtype, count * elements);
      table.getColumn(name, { rows, into: found as never });
      scatter(bytesOf(found), bytes, at, size);
    }
    return all;
  }

  /** Memory for so many values, which every batch uses again. */
  #memory(key: string, dtype: NumericType, elements: number): Float64Array {
    const bytes = elements * numericInfo(dtype).size;
    let buffer = this.#buffers.get(key);
    if (buffer === undefined || buffer.length < bytes) {
      buffer = allocate("uint8", bytes, 4096) as Uint8Array<ArrayBuffer>;
      this.#buffers.set(key, buffer);
    }
    return viewOf(dtype, buffer.buffer, buffer.byteOffset, elements) as Float64Array;
  }
}

/** A list of rows as a range, if it is one. */
function asRange(rows: Uint32Array): { start: number; end: number } | Uint32Array {
  const start = rows[0]!, end = start + rows.length;
  return rows.at(-1) === end - 1 ? { start, end } : rows;
}

/** Places that follow each other as the first of them. */
function asPlace(places: Uint32Array): number | Uint32Array {
  for (let i = 1; i < places.length; i++) if (places[i] !== places[0]! + i) return places;
  return places[0]!;
}

/** Puts values of rows where they stand in the batch. */
function spread(share: Share, from: ArrayLike<unknown>, to: unknown[], each: number): void {
  for (let i = 0; i < share.count; i++) {
    const place = typeof share.at === "number" ? share.at + i : share.at[i]!;
    for (let k = 0; k < each; k++) to[place * each + k] = from[i * each + k];
  }
}

/** Puts cells of `size` bytes where they stand in the batch. */
function scatter(from: Uint8Array, to: Uint8Array, places: Uint32Array, size: number): void {
  if (size === 8) return scatterWords(from, to, places);
  if (size === 4 || size === 2) {
    const View = size === 4 ? Uint32Array : Uint16Array;
    const a = new View(from.buffer as ArrayBuffer, from.byteOffset, places.length);
    const b = new View(to.buffer as ArrayBuffer, to.byteOffset, to.length / size);
    for (let i = 0; i < places.length; i++) b[places[i]!] = a[i]!;
    return;
  }
  if (size === 1) {
    for (let i = 0; i < places.length; i++) to[places[i]!] = from[i]!;
    return;
  }
  // Rows that follow each other there, too, go together: sorted segments have many such.
  for (let i = 0; i < places.length;) {
    let end = i + 1;
    while (end < places.length && places[end] === places[end - 1]! + 1) end++;
    to.set(from.subarray(i * size, end * size), places[i]! * size);
    i = end;
  }
}

/** As pairs of words: numbers would change the bits of a NaN. */
function scatterWords(from: Uint8Array, to: Uint8Array, places: Uint32Array): void {
  const a = new Uint32Array(from.buffer, from.byteOffset, places.length * 2);
  const b = new Uint32Array(to.buffer, to.byteOffset, to.length / 4);
  for (let i = 0; i < places.length; i++) {
    const place = places[i]! * 2;
    b[place] = a[2 * i]!;
    b[place + 1] = a[2 * i + 1]!;
  }
}
