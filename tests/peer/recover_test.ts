/**
 * casacore comes first: at every instant at which a writer of ours may die, casacore opens the table and puts a cell
 * before anybody recovers it. `table recover` then keeps what casacore did, or says that nobody can.
 */
import assert from "node:assert/strict";
import {
  array,
  Context,
  recoverTable,
  scalar,
  standard,
  Table,
  type TableError,
  tiledColumn,
} from "../../mod.ts";
import type { MemoryBackend } from "../../src/io/memory-backend.ts";
import { CrashBackend, DiskLog } from "../crash-backend.ts";
import { windowOf } from "../kills.ts";
import { rowsAsJson } from "../rows-as-json.ts";
import { assertSameRows, oracleRows, oracleWrite, peerTest, temporaryFolder } from "./peer.ts";

type Row = Record<string, unknown>;

/** A commit in memory, and what the disk had before each of its operations. */
function commit(): { log: DiskLog; begin: number; before: Row[]; after: Row[] } {
  const context = new Context(), log = new DiskLog(), numbers = new Map();
  context.wrapBackend = (inner) => new CrashBackend(inner as MemoryBackend, log, numbers);
  using table = Table.create("/t", {
    columns: [scalar("N", "int32"), scalar("NAME", "string"), array("A", "float32", { shape: [3] })],
    storage: [tiledColumn("T", ["A"], { tileShape: [3, 4] }), standard("S", { bucketRows: 8 })],
    rows: 6,
    io: "memory",
    context,
  });
  table.putColumn("N", Int32Array.of(1, 2, 3, 4, 5, 6));
  table.flush();
  const begin = log.ops.length, before = rowsAsJson(table);
  table.putColumn("N", Int32Array.of(9, 8, 7, 6, 5, 4));
  table.putCell("NAME", 2, "a string that is longer than eight bytes");
  table.putCell("A", 1, Float32Array.of(1, 2, 3));
  table.keywords.set("K", 1);
  table.flush();
  return { log, begin, before, after: rowsAsJson(table) };
}

function write(log: DiskLog, count: number, folder: string): void {
  for (const [path, file] of log.prefix(count).files) {
    Deno.writeFileSync(`${folder}${path}`, file.bytes.subarray(0, file.length));
  }
}

peerTest("what casacore writes before a table is recovered is kept, or said to be lost", async () => {
  const { log, begin, before, after } = commit(), outcomes = new Map<string, Set<string>>();
  for (let at = begin; at <= log.ops.length; at++) {
    using folder = temporaryFolder();
    const path = `${folder.path}/t`;
    Deno.mkdirSync(path);
    write(log, at, folder.path);
    const window = windowOf(path);
    let outcome: string;
    try {
      await oracleWrite({
        table: path,
        open: true,
        operations: [{ op: "put", column: "N", row: 3, value: -1 }],
      });
      const { findings, left } = recoverTable(path, { apply: true });
      const with1 = (rows: readonly Row[]) => rows.map((row, i) => i === 3 ? { ...row, N: -1 } : row);
      if (left === 0) {
        using table = Table.open(path);
        const rows = rowsAsJson(table);
        assertSameRows(rows, await oracleRows(path));
        const last = window === "journal not yet removed" || (window === "between commits" && at > begin + 3);
        assertSameRows(rows, with1(last ? after : before), `${window}, after ${at - begin}`);
        outcome = "kept";
      } else {
        assert.throws(() => Table.open(path), (error: TableError) => error.code === "NEEDS_RECOVERY");
        assert.match(findings[0]!.message, /another program changed the table while a commit was half done/);
        assert.equal(recoverTable(path, { apply: true, discardJournal: true }).left, 0);
        Table.open(path).close();
        outcome = "refused";
      }
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith("casacore "))) throw error;
      outcome = "casacore refused";
    }
    outcomes.set(window, (outcomes.get(window) ?? new Set()).add(outcome));
  }
  assert.deepEqual(Object.fromEntries([...outcomes].map(([window, seen]) => [window, [...seen].sort()])), {
    "between commits": ["kept"],
    "journal begun": ["kept"],
    "before the counters": ["kept"],
    "in the middle of writing": ["refused"],
    "journal not yet removed": ["kept"],
  });
});
