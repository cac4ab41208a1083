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
import { TableError } from "../../error.ts";
import { fileSize, type Plan } from "../../io/plan.ts";
import type { BoundColumn, ManagedColumn, ManagerContext, ManagerInfo, StorageManager } from "../manager.ts";
import { checkBlockSize } from "./block-size.ts";
import { BlockStore } from "./block-store.ts";
import type { DyscoColumn } from "./column.ts";
import { antennasOf, rowsOfFirstStep } from "./grouping.ts";
import { type DyscoHeader, MAX_HEADER_BYTES } from "./header.ts";
import { writeHeader } from "./header-write.ts";
import { HeldWrites } from "./held.ts";
import { bytesOf, layoutOf, type Part } from "./layout.ts";
import { cellFloats } from "./open-block.ts";
import { checkColumn, type DyscoOptions } from "./options.ts";
import { WritableDyscoColumn } from "./writable-column.ts";

/** Values that wait in memory: no more bytes than this, or one block. */
const WAITING_BYTES = 64 * 1024 * 1024;
/** Rows of a block are limited to so many bytes of values, where the table doesn't tell time steps apart. */
const BLOCK_BYTES = 32 * 1024 * 1024;
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
  readonly #blocks: BlockStore;
  /** True for an empty file: nobody knows what it was made for. */
  readonly #isUnknown: boolean;
  /** True when the room behind the column headers has to be written, too. */
  #isNew: boolean;
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
    this.sequence = context.sequence;
    this.#context = context;
    this.#waitingBytes = waitingBytes;
    this.#options = options ?? { rowsPerBlock: 0, antennas: header.antennas };
    this.#isUnknown = options === null && header.fileBytes === 0;
    this.#blocks = new BlockStore(context, header, waitingBytes);
    this.#isNew = this.#blocks.headerChanged = options !== null;
    this.#columns = context.columns.map((_, index) => new WritableDyscoColumn(this, index));
  }

  get name(): string {
    return this.#blocks.file.header.name;
  }

  /** The file doesn't say. */
  get rowCount(): number {
    return -1;
  }

  get dirty(): boolean {
    return this.#blocks.headerChanged || this.#dataChanged;
  }

  get info(): ManagerInfo {
    const { header } = this.#blocks.file;
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
      blocks: this.#blocks.file.blockCount,
    };
  }

  files(): string[] {
    return [this.#blocks.file.name];
  }

  column(index: number): ManagedColumn {
    return this.#columns[index]!;
  }

  /** Reads a column of the file. */
  reader(column: number): DyscoColumn {
    return this.#blocks.readers[column]!;
  }

  /** Where a column is in a block. */
  part(column: number): Part {
    return this.#blocks.parts[column]!;
  }

  // deno-lint-ignore require-yield
  *addRows(count: number): Plan<void> {
    this.#blocks.rowCount += count;
  }

  /** The last rows can be removed; no others, as in casacore, since rows lie in blocks by their numbers. */
  checkRemoval(rows: Rows): void {
    if (rows.length === 0 || rows.at(0) === this.#blocks.rowCount - rows.length) return;
    throw new TableError(
      "UNSUPPORTED",
      `row ${rows.at(0)} can't be removed: DyscoStMan removes the last rows of a table only`,
    );
  }

  *removeRows(rows: Rows): Plan<void> {
    this.checkRemoval(rows);
    if (rows.length === 0) return;
    const end = this.#blocks.rowCount - rows.length;
    this.#held.cut(end);
    if (yield* this.#blocks.cut(end)) this.#dataChanged = true;
  }

  /** Plan: puts cells or boxes of them, or keeps them until it is known where they go. */
  *write(column: number, rows: Rows, box: Box | null, bytes: Uint8Array): Plan<void> {
    this.#checkWritable();
    const isKnown = this.#blocks.file.header.rowsPerBlock > 0;
    if (!isKnown && this.#held.bytes + bytes.length <= this.#waitingBytes) {
      this.#held.add({ column, rows, box, bytes });
      this.#dataChanged = true;
      return;
    }
    yield* this.#settle();
    yield* this.#blocks.prepare(column, rows);
    this.#dataChanged = true;
    yield* this.#blocks.put(column, rows, box, bytes);
  }

  /** Plan: sees to it that the file has what was written to `rows` of a column. */
  *store(column: number, rows: Rows): Plan<void> {
    if (!this.#held.empty) yield* this.#settle();
    yield* this.#blocks.store(column, rows);
  }

  *flush(): Plan<Uint8Array> {
    if (!this.#held.empty) yield* this.#settle(true);
    yield* this.#blocks.storeAll();
    if (this.#blocks.headerChanged) {
      const { name, header } = this.#blocks.file;
      yield { kind: "barrier" };
      yield { kind: "write", file: name, offset: 0, bytes: writeHeader(header, this.#isNew) };
    }
    this.#blocks.headerChanged = this.#dataChanged = this.#isNew = false;
    return new Uint8Array(0);
  }

  /** Plan: adds a column, of which the blocks that are there have zeros. */
  *addColumn(column: BoundColumn): Plan<void> {
    this.#checkWritable();
    checkColumn(column, (reason) => {
      throw new TableError("INVALID_ARGUMENT", `DyscoStMan ${this.name}: ${reason}`);
    });
    const columns = [...this.#context.columns, column], { header, path } = this.#blocks.file;
    checkBlockSize(header, layoutOf(header, columns, path), path);
    yield* this.flush();
    yield* this.#relayout(columns, this.#blocks.parts);
  }

  /** Plan: removes a column's part of every block. */
  *removeColumn(index: number): Plan<void> {
    this.#checkWritable();
    yield* this.flush();
    const isOther = (_: unknown, i: number) => i !== index;
    yield* this.#relayout(this.#context.columns.filter(isOther), this.#blocks.parts.filter(isOther));
  }

  /** Plan: gives blocks a layout for other columns, whose values come from `old` parts as far as these go. */
  *#relayout(columns: readonly BoundColumn[], old: readonly Part[]): Plan<void> {
    const { header, path } = this.#blocks.file;
    const parts = layoutOf(header, columns, path);
    yield* this.#blocks.relayout(header, parts, parts.map((to, i) => ({ from: old[i] ?? null, to })));
    this.#isNew = true;
  }

  /** Refuses files of which nobody knows how values are encoded. casacore leaves an empty one when nothing was written. */
  #checkWritable(): void {
    const { header } = this.#blocks.file;
    if (this.#isUnknown) {
      throw new TableError(
        "UNSUPPORTED",
        "the file is empty, which casacore leaves when nothing was written: how to encode is not known",
        { file: this.#blocks.file.path },
      );
    }
    if (header.blocksAt > MAX_HEADER_BYTES && header.blocksAt > header.fileBytes) {
      throw new TableError(
        "CORRUPT",
        `block 0 is at ${header.blocksAt}, behind a header that is shorter and the end of the file`,
        { file: this.#blocks.file.path, offset: 0 },
      );
    }
    const scaled = this.#blocks.parts.some((part) => part.scaling !== "weights");
    if (scaled && (header.distribution === undefined || header.normalization === undefined)) {
      throw new TableError("CORRUPT", "the distribution or the normalisation has a code that nobody knows", {
        file: this.#blocks.file.path,
      });
    }
  }

  /**
   * Plan: fixes the size of blocks, if it isn't, and puts what was held.
   *
   * @param final True when the antennas of rows won't change any more.
   */
  *#settle(final = false): Plan<void> {
    if (this.#blocks.file.header.rowsPerBlock === 0) yield* this.#defineBlocks();
    const held = this.#held.take();
    let done = 0;
    try {
      for (const { column, rows, box, bytes } of held) {
        yield* this.#blocks.put(column, rows, box, bytes, final);
        done++;
      }
    } finally {
      // What could not be put is not lost.
      for (const write of held.slice(done)) this.#held.add(write);
    }
  }

  *#defineBlocks(): Plan<void> {
    const { source, columns } = this.#context, { rowCount } = this.#blocks;
    const { header: old, path, name } = this.#blocks.file;
    let rowsPerBlock = this.#options.rowsPerBlock;
    if (rowsPerBlock === 0) {
      const most = Math.max(...this.#blocks.parts.map(cellFloats)) * FLOAT_BYTES;
      const limit = Math.max(1, Math.floor(BLOCK_BYTES / most));
      rowsPerBlock = yield* rowsOfFirstStep(source, rowCount, limit);
    }
    const antennas = this.#options.antennas || (yield* antennasOf(source, rowCount));
    const header = { ...old, rowsPerBlock, antennas };
    const parts = layoutOf(header, columns, path), blockBytes = bytesOf(parts);
    checkBlockSize(header, parts, path);
    const columnBytes = parts.map((part) => part.bytes);
    this.#blocks.take({ ...header, blockBytes, columnBytes, fileBytes: 0 }, parts);
    // What lies where blocks will be belongs to none.
    if ((yield* fileSize(name)) > header.blocksAt) {
      yield { kind: "resize", file: name, length: header.blocksAt, shrink: true };
    }
  }
}
