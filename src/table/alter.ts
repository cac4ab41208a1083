/**
 * Changes of a plain table's columns and managers: what `table.dat` says afterwards, and what is done to managers' files
 * on the way (format reference part 1, sections 5, 6 and 6.1). Everything is pending until the commit.
 *
 * | change | managers | names |
 * | --- | --- | --- |
 * | columns added | new ones with the next sequence numbers, or one that takes another column | new columns are the last |
 * | columns removed | one that loses its last column goes with its files; its number is not used again | hypercolumns without data columns go |
 * | column renamed | | the ColumnSet keeps the original name; hypercolumns and keywords follow |
 */
import { TableError } from "../error.ts";
import { type ColumnDesc, OPTION_FIXED_SHAPE } from "../format/column-desc.ts";
import type { ColumnBinding } from "../format/column-set.ts";
import { newColumnDesc } from "../format/new-table.ts";
import { EMPTY_RECORD, mergeRecords } from "../format/record.ts";
import type { PlainTableDat } from "../format/table-dat.ts";
import { runSync } from "../io/drivers.ts";
import type { ManagerKind, StorageManager, StorageSpec } from "../storage/manager.ts";
import {
  checkNotReferred,
  checkRenamable,
  followReferences,
  hypercolumnsRenamed,
  hypercolumnsWithout,
} from "./alter-references.ts";
import { describeColumns, settleSpecs, startVirtual, writableKind } from "./create.ts";
import { boundColumn, type ManagerSlot, type PlainColumn } from "./manager-slot.ts";
import type { PlainBody } from "./plain.ts";
import { failureOf, HalfDone } from "./plain-plans.ts";
import { bindColumns, type Binding, type ColumnSpec, isTiledByDefault } from "./specs.ts";

/** A change of columns. */
export interface Altered {
  /** What `table.dat` says from now on. */
  readonly dat: PlainTableDat;
  /** Managers that were made, by sequence number. */
  readonly made?: ReadonlyMap<number, StorageManager>;
  /** Old names of columns that were renamed, by the new. */
  readonly renamed?: ReadonlyMap<string, string>;
}

/** Where new columns go. */
export interface AddColumnOptions {
  /**
   * New managers for them; see {@linkcode standard}, {@linkcode tiledShape} and the others. Left out, numeric arrays of
   * known ndim get a tiled manager each; what remains goes to the first StandardStMan that has room, or to a new one.
   */
  readonly storage?: StorageSpec | readonly StorageSpec[];
  /** Name or sequence number of a manager that takes them in: a StandardStMan, IncrementalStMan, StManAipsIO or MemoryStMan. */
  readonly manager?: string | number;
}

const NO_BYTES = new Uint8Array(0);
/** The manager that takes columns for which no other is named. */
const DEFAULT_MANAGER = "StandardStMan";

/** Adds columns. @throws TableError as `Table.addColumns`; nothing is changed then */
export function addColumns(table: PlainBody, specs: readonly ColumnSpec[], options: AddColumnOptions): void {
  for (const { name } of specs) {
    if (table.columns.some((column) => column.bound.name === name)) {
      throw new TableError("EXISTS", `there is a column ${name} already`, { file: table.path });
    }
  }
  const { storage, manager } = options;
  if (storage !== undefined && manager !== undefined) {
    throw new TableError(
      "INVALID_ARGUMENT",
      "columns go to new managers (storage) or to one that is there (manager), not to both",
    );
  }
  // Refuses what is wrong about the columns themselves.
  bindColumns(specs, []);
  if (manager !== undefined) {
    return addEach(table, specs, (spec) => addTo(table, spec, slotOf(table, manager)));
  }
  if (storage === undefined) return addEach(table, specs, (spec) => addByDefault(table, spec));
  const managers: readonly StorageSpec[] = "type" in storage ? [storage] : storage;
  const names = namesOf(table), taken = managers.find(({ name }) => names.includes(name));
  if (taken !== undefined) {
    throw new TableError("EXISTS", `there is a storage manager ${taken.name} already`, { file: table.path });
  }
  addWith(table, specs, bindColumns(specs, managers, names));
}

/** Adds one column after the other; when one is refused, those before it go again. */
function addEach(table: PlainBody, specs: readonly ColumnSpec[], add: (spec: ColumnSpec) => void): void {
  const added: string[] = [];
  for (const spec of specs) {
    try {
      add(spec);
    } catch (error) {
      if (added.length > 0 && !table.spoilt) takeBack(table, added);
      throw error;
    }
    added.push(spec.name);
  }
}

/** Removes columns that were just added. */
function takeBack(table: PlainBody, names: readonly string[]): void {
  table.restructure(() => {
    try {
      return without(table, names);
    } catch (error) {
      throw new HalfDone(error);
    }
  });
}

