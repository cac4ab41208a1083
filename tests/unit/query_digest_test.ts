/**
 * Digests: the same for every way to store a table, another one for every change, and as docs/digest.md defines them, by a
 * second implementation that reads cell by cell.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  array,
  type Cell,
  Context,
  incremental,
  type NDArray,
  scalar,
  standard,
  type StorageSpec,
  Table,
  TableRecord,
  tiledColumn,
  tiledShape,
} from "../../mod.ts";
import { digestColumn, digestTable } from "../../src/query/mod.ts";
import { allFixtures, fixturePath, fixtures } from "../fixture.ts";
import { rowsAsJson } from "../rows-as-json.ts";

/** All managers that a table's columns can be moved to. */
function storages(table: Table): StorageSpec[][] {
  const columns = table.columnNames.map((name) => table.column(name));
  const numeric = columns.filter(({ kind, dtype }) => kind === "array" && dtype !== "string");
  const fixed = numeric.filter(({ shape }) => shape !== null);
  const tiled = numeric.filter(({ ndim }) => ndim > 0);
  const empty = JSON.stringify(rowsAsJson(table)).includes('"shape":[0') || table.path.includes("empty_axes");
  return [
    [standard("S", { bucketRows: 5 })],
    [incremental("I")],
    // Tiles have no place for cells with an axis of length 0.
    ...empty ? [] : [
      tiled.map(({ name }) => tiledShape(`TS_${name}`, [name], { tileShape: [2, 2] })),
      fixed.map(({ name }) => tiledColumn(`TC_${name}`, [name], { tileShape: [3] })),
    ],
  ];
}

for (const { name } of allFixtures().filter(({ needs }) => !needs.includes("taql"))) {
  Deno.test(`${name} has the same digest in other managers, tiles and byte orders`, () => {
    using table = Table.open(fixturePath(name), { io: "node" });
    const expected = digestTable(table);
    for (const storage of storages(table)) {
      for (const byteOrder of ["little", "big"] as const) {
        const context = new Context();
        table.copy("/copy", { storage, byteOrder, io: "memory", context, lock: "none", subtables: false });
        using copy = Table.open("/copy", { io: "memory", context });
        assert.deepEqual(digestTable(copy), expected, JSON.stringify([storage, byteOrder]));
      }
    }
  });
}

/** SHA-256 of pieces. */
function sha(...pieces: (Uint8Array | string)[]): Uint8Array {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest();
}

function whole(value: number | bigint): Uint8Array {
  return new Uint8Array(BigInt64Array.of(BigInt(value)).buffer);
}

function text(value: string): Uint8Array {
  const bytes = new TextEncoder().encode(value);
  return Uint8Array.of(...whole(bytes.length), ...bytes);
}

const CLASSES = {
  bool: Uint8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  float32: Float32Array,
  float64: Float64Array,
  complex64: Float32Array,
  complex128: Float64Array,
};

/** Values one by one. */
function bytesOf(dtype: string, values: unknown[]): Uint8Array {
  if (dtype === "string") return Uint8Array.from(values.flatMap((value) => [...text(value as string)]));
  if (dtype === "int64") return Uint8Array.from(values.flatMap((value) => [...whole(value as bigint)]));
  const numbers = values.flat().map(Number);
  return new Uint8Array(CLASSES[dtype as keyof typeof CLASSES].from(numbers).buffer);
}

