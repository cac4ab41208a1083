/**
 * Whatever instant a writer dies at, and whatever the power takes with it, a table opens and holds the state before the
 * commit or after it.
 */
import assert from "node:assert/strict";
import {
  aipsio,
  array,
  Context,
  incremental,
  scalar,
  standard,
  Table,
  TableError,
  tiledColumn,
  tiledShape,
} from "../../mod.ts";
import { CrashBackend, DiskLog, type DiskOp } from "../crash-backend.ts";
import type { MemoryBackend, MemoryStore } from "../../src/io/memory-backend.ts";
import { rowsAsJson } from "../rows-as-json.ts";

/** Numbers that look random, from 0 to 1. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    let word = state;
    word = Math.imul(word ^ (word >>> 12), 0x297a2d39) >>> 0;
    return ((word ^ (word >>> 15)) >>> 0) / 2 ** 32;
  };
}

const whole = (random: () => number, below: number) => Math.floor(random() * below);

/** Everything that a table holds. */
function stateOf(table: Table): string {
  const columns = table.columnNames.map((name) => [
    name,
    table.column(name).manager,
    table.column(name).keywords.toJSON(),
  ]);
  return JSON.stringify([table.rowCount, columns, table.keywords.toJSON(), rowsAsJson(table)]);
}

/** A context whose memory is a disk's image. */
function on(store: MemoryStore): Context {
  const context = new Context();
  for (const [path, file] of store.files) context.memory.files.set(path, file);
  for (const path of store.directories) context.memory.directories.add(path);
  return context;
}

function stateIn(context: Context, mode: "r" | "rw"): string {
  const table = Table.open("/t", { io: "memory", context, mode });
  try {
    return stateOf(table);
  } finally {
    table.close();
  }
}

/** A table on a disk that keeps a record. */
function recorded(): { context: Context; log: DiskLog } {
  const context = new Context(), log = new DiskLog(), numbers = new Map();
  context.wrapBackend = (inner) => new CrashBackend(inner as MemoryBackend, log, numbers);
  return { context, log };
}

/** Rows can only be removed where there are no tiles. */
function makeTable(context: Context, tiles = true): Table {
  return Table.create("/t", {
    columns: [
      array("DATA", "complex64", { shape: [2, 3] }),
      array("FREE", "float64", { ndim: 1 }),
      array("FLAG", "bool", { shape: [5] }),
      scalar("TIME", "float64"),
      scalar("NAME", "string"),
      array("LIST", "string"),
    ],
    storage: [
      ...(tiles
        ? [
          tiledShape("Shape", ["FREE"], { tileShape: [4, 4] }),
          tiledColumn("Data", ["DATA"], { tileShape: [2, 3, 7] }),
        ]
        : [incremental("Shape", ["FREE"]), aipsio("Data", ["DATA"])]),
      standard("SSM", { bucketRows: 8 }),
    ],
    rows: 9,
    io: "memory",
    context,
  });
}

/** A change of any kind. */
function change(table: Table, random: () => number, count: number): void {
  for (let i = 0; i < count; i++) {
    const rows = table.rowCount, row = whole(random, Math.max(1, rows));
    const isTiled = table.managers.some(({ type }) => type.startsWith("Tiled"));
    const extra = table.columnNames.filter((name) => name.startsWith("X"));
    switch (whole(random, 14)) {
      case 0:
        table.addRows(1 + whole(random, 12));
        break;
      case 1:
        if (rows > 0) table.putCell("TIME", row, random());
        break;
      case 2:
        if (rows > 0) table.putCell("NAME", row, "n".repeat(whole(random, 60)));
        break;
      case 3:
        if (table.columnNames.includes("DATA")) {
          table.putColumn("DATA", Float32Array.from({ length: rows * 12 }, random));
        }
        break;
      case 4:
        if (rows > 0 && table.columnNames.includes("FREE")) {
          const shape = [1 + row % 4];
          table.putCell("FREE", row, {
            dtype: "float64",
            shape,
            data: Float64Array.from({ length: shape[0]! }, random),
          });
        }
        break;
      case 5:
        table.keywords.set("K", whole(random, 1000));
        break;
      case 6:
        if (rows > 0) table.putCell("FLAG", row, Uint8Array.from({ length: 5 }, () => whole(random, 2)));
        break;
      case 7:
        if (rows > 0) {
          const data = Array.from({ length: 1 + whole(random, 3) }, () => `s${whole(random, 100)}`);
          table.putCell("LIST", row, { dtype: "string", shape: [data.length], data });
        }
        break;
      case 8: {
        const name = `X${whole(random, 1e9)}`;
        table.addColumn(scalar(name, "int32", { comment: "new" }));
        table.putColumn(name, Int32Array.from({ length: rows }, (_, i) => i));
        break;
      }
      case 9: {
        const name = `X${whole(random, 1e9)}`;
        table.addColumn(array(name, "float64", { shape: [3] }), {
          storage: [standard, aipsio, isTiled ? tiledColumn : incremental][whole(random, 3)]!(name, [name]),
        });
        table.putColumn(name, new Float64Array(3 * rows).fill(2));
        break;
      }
      case 10:
        if (extra.length > 0) table.removeColumn(extra[whole(random, extra.length)]!);
        break;
      case 11:
        if (extra.length > 0) {
          table.renameColumn(extra[whole(random, extra.length)]!, `X${whole(random, 1e9)}`);
        }
        break;
      case 12: {
        const gone = table.columnNames.filter((name) => ["DATA", "FREE"].includes(name));
        if (gone.length > 0 && random() < 0.3) table.removeColumns(gone.slice(0, 1));
        break;
      }
      case 13: {
        if (isTiled) break;
        const chosen = Array.from({ length: rows }, (_, i) => i).filter(() => random() < 0.3);
        table.removeRows(chosen);
      }
    }
  }
}

