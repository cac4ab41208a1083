/**
 * Pictures as PNG with a palette, for SVG to hold: one byte a place, 0 being transparent.
 *
 * | chunk | what |
 * | --- | --- |
 * | IHDR | width, height, 8 bits, palette |
 * | PLTE | 256 colours |
 * | tRNS | colour 0 is transparent |
 * | IDAT | lines, each with a 0 (no filter) in front, deflated |
 * | IEND | |
 *
 * Source: PNG specification (W3C), sections 5 and 11.
 */
import { crc32, deflateSync } from "node:zlib";
import type { Rgb } from "./colours.ts";

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const PALETTE_TYPE = 3, BITS = 8;

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length), view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

/** A PNG of places with numbers of colours; `colours[0]` isn't shown. */
export function palettePng(
  width: number,
  height: number,
  places: Uint8Array,
  colours: readonly Rgb[],
): Uint8Array {
  const header = new Uint8Array(13), view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([BITS, PALETTE_TYPE, 0, 0, 0], 8);
  const lines = new Uint8Array(height * (width + 1));
  for (let y = 0; y < height; y++) {
    lines.set(places.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  }
  const parts = [
    SIGNATURE,
    chunk("IHDR", header),
    chunk("PLTE", Uint8Array.from(colours.flat())),
    chunk("tRNS", Uint8Array.of(0)),
    chunk("IDAT", deflateSync(lines)),
    chunk("IEND", new Uint8Array(0)),
  ];
  const png = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    png.set(part, at);
    at += part.length;
  }
  return png;
}
