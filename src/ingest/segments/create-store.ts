/**
 * Making a store.
 *
 * | step | |
 * | --- | --- |
 * | 1 | the directory, `ingest.lock`, `segments/` and `log/` |
 * | 2 | `segments/000000.tab`, durably |
 * | 3 | `manifest.json`: **from here on it is a store** |
 * | 4 | `table.info`, `table.dat` |
 *
 * Who dies before 3 leaves a directory that the next one clears; who dies before 4, one that opening the store completes.
 */
import { randomBytes } from "node:crypto";
import { dirname, resolve } from "node:path";
import { firstError, TableError } from "../../error.ts";
import type { Backend } from "../../io/backend.ts";
import { contextOf } from "../../table/open.ts";
import { removeTree } from "../../table/directory.ts";
import { Table } from "../../table/table.ts";
import { replaceManifest } from "../manifest/files.ts";
import { firstManifest, ManifestWriter } from "../manifest/format.ts";
import type { IngestSchema } from "../schema.ts";
import { storeBackend } from "./build.ts";
import {
  isBeside,
  LOCK_FILE,
  LOGS,
  MANIFEST_FILE,
  PREVIOUS_FILE,
  segmentPath,
  SEGMENTS,
  TEMPLATE,
} from "./places.ts";
import { repairConcatenation } from "./publish.ts";
import { makeTemplate } from "./template.ts";
import type { CreateStoreOptions } from "./types.ts";
import { lockStore } from "./write-lock.ts";

const ID_BYTES = 16;

/** Makes a store. @throws TableError EXISTS, LOCKED, as `Table.create`; nothing is left then */
export function createStore(path: string, schema: IngestSchema, options: CreateStoreOptions): void {
  const directory = resolve(path), backend = storeBackend(options), { io = "auto", lock = "auto" } = options;
  takeDirectory(backend, directory);
  const held = lockStore(directory, backend, lock);
  let isStore = false;
  try {
    checkFree(backend, directory);
    clear(backend, directory);
    backend.makeDirectory(`${directory}/${SEGMENTS}`);
    backend.makeDirectory(`${directory}/${LOGS}`);
    const { template, prepare } = options, place = segmentPath(directory, TEMPLATE);
    makeTemplate(place, schema, { template, prepare, io, lock, ...contextOf(options) });
    backend.syncDirectory(`${directory}/${SEGMENTS}`);
    const manifest = firstManifest(randomBytes(ID_BYTES).toString("hex"), schema.toJSON());
    const { inForce, error } = replaceManifest(directory, backend, new ManifestWriter().bytes(manifest));
    isStore = inForce;
    if (error !== null) throw error;
    using made = Table.open(place, { io, lock: "none", ...contextOf(options) });
    repairConcatenation(directory, backend, manifest, made.info);
    backend.syncDirectory(dirname(directory));
  } catch (error) {
    if (!isStore) {
      try {
        clear(backend, directory);
      } catch {
        // The first error says more; the next try clears it.
      }
    }
    throw firstError(error);
  } finally {
    held?.close();
  }
}

function takeDirectory(backend: Backend, directory: string): void {
  try {
    backend.makeDirectory(directory);
  } catch (error) {
    if (!(error instanceof TableError) || error.code !== "EXISTS") throw error;
    checkFree(backend, directory);
  }
}

/** @throws TableError EXISTS for a store, and for a directory with anything that isn't left of one that was begun */
function checkFree(backend: Backend, directory: string): void {
  if (backend.kind(directory) !== "directory") {
    throw new TableError("EXISTS", "there is a file of that name", { file: directory });
  }
  const names = backend.list(directory);
  if (names.some((name) => name === MANIFEST_FILE || name === PREVIOUS_FILE)) {
    throw new TableError("EXISTS", "there is a store already", { file: directory });
  }
  const stray = names.find((name) => ![SEGMENTS, LOGS, LOCK_FILE].includes(name) && !isBeside(name));
  const inner = (folder: string, known: (name: string) => boolean) =>
    names.includes(folder) && !backend.list(`${directory}/${folder}`).every(known);
  if (stray !== undefined || inner(SEGMENTS, (name) => name === TEMPLATE) || inner(LOGS, () => false)) {
    throw new TableError("EXISTS", "the directory isn't empty, and holds no store", { file: directory });
  }
}

/** Removes what {@linkcode checkFree} takes for the beginning of a store. */
function clear(backend: Backend, directory: string): void {
  for (const name of backend.list(directory)) {
    if (name === LOCK_FILE) continue;
    const path = `${directory}/${name}`;
    if (backend.kind(path, { noFollow: true }) === "directory") removeTree(backend, path);
    else backend.remove(path);
  }
}
