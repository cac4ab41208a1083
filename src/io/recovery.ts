/**
 * What a journal that its writer left behind says of the files, and putting them back (format: `journal-format.ts`).
 *
 * | change counters on the disk | bytes | |
 * | --- | --- | --- |
 * | those of the end | all new | the commit is complete, the journal is left over |
 * | those of the undoing | | the table was put back, the journal is left over |
 * | those before, or of a commit that runs | each sector old or new | the old bytes are put back |
 * | anything else, or other bytes | | somebody changed the table since: nothing is touched |
 */
import { crc32 } from "node:zlib";
import { TableError } from "../error.ts";
import type { Backend, Handle } from "./backend.ts";
import { restoreWhole } from "./commit.ts";
import {
  JOURNAL_FILE,
  type JournalContent,
  type JournalRecord,
  type JournalSource,
  readJournal,
  SECTOR_BYTES,
} from "./journal-format.ts";
import { writeRecord } from "./journal-buffer.ts";
import { RangeSet, zerosFor } from "./ranges.ts";
import { BESIDE, readWholeFile } from "./whole-file.ts";

/** Where the change counters stand. */
export interface CountersPlace {
  readonly file: string;
  readonly offset: number;
}

/** What is to be done about a journal. */
export type Verdict =
  /** There is none, or none that was ever used. */
  | { readonly kind: "none" }
  | { readonly kind: "complete"; readonly content: JournalContent }
  | { readonly kind: "undo"; readonly content: JournalContent }
  | { readonly kind: "refuse"; readonly content: JournalContent; readonly reason: string };

/** Where a commit stands that a journal tells of, by the change counters alone. */
export type CountersState = "before" | "begun" | "after" | "undone" | "other";

/** What a file holds of what a journal tells. Numbers of bytes. */
export interface FileSurvey {
  readonly file: string;
  /** Bytes whose old content is in the journal: where the file still has them, where it has the new ones, and neither. */
  readonly old: number;
  readonly new: number;
  readonly other: number;
  /** Where bytes that are neither begin; -1: nowhere. */
  readonly firstOther: number;
  /** Where the first bytes that aren't the newest begin; -1: nowhere. */
  readonly firstNotNew: number;
  /** There is no such file, though the journal has old bytes of it. */
  readonly missing: boolean;
  /** Length at the last commit, -1: there was no such file; null: the journal doesn't say. */
  readonly length: number | null;
}

/**
 * The journal in a directory, null if there is none, or none whose header is complete. One that its owner removes while it
 * is read is none: its commit is over.
 *
 * @throws TableError IO, CORRUPT, UNSUPPORTED
 */
export function journalOf(directory: string, backend: Backend): JournalContent | null {
  const path = `${directory}/${JOURNAL_FILE}`;
  let content: JournalContent | null;
  try {
    content = readJournal(journalSource(backend, path), path);
  } catch (error) {
    if (error instanceof TableError && error.code === "NOT_FOUND") return null;
    throw error;
  }
  for (const { file } of content?.records ?? []) checkName(file, path);
  return content;
}

/**
 * A journal on the disk. What is cut off or removed meanwhile reads as zeros, which are no record; a reader who lays them
 * over what it reads finds out before it believes it (`Sharing.moved`).
 *
 * @throws TableError NOT_FOUND when there is none, IO
 */
function journalSource(backend: Backend, path: string): JournalSource {
  const using = <T>(work: (handle: Handle) => T): T => {
    const handle = backend.open(path, "read");
    try {
      return work(handle);
    } finally {
      handle.close();
    }
  };
  return {
    length: using((handle) => handle.size()),
    read: (offset, length) => {
      const bytes = new Uint8Array(length);
      try {
        using((handle) => handle.read(bytes, offset));
      } catch (error) {
        if (!(error instanceof TableError && error.code === "NOT_FOUND")) throw error;
      }
      return bytes;
    },
  };
}

/** Names lead nowhere else: a journal that came from somebody else must not. */
function checkName(file: string, path: string): void {
  if (file === "" || file === "." || file === ".." || /[/\\\0]/.test(file)) {
    throw new TableError("CORRUPT", `${JSON.stringify(file)} is no name of a table's file`, { file: path });
  }
}

/** Whether what stands at the counters' place is one of `candidates`, or was written between them. */
function countersAre(found: Uint8Array, candidates: readonly Uint8Array[], offset: number): boolean {
  const length = Math.max(...candidates.map((bytes) => bytes.length));
  for (let from = 0; from < length;) {
    const to = Math.min(length, from + SECTOR_BYTES - (offset + from) % SECTOR_BYTES);
    const piece = found.subarray(from, to);
    // No counters: nothing, or zeros.
    const fits = (bytes: Uint8Array) =>
      bytes.length === 0 ? piece.every((byte) => byte === 0) : isPrefix(bytes.subarray(from, to), piece);
    if (!candidates.some(fits)) return false;
    from = to;
  }
  return true;
}

function isPrefix(bytes: Uint8Array, of: Uint8Array): boolean {
  return bytes.length <= of.length && bytes.every((byte, i) => of[i] === byte);
}

