/**
 * StandardStMan, the manager that casacore takes unless told otherwise: columns side by side in buckets of some rows
 * each. Format reference part 2.
 */
import type { ManagerKind } from "../manager.ts";
import { createManager, openManager } from "./open.ts";

/** The kind that serves `StandardStMan`. Options of a new one: `{ bucketRows?: number; bucketSize?: number }`. */
export const standardStMan: ManagerKind = {
  serves: (type) => type === "StandardStMan",
  open: openManager,
  create: createManager,
};
