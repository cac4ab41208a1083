/**
 * Making a new table: its directory, its storage managers, and what `table.dat` will say. Until the first flush there is
 * no `table.dat`, so that nobody takes a half-made directory for a table.
 */
import { resolve } from "node:path";
import { TableError } from "../error.ts";
import { ofElementClass } from "../format/column-desc.ts";
import { type NewColumn, newPlainTable, newTableDesc } from "../format/new-table.ts";
import { EMPTY_RECORD, mergeRecords, type RecordFields } from "../format/record.ts";
import type { PlainTableDat } from "../format/table-dat.ts";
import type { TableDesc } from "../format/table-desc.ts";
import { EMPTY_INFO } from "../format/table-info.ts";
import { TableRecord } from "../format/table-record.ts";
import { openBackend } from "../io/backends.ts";
import { runSync } from "../io/drivers.ts";
import type { Backend } from "../io/backend.ts";
import { TableFiles } from "../io/files.ts";
import type { Plan } from "../io/plan.ts";
import { openLock } from "../io/lock.ts";
import type {
  BoundColumn,
  ManagerContext,
  ManagerKind,
  SettledSpec,
  StorageManager,
} from "../storage/manager.ts";
import { specKind } from "../storage/registry.ts";
import type { TableBody } from "./body.ts";
import { makeDirectory, removeTree } from "./directory.ts";
import { hypercolumnOf } from "./hypercolumns.ts";
import { boundColumn } from "./manager-slot.ts";
import { contextOf, TableCount } from "./open.ts";
import { PlainBody } from "./plain.ts";
import { LOCK_TIMEOUT_MS, Sharing } from "./sharing.ts";
import { ColumnSources } from "./source.ts";
import { bindColumns, type Binding, type ColumnSpec } from "./specs.ts";
import type { CreateOptions } from "./options.ts";

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
  const settled = settleSpecs(bindings, kinds, { directory, columns: [], sequence: 0 });
  const dat = describe(options, bindings, settled, rows);
  const backend = openBackend(options.io ?? "auto", { writable: true, ...contextOf(options) });
  makeDirectory(backend, directory, options.overwrite ?? false);
  const files = new TableFiles(directory, backend, {
    writable: true,
    newDirectory: true,
    ...contextOf(options),
  });
  let sharing: Sharing | null = null;
  try {
    sharing = shareNew(directory, backend, options);
    const later: Later = {};
    const managers = bindings.map((binding, i) => makeManager(binding, kinds[i]!, i, dat, files, later));
    const virtual = managers.flatMap((manager, i) => manager === null ? [i] : []);
    const environment = { backend, options, tree: directory, chain: [directory], count: new TableCount() };
    const info = { ...EMPTY_INFO, ...options.info };
    const body = new PlainBody(
      { files, dat, rowCount: rows, sync: null, sharing, environment, info },
      managers,
    );
    later.sources = new ColumnSources(body);
    later.body = body;
    for (const sequence of virtual) runSync(startVirtual(body, sequence), files);
    return body;
  } catch (error) {
    sharing?.close();
    files.close();
    removeTree(backend, directory);
    throw error;
  }
}

/** The lock of a new table, which is held until others can see it. */
function shareNew(directory: string, backend: Backend, options: CreateOptions): Sharing {
  const mode = options.lock ?? "auto";
  const sharing = new Sharing(directory, backend, openLock(directory, backend, { mode, readOnly: false }), {
    mode,
    timeoutMs: options.lockTimeoutMs ?? LOCK_TIMEOUT_MS,
    writable: true,
  });
  try {
    sharing.acquire("write", 0);
  } catch (error) {
    sharing.close();
    throw error;
  }
  return sharing;
}

/** The kind of manager that a spec names. @throws TableError UNSUPPORTED when none can be made */
export function writableKind(type: string): ManagerKind {
  const kind = specKind(type);
  if (kind === undefined || (kind.create ?? kind.settle) === undefined) {
    throw new TableError("UNSUPPORTED", `tables with a ${type} can't be made by this version`);
  }
  return kind;
}

/** The table that specs are settled for. */
interface Surroundings {
  readonly directory: string;
  /** Columns that are there already. */
  readonly columns: readonly BoundColumn[];
  /** Number of the first new manager. */
  readonly sequence: number;
}

