/**
 * Text on disk is bytes without a declared encoding (format reference part 1, section 1.1): UTF-8 in practice.
 *
 * | policy | a byte sequence becomes | and back |
 * | --- | --- | --- |
 * | `utf8` | its characters; a byte b that isn't part of valid UTF-8 becomes the lone surrogate U+DC00 + b | the same bytes |
 * | `latin1` | one character U+0000 … U+00FF a byte | the same bytes; any other character is refused |
 * | `bytes` | a Uint8Array | the same bytes |
 *
 * Every policy gives back exactly the bytes it was given. For `utf8` that is what the surrogates are for: valid UTF-8
 * never holds one, so they mark undecodable bytes without a second value beside the string (Python calls the same
 * convention "surrogateescape").
 */
import { TableError } from "../error.ts";

/** How text on disk appears in JavaScript. */
export type StringPolicy = "utf8" | "latin1" | "bytes";

/** The value of a text under each policy. */
export type TextOf<P extends StringPolicy> = P extends "bytes" ? Uint8Array : string;

/** Longest text that becomes a JavaScript string: V8's limit on the length of a string, in characters. */
export const MAX_TEXT_BYTES = 536_870_888;

/** Up to this many bytes a loop over ASCII is faster than a call of TextDecoder. */
const SHORT_BYTES = 48;

/** Characters handed to String.fromCharCode in one call; more could overflow the stack. */
const CHUNK_CHARS = 4096;

/** U+DC00: added to a byte that isn't part of valid UTF-8. */
const ESCAPE_BASE = 0xdc00;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** True when the bytes are valid UTF-8. */
export function isValidUtf8(bytes: Uint8Array): boolean {
  if (isAscii(bytes)) return true;
  try {
    strict.decode(plain(bytes));
    return true;
  } catch {
    return false;
  }
}

/** True when the text holds bytes that weren't valid UTF-8 when it was decoded under policy `utf8`. */
export function hasEscapedBytes(text: string): boolean {
  return !text.isWellFormed() && /(?<![\ud800-\udbff])[\udc80-\udcff]/.test(text);
}

/** The text for people to read: escaped bytes appear as the Latin-1 characters that they probably are. */
export function readableText(text: string): string {
  if (text.isWellFormed()) return text;
  return text.replace(
    /(?<![\ud800-\udbff])[\udc80-\udcff]/g,
    (escaped) => String.fromCharCode(escaped.charCodeAt(0) - ESCAPE_BASE),
  ).toWellFormed();
}

/**
 * Text of bytes under a policy.
 *
 * @param bytes The bytes; policy `bytes` gives a copy of them.
 * @throws TableError LIMIT for more bytes than a JavaScript string has room for.
 */
export function decodeText<P extends StringPolicy>(bytes: Uint8Array, policy: P): TextOf<P>;
export function decodeText(bytes: Uint8Array, policy: StringPolicy): string | Uint8Array {
  if (policy === "bytes") return bytes.slice();
  return policy === "utf8" ? decodeUtf8(bytes) : decodeLatin1(bytes);
}

/** Text of bytes under policy `utf8`. @throws TableError LIMIT */
export function decodeUtf8(bytes: Uint8Array): string {
  const n = bytes.length;
  if (n <= SHORT_BYTES) {
    let text = "";
    let i = 0;
    for (; i < n; i++) {
      const byte = bytes[i]!;
      if (byte >= 0x80) break;
      text += String.fromCharCode(byte);
    }
    if (i === n) return text;
  }
  checkLength(n);
  try {
    return strict.decode(plain(bytes));
  } catch {
    return decodeEscaping(bytes);
  }
}

/** Text of bytes under policy `latin1`. @throws TableError LIMIT */
export function decodeLatin1(bytes: Uint8Array): string {
  checkLength(bytes.length);
  let text = "";
  for (let i = 0; i < bytes.length; i += CHUNK_CHARS) {
    text += String.fromCharCode(...bytes.subarray(i, i + CHUNK_CHARS));
  }
  return text;
}

/**
 * Bytes of a text under a policy. A Uint8Array passes through under every policy.
 *
 * @throws TableError INVALID_ARGUMENT for a character past U+00FF under `latin1`, or a string under `bytes`.
 */
