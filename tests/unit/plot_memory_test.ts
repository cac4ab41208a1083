/**
 * A plot of a table much larger than memory should be: a process of its own plots a sparse table, and the most memory that it
 * ever had is that of a small plot and at most 128 MiB more. It reads by pread: pages of a mapped file count as a process's
 * memory, too, though they are the page cache's.
 */
import assert from "node:assert/strict";
import { array, Table, tiledColumn } from "../../mod.ts";
import { temporaryFolder } from "../fixture.ts";
import { ROOT } from "./cli_support.ts";

const MIB = 2 ** 20;
const BOUND = 128 * MIB, TABLE_BYTES = 512 * MIB;
/** Bytes of a row: complex64 [4, 64]. */
const ROW_BYTES = 2048;

/** Runs the command, and gives what it printed and the most memory that the process had. */
function peak(...args: string[]): { out: string; peak: number } {
  const script = `
    import { runTable } from "./src/cli/program.ts";
    let out = "";
    const decoder = new TextDecoder();
    const terminal = { err: console.error, progress() {}, width: 80, color: false, out: (piece) => void (out += decoder.decode(piece)) };
    const status = await runTable(${JSON.stringify(args)}, terminal);
    const peak = /VmHWM:\\s+(\\d+) kB/.exec(Deno.readTextFileSync("/proc/self/status"))[1];
    console.log(JSON.stringify({ status, out, peak: Number(peak) * 1024 }));
    Deno.exit(0);`;
  const { stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", "--no-check", script],
    cwd: ROOT,
  }).outputSync();
  const found = JSON.parse(new TextDecoder().decode(stdout) || "{}");
  assert.equal(found.status, 0, new TextDecoder().decode(stderr));
  return found;
}

Deno.test({
  name: "a plot of 512 MiB takes at most 128 MiB over that of a row, and shows the one value that isn't 0",
  ignore: Deno.build.os !== "linux",
  fn() {
    using folder = temporaryFolder();
    const path = `${folder.path}/sparse`, rows = TABLE_BYTES / ROW_BYTES, peakRow = Math.floor(rows / 3);
    {
      using table = Table.create(path, {
        columns: [array("DATA", "complex64", { shape: [4, 64] })],
        storage: [tiledColumn("Tiles", ["DATA"], { tileShape: [4, 64, 512] })],
        rows,
      });
      const cell = new Float32Array(512);
      cell[300] = 77;
      table.putCell("DATA", peakRow, cell);
    }
    const base = peak("plot", path, "DATA", "--io", "pread", "--parts", "amplitude", "--rows", "0:1");
    const whole = peak("plot", path, "DATA", "--io", "pread", "--parts", "amplitude", "--json");
    const more = whole.peak - base.peak;
    assert.ok(more <= BOUND, `${(more / MIB).toFixed(0)} MiB over ${(base.peak / MIB).toFixed(0)} MiB`);
    const { points, panels: [panel] } = JSON.parse(whole.out);
    assert.equal(points, rows * 256);
    const largest = panel.series.flatMap((one: { x: number[]; max: number[] }) =>
      one.max.flatMap((max, i) => max > 0 ? [[max, one.x[i]!]] : [])
    );
    assert.equal(largest.length, 1);
    assert.equal(largest[0][0], 77);
    // Where it is, to the width of a column of the grid.
    assert.ok(Math.abs(largest[0][1] - peakRow) < rows / 100);
  },
});
