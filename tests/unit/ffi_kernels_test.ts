/**
 * Holds the TypeScript twins against the C library: every loop, random input, both directions, and what both refuse.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { library } from "../../ffi/binding.ts";
import type { Kernels } from "../../src/array/kernels.ts";
import { type MoveKind, MoveList } from "../../src/array/moves.ts";
import { twins } from "../../src/array/twins.ts";

const native = library()?.kernels ?? twins;
/** Without the library the twins are held against the definitions alone. */
const where = native === twins ? "in TypeScript (the C library is missing)" : "in C and in TypeScript";
const both = native === twins ? [twins] : [native, twins];

/** Bytes that begin at an odd place of a larger buffer, so that alignment is not always on our side. */
function bytesAt(length: number, shift: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length + shift + 8).subarray(shift, shift + length);
  let x = seed | 1;
  for (let i = 0; i < length; i++) {
    x = Math.imul(x, 1103515245) + 12345;
    bytes[i] = x >>> 16;
  }
  return bytes;
}

const seeds = fc.integer({ min: 0, max: 0xffff });
const shifts = fc.integer({ min: 0, max: 7 });
/** From 256 bits on C takes 32 at a time where the processor can. */
const counts = fc.oneof(fc.nat(40), fc.nat(1000));

/** What a call throws: its name, or undefined. Both sides must throw the same. */
function thrown(call: () => void): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}

Deno.test(`swap is right and the same ${where}`, () => {
  fc.assert(
    fc.property(
      fc.constantFrom(2 as const, 4 as const, 8 as const),
      fc.nat(70),
      shifts,
      seeds,
      (unit, groups, shift, seed) => {
        const original = bytesAt(groups * unit, shift, seed);
        const a = original.slice(), b = bytesAt(groups * unit, shift, seed);
        native.swap(a, unit);
        twins.swap(b, unit);
        assert.deepEqual(a, b.slice());
        for (let i = 0; i < a.length; i++) assert.equal(a[i], original[i ^ (unit - 1)]);
      },
    ),
  );
});

Deno.test("swap refuses a length that is not a multiple of its unit", () => {
  for (const kernels of both) {
    assert.throws(() => kernels.swap(new Uint8Array(6), 4), RangeError);
    assert.throws(() => kernels.swap(new Uint8Array(6), 3 as 2), RangeError);
  }
});

Deno.test(`bits become bytes from any bit, the same ${where}`, () => {
  fc.assert(
    fc.property(
      counts,
      fc.nat(30),
      fc.nat(20),
      fc.nat(33),
      seeds,
      (count, bitOffset, spare, shift, seed) => {
        const source = bytesAt(Math.ceil((bitOffset + count) / 8), shift, seed);
        const a = bytesAt(count + spare, shift, seed + 1), b = bytesAt(count + spare, shift, seed + 1);
        const before = b.slice();
        native.unpackBits(source, bitOffset, a, count);
        twins.unpackBits(source, bitOffset, b, count);
        for (let i = 0; i < b.length; i++) {
          const bit = bitOffset + i;
          assert.equal(b[i], i < count ? (source[bit >> 3]! >> (bit & 7)) & 1 : before[i], `byte ${i}`);
        }
        assert.deepEqual(a.slice(), b.slice());
      },
    ),
  );
});

Deno.test(`bytes become bits and the other bits stay, the same ${where}`, () => {
  fc.assert(
    fc.property(counts, fc.nat(30), fc.nat(3), shifts, seeds, (count, bitOffset, spare, shift, seed) => {
      const source = bytesAt(count, shift, seed).map((x, i) => i % 3 === 0 ? 0 : x);
      const length = Math.ceil((bitOffset + count) / 8) + spare;
      const a = bytesAt(length, shift, seed + 1), b = bytesAt(length, shift, seed + 1);
      const before = b.slice();
      native.packBits(source, a, bitOffset, count);
      twins.packBits(source, b, bitOffset, count);
      for (let bit = 0; bit < length * 8; bit++) {
        const i = bit - bitOffset;
        const expected = i >= 0 && i < count
          ? (source[i] === 0 ? 0 : 1)
          : (before[bit >> 3]! >> (bit & 7)) & 1;
        assert.equal((b[bit >> 3]! >> (bit & 7)) & 1, expected, `bit ${bit}`);
      }
      assert.deepEqual(a.slice(), b.slice());
    }),
  );
});

