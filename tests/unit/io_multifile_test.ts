import assert from "node:assert/strict";
import fc from "fast-check";
import { MoveList } from "../../src/array/moves.ts";
import { Context } from "../../src/io/context.ts";
import { runAsync, runSync } from "../../src/io/drivers.ts";
import { TableFiles } from "../../src/io/files.ts";
import { type Container, ContainerFiles } from "../../src/io/multifile-files.ts";
import { type Extent, type GatherStep, type Plan, readRanges, type Step } from "../../src/io/plan.ts";
import { unionSpan } from "../../src/io/spans.ts";
import { backendsHere, fails, inTempDirectory, pattern, sameBytes } from "./io_help.ts";
import { numbersFrom } from "./storage_model_support.ts";

const MIB = 2 ** 20;

/** A container file in which blocks of two virtual files are mixed, and the first of them as a file beside it. */
interface Case {
  readonly container: Uint8Array<ArrayBuffer>;
  readonly description: Container;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

function caseOf(size: number, blockSize: number, seed: number, turns: number): Case {
  const blocks = Math.ceil(size / blockSize), random = numbersFrom(seed + 1);
  // Of 2 × blocks + 1 blocks; `turns` pairs change places, so that a few turns leave long stretches.
  const order = Array.from({ length: 2 * blocks + 1 }, (_, i) => i + 1);
  for (let i = 0; i < turns; i++) {
    const a = random() % order.length, b = random() % order.length;
    [order[a], order[b]] = [order[b]!, order[a]!];
  }
  const bytes = pattern(size, seed);
  const container = pattern((order.length + 1) * blockSize, seed + 1);
  const runs: number[] = [];
  for (let i = 0; i < blocks; i++) {
    const block = order[i]!;
    container.set(bytes.subarray(i * blockSize, (i + 1) * blockSize), block * blockSize);
    if (runs.length > 0 && runs.at(-2)! + runs.at(-1)! === block) runs[runs.length - 1]!++;
    else runs.push(block, 1);
  }
  const other = order.slice(blocks, 2 * blocks).flatMap((block) => [block, 1]);
  const files = [
    { name: "other", size: blocks * blockSize, runs: other },
    { name: "inside", size, runs },
    { name: "empty", size: 0, runs: [] },
  ];
  return { container, description: { file: "table.mf", blockSize, files }, bytes };
}

/** Files that refuse gathers whose extents aren't in ascending order, as no gather may be. */
class OrderedFiles extends TableFiles {
  override gather(step: GatherStep): void {
    step.extents.forEach(({ offset }, i) => assert(i === 0 || offset >= step.extents[i - 1]!.offset));
    super.gather(step);
  }
}

/** Runs `work` on a container in a directory that also has the same bytes as a file `beside`. */
function onCase<T>(
  { container, description, bytes }: Case,
  name: Parameters<typeof inTempDirectory>[0],
  work: (inside: ContainerFiles, plain: TableFiles) => T,
): T {
  return inTempDirectory(name, (backend, directory) => {
    const context = new Context();
    using writer = new TableFiles(directory, backend, { writable: true, context });
    const steps = [["table.mf", container], ["beside", bytes]] as const;
    for (const [file, bytes] of steps) writer.replace(file, bytes);
    writer.flush();
    writer.close();
    const plain = new OrderedFiles(directory, backend, { writable: false, context });
    const close = () => plain.close();
    let result: T;
    try {
      result = work(new ContainerFiles(plain, description), plain);
    } catch (error) {
      close();
      throw error;
    }
    if (result instanceof Promise) return result.finally(close) as T;
    close();
    return result;
  });
}

const cases: fc.Arbitrary<Case> = fc.tuple(
  fc.integer({ min: 1, max: 6000 }),
  fc.constantFrom(64, 100, 512, 4096),
  fc.nat(1000),
  fc.constantFrom(0, 1, 5, 200),
).map(([size, blockSize, seed, turns]) => caseOf(size, blockSize, seed, turns));

for (const name of backendsHere()) {
  Deno.test(`${name}: any range of a virtual file is its bytes`, () => {
    fc.assert(
      fc.property(
        cases,
        fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 6 }),
        (one, asked) => {
          const ranges = asked.map(([a, b]) => {
            const from = a % (one.bytes.length + 1), to = b % (one.bytes.length + 1);
            return { file: "inside", offset: Math.min(from, to), length: Math.abs(to - from) };
          });
          onCase(one, name, (inside) => {
            assert.equal(inside.size("inside"), one.bytes.length);
            const parts = runSync(readRanges(ranges), inside);
            parts.forEach((part, i) => {
              const { offset, length } = ranges[i]!;
              sameBytes(part, one.bytes.subarray(offset, offset + length));
              const target = new Uint8Array(length);
              inside.readInto("inside", offset, target);
              sameBytes(target, one.bytes.subarray(offset, offset + length));
            });
          });
        },
      ),
      { numRuns: 40 },
    );
  });

  Deno.test(`${name}: without blocking a virtual file has the same bytes`, async () => {
    const one = caseOf(5000, 100, 3, 20);
    await onCase(one, name, async (inside) => {
      const range = { file: "inside", offset: 77, length: 4000 };
      const [part] = await runAsync(readRanges([range]), inside);
      sameBytes(part!, one.bytes.subarray(77, 4077));
      const target = new Uint8Array(150);
      await inside.readIntoAsync("inside", 30, target);
      sameBytes(target, one.bytes.subarray(30, 180));
      sameBytes(await inside.readAsync("inside", 5000, 0), []);
      sameBytes(await inside.readAsync("beside", 1, 10), one.bytes.subarray(1, 11));
    });
  });

  Deno.test(`${name}: gathers of a virtual file are those of a file of its own`, async () => {
    await fc.assert(
      fc.asyncProperty(cases, gathers, async (one, { kind, swapUnit, elementSize, boxes }) => {
        const { moves, extents, elements } = listOf(one.bytes.length, kind, elementSize, swapUnit, boxes);
        await onCase(one, name, async (inside, plain) => {
          const results = [];
          for (const [access, file] of [[plain, "beside"], [inside, "inside"]] as const) {
            const target = new Uint8Array(elements * elementSize);
            access.gather({ kind: "gather", file, extents, moves, target });
            results.push(target);
            const again = new Uint8Array(elements * elementSize);
            await access.gatherAsync({ kind: "gather", file, extents, moves, target: again });
            results.push(again);
          }
          for (const result of results.slice(1)) sameBytes(result, results[0]!);
        });
      }),
      { numRuns: 40 },
    );
  });
}

