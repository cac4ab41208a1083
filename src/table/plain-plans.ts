/** What a plain table asks of all its managers. */
import { rowRange } from "../array/rows.ts";
import { TableError } from "../error.ts";
import type { Plan } from "../io/plan.ts";
import type { StorageManager } from "../storage/manager.ts";
import type { ManagerSlot } from "./manager-slot.ts";

/** Plan: adds rows behind the `first` ones to every manager; nothing is done unless all of them can. @throws TableError UNSUPPORTED */
export function* addRowsPlan(slots: readonly ManagerSlot[], first: number, count: number): Plan<void> {
  const managers: StorageManager[] = [];
  for (const slot of slots) managers.push(yield* slot.open());
  for (const manager of managers) {
    if (manager.addRows === undefined) {
      throw new TableError("UNSUPPORTED", `rows can't be added to ${manager.type} ${manager.name}`);
    }
  }
  for (const manager of managers) yield* manager.addRows!(count);
  for (const manager of managers) yield* manager.rowsAdded?.(rowRange(first, count)) ?? [];
}

/** Plan: brings a manager's files up to date and gives what `table.dat` keeps for it. @throws TableError UNSUPPORTED */
export function* flushPlan(manager: StorageManager): Plan<Uint8Array> {
  if (manager.flush === undefined) throw new TableError("UNSUPPORTED", `${manager.type} can't be written`);
  return yield* manager.flush();
}
