/**
 * How a gather is carried out: which stretches of the file are read by one call each, and what is done with them.
 *
 * A *direct* job reads a stretch that lies in the array just as it lies in the file (but for byte order) to where it
 * belongs. A *chunk* job reads a stretch into scratch memory and moves boxes out of it. Jobs are in file order.
 */
import type { MoveList } from "../array/moves.ts";
import type { Extent } from "./plan.ts";
import { linearBlock, refine, unionSpan, wantedBytes } from "./spans.ts";

/** One read, and what follows it. */
export type GatherJob =
  /** Bytes go to byte `at` of the array. */
  | { readonly kind: "direct"; readonly offset: number; length: number; readonly at: number }
  /** Moves `first` … `first + count - 1` of `moves` are carried out from the bytes. */
  | {
    readonly kind: "chunk";
    readonly offset: number;
    length: number;
    readonly moves: MoveList;
    readonly first: number;
    count: number;
  };

/**
 * Bytes between two stretches that are read along. Measured with pieces of 1 KiB in the system's page cache: a piece of its
 * own takes 3.6 to 5.6 µs, of which the call is 1.0, the rest its job and the call that moves it; to read on takes 0.15 µs a
 * KiB, and 2.9 µs a piece with 16 KiB between them. So up to there it was no slower. On a disk that has to be asked it is
 * less than what one request brings anyway. More would cost those who read a little of much: bytes beside bytes wanted.
 */
export const GAP_BYTES = 16 * 1024;
/** Chunks stop growing here: what was read is moved while it is still in the processor's cache. */
export const CHUNK_BYTES = 1024 * 1024;
/** Longest stretch that is read in one piece because a move needs all of it at once; boxes are cut above that. */
export const EXTENT_BYTES = 4 * 1024 * 1024;
/** Shortest stretch worth a call of its own, when it saves a copy through scratch memory. */
export const DIRECT_BYTES = 128 * 1024;
/** Extents shorter than this are read whole, however little of them is wanted. */
const WHOLE_BYTES = 64 * 1024;
/** Extents of which less than this share is wanted are looked at box by box. */
const WANTED_SHARE = 0.25;

/** A stretch of moves of one list that is one block in file and array; length 0 for none. */
interface Block {
  offset: number;
  at: number;
  length: number;
}

/** The block that an extent's moves make together, in order; length 0 if they don't. */
function blockOf(moves: MoveList, extent: Extent): Block {
  const block: Block = { offset: 0, at: 0, length: 0 };
  for (let i = extent.firstMove; i < extent.firstMove + extent.moveCount; i++) {
    const length = linearBlock(moves, i);
    const offset = moves.data[i * moves.stride]!, at = moves.data[i * moves.stride + 1]! * moves.elementSize;
    if (length === 0) return { offset: 0, at: 0, length: 0 };
    if (block.length === 0) block.offset = offset, block.at = at;
    else if (offset !== block.offset + block.length || at !== block.at + block.length) {
      return { offset: 0, at: 0, length: 0 };
    }
    block.length += length;
  }
  return block;
}

/** Jobs that carry out a gather over `extents`, which are in ascending order. */
export function planGather(extents: readonly Extent[], moves: MoveList): GatherJob[] {
  const jobs: GatherJob[] = [];
  const chunk = (lo: number, hi: number, list: MoveList, first: number, count: number): void => {
    if (hi === lo) return;
    const last = jobs[jobs.length - 1];
    if (
      last?.kind === "chunk" && last.moves === list && last.first + last.count === first && lo >= last.offset
    ) {
      const end = Math.max(last.offset + last.length, hi);
      if (lo - (last.offset + last.length) <= GAP_BYTES && end - last.offset <= CHUNK_BYTES) {
        last.length = end - last.offset;
        last.count += count;
        return;
      }
    }
    jobs.push({ kind: "chunk", offset: lo, length: hi - lo, moves: list, first, count });
  };
  const chunkOf = (extent: Extent): void => {
    const { firstMove, moveCount } = extent;
    const { lo, hi } = unionSpan(moves, firstMove, moveCount);
    const length = hi - lo;
    let wanted = 0;
    if (length > WHOLE_BYTES) {
      for (let i = firstMove; i < firstMove + moveCount; i++) wanted += wantedBytes(moves, i);
    }
    if (length <= WHOLE_BYTES || (length <= EXTENT_BYTES && wanted >= length * WANTED_SHARE)) {
      return chunk(lo, hi, moves, firstMove, moveCount);
    }
    const pieces = refine(moves, firstMove, moveCount, CHUNK_BYTES, GAP_BYTES);
    // What isn't taken apart can be read with its neighbours.
    if (moveCount === 1 && pieces.spans.length === 1) return chunk(lo, hi, moves, firstMove, 1);
    pieces.spans.forEach((span, i) => chunk(span.lo, span.hi, pieces.moves, i, 1));
  };
  let i = 0;
  while (i < extents.length) {
    const block = blockOf(moves, extents[i]!);
    let next = i + 1;
    if (block.length > 0) {
      for (; next < extents.length; next++) {
        const more = blockOf(moves, extents[next]!);
        if (more.length === 0) break;
        if (more.offset !== block.offset + block.length || more.at !== block.at + block.length) break;
        block.length += more.length;
      }
    }
    if (block.length >= DIRECT_BYTES) {
      jobs.push({ kind: "direct", offset: block.offset, length: block.length, at: block.at });
    } else for (let k = i; k < next; k++) chunkOf(extents[k]!);
    i = next;
  }
  return jobs;
}
