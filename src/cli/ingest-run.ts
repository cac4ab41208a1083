/**
 * What `table ingest` does: rows that come over a pipe, into a live store.
 */
import { array, type ColumnSpec, scalar, TableError } from "../../mod.ts";
import type { ArrowFile } from "../arrow/ipc.ts";
import type { JsonValue } from "../format/json.ts";
import { type IngestOptions, IngestSchema, IngestStore } from "../ingest/mod.ts";
import { rowsOfArrow } from "../ingest/rows.ts";
import { SEQUENCE_COLUMN } from "../ingest/schema.ts";
import { hasStore } from "../ingest/segments/places.ts";
import { specOf } from "../table/copy-storage.ts";
import { lineOf } from "./check.ts";
import { errorText, Interrupted, UsageError } from "./failure.ts";
import type { IngestCommandOptions, InputFormat } from "./ingest.ts";
import { type InputRows, rowsOfLines, STANDARD_INPUT } from "./ingest-lines.ts";
import { jsonText } from "./json.ts";
import { openTable, type ReadingOptions } from "./options.ts";
import { firstPiece, Input } from "./standard-input.ts";
import type { Terminal } from "./terminal.ts";
import { counted, humanCount, visible } from "./text.ts";
import { printLines } from "./write.ts";

/** Appends that wait for the disk at most, before more is read. */
const MOST_PENDING = 8;
/** Milliseconds between two looks at how far it is, and over which a rate is taken. */
const LOOK_MS = 200, RATE_MS = 2000;

/** Columns as a table's, with their units and other keywords. */
function columnsLike(path: string, options: ReadingOptions): ColumnSpec[] {
  using table = openTable(path, options);
  return table.columnNames.filter((name) => name !== SEQUENCE_COLUMN).map((name) => {
    const column = table.column(name), { keywords } = column, { kind, dtype, options } = specOf(column);
    const kept = keywords.keys().filter((key) => keywords.kind(key) !== "table");
    const all = { ...options, keywords: Object.fromEntries(kept.map((key) => [key, keywords.get(key)])) };
    return kind === "scalar" ? scalar(name, dtype, all) : array(name, dtype, all);
  });
}

/** What a file says that a store is made of. @throws TableError NOT_FOUND, CORRUPT */
function schemaOfFile(path: string): Pick<IngestOptions, "columns" | "storage" | "key" | "time" | "sort"> {
  let json: JsonValue;
  try {
    json = JSON.parse(Deno.readTextFileSync(path)) as JsonValue;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) {
      throw new TableError("NOT_FOUND", "there is no such file", { file: path, cause });
    }
    throw new TableError("CORRUPT", `it can't be read as JSON: ${(cause as Error).message}`, {
      file: path,
      cause,
    });
  }
  const { columns, storage, key, time, sort } = IngestSchema.fromJSON(json, path);
  return {
    columns: columns.map(({ spec }) => spec),
    key,
    sort,
    ...(storage === undefined ? {} : { storage }),
    ...(time === null ? {} : { time }),
  };
}

/** What a new store is made of, as far as the options say it. */
function madeOf(options: IngestCommandOptions): Partial<IngestOptions> {
  const { key, time, sort, storage, template } = options;
  return {
    ...(options.columnsLike === undefined ? {} : { columns: columnsLike(options.columnsLike, options) }),
    ...(options.schema === undefined ? {} : schemaOfFile(options.schema)),
    ...(template === undefined ? {} : { template }),
    ...(key && { key }),
    ...(time === undefined ? {} : { time }),
    ...(sort && { sort }),
    ...(storage && { storage }),
  };
}

