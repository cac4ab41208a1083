/**
 * Checks a table with everything that belongs to it: `table.dat`, `table.lock` and `table.info`, the files of every
 * storage manager, subtables, and the tables that a reference or a concatenation refers to. What is wrong is collected;
 * only a table that isn't there is an error.
 */
import { resolve } from "node:path";
import { TableError } from "../error.ts";
import { isWithin, resolveStoredName } from "../format/names.ts";
import type { RecordFields } from "../format/record.ts";
import { type PlainTableDat, readTableDat, type TableDat } from "../format/table-dat.ts";
import {
  readSync,
  readTableLock,
  SYNC_OFFSET_BYTES,
  type TableLockContent,
  writeSync,
} from "../format/table-lock.ts";
import type { Backend } from "../io/backend.ts";
import { openBackend } from "../io/backends.ts";
import type { IoSnapshot } from "../io/counters.ts";
import { runSync } from "../io/drivers.ts";
import { TableFiles } from "../io/files.ts";
import { JOURNAL_FILE } from "../io/journal-format.ts";
import { inspect } from "../io/recovery.ts";
import { readWholeFile } from "../io/whole-file.ts";
import { type Finding, Findings } from "../storage/findings.ts";
import { checkPlain } from "./check-plain.ts";
import { COUNTERS } from "./read-state.ts";
import { contextOf, openBody } from "./open.ts";
import { PlainBody } from "./plain.ts";
import { realPath } from "./real-path.ts";
import type { IoOptions } from "./options.ts";

/** Tables that are looked at: those that refer to each other are counted once, by where they really are. */
const MOST_TABLES = 10_000;
/** Subtables inside each other, and references to references. */
const MOST_LEVELS = 64;
/** Longest `table.info` that is read. */
const MAX_INFO_BYTES = 16 * 2 ** 20;

export type { Finding } from "../storage/findings.ts";

/** Options of {@linkcode checkTable}. */
export interface CheckOptions extends Pick<IoOptions, "io" | "context" | "confine"> {
  /** Look at subtables, too; true unless told otherwise. */
  readonly subtables?: boolean;
  /** Called with the directory of each table before it is looked at. */
  readonly onTable?: (path: string) => void;
  /** Called with the counters of all that is opened; they go on counting until it returns. */
  readonly onCounters?: (counters: { snapshot(): IoSnapshot }) => void;
}

/** One table that was looked at. */
export interface CheckedTable {
  /** Absolute path of its directory. */
  readonly path: string;
  /** null where the table could not be opened. */
  readonly rows: number | null;
  /** Files in its directory that are its own. */
  readonly files: number;
}

/** What a check found. */
export interface CheckReport {
  /** Absolute path of the table that was asked for. */
  readonly path: string;
  /** In the order in which they were looked at; the table that was asked for comes first. */
  readonly tables: readonly CheckedTable[];
  /** In the order in which they were found; notes are what is odd and does no harm. */
  readonly findings: readonly Finding[];
  /** Findings that are no notes. */
  readonly wrong: number;
}

/** A table to look at. */
interface Task {
  readonly directory: string;
  /** How it came to be looked at: the file that names it and what that says; null for the one asked for. */
  readonly from: { readonly file: string; readonly words: string } | null;
  readonly level: number;
}

/**
 * Walks every structure of every file of a table and reports what is inconsistent. Nothing is locked or changed.
 *
 * @returns the tables that were looked at (the table itself, its subtables, the tables that it refers to) and what was
 * found: each finding names the file and, where there is one place to look at, the byte offset.
 * @throws TableError NOT_FOUND or NOT_A_TABLE when there is no table, IO
 *
 * @example
 * ```ts
 * import { checkTable, scalar, Table } from "@tessera/tables";
 * {
 *   using table = Table.create("checked.tab", { columns: [scalar("FLAG_ROW", "bool")], rows: 10 });
 * }
 * const { wrong, findings } = checkTable("checked.tab");
 * for (const { file, offset, message } of findings) console.log(file, offset, message);
 * console.log(wrong); // 0
 * ```
 */
export function checkTable(path: string, options: CheckOptions = {}): CheckReport {
  return new Checker(resolve(path), options).run();
}

class Checker {
  readonly #root: string;
  readonly #options: CheckOptions;
  readonly #backend: Backend;
  readonly #tasks: Task[];
  readonly #seen = new Set<string>();
  readonly #tables: CheckedTable[] = [];
  readonly #findings: Finding[] = [];

