/**
 * Which segments are merged next.
 *
 * Levels go by size: level L holds segments of at least `segmentBytes` × `fanOut`^(L − 4) bytes, the lowest one all smaller
 * ones. Segments of a level that stand beside each other, or with none but smaller ones between them, are merged when there
 * are at least `minSegments` of them that together are large enough for the next level, or `fanOut` of them. So a row is
 * written about once a level, and a level never has many more than `fanOut` segments.
 */
import type { Deletion, Manifest, SegmentEntry } from "../manifest/format.ts";
import type { CompactionOptions, RetentionOptions } from "../segments/types.ts";

/** What holds where nothing else is said. */
export const DEFAULT_COMPACTION: CompactionOptions = {
  fanOut: 10,
  minSegments: 4,
  segmentBytes: 64 * 1024 * 1024,
  maxSegmentBytes: Infinity,
  bytesPerSecond: Infinity,
  storage: undefined,
  batchBytes: 32 * 1024 * 1024,
  maxIndexRows: 8_000_000,
  automatic: true,
};

/** Levels for segments below `segmentBytes`: logs may be small, and merging them all again and again costs. */
const SMALL_LEVELS = 4;
/** Most inputs of a merge, in fan-outs. */
const MOST_FANOUTS = 2;

type Sizes = Pick<CompactionOptions, "segmentBytes" | "fanOut">;

/** Fewest bytes of a segment of a level. */
export function lowerBound(level: number, { segmentBytes, fanOut }: Sizes): number {
  return level <= 0 ? 0 : segmentBytes * fanOut ** (level - SMALL_LEVELS);
}

/** The level of a segment of so many bytes. */
export function levelOf(bytes: number, sizes: Sizes): number {
  let level = 0;
  while (bytes >= lowerBound(level + 1, sizes)) level++;
  return level;
}

/** Segments to be merged into one: adjacent ones, in their order; a single one is only written anew, for deletions. */
export interface MergeChoice {
  readonly kind: "merge" | "rewrite";
  readonly inputs: readonly SegmentEntry[];
}