/** Columns that hold what an Arrow stream has. */
async function columnsOfArrow({ schema }: ArrowFile): Promise<ColumnSpec[]> {
  const { importColumns } = await import("../arrow/from-arrow.ts");
  return importColumns(schema, undefined).filter(({ name }) => name !== SEQUENCE_COLUMN).map(
    ({ name, kind, dtype, options }) => {
      if (kind === "record") {
        throw new TableError("UNSUPPORTED", `column ${name}: records can't be ingested`, {
          file: STANDARD_INPUT,
        });
      }
      return kind === "scalar" ? scalar(name, dtype, options) : array(name, dtype, options);
    },
  );
}

async function* rowsOfBatches(batches: ArrowFile): AsyncGenerator<InputRows> {
  let number = 0;
  for await (const batch of batches) {
    number++;
    try {
      const { [SEQUENCE_COLUMN]: _, ...values } = await rowsOfArrow(batch);
      if (batch.numRows > 0) yield { rows: batch.numRows, values };
    } catch (error) {
      if (!(error instanceof TableError)) throw error;
      const place = { file: STANDARD_INPUT, cause: error };
      throw new TableError(error.code, `record batch ${number}: ${error.reason}`, place);
    }
  }
}

/** Arrow begins with a length that no text begins with. */
function formatOf(first: Uint8Array): InputFormat {
  const isArrow = first.length >= 4 && first.subarray(0, 4).every((byte) => byte === 0xff);
  const isFile = new TextDecoder().decode(first.subarray(0, 6)) === "ARROW1";
  return isArrow || isFile ? "arrow" : "ndjson";
}

/** What was appended. */
class Progress {
  readonly #started = performance.now();
  #looks: { readonly at: number; readonly rows: number; readonly bytes: number }[] = [];
  rows = 0;
  first: number | null = null;

  get seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  /** Rows that the store has, of which an append has resolved. */
  acknowledged(first: number, rows: number): void {
    this.first ??= first;
    this.rows += rows;
  }

  /** Rate and lag. */
  line(store: IngestStore): string {
    const { rows, bytes, syncedRows, withdrawnRows } = store.stats, at = performance.now();
    this.#looks = [...this.#looks.filter((look) => at - look.at < RATE_MS), { at, rows, bytes }];
    const [since] = this.#looks, seconds = Math.max(LOOK_MS, at - since!.at) / 1000;
    const perSecond = (now: number, before: number) => Math.round((now - before) / seconds);
    return [
      counted(rows, "row"),
      `${humanCount(perSecond(rows, since!.rows))} rows/s`,
      `${(perSecond(bytes, since!.bytes) / 1e6).toFixed(1)} MB/s`,
      `${humanCount(Math.max(0, rows - syncedRows - withdrawnRows))} not on disk`,
      `${humanCount(store.nextSequence - store.manifest.nextSequence)} not sealed`,
    ].join(", ");
  }
}

/** Appends what comes, some batches at once, and waits for all of them. @throws what the input or an append fails with */
async function appendAll(
  store: IngestStore,
  batches: AsyncIterable<InputRows>,
  progress: Progress,
): Promise<void> {
  let pending: Promise<void>[] = [], failed: { readonly error: unknown } | null = null;
  const append = async ({ rows, values }: InputRows) => {
    try {
      progress.acknowledged(await store.append(values), rows);
    } catch (error) {
      failed ??= { error };
    }
  };
  try {
    for await (const batch of batches) {
      pending.push(append(batch));
      if (pending.length >= MOST_PENDING) await pending.shift();
      if (failed !== null) break;
    }
  } finally {
    await Promise.all(pending);
    pending = [];
  }
  if (failed !== null) throw (failed as { error: unknown }).error;
}

function resultLine(path: string, progress: Progress, store: IngestStore): string {
  const { segments, nextSequence } = store.manifest;
  const sealed = segments.reduce((sum, { rows }) => sum + rows, 0);
  return visible(
    `${path}: ${counted(progress.rows, "row")} appended; ${counted(sealed, "row")} in ${
      counted(segments.length, "segment")
    }, ${humanCount(store.nextSequence - nextSequence)} in the log`,
  );
}

