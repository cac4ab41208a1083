import assert from "node:assert/strict";
import { openBackend } from "../../src/io/backends.ts";
import { TableFiles } from "../../src/io/files.ts";
import { runAsync, runSync } from "../../src/io/drivers.ts";
import { MoveList } from "../../src/array/moves.ts";
import type { Plan } from "../../src/io/plan.ts";
import { fileSize, readBytes } from "../../src/io/plan.ts";

Deno.test("a plan writes and reads a file", async () => {
  const dir = Deno.makeTempDirSync();
  const files = new TableFiles(dir, openBackend("node"), { writable: true });
  function* plan(): Plan<number[]> {
    yield { kind: "create", file: "f" };
    yield { kind: "write", file: "f", offset: 4, bytes: Uint8Array.of(1, 2, 3) };
    const m = new MoveList("bytes", 1, 2, 2);
    m.push(7, 0, [2], [1], [1]);
    yield {
      kind: "scatter",
      file: "f",
      extent: { offset: 7, length: 4, firstMove: 0, moveCount: 1 },
      fresh: true,
      moves: m,
      source: Uint8Array.of(1, 2, 3, 4),
    };
    const b = yield* readBytes("f", 0, 11);
    return [yield* fileSize("f"), ...b];
  }
  assert.deepEqual(runSync(plan(), files), [11, 0, 0, 0, 0, 1, 2, 3, 2, 1, 4, 3]);
  assert.deepEqual(await runAsync(plan(), files), [11, 0, 0, 0, 0, 1, 2, 3, 2, 1, 4, 3]);
  assert.equal(runSync(fileSize("nope"), files), -1);
  files.close();
  Deno.removeSync(dir, { recursive: true });
});
