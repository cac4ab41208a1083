/**
 * Rows of logs and buffers as a table: values are read from where `log/columns.ts` says that they lie in their batch.
 */
import { numericInfo, type NumericType } from "../../array/dtype.ts";
import type { NDArray } from "../../array/ndarray.ts";
import { type Box, elementsOf, type Rows } from "../../array/rows.ts";
import { boxRuns } from "../../array/box-runs.ts";
import { TableError } from "../../error.ts";
import type { CellTarget, ShapeRun } from "../../storage/manager.ts";
import type { Cell } from "../../table/read.ts";
import type { RowSource, RowSourceColumn } from "../../table/row-source.ts";
import { Table } from "../../table/table.ts";
import type { BatchPlace, GrowingBlock } from "../log/block.ts";
import { decodeCells, decodeStrings } from "../log/columns.ts";
import type { BlockIndex } from "../log/index.ts";
import { type IngestColumn, type IngestSchema, SEQUENCE_SPEC } from "../schema.ts";

/** Longer stretches of a column are read by themselves; for shorter ones a window of so many bytes is, for their neighbours. */
const OWN_READ_BYTES = 64 * 1024;
/** Windows that are kept: who reads row by row needs one a column. */
const WINDOWS = 32;
/** Batches of blocks that were walked are remembered, up to so many: who reads at random comes back to a block. */
const MOST_BATCHES = 10_000;

/** A stretch of rows of one batch: `row` is counted within it. */
interface Piece {
  readonly block: GrowingBlock;
  readonly batch: BatchPlace;
  readonly row: number;
  readonly count: number;
  /** Where its first row stands in the selection. */
  readonly index: number;
}

/** A stretch of a block, in memory. */
interface Window {
  readonly block: GrowingBlock;
  /** Where it begins: bytes from the block's start. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** Rows `first` to `first + rows` of what the logs hold, which are kept open. */
class GrowingSource implements RowSource {
  readonly path: string;
  readonly rowCount: number;
  readonly columns: RowSource["columns"];
  readonly #schema: IngestSchema;
  readonly #logs: readonly BlockIndex[];
  readonly #first: number;
  readonly #batches = new Map<GrowingBlock, readonly BatchPlace[]>();
  #batchCount = 0;
  /** Stretches of blocks that were read, the last used one at the end. */
  readonly #windows: Window[] = [];
  /** What was last decoded, by batch and column. */
  #decoded:
    | { readonly batch: BatchPlace; readonly column: number; readonly cells: readonly unknown[] }
    | null = null;

  constructor(schema: IngestSchema, path: string, logs: readonly BlockIndex[], first: number, rows: number) {
    this.path = path;
    this.rowCount = rows;
    this.columns = [...schema.columns.map(({ spec }) => spec), SEQUENCE_SPEC];
    this.#schema = schema;
    this.#logs = logs.filter(({ firstSequence, endSequence }) =>
      endSequence > first && firstSequence < first + rows
    );
    this.#first = first;
    for (const log of this.#logs) log.hold();
  }

  close(): void {
    for (const log of this.#logs) log.release();
    this.#decoded = null;
    this.#windows.length = 0;
    this.#batches.clear();
  }

  column(index: number): RowSourceColumn {
    const column = this.#schema.columns[index];
    if (column === undefined) {
      return {
        shapes: (rows) => [{ count: rows.length, shape: [] }],
        read: (rows, _shape, _box, target, at) => this.#sequences(rows, target, at),
      };
    }
    switch (column.encoding) {
      case "fixed":
        return {
          shapes: (rows) => [{ count: rows.length, shape: column.shape! }],
          read: (rows, shape, box, target, at) => this.#fixed(index, column, rows, shape, box, target, at),
        };
      case "strings":
        return {
          shapes: (rows) => [{ count: rows.length, shape: column.shape! }],
          read: (rows, shape, box, target, at) => this.#strings(index, column, rows, shape, box, target, at),
        };
      case "cells":
        return {
          shapes: (rows) => this.#shapes(index, column, rows),
          read: (rows, shape, box, target, at) => this.#cells(index, column, rows, shape, box, target, at),
        };
    }
  }

  /** Stretches of rows that lie in one batch, in the order of the selection. */
  *#pieces(rows: Rows): Generator<Piece> {
    let log = 0;
    for (const run of rows.runs()) {
      for (let done = 0; done < run.count;) {
        const sequence = this.#first + run.row + done;
        if (this.#logs[log]!.find(sequence) < 0) {
          log = this.#logs.findIndex((each) => each.find(sequence) >= 0);
        }
        const index = this.#logs[log]!, block = index.at(index.find(sequence));
        const batches = this.#batchesOf(block);
        const batch = batches[findBatch(batches, sequence)]!;
        const row = sequence - batch.firstSequence;
        const count = Math.min(run.count - done, batch.rows - row);
        yield { block, batch, row, count, index: run.index + done };
        done += count;
      }
    }
  }

