import assert from "node:assert/strict";
import { array, type RowSource, scalar, Table, TableError } from "../../mod.ts";

/** Ten rows: a number, a text, an array of one shape, and one of free shape of which each third is undefined. */
function source(path: string, onClose?: () => void): RowSource {
  const cellShape = (row: number) => row % 3 === 0 ? null : [row];
  return {
    path,
    rowCount: 10,
    columns: [
      scalar("TIME", "float64", { unit: "s" }),
      scalar("NAME", "string"),
      array("UVW", "float32", { shape: [3] }),
      array("FREE", "int32", { ndim: 1 }),
    ],
    column: (index) => ({
      shapes: (rows) =>
        index === 3
          ? Array.from({ length: rows.length }, (_, i) => ({ count: 1, shape: cellShape(rows.at(i)) }))
          : [{ count: rows.length, shape: index === 2 ? [3] : [] }],
      read(rows, shape, box, target, at) {
        for (let i = 0; i < rows.length; i++) {
          const row = rows.at(i);
          if (target.kind === "strings") {
            target.values[at + i] = target.decode(new TextEncoder().encode(`row ${row}`));
            continue;
          }
          const { buffer, byteOffset, byteLength } = target.bytes;
          if (index === 0) new Float64Array(buffer, byteOffset, byteLength / 8)[at + i] = row / 2;
          else {
            const [first, step, count] = box === null
              ? [0, 1, shape[0]!]
              : [box.start[0]!, box.step[0]!, box.shape[0]!];
            const values = index === 2
              ? new Float32Array(buffer, byteOffset, byteLength / 4)
              : new Int32Array(buffer, byteOffset, byteLength / 4);
            for (let k = 0; k < count; k++) values[at + i * count + k] = row * 10 + first + k * step;
          }
        }
      },
    }),
    ...(onClose && { close: onClose }),
  };
}

Deno.test("a table over rows that are kept elsewhere reads as any other", () => {
  let closed = 0;
  const table = Table.over(source("/elsewhere", () => closed++));
  assert.equal(table.rowCount, 10);
  assert.ok(JSON.stringify(table.column("TIME").keywords.toJSON()).includes(`"s"`));
  assert.deepEqual([...table.getColumn("TIME", { rows: [3, 1] }).data as Float64Array], [1.5, 0.5]);
  assert.deepEqual(table.getColumn("NAME", { rows: { start: 8, end: 10 } }).data, ["row 8", "row 9"]);
  assert.deepEqual([...table.getColumn("UVW", { rows: [4], slice: [[0, 3, 2]] }).data as Float32Array], [
    40,
    42,
  ]);
  const cells = table.getCells("FREE", { rows: { start: 2, end: 4 } });
  assert.deepEqual(cells.map((cell) => cell && [...(cell as { data: Int32Array }).data]), [[20, 21], null]);
  for (const change of [() => table.putCell("TIME", 0, 1), () => table.addRows(1)]) {
    assert.throws(change, (e) => e instanceof TableError && e.code === "READ_ONLY");
  }
  table.close();
  assert.equal(closed, 1);
  assert.throws(() => table.getCell("TIME", 0), (e) => e instanceof TableError && e.code === "CLOSED");
});

Deno.test("rows that are kept elsewhere stand behind those of a table, and are copied with them", async () => {
  const directory = await Deno.makeTempDir();
  try {
    using head = Table.create(`${directory}/head`, { columns: source("").columns, rows: 1 });
    let closed = 0;
    const all = Table.concat([head, Table.over(source("/elsewhere"))], undefined, {
      onClose: () => closed++,
    });
    assert.equal(all.rowCount, 11);
    assert.deepEqual([...all.getColumn("TIME", { rows: { start: 0, end: 4 } }).data as Float64Array], [
      0,
      0,
      0.5,
      1,
    ]);
    all.copy(`${directory}/copy`);
    all.close();
    assert.equal(closed, 1);
    using copy = Table.open(`${directory}/copy`);
    assert.deepEqual(copy.getCell("NAME", 10), "row 9");
    assert.equal(copy.getCell("FREE", 10), null);
    assert.deepEqual([...(copy.getCell("FREE", 3) as { data: Int32Array }).data], [20, 21]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
