/**
 * The page cache as plans meet it: what a step hands out stays true until the plan's next step, memory is used again, and
 * scans leave what is reused.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Context } from "../../src/io/context.ts";
import { runAsync, runSync } from "../../src/io/drivers.ts";
import { TableFiles } from "../../src/io/files.ts";
import { PAGE_BYTES, PageCache, PageOwner } from "../../src/io/page-cache.ts";
import { type ByteRange, type Plan, readRanges } from "../../src/io/plan.ts";
import { steps } from "../../src/io/steps.ts";
import { replaceFile } from "../../src/io/whole-file.ts";
import { backendsHere, inTempDirectory, pattern } from "./io_help.ts";

const MIB = 2 ** 20;
/** The longest file that the tests below read from: more pages than their caches have room for. */
const FILE_BYTES = 12 * PAGE_BYTES + 1000;

/** Fails unless every view shows what the file has in its range. */
function same(
  views: readonly Uint8Array[],
  ranges: readonly ByteRange[],
  files: Record<string, Uint8Array>,
): void {
  views.forEach((view, i) => {
    const { file, offset, length } = ranges[i]!;
    assert.equal(view.length, length);
    const expected = files[file]!.subarray(offset, offset + length);
    if (indexedDifference(view, expected) >= 0) {
      assert.fail(`range ${i}, ${file} ${offset} + ${length}, differs`);
    }
  });
}

function indexedDifference(found: Uint8Array, expected: Uint8Array): number {
  for (let i = 0; i < found.length; i++) if (found[i] !== expected[i]) return i;
  return -1;
}

/** Reads ranges step by step, and looks at every view of a step when all of them are there. */
function* looking(list: readonly (readonly ByteRange[])[], files: Record<string, Uint8Array>): Plan<number> {
  let seen = 0;
  for (const ranges of list) {
    same(yield* readRanges(ranges), ranges, files);
    seen += ranges.length;
  }
  return seen;
}

/** By turns lets only what is ready go on, and waits for what the system brings. */
let turns = 0;
async function turn(): Promise<void> {
  if (turns++ % 4 > 0) await Promise.resolve();
  else await new Promise((resolve) => setTimeout(resolve, 0));
}

const range: fc.Arbitrary<ByteRange> = fc.tuple(
  fc.constantFrom("a", "b"),
  fc.oneof(
    { weight: 4, arbitrary: fc.nat(12).map((page) => page * PAGE_BYTES) },
    { weight: 2, arbitrary: fc.nat(FILE_BYTES) },
  ),
  fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 40 }) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: PAGE_BYTES }) },
    { weight: 1, arbitrary: fc.integer({ min: PAGE_BYTES, max: 4 * PAGE_BYTES }) },
  ),
).map(([file, offset, length]) => {
  const from = Math.min(offset, FILE_BYTES - 1);
  return { file, offset: from, length: Math.min(length, FILE_BYTES - from) };
});
const readSteps = fc.array(fc.array(range, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 8 });
/** Room for less than a page, for one, and for a few. */
const cacheBytes = fc.constantFrom(0, 1000, PAGE_BYTES + 300, 3 * PAGE_BYTES, 5 * PAGE_BYTES, MIB);

for (const name of backendsHere()) {
  Deno.test(`${name}: every view of a step shows its bytes until the next step, whatever else runs`, async () => {
    const model = { a: pattern(FILE_BYTES, 1), b: pattern(FILE_BYTES, 2) };
    await inTempDirectory(name, async (backend, directory) => {
      for (const [file, bytes] of Object.entries(model)) replaceFile(backend, `${directory}/${file}`, bytes);
      await fc.assert(
        fc.asyncProperty(
          cacheBytes,
          fc.array(readSteps, { minLength: 1, maxLength: 4 }),
          fc.array(readSteps, { maxLength: 3 }),
          async (bound, waiting, blocking) => {
            const context = new Context({ cacheBytes: bound });
            using files = new TableFiles(directory, backend, { writable: false, context });
            const running = waiting.map((list) => runAsync(looking(list, model), files));
            for (const list of blocking) {
              runSync(looking(list, model), files);
              await turn();
            }
            await Promise.all(running);
            assert.ok(context.cache.bytes <= bound);
            assert.ok(context.cache.memory <= bound + MIB);
          },
        ),
        { numRuns: 40, endOnFailure: true },
      );
    });
  });

  Deno.test(`${name}: what a step of a waiting plan is handed is not overwritten by plans that run meanwhile`, async () => {
    const model = { a: pattern(FILE_BYTES, 1), b: pattern(FILE_BYTES, 2) };
    await inTempDirectory(name, async (backend, directory) => {
      for (const [file, bytes] of Object.entries(model)) replaceFile(backend, `${directory}/${file}`, bytes);
      const context = new Context({ cacheBytes: 2 * PAGE_BYTES + 600 });
      using files = new TableFiles(directory, backend, { writable: false, context });
      const pages = (file: string) =>
        Array.from({ length: 12 }, (_, i) => ({ file, offset: i * PAGE_BYTES, length: 50 }));
      let done = false;
      const waiting = runAsync(looking(Array.from({ length: 20 }, () => pages("a")), model), files)
        .finally(() => done = true);
      // Between any two turns of the waiting plan, every page that it may hold is pushed out.
      while (!done) {
        runSync(looking([pages("b")], model), files);
        await turn();
      }
      assert.equal(await waiting, 240);
    });
  });
}

