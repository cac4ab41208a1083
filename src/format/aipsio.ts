/**
 * AipsIO, casacore's object stream: format reference part 1, section 1.
 *
 * A root object; a nested one has no magic:
 *
 * | field | type | |
 * | --- | --- | --- |
 * | magic | uInt | 0xBEBEBEBE |
 * | length | uInt | bytes from this field to the end of the body; the magic's value: unknown |
 * | type | String | |
 * | version | uInt | |
 * | body | … | |
 *
 * Scalars are packed without padding, big endian in `table.dat` and `table.lock`; some data managers write theirs in
 * the byte order of the table. A String is a uInt count and that many bytes.
 */
import { TableError } from "../error.ts";
import { decodeUtf8, encodeUtf8, MAX_TEXT_BYTES } from "./strings.ts";

/** First word of a root object, and the length of an object whose writer could not seek back. */
export const AIPS_MAGIC = 0xbebebebe;

/** Levels of records that are read and written. */
export const MAX_RECORD_DEPTH = 256;

/**
 * Objects that may be open at once: a record at the deepest level has two objects open for each level around it when it
 * is described inside its parent, and a few more for the table around the records.
 */
export const MAX_OPEN_OBJECTS = 2 * MAX_RECORD_DEPTH + 16;

/** Lengths are 32 bits and wrap in longer objects. */
const LENGTH_MODULUS = 2 ** 32;

/** Bytes of an object header without its type: length, count of the type's bytes, version. */
const HEADER_BYTES = 12;

/** Largest axis that an IPosition of version 1 holds. */
const MAX_INT = 0x7fffffff;

/** Type and version of an object. */
export interface ObjectHeader {
  readonly type: string;
  readonly version: number;
}

interface Frame {
  readonly type: string;
  /** Position of the length field. */
  readonly start: number;
  /** The length field, or -1 if it says "unknown". */
  readonly length: number;
  /** End of what may be read: that of the object, or that of its parent when its own can't be known. */
  readonly limit: number;
}

/** Reads AipsIO objects from bytes. Every way in which the bytes can be wrong gives a TableError with file and offset. */
export class AipsReader {
  /** Position in the bytes. */
  offset: number;
  /** The file that errors name. */
  readonly file: string;
  /** Byte order of the stream. */
  readonly bigEndian: boolean;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #base: number;
  readonly #frames: Frame[] = [];
  #limit: number;

