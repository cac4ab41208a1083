/**
 * Tables of one IncrementalStMan are changed in turns by us and by casacore, whoever made them. After each turn both agree
 * on every cell; after ours, with a model; and nothing in the files is out of order.
 */
import assert from "node:assert/strict";
import { array, checkTable, incremental, scalar, Table, TableRecord } from "../../mod.ts";
import { DTYPES } from "../../src/array/dtype.ts";
import { rowList } from "../../src/array/rows.ts";
import { type PlainTableDat, readTableDat, writeTableDat } from "../../src/format/table-dat.ts";
import { openBackend } from "../../src/io/backends.ts";
import { TableFiles } from "../../src/io/files.ts";
import { incrementalStMan } from "../../src/storage/incremental/mod.ts";
import { rowsAsJson } from "../rows-as-json.ts";
import { writeIncremental } from "../unit/storage_incremental_support.ts";
import { boundColumns, openTable } from "../unit/storage_standard_support.ts";
import { generatedCell, type JobColumn, printedCell } from "./oracle/values.ts";
import {
  assertSameRows,
  type JobOperation,
  oracleRows,
  oracleWrite,
  peerTest,
  temporaryFolder,
} from "./peer.ts";
import { generator } from "./random.ts";
import { StandardTable } from "./standard_table.ts";

const TYPE = "IncrementalStMan";

/** Sequences in each byte order, and turns of each of the two. */
const SEQUENCES = 12, TURNS = 4;

/** Bytes that a row of the longest values takes at most, with some room: casacore can't split a bucket of one row. */
const COLUMN_BYTES = 400;

/** The Python binding can't open tables with uint16 columns, and can't write records. */
const POOL: readonly JobColumn[] = DTYPES.filter((dtype) => dtype !== "uint16" && dtype !== "record").flatMap(
  (dtype, i): JobColumn[] => {
    const common = { dtype, repeat: 1 + i % 3, longest: 60, managerType: TYPE };
    return [
      { ...common, name: `s_${dtype}` },
      { ...common, name: `d_${dtype}`, kind: "array", shape: [3], direct: true },
      { ...common, name: `f_${dtype}`, kind: "array", shape: [2, 2] },
      { ...common, name: `v_${dtype}`, kind: "array", undefinedEvery: 3 },
    ] as JobColumn[];
  },
);

type Row = Record<string, unknown>;

/** The rows as both read them. Nothing may be wrong with the files. */
async function agreed(path: string): Promise<Row[]> {
  const theirs = await oracleRows(path);
  const ours = openTable(path, { kind: incrementalStMan });
  try {
    assertSameRows(ours.rows(), theirs);
    assert.deepEqual(ours.benches.flatMap((bench) => bench.findings()).filter(({ note }) => !note), []);
  } finally {
    ours.close();
  }
  return theirs;
}

/** One table and what it holds. */
class Sequence {
  readonly path: string;
  readonly #random: (below: number) => number;
  #columns: JobColumn[];
  #rest: JobColumn[];
  #rows: Row[] = [];