function bytesOfAll(segments: readonly SegmentEntry[]): number {
  return segments.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Stretches of segments that stand beside each other and satisfy a condition. */
function stretches(
  segments: readonly SegmentEntry[],
  isIn: (segment: SegmentEntry) => boolean,
): SegmentEntry[][] {
  const found: SegmentEntry[][] = [];
  let stretch: SegmentEntry[] = [];
  for (const segment of segments) {
    if (isIn(segment)) stretch.push(segment);
    else if (stretch.length > 0) {
      found.push(stretch);
      stretch = [];
    }
  }
  return stretch.length > 0 ? [...found, stretch] : found;
}

/** What one merge can take of a stretch: pieces that keep to the limits. */
function pieces(
  stretch: readonly SegmentEntry[],
  options: CompactionOptions,
  indexed: boolean,
  most: number,
): SegmentEntry[][] {
  const found: SegmentEntry[][] = [];
  let piece: SegmentEntry[] = [], bytes = 0, rows = 0;
  for (const segment of stretch) {
    const fits = piece.length < most && bytes + segment.bytes <= options.maxSegmentBytes &&
      (!indexed || rows + segment.rows <= options.maxIndexRows);
    if (!fits && piece.length > 0) {
      found.push(piece);
      piece = [];
      bytes = rows = 0;
    }
    piece.push(segment);
    bytes += segment.bytes;
    rows += segment.rows;
  }
  return piece.length > 0 ? [...found, piece] : found;
}

/** What of a store's schema decides about merges. */
export interface MergeContext {
  /** A merge has to know all rows at once: it orders them, or looks for keys. */
  readonly indexed: boolean;
  /** The time column. */
  readonly time: string | null;
}

/** The merges of levels that are due, the lowest level first. */
function* dueMerges(
  manifest: Manifest,
  options: CompactionOptions,
  indexed: boolean,
): Generator<MergeChoice> {
  const { segments } = manifest, { fanOut, minSegments } = options;
  const levels = segments.map(({ bytes }) => levelOf(bytes, options));
  const levelOfSegment = new Map(segments.map((segment, i) => [segment, levels[i]!]));
  for (const level of [...new Set(levels)].sort((a, b) => a - b)) {
    const needed = lowerBound(level + 1, options),
      isLevel = (segment: SegmentEntry) => levelOfSegment.get(segment) === level;
    for (const stretch of stretches(segments, (segment) => levelOfSegment.get(segment)! <= level)) {
      // Smaller ones at its ends wait until they are as large.
      const core = stretch.slice(stretch.findIndex(isLevel), stretch.findLastIndex(isLevel) + 1);
      for (const inputs of pieces(core, options, indexed, MOST_FANOUTS * fanOut)) {
        const count = inputs.filter(isLevel).length;
        const isEnough = count >= Math.max(2, minSegments) &&
          (count >= fanOut || bytesOfAll(inputs) >= needed);
        if (isEnough) yield { kind: "merge", inputs };
      }
    }
  }
}

/** True when rows of a segment may have to be left out for a deletion that wasn't carried out in it. */
export function concerns(deletion: Deletion, segment: SegmentEntry, time: string | null): boolean {
  if (segment.cleaned >= deletion.id || segment.firstSequence >= deletion.before) return false;
  const range = deletion.column === time ? segment.time : null;
  // NaN is in no range, and all values of a segment without one are NaN.
  return deletion.column === time
    ? range !== null && range.min < deletion.to && range.max >= deletion.from
    : true;
}

/** The deletions that have something left to do: in a segment, or in rows that aren't in one yet. */
export function openDeletions(manifest: Manifest, time: string | null): readonly Deletion[] {
  return manifest.deletions.filter((deletion) =>
    deletion.before > manifest.nextSequence ||
    manifest.segments.some((segment) => concerns(deletion, segment, time))
  );
}

/** What is merged next, null when nothing is due. */
export function chooseMerge(
  manifest: Manifest,
  options: CompactionOptions,
  { indexed, time }: MergeContext,
): MergeChoice | null {
  const [merge] = dueMerges(manifest, options, indexed);
  if (merge !== undefined) return merge;
  const stale = manifest.segments.find((segment) =>
    manifest.deletions.some((deletion) => concerns(deletion, segment, time))
  );
  return stale === undefined ? null : { kind: "rewrite", inputs: [stale] };
}

/**
 * The next merge on the way to as few segments as the limits allow, each sorted and without a key that it has twice; null
 * when there is nothing left to do.
 */
export function chooseAll(
  manifest: Manifest,
  options: CompactionOptions,
  store: MergeContext & { readonly sorts: boolean },
): MergeChoice | null {
  const due = pieces(manifest.segments, options, store.indexed, Infinity).find((inputs) => inputs.length > 1);
  if (due !== undefined) return { kind: "merge", inputs: due };
  const raw = manifest.segments.find(({ level, sorted }) =>
    store.sorts ? !sorted : store.indexed && level === 0
  );
  if (raw !== undefined) return { kind: "rewrite", inputs: [raw] };
  return chooseMerge(manifest, { ...options, minSegments: Infinity }, store);
}

/** Bytes that the merges that are due would read now. */
export function debtBytes(
  manifest: Manifest,
  options: CompactionOptions,
  { indexed, time }: MergeContext,
): number {
  const due = new Set<SegmentEntry>();
  for (const { inputs } of dueMerges(manifest, options, indexed)) for (const input of inputs) due.add(input);
  for (const segment of manifest.segments) {
    if (manifest.deletions.some((deletion) => concerns(deletion, segment, time))) due.add(segment);
  }
  return bytesOfAll([...due]);
}

/** The segments that go because they are too old, or because all are too large together: the oldest ones. */
export function expired(
  manifest: Manifest,
  { maxBytes = Infinity, maxAgeMs = Infinity }: RetentionOptions,
  now: number,
): readonly SegmentEntry[] {
  let bytes = bytesOfAll(manifest.segments), count = 0;
  for (const segment of manifest.segments) {
    const tooOld = now - Date.parse(segment.created) > maxAgeMs;
    if (!tooOld && bytes <= maxBytes) break;
    bytes -= segment.bytes;
    count++;
  }
  return manifest.segments.slice(0, count);
}
