/**
 * Anonymous memory while a table of 4 GiB is streamed by 1,000 rows: what `/proc/self/status` calls RssAnon, over that before the
 * table was opened, looked at after each 1,000 rows. Each way has a process of its own. The table is sparse: its tiles
 * are holes in the file, which are read as zeros.
 *
 *     deno run -A bench/memory.ts [--mib=4096] [--folder=DIRECTORY] [--json]
 *
 * | way | what |
 * | --- | --- |
 * | batches | `table.batches`, a fresh array each time |
 * | getColumn | a fresh array each time |
 * | into | `getColumn` into the same array; the array is there before |
 * | pread | batches of a file that isn't mapped |
 * | async | `getColumnAsync`, a fresh array each time |
 * | casacore | python-casacore's `getcol`, for comparison |
 */
import { parseArgs } from "node:util";
import { array, Table, tiledShape } from "../mod.ts";
import type { Figure } from "./report.ts";

const { values: given } = parseArgs({
  options: {
    mib: { type: "string", default: "4096" },
    folder: { type: "string" },
    json: { type: "boolean", default: false },
    way: { type: "string" },
    table: { type: "string" },
  },
});

const MIB = 2 ** 20, CELL = [4, 64], CELL_BYTES = 2048, BATCH_ROWS = 1000;
/** What may be there beside the result, in MiB: the cache, 64 MiB of it, and what is on its way. */
const MOST_MIB = 96;
/** What one batch takes, in MiB. */
const RESULT_MIB = BATCH_ROWS * CELL_BYTES / MIB;

/** Bytes of this process that no file holds. */
function anonymous(): number {
  const found = /^RssAnon:\s+(\d+) kB$/m.exec(Deno.readTextFileSync("/proc/self/status"))?.[1];
  return Number(found ?? NaN) * 1024;
}

type Look = () => void;
type Way = (path: string, look: Look) => void | Promise<void>;

/** Row numbers of one batch after the other. */
function* starts(rows: number): Generator<{ start: number; end: number }> {
  for (let start = 0; start < rows; start += BATCH_ROWS) {
    yield { start, end: Math.min(rows, start + BATCH_ROWS) };
  }
}

function batches(path: string, io: "auto" | "pread", look: Look): void {
  using table = Table.open(path, { io });
  for (const { columns } of table.batches({ batchRows: BATCH_ROWS })) {
    if (columns["DATA"] === undefined) throw new Error("no DATA");
    look();
  }
}

const into = new Float32Array(BATCH_ROWS * CELL_BYTES / 4).fill(1);
const WAYS: Readonly<Record<string, Way>> = {
  batches: (path, look) => batches(path, "auto", look),
  pread: (path, look) => batches(path, "pread", look),
  getColumn(path, look) {
    using table = Table.open(path);
    for (const rows of starts(table.rowCount)) {
      table.getColumn("DATA", { rows });
      look();
    }
  },
  into(path, look) {
    using table = Table.open(path);
    for (const rows of starts(table.rowCount)) {
      table.getColumn("DATA", { rows, into: into.subarray(0, (rows.end - rows.start) * CELL_BYTES / 4) });
      look();
    }
  },
  async async(path, look) {
    using table = Table.open(path);
    for (const rows of starts(table.rowCount)) {
      await table.getColumnAsync("DATA", { rows });
      look();
    }
  },
};

/** One way in this process: prints the MiB that came on top. */
async function measure(way: string, path: string): Promise<void> {
  const before = anonymous();
  let most = before;
  await WAYS[way]!(path, () => most = Math.max(most, anonymous()));
  console.log((most - before) / MIB);
}

const CASACORE = `
import sys
def anonymous():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("RssAnon"))
from casacore.tables import table
before = most = anonymous()
t = table(sys.argv[1], ack=False)
for start in range(0, t.nrows(), ${BATCH_ROWS}):
    t.getcol("DATA", start, ${BATCH_ROWS})
    most = max(most, anonymous())
print((most - before) / 2**20)
`;

async function run(command: string, args: readonly string[]): Promise<number | null> {
  try {
    const { success, stdout } = await new Deno.Command(command, { args: [...args], stderr: "null" }).output();
    return success ? Number(new TextDecoder().decode(stdout)) : null;
  } catch {
    return null;
  }
}

async function main(): Promise<void> {
  const mib = Number(given.mib), rows = Math.floor(mib * MIB / CELL_BYTES);
  const folder = await Deno.makeTempDir({
    prefix: "tessera-bench-",
    ...(given.folder === undefined ? {} : { dir: given.folder }),
  });
  try {
    const path = `${folder}/large.tab`;
    Table.create(path, {
      columns: [array("DATA", "complex64", { shape: CELL })],
      storage: [tiledShape("TiledData", ["DATA"], { tileShape: [...CELL, 64] })],
      rows,
    }).close();
    const casacore = await run("/usr/bin/python3", ["-c", CASACORE, path]);
    const figures: Figure[] = [];
    for (const way of Object.keys(WAYS)) {
      const args = ["run", "-A", "--quiet", import.meta.url, `--way=${way}`, `--table=${path}`];
      const value = await run(Deno.execPath(), args);
      if (value === null) throw new Error(`${way} failed`);
      figures.push({
        title: `anonymous memory over that before open, streaming ${mib} MiB by 1,000 rows: ${way}`,
        unit: "MiB",
        value,
        atMost: MOST_MIB + (way === "into" ? 0 : RESULT_MIB),
        peers: casacore === null ? {} : { casacore },
      });
    }
    if (given.json) console.log(JSON.stringify({ results: [], figures }));
    else for (const { title, value } of figures) console.log(`${title} ${value.toFixed(1)} MiB`);
    if (!given.json && casacore !== null) console.log(`casacore ${casacore.toFixed(1)} MiB`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (given.way === undefined) await main();
else await measure(given.way, given.table!);
