/** What a plain table asks of all its managers. */
import { rowRange, type Rows } from "../array/rows.ts";
import { TableError } from "../error.ts";
import type { Plan } from "../io/plan.ts";
import type { StorageManager } from "../storage/manager.ts";
import type { ManagerSlot } from "./manager-slot.ts";

/** An error in the middle of a change that can't be taken back by itself: what the managers have is no state of the table. */
export class HalfDone extends Error {
  constructor(cause: unknown) {
    super("a change was not completed", { cause });
  }
}

/**
 * What an error of a manager that was asked to change something comes to: a refusal, before anything was `done`, leaves all as it
 * was; anything else may have come in the middle.
 */
export function failureOf(error: unknown, done = 0): unknown {
  const isRefusal = error instanceof TableError && error.code !== "IO" && error.code !== "CORRUPT";
  return done > 0 || !isRefusal ? new HalfDone(error) : error;
}

/** Plan: adds rows behind the `first` ones to every manager; nothing is done unless all of them can. @throws TableError UNSUPPORTED */
export function* addRowsPlan(slots: readonly ManagerSlot[], first: number, count: number): Plan<void> {
  const managers: StorageManager[] = [];
  for (const slot of slots) managers.push(yield* slot.open());
  for (const manager of managers) {
    if (manager.addRows === undefined) {
      throw new TableError("UNSUPPORTED", `rows can't be added to ${manager.type} ${manager.name}`);
    }
  }
  yield* oneByOne(managers, (manager) => manager.addRows!(count));
  const virtual = managers.filter((manager) => manager.rowsAdded !== undefined);
  yield* oneByOne(virtual, (manager) => manager.rowsAdded!(rowRange(first, count)), managers.length);
}

/**
 * Plan: removes rows, ascending and distinct, from every manager; nothing is done unless all of them can.
 *
 * @throws TableError UNSUPPORTED, naming the manager
 */
export function* removeRowsPlan(slots: readonly ManagerSlot[], rows: Rows): Plan<void> {
  const managers: StorageManager[] = [];
  for (const slot of slots) managers.push(yield* slot.open());
  for (const manager of managers) {
    if (manager.removeRows !== undefined) continue;
    throw new TableError(
      "UNSUPPORTED",
      `rows can't be removed from ${manager.type} ${manager.name}; copy with \`rows\` makes a table of those that stay`,
    );
  }
  // Those that have conditions refuse before the others have begun.
  for (const manager of managers) manager.checkRemoval?.(rows);
  yield* oneByOne(managers, (manager) => manager.removeRows!(rows));
}

/**
 * Plan: asks one manager after the other to do something. The first may refuse, as long as nothing is `done`; an error of
 * a later one leaves the change half-done.
 */
function* oneByOne(
  managers: readonly StorageManager[],
  ask: (manager: StorageManager) => Plan<void>,
  done = 0,
): Plan<void> {
  for (const manager of managers) {
    try {
      yield* ask(manager);
    } catch (error) {
      throw failureOf(error, done);
    }
    done++;
  }
}

/** Plan: brings a manager's files up to date and gives what `table.dat` keeps for it. @throws TableError UNSUPPORTED */
export function* flushPlan(manager: StorageManager): Plan<Uint8Array> {
  if (manager.flush === undefined) throw new TableError("UNSUPPORTED", `${manager.type} can't be written`);
  return yield* manager.flush();
}
