/**
 * Keywords of every type in a table that casacore made are changed, renamed and removed by us, those of the table and
 * those of a column, in records too; casacore reads them with their types, changes some, and we read those.
 */
import assert from "node:assert/strict";
import { type DType, Table, TableKeyword, TableRecord } from "../../mod.ts";
import { copyOfFixture } from "../fixture.ts";
import { oracleSchema, oracleWrite, peerTest } from "./peer.ts";

/** Names of the types of a record's fields, as the oracle tells them. */
function typesOf(record: TableRecord): Record<string, unknown> {
  return Object.fromEntries([...record].map(([key, value]) => [
    key,
    value instanceof TableRecord
      ? typesOf(value)
      : record.kind(key) === "array"
      ? `${record.dtype(key)}[]`
      : record.dtype(key),
  ]));
}

const SCALARS: readonly (readonly [DType, unknown])[] = [
  ["bool", true],
  ["uint8", 200],
  ["int16", -3],
  ["int32", -70000],
  ["uint32", 4e9],
  ["int64", 2n ** 60n],
  ["float32", 0.5],
  ["float64", 1e-300],
  ["complex64", [1, -2]],
  ["complex128", [1e200, 3]],
  ["string", "text that is new"],
];

const ARRAYS: readonly (readonly [DType, unknown])[] = [
  ["bool", { shape: [3], data: [true, false, true] }],
  ["uint8", { shape: [2, 2], data: [1, 2, 3, 255] }],
  ["int16", [1, -2]],
  ["int32", { shape: [2, 1, 2], data: [1, 2, 3, 4] }],
  ["uint32", [4e9]],
  ["int64", BigInt64Array.of(1n, -(2n ** 62n))],
  ["float32", [0.5, 1.5]],
  ["float64", { shape: [0], data: [] }],
  ["complex64", { shape: [2], data: [1, 2, 3, 4] }],
  ["complex128", { shape: [1, 2], data: [1, 2, 3, 4] }],
  ["string", { shape: [2, 2], data: ["a", "", "ccc", "d"] }],
];

/** Does everything to a record that can be done to one. */
function change(record: TableRecord): void {
  const keys = record.keys();
  keys.filter((_, i) => i % 5 === 0).forEach((key) => record.delete(key));
  keys.filter((_, i) => i % 5 === 1).forEach((key) => record.rename(key, `renamed_${key}`));
  // The same type, another value; and other types in the place of old ones.
  const left = record.keys().filter((key) => record.kind(key) === "scalar");
  left.filter((_, i) => i % 2 === 0).forEach((key, i) =>
    record.set(key, SCALARS[i % SCALARS.length]![1], SCALARS[i % SCALARS.length]![0])
  );
  for (const [dtype, value] of SCALARS) record.set(`new_${dtype}`, value, dtype);
  for (const [dtype, value] of ARRAYS) record.set(`list_${dtype}`, value, dtype);
  record.set("empty", {});
  record.set("outer", { inner: { innermost: { n: 1, words: ["x", "y"] } }, kept: 1.5, gone: 2 });
  const outer = record.get("outer") as TableRecord;
  const inner = outer.get("inner") as TableRecord;
  outer.delete("gone");
  outer.rename("inner", "middle");
  (inner.get("innermost") as TableRecord).set("n", 7, "int16");
}

async function assertAgreed(path: string): Promise<void> {
  const schema = await oracleSchema(path);
  using table = Table.open(path);
  // The oracle names subtables relative to the table.
  const bare = (key: string, value: unknown) =>
    key === "table" && typeof value === "string" ? value.replace("././", "") : value;
  const json = (record: TableRecord) => JSON.parse(JSON.stringify(record), bare) as unknown;
  assert.deepEqual(json(table.keywords), schema.keywords);
  assert.deepEqual(typesOf(table.keywords), schema.keywordTypes);
  for (const { name, keywords, keywordTypes } of schema.columns) {
    assert.deepEqual(json(table.column(name).keywords), keywords, name);
    assert.deepEqual(typesOf(table.column(name).keywords), keywordTypes, name);
  }
}

peerTest("keywords of every type change in turns with casacore, in a table that casacore made", async () => {
  using copy = copyOfFixture("keywords");
  const { path } = copy;
  await assertAgreed(path);
  {
    using table = Table.open(path, { mode: "rw" });
    const [name] = table.columnNames;
    change(table.keywords);
    change(table.column(name!).keywords);
    table.createSubtable("SUB", { columns: [], rows: 0 }).close();
    table.keywords.set("more", { deep: new TableKeyword("././SUB") });
  }
  await assertAgreed(path);
  using before = Table.open(path);
  const [column] = before.columnNames;
  await oracleWrite({
    table: path,
    open: true,
    operations: [
      { op: "removekeyword", key: "new_int16" },
      { op: "removekeyword", key: "outer", column: column! },
      { op: "setkeyword", key: "theirs", value: { shape: [2, 2], data: [1, 2, 3, 4] }, dtype: "complex64" },
      { op: "setkeyword", key: "theirs", value: { a: { b: "c" } }, column: column! },
    ],
  });
  // The table that was open all the time sees it, too.
  assert(!before.keywords.has("new_int16"));
  await assertAgreed(path);
  {
    using table = Table.open(path, { mode: "rw" });
    table.removeSubtable("SUB");
    table.keywords.delete("more");
    change(table.keywords);
  }
  await assertAgreed(path);
});
