/**
 * Moves of one section of tiles: what gather and scatter have in common.
 */
import { numericInfo, type NumericType } from "../../array/dtype.ts";
import { type MoveKind, MoveList } from "../../array/moves.ts";

/**
 * Bytes that one extent may span. Larger moves, of huge tiles or of few elements far apart, are cut, so that memory
 * stays bounded whatever the tile shape.
 */
export const MAX_EXTENT_BYTES = 4 * 1024 * 1024;

/** Bytes between two pieces that are cheaper to read along than to skip. */
export const SKIP_BYTES = 64 * 1024;

/** How the pixels of a data column are stored. */
export interface PixelFormat {
  readonly kind: MoveKind;
  /** Bits of a pixel in the file. */
  readonly bits: number;
  /** Bytes of an element in the array. */
  readonly size: number;
  /** Bytes reversed together, 1 if the byte orders agree. */
  readonly swapUnit: number;
}

/** The byte order of this machine. */
const NATIVE_BIG_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;

/** How a data type is stored in tiles of a table of this byte order. */
export function pixelFormat(dtype: NumericType, bigEndian: boolean): PixelFormat {
  const { size, swapUnit } = numericInfo(dtype);
  return dtype === "bool"
    ? { kind: "bits", bits: 1, size: 1, swapUnit: 1 }
    : { kind: "bytes", bits: 8 * size, size, swapUnit: bigEndian === NATIVE_BIG_ENDIAN ? 1 : swapUnit };
}

/** An empty list for moves of that format. */
export function moveList(format: PixelFormat, ndim: number): MoveList {
  return new MoveList(format.kind, ndim, format.size, format.swapUnit);
}

/** A box within one section. */
export interface SectionMove {
  /** Byte of the file at which the section starts. */
  readonly section: number;
  /** First pixel in the section, and pixels from the first to the last. */
  readonly pixel: number;
  readonly span: number;
  /** First element in the array. */
  readonly element: number;
  readonly shape: readonly number[];
  readonly fileStrides: readonly number[];
  readonly arrayStrides: readonly number[];
}

/** First byte of a pixel. */
export function firstByte(format: PixelFormat, section: number, pixel: number): number {
  return section + Math.floor(pixel * format.bits / 8);
}

/** Byte after the last one of a pixel. */
export function byteAfter(format: PixelFormat, section: number, pixel: number): number {
  return section + Math.floor((pixel * format.bits + format.bits - 1) / 8) + 1;
}

/** A move's offset in the file as lists have it: bytes, or bits. */
export function fileOffset(format: PixelFormat, section: number, pixel: number): number {
  return format.kind === "bits" ? section * 8 + pixel : section + pixel * format.size;
}

/** Adds a move to a list. */
export function pushMove(list: MoveList, format: PixelFormat, move: SectionMove): void {
  const offset = fileOffset(format, move.section, move.pixel);
  list.push(offset, move.element, move.shape, move.fileStrides, move.arrayStrides);
}

/** Cuts a move along its slowest axes into moves of at most {@linkcode MAX_EXTENT_BYTES}, without wide gaps inside. */
export function* cutMove(format: PixelFormat, move: SectionMove): Generator<SectionMove> {
  const limit = Math.floor(MAX_EXTENT_BYTES * 8 / format.bits);
  if (move.span <= limit) {
    yield move;
    return;
  }
  let axis = move.shape.length - 1;
  while (axis > 0 && move.shape[axis] === 1) axis--;
  const count = move.shape[axis]!, stride = move.fileStrides[axis]!;
  const inner = move.span - (count - 1) * stride;
  const gap = (stride - inner) * format.bits / 8;
  let together = inner > limit || gap > SKIP_BYTES ? 1 : Math.floor((limit - inner) / stride) + 1;
  const isBitRun = format.bits === 1 && stride === 1 && together > 8;
  if (isBitRun) together -= together % 8;
  for (let k = 0, n = 0; k < count; k += n) {
    n = Math.min(together, count - k);
    // All pieces of a run of bits but the first start at a whole byte, so that no byte is in two of them.
    if (isBitRun && k === 0) n = Math.min(count, together - move.pixel % 8);
    const piece = {
      ...move,
      pixel: move.pixel + k * stride,
      span: inner + (n - 1) * stride,
      element: move.element + k * move.arrayStrides[axis]!,
      shape: move.shape.map((length, a) => a === axis ? n : length),
    };
    if (together === 1) yield* cutMove(format, piece);
    else yield piece;
  }
}
