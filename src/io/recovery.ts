/**
 * What a journal that its writer left behind says of the files, and putting them back (format: `journal-format.ts`).
 *
 * | change counters on the disk | bytes | |
 * | --- | --- | --- |
 * | those of the end | | the commit is complete, the journal is left over |
 * | those before, or of a commit that runs | each sector old or new | the old bytes are put back |
 * | anything else, or other bytes | | somebody changed the table since: nothing is touched |
 */
import { crc32 } from "node:zlib";
import { TableError } from "../error.ts";
import type { Backend } from "./backend.ts";
import { restoreWhole } from "./commit.ts";
import {
  JOURNAL_FILE,
  type JournalContent,
  type JournalRecord,
  readJournal,
  SECTOR_BYTES,
} from "./journal-format.ts";
import { readWholeFile } from "./whole-file.ts";

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

/** The journal in a directory, null if there is none, or none whose header is complete. @throws TableError IO, CORRUPT */
export function journalOf(directory: string, backend: Backend): JournalContent | null {
  const path = `${directory}/${JOURNAL_FILE}`;
  const bytes = readWholeFile(backend, path);
  if (bytes === null) return null;
  const content = readJournal(bytes, path);
  for (const { file } of content?.records ?? []) checkName(file, path);
  return content;
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
    if (!candidates.some((bytes) => isPrefix(bytes.subarray(from, to), found.subarray(from, to)))) {
      return false;
    }
    from = to;
  }
  return true;
}

function isPrefix(bytes: Uint8Array, of: Uint8Array): boolean {
  return bytes.length <= of.length && bytes.every((byte, i) => of[i] === byte);
}

/**
 * What is to be done about the journal in a directory. Nothing is changed. With `bytes: false` only the change counters
 * are looked at, which is enough for who only reads.
 *
 * @throws TableError IO, CORRUPT
 */
export function inspect(
  directory: string,
  backend: Backend,
  place: CountersPlace,
  { bytes = true }: { bytes?: boolean } = {},
): Verdict {
  const content = journalOf(directory, backend);
  if (content === null) return { kind: "none" };
  const { head, records } = content;
  const lock = readWholeFile(backend, `${directory}/${place.file}`);
  const found = lock?.subarray(place.offset) ?? new Uint8Array(0);
  const end = records.findLast((record) => record.kind === "end");
  if (end !== undefined && end.after.length > 0 && isPrefix(end.after, found)) {
    return { kind: "complete", content };
  }
  const possible = [head.before, head.begun, ...(end === undefined ? [] : [end.after])];
  if (!countersAre(found, possible, place.offset)) {
    return {
      kind: "refuse",
      content,
      reason: "the change counters are neither those before nor those after: the table was changed since",
    };
  }
  const reason = bytes ? differs(directory, backend, records) : null;
  return reason === null ? { kind: "undo", content } : { kind: "refuse", content, reason };
}

/** Where a file's bytes are neither the old nor the new ones; null if they are everywhere. */
function differs(directory: string, backend: Backend, records: readonly JournalRecord[]): string | null {
  const newer = new Map<string, Set<number>>();
  for (const record of records) {
    if (record.kind !== "new") continue;
    eachSector(record.offset, record.length, (from, _to, i) => {
      const key = `${record.file}@${from}`;
      newer.set(key, (newer.get(key) ?? new Set()).add(record.checksums[i]!));
    });
  }
  for (const record of records) {
    const path = `${directory}/${record.file}`;
    if (record.kind === "whole") {
      const found = readWholeFile(backend, path);
      const isOld = found === null
        ? record.old === null
        : record.old !== null && sameBytes(found, record.old);
      const isNew = found !== null && found.length === record.newLength && crc32(found) === record.checksum;
      if (!isOld && !isNew) return `${record.file} is neither the old nor the new one`;
    }
    if (record.kind !== "old") continue;
    const found = bytesOf(backend, path, record.offset, record.old.length);
    if (found === null) return `${record.file} is missing`;
    let wrong = -1;
    eachSector(record.offset, record.old.length, (from, to, i) => {
      // Behind the new end anything may stand while the file is cut and written again.
      if (wrong >= 0 || to > record.newLength) return;
      const piece = found.subarray(from - record.offset, to - record.offset);
      if (sameBytes(piece, record.old.subarray(from - record.offset, to - record.offset))) return;
      const sum = crc32(piece);
      if (sum !== record.checksums[i] && !newer.get(`${record.file}@${from}`)?.has(sum)) wrong = from;
    });
    if (wrong >= 0) return `${record.file} has neither the old nor the new bytes at offset ${wrong}`;
  }
  return null;
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
 * Puts back what a journal saved, and waits until the disk has it; to be called under the table's write lock, after
 * {@linkcode inspect} said `undo`. The journal stays: remove it when the change counters were written.
 *
 * @throws TableError IO; calling it again goes on
 */
export function undo(directory: string, backend: Backend, { records }: JournalContent): void {
  const byFile = new Map<string, JournalRecord[]>();
  for (const record of records) byFile.set(record.file, [...(byFile.get(record.file) ?? []), record]);
  for (const [file, own] of byFile) {
    const path = `${directory}/${file}`;
    for (const record of own) if (record.kind === "whole") restoreWhole(backend, directory, record);
    const length = own.find((record) => record.kind === "length");
    const old = own.filter((record) => record.kind === "old");
    if (length === undefined && old.length === 0) continue;
    if (length?.length === -1) {
      if (backend.kind(path) !== null) backend.remove(path);
      continue;
    }
    const handle = backend.open(path, "update");
    try {
      for (const record of old) handle.write(record.old, record.offset);
      if (length !== undefined && handle.size() > length.length) handle.resize(length.length);
      handle.sync();
    } finally {
      handle.close();
    }
  }
  backend.syncDirectory(directory);
}

/** Removes the journal. */
export function removeJournal(directory: string, backend: Backend): void {
  backend.remove(`${directory}/${JOURNAL_FILE}`);
}
