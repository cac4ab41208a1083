/**
 * StManAipsIO, the first storage manager that casacore had: a file that is one AipsIO object, with each column's values
 * behind each other. Old tables and the log tables of images have it. Format reference part 3, sections B1 to B3.
 */
import { TableError } from "../../error.ts";
import { fileSize, type Plan } from "../../io/plan.ts";
import { arrayFileName } from "../arrayfile/header.ts";
import type { ManagerContext, ManagerKind, StorageManager, StorageSpec } from "../manager.ts";
import { isIndirect } from "./column-object.ts";
import { type AipsHeader, readAipsHeader } from "./header.ts";
import { AipsManager } from "./manager.ts";

/** Array files of single columns that are looked for; a damaged number may be any. */
const MOST_NUMBERS = 1000;

/** The kind that serves `StManAipsIO`. A new one has no options. */
export const stManAipsIO: ManagerKind = {
  serves: (type) => type === "StManAipsIO",
  open: openManager,
  rowsHeld,
  create: createManager,
};

/** Plan: rows of the file, whatever the table says. */
function* rowsHeld(context: ManagerContext): Plan<number> {
  const name = `table.f${context.sequence}`;
  return (yield* readAipsHeader(context, name, Math.max(0, yield* fileSize(name)), { anyRows: true }))
    .rowCount;
}

/** Opens the manager of an existing table; its blob is empty. @throws TableError NOT_FOUND, CORRUPT, UNSUPPORTED */
function* openManager(context: ManagerContext): Plan<StorageManager> {
  const name = `table.f${context.sequence}`;
  const fileBytes = yield* fileSize(name);
  if (fileBytes < 0) {
    throw new TableError("NOT_FOUND", "the file of a StManAipsIO is missing", { file: context.pathOf(name) });
  }
  const header = yield* readAipsHeader(context, name, fileBytes);
  const names = arrayFileNames(context, header);
  const sizes = (yield { kind: "size", files: names }) as number[];
  return new AipsManager(context, header.name, header, names.filter((_, i) => sizes[i]! >= 0));
}

/** The array files that the manager may have: one for all columns, and one for each that stems from an old table. */
function arrayFileNames({ columns, sequence }: ManagerContext, header: AipsHeader): string[] {
  if (!columns.some(isIndirect)) return [];
  const numbers = Math.min(header.uniqueNumber, MOST_NUMBERS);
  return [arrayFileName(sequence), ...Array.from({ length: numbers }, (_, k) => arrayFileName(sequence, k))];
}

/** Makes the manager of a new table. @throws TableError INVALID_ARGUMENT, LIMIT */
function* createManager(context: ManagerContext, spec: StorageSpec): Plan<StorageManager> {
  const [option] = Object.keys(spec.options);
  if (option !== undefined) {
    throw new TableError("INVALID_ARGUMENT", `StManAipsIO has no option ${option}, nor any other`);
  }
  yield { kind: "create", file: `table.f${context.sequence}` };
  const manager = new AipsManager(context, spec.name, null, []);
  for (const column of context.columns) yield* manager.addColumn(column);
  yield* manager.addRows(context.rowCount);
  return manager;
}
