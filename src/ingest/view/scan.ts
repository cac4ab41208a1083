/**
 * Going through a store: what there is, and what is still to come.
 */
import { TableError } from "../../error.ts";
import { columnsOf, type Condition, parseWhere } from "../../query/where.ts";
import { SEQUENCE_COLUMN } from "../schema.ts";
import { batchesOf, type BatchSettings, type IngestBatch } from "./batches.ts";
import { OpenPart } from "./open-part.ts";
import { type Known, mayHold, type Range } from "./pruning.ts";
import { type Part, partsOf, type StateSource } from "./state.ts";

/** What a scan reads. */
export interface ScanOptions {
  /** Columns to read; all of the user's unless told otherwise. `INGEST_SEQUENCE` may be one. */
  readonly columns?: readonly string[];
  /**
   * Only rows for which this holds: comparisons of scalar columns joined by `and` and `or`, as text or as `parseWhere` gives
   * it. Segments in which no row can match aren't opened.
   */
  readonly where?: string | Condition;
  /** First sequence number; 0 unless told otherwise. */
  readonly from?: number;
  /** Most bytes of values in a batch, unless one row has more; 8 MiB unless told otherwise. */
  readonly maxBytes?: number;
  /** Ends it with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What a tail reads. */
export interface TailOptions extends Omit<ScanOptions, "from"> {
  /** First sequence number; the next row to come unless told otherwise. */
  readonly from?: number;
}

const DEFAULT_MAX_BYTES = 8 * 1024 * 1024;
/** How often something is tried again that went while it was opened. */
const MAX_TRIES = 100;

/** @throws TableError NO_SUCH_COLUMN, INVALID_ARGUMENT */
function settingsOf(source: StateSource, options: ScanOptions, inOrder: boolean): BatchSettings {
  const { schema } = source, { where, signal, from = 0, maxBytes = DEFAULT_MAX_BYTES } = options;
  const columns = options.columns ?? schema.columns.map(({ name }) => name);
  const condition = typeof where === "string" ? parseWhere(where) : where ?? null;
  for (const name of [...columns, ...condition === null ? [] : columnsOf(condition)]) {
    if (name !== SEQUENCE_COLUMN) schema.column(name);
  }
  if (!(Number.isSafeInteger(from) && from >= 0)) {
    throw new TableError("INVALID_ARGUMENT", `from is a sequence number of 0 or more, found ${from}`);
  }
  if (!(maxBytes >= 1)) throw new TableError("INVALID_ARGUMENT", `maxBytes is 1 or more, found ${maxBytes}`);
  return { columns, condition, from, to: Infinity, maxBytes, inOrder, signal };
}

/** What the manifest says of a part's values. */
export function knownOf(source: StateSource, { entry, firstSequence, endSequence }: Part): Known {
  const sequences: Range = { min: firstSequence, max: endSequence - 1 };
  if (entry === null) return { range: (column) => column === SEQUENCE_COLUMN ? sequences : null };
  const { schema } = source;
  return {
    range: (column) => {
      if (column === SEQUENCE_COLUMN) return sequences;
      // Rows whose time is NaN are in no range, and no comparison but != holds for them.
      if (column === schema.time && entry.time !== null) return entry.time;
      const range = entry.keys[column];
      if (range === undefined) return null;
      if (schema.column(column).dtype !== "int64") return range;
      return { min: BigInt(range.min), max: BigInt(range.max) };
    },
    ...(schema.key.length > 0 &&
      { key: { columns: schema.key, mayHold: (values) => source.mayHoldKey(entry, values) } }),
  };
}

function isGone(error: unknown): boolean {
  return error instanceof TableError && error.code === "NOT_FOUND";
}

/** Goes on from row `from` to what is there now, or to `to`; gives the sequence number behind it. */
async function* stretch(
  source: StateSource,
  settings: BatchSettings,
  from: number,
  to: number,
): AsyncGenerator<IngestBatch, number> {
  let next = from, tries = 0;
  while (next < to) {
    settings.signal?.throwIfAborted();
    const state = source.state();
    const part = partsOf(state, source.schema).find(({ endSequence }) => endSequence > next);
    if (part === undefined) return next;
    const { condition } = settings;
    if (condition === null || mayHold(condition, knownOf(source, part))) {
      let open: OpenPart;
      try {
        open = OpenPart.of(source, state, part);
      } catch (error) {
        // It was merged with others, or sealed, since the state was looked at.
        if (!isGone(error) || ++tries >= MAX_TRIES) throw error;
        continue;
      }
      try {
        yield* batchesOf(open, source.schema, { ...settings, from: next, to });
      } finally {
        open.release();
      }
    }
    next = Math.min(to, part.endSequence);
    tries = 0;
  }
  return next;
}

/** The sequence number behind the last visible row. */
function endOf(source: StateSource): number {
  const { visible } = source.state();
  return visible.firstSequence + visible.rows;
}

/**
 * The rows that are there when it is called, in batches, segment after segment. A segment that is merged meanwhile is read as
 * it was or as it became: no row is missing or there twice, but for those that the merge dropped.
 *
 * @throws TableError NO_SUCH_COLUMN; INVALID_ARGUMENT for options and conditions that make no sense; those of reading
 */
export async function* scan(source: StateSource, options: ScanOptions = {}): AsyncGenerator<IngestBatch> {
  const settings = settingsOf(source, options, false);
  yield* stretch(source, settings, settings.from, endOf(source));
}

/**
 * As {@linkcode scan}, in the order of sequence numbers, and then waits for rows to come, without end.
 *
 * @throws TableError as `scan`; the signal's reason
 */
export async function* tail(source: StateSource, options: TailOptions = {}): AsyncGenerator<IngestBatch> {
  const from = options.from ?? endOf(source);
  const settings = settingsOf(source, { ...options, from }, true), { signal } = settings;
  for (let next = from;;) {
    let wake = () => {};
    const woken = new Promise<void>((resolve) => wake = resolve);
    // Listening begins before it is looked: what becomes visible in between isn't missed.
    const ignore = source.onVisible(wake);
    signal?.addEventListener("abort", wake);
    try {
      const before = next;
      next = yield* stretch(source, settings, next, Infinity);
      if (next === before) await woken;
      signal?.throwIfAborted();
    } finally {
      ignore();
      signal?.removeEventListener("abort", wake);
    }
  }
}
