/**
 * What a row costs to put, by phase, with the table in memory and in files, and with 1, 2 and 4 writers. What the memory
 * takes is our own work; what files take beyond it is input and output.
 *
 * | phase | what happens |
 * | --- | --- |
 * | take | `addRows`, and `putColumnAsync` until it returns |
 * | write | until its promise settles: its turn, lock, plan; values laid out and written, by other threads where they are large |
 * | commit | `flush` |
 *
 *     deno run -A bench/studies/phases.ts [--rounds=3] [--mib=8] [--folder=DIRECTORY]
 *
 * A writer appends 8 MiB to a table of its own, in requests of so many rows, and flushes after each eighth. Writers are
 * promises of one program: each begins its next request when the one before has settled; a program's JavaScript runs one at a
 * time, so what can overlap are calls in C. Prints JSON: for each size of row, rows of a request, backend and number of
 * writers, medians over the rounds of microseconds a row by phase (of one writer: it waits while others have the thread),
 * and of all writers together; the processor's time a row; and medians of the ratio of files to memory, and of the time a
 * row of one writer to that of 2 and of 4, in the same round.
 */
import process from "node:process";
import { array, type IoName, Table, tiledShape } from "../../mod.ts";
import { inFolder, median, option, print, rounded } from "./study.ts";

const MIB = 2 ** 20, COMMITS = 8, TILE_BYTES = 128 * 1024;
const BACKENDS = ["memory", "pread"] as const satisfies readonly IoName[], WRITERS = [1, 2, 4] as const;
/** Bytes of a row, and rows of a request. */
const WORKS = [[64, 1024], [2048, 1], [2048, 64], [2048, 1024], [65536, 1], [
  65536,
  32,
]] as const;
/** Requests of a writer: small ones needn't fill 8 MiB to be measured. */
const MOST_REQUESTS = 256;

interface Measured {
  take: number;
  write: number;
  commit: number;
  all: number;
  cpu: number;
}

async function write(table: Table, values: Float32Array, requestRows: number, rows: number, spent: Measured) {
  const every = Math.max(1, Math.floor(rows / requestRows / COMMITS));
  for (let row = 0, count = 1; row < rows; row += requestRows, count++) {
    const start = performance.now();
    table.addRows(requestRows);
    const done = table.putColumnAsync("DATA", values, { rows: { start: row, end: row + requestRows } });
    const taken = performance.now();
    await done;
    const written = performance.now();
    if (count % every === 0) table.flush();
    spent.take += taken - start;
    spent.write += written - taken;
    spent.commit += performance.now() - written;
  }
}

async function run(
  folder: string,
  io: IoName,
  [bytes, requestRows]: readonly [number, number],
  writers: number,
  total: number,
) {
  const rows = Math.min(total / bytes, MOST_REQUESTS * requestRows), cell = [bytes / 4];
  const values = new Float32Array(requestRows * bytes / 4).fill(1);
  const spent: Measured = { take: 0, write: 0, commit: 0, all: 0, cpu: 0 };
  const tables = Array.from({ length: writers }, (_, i) =>
    Table.create(`${folder}/study${i}.tab`, {
      columns: [array("DATA", "float32", { shape: cell })],
      storage: [tiledShape("Data", ["DATA"], { tileShape: [...cell, Math.max(1, TILE_BYTES / bytes)] })],
      overwrite: true,
      lock: io === "memory" ? "none" : "auto",
      io,
    }));
  const cpu = process.cpuUsage(), start = performance.now();
  await Promise.all(tables.map((table) => write(table, values, requestRows, rows, spent)));
  spent.all = (performance.now() - start) / writers;
  const used = process.cpuUsage(cpu);
  spent.cpu = (used.user + used.system) / 1000 / writers;
  for (const phase of ["take", "write", "commit"] as const) spent[phase] /= writers;
  for (const table of tables) table.close();
  for (const phase of Object.keys(spent) as (keyof Measured)[]) spent[phase] *= 1000 / rows;
  return spent;
}

await inFolder(async (folder) => {
  const rounds = Number(option("rounds", "3")), total = Number(option("mib", "8")) * MIB;
  const ways = BACKENDS.flatMap((io) =>
    WRITERS.map((writers) => ({ io, writers, name: `${io} ${writers}` }))
  );
  const results = [];
  for (const work of WORKS) {
    const found = new Map<string, Measured[]>(ways.map(({ name }) => [name, []]));
    for (let round = 0; round <= rounds; round++) {
      for (const { io, writers, name } of ways) {
        const measured = await run(folder, io, work, writers, total);
        // The first round warms up and doesn't count.
        if (round > 0) found.get(name)!.push(measured);
      }
    }
    const ratio = (above: string, below: string, of: keyof Measured = "all") =>
      rounded(median(found.get(above)!.map((one, i) => one[of] / found.get(below)![i]![of])));
    for (const { io, writers, name } of ways) {
      const middle = (phase: keyof Measured) => rounded(median(found.get(name)!.map((one) => one[phase])));
      results.push({
        rowBytes: work[0],
        requestRows: work[1],
        io,
        writers,
        microsecondsOfRow: {
          take: middle("take"),
          write: middle("write"),
          commit: middle("commit"),
          all: middle("all"),
          cpu: middle("cpu"),
        },
        toMemory: ratio(name, `memory ${writers}`),
        cpuToMemory: ratio(name, `memory ${writers}`, "cpu"),
        speedOfOneWriter: ratio(`${io} 1`, name),
      });
    }
  }
  print(results);
});
