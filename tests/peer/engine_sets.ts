/** Tables with virtual columns over stored ones of any manager, with hypercubes by id, and with Dysco. */
import {
  aipsio,
  array,
  bitFlags,
  type ColumnSpec,
  compressComplex,
  compressFloat,
  dysco,
  incremental,
  mappedArray,
  scalar,
  scaledArray,
  scaledComplex,
  standard,
  type StorageSpec,
  tiledCell,
  tiledColumn,
  tiledData,
  tiledShape,
} from "../../mod.ts";
import type { EngineTable, Values } from "./engine_tables.ts";

/** A manager for a stored column. */
type Below = (column: string) => StorageSpec;

const FIXED: readonly Below[] = [
  (column) => standard(`B${column}`, [column], { bucketRows: 4 }),
  (column) => aipsio(`B${column}`, [column]),
  (column) => incremental(`B${column}`, [column], { bucketSize: 600 }),
  (column) => tiledColumn(`B${column}`, [column]),
  (column) => tiledShape(`B${column}`, [column]),
  (column) => tiledCell(`B${column}`, [column]),
];
const FREE: readonly Below[] = [FIXED[0]!, FIXED[1]!, FIXED[4]!, FIXED[5]!];

function isTiled({ type }: StorageSpec): boolean {
  return type.startsWith("Tiled");
}

/** Some virtual columns, with what keeps their values. */
function virtual(
  seed: number,
  parts: readonly {
    readonly name: string;
    readonly column: ColumnSpec;
    readonly stored: ColumnSpec;
    readonly more?: readonly ColumnSpec[];
    readonly engine: StorageSpec;
    readonly values: Values;
  }[],
): EngineTable {
  const columns: ColumnSpec[] = [scalar("N", "int32"), scalar("NAME", "string")], storage: StorageSpec[] = [];
  const put: Record<string, Values> = { N: {}, NAME: {} };
  let removes = true;
  // Half of the tables have no tiled manager, so that rows can be removed.
  const some = (below: readonly Below[]) =>
    seed % 2 === 0 ? below : below.filter((make) => !isTiled(make("")));
  parts.forEach(({ name, column, stored, more = [], engine, values }, i) => {
    const choice = some(stored.options.shape === undefined ? FREE : FIXED);
    const below = choice[(Math.floor(seed / 2) + 5 * i) % choice.length]!(stored.name);
    columns.push(column, stored, ...more);
    storage.push(engine, below);
    if (isTiled(below)) removes = false;
    const carries = below.type === "IncrementalStMan";
    const free = column.options.shape === undefined && !isTiled(below);
    put[name] = { ...values, carries, free, oursOnly: carries };
  });
  return { columns, storage: [...storage, standard("SSM", { bucketRows: 8 })], put, removes };
}

/** CompressFloat, CompressComplex, BitFlagsEngine, MappedArrayEngine: engines that python-casacore knows. */
export function known(seed: number): EngineTable {
  return virtual(seed, [
    {
      name: "WEIGHT",
      column: array("WEIGHT", "float32", { ndim: 1 }),
      stored: array("WEIGHT_16", "int16", { ndim: 1 }),
      more: [scalar("WEIGHT_SCALE", "float32"), scalar("WEIGHT_OFFSET", "float32")],
      engine: compressFloat("WEIGHT", {
        stored: "WEIGHT_16",
        scale: "WEIGHT_SCALE",
        offset: "WEIGHT_OFFSET",
        autoScale: true,
      }),
      values: {
        step: 0.37,
        // Half a step of 65534 between the least and the greatest, and what is lost to single precision.
        tolerance: (numbers) => {
          const least = Math.min(...numbers), greatest = Math.max(...numbers);
          return (greatest - least) / 65534 * 0.51 + 1e-6 * Math.max(Math.abs(least), Math.abs(greatest));
        },
      },
    },
    {
      name: "LEVELS",
      column: array("LEVELS", "float32", { shape: [4] }),
      stored: array("LEVELS_16", "int16", { shape: [4] }),
      engine: compressFloat("LEVELS", { stored: "LEVELS_16", scale: 0.25, offset: 0 }),
      values: { step: 0.25, most: 30_000 },
    },
    {
      name: "DATA",
      column: array("DATA", "complex64", { shape: [3, 2] }),
      stored: array("DATA_32", "int32", { shape: [3, 2] }),
      engine: compressComplex("DATA", { stored: "DATA_32", scale: 0.5, offset: 0 }),
      values: { step: 0.5, most: 30_000 },
    },
    {
      name: "FLAG",
      column: array("FLAG", "bool", { shape: [10] }),
      stored: array("BITS", "uint8", { shape: [10] }),
      engine: bitFlags("FLAG", { stored: "BITS", readMask: 1, writeMask: 1 }),
      values: {},
    },
    {
      name: "NARROW",
      column: array("NARROW", "complex64", { ndim: 1 }),
      stored: array("WIDE", "complex128", { ndim: 1 }),
      engine: mappedArray("NARROW", { stored: "WIDE" }),
      values: { step: 0.125 },
    },
  ]);
}

