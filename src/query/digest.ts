/**
 * Digests: what is in a table, as a hash that doesn't depend on how it is stored. A copy with other storage managers, tiles
 * or byte order has the same digests; one bit of a value makes another one. docs/digest.md defines them byte by byte.
 *
 * | of | SHA-256 of |
 * | --- | --- |
 * | a column's values | `tessera column 1\n`, kind and dtype as texts, SHA-256 of the shapes, SHA-256 of the values |
 * | shapes | for each stretch of cells of one shape: u64 count, i64 number of axes (-1: undefined), u64 length of each axis |
 * | values | the elements of all cells in order of the rows, first axis fastest, little endian; records as keywords |
 * | keywords | `tessera keywords 1\n`, the record: u64 number of fields, each a text (name), a text (type) and its value |
 * | a table | `tessera table 1\n`, u64 rows, digest of the keywords, u64 columns; for each, by name: text (name), both digests |
 *
 * A text is a u64 length in bytes and the bytes, as they are on disk. All numbers are little endian.
 */
import { Buffer } from "node:buffer";
import { createHash, type Hash } from "node:crypto";
import { bytesOf, type DType, isNumeric } from "../array/dtype.ts";
import { encodeText, type StringPolicy } from "../format/strings.ts";
import type { FieldValue, RecordFields } from "../format/record.ts";
import type { TableRecord } from "../format/table-record.ts";
import type { Table } from "../table/table.ts";
import { type CellBlock, cellBlocks, equalShapes } from "./cell-blocks.ts";

const COLUMN_MARK = "tessera column 1\n";
const KEYWORDS_MARK = "tessera keywords 1\n";
const TABLE_MARK = "tessera table 1\n";
/** Number of axes that stands for an undefined cell. */
const UNDEFINED_AXES = -1;
/** Bytes that are gathered before they are hashed. */
const GATHERED_BYTES = 65536;

/** Digests of one column, as 64 hexadecimal digits. */
export interface ColumnDigest {
  /** The column. */
  readonly name: string;
  /** Of the values. */
  readonly values: string;
  /** Of the column's keywords. */
  readonly keywords: string;
}

/** Digests of a table. */
export interface TableDigest {
  /** Of everything below, columns in order of their names. */
  readonly table: string;
  /** Number of rows. */
  readonly rows: number;
  /** Of the table's keywords. */
  readonly keywords: string;
  /** In the order asked for. */
  readonly columns: readonly ColumnDigest[];
}

/** Options of {@linkcode digestTable}. */
export interface DigestOptions {
  /** Columns to digest; all of them unless told otherwise. */
  readonly columns?: readonly string[];
  /** Told how far it got, in rows of the column. */
  readonly onProgress?: (column: string, rows: number, of: number) => void;
}

/** A hash that small pieces are gathered for. */
class Digester {
  readonly #hash: Hash = createHash("sha256");
  readonly #buffer = new Uint8Array(GATHERED_BYTES);
  readonly #view = new DataView(this.#buffer.buffer);
  #used = 0;

  #room(bytes: number): number {
    if (this.#used + bytes > GATHERED_BYTES) this.#flush();
    const at = this.#used;
    this.#used += bytes;
    return at;
  }

  #flush(): void {
    this.#hash.update(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }

  u64(value: number | bigint): void {
    this.#view.setBigUint64(this.#room(8), BigInt(value), true);
  }

  i64(value: number): void {
    this.#view.setBigInt64(this.#room(8), BigInt(value), true);
  }

  bytes(bytes: Uint8Array): void {
    if (bytes.length > GATHERED_BYTES) {
      this.#flush();
      this.#hash.update(bytes);
    } else this.#buffer.set(bytes, this.#room(bytes.length));
  }

  /** Length and bytes; `policy` is how the bytes became a string. */
  text(text: string | Uint8Array, policy: StringPolicy = "utf8"): void {
    const bytes = encodeText(text, typeof text === "string" && policy === "bytes" ? "utf8" : policy);
    this.u64(bytes.length);
    this.bytes(bytes);
  }

  digest(): Uint8Array {
    this.#flush();
    return this.#hash.digest();
  }

  hex(): string {
    return Buffer.from(this.digest()).toString("hex");
  }
}

function unhex(text: string): Uint8Array {
  return Buffer.from(text, "hex");
}

/** A typed array's bytes in little endian order, which is that of every machine Deno runs on. */
function numbers(digester: Digester, data: ArrayBufferView): void {
  digester.bytes(bytesOf(data));
}

/** Fields in order, with names, types and values; without comments, and of a subtable only that there is one. */
function record(digester: Digester, { fields }: RecordFields): void {
  digester.u64(fields.length);
  for (const { name, value } of fields) {
    digester.text(name);
    field(digester, value);
  }
}

function field(digester: Digester, value: FieldValue): void {
  switch (value.kind) {
    case "table":
      return digester.text("table");
    case "record":
      digester.text("record");
      return record(digester, value.fields);
    case "array":
      digester.text(`${value.dtype}[]`);
      digester.u64(value.shape.length);
      for (const length of value.shape) digester.u64(length);
      return elements(digester, value.dtype, value.data);
    case "scalar":
      digester.text(value.dtype);
      return elements(digester, value.dtype, scalarData(value));
  }
}

