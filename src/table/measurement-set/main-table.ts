/**
 * The main table: a row for each baseline and integration of a DATA_DESC_ID. What changes slowly is in an
 * IncrementalStMan, arrays in tiles, as CASA's importers and simulator have it.
 */
import type { DType } from "../../array/dtype.ts";
import type { StorageSpec } from "../../storage/manager.ts";
import {
  array,
  type ArrayOptions,
  type ColumnSpec,
  incremental,
  standard,
  tiledColumn,
  tiledShape,
} from "../specs.ts";
import { bool, cells, duration, epoch, int, type TableColumns, uvw } from "./columns.ts";

/** A column of a MeasurementSet with a value for each correlation and channel. */
export type DataColumn =
  | "DATA"
  | "FLOAT_DATA"
  | "CORRECTED_DATA"
  | "MODEL_DATA"
  | "LAG_DATA"
  | "WEIGHT_SPECTRUM"
  | "SIGMA_SPECTRUM"
  | "CORRECTED_WEIGHT_SPECTRUM";

const DATA_TYPES: Readonly<Record<DataColumn, DType>> = {
  DATA: "complex64",
  FLOAT_DATA: "float32",
  CORRECTED_DATA: "complex64",
  MODEL_DATA: "complex64",
  LAG_DATA: "complex64",
  WEIGHT_SPECTRUM: "float32",
  SIGMA_SPECTRUM: "float32",
  CORRECTED_WEIGHT_SPECTRUM: "float32",
};

const DATA_COMMENTS: Readonly<Partial<Record<DataColumn, string>>> = {
  DATA: "Visibilities",
  FLOAT_DATA: "Autocorrelations of a single dish",
  CORRECTED_DATA: "Visibilities, calibrated",
  MODEL_DATA: "Visibilities that a model predicts",
};

/** True for the name of a data column. */
export function isDataColumn(name: string): name is DataColumn {
  return Object.hasOwn(DATA_TYPES, name);
}

/** Names of the data columns. */
export const DATA_COLUMNS = Object.keys(DATA_TYPES) as readonly DataColumn[];

const UVW = uvw("UVW", [3], "Coordinates of the baseline");

const SCALARS: readonly ColumnSpec[] = [
  int("ANTENNA1"),
  int("ANTENNA2"),
  int("ARRAY_ID", "Subarray"),
  int("DATA_DESC_ID", "Row of DATA_DESCRIPTION"),
  duration("EXPOSURE", "Of that, data were taken"),
  int("FEED1"),
  int("FEED2"),
  int("FIELD_ID", "Row of FIELD"),
  bool("FLAG_ROW", "All of the row is flagged"),
  duration("INTERVAL", "From one integration to the next"),
  int("OBSERVATION_ID", "Row of OBSERVATION"),
  int("PROCESSOR_ID", "Row of PROCESSOR, -1: none"),
  int("SCAN_NUMBER"),
  int("STATE_ID", "Row of STATE, -1: none"),
  epoch("TIME", "Middle of the interval"),
  epoch("TIME_CENTROID", "Middle of what was taken"),
];

/** The main table's columns, but for data columns. */
export const MAIN: TableColumns = {
  required: [
    UVW,
    cells("FLAG", "bool", 2),
    cells("FLAG_CATEGORY", "bool", 3, {
      keywords: { CATEGORY: { dtype: "string", shape: [0], data: [] } },
    }),
    cells("WEIGHT", "float32", 1),
    cells("SIGMA", "float32", 1),
    ...SCALARS,
  ],
  optional: [
    int("ANTENNA3"),
    bool("BASELINE_REF"),
    int("FEED3"),
    cells("IMAGING_WEIGHT", "float32", 1),
    int("PHASE_ID"),
    int("PULSAR_BIN"),
    int("PULSAR_GATE_ID"),
    duration("TIME_EXTRA_PREC"),
    uvw("UVW2", [3]),
    cells("VIDEO_POINT", "complex64", 1),
  ],
};

/** How the cells of the main table are laid out. */
export interface MainLayout {
  /** Columns with a value for each correlation and channel. */
  readonly data: readonly DataColumn[];
  /** [correlations, channels] of every cell; undefined: each row has its own. */
  readonly shape?: readonly [correlations: number, channels: number] | undefined;
  /** Tile of the data columns and of FLAG: correlations, channels, rows. */
  readonly tileShape?: readonly number[] | undefined;
}

/** Rows of a tile of UVW, WEIGHT and SIGMA. */
const SHORT_ROWS = 4096;

/** The main table's columns and managers, with what the caller chose of the optional ones. */
export function mainTable(
  { data, shape, tileShape }: MainLayout,
  optional: readonly ColumnSpec[],
): { columns: ColumnSpec[]; storage: StorageSpec[] } {
  const cellOptions = (axes: number): ArrayOptions =>
    shape === undefined ? { ndim: axes } : { shape: shape.slice(0, axes) };
  const required = MAIN.required.map((column): ColumnSpec => {
    const axes = { FLAG: 2, WEIGHT: 1, SIGMA: 1 }[column.name];
    if (axes === undefined) return column;
    return array(column.name, column.dtype, {
      comment: column.options.comment ?? "",
      ...cellOptions(axes),
    });
  });
  const values = data.map((name) =>
    array(name, DATA_TYPES[name], { comment: DATA_COMMENTS[name] ?? "", ...cellOptions(2) })
  );
  const tiles = tileShape === undefined ? {} : { tileShape };
  const tiled = optional.filter(({ kind, dtype, options: { ndim, shape } }) =>
    kind === "array" && dtype !== "string" && (ndim ?? shape) !== undefined
  );
  const free = optional.filter((column) => column.kind === "array" && !tiled.includes(column));
  return {
    columns: [...required, ...values, ...optional],
    storage: [
      // What differs from row to row.
      standard("SSMData", ["ANTENNA1", "ANTENNA2", ...free.map(({ name }) => name)], { bucketSize: 32768 }),
      tiledColumn("TiledUVW", ["UVW"], { tileShape: [3, SHORT_ROWS] }),
      tiledShape("TiledFlag", ["FLAG"], tiles),
      tiledShape("TiledFlagCategory", ["FLAG_CATEGORY"]),
      tiledShape("TiledWgt", ["WEIGHT"], { tileShape: [shape?.[0] ?? 4, SHORT_ROWS] }),
      tiledShape("TiledSigma", ["SIGMA"], { tileShape: [shape?.[0] ?? 4, SHORT_ROWS] }),
      ...values.map(({ name }) => tiledShape(`Tiled${name}`, [name], tiles)),
      ...tiled.map(({ name }) => tiledShape(`Tiled${name}`, [name])),
      incremental("ISMData", {}),
    ],
  };
}
