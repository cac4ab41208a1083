/** Tables whose long reads and writes go past the page cache are the same tables. */
import assert from "node:assert/strict";
import { allocate, array, scalar, standard, Table, tiledShape } from "../../mod.ts";
import { library } from "../../ffi/binding.ts";
import { directRefused } from "../../src/io/direct-backend.ts";
import { sameBytes } from "./io_help.ts";

const ROWS = 2000;
const CELL = [4, 32];
const ITEMS = CELL[0]! * CELL[1]! * 2;

function numbers(rows: number, seed: number): Float32Array {
  return Float32Array.from({ length: rows * ITEMS }, (_, i) => (i * 31 + seed * 17) % 8191);
}

/** Every kind of write: new, changed, taken back, appended; in tiles that are no multiple of a block and ones that are. */
function history(path: string, io: "pread" | "direct"): void {
  const flags = new Uint8Array(ROWS * CELL[0]! * CELL[1]!).map((_, i) => i % 3 === 0 ? 1 : 0);
  {
    using table = Table.create(path, {
      columns: [
        array("DATA", "complex64", { shape: CELL }),
        array("FLAG", "bool", { shape: CELL }),
        scalar("TIME", "float64"),
      ],
      storage: [
        tiledShape("Data", ["DATA"], { tileShape: [4, 32, 128] }),
        tiledShape("Flag", ["FLAG"], { tileShape: [4, 32, 111] }),
        standard("SSM", { bucketRows: 128 }),
      ],
      rows: ROWS,
      io,
    });
    table.putColumn("DATA", numbers(ROWS, 1));
    table.putColumn("FLAG", flags);
    table.putColumn("TIME", Float64Array.from({ length: ROWS }, (_, i) => i));
  }
  using table = Table.open(path, { mode: "rw", io });
  table.putColumn("DATA", numbers(1000, 2), { rows: { start: 333, end: 1333 } });
  table.flush({ durable: true });
  assert.throws(() =>
    table.transaction(() => {
      table.putColumn("DATA", numbers(ROWS, 3));
      table.addRows(900);
      table.putColumn("DATA", numbers(900, 4), { rows: { start: ROWS, end: ROWS + 900 } });
      throw new Error("not so");
    }), /not so/);
  assert.equal(table.rowCount, ROWS);
  for (let i = 0; i < 3; i++) {
    table.addRows(351);
    const rows = { start: ROWS + i * 351, end: ROWS + (i + 1) * 351 };
    table.putColumn("DATA", numbers(351, 5 + i), { rows });
    table.flush();
  }
}

/** Names and bytes of the files of a table; those of the lock file differ by the process and what it did. */
function filesOf(path: string): Map<string, Uint8Array> {
  const names = [...Deno.readDirSync(path)].map(({ name }) => name).filter((name) => name !== "table.lock");
  return new Map(names.sort().map((name) => [name, Deno.readFileSync(`${path}/${name}`)]));
}

Deno.test("direct: tables are written byte for byte as through the page cache, and read so", {
  ignore: library() === null,
}, async () => {
  const directory = Deno.makeTempDirSync({ prefix: "tessera_direct_" });
  try {
    history(`${directory}/direct`, "direct");
    history(`${directory}/pread`, "pread");
    const direct = filesOf(`${directory}/direct`), pread = filesOf(`${directory}/pread`);
    assert.deepEqual([...direct.keys()], [...pread.keys()]);
    for (const [name, bytes] of pread) sameBytes(direct.get(name)!, bytes, name);
    using table = Table.open(`${directory}/pread`, { io: "direct" });
    using other = Table.open(`${directory}/direct`, { io: "node", lock: "none" });
    const expected = other.getColumn("DATA").data as Float32Array;
    assert.deepEqual(table.getColumn("DATA").data, expected);
    assert.deepEqual((await table.getColumnAsync("DATA")).data, expected);
    assert.deepEqual(
      table.getColumn("FLAG", { slice: [[1, 3], null] }).data,
      other.getColumn("FLAG", { slice: [[1, 3], null] }).data,
    );
    const { directBytes, copiedBytes, fallbacks } = table.ioStats;
    const refused = directRefused(directory) !== "";
    // Twice, but for ends that are shorter than what goes past the page cache.
    assert.equal(directBytes + copiedBytes > 1.5 * expected.byteLength, !refused);
    assert.equal(fallbacks.length > 0, refused);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test(
  "direct: what one process writes past the page cache another reads through it, and the other way round",
  {
    ignore: library() === null,
  },
  () => {
    const directory = Deno.makeTempDirSync({ prefix: "tessera_direct_" }), path = `${directory}/t`;
    try {
      history(path, "pread");
      using reader = Table.open(path, { io: "pread" });
      const seen = reader.getColumn("DATA").data as Float32Array;
      {
        using writer = Table.open(path, { mode: "rw", io: "direct" });
        writer.putColumn("DATA", numbers(ROWS, 9), { rows: { start: 0, end: ROWS } });
      }
      const now = reader.getColumn("DATA", { rows: { start: 0, end: ROWS } }).data;
      assert.deepEqual(now, numbers(ROWS, 9));
      assert.notDeepEqual(seen.subarray(0, now.length), now);
      using past = Table.open(path, { io: "direct" });
      assert.deepEqual(past.getColumn("DATA", { rows: { start: 0, end: ROWS } }).data, now);
      {
        using writer = Table.open(path, { mode: "rw", io: "pread" });
        writer.putColumn("DATA", numbers(ROWS, 10), { rows: { start: 0, end: ROWS } });
      }
      assert.deepEqual(past.getColumn("DATA", { rows: { start: 0, end: ROWS } }).data, numbers(ROWS, 10));
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  },
);

for (const beside of [0, 16]) {
  Deno.test(`direct: values ${beside} bytes past a page are written without blocking, and are the same`, {
    ignore: library() === null,
  }, async () => {
    const directory = Deno.makeTempDirSync({ prefix: "tessera_direct_" }), path = `${directory}/t`;
    try {
      const rows = 10_000, room = allocate("uint8", rows * ITEMS * 4 + 4096, 4096) as Uint8Array<ArrayBuffer>;
      const values = new Float32Array(room.buffer, room.byteOffset + beside, rows * ITEMS);
      values.set(numbers(rows, 4));
      {
        using table = Table.create(path, {
          columns: [array("DATA", "complex64", { shape: CELL })],
          storage: [tiledShape("Data", ["DATA"], { tileShape: [4, 32, 100] })],
          rows,
          io: "direct",
        });
        await table.putColumnAsync("DATA", values);
        table.flush();
        const { directBytes, copiedBytes, fallbacks } = table.ioStats;
        if (fallbacks.length === 0) {
          // Pieces begin with blocks in the file, and in memory if the array does.
          const most = beside === 0 ? directBytes : copiedBytes;
          assert.ok(most > 0.95 * values.byteLength, `${directBytes} ${copiedBytes}`);
        }
      }
      using table = Table.open(path);
      assert.deepEqual(table.getColumn("DATA").data, values);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  });
}
