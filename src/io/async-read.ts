/**
 * Reading a stretch of a file into an array without blocking, in pieces on two threads.
 *
 * | target | how |
 * | --- | --- |
 * | short | through the page cache |
 * | lent, or of up to 32 MiB | where the file is mapped and in memory, copied by our own thread, piece by piece |
 * | the request's own | read to where it belongs |
 * | lent | read into a buffer, copied by our own thread |
 */
import type { AsyncRequest } from "./async-request.ts";
import { turn, turnIsDue } from "./async-turns.ts";
import { BYPASS_BYTES, type TableFile } from "./table-file.ts";

/**
 * Bytes of a piece that goes where it belongs: a call on another thread should take much longer than making it, and the
 * pages of new memory, which the system fills with zeros first, should still be in the processor's cache.
 */
export const PIECE_BYTES = 2 * 1024 * 1024;
/** The same for mapped files: C itself takes a MiB after the other, with the pages of new memory. */
const MAPPED_BYTES = 8 * 1024 * 1024;
/**
 * Requests of up to so much are copied by our own thread where that takes no longer than the copy: it is done before other
 * threads have all been woken, and they may have to wait for a processor.
 */
export const OWN_BYTES = 32 * 1024 * 1024;
/** Bytes of a piece that our own thread copies: it stays in the processor's cache, and takes a part of a millisecond. */
export const COPIED_BYTES = 1024 * 1024;

/** Fills `target` from `offset`. @throws TableError CORRUPT past the end of the file, IO */
export async function readIntoAsync(
  file: TableFile,
  offset: number,
  target: Uint8Array,
  request: AsyncRequest,
): Promise<void> {
  if (target.length < BYPASS_BYTES) {
    await file.loadAsync(offset, target.length);
    request.check();
    return file.fill(target, offset, true);
  }
  await startReads(file, offset, target, request);
  await request.lanes.drain();
}

/** As {@linkcode readIntoAsync} for a long stretch, but the last pieces are still under way when it returns. */
export async function startReads(
  file: TableFile,
  offset: number,
  target: Uint8Array,
  request: AsyncRequest,
): Promise<void> {
  const lent = request.isLent(target), end = offset + target.length;
  const own = lent || target.length <= OWN_BYTES;
  const most = own ? COPIED_BYTES : file.mapped(offset, end) === null ? PIECE_BYTES : MAPPED_BYTES;
  for (let at = 0; at < target.length; at += most) {
    if (turnIsDue()) await turn();
    request.check();
    const piece = target.subarray(at, at + most), from = offset + at;
    if (own && file.isAtHand(from, piece.length)) {
      file.fill(piece, from, false);
      continue;
    }
    await request.lanes.start(() =>
      lent ? readAndCopy(file, from, piece, request) : file.fillAsync(piece, from)
    );
  }
}

async function readAndCopy(
  file: TableFile,
  offset: number,
  target: Uint8Array,
  request: AsyncRequest,
): Promise<void> {
  const buffer = request.buffer(target.length);
  try {
    await file.fillAsync(buffer, offset);
    if (turnIsDue()) await turn();
    request.check();
    target.set(buffer);
  } finally {
    request.giveBack(buffer);
  }
}
