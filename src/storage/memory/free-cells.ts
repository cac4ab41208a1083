/** Cells in memory that each stand by themselves: strings, arrays of any shape, records. */
import { isNumeric, numericInfo } from "../../array/dtype.ts";
import { type Box, elementsOf, type Rows, sameShape } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import type { Plan } from "../../io/plan.ts";
import type { BoundColumn, CellSource, CellTarget, ManagedColumn, ShapeRun } from "../manager.ts";
import { boxRuns } from "../../array/box-runs.ts";
import { Kept } from "./kept.ts";
import type { Removal } from "./removal.ts";

/** A cell's shape and values: bytes of numbers, or the bytes of each string. */
type Held =
  | { readonly shape: readonly number[]; readonly bytes: Uint8Array }
  | { readonly shape: readonly number[]; readonly strings: Uint8Array[] };

function copied(held: Held): Held {
  return "bytes" in held ? { ...held, bytes: held.bytes.slice() } : { ...held, strings: [...held.strings] };
}

const EMPTY = new Uint8Array(0);

/** A column of cells with a shape each; those that nobody wrote are undefined, or empty where the shape is fixed. */
export class FreeCells implements ManagedColumn {
  readonly #bound: BoundColumn;
  /** Bytes of a value, 0 for strings. */
  readonly #size: number;
  /** Shape of every cell; null if they have their own. */
  readonly #shape: readonly number[] | null;
  readonly #cells = new Kept(copied);

  constructor(bound: BoundColumn) {
    const { kind, dtype, shape } = bound;
    this.#bound = bound;
    // The bytes of a record are an array of them.
    this.#size = kind === "record" ? 1 : isNumeric(dtype) ? numericInfo(dtype).size : 0;
    this.#shape = kind === "scalar" ? [] : kind === "array" ? shape : null;
  }

  // deno-lint-ignore require-yield
  *shapes(rows: Rows): Plan<ShapeRun[]> {
    if (this.#shape !== null) return [{ count: rows.length, shape: this.#shape }];
    const runs: { count: number; shape: readonly number[] | null }[] = [];
    for (let i = 0; i < rows.length; i++) {
      const shape = this.#cells.get(rows.at(i))?.shape ?? null, last = runs.at(-1);
      const same = last !== undefined &&
        (shape === null || last.shape === null ? shape === last.shape : sameShape(shape, last.shape));
      if (same) last.count++;
      else runs.push({ count: 1, shape });
    }
    return runs;
  }

  // deno-lint-ignore require-yield
  *read(rows: Rows, shape: readonly number[], box: Box | null, target: CellTarget, at: number): Plan<void> {
    const each = elementsOf(box?.shape ?? shape), size = this.#size;
    for (let i = 0, to = at; i < rows.length; i++, to += each) {
      const held = this.#cells.get(rows.at(i)) ?? this.#new(shape);
      boxRuns(shape, box, (inCell, inBox, count) => {
        const place = to + inBox;
        if ("bytes" in held && target.kind === "numeric") {
          target.bytes.set(held.bytes.subarray(inCell * size, (inCell + count) * size), place * size);
        } else if ("strings" in held && target.kind === "strings") {
          for (let k = 0; k < count; k++) target.values[place + k] = target.decode(held.strings[inCell + k]!);
        }
      });
    }
  }

  // deno-lint-ignore require-yield
  *write(rows: Rows, shape: readonly number[], box: Box | null, source: CellSource, at: number): Plan<void> {
    this.#checkShape(shape);
    const each = elementsOf(box?.shape ?? shape), size = this.#size;
    for (let i = 0, from = at; i < rows.length; i++, from += each) {
      const held = this.#held(rows.at(i), shape);
      boxRuns(shape, box, (inCell, inBox, count) => {
        const place = from + inBox;
        if ("bytes" in held && source.kind === "numeric") {
          held.bytes.set(source.bytes.subarray(place * size, (place + count) * size), inCell * size);
        } else if ("strings" in held && source.kind === "strings") {
          for (let k = 0; k < count; k++) held.strings[inCell + k] = source.values[place + k]!.slice();
        }
      });
    }
  }

  // deno-lint-ignore require-yield
  *setShape(rows: Rows, shape: readonly number[] | null): Plan<void> {
    this.#checkShape(shape);
    for (let i = 0; i < rows.length; i++) {
      if (shape === null) this.#cells.delete(rows.at(i));
      else this.#cells.set(rows.at(i), this.#new(shape));
    }
  }

  /** Rows that stay move up. */
  removeRows(removal: Removal): void {
    const cells = new Map<number, Held>();
    for (const [row, held] of this.#cells.entries()) {
      const moved = removal.moved(row);
      if (moved !== undefined) cells.set(moved, copied(held));
    }
    this.#cells.replaceAll(cells);
  }

  keep(): void {
    this.#cells.keep();
  }

  restore(): void {
    this.#cells.restore();
  }

  /** The cell of a row, made anew when it has another shape. */
  #held(row: number, shape: readonly number[]): Held {
    let held = this.#cells.changing(row);
    if (held === undefined || !sameShape(held.shape, shape)) {
      held = this.#new(shape);
      this.#cells.set(row, held);
    }
    return held;
  }

  #new(shape: readonly number[]): Held {
    const elements = elementsOf(shape);
    return this.#size > 0
      ? { shape: [...shape], bytes: new Uint8Array(elements * this.#size) }
      : { shape: [...shape], strings: new Array<Uint8Array>(elements).fill(EMPTY) };
  }

  #checkShape(shape: readonly number[] | null): void {
    const fixed = this.#shape, { name } = this.#bound;
    if (fixed === null) return;
    if (shape === null) {
      throw new TableError(
        "INVALID_ARGUMENT",
        `column ${name}: cells of a fixed shape can't be made undefined`,
      );
    }
    if (sameShape(shape, fixed)) return;
    throw new TableError(
      "SHAPE_MISMATCH",
      `column ${name} has cells of shape [${fixed.join(", ")}], shape [${shape.join(", ")}] given`,
    );
  }
}
