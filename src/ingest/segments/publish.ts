/**
 * A publication: a new manifest is put in force, and then the concatenation in the store's directory is made to name its
 * segments. Both are replaced by renaming, so that whoever opens the directory finds a whole table at every instant.
 *
 * | step | |
 * | --- | --- |
 * | 1–4 | the manifest, see manifest/files.ts |
 * | 5 | `table.dat_tmp` is written and synced, and renamed to `table.dat` |
 *
 * Who dies before 5 leaves a `table.dat` that names segments of the manifest before: they are still there, since a
 * segment is removed later than the next publication. Opening the store for writing does step 5 again.
 */
import { writeTableDat } from "../../format/table-dat.ts";
import type { TableInfo } from "../../format/table-info.ts";
import { writeTableInfo } from "../../format/table-info.ts";
import type { Backend } from "../../io/backend.ts";
import { readWholeFile, replaceFile } from "../../io/whole-file.ts";
import { replaceManifest } from "../manifest/files.ts";
import type { Manifest } from "../manifest/format.ts";
import { storeBackend, type StoreFiles } from "./build.ts";
import { SEGMENTS, TEMPLATE } from "./places.ts";

/** A manifest to be published; plain data. */
export interface PublishJob extends StoreFiles {
  readonly kind: "publish";
  /** The manifest's file. */
  readonly manifest: Uint8Array;
  /** The concatenation's `table.dat`. */
  readonly table: Uint8Array;
}

/** What became of a publication. */
export interface Published {
  /** The manifest is in force. */
  readonly inForce: boolean;
  /** `table.dat` names its segments. */
  readonly table: boolean;
  /** What failed; null: all of it is on the disk. */
  readonly error: unknown;
}

/**
 * The `table.dat` of a store: its segments behind each other; the template alone where there is none, because casacore can't
 * read a concatenation whose first table has no rows.
 */
export function concatenationOf(manifest: Manifest): Uint8Array<ArrayBuffer> {
  const names = manifest.segments.map(({ name }) => name);
  return writeTableDat({
    kind: "ConcatTable",
    rowCount: manifest.segments.reduce((sum, { rows }) => sum + rows, 0),
    // Two dots and slashes: below this table's directory.
    tables: (names.length > 0 ? names : [TEMPLATE]).map((name) => `././${SEGMENTS}/${name}`),
    subtables: [],
  });
}

/** Carries a publication out. A failure is part of the result, so that who asked knows how far it went. */
export function publish(job: PublishJob): Published {
  let inForce = false, error: unknown = null;
  try {
    const backend = storeBackend(job);
    ({ inForce, error } = replaceManifest(job.directory, backend, job.manifest));
    if (!inForce) return { inForce, table: false, error };
    replaceFile(backend, `${job.directory}/table.dat`, job.table);
    return { inForce, table: true, error };
  } catch (caught) {
    return { inForce, table: false, error: error ?? caught };
  }
}

/** Writes `table.dat` and `table.info` of a store where they aren't what they should be; true when they weren't. */
export function repairConcatenation(
  directory: string,
  backend: Backend,
  manifest: Manifest,
  info: TableInfo,
): boolean {
  let repaired = false;
  const ensure = (name: string, bytes: Uint8Array): void => {
    const path = `${directory}/${name}`, found = readWholeFile(backend, path);
    if (found !== null && found.length === bytes.length && found.every((byte, i) => byte === bytes[i])) {
      return;
    }
    replaceFile(backend, path, bytes, { syncDirectory: true });
    repaired = true;
  };
  ensure("table.info", writeTableInfo(info));
  ensure("table.dat", concatenationOf(manifest));
  return repaired;
}
