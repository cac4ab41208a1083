/** casacore writes tables with StandardStMan in every way it can, Tessera reads every cell. */
import { DTYPES } from "../../src/array/dtype.ts";
import { openTable } from "../unit/storage_standard_support.ts";
import { assertSameRows, type Job, oracleRows, oracleWrite, peerTest, temporaryFolder } from "./peer.ts";
import type { JobColumn } from "./oracle/values.ts";

const TYPES = DTYPES.filter((dtype) => dtype !== "record");

/** Every type in one kind of column. */
function ofEvery(prefix: string, options: Partial<JobColumn>): JobColumn[] {
  return TYPES.map((dtype) => ({ name: `${prefix}_${dtype}`, dtype, ...options }));
}

/** uint16 columns make the oracle go through TaQL, which writes numbers and bools only. */
function withoutUint16(columns: readonly JobColumn[]): JobColumn[] {
  return columns.filter((column) => column.dtype !== "uint16");
}

const EVERYTHING = withoutUint16([
  ...ofEvery("s", {}),
  ...ofEvery("d", { kind: "array", shape: [3, 1, 3], direct: true }),
  ...ofEvery("f", { kind: "array", shape: [2, 5] }),
  ...ofEvery("v", { kind: "array", ndim: -1, undefinedEvery: 3 }),
  ...ofEvery("w", { kind: "array", ndim: 2, axes: [1, 30] }),
  { name: "bounded", dtype: "string", maxLength: 11 },
  { name: "long", dtype: "string", longest: 2500 },
  { name: "longer", dtype: "string", kind: "array", ndim: 1, longest: 500, undefinedEvery: 5 },
  { name: "record", dtype: "record", kind: "record" },
]);

const UINT16: readonly JobColumn[] = [
  { name: "scalar", dtype: "uint16" },
  { name: "direct", dtype: "uint16", kind: "array", shape: [3, 2], direct: true },
  { name: "free", dtype: "uint16", kind: "array", ndim: 2, undefinedEvery: 3 },
  { name: "flag", dtype: "bool" },
];

async function compare(job: Omit<Job, "table">): Promise<void> {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`;
  await oracleWrite({ ...job, table: path });
  const table = openTable(path);
  assertSameRows(table.rows(), await oracleRows(path));
  table.close();
}

function managersOf(columns: readonly JobColumn[], spec: Record<string, number>) {
  return [{ type: "StandardStMan", name: "SSM", columns: columns.map((column) => column.name), spec }];
}

for (const byteOrder of ["little", "big"] as const) {
  peerTest(`every kind of cell of a ${byteOrder}-endian table reads as casacore reads it`, async () => {
    for (
      const [rows, spec] of [[1, {}], [64, { BUCKETROWS: 7 }], [64, { BUCKETSIZE: 100 }], [50, {}]] as const
    ) {
      await compare({
        rows,
        seed: rows + 5,
        byteOrder,
        columns: EVERYTHING,
        managers: managersOf(EVERYTHING, spec),
      });
    }
  });

  peerTest(`uint16 cells of a ${byteOrder}-endian table read as casacore reads them`, async () => {
    await compare({
      rows: 40,
      seed: 8,
      byteOrder,
      columns: UINT16,
      managers: managersOf(UINT16, { BUCKETROWS: 9 }),
    });
  });

  peerTest(`a ${byteOrder}-endian table reads well after rows and columns came and went`, async () => {
    const columns = EVERYTHING.filter(({ name }) => !name.startsWith("w_") && name !== "record");
    await compare({
      rows: 50,
      seed: 9,
      byteOrder,
      columns,
      managers: managersOf(columns, { BUCKETROWS: 6 }),
      operations: [
        { op: "removerows", rows: [0, 1, 2, 3, 4, 5, 17, 30, 48, 49] },
        { op: "addrows", count: 13 },
        { op: "fill", rows: [38, 40, 45, 52], seed: 90 },
        { op: "reopen" },
        { op: "removecolumns", columns: ["s_int32", "d_bool", "f_float64", "long"] },
        {
          op: "addcolumns",
          columns: [
            { name: "n_bool", dtype: "bool" },
            { name: "n_text", dtype: "string", longest: 60 },
            { name: "n_wide", dtype: "complex128", kind: "array", shape: [40], direct: true },
            { name: "n_free", dtype: "float32", kind: "array", ndim: 2, undefinedEvery: 2 },
          ],
        },
        { op: "reopen" },
        { op: "fill", rows: [1, 2, 3, 20, 21], seed: 91 },
        { op: "addrows", count: 3 },
      ],
    });
  });
}