  /**
   * @param options.offset Where to start in `bytes`.
   * @param options.base Offset of `bytes[0]` in the file, for messages.
   */
  constructor(
    bytes: Uint8Array,
    options: { file: string; bigEndian?: boolean; offset?: number; base?: number },
  ) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#base = options.base ?? 0;
    this.#limit = bytes.length;
    this.file = options.file;
    this.bigEndian = options.bigEndian ?? true;
    this.offset = options.offset ?? 0;
  }

  /** Opens a root object. @throws TableError CORRUPT without the magic, or if the type is none of the expected. */
  root(expected?: string | readonly string[]): ObjectHeader {
    const at = this.offset;
    const magic = this.u32();
    if (magic !== AIPS_MAGIC) this.fail(`expected magic 0xbebebebe, found ${hex(magic)}`, at);
    return this.begin(expected);
  }

  /** Opens a nested object. @throws TableError CORRUPT, or LIMIT for too many open objects. */
  begin(expected?: string | readonly string[]): ObjectHeader {
    const start = this.offset;
    if (this.#frames.length >= MAX_OPEN_OBJECTS) {
      throw new TableError(
        "LIMIT",
        `objects are nested deeper than ${MAX_OPEN_OBJECTS} levels`,
        this.place(start),
      );
    }
    const room = this.#limit - start;
    const length = this.u32();
    const unknown = length === AIPS_MAGIC;
    // A length that could have wrapped says nothing about the end.
    const limit = unknown || room >= LENGTH_MODULUS ? this.#limit : start + length;
    if (limit > this.#limit) {
      this.fail(`an object is said to be ${length} bytes long, there are ${room}`, start);
    }
    const typeAt = this.offset;
    const type = this.string();
    if (
      expected !== undefined && !(typeof expected === "string" ? type === expected : expected.includes(type))
    ) {
      const names = typeof expected === "string" ? [expected] : expected;
      this.fail(
        `expected an object of type ${names.join(" or ")}, found ${JSON.stringify(type.slice(0, 80))}`,
        typeAt,
      );
    }
    const version = this.u32();
    if (this.offset > limit) {
      this.fail(`an object is said to be ${length} bytes long, its header takes more`, start);
    }
    this.#frames.push({ type, start, length: unknown ? -1 : length, limit });
    this.#limit = limit;
    return { type, version };
  }

  /** Closes the innermost object. @throws TableError CORRUPT unless it was read to its end exactly. */
  end(): void {
    const frame = this.#frames.pop();
    if (frame === undefined) throw new Error("end() without an open object");
    this.#limit = this.#frames.at(-1)?.limit ?? this.#bytes.length;
    const consumed = this.offset - frame.start;
    if (frame.length >= 0 && consumed % LENGTH_MODULUS !== frame.length) {
      this.fail(
        `object ${frame.type} at offset ${
          this.#base + frame.start
        } is said to be ${frame.length} bytes long, ` +
          `its content takes ${consumed}`,
      );
    }
  }

  /** Type of the nested object that starts here; nothing is consumed. */
  peekType(): string {
    const at = this.offset;
    this.u32();
    const type = this.string();
    this.offset = at;
    return type;
  }

  /** Bytes left in the innermost open object, or in all. */
  remaining(): number {
    return this.#limit - this.offset;
  }

  bool(): boolean {
    return (this.u8() & 1) === 1;
  }
  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }
  i16(): number {
    return this.#view.getInt16(this.#take(2), !this.bigEndian);
  }
  u16(): number {
    return this.#view.getUint16(this.#take(2), !this.bigEndian);
  }
  i32(): number {
    return this.#view.getInt32(this.#take(4), !this.bigEndian);
  }
  u32(): number {
    return this.#view.getUint32(this.#take(4), !this.bigEndian);
  }
  i64(): bigint {
    return this.#view.getBigInt64(this.#take(8), !this.bigEndian);
  }
  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), !this.bigEndian);
  }
  f32(): number {
    return this.#view.getFloat32(this.#take(4), !this.bigEndian);
  }
  f64(): number {
    return this.#view.getFloat64(this.#take(8), !this.bigEndian);
  }

  /** An Int64 as a number. @throws TableError CORRUPT beyond ±2^53. */
  int64(): number {
    return this.#safe(this.i64());
  }

  /** A uInt64 as a number. @throws TableError CORRUPT beyond 2^53. */
  uint64(): number {
    return this.#safe(this.u64());
  }

  /** A String. Bytes that aren't UTF-8 are kept as strings.ts says, so that AipsWriter writes the same bytes again. */
  string(): string {
    const at = this.offset;
    const bytes = this.bytes(this.u32());
    if (bytes.length > MAX_TEXT_BYTES) {
      throw new TableError(
        "LIMIT",
        `a string has ${bytes.length} bytes, expected at most ${MAX_TEXT_BYTES}`,
        this.place(at),
      );
    }
    return decodeUtf8(bytes);
  }

  /** A String as a copy of its bytes. */
  stringBytes(): Uint8Array {
    return this.bytes(this.u32()).slice();
  }

  /** The next `n` bytes, as a view. */
  bytes(n: number): Uint8Array {
    const at = this.#take(n);
    return this.#bytes.subarray(at, at + n);
  }

  /** A uInt that counts things of at least `minBytesEach` bytes. @throws TableError CORRUPT if they don't fit. */
  count(minBytesEach: number): number {
    const at = this.offset;
    const n = this.u32();
    if (n * minBytesEach > this.remaining()) {
      this.fail(`a count of ${n} needs ${n * minBytesEach} bytes or more, there are ${this.remaining()}`, at);
    }
    return n;
  }

  /** An IPosition object of version 1 (Int) or 2 (Int64). Its entries are whole numbers of at least -1. */
  iposition(): number[] {
    const at = this.offset;
    const { version } = this.begin("IPosition");
    if (version !== 1 && version !== 2) {
      throw new TableError(
        "UNSUPPORTED",
        `IPosition has version ${version}, expected 1 or 2`,
        this.place(at),
      );
    }
    const shape: number[] = new Array(this.count(version === 1 ? 4 : 8));
    for (let i = 0; i < shape.length; i++) {
      const axis = version === 1 ? this.i32() : this.int64();
      if (axis < -1) this.fail(`entry ${i} of an IPosition is ${axis}, expected -1 or more`, at);
      shape[i] = axis;
    }
    this.end();
    return shape;
  }

  /** A Block of uInt. */
  blockU32(): Uint32Array {
    const values = new Uint32Array(this.#beginBlock(4));
    for (let i = 0; i < values.length; i++) values[i] = this.u32();
    this.end();
    return values;
  }

  /** A Block of uInt64, as numbers. */
  blockU64(): Float64Array {
    const values = new Float64Array(this.#beginBlock(8));
    for (let i = 0; i < values.length; i++) values[i] = this.uint64();
    this.end();
    return values;
  }

  /** A Block of Int64, as numbers. */
  blockI64(): Float64Array {
    const values = new Float64Array(this.#beginBlock(8));
    for (let i = 0; i < values.length; i++) values[i] = this.int64();
    this.end();
    return values;
  }

  /** A Block of String. */
  blockString(): string[] {
    const values: string[] = new Array(this.#beginBlock(4));
    for (let i = 0; i < values.length; i++) values[i] = this.string();
    this.end();
    return values;
  }

  /** Ends reading: the bytes are not what they should be. `offset` is a position in the bytes, here if left out. */
  fail(message: string, offset = this.offset): never {
    throw new TableError("CORRUPT", message, this.place(offset));
  }

  /** Ends reading: the bytes are of a version or kind that Tessera doesn't know. */
  unsupported(message: string, offset = this.offset): never {
    throw new TableError("UNSUPPORTED", message, this.place(offset));
  }

  #beginBlock(bytesEach: number): number {
    const at = this.offset;
    const { version } = this.begin("Block");
    if (version !== 1) this.unsupported(`Block has version ${version}, expected 1`, at);
    return this.count(bytesEach);
  }

  #safe(value: bigint): number {
    const number = Number(value);
    if (!Number.isSafeInteger(number)) {
      this.fail(`found the number ${value}, expected at most 2^53 - 1`, this.offset - 8);
    }
    return number;
  }

  /** Position of the next `n` bytes, which are consumed. */
  #take(n: number): number {
    const at = this.offset;
    if (n > this.#limit - at) {
      const frame = this.#frames.at(-1);
      this.fail(
        `expected ${n} more bytes${frame === undefined ? "" : ` in object ${frame.type}`}, found ` +
          `${Math.max(0, this.#limit - at)}`,
      );
    }
    this.offset = at + n;
    return at;
  }

  /** Where the reader is, for an error of another code. */
  place(offset = this.offset): { file: string; offset: number } {
    return { file: this.file, offset: this.#base + offset };
  }
}

/** Writes AipsIO objects into a growing buffer. */
export class AipsWriter {
  /** Byte order of the stream. */
  readonly bigEndian: boolean;
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  readonly #starts: number[] = [];

  constructor(options: { bigEndian?: boolean } = {}) {
    this.bigEndian = options.bigEndian ?? true;
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** Opens a root object. */
  root(type: string, version: number): void {
    this.u32(AIPS_MAGIC);
    this.begin(type, version);
  }

  /** Opens a nested object. */
  begin(type: string, version: number): void {
    if (this.#starts.length >= MAX_OPEN_OBJECTS) {
      throw new TableError("LIMIT", `objects are nested deeper than ${MAX_OPEN_OBJECTS} levels`);
    }
    this.#starts.push(this.#length);
    this.u32(0);
    this.string(type);
    this.u32(version);
  }

  /** Closes the innermost object: its length is filled in, modulo 2^32 as casacore does. */
  end(): void {
    const start = this.#starts.pop();
    if (start === undefined) throw new Error("end() without an open object");
    this.#view.setUint32(start, (this.#length - start) % LENGTH_MODULUS, !this.bigEndian);
  }

  bool(value: boolean): void {
    this.u8(value ? 1 : 0);
  }
  u8(value: number): void {
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
  }
  i16(value: number): void {
    const at = this.#grow(2);
    this.#view.setInt16(at, value, !this.bigEndian);
  }
  u16(value: number): void {
    const at = this.#grow(2);
    this.#view.setUint16(at, value, !this.bigEndian);
  }
  i32(value: number): void {
    const at = this.#grow(4);
    this.#view.setInt32(at, value, !this.bigEndian);
  }
  u32(value: number): void {
    const at = this.#grow(4);
    this.#view.setUint32(at, value, !this.bigEndian);
  }
  i64(value: bigint | number): void {
    const at = this.#grow(8);
    this.#view.setBigInt64(at, BigInt(value), !this.bigEndian);
  }
  u64(value: bigint | number): void {
    const at = this.#grow(8);
    this.#view.setBigUint64(at, BigInt(value), !this.bigEndian);
  }
  f32(value: number): void {
    const at = this.#grow(4);
    this.#view.setFloat32(at, value, !this.bigEndian);
  }
  f64(value: number): void {
    const at = this.#grow(8);
    this.#view.setFloat64(at, value, !this.bigEndian);
  }

  /** A String: a text as UTF-8 (see strings.ts), or bytes as they are. */
  string(value: string | Uint8Array): void {
    const bytes = typeof value === "string" ? encodeUtf8(value) : value;
    this.u32(bytes.length);
    this.bytes(bytes);
  }

  /** Bytes as they are. */
  bytes(value: Uint8Array): void {
    const at = this.#grow(value.length);
    this.#bytes.set(value, at);
  }

  /** An IPosition object, version 2 exactly if an entry needs it. */
  iposition(shape: readonly number[]): void {
    const wide = shape.some((axis) => axis > MAX_INT);
    this.begin("IPosition", wide ? 2 : 1);
    this.u32(shape.length);
    for (const axis of shape) {
      if (wide) this.i64(axis);
      else this.i32(axis);
    }
    this.end();
  }

  /** A Block of uInt. */
  blockU32(values: ArrayLike<number>): void {
    this.begin("Block", 1);
    this.u32(values.length);
    for (let i = 0; i < values.length; i++) this.u32(values[i]!);
    this.end();
  }

  /** A Block of uInt64. */
  blockU64(values: ArrayLike<number>): void {
    this.begin("Block", 1);
    this.u32(values.length);
    for (let i = 0; i < values.length; i++) this.u64(values[i]!);
    this.end();
  }

  /** A Block of Int64. */
  blockI64(values: ArrayLike<number>): void {
    this.begin("Block", 1);
    this.u32(values.length);
    for (let i = 0; i < values.length; i++) this.i64(values[i]!);
    this.end();
  }

  /** A Block of String. */
  blockString(values: readonly string[]): void {
    this.begin("Block", 1);
    this.u32(values.length);
    for (const value of values) this.string(value);
    this.end();
  }

  /** What was written. Every object must be closed. */
  finish(): Uint8Array<ArrayBuffer> {
    if (this.#starts.length > 0) throw new Error(`finish() with ${this.#starts.length} open objects`);
    return this.#bytes.slice(0, this.#length);
  }

  /** Position of `n` new bytes. */
  #grow(n: number): number {
    const at = this.#length;
    const need = at + n;
    if (need > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(need, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = need;
    return at;
  }
}

/** Smallest number of bytes that a nested object of this type takes. */
export function minObjectBytes(type: string): number {
  return HEADER_BYTES + type.length;
}

function hex(word: number): string {
  return `0x${word.toString(16).padStart(8, "0")}`;
}
