/**
 * The ColumnSet, which says what data managers a table has and which column lies in which: format reference part 1,
 * section 6. It isn't framed as an object.
 *
 * | field | type | |
 * | --- | --- | --- |
 * | version | Int | -2 or -3; 0 and more: version 1, and this is nrow |
 * | nrow | uInt (v2), uInt64 (v3) | not heeded |
 * | storage option, block size | Int, Int | v3 only |
 * | seqCount | uInt | next sequence number |
 * | nrdm | uInt | |
 * | managers | nrdm × (String type, uInt sequence number) | |
 * | columns | one a column of the description (v1: in ascending order of name) | |
 * | blobs | nrdm × (uInt length, bytes) | what each manager keeps here |
 *
 * | column | type | |
 * | --- | --- | --- |
 * | version | uInt | 2 |
 * | keywords | TableRecord | version 1 only |
 * | original name | String | |
 * | version | uInt | 1 |
 * | sequence number | uInt | of its manager |
 * | shapeDefined, shape | Bool, IPosition | arrays only; the shape only if defined |
 */
import type { AipsReader, AipsWriter } from "./aipsio.ts";
import { type ColumnDesc, readFixedShape } from "./column-desc.ts";
import { compareBytes } from "./order.ts";
import { readRecord } from "./record-io.ts";
import type { RecordFields } from "./record.ts";

/** Where a table keeps its data managers' files. */
export type StorageOption = "multifile" | "multihdf5" | "separate";

/** In the order of the codes on disk. */
const STORAGE_OPTIONS: readonly StorageOption[] = ["multifile", "multihdf5", "separate"];

/** Block size of a MultiFile, in bytes, unless told otherwise. */
export const DEFAULT_BLOCK_BYTES = 4_194_304;

/** Row counts up to this one take 32 bits; it is the largest Int, although the field is a uInt. */
export const MAX_SHORT_ROW_COUNT = 2_147_483_647;

/** A data manager of a table. */
export interface ManagerEntry {
  /** Class name: `StandardStMan`. */
  readonly type: string;
  /** The `<N>` of its files `table.f<N>`; unique, not its position in the list. */
  readonly sequence: number;
  /** What the manager keeps in `table.dat`: an AipsIO root object of its own, or nothing. */
  readonly blob: Uint8Array;
}

/** How a column is bound, in the order of the description's columns. */
export interface ColumnBinding {
  /** The column's name when it was made; not used to look anything up. */
  readonly originalName: string;
  /** Sequence number of its manager. */
  readonly sequence: number;
  /** Arrays: the shape of every cell; null if cells may differ. */
  readonly shape: readonly number[] | null;
}

/** Data managers and the columns in them. */
export interface ColumnSet {
  /** A copy of the row count that nobody heeds. */
  readonly rowCount: number;
  readonly storage: StorageOption;
  /** Of a MultiFile, in bytes. */
  readonly blockSize: number;
  /** The sequence number that the next manager gets. */
  readonly sequenceCount: number;
  readonly managers: readonly ManagerEntry[];
  readonly columns: readonly ColumnBinding[];
}

/** A ColumnSet, and the keywords that very old files keep there, by position of the column. */
export interface ReadColumnSet {
  readonly columnSet: ColumnSet;
  readonly oldKeywords: ReadonlyMap<number, RecordFields>;
}

