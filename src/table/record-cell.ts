/**
 * Cells of record columns. A record lies in a 1-dim uint8 array: a root AipsIO object, big endian whatever the table's
 * byte order; an undefined cell is an empty record (format reference part 2, section 3). An array without elements would be
 * one, too, but casacore can't read that.
 */
import { AIPS_MAGIC, AipsReader, AipsWriter } from "../format/aipsio.ts";
import { readRecord, writeRecord } from "../format/record-io.ts";
import { EMPTY_RECORD, type RecordFields } from "../format/record.ts";

/** The record in a cell's bytes. @throws TableError CORRUPT, UNSUPPORTED, LIMIT */
export function decodeRecordCell(bytes: Uint8Array, where: string): RecordFields {
  if (bytes.length === 0) return EMPTY_RECORD;
  const reader = new AipsReader(bytes, { file: where });
  const magic = reader.u32();
  if (magic !== AIPS_MAGIC) {
    reader.fail(`expected magic 0x${AIPS_MAGIC.toString(16)}, found 0x${magic.toString(16)}`, 0);
  }
  return readRecord(reader);
}

/** The bytes of a cell that holds a record. */
export function encodeRecordCell(record: RecordFields): Uint8Array {
  const writer = new AipsWriter();
  writer.u32(AIPS_MAGIC);
  writeRecord(writer, record);
  return writer.finish();
}