function addByDefault(table: PlainBody, spec: ColumnSpec): void {
  const home = isTiledByDefault(spec)
    ? undefined
    : table.slots.find(({ entry }) => entry.type === DEFAULT_MANAGER);
  if (home !== undefined) {
    try {
      return addTo(table, spec, home);
    } catch (error) {
      // Too large for its buckets.
      if (!(error instanceof TableError) || error.code !== "INVALID_ARGUMENT") throw error;
    }
  }
  addWith(table, [spec], bindColumns([spec], [], namesOf(table)));
}

/** Names of the managers; those that aren't known have none. */
function namesOf(table: PlainBody): string[] {
  return table.slots.filter((slot) => slot.supported).map((slot) => runSync(slot.open(), table.access).name);
}

/** The manager of that name or number. @throws TableError NOT_FOUND */
function slotOf(table: PlainBody, wanted: string | number): ManagerSlot {
  const slot = table.slots.find((one) =>
    typeof wanted === "number"
      ? one.entry.sequence === wanted
      : one.supported && runSync(one.open(), table.access).name === wanted
  );
  if (slot !== undefined) return slot;
  const names = namesOf(table).join(", ");
  throw new TableError("NOT_FOUND", `no storage manager ${wanted}; there are ${names || "none"}`, {
    file: table.path,
  });
}

/** The ColumnSet's part of an added column, held by manager `sequence`. */
function bindingOf(column: ColumnDesc, sequence: number): ColumnBinding {
  const isFixed = (column.options & OPTION_FIXED_SHAPE) !== 0;
  return { originalName: column.name, sequence, shape: isFixed ? column.shape : null };
}

/** Adds a column to a manager that is there. */
function addTo(table: PlainBody, spec: ColumnSpec, slot: ManagerSlot): void {
  table.restructure(() => {
    const { columns: [column] } = describeColumns([spec], [], [], EMPTY_RECORD);
    const before = table.described();
    const set = {
      ...before.columnSet,
      columns: [...before.columnSet.columns, bindingOf(column!, slot.entry.sequence)],
    };
    const columns = [...before.desc.columns, column!];
    const bound = boundColumn(column!, set, columns.length - 1, slot.entry.type);
    runSync(slot.open(), table.access);
    try {
      runSync(slot.addColumn(bound), table.access);
    } catch (error) {
      throw failureOf(error);
    }
    return { dat: { ...before, desc: { ...before.desc, columns }, columnSet: set } };
  });
}

/** Adds columns with managers of their own. */
function addWith(table: PlainBody, specs: readonly ColumnSpec[], bindings: readonly Binding[]): void {
  const first = table.described().columnSet.sequenceCount;
  const keywords = table.keywords.toFields();
  const kinds = bindings.map(({ spec }) => writableKind(spec.type));
  const virtual = bindings.flatMap((_, i) => kinds[i]!.create === undefined ? [first + i] : []);
  table.restructure(() => {
    const { desc, columnSet, ...rest } = table.described();
    const settled = settleSpecs(bindings, kinds, {
      directory: table.path,
      columns: table.columns.map((column) => column.bound),
      sequence: first,
    });
    const added = describeColumns(specs, bindings, settled, EMPTY_RECORD);
    for (const { name } of added.privateKeywords.fields) {
      if (desc.privateKeywords.fields.some((field) => field.name === name)) {
        throw new TableError("EXISTS", `there is a private keyword ${name} already`, { file: table.path });
      }
    }
    const sequenceOf = (name: string) =>
      first + bindings.findIndex(({ columns }) => columns.some((column) => column.name === name));
    const dat: PlainTableDat = {
      ...rest,
      desc: {
        ...desc,
        privateKeywords: mergeRecords(desc.privateKeywords, added.privateKeywords),
        columns: [...desc.columns, ...added.columns],
      },
      columnSet: {
        ...columnSet,
        sequenceCount: first + bindings.length,
        managers: [
          ...columnSet.managers,
          ...settled.map(({ type }, i) => ({ type, sequence: first + i, blob: NO_BYTES })),
        ],
        columns: [
          ...columnSet.columns,
          ...added.columns.map((column) => bindingOf(column, sequenceOf(column.name))),
        ],
      },
    };
    const made = makeManagers(table, dat, bindings, kinds, first);
    if (added.keywords.fields.length > 0) table.keywords.assign(added.keywords);
    return { dat, made };
  });
  try {
    for (const sequence of virtual) runSync(startVirtual(table, sequence), table.access);
  } catch (error) {
    const failure = failureOf(error);
    if (failure instanceof HalfDone) {
      table.restructure(() => {
        throw failure;
      });
    }
    takeBack(table, specs.map(({ name }) => name));
    table.keywords.reset(keywords);
    throw error;
  }
}

