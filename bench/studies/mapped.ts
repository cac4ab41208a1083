/**
 * Mapped against read: rows of a column are got through backend `mmap` and through `pread`, in requests of 1 KB to 10 MB,
 * one after the other or in any order, with the file in the page cache or not, by 1 to 8 readers at once; and the newest
 * rows of a table that another handle appends to.
 *
 *     deno run -A bench/studies/mapped.ts [--rounds=3] [--mib=64] [--readers=1,4] [--sizes=1,64,1024,10240]
 *         [--ways=warm,cold,growing] [--folder=DIRECTORY]
 *
 * Sizes are KiB. A reader is a worker with the table open and an array of its own that it uses again; it makes
 * as many requests as 8 MiB hold, 4 to 128, over 64 MiB of values. Cold: the program asks Linux to drop
 * the file's pages (`posix_fadvise`, DONTNEED) before the readers begin, after `fdatasync`; how much of it did go is
 * printed as `resident` (mincore), and the host of a virtual machine may still have it. Prints JSON: for each case medians over
 * the rounds of milliseconds of a request as a reader sees it, of the processor's time for one, of bytes from the disk for
 * each byte asked for (`disk`), and of the ratio of the read to the mapped time in the same round (above 1: mapped is faster).
 */
import process from "node:process";
import { array, Table, tiledShape } from "../../mod.ts";
import { compileStudy, inFolder, median, option, print, rounded } from "./study.ts";

const MIB = 2 ** 20, CELL = [128], ROW_BYTES = 1024, TILE_ROWS = 1024;
const BACKENDS = ["mmap", "pread"] as const, ORDERS = ["sequential", "random"] as const;
/** Rows that the growing table gets between two requests. */
const GROWTH = 64;

type Io = typeof BACKENDS[number];
/** What a worker is told: open, or make requests of so many rows from the given first rows. */
export type Told = { open: string; io: Io } | { rows: number; starts: number[] } | "close";

const values = option("sizes", "1,64,1024,10240").split(",").map((kib) => Number(kib) * 1024);
const readers = option("readers", "1,4").split(",").map(Number),
  ways = option("ways", "warm,cold,growing").split(",");
const rounds = Number(option("rounds", "3")), total = Number(option("mib", "64")) * MIB;

function spec() {
  return {
    columns: [array("DATA", "float64", { shape: CELL })],
    storage: [tiledShape("Data", ["DATA"], { tileShape: [...CELL, TILE_ROWS] })],
    overwrite: true,
  };
}

/** Where the requests of one reader begin; readers begin in different places. */
function starts(order: typeof ORDERS[number], size: number, reader: number): number[] {
  const rows = size / ROW_BYTES, places = Math.floor(total / size);
  const count = Math.max(4, Math.min(128, Math.floor(8 * MIB / size)));
  const first = Math.floor(places * reader / 8);
  let state = 12345 + reader;
  return Array.from({ length: count }, (_, i) => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return (order === "sequential" ? (first + i) % places : Math.floor(state / 2 ** 31 * places)) * rows;
  });
}

class Reader {
  readonly #worker = new Worker(new URL("mapped-reader.ts", import.meta.url), { type: "module" });

  ask(told: Told): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }) => resolve(data as number);
      this.#worker.onerror = ({ message }) => reject(new Error(message));
      this.#worker.postMessage(told);
    });
  }

  end(): void {
    this.#worker.terminate();
  }
}

interface Measured {
  ms: number;
  cpu: number;
  /** Bytes that came from the disk for each byte that was asked for. */
  disk: number;
}

/** Bytes that the process had read from the disk so far, also through maps. */
function fromDisk(): number {
  return Number(/^read_bytes: (\d+)/m.exec(Deno.readTextFileSync("/proc/self/io"))![1]);
}

async function together(
  list: readonly Reader[],
  size: number,
  order: typeof ORDERS[number],
): Promise<Measured> {
  const cpu = process.cpuUsage(), disk = fromDisk(), lists = list.map((_, i) => starts(order, size, i));
  const times = await Promise.all(
    list.map((one, i) => one.ask({ rows: size / ROW_BYTES, starts: lists[i]! })),
  );
  const { user, system } = process.cpuUsage(cpu), requests = lists[0]!.length, all = requests * list.length;
  return {
    ms: median(times) / requests,
    cpu: (user + system) / 1000 / all,
    disk: (fromDisk() - disk) / (all * size),
  };
}

