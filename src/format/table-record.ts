/**
 * TableRecord: the keywords of a table or column, and record cells, as programs see them. Fields keep their order and
 * their types. The plain form that is read and written is in record.ts.
 */
import type { DType } from "../array/dtype.ts";
import type { NDArray } from "../array/ndarray.ts";
import { TableError } from "../error.ts";
import { MAX_RECORD_DEPTH } from "./aipsio.ts";
import { describe, isArrayInput, plainFieldOf } from "./field-value.ts";
import { type JsonValue, recordToJson } from "./json.ts";
import { EMPTY_RECORD, type FieldValue, type RecordField, type RecordFields } from "./record.ts";
import { decodeUtf8, encodeUtf8 } from "./strings.ts";

/** A field that refers to a subtable. */
export class TableKeyword {
  /**
   * The table's name as it is stored: relative to the table that holds the keyword, e.g. `././ANTENNA`, or absolute.
   */
  readonly table: string;

  /** A reference to the table of that stored name. */
  constructor(table: string) {
    this.table = table;
  }
}

/** What a record's field gives: scalars as JavaScript values, complex ones as pairs. */
export type RecordValue =
  | boolean
  | number
  | bigint
  | string
  | readonly [re: number, im: number]
  | NDArray<DType, never>
  | TableRecord
  | TableKeyword;

/** What kind of thing a field is. */
export type FieldKind = FieldValue["kind"];

/** How a record is kept. */
export interface TableRecordOptions {
  /** Refuse changes with code READ_ONLY. */
  readonly readOnly?: boolean;
  /** What errors call the record: `keywords of t/my.ms`. */
  readonly name?: string;
  /** Called before every change of the record or one inside it; what it throws keeps the change from happening. */
  readonly beforeChange?: () => void;
}

/** Where a record inside another reports its changes. */
interface Parent {
  readonly record: TableRecord;
  readonly key: string;
}

/**
 * Named, typed fields in order: scalars, arrays, records and references to subtables.
 *
 * A record got from a field is part of this one: changing it changes this one. A record put into a field is copied.
 *
 * @example
 * ```ts
 * import { TableRecord } from "@tessera/tables";
 * const record = new TableRecord();
 * record.set("MS_VERSION", 2, "float32");
 * record.set("UNITS", ["m", "m", "m"]);
 * record.set("MEASINFO", { type: "position", Ref: "ITRF" });
 * console.log(record.dtype("MS_VERSION"), record.keys());
 * ```
 */
export class TableRecord implements Iterable<[key: string, value: RecordValue]> {
  #fields: Map<string, RecordField>;
  #recordType: number;
  readonly #options: TableRecordOptions;
  readonly #children = new Map<string, TableRecord>();
  #parent: Parent | null = null;
  #changes = 0;
  #plain: RecordFields | null;

  /** Makes a record of plain fields; of none if they are left out. */
  constructor(fields: RecordFields = EMPTY_RECORD, options: TableRecordOptions = {}) {
    this.#fields = new Map(fields.fields.map((field) => [field.name, field]));
    this.#recordType = fields.recordType;
    this.#options = options;
    this.#plain = fields;
  }

  /** Makes a record of an object's properties, or of entries; values as {@linkcode TableRecord.set} takes them. */
  static from(values: Readonly<Record<string, unknown>> | Iterable<readonly [string, unknown]>): TableRecord {
    const record = new TableRecord();
    for (const [key, value] of isIterable(values) ? values : Object.entries(values)) record.set(key, value);
    return record;
  }

  /** Number of fields. */
  get size(): number {
    return this.#fields.size;
  }

  /** Number of changes so far, those of records inside it included. */
  get changes(): number {
    return this.#changes;
  }

  /** True when changes are refused. */
  get readOnly(): boolean {
    return this.#root.#options.readOnly ?? false;
  }

