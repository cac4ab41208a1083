/**
 * Stores for tests of their sealed side: logs are written whole, without an appender, and what a store holds is compared
 * with a model, an object a row.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SealedLog } from "../../src/ingest/append/appender.ts";
import { planBatch } from "../../src/ingest/log/batch.ts";
import type { IngestRows } from "../../src/ingest/log/columns.ts";
import { LOG_BLOCK_BYTES, logName, writeLogHeader } from "../../src/ingest/log/format.ts";
import { IngestSchema, type SchemaOptions } from "../../src/ingest/schema.ts";
import { LOGS } from "../../src/ingest/segments/places.ts";
import { SegmentStore } from "../../src/ingest/segments/store.ts";
import type { CreateStoreOptions, SegmentStoreOptions } from "../../src/ingest/segments/types.ts";
import type { Backend } from "../../src/io/backend.ts";
import { openBackend } from "../../src/io/backends.ts";
import { Context } from "../../src/io/context.ts";
import { MemoryBackend } from "../../src/io/memory-backend.ts";
import { replaceFile } from "../../src/io/whole-file.ts";
import { array, scalar, standard, Table, tiledShape } from "../../mod.ts";
import { FaultyBackend } from "../faulty-backend.ts";

/** Time of grace: nothing is removed by itself while a test runs. */
export const HOUR_MS = 3_600_000;

/** A folder that goes when it is disposed of. */
export class Folder implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), "tessera-ingest-"));
  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** A schema with tiles, scalars and texts: cells of [2, 3]. */
export function testSchema(options: Partial<SchemaOptions> = {}): IngestSchema {
  return IngestSchema.of({
    columns: [
      scalar("TIME", "float64", { unit: "s" }),
      scalar("ID", "int32"),
      array("DATA", "complex64", { shape: [2, 3], unit: "Jy" }),
      scalar("NAME", "string"),
    ],
    storage: [tiledShape("Tiles", ["DATA"], { tileShape: [2, 3, 16] }), standard("Rest", { bucketRows: 16 })],
    ...options,
  });
}

/** A row of {@linkcode testSchema}. */
export interface TestRow {
  readonly time: number;
  readonly id: number;
  readonly name: string;
}

/** What `append` would take for some rows; each value of DATA is the row's time, and its id. */
export function columnsOf(rows: readonly TestRow[]): IngestRows {
  return {
    TIME: Float64Array.from(rows, ({ time }) => time),
    ID: Int32Array.from(rows, ({ id }) => id),
    DATA: Float32Array.from(
      rows.flatMap(({ time, id }) => Array.from({ length: 6 }, () => [time, id]).flat()),
    ),
    NAME: rows.map(({ name }) => name),
  };
}

/** Rows with times and ids that go up from `first`. */
export function someRows(first: number, count: number): TestRow[] {
  return Array.from(
    { length: count },
    (_, i) => ({ time: first + i, id: first + i, name: `row ${first + i}` }),
  );
}

/** Writes a log whole: some batches behind each other. */
export function writeLog(
  directory: string,
  schema: IngestSchema,
  storeId: string,
  place: { readonly id: number; readonly firstSequence: number },
  batches: readonly IngestRows[],
  backend: Backend = openBackend("auto"),
): SealedLog {
  const { id, firstSequence } = place;
  const header = new Uint8Array(LOG_BLOCK_BYTES);
  writeLogHeader(header, {
    blockBytes: LOG_BLOCK_BYTES,
    log: id,
    firstSequence,
    created: 0,
    storeId,
    hash: schema.hash,
  });
  const parts = [header];
  let rows = 0;
  for (const batch of batches) {
    const plan = planBatch(schema, batch), bytes = new Uint8Array(plan.bytes);
    plan.write(bytes, { log: id, firstSequence: firstSequence + rows, durable: 0 });
    parts.push(bytes);
    rows += plan.rows;
  }
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  const path = `${directory}/${LOGS}/${logName(id)}`;
  replaceFile(backend, path, whole, { sync: false });
  return { id, path, firstSequence, rows, bytes: whole.length };
}

/** A context whose files are in memory, and fail where a test wants it. */
export function memoryContext(): { context: Context; faulty: FaultyBackend } {
  const context = new Context(), inner = new MemoryBackend(context.memory), faulty = new FaultyBackend(inner);
  context.wrapBackend = () => faulty;
  return { context, faulty };
}

/** A store in a folder of its own, with inline jobs unless told otherwise. */
export class TestStore implements AsyncDisposable {
  readonly folder = new Folder();
  readonly directory = `${this.folder.path}/store`;
  readonly schema: IngestSchema;
  readonly errors: Error[] = [];
  options: Partial<SegmentStoreOptions>;
  store: SegmentStore;

  constructor(
    schema: IngestSchema = testSchema(),
    options: Partial<SegmentStoreOptions> = {},
    create: CreateStoreOptions = {},
  ) {
    this.schema = schema;
    this.options = options;
    const { context } = options;
    // Files in memory are in no folder.
    if (context !== undefined) this.#backend.makeDirectory(this.folder.path);
    SegmentStore.create(this.directory, schema, { ...create, ...(context && { context }) });
    this.store = this.open();
  }

  get #backend(): Backend {
    const { context } = this.options;
    return openBackend("auto", context === undefined ? {} : { context });
  }

  open(): SegmentStore {
    return this.store = SegmentStore.open(this.directory, {
      mode: "rw",
      runner: "inline",
      graceMs: HOUR_MS,
      compaction: { automatic: false },
      onError: (error) => this.errors.push(error),
      ...this.options,
    });
  }

  /** Closes and opens it again. */
  async reopen(): Promise<SegmentStore> {
    await this.store.close();
    return this.open();
  }

  /** Writes the next log. */
  log(...batches: IngestRows[]): SealedLog {
    const { firstLog, nextSequence, store } = this.store.manifest;
    const place = { id: firstLog, firstSequence: nextSequence };
    return writeLog(this.directory, this.schema, store, place, batches, this.#backend);
  }

  /** Makes a segment of some rows. */
  async seal(...batches: (readonly TestRow[])[]): Promise<void> {
    await this.store.seal(this.log(...batches.map(columnsOf)));
  }

  /** The rows of all segments, by way of the concatenation that is on the disk. */
  rows(): TestRow[] {
    const { context } = this.options;
    using table = Table.open(this.directory, context === undefined ? {} : { context });
    return rowsOf(table);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
    this.folder[Symbol.dispose]();
  }
}

/** The rows of a table as the model has them. @throws when DATA says something else */
export function rowsOf(table: Table): TestRow[] {
  const { rowCount } = table;
  const times = table.getColumn("TIME", { dtype: "float64" }).data,
    ids = table.getColumn("ID", { dtype: "int32" }).data;
  const names = table.getColumn("NAME", { dtype: "string" }).data;
  const data = rowCount === 0 ? [] : table.getColumn("DATA", { dtype: "complex64" }).data;
  return Array.from({ length: rowCount }, (_, i) => {
    for (let k = 0; k < 12; k += 2) {
      if (!Object.is(data[i * 12 + k], times[i]) || data[i * 12 + k + 1] !== ids[i]) {
        throw new Error(`DATA of row ${i} is wrong`);
      }
    }
    return { time: times[i]!, id: ids[i]!, name: names[i]! };
  });
}
