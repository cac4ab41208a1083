/**
 * Values of a column as they lie in a batch, and back.
 *
 * | encoding | bytes |
 * | --- | --- |
 * | `fixed`: numbers, scalars or of a fixed shape | the elements of all rows, first axis fastest; bool 0 or 1; complex re, im |
 * | `strings`: scalars or of a fixed shape | a text block of rows × elements texts |
 * | `cells`: arrays of free shape | i32 a row: axes, -1 for an undefined cell; u32 each: lengths of the axes of all rows; zeros to a multiple of 8; the elements of all rows, or a text block of them |
 *
 * A text block of n texts is n + 1 offsets (u32, from the first text, which begins at 0) and the texts in UTF-8 behind
 * each other.
 */
import { kernels } from "../../array/choose.ts";
import { isNumeric, numericInfo, type NumericType, viewOf } from "../../array/dtype.ts";
import type { DataOf, NDArray } from "../../array/ndarray.ts";
import { elementsOf, sameShape } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import { decodeText, type StringPolicy, type TextOf } from "../../format/strings.ts";
import type { DType } from "../../array/dtype.ts";
import { type Cell, scalarAt } from "../../table/read.ts";
import { type ColumnValues, prepareValues } from "../../table/values.ts";
import type { IngestColumn } from "../schema.ts";
import { MAX_BATCH_BYTES, MAX_BATCH_ROWS, roundUp } from "./format.ts";

/** Values of a column as `append` takes them: as `Table.append`, or cells as `Table.getCells` gives them. */
export type IngestValues = ColumnValues | readonly Cell[];

/** What `append` takes: values by column. Columns that are left out get 0, "" or undefined cells. */
export type IngestRows = Readonly<Record<string, IngestValues>>;

/** Most axes of a cell. */
const MAX_AXES = 64;
/** Where the elements of `cells` begin: multiple of bytes. */
const ELEMENTS_ALIGNMENT = 8;

/** Values that were checked, and the bytes that they take. */
export interface ColumnPlan {
  readonly rows: number;
  readonly bytes: number;
  /**
   * Writes them into `target`, which has that many bytes, each of which is written.
   *
   * @throws TableError INVALID_ARGUMENT when their memory was moved away or changed its length since they were checked
   */
  write(target: Uint8Array): void;
}

function mismatch(column: IngestColumn, reason: string): never {
  throw new TableError("SHAPE_MISMATCH", `column ${column.name}: ${reason}`);
}

function typeMismatch(column: IngestColumn, reason: string): never {
  throw new TableError("TYPE_MISMATCH", `column ${column.name}: ${reason}`);
}

function isArray(value: unknown): value is NDArray {
  return typeof value === "object" && value !== null && "dtype" in value && "shape" in value &&
    "data" in value;
}

/** True for a list with an entry a cell. */
function isCells(values: IngestValues): values is readonly Cell[] {
  return Array.isArray(values) && values.some((value) => value === null || isArray(value));
}

/** Elements of one type, ready to be written. */
type Elements =
  | { readonly kind: "numeric"; readonly bytes: Uint8Array; readonly length: number; readonly count: number }
  | { readonly kind: "strings"; readonly texts: readonly Uint8Array[]; readonly count: number };

function prepared(
  column: IngestColumn,
  values: IngestValues,
): { elements: Elements; shape: readonly number[] | null } {
  const { source, elements: count, shape } = prepareValues({ bound: column }, values as ColumnValues, "utf8");
  return {
    elements: source.kind === "numeric"
      ? { kind: "numeric", bytes: source.bytes, length: source.bytes.length, count }
      : { kind: "strings", texts: source.values as readonly Uint8Array[], count },
    shape,
  };
}

/** Bytes that elements take, in pieces that follow each other; texts of all pieces are one block. */
function elementBytes(pieces: readonly Elements[]): number {
  let bytes = 0, texts = 0;
  for (const piece of pieces) {
    if (piece.kind === "numeric") bytes += piece.length;
    else {
      texts += piece.count;
      for (const text of piece.texts) bytes += text.length;
    }
  }
  return pieces[0]?.kind === "strings" ? bytes + 4 * (texts + 1) : bytes;
}

function writeElements(column: IngestColumn, pieces: readonly Elements[], target: Uint8Array): void {
  if (isNumeric(column.dtype)) {
    let at = 0;
    for (const piece of pieces) {
      if (piece.kind !== "numeric") continue;
      if (piece.bytes.length !== piece.length) {
        throw new TableError(
          "INVALID_ARGUMENT",
          `column ${column.name}: the values had ${piece.length} bytes, now ${piece.bytes.length}: they were moved away`,
        );
      }
      if (column.dtype === "bool") writeBools(piece.bytes, target.subarray(at, at + piece.length));
      else target.set(piece.bytes, at);
      at += piece.length;
    }
    return;
  }
  let count = 0;
  for (const piece of pieces) count += piece.count;
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength), first = 4 * (count + 1);
  let entry = 0, at = 0;
  for (const piece of pieces) {
    if (piece.kind !== "strings") continue;
    for (const text of piece.texts) {
      view.setUint32(entry, at, true);
      target.set(text, first + at);
      entry += 4;
      at += text.length;
    }
  }
  view.setUint32(entry, at, true);
}