/** Reads a page of a cache that has no file behind it, as a plan's step would. */
function use(cache: PageCache, owner: PageOwner, index: number, seen?: Set<ArrayBufferLike>): boolean {
  steps.begun++;
  const there = cache.has(owner, index);
  const bytes = cache.get(owner, index) ?? cache.put(owner, index, cache.room().fill(index));
  cache.get(owner, index);
  assert.equal(bytes[77], index % 256);
  assert.ok(cache.bytes <= cache.bound);
  seen?.add(bytes.buffer);
  return there;
}

Deno.test("pages that come and go use the same memory again", () => {
  const cache = new PageCache(10 * (PAGE_BYTES + 256)), owner = new PageOwner();
  const buffers = new Set<ArrayBufferLike>();
  for (let index = 0; index < 1000; index++) use(cache, owner, index, buffers);
  assert.equal(cache.capacity, 10);
  assert.ok(buffers.size <= 11, `${buffers.size} buffers for 10 pages`);
});

Deno.test("memory that was handed out in this step is not used again in it", () => {
  const cache = new PageCache(2 * (PAGE_BYTES + 256)), owner = new PageOwner();
  steps.begun++;
  const views = Array.from({ length: 60 }, (_, index) => cache.put(owner, index, cache.room().fill(index)));
  const lent = Array.from({ length: 20 }, () => cache.lend());
  assert.ok(lent.some((memory) => memory === undefined), "a step isn't lent memory without end");
  for (const memory of lent) memory?.fill(255);
  views.forEach((view, index) => assert.ok(view.every((byte) => byte === index)));
  assert.ok(cache.memory <= cache.bound + MIB, "and what is kept is bounded");
  steps.begun++;
  assert.ok(cache.lend() !== undefined);
});

Deno.test("when the last file closes, the memory goes", () => {
  const cache = new PageCache(64 * MIB), owner = new PageOwner();
  for (let index = 0; index < 500; index++) use(cache, owner, index);
  assert.ok(cache.memory > 500 * PAGE_BYTES);
  cache.dropFrom(owner, 0);
  assert.equal(cache.bytes, 0);
  assert.ok(cache.memory <= 2 * MIB, `${cache.memory} bytes`);
});

Deno.test("a scan of any length, of many columns in turn, pushes out nothing that was used again", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 32, max: 300 }),
      fc.integer({ min: 1, max: 400 }),
      fc.integer({ min: 1, max: 4 }),
      (capacity, scanned, columns) => {
        const cache = new PageCache(capacity * (PAGE_BYTES + 256)), hot = new PageOwner();
        const hotPages = Math.floor(capacity / 2), apart = Math.floor(capacity / 8);
        // Used, and used again after others came in.
        const others = new PageOwner();
        for (let index = 0; index < hotPages; index++) use(cache, hot, index);
        for (let index = 0; index < apart; index++) use(cache, others, index);
        for (let index = 0; index < hotPages; index++) assert.ok(use(cache, hot, index));
        // Each row of the scan uses a page of each column; four rows lie in a page.
        const scan = Array.from({ length: columns }, () => new PageOwner());
        for (let row = 0; row < scanned * 4; row++) {
          for (const owner of scan) use(cache, owner, Math.floor(row / 4));
        }
        for (let index = 0; index < hotPages; index++) assert.ok(use(cache, hot, index), `page ${index}`);
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("what is used again and again finds room when something else had been before", () => {
  const cache = new PageCache(100 * (PAGE_BYTES + 256)), before = new PageOwner(), now = new PageOwner();
  for (let round = 0; round < 3; round++) for (let index = 0; index < 75; index++) use(cache, before, index);
  // 60 pages, in turn: more than the share of pages that nobody used again.
  let hits = 0;
  for (let round = 0; round < 10; round++) {
    for (let index = 0; index < 60; index++) hits += +use(cache, now, index);
  }
  assert.ok(hits >= 400, `${hits} of 600 found`);
});
