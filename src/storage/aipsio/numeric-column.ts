/**
 * A column of numbers or bools: scalars and direct arrays. Their chunks are found once; then cells are gathered from
 * where they stand.
 */
import type { NumericType } from "../../array/dtype.ts";
import { MoveList } from "../../array/moves.ts";
import { type Box, elementsOf, type Rows } from "../../array/rows.ts";
import type { Plan } from "../../io/plan.ts";
import { cellAxes, packedBytes, unitOf } from "../arrayfile/cells.ts";
import { ExtentBuilder } from "../arrayfile/extents.ts";
import type { CellTarget, ManagedColumn, ShapeRun } from "../manager.ts";
import type { AipsFile } from "./aips-file.ts";
import { type Chunk, chunkOf, eachChunk, skipRows, valuesForm } from "./chunks.ts";

/** Bits of the count before a row. */
const COUNT_BITS = 32;

/** The chunks of a column, and how rows stand in them. */
interface Layout {
  readonly chunks: readonly Chunk[];
  /** Bits from a row to the next, and bits before its values. */
  readonly rowBits: number;
  readonly leadBits: number;
}

/** Rows that follow each other in a chunk. */
interface Piece {
  /** Where the first stands in the file, in bits. */
  readonly bit: number;
  readonly rows: number;
  /** Position of the first in the selection. */
  readonly index: number;
}

/** Values of fixed size. */
export class NumericColumn implements ManagedColumn {
  readonly #file: AipsFile;
  readonly #number: number;
  readonly #dtype: NumericType;
  readonly #shape: readonly number[];
  #layout: Layout | null = null;

  constructor(file: AipsFile, number: number, dtype: NumericType, shape: readonly number[]) {
    this.#file = file;
    this.#number = number;
    this.#dtype = dtype;
    this.#shape = shape;
  }

  // deno-lint-ignore require-yield
  *shapes(rows: Rows): Plan<ShapeRun[]> {
    return [{ count: rows.length, shape: this.#shape }];
  }

  *read(
    rows: Rows,
    cellShape: readonly number[],
    box: Box | null,
    target: CellTarget,
    at: number,
  ): Plan<void> {
    if (target.kind !== "numeric" || rows.length === 0 || elementsOf(box?.shape ?? cellShape) === 0) return;
    const layout = this.#layout ??= yield* this.#findChunks();
    const unit = unitOf(this.#dtype, true), axes = cellAxes(cellShape, box, unit.parts);
    const stride = layout.rowBits / unit.bits;
    const moves = new MoveList(unit.kind, axes.shape.length + 1, unit.size, unit.swapUnit);
    const extents = new ExtentBuilder();
    // The distance of rows that start with a count may be no multiple of an element: then each has its own move.
    for (const { bit, rows: count, index } of this.#pieces(rows, layout, Number.isInteger(stride))) {
      const first = bit + axes.begin * unit.bits;
      moves.push(
        unit.kind === "bits" ? first : first / 8,
        at * unit.parts + index * axes.box,
        [...axes.shape, count],
        [...axes.fileStrides, count === 1 ? 0 : stride],
        [...axes.arrayStrides, axes.box],
      );
      const bits = (count - 1) * layout.rowBits + (axes.end - axes.begin) * unit.bits;
      extents.add(Math.floor(first / 8), Math.ceil((first + bits) / 8));
    }
    yield { kind: "gather", file: this.#file.name, extents: extents.finish(), moves, target: target.bytes };
  }

  /** Where the rows of a selection stand, in file order; one at a time unless `joined`. */
  #pieces(rows: Rows, layout: Layout, joined: boolean): Piece[] {
    const { chunks, rowBits, leadBits } = layout, file = this.#file;
    const pieces: Piece[] = [];
    let sorted = true;
    for (let { row, count, index } of rows.runs()) {
      if (row + count > file.rowCount) file.noSuchRow(Math.max(row, file.rowCount));
      let c = chunkOf(chunks, row);
      while (count > 0) {
        while (row >= chunks[c]!.firstRow + chunks[c]!.rows) c++;
        const { at, firstRow, rows: inChunk } = chunks[c]!, offset = row - firstRow;
        const n = joined ? Math.min(count, inChunk - offset) : 1;
        const bit = at * 8 + offset * rowBits + leadBits;
        if (pieces.length > 0 && bit < pieces.at(-1)!.bit) sorted = false;
        pieces.push({ bit, rows: n, index });
        row += n;
        index += n;
        count -= n;
      }
    }
    return sorted ? pieces : pieces.sort((a, b) => a.bit - b.bit || a.index - b.index);
  }

  *#findChunks(): Plan<Layout> {
    const file = this.#file, body = yield* file.body(this.#number);
    const array = file.columns[this.#number]!.kind === "array", elements = elementsOf(this.#shape);
    const form = valuesForm(body.version, array, elements);
    const rowBytes = packedBytes(this.#dtype, elements), bits = this.#dtype === "bool" && !array;
    const chunks: Chunk[] = [];
    yield* eachChunk(file, body, file.rowCount, form.chunkCounts ? form : null, function* (chunk, scan) {
      chunks.push(chunk);
      if (bits) {
        const bytes = Math.ceil(chunk.rows / 8);
        scan.checkRoom(bytes);
        scan.position += bytes;
      } else yield* skipRows(scan, chunk.rows, rowBytes, form);
    });
    const leadBits = form.rowCounts ? COUNT_BITS : 0;
    return { chunks, rowBits: bits ? 1 : 8 * rowBytes + leadBits, leadBits };
  }
}
