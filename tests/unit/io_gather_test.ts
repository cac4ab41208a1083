import assert from "node:assert/strict";
import fc from "fast-check";
import { MoveList } from "../../src/array/moves.ts";
import { twins } from "../../src/array/twins.ts";
import { Context } from "../../src/io/context.ts";
import { TableFiles } from "../../src/io/files.ts";
import { CHUNK_BYTES, EXTENT_BYTES, GAP_BYTES, planGather } from "../../src/io/gather-plan.ts";
import type { Extent } from "../../src/io/plan.ts";
import { fileBlock, linearBlock, moveElements, moveSpan, refine, unionSpan } from "../../src/io/spans.ts";
import { backendsHere, inTempDirectory, pattern, sameBytes } from "./io_help.ts";

const MIB = 2 ** 20;

interface Axis {
  count: number;
  file: number;
}

/** Boxes whose array sides stand behind each other. */
interface Boxes {
  kind: "bytes" | "bits";
  elementSize: number;
  swapUnit: number;
  boxes: { offset: number; axes: Axis[] }[];
}

function listOf({ kind, elementSize, swapUnit, boxes }: Boxes): { moves: MoveList; elements: number } {
  const ndim = boxes[0]?.axes.length ?? 1;
  const moves = new MoveList(kind, ndim, elementSize, swapUnit);
  let at = 0;
  for (const { offset, axes } of boxes) {
    const strides: number[] = [];
    let n = 1;
    for (const { count } of axes) {
      strides.push(n);
      n *= count;
    }
    moves.push(offset, at, axes.map((a) => a.count), axes.map((a) => a.file), strides);
    at += n;
  }
  return { moves, elements: at };
}

function boxesOf(reach: number): fc.Arbitrary<Boxes> {
  const kinds = fc.constantFrom(
    { kind: "bytes", elementSize: 1, swapUnit: 1 } as const,
    { kind: "bytes", elementSize: 8, swapUnit: 4 } as const,
    { kind: "bytes", elementSize: 4, swapUnit: 4 } as const,
    { kind: "bits", elementSize: 1, swapUnit: 1 } as const,
  );
  return fc.tuple(kinds, fc.integer({ min: 1, max: 3 })).chain(([kind, ndim]) =>
    fc.array(
      fc.record({
        offset: fc.nat(kind.kind === "bits" ? reach * 8 : reach),
        axes: fc.array(
          fc.record({
            count: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 12 }) }, {
              weight: 1,
              arbitrary: fc.constant(0),
            }),
            file: fc.oneof(
              fc.constant(1),
              fc.integer({ min: 1, max: 50 }),
              fc.integer({ min: -50, max: 50 }),
              fc.integer({ min: 0, max: reach >> 4 }),
            ),
          }),
          { minLength: ndim, maxLength: ndim },
        ),
      }),
      { minLength: 1, maxLength: 8 },
    ).map((boxes) => ({ ...kind, boxes }))
  );
}

/** Bytes of the file that a move touches, one element after the other. */
function touched(moves: MoveList, index: number): { lo: number; hi: number } {
  let lo = Infinity, hi = 0;
  const at = index * moves.stride, data = moves.data;
  const walk = (axis: number, unit: number): void => {
    if (axis >= 0) {
      const n = data[at + 2 + 3 * axis]!, step = data[at + 3 + 3 * axis]!;
      for (let i = 0; i < n; i++) {
        walk(axis - 1, unit + i * step * (moves.kind === "bits" ? 1 : moves.elementSize));
      }
      return;
    }
    const first = moves.kind === "bits" ? Math.floor(unit / 8) : unit;
    lo = Math.min(lo, first);
    hi = Math.max(hi, moves.kind === "bits" ? first + 1 : unit + moves.elementSize);
  };
  walk(moves.ndim - 1, data[at]!);
  return hi === 0 ? { lo: 0, hi: 0 } : { lo, hi };
}

Deno.test("the span of a move is from its first byte to its last", () => {
  fc.assert(fc.property(boxesOf(2000), (boxes) => {
    const { moves } = listOf(boxes);
    let lo = Infinity, hi = 0;
    for (let i = 0; i < moves.count; i++) {
      const span = touched(moves, i);
      assert.deepEqual(moveSpan(moves, i), span);
      if (span.hi > span.lo) lo = Math.min(lo, span.lo), hi = Math.max(hi, span.hi);
      const block = fileBlock(moves, i);
      if (block > 0) assert.equal(block, span.hi - span.lo);
    }
    assert.deepEqual(unionSpan(moves, 0, moves.count), hi === 0 ? { lo: 0, hi: 0 } : { lo, hi });
  }));
});

