/**
 * Hashes of keys: 64 bits, as two words. They stand in bloom filters on disk, so they never change.
 *
 * | part of a key | words, in order |
 * | --- | --- |
 * | bool, numbers but int64 | the float64 of the same value, low word first; −0 is 0, and every NaN the same |
 * | int64 | two's complement, low word first |
 * | string | length of its UTF-8 in bytes, then 4 bytes a word, little endian, the last one filled up with zeros |
 *
 * Each word goes through two mixers of the kind that MurmurHash3 is made of, with constants of their own.
 */
import type { DType } from "../../array/dtype.ts";
import { encodeUtf8 } from "../../format/strings.ts";
import type { KeyValue } from "./types.ts";

/** Values of one key column for some rows; texts may be their bytes. */
export type KeyColumn = ArrayLike<number> | ArrayLike<bigint> | ArrayLike<string> | ArrayLike<Uint8Array>;

const SEED_LOW = 0x9747b28c, SEED_HIGH = 0x3c6ef372;
const scratch = new Float64Array(1), words = new Uint32Array(scratch.buffer);
const LOW = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 0 : 1;

/** Hashes of rows: the two words of each. */
export interface KeyHashes {
  readonly low: Uint32Array;
  readonly high: Uint32Array;
}

function mixLow(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = Math.imul(k << 15 | k >>> 17, 0x1b873593);
  const h = hash ^ k;
  return Math.imul(h << 13 | h >>> 19, 5) + 0xe6546b64 | 0;
}

function mixHigh(hash: number, word: number): number {
  let k = Math.imul(word ^ 0x5bd1e995, 0x239b961b);
  k = Math.imul(k << 17 | k >>> 15, 0xab0e9789);
  const h = hash ^ k;
  return Math.imul(h << 16 | h >>> 16, 9) + 0x38b34ae5 | 0;
}

/** Every bit of the result depends on every bit of the state. */
function finish(h: number): number {
  h = Math.imul(h ^ h >>> 16, 0x85ebca6b);
  h = Math.imul(h ^ h >>> 13, 0xc2b2ae35);
  return (h ^ h >>> 16) >>> 0;
}

/** Mixes a column into the states of the rows. */
function mixColumn(column: KeyColumn, dtype: DType, low: Uint32Array, high: Uint32Array): void {
  const rows = low.length;
  const add = (row: number, word: number) => {
    low[row] = mixLow(low[row]!, word);
    high[row] = mixHigh(high[row]!, word);
  };
  if (dtype === "string") {
    for (let row = 0; row < rows; row++) {
      const value = column[row] as string | Uint8Array;
      const bytes = typeof value === "string" ? encodeUtf8(value) : value;
      add(row, bytes.length);
      for (let at = 0; at < bytes.length; at += 4) {
        // Bytes behind the end are undefined, which the shifts take for 0.
        add(row, bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24);
      }
    }
  } else if (dtype === "int64") {
    for (let row = 0; row < rows; row++) {
      const value = column[row] as bigint;
      add(row, Number(BigInt.asIntN(32, value)));
      add(row, Number(BigInt.asIntN(32, value >> 32n)));
    }
  } else {
    for (let row = 0; row < rows; row++) {
      const value = Number(column[row]);
      scratch[0] = value === 0 ? 0 : value !== value ? NaN : value;
      add(row, words[LOW]!);
      add(row, words[1 - LOW]!);
    }
  }
}

/** Hashes of the keys of `rows` rows, whose columns are given in the order of the store's key. */
export function hashKeys(columns: readonly KeyColumn[], dtypes: readonly DType[], rows: number): KeyHashes {
  const low = new Uint32Array(rows).fill(SEED_LOW), high = new Uint32Array(rows).fill(SEED_HIGH);
  columns.forEach((column, i) => mixColumn(column, dtypes[i]!, low, high));
  for (let row = 0; row < rows; row++) {
    low[row] = finish(low[row]!);
    high[row] = finish(high[row]!);
  }
  return { low, high };
}

/** The hash of one key; a whole number stands for an int64, too. */
export function hashKey(
  key: readonly KeyValue[],
  dtypes: readonly DType[],
): readonly [low: number, high: number] {
  const columns = key.map((value, i): KeyColumn =>
    dtypes[i] === "int64" ? [BigInt(value)] : dtypes[i] === "string" ? [String(value)] : [Number(value)]
  );
  const { low, high } = hashKeys(columns, dtypes, 1);
  return [low[0]!, high[0]!];
}
