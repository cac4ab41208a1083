/**
 * Calls by phase: a table of 1,000 rows with a COMPLEX [4, 64] and a BOOL column is created, its columns are put, and it is
 * closed; whole columns at a time, and row by row. casacore's calls are counted by strace under each of its options, ours
 * by the table's counters (a test holds those against strace). Numbers don't depend on the machine.
 *
 *     deno run -A bench/studies/seeks.ts
 *
 * Prints JSON: for each manager, way to put and program the calls of each phase on the table's files.
 */
import { array, type IoName, scalar, standard, Table, tiledShape } from "../../mod.ts";
import { compileStudy, inFolder, print } from "./study.ts";

const ROWS = 1000, CELL = [4, 64], CELL_ITEMS = 512;
const PHASES = ["create", "complex", "bool", "close"] as const;
const MANAGERS = ["tiled", "standard"] as const, WAYS = ["column", "row"] as const;
/** casacore's: how a tiled manager gets at its file, a table that goes when it is closed, all managers in one file. */
const OPTIONS = ["buffer", "mapped", "cache", "scratch", "multifile"] as const;
const BACKENDS: readonly IoName[] = ["pread", "mmap", "node", "seek", "direct"];

type Phase = typeof PHASES[number];
type Manager = typeof MANAGERS[number];
type Way = typeof WAYS[number];
interface Calls {
  lseek: number;
  read: number;
  write: number;
}
type ByPhase = Record<Phase, Calls>;

const KINDS: Readonly<Record<string, keyof Calls>> = {
  lseek: "lseek",
  read: "read",
  pread64: "read",
  readv: "read",
  preadv: "read",
  write: "write",
  pwrite64: "write",
  writev: "write",
  pwritev: "write",
};

function nothing(): ByPhase {
  return Object.fromEntries(PHASES.map((phase) => [phase, { lseek: 0, read: 0, write: 0 }])) as ByPhase;
}

function casacore(program: string, folder: string, manager: Manager, option: string, way: Way): ByPhase {
  const path = `${folder}/study.tab`, trace = `${folder}/trace.txt`;
  const { success, stderr } = new Deno.Command("strace", {
    args: [
      "-f",
      "-y",
      "-o",
      trace,
      "-e",
      "trace=access,faccessat,faccessat2,lseek,read,write,pread64,pwrite64",
    ]
      .concat([program, path, manager, option, way]),
  }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const found = nothing();
  let phase: Phase | undefined;
  for (const line of Deno.readTextFileSync(trace).split("\n")) {
    const mark = /"\/tessera-study\/(\w+)"/.exec(line)?.[1];
    if (mark !== undefined) phase = PHASES.find((name) => name === mark);
    const kind = KINDS[/^\d+\s+([a-z_0-9]+)\(/.exec(line)?.[1] ?? ""];
    if (phase !== undefined && kind !== undefined && line.includes(path)) found[phase][kind]++;
  }
  if (option !== "scratch") Deno.removeSync(path, { recursive: true });
  return found;
}

function tessera(folder: string, manager: Manager, io: IoName, way: Way): ByPhase {
  const data = new Float32Array(ROWS * CELL_ITEMS).fill(1), flags = new Uint8Array(ROWS).fill(1);
  const found = nothing();
  const table = Table.create(`${folder}/study.tab`, {
    columns: [array("DATA", "complex64", { shape: CELL }), scalar("FLAG_ROW", "bool")],
    storage: manager === "tiled"
      ? [tiledShape("TiledData", ["DATA"], { tileShape: [...CELL, 64] }), standard("SSM")]
      : [standard("SSM")],
    rows: ROWS,
    byteOrder: "little",
    overwrite: true,
    lock: io === "node" || io === "seek" ? "none" : "auto",
    io,
  });
  const note = (phase: Phase) => {
    const { lseek, read, write } = table.ioStats.calls;
    found[phase] = { lseek, read, write };
    if (phase !== "close") table.resetIoStats();
  };
  note("create");
  if (way === "column") table.putColumn("DATA", data);
  else {
    for (let row = 0; row < ROWS; row++) {
      table.putCell("DATA", row, data.subarray(row * CELL_ITEMS, (row + 1) * CELL_ITEMS));
    }
  }
  note("complex");
  if (way === "column") table.putColumn("FLAG_ROW", flags);
  else for (let row = 0; row < ROWS; row++) table.putCell("FLAG_ROW", row, true);
  note("bool");
  table.close();
  note("close");
  return found;
}

await inFolder(async (folder) => {
  const program = await compileStudy("seeks.cc", folder, ["-lcasa_tables", "-lcasa_casa"]);
  const results = [];
  for (const manager of MANAGERS) {
    for (const way of WAYS) {
      if (program !== null) {
        for (const option of OPTIONS) {
          const phases = casacore(program, folder, manager, option, way);
          results.push({ manager, put: way, program: `casacore ${option}`, phases });
        }
      }
      for (const io of BACKENDS) {
        const phases = tessera(folder, manager, io, way);
        results.push({ manager, put: way, program: `tessera ${io}`, phases });
      }
    }
  }
  print(results);
});
