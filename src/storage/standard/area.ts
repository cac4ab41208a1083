/**
 * The area that a column has in every data bucket of its index: plans that move cells of a fixed size between it and an
 * array. Format reference part 2, section 3.
 */
import { MoveList } from "../../array/moves.ts";
import type { Box, Rows } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import type { Plan } from "../../io/plan.ts";
import { cellAxes, NATIVE_LITTLE, type Unit } from "../arrayfile/cells.ts";
import { ExtentBuilder, MAX_EXTENT_BYTES } from "../arrayfile/extents.ts";
import type { BucketFile } from "./bucket-file.ts";
import { areaBytes } from "./layout.ts";
import { Pieces } from "./pieces.ts";
import type { SsmIndex } from "./ssm-index.ts";

/** Longest extent that is read for several areas: up to here it is taken whole from a page, or read with its neighbours. */
const READ_BYTES = 64 * 1024;

/** What cells of a fixed size are made of: elements of `unit`, in `shape`. */
export interface AreaCells {
  readonly unit: Unit;
  readonly shape: readonly number[];
}

/** Bytes as they are. */
export function byteUnit(): Unit {
  return { kind: "bytes", size: 1, bits: 8, swapUnit: 1, parts: 1 };
}

/** Integers of 4 or 8 bytes in the table's byte order. */
export function wordUnit(size: 4 | 8, bigEndian: boolean): Unit {
  return { kind: "bytes", size, bits: 8 * size, swapUnit: bigEndian === NATIVE_LITTLE ? size : 1, parts: 1 };
}

/** A column's place in data buckets. */
export class Area {
  readonly file: BucketFile;
  #index: SsmIndex;
  #offset: number;
  readonly bitsPerRow: number;

  constructor(file: BucketFile, index: SsmIndex, offset: number, bitsPerRow: number) {
    this.file = file;
    this.#index = index;
    this.#offset = offset;
    this.bitsPerRow = bitsPerRow;
  }

  /** The index whose buckets it is in. */
  get index(): SsmIndex {
    return this.#index;
  }

  /** Where it begins in a bucket. */
  get offset(): number {
    return this.#offset;
  }

  /** Tells that it is elsewhere now. */
  move(index: SsmIndex, offset: number): void {
    this.#index = index;
    this.#offset = offset;
  }

  /** Bytes that the area takes in each bucket. */
  get bytes(): number {
    return areaBytes(this.index.rowsPerBucket, this.bitsPerRow);
  }

  /** Where the rows are. @throws TableError CORRUPT for rows that the index doesn't have */
  pieces(rows: Rows): Pieces {
    return Pieces.of(rows, this.index, (row) => {
      throw new TableError("CORRUPT", `row ${row} doesn't exist: the index has ${this.index.rows} rows`, {
        file: this.file.path,
      });
    });
  }

  /** Reads `box` (null: all) of the cells of `pieces`; the first goes to element `at` of `target`. */
  *read(pieces: Pieces, cells: AreaCells, box: Box | null, target: Uint8Array, at: number): Plan<void> {
    const { moves, extents } = this.#moves(pieces, cells, box, at, READ_BYTES);
    if (moves.count === 0) return;
    yield { kind: "gather", file: this.file.file, extents: extents.finish(), moves, target };
  }

  /** Writes `box` (null: all) of the cells of `pieces` from element `at` of `source` on. */
  *write(pieces: Pieces, cells: AreaCells, box: Box | null, source: Uint8Array, at: number): Plan<void> {
    const { file } = this;
    const { moves, extents } = this.#moves(pieces, cells, box, at, MAX_EXTENT_BYTES);
    if (moves.count === 0) return;
    const untouched = file.offsetOf(file.untouchedFrom);
    for (const extent of extents.finish()) {
      yield { kind: "scatter", file: file.file, extent, fresh: extent.offset >= untouched, moves, source };
    }
    file.touch(pieces.bucket(pieces.count - 1));
  }

  #moves(
    pieces: Pieces,
    cells: AreaCells,
    box: Box | null,
    at: number,
    maxExtent: number,
  ): { moves: MoveList; extents: ExtentBuilder } {
    const { unit } = cells;
    const axes = cellAxes(cells.shape, box, unit.parts);
    const whole = box === null;
    const ndim = whole ? 1 : axes.shape.length + 1;
    const moves = new MoveList(unit.kind, ndim, unit.size, unit.swapUnit, Math.max(1, pieces.count));
    const extents = new ExtentBuilder(undefined, maxExtent);
    if (axes.box === 0) return { moves, extents };
    // Whole cells of neighbouring rows are one stretch; boxes have an axis of rows.
    const shape = whole ? [0] : [...axes.shape, 0];
    const fileStrides = whole ? [1] : [...axes.fileStrides, axes.cell];
    const arrayStrides = whole ? [1] : [...axes.arrayStrides, axes.box];
    const start = at * unit.parts;
    for (let i = 0; i < pieces.count; i++) {
      const rows = pieces.rows(i);
      const area = this.file.offsetOf(pieces.bucket(i)) + this.offset;
      const first = pieces.slot(i) * axes.cell + axes.begin;
      const end = first + (rows - 1) * axes.cell + axes.end - axes.begin;
      shape[ndim - 1] = whole ? rows * axes.cell : rows;
      moves.push(
        unit.kind === "bits" ? area * 8 + first : area + first * unit.size,
        start + pieces.index(i) * axes.box,
        shape,
        fileStrides,
        arrayStrides,
      );
      extents.add(area + Math.floor(first * unit.bits / 8), area + Math.ceil(end * unit.bits / 8));
    }
    return { moves, extents };
  }

  /** Makes all of it zero, slots without rows included. */
  *wipe(): Plan<void> {
    const { file, index } = this;
    const bytes = new Uint8Array(this.bytes);
    for (let entry = 0; entry < index.used; entry++) {
      const bucket = index.bucket(entry);
      yield { kind: "write", file: file.file, offset: file.offsetOf(bucket) + this.offset, bytes };
      file.touch(bucket);
    }
  }

  /** Makes rows zero. */
  *clear(pieces: Pieces, rows: number): Plan<void> {
    const bits: Unit = { kind: "bits", size: 1, bits: 1, swapUnit: 1, parts: 1 };
    const unit = this.bitsPerRow % 8 === 0 ? byteUnit() : bits;
    const each = this.bitsPerRow / unit.bits;
    yield* this.write(pieces, { unit, shape: [each] }, null, new Uint8Array(rows * each), 0);
  }
}
