/**
 * Fresh tables filled column by column: `table.f0` and `table.f0i` have the same bytes as those that casacore writes,
 * but for bytes that mean nothing (format reference part 2, section 9); and the blob in `table.dat` is the same.
 */
import assert from "node:assert/strict";
import { DTYPES, NUMERIC_TYPES } from "../../src/array/dtype.ts";
import { rowList } from "../../src/array/rows.ts";
import { readTableDat } from "../../src/format/table-dat.ts";
import { type Job, oracleWrite, peerTest, temporaryFolder } from "./peer.ts";
import type { JobColumn } from "./oracle/values.ts";
import { meaningfulBytes } from "./standard_bytes.ts";
import { StandardTable } from "./standard_table.ts";

/** The Python binding can't open tables with uint16 columns, and nothing here writes records. */
const TYPES = DTYPES.filter((dtype) => dtype !== "uint16" && dtype !== "record");
const NUMBERS = NUMERIC_TYPES.filter((dtype) => dtype !== "uint16");

const SCALARS: readonly JobColumn[] = [
  ...TYPES.map((dtype): JobColumn => ({ name: `s_${dtype}`, dtype })),
  { name: "bounded", dtype: "string", maxLength: 7 },
  { name: "long", dtype: "string", longest: 900 },
];
const DIRECT: readonly JobColumn[] = TYPES.map((dtype) => (
  { name: `d_${dtype}`, dtype, kind: "array", shape: [3, 1, 3], direct: true }
));
const FIXED: readonly JobColumn[] = TYPES.map((dtype) => ({
  name: `f_${dtype}`,
  dtype,
  kind: "array",
  shape: [5, 3],
}));
const FREE: readonly JobColumn[] = TYPES.map((dtype) => (
  { name: `v_${dtype}`, dtype, kind: "array", ndim: -1, undefinedEvery: 4 }
));

/** One operation a column, so that values are put column by column. */
function columnByColumn(
  columns: readonly JobColumn[],
  more: { rows: readonly number[]; seed: number }[] = [],
) {
  return [
    ...columns.map((column) => ({ op: "fill" as const, columns: [column.name] })),
    ...more.flatMap(({ rows, seed }) =>
      columns.map((column) => ({ op: "fill" as const, columns: [column.name], rows, seed }))
    ),
  ];
}

async function compare(job: Job, more: { rows: readonly number[]; seed: number }[] = []): Promise<void> {
  using folder = temporaryFolder();
  const columns = job.columns ?? [];
  const theirs = `${folder.path}/theirs`, ours = `${folder.path}/ours`;
  await oracleWrite({ ...job, table: theirs, fill: false, operations: columnByColumn(columns, more) });
  using table = StandardTable.create({ ...job, table: ours });
  table.fill(job.seed ?? 0);
  for (const { rows, seed } of more) table.fill(seed, { rows });
  table.close();
  sameTables(ours, theirs);
}

/** Compares the bytes of two tables' managers. */
function sameTables(ours: string, theirs: string): void {
  const blobOf = (path: string) => {
    const dat = readTableDat(Deno.readFileSync(`${path}/table.dat`), path);
    return dat.kind === "PlainTable" ? dat.columnSet.managers[0]!.blob : null;
  };
  assert.deepEqual(blobOf(ours), blobOf(theirs), "the blob in table.dat");
  const expected = meaningfulBytes(theirs), found = meaningfulBytes(ours);
  assert.deepEqual([...found.keys()], [...expected.keys()]);
  for (const [name, bytes] of expected) sameBytes(found.get(name)!, bytes, name);
}

function sameBytes(ours: Uint8Array, theirs: Uint8Array, name: string): void {
  assert.equal(ours.length, theirs.length, `length of ${name}`);
  const at = ours.findIndex((byte, i) => byte !== theirs[i]);
  const around = (bytes: Uint8Array) => bytes.slice(Math.max(0, at - 4), at + 12).toHex();
  if (at >= 0) assert.fail(`${name} differs at ${at}: ${around(ours)}, casacore has ${around(theirs)}`);
}

