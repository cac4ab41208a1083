/** A lock that a table opened for reading takes keeps casacore from writing, until it is let go. */
import assert from "node:assert/strict";
import { scalar, Table } from "../../mod.ts";
import { peerTest, temporaryFolder } from "./peer.ts";

/** One try to lock the table, to read or to write. */
const PROGRAM = `
import sys
import casacore.tables as ct
table = ct.table(sys.argv[1], readonly=False, lockoptions="user", ack=False)
try:
    table.lock(sys.argv[2] == "write", 1)
    print("locked" if table.haslock(sys.argv[2] == "write") else "refused")
except RuntimeError:
    print("refused")
`;

function casacore(path: string, kind: "read" | "write"): string {
  const { stdout, stderr } = new Deno.Command("/usr/bin/python3", { args: ["-c", PROGRAM, path, kind] })
    .outputSync();
  return new TextDecoder().decode(stdout).trim() || new TextDecoder().decode(stderr);
}

peerTest("casacore honours the lock of a table that is open for reading", () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`;
  Table.create(path, { columns: [scalar("N", "int32")], rows: 3 }).close();
  using reader = Table.open(path);
  assert.equal(casacore(path, "write"), "locked");
  reader.lock("read");
  assert.equal(casacore(path, "write"), "refused");
  assert.equal(casacore(path, "read"), "locked");
  assert.equal(reader.rowCount, 3);
  reader.unlock();
  assert.equal(casacore(path, "write"), "locked");
});