export function encodeText(text: string | Uint8Array, policy: StringPolicy = "utf8"): Uint8Array {
  if (typeof text !== "string") return text;
  if (policy === "utf8") return encodeUtf8(text);
  if (policy === "bytes") {
    throw new TableError("INVALID_ARGUMENT", `found a string, expected a Uint8Array (strings: "bytes")`);
  }
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0xff) {
      throw new TableError(
        "INVALID_ARGUMENT",
        `character ${i} of a string is U+${
          unit.toString(16).padStart(4, "0")
        }, expected at most U+00ff (latin1)`,
      );
    }
    bytes[i] = unit;
  }
  return bytes;
}

/** Texts of up to this many characters take longer to hand to the engine's encoder than to encode, if they are ASCII. */
const SHORT_TEXT = 48;

/** Bytes of a text under policy `utf8`; a lone surrogate that stands for no byte becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  if (text.length <= SHORT_TEXT) {
    const bytes = new Uint8Array(text.length);
    let i = 0;
    for (let unit; i < text.length && (unit = text.charCodeAt(i)) < 0x80; i++) bytes[i] = unit;
    if (i === text.length) return bytes;
  }
  if (text.isWellFormed()) return encoder.encode(text) as Uint8Array<ArrayBuffer>;
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit <= 0xdbff) {
      const next = text.charCodeAt(i + 1);
      if (next >= 0xdc00 && next <= 0xdfff) i++;
    } else if (unit >= ESCAPE_BASE + 0x80 && unit <= ESCAPE_BASE + 0xff) {
      pieces.push(encoder.encode(text.slice(from, i)), Uint8Array.of(unit - ESCAPE_BASE));
      from = i + 1;
    }
  }
  pieces.push(encoder.encode(text.slice(from)));
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

function isAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i]! >= 0x80) return false;
  return true;
}

function checkLength(bytes: number): void {
  if (bytes > MAX_TEXT_BYTES) {
    throw new TableError("LIMIT", `a text has ${bytes} bytes, expected at most ${MAX_TEXT_BYTES}`);
  }
}

/** TextDecoder takes no view of shared memory. */
function plain(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? bytes as Uint8Array<ArrayBuffer> : new Uint8Array(bytes);
}

/** The slow way, for text with bytes that aren't valid UTF-8. */
function decodeEscaping(bytes: Uint8Array): string {
  const pieces: string[] = [];
  let units: number[] = [];
  let i = 0;
  while (i < bytes.length) {
    const length = sequenceLength(bytes, i);
    if (length === 0) {
      units.push(ESCAPE_BASE + bytes[i]!);
      i++;
    } else {
      const point = codePoint(bytes, i, length);
      if (point < 0x10000) units.push(point);
      else units.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff));
      i += length;
    }
    if (units.length >= CHUNK_CHARS) {
      pieces.push(String.fromCharCode(...units));
      units = [];
    }
  }
  pieces.push(String.fromCharCode(...units));
  return pieces.join("");
}

/** Bytes of the valid UTF-8 sequence at `i`, 0 if there is none (Unicode 15, table 3-7). */
function sequenceLength(bytes: Uint8Array, i: number): number {
  const first = bytes[i]!;
  if (first < 0x80) return 1;
  const second = bytes[i + 1] ?? 0;
  if (first >= 0xc2 && first <= 0xdf) return isTail(second) ? 2 : 0;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  if (first >= 0xe0 && first <= 0xef) return isTail(bytes[i + 2] ?? 0) ? 3 : 0;
  if (first >= 0xf0 && first <= 0xf4) return isTail(bytes[i + 2] ?? 0) && isTail(bytes[i + 3] ?? 0) ? 4 : 0;
  return 0;
}

function isTail(byte: number): boolean {
  return byte >= 0x80 && byte <= 0xbf;
}

function codePoint(bytes: Uint8Array, i: number, length: number): number {
  const first = bytes[i]!;
  if (length === 1) return first;
  let point = first & (0xff >> (length + 1));
  for (let k = 1; k < length; k++) point = (point << 6) | (bytes[i + k]! & 0x3f);
  return point;
}