interface Gather {
  readonly kind: "bytes" | "bits";
  readonly elementSize: number;
  readonly swapUnit: number;
  readonly boxes: readonly { at: number; count: number; step: number; rows: number; rowStep: number }[];
}

const gathers: fc.Arbitrary<Gather> = fc.tuple(
  fc.constantFrom(
    { kind: "bytes", elementSize: 4, swapUnit: 4 } as const,
    { kind: "bytes", elementSize: 8, swapUnit: 1 } as const,
    { kind: "bits", elementSize: 1, swapUnit: 1 } as const,
  ),
  fc.array(
    fc.record({
      at: fc.nat(),
      count: fc.integer({ min: 1, max: 40 }),
      step: fc.constantFrom(1, 1, 2, 7),
      rows: fc.integer({ min: 1, max: 5 }),
      rowStep: fc.integer({ min: 1, max: 400 }),
    }),
    { minLength: 1, maxLength: 8 },
  ),
).map(([kind, boxes]) => ({ ...kind, boxes }));

/** Moves that stay in a file of `size` bytes, an extent for one or two of them, in ascending order. */
function listOf(
  size: number,
  kind: Gather["kind"],
  elementSize: number,
  swapUnit: number,
  boxes: Gather["boxes"],
): { moves: MoveList; extents: Extent[]; elements: number } {
  const unit = kind === "bits" ? 1 / 8 : elementSize;
  const fitting = boxes.map((box) => {
    const reach = ((box.count - 1) * box.step + (box.rows - 1) * box.rowStep + 1) * unit;
    const start = Math.floor(box.at % Math.max(1, size - Math.ceil(reach)));
    return { ...box, start, fits: start + reach <= size };
  }).filter(({ fits }) => fits).sort((a, b) => a.start - b.start);
  const moves = new MoveList(kind, 2, elementSize, swapUnit);
  const extents: Extent[] = [];
  let elements = 0;
  for (const { start, count, step, rows, rowStep } of fitting) {
    const first = moves.count;
    const offset = kind === "bits" ? start * 8 : start;
    moves.push(offset, elements, [count, rows], [step, rowStep], [1, count]);
    elements += count * rows;
    const { lo, hi } = unionSpan(moves, first, 1);
    extents.push({ offset: lo, length: hi - lo, firstMove: first, moveCount: 1 });
  }
  return { moves, extents, elements };
}

Deno.test("names that the container doesn't have are looked up in the directory", () => {
  const one = caseOf(1000, 128, 1, 10);
  onCase(one, "memory", (inside) => {
    assert.equal(inside.size("beside"), 1000);
    assert.equal(inside.size("nowhere"), -1);
    assert.equal(inside.size("empty"), 0);
    sameBytes(inside.read("beside", 990, 10), one.bytes.subarray(990));
    sameBytes(inside.read("empty", 0, 0), []);
    assert.equal(inside.pathOf("beside"), "t/beside");
    assert.equal(inside.pathOf("inside"), "t/table.mf:inside");
    fails(() => inside.read("nowhere", 0, 1), "NOT_FOUND");
  });
});

Deno.test("a name that both have is the container's", () => {
  const { container, description, bytes } = caseOf(300, 128, 1, 10);
  const files = description.files.map((file) => file.name === "inside" ? { ...file, name: "beside" } : file);
  onCase({ container, description: { ...description, files }, bytes: pattern(50, 9) }, "memory", (inside) => {
    sameBytes(inside.read("beside", 0, 300), bytes);
  });
});