  constructor(root: string, options: CheckOptions) {
    this.#root = root;
    this.#options = options;
    this.#backend = openBackend(options.io ?? "auto", { writable: false, ...contextOf(options) });
    options.onCounters?.(this.#backend.stats);
    this.#tasks = [{ directory: root, from: null, level: 0 }];
  }

  run(): CheckReport {
    for (let task = this.#tasks.shift(); task !== undefined; task = this.#tasks.shift()) this.#look(task);
    const wrong = this.#findings.filter(({ note }) => !note).length;
    return { path: this.#root, tables: this.#tables, findings: this.#findings, wrong };
  }

  #look(task: Task): void {
    const { directory, from, level } = task;
    const place = realPath(directory);
    if (this.#seen.has(place)) return;
    const findings = new Findings();
    if (this.#backend.kind(`${directory}/table.dat`) === null) {
      if (from === null) openBody(directory, this.#openOptions()).close(); // says what is there instead
      this.#findings.push({
        code: "NOT_FOUND",
        file: from!.file,
        offset: undefined,
        message: `${from!.words} ${directory}, where there is no table`,
        note: false,
      });
      return;
    }
    this.#seen.add(place);
    if (level > MOST_LEVELS || this.#seen.size > MOST_TABLES) {
      const message = `tables further on are not looked at: there are more than ${
        level > MOST_LEVELS ? `${MOST_LEVELS} levels` : MOST_TABLES
      }`;
      this.#findings.push({ code: "LIMIT", file: directory, offset: undefined, message, note: true });
      this.#tasks.length = 0;
      return;
    }
    this.#options.onTable?.(directory);
    const table = this.#check(task, findings);
    this.#tables.push({ path: directory, ...table });
    this.#findings.push(...distinct(findings.finish()));
  }

  #openOptions() {
    const { io, confine } = this.#options;
    return {
      mode: "r" as const,
      lock: "none" as const,
      ...(io === undefined ? {} : { io }),
      ...(confine === undefined ? {} : { confine }),
      ...contextOf(this.#options),
    };
  }

  #check(task: Task, findings: Findings): { rows: number | null; files: number } {
    const { directory } = task;
    using files = new TableFiles(directory, this.#backend, {
      writable: false,
      ...contextOf(this.#options),
    });
    const names = this.#backend.list(directory).filter((name) =>
      this.#backend.kind(`${directory}/${name}`) === "file"
    );
    const lock = this.#readLock(files, findings);
    const dat = this.#readDat(files, findings);
    this.#checkInfo(files, findings);
    this.#checkJournal(files, findings);
    if (dat === null) return { rows: null, files: names.length };
    this.#follow(dat, task, files.pathOf("table.dat"));
    let body;
    try {
      body = openBody(directory, this.#openOptions());
    } catch (error) {
      // What is wrong with another table is found when that one is looked at.
      const told = error instanceof TableError && error.code === "NEEDS_RECOVERY" && error.file === directory;
      if (!told && (dat.kind === "PlainTable" || !isOfOther(error, directory))) {
        findings.caught(error, directory);
      }
      return { rows: null, files: names.length };
    }
    this.#options.onCounters?.(body.stats);
    try {
      if (body instanceof PlainBody && dat.kind === "PlainTable") {
        runSync(checkPlain({ body, dat, lock, names }, findings), body.access);
      }
      body.check();
      this.#checkUnchanged(files, lock, findings);
      return { rows: body.rowCount, files: names.length };
    } finally {
      body.close();
    }
  }

  #readDat(files: TableFiles, findings: Findings): TableDat | null {
    const path = files.pathOf("table.dat");
    try {
      const bytes = readWholeFile(files.backend, path)!;
      const dat = readTableDat(bytes, path);
      const said = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4) + 4;
      if (said !== bytes.length % 2 ** 32) {
        findings.note(`the object says that the file has ${said} bytes, it has ${bytes.length}`, path, 4);
      }
      return dat;
    } catch (error) {
      findings.caught(error, path);
      return null;
    }
  }

  #readLock(files: TableFiles, findings: Findings): TableLockContent | null {
    const path = files.pathOf("table.lock");
    try {
      const bytes = readWholeFile(files.backend, path);
      if (bytes === null) return null;
      const content = readTableLock(bytes, path);
      if (content.sync !== null) {
        const said = new DataView(bytes.buffer, bytes.byteOffset).getUint32(SYNC_OFFSET_BYTES);
        const takes = writeSync(content.sync).length - 4;
        if (said !== takes) {
          findings.wrong(
            `the sync object takes ${takes} bytes, it is said to take ${said}`,
            path,
            SYNC_OFFSET_BYTES,
          );
        }
      }
      return content;
    } catch (error) {
      findings.caught(error, path);
      return null;
    }
  }

  /** No lock is taken: what another process writes meanwhile may look wrong. */
  #checkUnchanged(files: TableFiles, before: TableLockContent | null, findings: Findings): void {
    const path = files.pathOf("table.lock");
    try {
      const bytes = readWholeFile(files.backend, path);
      const after = bytes === null ? null : readSync(bytes, path);
      if (after?.modifyCounter === before?.sync?.modifyCounter) return;
      findings.note("the table was changed while it was checked: what seems wrong may not be", path);
    } catch (error) {
      // The file was read before: what is wrong with it has been found.
      if (!(error instanceof TableError)) throw error;
    }
  }

  /** A journal that is there is that of a commit under way, or one whose writer died. */
  #checkJournal(files: TableFiles, findings: Findings): void {
    const { backend, directory } = files, path = files.pathOf(JOURNAL_FILE);
    const advice = "`table recover` says what can be done";
    try {
      if (backend.kind(path) === null) return;
      const verdict = inspect(directory, backend, COUNTERS);
      switch (verdict.kind) {
        case "none":
          return findings.note("a journal that was begun and never used", path);
        case "complete":
          return findings.note("a commit is complete, and its journal is still there", path);
        case "undo":
          return findings.wrong(`a commit is under way, or its writer died; ${advice}`, path);
        case "refuse":
          return findings.wrong(
            `a writer died in the middle of a commit, and ${verdict.reason}; ${advice}`,
            path,
          );
      }
    } catch (error) {
      findings.caught(error, path);
    }
  }

  #checkInfo(files: TableFiles, findings: Findings): void {
    const path = files.pathOf("table.info");
    try {
      const bytes = readWholeFile(files.backend, path, MAX_INFO_BYTES);
      if (bytes === null) return;
      const start = new TextDecoder("latin1").decode(bytes.subarray(0, 7));
      if (start !== "Type = ") {
        findings.note(`the text begins with ${JSON.stringify(start)}, expected "Type = "`, path, 0);
      }
    } catch (error) {
      findings.caught(error, path);
    }
  }

  /** Puts the tables that this one names on the list. */
  #follow(dat: TableDat, { directory, level }: Task, file: string): void {
    const add = (name: string, words: string) => {
      const target = resolve(resolveStoredName(directory, name));
      if (this.#options.confine && !isWithin(this.#root, target)) {
        const message = `${words} ${target}, which lies outside and is not looked at (confine is set)`;
        this.#findings.push({ code: "INVALID_ARGUMENT", file, offset: undefined, message, note: true });
      } else this.#tasks.push({ directory: target, from: { file, words }, level: level + 1 });
    };
    switch (dat.kind) {
      case "RefTable":
        return add(dat.parent, "refers to");
      case "ConcatTable":
        return dat.tables.forEach((name) => add(name, "is made of"));
      case "PlainTable": {
        if (this.#options.subtables === false) return;
        for (const { words, name } of subtablesIn(dat)) add(name, words);
      }
    }
  }
}

/** True for an error about another table: that there is none, or one that names a file outside this one's directory. */
function isOfOther(error: unknown, directory: string): boolean {
  if (!(error instanceof TableError)) return false;
  if (error.code === "NOT_FOUND") return true;
  return error.file !== undefined && error.file !== directory &&
    !error.file.startsWith(`${directory}/table.`);
}

/** Names of subtables in all keywords. */
export function subtablesIn(dat: PlainTableDat): { words: string; name: string }[] {
  const found: { words: string; name: string }[] = [];
  const walk = (record: RecordFields, where: string) => {
    for (const { name, value } of record.fields) {
      if (value.kind === "table") found.push({ words: `keyword ${where}${name} names`, name: value.name });
      else if (value.kind === "record") walk(value.fields, `${where}${name}.`);
    }
  };
  walk(dat.desc.keywords, "");
  for (const column of dat.desc.columns) walk(column.keywords, `of column ${column.name}, `);
  return found;
}

/** Findings without those that are told twice: what opening trips over is found by looking, too. */
function distinct(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  return findings.filter((finding) => {
    const key = `${finding.file}\n${finding.offset}\n${finding.message}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
