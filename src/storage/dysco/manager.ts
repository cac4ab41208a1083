/**
 * An open DyscoStMan that can be written.
 *
 * | what is written | where it waits | until |
 * | --- | --- | --- |
 * | values, while nobody knows how long a block is | in memory, as writes | a flush, a read, or too many of them |
 * | values of a block | in memory, as an open block | a flush, a read of it, or too many open blocks |
 * | bytes of a block | in the file | |
 * | the header | in memory | a flush, after the blocks |
 *
 * A block of which some rows are written anew is decoded, changed and encoded again: its other rows change by what the
 * number of bits allows, as with casacore. Rows without values are encoded as zeros, and so are the rows of the last block
 * that the table doesn't have yet.
 */
import type { Box, Rows } from "../../array/rows.ts";
import type { BlockBaselines } from "../../array/visibility-block.ts";
import { TableError } from "../../error.ts";
import { fileSize, type Plan } from "../../io/plan.ts";
import type { BoundColumn, ManagedColumn, ManagerContext, ManagerInfo, StorageManager } from "../manager.ts";
import { DyscoColumn } from "./column.ts";
import { DyscoFile } from "./dysco-file.ts";
import { BlockEncoder } from "./encoder.ts";
import {
  antennasIn,
  antennasOfRows,
  baselinesOf,
  blockRows,
  decodeWith,
  sameBaselines,
} from "./baselines.ts";
import { antennasOf, rowsOfFirstStep } from "./grouping.ts";
import type { DyscoHeader } from "./header.ts";
import { firstBlockAt, writeHeader } from "./header-write.ts";
import { HeldWrites } from "./held.ts";
import { checkBlockSize } from "./block-size.ts";
import { bytesOf, layoutOf, type Part, partsOf } from "./layout.ts";
import { cellFloats, OpenBlock } from "./open-block.ts";
import { checkColumn, type DyscoOptions } from "./options.ts";
import { type BlockPlaces, type Move, moveBlocks } from "./relayout.ts";
import { zeroSymbols } from "./zero-symbols.ts";
import { WritableDyscoColumn } from "./writable-column.ts";

/** Values that wait in memory: no more bytes than this, or one block. */
const WAITING_BYTES = 64 * 1024 * 1024;
/** Rows of a block are limited to so many bytes of values, where the table doesn't tell time steps apart. */
const BLOCK_BYTES = 32 * 1024 * 1024;
/** Blocks with missing rows that stay open after a flush, for what comes next. */
const KEPT_BLOCKS = 4;
/** Bytes of a float. */
const FLOAT_BYTES = 4;

/** A DyscoStMan. */
export class DyscoManager implements StorageManager {
  readonly type = "DyscoStMan";
  readonly sequence: number;
  readonly #context: ManagerContext;
  readonly #columns: readonly WritableDyscoColumn[];
  readonly #options: Pick<DyscoOptions, "rowsPerBlock" | "antennas">;
  readonly #waitingBytes: number;
  readonly #held = new HeldWrites();
  /** By column and block, the least recently used first. */
  readonly #open = new Map<string, OpenBlock>();
  #openBytes = 0;
  /** By column and block, what blocks were encoded with since the last flush (AF). */
  readonly #encodedWith = new Map<string, BlockBaselines>();
  #file: DyscoFile;
  #parts: readonly Part[];
  #readers: readonly DyscoColumn[];
  #encoder: BlockEncoder;
  #rowCount: number;
  #isNew: boolean;
  /** True for an empty file: nobody knows what it was made for. */
  readonly #isUnknown: boolean;
  #headerChanged: boolean;
  #dataChanged = false;

  /**
   * @param options Given for a new file.
   * @param waitingBytes Bytes of values that may wait in memory, beside one block.
   */
  constructor(
    context: ManagerContext,
    header: DyscoHeader,
    options: DyscoOptions | null = null,
    waitingBytes = WAITING_BYTES,
  ) {
    this.#waitingBytes = waitingBytes;
    const name = `table.f${context.sequence}`;
    this.sequence = context.sequence;
    this.#context = context;
    this.#rowCount = context.rowCount;
    this.#options = options ?? { rowsPerBlock: 0, antennas: header.antennas };
    this.#isNew = this.#headerChanged = options !== null;
    this.#isUnknown = options === null && header.fileBytes === 0;
    this.#file = new DyscoFile(name, header, context);
    this.#parts = partsOf(header, context.columns, this.#file.path);
    this.#readers = this.#parts.map((part) => new DyscoColumn(this.#file, part));
    this.#encoder = new BlockEncoder(this.#file);
    this.#columns = this.#parts.map((_, index) => new WritableDyscoColumn(this, index));
  }

