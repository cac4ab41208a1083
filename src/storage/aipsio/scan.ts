/**
 * Walking through a file from front to back: big-endian words are taken from a window that moves along.
 */
import { TableError } from "../../error.ts";
import { type Plan, readBytes } from "../../io/plan.ts";

/** Windows end at multiples of this, as pages of the page cache do, so that they are not copied. */
const WINDOW_BYTES = 65536;

/** Which file is walked through, and up to where. */
export interface ScanFile {
  /** Its name in the table's directory. */
  readonly name: string;
  /** The path that errors name. */
  readonly path: string;
  /** Nothing is read from here on. */
  readonly end: number;
}

/** A position in a file, and the bytes around it. `yield* scan.need(n)` before the next n bytes are taken. */
export class Scan {
  readonly #file: ScanFile;
  readonly #end: number;
  #position: number;
  #window: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#window.buffer);
  /** Offset in the file of the window's first byte. */
  #base = 0;

  /** @param end Nothing is taken from here on: the end of an object. */
  constructor(file: ScanFile, position: number, end: number = file.end) {
    this.#file = file;
    this.#position = position;
    this.#end = end;
  }

  /** Offset in the file of the next byte. */
  get position(): number {
    return this.#position;
  }
  set position(position: number) {
    this.#position = position;
  }

  /** True when the next `bytes` bytes are in the window. */
  has(bytes: number): boolean {
    return this.#position >= this.#base && this.#position + bytes <= this.#base + this.#window.length;
  }

  /** Plan: brings the next `bytes` bytes into the window. @throws TableError CORRUPT if they aren't there */
  *need(bytes: number): Plan<void> {
    if (this.has(bytes)) return;
    const at = this.#position;
    this.checkRoom(bytes);
    const rest = WINDOW_BYTES - at % WINDOW_BYTES;
    const length = Math.min(Math.max(rest, bytes), this.#end - at);
    this.#window = yield* readBytes(this.#file.name, at, length);
    this.#view = new DataView(this.#window.buffer, this.#window.byteOffset, this.#window.byteLength);
    this.#base = at;
  }

  /** Refuses to go on unless `bytes` bytes follow. @throws TableError CORRUPT */
  checkRoom(bytes: number, at = this.#position): void {
    const left = this.#end - this.#position;
    if (bytes > left) this.fail(`expected ${bytes} more bytes, found ${Math.max(0, left)}`, at);
  }

  /** The next uInt. */
  u32(): number {
    const value = this.#view.getUint32(this.#position - this.#base);
    this.#position += 4;
    return value;
  }

  /** The next Int64, of 0 to 2^53. @throws TableError CORRUPT */
  offset(): number {
    const value = Number(this.#view.getBigInt64(this.#position - this.#base));
    if (value < 0 || value > Number.MAX_SAFE_INTEGER) {
      this.fail(`offset of an array is ${value}, expected 0 to 2^53`, this.#position);
    }
    this.#position += 8;
    return value;
  }

  /** The next bytes; valid until the next `need`. */
  bytes(length: number): Uint8Array {
    const at = this.#position - this.#base;
    this.#position += length;
    return this.#window.subarray(at, at + length);
  }

  /** Ends reading: the file is not what it should be. */
  fail(message: string, at: number): never {
    throw new TableError("CORRUPT", message, { file: this.#file.path, offset: at });
  }
}
