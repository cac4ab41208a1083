/** Every StandardStMan column of the tables that Debian packages install, beside casacore. */
import { readTableDat } from "../../src/format/table-dat.ts";
import { openTable } from "../unit/storage_standard_support.ts";
import { realTables } from "./oracle/tables.ts";
import { assertSameRows, oracleRows, peerTest } from "./peer.ts";

/** Rows compared at each end of a table; all rows of shorter ones. */
const END_ROWS = 400;

for (const path of realTables()) {
  const dat = readTableDat(Deno.readFileSync(`${path}/table.dat`), `${path}/table.dat`);
  if (dat.kind !== "PlainTable") continue;
  const sequences = dat.columnSet.managers.filter(({ type }) => type === "StandardStMan").map((m) =>
    m.sequence
  );
  if (sequences.length === 0) continue;
  const folder = path.split("/").slice(-2).join("/");
  peerTest(`StandardStMan columns of ${folder} are what casacore reads`, async () => {
    const columns = dat.desc.columns.filter((_, i) => sequences.includes(dat.columnSet.columns[i]!.sequence))
      .map((column) => column.name);
    const table = openTable(path);
    const rows = table.rows();
    table.close();
    const parts = rows.length <= 2 * END_ROWS
      ? [[0, rows.length]] as const
      : [[0, END_ROWS], [rows.length - END_ROWS, rows.length]] as const;
    for (const [from, to] of parts) {
      assertSameRows(rows.slice(from, to), await oracleRows(path, { columns, rows: [from, to] }), path);
    }
  });
}
