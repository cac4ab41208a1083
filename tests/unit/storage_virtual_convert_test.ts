/**
 * C++ casts and scaling, against slow models: exact integers and fractions, rounded by hand.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  arrayClass,
  NUMERIC_TYPES,
  type NumericData,
  numericInfo,
  type NumericType,
} from "../../src/array/dtype.ts";
import { convert, convertible } from "../../src/storage/virtual/convert.ts";
import { commonType, partType, scaleCells } from "../../src/storage/virtual/linear.ts";

const BITS: Partial<Record<NumericType, [bits: number, signed: boolean]>> = {
  uint8: [8, false],
  int16: [16, true],
  uint16: [16, false],
  int32: [32, true],
  uint32: [32, false],
  int64: [64, true],
};

function arrayOf(dtype: NumericType, items: readonly (number | bigint)[]): NumericData {
  const make = arrayClass(dtype) as unknown as { from(list: readonly unknown[]): NumericData };
  return make.from(dtype === "int64" ? items.map((item) => BigInt(item)) : items.map(Number));
}

function cast(from: NumericType, source: NumericData, to: NumericType): NumericData {
  const target = new (arrayClass(to))(source.length) as NumericData;
  convert(from, source, to, target);
  return target;
}

/** The nearest number with `digits` binary digits, ties to even. */
function rounded(value: bigint, digits: number): number {
  const size = value < 0n ? -value : value;
  const drop = BigInt(Math.max(0, size.toString(2).length - digits));
  const kept = size >> drop, rest = size - (kept << drop), half = drop === 0n ? 1n : 1n << (drop - 1n);
  const up = drop > 0n && (rest > half || (rest === half && (kept & 1n) === 1n)) ? 1n : 0n;
  const result = Number((kept + up) << drop);
  return value < 0n ? -result : result;
}

/** What x86-64 makes of a float that is cast to an integer type. */
function truncated(value: number, to: NumericType): bigint {
  const [bits, signed] = BITS[to]!;
  const register = to === "uint32" || to === "int64" ? 64 : 32;
  const limit = 2 ** (register - 1);
  const whole = Math.trunc(value) >= -limit && Math.trunc(value) < limit
    ? BigInt(Math.trunc(value))
    : -(1n << BigInt(register - 1));
  return signed ? BigInt.asIntN(bits, whole) : BigInt.asUintN(bits, whole);
}

const integers = Object.keys(BITS) as NumericType[];
const anyInteger = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.integer().map(BigInt),
  // Halfway between two singles, but for a bit that a double has no room for.
  fc.integer({ min: 0, max: 0xffff }).map((k) => (1n << 62n) + (BigInt(k) << 40n) + (1n << 38n) + 1n),
);

Deno.test("integers become the nearest single and double", () => {
  fc.assert(fc.property(fc.constantFrom(...integers), anyInteger, (from, value) => {
    const source = arrayOf(from, [wrapped(value, from)]);
    const exact = BigInt(source[0]!);
    assert.equal(cast(from, source, "float32")[0], rounded(exact, 24));
    assert.equal(cast(from, source, "float64")[0], rounded(exact, 53));
  }));
});

function wrapped(value: bigint, dtype: NumericType): bigint {
  const [bits, signed] = BITS[dtype]!;
  return signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
}

Deno.test("integers keep their low bits in a shorter type, and their value in a longer one", () => {
  fc.assert(
    fc.property(fc.constantFrom(...integers), fc.constantFrom(...integers), anyInteger, (from, to, value) => {
      const source = arrayOf(from, [wrapped(value, from)]);
      assert.equal(BigInt(cast(from, source, to)[0]!), wrapped(BigInt(source[0]!), to));
    }),
  );
});

const anyFloat = fc.oneof(
  fc.double(),
  fc.double({ min: -5e9, max: 5e9 }),
  fc.double({ min: -2e19, max: 2e19 }),
  fc.constantFrom(
    ...[31, 32, 63, 64].flatMap((n) => [2 ** n, 2 ** n - 1, -(2 ** n), -(2 ** n) - 1, -(2 ** n) - 0.5]),
  ),
);

