/**
 * Checking and repairing a whole store: its manifest, its segments and its logs.
 */
import { existsSync, readdirSync } from "node:fs";
import { resolve } from "node:path";
import { TableError } from "../error.ts";
import type { Finding } from "../storage/findings.ts";
import { checkSegments, recoverSegments } from "./segments/check.ts";
import { LOGS } from "./segments/places.ts";
import { IngestStore } from "./store.ts";

/** What was cut off a damaged log, or is a log that couldn't be reached because of one. */
const CUT = /\.cut$/;

/** What two looks at the same thing found, once. */
function distinct(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  return findings.filter(({ file, offset, message }) => {
    const key = JSON.stringify([file, offset, message]);
    return !seen.has(key) && seen.add(key);
  });
}

function findingOf(error: unknown, file: string): Finding {
  if (!(error instanceof TableError)) throw error;
  const { code, offset, reason } = error;
  return { code, file: error.file ?? file, offset, message: reason, note: false };
}

/**
 * Everything that is inconsistent in a store beside what `checkTable` finds in its tables: manifest, concatenation, segments
 * that aren't what the manifest says, logs in which something durable was damaged. Notes are what a process left that died.
 * Nothing is changed; a writer may be at work.
 *
 * @throws TableError NOT_FOUND when there is no store; IO
 */
export async function checkStore(path: string): Promise<Finding[]> {
  const directory = resolve(path), findings = checkSegments(directory);
  try {
    await using store = IngestStore.open(directory, { mode: "r" });
    findings.push(...store.findings);
  } catch (error) {
    const found = findingOf(error, directory);
    // Without a manifest there is nothing to look at, which was said.
    if (!findings.some(({ note, file }) => !note && file === found.file)) findings.push(found);
  }
  const logs = `${directory}/${LOGS}`;
  for (const name of existsSync(logs) ? readdirSync(logs).filter((name) => CUT.test(name)).sort() : []) {
    findings.push({
      code: "CORRUPT",
      file: `${logs}/${name}`,
      offset: undefined,
      message: "a damaged part of a log, kept when the store was repaired; nothing reads it",
      note: true,
    });
  }
  return distinct(findings);
}

/**
 * Repairs what can be repaired, as opening a store for writing does, and filters of keys too. The findings say what was
 * found, and what was done about it.
 *
 * @throws TableError NOT_FOUND when there is no store; LOCKED when somebody writes it; CORRUPT when no manifest is left; IO
 */
export async function recoverStore(
  path: string,
  options: { readonly lock?: "auto" | "none" } = {},
): Promise<Finding[]> {
  const directory = resolve(path), findings = recoverSegments(directory, options);
  await using store = IngestStore.open(directory, { ...options, background: "inline", compaction: false });
  findings.push(...store.findings);
  return distinct(findings);
}
