/**
 * Writing without blocking: what can be sent before a commit goes out on other threads while the plan goes on; the rest
 * becomes pending, as with `gather.ts`.
 *
 * | source | bytes in the file | how |
 * | --- | --- | --- |
 * | any | as in the array | the system copies them from where they lie |
 * | lent | otherwise | laid into a buffer by our own thread, sent by another |
 * | the request's own | otherwise | laid into a buffer and sent by one call of C |
 */
import { COPIED_BYTES, PIECE_BYTES } from "./async-read.ts";
import type { AsyncRequest } from "./async-request.ts";
import { turn, turnIsDue } from "./async-turns.ts";
import { isOneBlock, scatter, type Tools } from "./gather.ts";
import { EXTENT_BYTES } from "./gather-plan.ts";
import type { ScatterStep } from "./plan.ts";
import { linearBlock, unionSpan } from "./spans.ts";
import { BYPASS_BYTES, type TableFile } from "./table-file.ts";

/** Writes bytes. @throws TableError IO */
export async function sendAsync(
  file: TableFile,
  offset: number,
  bytes: Uint8Array,
  tools: Tools,
  request: AsyncRequest,
): Promise<void> {
  for (let at = 0; at < bytes.length || at === 0; at += PIECE_BYTES) {
    request.check();
    if (turnIsDue()) await turn();
    const piece = bytes.subarray(at, at + PIECE_BYTES), to = offset + at;
    if (piece.length >= BYPASS_BYTES && tools.mayPass(file, to)) {
      await request.lanes.start(async () => {
        try {
          await file.writeThroughAsync(to, piece);
        } finally {
          request.checkLent();
        }
      });
    } else {
      if (request.lanes.running > 0) await request.lanes.drain();
      for (let from = 0; from < piece.length || from === 0; from += COPIED_BYTES) {
        file.write(to + from, piece.subarray(from, from + COPIED_BYTES));
        if (turnIsDue()) await turn();
      }
      await tools.relieve(file, to);
    }
  }
  if (!request.isValue(bytes)) await request.lanes.drain();
}

/** Lays boxes of an array over a stretch of a file. @throws TableError CORRUPT past the end of the file, IO */
export async function scatterAsync(
  file: TableFile,
  step: ScatterStep,
  tools: Tools,
  request: AsyncRequest,
): Promise<void> {
  const { moves, source, fresh, extent } = step;
  const { firstMove, moveCount, offset, length } = extent;
  const { lo, hi } = unionSpan(moves, firstMove, moveCount);
  const block = isOneBlock(moves, firstMove, moveCount, hi - lo);
  if (block && (!fresh || (lo === offset && hi === offset + length))) {
    if (moves.swapUnit === 1 && linearBlock(moves, firstMove) === hi - lo && hi > lo) {
      const at = moves.data[firstMove * moves.stride + 1]! * moves.elementSize;
      if (at + hi - lo > source.length) throw new RangeError("a move leaves its array");
      return await sendAsync(file, lo, source.subarray(at, at + hi - lo), tools, request);
    }
  }
  const whole = fresh || (block && lo === offset && hi === offset + length);
  if (!whole || length < BYPASS_BYTES || length > EXTENT_BYTES || !tools.mayPass(file, offset)) {
    if (request.lanes.running > 0) await request.lanes.drain();
    if (turnIsDue()) await turn();
    request.check();
    scatter(file, step, { ...tools, write: (_, at, bytes) => file.write(at, bytes), claimed: () => {} });
    return await tools.relieve(file, offset);
  }
  await request.lanes.start(() => laySend(file, step, tools, request));
  if (!request.isValue(source)) await request.lanes.drain();
}

/** Lays boxes over zeros and sends that. */
async function laySend(
  file: TableFile,
  { extent, moves, source }: ScatterStep,
  tools: Tools,
  request: AsyncRequest,
): Promise<void> {
  const { offset, length, firstMove, moveCount } = extent;
  const buffer = request.buffer(length);
  try {
    if (!request.isLent(source) && await file.scatterAsync(extent, moves, source, buffer)) return;
    if (turnIsDue()) await turn();
    request.check();
    buffer.fill(0);
    tools.kernels.scatter(moves, firstMove, moveCount, source, buffer, offset);
    await file.writeThroughAsync(offset, buffer);
  } finally {
    request.giveBack(buffer);
  }
}
