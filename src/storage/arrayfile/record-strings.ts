/**
 * Strings of array records: format reference part 2, section 5. The record holds a u32 file offset for each string,
 * 0 for an empty one; there stands
 *
 * | field | type |
 * | --- | --- |
 * | length | u32 |
 * | bytes | length × u8 |
 */
import { TableError } from "../../error.ts";
import { type Plan, readBytes } from "../../io/plan.ts";
import type { ArrayFile } from "./array-file.ts";
import { ARRAY_HEADER_BYTES } from "./header.ts";

/** Strings that begin within this distance are read together. */
const WINDOW_BYTES = 1 << 16;

/** Bytes read behind the beginning of the last string of a window, in the hope that it ends there. */
const TAIL_BYTES = 256;

/** String offsets are 32 bits. */
const MAX_STRING_OFFSET = 2 ** 32;

const EMPTY = new Uint8Array(0);

/** Hands over the string at each of `places`; the bytes are valid during the call only. */
export function* readStrings(
  file: ArrayFile,
  places: Uint32Array,
  use: (index: number, bytes: Uint8Array) => void,
): Plan<void> {
  const order = Uint32Array.from(places, (_, i) => i);
  order.sort((a, b) => places[a]! - places[b]! || a - b);
  let window: Uint8Array = EMPTY;
  let view = new DataView(window.buffer);
  let begin = 0, total = 0, previous = 0;
  const load = function* (from: number, length: number): Plan<void> {
    window = yield* readBytes(file.file, from, Math.min(length, file.length - from));
    view = new DataView(window.buffer, window.byteOffset, window.byteLength);
    begin = from;
  };
  for (let k = 0; k < order.length; k++) {
    const index = order[k]!;
    const place = places[index]!;
    if (place === 0) {
      use(index, EMPTY);
      continue;
    }
    if (place < ARRAY_HEADER_BYTES || place + 4 > file.length) refuse(file, place, "begins");
    if (place < begin || place + 4 > begin + window.length) {
      yield* load(place, windowBytes(places, order, k));
    }
    const length = view.getUint32(place - begin, !file.bigEndian);
    if (place + 4 + length > file.length) refuse(file, place, `of ${length} bytes begins`);
    if (place + 4 + length > begin + window.length) yield* load(place, 4 + length);
    if (place !== previous) total += length;
    previous = place;
    // Each byte belongs to one string: more than there are means that damaged offsets point into other strings.
    if (total > file.length) {
      throw new TableError("CORRUPT", `strings overlap: they have more than ${file.length} bytes together`, {
        file: file.path,
        offset: place,
      });
    }
    const at = place - begin + 4;
    use(index, window.subarray(at, at + length));
  }
}

/** Bytes to read from the k-th string on: up to the last one that begins within a window's length. */
function windowBytes(places: Uint32Array, order: Uint32Array, k: number): number {
  const first = places[order[k]!]!;
  let low = k, high = order.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (places[order[middle]!]! - first <= WINDOW_BYTES) low = middle;
    else high = middle - 1;
  }
  return places[order[low]!]! - first + 4 + TAIL_BYTES;
}

function refuse(file: ArrayFile, place: number, what: string): never {
  throw new TableError(
    "CORRUPT",
    `a string ${what} at offset ${place}, outside the ${file.length} bytes in use`,
    { file: file.path, offset: place },
  );
}

/** Puts `count` strings at the end of the file and returns their offsets. @throws TableError LIMIT beyond 4 GiB */
export function* appendStrings(
  file: ArrayFile,
  values: readonly Uint8Array[],
  at: number,
  count: number,
): Plan<Uint32Array> {
  const places = new Uint32Array(count);
  let bytes = 0;
  for (let i = 0; i < count; i++) bytes += 4 + values[at + i]!.length;
  if (file.length + bytes > MAX_STRING_OFFSET) {
    throw new TableError("LIMIT", `strings can't stand behind the first 4 GiB of an array file`, {
      file: file.path,
      offset: file.length,
    });
  }
  const chunk = new Uint8Array(bytes);
  const view = new DataView(chunk.buffer);
  const begin = file.length;
  let end = 0;
  for (let i = 0; i < count; i++) {
    const value = values[at + i]!;
    places[i] = begin + end;
    view.setUint32(end, value.length, !file.bigEndian);
    chunk.set(value, end + 4);
    end += 4 + value.length;
  }
  if (bytes > 0) yield { kind: "write", file: file.file, offset: begin, bytes: chunk };
  file.grow(begin + bytes);
  file.fileBytes = Math.max(file.fileBytes, begin + bytes);
  return places;
}
