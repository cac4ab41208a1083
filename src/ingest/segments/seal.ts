/**
 * Making a segment of a log: its batches, in their order, as a table with the store's storage managers.
 *
 * Several batches are put at once: rows that came one by one would otherwise cost a call a row and column.
 */
import { allocate } from "../../array/alloc.ts";
import { type NumericType, viewOf } from "../../array/dtype.ts";
import { TableError } from "../../error.ts";
import type { IoName } from "../../io/backend.ts";
import type { JsonValue } from "../../format/json.ts";
import type { Cell } from "../../table/read.ts";
import type { ColumnValues } from "../../table/values.ts";
import type { SealedLog } from "../append/appender.ts";
import type { BatchPlace, GrowingBlock } from "../log/block.ts";
import { decodeCells, decodeStrings } from "../log/columns.ts";
import { logHeaderOf, LogReader } from "../log/reader.ts";
import { logFile } from "../log/scan.ts";
import { type IngestColumn, IngestSchema, SEQUENCE_COLUMN } from "../schema.ts";
import { type BuiltSegment, SegmentBuilder, storeBackend, type StoreFiles } from "./build.ts";
import type { KeyColumn } from "./key-hash.ts";
import { LOGS } from "./places.ts";
import { putCells, writeOrder } from "./put.ts";

/** Bytes of batches that are put at once. */
const CHUNK_BYTES = 8 * 1024 * 1024;
/** Memory comes in multiples of this. */
const UNIT_BYTES = 1024 * 1024;

/** A log that is to become a segment; plain data, so that it can go to another thread. */
export interface SealJob extends StoreFiles {
  readonly kind: "seal";
  /** The store's id. */
  readonly store: string;
  readonly schema: JsonValue;
  readonly log: SealedLog;
  /** Id of the segment. */
  readonly segment: number;
  readonly io: IoName | "auto";
  /** Bytes a second, read and written. */
  readonly bytesPerSecond: number;
}

/** Work that was done since the last step, in bytes. */
export interface Step {
  readonly read: number;
  readonly written: number;
}

/** A batch, in memory. */
interface LoadedBatch {
  readonly block: Uint8Array<ArrayBuffer>;
  readonly place: BatchPlace;
}

/**
 * Makes the segment, some rows a step. Who doesn't go on to the end returns: then nothing is left of it.
 *
 * @throws TableError CORRUPT when the log doesn't hold the rows that it is said to; IO
 */
export function* sealSteps(job: SealJob): Generator<Step, BuiltSegment> {
  const schema = IngestSchema.fromJSON(job.schema, job.directory);
  const { log } = job, end = log.firstSequence + log.rows;
  const file = logFile(`${job.directory}/${LOGS}`, log.id, storeBackend(job));
  try {
    const identity = { id: log.id, storeId: job.store, schema }, header = logHeaderOf(file, identity);
    if (typeof header === "string") throw new TableError("CORRUPT", header, { file: log.path, offset: 0 });
    const reader = new LogReader(identity, file, header);
    reader.extend(end);
    reader.rest();
    if (header.firstSequence !== log.firstSequence || reader.endSequence !== end) {
      throw new TableError(
        "CORRUPT",
        `the log has rows ${header.firstSequence} to ${reader.endSequence}, expected ${log.firstSequence} to ${end}`,
        { file: log.path, offset: reader.end.offset },
      );
    }
    using builder = new SegmentBuilder(job, { id: job.segment, rows: log.rows, schema, io: job.io });
    yield* fill(builder, schema, log, reader.index().blocks);
    return builder.finish();
  } finally {
    file.forget();
  }
}

function* fill(
  builder: SegmentBuilder,
  schema: IngestSchema,
  log: SealedLog,
  blocks: readonly GrowingBlock[],
): Generator<Step, void> {
  const putter = new BatchPutter(builder, schema);
  const end = log.firstSequence + log.rows;
  const memories = new Memories();
  let batches: LoadedBatch[] = [], bytes = 0, next = log.firstSequence, put = next;
  const flush = (): Step => {
    const before = builder.written;
    putter.put(batches, put - log.firstSequence, next - put, put);
    const step = { read: bytes, written: builder.written - before };
    put = next;
    batches = [];
    bytes = 0;
    return step;
  };
  for (const block of blocks) {
    const memory = memories.take(block.bytes);
    block.read(0, memory);
    for (const place of block.batches()) {
      if (next === end) break;
      if (place.firstSequence !== next || next + place.rows > end) {
        throw new TableError(
          "CORRUPT",
          `a batch of ${place.rows} rows begins with row ${place.firstSequence}, expected ${next} and at most ${
            end - next
          } rows`,
          { file: log.path },
        );
      }
      batches.push({ block: memory, place });
      bytes += place.bytes;
      next += place.rows;
      if (bytes >= CHUNK_BYTES) {
        yield flush();
        // The rest of this block's batches come with the next chunk.
        memories.giveAllBut(memory);
      }
    }
  }
  if (batches.length > 0) yield flush();
  if (put !== end) {
    throw new TableError("CORRUPT", `the log ends with row ${put}, expected ${end}`, { file: log.path });
  }
}