/** Makes the managers of new columns; when one can't be, none is left. */
function makeManagers(
  table: PlainBody,
  dat: PlainTableDat,
  bindings: readonly Binding[],
  kinds: readonly ManagerKind[],
  first: number,
): Map<number, StorageManager> {
  const made = new Map<number, StorageManager>(), { columns, privateKeywords } = dat.desc;
  try {
    bindings.forEach(({ spec }, i) => {
      const sequence = first + i, { type } = spec, { create } = kinds[i]!;
      if (create === undefined) return;
      const own = columns.flatMap((column, index) =>
        dat.columnSet.columns[index]!.sequence === sequence ? [boundColumn(column, dat.columnSet, index)] : []
      );
      const context = table.contextOf({ type, sequence }, own, privateKeywords);
      made.set(sequence, runSync(create.call(kinds[i], context, spec), table.access));
    });
  } catch (error) {
    for (const manager of made.values()) for (const file of manager.files()) table.files.remove(file);
    throw failureOf(error);
  }
  return made;
}

/**
 * Removes columns; a manager that loses all of its columns goes with its files.
 *
 * @throws TableError as `Table.removeColumns`; nothing is changed then
 */
export function removeColumns(table: PlainBody, names: readonly string[]): void {
  table.restructure(() => {
    for (const name of names) columnOf(table, name);
    checkNotReferred(table, names);
    return without(table, names);
  });
}

function columnOf(table: PlainBody, name: string): PlainColumn {
  const column = table.columns.find((one) => one.bound.name === name);
  if (column !== undefined) return column;
  throw new TableError(
    "NO_SUCH_COLUMN",
    `no column ${name}; there are ${table.columns.map(({ bound }) => bound.name).join(", ") || "none"}`,
    { file: table.path },
  );
}

/** Removes columns from their managers. @returns what `table.dat` says then */
function without(table: PlainBody, names: readonly string[]): Altered {
  const losses = table.slots.map((slot) => ({
    slot,
    indices: slot.columns.flatMap(({ name }, i) => names.includes(name) ? [i] : []).reverse(),
  })).filter(({ indices }) => indices.length > 0);
  const leaving = losses.filter(({ slot, indices }) => indices.length === slot.columns.length);
  const shrinking = losses.filter((loss) => !leaving.includes(loss));
  for (const { slot } of shrinking) {
    const manager = runSync(slot.open(), table.access);
    if (manager.removeColumn !== undefined) continue;
    const all = slot.columns.map(({ name }) => name).join(", ");
    throw new TableError(
      "UNSUPPORTED",
      `${manager.type} ${manager.name} can't lose a column; remove all of its columns at once (${all}), or copy the table`,
      { file: table.path },
    );
  }
  let done = 0;
  for (const { slot, indices } of shrinking) {
    for (const index of indices) {
      try {
        runSync(slot.removeColumn(index), table.access);
      } catch (error) {
        throw failureOf(error, done);
      }
      done++;
    }
  }
  for (const { slot } of leaving) for (const file of filesOf(table, slot)) table.files.remove(file);
  const { desc, columnSet, ...rest } = table.described();
  const kept = desc.columns.flatMap(({ name }, i) => names.includes(name) ? [] : [i]);
  const gone = leaving.map(({ slot }) => slot.entry.sequence);
  return {
    dat: {
      ...rest,
      desc: {
        ...desc,
        privateKeywords: hypercolumnsWithout(desc.privateKeywords, names),
        columns: kept.map((i) => desc.columns[i]!),
      },
      columnSet: {
        ...columnSet,
        managers: columnSet.managers.filter(({ sequence }) => !gone.includes(sequence)),
        columns: kept.map((i) => columnSet.columns[i]!),
      },
    },
  };
}

/**
 * The files of a manager: those that it knows, if it is open, and those that bear its number. So a manager that
 * isn't known, or whose files are damaged, can go, too.
 */
function filesOf(table: PlainBody, { entry: { sequence }, manager }: ManagerSlot): Set<string> {
  const own = new RegExp(`^table\\.f${sequence}(?![0-9])`);
  const there = table.files.backend.list(table.path).filter((name) => own.test(name));
  return new Set([...manager?.files() ?? [], ...there]);
}

/**
 * Renames a column; hypercolumns and keywords that name it follow.
 *
 * @throws TableError as `Table.renameColumn`; nothing is changed then
 */
export function renameColumn(table: PlainBody, from: string, to: string): void {
  table.restructure(() => {
    const column = columnOf(table, from);
    if (table.columns.some(({ bound }) => bound.name === to)) {
      throw new TableError("EXISTS", `there is a column ${to} already`, { file: table.path });
    }
    const { bound: { kind, dtype } } = column;
    newColumnDesc({ name: to, kind, dtype });
    checkRenamable(table, column);
    followReferences(table, from, to);
    const dat = table.described(), { desc } = dat;
    return {
      dat: {
        ...dat,
        desc: {
          ...desc,
          privateKeywords: hypercolumnsRenamed(desc.privateKeywords, from, to),
          columns: desc.columns.map((one) => one.name === from ? { ...one, name: to } : one),
        },
      },
      renamed: new Map([[to, from]]),
    };
  });
}
