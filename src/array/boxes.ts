/**
 * Boxes from a file's bytes to an array and back in TypeScript: the twin of `ffi/moves.c`, for where the C library is
 * missing. It does the same arithmetic in the same order, so that it refuses the same moves.
 */
import { packBits, setBit, swapBytes, unpackBits } from "./bits.ts";
import type { MoveList } from "./moves.ts";
import { badMove, checkBatch } from "./refuse.ts";

/** An axis of a box: elements, and the distance between neighbours in bytes (in bits, on the file's side of bits). */
interface Axis {
  count: number;
  readonly file: number;
  readonly array: number;
}

/** A checked box without needless axes, first axis fastest, with at least two axes. */
interface CheckedBox {
  readonly file: number;
  readonly array: number;
  readonly axes: Axis[];
}

/** The two sides of a batch of moves. */
interface Sides {
  readonly file: Uint8Array;
  readonly fileOffset: number;
  readonly array: Uint8Array;
  readonly scatter: boolean;
}

/** Number of elements of the move at `at`, or -1 when it is malformed, leaves a buffer, or overfills its target. */
function moveElements(moves: MoveList, at: number, sides: Sides): number {
  const { data, ndim, elementSize } = moves;
  const bits = moves.kind === "bits";
  const first = data[at]!, arrayFirst = data[at + 1]!;
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(arrayFirst)) return -1;
  let elements = 1, fileLow = 0, fileHigh = 0, arrayLow = 0, arrayHigh = 0;
  let empty = false;
  for (let a = at + 2; a < at + 2 + 3 * ndim; a += 3) {
    const count = data[a]!, file = data[a + 1]!, array = data[a + 2]!;
    if (!Number.isSafeInteger(count) || !Number.isSafeInteger(file) || !Number.isSafeInteger(array)) {
      return -1;
    }
    if (count < 0) return -1;
    if (count === 0) empty = true;
    elements *= count;
    if (file < 0) fileLow += (count - 1) * file;
    else fileHigh += (count - 1) * file;
    if (array < 0) arrayLow += (count - 1) * array;
    else arrayHigh += (count - 1) * array;
  }
  if (empty) return 0;
  const fileUnit = bits ? 1 : elementSize;
  const fileSize = bits ? sides.file.byteLength * 8 : sides.file.byteLength;
  const fileStart = bits ? first - sides.fileOffset * 8 : first - sides.fileOffset;
  if (fileStart + fileLow * fileUnit < 0) return -1;
  if (fileStart + fileHigh * fileUnit + fileUnit > fileSize) return -1;
  const arrayStart = arrayFirst * elementSize;
  if (arrayStart + arrayLow * elementSize < 0) return -1;
  if (arrayStart + arrayHigh * elementSize + elementSize > sides.array.byteLength) return -1;
  // Distances of zero would let a small target be written for ever.
  const room = sides.scatter ? fileSize / fileUnit : sides.array.byteLength / elementSize;
  return elements <= room ? elements : -1;
}

/** The box of a checked move, axes of one element dropped and contiguous ones joined; null for an empty one. */
function makeBox(moves: MoveList, at: number, fileOffset: number): CheckedBox | null {
  const { data, ndim, elementSize } = moves;
  const fileUnit = moves.kind === "bits" ? 1 : elementSize;
  const axes: Axis[] = [];
  for (let a = at + 2; a < at + 2 + 3 * ndim; a += 3) {
    const count = data[a]!, file = data[a + 1]! * fileUnit, array = data[a + 2]! * elementSize;
    if (count === 0) return null;
    if (count === 1) continue;
    const last = axes.at(-1);
    if (last !== undefined && file === last.file * last.count && array === last.array * last.count) {
      last.count *= count;
    } else axes.push({ count, file, array });
  }
  while (axes.length < 2) axes.push({ count: 1, file: 0, array: 0 });
  return {
    file: moves.kind === "bits" ? data[at]! - fileOffset * 8 : data[at]! - fileOffset,
    array: data[at + 1]! * elementSize,
    axes,
  };
}

/** Calls `plane` with the start of every plane of the two fastest axes. */
function eachPlane(box: CheckedBox, plane: (file: number, array: number) => void): void {
  const { axes } = box;
  const at = new Array<number>(axes.length).fill(0);
  let { file, array } = box;
  for (;;) {
    plane(file, array);
    let a = 2;
    for (; a < axes.length; a++) {
      const axis = axes[a]!;
      file += axis.file;
      array += axis.array;
      if (++at[a]! < axis.count) break;
      file -= axis.file * axis.count;
      array -= axis.array * axis.count;
      at[a] = 0;
    }
    if (a >= axes.length) return;
  }
}

