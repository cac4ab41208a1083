/**
 * Tables in MultiFile containers that casacore writes, with every manager, block sizes below and above those of its
 * buckets and tiles, and after rows, cells and whole managers came and went: the blocks of a file wander, some are free.
 */
import assert from "node:assert/strict";
import { Table } from "../../mod.ts";
import { openBackend } from "../../src/io/backends.ts";
import { runSync } from "../../src/io/drivers.ts";
import { TableFiles } from "../../src/io/files.ts";
import { readContainer } from "../../src/table/container.ts";
import { rowsAsJson } from "../rows-as-json.ts";
import type { JobColumn } from "./oracle/values.ts";
import { assertSameRows, type Job, oracleRows, oracleWrite, peerTest, temporaryFolder } from "./peer.ts";

const ROWS = 37;

function array(name: string, dtype: JobColumn["dtype"], more: Partial<JobColumn>): JobColumn {
  return { name, dtype, kind: "array", ...more };
}

const STANDARD: readonly JobColumn[] = [
  { name: "number", dtype: "int32" },
  { name: "flag", dtype: "bool" },
  { name: "text", dtype: "string", longest: 60 },
  array("free", "int64", { ndim: 1, undefinedEvery: 3 }),
  array("words", "string", { ndim: 1, undefinedEvery: 4 }),
];
const INCREMENTAL: readonly JobColumn[] = [
  { name: "slow", dtype: "float64", repeat: 4 },
  { name: "label", dtype: "string", repeat: 7 },
  array("row", "int16", { ndim: 1, repeat: 5 }),
];
const SHAPES: readonly JobColumn[] = [
  array("data", "complex64", { ndim: 2, shapes: [[2, 3], [4, 1], [5, 7]], undefinedEvery: 5 }),
  array("mask", "bool", {
    ndim: 2,
    shapes: [[2, 3], [4, 1], [5, 7]],
    undefinedEvery: 5,
    like: "data",
  }),
];
const COLUMN: readonly JobColumn[] = [array("uvw", "float64", { shape: [3] })];
const CELL: readonly JobColumn[] = [
  array("image", "float32", { ndim: 2, shapes: [[9, 5], [3, 20]] }),
];
const OLD: readonly JobColumn[] = [
  { name: "old", dtype: "uint8" },
  array("olds", "float32", { ndim: 1 }),
];

function job(table: string, blockSize: number, byteOrder: "little" | "big"): Job {
  const manager = (type: string, name: string, columns: readonly JobColumn[], spec = {}) => ({
    type,
    name,
    columns: columns.map((column) => column.name),
    spec,
  });
  return {
    table,
    rows: ROWS,
    seed: blockSize,
    byteOrder,
    storage: "multifile",
    blockSize,
    columns: [...STANDARD, ...INCREMENTAL, ...SHAPES, ...COLUMN, ...CELL, ...OLD],
    managers: [
      manager("StandardStMan", "SSM", STANDARD, { BUCKETSIZE: 512 }),
      manager("IncrementalStMan", "ISM", INCREMENTAL, { BUCKETSIZE: 400 }),
      manager("TiledShapeStMan", "Shape", SHAPES, { DEFAULTTILESHAPE: [2, 3, 4] }),
      manager("TiledColumnStMan", "Column", COLUMN, { DEFAULTTILESHAPE: [3, 16] }),
      manager("TiledCellStMan", "Cell", CELL, { DEFAULTTILESHAPE: [4, 4] }),
      manager("StManAipsIO", "Old", OLD),
    ],
  };
}

/** Reads every cell with some backends and compares with casacore. */
async function compare(path: string): Promise<void> {
  const theirs = await oracleRows(path);
  for (const io of ["auto", "node", "mmap"] as const) {
    if (io === "mmap" && !mmapWorks()) continue;
    using table = Table.open(path, { io });
    assert(table.columnNames.every((name) => table.column(name).readable));
    assertSameRows(rowsAsJson(table), theirs, `${path} by ${io}`);
  }
}

function mmapWorks(): boolean {
  try {
    openBackend("mmap");
    return true;
  } catch {
    return false;
  }
}

/** How the container of a table is laid out. */
function layoutOf(path: string) {
  using files = new TableFiles(path, openBackend("node"), { writable: false });
  const header = runSync(readContainer(files), files)!;
  const scattered = header.files.filter(({ runs }) => runs.length > 2).map(({ name }) => name);
  return { ...header, scattered };
}

for (const [blockSize, order] of [[256, "little"], [1000, "big"], [4096, "little"]] as const) {
  peerTest(`casacore's container of blocks of ${blockSize} bytes is read, ${order} endian`, async () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/t`;
    await oracleWrite(job(path, blockSize, order));
    const made = layoutOf(path);
    assert.equal(made.blockSize, blockSize);
    assert.equal(made.headerSize > blockSize, blockSize === 256, `a header of ${made.headerSize} bytes`);
    await compare(path);

    // Later sessions put their blocks where there is room.
    const rows = Array.from({ length: 20 }, (_, i) => ROWS + i);
    await oracleWrite({
      table: path,
      open: true,
      storage: "multifile",
      operations: [
        { op: "addrows", count: 20 },
        { op: "fill", rows, seed: 3 },
        { op: "fill", columns: ["text", "free", "label"], rows: [3, 4, 5, 20], seed: 4 },
      ],
    });
    assert(layoutOf(path).scattered.length >= 3, layoutOf(path).scattered.join());
    await compare(path);

    // A manager that goes leaves free blocks, and an empty slot among the files.
    await oracleWrite({
      table: path,
      open: true,
      storage: "multifile",
      operations: [{ op: "removecolumns", columns: ["uvw"] }],
    });
    const { free, files } = layoutOf(path);
    assert(free.length > 0);
    assert(files.every(({ name }) => name !== ""));
    await compare(path);
  });
}
