/**
 * The manifest's files, and how one takes the place of the other.
 *
 * | step | `manifest.json` | `manifest.previous.json` | |
 * | --- | --- | --- | --- |
 * | 0 | n | n − 1 | |
 * | 1 | n | n − 1 | `manifest.json_tmp` is written with n + 1, and synced |
 * | 2 | – | n | `manifest.json` is renamed |
 * | 3 | n + 1 | n | `manifest.json_tmp` is renamed: **from here on n + 1 is in force** |
 * | 4 | n + 1 | n | the folder is synced |
 *
 * Between 2 and 3 whoever looks finds manifest n under its other name.
 */
import { TableError } from "../../error.ts";
import type { Backend } from "../../io/backend.ts";
import { BESIDE, readWholeFile, replaceFile } from "../../io/whole-file.ts";
import type { Finding } from "../../storage/findings.ts";
import { MANIFEST_FILE, PREVIOUS_FILE } from "../segments/places.ts";
import { type Manifest, parseManifest } from "./format.ts";

/** Longest manifest that is read, in bytes. */
const MAX_BYTES = 1024 * 1024 * 1024;

/** A manifest, and how it was found. */
export interface FoundManifest {
  readonly manifest: Manifest;
  /** The file that it was in. */
  readonly from: "current" | "previous";
  /** The other one; null where there is none that can be read. */
  readonly previous: Manifest | null;
  /** Why `manifest.json` wasn't taken. */
  readonly findings: readonly Finding[];
}

type Attempt = { readonly manifest: Manifest } | { readonly error: TableError } | null;

function attempt(backend: Backend, file: string): Attempt {
  try {
    const bytes = readWholeFile(backend, file, MAX_BYTES);
    return bytes === null ? null : { manifest: parseManifest(bytes, file) };
  } catch (error) {
    // What the system refuses is no damage.
    if (!(error instanceof TableError) || error.code === "IO") throw error;
    return { error };
  }
}

/**
 * Reads the manifest in force, or where that is missing or damaged the one before.
 *
 * @throws TableError NOT_FOUND when there is none, what is wrong with `manifest.json` when there is no other; IO
 */
export function readManifest(directory: string, backend: Backend): FoundManifest {
  const path = `${directory}/${MANIFEST_FILE}`, otherPath = `${directory}/${PREVIOUS_FILE}`;
  // Twice: a writer may be between its two renames.
  let current = attempt(backend, path);
  const other = attempt(backend, otherPath);
  current ??= attempt(backend, path);
  const previous = other !== null && "manifest" in other ? other.manifest : null;
  if (current !== null && "manifest" in current) {
    return { manifest: current.manifest, from: "current", previous, findings: [] };
  }
  if (previous === null) {
    if (current !== null) throw current.error;
    throw new TableError("NOT_FOUND", `there is no ${MANIFEST_FILE}: this is no store`, { file: directory });
  }
  const finding: Finding = {
    code: current === null ? "NOT_FOUND" : current.error.code,
    file: path,
    offset: current?.error.offset,
    message: `${
      current === null ? "the manifest is missing" : current.error.reason
    }; manifest ${previous.generation} is taken, from ${PREVIOUS_FILE}`,
    // A writer that was killed between two renames leaves none, which harms nothing.
    note: current === null,
  };
  return { manifest: previous, from: "previous", previous: null, findings: [finding] };
}

/** How far replacing a manifest got. */
export interface Replaced {
  /** Whoever looks finds the new one. */
  readonly inForce: boolean;
  /** What failed; null: it is on the disk, too. */
  readonly error: unknown;
}

/**
 * Puts a manifest in force, durably. A failure is part of the result: after step 3 others may have seen it already.
 *
 * @param bytes What `ManifestWriter` made
 */
export function replaceManifest(directory: string, backend: Backend, bytes: Uint8Array): Replaced {
  const path = `${directory}/${MANIFEST_FILE}`, old = `${directory}/${PREVIOUS_FILE}`;
  let aside = false, inForce = false;
  try {
    writeBeside(backend, path, bytes);
    if (backend.kind(path) !== null) {
      backend.rename(path, old);
      aside = true;
    }
    backend.rename(path + BESIDE, path);
    inForce = true;
    backend.syncDirectory(directory);
    return { inForce, error: null };
  } catch (error) {
    if (!inForce) {
      try {
        if (aside) backend.rename(old, path);
        backend.remove(path + BESIDE);
      } catch {
        // The first error says more, and the old manifest is found by its other name.
      }
    }
    return { inForce, error };
  }
}

function writeBeside(backend: Backend, path: string, bytes: Uint8Array): void {
  const handle = backend.open(path + BESIDE, "create");
  try {
    handle.write(bytes, 0);
    handle.sync();
  } finally {
    handle.close();
  }
}

/**
 * Puts the manifest before in the place of one that is missing or damaged, so that the next publication doesn't put the
 * damaged one in *its* place.
 */
export function restoreManifest(directory: string, backend: Backend, bytes: Uint8Array): void {
  replaceFile(backend, `${directory}/${MANIFEST_FILE}`, bytes, { syncDirectory: true });
}