/** Anything but 0 is true, as where tables keep bits; to make 0 and 1 of it there are loops that know bits. */
function writeBools(source: Uint8Array, target: Uint8Array): void {
  const bits = new Uint8Array(Math.ceil(source.length / 8)), loops = kernels();
  loops.packBits(source, bits, 0, source.length);
  loops.unpackBits(bits, 0, target, source.length);
}

/** Checks values of a column and says what they take. @throws TableError TYPE_MISMATCH, SHAPE_MISMATCH, OUT_OF_RANGE, LIMIT */
export function planColumn(column: IngestColumn, values: IngestValues): ColumnPlan {
  const plan = column.encoding === "cells"
    ? planCells(column, values)
    : column.kind === "array" && isCells(values)
    ? planFixedCells(column, values)
    : planFixed(column, values);
  if (plan.bytes > MAX_BATCH_BYTES || plan.rows > MAX_BATCH_ROWS) {
    throw new TableError(
      "LIMIT",
      `column ${column.name}: ${plan.rows} rows of ${plan.bytes} bytes in all, expected at most ${MAX_BATCH_BYTES} bytes`,
    );
  }
  return plan;
}

function planOf(column: IngestColumn, rows: number, pieces: readonly Elements[]): ColumnPlan {
  return { rows, bytes: elementBytes(pieces), write: (target) => writeElements(column, pieces, target) };
}

/** Values of cells of one fixed shape behind each other. */
function planFixed(column: IngestColumn, values: IngestValues): ColumnPlan {
  const { elements, shape } = prepared(column, values), cell = column.shape!;
  const rows = elements.count / column.elements;
  if (shape !== null && !sameShape(shape, [...cell, shape.at(-1) ?? -1])) {
    mismatch(
      column,
      `values of shape [${shape.join(", ")}] given, [${[...cell, "rows"].join(", ")}] expected`,
    );
  }
  if (!Number.isInteger(rows)) {
    mismatch(
      column,
      `${elements.count} elements given, cells of shape [${cell.join(", ")}] take ${column.elements} each`,
    );
  }
  return planOf(column, rows, [elements]);
}

/** An array for each row, of the shape that cells have. */
function planFixedCells(column: IngestColumn, cells: readonly Cell[]): ColumnPlan {
  const cell = column.shape!;
  return planOf(
    column,
    cells.length,
    cells.map((value, i) => {
      if (!isArray(value)) {
        return typeMismatch(column, `cell ${i} is ${value === null ? "undefined" : "no array"}`);
      }
      const { elements, shape } = prepared(column, value);
      if (!sameShape(shape!, cell)) {
        mismatch(column, `cell ${i} has shape [${shape!.join(", ")}], expected [${cell.join(", ")}]`);
      }
      return elements;
    }),
  );
}

function checkShape(column: IngestColumn, shape: readonly number[]): void {
  if (shape.length > MAX_AXES || shape.length === 0 || (column.ndim >= 0 && shape.length !== column.ndim)) {
    const wanted = column.ndim >= 0 ? String(column.ndim) : `1 to ${MAX_AXES}`;
    mismatch(column, `a cell of shape [${shape.join(", ")}] given, ${wanted} axes expected`);
  }
  if (shape.some((length) => !Number.isInteger(length) || length < 0 || length > 2 ** 31 - 1)) {
    mismatch(column, `[${shape.join(", ")}] is no shape`);
  }
}

/** Cells of free shape: a list of them, or an array whose last axis is the rows. */
function planCells(column: IngestColumn, values: IngestValues): ColumnPlan {
  const shapes: (readonly number[] | null)[] = [], pieces: Elements[] = [];
  if (isArray(values)) {
    const { elements, shape } = prepared(column, values), cell = shape!.slice(0, -1), rows = shape!.at(-1);
    if (rows === undefined) mismatch(column, "an array without axes given, the rows as last axis expected");
    checkShape(column, cell);
    // Rows cost bytes each even where they have no elements: their number is bounded before they are listed.
    if (rows > MAX_BATCH_BYTES / 4) {
      throw new TableError("LIMIT", `column ${column.name}: ${rows} rows given`);
    }
    for (let i = 0; i < rows; i++) shapes.push(cell);
    pieces.push(elements);
  } else if (Array.isArray(values)) {
    values.forEach((value: Cell, i) => {
      if (value === null) return void shapes.push(null);
      if (!isArray(value)) {
        return typeMismatch(column, `cell ${i} is no array: expected { dtype, shape, data }, or null`);
      }
      const { elements, shape } = prepared(column, value);
      checkShape(column, shape!);
      shapes.push(shape);
      pieces.push(elements);
    });
  } else {
    mismatch(
      column,
      "has no fixed shape: give the values as { dtype, shape, data } with the rows as last axis, or a list of cells",
    );
  }
  return planOfCells(column, shapes, pieces);
}

