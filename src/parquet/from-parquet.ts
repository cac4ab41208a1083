/**
 * Parquet files as tables: a row group at a time.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { type AsyncBuffer, parquetMetadataAsync, parquetScan } from "hyparquet";
import { type FromArrowOptions, importColumns, noteOf } from "../arrow/from-arrow.ts";
import { partOfValues } from "../arrow/from-values.ts";
import { NewTable } from "../arrow/new-table.ts";
import { TableError } from "../error.ts";
import { decodeUtf8 } from "../format/strings.ts";
import type { Table } from "../table/table.ts";
import { arrowSchemaOf } from "./schema.ts";

/** Values as they are in the file: times and dates as numbers, texts with all their bytes. */
const PARSERS = {
  timestampFromMilliseconds: (value: bigint) => value,
  timestampFromMicroseconds: (value: bigint) => value,
  timestampFromNanoseconds: (value: bigint) => value,
  dateFromDays: (value: number) => value,
  stringFromBytes: (bytes: Uint8Array | undefined) => bytes && decodeUtf8(bytes),
  jsonFromBytes: (bytes: Uint8Array | undefined) => bytes && decodeUtf8(bytes),
  uuidFromBytes: (bytes: Uint8Array | undefined) => bytes,
};

/** A file, as hyparquet reads it. */
function bufferOf(path: string): AsyncBuffer & { close(): void } {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (cause) {
    const missing = (cause as { code?: string }).code === "ENOENT";
    const text = missing ? "there is no such file" : `it can't be opened: ${(cause as Error).message}`;
    throw new TableError(missing ? "NOT_FOUND" : "IO", text, { file: path, cause });
  }
  const byteLength = fstatSync(file).size;
  return {
    byteLength,
    slice(start, end = byteLength) {
      const bytes = new Uint8Array(Math.max(0, Math.min(end, byteLength) - start));
      for (let at = 0; at < bytes.length;) {
        const read = readSync(file, bytes, at, bytes.length - at, start + at);
        if (read === 0) {
          throw new TableError("CORRUPT", "the file ends too early", { file: path, offset: start + at });
        }
        at += read;
      }
      return bytes.buffer;
    },
    close: () => closeSync(file),
  };
}

/**
 * Makes a table of a Parquet file, and opens it. Types become those that `docs/arrow.md` lists; what {@linkcode writeParquet}
 * made becomes what it was. The table has its name only when it is complete.
 *
 * @throws TableError NOT_FOUND, CORRUPT for what is no Parquet file, and those of `fromArrow`
 * @example
 * ```ts
 * import { scalar, Table } from "@tessera/tables";
 * import { fromParquet, writeParquet } from "@tessera/tables/parquet";
 * {
 *   using table = Table.create("times.tab", { columns: [scalar("TIME", "float64")], rows: 1000 });
 *   await writeParquet(table, "times.parquet");
 * }
 * using again = await fromParquet("again.tab", "times.parquet");
 * console.log(again.rowCount); // 1000
 * ```
 */
export async function fromParquet(
  path: string,
  file: string,
  options: FromArrowOptions = {},
): Promise<Table> {
  const { columns: names, ...rest } = options;
  const buffer = bufferOf(file);
  /** What the library throws is the file's fault. */
  const decoded = async <T>(promise: Promise<T>): Promise<T> => {
    try {
      return await promise;
    } catch (cause) {
      if (cause instanceof TableError) throw cause;
      const text = cause instanceof Error ? cause.message : String(cause);
      throw new TableError("CORRUPT", `it can't be read as Parquet: ${text}`, { file, cause });
    }
  };
  let table: NewTable | null = null;
  try {
    const reading = { file: buffer, parsers: PARSERS, geoparquet: false, utf8: false };
    const metadata = await decoded(parquetMetadataAsync(buffer, { parsers: PARSERS, geoparquet: false }));
    const schema = await decoded(arrowSchemaOf(metadata, file));
    const columns = importColumns(schema, names);
    const own = new Map((metadata.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? ""]));
    table = new NewTable(path, columns, noteOf(new Map([...own, ...schema.metadata])), rest);
    const scan = await decoded(
      parquetScan({ ...reading, metadata, columns: columns.map(({ name }) => name) }),
    );
    for (const { rowStart, rowEnd } of scan.ranges) {
      const parts = [];
      for (const column of columns) {
        const values = await decoded(scan.readColumn({ column: column.name, rowStart, rowEnd }));
        parts.push(partOfValues(column, values, (row) => `column ${column.name}, row ${rowStart + row}`));
      }
      await table.append(rowEnd - rowStart, parts);
    }
  } catch (error) {
    table?.abort();
    throw error;
  } finally {
    buffer.close();
  }
  return table.finish();
}