function moveBits(box: CheckedBox, { file: bytes, array, scatter }: Sides): void {
  const [inner, outer] = box.axes as [Axis, Axis];
  const contiguous = inner.file === 1 && inner.array === 1 && inner.count >= 8;
  eachPlane(box, (file, first) => {
    for (let j = 0; j < outer.count; j++) {
      let bit = file + j * outer.file, at = first + j * outer.array;
      if (contiguous) {
        if (scatter) packBits(array, at, bytes, bit, inner.count);
        else unpackBits(bytes, bit, array, at, inner.count);
        continue;
      }
      if (scatter) {
        for (let i = 0; i < inner.count; i++, bit += inner.file, at += inner.array) {
          setBit(bytes, bit, array[at]!);
        }
        continue;
      }
      for (let i = 0; i < inner.count; i++, bit += inner.file, at += inner.array) {
        const byte = (bit - (bit & 7)) / 8;
        array[at] = (bytes[byte]! >> (bit & 7)) & 1;
      }
    }
  });
}

/** Runs shorter than this cost less as elements than as a call of `set`. */
const RUN_BYTES = 64;

type Words = Uint8Array | Uint16Array | Uint32Array;

/** `bytes` as items of 4 or 2 bytes when everything a box touches lies on their boundaries, else as bytes. */
function widest(bytes: Uint8Array, size: 1 | 2 | 4): Words {
  if (size === 1) return bytes;
  const length = Math.floor(bytes.byteLength / size);
  return size === 2
    ? new Uint16Array(bytes.buffer, bytes.byteOffset, length)
    : new Uint32Array(bytes.buffer, bytes.byteOffset, length);
}

function moveBytes(box: CheckedBox, sides: Sides, element: number, unit: number): void {
  const [inner, outer] = box.axes as [Axis, Axis];
  const { scatter } = sides;
  const fromBytes = scatter ? sides.array : sides.file, toBytes = scatter ? sides.file : sides.array;
  const run = inner.count * element;
  const contiguous = inner.count === 1 || (inner.file === element && inner.array === element);

  if (contiguous && run >= RUN_BYTES) {
    eachPlane(box, (file, array) => {
      for (let j = 0; j < outer.count; j++) {
        const f = file + j * outer.file, a = array + j * outer.array;
        const from = scatter ? a : f, to = scatter ? f : a;
        toBytes.set(fromBytes.subarray(from, from + run), to);
        if (unit !== 1) swapBytes(toBytes.subarray(to, to + run), unit as 2 | 4 | 8);
      }
    });
    return;
  }

  // Array offsets and all distances are multiples of the element; the file offset and the buffers need not be.
  const odd = element | box.file | sides.file.byteOffset | sides.array.byteOffset;
  // An item must not hold several units, nor half of one.
  const width = (odd & 3) === 0 && unit !== 2 ? 4 : (odd & 1) === 0 && unit <= 2 ? 2 : 1;
  const from = widest(fromBytes, width), to = widest(toBytes, width);
  const items = element / width;
  const change = unit === 1 || width === 1 ? 0 : width;
  // Item k of a unit comes to stand at k ^ flip: the items' order is reversed, and within an item the bytes' order.
  const flip = unit / width - 1 > 0 ? unit / width - 1 : 0;
  const toStep = [inner, outer].map((axis) => (scatter ? axis.file : axis.array) / width);
  const fromStep = [inner, outer].map((axis) => (scatter ? axis.array : axis.file) / width);
  eachPlane(box, (file, array) => {
    const toStart = (scatter ? file : array) / width, fromStart = (scatter ? array : file) / width;
    for (let j = 0; j < outer.count; j++) {
      let t = toStart + j * toStep[1]!, f = fromStart + j * fromStep[1]!;
      for (let i = 0; i < inner.count; i++, t += toStep[0]!, f += fromStep[0]!) {
        if (change === 0) { for (let k = 0; k < items; k++) to[t + (k ^ flip)] = from[f + k]!; }
        else if (change === 2) { for (let k = 0; k < items; k++) to[t + k] = reverse2(from[f + k]!); }
        else for (let k = 0; k < items; k++) to[t + (k ^ flip)] = reverse4(from[f + k]!);
      }
    }
  });
}

function reverse2(value: number): number {
  return (value >>> 8) | (value << 8); // the store keeps 16 bits
}

function reverse4(value: number): number {
  return (value >>> 24) | ((value >>> 8) & 0xff00) | ((value << 8) & 0xff0000) | (value << 24);
}

/** Checks all moves of a batch, then runs them; `scatter`: from the array to the file. */
export function moveBoxes(moves: MoveList, first: number, count: number, sides: Sides): void {
  checkBatch(moves, first, count, sides.fileOffset);
  for (let i = first; i < first + count; i++) {
    if (moveElements(moves, i * moves.stride, sides) < 0) throw badMove(moves, i);
  }
  for (let i = first; i < first + count; i++) {
    const box = makeBox(moves, i * moves.stride, sides.fileOffset);
    if (box === null) continue;
    if (moves.kind === "bits") moveBits(box, sides);
    else moveBytes(box, sides, moves.elementSize, moves.swapUnit);
  }
}
