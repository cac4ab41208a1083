/**
 * Bits and byte order in TypeScript: the twins of `ffi/bits.c` and `ffi/swap.c`, for where the C library is missing.
 * They don't check: the callers have.
 *
 * | on disk | in memory |
 * | --- | --- |
 * | bit k of byte n, least significant first | byte 8n + k, 0 or 1 |
 */

/** Four bits as four bytes of a 32-bit word, in the machine's own byte order. */
const SPREAD = new Uint32Array(
  Uint8Array.from({ length: 64 }, (_, i) => ((i >> 2) >> (i & 3)) & 1).buffer,
);

/** `count` bits from bit `bitOffset` of `source` to bytes of 0 and 1 from `at` of `target`. */
export function unpackBits(
  source: Uint8Array,
  bitOffset: number,
  target: Uint8Array,
  at: number,
  count: number,
): void {
  let bit = bitOffset;
  const end = at + count;
  let to = at;
  // Whole words need an aligned target; the bits before it go one by one.
  const aligned = Math.min(end, at + ((4 - ((target.byteOffset + at) & 3)) & 3));
  for (; to < aligned; to++, bit++) target[to] = (source[Math.floor(bit / 8)]! >> (bit % 8)) & 1;

  const groups = Math.floor((end - to) / 8);
  if (groups > 0) {
    const words = new Uint32Array(target.buffer, target.byteOffset + to, groups * 2);
    const shift = bit % 8;
    let byte = Math.floor(bit / 8);
    let low = source[byte++]! >> shift;
    for (let i = 0; i < words.length; i += 2) {
      // Eight bits from two neighbouring bytes; the last group of an unshifted row has no neighbour and needs none.
      const next = source[byte++] ?? 0;
      const bits = low | (next << (8 - shift));
      words[i] = SPREAD[bits & 15]!;
      words[i + 1] = SPREAD[(bits >> 4) & 15]!;
      low = next >> shift;
    }
    to += groups * 8;
    bit += groups * 8;
  }
  for (; to < end; to++, bit++) target[to] = (source[Math.floor(bit / 8)]! >> (bit % 8)) & 1;
}

/** `count` bytes (zero or not) from `at` of `source` to bits from bit `bitOffset` of `target`. */
export function packBits(
  source: Uint8Array,
  at: number,
  target: Uint8Array,
  bitOffset: number,
  count: number,
): void {
  const end = at + count;
  let from = at, bit = bitOffset;
  for (; from < end && bit % 8 !== 0; from++, bit++) setBit(target, bit, source[from]!);
  let byte = bit / 8;
  for (; from + 8 <= end; from += 8, bit += 8) {
    target[byte++] = (source[from]! && 1) | (source[from + 1]! && 2) | (source[from + 2]! && 4) |
      (source[from + 3]! && 8) | (source[from + 4]! && 16) | (source[from + 5]! && 32) |
      (source[from + 6]! && 64) | (source[from + 7]! && 128);
  }
  for (; from < end; from++, bit++) setBit(target, bit, source[from]!);
}

/** Sets bit `bit` of `target` to whether `value` is not zero. */
export function setBit(target: Uint8Array, bit: number, value: number): void {
  const mask = 1 << (bit & 7), byte = (bit - (bit & 7)) / 8;
  target[byte] = value === 0 ? target[byte]! & ~mask : target[byte]! | mask;
}

/** Reverses each group of `unit` bytes in place. */
export function swapBytes(bytes: Uint8Array, unit: 2 | 4 | 8): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (unit === 2) {
    for (let i = 0; i < bytes.length; i += 2) view.setUint16(i, view.getUint16(i, true));
  } else if (unit === 4) {
    for (let i = 0; i < bytes.length; i += 4) view.setUint32(i, view.getUint32(i, true));
  } else {
    for (let i = 0; i < bytes.length; i += 8) {
      const low = view.getUint32(i, true);
      view.setUint32(i, view.getUint32(i + 4, true));
      view.setUint32(i + 4, low);
    }
  }
}
