/**
 * For the tests of StandardStMan: tables in memory without floor 4, cells in the form that `table cat` prints.
 */
import { bytesOf, isNumeric, numericInfo, type NumericType, viewOf } from "../../src/array/dtype.ts";
import { type Box, elementsOf, rowRange, type Rows } from "../../src/array/rows.ts";
import { TableError } from "../../src/error.ts";
import { AipsReader } from "../../src/format/aipsio.ts";
import { recordToJson } from "../../src/format/json.ts";
import { readRecord } from "../../src/format/record-io.ts";
import { EMPTY_RECORD } from "../../src/format/record.ts";
import { decodeUtf8, encodeUtf8 } from "../../src/format/strings.ts";
import { type PlainTableDat, readTableDat } from "../../src/format/table-dat.ts";
import { readTableLock } from "../../src/format/table-lock.ts";
import type { Backend } from "../../src/io/backend.ts";
import { openBackend } from "../../src/io/backends.ts";
import { runSync } from "../../src/io/drivers.ts";
import { TableFiles } from "../../src/io/files.ts";
import { MemoryBackend, MemoryStore } from "../../src/io/memory-backend.ts";
import type { Finding } from "../../src/storage/findings.ts";
import type { BoundColumn, ManagerContext, ManagerKind, StorageManager } from "../../src/storage/manager.ts";
import { standardStMan } from "../../src/storage/standard/mod.ts";

/** Folder of the tables in memory. */
const FOLDER = "t";

/** A column. */
export function bound(
  name: string,
  dtype: BoundColumn["dtype"],
  options: Partial<BoundColumn> = {},
): BoundColumn {
  const shape = options.shape ?? null;
  const kind = options.kind ?? (dtype === "record" ? "record" : "scalar");
  const ndim = kind === "array" ? shape?.length ?? options.ndim ?? -1 : 0;
  return { name, kind, dtype, direct: false, shape, ndim, maxLength: 0, keywords: EMPTY_RECORD, ...options };
}

/** What a manager is told. */
export function contextOf(
  columns: readonly BoundColumn[],
  rowCount: number,
  options: { bigEndian?: boolean; sequence?: number; folder?: string } = {},
): ManagerContext {
  const no = () => {
    throw new Error("StandardStMan asks for no other columns");
  };
  return {
    type: "StandardStMan",
    sequence: options.sequence ?? 0,
    columns,
    rowCount,
    bigEndian: options.bigEndian ?? false,
    privateKeywords: EMPTY_RECORD,
    source: { column: no, foreignColumn: no, tableKeywords: () => EMPTY_RECORD },
    pathOf: (file) => `${options.folder ?? FOLDER}/${file}`,
  };
}

/** A StandardStMan, or a manager of another kind, and its files. */
export class Bench {
  readonly context: ManagerContext;
  readonly files: TableFiles;
  readonly backend: Backend;
  readonly manager: StorageManager;
  /** What opens it. */
  readonly kind: ManagerKind;
  /** Rows that the table has. */
  rows: number;

  constructor(
    context: ManagerContext,
    files: TableFiles,
    backend: Backend,
    manager: StorageManager,
    kind: ManagerKind = standardStMan,
  ) {
    this.kind = kind;
    this.context = context;
    this.files = files;
    this.backend = backend;
    this.manager = manager;
    this.rows = context.rowCount;
  }

  addRows(count: number): void {
    runSync(this.manager.addRows!(count), this.files);
    this.rows += count;
  }

  removeRows(rows: Rows): void {
    runSync(this.manager.removeRows!(rows), this.files);
    this.rows -= rows.length;
  }

  addColumn(column: BoundColumn): void {
    runSync(this.manager.addColumn!(column), this.files);
  }

  removeColumn(index: number): void {
    runSync(this.manager.removeColumn!(index), this.files);
  }

  /** What a check finds. */
  findings(): Finding[] {
    return runSync(this.manager.check!(), this.files);
  }

  flush(): Uint8Array {
    const blob = runSync(this.manager.flush!(), this.files);
    this.files.flush();
    return blob;
  }

  /** Cells of rows, in the form of `table cat`. */
  cells(index: number, rows: Rows = rowRange(0, this.rows)): unknown[] {
    return readCells(this.manager, this.context.columns[index]!, index, rows, this.files);
  }

  /** A box of cells of one shape: typed array items, or strings. */
  box(index: number, rows: Rows, shape: readonly number[], box: Box | null): unknown[] {
    return readBox(this.manager, this.context.columns[index]!, index, rows, shape, box, this.files);
  }

