/**
 * Tables of every storage manager that can be written, and changes of them that follow from a number: what tests of
 * crashes, kills and faults do to tables, and know the outcome of.
 */
import { createHash } from "node:crypto";
import {
  aipsio,
  array,
  bitFlags,
  type ColumnSpec,
  compressComplex,
  compressFloat,
  type CreateOptions,
  dysco,
  incremental,
  mappedArray,
  memory,
  type NumericType,
  scalar,
  scaledArray,
  scaledComplex,
  standard,
  type StorageSpec,
  Table,
  TableRecord,
  tiledCell,
  tiledColumn,
  tiledData,
  tiledShape,
} from "../mod.ts";
import { allocate } from "../src/array/alloc.ts";
import { isNumeric } from "../src/array/dtype.ts";

/** A source of numbers from 0 to 1. */
export type Random = () => number;

/** Numbers that look random; the same for the same seed. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    let word = state;
    word = Math.imul(word ^ (word >>> 12), 0x297a2d39) >>> 0;
    return ((word ^ (word >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from 0, below `below`. */
export function whole(random: Random, below: number): number {
  return Math.floor(random() * below);
}

/** A kind of table. */
export interface Kind {
  readonly name: string;
  readonly columns: readonly ColumnSpec[];
  readonly storage: readonly StorageSpec[];
  readonly rows: number;
  /** Columns that are put; left out: all. */
  readonly put?: readonly string[];
  /** Columns whose values aren't kept. */
  readonly forgotten?: readonly string[];
  /** Rows can be removed. */
  readonly removes?: boolean;
  /** Rows come in groups of so many. */
  readonly rowStep?: number;
  /** Columns whose cells can't change shape: that of a row is always the same. */
  readonly byRow?: readonly string[];
  /** Rows are added with values for these columns, in this order. */
  readonly appends?: readonly string[];
  /** python-casacore can't open such a table. */
  readonly foreign?: boolean;
  /** Changes are large: what is pending is sent before the commit. */
  readonly large?: boolean;
}