Deno.test("a move is one block when file and array run alike", () => {
  const moves = new MoveList("bytes", 3, 4, 1);
  moves.push(100, 5, [4, 1, 3], [1, 99, 4], [1, 77, 4]);
  moves.push(100, 5, [4, 1, 3], [1, 99, 4], [1, 77, 5]);
  moves.push(100, 5, [4, 1, 3], [1, 99, 5], [1, 77, 4]);
  moves.push(100, 5, [1, 1, 1], [9, 9, 9], [9, 9, 9]);
  assert.deepEqual([0, 1, 2, 3].map((i) => linearBlock(moves, i)), [48, 0, 0, 4]);
  assert.deepEqual([0, 1, 2, 3].map((i) => fileBlock(moves, i)), [48, 48, 0, 4]);
});

Deno.test("moves cut into pieces move the same elements, in pieces no longer than asked", () => {
  fc.assert(fc.property(boxesOf(3000), fc.integer({ min: 16, max: 500 }), fc.nat(60), (boxes, limit, gap) => {
    const { moves, elements } = listOf(boxes);
    const spans = Array.from({ length: moves.count }, (_, i) => moveSpan(moves, i));
    if (spans.some((span) => span.lo < 0)) return;
    const file = pattern(Math.max(1, ...spans.map((span) => span.hi)), 3);
    const expected = new Uint8Array(elements * boxes.elementSize), found = expected.slice();
    twins.gather(moves, 0, moves.count, file, 0, expected);
    const cut = refine(moves, 0, moves.count, limit, gap);
    assert.equal(cut.spans.length, cut.moves.count);
    cut.spans.forEach((span, i) => {
      assert.deepEqual(span, touched(cut.moves, i));
      assert.ok(span.hi - span.lo <= limit + boxes.elementSize, `${span.hi - span.lo} > ${limit}`);
      if (i > 0) assert.ok(span.lo >= cut.spans[i - 1]!.lo);
      twins.gather(cut.moves, i, 1, file.subarray(span.lo, span.hi), span.lo, found);
    });
    sameBytes(found, expected);
  }));
});

/** One extent a move, ascending. */
function extentsOf(moves: MoveList): Extent[] {
  return Array.from({ length: moves.count }, (_, i) => {
    const { lo, hi } = moveSpan(moves, i);
    return { offset: lo, length: hi - lo, firstMove: i, moveCount: 1 };
  });
}

Deno.test("rows that follow one another in file and array are read by one call, to where they belong", () => {
  const moves = new MoveList("bytes", 2, 4, 1);
  for (let i = 0; i < 40; i++) moves.push(1000 + i * 40_000, i * 10_000, [100, 100], [1, 100], [1, 100]);
  assert.deepEqual(planGather(extentsOf(moves), moves), [{
    kind: "direct",
    offset: 1000,
    length: 1_600_000,
    at: 0,
  }]);
  // Two moves of one extent, in the other order.
  const crossed = new MoveList("bytes", 1, 1, 1);
  crossed.push(0, 100_000, [100_000], [1], [1]);
  crossed.push(100_000, 0, [100_000], [1], [1]);
  const [only] = planGather([{ offset: 0, length: 200_000, firstMove: 0, moveCount: 2 }], crossed);
  assert.equal(only?.kind, "chunk");
  // The same in another order of the array is not one piece.
  const other = new MoveList("bytes", 2, 4, 1);
  for (let i = 0; i < 40; i++) {
    other.push(1000 + i * 40_000, (39 - i) * 10_000, [100, 100], [1, 100], [1, 100]);
  }
  const jobs = planGather(extentsOf(other), other);
  assert.deepEqual(jobs.map((job) => job.kind), ["chunk", "chunk"]);
  assert.deepEqual(jobs.map((job) => job.length), [26 * 40_000, 14 * 40_000]);
});