/** Where the commit of a journal stands, by the change counters. @throws TableError IO */
export function countersState(
  directory: string,
  backend: Backend,
  place: CountersPlace,
  { head, records }: JournalContent,
): CountersState {
  const lock = readWholeFile(backend, `${directory}/${place.file}`);
  const found = lock?.subarray(place.offset) ?? new Uint8Array(0);
  const ends = records.flatMap((record) => record.kind === "end" ? [record.after] : []);
  const undone = records.flatMap((record) => record.kind === "undone" ? [record.after] : []);
  const are = (candidates: readonly Uint8Array[]) => countersAre(found, candidates, place.offset);
  const last = ends.at(-1);
  if (undone.some((bytes) => bytes.length > 0 && isPrefix(bytes, found))) return "undone";
  if (undone.length === 0 && last !== undefined && last.length > 0 && isPrefix(last, found)) return "after";
  if (are([head.before])) return "before";
  return are([head.before, head.begun, ...ends, ...undone]) ? "begun" : "other";
}

/**
 * What is to be done about the journal in a directory. Nothing is changed. With `bytes: false` only the change counters
 * are looked at, which is enough for who only reads.
 *
 * @throws TableError IO, CORRUPT, UNSUPPORTED
 */
export function inspect(
  directory: string,
  backend: Backend,
  place: CountersPlace,
  { bytes = true }: { bytes?: boolean } = {},
): Verdict {
  const content = journalOf(directory, backend);
  if (content === null) return { kind: "none" };
  const state = countersState(directory, backend, place, content);
  if (state === "undone") return { kind: "complete", content };
  if (state === "other") {
    const reason =
      "the change counters are neither those before nor those after: the table was changed since";
    return { kind: "refuse", content, reason };
  }
  if (bytes) {
    for (const file of surveyFiles(directory, backend, content)) {
      const reason = state === "after" ? whyNotComplete(file) : whyNotUndone(file);
      if (reason !== null) return { kind: "refuse", content, reason };
    }
  }
  return { kind: state === "after" ? "complete" : "undo", content };
}

/** Why the old bytes of a file can't be put back; null if they can. */
export function whyNotUndone({ file, missing, other, firstOther }: FileSurvey): string | null {
  if (missing) return `${file} is missing`;
  return other > 0 ? `${file} has neither the old nor the new bytes at offset ${firstOther}` : null;
}

/** Why a file is not what the commit made of it, though the change counters say so; null if it is. */
export function whyNotComplete({ file, firstNotNew }: FileSurvey): string | null {
  return firstNotNew < 0
    ? null
    : `${file} doesn't have the new bytes at offset ${firstNotNew}, though the change counters say so`;
}

/** What each file holds of what a journal tells, by sectors. @throws TableError IO */
export function surveyFiles(
  directory: string,
  backend: Backend,
  { records }: JournalContent,
): FileSurvey[] {
  return [...byFile(records)].filter(([, own]) => own.some(({ kind }) => kind !== "end" && kind !== "undone"))
    .map(([file, own]) => surveyFile(directory, backend, file, own));
}

function byFile(records: readonly JournalRecord[]): Map<string, JournalRecord[]> {
  const files = new Map<string, JournalRecord[]>();
  for (const record of records) {
    const own = files.get(record.file);
    if (own === undefined) files.set(record.file, [record]);
    else own.push(record);
  }
  return files;
}

function surveyFile(
  directory: string,
  backend: Backend,
  file: string,
  records: readonly JournalRecord[],
): FileSurvey {
  const path = `${directory}/${file}`;
  const survey = { file, old: 0, new: 0, other: 0, firstOther: -1, firstNotNew: -1, missing: false };
  const length = records.find((record) => record.kind === "length")?.length ?? null;
  const count = (from: number, bytes: number, isOld: boolean, isNew: boolean, isNewest: boolean) => {
    if (isOld) survey.old += bytes;
    else if (isNew) survey.new += bytes;
    else survey.other += bytes;
    if (!isOld && !isNew && survey.firstOther < 0) survey.firstOther = from;
    if (!isNewest && survey.firstNotNew < 0) survey.firstNotNew = from;
  };
  const wholes = records.filter((record) => record.kind === "whole");
  if (wholes.length > 0) {
    const found = readWholeFile(backend, path), { old } = wholes[0]!;
    const isOld = found === null ? old === null : old !== null && sameBytes(found, old);
    const sum = found === null ? 0 : crc32(found);
    const fits = ({ newLength, checksum }: typeof wholes[number]) =>
      found !== null && found.length === newLength && sum === checksum;
    count(0, found?.length ?? 0, isOld, wholes.some(fits), fits(wholes.at(-1)!));
    if (!isOld && !wholes.some(fits)) survey.other = Math.max(1, survey.other);
  }
  surveyRanges(path, backend, records, count, survey);
  const isKept = length !== -1 && records.some(({ kind }) => kind === "spare");
  if (isKept && backend.kind(path) === null) survey.missing = true;
  return { ...survey, length };
}