/** Commits one after the other; what the disk may have at each instant is one of the states around it. */
function crashes(seed: number, commits: number, durable: boolean, points: number): number {
  const random = randomFrom(seed), { context, log } = recorded();
  const table = makeTable(context, seed % 2 === 1);
  table.flush({ durable: true });
  let tried = 0;
  for (let commit = 0; commit < commits; commit++) {
    const before = stateOf(table), begin = log.ops.length;
    change(table, random, 1 + whole(random, 6));
    table.flush({ durable });
    const after = stateOf(table), end = log.ops.length;
    for (let point = 0; point < points; point++) {
      const at = begin + whole(random, end - begin + 1);
      const next = log.ops[at];
      const make = () =>
        durable
          ? log.afterPowerLoss(at, randomFrom(seed * 1000 + point))
          : log.prefix(at, next?.kind === "write" ? part(next, random) : 0);
      const disk = on(make());
      for (const mode of ["r", "rw", "r"] as const) {
        let found: string;
        try {
          found = stateIn(disk, mode);
        } catch (error) {
          throw new Error(
            `seed ${seed}, commit ${commit}, after ${at} of ${begin}–${end}: ${named(log.ops[at])}`,
            {
              cause: error,
            },
          );
        }
        if (at === end && durable) assert.equal(found, after);
        assert.ok(
          found === after || found === before,
          `seed ${seed}, commit ${commit}, ${mode}, after ${at} of ${begin}–${end} (${
            named(log.ops[at])
          }): ` +
            `another state\n${before}\n${found}\n${after}`,
        );
      }
      tried++;
    }
  }
  table.close();
  return tried;
}

/** Some bytes from the start of a write, up to the end of a sector. */
function part({ offset, bytes }: { offset: number; bytes: Uint8Array }, random: () => number): number {
  const end = offset + whole(random, bytes.length);
  return Math.max(0, end - end % 512 - offset);
}

function named(op: DiskOp | undefined): string {
  return op === undefined ? "the end" : op.kind;
}

Deno.test("a writer that dies at any instant leaves the state before or after its commit", () => {
  let tried = 0;
  for (let seed = 1; seed <= 12; seed++) tried += crashes(seed, 6, false, 8);
  assert.ok(tried >= 500);
});

Deno.test("when the power goes during durable commits, the state is that before or after", () => {
  let tried = 0;
  for (let seed = 1; seed <= 12; seed++) tried += crashes(seed, 6, true, 8);
  assert.ok(tried >= 500);
});

Deno.test("a durable flush is safe against power loss, whatever was flushed plainly before it", () => {
  for (let seed = 1; seed <= 24; seed++) {
    const random = randomFrom(seed), { context, log } = recorded();
    using table = makeTable(context, seed % 2 === 1);
    for (let commit = 0; commit < 6; commit++) {
      table.flush();
      change(table, random, whole(random, 4));
    }
    table.flush({ durable: true });
    const wanted = stateOf(table);
    for (let point = 0; point < 4; point++) {
      const disk = on(log.afterPowerLoss(log.ops.length, randomFrom(seed * 1000 + point)));
      assert.equal(stateIn(disk, "r"), wanted, `seed ${seed}, ${point}`);
    }
  }
});

Deno.test("a plain flush waits for no disk", () => {
  const { context, log } = recorded();
  using table = makeTable(context);
  table.flush();
  table.keywords.set("K", 1);
  table.putCell("TIME", 3, 1);
  table.flush();
  assert.deepEqual(log.ops.filter(({ kind }) => kind === "sync" || kind === "syncNames"), []);
});

Deno.test("a fault at any step of a commit leaves the old state, and the same table goes on once it is gone", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = randomFrom(seed), { context, log } = recorded();
    using table = makeTable(context, seed % 2 === 1);
    table.flush();
    const before = stateOf(table);
    change(table, random, 5);
    const wanted = stateOf(table);
    let left = whole(random, 8);
    const error = new TableError("IO", "injected", {});
    log.fault = () => {
      if (left-- === 0) throw error;
    };
    try {
      table.flush();
    } catch (thrown) {
      assert.equal(thrown, error);
      log.fault = () => {};
      assert.equal(stateIn(on(log.prefix(log.ops.length)), "r"), before);
    }
    log.fault = () => {};
    assert.equal(stateOf(table), wanted);
    table.flush();
    assert.equal(stateIn(on(log.prefix(log.ops.length)), "r"), wanted);
  }
});

Deno.test("a transaction that throws leaves nothing behind, what was sent before its end neither", () => {
  const { context, log } = recorded();
  using table = makeTable(context);
  table.flush();
  const before = stateOf(table), files = log.prefix(log.ops.length);
  assert.throws(() =>
    table.transaction(() => {
      table.addRows(40_000);
      table.keywords.set("LOST", 1);
      table.putColumn("DATA", new Float32Array(table.rowCount * 12).fill(3));
      throw new Error("no");
    }), /no/);
  assert.equal(stateOf(table), before);
  const now = log.prefix(log.ops.length);
  assert.deepEqual([...now.files.keys()].sort(), [...files.files.keys()].sort());
  for (const [path, file] of now.files) {
    if (!path.endsWith("table.lock")) assert.equal(file.length, files.files.get(path)!.length, path);
  }
  table.transaction(() => table.addRows(3));
  assert.equal(table.rowCount, 12);
});