Deno.test("neighbouring extents are read together up to 1 MiB, over gaps of up to 16 KiB", () => {
  const moves = new MoveList("bytes", 1, 1, 1);
  for (const offset of [0, 5000, 5000 + 1000 + GAP_BYTES, 5000 + 2001 + 2 * GAP_BYTES]) {
    moves.push(offset, 0, [1000], [1], [1]);
  }
  assert.deepEqual(planGather(extentsOf(moves), moves).map((job) => [job.offset, job.length]), [
    [0, 7000 + GAP_BYTES],
    [7001 + 2 * GAP_BYTES, 1000],
  ]);
});

Deno.test("an extent of which little is wanted is read where it is wanted", () => {
  const moves = new MoveList("bytes", 2, 8, 8);
  // 100 values, 1 MiB apart.
  moves.push(64, 0, [1, 100], [1, MIB / 8], [1, 1]);
  const jobs = planGather([{ offset: 0, length: 100 * MIB, firstMove: 0, moveCount: 1 }], moves);
  assert.equal(jobs.length, 100);
  assert.ok(jobs.every((job, i) => job.kind === "chunk" && job.length === 8 && job.offset === 64 + i * MIB));
});

Deno.test("no job of a plan needs more memory than 4 MiB, however large the tiles", () => {
  const moves = new MoveList("bytes", 3, 8, 8);
  moves.push(0, 0, [64, 1024, 512], [1, 64, 65536], [512, 32768, 1]);
  const jobs = planGather([{ offset: 0, length: 64 * 1024 * 512 * 8, firstMove: 0, moveCount: 1 }], moves);
  assert.ok(
    jobs.every((job) => job.kind === "chunk" && job.length <= CHUNK_BYTES && job.length <= EXTENT_BYTES),
  );
  assert.equal(jobs.reduce((sum, job) => sum + job.length, 0), 64 * 1024 * 512 * 8);
});

/** What a gather should give, worked out with the TypeScript loops on the whole file. */
function expectedOf(moves: MoveList, file: Uint8Array, target: Uint8Array): Uint8Array {
  const expected = target.slice();
  twins.gather(moves, 0, moves.count, file, 0, expected);
  return expected;
}

