/**
 * CRC-32C in TypeScript: the twin of the loop in `ffi/crc32c.c`. Eight bytes a step, each looked up in a table of its own.
 */

/** Castagnoli's polynomial, least significant bit first. */
const POLYNOMIAL = 0x82f63b78;

/** TABLES[256·k + byte]: what a byte does to the register when k further bytes follow it. */
const TABLES = makeTables();

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let register = byte;
    for (let bit = 0; bit < 8; bit++) register = register & 1 ? register >>> 1 ^ POLYNOMIAL : register >>> 1;
    tables[byte] = register;
  }
  for (let i = 256; i < tables.length; i++) {
    const shorter = tables[i - 256]!;
    tables[i] = shorter >>> 8 ^ tables[shorter & 0xff]!;
  }
  return tables;
}

/** The checksum of `bytes` behind bytes whose checksum is `seed`. */
export function crc32cTwin(bytes: Uint8Array, seed: number): number {
  const t = TABLES, { length } = bytes;
  let register = ~seed, i = 0;
  for (const end = length - length % 8; i < end; i += 8) {
    register ^= bytes[i]! | bytes[i + 1]! << 8 | bytes[i + 2]! << 16 | bytes[i + 3]! << 24;
    register = t[1792 + (register & 0xff)]! ^ t[1536 + (register >>> 8 & 0xff)]! ^
      t[1280 + (register >>> 16 & 0xff)]! ^ t[1024 + (register >>> 24)]! ^ t[768 + bytes[i + 4]!]! ^
      t[512 + bytes[i + 5]!]! ^ t[256 + bytes[i + 6]!]! ^ t[bytes[i + 7]!]!;
  }
  for (; i < length; i++) register = register >>> 8 ^ t[(register ^ bytes[i]!) & 0xff]!;
  return ~register >>> 0;
}
