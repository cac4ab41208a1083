/** Columns of an application's own class that Tessera makes and fills, in the hands of such an application. */
import assert from "node:assert/strict";
import { array, type NDArray, retypedArray, Table, TableError } from "../../mod.ts";
import { temporaryFolder } from "../fixture.ts";
import { compile, compilerTest } from "./virtual_printed.ts";

function objects(shape: readonly number[]): NDArray<"float32"> {
  const count = shape.reduce((a, b) => a * b, 4);
  return {
    dtype: "float32",
    shape: [4, ...shape],
    data: Float32Array.from({ length: count }, (_, i) => i / 8 - 3),
  };
}

compilerTest("an application reads objects in columns that Tessera made", () => {
  using folder = temporaryFolder();
  const program = compile("virtual_retyped", folder.path), path = `${folder.path}/t`;
  const shapes = [[3], [2, 5], null, [1, 1, 2]];
  {
    using table = Table.create(path, {
      columns: [array("QUADS", "float32"), array("NUMBERS", "float32")],
      storage: [
        retypedArray("QUADS", {
          stored: "NUMBERS",
          className: "Quad",
          shape: [4],
          record: { unit: "Jy", axes: [4] },
        }),
      ],
      rows: shapes.length,
    });
    shapes.forEach((shape, row) => shape !== null && table.putCell("QUADS", row, objects(shape)));
    for (const shape of [[5, 2], []]) {
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
      assert.throws(
        () => table.putCell("QUADS", 0, { dtype: "float32", shape, data }),
        (error) => error instanceof TableError && error.code === "SHAPE_MISMATCH",
      );
    }
  }
  const { success, stdout, stderr } = new Deno.Command(program, { args: [path] }).outputSync();
  assert.ok(success, new TextDecoder().decode(stderr));
  const wanted = shapes.map((shape) => {
    if (shape === null) return "undefined";
    const { data } = objects(shape), turned: number[] = [];
    for (let i = 0; i < data.length; i += 4) turned.push(...[...data.subarray(i, i + 4)].reverse());
    return [shape.join(), ...turned].join(" ");
  });
  assert.deepEqual(new TextDecoder().decode(stdout).trimEnd().split("\n"), wanted);
});
