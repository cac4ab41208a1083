/**
 * An asynchronous request: whose memory it works with, what is under way for it, and whether it is still wanted.
 *
 * | memory | how other threads may use it |
 * | --- | --- |
 * | lent: the caller's, until the promise settles | the system may copy out of it, nothing else |
 * | the request's own: results, what was handed over, buffers | C reads and writes it |
 *
 * The engine doesn't know that another thread uses an ArrayBuffer. Who moves a lent one away (`transfer()`) and drops it
 * frees its memory under that thread, which would then write into somebody else's. So nothing is written to lent memory
 * but by our own thread, in pieces, after a look whether it is still there. Reading is left to the system, whose calls
 * give EFAULT where C would be ended by a signal; whether the memory was moved away meanwhile is seen afterwards.
 */
import { TableError } from "../error.ts";
import { allocate } from "../array/alloc.ts";
import { Lanes } from "./async-lanes.ts";
import { ALIGNMENT } from "./counters.ts";

/** What a request may be told. */
export interface RequestOptions {
  /** Arrays of the caller, who may do anything to them. */
  readonly lent?: readonly ArrayBufferLike[] | undefined;
  /** The values to be written, lent or own: they don't change until the request ends. */
  readonly values?: readonly ArrayBufferLike[] | undefined;
  /** Cancels the request. */
  readonly signal?: AbortSignal | undefined;
  /** Asked before anything is changed; false from the moment on when it is too late to cancel. */
  readonly mayCancel?: (() => boolean) | undefined;
}

/** Memory for one piece: as long as the longest extent of a scatter. */
const BUFFER_BYTES = 4 * 1024 * 1024;

/** One request. */
export class AsyncRequest {
  /** Its pieces on other threads. */
  readonly lanes: Lanes = new Lanes();
  readonly #lent: readonly { readonly buffer: ArrayBufferLike; readonly byteLength: number }[];
  readonly #values: ReadonlySet<ArrayBufferLike>;
  readonly #signal: AbortSignal | undefined;
  readonly #mayCancel: () => boolean;
  readonly #buffers: Uint8Array<ArrayBuffer>[] = [];

  constructor(options: RequestOptions = {}) {
    this.#lent = (options.lent ?? []).map((buffer) => ({ buffer, byteLength: buffer.byteLength }));
    this.#values = new Set(options.values);
    this.#signal = options.signal;
    this.#mayCancel = options.mayCancel ?? (() => true);
  }

  /** True for memory of the caller. */
  isLent(bytes: Uint8Array): boolean {
    return this.#lent.some(({ buffer }) => buffer === bytes.buffer);
  }

  /** True for memory that keeps its content until the request ends; a plan may use any other again at its next step. */
  isValue(bytes: Uint8Array): boolean {
    return this.#values.has(bytes.buffer);
  }

  /** @throws what the signal was aborted with; TableError INVALID_ARGUMENT when lent memory isn't there any more */
  check(): void {
    if (this.#signal?.aborted && this.#mayCancel()) throw this.#signal.reason;
    this.checkLent();
  }

  /** @throws TableError INVALID_ARGUMENT when lent memory was moved away or changed its length */
  checkLent(): void {
    if (this.#lent.every(({ buffer, byteLength }) => buffer.byteLength === byteLength)) return;
    throw new TableError(
      "INVALID_ARGUMENT",
      "an array was moved away or resized while a request had it: it is borrowed until the promise settles",
    );
  }

  /** Memory with any content for one piece, until {@linkcode giveBack}. */
  buffer(bytes: number): Uint8Array<ArrayBuffer> {
    if (bytes > BUFFER_BYTES) return allocate("uint8", bytes, ALIGNMENT) as Uint8Array<ArrayBuffer>;
    const buffer = this.#buffers.pop() ??
      allocate("uint8", BUFFER_BYTES, ALIGNMENT) as Uint8Array<ArrayBuffer>;
    return buffer.subarray(0, bytes);
  }

  /** Takes memory of {@linkcode buffer} back that no thread uses any more. */
  giveBack({ buffer, byteOffset, length }: Uint8Array<ArrayBuffer>): void {
    if (length <= BUFFER_BYTES) this.#buffers.push(new Uint8Array(buffer, byteOffset, BUFFER_BYTES));
  }
}