/** Gets the newest rows after each of some appends: a reader that follows a writer. */
function follow(folder: string, io: Io, size: number): Measured {
  const path = `${folder}/growing.tab`,
    rows = size / ROW_BYTES,
    more = new Float64Array(GROWTH * CELL[0]!).fill(1);
  const into = new Float64Array(rows * CELL[0]!);
  using writer = Table.create(path, { ...spec(), rows });
  writer.putColumn("DATA", into);
  writer.flush();
  using reader = Table.open(path, { io });
  let ms = 0, count = 0;
  const cpu = { user: 0, system: 0 };
  for (let i = 0; i < 24; i++) {
    writer.append({ DATA: more });
    writer.flush();
    const before = process.cpuUsage(), start = performance.now();
    const end = reader.rowCount;
    reader.getColumn("DATA", { rows: { start: end - rows, end }, into });
    const took = performance.now() - start, after = process.cpuUsage(before);
    if (i < 4) continue; // warms up
    ms += took;
    cpu.user += after.user;
    cpu.system += after.system;
    count++;
  }
  return { ms: ms / count, cpu: (cpu.user + cpu.system) / 1000 / count, disk: 0 };
}

async function sealed(folder: string, list: readonly Reader[], forget: string | null) {
  const path = `${folder}/sealed.tab`, results = [], resident: number[] = [];
  {
    using table = Table.create(path, { ...spec(), rows: total / ROW_BYTES });
    table.putColumn("DATA", Float64Array.from({ length: total / 8 }, (_, i) => i % 8191));
    table.flush({ durable: true });
  }
  for (const cache of ways.filter((way) => way === "warm" || (way === "cold" && forget !== null))) {
    for (const order of ORDERS) {
      for (const count of readers) {
        for (const size of values) {
          const some = list.slice(0, count), found: Record<Io, Measured[]> = { mmap: [], pread: [] };
          for (let round = 0; round <= rounds; round++) {
            for (const io of BACKENDS) {
              if (cache === "cold") resident.push(drop(forget!, path));
              await Promise.all(some.map((one) => one.ask({ open: path, io })));
              const measured = await together(some, size, order);
              await Promise.all(some.map((one) => one.ask("close")));
              // The first round warms up and doesn't count.
              if (round > 0) found[io].push(measured);
            }
          }
          results.push({ table: "sealed", cache, order, readers: count, ...summary(size, found) });
        }
      }
    }
  }
  return { resident: rounded(Math.max(0, ...resident)), results };
}

/** Drops the pages of all files of a table. @returns the largest share of a file's pages that stayed */
function drop(forget: string, path: string): number {
  let most = 0;
  for (const { name, isFile } of Deno.readDirSync(path)) {
    if (!isFile) continue;
    const { stdout } = new Deno.Command(forget, { args: [`${path}/${name}`] }).outputSync();
    if (name.includes("_TSM")) most = Math.max(most, Number(new TextDecoder().decode(stdout)));
  }
  return most;
}

function summary(size: number, found: Readonly<Record<Io, Measured[]>>) {
  const middle = (io: Io, of: keyof Measured) => rounded(median(found[io].map((one) => one[of])));
  const ratio = (of: keyof Measured) =>
    rounded(median(found.mmap.map((one, i) => found.pread[i]![of] / one[of])));
  return {
    KiB: size / 1024,
    mmap: { ms: middle("mmap", "ms"), cpuMs: middle("mmap", "cpu"), disk: middle("mmap", "disk") },
    pread: { ms: middle("pread", "ms"), cpuMs: middle("pread", "cpu"), disk: middle("pread", "disk") },
    readToMapped: ratio("ms"),
    cpuReadToMapped: ratio("cpu"),
  };
}

function growing(folder: string) {
  return values.map((size) => {
    const found: Record<Io, Measured[]> = { mmap: [], pread: [] };
    for (let round = 0; round <= rounds; round++) {
      for (const io of BACKENDS) {
        const measured = follow(folder, io, size);
        if (round > 0) found[io].push(measured);
      }
    }
    return { table: "growing", cache: "warm", order: "newest", readers: 1, ...summary(size, found) };
  });
}

if (import.meta.main) {
  await inFolder(async (folder) => {
    const forget = await compileStudy("forget.c", folder);
    const list = Array.from({ length: Math.max(...readers) }, () => new Reader());
    const { resident, results } = await sealed(folder, list, forget);
    for (const one of list) one.end();
    print({ resident, cases: [...results, ...(ways.includes("growing") ? growing(folder) : [])] });
  });
}
