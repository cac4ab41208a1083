/** casacore writes columns of a StManAipsIO, Tessera reads them. */
import { NUMERIC_TYPES } from "../../src/array/dtype.ts";
import { rowList } from "../../src/array/rows.ts";
import { stManAipsIO } from "../../src/storage/aipsio/mod.ts";
import { ManagedTable } from "../unit/storage_managed_support.ts";
import { generatedRows, type JobColumn } from "./oracle/values.ts";
import {
  assertSameRows,
  type Job,
  type JobOperation,
  oracleRows,
  oracleWrite,
  peerTest,
  temporaryFolder,
} from "./peer.ts";

/** casacore's Python binding can't open tables with uint16 columns; they have a test of their own. */
const DTYPES = [...NUMERIC_TYPES.filter((dtype) => dtype !== "uint16"), "string"] as const;

/** Columns of every data type in one form. */
function columnsOf(form: "scalar" | "direct" | "fixed" | "free", ndim: number): JobColumn[] {
  const shape = [3, 2, 2, 1].slice(0, ndim);
  return DTYPES.map((dtype): JobColumn => {
    const common = { name: `${form}_${dtype}`, dtype, longest: 40 };
    if (form === "scalar") return common;
    return form === "free"
      ? { ...common, kind: "array", ndim: ndim === 3 ? -1 : ndim, axes: [1, 3], undefinedEvery: 4 }
      : { ...common, kind: "array", shape, direct: form === "direct" };
  });
}

function jobOf(table: string, columns: readonly JobColumn[], rest: Partial<Job>): Job {
  const names = columns.map(({ name }) => name);
  return {
    table,
    columns,
    seed: 8,
    managers: [{ type: "StManAipsIO", name: "Old", columns: names }],
    ...rest,
  };
}

/** Every cell as casacore reads it, read as a whole, and again cell by cell in another order. */
async function compare(path: string): Promise<Record<string, unknown>[]> {
  const theirs = await oracleRows(path);
  using table = new ManagedTable(path, [stManAipsIO]);
  assertSameRows(table.rows(), theirs, path);
  const order = Array.from({ length: theirs.length }, (_, i) => (i * 7 + 3) % theirs.length);
  const single = order.map((row) => table.rows(rowList([row]))[0]!);
  assertSameRows(single, order.map((row) => theirs[row]!), `${path}, cell by cell`);
  return theirs;
}

// The byte order of the table changes nothing in these files.
for (const byteOrder of ["little", "big"] as const) {
  for (
    const [form, ndim, rows] of [
      ["scalar", 0, 67],
      ["direct", 1, 19],
      ["direct", 4, 11],
      ["fixed", 2, 13],
      ["free", 1, 17],
      ["free", 3, 7],
    ] as const
  ) {
    peerTest(
      `StManAipsIO, ${byteOrder} endian: ${form} columns of every type, ${ndim} axes, ${rows} rows`,
      async () => {
        using folder = temporaryFolder();
        const path = `${folder.path}/t`, columns = columnsOf(form, ndim);
        await oracleWrite(jobOf(path, columns, { rows, byteOrder }));
        assertSameRows(await compare(path), generatedRows(columns, 8, 0, rows), "casacore's own reading");
      },
    );
  }

  peerTest(`StManAipsIO, ${byteOrder} endian: rows added in several sessions, put, removed`, async () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/t`;
    const columns = [
      ...columnsOf("scalar", 0),
      ...columnsOf("direct", 1).filter(({ dtype }) => dtype !== "string"),
      ...columnsOf("free", 2),
      { name: "bits", dtype: "bool", kind: "array", shape: [11], direct: true } as const,
      { name: "record", dtype: "record", kind: "record" } as const,
    ];
    // What a row that was never put holds is undetermined (reference, part 3, section B2).
    const grow = (from: number, count: number): JobOperation[] => [
      { op: "addrows", count },
      { op: "fill", rows: Array.from({ length: count }, (_, i) => from + i) },
      { op: "reopen" },
    ];
    const operations: JobOperation[] = [
      { op: "reopen" },
      ...grow(33, 7),
      ...grow(40, 1),
      { op: "fill", rows: [39, 3, 17], seed: 80 },
      ...grow(41, 70),
      { op: "removerows", rows: [0, 5, 32, 33, 34, 60, 110] },
    ];
    await oracleWrite(jobOf(path, columns, { rows: 33, byteOrder, operations }));
    await compare(path);
  });

  peerTest(`StManAipsIO, ${byteOrder} endian: no rows`, async () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/t`;
    const columns = [...columnsOf("scalar", 0), ...columnsOf("free", 1), ...columnsOf("direct", 2)];
    await oracleWrite(jobOf(path, columns, { rows: 0, byteOrder, fill: false }));
    await compare(path);
  });

  peerTest(`StManAipsIO, ${byteOrder} endian: uint16, scalars and arrays`, async () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/t`;
    const columns: JobColumn[] = [
      { name: "a", dtype: "uint16" },
      { name: "d", dtype: "uint16", kind: "array", shape: [2, 3], direct: true },
      { name: "v", dtype: "uint16", kind: "array", ndim: 2 },
    ];
    await oracleWrite(jobOf(path, columns, { rows: 9, byteOrder }));
    await compare(path);
  });
}
