/**
 * What `table.dat` keeps for a StandardStMan: format reference part 2, section 1. One AipsIO root object, always big
 * endian.
 *
 * | field | type | |
 * | --- | --- | --- |
 * | name | str | of the manager |
 * | columnOffset | Block of u32 | where each column's area begins in a data bucket |
 * | colIndexMap | Block of u32 | which index each column belongs to |
 */
import { AipsReader, AipsWriter } from "../../format/aipsio.ts";

/** Version of the blob that is written; readers take any. */
const BLOB_VERSION = 2;

/** The blob's content. The lists may be longer than there are columns: removed ones leave junk at the end. */
export interface SsmBlob {
  readonly name: string;
  readonly columnOffsets: ArrayLike<number>;
  readonly indexOfColumn: ArrayLike<number>;
}

/** Reads the blob. @param path of `table.dat`, for messages. @throws TableError CORRUPT */
export function parseBlob(bytes: Uint8Array, path: string, columns: number): SsmBlob {
  const reader = new AipsReader(bytes, { file: path });
  reader.root("SSM");
  const name = reader.string();
  const columnOffsets = reader.blockU32();
  const indexOfColumn = reader.blockU32();
  reader.end();
  if (columnOffsets.length < columns || indexOfColumn.length < columns) {
    reader.fail(
      `StandardStMan knows ${
        Math.min(columnOffsets.length, indexOfColumn.length)
      } columns, the table gives it ${columns}`,
    );
  }
  return { name, columnOffsets, indexOfColumn };
}

/** The blob's bytes. */
export function formatBlob(blob: SsmBlob): Uint8Array {
  const writer = new AipsWriter();
  writer.root("SSM", BLOB_VERSION);
  writer.string(blob.name);
  writer.blockU32(blob.columnOffsets);
  writer.blockU32(blob.indexOfColumn);
  writer.end();
  return writer.finish();
}

/** The blob with one more column than the `columns` it describes. */
export function withColumn(
  blob: SsmBlob,
  columns: number,
  place: { readonly offset: number; readonly index: number },
): SsmBlob {
  return {
    name: blob.name,
    columnOffsets: [...Array.from(blob.columnOffsets).slice(0, columns), place.offset],
    indexOfColumn: [...Array.from(blob.indexOfColumn).slice(0, columns), place.index],
  };
}

/**
 * The blob without one of its `columns`. Those behind it move up; the lists keep their lengths, as casacore leaves them.
 * `dropped` is the number of the index that is no more, null if all still are.
 */
export function withoutColumn(
  blob: SsmBlob,
  columns: number,
  number: number,
  dropped: number | null,
): SsmBlob {
  const moved = (list: ArrayLike<number>) => {
    const entries = Array.from(list);
    return entries.map((entry, i) => i >= number && i < columns - 1 ? entries[i + 1]! : entry);
  };
  const indices = Array.from(
    blob.indexOfColumn,
    (index, i) => dropped !== null && i < columns && index > dropped ? index - 1 : index,
  );
  return { name: blob.name, columnOffsets: moved(blob.columnOffsets), indexOfColumn: moved(indices) };
}
