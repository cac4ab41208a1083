/**
 * Making a new table: its directory, its storage managers, and what `table.dat` will say. Until the first flush there is
 * no `table.dat`, so that nobody takes a half-made directory for a table.
 */
import { resolve } from "node:path";
import { TableError } from "../error.ts";
import { type NewColumn, newPlainTable, newTableDesc } from "../format/new-table.ts";
import type { RecordFields } from "../format/record.ts";
import type { PlainTableDat } from "../format/table-dat.ts";
import { EMPTY_INFO } from "../format/table-info.ts";
import { TableRecord } from "../format/table-record.ts";
import { openBackend } from "../io/backends.ts";
import { runSync } from "../io/drivers.ts";
import { TableFiles } from "../io/files.ts";
import { lockTable, type TableLock } from "../io/lock.ts";
import type { ManagerContext, ManagerKind, StorageManager } from "../storage/manager.ts";
import { managerKind } from "../storage/registry.ts";
import type { TableBody } from "./body.ts";
import { makeDirectory, removeTree } from "./directory.ts";
import { boundColumn } from "./manager-slot.ts";
import { contextOf } from "./open.ts";
import { PlainBody } from "./plain.ts";
import { bindColumns, type Binding, type ColumnSpec } from "./specs.ts";
import type { CreateOptions } from "./table.ts";

/** Makes a table. @throws TableError as `Table.create`; nothing is left behind then */
export function createBody(path: string, options: CreateOptions): TableBody {
  if (typeof path !== "string" || path === "") {
    throw new TableError(
      "INVALID_ARGUMENT",
      `the path of a table is a string that is not empty, found ${String(path)}`,
    );
  }
  const directory = resolve(path);
  const rows = options.rows ?? 0;
  if (!Number.isSafeInteger(rows) || rows < 0) {
    throw new TableError("INVALID_ARGUMENT", `a number of rows is whole and not negative, found ${rows}`);
  }
  const bindings = bindColumns(options.columns, options.storage ?? []);
  const kinds = bindings.map(({ spec }) => writableKind(spec.type));
  const dat = describe(options, bindings, rows);
  const backend = openBackend(options.io ?? "auto", { writable: true, ...contextOf(options) });
  makeDirectory(backend, directory, options.overwrite ?? false);
  const files = new TableFiles(directory, backend, {
    writable: true,
    newDirectory: true,
    ...contextOf(options),
  });
  let lock: TableLock | null = null;
  try {
    lock = lockTable(directory, backend, options.lock ?? "auto");
    const managers = bindings.map((binding, i) => makeManager(binding, kinds[i]!, i, dat, files));
    const environment = { backend, options, tree: directory, chain: [directory], count: { tables: 1 } };
    const info = { ...EMPTY_INFO, ...options.info };
    const body = new PlainBody(
      { files, dat, rowCount: rows, sync: null, lock, environment, info },
      managers,
    );
    return body;
  } catch (error) {
    lock?.release();
    files.close();
    removeTree(backend, directory);
    throw error;
  }
}

function writableKind(type: string): ManagerKind {
  const kind = managerKind(type);
  if (kind?.create === undefined) {
    throw new TableError("UNSUPPORTED", `tables with a ${type} can't be made by this version`);
  }
  return kind;
}

/** What `table.dat` will say; managers have no blobs yet, and are numbered in the order of the bindings. */
function describe(options: CreateOptions, bindings: readonly Binding[], rowCount: number): PlainTableDat {
  const desc = newTableDesc({
    columns: options.columns.map(newColumn),
    keywords: TableRecord.from(options.keywords ?? {}).toFields(),
  });
  return newPlainTable(desc, {
    rowCount,
    bigEndian: (options.byteOrder ?? nativeByteOrder()) === "big",
    managers: bindings.map(({ spec, columns }) => ({
      type: spec.type,
      columns: columns.map((column) => column.name),
    })),
  });
}

function newColumn(column: ColumnSpec): NewColumn {
  const { comment = "", maxLength = 0, shape, ndim, direct = false } = column.options;
  return {
    name: column.name,
    kind: column.dtype === "record" ? "record" : column.kind,
    dtype: column.dtype,
    comment,
    maxLength,
    shape: shape ?? null,
    ...(ndim === undefined ? {} : { ndim }),
    direct,
    keywords: columnKeywords(column),
  };
}

/** Unit and measure as casacore keeps them (format reference part 1, section 11), then what the caller adds. */
function columnKeywords({ options: { unit, measure, keywords } }: ColumnSpec): RecordFields {
  const record = new TableRecord();
  if (unit !== undefined) record.set("QuantumUnits", typeof unit === "string" ? [unit] : [...unit]);
  if (measure !== undefined) record.set("MEASINFO", { ...measure });
  for (const [key, value] of Object.entries(keywords ?? {})) record.set(key, value);
  return record.toFields();
}

function makeManager(
  { spec, columns }: Binding,
  kind: ManagerKind,
  sequence: number,
  dat: PlainTableDat,
  files: TableFiles,
): StorageManager {
  const names = new Set(columns.map((column) => column.name));
  const context: ManagerContext = {
    type: spec.type,
    sequence,
    columns: dat.desc.columns
      .map((column, i) => boundColumn(column, dat.columnSet, i))
      .filter((column) => names.has(column.name)),
    rowCount: dat.rowCount,
    bigEndian: dat.bigEndian,
    privateKeywords: dat.desc.privateKeywords,
    source: {
      column: noSource,
      foreignColumn: noSource,
      tableKeywords: () => dat.desc.keywords,
    },
    pathOf: (file) => files.pathOf(file),
  };
  return runSync(kind.create!(context, spec), files);
}

function noSource(): never {
  throw new TableError("UNSUPPORTED", "a table that is being made has no columns to compute others from");
}

/** The machine's byte order. */
function nativeByteOrder(): "little" | "big" {
  return new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? "little" : "big";
}
