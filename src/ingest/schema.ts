/**
 * What the rows of a store are: columns, how segments keep them, and which columns order and find them.
 *
 * The schema is kept as JSON in the store's manifest, and its SHA-256 in every log's header, so that a log is never read
 * with other columns than it was written with.
 */
import { createHash } from "node:crypto";
import { type DType, isDType, isNumeric, numericInfo } from "../array/dtype.ts";
import { elementsOf } from "../array/rows.ts";
import { TableError } from "../error.ts";
import { TableRecord } from "../format/table-record.ts";
import type { JsonValue } from "../format/json.ts";
import type { StorageSpec } from "../storage/manager.ts";
import { recordOfText, recordText } from "../arrow/typed-json.ts";
import { array, bindColumns, type ColumnSpec, scalar } from "../table/specs.ts";

/** The int64 column that every segment has beside the user's: a row's sequence number. */
export const SEQUENCE_COLUMN = "INGEST_SEQUENCE";

/** The description of {@linkcode SEQUENCE_COLUMN}. */
export const SEQUENCE_SPEC: ColumnSpec = scalar(SEQUENCE_COLUMN, "int64", {
  comment: "Number of the row in the order of arrival",
});

/** Most columns of a store: a batch's header has a place for each. */
export const MAX_COLUMNS = 10_000;

/** What a store is made with. */
export interface SchemaOptions {
  /** Columns of every row; records can't be ingested. */
  readonly columns: readonly ColumnSpec[];
  /** Storage managers of segments, as `Table.create` takes them. */
  readonly storage?: readonly StorageSpec[];
  /** Scalar columns that together name a row: of rows with the same key the newest counts. */
  readonly key?: string | readonly string[];
  /** Scalar column with the time of a row; `TIME` if there is one that can be it. */
  readonly time?: string;
  /** Scalar columns by which merged segments are sorted. */
  readonly sort?: readonly string[];
}

/** How values of a column lie in a log (see `log/columns.ts`). */
export type ColumnEncoding = "fixed" | "strings" | "cells";

/** A column as logs and views need to know it. */
export interface IngestColumn {
  /** Its name. */
  readonly name: string;
  /** One value a row, or an array. */
  readonly kind: "scalar" | "array";
  /** Type of its elements. */
  readonly dtype: Exclude<DType, "record">;
  /** Shape of every cell, [] for scalars; null where each cell has its own. */
  readonly shape: readonly number[] | null;
  /** Number of axes, -1 where each cell has its own; 0 for scalars. */
  readonly ndim: number;
  /** Longest string in bytes, 0 for any length. */
  readonly maxLength: number;
  /** `fixed`: numbers, the same number of bytes a row. `strings`: of a known number a row. `cells`: arrays of free shape. */
  readonly encoding: ColumnEncoding;
  /** Elements of a cell; 0 for `cells`. */
  readonly elements: number;
  /** Bytes of a cell in a log; 0 where that differs from row to row. */
  readonly cellBytes: number;
  /** Its description as `Table.create` takes it. */
  readonly spec: ColumnSpec;
}

function invalid(reason: string): never {
  throw new TableError("INVALID_ARGUMENT", reason);
}

function columnOf(spec: ColumnSpec): IngestColumn {
  const { name, kind, dtype, options } = spec;
  if (dtype === "record") {
    throw new TableError("UNSUPPORTED", `column ${name}: records can't be ingested`);
  }
  const shape = kind === "scalar" ? [] : options.shape ?? null;
  const ndim = kind === "scalar" ? 0 : options.shape?.length ?? options.ndim ?? -1;
  const encoding = shape === null ? "cells" : isNumeric(dtype) ? "fixed" : "strings";
  const elements = shape === null ? 0 : elementsOf(shape);
  const cellBytes = encoding === "fixed" && isNumeric(dtype) ? elements * numericInfo(dtype).size : 0;
  return {
    name,
    kind,
    dtype,
    shape,
    ndim,
    maxLength: options.maxLength ?? 0,
    encoding,
    elements,
    cellBytes,
    spec,
  };
}

/** Keywords, and the parts of a measure, as JSON that keeps their types. */
function fieldsToJson(values: Readonly<Record<string, unknown>>): JsonValue {
  const record = new TableRecord();
  for (const [name, value] of Object.entries(values)) record.set(name, value);
  return JSON.parse(recordText(record.toFields())) as JsonValue;
}

