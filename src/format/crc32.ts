/**
 * The checksum of MultiFile containers (format reference part 5, section 4.5): CRC-32 in the variant called
 * CRC-32/BZIP2. Polynomial 0x04C11DB7, most significant bit first, begun with all ones and inverted at the end.
 */

const POLYNOMIAL = 0x04c11db7;
const ALL_ONES = 0xffffffff;

/** What a byte that leaves the register at its upper end does to the rest. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let register = byte << 24;
  for (let bit = 0; bit < 8; bit++) register = register < 0 ? register << 1 ^ POLYNOMIAL : register << 1;
  return register >>> 0;
});

/** The checksum of some bytes, 0 to 2^32 - 1; of the pieces of something longer with {@linkcode Crc32}. */
export function crc32(bytes: Uint8Array): number {
  const crc = new Crc32();
  crc.add(bytes);
  return crc.value;
}

/** The checksum of bytes that come in pieces. */
export class Crc32 {
  #register = ALL_ONES;

  /** Takes the next bytes. */
  add(bytes: Uint8Array): void {
    let register = this.#register;
    for (let i = 0; i < bytes.length; i++) register = register << 8 ^ TABLE[register >>> 24 ^ bytes[i]!]!;
    this.#register = register;
  }

  /** The checksum of what was taken so far. */
  get value(): number {
    return ~this.#register >>> 0;
  }
}
