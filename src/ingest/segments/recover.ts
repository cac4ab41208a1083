/**
 * What opening a store for writing puts right, in this order:
 *
 * 1. a manifest that is missing or damaged is replaced by the one before
 * 2. the manifest is published anew, so that the one before agrees with it about logs and segments: whatever no manifest
 *    names may then go
 * 3. `table.dat` and `table.info` are made to name its segments
 * 4. orphans go: segments that were being made, or that no manifest came to name
 */
import type { Backend } from "../../io/backend.ts";
import type { Context } from "../../io/context.ts";
import { lockingAvailable } from "../../io/lock.ts";
import type { Finding } from "../../storage/findings.ts";
import { contextOf } from "../../table/open.ts";
import { Table } from "../../table/table.ts";
import { readManifest, replaceManifest, restoreManifest } from "../manifest/files.ts";
import { type Manifest, ManifestWriter } from "../manifest/format.ts";
import { segmentPath, TEMPLATE } from "./places.ts";
import { repairConcatenation } from "./publish.ts";
import { removeOrphans } from "./remove.ts";

/** What of the options matters here. */
export interface RecoverOptions {
  readonly context?: Context;
  readonly lock?: "auto" | "none";
}

/**
 * Repairs a store that nobody else writes.
 *
 * @param change What else is to be different in the manifest
 * @throws TableError NOT_FOUND, CORRUPT, UNSUPPORTED, IO
 */
export function openManifest(
  directory: string,
  backend: Backend,
  options: RecoverOptions,
  change: (manifest: Manifest) => Manifest = (manifest) => manifest,
): { readonly manifest: Manifest; readonly findings: readonly Finding[] } {
  const found = readManifest(directory, backend), findings = [...found.findings];
  const writer = new ManifestWriter();
  if (found.from === "previous") restoreManifest(directory, backend, writer.bytes(found.manifest));
  // The one that was lost had the next number, and others may have seen it.
  const generation = found.manifest.generation + (found.from === "previous" ? 2 : 1);
  const manifest = change({ ...found.manifest, generation });
  const { inForce, error } = replaceManifest(directory, backend, writer.bytes(manifest));
  if (!inForce || error !== null) throw error;
  using template = Table.open(segmentPath(directory, TEMPLATE), { lock: "none", ...contextOf(options) });
  if (repairConcatenation(directory, backend, manifest, template.info)) {
    findings.push({
      code: "CORRUPT",
      file: `${directory}/table.dat`,
      offset: undefined,
      message: "it didn't name the segments of the manifest: it was written anew",
      note: true,
    });
  }
  const lock = options.lock === "none" || !lockingAvailable() ? "none" : "auto";
  findings.push(...removeOrphans(directory, backend, manifest, lock));
  return { manifest, findings };
}