  /** Batches are found by walking a block, which is done once for neighbouring rows. */
  #batchesOf(block: GrowingBlock): readonly BatchPlace[] {
    const known = this.#batches.get(block);
    if (known !== undefined) return known;
    const list = block.batches();
    this.#batchCount += list.length;
    if (this.#batchCount > MOST_BATCHES) {
      this.#batches.clear();
      this.#batchCount = list.length;
    }
    this.#batches.set(block, list);
    return list;
  }

  #sequences(rows: Rows, target: CellTarget, at: number): void {
    if (target.kind !== "numeric") throw new TypeError("numbers go to numbers");
    const { buffer, byteOffset } = target.bytes;
    const out = new BigInt64Array(buffer, byteOffset + at * 8, rows.length);
    for (const { row, count, index } of rows.runs()) {
      for (let i = 0; i < count; i++) out[index + i] = BigInt(this.#first + row + i);
    }
  }

  #fixed(
    index: number,
    { dtype, cellBytes }: IngestColumn,
    rows: Rows,
    shape: readonly number[],
    box: Box | null,
    target: CellTarget,
    at: number,
  ): void {
    if (target.kind !== "numeric") throw new TypeError("numbers go to numbers");
    const { size } = numericInfo(dtype as NumericType);
    const each = (box === null ? elementsOf(shape) : elementsOf(box.shape)) * size;
    for (const { block, batch, row, count, index: place } of this.#pieces(rows)) {
      const from = batch.columns[index]!.offset + row * cellBytes, to = at * size + place * each;
      if (box === null) {
        this.#copy(block, from, target.bytes.subarray(to, to + count * each));
        continue;
      }
      const cells = this.#bytes(block, from, count * cellBytes);
      for (let i = 0; i < count; i++) {
        boxRuns(shape, box, (inCell, inBox, length) => {
          const start = i * cellBytes + inCell * size;
          target.bytes.set(cells.subarray(start, start + length * size), to + i * each + inBox * size);
        });
      }
    }
  }

  #strings(
    index: number,
    column: IngestColumn,
    rows: Rows,
    shape: readonly number[],
    box: Box | null,
    target: CellTarget,
    at: number,
  ): void {
    if (target.kind !== "strings") throw new TypeError("texts go to texts");
    const { elements } = column, each = box === null ? elements : elementsOf(box.shape);
    for (const { block, batch, row, count, index: place } of this.#pieces(rows)) {
      const texts = this.#decode(
        block,
        batch,
        index,
        (bytes) => decodeStrings(column, bytes, batch.rows, "bytes"),
      ) as readonly Uint8Array[];
      for (let i = 0; i < count; i++) {
        const first = (row + i) * elements, to = at + (place + i) * each;
        boxRuns(shape, box, (inCell, inBox, length) => {
          for (let k = 0; k < length; k++) {
            target.values[to + inBox + k] = target.decode(texts[first + inCell + k]!);
          }
        });
      }
    }
  }

  #cellsOf({ block, batch }: Piece, index: number, column: IngestColumn): readonly Cell[] {
    return this.#decode(
      block,
      batch,
      index,
      (bytes) => decodeCells(column, bytes, batch.rows, "bytes"),
    ) as readonly Cell[];
  }

  #shapes(index: number, column: IngestColumn, rows: Rows): ShapeRun[] {
    const runs: ShapeRun[] = [];
    for (const piece of this.#pieces(rows)) {
      const cells = this.#cellsOf(piece, index, column);
      for (let i = 0; i < piece.count; i++) {
        const cell = cells[piece.row + i] as NDArray | null;
        runs.push({ count: 1, shape: cell === null ? null : cell.shape });
      }
    }
    return runs;
  }

  #cells(
    index: number,
    column: IngestColumn,
    rows: Rows,
    shape: readonly number[],
    box: Box | null,
    target: CellTarget,
    at: number,
  ): void {
    const each = box === null ? elementsOf(shape) : elementsOf(box.shape);
    for (const piece of this.#pieces(rows)) {
      const cells = this.#cellsOf(piece, index, column);
      for (let i = 0; i < piece.count; i++) {
        const { data } = cells[piece.row + i] as NDArray, to = at + (piece.index + i) * each;
        boxRuns(shape, box, (inCell, inBox, length) => {
          if (target.kind === "strings") {
            for (let k = 0; k < length; k++) {
              target.values[to + inBox + k] = target.decode((data as unknown as Uint8Array[])[inCell + k]!);
            }
            return;
          }
          const { size } = numericInfo(column.dtype as NumericType);
          const bytes = bytesOf(data as ArrayBufferView);
          const from = inCell * size;
          target.bytes.set(bytes.subarray(from, from + length * size), (to + inBox) * size);
        });
      }
    }
  }

  /** Values of one column of a batch, decoded once for those who read row by row. */
  #decode(
    block: GrowingBlock,
    batch: BatchPlace,
    column: number,
    decode: (bytes: Uint8Array) => readonly unknown[],
  ): readonly unknown[] {
    const last = this.#decoded;
    if (last !== null && last.batch === batch && last.column === column) return last.cells;
    const { offset, bytes } = batch.columns[column]!;
    const cells = decode(this.#bytes(block, offset, bytes));
    this.#decoded = { batch, column, cells };
    return cells;
  }

  /** Bytes of a block that nobody changes. */
  #bytes(block: GrowingBlock, offset: number, length: number): Uint8Array {
    if (length < OWN_READ_BYTES) return this.#near(block, offset, length);
    const own = new Uint8Array(length);
    block.read(offset, own);
    return own;
  }

  #copy(block: GrowingBlock, offset: number, target: Uint8Array): void {
    if (target.length < OWN_READ_BYTES && block.memory === null) {
      target.set(this.#near(block, offset, target.length));
    } else block.read(offset, target);
  }

  /** Less than a window's bytes of a block, from a window that holds them. */
  #near(block: GrowingBlock, offset: number, length: number): Uint8Array {
    const windows = this.#windows, end = offset + length;
    let found = -1;
    for (let i = windows.length - 1; i >= 0 && found < 0; i--) {
      const { block: of, at, bytes } = windows[i]!;
      if (of === block && at <= offset && end <= at + bytes.length) found = i;
    }
    const [known] = found < 0 ? [] : windows.splice(found, 1);
    const window = known ?? this.#read(block, offset, end);
    windows.push(window);
    return window.bytes.subarray(offset - window.at, end - window.at);
  }

  #read(block: GrowingBlock, offset: number, end: number): Window {
    const border = offset - offset % OWN_READ_BYTES, at = end <= border + OWN_READ_BYTES ? border : offset;
    // What was decoded or handed out of a window before may still be in use: its memory isn't used again.
    if (this.#windows.length === WINDOWS) this.#windows.shift();
    const bytes = new Uint8Array(Math.min(OWN_READ_BYTES, block.bytes - at));
    block.read(at, bytes);
    return { block, at, bytes };
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Number of the batch that holds a row of the block. */
function findBatch(batches: readonly BatchPlace[], sequence: number): number {
  let low = 0, high = batches.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (batches[middle]!.firstSequence <= sequence) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * A read-only table of rows that are in logs and in no segment yet, with the store's columns and INGEST_SEQUENCE. It holds
 * the logs until it is closed, and stays as it is whatever happens to them.
 *
 * @param path The store's directory, for messages
 * @param first Sequence number of the first row
 * @throws TableError OUT_OF_RANGE when the logs don't have all these rows
 */
export function growingTable(
  schema: IngestSchema,
  path: string,
  logs: readonly BlockIndex[],
  first: number,
  rows: number,
): Table {
  const from = logs[0]?.firstSequence ?? 0, to = logs.at(-1)?.endSequence ?? from;
  if (rows > 0 && (first < from || first + rows > to)) {
    throw new TableError(
      "OUT_OF_RANGE",
      `rows ${first} to ${first + rows}: the logs have those from ${from} to ${to}`,
      { file: path },
    );
  }
  return Table.over(new GrowingSource(schema, path, logs, first, rows));
}
