/**
 * Blocks that get another layout: a column more or less, or factors for more antennas. Every block is taken out of its old
 * place and put into its new one, the last first where blocks move towards the end of the file, so that none is lost.
 */
import type { Plan } from "../../io/plan.ts";
import { readBytes } from "../../io/plan.ts";
import type { DyscoHeader } from "./header.ts";
import type { Part } from "./layout.ts";

/** Bytes of a float. */
const FLOAT_BYTES = 4;

/** Where blocks are. */
export type BlockPlaces = Pick<DyscoHeader, "blocksAt" | "blockBytes">;

/** Where a part comes from: null for one that is new. */
export interface Move {
  readonly from: Part | null;
  readonly to: Part;
}

/** Plan: moves `blocks` blocks. All of them grow, or all of them shrink. */
export function* moveBlocks(
  file: string,
  blocks: number,
  from: BlockPlaces,
  to: BlockPlaces,
  parts: readonly Move[],
  antennas: { readonly from: number; readonly to: number },
): Plan<void> {
  const grow = to.blocksAt > from.blocksAt || to.blockBytes > from.blockBytes;
  for (let i = 0; i < blocks; i++) {
    const block = grow ? blocks - 1 - i : i;
    const old = yield* readBytes(file, from.blocksAt + block * from.blockBytes, from.blockBytes);
    const bytes = new Uint8Array(to.blockBytes);
    for (const part of parts) {
      if (part.from !== null) copyPart(old, part.from, antennas.from, bytes, part.to, antennas.to);
    }
    yield { kind: "write", file, offset: to.blocksAt + block * to.blockBytes, bytes };
  }
  yield { kind: "resize", file, length: to.blocksAt + blocks * to.blockBytes, shrink: true };
}

/** Copies a column's part; antennas that are new have the factor 0, as those without data. */
function copyPart(
  old: Uint8Array,
  from: Part,
  oldAntennas: number,
  bytes: Uint8Array,
  to: Part,
  antennas: number,
): void {
  if (from.bytes === to.bytes) {
    bytes.set(old.subarray(from.at, from.at + from.bytes), to.at);
    return;
  }
  const ofChannels = FLOAT_BYTES * from.channelFloats;
  bytes.set(old.subarray(from.at, from.at + ofChannels), to.at);
  for (let p = 0; p < from.correlations; p++) {
    const start = from.at + ofChannels + FLOAT_BYTES * p * oldAntennas;
    const factors = old.subarray(start, start + FLOAT_BYTES * oldAntennas);
    bytes.set(factors, to.at + ofChannels + FLOAT_BYTES * p * antennas);
  }
  bytes.set(old.subarray(from.symbolsAt, from.at + from.bytes), to.symbolsAt);
}
