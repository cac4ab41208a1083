/**
 * The geometry of moves: which bytes of a file a box touches, and whether it is one block there or on both sides.
 *
 * Spans are worked out in *units* of the file side: bytes, or bits for `bits` lists.
 */
import { MoveList } from "../array/moves.ts";

/** Bytes `lo` to `hi` (exclusive) of a file. */
export interface Span {
  lo: number;
  hi: number;
}

const AXIS = 3, HEADER = 2;

/** File units between neighbours on axis `a` of a move that starts at `at` in the list's doubles. */
function step(moves: MoveList, at: number, a: number): number {
  return moves.data[at + HEADER + AXIS * a + 1]! * (moves.kind === "bits" ? 1 : moves.elementSize);
}

function count(moves: MoveList, at: number, a: number): number {
  return moves.data[at + HEADER + AXIS * a]!;
}

/** Elements of a move. */
export function moveElements(moves: MoveList, index: number): number {
  const at = index * moves.stride;
  let n = 1;
  for (let a = 0; a < moves.ndim; a++) n *= count(moves, at, a);
  return n;
}

/** Bytes of the file that a move wants: its elements' size there. */
export function wantedBytes(moves: MoveList, index: number): number {
  const elements = moveElements(moves, index);
  return moves.kind === "bits" ? elements / 8 : elements * moves.elementSize;
}

/** The bytes of the file from a move's first to its last; lo = hi when it is empty. */
export function moveSpan(moves: MoveList, index: number): Span {
  const at = index * moves.stride, data = moves.data, bits = moves.kind === "bits";
  let lo = data[at]!, hi = lo + (bits ? 1 : moves.elementSize);
  for (let a = 0; a < moves.ndim; a++) {
    const n = count(moves, at, a);
    if (n <= 0) return { lo: 0, hi: 0 };
    const reach = (n - 1) * step(moves, at, a);
    if (reach < 0) lo += reach;
    else hi += reach;
  }
  return bits ? { lo: Math.floor(lo / 8), hi: Math.floor((hi + 7) / 8) } : { lo, hi };
}

/** The span of several moves together. */
export function unionSpan(moves: MoveList, first: number, moveCount: number): Span {
  let lo = Infinity, hi = 0;
  for (let i = first; i < first + moveCount; i++) {
    const span = moveSpan(moves, i);
    if (span.hi === span.lo) continue;
    if (span.lo < lo) lo = span.lo;
    if (span.hi > hi) hi = span.hi;
  }
  return hi === 0 ? { lo: 0, hi: 0 } : { lo, hi };
}

/** Bytes of a move whose elements lie behind each other in the file; 0 when they don't, or are bits. */
export function fileBlock(moves: MoveList, index: number): number {
  if (moves.kind === "bits") return 0;
  const at = index * moves.stride;
  let block = 1;
  for (let a = 0; a < moves.ndim; a++) {
    const n = count(moves, at, a);
    if (n !== 1 && moves.data[at + HEADER + AXIS * a + 1] !== block) return 0;
    block *= n;
  }
  return block * moves.elementSize;
}

/** Bytes of a move that is one block in the file and the same block in the array; else 0. */
export function linearBlock(moves: MoveList, index: number): number {
  if (moves.kind === "bits") return 0;
  const at = index * moves.stride, data = moves.data;
  let block = 1;
  for (let a = 0; a < moves.ndim; a++) {
    const n = count(moves, at, a), axis = at + HEADER + AXIS * a;
    if (n !== 1 && (data[axis + 1] !== block || data[axis + 2] !== block)) return 0;
    block *= n;
  }
  return block * moves.elementSize;
}

/**
 * Cuts moves into pieces that each touch at most `limit` bytes of the file and have no hole longer than `gap`, sorted
 * by where they start in the file. Boxes that are one block already, and small, come through unchanged.
 *
 * @returns the pieces as a new list, and their spans
 */
export function refine(
  moves: MoveList,
  first: number,
  moveCount: number,
  limit: number,
  gap: number,
): { moves: MoveList; spans: Span[] } {
  const pieces: { file: number; array: number; shape: number[]; index: number; span: Span }[] = [];
  for (let index = first; index < first + moveCount; index++) cut(moves, index, limit, gap, pieces);
  pieces.sort((a, b) => a.span.lo - b.span.lo);
  const list = new MoveList(
    moves.kind,
    moves.ndim,
    moves.elementSize,
    moves.swapUnit,
    Math.max(1, pieces.length),
  );
  const spans: Span[] = [];
  for (const piece of pieces) {
    const at = piece.index * moves.stride + HEADER;
    const fileStrides: number[] = [], arrayStrides: number[] = [];
    for (let a = 0; a < moves.ndim; a++) {
      fileStrides.push(moves.data[at + AXIS * a + 1]!);
      arrayStrides.push(moves.data[at + AXIS * a + 2]!);
    }
    list.push(piece.file, piece.array, piece.shape, fileStrides, arrayStrides);
    spans.push(piece.span);
  }
  return { moves: list, spans };
}

function cut(
  moves: MoveList,
  index: number,
  limit: number,
  gap: number,
  pieces: { file: number; array: number; shape: number[]; index: number; span: Span }[],
): void {
  const at = index * moves.stride, bits = moves.kind === "bits", ndim = moves.ndim;
  const unitsPerByte = bits ? 8 : 1;
  const limitUnits = limit * unitsPerByte, gapUnits = gap * unitsPerByte;
  const element = bits ? 1 : moves.elementSize;
  const full = Array.from({ length: ndim }, (_, a) => count(moves, at, a));
  if (full.some((n) => n <= 0)) return;
  // From the fastest axis of the file to the slowest: as long as what lies between two neighbours is small, they
  // stay together; the first axis where it isn't, and all slower ones, are taken apart.
  const axes = full.map((_, a) => a).filter((a) => full[a] !== 1);
  axes.sort((a, b) => Math.abs(step(moves, at, a)) - Math.abs(step(moves, at, b)));
  const block = full.slice();
  let inner = element, apart = false;
  for (const a of axes) {
    const distance = Math.abs(step(moves, at, a)), n = full[a]!;
    if (apart || distance - inner > gapUnits) {
      block[a] = 1;
      apart = true;
      continue;
    }
    if (distance * (n - 1) + inner > limitUnits) {
      block[a] = distance === 0 ? n : Math.max(1, Math.floor((limitUnits - inner) / distance) + 1);
      apart = true;
    }
    inner += distance * (block[a]! - 1);
  }
  const from = full.map(() => 0);
  for (;;) {
    let file = moves.data[at]!, array = moves.data[at + 1]!, lo = 0, hi = element;
    const shape: number[] = [];
    for (let a = 0; a < ndim; a++) {
      const n = Math.min(block[a]!, full[a]! - from[a]!);
      shape.push(n);
      file += from[a]! * step(moves, at, a);
      array += from[a]! * moves.data[at + HEADER + AXIS * a + 2]!;
      const reach = (n - 1) * step(moves, at, a);
      if (reach < 0) lo += reach;
      else hi += reach;
    }
    const span = bits
      ? { lo: Math.floor((file + lo) / 8), hi: Math.floor((file + hi + 7) / 8) }
      : { lo: file + lo, hi: file + hi };
    pieces.push({ file, array, shape, index, span });
    let a = 0;
    for (; a < ndim; a++) {
      from[a]! += block[a]!;
      if (from[a]! < full[a]!) break;
      from[a] = 0;
    }
    if (a === ndim) return;
  }
}
