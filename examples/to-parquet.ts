/**
 * A table of any size as a Parquet file, in little memory: rows are read and written a row group at a time.
 *
 *     deno run -A examples/to-parquet.ts [TABLE] [PARQUET] [COLUMN,COLUMN…]
 *
 * DuckDB, pandas and Polars read the file: `SELECT ANTENNA1, count(*) FROM 'vis.parquet' GROUP BY ANTENNA1`. What types become
 * is in docs/arrow.md. `table export` does the same at the prompt.
 */
import { join } from "node:path";
import { resourceUsage } from "node:process";
import { Table } from "../mod.ts";
import { writeParquet } from "../src/parquet/mod.ts"; // "@tessera/tables/parquet" in a project of your own

/** Bytes of the values in a row group: what is in memory at a time, besides its copy in Parquet's form. */
const GROUP_BYTES = 8 * 2 ** 20;

const source = Deno.args[0] ?? join(import.meta.dirname!, "data/sim.ms");
const target = Deno.args[1] ?? "vis.parquet";

using table = Table.open(source);
const columns = Deno.args[2]?.split(",") ?? table.columnNames.filter((name) => table.column(name).readable);

const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
const before = resourceUsage().maxRSS; // KiB
await writeParquet(table, target, { columns, batchBytes: GROUP_BYTES });
const grown = (resourceUsage().maxRSS - before) * 1024;

console.log(
  `${target}: ${table.rowCount} rows, ${columns.length} columns, ${
    mebibytes(Deno.statSync(target).size)
  } MiB`,
);
console.log(`memory grew by ${mebibytes(grown)} MiB, ${mebibytes(table.ioStats.bytesRead)} MiB were read`);
