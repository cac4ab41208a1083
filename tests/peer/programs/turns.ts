/**
 * Takes part in tests/peer/beside_test.ts: writes or reads a table in locked transactions, or looks at it without a lock.
 *
 * usage: turns.ts write|read|look TABLE SECONDS
 * prints one line of JSON: transactions done, and what was wrong, if anything.
 */
import { Table } from "../../../mod.ts";

const [role, path, seconds] = Deno.args as [string, string, string];

/** Bytes of B from which on it is read from a mapped file. */
const MAPPED_BYTES = 256 * 1024;

/** Values of B, cell by cell: every cell has one value over and over. */
function newest(table: Table): number[] | string {
  const { data, shape } = table.getColumn("B", { dtype: "float64" });
  const cells: number[] = [];
  const [length, rows] = shape as [number, number];
  for (let row = 0; row < rows; row++) {
    const cell = data.subarray(row * length, row * length + length);
    if (!cell.every((value) => value === cell[0])) return "torn cell";
    cells.push(cell[0]!);
  }
  return cells;
}

function check(table: Table): string | null {
  const cells = newest(table), a = table.getColumn("A", { dtype: "int32" }).data;
  if (typeof cells === "string") return cells;
  for (let row = 1; row < a.length; row++) {
    if (a[row] !== cells[row]) return `row ${row}: A ${a[row]}, B ${cells[row]}`;
  }
  const most = Math.max(...a.subarray(1));
  return a[0] === most ? null : `counter ${a[0]}, newest ${most}`;
}

const table = Table.open(path, {
  mode: role === "write" ? "rw" : "r",
  lock: role === "look" ? "auto" : "user",
  lockTimeoutMs: 30_000,
});
const length = table.column("B").shape![0]!;
let done = 0, wrong: string | null = null, last = 0;
const end = performance.now() + Number(seconds) * 1000;
while (performance.now() < end && wrong === null) {
  if (role === "look") {
    const cells = newest(table), n = table.getCell("A", 0) as number;
    if (typeof cells === "string") wrong = cells;
    if (n < last) wrong = `the counter went back from ${last} to ${n}`;
    last = n;
  } else {
    table.lock(role as "read" | "write");
    wrong = check(table);
    const n = table.getCell("A", 0) as number;
    if (n < last) wrong = `the counter went back from ${last} to ${n}`;
    last = n;
    if (role === "write" && wrong === null) {
      if (n % 50 === 49) {
        table.addRows(1);
        table.putCell("A", table.rowCount - 1, 0);
        table.putCell("B", table.rowCount - 1, new Float64Array(length));
      }
      const row = n % (table.rowCount - 1) + 1;
      table.putCell("A", 0, n + 1);
      table.putCell("A", row, n + 1);
      table.putCell("B", row, new Float64Array(length).fill(n + 1));
    }
    table.unlock();
  }
  done++;
}
if (role !== "write" && length * 8 * table.rowCount >= MAPPED_BYTES && table.ioStats.bytesMapped === 0) {
  wrong ??= "nothing was read from mapped files";
}
table.close();
console.log(JSON.stringify({ done, wrong }));