/** ScaledArrayEngine and ScaledComplexData. */
export function scaled(seed: number): EngineTable {
  return virtual(seed, [
    {
      name: "SCALED",
      column: array("SCALED", "float32", { shape: [4] }),
      stored: array("SCALED_16", "int16", { shape: [4] }),
      engine: scaledArray("SCALED", { stored: "SCALED_16", scale: 0.25 }),
      values: { step: 0.25, most: 30_000 },
    },
    {
      name: "ANY",
      column: array("ANY", "float32", { ndim: 2 }),
      stored: array("ANY_16", "int16", { ndim: 2 }),
      engine: scaledArray("ANY", { stored: "ANY_16", scale: 0.5, offset: 16 }),
      values: { step: 0.5, most: 30_000 },
    },
    {
      name: "PARTS",
      column: array("PARTS", "complex64", { ndim: 1 }),
      stored: array("PARTS_16", "int16", { ndim: 2 }),
      engine: scaledComplex("PARTS", { stored: "PARTS_16", scale: [0.25, 0.5] }),
      values: { step: 0.5, most: 10_000 },
    },
  ]);
}

/** TiledDataStMan: rows go to the hypercube of their id. */
export function hypercubes(seed: number): EngineTable {
  return {
    columns: [
      scalar("SPW", "int32"),
      array("VIS", "complex64", { ndim: 2 }),
      array("FLAG", "bool", { ndim: 2 }),
      scalar("TIME", "float64"),
    ],
    storage: [
      tiledData("Vis", ["VIS", "FLAG"], { ids: ["SPW"], tileShape: [2, 3, 1 + seed % 4] }),
      seed % 2 === 0 ? standard("SSM") : incremental("ISM", ["TIME"]),
    ],
    put: { SPW: {}, VIS: { step: 0.125 }, FLAG: {}, TIME: { step: 0.5, carries: seed % 2 === 1 } },
    given: { SPW: (_, n) => n % 3 },
    shapeOfNew: (n) => [2, 3 + n % 3],
    append: { order: ["SPW", "VIS", "FLAG", "TIME"], step: 1, byCasacore: false },
  };
}

/** Antennas of the rows of a time step. */
const PAIRS = [[0, 1], [0, 2], [1, 2]] as const;

/** DyscoStMan with levels at even distances, scaled row by row: how far a value may be off follows from its cell. */
export function compressed(seed: number): EngineTable {
  const bits = [6, 8, 12, 16][seed % 4]!, weightBits = [8, 12, 16][seed % 3]!;
  const keys = ["FIELD_ID", "DATA_DESC_ID", "ANTENNA1", "ANTENNA2"];
  const heaviest = 3;
  return {
    columns: [
      scalar("TIME", "float64"),
      ...keys.map((name) => scalar(name, "int32")),
      array("DATA", "complex64", { shape: [2, 4], direct: true }),
      array("WEIGHT_SPECTRUM", "float32", { shape: [2, 4], direct: true }),
    ],
    storage: [
      dysco("Vis", ["DATA"], {
        dataBitCount: bits,
        normalization: "Row",
        distribution: "Uniform",
        rowsPerBlock: PAIRS.length,
      }),
      dysco("Weights", ["WEIGHT_SPECTRUM"], {
        weightBitCount: weightBits,
        normalization: "Row",
        distribution: "Uniform",
        rowsPerBlock: PAIRS.length,
      }),
      standard("SSM", { bucketRows: 8 }),
    ],
    put: {
      TIME: {},
      ...Object.fromEntries(keys.map((name) => [name, {}])),
      DATA: {
        step: 0.01,
        // A value becomes one of the levels that it lies between.
        tolerance: (numbers) => {
          const most = Math.max(...numbers.map(Math.abs));
          return most * (2 / (2 ** bits - 2) * 1.001 + 1e-6);
        },
      },
      WEIGHT_SPECTRUM: {
        step: heaviest / 1000,
        most: 1000,
        positive: true,
        alike: true,
        tolerance: () => heaviest * (0.51 / (2 ** weightBits - 1) + 1e-6),
      },
    },
    given: {
      TIME: (row) => Math.floor(row / PAIRS.length),
      FIELD_ID: () => 0,
      DATA_DESC_ID: () => 0,
      ANTENNA1: (row) => PAIRS[row % PAIRS.length]![0],
      ANTENNA2: (row) => PAIRS[row % PAIRS.length]![1],
    },
    append: { order: ["TIME", ...keys, "DATA", "WEIGHT_SPECTRUM"], step: PAIRS.length, byCasacore: true },
    block: PAIRS.length,
  };
}