const SPECS = [{}, { BUCKETROWS: 3 }, { BUCKETSIZE: 700 }, { BUCKETROWS: 900 }];
const KINDS = {
  scalars: SCALARS,
  "direct arrays": DIRECT,
  "arrays of fixed shape": FIXED,
  "arrays of free shape": FREE,
};

for (const byteOrder of ["little", "big"] as const) {
  for (const [kind, columns] of Object.entries(KINDS)) {
    peerTest(`a fresh ${byteOrder}-endian table of ${kind} has casacore's bytes`, async () => {
      for (const spec of SPECS) {
        for (const rows of [0, 1, 37]) {
          const managers = [{
            type: "StandardStMan",
            name: "SSM",
            columns: columns.map((c) => c.name),
            spec,
          }];
          await compare({ table: "", rows, seed: rows + 1, byteOrder, columns, managers });
        }
      }
    });
  }
}

peerTest("cells put again, with longer and shorter strings, leave casacore's bytes", async () => {
  const columns: JobColumn[] = [
    { name: "text", dtype: "string", longest: 300 },
    { name: "pair", dtype: "string", kind: "array", shape: [2], longest: 90 },
    // casacore puts an array of another shape in two steps, shape and values, which leaves other gaps.
    { name: "words", dtype: "string", kind: "array", shapes: [[3]], longest: 80, undefinedEvery: 4 },
    ...NUMBERS.map((dtype): JobColumn => ({ name: `v_${dtype}`, dtype, kind: "array", ndim: 2 })),
  ];
  for (const spec of [{ BUCKETSIZE: 128 }, { BUCKETROWS: 4 }, {}]) {
    const managers = [{ type: "StandardStMan", name: "SSM", columns: columns.map((c) => c.name), spec }];
    const again = [{ rows: [...Array(9).keys()], seed: 70 }, { rows: [3, 4, 20, 21], seed: 71 }, {
      rows: [1, 3, 5, 7, 9],
      seed: 72,
    }];
    await compare({ table: "", rows: 25, seed: 7, byteOrder: "big", columns, managers }, again);
  }
});

/** A change, as casacore and as we are told of it. */
type Change =
  | { op: "addrows"; count: number }
  | { op: "removerows"; rows: number[] }
  | { op: "addcolumns"; columns: JobColumn[]; fill: false }
  | { op: "removecolumns"; columns: string[] }
  | { op: "fill"; columns: string[]; rows: number[]; seed: number };

/** Has casacore and us change tables that are alike, flushing where columns change, and compares. */
async function compareChanges(job: Job, changes: readonly Change[]): Promise<void> {
  using folder = temporaryFolder();
  const theirs = `${folder.path}/theirs`, ours = `${folder.path}/ours`;
  const columns = [...job.columns ?? []];
  const operations = changes.flatMap((change) =>
    change.op.endsWith("columns") ? [change, { op: "flush" as const }] : [change]
  );
  await oracleWrite({
    ...job,
    table: theirs,
    fill: false,
    operations: [...columnByColumn(columns), ...operations],
  });
  using table = StandardTable.create({ ...job, table: ours });
  table.fill(job.seed ?? 0);
  for (const change of changes) {
    if (change.op === "addrows") table.bench.addRows(change.count);
    else if (change.op === "removerows") table.bench.removeRows(rowList(change.rows));
    else if (change.op === "fill") table.fill(change.seed, change);
    else if (change.op === "addcolumns") { for (const column of change.columns) table.addColumn(column); }
    else for (const column of change.columns) table.removeColumn(column);
  }
  table.close();
  sameTables(ours, theirs);
}

