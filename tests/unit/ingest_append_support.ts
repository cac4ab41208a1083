/**
 * Stores of logs for tests: appenders over any backend, and what readers see of them as plain values.
 */
import type { Cell } from "../../src/table/read.ts";
import type { Backend } from "../../src/io/backend.ts";
import { MemoryBackend } from "../../src/io/memory-backend.ts";
import { type AppenderOptions, LogAppender, type SealedLog } from "../../src/ingest/append/appender.ts";
import { IngestCounters } from "../../src/ingest/counters.ts";
import { decodeCells } from "../../src/ingest/log/columns.ts";
import type { VisibleRows } from "../../src/ingest/log/index.ts";
import { type LogSet, scanLogs, type ScanOptions } from "../../src/ingest/log/scan.ts";
import { IngestSchema } from "../../src/ingest/schema.ts";
import { scalar } from "../../mod.ts";

export const STORE_ID = "00112233445566778899aabbccddeeff";
export const LOGS = "/log";

/** A number a row, and a text. */
export const SMALL = IngestSchema.of({ columns: [scalar("N", "int32"), scalar("TEXT", "string")] });

/** A backend in memory with the folder of the logs. */
export function memoryDisk(): MemoryBackend {
  const backend = new MemoryBackend();
  backend.makeDirectory(LOGS);
  return backend;
}

/** An appender and what it told. */
export interface Opened {
  readonly appender: LogAppender;
  readonly full: SealedLog[];
  readonly errors: unknown[];
  readonly counters: IngestCounters;
}

/** Opens an appender with small sizes over a backend; durability `batch`, rows of {@linkcode SMALL} unless told otherwise. */
export function openAppender(backend: Backend, options: Partial<AppenderOptions> = {}): Opened {
  const full: SealedLog[] = [], errors: unknown[] = [], counters = new IngestCounters();
  const appender = LogAppender.open({
    directory: LOGS,
    schema: SMALL,
    storeId: STORE_ID,
    durability: "batch",
    nextLog: 1,
    nextSequence: 0,
    backend,
    bufferBytes: 16_384,
    onLogFull: (log) => full.push(log),
    onError: (error) => errors.push(error),
    counters,
    ...options,
  });
  return { appender, full, errors, counters };
}

/** Looks at the logs of a folder. */
export function scan(backend: Backend, options: Partial<ScanOptions> = {}): LogSet {
  return scanLogs({
    directory: LOGS,
    schema: SMALL,
    storeId: STORE_ID,
    firstLog: 1,
    nextSequence: 0,
    backend,
    mode: "recover",
    ...options,
  });
}

/** Rows that are visible, column by column, with what their batches say checked against each other. */
export function rowsOf(visible: VisibleRows, schema: IngestSchema = SMALL): Record<string, Cell>[] {
  const rows: Record<string, Cell>[] = [];
  let next = visible.firstSequence;
  for (const log of visible.logs) {
    if (log.firstSequence !== next) {
      throw new Error(`log ${log.log} begins with ${log.firstSequence}, not ${next}`);
    }
    for (const block of log.blocks) {
      if (block.firstSequence !== next) {
        throw new Error(`a block begins with ${block.firstSequence}, not ${next}`);
      }
      let inBlock = 0;
      for (const batch of block.batches()) {
        if (batch.firstSequence !== next) {
          throw new Error(`a batch begins with ${batch.firstSequence}, not ${next}`);
        }
        const columns = schema.columns.map((column, i) => {
          const place = batch.columns[i]!, bytes = new Uint8Array(place.bytes);
          block.read(place.offset, bytes);
          return decodeCells(column, bytes, batch.rows, "utf8");
        });
        for (let row = 0; row < batch.rows; row++) {
          rows.push(Object.fromEntries(schema.columns.map(({ name }, i) => [name, columns[i]![row]!])));
        }
        next += batch.rows;
        inBlock += batch.rows;
      }
      if (inBlock !== block.rows) throw new Error(`${inBlock} rows in a block of ${block.rows}`);
    }
    if (log.endSequence !== next) throw new Error(`log ${log.log} ends with ${log.endSequence}, not ${next}`);
  }
  if (rows.length !== visible.rows) {
    throw new Error(`${rows.length} rows, ${visible.rows} said to be visible`);
  }
  return rows;
}

/** The numbers of {@linkcode SMALL}'s rows. */
export function numbersOf(visible: VisibleRows): number[] {
  return rowsOf(visible).map(({ N }) => N as number);
}

/** A batch of numbers, each with its text. */
export function batchOf(...numbers: number[]): { N: Int32Array; TEXT: string[] } {
  return { N: Int32Array.from(numbers), TEXT: numbers.map((n) => `row ${n}`) };
}
