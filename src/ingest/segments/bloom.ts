/**
 * Bloom filters of the keys of a segment: a file beside it, `segments/NNNNNN.bloom`, little endian.
 *
 * | offset | type | |
 * | --- | --- | --- |
 * | 0 | 8 B | `TESSBLM` and the byte 1 |
 * | 8 | u32 | k, bits that each key sets |
 * | 12 | u32 | 0 |
 * | 16 | u64 | keys |
 * | 24 | u64 | m, bits, a multiple of 64 |
 * | 32 | 32 B | 0 |
 * | 64 | m / 8 B | the bits, bit b in byte b / 8 with the value 2^(b mod 8) |
 *
 * The bits of a key with the hash (low, high) of key-hash.ts are (low + i × high) mod 2^32 mod m, for i from 0 to k − 1.
 */
import { TableError } from "../../error.ts";
import { crc32c } from "../../array/crc32c.ts";
import type { BloomEntry } from "../manifest/format.ts";
import type { KeyHashes } from "./key-hash.ts";

const MAGIC = Uint8Array.of(0x54, 0x45, 0x53, 0x53, 0x42, 0x4c, 0x4d, 1);
const HEADER_BYTES = 64;
/** 12 bits a key and 8 hashes: by theory (1 − e^(−8/12))^8 = 0.31 % of other keys are taken for one of them. */
const BITS_A_KEY = 12, HASHES = 8;
/** Hashes have 32 bits. */
const MOST_BITS = 2 ** 32 - 64;

/** A set of keys that says "not in it", or "perhaps". */
export class BloomFilter {
  readonly hashes: number;
  /** Keys that were added. */
  readonly keys: number;
  readonly #bits: Uint8Array;
  readonly #count: number;

  private constructor(bits: Uint8Array, hashes: number, keys: number) {
    this.#bits = bits;
    this.#count = bits.length * 8;
    this.hashes = hashes;
    this.keys = keys;
  }

  /** An empty filter for so many keys. */
  static forKeys(keys: number): BloomFilter {
    const bits = Math.min(MOST_BITS, Math.ceil(Math.max(1, keys) * BITS_A_KEY / 64) * 64);
    return new BloomFilter(new Uint8Array(bits / 8), HASHES, keys);
  }

  /** Adds the keys with these hashes. */
  add({ low, high }: KeyHashes): void {
    const bits = this.#bits, count = this.#count, k = this.hashes;
    for (let row = 0; row < low.length; row++) {
      let hash = low[row]!;
      const step = high[row]!;
      for (let i = 0; i < k; i++) {
        const bit = hash % count;
        bits[Math.floor(bit / 8)]! |= 1 << (bit & 7);
        hash = (hash + step) >>> 0;
      }
    }
  }

  /** False when no key with this hash was added. */
  mayHold([low, high]: readonly [low: number, high: number]): boolean {
    let hash = low;
    for (let i = 0; i < this.hashes; i++) {
      const bit = hash % this.#count;
      if ((this.#bits[Math.floor(bit / 8)]! & 1 << (bit & 7)) === 0) return false;
      hash = (hash + high) >>> 0;
    }
    return true;
  }

  /** The file. */
  bytes(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(HEADER_BYTES + this.#bits.length), view = new DataView(bytes.buffer);
    bytes.set(MAGIC);
    view.setUint32(8, this.hashes, true);
    view.setBigUint64(16, BigInt(this.keys), true);
    view.setBigUint64(24, BigInt(this.#count), true);
    bytes.set(this.#bits, HEADER_BYTES);
    return bytes;
  }

  /** Reads a file, which must be what the manifest says. @throws TableError CORRUPT */
  static parse(bytes: Uint8Array, entry: BloomEntry, file: string): BloomFilter {
    const wrong = (message: string, offset?: number): never => {
      throw new TableError("CORRUPT", message, { file, offset });
    };
    if (bytes.length !== entry.bytes || bytes.length < HEADER_BYTES) {
      wrong(`a bloom filter of ${bytes.length} bytes, the manifest says ${entry.bytes}`);
    }
    const found = crc32c(bytes);
    if (found !== entry.crc32c) {
      wrong(`the checksum of the bloom filter is ${found}, the manifest says ${entry.crc32c}`);
    }
    if (MAGIC.some((byte, i) => bytes[i] !== byte)) wrong("this is no bloom filter", 0);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const hashes = view.getUint32(8, true), count = Number(view.getBigUint64(24, true));
    if (hashes !== entry.hashes || hashes < 1 || hashes > 64) {
      wrong(`${hashes} hashes, the manifest says ${entry.hashes}`, 8);
    }
    if (count % 64 !== 0 || count === 0 || count / 8 !== bytes.length - HEADER_BYTES) {
      wrong(`${count} bits in ${bytes.length - HEADER_BYTES} bytes`, 24);
    }
    return new BloomFilter(bytes.subarray(HEADER_BYTES), hashes, Number(view.getBigUint64(16, true)));
  }
}