/** Reads the ColumnSet of a table with these columns. @throws TableError CORRUPT, UNSUPPORTED, LIMIT */
export function readColumnSet(r: AipsReader, columns: readonly ColumnDesc[]): ReadColumnSet {
  const at = r.offset;
  const first = r.i32();
  if (first < 0 && first !== -2 && first !== -3) {
    r.unsupported(`ColumnSet has version ${-first}, expected 1, 2 or 3`, at);
  }
  const rowCount = first === -3 ? r.uint64() : first === -2 ? r.u32() : first;
  const storageAt = r.offset;
  const storage = first === -3 ? STORAGE_OPTIONS[r.i32()] : "separate";
  if (storage === undefined) r.fail("unknown storage option, expected 0, 1 or 2", storageAt);
  const blockSize = first === -3 ? r.i32() : DEFAULT_BLOCK_BYTES;
  const sequenceCount = r.u32();
  const heads: { type: string; sequence: number }[] = [];
  const sequences = new Set<number>();
  const count = r.count(8);
  for (let i = 0; i < count; i++) {
    const type = r.string();
    const sequenceAt = r.offset;
    const sequence = r.u32();
    if (sequences.has(sequence)) r.fail(`two data managers have sequence number ${sequence}`, sequenceAt);
    sequences.add(sequence);
    heads.push({ type, sequence });
  }
  const bindings: ColumnBinding[] = new Array(columns.length);
  const oldKeywords = new Map<number, RecordFields>();
  for (const index of first >= 0 ? byName(columns) : columns.keys()) {
    bindings[index] = readBinding(r, index, columns[index]!, sequences, oldKeywords);
  }
  const managers = heads.map((head): ManagerEntry => ({ ...head, blob: r.stringBytes() }));
  return {
    columnSet: { rowCount, storage, blockSize, sequenceCount, managers, columns: bindings },
    oldKeywords,
  };
}

/** Writes a ColumnSet, version 3 exactly if version 2 can't say it. */
export function writeColumnSet(w: AipsWriter, set: ColumnSet, columns: readonly ColumnDesc[]): void {
  if (set.storage === "separate" && set.rowCount <= MAX_SHORT_ROW_COUNT) {
    w.i32(-2);
    w.u32(set.rowCount);
  } else {
    w.i32(-3);
    w.u64(set.rowCount);
    w.i32(STORAGE_OPTIONS.indexOf(set.storage));
    w.i32(set.blockSize);
  }
  w.u32(set.sequenceCount);
  w.u32(set.managers.length);
  for (const manager of set.managers) {
    w.string(manager.type);
    w.u32(manager.sequence);
  }
  set.columns.forEach((binding, index) => {
    w.u32(2);
    w.string(binding.originalName);
    w.u32(1);
    w.u32(binding.sequence);
    if (columns[index]!.kind !== "array") return;
    w.bool(binding.shape !== null);
    if (binding.shape !== null) w.iposition(binding.shape);
  });
  for (const manager of set.managers) w.string(manager.blob);
}

/** Number of axes of an array column's cells, -1 if any; 0 for scalars. */
export function axesOf(desc: ColumnDesc, binding: ColumnBinding): number {
  return binding.shape === null ? desc.ndim : binding.shape.length;
}

function readBinding(
  r: AipsReader,
  index: number,
  desc: ColumnDesc,
  sequences: ReadonlySet<number>,
  oldKeywords: Map<number, RecordFields>,
): ColumnBinding {
  const at = r.offset;
  const version = r.u32();
  if (version !== 1 && version !== 2) {
    r.unsupported(`column data has version ${version}, expected 1 or 2`, at);
  }
  if (version === 1) oldKeywords.set(index, readRecord(r));
  const originalName = r.string();
  const innerAt = r.offset;
  const inner = r.u32();
  if (inner !== 1) r.unsupported(`column data has inner version ${inner}, expected 1`, innerAt);
  const sequenceAt = r.offset;
  const sequence = r.u32();
  if (!sequences.has(sequence)) {
    r.fail(
      `column ${JSON.stringify(desc.name.slice(0, 80))} lies in data manager ${sequence}, there is none`,
      sequenceAt,
    );
  }
  const shape = desc.kind === "array" && r.bool() ? readFixedShape(r) : null;
  return { originalName, sequence, shape };
}

/** Positions of the columns in ascending order of their names. */
function byName(columns: readonly ColumnDesc[]): number[] {
  return [...columns.keys()].sort((a, b) => compareBytes(columns[a]!.name, columns[b]!.name));
}
