/**
 * Columns of other tables and of an application's own class, beside casacore: programs/virtual_forward.cc makes the
 * tables and prints every cell.
 */
import assert from "node:assert/strict";
import { Table } from "../../mod.ts";
import { temporaryFolder } from "../fixture.ts";
import { assertReads, compile, compilerTest, printed } from "./virtual_printed.ts";

/** Where each table lies, and the engine that it is about. */
const TABLES: Readonly<Record<string, readonly [path: string, engine: string | null]>> = {
  data: ["data", null],
  forward: ["forward", "ForwardColumnEngine"],
  in: ["data/in", "ForwardColumnEngine"],
  out_data: ["out_data", null],
  out: ["out", "ForwardColumnEngine"],
  chain: ["chain", "ForwardColumnEngine"],
  selected: ["selected", "ForwardColumnEngine"],
  indexed: ["indexed", "ForwardColumnIndexedRowEngine"],
  twice: ["twice", "ForwardColumnIndexedRowEngine"],
  squeezed_data: ["squeezed_data", null],
  squeezed: ["squeezed", "CompressFloat"],
  retyped: ["retyped", "RetypedArrayEngine<Quad,float   >"],
};

compilerTest("casacore's forwarded and retyped columns are read to the last bit", () => {
  using folder = temporaryFolder();
  const program = compile("virtual_forward", folder.path);
  for (const big of ["0", "1"]) {
    const place = `${folder.path}/${big}`;
    Deno.mkdirSync(place);
    const tables = printed(program, [place, big]);
    assert.deepEqual([...tables.keys()], Object.keys(TABLES));
    for (const [name, columns] of tables) {
      const [path, engine] = TABLES[name]!;
      {
        using table = Table.open(`${place}/${path}`);
        if (engine !== null) {
          assert.ok(table.managers.some(({ type }) => type === engine), `${name}: ${engine}`);
        }
        assert.equal(table.byteOrder, big === "1" ? "big" : "little");
      }
      assertReads(`${place}/${path}`, columns);
    }
  }
});
