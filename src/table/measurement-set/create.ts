/**
 * Making a MeasurementSet of version 2: the main table, and the subtables that its keywords name (format reference part 1,
 * section 11). Everything is there when the main table's `table.dat` is, which comes last.
 */
import { resolve } from "node:path";
import { TableError } from "../../error.ts";
import { storedName } from "../../format/names.ts";
import { TableKeyword } from "../../format/table-record.ts";
import { openBackend } from "../../io/backends.ts";
import type { StorageSpec } from "../../storage/manager.ts";
import { removeTree } from "../directory.ts";
import { contextOf } from "../open.ts";
import { type ColumnSpec, incremental, standard } from "../specs.ts";
import type { IoOptions } from "../options.ts";
import { Table } from "../table.ts";
import { ANTENNA, FEED, POINTING } from "./antennas.ts";
import type { TableColumns } from "./columns.ts";
import { SYSCAL, WEATHER } from "./conditions.ts";
import { DATA_COLUMNS, type DataColumn, isDataColumn, MAIN, mainTable } from "./main-table.ts";
import { FLAG_CMD, HISTORY, OBSERVATION, PROCESSOR, STATE } from "./observation.ts";
import { FIELD, SOURCE } from "./sky.ts";
import { DATA_DESCRIPTION, DOPPLER, FREQ_OFFSET, POLARIZATION, SPECTRAL_WINDOW } from "./spectra.ts";

/** Subtables that every MeasurementSet has, in the order in which casacore names them. */
const REQUIRED = {
  ANTENNA,
  DATA_DESCRIPTION,
  FEED,
  FLAG_CMD,
  FIELD,
  HISTORY,
  OBSERVATION,
  POINTING,
  POLARIZATION,
  PROCESSOR,
  SPECTRAL_WINDOW,
  STATE,
} as const satisfies Record<string, TableColumns>;

/** A subtable that a MeasurementSet may have. */
export type OptionalSubtable = "DOPPLER" | "FREQ_OFFSET" | "SOURCE" | "SYSCAL" | "WEATHER";

const OPTIONAL: Readonly<Record<OptionalSubtable, TableColumns>> = {
  DOPPLER,
  FREQ_OFFSET,
  SOURCE,
  SYSCAL,
  WEATHER,
};

/** Every table but the main one. */
export const SUBTABLES: Readonly<Record<string, TableColumns>> = { ...REQUIRED, ...OPTIONAL };

/** Options of `Table.createMeasurementSet`. */
export interface MeasurementSetOptions extends IoOptions {
  /** Columns with a value for each correlation and channel; DATA unless told otherwise. */
  readonly data?: readonly DataColumn[];
  /** [correlations, channels] of every cell. Left out: each row has its own, as windows differ. */
  readonly shape?: readonly [correlations: number, channels: number];
  /** Tile of the data columns and of FLAG: correlations, channels, rows. Left out or 0: as casacore chooses. */
  readonly tileShape?: readonly number[];
  /** Subtables beside the required ones. */
  readonly subtables?: readonly OptionalSubtable[];
  /** Optional columns by table, the main one being MAIN: `{ SYSCAL: ["TSYS"], WEATHER: ["TEMPERATURE"] }`. */
  readonly columns?: Readonly<Record<string, readonly string[]>>;
  /** Columns of the main table that the standard doesn't know; arrays get tiles of their own. */
  readonly extraColumns?: readonly ColumnSpec[];
  /** Managers of the main table; what they don't take is in those that CASA's importers use. */
  readonly storage?: readonly StorageSpec[];
  /** Rows of the main table to begin with, 0 unless told otherwise. */
  readonly rows?: number;
  /** Byte order of the data files; this machine's unless told otherwise. */
  readonly byteOrder?: "little" | "big";
  /** Replace an existing table. */
  readonly overwrite?: boolean;
}

const INFO = { type: "Measurement Set", subType: "", readme: "A MeasurementSet, version 2\n" };

function wrong(message: string): never {
  throw new TableError("INVALID_ARGUMENT", message);
}

