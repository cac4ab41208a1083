/**
 * Text on its way to standard output: gathered in one buffer, written when that is full. Nothing is kept back but the
 * buffer, so that rows of any number and size go through in the same memory.
 */

/** Size of the buffer in bytes: large enough that system calls don't count, small enough to stay in the cache. */
const BUFFER_BYTES = 256 * 1024;

const COMMA = 0x2c, MINUS = 0x2d, ZERO = 0x30;
/** Longest decimal text of a 32-bit whole number, its sign and a comma. */
const INTEGER_BYTES = 12;
const BOOL_BYTES = 6;
const INT32_LIMIT = 2 ** 31;

const TRUE = new TextEncoder().encode("true,");
const FALSE = new TextEncoder().encode("false,");

/** Gathers text and hands it on in large pieces. */
export class TextSink {
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  readonly #encoder = new TextEncoder();
  readonly #write: (bytes: Uint8Array) => void;
  #used = 0;

  /** `write` gets the bytes; they are only good until it returns. */
  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
  }

  /** Any text. */
  text(text: string): void {
    // A UTF-16 unit takes at most 3 bytes.
    if (text.length * 3 <= BUFFER_BYTES - this.#used) {
      this.#used += this.#encoder.encodeInto(text, this.#buffer.subarray(this.#used)).written;
      return;
    }
    for (let rest = text; rest !== "";) {
      const { read, written } = this.#encoder.encodeInto(rest, this.#buffer.subarray(this.#used));
      this.#used += written;
      rest = rest.slice(read);
      if (rest !== "") this.flush();
    }
  }

  /** Encoded text that is used again and again, such as the name of a column. */
  bytes(bytes: Uint8Array): void {
    if (bytes.length > BUFFER_BYTES - this.#used) {
      this.flush();
      if (bytes.length > BUFFER_BYTES) return this.#write(bytes);
    }
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** `true` or `false` for each of some bytes, with commas between. */
  bools(data: Uint8Array, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      if (this.#used > BUFFER_BYTES - BOOL_BYTES) this.flush();
      const word = data[i] === 0 ? FALSE : TRUE;
      const buffer = this.#buffer, at = this.#used;
      for (let k = 0; k < word.length; k++) buffer[at + k] = word[k]!;
      this.#used = at + word.length;
    }
    if (to > from) this.#used--; // the last comma
  }

  /** Whole numbers of at most 32 bits, with commas between. */
  integers(data: ArrayLike<number>, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      if (this.#used > BUFFER_BYTES - INTEGER_BYTES) this.flush();
      this.#integer(data[i]!);
      this.#buffer[this.#used++] = COMMA;
    }
    if (to > from) this.#used--; // the last comma
  }

  #integer(value: number): void {
    const buffer = this.#buffer;
    if (value < 0) {
      buffer[this.#used++] = MINUS;
      value = -value;
    }
    if (value >= INT32_LIMIT) {
      for (const c of String(value)) buffer[this.#used++] = c.charCodeAt(0);
      return;
    }
    let digits = 1;
    for (let rest = value; rest >= 10; rest = (rest / 10) | 0) digits++;
    for (let at = this.#used + digits - 1; at >= this.#used; at--) {
      const rest = (value / 10) | 0;
      buffer[at] = ZERO + value - rest * 10;
      value = rest;
    }
    this.#used += digits;
  }

  /** Hands on what there is. */
  flush(): void {
    if (this.#used === 0) return;
    const bytes = this.#buffer.subarray(0, this.#used);
    this.#used = 0;
    this.#write(bytes);
  }
}
