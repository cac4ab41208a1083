/**
 * Checks a column by reading every cell of it, a bounded number of bytes at a time: what is left to do where a manager
 * has no check of its own. Where reading fails, the rows are halved until it is known which one it is.
 */
import { isNumeric, numericInfo } from "../array/dtype.ts";
import { type Box, elementsOf, rowRange } from "../array/rows.ts";
import { TableError } from "../error.ts";
import type { Plan } from "../io/plan.ts";
import type { Findings } from "./findings.ts";
import type { BoundColumn, CellTarget, ManagedColumn } from "./manager.ts";

/** Rows and bytes of values that are read in one go. */
const BLOCK_ROWS = 1 << 14, BLOCK_BYTES = 4 * 1024 * 1024;
/** Memory that a string is reckoned with. */
const STRING_BYTES = 8;
/** Findings of one column; a file that is missing makes every cell wrong. */
const MOST_OF_COLUMN = 5;

/** What to check. */
export interface CheckedColumn {
  readonly bound: BoundColumn;
  readonly column: ManagedColumn;
  readonly rowCount: number;
  /** The file that is named where an error names none. */
  readonly path: string;
  /** Looks at the bytes of a numeric cell, and throws a TableError for what is wrong with them. */
  readonly look?: (bytes: Uint8Array, row: number) => void;
}

/** Plan: reads every cell. */
export function* checkCells(checked: CheckedColumn, findings: Findings): Plan<void> {
  const reader = new Reader(checked, findings);
  for (let start = 0; start < checked.rowCount && !reader.done; start += BLOCK_ROWS) {
    yield* reader.rows(start, Math.min(BLOCK_ROWS, checked.rowCount - start));
  }
}

class Reader {
  readonly #checked: CheckedColumn;
  readonly #findings: Findings;
  readonly #seen = new Set<string>();
  /** Memory for values, which nobody looks at again. */
  #bytes = new Uint8Array(0);
  #failures = 0;

  constructor(checked: CheckedColumn, findings: Findings) {
    this.#checked = checked;
    this.#findings = findings;
  }

  /** True when there is enough to tell. */
  get done(): boolean {
    return this.#failures >= MOST_OF_COLUMN || this.#findings.full;
  }

  /** Plan: reads some rows. */
  *rows(start: number, count: number): Plan<void> {
    if (this.done) return;
    try {
      yield* this.#read(start, count);
    } catch (error) {
      if (!(error instanceof TableError)) throw error;
      if (error.code === "UNSUPPORTED" && this.#checked.look === undefined) return this.#refused(error);
      if (count === 1) return this.#failed(error, start);
      const half = count >>> 1;
      yield* this.rows(start, half);
      yield* this.rows(start + half, count - half);
    }
  }

  #refused({ code, file, offset, reason }: TableError): void {
    const { bound, path } = this.#checked;
    this.#failures = MOST_OF_COLUMN;
    const message = `column ${bound.name} is not checked: ${reason}`;
    this.#findings.add({ code, file: file ?? path, offset, message, note: true });
  }

  #failed({ code, file, offset, reason }: TableError, row: number): void {
    const { bound, path } = this.#checked;
    this.#failures++;
    const what = `${file} ${offset} ${reason}`;
    if (this.#seen.has(what)) return;
    this.#seen.add(what);
    const message = `column ${bound.name}, row ${row}: ${reason}`;
    this.#findings.add({ code, file: file ?? path, offset, message, note: false });
  }

  *#read(start: number, count: number): Plan<void> {
    const { column, bound } = this.#checked;
    const rows = rowRange(start, count);
    const size = isNumeric(bound.dtype)
      ? numericInfo(bound.dtype).size
      : bound.dtype === "record"
      ? 1
      : STRING_BYTES;
    let index = 0;
    for (const { count: inRun, shape } of yield* column.shapes(rows)) {
      const elements = shape === null ? 0 : elementsOf(shape);
      const most = Math.max(1, Math.floor(BLOCK_BYTES / Math.max(1, elements * size)));
      for (let done = 0; done < inRun && elements > 0; done += most) {
        const first = index + done, n = Math.min(most, inRun - done);
        // Whoever looks at a cell wants all of it.
        const boxes = this.#checked.look === undefined ? boxesOf(shape!, BLOCK_BYTES / size) : [null];
        for (const box of boxes) {
          const each = box === null ? elements : elementsOf(box.shape);
          const target = this.#target(n * each, size);
          yield* column.read(rows.sub(first, first + n), shape!, box, target, 0);
          this.#look(target, start + first, n, each);
        }
      }
      index += inRun;
    }
  }

  #target(elements: number, size: number): CellTarget {
    if (this.#checked.bound.dtype === "string") {
      return { kind: "strings", values: new Array(elements), decode: () => null };
    }
    if (this.#bytes.length < elements * size) {
      this.#bytes = new Uint8Array(Math.max(elements * size, Math.min(BLOCK_BYTES, 2 * this.#bytes.length)));
    }
    return { kind: "numeric", bytes: this.#bytes.subarray(0, elements * size) };
  }

  #look(target: CellTarget, row: number, count: number, each: number): void {
    const { look } = this.#checked;
    if (look === undefined || target.kind !== "numeric") return;
    for (let i = 0; i < count; i++) look(target.bytes.subarray(i * each, (i + 1) * each), row + i);
  }
}

/** Boxes of at most `most` elements (of one at least) that make up a cell; null for a cell that is small enough. */
function* boxesOf(shape: readonly number[], most: number): Generator<Box | null> {
  if (elementsOf(shape) <= most) return yield null;
  // From the first axis on as long as it fits; the axis after that is cut, and those behind are taken one by one.
  const block = shape.slice();
  let inner = 1;
  for (const [axis, length] of shape.entries()) {
    block[axis] = Math.max(1, Math.min(length, Math.floor(most / inner)));
    inner *= block[axis]!;
  }
  const start = shape.map(() => 0), step = shape.map(() => 1);
  for (;;) {
    yield {
      start: start.slice(),
      step,
      shape: shape.map((length, axis) => Math.min(block[axis]!, length - start[axis]!)),
    };
    let axis = 0;
    for (; axis < shape.length; axis++) {
      start[axis]! += block[axis]!;
      if (start[axis]! < shape[axis]!) break;
      start[axis] = 0;
    }
    if (axis === shape.length) return;
  }
}
