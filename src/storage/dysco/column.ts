/**
 * A column of a DyscoStMan, read. Rows are taken in the order of the file, a megabyte of symbols or so at a time; only the
 * rows that are asked for are decoded, so a cell costs what is in it, however long its block.
 *
 * | cells of | value |
 * | --- | --- |
 * | a block that the file has | decoded; where nothing was written, of floats and symbols that are 0 |
 * | a block that the file doesn't have to its end | 0 |
 */
import { kernels } from "../../array/choose.ts";
import { type Box, elementsOf, rowList, rowRange, type Rows } from "../../array/rows.ts";
import type { SymbolBox } from "../../array/symbols.ts";
import { TableError } from "../../error.ts";
import type { Plan } from "../../io/plan.ts";
import type { CellTarget, ManagedColumn, ShapeRun, SourceColumn } from "../manager.ts";
import type { DyscoFile } from "./dysco-file.ts";
import { type Baselines, type CellBox, channelFactors, rowFactors } from "./factors.ts";
import type { Part } from "./layout.ts";
import { Pieces } from "./pieces.ts";
import { Scratch, Wanted } from "./wanted.ts";

/** Symbols that are read in one go: that many bytes, or one row. */
const BATCH_BYTES = 1024 * 1024;
/** Pieces that are read in one go. */
const BATCH_PIECES = 4096;
/** Bytes of a value. */
const FLOAT_BYTES = 4;

const NO_FACTORS = new Float64Array(0);

/** Rows of one block that are decoded by one call. */
interface Stretch {
  readonly block: number;
  /** First row of the table. */
  readonly row: number;
  readonly rows: number;
  /** Position of the first row in the selection. */
  readonly index: number;
  /** Number of the first symbol in the block. */
  readonly firstSymbol: number;
  /** Numbers of what is wanted of the file. */
  readonly channelFloats: number;
  readonly rowFloats: number;
  readonly symbols: number;
}

/** Where a request puts its values, and what it keeps from batch to batch. */
interface Request {
  readonly box: CellBox;
  readonly target: Uint8Array;
  /** Bytes of a cell in the target, and offset of the first. */
  readonly cellBytes: number;
  readonly at: number;
  readonly scratch: Scratch;
  /** Factors of the channels of one block. */
  block: number;
  channel: Float64Array<ArrayBuffer>;
}

/** Visibilities or weights. */
export class DyscoColumn implements ManagedColumn {
  readonly #file: DyscoFile;
  readonly #part: Part;
  readonly #shape: readonly number[];
  #antennas: readonly [SourceColumn, SourceColumn] | null = null;

  constructor(file: DyscoFile, part: Part) {
    this.#file = file;
    this.#part = part;
    this.#shape = [part.correlations, part.channels];
  }

