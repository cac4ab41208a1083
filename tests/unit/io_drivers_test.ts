import assert from "node:assert/strict";
import { MoveList } from "../../src/array/moves.ts";
import { TableError } from "../../src/error.ts";
import { Context } from "../../src/io/context.ts";
import { runAsync, runSync } from "../../src/io/drivers.ts";
import { TableFiles } from "../../src/io/files.ts";
import { delegate, fileSize, type Plan, readBytes, readRanges } from "../../src/io/plan.ts";
import { fails, makeBackend } from "./io_help.ts";

/** Empty files in memory. */
function memoryFiles(): TableFiles {
  const backend = makeBackend("memory");
  backend.makeDirectory("t");
  return new TableFiles("t", backend, { writable: true, context: new Context() });
}

/** Runs a plan with both drivers, on files of their own. */
async function both<T>(plan: (files: TableFiles) => Plan<T>, check: (result: T) => void): Promise<void> {
  const files = memoryFiles(), other = memoryFiles();
  check(runSync(plan(files), files));
  check(await runAsync(plan(other), other));
}

Deno.test("every step of a plan is carried out and its result handed back, by both drivers", () =>
  both(function* (): Plan<unknown[]> {
    const results: unknown[] = [yield* fileSize("f")];
    yield { kind: "create", file: "f" };
    yield { kind: "write", file: "f", offset: 4, bytes: Uint8Array.of(1, 2, 3) };
    const moves = new MoveList("bytes", 1, 2, 2);
    moves.push(7, 0, [2], [1], [1]);
    const extent = { offset: 7, length: 4, firstMove: 0, moveCount: 1 };
    yield { kind: "scatter", file: "f", extent, fresh: true, moves, source: Uint8Array.of(1, 2, 3, 4) };
    results.push([...(yield* readBytes("f", 0, 11))]);
    const target = new Uint8Array(4);
    yield { kind: "gather", file: "f", extents: [extent], moves, target };
    results.push([...target]);
    yield { kind: "readInto", file: "f", offset: 5, target };
    results.push([...target]);
    yield { kind: "barrier" };
    yield { kind: "resize", file: "f", length: 6, shrink: false };
    yield { kind: "replace", file: "g", bytes: Uint8Array.of(9) };
    yield { kind: "resize", file: "f", length: 6, shrink: true };
    results.push([yield* fileSize("f"), yield* fileSize("g")]);
    const parts = yield* readRanges([{ file: "g", offset: 0, length: 1 }, {
      file: "f",
      offset: 3,
      length: 3,
    }]);
    results.push(parts.map((part) => [...part]));
    yield { kind: "remove", file: "g" };
    results.push(yield* fileSize("g"));
    return results;
  }, (results) => {
    assert.deepEqual(results, [
      -1,
      [0, 0, 0, 0, 1, 2, 3, 2, 1, 4, 3],
      [1, 2, 3, 4],
      [2, 3, 2, 1],
      [6, 1],
      [[9], [0, 1, 2]],
      -1,
    ]);
  }));

Deno.test("an error of the files goes through the plan, which may go on or clean up", () =>
  both(function* (): Plan<string> {
    const seen: string[] = [];
    try {
      try {
        yield* readBytes("missing", 0, 4);
      } finally {
        seen.push("cleaned up");
      }
    } catch (error) {
      seen.push((error as TableError).code);
    }
    yield { kind: "replace", file: "f", bytes: Uint8Array.of(7) };
    seen.push(String((yield* readBytes("f", 0, 1))[0]));
    return seen.join(", ");
  }, (result) => assert.equal(result, "cleaned up, NOT_FOUND, 7")));

Deno.test("an error that the plan doesn't take is the driver's, and the plan is over", async () => {
  const files = memoryFiles();
  const ends: string[] = [];
  function* plan(): Plan<void> {
    try {
      yield* readBytes("missing", 0, 4);
    } finally {
      ends.push("end");
    }
  }
  fails(() => runSync(plan(), files), "NOT_FOUND");
  await assert.rejects(runAsync(plan(), files), TableError);
  function* own(): Plan<void> {
    yield* fileSize("missing");
    throw new TableError("CORRUPT", "the plan's own");
  }
  fails(() => runSync(own(), files), "CORRUPT");
  await assert.rejects(runAsync(own(), files), /the plan's own/);
  assert.deepEqual(ends, ["end", "end"]);
});

Deno.test("a delegated plan runs on other files, and its errors come back to the one that asked", () =>
  both(function* (): Plan<unknown[]> {
    const others = memoryFiles();
    function* theirs(): Plan<number> {
      yield { kind: "replace", file: "f", bytes: Uint8Array.of(1, 2, 3) };
      return yield* fileSize("f");
    }
    const results: unknown[] = [yield* delegate(others, theirs()), yield* fileSize("f")];
    try {
      yield* delegate(others, readBytes("f", 0, 4));
    } catch (error) {
      results.push((error as TableError).code);
    }
    return results;
  }, (results) => assert.deepEqual(results, [3, -1, "CORRUPT"])));