/** Carries out `Table.createMeasurementSet`. @throws TableError; nothing is left behind then */
export function createMeasurementSet(path: string, options: MeasurementSetOptions): Table {
  const { data = ["DATA"], shape, tileShape, subtables = [], columns = {}, extraColumns = [] } = options;
  const stray = data.find((name) => !isDataColumn(name));
  if (stray !== undefined) wrong(`${stray} is no data column; there are ${DATA_COLUMNS.join(", ")}`);
  if (shape !== undefined && shape.length !== 2) wrong("the shape of cells is [correlations, channels]");
  for (const name of subtables) {
    if (!Object.hasOwn(OPTIONAL, name)) {
      wrong(`${name} is no optional subtable; there are ${Object.keys(OPTIONAL).join(", ")}`);
    }
  }
  const names = [...Object.keys(REQUIRED), ...new Set(subtables)];
  const unmade = Object.keys(columns).find((name) => name !== "MAIN" && !names.includes(name));
  if (unmade !== undefined) wrong(`columns of ${unmade} are given, a table that is not made`);
  // Before anything is on the disk.
  const made = names.map((name) => ({
    name,
    columns: columnsOf(name, SUBTABLES[name]!, columns[name] ?? []),
  }));
  const extra = [...columnsOf("MAIN", MAIN, columns.MAIN ?? []).slice(MAIN.required.length), ...extraColumns];
  const { rows, byteOrder, overwrite, storage = [] } = options;
  const main = mainTable({ data, shape, tileShape }, extra);
  const directory = resolve(path);
  const ms = Table.create(path, {
    ...ioOf(options),
    columns: main.columns,
    storage: besides(storage, main.storage),
    info: INFO,
    ...(rows === undefined ? {} : { rows }),
    ...(byteOrder === undefined ? {} : { byteOrder }),
    ...(overwrite === undefined ? {} : { overwrite }),
  });
  try {
    ms.keywords.set("MS_VERSION", 2, "float32");
    ms.keywords.setComment("MS_VERSION", "Version of the MeasurementSet definition");
    for (const { name, columns } of made) {
      const subtable = `${directory}/${name}`;
      createSubtable(subtable, name, columns, options);
      ms.keywords.set(name, new TableKeyword(storedName(directory, subtable)));
    }
    ms.flush();
    return ms;
  } catch (error) {
    ms.close();
    removeTree(openBackend(options.io ?? "auto", { writable: true, ...contextOf(options) }), directory);
    throw error;
  }
}

/** How files are reached, of all options. */
function ioOf(
  { io, lock, lockTimeoutMs, context, strings, maxResultBytes }: MeasurementSetOptions,
): IoOptions {
  return Object.fromEntries(
    Object.entries({ io, lock, lockTimeoutMs, context, strings, maxResultBytes })
      .filter(([, value]) => value !== undefined),
  );
}

/** The required columns, then the optional ones that were asked for. */
function columnsOf(
  table: string,
  { required, optional }: TableColumns,
  names: readonly string[],
): ColumnSpec[] {
  const chosen = names.map((name) =>
    optional.find((column) => column.name === name) ??
      wrong(
        `${name} is no optional column of ${table}; there are ${
          optional.map((column) => column.name).join(", ") || "none"
        }`,
      )
  );
  return [...required, ...chosen];
}

/** The usual managers without the columns that the caller's own take. */
function besides(own: readonly StorageSpec[], usual: readonly StorageSpec[]): StorageSpec[] {
  if (own.length === 0) return [...usual];
  const taken = new Set(own.flatMap(({ columns = [] }) => columns));
  const rest = own.some(({ columns }) => columns === undefined);
  const left = usual.flatMap((spec): StorageSpec[] => {
    if (spec.columns === undefined) return rest ? [] : [spec];
    const columns = spec.columns.filter((name) => !taken.has(name));
    if (columns.length === 0) return [];
    return [columns.length === spec.columns.length ? spec : { ...spec, columns }];
  });
  return [...own, ...left];
}

/** Pointings of the antennas, sampled together, repeat each other. */
const POINTING_STORAGE = [standard("SSMPointing", ["ANTENNA_ID"]), incremental("ISMPointing", {})];

function createSubtable(
  path: string,
  name: string,
  columns: readonly ColumnSpec[],
  options: MeasurementSetOptions,
): void {
  Table.create(path, {
    ...ioOf(options),
    columns,
    storage: name === "POINTING" ? POINTING_STORAGE : [standard()],
    ...(options.byteOrder === undefined ? {} : { byteOrder: options.byteOrder }),
  }).close();
}
