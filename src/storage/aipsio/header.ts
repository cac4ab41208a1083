/**
 * The beginning of the file `table.f<N>` of a StManAipsIO: format reference part 3, section B1. The whole file is one
 * AipsIO root object, big endian whatever the table's byte order.
 *
 * | object `StManAipsIO`, versions 1 and 2 | type | |
 * | --- | --- | --- |
 * | name | String | of the manager; not in version 1 |
 * | sequence number | uInt | the N of the file |
 * | uniqNr | uInt | indirect columns made so far |
 * | rows, columns | uInt each | of the table |
 * | data types | Int each | scalar codes; a record column has that of uChar |
 * | columns | object each | see column-object.ts |
 */
import { codeOf } from "../../array/dtype.ts";
import { AIPS_MAGIC, AipsReader } from "../../format/aipsio.ts";
import { TableError } from "../../error.ts";
import { type Plan, readBytes } from "../../io/plan.ts";
import type { ManagerContext } from "../manager.ts";

/** The type of the root object. */
export const ROOT_TYPE = "StManAipsIO";

/** Bytes of magic, length, type and version. */
const START_BYTES = 4 + 4 + (4 + ROOT_TYPE.length) + 4;

/** Bytes of a count, a number or a type. */
const WORD_BYTES = 4;

/** Numbers between the name and the types: sequence number, uniqNr, rows, columns. */
const NUMBERS = 4;

/** What the file says of itself. */
export interface AipsHeader {
  readonly version: number;
  readonly name: string;
  /** Indirect columns made so far: the number of the next one. */
  readonly uniqueNumber: number;
  readonly rowCount: number;
  /** Offset of the first column's object. */
  readonly columnsAt: number;
  /** End of the root object. */
  readonly end: number;
}

/**
 * Plan: reads the beginning of the file and holds it against the table; with `anyRows` the number of rows may differ.
 *
 * @throws TableError CORRUPT, UNSUPPORTED
 */
export function* readAipsHeader(
  context: ManagerContext,
  file: string,
  fileBytes: number,
  { anyRows = false }: { anyRows?: boolean } = {},
): Plan<AipsHeader> {
  const path = context.pathOf(file), columnCount = context.columns.length;
  const need = function* (bytes: number): Plan<AipsReader> {
    if (bytes > fileBytes) {
      throw new TableError("CORRUPT", `expected a header of ${bytes} bytes, the file has ${fileBytes}`, {
        file: path,
        offset: 0,
      });
    }
    return new AipsReader(yield* readBytes(file, 0, bytes), { file: path });
  };
  let reader = yield* need(START_BYTES + WORD_BYTES);
  const magic = reader.u32();
  if (magic !== AIPS_MAGIC) {
    reader.fail(`expected magic 0xbebebebe, found 0x${magic.toString(16).padStart(8, "0")}`, 0);
  }
  const length = reader.u32(), end = length === AIPS_MAGIC ? fileBytes : WORD_BYTES + length;
  if (end > fileBytes) {
    reader.fail(`the file is said to hold an object of ${length} bytes, it has ${fileBytes}`, WORD_BYTES);
  }
  const type = reader.string();
  if (type !== ROOT_TYPE) {
    reader.fail(`expected an object of type ${ROOT_TYPE}, found ${JSON.stringify(type)}`, 8);
  }
  const version = reader.u32();
  if (version !== 1 && version !== 2) {
    reader.unsupported(`${ROOT_TYPE} has version ${version}, expected 1 or 2`, START_BYTES - WORD_BYTES);
  }
  const nameBytes = version === 1 ? 0 : WORD_BYTES + reader.u32();
  const columnsAt = START_BYTES + nameBytes + WORD_BYTES * (NUMBERS + columnCount);
  reader = yield* need(columnsAt);
  if (columnsAt > end) {
    reader.fail(`the object is said to end at ${end}, its header takes ${columnsAt} bytes`, 4);
  }
  reader.offset = START_BYTES;
  const name = version === 1 ? "" : reader.string();
  expectNumber(reader, "sequence number", context.sequence);
  const uniqueNumber = reader.u32();
  const rowCount = readRowCount(reader, anyRows ? null : context.rowCount);
  expectNumber(reader, "number of columns", columnCount);
  for (const column of context.columns) {
    const at = reader.offset, code = reader.i32();
    const expected = column.kind === "record" ? codeOf("uint8") : codeOf(column.dtype);
    if (code !== expected) {
      reader.fail(`data type of column ${column.name} is ${code}, the table's is ${expected}`, at);
    }
  }
  return { version, name, uniqueNumber, rowCount, columnsAt, end };
}

function expectNumber(reader: AipsReader, what: string, expected: number): void {
  const at = reader.offset, found = reader.u32();
  if (found !== expected) reader.fail(`${what} is ${found}, the table's is ${expected}`, at);
}

/**
 * The number of rows. When casacore removes all rows of a table it may leave the old number in `table.dat` (part 1,
 * section 8.4): a file without rows opens, so that whoever asks can be told.
 */
function readRowCount(reader: AipsReader, expected: number | null): number {
  const at = reader.offset, found = reader.u32();
  if (expected !== null && found !== expected && found !== 0) {
    reader.fail(`number of rows is ${found}, the table's is ${expected}`, at);
  }
  return found;
}
