/**
 * The template segment: a table without rows that has the columns of a store, its keywords and its subtables. Every other
 * segment gets the same keywords, so that the concatenation has them whichever segment is its first; names of subtables in
 * them lead to the template's.
 *
 * (casacore asks the first table of a concatenation for row 0 even when that table has no rows, and fails. So the
 * concatenation names the template only while there is no other segment.)
 */
import { resolve } from "node:path";
import { TableError } from "../../error.ts";
import { isWithin, resolveStoredName, storedName } from "../../format/names.ts";
import { type FieldValue, mergeRecords, type RecordField, type RecordFields } from "../../format/record.ts";
import { TableKeyword, type TableRecord } from "../../format/table-record.ts";
import type { IoName } from "../../io/backend.ts";
import type { Context } from "../../io/context.ts";
import type { StorageSpec } from "../../storage/manager.ts";
import { specOf } from "../../table/copy-storage.ts";
import { contextOf } from "../../table/open.ts";
import type { ColumnSpec } from "../../table/specs.ts";
import { Table } from "../../table/table.ts";
import { type IngestSchema, SEQUENCE_SPEC } from "../schema.ts";

/** How a segment is made. */
export interface SegmentOptions {
  readonly rows: number;
  readonly storage?: readonly StorageSpec[] | undefined;
  readonly io: IoName | "auto";
  readonly context?: Context | undefined;
  readonly lock?: "auto" | "none";
  readonly info?: Table["info"];
  /** How texts are put; "bytes" where they are passed on. */
  readonly strings?: "utf8" | "bytes";
}

/** Makes a segment's table: the schema's columns and the sequence numbers. It is locked until it is closed. */
export function createSegment(path: string, schema: IngestSchema, options: SegmentOptions): Table {
  const { rows, storage = schema.storage, io, lock = "auto", info, strings = "utf8" } = options;
  return Table.create(path, {
    columns: [...schema.columns.map(({ spec }) => spec), SEQUENCE_SPEC],
    ...(storage === undefined ? {} : { storage }),
    rows,
    io,
    lock,
    strings,
    ...(info === undefined ? {} : { info }),
    ...contextOf(options),
  });
}

/** Keywords in which managers of virtual columns keep what they need: each table has its own. */
const isManagers = ({ name }: RecordField) => name.startsWith("_");

/**
 * Gives a table the keywords of another, and each column those of its namesake; names of tables lead where they led.
 * Where both have a keyword, that of `from` counts, or with `keep` the one that is there.
 */
export function takeKeywords(from: Table, to: Table, { keep = false } = {}): void {
  const moved = (record: RecordFields) =>
    renamed(
      { ...record, fields: record.fields.filter((field) => !isManagers(field)) },
      (name) => storedName(to.path, resolveStoredName(from.keywordsDirectory, name)),
    );
  const take = (source: TableRecord, target: TableRecord) => {
    const theirs = moved(source.toFields()), own = target.toFields();
    if (theirs.fields.length > 0) target.assign(keep ? mergeRecords(theirs, own) : mergeRecords(own, theirs));
  };
  take(from.keywords, to.keywords);
  const known = new Set(from.columnNames);
  for (const name of to.columnNames) {
    if (known.has(name)) take(from.column(name).keywords, to.column(name).keywords);
  }
}

/** A record with other names of tables. */
function renamed(record: RecordFields, rename: (storedName: string) => string): RecordFields {
  const valueOf = (value: FieldValue): FieldValue =>
    value.kind === "table"
      ? { kind: "table", name: rename(value.name) }
      : value.kind === "record"
      ? { kind: "record", fields: renamed(value.fields, rename) }
      : value;
  return { ...record, fields: record.fields.map((field) => ({ ...field, value: valueOf(field.value) })) };
}

/** What a store may take from a table: descriptions of all columns, with their keywords. @throws TableError */
export function columnsOfTemplate(path: string, options: { context?: Context } = {}): ColumnSpec[] {
  using table = Table.open(path, contextOf(options));
  return table.columnNames.map((name) => specOf(table.column(name)));
}

/** What the template segment is made with. */
export interface TemplateOptions {
  /** A table whose keywords, type and subtables it takes. */
  readonly template?: string | undefined;
  readonly prepare?: ((template: Table) => void) | undefined;
  readonly io: IoName | "auto";
  readonly context?: Context | undefined;
  readonly lock?: "auto" | "none";
}

/**
 * Makes the template segment, durably.
 *
 * @throws TableError as `Table.create` and `Table.open`; INVALID_ARGUMENT when `prepare` adds rows
 */
export function makeTemplate(path: string, schema: IngestSchema, options: TemplateOptions): void {
  const { template, prepare, io, lock = "auto" } = options;
  using like = template === undefined ? null : Table.open(resolve(template), { io, ...contextOf(options) });
  const given = like === null ? {} : { info: like.info };
  using made = createSegment(path, schema, { rows: 0, io, lock, ...given, ...contextOf(options) });
  if (like !== null) {
    takeKeywords(like, made, { keep: true });
    takeSubtables(like, made, io, options);
  }
  prepare?.(made);
  if (made.rowCount > 0) {
    throw new TableError("INVALID_ARGUMENT", `the template has no rows, but ${made.rowCount} were added`, {
      file: path,
    });
  }
  made.flush({ durable: true });
}

/** Copies the subtables that lie in a table's directory; names of others lead where they led. */
function takeSubtables(from: Table, made: Table, io: IoName | "auto", options: TemplateOptions): void {
  const own = from.keywordsDirectory;
  const { fields } = from.keywords.toFields();
  for (const { name, value } of fields) {
    if (value.kind !== "table") continue;
    const path = resolveStoredName(own, value.name);
    if (!isWithin(own, path) || path === own) continue;
    const place = made.path + path.slice(own.length);
    using subtable = from.subtable(name, { mode: "r" });
    subtable.copy(place, { io, lock: options.lock ?? "auto", ...contextOf(options) });
    using copied = Table.open(place, { mode: "rw", io, lock: options.lock ?? "auto", ...contextOf(options) });
    copied.flush({ durable: true });
    made.keywords.set(name, new TableKeyword(storedName(made.path, place)));
  }
}