  get name(): string {
    return this.#file.header.name;
  }

  /** The file doesn't say. */
  get rowCount(): number {
    return -1;
  }

  get dirty(): boolean {
    return this.#headerChanged || this.#dataChanged;
  }

  get info(): ManagerInfo {
    const { header } = this.#file;
    return {
      dataBitCount: header.dataBits,
      weightBitCount: header.weightBits,
      ...(header.distribution === undefined ? {} : { distribution: header.distribution }),
      ...(header.normalization === undefined ? {} : { normalization: header.normalization }),
      studentTNu: header.studentNu,
      distributionTruncation: header.truncation,
      rowsPerBlock: header.rowsPerBlock,
      antennas: header.antennas,
      blockSize: header.blockBytes,
      blocks: this.#file.blockCount,
    };
  }

  files(): string[] {
    return [this.#file.name];
  }

  column(index: number): ManagedColumn {
    return this.#columns[index]!;
  }

  /** Reads a column of the file. */
  reader(column: number): DyscoColumn {
    return this.#readers[column]!;
  }

  part(column: number): Part {
    return this.#parts[column]!;
  }

  // deno-lint-ignore require-yield
  *addRows(count: number): Plan<void> {
    this.#rowCount += count;
  }

  /** The last rows can be removed; no others, as in casacore, since rows lie in blocks by their numbers. */
  checkRemoval(rows: Rows): void {
    if (rows.length === 0 || rows.at(0) === this.#rowCount - rows.length) return;
    throw new TableError(
      "UNSUPPORTED",
      `row ${rows.at(0)} can't be removed: DyscoStMan removes the last rows of a table only`,
    );
  }

  *removeRows(rows: Rows): Plan<void> {
    const end = this.#rowCount - rows.length;
    this.checkRemoval(rows);
    if (rows.length === 0) return;
    this.#rowCount = end;
    this.#held.cut(end);
    const { rowsPerBlock } = this.#file.header;
    if (rowsPerBlock === 0) return;
    const block = Math.floor(end / rowsPerBlock), left = end - block * rowsPerBlock;
    const blocks = left === 0 ? block : block + 1;
    for (const [key, open] of this.#open) {
      if (open.block >= blocks) this.#drop(key);
      else if (open.block === block) open.forget(left);
    }
    for (const [key, { first, second }] of [...this.#encodedWith]) {
      const rows = this.#rowsIn(blockOf(key));
      if (rows === 0) this.#encodedWith.delete(key);
      else this.#encodedWith.set(key, { first: first.slice(0, rows), second: second.slice(0, rows) });
    }
    if (blocks < this.#file.blockCount) {
      this.#file.blockCount = blocks;
      this.#dataChanged = true;
      yield { kind: "resize", file: this.#file.name, length: this.#file.blockAt(blocks), shrink: true };
    }
    if (left === 0 || block >= this.#file.blockCount) return;
    this.#dataChanged = true;
    for (const part of this.#parts) yield* zeroSymbols(this.#file, part, block, left);
  }

  /** Plan: puts cells or boxes of them, or keeps them until it is known where they go. */
  *write(column: number, rows: Rows, box: Box | null, bytes: Uint8Array): Plan<void> {
    this.#checkWritable();
    if (this.#file.header.rowsPerBlock === 0 && this.#held.bytes + bytes.length <= this.#waitingBytes) {
      this.#held.add({ column, rows, box, bytes });
      this.#dataChanged = true;
      return;
    }
    yield* this.#settle();
    const part = this.#parts[column]!, { source } = this.#context;
    checkBlockSize(this.#file.header, this.#parts, this.#file.path);
    if (part.scaling === "AF") yield* this.#needAntennas(yield* antennasOfRows(source, this.#file, rows));
    this.#dataChanged = true;
    yield* this.#put(column, rows, box, bytes);
  }

  /** Plan: sees to it that the file has what was written to `rows` of a column. */
  *store(column: number, rows: Rows): Plan<void> {
    if (!this.#held.empty) yield* this.#settle();
    if (this.#open.size === 0 && this.#encodedWith.size === 0) return;
    const { rowsPerBlock } = this.#file.header;
    for (const { row, count } of rows.runs()) {
      const first = Math.floor(row / rowsPerBlock), last = Math.floor((row + count - 1) / rowsPerBlock);
      const isInside = (key: string) =>
        columnOf(key) === column && blockOf(key) >= first && blockOf(key) <= last;
      for (const key of [...this.#encodedWith.keys()]) if (isInside(key)) yield* this.#refit(key);
      for (const [key, open] of [...this.#open]) if (isInside(key)) yield* this.#encode(column, open);
    }
  }

  *flush(): Plan<Uint8Array> {
    if (!this.#held.empty) yield* this.#settle(true);
    for (const key of [...this.#encodedWith.keys()]) yield* this.#refit(key);
    for (const [key, open] of [...this.#open]) yield* this.#encode(columnOf(key), open);
    this.#encodedWith.clear();
    for (const [key, open] of [...this.#open]) if (open.complete) this.#drop(key);
    for (const key of [...this.#open.keys()].slice(0, -KEPT_BLOCKS)) this.#drop(key);
    if (this.#headerChanged) {
      yield { kind: "barrier" };
      yield {
        kind: "write",
        file: this.#file.name,
        offset: 0,
        bytes: writeHeader(this.#file.header, this.#isNew),
      };
    }
    this.#headerChanged = this.#dataChanged = this.#isNew = false;
    return new Uint8Array(0);
  }

  /** Refuses files of which nobody knows how values are encoded. casacore leaves an empty one when nothing was written. */
  #checkWritable(): void {
    const { header } = this.#file;
    if (this.#isUnknown) {
      throw new TableError(
        "UNSUPPORTED",
        "the file is empty, which casacore leaves when nothing was written: how to encode is not known",
        { file: this.#file.path },
      );
    }
    const scaled = this.#parts.some((part) => part.scaling !== "weights");
    if (scaled && (header.distribution === undefined || header.normalization === undefined)) {
      throw new TableError("CORRUPT", "the distribution or the normalisation has a code that nobody knows", {
        file: this.#file.path,
      });
    }
  }

  /**
   * Plan: fixes the size of blocks, if it isn't, and puts what was held.
   *
   * @param final True when the antennas of rows won't change any more.
   */
  *#settle(final = false): Plan<void> {
    if (this.#file.header.rowsPerBlock === 0) yield* this.#defineBlocks();
    const held = this.#held.take();
    let done = 0;
    try {
      for (const { column, rows, box, bytes } of held) {
        yield* this.#put(column, rows, box, bytes, final);
        done++;
      }
    } finally {
      // What could not be put is not lost.
      for (const write of held.slice(done)) this.#held.add(write);
    }
  }

  *#defineBlocks(): Plan<void> {
    const { source, columns } = this.#context;
    const { header: old, path, name } = this.#file;
    let rowsPerBlock = this.#options.rowsPerBlock;
    if (rowsPerBlock === 0) {
      const most = Math.max(...this.#parts.map(cellFloats)) * FLOAT_BYTES;
      const limit = Math.max(1, Math.floor(BLOCK_BYTES / most));
      rowsPerBlock = yield* rowsOfFirstStep(source, this.#rowCount, limit);
    }
    const antennas = this.#options.antennas || (yield* antennasOf(source, this.#rowCount));
    const header = { ...old, rowsPerBlock, antennas };
    const parts = layoutOf(header, columns, path), blockBytes = bytesOf(parts);
    checkBlockSize(header, parts, path);
    const columnBytes = parts.map((part) => part.bytes);
    this.#take({ ...header, blockBytes, columnBytes, fileBytes: 0 }, parts);
    // What lies where blocks will be belongs to none.
    if ((yield* fileSize(name)) > header.blocksAt) {
      yield { kind: "resize", file: name, length: header.blocksAt, shrink: true };
    }
  }

  /** Takes over another header. */
  #take(header: DyscoHeader, parts: readonly Part[]): void {
    this.#file = new DyscoFile(this.#file.name, header, this.#context);
    this.#parts = parts;
    this.#readers = parts.map((part) => new DyscoColumn(this.#file, part));
    this.#encoder = new BlockEncoder(this.#file);
    this.#headerChanged = true;
  }

  *#put(column: number, rows: Rows, box: Box | null, bytes: Uint8Array, final = false): Plan<void> {
    const { rowsPerBlock } = this.#file.header, part = this.#parts[column]!;
    const size = bytes.length / rows.length;
    for (const run of rows.runs()) {
      for (let done = 0; done < run.count;) {
        const row = run.row + done,
          block = Math.floor(row / rowsPerBlock),
          first = row - block * rowsPerBlock;
        const count = Math.min(run.count - done, rowsPerBlock - first);
        const at = (run.index + done) * size, some = bytes.subarray(at, at + count * size);
        done += count;
        const whole = box === null && count === this.#rowsIn(block);
        if (whole && count === rowsPerBlock && (part.scaling !== "AF" || final)) {
          this.#drop(keyOf(column, block));
          yield* this.#encodeValues(column, block, some);
          continue;
        }
        const open = yield* this.#openBlock(column, block, whole);
        open.put(first, count, box, some);
        open.changed = true;
      }
    }
  }

  /** Rows of a block that the table has. */
  #rowsIn(block: number): number {
    const { rowsPerBlock } = this.#file.header;
    return Math.max(0, Math.min(rowsPerBlock, this.#rowCount - block * rowsPerBlock));
  }

  /** Plan: a block's values in memory; those of the file, unless all of them are about to be replaced. */
  *#openBlock(column: number, block: number, replaced: boolean): Plan<OpenBlock> {
    const key = keyOf(column, block), part = this.#parts[column]!;
    const { rowsPerBlock } = this.#file.header;
    let open = this.#open.get(key);
    if (open !== undefined) {
      this.#open.delete(key);
      this.#open.set(key, open);
      return open;
    }
    const size = cellFloats(part) * FLOAT_BYTES * rowsPerBlock;
    for (const [oldest, other] of [...this.#open]) {
      if (this.#openBytes + size <= this.#waitingBytes) break;
      yield* this.#encode(columnOf(oldest), other);
      this.#drop(oldest);
    }
    if (!replaced) yield* this.#refit(key);
    open = new OpenBlock(part, block, rowsPerBlock);
    const rows = this.#rowsIn(block);
    if (!replaced && block < this.#file.blockCount) {
      const target = { kind: "numeric", bytes: open.bytes(rows) } as const;
      const shape = [part.correlations, part.channels];
      const selection = blockRows(this.#file, block, rows);
      yield* this.#readers[column]!.read(selection, shape, null, target, 0);
      open.give(0, rows);
    }
    this.#open.set(key, open);
    this.#openBytes += open.values.byteLength;
    return open;
  }

  #drop(key: string): void {
    this.#openBytes -= this.#open.get(key)?.values.byteLength ?? 0;
    this.#open.delete(key);
  }

  /** Plan: writes an open block if the file doesn't have it. */
  *#encode(column: number, open: OpenBlock): Plan<void> {
    if (!open.changed) return;
    yield* this.#encodeValues(column, open.block, open.bytes(this.#rowsIn(open.block)));
    open.changed = false;
  }

  /** Plan: writes values of the rows of a block that the table has. */
  *#encodeValues(column: number, block: number, values: Uint8Array): Plan<void> {
    const rows = this.#rowsIn(block), first = block * this.#file.header.rowsPerBlock;
    let baselines: BlockBaselines | undefined;
    if (this.#parts[column]!.scaling === "AF") {
      baselines = yield* baselinesOf(this.#context.source, this.#file, first, rows);
      yield* this.#needAntennas(antennasIn(baselines));
      this.#encodedWith.set(keyOf(column, block), baselines);
    }
    // Only now: antennas may have been added.
    const part = this.#parts[column]!;
    const bytes = this.#encoder.encode(part, column, block, rows, values, baselines);
    yield* this.#writeBlock(part, block, bytes);
  }

  /** Plan: makes room for factors of more antennas than there were when data were first encoded. */
  *#needAntennas(antennas: number): Plan<void> {
    const { header, path } = this.#file;
    if (antennas <= header.antennas) return;
    // All of them at once: the whole file is written anew.
    const all = yield* antennasOf(this.#context.source, this.#rowCount);
    const { columns } = this.#context, next = { ...header, antennas: Math.max(antennas, all) };
    const parts = layoutOf(next, columns, path);
    checkBlockSize(next, parts, path);
    yield* this.#relayout(next, parts, this.#parts.map((from, i) => ({ from, to: parts[i]! })));
  }

  /** Plan: adds a column, of which the blocks that are there have zeros. */
  *addColumn(column: BoundColumn): Plan<void> {
    this.#checkWritable();
    checkColumn(column, (reason) => {
      throw new TableError("INVALID_ARGUMENT", `DyscoStMan ${this.name}: ${reason}`);
    });
    const { path } = this.#file, columns = [...this.#context.columns, column];
    checkBlockSize(this.#file.header, layoutOf(this.#file.header, columns, path), path);
    yield* this.flush();
    const parts = layoutOf(this.#file.header, columns, path);
    const moves = parts.map((to, i) => ({ from: this.#parts[i] ?? null, to }));
    yield* this.#relayout(this.#file.header, parts, moves);
  }

  /** Plan: removes a column's part of every block. */
  *removeColumn(index: number): Plan<void> {
    this.#checkWritable();
    yield* this.flush();
    const isOther = (_: unknown, i: number) => i !== index;
    const columns = this.#context.columns.filter(isOther), old = this.#parts.filter(isOther);
    const parts = layoutOf(this.#file.header, columns, this.#file.path);
    yield* this.#relayout(this.#file.header, parts, parts.map((to, i) => ({ from: old[i]!, to })));
  }

  /** Plan: gives the blocks of the file another layout. */
  *#relayout(header: DyscoHeader, parts: readonly Part[], moves: readonly Move[]): Plan<void> {
    const { name, header: old, blockCount } = this.#file;
    const nameBytes = new TextEncoder().encode(header.name).length;
    const usual = firstBlockAt(nameBytes, parts.length), hasBlocks = header.rowsPerBlock > 0;
    const places: BlockPlaces = {
      // In a file with other room than usual blocks stay where they are, unless the header needs the room.
      blocksAt: old.blocksAt === firstBlockAt(nameBytes, this.#parts.length)
        ? usual
        : Math.max(old.blocksAt, usual),
      blockBytes: hasBlocks ? bytesOf(parts) : 0,
    };
    if (blockCount > 0) {
      const antennas = { from: old.antennas, to: header.antennas };
      yield* moveBlocks(name, blockCount, old, places, moves, antennas);
    } else if ((yield* fileSize(name)) > places.blocksAt) {
      yield { kind: "resize", file: name, length: places.blocksAt, shrink: true };
    }
    const columnBytes = parts.map((part) => hasBlocks ? part.bytes : 0);
    const fileBytes = places.blocksAt + blockCount * places.blockBytes;
    this.#take({ ...header, ...places, columnBytes, fileBytes }, parts);
    // The room behind the column headers, too.
    this.#isNew = true;
  }

  /** Plan: encodes a block anew if its rows are of other antennas than when it was encoded. */
  *#refit(key: string): Plan<void> {
    const old = this.#encodedWith.get(key);
    if (old === undefined) return;
    const column = columnOf(key), block = blockOf(key), part = this.#parts[column]!;
    const rows = this.#rowsIn(block), first = block * this.#file.header.rowsPerBlock;
    const baselines = yield* baselinesOf(this.#context.source, this.#file, first, rows);
    const count = old.first.length;
    const known = { first: baselines.first.subarray(0, count), second: baselines.second.subarray(0, count) };
    if (sameBaselines(old, known)) return;
    const open = this.#open.get(key);
    if (open === undefined) {
      const decoded = new OpenBlock(part, block, this.#file.header.rowsPerBlock);
      yield* decodeWith(this.#file, part, block, old, decoded.bytes(count));
      yield* this.#encodeValues(column, block, decoded.bytes(rows));
    } else {
      open.changed = true;
      yield* this.#encode(column, open);
    }
  }

  *#writeBlock(part: Part, block: number, bytes: Uint8Array): Plan<void> {
    const file = this.#file, { name } = file;
    if (block >= file.blockCount) {
      // Bytes of a block that never came to its end would come back.
      const end = file.blockAt(file.blockCount);
      if ((yield* fileSize(name)) > end) yield { kind: "resize", file: name, length: end, shrink: true };
      yield { kind: "resize", file: name, length: file.blockAt(block + 1), shrink: false };
      file.blockCount = block + 1;
    }
    yield { kind: "write", file: name, offset: file.blockAt(block) + part.at, bytes };
  }
}

function keyOf(column: number, block: number): string {
  return `${column} ${block}`;
}

function columnOf(key: string): number {
  return parseInt(key);
}

function blockOf(key: string): number {
  return parseInt(key.slice(key.indexOf(" ")));
}