/** The kinds of tables. */
export const KINDS: readonly Kind[] = [
  {
    name: "tiled and standard",
    columns: [
      array("DATA", "complex64", { shape: [2, 3] }),
      array("FREE", "float64", { ndim: 1 }),
      array("FLAG", "bool", { shape: [5] }),
      scalar("TIME", "float64"),
      scalar("NAME", "string"),
      array("LIST", "string"),
    ],
    storage: [
      tiledShape("Shape", ["FREE"], { tileShape: [4, 4] }),
      tiledColumn("Data", ["DATA"], { tileShape: [2, 3, 7] }),
      standard("SSM", { bucketRows: 8 }),
    ],
    rows: 9,
    byRow: ["FREE"],
  },
  {
    name: "standard and incremental",
    columns: [
      scalar("TIME", "float64"),
      scalar("ANTENNA", "int32"),
      scalar("ON", "bool"),
      scalar("NAME", "string"),
      scalar("SHORT", "string", { maxLength: 12 }),
      array("UVW", "float64", { shape: [3], direct: true }),
      array("ANY", "int16", { ndim: 2 }),
      array("LIST", "string", { ndim: 1 }),
      scalar("FIELD", "int32"),
      scalar("SCAN", "string"),
      array("STATE", "float32", { ndim: 1 }),
    ],
    storage: [
      incremental("ISM", ["FIELD", "SCAN", "STATE"], { bucketSize: 400 }),
      standard("SSM", { bucketRows: 4 }),
    ],
    rows: 7,
    removes: true,
  },
  {
    name: "cells of their own and one file",
    columns: [
      array("CELL", "float32", { ndim: 2 }),
      array("MASK", "bool", { ndim: 2 }),
      scalar("N", "int64"),
      scalar("TEXT", "string"),
      array("A", "uint8", { ndim: 1 }),
      array("LINES", "string"),
    ],
    storage: [
      tiledCell("Cells", ["CELL"], { tileShape: [3, 3] }),
      tiledCell("Masks", ["MASK"], { tileShape: [8, 2] }),
      aipsio("Old", ["N", "TEXT", "A", "LINES"]),
    ],
    rows: 5,
  },
  {
    name: "one file",
    columns: [
      scalar("N", "uint32"),
      scalar("TEXT", "string"),
      array("A", "complex128", { ndim: 1 }),
      scalar("KEPT", "float32"),
    ],
    storage: [aipsio("Old", ["N", "TEXT", "A"]), standard("SSM")],
    rows: 6,
    removes: true,
  },
  {
    name: "in memory",
    columns: [array("MEMORY", "int32", { shape: [2] }), scalar("KEPT", "float32")],
    storage: [memory("Mem", ["MEMORY"]), standard("SSM")],
    rows: 6,
    removes: true,
    forgotten: ["MEMORY"],
    foreign: true,
  },
  {
    name: "hypercubes by id",
    columns: [
      scalar("SPW", "int32"),
      array("VIS", "complex64", { ndim: 2 }),
      array("FLAG", "bool", { ndim: 2 }),
      scalar("TIME", "float64"),
    ],
    storage: [tiledData("Vis", ["VIS", "FLAG"], { ids: ["SPW"], tileShape: [2, 3, 4] }), standard("SSM")],
    rows: 0,
    put: ["TIME"],
    appends: ["SPW", "VIS", "FLAG", "TIME"],
  },
  {
    name: "virtual columns",
    columns: [
      array("WEIGHT", "float32", { ndim: 1 }),
      array("WEIGHT_16", "int16", { ndim: 1 }),
      scalar("WEIGHT_SCALE", "float32"),
      scalar("WEIGHT_OFFSET", "float32"),
      array("DATA", "complex64", { shape: [3, 2] }),
      array("DATA_32", "int32", { shape: [3, 2] }),
      array("FLAG", "bool", { shape: [10] }),
      array("BITS", "uint8", { shape: [10] }),
      array("NARROW", "complex64", { ndim: 1 }),
      array("WIDE", "complex128", { ndim: 1 }),
      scalar("N", "int32"),
    ],
    storage: [
      compressFloat("WEIGHT", {
        stored: "WEIGHT_16",
        scale: "WEIGHT_SCALE",
        offset: "WEIGHT_OFFSET",
        autoScale: true,
      }),
      compressComplex("DATA", { stored: "DATA_32", scale: 0.001, offset: 0 }),
      bitFlags("FLAG", { stored: "BITS", writeMask: 4 }),
      mappedArray("NARROW", { stored: "WIDE" }),
      tiledColumn("Tiles", ["DATA_32"], { tileShape: [3, 2, 4] }),
      tiledShape("Bits", ["BITS"], { tileShape: [10, 3] }),
      standard("SSM", { bucketRows: 8 }),
    ],
    rows: 6,
    put: ["WEIGHT", "DATA", "FLAG", "NARROW", "N"],
  },
  {
    name: "scaled",
    columns: [
      array("SCALED", "float32", { shape: [4] }),
      array("SCALED_16", "int16", { shape: [4] }),
      array("PARTS", "complex64", { ndim: 1 }),
      array("PARTS_16", "int16", { ndim: 2 }),
    ],
    storage: [
      scaledArray("SCALED", { stored: "SCALED_16", scale: 0.01 }),
      scaledComplex("PARTS", { stored: "PARTS_16", scale: [0.01, 0.02] }),
      incremental("ISM", ["SCALED_16"], { bucketSize: 500 }),
      standard("SSM"),
    ],
    rows: 4,
    put: ["SCALED", "PARTS"],
    foreign: true,
  },
  {
    name: "Dysco",
    columns: [
      scalar("TIME", "float64"),
      ...["FIELD_ID", "DATA_DESC_ID", "ANTENNA1", "ANTENNA2"].map((name) => scalar(name, "int32")),
      array("DATA", "complex64", { shape: [2, 4], direct: true }),
      array("WEIGHT_SPECTRUM", "float32", { shape: [2, 4], direct: true }),
    ],
    storage: [
      dysco("Vis", ["DATA"], { dataBitCount: 8, normalization: "Row", rowsPerBlock: 3 }),
      dysco("Weights", ["WEIGHT_SPECTRUM"], { normalization: "RF", rowsPerBlock: 3 }),
      standard("SSM", { bucketRows: 8 }),
    ],
    rows: 6,
    // casacore can't read a block that isn't full.
    rowStep: 3,
    put: ["TIME", "DATA", "WEIGHT_SPECTRUM"],
  },
  {
    name: "large",
    columns: [
      // A tile, and a cell, is as large as what goes past the cache.
      array("BIG", "float32", { shape: [256, 256] }),
      array("SHAPED", "float64", { ndim: 2 }),
      array("FREE", "int32", { ndim: 1 }),
      scalar("NAME", "string"),
      scalar("N", "int32"),
    ],
    storage: [
      tiledColumn("Big", ["BIG"], { tileShape: [256, 256, 1] }),
      tiledShape("Shaped", ["SHAPED"], { tileShape: [128, 64, 2] }),
      standard("SSM", { bucketRows: 32 }),
    ],
    rows: 20,
    byRow: ["SHAPED"],
    large: true,
  },
];

