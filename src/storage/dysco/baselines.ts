/**
 * Factors of antennas (AF) belong to a row by its ANTENNA1 and ANTENNA2. A block may be encoded before these are written,
 * in one commit: what it was encoded with is kept until then, and the block is encoded anew when they have changed.
 */
import { rowRange, type Rows } from "../../array/rows.ts";
import type { BlockBaselines } from "../../array/visibility-block.ts";
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

/** Plan: antennas of consecutive rows. @throws TableError INVALID_ARGUMENT for one that has no factor */
export function* baselinesOf(
  source: ColumnSource,
  file: DyscoFile,
  row: number,
  count: number,
): Plan<BlockBaselines> {
  const first = new Int32Array(count), second = new Int32Array(count);
  const { antennas } = file.header;
  yield* keyValues(source, "ANTENNA1", row, first);
  yield* keyValues(source, "ANTENNA2", row, second);
  for (const numbers of [first, second]) {
    for (let i = 0; i < count; i++) {
      if (numbers[i]! >= 0 && numbers[i]! < antennas) continue;
      throw new TableError(
        "INVALID_ARGUMENT",
        `row ${row + i} is of antenna ${numbers[i]}, the file has factors for antennas 0 to ${
          antennas - 1
        }: ` +
          "their number is fixed when data are first encoded (option antennas)",
        { file: file.path },
      );
    }
  }
  return { first, second };
}

/** Plan: checks that the antennas of rows have factors, a part of the rows at a time. @throws TableError INVALID_ARGUMENT */
export function* checkBaselines(source: ColumnSource, file: DyscoFile, rows: Rows): Plan<void> {
  const most = 65536;
  for (const { row, count } of rows.runs()) {
    for (let done = 0; done < count; done += most) {
      yield* baselinesOf(source, file, row + done, Math.min(most, count - done));
    }
  }
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
