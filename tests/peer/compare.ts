/**
 * Every cell of every real table at hand, read by Tessera and by casacore (`deno task compare`): the tables that Debian
 * packages install, the example MeasurementSet with its subtables, and the golden tables. Prints how many tables,
 * columns and cells were compared, what differed, and what was left out; ends with status 1 when anything differed.
 *
 * Tables are gone through in ranges of rows, so that memory doesn't grow with their length.
 */
import { Table, TableError } from "../../mod.ts";
import { allFixtures, fixturePath } from "../fixture.ts";
import { rowsAsJson } from "../rows-as-json.ts";
import { realTables } from "./oracle/tables.ts";
import { differenceOf, oracleRows, oracleSchema, peerAvailable } from "./peer.ts";

/** Values, array elements counted one by one, that a range of rows shall hold at most; one row may hold more. */
const RANGE_VALUES = 200_000;
/** Rows of the first range, before it's known how large rows are, and most rows of any. */
const FIRST_ROWS = 16, MOST_ROWS = 10_000;
/** Differences of a table that are kept as text; the others are only counted. */
const SHOWN = 5;

/** What came of comparing a table. */
export interface Comparison {
  readonly path: string;
  columns: number;
  cells: number;
  /** Cells that aren't the same, and anything else that differs. */
  differing: number;
  /** The first differences. */
  readonly differences: string[];
  /** What Tessera doesn't read, or casacore: named. */
  readonly leftOut: string[];
}

/** Compares a table as Tessera reads it at `path` with the table that casacore reads at `theirs`. */
export async function compareTable(path: string, theirs = path): Promise<Comparison> {
  const result: Comparison = { path, columns: 0, cells: 0, differing: 0, differences: [], leftOut: [] };
  const differs = (text: string) => {
    result.differing++;
    if (result.differences.length < SHOWN) result.differences.push(text);
  };
  try {
    using table = Table.open(path);
    await compareOpen(table, theirs, result, differs);
  } catch (error) {
    if (error instanceof TableError && error.code === "UNSUPPORTED") {
      result.leftOut.push(`the whole table: ${error.message}`);
    } else differs(String(error));
  }
  return result;
}

async function compareOpen(
  table: Table,
  theirs: string,
  result: Comparison,
  differs: (text: string) => void,
): Promise<void> {
  const expected = (await oracleSchema(theirs)).columns.map((column) => column.name);
  const difference = differenceOf(table.columnNames, expected);
  if (difference) differs(`names of columns${difference}`);
  const readable = table.columnNames.filter((name) => table.column(name).readable);
  for (const name of table.columnNames) {
    if (readable.includes(name)) continue;
    result.leftOut.push(`column ${name}: ${table.column(name).manager.type} is not read`);
  }
  result.columns = readable.length;
  if (readable.length === 0) return;
  let start = 0, step = FIRST_ROWS;
  do {
    const end = Math.min(table.rowCount, start + step);
    // The last range is open: rows that only casacore sees are differences too.
    const open = end === table.rowCount;
    const left = rowsAsJson(table, start, end);
    const right = await oracleRows(theirs, { columns: readable, rows: [start, open ? null : end] });
    if (left.length !== right.length) differs(`${left.length} rows from ${start}, expected ${right.length}`);
    let values = 0;
    left.forEach((row, i) => {
      for (const name of readable) {
        const cell = row[name];
        values += valuesOf(cell);
        result.cells++;
        const difference = differenceOf(cell, right[i]?.[name]);
        if (difference) differs(`row ${start + i}, column ${name}${difference}`);
      }
    });
    if (values > 0) {
      const rows = Math.floor(RANGE_VALUES * (end - start) / values);
      step = Math.min(MOST_ROWS, Math.max(1, rows));
    }
    start = end;
  } while (start < table.rowCount);
}

function valuesOf(cell: unknown): number {
  if (typeof cell !== "object" || cell === null) return 1;
  return "data" in cell && Array.isArray(cell.data) ? cell.data.length : 1;
}

/** Directories of the tables in a folder: itself, subtables, and theirs. */
export function tablesIn(folder: string): string[] {
  const entries = [...Deno.readDirSync(folder)];
  return [
    ...(entries.some((entry) => entry.name === "table.dat") ? [folder] : []),
    ...entries.filter((entry) => entry.isDirectory).flatMap((entry) => tablesIn(`${folder}/${entry.name}`)),
  ].sort();
}

function plural(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

/** Compares groups of tables and prints what came of it. Gives the number of differences. */
async function main(): Promise<number> {
  if (!peerAvailable()) {
    console.error("compare: python3-casacore is needed");
    return 1;
  }
  const example = new URL("../../examples/data/sim.ms", import.meta.url).pathname;
  // Some golden tables were made by casacore but are read wrongly by it.
  const golden = allFixtures().filter(({ peer }) => peer).map(({ name }) => fixturePath(name));
  const wrong = allFixtures().filter(({ peer }) => !peer).map(({ name }) => name);
  const groups = [
    ["installed by Debian packages", realTables()],
    ["examples/data/sim.ms with its subtables", tablesIn(example)],
    ["golden tables", golden],
  ] as const;
  const all: Comparison[] = [];
  for (const [about, paths] of groups) {
    const compared: Comparison[] = [];
    for (const path of paths) {
      const comparison = await compareTable(path);
      compared.push(comparison);
      for (const text of comparison.differences) console.log(`${path}: ${text}`);
      const more = comparison.differing - comparison.differences.length;
      if (more > 0) console.log(`${path}: ${plural(more, "more difference")}`);
      for (const text of comparison.leftOut) console.log(`${path}: left out: ${text}`);
    }
    console.log(`${about}: ${totals(compared)}`);
    all.push(...compared);
  }
  if (wrong.length > 0) {
    console.log(`not compared, as casacore itself reads them wrongly: ${wrong.join(", ")}`);
  }
  console.log(`in all: ${totals(all)}`);
  return all.reduce((sum, { differing }) => sum + differing, 0);
}

function totals(compared: readonly Comparison[]): string {
  const sum = (of: (comparison: Comparison) => number) => compared.reduce((n, one) => n + of(one), 0);
  const tables = compared.filter((one) => !one.leftOut.some((text) => text.startsWith("the whole table")));
  return [
    plural(tables.length, "table"),
    plural(sum((one) => one.columns), "column"),
    plural(sum((one) => one.cells), "cell"),
    `${plural(sum((one) => one.differing), "difference")}`,
    `${sum((one) => one.leftOut.length).toLocaleString("en")} left out`,
  ].join(", ");
}

if (import.meta.main) Deno.exit(await main() > 0 ? 1 : 0);
