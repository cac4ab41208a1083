/**
 * What happens to a table when the disk or the files don't do their part, and files larger than 4 GiB.
 */
import assert from "node:assert/strict";
import {
  array,
  backendReport,
  scalar,
  standard,
  Table,
  TableError,
  tiledColumn,
  tiledShape,
} from "../../mod.ts";
import { temporaryFolder } from "../fixture.ts";

const native = backendReport().some(({ name, works }) => name === "mmap" && works);
const lock = native ? "auto" : "none";

function fails(call: () => unknown): TableError {
  try {
    call();
  } catch (error) {
    assert(error instanceof TableError, `${error}`);
    return error;
  }
  assert.fail("nothing was thrown");
}

Deno.test("a full disk gives IO with the file and errno, and the table can still be read", {
  ignore: Deno.build.os !== "linux",
}, () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`;
  Table.create(path, {
    columns: [array("A", "float32", { ndim: 1 })],
    storage: [tiledShape("T", ["A"], { tileShape: [8, 8] })],
    rows: 2,
    io: native ? "pread" : "node",
    lock,
  }).close();
  {
    using table = Table.open(path, { mode: "rw", lock });
    table.putCell("A", 0, { dtype: "float32", shape: [8], data: new Float32Array(8).fill(1) });
  }
  // What takes the place of table.dat is first written on a disk that is always full.
  Deno.symlinkSync("/dev/full", `${path}/table.dat_tmp`);
  const table = Table.open(path, { mode: "rw", lock });
  const error = fails(() => {
    table.putCell("A", 1, { dtype: "float32", shape: [5], data: new Float32Array(5).fill(2) });
    table.keywords.set("NOT", "kept");
    table.flush();
  });
  assert.equal(error.code, "IO");
  assert.match(error.message, /table\.dat_tmp.*(no space|ENOSPC)/i);
  Deno.symlinkSync("/dev/full", `${path}/table.dat_tmp`);
  assert.equal(fails(() => table.close()).code, "IO");
  using again = Table.open(path);
  assert.deepEqual(again.getCells("A"), [
    { dtype: "float32", shape: [8], data: new Float32Array(8).fill(1) },
    null,
  ]);
});

Deno.test(
  "a file shortened while it is mapped gives an error, and the process lives",
  { ignore: !native },
  () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/t`;
    Table.create(path, {
      columns: [array("A", "float32", { shape: [64] })],
      storage: [tiledColumn("T", ["A"], { tileShape: [64, 64] })],
      rows: 10_000,
    }).close();
    using table = Table.open(path, { io: "mmap" });
    assert.equal(table.getColumn("A").data.length, 640_000);
    Deno.truncateSync(`${path}/table.f0_TSM0`, 8192);
    const error = fails(() => table.getColumn("A"));
    assert(error.code === "IO" || error.code === "CORRUPT", error.message);
    assert.match(error.message, /table\.f0_TSM0/);
  },
);

Deno.test("a file that was cut short is CORRUPT, with what was found and what was expected", () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`;
  Table.create(path, {
    columns: [scalar("A", "float64")],
    storage: [standard("S", { bucketRows: 128 })],
    rows: 1000,
    io: "node",
    lock: "none",
  }).close();
  Deno.truncateSync(`${path}/table.f0`, 3000);
  using table = Table.open(path);
  const error = fails(() => table.getColumn("A"));
  assert.equal(error.code, "CORRUPT");
  assert.match(error.message, /table\.f0.*3000/);
});

for (const { name: io, works } of backendReport()) {
  if (!works || io === "memory") continue;
  Deno.test(`files larger than 4 GiB are written and read by backend ${io}`, () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/t`;
    const rows = 700_000, cell = 1024;
    const last = Float64Array.from({ length: cell * 3 }, (_, i) => i + 0.5);
    {
      using table = Table.create(path, {
        columns: [array("A", "float64", { shape: [cell] })],
        storage: [tiledColumn("T", ["A"], { tileShape: [cell, 128] })],
        rows,
        io,
        lock: io === "pread" || io === "mmap" ? "auto" : "none",
      });
      table.putColumn("A", last, { rows: { start: rows - 3 } });
    }
    const { size, blocks } = Deno.statSync(`${path}/table.f0_TSM0`);
    assert(size > 5 * 2 ** 30);
    assert(blocks === null || blocks * 512 < 2 ** 26, "what was never written takes no room");
    using table = Table.open(path, { io });
    assert.deepEqual(table.getColumn("A", { rows: { start: rows - 3 } }).data, last);
    assert.deepEqual(table.getCell("A", 0), {
      dtype: "float64",
      shape: [cell],
      data: new Float64Array(cell),
    });
    assert.deepEqual(
      table.getColumn("A", { rows: [rows - 1, 350_000, rows - 2], slice: [[0, 2]], dtype: "float64" }).data,
      Float64Array.of(last[2 * cell]!, last[2 * cell + 1]!, 0, 0, last[cell]!, last[cell + 1]!),
    );
  });
}
