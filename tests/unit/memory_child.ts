/**
 * Reads a table that is larger than memory, in a process of its own, and prints by how much its memory grew: started by
 * table_memory_test.ts with the table, the backend, the bound of the cache in bytes or "default", and what to read.
 *
 * Prints one line of JSON for each reading: { about, grown }, `grown` being the most that resident memory was above
 * what it was before the table was opened, in bytes, seen after each call. With mapped files it is anonymous memory: the
 * pages of the system's cache count as resident where they are mapped.
 */
import assert from "node:assert/strict";
import { Context, type IoName, Table } from "../../mod.ts";

const [path, io, cache, what] = Deno.args as [string, IoName, string, string];

const context = cache === "default" ? new Context() : new Context({ cacheBytes: Number(cache) });

const BATCH_ROWS = 1000;

function resident(): number {
  if (io !== "mmap") return Deno.memoryUsage().rss;
  const [, kib] = /RssAnon:\s+(\d+) kB/.exec(Deno.readTextFileSync("/proc/self/status"))!;
  return Number(kib) * 1024;
}

const before = resident();
let most = 0;

function seen(): void {
  most = Math.max(most, resident());
}

function reading(about: string, read: () => void): void {
  most = 0;
  read();
  seen();
  assert(context.cache.bytes <= context.cacheBytes, "the cache holds no more than its bound");
  console.log(JSON.stringify({ about, grown: most - before }));
}

/** The last row's first value is 1, everything else is 0: what the test wrote. */
function checkRow(data: ArrayLike<unknown>, start: number, last: boolean): void {
  assert.equal(data[start], last ? 1 : 0);
  assert.equal(data[start + 1], 0);
}

function rowsOf(table: Table, rows: { start: number; end: number } | number[]): void {
  const { shape, data } = table.getColumn("DATA", { rows });
  const list = Array.isArray(rows) ? rows : [rows.start, rows.end - 1];
  const places = Array.isArray(rows) ? list.map((_, i) => i) : [0, rows.end - rows.start - 1];
  list.forEach((row, i) => checkRow(data, places[i]! * shape[0]!, row === table.rowCount - 1));
}

function single(table: Table): void {
  for (const row of [0, Math.floor(table.rowCount / 2), table.rowCount - 1]) {
    rowsOf(table, { start: row, end: row + 1 });
    seen();
  }
}

function tile(table: Table): void {
  const start = Math.floor(table.rowCount / 128) * 64;
  rowsOf(table, { start, end: Math.min(start + 64, table.rowCount) });
}

function spread(table: Table): void {
  rowsOf(table, Array.from({ length: 200 }, (_, i) => Math.floor(i * (table.rowCount - 1) / 199)));
}

/** Every batch goes into the same array: what becomes of arrays that aren't used any more, and when, is V8's affair. */
function batches(table: Table): void {
  const into = new Float64Array(table.column("DATA").shape![0]! * BATCH_ROWS);
  for (let start = 0; start < table.rowCount; start += BATCH_ROWS) {
    const rows = { start, end: Math.min(start + BATCH_ROWS, table.rowCount) };
    const length = into.length / BATCH_ROWS;
    const { data } = table.getColumn("DATA", {
      dtype: "float64",
      rows,
      into: into.subarray(0, (rows.end - start) * length),
    });
    checkRow(data, 0, start === table.rowCount - 1);
    checkRow(data, data.length - length, rows.end === table.rowCount);
    seen();
  }
}

/** 100,000 cells, or as many as there are, `step` rows apart. */
function cells(table: Table, step: number): void {
  for (let row = 0, read = 0; row < table.rowCount && read < 100_000; row += step, read++) {
    assert.equal(table.getCell("VALUE", row), row === table.rowCount - 1 ? 1 : 0);
    if (read % 1000 === 0) seen();
  }
  assert.equal(table.getCell("VALUE", table.rowCount - 1), 1);
}

function spreadCells(table: Table): void {
  cells(table, Math.max(1, Math.floor(table.rowCount / 100_000)));
  assert(table.ioStats.bytesRead >= table.rowCount * 8 * 0.9, "the pages of the whole column were read");
}

const READINGS: Readonly<Record<string, readonly (readonly [string, (table: Table) => void])[]>> = {
  rows: [["single rows", single], ["the rows of a tile", tile], ["200 rows, spread", spread]],
  batches: [["batches of 1000 rows", batches]],
  cells: [["100,000 cells, one after the other", (table) => cells(table, 1)]],
  spread: [["100,000 cells, spread", spreadCells]],
};

using table = Table.open(path, { io, lock: "none", context });
for (const [about, read] of READINGS[what]!) reading(about, () => read(table));
