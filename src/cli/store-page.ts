/**
 * What `table show` says of a live store beside what it is as a table.
 */
import { join } from "node:path";
import { TableError } from "../../mod.ts";
import { openBackend } from "../io/backends.ts";
import { type Deletion, IngestStore, type Manifest, type MergeRecord } from "../ingest/mod.ts";
import { logName } from "../ingest/log/format.ts";
import { listLogs } from "../ingest/log/scan.ts";
import { LOGS } from "../ingest/segments/places.ts";
import { errorText } from "./failure.ts";
import { layout } from "./layout.ts";
import type { IoChoice } from "./options.ts";
import { counted, cut, humanBytes, humanCount, visible } from "./text.ts";

/** Segments that went through as many merges. */
export interface StoreLevel {
  readonly level: number;
  readonly segments: number;
  readonly rows: number;
  readonly bytes: number;
  /** Range of the time column; null without one. */
  readonly time: { readonly min: number; readonly max: number } | null;
}

/** A log with rows that are in no segment. */
export interface StoreLog {
  readonly name: string;
  /** Bytes of the file. */
  readonly bytes: number;
}

/** A live store. */
export interface StoreDescription {
  readonly id: string;
  readonly generation: number;
  readonly key: readonly string[];
  readonly time: string | null;
  readonly sort: readonly string[];
  /** Rows in segments, and in logs; null where logs can't be read. */
  readonly sealedRows: number;
  readonly growingRows: number | null;
  readonly nextSequence: number | null;
  readonly segments: readonly {
    readonly name: string;
    readonly level: number;
    readonly rows: number;
    readonly bytes: number;
    readonly firstSequence: number;
    readonly endSequence: number;
    readonly time: { readonly min: number; readonly max: number } | null;
    readonly bloomBytes: number;
  }[];
  readonly levels: readonly StoreLevel[];
  readonly logs: readonly StoreLog[];
  readonly deletions: readonly Deletion[];
  /** Segments that were replaced and still have a reader, or their time of grace. */
  readonly retired: { readonly segments: number; readonly bytes: number };
  /** The newest last. */
  readonly merges: readonly MergeRecord[];
  /** What keeps the logs from being read. */
  readonly problem: string | null;
}

/** Merges that are told. */
const SOME_MERGES = 3;

function sum<T>(list: readonly T[], of: (one: T) => number): number {
  return list.reduce((total, one) => total + of(one), 0);
}

function levelsOf({ segments }: Manifest): StoreLevel[] {
  const numbers = [...new Set(segments.map(({ level }) => level))].sort((a, b) => a - b);
  return numbers.map((level) => {
    const of = segments.filter((segment) => segment.level === level);
    const times = of.map(({ time }) => time).filter((time) => time !== null);
    return {
      level,
      segments: of.length,
      rows: sum(of, ({ rows }) => rows),
      bytes: sum(of, ({ bytes }) => bytes),
      time: times.length === 0 ? null : {
        min: Math.min(...times.map(({ min }) => min)),
        max: Math.max(...times.map(({ max }) => max)),
      },
    };
  });
}

function logsOf(directory: string, { firstLog }: Manifest): StoreLog[] {
  const folder = join(directory, LOGS), backend = openBackend("node", { writable: false });
  return listLogs(folder, backend).filter((id) => id >= firstLog).map((id) => {
    const name = logName(id);
    try {
      return { name, bytes: Deno.statSync(join(folder, name)).size };
    } catch {
      return { name, bytes: 0 }; // it became a segment just now
    }
  });
}