Deno.test(
  { name: `bits of a large array become bytes and bits again, the same ${where}` },
  () => {
    // Past the size from which C streams past the cache.
    const count = 5_000_001, source = bytesAt(count / 8 + 2, 1, 3);
    for (const [bitOffset, shift] of [[0, 0], [3, 5]] as const) {
      const [a, b] = [native, twins].map((kernels) => {
        const bytes = bytesAt(count + 3, shift, 9), bits = new Uint8Array(source.length);
        kernels.unpackBits(source, bitOffset, bytes, count);
        kernels.packBits(bytes, bits, bitOffset, count);
        return { bytes, bits };
      }) as [{ bytes: Uint8Array; bits: Uint8Array }, { bytes: Uint8Array; bits: Uint8Array }];
      assert.equal(a.bytes.findIndex((byte, i) => byte !== b.bytes[i]), -1);
      assert.equal(a.bits.findIndex((byte, i) => byte !== b.bits[i]), -1);
      const last = Math.floor((bitOffset + count) / 8);
      assert.equal(a.bits.findIndex((byte, i) => i > 0 && i < last && byte !== source[i]), -1);
    }
  },
);

Deno.test(`bits that aren't there are refused and nothing changes, the same ${where}`, () => {
  const odd = fc.oneof(fc.integer({ min: -3, max: 40 }), fc.constantFrom(0.5, NaN, Infinity, 2 ** 53, -0));
  fc.assert(
    fc.property(odd, odd, fc.nat(4), fc.nat(40), (bitOffset, count, bits, bytes) => {
      for (const direction of ["unpack", "pack"] as const) {
        const [a, b] = [native, twins].map((kernels) => {
          const packed = new Uint8Array(bits).fill(0xa5), unpacked = new Uint8Array(bytes).fill(7);
          const error = thrown(() =>
            direction === "unpack"
              ? kernels.unpackBits(packed, bitOffset, unpacked, count)
              : kernels.packBits(unpacked, packed, bitOffset, count)
          );
          if (error !== undefined) {
            assert.match(error, /^RangeError/);
            assert.ok(packed.every((x) => x === 0xa5) && unpacked.every((x) => x === 7));
          }
          return { error, packed, unpacked };
        });
        assert.deepEqual(a, b);
      }
    }),
  );
});

Deno.test(`short runs, such as the correlations of a channel, are moved whole and the same ${where}`, () => {
  const elements = [[1, 1], [2, 1], [2, 2], [4, 1], [4, 4], [8, 1], [8, 4], [8, 8], [16, 4], [
    16,
    8,
  ]] as const;
  for (const [element, unit] of elements) {
    for (let run = 1; run * element <= 128; run++) {
      const moves = new MoveList("bytes", 3, element, unit, 1);
      moves.push(0, 0, [run, 3, 2], [1, run + 2, 4 * run + 7], [1, run, 3 * run + 1]);
      const file = bytesAt(11 * (run + 2) * element, run & 7, run), room = (7 * run + 1) * element;
      const gathered = new Uint8Array(room), scattered = new Uint8Array(file.length);
      native.gather(moves, 0, 1, file, 0, gathered);
      for (let row = 0; row < 2; row++) {
        for (let j = 0; j < 3 * run; j++) {
          const from = (row * (4 * run + 7) + Math.floor(j / run) * (run + 2) + j % run) * element;
          const to = (row * (3 * run + 1) + j) * element;
          for (let k = 0; k < element; k++) {
            assert.equal(
              gathered[to + k],
              file[from + (k ^ (unit - 1))],
              `${run} of ${element}, unit ${unit}`,
            );
          }
        }
      }
      native.scatter(moves, 0, 1, gathered, scattered, 0);
      const again = new Uint8Array(room);
      native.gather(moves, 0, 1, scattered, 0, again);
      assert.deepEqual(again, gathered);
    }
  }
});

