import assert from "node:assert/strict";
import { scalar, standard, type StringPolicy, Table } from "../../mod.ts";
import { decodeText } from "../../src/format/strings.ts";
import { temporaryFolder } from "../fixture.ts";

/** Long enough not to stand in their references; some buckets have nothing but ASCII, some have more. */
function values(rows: number): Uint8Array[] {
  return Array.from({ length: rows }, (_, row) => {
    const text = `string number ${row}${"-".repeat(row % 40)}`;
    if (row % 400 === 200) return Uint8Array.of(...new TextEncoder().encode(text), 0xff, 0xfe);
    return new TextEncoder().encode(
      row % 400 > 190 && row % 3 === 0 ? `${text} é` : row % 11 === 0 ? "" : text,
    );
  });
}

Deno.test("many strings are what each of them is, whatever bytes their neighbours have", () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t.tab`, rows = 1200, put = values(rows);
  {
    using table = Table.create(path, { columns: [scalar("S", "string")], storage: [standard()], rows });
    table.putColumn("S", put as unknown as string[]);
  }
  for (const strings of ["utf8", "latin1", "bytes"] as const satisfies readonly StringPolicy[]) {
    using table = Table.open(path, { strings });
    const expected = put.map((bytes) => decodeText(bytes, strings));
    assert.deepEqual(table.getColumn("S").data, expected);
    const backwards = Uint32Array.from({ length: rows }, (_, i) => rows - 1 - i);
    assert.deepEqual(table.getColumn("S", { rows: backwards }).data, [...expected].reverse());
  }
});
