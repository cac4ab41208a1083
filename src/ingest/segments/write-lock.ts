/**
 * One process writes a store: it holds the write lock on byte 0 of `ingest.lock`, as one holds a table's. The lock goes
 * with its process.
 */
import { TableError } from "../../error.ts";
import type { Backend } from "../../io/backend.ts";
import { TableLock } from "../../io/lock.ts";
import { LOCK_FILE } from "./places.ts";

/**
 * Takes the lock; null where there is none, as for stores in memory.
 *
 * @throws TableError LOCKED when somebody else writes the store; UNSUPPORTED where files can't be locked; IO
 */
export function lockStore(directory: string, backend: Backend, mode: "auto" | "none"): TableLock | null {
  if (mode === "none" || backend.name === "memory") return null;
  const file = `${directory}/${LOCK_FILE}`, lock = TableLock.open(file, backend.stats);
  try {
    lock.acquire("write");
    return lock;
  } catch (error) {
    lock.close();
    if (!(error instanceof TableError) || error.code !== "LOCKED") throw error;
    throw new TableError("LOCKED", "somebody else writes this store; it can be opened for reading", {
      file,
      cause: error,
    });
  }
}
