/**
 * Every cell of the tables that Debian's casacore-data and python3-casa-formats-io bring: `cat` against casacore.
 */
import assert from "node:assert/strict";
import { table } from "../unit/cli_support.ts";
import { assertSameRows, oracleRows, peerTest } from "./peer.ts";

const FOLDERS = [
  "/usr/share/casacore/data",
  "/usr/lib/python3/dist-packages/casa_formats_io/casa_low_level_io/tests/data",
];

/** Most rows compared at once. */
const STEP = 5000;

/** Directories of tables below a folder; none where the package isn't installed. */
function tablesBelow(folder: string): string[] {
  const found: string[] = [];
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(folder)];
  } catch {
    return [];
  }
  for (const entry of entries) {
    if (entry.isDirectory) found.push(...tablesBelow(`${folder}/${entry.name}`));
    else if (entry.name === "table.dat") found.push(folder);
  }
  return found.sort();
}

/** False for a table whose data the package leaves out, as that of floatarray.image: casacore doesn't open it. */
function complete(path: string): boolean {
  const names = [...Deno.readDirSync(path)].map((entry) => entry.name);
  return names.some((name) => name.startsWith("table.f"));
}

const LEFT_OUT = /^table: column (.*) is left out: (\S+) can't be read yet$/;

for (const folder of FOLDERS) {
  for (const path of tablesBelow(folder).filter(complete)) {
    peerTest(`cat prints ${path.slice(folder.length + 1)} as casacore reads it`, async () => {
      const described = await table("schema", "--json", path);
      assert.deepEqual([described.status, described.err], [0, []]);
      const schema = JSON.parse(described.out) as {
        rows: number;
        columns: { name: string; readable: boolean; manager: { type: string } }[];
      };
      const readable = schema.columns.filter((column) => column.readable).map((column) => column.name);
      for (let start = 0; start < schema.rows; start += STEP) {
        const end = Math.min(schema.rows, start + STEP);
        const { status, out, err } = await table("cat", path, "--rows", `${start}:${end}`);
        assert.equal(status, 0, err.join("\n"));
        assert.deepEqual(
          err.map((line) => LEFT_OUT.exec(line)?.slice(1)),
          schema.columns.filter((column) => !column.readable).map((
            column,
          ) => [column.name, column.manager.type]),
        );
        assertSameRows(out, await oracleRows(path, { columns: readable, rows: [start, end] }), path);
      }
      const shown = await table("show", path);
      assert.equal(shown.status, 0);
      for (const line of shown.out.split("\n")) assert.ok([...line].length <= 80, line);
    });
  }
}
