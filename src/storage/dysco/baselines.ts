/**
 * Factors of antennas (AF) belong to a row by its ANTENNA1 and ANTENNA2. A block may be encoded before these are written,
 * in one commit: what it was encoded with is kept until then, and the block is encoded anew when they have changed.
 */
import { rowRange, type Rows } from "../../array/rows.ts";
import { type BlockBaselines, MAX_ANTENNAS } from "../../array/visibility-block.ts";
import { kernels } from "../../array/choose.ts";
import { TableError } from "../../error.ts";
import { type Plan, readBytes } from "../../io/plan.ts";
import type { ColumnSource } from "../manager.ts";
import type { DyscoFile } from "./dysco-file.ts";
import { channelFactors, rowFactors } from "./factors.ts";
import { keyValues } from "./grouping.ts";
import type { Part } from "./layout.ts";

/** Bytes of a float. */
const FLOAT_BYTES = 4;

/** Rows that are looked at in one go. */
const ROWS_AT_ONCE = 65536;

/** Plan: antennas of consecutive rows. @throws TableError INVALID_ARGUMENT for numbers below 0, LIMIT for very large ones */
export function* baselinesOf(
  source: ColumnSource,
  file: DyscoFile,
  row: number,
  count: number,
): Plan<BlockBaselines> {
  const first = new Int32Array(count), second = new Int32Array(count);
  yield* keyValues(source, "ANTENNA1", row, first);
  yield* keyValues(source, "ANTENNA2", row, second);
  for (const numbers of [first, second]) {
    for (let i = 0; i < count; i++) {
      if (numbers[i]! >= 0 && numbers[i]! < MAX_ANTENNAS) continue;
      throw new TableError(
        numbers[i]! < 0 ? "INVALID_ARGUMENT" : "LIMIT",
        `row ${row + i} is of antenna ${numbers[i]}, expected 0 to ${MAX_ANTENNAS - 1}`,
        { file: file.path },
      );
    }
  }
  return { first, second };
}

/** Plan: one more than the largest antenna number of rows. @throws TableError as {@linkcode baselinesOf} */
export function* antennasOfRows(source: ColumnSource, file: DyscoFile, rows: Rows): Plan<number> {
  let most = 0;
  for (const { row, count } of rows.runs()) {
    for (let done = 0; done < count; done += ROWS_AT_ONCE) {
      const some = yield* baselinesOf(source, file, row + done, Math.min(ROWS_AT_ONCE, count - done));
      most = Math.max(most, antennasIn(some));
    }
  }
  return most;
}

/** One more than the largest antenna number. */
export function antennasIn({ first, second }: BlockBaselines): number {
  let largest = -1;
  for (const numbers of [first, second]) {
    for (let i = 0; i < numbers.length; i++) if (numbers[i]! > largest) largest = numbers[i]!;
  }
  return largest + 1;
}

/** True when both are of the same antennas. */
export function sameBaselines(one: BlockBaselines, other: BlockBaselines): boolean {
  const same = (a: Int32Array, b: Int32Array) =>
    a.length === b.length && a.every((value, i) => value === b[i]);
  return same(one.first, other.first) && same(one.second, other.second);
}

/** Plan: rows of a block as they decode with the antennas that it was encoded with. */
export function* decodeWith(
  file: DyscoFile,
  part: Part,
  block: number,
  baselines: BlockBaselines,
  values: Uint8Array,
): Plan<void> {
  const { antennas } = file.header, rows = baselines.first.length;
  const bytes = (yield* readBytes(file.name, file.blockAt(block) + part.at, part.bytes)).slice();
  const channelBytes = FLOAT_BYTES * part.channelFloats, symbolsAt = part.symbolsAt - part.at;
  const { channels, correlations } = part;
  const box = {
    firstCorrelation: 0,
    correlationStep: 1,
    correlations,
    firstChannel: 0,
    channelStep: 1,
    channels,
  };
  const channel = channelFactors(part, box, bytes.subarray(0, channelBytes));
  const floats = bytes.subarray(channelBytes, symbolsAt);
  const row = rowFactors(part, box, rows, floats, antennas, { ...baselines, at: 0 });
  kernels().decodeSymbols(
    {
      bits: part.bits,
      items: 2,
      copies: 1,
      first: 0,
      shape: [rows, channels, correlations],
      steps: [part.rowSymbols, part.rowSymbols / channels, 2],
    },
    bytes.subarray(symbolsAt),
    { levels: file.levels(), channel, row },
    values,
  );
}

/** The rows of a block, as a selection. */
export function blockRows(file: DyscoFile, block: number, rows: number): Rows {
  return rowRange(block * file.header.rowsPerBlock, rows);
}
