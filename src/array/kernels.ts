/**
 * The inner loops of the format, as an interface: the C library and its TypeScript twins both serve it.
 */
import type { MoveList } from "./moves.ts";
import type { Quantiser } from "./quantiser.ts";
import type { SymbolBox, SymbolScale } from "./symbols.ts";
import type { BlockBaselines, VisibilityBlock } from "./visibility-block.ts";
import type { WeightBlock } from "./weight-block.ts";

/** Loops over elements. Offsets and lengths are checked by the callee; a move that leaves its buffers throws RangeError. */
export interface Kernels {
  /** Which implementation this is. */
  readonly name: "native" | "typescript";
  /** Reverses each group of `unit` bytes in place; the length is a multiple of `unit`. */
  swap(bytes: Uint8Array, unit: 2 | 4 | 8): void;
  /** CRC-32C of `bytes` behind bytes whose checksum is `seed`; 0 for none. */
  crc32c(bytes: Uint8Array, seed: number): number;
  /** `count` bits from bit `bitOffset` of `source` (least significant bit first) to bytes 0 and 1. */
  unpackBits(source: Uint8Array, bitOffset: number, target: Uint8Array, count: number): void;
  /** `count` bytes (zero or not) to bits from bit `bitOffset` of `target`; the other bits stay as they are. */
  packBits(source: Uint8Array, target: Uint8Array, bitOffset: number, count: number): void;
  /** Moves boxes `first` … `first + count - 1` from `file`, whose byte 0 is the file's byte `fileOffset`, into `array`. */
  gather(
    moves: MoveList,
    first: number,
    count: number,
    file: Uint8Array,
    fileOffset: number,
    array: Uint8Array,
  ): void;
  /** The other way: from `array` into `file`. */
  scatter(
    moves: MoveList,
    first: number,
    count: number,
    array: Uint8Array,
    file: Uint8Array,
    fileOffset: number,
  ): void;
  /** The box of a stream of packed symbols as float32 from the first byte of `target`. */
  decodeSymbols(box: SymbolBox, stream: Uint8Array, scale: SymbolScale, target: Uint8Array): void;
  /** complex64 values as floats and packed symbols, from the first byte of `target`. */
  encodeVisibilities(
    block: VisibilityBlock,
    quantiser: Quantiser,
    values: Uint8Array,
    baselines: BlockBaselines,
    scratch: Float64Array<ArrayBuffer>,
    target: Uint8Array,
  ): void;
  /** float32 weights as a float and packed symbols, from the first byte of `target`. */
  encodeWeights(block: WeightBlock, values: Uint8Array, target: Uint8Array): void;
}
