/**
 * What a store is at one moment, as those who read it see it: the segments of a manifest, and the rows of logs behind them.
 */
import type { Table } from "../../table/table.ts";
import type { VisibleRows } from "../log/index.ts";
import type { Deletion, Manifest, SegmentEntry } from "../manifest/format.ts";
import type { IngestSchema } from "../schema.ts";

/** A table that stays open until it is let go of. */
export interface HeldTable {
  readonly table: Table;
  release(): void;
}

/** A moment of a store: all of it was so at once. */
export interface StoreState {
  readonly manifest: Manifest;
  /** Those of the manifest, and those that were asked for since. */
  readonly deletions: readonly Deletion[];
  readonly visible: VisibleRows;
}

/** A store, for its views. */
export interface StateSource {
  /** The store's directory. */
  readonly path: string;
  readonly schema: IngestSchema;
  /** What the store is now. @throws TableError those of reading the manifest and the logs */
  state(): StoreState;
  /** The table of a segment. @throws TableError NOT_FOUND when it is no longer part of the store; others of opening tables */
  openSegment(entry: SegmentEntry): HeldTable;
  /** The table without rows that has keywords and subtables. */
  openTemplate(): HeldTable;
  /** False when the segment surely has no row with that key. */
  mayHoldKey(entry: SegmentEntry, values: readonly (string | number | bigint | boolean)[]): boolean;
  /** Calls `listener` when rows may have become visible; the result ends that. */
  onVisible(listener: () => void): () => void;
}

/** A stretch of a store that is read as one table. */
export interface Part {
  /** null: rows that are in logs. */
  readonly entry: SegmentEntry | null;
  readonly rows: number;
  /** Sequence numbers of its rows are in [firstSequence, endSequence). */
  readonly firstSequence: number;
  readonly endSequence: number;
  /** Rows stand in the order of their sequence numbers. */
  readonly ascending: boolean;
  /** Deletions that may concern its rows. */
  readonly deletions: readonly Deletion[];
}

/** True when the row with sequence number firstSequence + i is row i. */
export function isGapless({ ascending, rows, firstSequence, endSequence }: Part): boolean {
  return ascending && rows === endSequence - firstSequence;
}

/** The parts of a store, in the order of their sequence numbers. */
export function partsOf({ manifest, deletions: all, visible }: StoreState, schema: IngestSchema): Part[] {
  const parts: Part[] = manifest.segments.map((entry) => ({
    entry,
    rows: entry.rows,
    firstSequence: entry.firstSequence,
    endSequence: entry.endSequence,
    ascending: !entry.sorted,
    deletions: all.filter((deletion) => concerns(deletion, entry, schema)),
  }));
  const firstSequence = Math.max(manifest.nextSequence, visible.firstSequence);
  const endSequence = visible.firstSequence + visible.rows;
  if (endSequence > firstSequence) {
    const rows = endSequence - firstSequence;
    const deletions = all.filter(({ before }) => before > firstSequence);
    parts.push({ entry: null, rows, firstSequence, endSequence, ascending: true, deletions });
  }
  return parts;
}

function concerns(deletion: Deletion, entry: SegmentEntry, schema: IngestSchema): boolean {
  if (deletion.id <= entry.cleaned || deletion.before <= entry.firstSequence) return false;
  const { time } = entry;
  if (deletion.column !== schema.time || time === null) return true;
  return deletion.from <= time.max && deletion.to > time.min;
}
