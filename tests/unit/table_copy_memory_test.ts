/**
 * A copy takes no more memory than the cache and a few batches, however large the table, its cells or the list of its rows:
 * sparse tables, copied in processes of their own. With SHOW_MEMORY in the environment it prints what it saw.
 */
import assert from "node:assert/strict";
import {
  array,
  type ColumnSpec,
  standard,
  type StorageSpec,
  Table,
  tiledCell,
  tiledColumn,
} from "../../mod.ts";
import { temporaryFolder } from "../fixture.ts";

const MIB = 2 ** 20;
/** Cache, batch, what waits to be sent, and what the engine and its garbage may take. */
const BOUND = (8 + 16 + 16 + 72) * MIB;
const CHILD = new URL("./copy_memory_child.ts", import.meta.url).pathname;

interface Case {
  readonly about: string;
  readonly column: ColumnSpec;
  readonly storage: StorageSpec;
  readonly rows: number;
  /** Shape of cells that have their own. */
  readonly shape?: readonly number[];
  readonly target?: readonly StorageSpec[];
}

const CASES: readonly Case[] = [
  {
    about: "many rows",
    column: array("V", "float64", { shape: [1024] }),
    storage: tiledColumn("T", ["V"], { tileShape: [1024, 64] }),
    rows: 64 * 1024,
  },
  {
    about: "many rows, into buckets",
    column: array("V", "float64", { shape: [1024] }),
    storage: tiledColumn("T", ["V"], { tileShape: [1024, 64] }),
    rows: 48 * 1024,
    target: [standard("S")],
  },
  {
    about: "cells of 4 MiB",
    column: array("V", "float32", { ndim: 2 }),
    storage: tiledCell("T", ["V"], { tileShape: [256, 256] }),
    rows: 100,
    shape: [1024, 1024],
  },
  {
    about: "a cell of 512 MiB",
    column: array("V", "float64", { ndim: 3 }),
    storage: tiledCell("T", ["V"], { tileShape: [64, 64, 8] }),
    rows: 1,
    shape: [512, 512, 256],
  },
];

for (const { about, column, storage, rows, shape, target } of CASES) {
  Deno.test(`a copy streams: ${about}`, () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/t`;
    {
      using table = Table.create(path, {
        columns: [column],
        storage: [storage],
        rows,
        lock: "none",
        io: "node",
      });
      if (shape !== undefined) table.setShape("V", shape);
      else table.putCell("V", rows - 1, new Float64Array(1024).fill(1));
    }
    const { success, stdout, stderr } = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", CHILD, path, `${folder.path}/copy`, target ? JSON.stringify(target) : "as it is"],
    }).outputSync();
    assert.ok(success, new TextDecoder().decode(stderr));
    const { grown, copied } = JSON.parse(new TextDecoder().decode(stdout)) as {
      grown: number;
      copied: number;
    };
    if (Deno.env.has("SHOW_MEMORY")) {
      console.log(`${about}: ${Math.round(grown / MIB)} MiB of ${copied / MIB}`);
    }
    assert.ok(copied >= 384 * MIB && copied > 3 * BOUND, `${copied / MIB} MiB are too few to show anything`);
    assert.ok(grown < BOUND, `${Math.round(grown / MIB)} MiB to copy ${copied / MIB} MiB`);
    using copy = Table.open(`${folder.path}/copy`, { io: "node" });
    assert.equal(copy.rowCount, rows);
    if (shape === undefined) {
      assert.equal((copy.getCell("V", rows - 1) as { data: Float64Array }).data[1023], 1);
    } else assert.deepEqual(copy.column("V").cellShape(rows - 1), shape);
  });
}