for (const name of backendsHere()) {
  Deno.test(`${name}: gathers bring what the moves say, small and large, at once and without blocking`, async () => {
    await fc.assert(
      fc.asyncProperty(
        boxesOf(900_000),
        fc.boolean(),
        fc.constantFrom(0, 100_000, 64 * MIB),
        fc.option(fc.record({ offset: fc.nat(1_000_000), length: fc.integer({ min: 1, max: 400_000 }) }), {
          nil: null,
        }),
        (boxes, bySpan, cacheBytes, pending) =>
          inTempDirectory(name, async (backend, directory) => {
            boxes.boxes.sort((a, b) => a.offset - b.offset);
            const { moves, elements } = listOf(boxes);
            const spans = Array.from({ length: moves.count }, (_, i) => moveSpan(moves, i));
            if (spans.some((span) => span.lo < 0)) return;
            const content = pattern(Math.max(1_400_000, ...spans.map((span) => span.hi)), 3);
            const files = new TableFiles(directory, backend, {
              writable: true,
              context: new Context({ cacheBytes }),
            });
            files.create("f");
            files.write("f", 0, content);
            files.flush();
            if (pending !== null) {
              const laid = pattern(pending.length, 8);
              files.write("f", pending.offset, laid);
              content.set(laid.subarray(0, content.length - pending.offset), pending.offset);
            }
            let extents = extentsOf(moves).filter((e) => e.length > 0).sort((a, b) => a.offset - b.offset);
            if (!bySpan) {
              const { lo, hi } = unionSpan(moves, 0, moves.count);
              extents = [{ offset: lo, length: hi - lo, firstMove: 0, moveCount: moves.count }];
            }
            const target = pattern(elements * boxes.elementSize + 5, 9);
            const expected = expectedOf(moves, content, target), again = target.slice();
            files.gather({ kind: "gather", file: "f", extents, moves, target });
            sameBytes(target, expected);
            await files.gatherAsync({ kind: "gather", file: "f", extents, moves, target: again });
            sameBytes(again, expected);
            files.flush();
            files.close();
          }),
      ),
      { numRuns: 40, seed: 7 },
    );
  });

  Deno.test(`${name}: whole columns come through tiles with either byte order, in any order of rows`, async () => {
    await inTempDirectory(name, async (backend, directory) => {
      const rowBytes = 4096,
        rowsATile = 48,
        tiles = 30,
        files = new TableFiles(directory, backend, {
          writable: true,
          context: new Context(),
        });
      for (const unit of [1, 4]) {
        const length = rowBytes * rowsATile * tiles, source = pattern(length, unit);
        const moves = new MoveList("bytes", 1, 8, unit), extents: Extent[] = [];
        files.create("f");
        for (let t = 0; t < tiles; t++) {
          const offset = 100 + t * rowBytes * rowsATile;
          moves.push(offset, t * rowsATile * rowBytes / 8, [rowsATile * rowBytes / 8], [1], [1]);
          extents.push({ offset, length: rowBytes * rowsATile, firstMove: t, moveCount: 1 });
          files.scatter({ kind: "scatter", file: "f", extent: extents[t]!, fresh: true, moves, source });
        }
        files.flush();
        for (const shuffled of [false, true]) {
          const list = new MoveList("bytes", 1, 8, unit);
          for (let t = 0; t < tiles; t++) {
            const to = shuffled ? (t * 7) % tiles : t;
            list.push(
              100 + t * rowBytes * rowsATile,
              to * rowsATile * rowBytes / 8,
              [rowsATile * rowBytes / 8],
              [1],
              [1],
            );
          }
          const expected = new Uint8Array(length);
          for (let t = 0; t < tiles; t++) {
            const to = shuffled ? (t * 7) % tiles : t, tile = rowBytes * rowsATile;
            expected.set(source.subarray(t * tile, (t + 1) * tile), to * tile);
          }
          for (const wait of [false, true]) {
            const target = new Uint8Array(length),
              step = { kind: "gather", file: "f", extents, moves: list, target } as const;
            if (wait) await files.gatherAsync(step);
            else files.gather(step);
            assert.ok(target.every((byte, i) => byte === expected[i]));
          }
        }
        const swapped = readBack(files, 100, 16);
        assert.deepEqual(
          [...swapped],
          unit === 1
            ? [...source.subarray(0, 16)]
            : [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12].map((i) => source[i]),
        );
      }
      files.close();
    });
  });

  Deno.test(`${name}: a tile of 9 MiB is written and read in pieces`, () => {
    inTempDirectory(name, (backend, directory) => {
      const files = new TableFiles(directory, backend, { writable: true, context: new Context() });
      const rows = 9 * 1024, width = 128, length = rows * width * 8;
      const source = pattern(length, 1), target = new Uint8Array(length);
      // Transposed: no part of it is one block on both sides.
      const moves = new MoveList("bytes", 2, 8, 8);
      moves.push(24, 0, [rows, width], [width, 1], [1, rows]);
      const extent = { offset: 24, length, firstMove: 0, moveCount: 1 };
      files.create("f");
      files.scatter({ kind: "scatter", file: "f", extent, fresh: true, moves, source });
      assert.ok(files.pendingBytes <= 20 * MIB);
      files.flush();
      files.gather({ kind: "gather", file: "f", extents: [extent], moves, target });
      assert.ok(target.every((byte, i) => byte === source[i]));
      // Laid over an existing part of a file, with holes that must be zero.
      const holes = new MoveList("bytes", 2, 8, 1);
      holes.push(24, 0, [width / 2, rows], [1, width], [1, width / 2]);
      files.scatter({ kind: "scatter", file: "f", extent, fresh: true, moves: holes, source });
      files.flush();
      const row = readBack(files, 24 + width * 8 * 5000, width * 8);
      assert.deepEqual(row.subarray(0, width * 4), source.slice(5000 * width * 4, 5001 * width * 4));
      assert.ok(row.subarray(width * 4).every((byte) => byte === 0));
      assert.equal(files.size("f"), 24 + length);
      files.close();
    });
  });
}

function readBack(files: TableFiles, offset: number, length: number): Uint8Array {
  return files.read("f", offset, length).slice();
}

Deno.test("elements are counted", () => {
  const moves = new MoveList("bits", 2, 1, 1);
  moves.push(0, 0, [3, 5], [1, 3], [1, 3]);
  assert.equal(moveElements(moves, 0), 15);
});
