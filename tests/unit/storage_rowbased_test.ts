/**
 * AntennaPairStMan, UvwStMan and StokesIStMan, on tables that casacore 3.8.1 made (fixtures/make_rowbased.py).
 */
import assert from "node:assert/strict";
import { type Cell, type NDArray, Table, TableError } from "../../mod.ts";
import { copyFolder, temporaryFolder } from "../fixture.ts";
import { numbersFrom } from "./storage_model_support.ts";

interface Expected {
  readonly shape: readonly number[];
  readonly data: readonly (number | boolean)[];
}

const FOLDER = new URL("../fixtures/rowbased/", import.meta.url).pathname;
const NAMES = [...Deno.readDirSync(FOLDER)].filter((entry) => entry.isDirectory).map((entry) => entry.name)
  .sort();

function expectedOf(name: string): Record<string, (Expected | null)[]> {
  return JSON.parse(Deno.readTextFileSync(`${FOLDER}${name}.json`));
}

function printed(cell: Cell): Expected {
  if (typeof cell === "number") return { shape: [], data: [cell] };
  const { dtype, shape, data } = cell as NDArray;
  return {
    shape,
    data: Array.from(data as ArrayLike<number>, (item) => dtype === "bool" ? item === 1 : item),
  };
}

function failure(action: () => unknown): TableError {
  try {
    action();
  } catch (error) {
    if (error instanceof TableError) return error;
    throw error;
  }
  assert.fail("no error");
}