  /** Puts cells of one shape, or a box of each. Items of a typed array, or strings. */
  put(
    index: number,
    values: readonly unknown[],
    options: { rows?: Rows; shape?: readonly number[]; box?: Box | null } = {},
  ): void {
    const column = this.context.columns[index]!;
    const { rows = rowRange(0, this.rows), shape = column.shape ?? [], box = null } = options;
    const source = column.dtype === "string"
      ? { kind: "strings", values: values.map((value) => encodeUtf8(value as string)) } as const
      : { kind: "numeric", bytes: bytesOfItems(column.dtype, values) } as const;
    runSync(this.manager.column(index).write!(rows, shape, box, source, 0), this.files);
  }

  setShape(index: number, shape: readonly number[] | null, rows: Rows): void {
    runSync(this.manager.column(index).setShape!(rows, shape), this.files);
  }
}

/** A new table in memory. */
export function createInMemory(
  columns: readonly BoundColumn[],
  rows: number,
  options: {
    bigEndian?: boolean;
    sequence?: number;
    store?: MemoryStore;
    spec?: { bucketSize?: number; bucketRows?: number };
    kind?: ManagerKind;
  } = {},
): Bench {
  const store = options.store ?? new MemoryStore();
  store.directories.add(FOLDER);
  const backend = new MemoryBackend(store);
  const files = new TableFiles(FOLDER, backend, { writable: true });
  const context = contextOf(columns, rows, options);
  const spec = { type: "StandardStMan", name: "SSM", options: options.spec ?? {} };
  const { kind = standardStMan } = options;
  return new Bench(context, files, backend, runSync(kind.create!(context, spec), files), kind);
}

/** Opens a table whose files are in memory, anew. */
export function openInMemory(
  context: ManagerContext,
  blob: Uint8Array,
  store: MemoryStore,
  kind: ManagerKind = standardStMan,
): Bench {
  const backend = new MemoryBackend(store);
  const files = new TableFiles(FOLDER, backend, { writable: true });
  return new Bench(context, files, backend, runSync(kind.open(context, blob), files), kind);
}

/** The files of a bench in memory. */
export function storeOf(bench: Bench): MemoryStore {
  return (bench.backend as MemoryBackend).store;
}

/** The content of a file in memory. */
export function bytesInMemory(store: MemoryStore, file: string): Uint8Array {
  const found = store.files.get(`${FOLDER}/${file}`);
  if (found === undefined) throw new Error(`${file} doesn't exist`);
  return found.bytes.slice(0, found.length);
}

/** Puts a file into memory. */
export function putInMemory(store: MemoryStore, file: string, bytes: Uint8Array): void {
  store.directories.add(FOLDER);
  const backend = new MemoryBackend(store);
  const handle = backend.open(`${FOLDER}/${file}`, "create");
  handle.write(bytes, 0);
  handle.close();
}

/** Flushes a bench and opens its files anew, with the columns that it has now. */
export function reopened(bench: Bench, columns: readonly BoundColumn[] = bench.context.columns): Bench {
  const blob = bench.flush();
  bench.files.close();
  const context = { ...bench.context, columns: [...columns], rowCount: bench.rows };
  return openInMemory(context, blob, storeOf(bench), bench.kind);
}

function typeOf(column: BoundColumn): NumericType {
  return column.dtype === "record" ? "uint8" : column.dtype as NumericType;
}

function bytesOfItems(dtype: BoundColumn["dtype"], items: readonly unknown[]): Uint8Array {
  const type = dtype === "record" ? "uint8" : dtype as NumericType;
  const info = numericInfo(type);
  const bytes = new Uint8Array(items.length / info.items * info.size);
  const view = viewOf(type, bytes.buffer, 0, items.length / info.items);
  items.forEach((item, i) => (view as unknown as unknown[])[i] = item);
  return bytesOf(view);
}

function readBox(
  manager: StorageManager,
  column: BoundColumn,
  index: number,
  rows: Rows,
  shape: readonly number[],
  box: Box | null,
  files: TableFiles,
): unknown[] {
  const count = rows.length * elementsOf(box?.shape ?? shape);
  if (!isNumeric(column.dtype) && column.dtype !== "record") {
    const values = new Array<unknown>(count).fill(undefined);
    const target = { kind: "strings", values, decode: decodeUtf8 } as const;
    runSync(manager.column(index).read(rows, shape, box, target, 0), files);
    return values;
  }
  const type = typeOf(column);
  const bytes = new Uint8Array(count * numericInfo(type).size).fill(0xee);
  runSync(manager.column(index).read(rows, shape, box, { kind: "numeric", bytes }, 0), files);
  return [...viewOf(type, bytes.buffer, 0, count)];
}

