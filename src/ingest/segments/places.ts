/**
 * Names in a store's directory; docs/ingest-store.md draws it.
 *
 * | name | |
 * | --- | --- |
 * | `table.dat`, `table.info` | the concatenation that casacore opens |
 * | `manifest.json`, `manifest.previous.json` | the truth, and the one before it |
 * | `ingest.lock` | byte 0 is write-locked by the one process that writes |
 * | `segments/000000.tab` | the template: no rows, but columns, keywords and subtables |
 * | `segments/NNNNNN.tab`, `.bloom` | a sealed segment, and the filter of its keys |
 * | `segments/NNNNNN.building` | a segment that is being made |
 * | `log/` | rows that are in no segment yet |
 */
import type { Backend } from "../../io/backend.ts";
import { openBackend } from "../../io/backends.ts";
import { BESIDE } from "../../io/whole-file.ts";

/** The folder of the segments. */
export const SEGMENTS = "segments";
/** The folder of the logs. */
export const LOGS = "log";
/** The segment that others are made like. */
export const TEMPLATE = "000000.tab";
/** Which process writes. */
export const LOCK_FILE = "ingest.lock";

function numbered(id: number): string {
  return String(id).padStart(6, "0");
}

/** Name of a segment in its folder. */
export function segmentName(id: number): string {
  return `${numbered(id)}.tab`;
}

/** Name of the filter of a segment's keys. */
export function bloomName(id: number): string {
  return `${numbered(id)}.bloom`;
}

/** Name of a segment that isn't complete. */
export function buildingName(id: number): string {
  return `${numbered(id)}.building`;
}

/** Path of something in the segments' folder. */
export function segmentPath(directory: string, name: string): string {
  return `${directory}/${SEGMENTS}/${name}`;
}

/** True for what is written beside a file until it takes its place. */
export function isBeside(name: string): boolean {
  return name.endsWith(BESIDE);
}

/** The manifest in force. */
export const MANIFEST_FILE = "manifest.json";
/** The one before. */
export const PREVIOUS_FILE = "manifest.previous.json";

/** True for a directory that has a manifest. */
export function hasStore(
  directory: string,
  backend: Backend = openBackend("auto", { writable: false }),
): boolean {
  return [MANIFEST_FILE, PREVIOUS_FILE].some((name) => backend.kind(`${directory}/${name}`) !== null);
}
