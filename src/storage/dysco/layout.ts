/**
 * Where a column lies in a block. Format reference part 7, section 3.
 *
 * The columns follow each other in a block without gaps; each has floats and then packed symbols. With P correlations
 * (the fast axis of a cell), C channels, R rows of a block and A antennas:
 *
 * | column | floats that scale channels | floats that scale rows | symbols of b bits |
 * | --- | --- | --- | --- |
 * | data, AF | C × P | P × A, of antennas | R × C × P × 2 |
 * | data, RF | C × P | R × P | R × C × P × 2 |
 * | data, Row | none | R | R × C × P × 2 |
 * | weights | 1, of everything | none | R × C: all correlations share one |
 *
 * The last axis named is the fastest. The number of bits is rounded up to bytes once, at the end of the column's part.
 */
import { TableError } from "../../error.ts";
import type { BoundColumn } from "../manager.ts";
import type { DyscoHeader, Normalization } from "./header.ts";

/** Numbers of bits that casacore packs. */
export const SYMBOL_BITS: readonly number[] = [2, 3, 4, 6, 8, 10, 12, 16];

/** What a column's floats scale. */
export type Scaling = Normalization | "weights";

/** A column's part of every block. */
export interface Part {
  readonly scaling: Scaling;
  /** P. */
  readonly correlations: number;
  /** C. */
  readonly channels: number;
  /** Bits of a symbol. */
  readonly bits: number;
  /** Symbols of a row. */
  readonly rowSymbols: number;
  /** Bytes from the block's start. */
  readonly at: number;
  /** Floats that scale channels; those that scale rows follow. */
  readonly channelFloats: number;
  /** Bytes from the block's start to the symbols. */
  readonly symbolsAt: number;
  readonly bytes: number;
}

/** The parts of a manager's columns, in their order; checked against the header where it knows how long a block is. */
export function partsOf(header: DyscoHeader, columns: readonly BoundColumn[], path: string): Part[] {
  const { rowsPerBlock, blockBytes, columnBytes, fileBytes } = header;
  const parts = layoutOf(header, columns, path);
  if (rowsPerBlock === 0) return parts;
  columns.forEach((column, i) => {
    const said = columnBytes[i] ?? 0, { bytes } = parts[i]!;
    if (said !== 0 && said !== bytes) {
      throw new TableError(
        "CORRUPT",
        `column ${column.name} is said to take ${said} bytes of a block, its values take ${bytes}`,
        { file: path },
      );
    }
  });
  const at = bytesOf(parts);
  if (at !== blockBytes) {
    throw new TableError(
      "CORRUPT",
      `blocks have ${blockBytes} bytes, their columns take ${at}: ${rowsPerBlock} rows, ${header.antennas} ` +
        `antennas, a file of ${fileBytes} bytes`,
      { file: path },
    );
  }
  return parts;
}

/** The parts of columns in blocks of `header.rowsPerBlock` rows and `header.antennas` antennas. */
export function layoutOf(header: DyscoHeader, columns: readonly BoundColumn[], path: string): Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (const column of columns) {
    const part = partOf(header, column, at, path);
    parts.push(part);
    at += part.bytes;
  }
  return parts;
}

/** Bytes of a block. */
export function bytesOf(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + part.bytes, 0);
}

function partOf(header: DyscoHeader, column: BoundColumn, at: number, path: string): Part {
  const { rowsPerBlock, antennas } = header;
  const { name, kind, dtype, shape } = column;
  if (
    kind !== "array" || shape === null || shape.length !== 2 || (dtype !== "complex64" && dtype !== "float32")
  ) {
    const found = kind === "array"
      ? `${dtype} arrays of ${shape === null ? "any shape" : `[${shape}]`}`
      : dtype;
    throw new TableError(
      "UNSUPPORTED",
      `column ${name} has ${found}; DyscoStMan keeps complex64 or float32 of two axes that are the same in all rows`,
      { file: path },
    );
  }
  const [correlations, channels] = shape as [number, number];
  // casacore tells weights by the column's name, and won't open a table where name and type differ: the type is enough.
  const weights = dtype === "float32";
  const bits = weights ? header.weightBits : header.dataBits;
  const scaling = weights ? "weights" : header.normalization;
  if (rowsPerBlock > 0 && (!SYMBOL_BITS.includes(bits) || scaling === undefined)) {
    throw new TableError(
      "CORRUPT",
      scaling === undefined
        ? "the normalisation has a code that is none of 0, 1, 2"
        : `column ${name} has symbols of ${bits} bits, expected one of ${SYMBOL_BITS.join(", ")}`,
      { file: path },
    );
  }
  const factors = channels * correlations;
  const rowSymbols = weights ? channels : 2 * factors;
  const [channelFloats, rowFloats] = scaling === "weights"
    ? [1, 0]
    : scaling === "AF"
    ? [factors, correlations * antennas]
    : scaling === "RF"
    ? [factors, correlations * rowsPerBlock]
    : [0, rowsPerBlock];
  const symbolsAt = at + 4 * (channelFloats + rowFloats);
  return {
    scaling: scaling ?? "Row",
    correlations,
    channels,
    bits,
    rowSymbols,
    at,
    channelFloats,
    symbolsAt,
    bytes: symbolsAt - at + Math.ceil(rowsPerBlock * rowSymbols * bits / 8),
  };
}