/** Makes a table of a kind. */
export function makeTable(kind: Kind, path: string, options: Partial<CreateOptions> = {}): Table {
  const { columns, storage, rows } = kind;
  return Table.create(path, { columns, storage, rows, ...options });
}

/** What a table holds: its rows, keywords and columns; short, and different for different tables. */
export function stateOf(table: Table, kind?: Pick<Kind, "forgotten">): string {
  const hash = createHash("sha1");
  const text = (value: unknown) => hash.update(JSON.stringify(value) + "\n");
  text([table.rowCount, table.columnNames, table.keywords.toJSON()]);
  for (const name of table.columnNames) {
    if (kind?.forgotten?.includes(name)) continue;
    text([name, table.column(name).keywords.toJSON()]);
    for (const cell of table.getCells(name)) {
      if (cell === null || typeof cell !== "object" || cell instanceof TableRecord || !("dtype" in cell)) {
        text(typeof cell === "bigint" ? String(cell) : cell);
      } else if (ArrayBuffer.isView(cell.data)) {
        text(cell.shape);
        hash.update(new Uint8Array(cell.data.buffer, cell.data.byteOffset, cell.data.byteLength));
      } else text([cell.shape, cell.data]);
    }
  }
  return `${table.rowCount} rows, ${hash.digest("hex").slice(0, 16)}`;
}

function numbers(dtype: NumericType, elements: number, random: Random) {
  const data = allocate(dtype, elements);
  if (data instanceof BigInt64Array) {
    for (let i = 0; i < data.length; i++) data[i] = BigInt(whole(random, 2 ** 40)) - 2n ** 39n;
    return data;
  }
  const float = data instanceof Float32Array || data instanceof Float64Array;
  // Long arrays are made from few numbers: calls take longer than writing them.
  const step = data.length > 2000 ? 97 : 1;
  for (let i = 0; i < data.length; i += step) {
    data[i] = dtype === "bool" ? whole(random, 2) : float ? random() * 60 - 30 : whole(random, 120);
  }
  if (step > 1) { for (let i = 0; i < data.length; i++) data[i] = data[i - i % step]! + i % step; }
  return data;
}

function text(random: Random, most: number): string {
  return "n".repeat(whole(random, 4)) + String(whole(random, 1000)).repeat(whole(random, most));
}

function shapeOf(spec: ColumnSpec, random: Random): readonly number[] {
  const { shape, ndim } = spec.options;
  if (shape !== undefined) return shape;
  return Array.from({ length: ndim ?? 1 + whole(random, 2) }, () => 1 + whole(random, 5));
}

/** A value for a cell of a column. */
export function valueFor(spec: ColumnSpec, random: Random, shape = shapeOf(spec, random)) {
  const { dtype, kind } = spec;
  const elements = kind === "scalar" ? 1 : shape.reduce((product, length) => product * length, 1);
  if (dtype === "string") {
    const most = spec.options.maxLength !== undefined ? 3 : 25;
    const data = Array.from({ length: elements }, () => text(random, most).slice(0, spec.options.maxLength));
    return kind === "scalar" ? data[0]! : { dtype, shape, data };
  }
  if (!isNumeric(dtype)) throw new Error(`no values of ${dtype}`);
  const data = numbers(dtype, elements, random);
  if (kind === "array") return { dtype, shape, data };
  if (dtype === "bool") return data[0] === 1;
  return dtype.startsWith("complex") ? [Number(data[0]), Number(data[1])] as const : data[0]!;
}

