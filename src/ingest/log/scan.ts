/**
 * The logs of a store as they are on disk: which there are, and the rows that count of each.
 *
 * Numbers of logs follow each other, and so do their rows: a log's header says with which row it begins, and rows of the
 * log before it from that one on don't count. They were withdrawn when a write failed.
 */
import { TableError } from "../../error.ts";
import type { Backend } from "../../io/backend.ts";
import { type Finding, Findings } from "../../storage/findings.ts";
import type { IngestSchema } from "../schema.ts";
import { LogFile, readingBackend } from "./file.ts";
import { logName, logOfName } from "./format.ts";
import type { BlockIndex, VisibleRows } from "./index.ts";
import { logHeaderOf, type LogIdentity, LogReader } from "./reader.ts";
import { recoverLogs } from "./recover.ts";

/** What {@linkcode scanLogs} is told. */
export interface ScanOptions {
  /** The folder of the logs. */
  readonly directory: string;
  readonly schema: IngestSchema;
  /** The store's id: 32 hexadecimal digits. */
  readonly storeId: string;
  /** Number of the first log that is no segment yet. */
  readonly firstLog: number;
  /** Sequence number of that log's first row. */
  readonly nextSequence: number;
  readonly backend: Backend;
  /** `recover`: for the one that writes; cuts torn tails, removes what is left over. `read`: changes nothing. */
  readonly mode: "recover" | "read";
}

/** Numbers of the logs in a folder, in order. @throws TableError NOT_FOUND, IO */
export function listLogs(directory: string, backend: Backend): number[] {
  return backend.list(directory).map(logOfName).filter((id) => id !== null).sort((a, b) => a - b);
}

/** What a chain of logs ends with. */
export interface Chain {
  readonly logs: LogReader[];
  /** Logs from this one on are there, but don't belong to the chain; null: there are none. */
  readonly rest:
    | { readonly ids: readonly number[]; readonly reason: string; readonly harmless: boolean }
    | null;
}

/** A file of a log in the folder. */
export function logFile(directory: string, id: number, backend: Backend): LogFile {
  return new LogFile(`${directory}/${logName(id)}`, readingBackend(backend));
}

/**
 * Opens the logs that continue one that ends before row `next`, as far as they do, and reads each up to where the next one
 * begins.
 *
 * @throws TableError CORRUPT for a log of another store or schema; NOT_FOUND, IO
 */
export function chainLogs(options: ScanOptions, ids: readonly number[], first: number, next: number): Chain {
  const { directory, backend, schema, storeId } = options;
  const logs: LogReader[] = [];
  let expected = first, row = next;
  const rest = (at: number, reason: string, harmless = false): Chain => ({
    logs,
    rest: { ids: ids.slice(at), reason, harmless },
  });
  try {
    for (const [at, id] of ids.entries()) {
      if (id !== expected) {
        logs.at(-1)?.extend();
        return rest(at, `log ${expected} is missing`);
      }
      const identity: LogIdentity = { id, storeId, schema };
      const file = logFile(directory, id, backend), header = logHeaderOf(file, identity);
      if (typeof header === "string") {
        file.forget();
        logs.at(-1)?.extend();
        // Who dies while a log is begun leaves a part of its header: nothing was in it yet.
        return rest(at, header, at === ids.length - 1);
      }
      const before = logs.at(-1);
      before?.extend(header.firstSequence);
      const end = before?.endSequence ?? row;
      if (header.firstSequence !== end) {
        file.forget();
        return rest(at, `the log begins with row ${header.firstSequence}, those before it end with ${end}`);
      }
      logs.push(new LogReader(identity, file, header));
      expected = id + 1;
      row = header.firstSequence;
    }
    logs.at(-1)?.extend();
    return { logs, rest: null };
  } catch (error) {
    for (const { file } of logs) file.forget();
    throw error;
  } finally {
    for (const log of logs) log.rest();
  }
}

/** The logs of a store. */
export class LogSet {
  /** What was odd when they were opened: notes for what a crash leaves, others for damage. */
  readonly findings: readonly Finding[];
  readonly #options: ScanOptions;
  #logs: LogReader[];
  #firstLog: number;
  #first: number;

  /** See {@linkcode scanLogs}. */
  constructor(options: ScanOptions, logs: LogReader[], findings: readonly Finding[]) {
    this.#options = options;
    this.#logs = logs;
    this.findings = findings;
    this.#firstLog = options.firstLog;
    this.#first = options.nextSequence;
  }

  /** In order of their numbers; a log without rows isn't listed. */
  get logs(): readonly BlockIndex[] {
    return this.#logs.map((log) => log.index()).filter(({ count }) => count > 0);
  }

  /** Sequence number of the next row. */
  get nextSequence(): number {
    return this.#logs.at(-1)?.endSequence ?? this.#first;
  }