function fieldsOfJson(json: JsonValue, file: string): Record<string, unknown> {
  try {
    const record = recordOfText(JSON.stringify(json), "the schema");
    return Object.fromEntries(record.toFields().fields.map(({ name }) => [name, record.get(name)]));
  } catch (cause) {
    if (!(cause instanceof TableError)) throw cause;
    throw new TableError("CORRUPT", cause.reason, { file, cause });
  }
}

/** What options of a column that are kept as they are must be. */
const PLAIN_OPTIONS: Readonly<Record<string, (value: JsonValue) => boolean>> = {
  shape: (value) => Array.isArray(value) && value.every((length) => typeof length === "number"),
  ndim: (value) => typeof value === "number",
  direct: (value) => typeof value === "boolean",
  comment: (value) => typeof value === "string",
  unit: (value) => typeof value === "string" || isNames(value),
  maxLength: (value) => typeof value === "number" && value >= 0,
};

function specToJson({ name, kind, dtype, options }: ColumnSpec): JsonValue {
  const { measure, keywords, ...plain } = options;
  return {
    name,
    kind,
    dtype,
    options: {
      ...JSON.parse(JSON.stringify(plain)),
      ...(measure === undefined ? {} : { measure: fieldsToJson(measure) }),
      ...(keywords === undefined ? {} : { keywords: fieldsToJson(keywords) }),
    },
  };
}

type JsonObject = { readonly [key: string]: JsonValue };

function isObject(json: JsonValue | undefined): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function isNames(json: JsonValue | undefined): json is readonly string[] {
  return Array.isArray(json) && json.every((name) => typeof name === "string");
}

function specOfJson(json: JsonValue, file: string): ColumnSpec {
  const wrong = (): never => {
    throw new TableError("CORRUPT", `${JSON.stringify(json)?.slice(0, 80)} describes no column`, { file });
  };
  if (!isObject(json) || !isObject(json.options)) return wrong();
  const { name, kind, dtype } = json, { measure, keywords, ...plain } = json.options;
  if (Object.entries(plain).some(([option, value]) => PLAIN_OPTIONS[option]?.(value) === false)) {
    return wrong();
  }
  if (typeof name !== "string" || !isDType(dtype) || (kind !== "scalar" && kind !== "array")) return wrong();
  const options = {
    ...plain,
    ...(measure === undefined ? {} : { measure: fieldsOfJson(measure, file) }),
    ...(keywords === undefined ? {} : { keywords: fieldsOfJson(keywords, file) }),
  } as ColumnSpec["options"];
  return kind === "scalar" ? scalar(name, dtype, options) : array(name, dtype, options);
}

/** JSON with the names of every object in order, so that equal schemas are equal texts. */
function canonical(json: JsonValue): string {
  if (Array.isArray(json)) return `[${json.map(canonical).join(",")}]`;
  if (!isObject(json)) return JSON.stringify(json);
  const entries = Object.keys(json).sort().map((name) => `${JSON.stringify(name)}:${canonical(json[name]!)}`);
  return `{${entries.join(",")}}`;
}

/** The columns of a store and what they are for. */
export class IngestSchema {
  /** The user's columns, in order. */
  readonly columns: readonly IngestColumn[];
  /** Columns of the key; empty for a store without one. */
  readonly key: readonly string[];
  /** The column with a row's time; null: rows have none. */
  readonly time: string | null;
  /** Columns by which merged segments are sorted; empty: as they arrived. */
  readonly sort: readonly string[];
  /** Storage managers as they were given; undefined: the defaults. */
  readonly storage: readonly StorageSpec[] | undefined;
  /** SHA-256 of the schema as canonical JSON: 32 bytes. */
  readonly hash: Uint8Array<ArrayBuffer>;
  readonly #byName: ReadonlyMap<string, number>;