  /** Names of the fields, in order. */
  keys(): string[] {
    return [...this.#fields.keys()];
  }

  /** True when there is such a field. */
  has(key: string): boolean {
    return this.#fields.has(key);
  }

  /** Value of a field, undefined if there is none. An array is a copy. */
  get(key: string): RecordValue | undefined {
    const value = this.#fields.get(key)?.value;
    if (value === undefined) return undefined;
    switch (value.kind) {
      case "scalar":
        return value.value;
      case "array":
        return {
          dtype: value.dtype,
          shape: [...value.shape],
          data: value.data.slice(),
        } as unknown as NDArray<
          DType,
          never
        >;
      case "table":
        return new TableKeyword(value.name);
      case "record":
        return this.#child(key, value.fields);
    }
  }

  /** What kind of field it is, undefined if there is none. */
  kind(key: string): FieldKind | undefined {
    return this.#fields.get(key)?.value.kind;
  }

  /** Data type of a scalar, of an array's elements, `record` or `table`; undefined if there is no such field. */
  dtype(key: string): DType | "table" | undefined {
    const value = this.#fields.get(key)?.value;
    if (value === undefined) return undefined;
    return value.kind === "scalar" || value.kind === "array" ? value.dtype : value.kind;
  }

  /** Comment of a field, undefined if there is no such field. */
  comment(key: string): string | undefined {
    return this.#fields.get(key)?.comment;
  }

  /** Changes the comment of a field. @throws TableError INVALID_ARGUMENT, READ_ONLY */
  setComment(key: string, comment: string): void {
    const field = this.#fields.get(key);
    if (field === undefined) {
      throw new TableError("INVALID_ARGUMENT", `${this.#nameOf(key)}: there is no such field`);
    }
    this.#beforeChange();
    this.#fields.set(key, { ...field, comment });
    this.#changed();
  }

  /**
   * Gives a field a value; a new field comes last, an old one keeps its place and comment but not its type.
   *
   * Without a dtype: boolean gives bool, a whole number of 32 bits int32, another number float64, bigint int64; a typed
   * array or a list an array of one axis, `{ shape, data }` one of several; an object a record. To keep the type
   * that a field has, pass `record.dtype(key)`. With dtype `table` the value is the stored name of a subtable.
   *
   * @throws TableError TYPE_MISMATCH, OUT_OF_RANGE or SHAPE_MISMATCH for values that don't fit; records hold no uint16.
   * READ_ONLY; LIMIT for more than 256 levels of records. Nothing is changed then.
   */
  set(key: string, value: unknown, dtype?: DType | "table"): void {
    checkKey(key, this.#name);
    const field = valueOf(value, dtype, this.#nameOf(key), this.#depth + 1);
    this.#put({ name: key, comment: this.comment(key) ?? "", value: field });
  }

  /** Removes a field. @returns false if there is none. @throws TableError READ_ONLY */
  delete(key: string): boolean {
    if (!this.#fields.has(key)) return false;
    this.#beforeChange();
    this.#forget(key);
    this.#fields.delete(key);
    this.#changed();
    return true;
  }

  /**
   * Gives a field another name; it keeps its place, type, value and comment.
   *
   * @throws TableError INVALID_ARGUMENT when there is no such field, or one of the new name, or that is no name; READ_ONLY
   */
  rename(key: string, name: string): void {
    checkKey(name, this.#name);
    const field = this.#fields.get(key);
    if (field === undefined || (name !== key && this.#fields.has(name))) {
      const [wrong, which] = field === undefined ? [key, "no such"] : [name, "already such a"];
      throw new TableError("INVALID_ARGUMENT", `${this.#nameOf(wrong)}: there is ${which} field`);
    }
    if (name === key) return;
    this.#beforeChange();
    this.#fields = new Map(
      [...this.#fields].map(([old, one]) => old === key ? [name, { ...one, name }] : [old, one]),
    );
    const child = this.#children.get(key);
    if (child !== undefined) {
      this.#children.delete(key);
      this.#children.set(name, child);
      child.#parent = { record: this, key: name };
    }
    this.#changed();
  }

  /** Takes over all fields of another record, with types and comments; those of the same names are replaced. */
  assign(other: TableRecord | RecordFields): void {
    const { fields } = other instanceof TableRecord ? other.toFields() : other;
    const levels = this.#depth;
    for (const field of fields) {
      if (field.value.kind === "record") {
        checkDepth(levels + depthOf(field.value.fields), this.#nameOf(field.name));
      }
    }
    for (const field of fields) this.#put(field);
  }

  /**
   * Takes other fields in place of all that are there: what the disk has, after another process changed it. That is no
   * change of the record.
   */
  reset(fields: RecordFields): void {
    for (const key of this.#children.keys()) this.#forget(key);
    this.#fields = new Map(fields.fields.map((field) => [field.name, field]));
    this.#recordType = fields.recordType;
    this.#plain = fields;
  }

  /** Names and values of the fields, in order. */
  *[Symbol.iterator](): Iterator<[key: string, value: RecordValue]> {
    for (const key of this.keys()) yield [key, this.get(key)!];
  }

  /** The record in the form that is written to disk. */
  toFields(): RecordFields {
    if (this.#plain !== null) return this.#plain;
    const fields = [...this.#fields.values()].map((field): RecordField => {
      const child = this.#children.get(field.name);
      return child === undefined ? field : { ...field, value: { kind: "record", fields: child.toFields() } };
    });
    return this.#plain = { fields, recordType: this.#recordType };
  }

  /** The record in the form that `table cat` prints. */
  toJSON(): { [key: string]: JsonValue } {
    return recordToJson(this.toFields());
  }

  /** What `console.log` shows. */
  [Symbol.for("Deno.customInspect")](
    inspect: (value: unknown, options: unknown) => string,
    options: unknown,
  ): string {
    return `TableRecord ${inspect(Object.fromEntries(this), options)}`;
  }

  #child(key: string, fields: RecordFields): TableRecord {
    let child = this.#children.get(key);
    if (child === undefined) {
      child = new TableRecord(fields);
      child.#parent = { record: this, key };
      this.#children.set(key, child);
    }
    return child;
  }

  /** A record that was got from a field stays usable when the field goes, but it is nobody's part any more. */
  #forget(key: string): void {
    const child = this.#children.get(key);
    if (child === undefined) return;
    child.#parent = null;
    this.#children.delete(key);
  }

  #put(field: RecordField): void {
    this.#beforeChange();
    this.#forget(field.name);
    this.#fields.set(field.name, field);
    this.#changed();
  }

  #beforeChange(): void {
    const { readOnly, beforeChange } = this.#root.#options;
    if (readOnly) throw new TableError("READ_ONLY", `${this.#name}: open for reading only`);
    beforeChange?.();
  }

  #changed(): void {
    this.#changes++;
    this.#plain = null;
    if (this.#parent !== null) this.#parent.record.#changed();
  }

  get #root(): TableRecord {
    return this.#parent === null ? this : this.#parent.record.#root;
  }

  /** Levels of records down to this one, itself included. */
  get #depth(): number {
    return this.#parent === null ? 1 : this.#parent.record.#depth + 1;
  }

  get #name(): string {
    if (this.#parent !== null) return this.#parent.record.#nameOf(this.#parent.key);
    return this.#options.name ?? "record";
  }

  #nameOf(key: string): string {
    return `${this.#name}, field ${JSON.stringify(key)}`;
  }
}

/** The field value of what a program put in; a record in it stands at level `depth`. */
function valueOf(
  value: unknown,
  dtype: DType | "table" | undefined,
  where: string,
  depth: number,
): FieldValue {
  if (dtype === undefined || dtype === "table") {
    const table = value instanceof TableKeyword ? value.table : dtype === "table" ? value : undefined;
    if (typeof table === "string") return { kind: "table", name: table };
  }
  const fields = dtype === undefined || dtype === "record" ? recordOf(value, where, depth) : undefined;
  if (fields !== undefined) return { kind: "record", fields };
  const plain = dtype === "table" ? undefined : plainFieldOf(value, dtype, where);
  if (plain !== undefined) return plain;
  throw new TableError(
    "TYPE_MISMATCH",
    `${where}: found ${describe(value)}, expected a value of ${dtype ?? "a known type"}`,
  );
}

/** The fields of a TableRecord or of a plain object that isn't an array; undefined for anything else. */
function recordOf(value: unknown, where: string, depth: number): RecordFields | undefined {
  if (value instanceof TableRecord) {
    const fields = value.toFields();
    checkDepth(depth - 1 + depthOf(fields), where);
    return fields;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  if (isArrayInput(value)) return undefined;
  checkDepth(depth, where);
  const fields = Object.entries(value).map(([name, inner]): RecordField => {
    checkKey(name, where);
    return {
      name,
      comment: "",
      value: valueOf(inner, undefined, `${where}, field ${JSON.stringify(name)}`, depth + 1),
    };
  });
  return { fields, recordType: 1 };
}

/** Names must come back from the disk as they went there. */
function checkKey(key: unknown, where: string): void {
  if (typeof key === "string" && key !== "" && decodeUtf8(encodeUtf8(key)) === key) return;
  throw new TableError("INVALID_ARGUMENT", `${where}: ${describe(key)} is no name of a field`);
}

/** Levels of records in a record: 1 without records inside. */
function depthOf(record: RecordFields): number {
  let deepest = 0;
  for (const { value } of record.fields) {
    if (value.kind === "record") deepest = Math.max(deepest, depthOf(value.fields));
  }
  return deepest + 1;
}

function checkDepth(depth: number, where: string): void {
  if (depth <= MAX_RECORD_DEPTH) return;
  throw new TableError("LIMIT", `${where}: records are nested deeper than ${MAX_RECORD_DEPTH} levels`);
}

function isIterable(value: object): value is Iterable<readonly [string, unknown]> {
  return Symbol.iterator in value;
}
