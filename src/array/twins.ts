/**
 * The inner loops in TypeScript. Each is the twin of one in the C library (`ffi/`): same checks, same results, tests
 * hold the two against each other. They serve where the library or the permission to load it is missing.
 */
import { packBits, swapBytes, unpackBits } from "./bits.ts";
import { moveBoxes } from "./boxes.ts";
import { crc32cTwin } from "./crc32c-twin.ts";
import type { Kernels } from "./kernels.ts";
import { checkBits, checkSwap } from "./refuse.ts";
import { checkSymbols, decodeSymbols } from "./symbols.ts";
import { checkVisibilities, encodeVisibilities } from "./visibility-block.ts";
import { checkWeights, encodeWeights } from "./weight-block.ts";

/** The loops of {@linkcode Kernels}, without the C library. */
export const twins: Kernels = {
  name: "typescript",
  swap(bytes, unit) {
    checkSwap(bytes.byteLength, unit);
    swapBytes(bytes, unit);
  },
  crc32c: crc32cTwin,
  unpackBits(source, bitOffset, target, count) {
    checkBits(source, bitOffset, target, count);
    unpackBits(source, bitOffset, target, 0, count);
  },
  packBits(source, target, bitOffset, count) {
    checkBits(target, bitOffset, source, count);
    packBits(source, 0, target, bitOffset, count);
  },
  gather(moves, first, count, file, fileOffset, array) {
    moveBoxes(moves, first, count, { file, fileOffset, array, scatter: false });
  },
  scatter(moves, first, count, array, file, fileOffset) {
    moveBoxes(moves, first, count, { file, fileOffset, array, scatter: true });
  },
  decodeSymbols(box, stream, scale, target) {
    checkSymbols(box, stream, scale, target);
    decodeSymbols(box, stream, scale, target);
  },
  encodeVisibilities(block, quantiser, values, baselines, scratch, target) {
    checkVisibilities(block, quantiser, values, baselines, scratch, target);
    encodeVisibilities(block, quantiser, values, baselines, scratch, target);
  },
  encodeWeights(block, values, target) {
    checkWeights(block, values, target);
    encodeWeights(block, values, target);
  },
};
