/**
 * Fresh tables filled column by column: `table.f0` and `table.f0i` have the same bytes as those that casacore writes,
 * but for bytes that mean nothing (format reference part 2, section 9); and the blob in `table.dat` is the same.
 */
import assert from "node:assert/strict";
import { DTYPES, NUMERIC_TYPES } from "../../src/array/dtype.ts";
import { readTableDat } from "../../src/format/table-dat.ts";
import { type Job, oracleWrite, peerTest, temporaryFolder } from "./peer.ts";
import type { JobColumn } from "./oracle/values.ts";
import { meaningfulBytes, StandardTable } from "./standard_table.ts";

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
