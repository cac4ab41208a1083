/**
 * DyscoStMan: visibilities and weights as symbols of a few bits and the factors that scale them, a time step to a block.
 * Lossy when written; what is read are the values that casacore reads, to the last bit. Format reference part 7.
 *
 * The manager's own description, its name and everything else are in its file; `table.dat` has nothing. For files whose
 * factors belong to antennas the table's columns ANTENNA1 and ANTENNA2 are read along.
 */
import type { Plan } from "../../io/plan.ts";
import { EMPTY_RECORD } from "../../format/record.ts";
import type { ManagerContext, ManagerKind, StorageManager, StorageSpec } from "../manager.ts";
import { readHeader } from "./header.ts";
import { DyscoManager } from "./manager.ts";
import { checkKeyColumns, readOptions } from "./options.ts";

const TYPE = "DyscoStMan";

function* open(context: ManagerContext): Plan<StorageManager> {
  const name = `table.f${context.sequence}`, path = context.pathOf(name);
  return new DyscoManager(context, yield* readHeader(name, path, context.columns.length));
}

function* create(context: ManagerContext, spec: StorageSpec): Plan<StorageManager> {
  const options = readOptions(spec, context.columns);
  yield { kind: "create", file: `table.f${context.sequence}` };
  return new DyscoManager(context, options.header, options);
}

/** The kind that serves `DyscoStMan`, for reading and writing. */
export const dyscoStMan: ManagerKind = {
  serves: (type) => type === TYPE,
  settle(spec, { own, columns }) {
    readOptions(spec, own);
    checkKeyColumns(columns, spec.name);
    return { type: TYPE, columnKeywords: EMPTY_RECORD };
  },
  open,
  create,
};
