/**
 * A row group of a Parquet file.
 *
 * hyparquet-writer takes arrays as JavaScript lists and works out their levels value by value. Where nothing is null and no list
 * is empty, levels follow from the lengths of the lists alone, and PLAIN values are the bytes of the typed array; so the page of
 * an array column is put together here, and its values are written from where they lie. Everything else is the library's.
 *
 * | bytes of a page (version 2) | |
 * | --- | --- |
 * | header | sizes, number of values and rows |
 * | repetition levels | of each value how many lists around it go on; 0 begins a row |
 * | definition levels | of each value how many of the optional and repeated things around it are there: all, here |
 * | values | little endian numbers; bools as bits, the least significant first |
 */
import { type Data, type DataType, DataType as Types, type RecordBatch, Vector } from "apache-arrow";
import { type FileMetaData, parquetSchema, type SchemaElement, type SchemaTree } from "hyparquet";
import { ByteWriter, type ParquetWriter } from "hyparquet-writer";
import { writeColumn } from "hyparquet-writer/src/column.js";
import { writePageHeader } from "hyparquet-writer/src/datapage.js";
import { encodeNestedValues } from "hyparquet-writer/src/dremel.js";
import { writeRleBitPackedHybrid } from "hyparquet-writer/src/encoding.js";
import type { Write } from "../arrow/ipc.ts";

/** Bytes of a page's values that are aimed at, where the library makes pages. */
const PAGE_BYTES = 2 ** 20;

type ColumnWriterOptions = Parameters<typeof writeColumn>[0];
type Compressors = ColumnWriterOptions["column"]["compressors"];
type Chunk = ReturnType<typeof writeColumn>["chunk"];

/** Values of an array column's leaf: as bytes, and the repetition level of each. */
interface Leaf {
  readonly bytes: Uint8Array;
  readonly levels: Uint8Array;
  /** Largest levels, which every value has as its definition level. */
  readonly repetition: number;
  readonly definition: number;
}

/** Writes row groups of one schema. */
export class RowGroupWriter {
  readonly #parquet: ParquetWriter;
  readonly #tree: SchemaTree;
  /** Takes the bytes in front of, and in place of, what the writer has gathered. */
  readonly #write: Write;

  /** `write` gets values that don't go through the writer, when that is empty. */
  constructor(parquet: ParquetWriter, elements: SchemaElement[], write: Write) {
    this.#parquet = parquet;
    this.#tree = parquetSchema({ schema: elements } as FileMetaData);
    this.#write = write;
  }

  /** Writes a batch as a row group. */
  write(batch: RecordBatch): void {
    const { writer } = this.#parquet;
    const start = writer.offset;
    const columns = this.#tree.children.flatMap((column, i) => {
      const data = batch.data.children[i]!;
      const paths = leafPaths([this.#tree, column]);
      const leaves = column.children.length === 0 ? null : arrayLeaves(data, column);
      if (leaves !== null) return paths.map((path, leaf) => this.#page(path, leaves[leaf]!, batch.numRows));
      const rows = valuesOf(data) as never;
      return paths.map((path) => this.#column(path, encodeNestedValues(path, rows)));
    });
    const bytes = columns.reduce(
      (sum, { meta_data }) => sum + (meta_data?.total_uncompressed_size ?? 0n),
      0n,
    );
    this.#parquet.num_rows += BigInt(batch.numRows);
    this.#parquet.row_groups.push({
      columns,
      total_byte_size: bytes,
      num_rows: BigInt(batch.numRows),
      total_compressed_size: BigInt(writer.offset - start),
    });
    writer.flush?.();
  }

  /** A column chunk made by the library. */
  #column(path: readonly SchemaTree[], pageData: ColumnWriterOptions["pageData"]): Chunk {
    const schemaPath = path.map(({ element }) => element), element = schemaPath.at(-1)!;
    const result = writeColumn({
      writer: this.#parquet.writer,
      column: {
        columnName: nameOf(path).join("."),
        element,
        schemaPath,
        codec: "SNAPPY",
        compressors: this.#parquet.compressors as Compressors,
        // Extremes of the values of arrays help nobody to find a row.
        stats: path.length === 2,
        pageSize: PAGE_BYTES,
        columnIndex: false,
        offsetIndex: true,
      },
      pageData,
    });
    this.#parquet.pendingIndexes.push(result);
    return result.chunk;
  }

  /** A column chunk of one page whose values are written as they lie. */
  #page(path: readonly SchemaTree[], { bytes, levels, repetition, definition }: Leaf, rows: number): Chunk {
    const { writer } = this.#parquet;
    const start = writer.offset;
    const encoded = new ByteWriter();
    const repetitionBytes = writeRleBitPackedHybrid(encoded, levels as never, bitsOf(repetition));
    const definitionBytes = writeRleBitPackedHybrid(
      encoded,
      new Uint8Array(levels.length).fill(definition) as never,
      bitsOf(definition),
    );
    const size = encoded.offset + bytes.length;
    writePageHeader(writer, {
      type: "DATA_PAGE_V2",
      uncompressed_page_size: size,
      compressed_page_size: size,
      data_page_header_v2: {
        num_values: levels.length,
        num_nulls: 0,
        num_rows: rows,
        encoding: "PLAIN",
        definition_levels_byte_length: definitionBytes,
        repetition_levels_byte_length: repetitionBytes,
        is_compressed: false,
      },
    });
    writer.appendBytes(encoded.getBytes());
    const uncompressed = writer.offset - start + bytes.length;
    writer.flush?.();
    this.#write(bytes);
    writer.offset += bytes.length;
    return {
      file_offset: BigInt(start),
      meta_data: {
        type: path.at(-1)!.element.type!,
        encodings: ["PLAIN", "RLE"],
        path_in_schema: nameOf(path),
        codec: "UNCOMPRESSED",
        num_values: BigInt(levels.length),
        total_compressed_size: BigInt(writer.offset - start),
        total_uncompressed_size: BigInt(uncompressed),
        data_page_offset: BigInt(start),
      },
    };
  }
}

