/**
 * Exports beside those who read them: DuckDB and pyarrow find the rows, nulls and sums that Tessera reads; and every table that
 * Debian brings comes back from Arrow and Parquet with the same values.
 */
import assert from "node:assert/strict";
import { DuckDBInstance } from "@duckdb/node-api";
import { type Column, type NDArray, Table } from "../../mod.ts";
import { assertSameValues, everyKind, inDirectory, TEXTS } from "../unit/arrow_support.ts";
import { table as command } from "../unit/cli_support.ts";
import {
  agree,
  debianTables,
  pyarrowSums,
  pyarrowTest,
  runPyarrow,
  summable,
  type Sums,
  sumsOf,
} from "./arrow_support.ts";

/** Rows of a query, with BigInts as they are. */
async function duckdb(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    const reader = await connection.runAndReadAll(sql);
    return reader.getRowObjectsJS() as Record<string, unknown>[];
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** What DuckDB reads a file by. */
function source(path: string): string {
  const name = path.replaceAll("'", "''");
  if (path.endsWith(".csv")) {
    return `read_csv('${name}', header = true, allow_quoted_nulls = false, sample_size = -1)`;
  }
  return path.endsWith(".ndjson")
    ? `read_json('${name}', format = 'newline_delimited')`
    : `read_parquet('${name}')`;
}

async function duckdbSums(path: string, columns: readonly Column[]): Promise<Record<string, Sums>> {
  if (columns.length === 0) return {};
  const parts = columns.flatMap(({ name, dtype }, i) => {
    const quoted = `"${name.replaceAll('"', '""')}"`;
    const value = dtype === "string"
      ? `strlen(${quoted}::VARCHAR)`
      : dtype === "bool"
      ? `${quoted}::INT`
      : quoted;
    return [`count(${quoted}) AS n${i}`, `sum((${value})::DOUBLE) AS s${i}`];
  });
  const [row] = await duckdb(`SELECT count(*) AS rows, ${parts.join(", ")} FROM ${source(path)}`);
  const rows = Number(row!["rows"]);
  return Object.fromEntries(columns.map(({ name }, i) => {
    return [name, { rows, nulls: rows - Number(row![`n${i}`]), sum: Number(row![`s${i}`] ?? 0) }];
  }));
}

function assertSums(actual: Record<string, Sums>, expected: Record<string, Sums>, what: string): void {
  for (const [name, { rows, nulls, sum }] of Object.entries(expected)) {
    const found = actual[name];
    assert(found !== undefined, `${what}: no ${name}`);
    assert.deepEqual([found.rows, found.nulls], [rows, nulls], `${what}: ${name}`);
    assert(agree(found.sum, sum), `${what}: ${name} sums up to ${found.sum}, expected ${sum}`);
  }
}

async function exported(path: string, file: string, ...more: string[]): Promise<void> {
  const { status, err } = await command("export", path, file, ...more);
  assert.equal(status, 0, err.join("\n"));
}

for (const { path, name } of debianTables()) {
  Deno.test(`${name} comes back from Arrow and Parquet with the same values`, () =>
    inDirectory(async (directory) => {
      using original = Table.open(path);
      const readable = original.columnNames.filter((column) => original.column(column).readable);
      for (const format of ["arrow", "parquet"]) {
        await exported(path, `${directory}/t.${format}`);
        const { status, err } = await command("import", `${directory}/t.${format}`, `${directory}/${format}`);
        assert.equal(status, 0, err.join("\n"));
        using again = Table.open(`${directory}/${format}`);
        assertSameValues(again, original, readable);
      }
      const columns = summable(original), expected = sumsOf(original, columns);
      assertSums(await duckdbSums(`${directory}/t.parquet`, columns), expected, "DuckDB");
    }));
}

pyarrowTest(
  "pyarrow finds the sums of every Debian table in Arrow and Parquet",
  () =>
    inDirectory(async (directory) => {
      const expected = new Map<string, Record<string, Sums>>();
      for (const [i, { path }] of debianTables().entries()) {
        using original = Table.open(path);
        const sums = sumsOf(original, summable(original));
        for (const format of ["arrow", "parquet"]) {
          await exported(path, `${directory}/${i}.${format}`);
          expected.set(`${directory}/${i}.${format}`, sums);
        }
      }
      const found = pyarrowSums([...expected.keys()]);
      for (const [path, sums] of expected) assertSums(found.get(path)!, sums, path);
    }),
);

Deno.test("DuckDB reads each kind of column of a Parquet file as what it is", () =>
  inDirectory(async (directory) => {
    using table = everyKind(`${directory}/t`);
    table.flush();
    await exported(`${directory}/t`, `${directory}/t.parquet`);
    const rows = await duckdb(`SELECT * FROM ${source(`${directory}/t.parquet`)}`);
    assert.equal(rows.length, table.rowCount);
    for (
      const dtype of [
        "bool",
        "uint8",
        "int16",
        "uint16",
        "int32",
        "uint32",
        "int64",
        "float32",
        "float64",
        "string",
      ]
    ) {
      const cells = table.getCells(`S_${dtype}`);
      assert.deepEqual(rows.map((row) => row[`S_${dtype}`]), cells, dtype);
      const fixed = (table.getCells(`F_${dtype}`) as NDArray[]).map(({ data }) => {
        const list = Array.from(
          data as ArrayLike<unknown>,
          (item) => dtype === "bool" ? Boolean(item) : item,
        );
        return [list.slice(0, 3), list.slice(3)]; // the second axis outside
      });
      assert.deepEqual(rows.map((row) => row[`F_${dtype}`]), fixed, dtype);
      const free = (table.getCells(`V_${dtype}`) as (NDArray | null)[]).map((cell) =>
        cell && {
          shape: cell.shape,
          data: Array.from(
            cell.data as ArrayLike<unknown>,
            (item) => dtype === "bool" ? Boolean(item) : item,
          ),
        }
      );
      assert.deepEqual(rows.map((row) => row[`V_${dtype}`]), free, dtype);
    }
    const complex = table.getCells("S_complex128");
    assert.deepEqual(rows.map((row) => row["S_complex128"]), complex);
  }));

Deno.test("DuckDB reads CSV and NDJSON as Tessera wrote them", () =>
  inDirectory(async (directory) => {
    using table = everyKind(`${directory}/t`);
    table.flush();
    // DuckDB guesses types: those of these columns can't be mistaken.
    const names = ["S_bool", "S_int16", "S_int32", "S_string"];
    for (const format of ["csv", "ndjson"]) {
      const file = `${directory}/t.${format}`;
      await exported(`${directory}/t`, file, "--columns", names.join(","));
      const rows = await duckdb(`SELECT * FROM ${source(file)}`);
      assert.deepEqual(rows.map((row) => row["S_bool"]), table.getCells("S_bool"));
      for (const name of ["S_int16", "S_int32"]) {
        assert.deepEqual(rows.map((row) => Number(row[name])), table.getCells(name));
      }
      assert.deepEqual(rows.map((row) => row["S_string"]), TEXTS);
    }
  }));

pyarrowTest(
  "pyarrow reads each kind of column of Arrow and Parquet as what it is",
  () =>
    inDirectory(async (directory) => {
      using table = everyKind(`${directory}/t`);
      table.flush();
      const script = `
import sys, json, pyarrow.ipc as ipc, pyarrow.parquet as pq
path = sys.argv[1]
table = pq.read_table(path) if path.endswith("parquet") else ipc.open_file(path).read_all()
table.validate(full=True)
def plain(x):
    if isinstance(x, float) and (x != x or x in (float("inf"), float("-inf"))): return str(x)
    if isinstance(x, list): return [plain(y) for y in x]
    if isinstance(x, dict): return {k: plain(v) for k, v in x.items()}
    return str(x) if isinstance(x, int) and not isinstance(x, bool) else x
print(json.dumps({
    "types": {f.name: str(f.type) for f in table.schema},
    "units": json.loads(table.schema.field("S_float64").metadata[b"tessera.units"]),
    "rows": [{k: plain(v) for k, v in row.items()} for row in table.to_pylist()],
}))`;
      for (const format of ["arrow", "parquet"]) {
        await exported(`${directory}/t`, `${directory}/t.${format}`);
        const { types, units, rows } = runPyarrow(script, `${directory}/t.${format}`) as {
          types: Record<string, string>;
          units: string[];
          rows: Record<string, unknown>[];
        };
        assert.deepEqual(units, ["Jy"]);
        assert.match(
          types["F_float32"]!,
          /^fixed_size_list<\w+: fixed_size_list<\w+: float not null>\[3\] not null>\[2\]$/,
        );
        assert.equal(types["S_uint32"], "uint32");
        const plain = (value: unknown): unknown => {
          if (typeof value === "bigint") return String(value);
          if (typeof value !== "number") return value;
          return Number.isNaN(value) ? "nan" : Number.isFinite(value) ? value : value > 0 ? "inf" : "-inf";
        };
        for (
          const dtype of [
            "bool",
            "uint8",
            "int16",
            "uint16",
            "int32",
            "uint32",
            "int64",
            "float64",
            "string",
            "complex64",
          ]
        ) {
          const integer = dtype.includes("int");
          const item = (value: unknown): unknown =>
            dtype === "bool" ? Boolean(value) : integer ? String(value) : plain(value);
          const pairs = (list: unknown[]) =>
            dtype !== "complex64" ? list : list.flatMap((_, i) => i % 2 === 0 ? [list.slice(i, i + 2)] : []);
          const list = (cell: NDArray) => pairs(Array.from(cell.data as ArrayLike<unknown>, item));
          const scalars = table.getCells(`S_${dtype}`).map((cell) =>
            Array.isArray(cell) ? cell.map(item) : item(cell)
          );
          assert.deepEqual(rows.map((row) => row[`S_${dtype}`]), scalars, dtype);
          const fixed = (table.getCells(`F_${dtype}`) as NDArray[]).map((
            cell,
          ) => [list(cell).slice(0, 3), list(cell).slice(3)]);
          assert.deepEqual(rows.map((row) => row[`F_${dtype}`]), fixed, dtype);
          const free = (table.getCells(`V_${dtype}`) as (NDArray | null)[]).map((cell) =>
            cell && { shape: cell.shape.map(String), data: list(cell) }
          );
          assert.deepEqual(rows.map((row) => row[`V_${dtype}`]), free, dtype);
        }
      }
    }),
);

pyarrowTest(
  "tables that pyarrow writes are imported, and come out again as they were",
  () =>
    inDirectory(async (directory) => {
      const script = `
import sys, json, datetime, pyarrow as pa, pyarrow.parquet as pq, pyarrow.ipc as ipc
table = pa.table({
    "i8": pa.array([-128, 127, 0], pa.int8()),
    "f16": pa.array([1.5, -2.0, 0.0], pa.float32()),
    "large": pa.array(["a", "é", ""], pa.large_string()),
    "view": pa.array(["a", "longer than twelve bytes", ""], pa.string_view()) if not sys.argv[1].endswith("parquet") else pa.array(["a", "longer than twelve bytes", ""]),
    "words": pa.array(["x", "y", "x"]).dictionary_encode(),
    "time": pa.array([1, 2, 3], pa.timestamp("us", tz="UTC")),
    "day": pa.array([1, 2, 3], pa.date32()),
    "lists": pa.array([[1.0, 2.0], [], [3.0]], pa.list_(pa.float64())),
    "fixed": pa.array([[1, 2], [3, 4], [5, 6]], pa.list_(pa.int32(), 2)),
    "record": pa.array([{"a": 1, "b": "x"}, {"a": 2, "b": "y"}, {"a": 3, "b": None}]),
    "bytes": pa.array([b"ab", b"", b"\\xff"], pa.binary()),
})
if sys.argv[1].endswith("parquet"): pq.write_table(table, sys.argv[1])
else:
    with ipc.new_file(sys.argv[1], table.schema) as writer: writer.write_table(table, max_chunksize=2)
print(json.dumps(table.num_rows))`;
      for (const format of ["arrow", "parquet"]) {
        runPyarrow(script, `${directory}/p.${format}`);
        const { status, err } = await command("import", `${directory}/p.${format}`, `${directory}/${format}`);
        assert.equal(status, 0, err.join("\n"));
        using table = Table.open(`${directory}/${format}`);
        assert.deepEqual(table.getCells("i8"), [-128, 127, 0]);
        assert.deepEqual(table.getCells("large"), ["a", "é", ""]);
        assert.deepEqual(table.getCells("view"), ["a", "longer than twelve bytes", ""]);
        assert.deepEqual(table.getCells("words"), ["x", "y", "x"]);
        assert.deepEqual(table.getCells("time"), [1n, 2n, 3n]);
        assert.deepEqual(table.getCells("day"), [1, 2, 3]);
        const lists = table.getCells("lists") as NDArray[];
        assert.deepEqual(lists.map(({ data }) => Array.from(data as Float64Array)), [[1, 2], [], [3]]);
        const fixed = table.getCells("fixed") as NDArray[];
        assert.deepEqual(fixed.map(({ data }) => Array.from(data as Int32Array)), [[1, 2], [3, 4], [5, 6]]);
        assert.deepEqual(JSON.parse(JSON.stringify(table.getCell("record", 1))), { a: 2, b: "y" });
        assert.deepEqual(
          (table.getCells("bytes") as NDArray[]).map(({ data }) => Array.from(data as Uint8Array)),
          [
            [97, 98],
            [],
            [255],
          ],
        );
      }
    }),
);
