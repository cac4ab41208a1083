/** A reader of reading.ts: a worker with a store open for reading, and an array that it uses again. It answers with milliseconds. */
import { IngestStore } from "../../src/ingest/mod.ts";
import type { Table } from "../../mod.ts";

/** What it is told: open a store, get so many rows from each of the given first rows, or close. */
export type Told =
  | { readonly open: string }
  | { readonly rows: number; readonly starts: readonly number[] }
  | "close";

let store: IngestStore | null = null, table: Table | null = null, into = new Float64Array(0);

async function does(told: Told): Promise<number> {
  if (told === "close") {
    table?.close();
    await store?.close();
    table = store = null;
    return 0;
  }
  if ("open" in told) {
    store = IngestStore.open(told.open, { mode: "r" });
    table = store.snapshot();
    return table.rowCount;
  }
  const { rows, starts } = told, items = rows * 128;
  if (into.length !== items) into = new Float64Array(items).fill(1);
  const began = performance.now();
  for (const start of starts) table!.getColumn("DATA", { rows: { start, end: start + rows }, into });
  return performance.now() - began;
}

self.onmessage = ({ data }: MessageEvent<Told>) => void does(data).then((ms) => self.postMessage(ms));
