/**
 * Arrays inside AipsIO streams: format reference part 1, sections 1.2 and 1.4.
 *
 * | field of object `Array` | type | |
 * | --- | --- | --- |
 * | ndim | uInt | 0: never sized |
 * | origin | Int × ndim | versions 1 and 2 only, ignored |
 * | lengths | uInt × ndim | |
 * | count | uInt | product of the lengths, 0 if ndim is 0 |
 * | values | T × count | first axis fastest; Bool is one bit an element, least significant first |
 *
 * The object's type is `Array`, or a decorated name for record fields. It doesn't always tell the element type
 * (`Array<void>`), so readers take that from the context.
 */
import { arrayClass, type DType, type NumericData, numericInfo, type NumericType } from "../array/dtype.ts";
import type { AipsReader, AipsWriter } from "./aipsio.ts";
import { TableError } from "../error.ts";

/** Values of an array in a stream. */
export type ArrayValue =
  | { readonly dtype: NumericType; readonly shape: readonly number[]; readonly data: NumericData }
  | { readonly dtype: "string"; readonly shape: readonly number[]; readonly data: readonly string[] };

/** Type of an Array object that is a record field, by element type. Records hold no array of uShort. */
const FIELD_TYPE: Readonly<Partial<Record<DType, string>>> = {
  bool: "Array<void>",
  complex64: "Array<void>",
  complex128: "Array<void>",
  uint8: "Array<uChar>",
  int16: "Array<short>",
  int32: "Array<Int>",
  uint32: "Array<uInt>",
  int64: "Array<Int64>",
  float32: "Array<float>",
  float64: "Array<double>",
  string: "Array<String>",
};

const NATIVE_BIG_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;

/** The type string of an Array object of this element type in a record. @throws TableError TYPE_MISMATCH */
export function fieldArrayType(dtype: DType): string {
  const type = FIELD_TYPE[dtype];
  if (type === undefined) throw new TableError("TYPE_MISMATCH", `a record can't hold an array of ${dtype}`);
  return type;
}

/** Reads an Array object of a known element type. */
export function readArray(r: AipsReader, dtype: NumericType | "string"): ArrayValue {
  const at = r.offset;
  const { type, version } = r.begin();
  if (type !== "Array" && !type.startsWith("Array<")) {
    r.fail(`expected an object of type Array, found ${JSON.stringify(type.slice(0, 80))}`, at);
  }
  if (version < 1 || version > 3) r.unsupported(`Array has version ${version}, expected 1 to 3`, at);
  const ndim = r.count(version < 3 ? 8 : 4);
  if (version < 3) r.bytes(4 * ndim);
  const shape: number[] = [];
  let elements = ndim === 0 ? 0 : 1;
  for (let axis = 0; axis < ndim; axis++) {
    const length = r.u32();
    shape.push(length);
    elements *= length;
  }
  const countAt = r.offset;
  const count = r.u32();
  if (count !== elements) {
    r.fail(`an array of shape [${shape.slice(0, 8).join(", ")}] holds ${count} values`, countAt);
  }
  const value: ArrayValue = dtype === "string"
    ? { dtype, shape, data: readStrings(r, count) }
    : { dtype, shape, data: readValues(r, dtype, count) };
  r.end();
  return value;
}

/** Writes an Array object of version 3. */
export function writeArray(w: AipsWriter, type: string, array: ArrayValue): void {
  w.begin(type, 3);
  w.u32(array.shape.length);
  for (const length of array.shape) w.u32(length);
  if (array.dtype === "string") {
    w.u32(array.data.length);
    for (const text of array.data) w.string(text);
  } else {
    w.u32(array.data.length / numericInfo(array.dtype).items);
    writeValues(w, array.dtype, array.data);
  }
  w.end();
}

/** `count` String values. */
export function readStrings(r: AipsReader, count: number): string[] {
  if (4 * count > r.remaining()) {
    r.fail(`${count} strings take at least ${4 * count} bytes, there are ${r.remaining()}`);
  }
  const texts: string[] = new Array(count);
  for (let i = 0; i < count; i++) texts[i] = r.string();
  return texts;
}

/** `count` values without a count in front. */
export function readValues<D extends NumericType>(r: AipsReader, dtype: D, count: number): NumericData<D> {
  const make = arrayClass(dtype) as unknown as new (b: ArrayBuffer) => NumericData<D>;
  if (dtype === "bool") {
    const bits = r.bytes(Math.ceil(count / 8));
    const data = new Uint8Array(count);
    for (let k = 0; k < count; k++) data[k] = (bits[Math.floor(k / 8)]! >> (k % 8)) & 1;
    return data as NumericData<D>;
  }
  const { size, swapUnit } = numericInfo(dtype);
  const bytes = new Uint8Array(r.bytes(count * size));
  if (r.bigEndian !== NATIVE_BIG_ENDIAN) swapInPlace(bytes, swapUnit);
  return new make(bytes.buffer);
}

/** Values without a count in front. */
export function writeValues(w: AipsWriter, dtype: NumericType, data: NumericData): void {
  if (dtype === "bool") {
    const bits = new Uint8Array(Math.ceil(data.length / 8));
    for (let k = 0; k < data.length; k++) if (data[k]) bits[Math.floor(k / 8)]! |= 1 << (k % 8);
    w.bytes(bits);
    return;
  }
  const own = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (w.bigEndian === NATIVE_BIG_ENDIAN) {
    w.bytes(own);
    return;
  }
  const bytes = own.slice();
  swapInPlace(bytes, numericInfo(dtype).swapUnit);
  w.bytes(bytes);
}

/** Reverses groups of bytes; `bytes` begins its buffer. Keyword arrays are too small for a call into the C library. */
function swapInPlace(bytes: Uint8Array<ArrayBuffer>, unit: 1 | 2 | 4 | 8): void {
  if (unit === 2) {
    const words = new Uint16Array(bytes.buffer, 0, bytes.length / 2);
    for (let i = 0; i < words.length; i++) words[i] = (words[i]! << 8) | (words[i]! >> 8);
  } else if (unit > 1) {
    const words = new Uint32Array(bytes.buffer, 0, bytes.length / 4);
    for (let i = 0; i < words.length; i++) {
      const x = words[i]!;
      words[i] = (x << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24);
    }
    for (let i = 0; unit === 8 && i < words.length; i += 2) {
      const x = words[i]!;
      words[i] = words[i + 1]!;
      words[i + 1] = x;
    }
  }
}
