/**
 * Checks the sealed part of a store against its manifest: what `checkTable` finds in the tables themselves isn't looked for
 * again. Nothing is changed, and a writer may be at work.
 */
import { resolve } from "node:path";
import { TableError } from "../../error.ts";
import type { Backend } from "../../io/backend.ts";
import type { Context } from "../../io/context.ts";
import { readWholeFile } from "../../io/whole-file.ts";
import { type Finding, Findings } from "../../storage/findings.ts";
import { contextOf } from "../../table/open.ts";
import { Table } from "../../table/table.ts";
import { readManifest } from "../manifest/files.ts";
import type { Manifest, SegmentEntry } from "../manifest/format.ts";
import { IngestSchema, SEQUENCE_COLUMN } from "../schema.ts";
import { BloomFilter } from "./bloom.ts";
import { storeBackend } from "./build.ts";
import { hashKeys, type KeyColumn } from "./key-hash.ts";
import { MANIFEST_FILE, segmentPath, TEMPLATE } from "./places.ts";
import { concatenationOf } from "./publish.ts";
import { rangeOf } from "./ranges.ts";
import { openManifest } from "./recover.ts";
import { orphansOf } from "./remove.ts";
import type { KeyValue } from "./types.ts";
import { lockStore } from "./write-lock.ts";

/** Rows that are looked at in one go. */
const BLOCK_ROWS = 1 << 16;

/** Options of {@linkcode checkSegments} and {@linkcode recoverSegments}. */
export interface CheckSegmentsOptions {
  readonly context?: Context;
  /** {@linkcode recoverSegments}: "none" where files can't be locked. */
  readonly lock?: "auto" | "none";
}

/**
 * Everything about the sealed part of a store that its manifest doesn't say, or says otherwise: a manifest that is damaged,
 * a concatenation of other segments, segments that are missing, of other columns, rows, sequence numbers or ranges, filters
 * that are damaged or don't have a key; as notes what a process left that died.
 *
 * @throws TableError NOT_FOUND when there is no store; IO
 */
export function checkSegments(path: string, options: CheckSegmentsOptions = {}): Finding[] {
  const directory = resolve(path), backend = storeBackend(options), findings = new Findings();
  const file = `${directory}/${MANIFEST_FILE}`;
  let manifest: Manifest, schema: IngestSchema;
  try {
    const found = readManifest(directory, backend);
    for (const finding of found.findings) findings.add(finding);
    manifest = found.manifest;
    schema = IngestSchema.fromJSON(manifest.schema, file);
  } catch (error) {
    if (!(error instanceof TableError) || error.code === "NOT_FOUND" || error.code === "IO") throw error;
    findings.caught(error, file);
    return findings.finish();
  }
  checkConcatenation(directory, backend, manifest, findings);
  for (const entry of [null, ...manifest.segments]) {
    const where = segmentPath(directory, entry?.name ?? TEMPLATE);
    try {
      using table = Table.open(where, contextOf(options));
      checkColumns(table, schema, findings);
      if (entry === null) {
        if (table.rowCount > 0) findings.wrong(`the template has no rows, found ${table.rowCount}`, where);
      } else checkSegment(table, entry, { directory, backend, schema, findings });
    } catch (error) {
      findings.caught(error, where);
    }
  }
  for (const orphan of orphansOf(directory, backend, manifest)) {
    findings.note("no manifest names it: it goes when the store is opened for writing", orphan);
  }
  return findings.finish();
}

/**
 * Repairs what can be repaired: the manifest from the one before, the concatenation from the manifest, filters that are
 * missing or damaged (segments then have none), and what a process left that died. The findings say what was done.
 *
 * @throws TableError NOT_FOUND when there is no store; LOCKED when somebody writes it; CORRUPT when no manifest is left; IO
 */
export function recoverSegments(path: string, options: CheckSegmentsOptions = {}): Finding[] {
  const directory = resolve(path), backend = storeBackend(options);
  const lock = lockStore(directory, backend, options.lock ?? "auto");
  try {
    const repaired: Finding[] = [];
    const { findings } = openManifest(directory, backend, options, (manifest) => ({
      ...manifest,
      segments: manifest.segments.map((entry) => withoutBadFilter(directory, backend, entry, repaired)),
    }));
    return [...findings, ...repaired];
  } finally {
    lock?.close();
  }
}

function checkConcatenation(
  directory: string,
  backend: Backend,
  manifest: Manifest,
  findings: Findings,
): void {
  const path = `${directory}/table.dat`,
    found = readWholeFile(backend, path),
    wanted = concatenationOf(manifest);
  if (found === null) {
    findings.wrong("it is missing; it is written anew when the store is opened for writing", path);
  } else if (found.length !== wanted.length || found.some((byte, i) => byte !== wanted[i])) {
    // A writer may just have replaced the manifest, and not yet this.
    findings.note(
      `it doesn't name the segments of manifest ${manifest.generation}; it is written anew when the store is opened for writing`,
      path,
    );
  }
}

