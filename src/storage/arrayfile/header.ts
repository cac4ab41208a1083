/**
 * The header of an indirect array file: format reference part 2, section 5. In the byte order of the table
 * (StManAipsIO: always big endian).
 *
 * | offset | type | content |
 * | --- | --- | --- |
 * | 0 | u32 | version: 0, or 1 when records start with a reference count |
 * | 4 | i64 | end of the used part of the file, where the next array goes |
 * | 12 | i32 | 0 |
 */
import { TableError } from "../../error.ts";

/** Bytes of the header; no array starts before. */
export const ARRAY_HEADER_BYTES = 16;

/** What the header says. */
export interface ArrayFileHeader {
  readonly version: 0 | 1;
  /** End of the used part. */
  readonly length: number;
}

/** Name of the array file of a manager; old managers had one for each indirect column, numbered 0, 1, … */
export function arrayFileName(sequence: number, column?: number): string {
  return `table.f${sequence}i${column ?? ""}`;
}

/** Reads the header. @throws TableError CORRUPT, or UNSUPPORTED for an unknown version. */
export function parseArrayHeader(
  bytes: Uint8Array,
  options: { path: string; bigEndian: boolean; fileBytes: number },
): ArrayFileHeader {
  const { path, bigEndian, fileBytes } = options;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(0, !bigEndian);
  if (version !== 0 && version !== 1) {
    throw new TableError("UNSUPPORTED", `array file has version ${version}, expected 0 or 1`, {
      file: path,
      offset: 0,
    });
  }
  const length = Number(view.getBigInt64(4, !bigEndian));
  if (length < ARRAY_HEADER_BYTES || length > fileBytes) {
    throw new TableError(
      "CORRUPT",
      `array file says that ${length} bytes are used, expected ${ARRAY_HEADER_BYTES} to ${fileBytes}, the file's size`,
      { file: path, offset: 4 },
    );
  }
  return { version, length };
}

/** The header's bytes. */
export function formatArrayHeader(header: ArrayFileHeader, bigEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(ARRAY_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, header.version, !bigEndian);
  view.setBigInt64(4, BigInt(header.length), !bigEndian);
  return bytes;
}
