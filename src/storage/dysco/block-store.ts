/**
 * The blocks of a DyscoStMan as they are written: values wait in memory as open blocks and are encoded when the file has to
 * have them, or when too many wait.
 *
 * Factors of antennas (AF) are those of the antennas that rows have when they are encoded. When these change before the
 * flush, what was encoded is encoded anew; rows of more antennas than the blocks have factors for get the blocks a new layout.
 */
import type { Box, Rows } from "../../array/rows.ts";
import type { BlockBaselines } from "../../array/visibility-block.ts";
import { fileSize, type Plan } from "../../io/plan.ts";
import type { ManagerContext } from "../manager.ts";
import {
  antennasIn,
  antennasOfRows,
  baselinesOf,
  blockRows,
  decodeWith,
  sameBaselines,
} from "./baselines.ts";
import { checkBlockSize } from "./block-size.ts";
import { DyscoColumn } from "./column.ts";
import { DyscoFile } from "./dysco-file.ts";
import { BlockEncoder } from "./encoder.ts";
import { antennasOf } from "./grouping.ts";
import type { DyscoHeader } from "./header.ts";
import { firstBlockAt } from "./header-write.ts";
import { bytesOf, layoutOf, type Part, partsOf } from "./layout.ts";
import { cellFloats, OpenBlock } from "./open-block.ts";
import { type BlockPlaces, type Move, moveBlocks } from "./relayout.ts";
import { zeroSymbols } from "./zero-symbols.ts";

/** Blocks with missing rows that stay open after a flush, for what comes next. */
const KEPT_BLOCKS = 4;
/** Bytes of a float. */
const FLOAT_BYTES = 4;

/** The file's blocks, those that are open, and what both are described by. */
export class BlockStore {
  /** Rows of the table. */
  rowCount: number;
  /** True when the header is no longer what the file has. */
  headerChanged = false;
  readonly #context: ManagerContext;
  readonly #waitingBytes: number;
  /** By column and block, the least recently used first. */
  readonly #open = new Map<string, OpenBlock>();
  #openBytes = 0;
  /** By column and block, what blocks were encoded with since the last flush (AF). */
  readonly #encodedWith = new Map<string, BlockBaselines>();
  #file: DyscoFile;
  #parts: readonly Part[];
  #readers: readonly DyscoColumn[];
  #encoder: BlockEncoder;

  /** @param waitingBytes Bytes of values of open blocks, if there are several. */
  constructor(context: ManagerContext, header: DyscoHeader, waitingBytes: number) {
    this.rowCount = context.rowCount;
    this.#context = context;
    this.#waitingBytes = waitingBytes;
    this.#file = new DyscoFile(`table.f${context.sequence}`, header, context);
    this.#parts = partsOf(header, context.columns, this.#file.path);
    this.#readers = this.#parts.map((part) => new DyscoColumn(this.#file, part));
    this.#encoder = new BlockEncoder(this.#file);
  }

  get file(): DyscoFile {
    return this.#file;
  }
  /** Where columns are in a block. */
  get parts(): readonly Part[] {
    return this.#parts;
  }
  /** Columns of the file, without what waits. */
  get readers(): readonly DyscoColumn[] {
    return this.#readers;
  }

  /** Takes over another header. */
  take(header: DyscoHeader, parts: readonly Part[]): void {
    this.#file = new DyscoFile(this.#file.name, header, this.#context);
    this.#parts = parts;
    this.#readers = parts.map((part) => new DyscoColumn(this.#file, part));
    this.#encoder = new BlockEncoder(this.#file);
    this.headerChanged = true;
  }

  /** Plan: checks that rows can be encoded, and makes room for factors of their antennas. @throws TableError LIMIT, INVALID_ARGUMENT */
  *prepare(column: number, rows: Rows): Plan<void> {
    checkBlockSize(this.#file.header, this.#parts, this.#file.path);
    if (this.#parts[column]!.scaling !== "AF") return;
    yield* this.#needAntennas(yield* antennasOfRows(this.#context.source, this.#file, rows));
  }

  /**
   * Plan: puts cells, or boxes of them.
   *
   * @param final True when the antennas of rows won't change any more.
   */
  *put(column: number, rows: Rows, box: Box | null, bytes: Uint8Array, final = false): Plan<void> {
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

  /** Plan: sees to it that the file has what was written to `rows` of a column. */
  *store(column: number, rows: Rows): Plan<void> {
    if (this.#open.size === 0 && this.#encodedWith.size === 0) return;
    // Of many stretches nobody looks which blocks they are in: what is encoded too early can be encoded again.
    let runs = 0, row = 0, count = 0;
    for (const run of rows.runs()) {
      if (++runs > 1) break;
      ({ row, count } = run);
    }
    const { rowsPerBlock } = this.#file.header;
    const first = runs > 1 ? 0 : Math.floor(row / rowsPerBlock);
    const last = runs > 1 ? Infinity : Math.floor((row + count - 1) / rowsPerBlock);
    const isInside = (key: string) =>
      columnOf(key) === column && blockOf(key) >= first && blockOf(key) <= last;
    for (const key of [...this.#encodedWith.keys()]) if (isInside(key)) yield* this.#refit(key);
    for (const [key, open] of [...this.#open]) if (isInside(key)) yield* this.#encode(column, open);
  }

  /** Plan: sees to it that the file has everything. */
  *storeAll(): Plan<void> {
    for (const key of [...this.#encodedWith.keys()]) yield* this.#refit(key);
    for (const [key, open] of [...this.#open]) yield* this.#encode(columnOf(key), open);
    this.#encodedWith.clear();
    for (const [key, open] of [...this.#open]) if (open.complete) this.#drop(key);
    for (const key of [...this.#open.keys()].slice(0, -KEPT_BLOCKS)) this.#drop(key);
  }

  /** Plan: forgets rows from `end` on. True when the file changed. */
  *cut(end: number): Plan<boolean> {
    this.rowCount = end;
    const { rowsPerBlock } = this.#file.header;
    if (rowsPerBlock === 0) return false;
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
    const isLonger = blocks < this.#file.blockCount;
    if (isLonger) {
      this.#file.blockCount = blocks;
      yield { kind: "resize", file: this.#file.name, length: this.#file.blockAt(blocks), shrink: true };
    }
    if (left === 0 || block >= this.#file.blockCount) return isLonger;
    for (const part of this.#parts) yield* zeroSymbols(this.#file, part, block, left);
    return true;
  }

  /** Rows of a block that the table has. */
  #rowsIn(block: number): number {
    const { rowsPerBlock } = this.#file.header;
    return Math.max(0, Math.min(rowsPerBlock, this.rowCount - block * rowsPerBlock));
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
    const all = yield* antennasOf(this.#context.source, this.rowCount);
    const { columns } = this.#context, next = { ...header, antennas: Math.max(antennas, all) };
    const parts = layoutOf(next, columns, path);
    checkBlockSize(next, parts, path);
    yield* this.relayout(next, parts, this.#parts.map((from, i) => ({ from, to: parts[i]! })));
  }

  /** Plan: gives the blocks of the file another layout. */
  *relayout(header: DyscoHeader, parts: readonly Part[], moves: readonly Move[]): Plan<void> {
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
    this.take({ ...header, ...places, columnBytes, fileBytes }, parts);
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
