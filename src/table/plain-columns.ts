/**
 * The storage managers and columns of a plain table, as its `table.dat` describes them.
 */
import { TableError } from "../error.ts";
import type { PlainTableDat } from "../format/table-dat.ts";
import type { StorageManager } from "../storage/manager.ts";
import {
  boundColumn,
  type ContextOf,
  type KeywordOptions,
  ManagerSlot,
  PlainColumn,
} from "./manager-slot.ts";

/** What columns are told about their table. */
export interface ColumnsOf extends KeywordOptions {
  /** Path of `table.dat`, for messages. */
  readonly file: string;
  /** What a manager is told when it is opened. */
  readonly context: ContextOf;
}

/** Managers and columns. */
export interface PlainColumns {
  readonly slots: readonly ManagerSlot[];
  readonly columns: readonly PlainColumn[];
}

/** What was there before columns came or went. */
export interface Before extends PlainColumns {
  /** Old names of columns that have another one now, by the new. */
  readonly renamed?: ReadonlyMap<string, string>;
}

/**
 * Places for the managers, and the columns. `made` are managers that were just made, by sequence number; others are opened
 * when they are needed. Columns and places that were there `before` stay the same objects, with the managers open
 * in them; what is left of them is nobody's.
 *
 * @throws TableError CORRUPT for a column of a manager that isn't there
 */
export function plainColumns(
  { desc, columnSet }: PlainTableDat,
  of: ColumnsOf,
  made: ReadonlyMap<number, StorageManager>,
  before: Before = { slots: [], columns: [] },
): PlainColumns {
  const types = new Map(columnSet.managers.map(({ sequence, type }) => [sequence, type]));
  const bound = desc.columns.map((column, i) =>
    boundColumn(column, columnSet, i, types.get(columnSet.columns[i]!.sequence))
  );
  const numbers = new Map(columnSet.managers.map(({ sequence }) => [sequence, [] as number[]]));
  columnSet.columns.forEach(({ sequence }, i) => numbers.get(sequence)?.push(i));
  const oldSlots = new Map(before.slots.map((slot) => [slot.entry.sequence, slot]));
  const oldColumns = new Map(before.columns.map((column) => [column.bound.name, column]));
  const slots = columnSet.managers.map((entry) => {
    const columns = numbers.get(entry.sequence)!.map((index) => bound[index]!);
    const old = oldSlots.get(entry.sequence);
    if (old === undefined || old.entry.type !== entry.type) {
      return new ManagerSlot(entry, columns, of.context, made.get(entry.sequence) ?? null);
    }
    old.describe(columns);
    return old;
  });
  const bySequence = new Map(slots.map((slot) => [slot.entry.sequence, slot]));
  const columns = desc.columns.map((description, i) => {
    const { sequence } = columnSet.columns[i]!;
    const slot = bySequence.get(sequence);
    if (slot === undefined) {
      throw new TableError(
        "CORRUPT",
        `column ${description.name} is held by manager ${sequence}, which is not there`,
        { file: of.file },
      );
    }
    const place = { bound: bound[i]!, description, slot, index: numbers.get(sequence)!.indexOf(i) };
    const old = oldColumns.get(before.renamed?.get(description.name) ?? description.name);
    if (old === undefined) return new PlainColumn(place, of);
    old.move(place);
    return old;
  });
  for (const slot of before.slots) if (!slots.includes(slot)) slot.retire();
  for (const column of before.columns) if (!columns.includes(column)) column.retire();
  return { slots, columns };
}
