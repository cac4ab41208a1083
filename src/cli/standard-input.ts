/**
 * What comes over standard input, until it ends or a signal comes.
 */

/** Signals that end a command which reads, and the numbers that shells know them by. */
const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

/** Bytes that come in pieces. A signal ends them as their end does. */
export class Input implements AsyncIterable<Uint8Array>, Disposable {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #remove: (() => void)[];
  /** Number of the signal that came, null while none has. */
  signal: number | null = null;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
    this.#remove = (Object.entries(SIGNALS) as [keyof typeof SIGNALS, number][]).map(([name, number]) => {
      const listener = () => {
        this.signal ??= number;
        // A read that waits for a silent pipe ends with it.
        this.#end();
      };
      Deno.addSignalListener(name, listener);
      return () => Deno.removeSignalListener(name, listener);
    });
  }

  #end(): void {
    void this.#reader.cancel().catch(() => {});
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (done || this.signal !== null) return;
        yield value;
      }
    } finally {
      this.#end();
    }
  }

  /** Signals do again what they did before. */
  [Symbol.dispose](): void {
    for (const remove of this.#remove) remove();
  }
}

/** The first piece, and all of them with it. */
export async function firstPiece(
  bytes: AsyncIterable<Uint8Array>,
): Promise<{ first: Uint8Array; all: AsyncIterable<Uint8Array> }> {
  const rest = bytes[Symbol.asyncIterator]();
  let first = new Uint8Array(0);
  while (first.length === 0) {
    const next = await rest.next();
    if (next.done) break;
    first = new Uint8Array(next.value);
  }
  return {
    first,
    all: (async function* () {
      try {
        if (first.length > 0) yield first;
        yield* { [Symbol.asyncIterator]: () => rest };
      } finally {
        await rest.return?.();
      }
    })(),
  };
}