function scalarData(value: Extract<FieldValue, { kind: "scalar" }>): ArrayBufferView | string[] {
  switch (value.dtype) {
    case "string":
      return [value.value];
    case "bool":
      return Uint8Array.of(value.value ? 1 : 0);
    case "int64":
      return BigInt64Array.of(value.value);
    case "uint8":
      return Uint8Array.of(value.value);
    case "int16":
      return Int16Array.of(value.value);
    case "uint16":
      return Uint16Array.of(value.value);
    case "int32":
      return Int32Array.of(value.value);
    case "uint32":
      return Uint32Array.of(value.value);
    case "float32":
      return Float32Array.of(value.value);
    case "float64":
      return Float64Array.of(value.value);
    case "complex64":
      return Float32Array.from(value.value);
    case "complex128":
      return Float64Array.from(value.value);
  }
}

function elements(digester: Digester, dtype: DType, data: unknown, policy: StringPolicy = "utf8"): void {
  if (isNumeric(dtype)) return numbers(digester, data as ArrayBufferView);
  for (const value of data as (string | TableRecord)[]) {
    if (dtype === "string") digester.text(value as string, policy);
    else record(digester, (value as TableRecord).toFields());
  }
}

/** Shapes as stretches that are as long as they can be, however the blocks were cut. */
class ShapeDigester {
  readonly #digester = new Digester();
  #count = 0;
  #shape: readonly number[] | null = null;

  add({ count, shape, from }: CellBlock): void {
    if (from > 0) return;
    if (this.#count > 0 && !equalShapes(this.#shape, shape)) this.#end();
    this.#shape = shape;
    this.#count += count;
  }

  #end(): void {
    if (this.#count === 0) return;
    const shape = this.#shape;
    this.#digester.u64(this.#count);
    this.#digester.i64(shape?.length ?? UNDEFINED_AXES);
    for (const length of shape ?? []) this.#digester.u64(length);
    this.#count = 0;
  }

  digest(): Uint8Array {
    this.#end();
    return this.#digester.digest();
  }
}

/** Digest of keywords, or of any record. */
export function digestRecord(keywords: TableRecord): string {
  const digester = new Digester();
  digester.bytes(encodeText(KEYWORDS_MARK));
  record(digester, keywords.toFields());
  return digester.hex();
}

/**
 * Digest of a column's values, read in bounded memory.
 *
 * @throws TableError NO_SUCH_COLUMN, UNSUPPORTED, CORRUPT, IO
 */
export function digestColumn(table: Table, name: string, onRows?: (rows: number) => void): string {
  const { dtype, kind } = table.column(name);
  const shapes = new ShapeDigester(), values = new Digester();
  for (const block of cellBlocks(table, name)) {
    shapes.add(block);
    if (block.data.length > 0) elements(values, dtype, block.data, table.strings);
    onRows?.(block.row + block.count);
  }
  const digester = new Digester();
  digester.bytes(encodeText(COLUMN_MARK));
  digester.text(kind);
  digester.text(dtype);
  digester.bytes(shapes.digest());
  digester.bytes(values.digest());
  return digester.hex();
}

function byBytes(a: string, b: string): number {
  const [left, right] = [encodeText(a), encodeText(b)];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    if (left[i] !== right[i]) return left[i]! - right[i]!;
  }
  return left.length - right.length;
}

/**
 * Digests of a table's columns and keywords, subtables not included: the same for every table that holds the same,
 * whatever its storage managers, tiles and byte order, and the order of its columns.
 *
 * @throws TableError NO_SUCH_COLUMN, UNSUPPORTED for a column that can't be read, CORRUPT, IO
 * @example
 * ```ts
 * import { scalar, standard, incremental, Table } from "@tessera/tables";
 * import { digestTable } from "@tessera/tables/query";
 * using table = Table.create("a.tab", { columns: [scalar("N", "int32")], storage: [incremental("I")], rows: 9 });
 * table.copy("b.tab", { storage: [standard("S")], byteOrder: "big" });
 * using copy = Table.open("b.tab");
 * console.log(digestTable(table).table === digestTable(copy).table); // true
 * ```
 */
export function digestTable(table: Table, options: DigestOptions = {}): TableDigest {
  const { columns = table.columnNames, onProgress } = options;
  const rows = table.rowCount;
  const keywords = digestRecord(table.keywords);
  const digests = columns.map((name): ColumnDigest => ({
    name,
    values: digestColumn(table, name, (done) => onProgress?.(name, done, rows)),
    keywords: digestRecord(table.column(name).keywords),
  }));
  const digester = new Digester();
  digester.bytes(encodeText(TABLE_MARK));
  digester.u64(rows);
  digester.bytes(unhex(keywords));
  digester.u64(digests.length);
  for (const column of digests.toSorted((a, b) => byBytes(a.name, b.name))) {
    digester.text(column.name);
    digester.bytes(unhex(column.values));
    digester.bytes(unhex(column.keywords));
  }
  return { table: digester.hex(), rows, keywords, columns: digests };
}
