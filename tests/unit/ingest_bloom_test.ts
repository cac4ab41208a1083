import assert from "node:assert/strict";
import fc from "fast-check";
import type { DType } from "../../src/array/dtype.ts";
import { crc32c } from "../../src/array/crc32c.ts";
import { TableError } from "../../src/error.ts";
import { BloomFilter } from "../../src/ingest/segments/bloom.ts";
import { hashKey, hashKeys, type KeyColumn } from "../../src/ingest/segments/key-hash.ts";
import type { KeyValue } from "../../src/ingest/segments/types.ts";

/** Hashes of some keys: low and high word. */
const GOLDEN = [[4212543245, 2953524758], [4116764312, 817008676], [191507549, 1348194911]];

/** Numbers from a seed. */
function random(seed: number): () => number {
  return () => {
    seed = seed + 0x6d2b79f5 | 0;
    let t = Math.imul(seed ^ seed >>> 15, 1 | seed);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 4294967296;
  };
}

/** Share of keys that aren't in a filter of `present` keys and are taken for one of them. */
function falseRate(
  dtypes: readonly DType[],
  keyOf: (i: number) => readonly KeyValue[],
  present = 20_000,
  asked = 50_000,
): number {
  const columns = dtypes.map((_, column) =>
    Array.from({ length: present }, (_, i) => keyOf(i)[column])
  ) as KeyColumn[];
  const filter = BloomFilter.forKeys(present);
  filter.add(hashKeys(columns, dtypes, present));
  for (let i = 0; i < present; i += 97) assert.ok(filter.mayHold(hashKey(keyOf(i), dtypes)));
  let wrong = 0;
  for (let i = present; i < present + asked; i++) if (filter.mayHold(hashKey(keyOf(i), dtypes))) wrong++;
  return wrong / asked;
}

const KINDS: readonly [string, readonly DType[], (i: number) => readonly KeyValue[]][] = [
  ["numbers one after the other", ["int32"], (i) => [i]],
  ["numbers far apart", ["uint32"], (i) => [i * 4096 >>> 0]],
  ["floats", ["float64"], (i) => [4.9e9 + i * 0.125]],
  [
    "random floats",
    ["float64"],
    ((next) => {
      const all = Array.from({ length: 70_000 }, () => next());
      return (i: number) => [all[i]!];
    })(random(1)),
  ],
  ["bigints", ["int64"], (i) => [(1n << 60n) + BigInt(i)]],
  ["texts", ["string"], (i) => [`scan-${i}`]],
  ["texts of other lengths", ["string"], (i) => ["x".repeat(i % 50) + i.toString(36)]],
  ["keys of two numbers", ["int32", "int32"], (i) => [i % 300, Math.floor(i / 300)]],
  ["keys of a time and a text", ["float64", "string"], (i) => [5e9 + Math.floor(i / 10), `A${i % 10}`]],
  ["keys of a bool and a bigint", ["bool", "int64"], (i) => [i % 2 === 0, BigInt(i) * -7919n]],
];

for (const [name, dtypes, keyOf] of KINDS) {
  Deno.test(`at most 1 % of keys that aren't in a filter are taken for one that is: ${name}`, () => {
    const rate = falseRate(dtypes, keyOf);
    assert.ok(rate <= 0.01, `${rate}`);
    // A filter that says yes to nothing but what it holds would be no filter.
    assert.ok(rate > 0);
  });
}

Deno.test("a filter holds every key that was added, in whatever piece, and after it was a file", () => {
  const texts = fc.uniqueArray(fc.string({ unit: "binary" }), { minLength: 1, maxLength: 60 });
  fc.assert(fc.property(texts, fc.nat(), (keys, cut) => {
    const filter = BloomFilter.forKeys(keys.length), middle = cut % keys.length;
    for (const part of [keys.slice(0, middle), keys.slice(middle)]) {
      filter.add(hashKeys([part], ["string"], part.length));
    }
    const bytes = filter.bytes();
    const entry = {
      file: "f",
      bytes: bytes.length,
      hashes: filter.hashes,
      keys: filter.keys,
      crc32c: crc32c(bytes),
    };
    const again = BloomFilter.parse(bytes, entry, "f");
    for (const key of keys) assert.ok(again.mayHold(hashKey([key], ["string"])));
  }));
});

Deno.test("equal keys have equal hashes, however they are given", () => {
  assert.deepEqual(hashKey([5], ["int64"]), hashKey([5n], ["int64"]));
  assert.deepEqual(hashKey([0], ["float64"]), hashKey([-0], ["float64"]));
  assert.deepEqual(hashKey([true], ["bool"]), hashKey([1], ["bool"]));
  const nan = new Float64Array(new BigUint64Array([0x7ff8000000000001n, 0xfff8000000000000n]).buffer);
  const { low, high } = hashKeys([nan], ["float64"], 2);
  assert.equal(low[0], low[1]);
  assert.equal(high[0], high[1]);
  const bytes = hashKeys([[new TextEncoder().encode("größe")]], ["string"], 1);
  assert.deepEqual([bytes.low[0], bytes.high[0]], hashKey(["größe"], ["string"]));
  assert.notDeepEqual(hashKey(["a", "bc"], ["string", "string"]), hashKey(["ab", "c"], ["string", "string"]));
});

Deno.test("hashes are those that stand in filters on disks", () => {
  assert.deepEqual(hashKey([1], ["int32"]), GOLDEN[0]);
  assert.deepEqual(hashKey([-1n], ["int64"]), GOLDEN[1]);
  assert.deepEqual(hashKey(["TIME", 2.5], ["string", "float64"]), GOLDEN[2]);
});

Deno.test("a filter's file that isn't what the manifest says is refused", () => {
  const filter = BloomFilter.forKeys(10), bytes = filter.bytes();
  const entry = { file: "f", bytes: bytes.length, hashes: filter.hashes, keys: 10, crc32c: crc32c(bytes) };
  const isCorrupt = (error: unknown) => error instanceof TableError && error.code === "CORRUPT";
  const parse = (changed: Uint8Array, more = {}) => () =>
    BloomFilter.parse(changed, { ...entry, crc32c: crc32c(changed), ...more }, "f");
  assert.doesNotThrow(parse(bytes));
  assert.throws(parse(bytes, { crc32c: 1 }), isCorrupt);
  assert.throws(parse(bytes.subarray(0, bytes.length - 1)), isCorrupt);
  assert.throws(parse(bytes.subarray(0, 10), { bytes: 10 }), isCorrupt);
  for (const at of [0, 8, 24, 31]) {
    const changed = bytes.slice();
    changed[at]! ^= 0x40;
    assert.throws(parse(changed), isCorrupt, `byte ${at}`);
  }
});