function planOfCells(
  column: IngestColumn,
  shapes: readonly (readonly number[] | null)[],
  pieces: readonly Elements[],
): ColumnPlan {
  const axes = shapes.reduce((sum, shape) => sum + (shape?.length ?? 0), 0);
  const lengthsAt = 4 * shapes.length, elementsAt = roundUp(lengthsAt + 4 * axes, ELEMENTS_ALIGNMENT);
  const texts = column.dtype === "string" && pieces.length === 0 ? 4 : 0;
  const write = (target: Uint8Array): void => {
    const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
    let at = lengthsAt;
    shapes.forEach((shape, row) => {
      view.setInt32(4 * row, shape?.length ?? -1, true);
      for (const length of shape ?? []) {
        view.setUint32(at, length, true);
        at += 4;
      }
    });
    target.fill(0, at, elementsAt);
    writeElements(column, pieces, target.subarray(elementsAt));
  };
  return { rows: shapes.length, bytes: elementsAt + elementBytes(pieces) + texts, write };
}

/** Cells for rows of which a column is left out: 0, "" or undefined. */
export function planDefaults(column: IngestColumn, rows: number): ColumnPlan {
  if (column.encoding === "cells") return planOfCells(column, new Array(rows).fill(null), []);
  const bytes = column.encoding === "fixed" ? rows * column.cellBytes : 4 * (rows * column.elements + 1);
  return { rows, bytes, write: (target) => void target.fill(0) };
}

// ---- and back

/** Where bytes of a log come from, for messages. */
export interface LogPlace {
  readonly file: string;
  /** Bytes from the start of the file. */
  readonly offset: number;
}

function corrupt(column: IngestColumn, reason: string, place: LogPlace | undefined): never {
  throw new TableError("CORRUPT", `column ${column.name}: ${reason}`, place ?? {});
}

/** A typed array of the bytes: a view where their address allows it, else of a copy. */
function numbers(dtype: NumericType, bytes: Uint8Array, elements: number): DataOf<DType> {
  const unit = numericInfo(dtype).size / numericInfo(dtype).items;
  const own = bytes.byteOffset % unit === 0 ? bytes : bytes.slice();
  return viewOf(dtype, own.buffer, own.byteOffset, elements);
}

/**
 * Values of a `fixed` column: rows as last axis, over the bytes themselves where their address allows it.
 *
 * @throws TableError CORRUPT when there are not as many bytes as the rows take
 */
export function decodeFixed(
  column: IngestColumn,
  bytes: Uint8Array,
  rows: number,
  place?: LogPlace,
): NDArray {
  if (bytes.length !== rows * column.cellBytes) {
    corrupt(column, `${bytes.length} bytes, expected ${rows * column.cellBytes} for ${rows} rows`, place);
  }
  const data = numbers(column.dtype as NumericType, bytes, rows * column.elements);
  return { dtype: column.dtype, shape: [...column.shape!, rows], data };
}

/** A text block. @throws TableError CORRUPT */
function texts<P extends StringPolicy>(
  column: IngestColumn,
  bytes: Uint8Array,
  count: number,
  policy: P,
  place: LogPlace | undefined,
): TextOf<P>[] {
  const first = 4 * (count + 1);
  if (first > bytes.length) corrupt(column, `${bytes.length} bytes, expected ${first} or more`, place);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), found: TextOf<P>[] = [];
  let at = view.getUint32(0, true);
  if (at !== 0) corrupt(column, `the first text begins at ${at}, expected 0`, place);
  for (let i = 1; i <= count; i++) {
    const end = view.getUint32(4 * i, true);
    if (end < at || first + end > bytes.length) {
      corrupt(column, `text ${i - 1} ends at ${end}, expected ${at} to ${bytes.length - first}`, place);
    }
    found.push(decodeText(bytes.subarray(first + at, first + end), policy));
    at = end;
  }
  if (first + at !== bytes.length) {
    corrupt(column, `texts end at ${first + at} of ${bytes.length} bytes`, place);
  }
  return found;
}

/** Values of a `strings` column: rows × elements of them. @throws TableError CORRUPT, LIMIT */
export function decodeStrings<P extends StringPolicy>(
  column: IngestColumn,
  bytes: Uint8Array,
  rows: number,
  policy: P,
  place?: LogPlace,
): TextOf<P>[] {
  return texts(column, bytes, rows * column.elements, policy, place);
}