  constructor(path: string, seed: number) {
    this.path = path;
    this.#random = generator(seed);
    const pool = POOL.map((column) => ({ column, key: this.#random(1 << 20) })).sort((a, b) => a.key - b.key);
    this.#columns = pool.splice(0, 1 + this.#random(6)).map(({ column }) => column);
    this.#rest = pool.map(({ column }) => column);
  }

  async make(byteOrder: "little" | "big"): Promise<void> {
    const spec = { BUCKETSIZE: COLUMN_BYTES * (this.#columns.length + TURNS) + this.#random(2000) };
    const managers = [{ type: TYPE, name: "Mine", columns: this.#columns.map((c) => c.name), spec }];
    const rows = 1 + this.#random(60), columns = this.#columns;
    const job = { table: this.path, rows, seed: 1, byteOrder, columns, managers };
    if (this.#random(2) === 0) await oracleWrite(job);
    else {
      using made = StandardTable.create(job);
      made.fill(1);
    }
    this.#rows = await agreed(this.path);
  }

  #someRows(most: number): number[] {
    const rows = new Set<number>(), total = this.#rows.length;
    const from = this.#random(total), together = this.#random(2) === 0;
    for (let i = 0, n = this.#random(most + 1); i < n; i++) {
      const row = together ? from + i : this.#random(total);
      if (row < total) rows.add(row);
    }
    return [...rows];
  }

  /** Our turn. Columns that casacore can't add or remove come and go, too. */
  async ours(): Promise<void> {
    using table = StandardTable.open(this.path, [...this.#columns], TYPE);
    let putEnds = new Map(this.#columns.map(({ name }) => [name, this.#rows.length]));
    for (let i = 0; i < 4; i++) {
      const kind = this.#random(12);
      if (kind < 3) {
        const count = 1 + this.#random(30), last = this.#rows.at(-1)!;
        table.bench.addRows(count);
        for (let n = 0; n < count; n++) this.#rows.push({ ...last });
      } else if (kind < 6) {
        // Not all rows: what table.lock then says is another matter (format reference part 1, section 8.4).
        const gone = this.#someRows(15).sort((a, b) => a - b).slice(0, this.#rows.length - 1);
        table.bench.removeRows(rowList(gone));
        this.#rows = this.#rows.filter((_, row) => !gone.includes(row));
        for (const [name, end] of putEnds) putEnds.set(name, end - gone.filter((row) => row < end).length);
      } else if (kind === 6 && this.#columns.length < 8) {
        const column = this.#rest.pop()!;
        table.addColumn(column);
        this.#columns.push(column);
        const [cell] = table.bench.cells(this.#columns.length - 1);
        for (const row of this.#rows) row[column.name] = cell;
        putEnds = new Map(this.#columns.map(({ name }) => [name, this.#rows.length]));
      } else if (kind === 7 && this.#columns.length > 1) {
        const [column] = this.#columns.splice(this.#random(this.#columns.length), 1);
        table.removeColumn(column!.name);
        for (const row of this.#rows) delete row[column!.name];
        putEnds = new Map(this.#columns.map(({ name }) => [name, this.#rows.length]));
      } else {
        const seed = this.#random(1000), rows = this.#someRows(20);
        for (const column of this.#columns.filter(() => this.#random(3) > 0)) {
          table.fill(seed, { columns: [column.name], rows });
          for (const row of rows) {
            const cell = printedCell(generatedCell(column, seed, row));
            if (cell === null) continue;
            const end = putEnds.get(column.name)!;
            for (let to = row; to < (row < end ? row + 1 : this.#rows.length); to++) {
              this.#rows[to]![column.name] = cell;
            }
            putEnds.set(column.name, Math.max(end, row + 1));
          }
        }
      }
    }
    table.close();
    assertSameRows(await agreed(this.path), this.#rows);
  }

  /** casacore's turn; the model follows what it made. */
  async theirs(): Promise<void> {
    const operations: JobOperation[] = [];
    for (let i = 0; i < 4; i++) {
      const kind = this.#random(9);
      if (kind < 3) operations.push({ op: "addrows", count: 1 + this.#random(10) });
      else if (kind < 5 && i === 0) {
        const rows = this.#someRows(10).slice(0, this.#rows.length - 1).sort((a, b) => a - b);
        if (rows.length > 0) operations.push({ op: "removerows", rows }, { op: "reopen" });
        this.#rows.splice(0, rows.length);
      } else {
        const rows = this.#someRows(12), columns = this.#columns.map(({ name }) => name);
        if (rows.length > 0) operations.push({ op: "fill", columns, rows, seed: this.#random(1000) });
      }
    }
    await oracleWrite({ table: this.path, open: true, columns: [...this.#columns], operations });
    this.#rows = await agreed(this.path);
  }
}

for (const byteOrder of ["little", "big"] as const) {
  peerTest(
    `rows, cells and columns of an IncrementalStMan, ${byteOrder} endian, change in turns with casacore`,
    async (t) => {
      for (let seed = 1; seed <= SEQUENCES; seed++) {
        await t.step(`sequence ${seed}`, async () => {
          using folder = temporaryFolder();
          const sequence = new Sequence(`${folder.path}/t`, seed);
          await sequence.make(byteOrder);
          for (let turn = 0; turn < TURNS; turn++) {
            await sequence.ours();
            await sequence.theirs();
          }
        });
      }
    },
  );
}

const OLD = [
  { header: 1, blob: 1 },
  { header: 2, blob: 2 },
  { header: 3, blob: 1 },
  { header: 3, blob: 3 },
  { header: 4, blob: 2 },
];

for (const versions of OLD) {
  peerTest(
    `an IncrementalStMan with header version ${versions.header} and blob version ${versions.blob} is changed by us, then by casacore`,
    async () => {
      using folder = temporaryFolder();
      const path = `${folder.path}/t`, rows = 25;
      const columns = [
        { name: "number", dtype: "int32", repeat: 2 },
        { name: "direct", dtype: "bool", kind: "array", shape: [3, 3], direct: true },
        { name: "free", dtype: "float32", kind: "array", undefinedEvery: 3 },
        { name: "words", dtype: "string", kind: "array", shape: [2] },
      ].map((column) => ({ ...column, managerType: TYPE }) as JobColumn);
      const managers = [{ type: TYPE, name: "Model", columns: columns.map(({ name }) => name) }];
      await oracleWrite({ table: path, rows, columns, managers, fill: false, byteOrder: "big" });
      const dat = readTableDat(Deno.readFileSync(`${path}/table.dat`), path) as PlainTableDat;
      for (const { name } of [...Deno.readDirSync(path)]) {
        if (name.startsWith("table.f")) Deno.removeSync(`${path}/${name}`);
      }
      const bound = boundColumns(dat);
      const model = columns.map((column, i) => ({
        bound: bound[i]!,
        cells: Array.from({ length: rows }, (_, row) => generatedCell(column, 3, row)),
      }));
      using files = new TableFiles(path, openBackend("node"), { writable: true });
      const blob = writeIncremental(files, model, {
        bigEndian: true,
        starts: [0, 7, 8, rows],
        numbers: [2, 0, 1],
        bucketBytes: 2000,
        versions,
      });
      files.flush();
      const [manager] = dat.columnSet.managers;
      const columnSet = { ...dat.columnSet, managers: [{ ...manager!, blob }] };
      Deno.writeFileSync(`${path}/table.dat`, writeTableDat({ ...dat, columnSet }));
      const expected = await agreed(path);

      using table = StandardTable.open(path, columns, TYPE);
      table.bench.removeRows(rowList([0, 10, 24]));
      const left = expected.filter((_, row) => ![0, 10, 24].includes(row));
      table.fill(4, { rows: [2, 3, 4] });
      for (const column of columns) {
        for (const row of [2, 3, 4]) {
          const cell = printedCell(generatedCell(column, 4, row));
          if (cell !== null) left[row]![column.name] = cell;
        }
      }
      const perColumn = versions.blob < 3 && !(versions.blob === 1 && versions.header === 3);
      assert.deepEqual(
        table.bench.manager.files(),
        ["table.f0", ...(perColumn ? ["table.f0i0", "table.f0i1"] : ["table.f0i"])],
      );
      table.addColumn(
        { name: "late", dtype: "int16", kind: "array", shape: [2], managerType: TYPE } as JobColumn,
      );
      for (const row of left) row.late = { shape: [2], data: [0, 0] };
      table.close();
      assertSameRows(await agreed(path), left);
      await oracleWrite({
        table: path,
        open: true,
        columns: [...table.columns],
        operations: [
          { op: "fill", rows: [0, 1, 2], seed: 9 },
          { op: "removerows", rows: [3] },
          { op: "addrows", count: 2 },
        ],
      });
      await agreed(path);
    },
  );
}

peerTest("casacore reads uint16 columns that we put", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`;
  const columns = [
    { name: "a", dtype: "uint16", repeat: 3 },
    { name: "d", dtype: "uint16", kind: "array", shape: [2, 3], direct: true, repeat: 2 },
    { name: "v", dtype: "uint16", kind: "array", ndim: 2, repeat: 2 },
  ].map((column) => ({ ...column, managerType: TYPE }) as JobColumn);
  const managers = [{ type: TYPE, columns: ["a", "d", "v"], spec: { BUCKETSIZE: 300 } }];
  using made = StandardTable.create({ table: path, rows: 30, columns, managers });
  made.fill(2);
  made.close();
  await agreed(path);
});

for (const byteOrder of ["little", "big"] as const) {
  peerTest(`casacore reads a ${byteOrder}-endian table of ours made by name, with records`, async () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/t`;
    using table = Table.create(path, {
      columns: [scalar("NOTE", "record"), scalar("SCAN", "int32"), array("GAIN", "complex64")],
      storage: [incremental("Slow", { bucketSize: 200 })],
      rows: 20,
      byteOrder,
    });
    table.putColumn("SCAN", Int32Array.from({ length: 20 }, (_, row) => row >> 2));
    for (const row of [3, 4, 12]) {
      table.putCell("NOTE", row, TableRecord.from({ row, text: "x".repeat(row) }));
      table.putCell("GAIN", row, { dtype: "complex64", shape: [2], data: Float32Array.of(row, 1, 2, 3) });
    }
    table.transaction(() => {
      table.addRows(4);
      table.putCell("SCAN", 22, 9);
    });
    assert.throws(() =>
      table.transaction(() => {
        table.putColumn("SCAN", new Int32Array(24));
        table.putCell("GAIN", 5, { dtype: "complex64", shape: [1], data: new Float32Array(2) });
        throw new Error("no");
      })
    );
    table.flush();
    const found = await oracleRows(path);
    assert.deepEqual(found.map(({ SCAN }) => SCAN), [
      ...Array.from({ length: 20 }, (_, row) => row >> 2),
      ...[4, 4, 9, 9],
    ]);
    assert.deepEqual(found.map(({ NOTE }) => (NOTE as { row?: number }).row), [
      ...[undefined, undefined, undefined, 3, ...new Array(8).fill(4), ...new Array(12).fill(12)],
    ]);
    assert.equal(found[2]!.GAIN, null);
    assert.deepEqual(found[11]!.GAIN, { shape: [2], data: [4, 1, 2, 3] });
    assert.deepEqual(await agreedInTable(path, table), found);
  });
}

/** The rows as an open table reads them. */
function agreedInTable(path: string, table: Table): Record<string, unknown>[] {
  assert.equal(table.rowCount, 24);
  assert.deepEqual(checkTable(path).findings.filter(({ note }) => !note), []);
  return rowsAsJson(table);
}
