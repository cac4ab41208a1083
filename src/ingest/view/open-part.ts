/**
 * A part of a store, opened: which of its rows count, and their sequence numbers.
 */
import type { NDArray } from "../../array/ndarray.ts";
import { scalarAt } from "../../table/read.ts";
import type { RowSelection } from "../../table/selection.ts";
import type { Table } from "../../table/table.ts";
import { SEQUENCE_COLUMN } from "../schema.ts";
import { growingTable } from "./growing-table.ts";
import { type HeldTable, isGapless, type Part, type StateSource, type StoreState } from "./state.ts";

/** Rows of a table, ascending unless something else is said. */
export type RowNumbers = readonly number[];

/** A part whose table is open until {@linkcode OpenPart.release}. */
export class OpenPart implements HeldTable {
  readonly part: Part;
  readonly table: Table;
  readonly #release: () => void;

  private constructor(part: Part, table: Table, release: () => void) {
    this.part = part;
    this.table = table;
    this.#release = release;
  }

  /** @throws TableError NOT_FOUND when the part's segment went meanwhile; others of opening tables */
  static of(source: StateSource, state: StoreState, part: Part): OpenPart {
    if (part.entry !== null) {
      const held = source.openSegment(part.entry);
      return new OpenPart(part, held.table, () => held.release());
    }
    const { schema, path } = source;
    const table = growingTable(schema, path, state.visible.logs, part.firstSequence, part.rows);
    return new OpenPart(part, table, () => table.close());
  }

  release(): void {
    this.#release();
  }

  [Symbol.dispose](): void {
    this.#release();
  }

  /** Sequence numbers of rows. */
  sequences(rows: { readonly start: number; readonly end: number } | RowNumbers): Float64Array<ArrayBuffer> {
    const { part } = this;
    if (isGapless(part)) {
      if ("start" in rows) {
        const found = new Float64Array(rows.end - rows.start), first = part.firstSequence + rows.start;
        for (let i = 0; i < found.length; i++) found[i] = first + i;
        return found;
      }
      return Float64Array.from(rows, (row) => part.firstSequence + row);
    }
    const { data } = this.table.getColumn(SEQUENCE_COLUMN, { rows: rows as RowSelection, dtype: "int64" });
    return Float64Array.from(data as BigInt64Array, Number);
  }

  /** The first row with that sequence number or a higher one, of a part whose rows ascend. Takes O(log n) reads. */
  firstRow(sequence: number): number {
    const { part } = this;
    if (sequence <= part.firstSequence) return 0;
    if (sequence >= part.endSequence) return part.rows;
    if (isGapless(part)) return sequence - part.firstSequence;
    let low = 0, high = part.rows;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (Number(this.table.getCell(SEQUENCE_COLUMN, middle)) < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Of the rows `start` to `end`, those with sequence numbers in [from, to) that no deletion concerns; null: all of them.
   */
  live(start: number, end: number, from = 0, to = Infinity): RowNumbers | null {
    const { part } = this, rows = { start, end };
    const isWithin = from <= part.firstSequence && to >= part.endSequence;
    if (part.deletions.length === 0 && isWithin) return null;
    const sequences = this.sequences(rows), dead = new Uint8Array(end - start);
    for (const deletion of part.deletions) {
      const { dtype, data } = this.table.getColumn(deletion.column, { rows }) as NDArray;
      for (let i = 0; i < dead.length; i++) {
        const value = Number(scalarAt(dtype, data, i));
        if (value >= deletion.from && value < deletion.to && sequences[i]! < deletion.before) dead[i] = 1;
      }
    }
    const found: number[] = [];
    for (let i = 0; i < dead.length; i++) {
      if (!dead[i] && sequences[i]! >= from && sequences[i]! < to) found.push(start + i);
    }
    return found.length === dead.length ? null : found;
  }
}
