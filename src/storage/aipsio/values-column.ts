/**
 * A column of scalars or direct arrays. Its values are read where they stand; when one changes, all of them are taken
 * into memory until the file is written anew. Format reference part 3, section B2.
 */
import { kernels } from "../../array/choose.ts";
import { isNumeric, numericInfo, type NumericType } from "../../array/dtype.ts";
import { type Box, elementsOf, rowRange, type Rows } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import type { AipsWriter } from "../../format/aipsio.ts";
import type { Plan } from "../../io/plan.ts";
import { packedBytes, unitOf } from "../arrayfile/cells.ts";
import { checkFixedShape, checkSettable } from "../arrayfile/fixed-shape.ts";
import type { BoundColumn, CellSource, CellTarget, ManagedColumn, ShapeRun } from "../manager.ts";
import { FixedCells } from "../memory/fixed-cells.ts";
import { FreeCells } from "../memory/free-cells.ts";
import { Removal } from "../memory/removal.ts";
import { DIRECT_TYPE, SCALAR_TYPE } from "./column-object.ts";
import type { AipsHost } from "./host.ts";

/** Bytes of values that are worked on at a time. */
const BLOCK_BYTES = 1 << 20;
/** Bytes that a string is reckoned with. */
const STRING_BYTES = 64;

/** Values of one shape in the file or in memory. */
export class ValuesColumn implements ManagedColumn {
  readonly bound: BoundColumn;
  readonly #host: AipsHost;
  readonly #shape: readonly number[];
  #stored: ManagedColumn | null;
  #cells: FixedCells | FreeCells | null;

  /** @param stored Reads the values from the file; null: there are none. */
  constructor(host: AipsHost, bound: BoundColumn, shape: readonly number[], stored: ManagedColumn | null) {
    this.bound = bound;
    this.#host = host;
    this.#shape = shape;
    this.#stored = stored;
    this.#cells = stored === null ? this.#noCells() : null;
  }

  // deno-lint-ignore require-yield
  *shapes(rows: Rows): Plan<ShapeRun[]> {
    return [{ count: rows.length, shape: this.#shape }];
  }

  read(rows: Rows, shape: readonly number[], box: Box | null, target: CellTarget, at: number): Plan<void> {
    return (this.#cells ?? this.#stored!).read(rows, shape, box, target, at);
  }

  *write(rows: Rows, shape: readonly number[], box: Box | null, source: CellSource, at: number): Plan<void> {
    checkFixedShape(this.bound, shape);
    const cells = yield* this.#loaded();
    this.#host.touched();
    yield* cells.write(rows, shape, box, source, at);
  }

  *setShape(rows: Rows, shape: readonly number[] | null): Plan<void> {
    checkSettable(this.bound, shape);
    const cells = yield* this.#loaded();
    this.#host.touched();
    yield* cells.setShape(rows, this.#shape);
  }

  /** Plan: takes the values into memory. */
  *load(): Plan<void> {
    yield* this.#loaded();
  }

  /** Rows that stay move up; the column is in memory. */
  removeRows(rows: Rows): void {
    this.#cells!.removeRows(new Removal(rows));
  }

  /** Tells that the values are in the file again. */
  settle(stored: ManagedColumn): void {
    this.#stored = stored;
    this.#cells = null;
  }

  #noCells(): FixedCells | FreeCells {
    const bound = { ...this.bound, shape: this.#shape };
    return isNumeric(this.bound.dtype) ? new FixedCells(bound, 0) : new FreeCells(bound);
  }

  *#loaded(): Plan<FixedCells | FreeCells> {
    if (this.#cells !== null) return this.#cells;
    const cells = this.#noCells();
    for (const rows of this.#blocks()) {
      const source = yield* this.#values(rows);
      yield* cells.write(rows, this.#shape, null, source, 0);
    }
    return this.#cells = cells;
  }

  /** All rows, some at a time: in multiples of 8, so that bits fill bytes. */
  *#blocks(): Generator<Rows> {
    const { dtype } = this.bound, elements = elementsOf(this.#shape);
    const size = Math.max(1, elements * (isNumeric(dtype) ? numericInfo(dtype).size : STRING_BYTES));
    const each = 8 * Math.max(1, Math.floor(BLOCK_BYTES / (8 * size)));
    for (let row = 0; row < this.#host.rowCount; row += each) {
      yield rowRange(row, Math.min(each, this.#host.rowCount - row));
    }
  }

  *#values(rows: Rows): Plan<CellSource> {
    const { dtype } = this.bound, count = rows.length * elementsOf(this.#shape);
    if (isNumeric(dtype)) {
      const bytes = new Uint8Array(count * numericInfo(dtype).size);
      yield* this.read(rows, this.#shape, null, { kind: "numeric", bytes }, 0);
      return { kind: "numeric", bytes };
    }
    const values = new Array<Uint8Array>(count);
    const decode = (bytes: Uint8Array) => bytes.slice();
    yield* this.read(rows, this.#shape, null, { kind: "strings", values, decode }, 0);
    return { kind: "strings", values };
  }

  /** Plan: appends the column's object: one chunk of all rows. @throws TableError LIMIT */
  *encode(writer: AipsWriter): Plan<void> {
    const { rowCount } = this.#host, { dtype } = this.bound;
    const array = this.bound.kind === "array", elements = elementsOf(this.#shape);
    if (array) writer.begin(DIRECT_TYPE, 2);
    writer.begin(SCALAR_TYPE, 2);
    writer.u32(rowCount);
    if (rowCount > 0) {
      writer.u32(rowCount);
      writer.u32(rowCount * elements % 2 ** 32);
    }
    for (const rows of this.#blocks()) {
      const source = yield* this.#values(rows);
      if (source.kind === "strings") { for (const value of source.values) writer.string(value); }
      else writer.bytes(storedBytes(dtype as NumericType, source.bytes, array ? elements : null));
      checkFileBytes(writer.length, this.bound);
    }
    writer.end();
    if (array) writer.end();
  }
}

/** Values as the file has them, big endian. Bits of each cell of `elements` start with a byte; null: those of all cells follow each other. */
function storedBytes(dtype: NumericType, bytes: Uint8Array, elements: number | null): Uint8Array {
  if (dtype !== "bool") {
    const { swapUnit } = unitOf(dtype, true);
    if (swapUnit > 1) kernels().swap(bytes, swapUnit as 2 | 4 | 8);
    return bytes;
  }
  const each = elements ?? bytes.length;
  if (each === 0) return bytes;
  const cell = packedBytes("bool", each), cells = bytes.length / each;
  const packed = new Uint8Array(cells * cell);
  for (let i = 0; i < cells; i++) {
    kernels().packBits(bytes.subarray(i * each, (i + 1) * each), packed, i * cell * 8, each);
  }
  return packed;
}

/** An AipsIO object has at most this many bytes. */
export const MOST_BYTES = 2 ** 32 - 1;

/** @throws TableError LIMIT for a file that is larger than its format can say */
export function checkFileBytes(bytes: number, { name }: BoundColumn): void {
  if (bytes <= MOST_BYTES) return;
  throw new TableError(
    "LIMIT",
    `a file of StManAipsIO has at most ${MOST_BYTES} bytes, column ${name} takes it to ${bytes}`,
  );
}
