/**
 * What tests of exports beside DuckDB and pyarrow share: what a column sums up to, and how each side is asked.
 */
import type { Column, NDArray, Table } from "../../mod.ts";

const PYTHON = "/usr/bin/python3";

/** Folders with tables that Debian brings. */
const FOLDERS = [
  "/usr/share/casacore/data",
  "/usr/lib/python3/dist-packages/casa_formats_io/casa_low_level_io/tests/data",
];

/** What a scalar column sums up to: of strings the bytes of UTF-8, of flags those that are set. */
export interface Sums {
  readonly rows: number;
  readonly nulls: number;
  /** null for columns of which there is none, as complex ones. */
  readonly sum: number | null;
}

function tablesBelow(folder: string): string[] {
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(folder)];
  } catch {
    return [];
  }
  const names = entries.map(({ name }) => name);
  const below = entries.filter(({ isDirectory }) => isDirectory).flatMap(({ name }) =>
    tablesBelow(`${folder}/${name}`)
  );
  // One comes without its data; casacore doesn't open it either.
  const own = names.includes("table.dat") && names.some((name) => name.startsWith("table.f"));
  return own ? [folder, ...below] : below;
}

/** The tables of Debian's packages, with the folder they are in taken off for their names. */
export function debianTables(): { readonly path: string; readonly name: string }[] {
  return FOLDERS.flatMap((folder) =>
    tablesBelow(folder).sort().map((path) => ({ path, name: path.slice(folder.length + 1) }))
  );
}

/** Columns whose values are summed up. */
export function summable(table: Table): Column[] {
  return table.columnNames.map((name) => table.column(name)).filter(({ kind, dtype, readable }) =>
    kind === "scalar" && readable && !dtype.startsWith("complex")
  );
}

/** Sums of a table's columns, as Tessera reads them. */
export function sumsOf(table: Table, columns: readonly Column[]): Record<string, Sums> {
  const encoder = new TextEncoder();
  return Object.fromEntries(columns.map(({ name }) => {
    const { data } = table.getColumn(name) as NDArray;
    let sum = 0;
    for (const value of data as Iterable<unknown>) {
      sum += typeof value === "string" ? encoder.encode(value).length : Number(value);
    }
    return [name, { rows: table.rowCount, nulls: 0, sum }];
  }));
}

/** True for sums that differ by no more than the order in which they were taken. */
export function agree(a: number | null, b: number | null): boolean {
  if (a === null || b === null) return a === b;
  return Object.is(a, b) || a === b || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
}

function pythonPath(): Record<string, string> {
  const extra = Deno.env.get("TESSERA_PYARROW");
  return extra === undefined ? {} : { PYTHONPATH: extra };
}

let pyarrow: boolean | undefined;

/** True where Python has pyarrow, or TESSERA_PYARROW says the folder that it is in. */
export function pyarrowAvailable(): boolean {
  if (pyarrow !== undefined) return pyarrow;
  try {
    const args = ["-c", "import pyarrow.parquet, pyarrow.ipc, pyarrow.csv, pyarrow.compute"];
    return pyarrow = new Deno.Command(PYTHON, { args, env: pythonPath() }).outputSync().success;
  } catch {
    return pyarrow = false;
  }
}

/** Runs a script with pyarrow and gives what it printed as JSON. */
export function runPyarrow(script: string, ...args: string[]): unknown {
  const { success, stdout, stderr } = new Deno.Command(PYTHON, {
    args: ["-c", script, ...args],
    env: pythonPath(),
  }).outputSync();
  const decoder = new TextDecoder();
  if (!success) throw new Error(decoder.decode(stderr));
  return JSON.parse(decoder.decode(stdout));
}

/** A test that needs pyarrow; ignored, with its name shown, where that is missing. */
export function pyarrowTest(name: string, fn: () => void | Promise<void>): void {
  Deno.test({ name, ignore: !pyarrowAvailable(), fn });
}

/** Sums of all scalar columns of files. Complex columns are lists there. */
const PYARROW_SUMS = `
import sys, json, pyarrow as pa, pyarrow.compute as pc, pyarrow.parquet as pq, pyarrow.ipc as ipc
def sums(path):
    table = pq.read_table(path) if path.endswith(".parquet") else ipc.open_file(path).read_all()
    table.validate(full=True)
    out = {}
    for name in table.column_names:
        column = table.column(name)
        kind = column.type
        if pa.types.is_string(kind):
            values = pc.binary_length(column)
        elif pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind):
            values = pc.cast(column, pa.float64(), safe=False)
        else:
            continue
        total = pc.sum(values).as_py()
        total = 0 if total is None else total
        out[name] = {"rows": table.num_rows, "nulls": column.null_count, "sum": repr(float(total))}
    return out
print(json.dumps({path: sums(path) for path in sys.argv[1:]}))
`;

/** Sums of the scalar columns of files, by file and column. */
export function pyarrowSums(paths: readonly string[]): Map<string, Record<string, Sums>> {
  const found = runPyarrow(PYARROW_SUMS, ...paths) as Record<
    string,
    Record<string, { rows: number; nulls: number; sum: string }>
  >;
  const number = (text: string) => text === "nan" ? NaN : Number(text.replace("inf", "Infinity"));
  return new Map(
    Object.entries(found).map(([path, columns]) => [
      path,
      Object.fromEntries(
        Object.entries(columns).map(([name, one]) => [name, { ...one, sum: number(one.sum) }]),
      ),
    ]),
  );
}