function checkColumns(table: Table, schema: IngestSchema, findings: Findings): void {
  const wanted = [...schema.columns.map(({ name, dtype }) => `${name} ${dtype}`), `${SEQUENCE_COLUMN} int64`];
  const found = table.columnNames.map((name) => `${name} ${table.column(name).dtype}`);
  if (found.join() === wanted.join()) return;
  findings.wrong(
    `the columns are ${found.join(", ")}, expected ${wanted.join(", ")}`,
    `${table.path}/table.dat`,
  );
}

/** What checking a segment takes. */
interface Surroundings {
  readonly directory: string;
  readonly backend: Backend;
  readonly schema: IngestSchema;
  readonly findings: Findings;
}

function checkSegment(
  table: Table,
  entry: SegmentEntry,
  { directory, backend, schema, findings }: Surroundings,
): void {
  const { path, rowCount } = table;
  if (rowCount !== entry.rows) findings.wrong(`${rowCount} rows, the manifest says ${entry.rows}`, path);
  const filter = filterOf(directory, backend, entry, findings);
  const ranged = [...new Set([...schema.key, ...(schema.time === null ? [] : [schema.time])])];
  const seen = entry.sorted ? new Set<bigint>() : null;
  let last = -1n, missing = 0;
  const outside = new Map<string, number>();
  for (let start = 0; start < rowCount; start += BLOCK_ROWS) {
    const rows = { start, end: Math.min(rowCount, start + BLOCK_ROWS) };
    const { data } = table.getColumn(SEQUENCE_COLUMN, { rows, dtype: "int64" });
    for (let i = 0; i < data.length; i++) {
      const sequence = data[i]!, isIn = sequence >= entry.firstSequence && sequence < entry.endSequence;
      const isNew = seen === null ? sequence > last : !seen.has(sequence);
      if (!isIn || !isNew) {
        findings.wrong(
          `row ${start + i} has sequence number ${sequence}; expected ${
            seen === null ? "ascending" : "different"
          } ones from ${entry.firstSequence} to ${entry.endSequence}`,
          path,
        );
        return;
      }
      last = sequence;
      seen?.add(sequence);
    }
    const values = new Map(ranged.map((name) => [name, table.getColumn(name, { rows }).data as KeyColumn]));
    for (const name of ranged) {
      const range = rangeOf(entry, name, schema);
      const wrong = countOutside(values.get(name)!, range);
      if (wrong > 0) outside.set(name, (outside.get(name) ?? 0) + wrong);
    }
    if (filter !== null) {
      const columns = schema.key.map((name) => values.get(name)!);
      const { low, high } = hashKeys(
        columns,
        schema.key.map((name) => schema.column(name).dtype),
        data.length,
      );
      for (let i = 0; i < low.length; i++) if (!filter.mayHold([low[i]!, high[i]!])) missing++;
    }
  }
  for (const [name, count] of outside) {
    findings.wrong(`${count} values of ${name} are outside the range that the manifest says`, path);
  }
  if (missing > 0) {
    findings.wrong(`${missing} keys aren't in the filter`, segmentPath(directory, entry.bloom!.file));
  }
}

function countOutside(
  values: KeyColumn,
  range: { readonly min: KeyValue; readonly max: KeyValue } | null,
): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as KeyValue;
    // NaN is in no range.
    if (value === value && (range === null || value < range.min || value > range.max)) count++;
  }
  return count;
}

function filterOf(
  directory: string,
  backend: Backend,
  { bloom }: SegmentEntry,
  findings: Findings,
): BloomFilter | null {
  if (bloom === null) return null;
  const path = segmentPath(directory, bloom.file), bytes = readWholeFile(backend, path);
  if (bytes === null) {
    findings.wrong("the filter of a segment's keys is missing", path);
    return null;
  }
  try {
    return BloomFilter.parse(bytes, bloom, path);
  } catch (error) {
    findings.caught(error, path);
    return null;
  }
}

/** A segment whose filter can't be read is looked at for every key. */
function withoutBadFilter(
  directory: string,
  backend: Backend,
  entry: SegmentEntry,
  repaired: Finding[],
): SegmentEntry {
  const findings = new Findings();
  if (filterOf(directory, backend, entry, findings) !== null || entry.bloom === null) return entry;
  repaired.push(
    ...findings.finish().map((one) => ({ ...one, message: `${one.message}; the segment has none now` })),
  );
  return { ...entry, bloom: null };
}