  // deno-lint-ignore require-yield
  *shapes(rows: Rows): Plan<ShapeRun[]> {
    return [{ count: rows.length, shape: this.#shape }];
  }

  bytesOnDisk(): number {
    return this.#file.blockCount * this.#part.bytes;
  }

  *read(
    rows: Rows,
    cellShape: readonly number[],
    box: Box | null,
    target: CellTarget,
    at: number,
  ): Plan<void> {
    if (target.kind !== "numeric") throw new TableError("TYPE_MISMATCH", "a Dysco column has no strings");
    const items = this.#part.scaling === "weights" ? 1 : 2;
    const cellBytes = elementsOf(box?.shape ?? cellShape) * items * FLOAT_BYTES;
    const request: Request = {
      box: cellBox(cellShape, box),
      target: target.bytes,
      cellBytes,
      at: at * items * FLOAT_BYTES,
      scratch: new Scratch(),
      block: -1,
      channel: NO_FACTORS,
    };
    if (rows.length === 0 || cellBytes === 0) return;
    const { rowsPerBlock } = this.#file.header;
    if (this.#file.blockCount === 0) {
      request.target.fill(0, request.at, request.at + rows.length * cellBytes);
      return;
    }
    const pieces = new Pieces(rows, rowsPerBlock);
    const end = this.#file.blockCount * rowsPerBlock;
    let piece = 0, skip = 0;
    while (piece < pieces.count && pieces.row(piece) < end) {
      const wanted = new Wanted(this.#file.name);
      const batch: Stretch[] = [];
      let left = BATCH_BYTES;
      while (
        left > 0 && batch.length < BATCH_PIECES && piece < pieces.count && pieces.row(piece) < end
      ) {
        const most = Math.max(1, Math.floor(left * 8 / (this.#part.rowSymbols * this.#part.bits)));
        const count = Math.min(pieces.rows(piece) - skip, most);
        const stretch = this.#want(
          wanted,
          pieces.row(piece) + skip,
          count,
          pieces.index(piece) + skip,
          request.box,
          batch.at(-1),
        );
        batch.push(stretch);
        left -= count * this.#part.rowSymbols * this.#part.bits / 8;
        skip += count;
        if (skip === pieces.rows(piece)) {
          piece++;
          skip = 0;
        }
      }
      const baselines = this.#part.scaling === "AF" ? yield* this.#baselines(batch) : null;
      yield* wanted.read(request.scratch);
      this.#decode(batch, wanted, baselines, request);
    }
    for (; piece < pieces.count; piece++) {
      const to = request.at + pieces.index(piece) * cellBytes;
      request.target.fill(0, to, to + pieces.rows(piece) * cellBytes);
    }
  }

  /** Adds what `rows` rows of a block need to what is wanted of the file. */
  #want(
    wanted: Wanted,
    row: number,
    rows: number,
    index: number,
    box: CellBox,
    last: Stretch | undefined,
  ): Stretch {
    const { rowsPerBlock } = this.#file.header, part = this.#part;
    const block = Math.floor(row / rowsPerBlock), first = row - block * rowsPerBlock;
    const start = this.#file.blockAt(block);
    const floats = start + part.at, rowFloats = floats + FLOAT_BYTES * part.channelFloats;
    const perChannel = part.rowSymbols / part.channels;
    const firstSymbol = first * part.rowSymbols + box.firstChannel * perChannel;
    const lastChannel = box.firstChannel + (box.channels - 1) * box.channelStep;
    const endSymbol = (first + rows - 1) * part.rowSymbols + (lastChannel + 1) * perChannel;
    const perRow = FLOAT_BYTES * (part.scaling === "RF" ? part.correlations : 1);
    const ofRows = part.scaling === "RF" || part.scaling === "Row";
    const symbols = start + part.symbolsAt;
    return {
      block,
      row,
      rows,
      index,
      // Symbols may begin within a byte: which one is the first of the range, in whole symbols, is told to the loop.
      firstSymbol,
      channelFloats: last?.block === block ? last.channelFloats : wanted.add(floats, rowFloats),
      rowFloats: ofRows
        ? wanted.add(rowFloats + first * perRow, rowFloats + (first + rows) * perRow)
        : last?.block === block
        ? last.rowFloats
        : wanted.add(rowFloats, symbols),
      symbols: wanted.add(
        symbols + Math.floor(wholeByteSymbol(firstSymbol) * part.bits / 8),
        symbols + Math.ceil(endSymbol * part.bits / 8),
      ),
    };
  }

  /** Plan: the antennas of all rows of a batch, in its order. */
  *#baselines(batch: readonly Stretch[]): Plan<Omit<Baselines, "at">> {
    const [one, two] = this.#antennas ??= [
      this.#file.antennaColumn("ANTENNA1"),
      this.#file.antennaColumn("ANTENNA2"),
    ];
    const rows = rowsOf(batch);
    const first = new Int32Array(rows.length), second = new Int32Array(rows.length);
    for (const [{ column }, numbers] of [[one, first], [two, second]] as const) {
      const bytes = new Uint8Array(numbers.buffer);
      yield* column.read(rows, [], null, { kind: "numeric", bytes }, 0);
      for (let i = 0; i < numbers.length; i++) this.#file.checkAntenna(numbers[i]!, rows.at(i));
    }
    return { first, second };
  }

  /** Decodes what was read. */
  #decode(
    batch: readonly Stretch[],
    wanted: Wanted,
    baselines: Omit<Baselines, "at"> | null,
    request: Request,
  ): void {
    const part = this.#part, { box } = request;
    const weights = part.scaling === "weights";
    const levels = weights ? null : this.#file.levels();
    const loops = kernels();
    let at = 0;
    for (const stretch of batch) {
      if (stretch.block !== request.block) {
        request.channel = channelFactors(part, box, wanted.bytes(stretch.channelFloats));
        request.block = stretch.block;
      }
      const row = rowFactors(
        part,
        box,
        stretch.rows,
        wanted.bytes(stretch.rowFloats),
        this.#file.header.antennas,
        baselines && { ...baselines, at },
      );
      const perChannel = part.rowSymbols / part.channels;
      const symbols: SymbolBox = {
        bits: part.bits,
        items: weights ? 1 : 2,
        copies: weights ? box.correlations : 1,
        first: stretch.firstSymbol - wholeByteSymbol(stretch.firstSymbol) +
          (weights ? 0 : 2 * box.firstCorrelation),
        shape: [stretch.rows, box.channels, weights ? 1 : box.correlations],
        steps: [part.rowSymbols, perChannel * box.channelStep, weights ? 1 : 2 * box.correlationStep],
      };
      const to = request.at + stretch.index * request.cellBytes;
      const target = request.target.subarray(to, to + stretch.rows * request.cellBytes);
      loops.decodeSymbols(
        symbols,
        wanted.bytes(stretch.symbols),
        { levels, channel: request.channel, row },
        target,
      );
      at += stretch.rows;
    }
  }
}

/** The last symbol up to `symbol` that begins with a byte, whatever the number of bits. */
function wholeByteSymbol(symbol: number): number {
  return symbol - symbol % 8;
}

/** The rows of a batch, as one selection. */
function rowsOf(batch: readonly Stretch[]): Rows {
  const first = batch[0]!.row;
  let total = 0, joined = true;
  for (const { row, rows } of batch) {
    joined &&= row === first + total;
    total += rows;
  }
  if (joined) return rowRange(first, total);
  const list = new Float64Array(total);
  let at = 0;
  for (const { row, rows } of batch) for (let i = 0; i < rows; i++) list[at++] = row + i;
  return rowList(list);
}

function cellBox(shape: readonly number[], box: Box | null): CellBox {
  const { start, shape: lengths, step } = box ?? { start: [0, 0], shape, step: [1, 1] };
  return {
    firstCorrelation: start[0]!,
    correlationStep: step[0]!,
    correlations: lengths[0]!,
    firstChannel: start[1]!,
    channelStep: step[1]!,
    channels: lengths[1]!,
  };
}
