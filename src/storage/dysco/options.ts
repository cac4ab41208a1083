/**
 * What a caller may ask of a new DyscoStMan, checked: casacore takes some of what it can't keep, and ends the process at
 * the first write. Format reference part 7, section 1.
 */
import { TableError } from "../../error.ts";
import type { BoundColumn, StorageSpec } from "../manager.ts";
import { type DyscoHeader, type Normalization, NORMALIZATIONS } from "./header.ts";
import { firstBlockAt } from "./header-write.ts";
import { checkBlockSize } from "./block-size.ts";
import { bytesOf, layoutOf, SYMBOL_BITS } from "./layout.ts";
import { type Distribution, DISTRIBUTIONS } from "./levels.ts";

/** The column of weights; every other column has visibilities. */
const WEIGHT_COLUMN = "WEIGHT_SPECTRUM";
/** Columns that casacore looks for when it opens a table with a DyscoStMan. */
export const KEY_COLUMNS = {
  TIME: "float64",
  FIELD_ID: "int32",
  DATA_DESC_ID: "int32",
  ANTENNA1: "int32",
  ANTENNA2: "int32",
} as const;

/** Degrees of freedom below this make casacore's library of distributions end the process. */
const MIN_DEGREES = 1;
const MAX_COUNT = 2 ** 32 - 1;
const MAX_NAME_BYTES = 65536;

/** What is known of a new file, and what the caller wants of its blocks; 0: to be found out. */
export interface DyscoOptions {
  readonly header: DyscoHeader;
  readonly rowsPerBlock: number;
  readonly antennas: number;
}

/** Checks a spec and its columns. @throws TableError INVALID_ARGUMENT, LIMIT */
export function readOptions(spec: StorageSpec, columns: readonly BoundColumn[]): DyscoOptions {
  const fail = (reason: string): never => {
    throw new TableError("INVALID_ARGUMENT", `DyscoStMan ${spec.name}: ${reason}`);
  };
  const {
    dataBitCount = 10,
    weightBitCount = 12,
    normalization = "AF",
    distribution = "TruncatedGaussian",
    studentTNu = 0,
    distributionTruncation = 2.5,
    rowsPerBlock = 0,
    antennas = 0,
    ...others
  } = spec.options;
  const unknown = Object.keys(others);
  if (unknown.length > 0) fail(`there is no option ${unknown.join(", ")}`);
  const bits = (option: string, value: unknown): number =>
    SYMBOL_BITS.includes(value as number)
      ? value as number
      : fail(`${option} is ${String(value)}, expected one of ${SYMBOL_BITS.join(", ")}`);
  const count = (option: string, value: unknown): number =>
    typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_COUNT
      ? value
      : fail(`${option} is ${String(value)}, expected a whole number, or 0 for what the table has`);
  if (!NORMALIZATIONS.includes(normalization as Normalization)) {
    fail(`normalization is ${String(normalization)}, expected one of ${NORMALIZATIONS.join(", ")}`);
  }
  // casacore wants to be given the one name and tells the other.
  const named = distribution === "StudentsT" ? "StudentT" : distribution as Distribution;
  if (!DISTRIBUTIONS.includes(named)) {
    fail(`distribution is ${String(distribution)}, expected one of ${DISTRIBUTIONS.join(", ")}`);
  }
  const nu = studentTNu as number, truncation = distributionTruncation as number;
  if (!Number.isFinite(nu) || (named === "StudentT" && !(nu >= MIN_DEGREES))) {
    fail(`studentTNu is ${String(studentTNu)}, expected degrees of freedom from ${MIN_DEGREES}`);
  }
  if (!Number.isFinite(truncation) || (named === "TruncatedGaussian" && !(truncation > 0))) {
    fail(`distributionTruncation is ${String(distributionTruncation)}, expected standard deviations above 0`);
  }
  const nameBytes = new TextEncoder().encode(spec.name).length;
  if (nameBytes > MAX_NAME_BYTES) {
    fail(`its name takes ${nameBytes} bytes, at most ${MAX_NAME_BYTES} are possible`);
  }
  for (const column of columns) checkColumn(column, fail);
  const options: DyscoOptions = {
    header: {
      name: spec.name,
      blocksAt: firstBlockAt(nameBytes, columns.length),
      rowsPerBlock: 0,
      antennas: 0,
      blockBytes: 0,
      dataBits: bits("dataBitCount", dataBitCount),
      weightBits: bits("weightBitCount", weightBitCount),
      distribution: named,
      normalization: normalization as Normalization,
      studentNu: nu,
      truncation,
      columnBytes: columns.map(() => 0),
      fileBytes: 0,
    },
    rowsPerBlock: count("rowsPerBlock", rowsPerBlock),
    antennas: count("antennas", antennas),
  };
  const { rowsPerBlock: rows, antennas: stations, header } = options;
  const asked = { ...header, rowsPerBlock: rows, antennas: stations };
  const parts = layoutOf(asked, columns, "");
  checkBlockSize(asked, parts);
  // A header without rows of a block keeps the antennas; casacore looks at neither then.
  if (rows === 0 || (stations === 0 && header.normalization === "AF")) {
    return { ...options, header: { ...header, antennas: stations } };
  }
  return {
    ...options,
    header: { ...asked, blockBytes: bytesOf(parts), columnBytes: parts.map((part) => part.bytes) },
  };
}

/** Refuses columns that casacore doesn't take, or takes and can't open again. */
export function checkColumn(column: BoundColumn, fail: (reason: string) => never): void {
  const { name, kind, dtype, shape, direct } = column;
  if (kind !== "array" || shape === null || shape.length !== 2) {
    fail(`column ${name}: expected arrays of a fixed shape [correlations, channels]`);
  }
  if (!direct) fail(`column ${name}: expected an array column that is direct (direct: true)`);
  const expected = name === WEIGHT_COLUMN ? "float32" : "complex64";
  if (dtype !== expected) {
    fail(
      `column ${name} has ${dtype}, expected ${expected}: weights are in ${WEIGHT_COLUMN}, visibilities elsewhere`,
    );
  }
}

/** Refuses tables without the columns that casacore looks for. */
export function checkKeyColumns(columns: readonly BoundColumn[], name: string): void {
  for (const [key, dtype] of Object.entries(KEY_COLUMNS)) {
    const column = columns.find((one) => one.name === key);
    if (column?.kind !== "scalar" || column.dtype !== dtype) {
      throw new TableError(
        "INVALID_ARGUMENT",
        `DyscoStMan ${name}: the table needs a scalar column ${key} of ${dtype}` +
          (column === undefined ? "" : `, its ${key} has ${column.dtype}, ${column.kind}`),
      );
    }
  }
}