/** What the specs come to. @throws TableError for specs that make no manager of their columns */
export function settleSpecs(
  bindings: readonly Binding[],
  kinds: readonly ManagerKind[],
  { directory, columns, sequence }: Surroundings,
): SettledSpec[] {
  const planned = new Map(
    bindings.flatMap((binding) => binding.columns).map((spec) => [spec, plannedColumn(spec)]),
  );
  const all = [...columns, ...planned.values()];
  return bindings.map(({ spec, columns: taken }, i) => {
    const own = taken.map((column) => planned.get(column)!);
    return kinds[i]!.settle?.(spec, { sequence: sequence + i, directory, own, columns: all }) ??
      { type: spec.type, columnKeywords: EMPTY_RECORD };
  });
}

/** A column as its manager will see it. */
function plannedColumn(spec: ColumnSpec): BoundColumn {
  const { shape = null, ndim, direct = false, maxLength = 0 } = spec.options;
  return {
    name: spec.name,
    kind: spec.dtype === "record" ? "record" : spec.kind,
    dtype: spec.dtype,
    direct,
    shape,
    ndim: spec.kind === "scalar" ? 0 : ndim ?? shape?.length ?? -1,
    maxLength,
    keywords: columnKeywords(spec),
  };
}

/** Plan: opens the manager of new virtual columns, and lets it begin. @throws TableError INVALID_ARGUMENT when they can't be computed */
export function* startVirtual(body: PlainBody, sequence: number): Plan<void> {
  const manager = yield* body.manager(sequence);
  try {
    yield* manager.created?.() ?? [];
  } catch (error) {
    // What a file must not have, such as columns that are computed from each other, a caller must not ask for.
    if (!(error instanceof TableError) || error.code !== "CORRUPT") throw error;
    throw new TableError("INVALID_ARGUMENT", error.message, { cause: error });
  }
}

/** What `table.dat` will say; managers have no blobs yet, and are numbered in the order of the bindings. */
function describe(
  options: CreateOptions,
  bindings: readonly Binding[],
  settled: readonly SettledSpec[],
  rowCount: number,
): PlainTableDat {
  const desc = describeColumns(
    options.columns,
    bindings,
    settled,
    TableRecord.from(options.keywords ?? {}).toFields(),
  );
  return newPlainTable(desc, {
    rowCount,
    bigEndian: (options.byteOrder ?? nativeByteOrder()) === "big",
    managers: bindings.map(({ columns }, i) => ({
      type: settled[i]!.type,
      columns: columns.map((column) => column.name),
    })),
  });
}

/** The description of columns, with the hypercolumns and keywords that their managers want, and table keywords. */
export function describeColumns(
  specs: readonly ColumnSpec[],
  bindings: readonly Binding[],
  settled: readonly SettledSpec[],
  keywords: RecordFields,
): TableDesc {
  const settledOf = (column: ColumnSpec) =>
    settled[bindings.findIndex(({ columns }) => columns.includes(column))];
  const desc = newTableDesc({
    columns: specs.map((column) => newColumn(column, settledOf(column)?.columnKeywords ?? EMPTY_RECORD)),
    hypercolumns: bindings.flatMap(({ spec, columns }) => hypercolumnOf(spec, columns) ?? []),
    keywords: settled.reduce(
      (all, { tableKeywords = EMPTY_RECORD }) => mergeRecords(all, tableKeywords),
      keywords,
    ),
  });
  const columns = desc.columns.map((column, i) => {
    const elementClass = settledOf(specs[i]!)?.elementClass;
    return elementClass === undefined ? column : ofElementClass(column, elementClass);
  });
  return { ...desc, columns };
}

function newColumn(column: ColumnSpec, keywords: RecordFields): NewColumn {
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
    keywords: mergeRecords(columnKeywords(column), keywords),
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

/** Managers are made before the table that they ask for other columns, and whether others use it, when they write. */
interface Later {
  sources?: ColumnSources;
  body?: PlainBody;
}

/** A manager with its first files, null for one that keeps nothing and is opened. */
function makeManager(
  { spec, columns }: Binding,
  kind: ManagerKind,
  sequence: number,
  dat: PlainTableDat,
  files: TableFiles,
  later: Later,
): StorageManager | null {
  if (kind.create === undefined) return null;
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
      column: (name) => later.sources?.of(sequence).column(name) ?? noSource(),
      foreignColumn: noSource,
      tableKeywords: () => dat.desc.keywords,
    },
    alone: () => later.body?.isAlone() ?? false,
    pathOf: (file) => files.pathOf(file),
  };
  return runSync(kind.create(context, spec), files);
}

function noSource(): never {
  throw new TableError("UNSUPPORTED", "a table that is being made has no columns to compute others from");
}

/** The machine's byte order. */
export function nativeByteOrder(): "little" | "big" {
  return new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? "little" : "big";
}