/** A batch of random boxes, some of which may leave their buffers. */
interface Batch {
  kind: MoveKind;
  ndim: number;
  element: number;
  unit: number;
  boxes: { file: number; array: number; axes: [count: number, file: number, array: number][] }[];
  fileBytes: number;
  fileOffset: number;
  arrayElements: number;
  fileShift: number;
  arrayShift: number;
  seed: number;
}

const sizes = fc.constantFrom<[number, number][]>(
  [1, 1],
  [2, 1],
  [2, 2],
  [4, 1],
  [4, 2],
  [4, 4],
  [8, 1],
  [8, 2],
  [8, 4],
  [8, 8],
  [16, 1],
  [16, 4],
  [16, 8],
  [3, 1],
  [12, 4],
  [24, 8],
  [100, 1],
);

const batches: fc.Arbitrary<Batch> = fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 4 }), sizes).chain(
  ([bits, ndim, [element, unit]]) => {
    const size = bits ? 1 : element;
    const box = fc.record({
      file: fc.nat(60 * size),
      array: fc.nat(60),
      axes: fc.array(
        fc.tuple(
          fc.integer({ min: 0, max: 5 }),
          fc.integer({ min: -2, max: 9 }),
          fc.integer({ min: -2, max: 9 }),
        ),
        { minLength: ndim, maxLength: ndim },
      ),
    });
    return fc.record({
      kind: fc.constant<MoveKind>(bits ? "bits" : "bytes"),
      ndim: fc.constant(ndim),
      element: fc.constant(size),
      unit: fc.constant(bits ? 1 : unit),
      boxes: fc.array(box, { maxLength: 3 }),
      fileBytes: fc.nat(bits ? 60 : 200 * size),
      fileOffset: fc.nat(9),
      arrayElements: fc.nat(200),
      fileShift: shifts,
      arrayShift: shifts,
      seed: seeds,
    });
  },
);

function movesOf({ kind, ndim, element, unit, boxes }: Batch): MoveList {
  const moves = new MoveList(kind, ndim, element, unit, 1);
  for (const { file, array, axes } of boxes) {
    moves.push(file, array, axes.map((x) => x[0]), axes.map((x) => x[1]), axes.map((x) => x[2]));
  }
  return moves;
}

function run(kernels: Kernels, batch: Batch, direction: "gather" | "scatter") {
  const moves = movesOf(batch);
  const file = bytesAt(batch.fileBytes, batch.fileShift, batch.seed);
  const array = bytesAt(batch.arrayElements * batch.element, batch.arrayShift, batch.seed + 1);
  const fileBefore = file.slice(), arrayBefore = array.slice();
  const error = thrown(() =>
    direction === "gather"
      ? kernels.gather(moves, 0, moves.count, file, batch.fileOffset, array)
      : kernels.scatter(moves, 0, moves.count, array, file, batch.fileOffset)
  );
  if (error !== undefined) {
    assert.match(error, /^RangeError: move/);
    assert.deepEqual([file.slice(), array.slice()], [fileBefore, arrayBefore]);
  }
  return { error, file: file.slice(), array: array.slice(), fileBefore, arrayBefore };
}

/** The same, element by element, from the definition; undefined when an element lies outside. */
function byDefinition(batch: Batch, direction: "gather" | "scatter") {
  const { kind, element, unit } = batch;
  const bits = kind === "bits";
  const file = bytesAt(batch.fileBytes, batch.fileShift, batch.seed).slice();
  const array = bytesAt(batch.arrayElements * element, batch.arrayShift, batch.seed + 1).slice();
  const fileRoom = bits ? file.length * 8 : Math.floor(file.length / element);
  for (const box of batch.boxes) {
    let places: [number, number][] = [[
      bits ? box.file - batch.fileOffset * 8 : box.file - batch.fileOffset,
      box.array,
    ]];
    for (const [count, fileStep, arrayStep] of box.axes) {
      const step = bits ? fileStep : fileStep * element;
      const next: [number, number][] = [];
      for (let i = 0; i < count; i++) {
        for (const [f, a] of places) next.push([f + i * step, a + i * arrayStep]);
      }
      places = next;
    }
    if (places.length > (direction === "gather" ? batch.arrayElements : fileRoom)) return undefined;
    for (const [f, a] of places) {
      if (f < 0 || a < 0 || a >= batch.arrayElements) return undefined;
      if (bits ? f >= file.length * 8 : f + element > file.length) return undefined;
      if (bits && direction === "gather") array[a] = (file[f >> 3]! >> (f & 7)) & 1;
      else if (bits) {
        file[f >> 3] = (file[f >> 3]! & ~(1 << (f & 7))) | (array[a] === 0 ? 0 : 1 << (f & 7));
      } else {for (let k = 0; k < element; k++) {
          const other = k - k % unit + (unit - 1 - k % unit);
          if (direction === "gather") array[a * element + k] = file[f + other]!;
          else file[f + k] = array[a * element + other]!;
        }}
    }
  }
  return { file, array };
}

