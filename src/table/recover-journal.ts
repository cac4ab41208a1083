/**
 * Recovery, first part: a journal that its writer left behind (docs/journal.md).
 */
import { TableError } from "../error.ts";
import { readTableDat } from "../format/table-dat.ts";
import { readSync, type SyncInfo } from "../format/table-lock.ts";
import { JOURNAL_FILE, type JournalContent } from "../io/journal-format.ts";
import {
  countersState,
  type FileSurvey,
  journalOf,
  removeJournal,
  surveyFiles,
  whyNotComplete,
  whyNotUndone,
} from "../io/recovery.ts";
import { readWholeFile } from "../io/whole-file.ts";
import { COUNTERS, putTableBack, syncFrom } from "./read-state.ts";
import type { Repair } from "./repair.ts";

const DISCARDED = "the journal is removed, and the files stay as they are";
/** Commits of others that are looked for between two values of a counter that lie further apart. */
const MOST_COMMITS = 60_000;

/** Looks at the journal. @returns true when there is none, or none any more @throws TableError IO */
export function repairJournal(repair: Repair): boolean {
  const { directory, backend } = repair;
  if (backend.kind(repair.pathOf(JOURNAL_FILE)) === null) return true;
  let content: JournalContent | null;
  try {
    content = journalOf(directory, backend);
  } catch (error) {
    if (!(error instanceof TableError) || error.code === "IO") throw error;
    return refuse(repair, `the journal of a commit can't be read: ${error.reason}`, []);
  }
  const remove = () => removeJournal(directory, backend);
  if (content === null) {
    const message = "a journal that was begun and never used: its writer died before it changed anything";
    return repair.repair({ kind: "journal", file: JOURNAL_FILE, message }, "the journal is removed", remove);
  }
  return settle(repair, content);
}

function settle(repair: Repair, content: JournalContent): boolean {
  const { directory, backend } = repair;
  const state = countersState(directory, backend, COUNTERS, content);
  const files = surveyFiles(directory, backend, content), details = files.map(fileLine);
  const remove = () => removeJournal(directory, backend);
  const found = (message: string) => ({ kind: "journal", file: JOURNAL_FILE, message, details } as const);
  const lostDat = !isReadable(repair);
  // A table.dat that is lost is no reason: the journal has the old one.
  const bad = (why: (file: FileSurvey) => string | null) =>
    files.filter((file) => !(lostDat && file.file === "table.dat")).flatMap((file) => why(file) ?? []);
  const savesDat = lostDat &&
    content.records.some(({ kind, file }) => kind === "whole" && file === "table.dat");
  switch (state) {
    case "undone":
      return repair.repair(
        { ...found("a table that was put back to its last commit, of which the journal is left") },
        "the journal is removed",
        remove,
      );
    case "after": {
      const wrong = bad(whyNotComplete);
      if (wrong.length > 0) return refuse(repair, wrong[0]!, details);
      if (savesDat) break;
      return repair.repair(
        found("a commit that is complete, of which the journal is left"),
        "the journal is removed",
        remove,
      );
    }
    case "other":
      return changedSince(repair, content, details);
  }
  const wrong = bad(whyNotUndone);
  if (wrong.length > 0) return refuse(repair, wrong[0]!, details);
  return repair.repair(
    found("a writer died in the middle of a commit"),
    "the old bytes are put back: the table is what its last commit made of it",
    () => putTableBack(directory, backend, content),
  );
}

/** True when `table.dat` can be read. */
function isReadable(repair: Repair): boolean {
  const path = repair.pathOf("table.dat");
  try {
    const bytes = readWholeFile(repair.backend, path);
    if (bytes === null) return false;
    readTableDat(bytes, path);
    return true;
  } catch (error) {
    if (error instanceof TableError && error.code !== "IO") return false;
    throw error;
  }
}

/** What one file has of what the journal tells: `table.f0: 512 bytes old, 1024 new`. */
function fileLine({ file, old, new: newer, other, firstOther, missing, length }: FileSurvey): string {
  if (missing) return `${file}: missing`;
  const parts: string[] = [];
  if (old > 0) parts.push(`${old} bytes as they were`);
  if (newer > 0) parts.push(`${newer} bytes already new`);
  if (other > 0) parts.push(`${other} bytes neither, from offset ${firstOther} on`);
  if (length !== null) parts.push(length < 0 ? "was made by the commit" : `had ${length} bytes`);
  return `${file}: ${parts.join(", ") || "nothing was changed"}`;
}

/** Somebody changed the table after the writer died. */
function changedSince(repair: Repair, content: JournalContent, details: readonly string[]): boolean {
  const { directory, backend } = repair;
  const { before, begun, after, now } = counters(repair, content);
  const line = `change counter in table.lock: ${now ?? "none"}; before the commit ${before ?? "none"}, ` +
    `while it ran ${begun ?? "none"}, after it ${after ?? "not yet told"}`;
  const more = [line, ...details];
  if (now !== null && begun !== null && isSoonAfter(now, begun)) {
    const message = `another program changed the table while a commit was half done`;
    return refuse(repair, message, more);
  }
  if (now !== null && (isSoonAfter(now, after) || isSoonAfter(now, before))) {
    return repair.repair(
      {
        kind: "journal",
        file: JOURNAL_FILE,
        message:
          "a commit that was complete, or had not changed anything yet; another program changed the table since",
        details: more,
      },
      DISCARDED,
      () => removeJournal(directory, backend),
    );
  }
  return refuse(repair, "the table was changed after its writer died in the middle of a commit", more);
}

function isSoonAfter(now: number, then: number | null): boolean {
  if (then === null) return false;
  const commits = (now - then + 2 ** 32) % 2 ** 32;
  return commits > 0 && commits < MOST_COMMITS;
}

interface CounterValues {
  readonly before: number | null;
  readonly begun: number | null;
  readonly after: number | null;
  readonly now: number | null;
}

/** The counter of all changes, as it stood at each point. */
function counters({ directory, backend }: Repair, { head, records }: JournalContent): CounterValues {
  const value = (read: () => SyncInfo | null) => {
    try {
      return read()?.modifyCounter ?? null;
    } catch (error) {
      if (error instanceof TableError && error.code !== "IO") return null;
      throw error;
    }
  };
  const end = records.findLast((record) => record.kind === "end")?.after;
  const path = `${directory}/${COUNTERS.file}`;
  return {
    before: value(() => syncFrom(head.before, directory)),
    begun: value(() => syncFrom(head.begun, directory)),
    after: end === undefined ? null : value(() => syncFrom(end, directory)),
    now: value(() => readSync(readWholeFile(backend, path) ?? new Uint8Array(0), path)),
  };
}

/** What only the user can decide. */
function refuse(repair: Repair, message: string, details: readonly string[]): boolean {
  const diagnosis = { kind: "journal", file: JOURNAL_FILE, message, details } as const;
  if (repair.options.discardJournal) {
    return repair.repair(diagnosis, DISCARDED, () => removeJournal(repair.directory, repair.backend));
  }
  return repair.hopeless({
    ...diagnosis,
    details: [...details, "nothing is put back; --discard-journal keeps the files as they are"],
  });
}
