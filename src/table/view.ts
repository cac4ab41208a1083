/**
 * Views: a column's values where they are in its file, without a copy.
 */
import {
  type DType,
  isNumeric,
  type NumericData,
  numericInfo,
  type NumericType,
  viewOf,
} from "../array/dtype.ts";
import { elementsOf } from "../array/rows.ts";
import { TableError } from "../error.ts";
import { runSync } from "../io/drivers.ts";
import type { MappedRange } from "../io/mapped-range.ts";
import type { BodyColumn, TableBody } from "./body.ts";
import { PlainBody } from "./plain.ts";
import { cellShapes } from "./read.ts";
import { rowsOf } from "./selection.ts";

/** Options of {@linkcode Column.view}. */
export interface ViewOptions<D extends DType = DType> {
  /** Rows from `start` to `end` (exclusive); all of them unless told otherwise. */
  readonly rows?: { readonly start?: number; readonly end?: number };
  /** The data type expected: checked, and it narrows the type of the view. */
  readonly dtype?: D;
}

/**
 * Values of a column in mapped memory: an array that is the file.
 *
 * What is seen is what the file holds when a page of it is first looked at, or anything that is written to it later: also
 * what another process has written and not committed yet. `stale` says whether that may be. Writing to `data` changes
 * memory only: the page that is written to is no longer the file's.
 *
 * When a file becomes shorter under a view, what was there reads as zeros, and the next call of the table, or `check`,
 * throws IO.
 */
export interface ColumnView<D extends NumericType = NumericType> extends Disposable {
  /** Element type. */
  readonly dtype: D;
  /** The shape of a cell, and the number of rows. */
  readonly shape: readonly number[];
  /** The values, first axis fastest; of length 0 once the view or its table is closed. */
  readonly data: NumericData<D>;
  /**
   * True when the table was changed since the view was made, here or elsewhere, or is being changed: the values may be
   * others, or those of a file that the table no longer has. Not known of others with `lock: "none"`.
   *
   * @throws TableError CLOSED, IO
   */
  readonly stale: boolean;
  /**
   * Makes sure that nothing of the view was lost.
   *
   * @throws TableError IO when a part of it was, because the file became shorter; CLOSED
   */
  check(): void;
  /** Gives the memory back: `data`, and every array on its buffer, has length 0 from then on. Once is enough. */
  close(): void;
}

class FileView<D extends NumericType> implements ColumnView<D> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: NumericData<D>;
  readonly #body: PlainBody;
  readonly #range: MappedRange | null;
  readonly #seen: Uint8Array;

  constructor(dtype: D, shape: readonly number[], body: PlainBody, range: MappedRange | null) {
    const bytes = range?.bytes ?? new Uint8Array(0);
    this.dtype = dtype;
    this.shape = shape;
    this.data = viewOf(dtype, bytes.buffer, bytes.byteOffset, bytes.length / numericInfo(dtype).size);
    this.#body = body;
    this.#range = range;
    this.#seen = body.sharing.seen;
  }

  get stale(): boolean {
    this.#open();
    return this.#body.changed || !sameBytes(this.#body.sharing.seen, this.#seen) || this.#body.moved();
  }

  check(): void {
    this.#open();
    this.#body.check();
  }

  #open(): void {
    if (this.#range === null || this.#range.bytes.length > 0) return;
    throw new TableError("CLOSED", "the view is closed, or its buffer was moved away", {
      file: this.#body.path,
    });
  }

  close(): void {
    this.#range?.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** How often a view is made anew because others changed the table meanwhile. */
const MAX_TRIES = 30;

/** What {@linkcode Column.view} does. */
export function viewColumn<D extends NumericType>(
  column: () => BodyColumn,
  body: TableBody,
  options: ViewOptions<D>,
): ColumnView<D> {
  for (let tries = 1;; tries++) {
    let view: ColumnView<D> | undefined;
    try {
      view = tryView(column(), body, options);
      body.check();
      if (!body.moved()) return view;
    } catch (error) {
      if (!body.moved() || tries >= MAX_TRIES) throw error;
    }
    view?.close();
    if (tries >= MAX_TRIES) {
      throw new TableError("LOCKED", `the table changed ${tries} times while a view was made`, {
        file: body.path,
      });
    }
    body.refresh();
  }
}

function tryView<D extends NumericType>(
  column: BodyColumn,
  body: TableBody,
  options: ViewOptions<D>,
): ColumnView<D> {
  const { name, dtype } = column.bound;
  const no = (reason: string, place: { file?: string; offset?: number } = {}): never => {
    throw new TableError("UNSUPPORTED", `column ${name} can't be viewed: ${reason}`, {
      file: body.path,
      ...place,
    });
  };
  if (options.dtype !== undefined && options.dtype !== dtype) {
    throw new TableError("TYPE_MISMATCH", `column ${name} is ${dtype}, asked for ${options.dtype}`);
  }
  if (!isNumeric(dtype)) return no(`values of type ${dtype} are not of one size`);
  if (!(body instanceof PlainBody)) return no("its rows are rows of other tables; view the columns of those");
  const rows = rowsOf(rangeOf(options.rows), body.rowCount), count = rows.length;
  const managed = runSync(column.open(), body.access);
  const [run, other] = runSync(cellShapes(managed, rows), body.access);
  if (run === undefined) {
    const shape = column.bound.kind === "array" ? column.bound.shape ?? [0] : [];
    return new FileView(dtype as D, [...shape, 0], body, null);
  }
  if (other !== undefined) {
    return no(`the cells of rows ${rows.at(run.count - 1)} and ${rows.at(run.count)} have different shapes`);
  }
  if (run.shape === null) return no("its cells are undefined");
  if (managed.place === undefined) {
    return no(`${column.manager.type} doesn't keep values as an array has them`);
  }
  const place = runSync(managed.place(rows), body.access);
  if (typeof place === "string") return no(place);
  const { size, swapUnit } = numericInfo(dtype), { file, offset } = place;
  if (offset % swapUnit !== 0) {
    return no(`its values begin at a byte that is no multiple of ${swapUnit}`, {
      file: body.access.pathOf(file),
      offset,
    });
  }
  if (body.access.map === undefined) return no("the table's files are parts of one container");
  const length = elementsOf(run.shape) * count * size;
  const range = body.access.map(file, offset, length);
  try {
    return new FileView(dtype as D, [...run.shape, count], body, range);
  } catch (cause) {
    range.close();
    if (!(cause instanceof RangeError)) throw cause;
    throw new TableError("LIMIT", `column ${name}: no array has ${length} bytes of ${dtype}`, { cause });
  }
}

function rangeOf(rows: ViewOptions["rows"]): { start?: number; end?: number } | undefined {
  if (rows === undefined) return undefined;
  const step = (rows as { step?: unknown }).step;
  if ("length" in rows || (step !== undefined && step !== 1)) {
    throw new TableError("INVALID_ARGUMENT", "a view is of consecutive rows: expected { start, end }");
  }
  const { start, end } = rows;
  return { ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }) };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || (a.length === b.length && a.every((byte, i) => byte === b[i]));
}