/** What there is to say of a store. @throws TableError */
export async function describeStore(path: string, { io }: IoChoice): Promise<StoreDescription> {
  await using store = IngestStore.open(path, { mode: "r", ...(io === "auto" ? {} : { io }) });
  let nextSequence: number | null = null, problem: string | null = null;
  try {
    nextSequence = store.nextSequence;
  } catch (error) {
    if (!(error instanceof TableError)) throw error;
    problem = errorText(error, [path]);
  }
  const { manifest, schema } = store, { segments, retired } = manifest;
  const wrong = store.findings.find(({ note }) => !note);
  if (wrong !== undefined) problem ??= wrong.message;
  return {
    id: manifest.store,
    generation: manifest.generation,
    key: schema.key,
    time: schema.time,
    sort: schema.sort,
    sealedRows: sum(segments, ({ rows }) => rows),
    growingRows: nextSequence === null ? null : nextSequence - manifest.nextSequence,
    nextSequence,
    segments: segments.map(({ name, level, rows, bytes, firstSequence, endSequence, time, bloom }) => {
      return { name, level, rows, bytes, firstSequence, endSequence, time, bloomBytes: bloom?.bytes ?? 0 };
    }),
    levels: levelsOf(manifest),
    logs: logsOf(path, manifest),
    deletions: manifest.deletions,
    retired: { segments: retired.length, bytes: sum(retired, ({ bytes }) => bytes) },
    merges: manifest.history.slice(-SOME_MERGES),
    problem,
  };
}

function mergeText({ kind, inputs, rowsIn, rowsOut, bytesIn, bytesOut, at }: MergeRecord): string {
  const what = kind === "drop" ? "dropped" : kind === "rewrite" ? "rewritten" : "merged";
  return `${at} ${counted(inputs.length, "segment")} ${what}: ${humanCount(rowsIn)} to ${
    counted(rowsOut, "row")
  }, ${humanBytes(bytesIn)} to ${humanBytes(bytesOut)}`;
}

/** The store as lines. */
export function storeLines(store: StoreDescription, width: number, color: boolean): string[] {
  const { segments, logs, growingRows, sealedRows, nextSequence, deletions, retired, merges } = store;
  const growing = growingRows === null ? "rows" : counted(growingRows, "row");
  const labels: (readonly [label: string, text: string])[] = [
    [
      "live store",
      `${counted(sealedRows, "row")} in ${counted(segments.length, "segment")}, ${growing} in ${
        counted(logs.length, "log")
      }`,
    ],
    ["next row", nextSequence === null ? "" : `sequence number ${humanCount(nextSequence)}`],
    ["key", store.key.map(visible).join(", ")],
    ["sorted by", store.sort.map(visible).join(", ")],
    ...deletions.map(({ column, from, to }) =>
      ["deleted", `${visible(column)} from ${from} to ${to}, not yet dropped everywhere`] as const
    ),
    [
      "replaced",
      retired.segments === 0
        ? ""
        : `${counted(retired.segments, "segment")}, ${humanBytes(retired.bytes)}, not yet removed`,
    ],
    ...merges.map((merge, i) => [i === 0 ? "last merges" : "", mergeText(merge)] as const),
    ["problem", visible(store.problem ?? "")],
  ];
  const facts = labels.filter(([, text]) => text !== "").map(([label, text]) =>
    cut(`${label.padEnd(11)}  ${text}`, width)
  );
  const rows = [
    ...store.levels.map(({ level, segments, rows, bytes }) => {
      return { name: `level ${level}`, count: humanCount(segments), rows: humanCount(rows), bytes };
    }),
    ...logs.map(({ name, bytes }) => {
      const only = logs.length === 1 && growingRows !== null;
      return { name: visible(name), count: "", rows: only ? humanCount(growingRows) : "", bytes };
    }),
  ];
  const listing = rows.length === 0 ? [] : layout([
    { title: "store", cells: rows.map(({ name }) => name) },
    { title: "segments", cells: rows.map(({ count }) => count), align: "right" },
    { title: "rows", cells: rows.map(({ rows }) => rows), align: "right" },
    { title: "size", cells: rows.map(({ bytes }) => humanBytes(bytes)), align: "right" },
  ], { width, color });
  return [...facts, ...(listing.length > 0 ? ["", ...listing] : [])];
}