  /** Number for the next log. */
  get nextLog(): number {
    return (this.#logs.at(-1)?.id ?? this.#firstLog - 1) + 1;
  }

  /** Rows of all logs, ascending and without gaps. */
  visible(): VisibleRows {
    const { logs } = this, firstSequence = logs[0]?.firstSequence ?? this.nextSequence;
    return { firstSequence, rows: this.nextSequence - firstSequence, logs };
  }

  /** Bytes of a log's file up to the end of its last row. */
  bytesOf(id: number): number {
    return this.#logs.find((log) => log.id === id)?.end.offset ?? 0;
  }

  /**
   * For readers: takes in what was appended since, logs that were begun since, and lets go of logs before `firstLog`. True when
   * something is different now. Rows that were seen may be gone: those of a write that another process found to have failed.
   *
   * @param firstLog Number of the first log that is no segment now
   * @param nextSequence Sequence number of that log's first row
   * @throws TableError NOT_FOUND when a log became a segment meanwhile: the manifest is to be read anew; CORRUPT, IO
   */
  refresh(firstLog: number, nextSequence: number): boolean {
    let changed = false;
    while (this.#logs.length > 0 && this.#logs[0]!.id < firstLog) {
      this.#logs.shift()!.file.forget();
      changed = true;
    }
    this.#firstLog = firstLog;
    this.#first = nextSequence;
    const last = this.#logs.at(-1);
    // Listed before the last log is read: a log that is begun afterwards is one for the next time.
    const ids = listLogs(this.#options.directory, this.#options.backend).filter((id) => id >= this.nextLog);
    if (last !== undefined) {
      const { directory, backend, schema, storeId } = this.#options;
      const next = ids[0] === last.id + 1 ? logFile(directory, ids[0], backend) : null;
      const header = next === null ? "" : logHeaderOf(next, { id: ids[0]!, storeId, schema });
      next?.forget();
      const limit = typeof header === "string" ? Infinity : header.firstSequence;
      if (last.endSequence > limit) {
        const whole = new LogReader(
          { id: last.id, storeId, schema },
          logFile(directory, last.id, backend),
          last.header,
        );
        whole.extend(limit);
        last.file.forget();
        this.#logs[this.#logs.length - 1] = whole;
        changed = true;
      } else if (last.extend(limit)) changed = true;
      this.#logs.at(-1)!.rest();
    }
    if (ids.length > 0 && ids[0] !== this.nextLog) throw gone(this.#options.directory, this.nextLog);
    const chain = chainLogs(this.#options, ids, this.nextLog, this.nextSequence);
    if (chain.rest !== null && !chain.rest.harmless) {
      for (const { file } of chain.logs) file.forget();
      throw new TableError("CORRUPT", chain.rest.reason, {
        file: `${this.#options.directory}/${logName(chain.rest.ids[0]!)}`,
      });
    }
    this.#logs.push(...chain.logs);
    return changed || chain.logs.length > 0;
  }

  /** A log became a segment: lets go of it. */
  forget(id: number): void {
    const index = this.#logs.findIndex((log) => log.id === id);
    if (index >= 0) this.#logs.splice(index, 1)[0]!.file.forget();
  }

  /** Lets go of the files, but for those that somebody holds. */
  close(): void {
    for (const { file } of this.#logs.splice(0)) file.forget();
  }
}

/**
 * Finds the logs of a store from `firstLog` on and the rows that they hold.
 *
 * `recover` repairs: it cuts what is behind the last whole batch, removes a log that was begun and holds nothing, and logs
 * before `firstLog`. Bytes that are damaged, and logs that can't be reached because of that, are kept as `NNNNNN.cut`.
 *
 * @throws TableError NOT_FOUND when there is no such folder, and for `read` when the first log went while later ones are there:
 * the manifest is to be read anew; CORRUPT for a log of another store or schema; IO
 */
export function scanLogs(options: ScanOptions): LogSet {
  const { directory, backend, firstLog, nextSequence, mode } = options;
  const all = listLogs(directory, backend), ids = all.filter((id) => id >= firstLog);
  if (mode === "read" && ids.length > 0 && ids[0] !== firstLog) throw gone(directory, firstLog);
  const findings = new Findings(), chain = chainLogs(options, ids, firstLog, nextSequence);
  try {
    if (mode === "recover") recoverLogs(options, chain, all.filter((id) => id < firstLog), findings);
    else reportLogs(options, chain, findings);
  } catch (error) {
    for (const { file } of chain.logs) file.forget();
    throw error;
  }
  return new LogSet(options, chain.logs, findings.finish());
}

function gone(directory: string, id: number): TableError {
  return new TableError("NOT_FOUND", "the log went: it is a segment now, or lost", {
    file: `${directory}/${logName(id)}`,
  });
}

/** Says what is wrong with logs that nobody is going to repair; their writer may be at work on the last one. */
function reportLogs({ directory }: ScanOptions, { logs, rest }: Chain, findings: Findings): void {
  const last = logs.at(-1), behind = last?.durableBehind() ?? null;
  last?.rest();
  if (last !== undefined && behind !== null) {
    findings.wrong(damageText(last, behind), last.file.path, last.end.offset);
  }
  if (rest !== null && !rest.harmless) findings.wrong(rest.reason, `${directory}/${logName(rest.ids[0]!)}`);
}

/** What is said of a log in which something was lost that had been durable. */
export function damageText({ end }: LogReader, behind: number): string {
  return `${end.reason || "zeros"}; the batch at ${behind} says that these bytes had been synced`;
}
