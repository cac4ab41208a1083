/**
 * What changes columns, and whole tables, waits for nobody: it is refused while a casacore process has the table open, and
 * casacore doesn't get in until it is committed.
 */
import assert from "node:assert/strict";
import { array, scalar, Table, TableError, tiledShape } from "../../mod.ts";
import { oracleRows, oracleSchema, peerTest, temporaryFolder } from "./peer.ts";

const HOLD = `
import sys
import casacore.tables as ct
table = ct.table(sys.argv[1], ack=False, lockoptions="usernoread")
print("open", flush=True)
sys.stdin.readline()
table.close()
`;

/** Has casacore hold a table open, without a lock, while `work` runs. */
async function held(path: string, work: () => void): Promise<void> {
  const child = new Deno.Command("/usr/bin/python3", {
    args: ["-c", HOLD, path],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  assert.match(new TextDecoder().decode(value), /^open/);
  try {
    work();
  } finally {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode("\n"));
    await writer.close();
    await reader.cancel();
    await child.status;
  }
}

const OPEN = `
import sys
import casacore.tables as ct
print("ready", flush=True)
ct.table(sys.argv[1], ack=False).close()
`;

/** True when casacore opens a table within that time. */
async function opens(path: string, milliseconds: number): Promise<boolean> {
  const child = new Deno.Command("/usr/bin/python3", {
    args: ["-c", OPEN, path],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  const timer = setTimeout(() => child.kill("SIGKILL"), milliseconds);
  const { success } = await child.status;
  clearTimeout(timer);
  await reader.cancel();
  return success;
}

function locked(call: () => void): void {
  assert.throws(call, (error: unknown) => error instanceof TableError && error.code === "LOCKED");
}

peerTest("columns and whole tables aren't changed while casacore has the table open", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`;
  {
    using table = Table.create(path, {
      columns: [scalar("A", "int32"), scalar("B", "int32"), array("D", "float32", { shape: [2] })],
      storage: [tiledShape("T", ["D"])],
      rows: 4,
    });
    table.createSubtable("SUB", { columns: [scalar("S", "string")], rows: 1 }).close();
  }
  using table = Table.open(path, { mode: "rw" });
  await held(path, () => {
    table.putCell("A", 1, 5);
    const names = table.columnNames;
    locked(() => table.addColumn(scalar("C", "int32")));
    locked(() => table.removeColumn("B"));
    locked(() => table.renameColumn("A", "Z"));
    assert.deepEqual(table.columnNames, names);
    assert.equal(table.getCell("A", 1), 5);
    table.flush();
    locked(() => table.removeColumns(["D"]));
    // Nothing is left pending by what was refused.
    table.keywords.set("K", 1);
    table.flush();
    locked(() => Table.delete(path));
    locked(() => Table.rename(path, `${path}2`));
  });
  await held(`${path}/SUB`, () => {
    locked(() => table.removeSubtable("SUB"));
    locked(() => Table.delete(path));
    locked(() => Table.rename(path, `${path}2`));
  });
  assert(table.keywords.has("SUB"));
  table.addColumn(scalar("C", "int32"));
  table.putColumn("C", Int32Array.of(1, 2, 3, 4));
  table.removeColumns(["D", "B"]);
  table.renameColumn("A", "Z");
  assert.equal(await opens(path, 500), false);
  table.flush();
  assert.equal(await opens(path, 60_000), true);
  const { columns, keywords } = await oracleSchema(path);
  assert.deepEqual(columns.map(({ name }) => name), ["Z", "C"]);
  assert.equal(keywords?.K, 1);
  assert.deepEqual((await oracleRows(path)).map(({ Z, C }) => [Z, C]), [[0, 1], [5, 2], [0, 3], [0, 4]]);
  table.removeSubtable("SUB");
  table.close();
  Table.rename(path, `${path}2`);
  assert.equal((await oracleSchema(`${path}2`)).rows, 4);
  Table.delete(`${path}2`);
  assert.throws(() => Deno.statSync(`${path}2`), Deno.errors.NotFound);
});
