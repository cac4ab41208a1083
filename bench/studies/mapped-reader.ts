/** A reader of mapped.ts: a worker that has a table open and an array that it uses again. It answers with milliseconds. */
import { Table } from "../../mod.ts";
import type { Told } from "./mapped.ts";

let table: Table | null = null, into = new Float64Array(0);

function does(told: Told): number {
  if (told === "close") {
    table?.close();
    table = null;
    return 0;
  }
  if ("open" in told) {
    table = Table.open(told.open, { io: told.io });
    return table.rowCount;
  }
  const { rows, starts } = told, items = rows * 128;
  if (into.length !== items) into = new Float64Array(items).fill(1);
  const began = performance.now();
  for (const start of starts) table!.getColumn("DATA", { rows: { start, end: start + rows }, into });
  return performance.now() - began;
}

self.onmessage = ({ data }: MessageEvent<Told>) => self.postMessage(does(data));
