/**
 * One value spread over the rows that it holds for.
 */

/** Repeats the first of `copies` blocks of bytes over the others, twice as much with each step. */
export function repeatBytes(bytes: Uint8Array, start: number, blockBytes: number, copies: number): void {
  const end = start + blockBytes * copies;
  let done = blockBytes;
  while (start + done < end) {
    const next = Math.min(done, end - start - done);
    bytes.copyWithin(start + done, start, start + next);
    done += next;
  }
}