  private constructor(options: SchemaOptions) {
    const { columns, storage, key = [], time, sort = [] } = options;
    if (columns.length === 0) invalid("a store needs columns");
    if (columns.length > MAX_COLUMNS) invalid(`a store has at most ${MAX_COLUMNS} columns`);
    this.columns = columns.map(columnOf);
    this.#byName = new Map(columns.map(({ name }, i) => [name, i]));
    if (this.#byName.has(SEQUENCE_COLUMN)) {
      invalid(`${SEQUENCE_COLUMN} is the name of the store's own column`);
    }
    // Whatever Table.create would refuse is refused now, not when the first log is full.
    bindColumns([...columns, SEQUENCE_SPEC], storage ?? []);
    this.storage = storage;
    this.key = typeof key === "string" ? [key] : key;
    this.sort = sort;
    for (const name of this.key) this.#ordering(name, "the key");
    for (const name of sort) this.#ordering(name, "the order");
    if (new Set(this.key).size !== this.key.length) invalid("a column is in the key twice");
    this.time = time ?? (this.#canBeTime("TIME") ? "TIME" : null);
    if (time !== undefined && !this.#canBeTime(time)) {
      invalid(`${time} can't be the time of rows: expected a scalar column of real numbers`);
    }
    this.hash = new Uint8Array(createHash("sha256").update(canonical(this.toJSON())).digest());
  }

  /**
   * The schema of a store to be made.
   *
   * @throws TableError UNSUPPORTED for columns of records; INVALID_ARGUMENT for a key, time or order that isn't of scalar
   * columns, for the reserved name INGEST_SEQUENCE, and as `Table.create`; NO_SUCH_COLUMN
   */
  static of(options: SchemaOptions): IngestSchema {
    return new IngestSchema(options);
  }

  /** The schema that {@linkcode toJSON} gave. @throws TableError CORRUPT, naming `file` */
  static fromJSON(json: JsonValue, file: string): IngestSchema {
    const wrong = (what: string): never => {
      throw new TableError("CORRUPT", `the schema's ${what} can't be read`, { file });
    };
    if (!isObject(json) || !Array.isArray(json.columns)) return wrong("list of columns");
    const { key = [], time = null, sort = [], storage } = json;
    if (!isNames(key)) return wrong("key");
    if (!isNames(sort)) return wrong("order");
    if (time !== null && typeof time !== "string") return wrong("time");
    if (
      storage !== undefined &&
      !(Array.isArray(storage) &&
        storage.every((each) =>
          isObject(each) && typeof each.type === "string" && typeof each.name === "string" &&
          isObject(each.options) && (each.columns === undefined || isNames(each.columns)) &&
          (each.hypercolumn === undefined || isObject(each.hypercolumn))
        ))
    ) return wrong("storage");
    try {
      const schema = new IngestSchema({
        columns: json.columns.map((column: JsonValue) => specOfJson(column, file)),
        key,
        sort,
        ...(time === null ? {} : { time }),
        ...(storage === undefined ? {} : { storage: storage as unknown as readonly StorageSpec[] }),
      });
      return schema;
    } catch (cause) {
      if (!(cause instanceof TableError) || cause.code === "CORRUPT") throw cause;
      throw new TableError("CORRUPT", `the schema is none: ${cause.reason}`, { file, cause });
    }
  }

  /** As JSON that {@linkcode fromJSON} reads. */
  toJSON(): JsonValue {
    return {
      columns: this.columns.map(({ spec }) => specToJson(spec)),
      ...(this.storage === undefined
        ? {}
        : { storage: JSON.parse(JSON.stringify(this.storage)) as JsonValue }),
      key: this.key,
      time: this.time,
      sort: this.sort,
    };
  }

  /** Number of a column. @throws TableError NO_SUCH_COLUMN */
  indexOf(name: string): number {
    const index = this.#byName.get(name);
    if (index === undefined) {
      throw new TableError(
        "NO_SUCH_COLUMN",
        `the store has no column ${name}, expected one of ${this.columns.map((c) => c.name).join(", ")}`,
      );
    }
    return index;
  }

  /** A column. @throws TableError NO_SUCH_COLUMN */
  column(name: string): IngestColumn {
    return this.columns[this.indexOf(name)]!;
  }

  /** True when a column of that name is the user's. */
  has(name: string): boolean {
    return this.#byName.has(name);
  }

  #canBeTime(name: string): boolean {
    if (!this.has(name)) return false;
    const { kind, dtype } = this.column(name);
    return kind === "scalar" && isNumeric(dtype) && numericInfo(dtype).items === 1 && dtype !== "bool";
  }

  #ordering(name: string, what: string): void {
    const { kind, dtype } = this.column(name);
    if (kind !== "scalar" || (isNumeric(dtype) && numericInfo(dtype).items === 2)) {
      invalid(`${name} can't be in ${what}: expected a scalar column whose values have an order`);
    }
  }
}