const CHANGED: readonly JobColumn[] = [
  { name: "n", dtype: "int32" },
  { name: "flag", dtype: "bool" },
  { name: "text", dtype: "string", longest: 300 },
  { name: "more", dtype: "string", longest: 70 },
  { name: "bounded", dtype: "string", maxLength: 5 },
  { name: "bits", dtype: "bool", kind: "array", shape: [3], direct: true },
  { name: "direct", dtype: "complex64", kind: "array", shape: [2], direct: true },
  { name: "fixed", dtype: "float32", kind: "array", shape: [3] },
  { name: "free", dtype: "int16", kind: "array", undefinedEvery: 4 },
];

/** All rows of all columns, column by column. */
function refill(columns: readonly JobColumn[], rows: number, seed: number): Change[] {
  return columns.map(({ name }) => ({
    op: "fill",
    columns: [name],
    rows: Array.from({ length: rows }, (_, row) => row),
    seed,
  }));
}

for (const byteOrder of ["little", "big"] as const) {
  const managers = [{ type: "StandardStMan", name: "SSM", columns: CHANGED.map((column) => column.name) }];
  for (const spec of [{ BUCKETROWS: 4 }, { BUCKETSIZE: 128 }, { BUCKETSIZE: 900 }]) {
    const job: Job = {
      table: "",
      rows: 41,
      seed: 3,
      byteOrder,
      columns: CHANGED,
      managers: [{ ...managers[0]!, spec }],
    };
    peerTest(
      `rows removed from a ${byteOrder}-endian table with ${JSON.stringify(spec)} leave casacore's bytes`,
      async () => {
        await compareChanges(job, [{ op: "removerows", rows: [0, 3, 4, 5, 6, 7, 8, 20, 21, 40] }]);
        await compareChanges(job, [
          { op: "removerows", rows: Array.from({ length: 33 }, (_, i) => i + 5) },
          { op: "addrows", count: 30 },
          ...refill(CHANGED, 38, 4),
        ]);
        await compareChanges(job, [
          { op: "removerows", rows: Array.from({ length: 41 }, (_, i) => i) },
          { op: "addrows", count: 7 },
          ...refill(CHANGED, 7, 5),
        ]);
      },
    );
    peerTest(
      `columns added to and removed from a ${byteOrder}-endian table with ${
        JSON.stringify(spec)
      } leave casacore's bytes`,
      async () => {
        const added: JobColumn[] = [
          { name: "byte", dtype: "uint8" },
          { name: "wide", dtype: "complex128", kind: "array", shape: [4], direct: true },
          { name: "words", dtype: "string", longest: 100 },
          { name: "late", dtype: "float64", kind: "array", shape: [2, 2] },
          { name: "yes", dtype: "bool" },
        ];
        const left = CHANGED.filter(({ name }) => name !== "text" && name !== "n" && name !== "direct");
        await compareChanges(job, [
          { op: "removecolumns", columns: ["text"] },
          { op: "removecolumns", columns: ["n"] },
          { op: "addcolumns", columns: [added[0]!], fill: false },
          { op: "addcolumns", columns: [added[1]!], fill: false },
          ...refill(added.slice(0, 2), 41, 6),
          { op: "removerows", rows: [1, 2, 3, 17, 18, 39] },
          { op: "removecolumns", columns: ["direct"] },
          // Not after columns were added: casacore leaves bytes of removed ones in slots that have no row yet.
          { op: "addrows", count: 20 },
          { op: "addcolumns", columns: [added[2]!], fill: false },
          { op: "addcolumns", columns: [added[3]!], fill: false },
          { op: "addcolumns", columns: [added[4]!], fill: false },
          ...refill([...left, ...added], 55, 7),
        ]);
        await compareChanges(job, [
          { op: "addcolumns", columns: [added[1]!], fill: false },
          { op: "addcolumns", columns: [added[2]!], fill: false },
          ...refill([added[1]!, added[2]!], 41, 8),
          { op: "removecolumns", columns: ["wide"] },
          { op: "removerows", rows: [0, 8, 9] },
        ]);
      },
    );
  }
}
