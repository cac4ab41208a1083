/**
 * The header of a DyscoStMan's file. Format reference part 7, section 2. L is the length of the manager's name.
 *
 * | offset | type | field |
 * | --- | --- | --- |
 * | 0 | uInt32 | offset of block 0 |
 * | 4 | uInt32 | offset of the column headers, 52 + L |
 * | 8 | uInt32 | columns |
 * | 12 | uInt32, bytes | L, name |
 * | 16 + L | uInt32 | rows of a block; 0 while there is no data |
 * | 20 + L | uInt32 | antennas |
 * | 24 + L | uInt32 | bytes of a block |
 * | 28 + L | uInt16, uInt16 | version 1, 0 |
 * | 32 + L, 33 + L | uInt8 | bits of a symbol of data, of weights |
 * | 34 + L, 35 + L | uInt8 | distribution, normalisation |
 * | 36 + L, 44 + L | double | degrees of freedom of Student's t, truncation |
 * | 52 + L | uInt32 × 3 a column | bytes of this column header, of the column in a block, antennas |
 *
 * Everything is in the byte order of the machine that wrote it, whatever the table's. Between the last column header
 * and block 0 there are bytes that nobody uses.
 */
import { TableError } from "../../error.ts";
import { decodeText } from "../../format/strings.ts";
import { fileSize, type Plan, readBytes } from "../../io/plan.ts";
import { type Distribution, DISTRIBUTIONS } from "./levels.ts";

/** Normalisations in the order of their codes: by antenna and channel, by row and channel, by row. */
export const NORMALIZATIONS = ["AF", "RF", "Row"] as const;
/** What factors a block has beside its symbols. */
export type Normalization = (typeof NORMALIZATIONS)[number];

/** Bytes of the file header without the name, and where that is. */
export const FIXED_BYTES = 52, NAME_AT = 16;
/** Bytes of a column header. */
export const COLUMN_BYTES = 12;
/** Longest header that is read: one of some 40,000 columns. */
export const MAX_HEADER_BYTES = 1024 * 1024;

/** What the header says. */
export interface DyscoHeader {
  readonly name: string;
  /** Offset of block 0. */
  readonly blocksAt: number;
  /** Rows of a block; 0: there is no data. */
  readonly rowsPerBlock: number;
  readonly antennas: number;
  readonly blockBytes: number;
  readonly dataBits: number;
  readonly weightBits: number;
  /** undefined for a code that nobody knows, which does no harm where there are only weights. */
  readonly distribution: Distribution | undefined;
  readonly normalization: Normalization | undefined;
  readonly studentNu: number;
  readonly truncation: number;
  /** For each column the bytes that it is said to take in a block; casacore doesn't look at them. */
  readonly columnBytes: readonly number[];
  readonly fileBytes: number;
}

/** What a file of 0 bytes says: casacore leaves one for a table that nothing was written to. */
const NOTHING: DyscoHeader = {
  name: "",
  blocksAt: 0,
  rowsPerBlock: 0,
  antennas: 0,
  blockBytes: 0,
  dataBits: 0,
  weightBits: 0,
  distribution: undefined,
  normalization: undefined,
  studentNu: 0,
  truncation: 0,
  columnBytes: [],
  fileBytes: 0,
};

/** Plan: the header of the file of that name. @throws TableError NOT_FOUND, CORRUPT, UNSUPPORTED, LIMIT */
export function* readHeader(name: string, path: string, columnCount: number): Plan<DyscoHeader> {
  const fileBytes = yield* fileSize(name);
  if (fileBytes < 0) {
    throw new TableError("NOT_FOUND", "the file of a DyscoStMan is missing", { file: path });
  }
  if (fileBytes === 0) return NOTHING;
  const corrupt = (message: string, offset: number): never => {
    throw new TableError("CORRUPT", message, { file: path, offset });
  };
  if (fileBytes < FIXED_BYTES) {
    corrupt(`the file has ${fileBytes} bytes, a header has at least ${FIXED_BYTES}`, 0);
  }
  const start = viewOf(yield* readBytes(name, 0, NAME_AT));
  const [blocksAt, columnsAt, columns, nameBytes] = [0, 4, 8, 12].map((at) => start.getUint32(at, true)) as [
    number,
    number,
    number,
    number,
  ];
  if (columnsAt !== FIXED_BYTES + nameBytes) {
    if (start.getUint32(4) === FIXED_BYTES + start.getUint32(12)) {
      throw new TableError("UNSUPPORTED", "the file was written on a big-endian machine", { file: path });
    }
    corrupt(`column headers at ${columnsAt}, expected them at ${FIXED_BYTES} + ${nameBytes}`, 4);
  }
  if (columns !== columnCount) {
    corrupt(`${columns} columns, the table has ${columnCount} for this manager`, 8);
  }
  const least = columnsAt + columns * COLUMN_BYTES;
  if (least > fileBytes || least > blocksAt) {
    corrupt(
      `the header of ${columns} columns takes ${least} bytes, block 0 is at ${blocksAt} and the file ` +
        `has ${fileBytes} bytes`,
      0,
    );
  }
  const headerBytes = Math.min(blocksAt, fileBytes);
  if (headerBytes > MAX_HEADER_BYTES) {
    throw new TableError(
      "LIMIT",
      `the header has ${headerBytes} bytes, at most ${MAX_HEADER_BYTES} are read`,
      { file: path, offset: 0 },
    );
  }
  const bytes = yield* readBytes(name, 0, headerBytes);
  const view = viewOf(bytes), at = NAME_AT + nameBytes;
  const [major, minor] = [view.getUint16(at + 12, true), view.getUint16(at + 14, true)];
  if (major !== 1 || minor !== 0) {
    throw new TableError("UNSUPPORTED", `DyscoStMan has version ${major}.${minor}, expected 1.0`, {
      file: path,
      offset: at + 12,
    });
  }
  return {
    name: decodeText(bytes.subarray(NAME_AT, at), "utf8") as string,
    blocksAt,
    rowsPerBlock: view.getUint32(at, true),
    antennas: view.getUint32(at + 4, true),
    blockBytes: view.getUint32(at + 8, true),
    dataBits: view.getUint8(at + 16),
    weightBits: view.getUint8(at + 17),
    distribution: DISTRIBUTIONS[view.getUint8(at + 18)],
    normalization: NORMALIZATIONS[view.getUint8(at + 19)],
    studentNu: view.getFloat64(at + 20, true),
    truncation: view.getFloat64(at + 28, true),
    columnBytes: columnHeaders(view, columnsAt, columns, corrupt),
    fileBytes,
  };
}

/** The bytes that each column takes in a block. */
function columnHeaders(
  view: DataView,
  first: number,
  columns: number,
  corrupt: (message: string, offset: number) => never,
): number[] {
  const found: number[] = [];
  for (let at = first; found.length < columns;) {
    const left = view.byteLength - at;
    const size = left < COLUMN_BYTES ? 0 : view.getUint32(at, true);
    if (size < COLUMN_BYTES || size > left) {
      corrupt(
        `the header of column ${found.length} takes ${size} of ${left} bytes, expected ${COLUMN_BYTES}`,
        at,
      );
    }
    found.push(view.getUint32(at + 4, true));
    at += size;
  }
  return found;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
