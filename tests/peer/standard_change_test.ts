/** Rows and columns of a StandardStMan come and go, in turns with casacore. */
import assert from "node:assert/strict";
import { openTable } from "../unit/storage_standard_support.ts";
import { changeTests, edgeTests } from "./change_sequence.ts";
import { assertSameRows, oracleRows, oracleWrite, peerTest, temporaryFolder } from "./peer.ts";
import type { JobColumn } from "./oracle/values.ts";
import { StandardTable } from "./standard_table.ts";

changeTests("StandardStMan", 16);
edgeTests("StandardStMan");

peerTest(
  "string buckets in which casacore counts from 0 are read, found odd, and put right when they are changed",
  async () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/t`;
    const columns: JobColumn[] = [{ name: "long", dtype: "string" }, {
      name: "words",
      dtype: "string",
      kind: "array",
    }];
    const managers = [{
      type: "StandardStMan",
      name: "SSM",
      columns: ["long", "words"],
      spec: { BUCKETSIZE: 128 },
    }];
    const letters = "b".repeat(30);
    await oracleWrite({
      table: path,
      rows: 2,
      fill: false,
      columns,
      managers,
      operations: [
        { op: "put", column: "words", row: 0, value: { shape: [1], data: ["a".repeat(40)] } },
        // It goes on in a second bucket, which is free again when the string is replaced: then there is no last one.
        { op: "put", column: "long", row: 0, value: "x".repeat(100) },
        { op: "put", column: "long", row: 0, value: "short" },
        // casacore takes a bucket, then looks at the array's old place and forgets what the new one's header should be.
        { op: "put", column: "words", row: 0, value: { shape: [2], data: [letters, letters] } },
      ],
    });
    const read = openTable(path);
    assertSameRows(read.rows(), await oracleRows(path));
    const notes = read.benches[0]!.findings();
    read.close();
    assert.equal(notes.length, 1);
    assert.match(notes[0]!.message, /1 string buckets.*count their bytes without use from 0, not from 112/);
    assert.equal(notes[0]!.note, true);

    using table = StandardTable.open(path, columns);
    table.put("long", 1, "y".repeat(20));
    table.close();
    const again = openTable(path);
    assertSameRows(again.rows(), await oracleRows(path));
    assert.deepEqual(again.benches[0]!.findings(), []);
    again.close();
  },
);
