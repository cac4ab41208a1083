/**
 * The main job, end to end (`deno task demo`):
 * 1. opens a MeasurementSet that casacore wrote and says what is in it,
 * 2. copies DATA and FLAG into a new table with tiled managers and compares every value,
 * 3. writes a table of 1,000 rows with a COMPLEX array and a BOOL scalar column through each I/O backend, tiled and
 *    standard, reads it back, compares every value, and prints the calls that each backend made.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  array,
  backendReport,
  type IoName,
  type IoSnapshot,
  scalar,
  standard,
  Table,
  tiledShape,
} from "../mod.ts";

const ROWS = 1000;
const CELL = [4, 64];

function aligned(rows: readonly (readonly (string | number)[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => String(row[i]).length)));
  return rows.map((row) =>
    "  " +
    row.map((cell, i) => i === 0 ? String(cell).padEnd(widths[i]!) : String(cell).padStart(widths[i]!)).join(
      "  ",
    )
  ).join("\n");
}

function describeMeasurementSet(ms: Table): void {
  console.log(
    `${ms.info.type}, ${ms.rowCount} rows, ${ms.columnNames.length} columns, ${ms.byteOrder} endian`,
  );
  for (const name of ["ANTENNA", "FIELD", "SPECTRAL_WINDOW", "POLARIZATION"]) {
    using subtable = ms.subtable(name);
    const label = subtable.columnNames.includes("NAME")
      ? subtable.getColumn("NAME", { dtype: "string" }).data.join(" ")
      : "";
    console.log(`  ${name.padEnd(16)} ${String(subtable.rowCount).padStart(3)} rows  ${label}`.trimEnd());
  }
  const shapes = new Map<string, number>();
  for (const cell of ms.getCells("DATA")) {
    assert(cell !== null && typeof cell === "object" && "shape" in cell);
    const key = `[${cell.shape.join(", ")}]`;
    shapes.set(key, (shapes.get(key) ?? 0) + 1);
  }
  for (const [shape, rows] of shapes) console.log(`  DATA ${shape} in ${rows} rows`);
}

function copyTiled(ms: Table, path: string, io: IoName | "auto", lock: "auto" | "none"): void {
  ms.copy(path, {
    columns: ["DATA", "FLAG"],
    storage: [
      tiledShape("TiledData", ["DATA"], { tileShape: [4, 8, 64] }),
      tiledShape("TiledFlag", ["FLAG"], { tileShape: [4, 8, 512] }),
    ],
    io,
    lock,
  });
  using copy = Table.open(path, { io });
  let values = 0;
  for (const name of ["DATA", "FLAG"]) {
    const theirs = ms.getCells(name);
    const ours = copy.getCells(name);
    assert.deepEqual(ours, theirs);
    for (const cell of ours) {
      if (cell !== null && typeof cell === "object" && "data" in cell) values += cell.data.length;
    }
  }
  console.log(
    `copied DATA and FLAG into a new table with tiled managers: ${values.toLocaleString("en")} values agree`,
  );
}

/** Writes and reads the table once. Returns what was counted: all of writing, all of reading. */
function roundTrip(
  path: string,
  io: IoName,
  tiled: boolean,
  lock: "auto" | "none",
): readonly [IoSnapshot, IoSnapshot] {
  const data = new Float32Array(ROWS * CELL[0]! * CELL[1]! * 2).map((_, i) => Math.fround(Math.sin(i)));
  const flags = new Uint8Array(ROWS).map((_, i) => i % 3 === 0 ? 1 : 0);
  const table = Table.create(path, {
    columns: [array("DATA", "complex64", { shape: CELL, unit: "Jy" }), scalar("FLAG_ROW", "bool")],
    storage: tiled
      ? [
        tiledShape("TiledData", ["DATA"], { tileShape: [...CELL, 64] }),
        standard("SSM", { bucketRows: 1024 }),
      ]
      : [standard("SSM")],
    rows: ROWS,
    io,
    lock,
  });
  table.putColumn("DATA", data);
  table.putColumn("FLAG_ROW", flags);
  table.close();
  const again = Table.open(path, { io });
  const readData = again.getColumn("DATA", { dtype: "complex64" });
  const readFlags = again.getColumn("FLAG_ROW", { dtype: "bool" });
  again.close();
  assert.deepEqual(readData.shape, [...CELL, ROWS]);
  assert.deepEqual(readData.data, data);
  assert.deepEqual(readFlags.data, flags);
  return [table.ioStats, again.ioStats];
}

function compareBackends(folder: string): void {
  const header = ["", "lseek", "read", "write", "sync", "other", "seeks", "KiB read", "KiB written"];
  for (const tiled of [true, false]) {
    const rows: (string | number)[][] = [header];
    for (const { name, works, reason } of backendReport()) {
      if (!works) {
        if (tiled) console.log(`backend ${name} is left out: ${reason}`);
        continue;
      }
      const native = name === "pread" || name === "mmap";
      const path = join(folder, `${name}-${tiled ? "tiled" : "standard"}.tab`);
      const [written, read] = roundTrip(path, name, tiled, native ? "auto" : "none");
      const sum = (pick: (s: IoSnapshot) => number) => pick(written) + pick(read);
      const moved = sum((s) => s.calls.lseek + s.calls.read + s.calls.write + s.calls.sync);
      rows.push([
        name,
        sum((s) => s.calls.lseek),
        sum((s) => s.calls.read),
        sum((s) => s.calls.write),
        sum((s) => s.calls.sync),
        sum((s) => s.totalCalls) - moved,
        sum((s) => s.seeks),
        Math.round(sum((s) => s.bytesRead) / 1024),
        Math.round(sum((s) => s.bytesWritten) / 1024),
      ]);
    }
    console.log(
      `\n${ROWS} rows, COMPLEX [${CELL.join(", ")}] ${
        tiled ? "tiled" : "standard"
      } + BOOL standard: create, put, reopen, get`,
    );
    console.log(aligned(rows));
  }
}

const folder = Deno.makeTempDirSync({ prefix: "tessera-demo-" });
try {
  const native = backendReport().some(({ name, works }) => name === "pread" && works);
  const lock = native ? "auto" : "none";
  using ms = Table.open(join(import.meta.dirname!, "data/sim.ms"));
  describeMeasurementSet(ms);
  copyTiled(ms, join(folder, "copy.tab"), native ? "auto" : "node", lock);
  compareBackends(folder);
  console.log("\nevery value read back is the one that was written");
} finally {
  Deno.removeSync(folder, { recursive: true });
}