function resultObject(path: string, progress: Progress, store: IngestStore): object {
  const { segments, nextSequence } = store.manifest, { bytes, syncs } = store.stats;
  return {
    path,
    rows: progress.rows,
    firstSequence: progress.first,
    nextSequence: store.nextSequence,
    bytes,
    syncs,
    seconds: progress.seconds,
    segments: segments.length,
    growingRows: store.nextSequence - nextSequence,
  };
}

function reportCounters(store: IngestStore, options: ReadingOptions, terminal: Terminal): void {
  if (!options.stats) return;
  if (options.statsFormat === "openmetrics") {
    return store.openMetrics().trimEnd().split("\n").forEach((line) => terminal.err(line));
  }
  const { latency: _1, batchRows: _2, rowsPerSync: _3, ...counts } = store.stats;
  for (const [name, count] of Object.entries(counts)) {
    if (count !== 0) terminal.err(`${name.padEnd(20)} ${humanCount(count)}`);
  }
}

/** Opens the store, and finds out what is in the input where that is needed to make it. */
async function begin(
  path: string,
  options: IngestCommandOptions,
  input: Input,
  terminal: Terminal,
): Promise<{ store: IngestStore; batches: AsyncIterable<InputRows> }> {
  const { durability, logBytes, io, lock } = options, isThere = hasStore(path);
  const made = madeOf(options);
  const open = (columns?: readonly ColumnSpec[]) => {
    const store = IngestStore.open(path, {
      ...made,
      ...(columns && { columns }),
      durability,
      lock: lock === "none" ? "none" : "auto",
      ...(io === "auto" ? {} : { io }),
      ...(logBytes === undefined ? {} : { logBytes }),
      onError: (error) => terminal.err(`table: ${errorText(error, [path])}`),
    });
    for (const finding of store.findings) terminal.err(`table: ${lineOf(finding, path)}`);
    return store;
  };
  // What can't be opened is said before anything is read.
  let store = isThere || made.columns !== undefined || made.template !== undefined ? open() : null;
  try {
    const { first, all } = await firstPiece(input);
    const format = options.format ?? formatOf(first);
    if (format === "ndjson") {
      if (store === null) {
        throw new UsageError(
          "there is no store yet: --columns-like, --template or --schema says what its columns are",
        );
      }
      return { store, batches: rowsOfLines(all, store.schema) };
    }
    if (store !== null && first.length === 0) return { store, batches: noRows() };
    const { readArrowStream } = await import("../arrow/ipc.ts");
    const stream = await readArrowStream(all, STANDARD_INPUT);
    store ??= open(await columnsOfArrow(stream));
    return { store, batches: rowsOfBatches(stream) };
  } catch (error) {
    await store?.close();
    throw error;
  }
}

async function* noRows(): AsyncGenerator<InputRows> {}

/** Appends what comes over standard input. @throws Interrupted, UsageError, TableError */
export async function ingest(path: string, options: IngestCommandOptions, terminal: Terminal): Promise<void> {
  using input = new Input(terminal.input?.() ?? Deno.stdin.readable);
  const { store, batches } = await begin(path, options, input, terminal);
  const progress = new Progress();
  const looking = setInterval(() => terminal.progress(`${visible(path)}: ${progress.line(store)}`), LOOK_MS);
  const tell = () => {
    clearInterval(looking);
    terminal.progress("");
    const told = options.json
      ? jsonText(resultObject(path, progress, store), 2)
      : resultLine(path, progress, store);
    printLines([told], terminal);
    reportCounters(store, options, terminal);
  };
  try {
    try {
      await appendAll(store, batches, progress);
      if (options.seal && input.signal === null) await store.seal();
    } finally {
      clearInterval(looking);
      tell();
    }
  } finally {
    await store.close();
  }
  if (input.signal !== null) {
    throw new Interrupted(input.signal, "interrupted; what was appended is in the store");
  }
}
