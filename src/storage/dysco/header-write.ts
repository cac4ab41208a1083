/**
 * The header of a DyscoStMan's file, written; `header.ts` shows its layout. Format reference part 7, section 2.
 *
 * casacore leaves room for 24 bytes a column although a column header takes 12; so does this, in a new file.
 */
import { DISTRIBUTIONS } from "./levels.ts";
import { COLUMN_BYTES, type DyscoHeader, FIXED_BYTES, NAME_AT, NORMALIZATIONS } from "./header.ts";

/** Bytes that are left for each column in the header of a new file. */
const ROOM_BYTES = 24;

/** Offset of block 0 in a new file. */
export function firstBlockAt(nameBytes: number, columns: number): number {
  return FIXED_BYTES + nameBytes + columns * ROOM_BYTES;
}

/** The header up to the end of the last column header, or to block 0 in a new file. */
export function writeHeader(header: DyscoHeader, isNew: boolean): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(header.name);
  const columnsAt = FIXED_BYTES + name.length, at = NAME_AT + name.length;
  const columns = header.columnBytes.length;
  const bytes = new Uint8Array(isNew ? header.blocksAt : columnsAt + columns * COLUMN_BYTES);
  const view = new DataView(bytes.buffer);
  [header.blocksAt, columnsAt, columns, name.length].forEach((word, i) => view.setUint32(4 * i, word, true));
  bytes.set(name, NAME_AT);
  view.setUint32(at, header.rowsPerBlock, true);
  view.setUint32(at + 4, header.antennas, true);
  view.setUint32(at + 8, header.blockBytes, true);
  view.setUint16(at + 12, 1, true);
  view.setUint16(at + 14, 0, true);
  view.setUint8(at + 16, header.dataBits);
  view.setUint8(at + 17, header.weightBits);
  view.setUint8(at + 18, DISTRIBUTIONS.indexOf(header.distribution!));
  view.setUint8(at + 19, NORMALIZATIONS.indexOf(header.normalization!));
  view.setFloat64(at + 20, header.studentNu, true);
  view.setFloat64(at + 28, header.truncation, true);
  header.columnBytes.forEach((bytes, i) => {
    const start = columnsAt + i * COLUMN_BYTES;
    view.setUint32(start, COLUMN_BYTES, true);
    view.setUint32(start + 4, bytes, true);
    view.setUint32(start + 8, header.antennas, true);
  });
  return bytes;
}