/** Looks at what old bytes were saved of, sector by sector. */
function surveyRanges(
  path: string,
  backend: Backend,
  records: readonly JournalRecord[],
  count: (from: number, bytes: number, isOld: boolean, isNew: boolean, isNewest: boolean) => void,
  survey: { missing: boolean },
): void {
  /** Checksums of what a sector may hold, by where it begins; the newest is the last. */
  const newer = new Map<number, number[]>();
  // Behind the shortest end anything may stand while the file is cut and written again.
  let certain = Infinity;
  // Neither does it matter what stands where no value is.
  const spare = new RangeSet();
  for (const record of records) {
    if (record.kind === "spare") spare.add(record.offset, record.offset + record.length);
    if (record.kind !== "old" && record.kind !== "new") continue;
    certain = Math.min(certain, record.newLength);
    if (record.kind === "old") continue;
    eachSector(record.offset, record.length, (from, _to, i) => {
      const sums = newer.get(from);
      if (sums === undefined) newer.set(from, [record.checksums[i]!]);
      else sums.push(record.checksums[i]!);
    });
  }
  for (const record of records) {
    if (record.kind !== "old" || survey.missing) continue;
    const { old } = record, found = bytesOf(backend, path, record.offset, old.length);
    if (found === null) {
      survey.missing = true;
      return;
    }
    eachSector(record.offset, old.length, (from, to, i) => {
      if (to > certain || spare.touches(from, to)) return;
      const piece = found.subarray(from - record.offset, to - record.offset);
      const isOld = sameBytes(piece, old.subarray(from - record.offset, to - record.offset));
      const sum = crc32(piece), later = newer.get(from);
      const isNew = sum === record.checksums[i] || (later?.includes(sum) ?? false);
      count(from, to - from, isOld, isNew, sum === (later?.at(-1) ?? record.checksums[i]));
    });
  }
}

/** Bytes of a range as far as the file has them; null if there is no file. */
function bytesOf(backend: Backend, path: string, offset: number, length: number): Uint8Array | null {
  if (backend.kind(path) === null) return null;
  const handle = backend.open(path, "read");
  try {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, handle.read(bytes, offset));
  } finally {
    handle.close();
  }
}

function eachSector(
  offset: number,
  length: number,
  visit: (from: number, to: number, index: number) => void,
): void {
  for (let from = offset, i = 0; from < offset + length; i++) {
    const to = Math.min(offset + length, from + SECTOR_BYTES - from % SECTOR_BYTES);
    visit(from, to, i);
    from = to;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/**
 * Puts a table back to its last commit; to be called under its write lock, after {@linkcode inspect} said `undo`. The disk
 * has the old bytes before the change counters tell of them, and the journal says which those are: whoever is stopped
 * here, the next one goes on.
 *
 * @param recovered the change counters from now on, other than any that somebody may have seen; null: they stay
 * @throws TableError IO; calling it again goes on
 */
export function putBack(
  directory: string,
  backend: Backend,
  place: CountersPlace,
  content: JournalContent,
  recovered: Uint8Array | null,
): void {
  undo(directory, backend, content);
  if (recovered === null) return removeJournal(directory, backend);
  withFile(backend, `${directory}/${JOURNAL_FILE}`, (journal) => {
    const record = writeRecord(content.head.id, { kind: "undone", file: place.file, after: recovered });
    journal.resize(content.end);
    journal.write(record, content.end);
    journal.sync();
  });
  withFile(backend, `${directory}/${place.file}`, (counters) => {
    counters.write(recovered, place.offset);
    counters.sync();
  });
  removeJournal(directory, backend);
}

function withFile(backend: Backend, path: string, work: (handle: Handle) => void): void {
  const handle = backend.open(path, "update");
  try {
    work(handle);
  } finally {
    handle.close();
  }
}

/** Puts back what a journal saved, and waits until the disk has it. */
function undo(directory: string, backend: Backend, { records }: JournalContent): void {
  for (const [file, own] of byFile(records)) {
    const path = `${directory}/${file}`;
    const whole = own.find((record) => record.kind === "whole");
    if (whole !== undefined) {
      restoreWhole(backend, directory, whole);
      if (backend.kind(path + BESIDE) !== null) backend.remove(path + BESIDE);
    }
    const length = own.find((record) => record.kind === "length");
    const old = own.filter((record) => record.kind === "old");
    const spare = own.filter((record) => record.kind === "spare");
    if (length === undefined && old.length === 0 && spare.length === 0) continue;
    if (length?.length === -1) {
      if (backend.kind(path) !== null) backend.remove(path);
      continue;
    }
    withFile(backend, path, (handle) => {
      for (const record of old) handle.write(record.old, record.offset);
      // After the old bytes: sectors that were saved may have had some of it already.
      const size = handle.size();
      for (const { offset, length } of spare) {
        for (const [at, zeros] of zerosFor(offset, Math.min(offset + length, size))) handle.write(zeros, at);
      }
      if (length !== undefined && (size > length.length || (size < length.length && spare.length > 0))) {
        handle.resize(length.length);
      }
      handle.sync();
    });
  }
  backend.syncDirectory(directory);
}

/** Removes the journal. */
export function removeJournal(directory: string, backend: Backend): void {
  backend.remove(`${directory}/${JOURNAL_FILE}`);
}