/** Boxes whose elements lie apart in the target: then the order in which they are written doesn't matter. */
function apart(batch: Batch, direction: "gather" | "scatter"): boolean {
  const seen = new Set<number>();
  for (const box of batch.boxes) {
    let places = [direction === "gather" ? box.array : box.file];
    for (const [count, fileStep, arrayStep] of box.axes) {
      const step = direction === "gather"
        ? arrayStep
        : batch.kind === "bits"
        ? fileStep
        : fileStep * batch.element;
      places = Array.from({ length: count }, (_, i) => places.map((place) => place + i * step)).flat();
    }
    const unit = direction === "gather" || batch.kind === "bits" ? 1 : batch.element;
    for (const place of places) {
      for (let k = 0; k < unit; k++) {
        if (seen.has(place + k)) return false;
        seen.add(place + k);
      }
    }
  }
  return true;
}

for (const direction of ["gather", "scatter"] as const) {
  Deno.test(`${direction} is right, and refuses what it must, the same ${where}`, () => {
    let good = 0, bad = 0;
    fc.assert(
      fc.property(batches, (batch) => {
        const c = run(native, batch, direction), ts = run(twins, batch, direction);
        assert.deepEqual(c, ts);
        const expected = byDefinition(batch, direction);
        assert.equal(ts.error === undefined, expected !== undefined);
        if (expected === undefined) bad++;
        else {
          if (batch.boxes.length > 0) good++;
          if (apart(batch, direction)) assert.deepEqual([ts.file, ts.array], [expected.file, expected.array]);
        }
      }),
      { numRuns: 3000 },
    );
    assert.ok(good > 300 && bad > 300, `${good} good and ${bad} bad batches`);
  });

  Deno.test(`${direction} refuses numbers that no file can hold, the same ${where}`, () => {
    const wild = fc.oneof(
      fc.integer({ min: -4, max: 4 }),
      fc.constantFrom(
        0.5,
        NaN,
        Infinity,
        -Infinity,
        2 ** 53,
        -(2 ** 53),
        2 ** 53 - 1,
        1 - 2 ** 53,
        2 ** 62,
        1e300,
      ),
      fc.maxSafeInteger(),
    );
    const box = fc.record({
      file: wild,
      array: wild,
      axes: fc.array(fc.tuple(wild, wild, wild), { minLength: 3, maxLength: 3 }),
    });
    fc.assert(
      fc.property(
        fc.array(box, { minLength: 1, maxLength: 2 }),
        sizes,
        fc.boolean(),
        fc.constantFrom(0, 3, 2 ** 53 - 1),
        (boxes, [element, unit], bits, fileOffset) => {
          const batch: Batch = {
            kind: bits ? "bits" : "bytes",
            ndim: 3,
            element: bits ? 1 : element,
            unit: bits ? 1 : unit,
            boxes: boxes as Batch["boxes"],
            fileBytes: 300,
            fileOffset,
            arrayElements: 20,
            fileShift: 0,
            arrayShift: 0,
            seed: 1,
          };
          assert.deepEqual(run(native, batch, direction), run(twins, batch, direction));
        },
      ),
      { numRuns: 2000 },
    );
  });

  Deno.test(`${direction} moves large boxes the same ${where}`, () => {
    // Past the size from which C streams past the cache, at every alignment of the target, in long runs and short ones.
    const formats = [[1, 1, 1], [2, 2, 0], [2, 2, 1], [8, 4, 4], [16, 8, 0], [8, 1, 0]] as const;
    const sizes = [[160, 32 * 1024], [4400, 976], [4400, 1008]] as const;
    for (const [i, [element, unit, shift]] of [...formats, ...formats, ...formats].entries()) {
      const [rows, rowBytes] = sizes[Math.floor(i / formats.length)]!, row = rowBytes / element;
      const batch: Batch = {
        kind: "bytes",
        ndim: 2,
        element,
        unit,
        // Odd distances keep the rows apart, and a negative one turns their order.
        boxes: [{
          file: 3 + (rows - 1) * (row + 1) * element,
          array: 5,
          axes: [[row, 1, 1], [rows, -(row + 1), row + 2]],
        }],
        fileBytes: rows * (row + 1) * element + 8,
        fileOffset: 3,
        arrayElements: rows * (row + 2) + 5,
        fileShift: shift,
        arrayShift: shift,
        seed: 5,
      };
      const c = run(native, batch, direction), ts = run(twins, batch, direction);
      assert.equal(c.error, undefined);
      assert.ok(c.file.every((x, i) => x === ts.file[i]) && c.array.every((x, i) => x === ts.array[i]));
      const [before, after] = direction === "gather" ? [c.arrayBefore, c.array] : [c.fileBefore, c.file];
      assert.ok(before.some((x, i) => x !== after[i]));
    }
  });
}