/** The cells of a column of free shape: their shapes, and where their elements begin. */
export class CellBlock {
  readonly rows: number;
  readonly #column: IngestColumn;
  /** Shapes by row. */
  readonly #shapes: (readonly number[] | null)[] = [];
  /** Elements before each row. */
  readonly #starts: Float64Array;
  readonly #bytes: Uint8Array;
  readonly #place: LogPlace | undefined;
  readonly #elements: number;
  /** Texts by policy, decoded once. */
  #texts: { policy: StringPolicy; values: unknown[] } | null = null;

  /** @throws TableError CORRUPT when the shapes don't fit the bytes */
  constructor(column: IngestColumn, bytes: Uint8Array, rows: number, place?: LogPlace) {
    this.rows = rows;
    this.#column = column;
    this.#place = place;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (4 * rows > bytes.length) corrupt(column, `${bytes.length} bytes for ${rows} cells`, place);
    this.#starts = new Float64Array(rows);
    const most = bytes.length;
    let at = 4 * rows, elements = 0;
    for (let row = 0; row < rows; row++) {
      const ndim = view.getInt32(4 * row, true);
      this.#starts[row] = elements;
      if (ndim === -1) {
        this.#shapes.push(null);
        continue;
      }
      if (ndim < 1 || ndim > MAX_AXES || at + 4 * ndim > bytes.length) {
        corrupt(column, `cell ${row} has ${ndim} axes`, place);
      }
      const shape = Array.from({ length: ndim }, (_, axis) => view.getUint32(at + 4 * axis, true));
      at += 4 * ndim;
      elements += elementsOf(shape);
      if (!(elements <= most)) corrupt(column, `cell ${row} of shape [${shape}] in ${most} bytes`, place);
      this.#shapes.push(shape);
    }
    this.#elements = elements;
    const elementsAt = roundUp(at, ELEMENTS_ALIGNMENT);
    const size = isNumeric(column.dtype) ? numericInfo(column.dtype).size * elements : 4 * (elements + 1);
    const left = bytes.length - elementsAt;
    if (left < size || (isNumeric(column.dtype) && left !== size)) {
      corrupt(column, `${left} bytes for ${elements} elements, expected ${size}`, place);
    }
    this.#bytes = bytes.subarray(elementsAt);
  }

  /** Shape of a cell, null where it is undefined. */
  shape(row: number): readonly number[] | null {
    return this.#shapes[row]!;
  }

  /** Elements of all cells. */
  get elements(): number {
    return this.#elements;
  }

  /** A cell, over the bytes themselves where it can be; null where it is undefined. @throws TableError CORRUPT, LIMIT */
  cell(row: number, policy: StringPolicy): NDArray | null {
    const shape = this.#shapes[row]!, { dtype } = this.#column;
    if (shape === null) return null;
    const start = this.#starts[row]!, count = elementsOf(shape);
    if (isNumeric(dtype)) {
      const { size } = numericInfo(dtype);
      const bytes = this.#bytes.subarray(start * size, (start + count) * size);
      return { dtype, shape, data: numbers(dtype, bytes, count) };
    }
    if (this.#texts?.policy !== policy) {
      const values = texts(this.#column, this.#bytes, this.#elements, policy, this.#place);
      this.#texts = { policy, values };
    }
    return { dtype, shape, data: this.#texts.values.slice(start, start + count) as string[] };
  }
}

/**
 * Cells of a column of any encoding, one a row, as `Table.getCells` gives them.
 *
 * @throws TableError CORRUPT, LIMIT
 */
export function decodeCells(
  column: IngestColumn,
  bytes: Uint8Array,
  rows: number,
  policy: StringPolicy,
  place?: LogPlace,
): Cell[] {
  if (column.encoding === "cells") {
    const block = new CellBlock(column, bytes, rows, place);
    return Array.from({ length: rows }, (_, row) => block.cell(row, policy));
  }
  const { dtype, elements, shape } = column;
  const data = column.encoding === "fixed"
    ? decodeFixed(column, bytes, rows, place).data
    : decodeStrings(column, bytes, rows, policy, place) as string[];
  if (column.kind === "scalar") return Array.from({ length: rows }, (_, row) => scalarAt(dtype, data, row));
  const items = isNumeric(dtype) ? numericInfo(dtype).items * elements : elements;
  return Array.from({ length: rows }, (_, row) => ({
    dtype,
    shape: shape!,
    data: Array.isArray(data)
      ? data.slice(row * items, (row + 1) * items)
      : (data as Uint8Array).subarray(row * items, (row + 1) * items),
  })) as Cell[];
}