/** Cells of a column in the form of `table cat`, after JSON.parse. */
export function readCells(
  manager: StorageManager,
  column: BoundColumn,
  index: number,
  rows: Rows,
  files: TableFiles,
): unknown[] {
  const cells: unknown[] = [];
  if (rows.length === 0) return cells;
  let at = 0;
  for (const { count, shape } of runSync(manager.column(index).shapes(rows), files)) {
    const part = rows.sub(at, at + count);
    at += count;
    if (shape === null) {
      for (let i = 0; i < count; i++) cells.push(column.kind === "record" ? {} : null);
      continue;
    }
    const items = readBox(manager, column, index, part, shape, null, files);
    const each = items.length / count;
    for (let i = 0; i < count; i++) cells.push(printed(column, shape, items.slice(i * each, (i + 1) * each)));
  }
  if (at !== rows.length) throw new Error(`shapes() says ${at} rows, expected ${rows.length}`);
  return cells;
}

function printed(column: BoundColumn, shape: readonly number[], items: unknown[]): unknown {
  if (column.kind === "record") {
    if (items.length === 0) return {};
    const reader = new AipsReader(Uint8Array.from(items as number[]), { file: column.name });
    return recordToJson(readRecord(rooted(reader)));
  }
  const data = items.map((item) => printedItem(column, item));
  if (column.kind === "array") return { shape: [...shape], data };
  return data.length === 2 ? data : data[0];
}

/** Record cells are root objects; readRecord reads nested ones, which have no magic. */
function rooted(reader: AipsReader): AipsReader {
  reader.u32();
  return reader;
}

function printedItem(column: BoundColumn, item: unknown): unknown {
  if (typeof item === "bigint") {
    return item >= -(2n ** 53n) && item <= 2n ** 53n ? Number(item) : String(item);
  }
  if (column.dtype === "bool") return item !== 0;
  if (typeof item === "number" && !Number.isFinite(item)) return String(item);
  return item;
}

/** A table on disk whose managers are all StandardStMan, or of another kind. */
export interface OpenedTable {
  readonly dat: PlainTableDat;
  readonly rowCount: number;
  readonly benches: readonly Bench[];
  /** Rows in the form of `table cat`, columns in the order of the description; those of other managers are left out. */
  rows(): Record<string, unknown>[];
  close(): void;
}

/** Columns of a description as managers see them. */
export function boundColumns(dat: PlainTableDat): BoundColumn[] {
  return dat.desc.columns.map((column, i) => {
    const { shape } = dat.columnSet.columns[i]!;
    return bound(column.name, column.dtype!, {
      kind: column.kind as BoundColumn["kind"],
      direct: (column.options & 1) === 1,
      shape,
      ndim: shape?.length ?? column.ndim,
      maxLength: column.maxLength,
    });
  });
}

/** Opens the StandardStMans of a table on disk, or its managers of another kind. */
export function openTable(
  path: string,
  options: { writable?: boolean; kind?: ManagerKind } = {},
): OpenedTable {
  const { kind = standardStMan } = options;
  const dat = readTableDat(Deno.readFileSync(`${path}/table.dat`), `${path}/table.dat`);
  if (dat.kind !== "PlainTable") throw new Error(`${path} is a ${dat.kind}`);
  const backend = openBackend("node");
  const files = new TableFiles(path, backend, { writable: options.writable ?? false });
  let rowCount = lockedRows(path) ?? dat.rowCount;
  const columns = boundColumns(dat);
  const open = (): Bench[] =>
    dat.columnSet.managers.filter(({ type }) => kind.serves(type)).map(({ sequence, blob }) => {
      const mine = columns.filter((_, i) => dat.columnSet.columns[i]!.sequence === sequence);
      const context = contextOf(mine, rowCount, { bigEndian: dat.bigEndian, sequence, folder: path });
      return new Bench(context, files, backend, runSync(kind.open(context, blob), files), kind);
    });
  let benches = open();
  // All rows removed: format reference part 1, section 8.4.
  if (lockedRows(path) === 0 || benches.every((bench) => bench.manager.rowCount === 0)) {
    if (benches.length > 0) rowCount = Math.max(...benches.map((bench) => bench.manager.rowCount));
    benches = open();
  }
  return {
    dat,
    rowCount,
    benches,
    rows() {
      const rows: Record<string, unknown>[] = Array.from({ length: rowCount }, () => ({}));
      for (const column of columns) {
        for (const bench of benches) {
          const index = bench.context.columns.indexOf(column);
          if (index >= 0) bench.cells(index).forEach((cell, row) => rows[row]![column.name] = cell);
        }
      }
      return rows;
    },
    close: () => files.close(),
  };
}

/** Rows that `table.lock` says, undefined if it says nothing. */
function lockedRows(path: string): number | undefined {
  try {
    const { sync } = readTableLock(Deno.readFileSync(`${path}/table.lock`), `${path}/table.lock`);
    return sync === null || sync.rowCount === 0 ? undefined : sync.rowCount;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The TableError that `action` throws; anything else is passed on. */
export function errorOf(action: () => unknown): TableError | null {
  try {
    action();
  } catch (error) {
    if (error instanceof TableError) return error;
    throw error;
  }
  return null;
}