function nameOf(path: readonly SchemaTree[]): string[] {
  return path.slice(1).map(({ element }) => element.name);
}

/** Bits that levels up to a largest one take. */
function bitsOf(level: number): number {
  return Math.ceil(Math.log2(level + 1));
}

/** The paths from the root to each leaf, in order. */
function leafPaths(path: SchemaTree[]): SchemaTree[][] {
  const { children } = path.at(-1)!;
  return children.length === 0 ? [path] : children.flatMap((child) => leafPaths([...path, child]));
}

/** The leaves of an array column; null where a value is null, a list empty, or a leaf is of strings. */
function arrayLeaves(data: Data, { element }: SchemaTree): Leaf[] | null {
  const leaves: Leaf[] = [];
  const walk = (data: Data, levels: Uint8Array, repetition: number, definition: number): boolean => {
    if (data.nullCount > 0) return false;
    const type = data.type as DataType;
    if (Types.isStruct(type)) {
      return data.children.every((child) => walk(child, levels, repetition, definition));
    }
    if (Types.isFixedSizeList(type)) {
      const n = type.listSize;
      const inner = new Uint8Array(levels.length * n).fill(repetition + 1);
      for (let i = 0; i < levels.length; i++) inner[i * n] = levels[i]!;
      return walk(data.children[0]!, inner, repetition + 1, definition + 1);
    }
    if (Types.isList(type)) {
      const offsets = data.valueOffsets, first = offsets[0]!;
      const inner = new Uint8Array(offsets[levels.length]! - first).fill(repetition + 1);
      for (let i = 0; i < levels.length; i++) {
        if (offsets[i + 1] === offsets[i]) return false;
        inner[offsets[i]! - first] = levels[i]!;
      }
      return walk(data.children[0]!.slice(first, inner.length), inner, repetition + 1, definition + 1);
    }
    const bytes = plainBytes(data);
    if (bytes === null) return false;
    leaves.push({ bytes, levels, repetition, definition });
    return true;
  };
  return walk(data, new Uint8Array(data.length), 0, element.repetition_type === "OPTIONAL" ? 1 : 0)
    ? leaves
    : null;
}

/** Values in Parquet's PLAIN encoding; null for those that the library encodes. */
function plainBytes(data: Data): Uint8Array | null {
  const type = data.type as DataType, { length } = data;
  if (Types.isBool(type)) {
    return data.offset === 0 ? (data.values as Uint8Array).subarray(0, Math.ceil(length / 8)) : null;
  }
  if (!Types.isInt(type) && !Types.isFloat(type)) return null;
  const values = (data.values as Int32Array).subarray(0, length);
  // Whole numbers of fewer bits are kept in 32.
  const wide = values.BYTES_PER_ELEMENT < 4 ? Int32Array.from(values) : values;
  return new Uint8Array(wide.buffer, wide.byteOffset, wide.byteLength);
}

/** A list for the writer: numbers where there are no nulls as they are. */
type Rows = { readonly length: number; readonly [row: number]: unknown };

/** Values of Arrow data, lists as arrays and structs as objects. */
function valuesOf(data: Data): Rows {
  const values = plainValues(data);
  if (data.nullCount === 0) return values;
  return Array.from({ length: data.length }, (_, row) => data.getValid(row) ? values[row] : null);
}

function plainValues(data: Data): Rows {
  const type = data.type as DataType, { length } = data;
  if (Types.isFixedSizeList(type)) {
    const items = valuesOf(data.children[0]!), n = type.listSize;
    return Array.from({ length }, (_, row) => part(items, row * n, (row + 1) * n));
  }
  if (Types.isList(type)) {
    const items = valuesOf(data.children[0]!), offsets = data.valueOffsets;
    return Array.from({ length }, (_, row) => part(items, offsets[row]!, offsets[row + 1]!));
  }
  if (Types.isStruct(type)) {
    const fields = type.children.map(({ name }, i) => [name, valuesOf(data.children[i]!)] as const);
    return Array.from(
      { length },
      (_, row) => Object.fromEntries(fields.map(([name, values]) => [name, values[row]])),
    );
  }
  if (Types.isBool(type)) {
    const bits = data.values as Uint8Array, { offset } = data;
    return Array.from({ length }, (_, i) => ((bits[(offset + i) >> 3]! >> ((offset + i) & 7)) & 1) === 1);
  }
  if (Types.isUtf8(type)) {
    const texts = new Vector([data]);
    return Array.from({ length }, (_, i) => texts.get(i) ?? "");
  }
  const numbers = (data.values as Float64Array).subarray(0, length) as unknown;
  // The writer refuses numbers from 2^31 on in a Uint32Array, but not in an Array.
  return numbers instanceof Uint32Array ? Array.from(numbers) : numbers as Rows;
}

/** The writer knows a list by its being an Array. */
function part(items: Rows, from: number, to: number): unknown[] {
  return Array.prototype.slice.call(items, from, to);
}
