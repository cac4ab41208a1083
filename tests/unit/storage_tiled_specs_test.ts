/** Specs of tiled managers: which hypercolumns a new table defines, and what is refused before anything is made. */
import assert from "node:assert/strict";
import {
  array,
  checkTable,
  type ColumnSpec,
  scalar,
  type StorageSpec,
  Table,
  TableError,
  tiledCell,
  tiledColumn,
  tiledData,
  tiledShape,
} from "../../mod.ts";
import { fieldOf, type RecordFields } from "../../src/format/record.ts";
import { readTableDat } from "../../src/format/table-dat.ts";

const COLUMNS: readonly ColumnSpec[] = [
  array("D", "float32", { ndim: 2 }),
  array("F", "bool", { shape: [3, 4] }),
  array("X", "float64", { ndim: 1 }),
  array("S", "complex64"),
  scalar("T", "float64"),
  scalar("ID", "string"),
  scalar("V", "int16"),
];

function named(...names: string[]): ColumnSpec[] {
  return names.map((name) => COLUMNS.find((column) => column.name === name)!);
}

/** What the definition says, as text; none: no definition. */
function definitionOf(columns: readonly ColumnSpec[], spec: StorageSpec): string {
  const path = Deno.makeTempDirSync() + "/t";
  try {
    Table.create(path, { columns, storage: [spec], lock: "none" }).close();
    const dat = readTableDat(Deno.readFileSync(`${path}/table.dat`), path);
    assert.equal(dat.kind, "PlainTable");
    const value = fieldOf(
      (dat as { desc: { privateKeywords: RecordFields } }).desc.privateKeywords,
      "Hypercolumn_HC",
    );
    if (value?.kind !== "record") return "none";
    return value.fields.fields.map(({ name, value }) =>
      `${name} ${
        value.kind === "scalar" ? value.value : value.kind === "array" ? (value.data as string[]).join() : ""
      }`
    ).join("; ");
  } finally {
    Deno.removeSync(path.slice(0, -2), { recursive: true });
  }
}

Deno.test("a hypercolumn is defined where casacore needs it: for scalars, coordinates, ids, and for TiledDataStMan", () => {
  const cases: [StorageSpec, ColumnSpec[], string][] = [
    [tiledShape("HC", ["D", "F"]), named("D", "F"), "none"],
    [tiledCell("HC", ["D"]), named("D"), "none"],
    [tiledColumn("HC", ["F"]), named("F"), "none"],
    [tiledColumn("HC", ["V", "T"]), named("V", "T"), "ndim 1; data V,T; coord ; id "],
    [
      tiledShape("HC", ["D"], { coordinates: [null, "X", "T"] }),
      named("X", "D", "T"),
      "ndim 3; data D; coord ,X,T; id ",
    ],
    [tiledCell("HC", ["F"], { coordinates: ["X", null] }), named("F", "X"), "ndim 2; data F; coord X,; id "],
    [tiledData("HC", ["F", "D"], { ids: ["ID"] }), named("D", "F", "ID"), "ndim 3; data F,D; coord ; id ID"],
    [tiledData("HC", ["V"], { rowShape: [5] }), named("V"), "ndim 2; data V; coord ; id "],
  ];
  for (const [spec, columns, expected] of cases) {
    assert.equal(definitionOf(columns, spec), expected, spec.type);
  }
});

Deno.test("hypercolumns that can't be are refused before the table is made", () => {
  const cases: [StorageSpec, ColumnSpec[], RegExp][] = [
    [
      tiledShape("HC", ["D"], { coordinates: ["X", "T"] }),
      named("D", "X", "T"),
      /2 coordinates given, hypercubes have 3 axes/,
    ],
    [
      tiledData("HC", ["S"], { ids: ["ID"] }),
      named("S", "ID"),
      /number of axes of its columns must be known/,
    ],
    [tiledShape("HC", ["S"]), named("S"), /number of axes of columns S must be known/],
    [tiledShape("HC", ["V"]), named("V"), /it keeps no scalars/],
    [tiledCell("HC", ["V"]), named("V"), /it keeps no scalars/],
    [tiledColumn("HC", ["D"]), named("D"), /column D has no fixed shape/],
    [
      tiledData("HC", ["D"], { ids: ["V"] }),
      named("D", "V"),
      /id column V expected to be a scalar of a type/,
    ],
    [tiledData("HC", ["D"], { rowShape: [0] }), named("D"), /rowShape is \[0\]/],
  ];
  for (const [storage, columns, text] of cases) {
    const path = Deno.makeTempDirSync() + "/t";
    assert.throws(
      () => Table.create(path, { columns, storage: [storage], lock: "none" }),
      (error: unknown) =>
        error instanceof TableError && error.code === "INVALID_ARGUMENT" && text.test(error.message),
      String(text),
    );
    assert.throws(() => Deno.statSync(path), Deno.errors.NotFound);
    Deno.removeSync(path.slice(0, -2), { recursive: true });
  }
});

Deno.test("rows of tiledData are appended, read, and refused where they have no place", () => {
  const path = Deno.makeTempDirSync() + "/t";
  {
    using table = Table.create(path, {
      columns: named("D", "ID", "T"),
      storage: [
        tiledData("HC", ["D"], { ids: ["ID"], coordinates: [null, null, "T"], tileShape: [2, 2, 4] }),
      ],
      lock: "none",
    });
    const cells = (shape: number[]) => ({
      dtype: "float32" as const,
      shape,
      data: Float32Array.from({ length: shape.reduce((n, length) => n * length) }, (_, i) => i),
    });
    table.append({ ID: ["a", "a", "a"], D: cells([2, 3, 3]), T: Float64Array.of(1, 2, 3) });
    table.append({ ID: ["b", "b"], D: cells([4, 1, 2]), T: Float64Array.of(4, 5) });
    assert.throws(() => table.append({ D: cells([2, 3, 1]) }), { code: "OUT_OF_RANGE" });
  }
  using table = Table.open(path, { lock: "none" });
  assert.deepEqual(table.getColumn("ID", { rows: { start: 0, end: 5 } }).data, ["a", "a", "a", "b", "b"]);
  assert.deepEqual([...table.getColumn("T", { rows: { start: 0, end: 5 } }).data], [1, 2, 3, 4, 5]);
  assert.deepEqual(
    table.getCells("D").map((cell) => cell === null ? null : (cell as { shape: readonly number[] }).shape),
    [
      [2, 3],
      [2, 3],
      [2, 3],
      [4, 1],
      [4, 1],
      null,
    ],
  );
  assert.deepEqual(checkTable(path).findings, []);
  Deno.removeSync(path.slice(0, -2), { recursive: true });
});