Deno.test("floats are cut towards zero; out of range they become what x86-64 makes of them", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("float32", "float64"),
      fc.constantFrom(...integers),
      anyFloat,
      (from, to, value) => {
        const source = arrayOf(from, [value]);
        assert.equal(BigInt(cast(from, source, to)[0]!), truncated(Number(source[0]), to));
      },
    ),
  );
});

Deno.test("anything but zero is true", () => {
  for (const from of NUMERIC_TYPES) {
    if (!convertible(from, "bool")) continue;
    assert.deepEqual([...cast(from, arrayOf(from, [0, 1]), "bool")], [0, 1], from);
  }
  assert.deepEqual([...cast("float32", Float32Array.of(NaN, -0, 1e-45), "bool")], [1, 0, 1]);
});

Deno.test("complex values are cast part by part, to complex types only", () => {
  assert.deepEqual([...cast("complex128", Float64Array.of(0.1, 1e39), "complex64")], [
    Math.fround(0.1),
    Infinity,
  ]);
  for (const from of NUMERIC_TYPES) {
    for (const to of NUMERIC_TYPES) {
      assert.equal(convertible(from, to), numericInfo(from).items === numericInfo(to).items);
    }
  }
});

Deno.test("the common type is that of C++", () => {
  const table: [NumericType, NumericType, string][] = [
    ["uint8", "int16", "int32"],
    ["int16", "int16", "int32"],
    ["uint32", "int32", "uint32"],
    ["uint32", "int64", "int64"],
    ["int64", "float32", "float32"],
    ["float32", "float64", "float64"],
    ["bool", "uint8", "int32"],
  ];
  for (const [a, b, common] of table) {
    assert.equal(commonType(a, b), common);
    assert.equal(commonType(b, a), common);
  }
  assert.deepEqual((["complex64", "complex128", "int16"] as const).map(partType), [
    "float32",
    "float64",
    "int16",
  ]);
});

Deno.test("cells are scaled each by its own factors, or all by the same", () => {
  fc.assert(fc.property(
    fc.constantFrom("int32", "uint32", "int64", "float32", "float64"),
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 4 }),
    fc.boolean(),
    fc.boolean(),
    fc.boolean(),
    fc.infiniteStream(fc.integer({ min: -100, max: 100 })),
    (common, cells, each, perScale, perOffset, pairs, stream) => {
      if (pairs && !common.startsWith("float")) return;
      const items = pairs ? 2 : 1;
      const numbers = (count: number) => Array.from({ length: count }, () => stream.next().value);
      const values = numbers(cells * each * items);
      const scales = numbers(items * (perScale ? cells : 1)),
        offsets = numbers(items * (perOffset ? cells : 1));
      const expected = values.map((value, i) => {
        const cell = Math.floor(i / (each * items)), part = i % items;
        const s = scales[(perScale ? cell * items : 0) + part]!;
        const o = offsets[(perOffset ? cell * items : 0) + part]!;
        return value * s + o;
      });
      const work = arrayOf(common, values);
      scaleCells(
        common,
        work,
        each * items,
        { values: arrayOf(common, scales), perCell: perScale },
        { values: arrayOf(common, offsets), perCell: perOffset },
        pairs,
      );
      // Sums of small numbers are exact; the sign of zeros has a test of its own.
      assert.deepEqual(
        [...work].map((item) => Number(item) + 0),
        [...arrayOf(common, expected)].map((item) => Number(item) + 0),
      );
    },
  ));
});

Deno.test("integers wrap around, as unsigned ones do in C++", () => {
  fc.assert(fc.property(
    fc.constantFrom("int32", "uint32", "int64"),
    anyInteger,
    anyInteger,
    anyInteger,
    (common, value, scale, offset) => {
      const [v, s, o] = [value, scale, offset].map((each) => wrapped(each, common));
      const work = arrayOf(common, [v!]);
      const factor = (each: bigint) => ({ values: arrayOf(common, [each]), perCell: false });
      scaleCells(common, work, 1, factor(s!), factor(o!));
      assert.equal(BigInt(work[0]!), wrapped(v! * s! + o!, common));
    },
  ));
});
