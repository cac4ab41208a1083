/**
 * Writes that wait: until data are first encoded nobody knows how many rows a block has, and the columns that tell may be
 * written after the data, as in `append`.
 */
import { type Box, rowList, rowRange, type Rows } from "../../array/rows.ts";

/** One write. */
export interface HeldWrite {
  readonly column: number;
  readonly rows: Rows;
  readonly box: Box | null;
  readonly bytes: Uint8Array;
}

/** Writes in the order in which they came. */
export class HeldWrites {
  #writes: HeldWrite[] = [];
  /** Bytes of all values. */
  bytes = 0;

  get empty(): boolean {
    return this.#writes.length === 0;
  }

  /** Keeps a copy of a write. */
  add({ column, rows, box, bytes }: HeldWrite): void {
    this.#writes.push({ column, rows: copyOf(rows), box, bytes: bytes.slice() });
    this.bytes += bytes.length;
  }

  /** Takes the writes out. */
  take(): HeldWrite[] {
    const writes = this.#writes;
    this.#writes = [];
    this.bytes = 0;
    return writes;
  }

  /** Forgets what was written to rows from `end` on. */
  cut(end: number): void {
    for (const write of this.take()) {
      const { rows, bytes } = write, size = bytes.length / rows.length;
      for (const { row, count, index } of rows.runs()) {
        const kept = Math.min(count, end - row);
        if (kept <= 0) continue;
        const part = bytes.subarray(index * size, (index + kept) * size);
        this.add({ ...write, rows: rowRange(row, kept), bytes: part });
      }
    }
  }
}

/** The same rows, whatever happens to the list that they came from. */
function copyOf(rows: Rows): Rows {
  const first = rows.length === 0 ? 0 : rows.at(0);
  const list = new Float64Array(rows.length);
  let joined = true;
  for (let i = 0; i < list.length; i++) {
    list[i] = rows.at(i);
    joined &&= list[i] === first + i;
  }
  return joined ? rowRange(first, list.length) : rowList(list);
}
