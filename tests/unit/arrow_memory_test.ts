/**
 * Exports of tables much larger than memory should be: a process of its own exports a sparse table of 4 GiB, and the most memory
 * that it ever had is that of a small export and at most 128 MiB more.
 */
import assert from "node:assert/strict";
import { array, scalar, Table, tiledColumn } from "../../mod.ts";
import { inDirectory } from "./arrow_support.ts";
import { ROOT } from "./cli_support.ts";

const MIB = 2 ** 20;
const BOUND = 128 * MIB;

/**
 * Runs the command with its output thrown away, and gives the most memory that the process had. Pages of mapped files are
 * counted as the process's own there, so files are read.
 */
function peak(...args: string[]): number {
  const script = `
    import { runTable } from "./src/cli/program.ts";
    const quiet = { err: console.error, progress() {}, width: 80, color: false };
    let bytes = 0;
    const status = await runTable(${
    JSON.stringify(args)
  }, { ...quiet, out: (piece) => void (bytes += piece.length) });
    const peak = /VmHWM:\\s+(\\d+) kB/.exec(Deno.readTextFileSync("/proc/self/status"))[1];
    console.log(JSON.stringify({ status, bytes, peak: Number(peak) * 1024 }));
    Deno.exit(0);`;
  const { stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", "--no-check", script],
    cwd: ROOT,
  }).outputSync();
  const decoder = new TextDecoder();
  const found = JSON.parse(decoder.decode(stdout) || "{}") as { status: number; bytes: number; peak: number };
  assert.equal(found.status, 0, decoder.decode(stderr));
  return found.peak;
}

/** A table of that many bytes, which take none on disk, and its path. */
function sparse(directory: string, bytes: number): string {
  const path = `${directory}/sparse`, rows = bytes / 2048;
  using table = Table.create(path, {
    columns: [array("DATA", "complex64", { shape: [4, 64] }), scalar("N", "int16")],
    storage: [tiledColumn("Tiles", ["DATA"], { tileShape: [4, 64, 512] })],
    rows,
  });
  table.putCell("DATA", rows - 1, new Float32Array(512).fill(1.5));
  return path;
}

for (const [format, gib] of [["arrow", 4], ["parquet", 1]] as const) {
  Deno.test(`an export of ${gib} GiB to ${format} takes at most 128 MiB over that of a row`, () =>
    inDirectory((directory) => {
      const path = sparse(directory, gib * 1024 * MIB);
      const base = peak("export", path, "--format", format, "--rows", "0:1");
      const whole = peak("export", path, "--format", format);
      const more = whole - base;
      assert(more <= BOUND, `${(more / MIB).toFixed(0)} MiB over ${(base / MIB).toFixed(0)} MiB`);
    }));
}
