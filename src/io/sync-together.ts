/**
 * Waiting for the disk: for several files, and the names in their directory, at once where the backend can. One wait after
 * the other costs the disk a flush each.
 */
import type { Backend, Handle } from "./backend.ts";

/** What may have to be waited for. */
export interface Unsynced {
  /** The file that was written to; null when the disk has all of it. */
  readonly unsyncedHandle: Handle | null;
  /** Says that the disk has it. */
  synced(): void;
}

/**
 * Returns when the disk has some files, and the names in `directory` unless that is null.
 *
 * @throws TableError IO; any of them may be on the disk then, none counts as synced
 */
export function syncTogether(
  backend: Backend,
  files: readonly Unsynced[],
  directory: string | null,
): void {
  const handles = files.flatMap(({ unsyncedHandle }) => unsyncedHandle === null ? [] : [unsyncedHandle]);
  if (backend.syncAll !== undefined && handles.length + (directory === null ? 0 : 1) > 1) {
    backend.syncAll(handles, directory);
  } else {
    for (const handle of handles) handle.sync();
    if (directory !== null) backend.syncDirectory(directory);
  }
  for (const file of files) file.synced();
}
