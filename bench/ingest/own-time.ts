/** How long the event loop was kept from turning, told apart from waiting for a processor. */

/** Of a stretch of time, in milliseconds. */
export interface Held {
  /** The longest time between two ticks. */
  readonly gap: number;
  /** The longest without the time in which our thread wanted to run and other programs had the processor. */
  readonly blocked: number;
  /** The longest that our thread worked between two ticks. */
  readonly own: number;
}

function openSpent(): Deno.FsFile | null {
  try {
    return Deno.openSync("/proc/thread-self/schedstat");
  } catch {
    return null;
  }
}

/** Watches the event loop by a timer that ticks every millisecond. */
export class LoopWatch {
  // Opened once, read into the same memory: what looks should not wait for memory itself.
  readonly #file = openSpent();
  readonly #text = new Uint8Array(100);
  #gap = 0;
  #blocked = 0;
  #own = 0;
  #last = performance.now();
  #before = this.#spent();
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Milliseconds that this thread worked so far, and waited for a processor. */
  #spent(): { readonly own: number; readonly wait: number } {
    if (this.#file === null) return { own: NaN, wait: 0 };
    this.#file.seekSync(0, Deno.SeekMode.Start);
    const length = this.#file.readSync(this.#text) ?? 0, numbers = [0, 0, 0];
    for (let i = 0, k = 0; i < length && k < 2; i++) {
      if (this.#text[i] === 32) k++;
      else numbers[k] = numbers[k]! * 10 + this.#text[i]! - 48;
    }
    return { own: numbers[0]! / 1e6, wait: numbers[1]! / 1e6 };
  }

  /** Begins to watch. */
  start(): void {
    this.#gap = this.#blocked = this.#own = 0;
    this.#last = performance.now();
    this.#before = this.#spent();
    this.#timer = setInterval(() => this.#tick(), 1);
  }

  #tick(): void {
    const after = this.#spent(), now = performance.now();
    this.#gap = Math.max(this.#gap, now - this.#last);
    this.#blocked = Math.max(this.#blocked, now - this.#last - (after.wait - this.#before.wait));
    this.#own = Math.max(this.#own, after.own - this.#before.own);
    this.#last = performance.now();
    this.#before = after;
  }

  /** Ends watching. */
  stop(): Held {
    this.#tick();
    clearInterval(this.#timer);
    return { gap: this.#gap, blocked: this.#blocked, own: this.#own };
  }

  /** Lets go of the file. */
  close(): void {
    this.#file?.close();
  }
}