/** Changes a table in a way that follows from `random` and the table's rows; nothing is committed. */
export function change(table: Table, kind: Kind, random: Random, count: number): void {
  const puttable = kind.columns.filter(({ name }) => kind.put?.includes(name) ?? true);
  for (let i = 0; i < count; i++) {
    const rows = table.rowCount, row = whole(random, rows), spec = puttable[whole(random, puttable.length)]!;
    const choice = random();
    if (choice < 0.2) addRows(table, kind, random);
    else if (choice < 0.3) table.keywords.set(`K${whole(random, 3)}`, whole(random, 1000));
    else if (choice < 0.35) table.column(spec.name).keywords.set("NOTE", text(random, 9));
    else if (choice < 0.45 && kind.removes && rows > 3) {
      table.removeRows({ start: row, end: Math.min(rows, row + 1 + whole(random, 3)) });
    } else if (rows === 0) continue;
    else if (kind.byRow?.includes(spec.name)) {
      const shape = Array.from({ length: spec.options.ndim! }, (_, axis) => 1 + (row + axis) % 4);
      table.putCell(spec.name, row, valueFor(spec, random, shape) as Parameters<Table["putCell"]>[2]);
    } else if (choice < 0.6) putColumn(table, spec, random);
    else if (kind.large && choice < 0.7) overwriteBig(table, random);
    else table.putCell(spec.name, row, valueFor(spec, random) as Parameters<Table["putCell"]>[2]);
  }
}

function addRows(table: Table, kind: Kind, random: Random): void {
  const { rowStep = 1 } = kind, count = rowStep * (1 + whole(random, kind.large ? 24 : 12 / rowStep));
  if (kind.appends === undefined) return table.addRows(count);
  const spw = whole(random, 3), shape = [2, 3 + spw];
  const values: Record<string, unknown> = {};
  for (const name of kind.appends) {
    const spec = kind.columns.find((column) => column.name === name)!;
    const cell = spec.kind === "scalar" ? [] : shape, elements = cell.reduce((a, b) => a * b, 1);
    const data = numbers(spec.dtype as NumericType, elements * count, random);
    if (name === "SPW") data.fill(spw as never);
    values[name] = { dtype: spec.dtype, shape: [...cell, count], data };
  }
  table.append(values as Parameters<Table["append"]>[0]);
}

/** All rows, or some that lie apart. */
function putColumn(table: Table, spec: ColumnSpec, random: Random): void {
  const rows = table.rowCount, start = whole(random, rows), step = 1 + whole(random, 3);
  const selection = random() < 0.4 ? { start: 0, end: rows } : { start, end: rows, step };
  const count = Math.ceil((rows - selection.start) / (selection.step ?? 1));
  const cell = spec.kind === "scalar" ? [] : shapeOf(spec, random);
  const elements = cell.reduce((product, length) => product * length, count);
  const shape = [...cell, count];
  const data = spec.dtype === "string"
    ? Array.from({ length: elements }, () => text(random, 3).slice(0, spec.options.maxLength))
    : numbers(spec.dtype as NumericType, elements, random);
  table.putColumn(spec.name, { dtype: spec.dtype, shape, data } as never, { rows: selection });
}

/** More than is kept pending: rows that lie apart, so that each is a run of its own. */
function overwriteBig(table: Table, random: Random): void {
  const rows = table.rowCount, value = random();
  for (let row = whole(random, 2); row < rows; row += 1 + whole(random, 2)) {
    table.putCell("BIG", row, new Float32Array(65536).fill(value + row));
  }
}

/**
 * What the commit of that number does to a table: some changes; now and then in a transaction, or after one that was given
 * up. The same for the same seed and number, and the same table.
 */
export function commitOf(
  table: Table,
  kind: Kind,
  seed: number,
  number: number,
  { durable = false }: { durable?: boolean } = {},
): void {
  const random = randomFrom(seed * 7919 + number), way = random(), count = 1 + whole(random, 6);
  if (way < 0.15) {
    const given = new Error("given up");
    try {
      table.transaction(() => {
        change(table, kind, randomFrom(seed + number * 31), count);
        throw given;
      });
    } catch (error) {
      if (error !== given) throw error;
    }
  }
  if (way > 0.7) {
    table.transaction(() => {
      change(table, kind, random, count);
      table.keywords.set("COMMIT", number);
    }, { durable });
    return;
  }
  change(table, kind, random, count);
  table.keywords.set("COMMIT", number);
  table.flush({ durable });
}

/** The table's last commit. */
export function lastCommit(table: Table): number {
  return Number(table.keywords.get("COMMIT") ?? 0);
}
