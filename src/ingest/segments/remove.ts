/**
 * Removing what the store no longer needs: retired segments of which the last reader has let go, and what was left half-done.
 */
import { TableError } from "../../error.ts";
import type { Backend } from "../../io/backend.ts";
import { lockExclusively, lockingAvailable, type TableLock } from "../../io/lock.ts";
import type { Finding } from "../../storage/findings.ts";
import { lockTree } from "../../table/alter-directory.ts";
import { removeTree } from "../../table/directory.ts";
import type { Manifest } from "../manifest/format.ts";
import { storeBackend, type StoreFiles } from "./build.ts";
import { isBeside, segmentPath, SEGMENTS, TEMPLATE } from "./places.ts";

/** Segments to be removed; plain data. */
export interface RemoveJob extends StoreFiles {
  readonly kind: "remove";
  readonly segments: readonly { readonly name: string; readonly bloom: string | null }[];
}

/** What became of the segments. */
export interface Removed {
  /** Names of those that are gone. */
  readonly removed: readonly string[];
  /** Names of those that somebody still reads. */
  readonly held: readonly string[];
  /** What failed; the segment that it failed with is in neither list. */
  readonly error: unknown;
}

/** Removes segments that nobody has open. A failure is part of the result. */
export function removeSegments(job: RemoveJob): Removed {
  const backend = storeBackend(job), removed: string[] = [], held: string[] = [];
  let error: unknown = null;
  for (const { name, bloom } of job.segments) {
    try {
      if (removeSegment(backend, job, name)) {
        if (bloom !== null) removeFile(backend, segmentPath(job.directory, bloom));
        removed.push(name);
      } else held.push(name);
    } catch (caught) {
      error ??= caught;
    }
  }
  return { removed, held, error };
}

/** False when somebody has the segment open. */
function removeSegment(backend: Backend, { directory, lock }: StoreFiles, name: string): boolean {
  const path = segmentPath(directory, name);
  if (backend.kind(path, { noFollow: true }) === null) return true;
  let held: TableLock | null = null;
  try {
    // Without table.dat it is no table any more: what an earlier try left.
    if (lock !== "none" && lockingAvailable() && backend.kind(`${path}/table.dat`) !== null) {
      held = lockExclusively(path, backend);
    }
    removeTree(backend, path);
    return true;
  } catch (error) {
    if (error instanceof TableError && error.code === "LOCKED") return false;
    throw error;
  } finally {
    held?.close();
  }
}

function removeFile(backend: Backend, path: string): void {
  if (backend.kind(path, { noFollow: true }) !== null) backend.remove(path);
}

/** What lies in a store's directory that no manifest names: left by a process that died, or by a publication that failed. */
export function orphansOf(directory: string, backend: Backend, manifest: Manifest): string[] {
  const known = new Set([TEMPLATE]);
  for (const { name, bloom } of manifest.segments) {
    known.add(name);
    if (bloom !== null) known.add(bloom.file);
  }
  for (const { name, bloom } of manifest.retired) {
    known.add(name);
    if (bloom !== null) known.add(bloom);
  }
  // Other names are somebody's, and none of the store's.
  const isOurs = (name: string) => /^[0-9]{6,16}\.(tab|bloom|building)$/.test(name) || isBeside(name);
  return [
    ...backend.list(directory).filter(isBeside).map((name) => `${directory}/${name}`),
    ...backend.list(`${directory}/${SEGMENTS}`).filter((name) => !known.has(name) && isOurs(name))
      .map((name) => segmentPath(directory, name)),
  ];
}

/** Removes orphans, but for tables that somebody has open; says what was found. */
export function removeOrphans(
  directory: string,
  backend: Backend,
  manifest: Manifest,
  lock: "auto" | "none",
): Finding[] {
  return orphansOf(directory, backend, manifest).map((path) => {
    const note = (message: string): Finding => ({
      code: "CORRUPT",
      file: path,
      offset: undefined,
      message,
      note: true,
    });
    if (backend.kind(path, { noFollow: true }) !== "directory") {
      backend.remove(path);
      return note("no manifest names it: it was removed");
    }
    try {
      using _ = lock === "none" || !lockingAvailable() ? null : lockTree(backend, path);
      removeTree(backend, path);
      return note("no manifest names it: it was removed");
    } catch (error) {
      if (!(error instanceof TableError) || error.code !== "LOCKED") throw error;
      return note("no manifest names it, but somebody has it open: it stays until the next time");
    }
  });
}
