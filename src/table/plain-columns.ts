/**
 * The storage managers and columns of a plain table, as its `table.dat` describes them.
 */
import { TableError } from "../error.ts";
import type { PlainTableDat } from "../format/table-dat.ts";
import { TableRecord } from "../format/table-record.ts";
import type { BoundColumn, ManagerContext, StorageManager } from "../storage/manager.ts";
import { boundColumn, ManagerSlot, PlainColumn } from "./manager-slot.ts";

/** What columns are told about their table. */
export interface ColumnsOf {
  /** Path of `table.dat`, for messages. */
  readonly file: string;
  readonly readOnly: boolean;
  /** Called before a keyword changes. */
  readonly beforeChange: () => void;
  /** What a manager is told when it is opened. */
  context(entry: { type: string; sequence: number }, columns: readonly BoundColumn[]): ManagerContext;
}

/** Managers and columns. */
export interface PlainColumns {
  readonly slots: readonly ManagerSlot[];
  readonly columns: readonly PlainColumn[];
}

/**
 * Places for the managers, none of them open, and the columns. `managers` are those of a new table, null for one that has
 * nothing to be made.
 *
 * @throws TableError CORRUPT for a column of a manager that isn't there
 */
export function plainColumns(
  { desc, columnSet }: PlainTableDat,
  of: ColumnsOf,
  managers: readonly (StorageManager | null)[] | null,
): PlainColumns {
  const types = new Map(columnSet.managers.map(({ sequence, type }) => [sequence, type]));
  const bound = desc.columns.map((column, i) =>
    boundColumn(column, columnSet, i, types.get(columnSet.columns[i]!.sequence))
  );
  const numbers = new Map(columnSet.managers.map(({ sequence }) => [sequence, [] as number[]]));
  columnSet.columns.forEach(({ sequence }, i) => numbers.get(sequence)?.push(i));
  const slots = columnSet.managers.map((entry, i) => {
    const columns = numbers.get(entry.sequence)!.map((index) => bound[index]!);
    return new ManagerSlot(entry, () => of.context(entry, columns), managers?.[i] ?? null);
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
    const keywords = new TableRecord(description.keywords, {
      readOnly: of.readOnly,
      beforeChange: of.beforeChange,
    });
    return new PlainColumn(bound[i]!, description, keywords, slot, numbers.get(sequence)!.indexOf(i));
  });
  return { slots, columns };
}

/** True when two `table.dat` describe the same columns in the same managers: keywords and blobs may differ. */
export function sameColumns(a: PlainTableDat, b: PlainTableDat): boolean {
  const key = ({ desc, columnSet }: PlainTableDat) =>
    JSON.stringify([
      desc.columns.map(({ name, className, code, options, ndim, shape, maxLength }) => [
        name,
        className,
        code,
        options,
        ndim,
        shape,
        maxLength,
      ]),
      columnSet.columns,
      columnSet.managers.map(({ type, sequence }) => [type, sequence]),
    ]);
  return key(a) === key(b);
}