Deno.test("a range past the end of a virtual file is CORRUPT, though the block goes on", () => {
  const one = caseOf(1000, 128, 1, 10);
  onCase(one, "memory", (inside) => {
    for (const [offset, length] of [[1000, 1], [0, 1001], [-1, 1], [0.5, 1], [2 ** 53, 1]] as const) {
      const error = fails(() => inside.read("inside", offset, length), "CORRUPT");
      assert.equal(error.file, "t/table.mf:inside");
      if (length > 0) fails(() => inside.readInto("inside", offset, new Uint8Array(length)), "CORRUPT");
    }
    const moves = new MoveList("bytes", 1, 4, 1);
    moves.push(998, 0, [1], [1], [1]);
    const extents = [{ offset: 998, length: 4, firstMove: 0, moveCount: 1 }];
    const step = { kind: "gather", file: "inside", extents, moves, target: new Uint8Array(4) } as const;
    fails(() => inside.gather(step), "CORRUPT");
  });
});

Deno.test("every step that writes is refused", () => {
  const one = caseOf(1000, 128, 1, 0);
  const bytes = new Uint8Array(1), extent = { offset: 0, length: 1, firstMove: 0, moveCount: 0 };
  const steps: Step[] = [
    { kind: "write", file: "inside", offset: 0, bytes },
    { kind: "write", file: "beside", offset: 0, bytes },
    { kind: "replace", file: "inside", bytes },
    { kind: "resize", file: "inside", length: 0, shrink: true },
    { kind: "create", file: "new" },
    { kind: "remove", file: "inside" },
    {
      kind: "scatter",
      file: "inside",
      extent,
      fresh: false,
      moves: new MoveList("bytes", 1, 1, 1),
      source: bytes,
    },
  ];
  onCase(one, "memory", (inside) => {
    for (const step of steps) {
      const error = fails(() => runSync(one_(step), inside), "UNSUPPORTED");
      assert.match(error.message, /MultiFile container can be read, not written/);
    }
    runSync(one_({ kind: "barrier" }), inside);
  });
});

function* one_(step: Step): Plan<void> {
  yield step;
}

/** Read calls that `work` makes on a file in a container of which the first `turns` blocks are mixed up. */
function readCalls(turns: number, work: (inside: ContainerFiles, bytes: Uint8Array) => void): number {
  const one = caseOf(4 * MIB, 4096, 5, turns);
  return onCase(one, "node", (inside, { backend }) => {
    inside.size("beside");
    backend.stats.reset();
    work(inside, one.bytes);
    return backend.stats.snapshot().calls.read ?? 0;
  });
}

Deno.test("blocks that follow one another are read by one call", () => {
  const whole = (inside: ContainerFiles, bytes: Uint8Array) => {
    const target = new Uint8Array(bytes.length);
    inside.readInto("inside", 0, target);
    sameBytes(target, bytes);
  };
  assert.equal(readCalls(0, whole), 1);
  // A large element swap over one stretch, too.
  const gather = (inside: ContainerFiles, bytes: Uint8Array) => {
    const n = bytes.length / 8, moves = new MoveList("bytes", 1, 8, 1);
    moves.push(0, 0, [n], [1], [1]);
    const extents = [{ offset: 0, length: bytes.length, firstMove: 0, moveCount: 1 }];
    const target = new Uint8Array(bytes.length);
    inside.gather({ kind: "gather", file: "inside", extents, moves, target });
    sameBytes(target, bytes);
  };
  assert.equal(readCalls(0, gather), 1);
  // One pair of blocks changed places: at most five stretches, and pages of the cache around the short ones.
  assert(readCalls(1, gather) <= 7);
});

Deno.test("a long block of swapped elements that runs over stretches comes whole", async () => {
  const one = caseOf(3 * MIB + 8, 4096, 5, 60), n = one.bytes.length / 8;
  const moves = new MoveList("bytes", 1, 8, 8);
  moves.push(0, 0, [n], [1], [1]);
  const extents = [{ offset: 0, length: one.bytes.length, firstMove: 0, moveCount: 1 }];
  const expected = one.bytes.slice(), view = new DataView(expected.buffer);
  for (let i = 0; i < n; i++) view.setBigInt64(8 * i, view.getBigInt64(8 * i, true));
  await onCase(one, "node", async (inside) => {
    const target = new Uint8Array(expected.length), again = new Uint8Array(expected.length);
    inside.gather({ kind: "gather", file: "inside", extents, moves, target });
    sameBytes(target, expected);
    await inside.gatherAsync({ kind: "gather", file: "inside", extents, moves, target: again });
    sameBytes(again, expected);
    const short = { kind: "gather", file: "inside", extents, moves, target: target.subarray(8) } as const;
    assert.throws(() => inside.gather(short), RangeError);
  });
});