/** The definition, taken word by word. */
function plainDigest(table: Table, name: string): string {
  const { kind, dtype } = table.column(name);
  const stretches: { count: number; shape: readonly number[] | null }[] = [];
  const values: Uint8Array[] = [];
  for (let row = 0; row < table.rowCount; row++) {
    const cell: Cell = table.getCell(name, row);
    const shape = cell === null ? null : kind === "array" ? (cell as NDArray).shape : [];
    const last = stretches.at(-1);
    if (last !== undefined && JSON.stringify(last.shape) === JSON.stringify(shape)) last.count++;
    else stretches.push({ count: 1, shape });
    if (cell === null) continue;
    values.push(bytesOf(dtype, kind === "array" ? [...(cell as NDArray).data as number[]] : [cell]));
  }
  const shapes = stretches.flatMap(({ count, shape }) => [
    whole(count),
    whole(shape === null ? -1 : shape.length),
    ...(shape ?? []).map(whole),
  ]);
  const digest = sha("tessera column 1\n", text(kind), text(dtype), sha(...shapes), sha(...values));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

Deno.test("digests are what the definition says, taken word by word", () => {
  let count = 0;
  for (const { name } of fixtures(["tiledcell", "reftable", "concat", "coordinates", "incremental"])) {
    using table = Table.open(fixturePath(name), { io: "node" });
    // Text that isn't UTF-8 takes more than a line to encode.
    if (name.startsWith("ssm_strings")) continue;
    for (const column of table.columnNames) {
      if (table.column(column).dtype === "record") continue;
      assert.equal(digestColumn(table, column), plainDigest(table, column), `${name}.${column}`);
      count++;
    }
  }
  assert.ok(count > 300, String(count));
});

Deno.test("cells larger than a block, and neighbours of different shapes, have the digest of the definition", () => {
  const context = new Context();
  using table = Table.create("/t", {
    columns: [array("BIG", "float64"), array("MIXED", "int32"), array("TEXT", "string", { ndim: 1 })],
    rows: 40,
    io: "memory",
    lock: "none",
    context,
  });
  const fill = (n: number) => Float64Array.from({ length: n }, (_, i) => Math.sin(i));
  table.putCell("BIG", 1, { dtype: "float64", shape: [700, 3, 500], data: fill(700 * 3 * 500) });
  table.putCell("BIG", 2, { dtype: "float64", shape: [700_000], data: fill(700_000) });
  table.putCell("BIG", 3, { dtype: "float64", shape: [1, 1, 600_000, 2], data: fill(1_200_000) });
  for (let row = 0; row < 40; row++) {
    if (row % 7 === 3) continue;
    const shape = [row % 3, 2];
    table.putCell("MIXED", row, {
      dtype: "int32",
      shape,
      data: Int32Array.from({ length: 2 * (row % 3) }, () => row),
    });
    const data = Array.from({ length: row % 4 }, (_, i) => `é${i}`);
    table.putCell("TEXT", row, { dtype: "string", shape: [data.length], data });
  }
  for (const name of table.columnNames) {
    assert.equal(digestColumn(table, name), plainDigest(table, name), name);
  }
});

Deno.test("one bit of one value makes another digest of that column, and of the table", () => {
  const context = new Context();
  using table = Table.create("/t", {
    columns: [
      array("DATA", "complex64", { shape: [2, 3] }),
      scalar("B", "bool"),
      scalar("S", "string"),
      scalar("Z", "float64"),
      array("FREE", "uint8"),
    ],
    rows: 50,
    io: "memory",
    lock: "none",
    context,
  });
  let before = digestTable(table);
  const seen = new Set([before.table]);
  const changes: [string, () => void][] = [
    ["DATA", () => {
      const { data } = table.getColumn("DATA", { dtype: "complex64" });
      new Uint32Array(data.buffer, data.byteOffset, data.length)[417]! ^= 1;
      table.putColumn("DATA", data);
    }],
    ["B", () => table.putCell("B", 49, true)],
    ["S", () => table.putCell("S", 0, "\0")],
    ["Z", () => table.putCell("Z", 7, -0)],
    ["FREE", () => table.setShape("FREE", [0], { rows: [3] })],
    ["FREE", () => table.setShape("FREE", [0, 1], { rows: [3] })],
  ];
  for (const [name, change] of changes) {
    change();
    const after = digestTable(table);
    assert.ok(!seen.has(after.table), name);
    seen.add(after.table);
    for (const [i, column] of after.columns.entries()) {
      assert.equal(column.values !== before.columns[i]!.values, column.name === name, column.name);
    }
    before = after;
  }
  table.keywords.set("K", 1);
  const keyed = digestTable(table);
  assert.notEqual(keyed.keywords, before.keywords);
  assert.deepEqual(keyed.columns, before.columns);
  table.keywords.set("K", 1, "float64");
  assert.notEqual(digestTable(table).keywords, keyed.keywords);
  table.column("DATA").keywords.set("R", new TableRecord());
  assert.notEqual(digestTable(table).columns[0]!.keywords, keyed.columns[0]!.keywords);
});

Deno.test("the digest of a table doesn't depend on the order of its columns, that of fewer columns is another", () => {
  using table = Table.open(fixturePath("ssm_scalars_le"));
  const names = table.columnNames;
  const whole = digestTable(table);
  assert.equal(digestTable(table, { columns: names.toReversed() }).table, whole.table);
  assert.notEqual(digestTable(table, { columns: names.slice(1) }).table, whole.table);
  assert.throws(() => digestTable(table, { columns: ["NONE"] }), { code: "NO_SUCH_COLUMN" });
});

Deno.test("digests stay what they are", () => {
  using table = Table.open(fixturePath("minimal_le"));
  assert.equal(
    digestTable(table).table,
    "a2bb6e9aae7ec5720b96dfd349c8908b8dbfe573314f07ff466605b5d5ae3d66",
  );
});