/** Memory for blocks, used again: touching fresh memory takes longer than copying. */
class Memories {
  #used: Uint8Array<ArrayBuffer>[] = [];
  readonly #free: Uint8Array<ArrayBuffer>[] = [];

  /** So many bytes. */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    const index = this.#free.findIndex(({ length }) => length >= bytes);
    const whole = index < 0
      ? allocate("uint8", Math.ceil(bytes / UNIT_BYTES) * UNIT_BYTES) as Uint8Array<ArrayBuffer>
      : this.#free.splice(index, 1)[0]!;
    this.#used.push(whole);
    return whole.subarray(0, bytes);
  }

  /** What was taken is free again, but for one piece. */
  giveAllBut(kept: Uint8Array): void {
    const isKept = (whole: Uint8Array) => whole.buffer === kept.buffer;
    this.#free.push(...this.#used.filter((whole) => !isKept(whole)));
    this.#used = this.#used.filter(isKept);
  }
}

/** Puts batches into a segment; keeps the memory for their values. */
class BatchPutter {
  readonly #builder: SegmentBuilder;
  readonly #columns: readonly IngestColumn[];
  readonly #schema: IngestSchema;
  readonly #noted: ReadonlySet<string>;
  readonly #buffers = new Map<string, Uint8Array<ArrayBuffer>>();

  constructor(builder: SegmentBuilder, schema: IngestSchema) {
    this.#builder = builder;
    this.#schema = schema;
    this.#columns = writeOrder(schema.columns, schema.storage);
    this.#noted = new Set(builder.noted);
  }

  /** Puts the `rows` rows of some batches from row `start` of the segment on. */
  put(batches: readonly LoadedBatch[], start: number, rows: number, firstSequence: number): void {
    const builder = this.#builder, end = start + rows, noted = new Map<string, KeyColumn>();
    const sequence = new BigInt64Array(rows);
    for (let i = 0; i < rows; i++) sequence[i] = BigInt(firstSequence + i);
    builder.put(SEQUENCE_COLUMN, sequence, start, end);
    for (const column of this.#columns) {
      const index = this.#schema.indexOf(column.name);
      if (column.encoding === "cells") {
        putCells(builder.table, column, cellsOf(column, index, batches), start);
        continue;
      }
      const values = column.encoding === "strings"
        ? textsOf(column, index, batches)
        : this.#numbers(column, index, batches, rows);
      builder.put(column.name, values as ColumnValues, start, end);
      if (this.#noted.has(column.name)) noted.set(column.name, values as KeyColumn);
    }
    builder.note(noted, rows);
  }

  /** Values of all batches behind each other; of a single one where they lie. */
  #numbers(
    { name, dtype, cellBytes, elements }: IngestColumn,
    index: number,
    batches: readonly LoadedBatch[],
    rows: number,
  ): ArrayBufferView {
    const numeric = dtype as NumericType, length = rows * elements;
    if (batches.length === 1) {
      const { block, place } = batches[0]!;
      return viewOf(numeric, block.buffer, block.byteOffset + place.columns[index]!.offset, length);
    }
    let buffer = this.#buffers.get(name);
    if (buffer === undefined || buffer.length < rows * cellBytes) {
      // Chunks have about as many rows: a little more than this one's will do for the next.
      buffer = allocate("uint8", Math.ceil(rows * cellBytes * 1.25)) as Uint8Array<ArrayBuffer>;
      this.#buffers.set(name, buffer);
    }
    let at = 0;
    for (const { block, place } of batches) {
      const { offset } = place.columns[index]!, bytes = place.rows * cellBytes;
      buffer.set(block.subarray(offset, offset + bytes), at);
      at += bytes;
    }
    return viewOf(numeric, buffer.buffer, buffer.byteOffset, length);
  }
}

function bytesOfColumn({ block, place }: LoadedBatch, index: number): Uint8Array<ArrayBuffer> {
  const { offset, bytes } = place.columns[index]!;
  return block.subarray(offset, offset + bytes);
}

function textsOf(column: IngestColumn, index: number, batches: readonly LoadedBatch[]): Uint8Array[] {
  return batches.flatMap((batch) =>
    decodeStrings(column, bytesOfColumn(batch, index), batch.place.rows, "bytes")
  );
}

function cellsOf(column: IngestColumn, index: number, batches: readonly LoadedBatch[]): Cell[] {
  return batches.flatMap((batch) =>
    decodeCells(column, bytesOfColumn(batch, index), batch.place.rows, "bytes")
  );
}
