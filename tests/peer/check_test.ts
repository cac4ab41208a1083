/**
 * What casacore wrote is in order: tables of every manager, after rows, cells and columns came and went at random, and
 * every real table that is installed here.
 */
import assert from "node:assert/strict";
import { type CheckReport, checkTable } from "../../src/table/check.ts";
import type { JobColumn } from "./oracle/values.ts";
import { realTables } from "./oracle/tables.ts";
import { type Job, type JobOperation, oracleWrite, peerTest, temporaryFolder } from "./peer.ts";
import { generator } from "./random.ts";

const SEEDS = Array.from({ length: Number(Deno.env.get("TESSERA_CHECK_SEEDS") ?? 12) }, (_, i) => i + 1);

const STANDARD: readonly JobColumn[] = [
  { name: "number", dtype: "int32" },
  { name: "flag", dtype: "bool" },
  { name: "text", dtype: "string", longest: 300 },
  { name: "word", dtype: "string", longest: 20 },
  { name: "key", dtype: "string", maxLength: 12 },
  { name: "names", dtype: "string", kind: "array", shape: [3] },
  { name: "words", dtype: "string", kind: "array", undefinedEvery: 3, longest: 40 },
  { name: "free", dtype: "complex64", kind: "array", ndim: 2, undefinedEvery: 4 },
  { name: "fixed", dtype: "float64", kind: "array", shape: [2, 3] },
  { name: "direct", dtype: "bool", kind: "array", shape: [5], direct: true },
  { name: "record", dtype: "record", kind: "record" },
];
const INCREMENTAL: readonly JobColumn[] = [
  { name: "slow", dtype: "float64", repeat: 4 },
  { name: "label", dtype: "string", repeat: 3, longest: 30 },
  { name: "row", dtype: "int16", kind: "array", ndim: 1, repeat: 5, undefinedEvery: 6 },
  { name: "labels", dtype: "string", kind: "array", ndim: 1, repeat: 2 },
];
const OLD: readonly JobColumn[] = [
  { name: "old", dtype: "int64" },
  { name: "bits", dtype: "bool" },
  { name: "oldtext", dtype: "string", longest: 30 },
  { name: "olds", dtype: "float32", kind: "array", ndim: 1, undefinedEvery: 3 },
  { name: "oldnames", dtype: "string", kind: "array", shape: [2] },
];
const TILED: readonly JobColumn[] = [
  { name: "data", dtype: "complex64", kind: "array", ndim: 2, shapes: [[2, 3], [4, 1]], undefinedEvery: 5 },
  {
    name: "mask",
    dtype: "bool",
    kind: "array",
    ndim: 2,
    shapes: [[2, 3], [4, 1]],
    undefinedEvery: 5,
    like: "data",
  },
];
const CELLS: readonly JobColumn[] = [
  { name: "image", dtype: "float32", kind: "array", ndim: 2, shapes: [[9, 5], [3, 20]] },
];
const COLUMN: readonly JobColumn[] = [{ name: "uvw", dtype: "float64", kind: "array", shape: [3] }];

/** A table, and what happens to it in later sessions. */
function jobs(table: string, seed: number): Job[] {
  const random = generator(seed);
  const kinds = [STANDARD, INCREMENTAL, OLD, TILED, CELLS, COLUMN];
  const types = [
    "StandardStMan",
    "IncrementalStMan",
    "StManAipsIO",
    "TiledShapeStMan",
    "TiledCellStMan",
    "TiledColumnStMan",
  ];
  const specs = [
    { BUCKETSIZE: [128, 300, 1000][random(3)]! },
    { BUCKETSIZE: [400, 1500][random(2)]! },
    {},
    { DEFAULTTILESHAPE: [2, 2, 3] },
    // Tiles that a cell fills: with smaller ones casacore 3.5 corrupts its heap when shapes change.
    { DEFAULTTILESHAPE: [20, 20] },
    { DEFAULTTILESHAPE: [3, 4] },
  ];
  // Rows can be removed where no manager is tiled; those of StManAipsIO get values of their own.
  const used = random(2) === 0 ? [0, 1, 2] : [0, 1, 2, 3, 4, 5];
  const removable = used.length === 3;
  let rows = random(40) + 2;
  const first: Job = {
    table,
    rows,
    seed,
    byteOrder: random(2) === 0 ? "little" : "big",
    columns: used.flatMap((k) => kinds[k]!),
    managers: used.map((k) => ({
      type: types[k]!,
      name: `M${k}`,
      columns: kinds[k]!.map(({ name }) => name),
      spec: specs[k]!,
    })),
  };
  const sessions: Job[] = [first];
  const names = ["text", "word", "names", "words", "free", "slow", "label", "oldtext", "old"];
  for (let s = 0; s < 2; s++) {
    const operations: JobOperation[] = [];
    for (let i = 0; i < 4; i++) {
      switch (random(removable ? 5 : 3)) {
        case 0: {
          const count = 1 + random(15);
          const added = Array.from({ length: count }, (_, k) => rows + k);
          operations.push({ op: "addrows", count }, { op: "fill", rows: added, seed: random(1000) });
          rows += count;
          break;
        }
        case 1: {
          const list = [...new Set(Array.from({ length: 1 + random(9) }, () => random(rows)))];
          const columns = names.filter(() => random(2) === 0);
          // An array of equal shape put into the last row of an IncrementalStMan changes others (part 3, A8.2).
          if (columns.length > 0) operations.push({ op: "fill", columns, rows: list, seed: random(1000) });
          break;
        }
        case 2:
          operations.push({ op: "flush" });
          break;
        default: {
          if (rows < 4) break;
          const list = [...new Set(Array.from({ length: 1 + random(rows >> 1) }, () => random(rows)))];
          operations.push({ op: "removerows", rows: list.sort((a, b) => a - b) });
          rows -= list.length;
        }
      }
    }
    if (random(3) === 0) {
      operations.push({
        op: "addcolumns",
        columns: [{ name: `more${s}`, dtype: "int32" }, { name: `text${s}`, dtype: "string", longest: 40 }],
        managers: [],
        fill: true,
      });
    }
    if (random(3) === 0) operations.push({ op: "removecolumns", columns: [["flag", "word"], ["fixed"]][s]! });
    sessions.push({ table, open: true, operations });
  }
  return sessions;
}

/** What a report says is wrong, a line each. */
function wrongs({ findings }: CheckReport): string[] {
  return findings.filter(({ note }) => !note).map(({ file, offset, message }) =>
    `${file}, ${offset}: ${message}`
  );
}

peerTest(`${SEEDS.length} tables that casacore changed at random are in order`, async () => {
  for (const seed of SEEDS) {
    using folder = temporaryFolder();
    const path = `${folder.path}/t`;
    for (const [i, job] of jobs(path, seed).entries()) {
      await oracleWrite(job);
      assert.deepEqual(wrongs(checkTable(path)), [], `seed ${seed}, session ${i}`);
    }
  }
});

peerTest("every real table here is in order", () => {
  for (const path of realTables()) {
    const report = checkTable(path);
    assert.deepEqual(wrongs(report), [], path);
    assert(report.tables.length >= 1 && report.tables.every(({ rows }) => rows !== null), path);
  }
});