Deno.test("a box may fill its target to the last element, and not beyond", () => {
  for (const kernels of both) {
    for (const [kind, element] of [["bytes", 4], ["bytes", 12], ["bits", 1]] as const) {
      const moves = new MoveList(kind, 2, element, 1);
      moves.push(0, 0, [4, 6], [1, 4], [1, 4]);
      const file = bytesAt(kind === "bits" ? 3 : 24 * element, 0, 1), array = new Uint8Array(24 * element);
      kernels.gather(moves, 0, 1, file, 0, array);
      const back = new Uint8Array(file.length);
      kernels.scatter(moves, 0, 1, array, back, 0);
      assert.deepEqual(back, file);
      // Twice the same element is one too many for the target, wherever it is put.
      const twice = new MoveList(kind, 2, element, 1);
      twice.push(0, 0, [25, 1], [0, 0], [0, 0]);
      assert.throws(() => kernels.gather(twice, 0, 1, file, 0, array), RangeError);
      assert.throws(() => kernels.scatter(twice, 0, 1, array, file, 0), RangeError);
    }
  }
});

Deno.test("a bad move after good ones leaves the array untouched", () => {
  for (const kernels of both) {
    const moves = new MoveList("bytes", 1, 4, 1);
    moves.push(0, 0, [2], [1], [1]);
    moves.push(0, 2, [3], [1], [1]);
    const file = new Uint8Array(8).fill(1), array = new Uint8Array(16);
    assert.throws(
      () => kernels.gather(moves, 0, 2, file, 0, array),
      (error: Error) => error instanceof RangeError && error.message.startsWith("move 1 "),
    );
    assert.deepEqual(array, new Uint8Array(16));
    kernels.gather(moves, 0, 1, file, 0, array);
    assert.deepEqual(array.subarray(0, 8), file);
  }
});

Deno.test("moves that a list doesn't have, and lists that can't be, are RangeErrors", () => {
  const bytes = new Uint8Array(64);
  for (const kernels of both) {
    const moves = new MoveList("bytes", 1, 4, 1);
    moves.push(0, 0, [2], [1], [1]);
    assert.throws(() => kernels.gather(moves, 1, 1, bytes, 0, bytes.slice()), RangeError);
    assert.throws(() => kernels.gather(moves, -1, 1, bytes, 0, bytes.slice()), RangeError);
    assert.throws(() => kernels.gather(moves, 0, 1, bytes, -4, bytes.slice()), RangeError);
    for (
      const [kind, ndim, element, unit] of [
        ["bytes", 0, 4, 1],
        ["bytes", 65, 4, 1],
        ["bytes", 1, 0, 1],
        ["bytes", 1, 6, 4],
        ["bytes", 1, 4, 3],
        ["bits", 1, 2, 1],
        ["bits", 1, 1, 2],
      ] as const
    ) {
      const list = new MoveList(kind, ndim, element, unit);
      assert.throws(() => kernels.gather(list, 0, 0, bytes, 0, bytes.slice()), RangeError);
    }
  }
});