/** A table whose file `table.f<sequence>` is changed. */
function changed(name: string, sequence: number, change: (view: DataView) => void, length?: number) {
  const folder = temporaryFolder(), path = `${folder.path}/t`, file = `${path}/table.f${sequence}`;
  copyFolder(`${FOLDER}${name}`, path);
  const bytes = Deno.readFileSync(file);
  change(new DataView(bytes.buffer));
  Deno.writeFileSync(file, bytes.subarray(0, length));
  return { path, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

for (const name of NAMES) {
  Deno.test(`row-based files of table ${name} are read as casacore reads them`, async () => {
    using table = Table.open(FOLDER + name);
    const expected = expectedOf(name);
    assert.deepEqual(table.columnNames, Object.keys(expected));
    for (const [column, cells] of Object.entries(expected)) {
      assert.equal(table.rowCount, cells.length);
      cells.forEach((cell, row) => {
        const what = `${column}, row ${row}`;
        if (cell === null) {
          assert.match(failure(() => table.getCell(column, row)).message, /never written/, what);
        } else assert.deepEqual(printed(table.getCell(column, row)), cell, what);
      });
      const rows = cells.flatMap((cell, row) => cell === null ? [] : [row, row]).reverse();
      if (rows.length === 0) continue;
      assert.deepEqual(table.getCells(column, { rows }).map(printed), rows.map((row) => cells[row]));
      const { dtype, data } = await table.getColumnAsync(column, { rows });
      const all = Array.from(data as ArrayLike<number>, (item) => dtype === "bool" ? item === 1 : item);
      assert.deepEqual(all, rows.flatMap((row) => cells[row]!.data));
    }
  });
}

Deno.test("slices of cells are what stands there in the whole cells", () => {
  using table = Table.open(`${FOLDER}autos`);
  for (
    const [name, slices] of Object.entries({
      UVW: [[[1, 3]], [[0, 3, 2]], [[2, 2]]],
      DATA: [[[0, 4], [3, 17, 5]], [[1, 4, 2], [0, 19]], [[1, 3], [2, 4]], [[3, 4], [18, 19]]],
      WEIGHT: [[[0, 4, 3], [1, 2]], [[0, 1], [0, 19, 3]]],
      FLAG: [[[1, 3], [7, 19, 2]], [[0, 4], [0, 19]]],
    })
  ) {
    for (const slice of slices as [number, number, number?][][]) {
      for (let row = 0; row < 12; row++) {
        const whole = table.getCell(name, row) as NDArray;
        const part = table.getCell(name, row, { slice }) as NDArray;
        const items = name === "DATA" ? 2 : 1, picked: number[] = [];
        const [one, two = [0, 1]] = slice as [[number, number, number?], [number, number, number?]?];
        for (let b = two[0]!; b < two[1]!; b += two[2] ?? 1) {
          for (let a = one[0]!; a < one[1]!; a += one[2] ?? 1) {
            const at = items * (a + whole.shape[0]! * b);
            picked.push(...(whole.data as Float32Array).slice(at, at + items));
          }
        }
        assert.deepEqual([...part.data as Float32Array], picked, `${name} ${slice} ${row}`);
      }
    }
  }
});

Deno.test("a row-based manager says what it has", () => {
  using table = Table.open(`${FOLDER}first`);
  assert.deepEqual(table.managers.map(({ sequence }) => table.managerDetails(sequence)?.info), [
    { rowBytes: 8, fileRows: 6, repeatedRows: 6 },
    { rowBytes: 24, fileRows: 9, rowsPerBlock: 6, reference: 0, antennas: 4 },
    { rowBytes: 5 * (8 + 4) + 1, fileRows: 18 },
  ]);
  assert.deepEqual(table.managerDetails(1)?.files, ["table.f1"]);
});

Deno.test("positions stand in the order of the antennas, the reference left out wherever it is", () => {
  for (const reference of [0, 1, 2, 3]) {
    using other = changed("first", 1, (view) => view.setUint32(44, reference, true));
    const file = Deno.readFileSync(`${other.path}/table.f1`);
    const stored = new Float64Array(file.slice(60).buffer);
    const position = (antenna: number, axis: number) =>
      antenna === reference ? 0 : stored[3 * (antenna - (antenna > reference ? 1 : 0)) + axis]!;
    using table = Table.open(other.path);
    const [one, two] = ["ANTENNA1", "ANTENNA2"].map((name) => table.getColumn(name).data as Int32Array);
    for (let row = 0; row < 6; row++) {
      const { data } = table.getCell("UVW", row) as NDArray;
      const expected = [0, 1, 2].map((axis) => position(two![row]!, axis) - position(one![row]!, axis));
      assert.deepEqual([...data as Float64Array], expected);
    }
  }
});

Deno.test("rows that were never written are zero in the caller's array too", () => {
  using table = Table.open(`${FOLDER}nothing`);
  const into = new Float32Array(2 * 4 * 5).fill(7);
  table.getColumn("DATA", { into });
  assert.ok(into.every((value) => value === 0));
});

Deno.test("a longer header of the user's is passed over", () => {
  using folder = temporaryFolder();
  copyFolder(`${FOLDER}first`, `${folder.path}/t`);
  for (const [sequence, user] of [[0, 16], [1, 32], [2, 8]] as const) {
    const name = `${folder.path}/t/table.f${sequence}`, file = Deno.readFileSync(name);
    const longer = new Uint8Array(file.length + 5);
    longer.set(file.subarray(0, 28 + user));
    longer.set(file.subarray(28 + user), 28 + user + 5);
    new DataView(longer.buffer).setUint32(20, user + 5, true);
    Deno.writeFileSync(name, longer);
  }
  using table = Table.open(`${folder.path}/t`);
  using plain = Table.open(`${FOLDER}first`);
  for (const name of table.columnNames) assert.deepEqual(table.getCells(name), plain.getCells(name));
});

Deno.test("damage to a row-based file is named with its place", () => {
  const cases: [
    sequence: number,
    column: string,
    change: (view: DataView) => void,
    code: string,
    message: RegExp,
  ][] = [
    [0, "ANTENNA1", (view) => view.setUint8(0, 0x63), "CORRUPT", /table.f0, offset 0: .*"Crbf"/],
    [0, "ANTENNA1", (view) => view.setUint32(4, 0x200, true), "UNSUPPORTED", /offset 4: version 0x200/],
    [0, "ANTENNA1", (view) => view.setUint32(8, 27, true), "CORRUPT", /offset 8: the header has 27 bytes/],
    [
      0,
      "ANTENNA1",
      (view) => view.setUint32(8, 1000, true),
      "CORRUPT",
      /offset 8: the header has 1000 bytes/,
    ],
    [
      0,
      "ANTENNA1",
      (view) => view.setUint32(12, 9, true),
      "CORRUPT",
      /offset 12: a row has 9 bytes, expected 8/,
    ],
    [0, "ANTENNA1", (view) => view.setUint32(12, 0, true), "CORRUPT", /offset 12: a row has 0 bytes/],
    [
      0,
      "ANTENNA1",
      (view) => view.setUint32(20, 15, true),
      "CORRUPT",
      /offset 20: the user's header has 15 bytes/,
    ],
    [0, "ANTENNA1", (view) => view.setUint32(24, 1, true), "CORRUPT", /offset 20: the user's header has/],
    [0, "ANTENNA1", (view) => view.setUint8(28, 0x42), "CORRUPT", /offset 28: .*"BntPair/],
    [0, "ANTENNA1", (view) => view.setUint32(36, 7, true), "CORRUPT", /7 rows repeat, the file has 6/],
    [0, "UVW", (view) => view.setInt32(44, 4, true), "CORRUPT", /row 0 has antenna 4, there are 4/],
    [0, "UVW", (view) => view.setInt32(44, -1, true), "CORRUPT", /row 0 has antenna -1, there are 4/],
    [1, "UVW", (view) => view.setUint32(12, 8, true), "CORRUPT", /a row has 8 bytes, expected 24/],
    [1, "UVW", (view) => view.setUint32(36, 0, true), "CORRUPT", /row 0 were never written/],
    [1, "UVW", (view) => view.setUint32(44, 4, true), "CORRUPT", /the reference antenna is 4, there are 4/],
    [1, "UVW", (view) => view.setUint32(56, 0xffffffff, true), "CORRUPT", /row 0 were never written/],
    [2, "DATA", (view) => view.setUint32(12, 60, true), "CORRUPT", /a row has 60 bytes, the columns take 61/],
  ];
  for (const [sequence, column, change, code, message] of cases) {
    using damaged = changed("first", sequence, change);
    using table = Table.open(damaged.path);
    const error = failure(() => table.getColumn(column));
    assert.match(error.message, message);
    assert.equal(error.code, code);
  }
  using short = changed("first", 0, () => {}, 27);
  {
    using table = Table.open(short.path);
    assert.match(failure(() => table.getColumn("ANTENNA1")).message, /the file has 27 bytes/);
  }
  Deno.removeSync(`${short.path}/table.f0`);
  using table = Table.open(short.path);
  assert.equal(failure(() => table.getColumn("ANTENNA2")).code, "NOT_FOUND");
});

Deno.test("a row-based file that ends early has zeros, or nothing, where it ends", () => {
  using short = changed("first", 2, () => {}, 36 + 61 * 4 + 60);
  using table = Table.open(short.path);
  using whole = Table.open(`${FOLDER}first`);
  assert.deepEqual(table.getCell("DATA", 3), whole.getCell("DATA", 3));
  assert.ok(((table.getCell("DATA", 4) as NDArray).data as Float32Array).every((value) => value === 0));
});

Deno.test("random damage to row-based files gives a TableError or values", () => {
  const random = numbersFrom(61);
  let refused = 0;
  for (let i = 0; i < 600; i++) {
    using damaged = changed(NAMES[random() % NAMES.length]!, random() % 3, (view) => {
      for (let n = 0; n <= random() % 3; n++) view.setUint8(random() % view.byteLength, random() & 0xff);
      if (random() % 2 === 0) view.setUint32(4 * (random() % 14) % (view.byteLength - 3), 0xffffffff, true);
    });
    using table = Table.open(damaged.path, { maxResultBytes: 2 ** 24 });
    for (const name of table.columnNames) {
      try {
        table.getCells(name);
      } catch (error) {
        if (!(error instanceof TableError)) throw error;
        refused++;
      }
    }
  }
  assert.ok(refused > 100, `${refused} refused`);
});
