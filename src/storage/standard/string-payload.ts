/**
 * What string buckets hold for an array of strings: format reference part 2, section 4.2. Always big endian.
 *
 * | field | type | |
 * | --- | --- | --- |
 * | ndim, shape | i32, ndim × i32 | columns without a fixed shape only |
 * | filled | i32 | the same; 0: the shape was set, all strings are empty, nothing follows |
 * | length, bytes | i32, length × u8 | for each element |
 */
import { elementsOf } from "../../array/rows.ts";
import { MAX_AXES } from "../arrayfile/record-layout.ts";

/** Bytes from the beginning of a payload within which its shape is found. */
export const MAX_SHAPE_BYTES = 4 * (MAX_AXES + 2);

/** Elements that an array without values may have; its size is bounded by nothing in the file. */
export const MAX_UNFILLED_ELEMENTS = 2 ** 24;

/** Says what is wrong with a payload; throws. */
export type Refuse = (message: string) => never;

/** The shape at the beginning of a payload of `length` bytes, of which `bytes` are the first ones. */
export function parsePayloadShape(bytes: Uint8Array, length: number, refuse: Refuse): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const ndim = bytes.length < 4 ? -1 : view.getInt32(0);
  const head = 4 * (ndim + 2);
  if (ndim < 0 || ndim > MAX_AXES || head > bytes.length) {
    refuse(`an array of strings in ${length} bytes has ${ndim} axes, expected 0 to ${MAX_AXES}`);
  }
  const shape = Array.from({ length: ndim }, (_, axis) => view.getInt32(4 + 4 * axis));
  const filled = view.getInt32(head - 4);
  const elements = ndim === 0 ? 0 : elementsOf(shape);
  const most = filled === 1 ? (length - head) / 4 : MAX_UNFILLED_ELEMENTS;
  if (shape.some((axis) => axis < 0) || elements > most || (filled !== 0 && filled !== 1)) {
    refuse(`an array of strings in ${length} bytes has shape [${shape.join(", ")}], filled is ${filled}`);
  }
  // An array without axes has no elements in casacore; a shape without axes is a scalar's here.
  return ndim === 0 ? [0] : shape;
}

/** The strings of a payload, as parts of it. With `axes` it begins with that many axis lengths. */
export function parsePayload(
  bytes: Uint8Array,
  axes: number | null,
  elements: number,
  refuse: Refuse,
): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  if (axes !== null) {
    at = 4 * (view.getInt32(0) + 2);
    if (view.getInt32(at - 4) === 0) return emptyStrings(elements);
  }
  const strings: Uint8Array[] = [];
  for (let i = 0; i < elements; i++) {
    const length = at + 4 <= bytes.length ? view.getInt32(at) : -1;
    at += 4;
    if (length < 0 || at + length > bytes.length) {
      refuse(`string ${i} of ${elements} has ${length} bytes at byte ${at} of ${bytes.length}`);
    }
    strings.push(bytes.subarray(at, at + length));
    at += length;
  }
  return strings;
}

/** Strings without bytes. */
export function emptyStrings(elements: number): Uint8Array[] {
  return new Array<Uint8Array>(elements).fill(new Uint8Array(0));
}

/** The payload of an array. `shape`: it begins with the shape; `values` null: nothing but the shape. */
export function formatPayload(
  shape: readonly number[] | null,
  values: readonly Uint8Array[] | null,
): Uint8Array {
  const head = shape === null ? 0 : 4 * (shape.length + 2);
  const total = (values ?? []).reduce((sum, value) => sum + 4 + value.length, head);
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  if (shape !== null) {
    view.setInt32(0, shape.length);
    shape.forEach((axis, i) => view.setInt32(4 + 4 * i, axis));
    view.setInt32(head - 4, values === null ? 0 : 1);
  }
  let at = head;
  for (const value of values ?? []) {
    view.setInt32(at, value.length);
    bytes.set(value, at + 4);
    at += 4 + value.length;
  }
  return bytes;
}
