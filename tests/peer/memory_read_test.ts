/** What is left of columns of a MemoryStMan, as casacore and as Tessera see it. */
import { NUMERIC_TYPES } from "../../src/array/dtype.ts";
import { memoryStMan } from "../../src/storage/memory/mod.ts";
import { ManagedTable } from "../unit/storage_managed_support.ts";
import type { JobColumn } from "./oracle/values.ts";
import { assertSameRows, oracleRows, oracleWrite, peerTest, temporaryFolder } from "./peer.ts";

const DTYPES = [...NUMERIC_TYPES.filter((dtype) => dtype !== "uint16"), "string"] as const;

for (const byteOrder of ["little", "big"] as const) {
  peerTest(`MemoryStMan, ${byteOrder} endian: cells of every kind whose content is determined`, async () => {
    using folder = temporaryFolder();
    const table = `${folder.path}/t`;
    const columns: JobColumn[] = DTYPES.flatMap((dtype): JobColumn[] => [
      { name: `s_${dtype}`, dtype },
      { name: `v_${dtype}`, dtype, kind: "array", ndim: 1 },
    ]);
    // Direct arrays, of bools too, hold whatever was in casacore's memory.
    columns.push({ name: "record", dtype: "record", kind: "record" });
    const names = columns.map(({ name }) => name);
    await oracleWrite({
      table,
      columns,
      rows: 6,
      byteOrder,
      managers: [{ type: "MemoryStMan", name: "Memory", columns: names }],
    });
    using ours = new ManagedTable(table, [memoryStMan]);
    assertSameRows(ours.rows(), await oracleRows(table));
  });
}
