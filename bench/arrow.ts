/**
 * Throughput from a table to an Arrow file, beside python-casacore's `getcol` with pyarrow, and arcae where it is installed.
 * The sides write the same columns in turn, to files in the same folder, without waiting for the disk; tables are in the page
 * cache. `deno run -A bench/arrow.ts [rows] [rounds]`
 *
 * TESSERA_PYARROW and TESSERA_ARCAE name folders with these packages, if Python doesn't find them by itself.
 */
import { array, scalar, standard, Table, tiledColumn } from "../mod.ts";
import { writeArrow } from "../src/arrow/mod.ts";
import { writeParquet } from "../src/parquet/mod.ts";

const ROWS = Number(Deno.args[0] ?? 100_000), ROUNDS = Number(Deno.args[1] ?? 9);
const WARM_ROUNDS = 2;
const SCALARS = ["TIME", "ANTENNA1", "ANTENNA2", "FLAG_ROW"];
const WORKS: Readonly<Record<string, readonly string[]>> = {
  "scalars": SCALARS,
  "DATA": ["DATA"],
  "scalars, UVW, DATA": [...SCALARS, "UVW", "DATA"],
};

function makeTable(path: string): void {
  using table = Table.create(path, {
    columns: [
      scalar("TIME", "float64"),
      scalar("ANTENNA1", "int32"),
      scalar("ANTENNA2", "int32"),
      scalar("FLAG_ROW", "bool"),
      array("UVW", "float64", { shape: [3] }),
      array("DATA", "complex64", { shape: [4, 64] }),
    ],
    storage: [
      tiledColumn("TiledUvw", ["UVW"], { tileShape: [3, 4096] }),
      tiledColumn("TiledData", ["DATA"], { tileShape: [4, 64, 512] }),
      standard("SSM", { bucketRows: 1024 }),
    ],
    rows: ROWS,
  });
  table.putColumn("TIME", Float64Array.from({ length: ROWS }, (_, i) => 5e9 + i));
  const block = Float32Array.from({ length: 1000 * 512 }, (_, i) => Math.sin(i));
  for (let start = 0; start < ROWS; start += 1000) {
    const end = Math.min(ROWS, start + 1000);
    table.putColumn("DATA", block.subarray(0, (end - start) * 512), { rows: { start, end } });
  }
}

interface Side {
  readonly name: string;
  run(job: { table: string; file: string; columns: readonly string[] }): Promise<number>;
  close(): void;
}

/** A Python process that answers with the time that each job took; null where it can't run. */
async function python(name: "getcol" | "arcae", folder: string | undefined): Promise<Side | null> {
  const child = new Deno.Command("/usr/bin/python3", {
    args: [new URL("peers/arrow.py", import.meta.url).pathname, name],
    env: folder === undefined ? {} : { PYTHONPATH: folder },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const encoder = new TextEncoder();
  let text = "";
  const answer = async (): Promise<Record<string, unknown> | null> => {
    while (!text.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) return null;
      text += value;
    }
    const line = text.slice(0, text.indexOf("\n"));
    text = text.slice(line.length + 1);
    return JSON.parse(line);
  };
  if (await answer() === null) return null;
  return {
    name,
    async run(job) {
      await writer.write(encoder.encode(JSON.stringify(job) + "\n"));
      const found = await answer();
      if (found === null || "error" in found) throw new Error(String(found?.["error"] ?? "it ended"));
      return found["seconds"] as number;
    },
    close: () => void writer.close(),
  };
}

/** Tessera, in this process; the table is opened every time, as the others do. */
function tessera(format: "arrow" | "parquet"): Side {
  return {
    name: `tessera ${format}`,
    async run({ table: path, file, columns }) {
      const began = performance.now();
      using table = Table.open(path);
      if (format === "arrow") await writeArrow(table, file, { columns });
      else await writeParquet(table, file, { columns });
      return (performance.now() - began) / 1000;
    },
    close: () => {},
  };
}

function median(list: readonly number[]): number {
  return [...list].sort((a, b) => a - b)[list.length >> 1]!;
}

const directory = Deno.makeTempDirSync({ prefix: "tessera-bench-arrow-" });
try {
  const table = `${directory}/t`;
  makeTable(table);
  const sides = [tessera("arrow"), tessera("parquet")];
  for (const [name, folder] of [["getcol", "TESSERA_PYARROW"], ["arcae", "TESSERA_ARCAE"]] as const) {
    const side = await python(name, Deno.env.get(folder));
    if (side === null) {
      console.log(`${name} is left out: Python has no pyarrow (${folder} may name its folder)`);
    } else sides.push(side);
  }
  for (const [work, columns] of Object.entries(WORKS)) {
    const times = new Map<string, number[]>(sides.map(({ name }) => [name, []]));
    for (let round = -WARM_ROUNDS; round < ROUNDS; round++) {
      for (const side of [...sides]) {
        const file = `${directory}/${side.name.replace(" ", ".")}`;
        try {
          const seconds = await side.run({ table, file, columns });
          if (round >= 0) times.get(side.name)!.push(seconds);
        } catch (error) {
          console.log(`${side.name} is left out: ${(error as Error).message}`);
          sides.splice(sides.indexOf(side), 1);
        }
        try {
          Deno.removeSync(file);
        } catch {
          // The side wrote none.
        }
      }
    }
    const own = times.get("tessera arrow")!;
    for (const { name } of sides) {
      const list = times.get(name)!;
      const ratios = list.map((seconds, i) => seconds / own[i]!);
      console.log(
        `${work.padEnd(20)} ${name.padEnd(16)} ${(median(list) * 1000).toFixed(1).padStart(8)} ms` +
          `  takes ${median(ratios).toFixed(2).padStart(6)} times as long as tessera arrow` +
          ` (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`,
      );
    }
  }
  for (const side of sides) side.close();
} finally {
  Deno.removeSync(directory, { recursive: true });
}
