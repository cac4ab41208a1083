/**
 * Some bytes of a file, and where in the file they stand.
 */
import { TableError } from "../../error.ts";

/** Bytes in hand. Errors name the file and the offset there. */
export class Stretch {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly #file: string;
  readonly #base: number;
  readonly #little: boolean;

  /**
   * @param base Offset of `bytes[0]` in the file.
   * @param file The path that errors name.
   */
  constructor(bytes: Uint8Array, file: string, base: number, bigEndian: boolean) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#file = file;
    this.#base = base;
    this.#little = !bigEndian;
  }

  /** An unsigned 32-bit number in the file's byte order. */
  u32(at: number): number {
    return this.view.getUint32(at, this.#little);
  }

  /** A row number of `width` bytes, 4 or 8. @throws TableError CORRUPT beyond 2^53 */
  row(at: number, width: number): number {
    if (width === 4) return this.view.getUint32(at, this.#little);
    const number = this.#word(at, 4) * 2 ** 32 + this.#word(at, 0);
    if (number > Number.MAX_SAFE_INTEGER) this.fail(`row number is ${number}, expected less than 2^53`, at);
    return number;
  }

  /** A signed 64-bit offset. @throws TableError CORRUPT if it is negative or beyond 2^53 */
  offset(at: number): number {
    const high = this.#word(at, 4) | 0;
    const number = high * 2 ** 32 + this.#word(at, 0);
    if (number < 0 || number > Number.MAX_SAFE_INTEGER) {
      this.fail(`offset of an array is ${number}, expected 0 to 2^53`, at);
    }
    return number;
  }

  /** Half of the 64-bit number at `at`: `significance` 0 the low one, 4 the high one. */
  #word(at: number, significance: 0 | 4): number {
    return this.view.getUint32(this.#little ? at + significance : at + 4 - significance, this.#little);
  }

  /** Ends reading: these bytes are not what they should be. */
  fail(message: string, at: number): never {
    throw new TableError("CORRUPT", message, { file: this.#file, offset: this.#base + at });
  }
}
