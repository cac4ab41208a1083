/**
 * The inner loops of the C library.
 */
import type { Kernels } from "../src/array/kernels.ts";
import type { MoveList } from "../src/array/moves.ts";
import { badMove, checkBatch, checkBits, checkSwap } from "../src/array/refuse.ts";
import { checkSymbols } from "../src/array/symbols.ts";
import { BLOCK_SCALINGS, checkVisibilities } from "../src/array/visibility-block.ts";
import { checkWeights } from "../src/array/weight-block.ts";
import type { Symbols } from "./symbols.ts";

/** The parameters that say which moves: doubles, count, kind, ndim, element, unit. */
export function listOf(
  moves: MoveList,
): [Float64Array<ArrayBuffer>, number, number, number, number, number] {
  checkBatch(moves, 0, moves.count, 0);
  return [
    moves.data,
    moves.count,
    moves.kind === "bits" ? 1 : 0,
    moves.ndim,
    moves.elementSize,
    moves.swapUnit,
  ];
}

/** Turns a bad move (1 + its number) into its RangeError and hands on every other result. */
export function gathered(moves: MoveList, result: number): number {
  if (result > 0) throw badMove(moves, result - 1);
  return result;
}

/** The loops of the library, as twins.ts has them in TypeScript. */
export function nativeKernels(symbols: Symbols): Kernels {
  type Bytes = Uint8Array<ArrayBuffer>;
  /** A box of symbols, for the time of a call. */
  const numbers = new Float64Array(10);
  return {
    name: "native",
    swap(bytes, unit) {
      checkSwap(bytes.byteLength, unit);
      symbols.tessera_swap(bytes as Bytes, bytes.byteLength, unit);
    },
    crc32c(bytes, seed) {
      return symbols.tessera_crc32c(bytes as Bytes, bytes.byteLength, seed) >>> 0;
    },
    unpackBits(source, bitOffset, target, count) {
      checkBits(source, bitOffset, target, count);
      symbols.tessera_unpack_bits(
        source as Bytes,
        source.byteLength,
        bitOffset,
        target as Bytes,
        target.byteLength,
        count,
      );
    },
    packBits(source, target, bitOffset, count) {
      checkBits(target, bitOffset, source, count);
      symbols.tessera_pack_bits(
        source as Bytes,
        source.byteLength,
        target as Bytes,
        target.byteLength,
        bitOffset,
        count,
      );
    },
    gather(moves, first, count, file, fileOffset, array) {
      checkBatch(moves, first, count, fileOffset);
      const result = symbols.tessera_gather(
        moves.data,
        first,
        count,
        moves.kind === "bits" ? 1 : 0,
        moves.ndim,
        moves.elementSize,
        moves.swapUnit,
        file as Bytes,
        file.byteLength,
        fileOffset,
        array as Bytes,
        array.byteLength,
      );
      if (result !== 0) gathered(moves, result);
    },
    scatter(moves, first, count, array, file, fileOffset) {
      checkBatch(moves, first, count, fileOffset);
      const result = symbols.tessera_scatter(
        moves.data,
        first,
        count,
        moves.kind === "bits" ? 1 : 0,
        moves.ndim,
        moves.elementSize,
        moves.swapUnit,
        array as Bytes,
        array.byteLength,
        file as Bytes,
        file.byteLength,
        fileOffset,
      );
      if (result !== 0) gathered(moves, result);
    },
    decodeSymbols(box, stream, scale, target) {
      checkSymbols(box, stream, scale, target);
      const { levels, channel, row } = scale;
      numbers[0] = box.bits;
      numbers[1] = box.items;
      numbers[2] = box.copies;
      numbers[3] = box.first;
      numbers.set(box.shape, 4);
      numbers.set(box.steps, 7);
      symbols.tessera_decode_symbols(
        numbers,
        stream as Bytes,
        stream.byteLength,
        levels,
        levels?.length ?? 0,
        channel,
        channel.length,
        row,
        row.length,
        target as Bytes,
        target.byteLength,
      );
    },
    encodeVisibilities(block, quantiser, values, baselines, scratch, target) {
      checkVisibilities(block, quantiser, values, baselines, scratch, target);
      const { levels, guide, scale, bits } = quantiser, { first, second } = baselines;
      numbers[0] = BLOCK_SCALINGS.indexOf(block.scaling);
      numbers[1] = block.rows;
      numbers[2] = block.blockRows;
      numbers[3] = block.channels;
      numbers[4] = block.correlations;
      numbers[5] = block.antennas;
      numbers[6] = bits;
      numbers[7] = block.seed;
      symbols.tessera_encode_visibilities(
        numbers,
        values as Bytes,
        values.byteLength,
        levels,
        levels.length,
        guide,
        guide.length,
        scale,
        first,
        second,
        Math.min(first.length, second.length),
        scratch,
        scratch.length,
        target as Bytes,
        target.byteLength,
      );
    },
    encodeWeights(block, values, target) {
      checkWeights(block, values, target);
      const { rows, blockRows, channels, correlations, bits } = block;
      symbols.tessera_encode_weights(
        rows,
        blockRows,
        channels,
        correlations,
        bits,
        values as Bytes,
        values.byteLength,
        target as Bytes,
        target.byteLength,
      );
    },
  };
}
