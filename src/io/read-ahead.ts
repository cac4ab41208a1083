/**
 * How far is read ahead in one file: whoever goes on where an earlier read ended gets twice as many pages each time.
 */

/** Readers of one file that are told apart when they read on: columns that lie side by side, tiles side by side. */
const STREAMS = 8;

/** A reader that goes through a file. */
interface Stream {
  /** Page behind the last one that was read. */
  next: number;
  /** Pages of its last read, or fewer. */
  pages: number;
}

/** Where reads of one file ended that others may go on from. */
export class ReadAhead {
  readonly #streams: Stream[] = [];
  #oldest = 0;

  /** The reader that a read from page `index` is of, with the pages that it may read now, at most `most`. */
  from(index: number, most: number): Stream {
    let stream = this.#streams.find((each) => each.next === index);
    if (stream !== undefined) stream.pages = Math.min(most, stream.pages * 2);
    else if (this.#streams.length < STREAMS) this.#streams.push(stream = { next: 0, pages: 1 });
    else {
      stream = this.#streams[this.#oldest]!;
      this.#oldest = (this.#oldest + 1) % STREAMS;
      stream.pages = 1;
    }
    return stream;
  }
}
