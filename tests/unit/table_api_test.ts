/**
 * The public face: what calls return, and what they refuse. A refused call leaves the table as it was.
 */
import assert from "node:assert/strict";
import {
  array,
  type ColumnValues,
  Context,
  type CreateOptions,
  type NDArray,
  scalar,
  standard,
  Table,
  TableError,
  type TableErrorCode,
  TableRecord,
  tiledColumn,
  tiledShape,
} from "../../mod.ts";
import { copyOfFixture, fixturePath, temporaryFolder } from "../fixture.ts";
import { rowsAsJson } from "../rows-as-json.ts";

const COLUMNS: CreateOptions["columns"] = [
  array("DATA", "complex64", { shape: [2, 3], unit: "Jy", comment: "visibilities" }),
  array("FLAG", "bool", { shape: [2, 3] }),
  array("FREE", "float64", { ndim: 1 }),
  array("ANY", "int32"),
  array("NAMES", "string"),
  scalar("TIME", "float64", { unit: "s", measure: { type: "epoch", Ref: "UTC" } }),
  scalar("FLAG_ROW", "bool"),
  scalar("COUNT", "int64"),
  scalar("Z", "complex128"),
  scalar("NAME", "string"),
  scalar("CODE", "string", { maxLength: 4 }),
  scalar("INFO", "record"),
];
const STORAGE = [
  tiledShape("T", ["DATA", "FLAG"], { tileShape: [2, 2, 4] }),
  standard("SSM", { bucketRows: 3 }),
];

/** A table of seven rows in memory. */
function example(options: Partial<CreateOptions> = {}): Table {
  const table = Table.create("/example.tab", {
    columns: COLUMNS,
    storage: STORAGE,
    rows: 7,
    io: "memory",
    context: new Context(),
    ...options,
  });
  table.putColumn("DATA", Float32Array.from({ length: 7 * 12 }, (_, i) => i));
  table.putColumn("FLAG", Uint8Array.from({ length: 7 * 6 }, (_, i) => i % 2));
  table.putColumn("TIME", Float64Array.from({ length: 7 }, (_, i) => i + 0.5));
  table.putCell("FREE", 2, { dtype: "float64", shape: [2], data: Float64Array.of(1, 2) });
  table.putCell("NAME", 3, "a name that is longer than eight bytes");
  return table;
}

function refuses(code: TableErrorCode, call: () => unknown, mentions?: RegExp): void {
  assert.throws(call, (error: unknown) => {
    assert(error instanceof TableError, `${error}`);
    assert.equal(error.code, code, error.message);
    if (mentions !== undefined) assert.match(error.message, mentions);
    return true;
  });
}

Deno.test("getColumn gives the cell's shape followed by the rows", () => {
  using table = example();
  const { dtype, shape, data } = table.getColumn("DATA", { dtype: "complex64" });
  assert.equal(dtype, "complex64");
  assert.deepEqual(shape, [2, 3, 7]);
  assert.deepEqual(data, Float32Array.from({ length: 84 }, (_, i) => i));
  assert.deepEqual(table.getColumn("TIME").shape, [7]);
});

Deno.test("getColumn takes ranges, steps and lists of rows", () => {
  using table = example();
  const times = (rows: { start?: number; end?: number; step?: number } | ArrayLike<number>) => [
    ...table.getColumn("TIME", { rows, dtype: "float64" }).data,
  ];
  assert.deepEqual(times({ start: 2, end: 4 }), [2.5, 3.5]);
  assert.deepEqual(times({ start: 1, step: 3 }), [1.5, 4.5]);
  assert.deepEqual(times(Uint32Array.of(6, 0, 6)), [6.5, 0.5, 6.5]);
  assert.deepEqual(times({ start: 3, end: 3 }), []);
  assert.deepEqual(table.getColumn("DATA", { rows: [] }).shape, [2, 3, 0]);
});

Deno.test("getColumn takes a box of each cell", () => {
  using table = example();
  const { shape, data } = table.getColumn("DATA", {
    slice: [[1, 2], [0, 3, 2]],
    rows: [5],
    dtype: "complex64",
  });
  assert.deepEqual(shape, [1, 2, 1]);
  // Element [1, 0] of row 5 is element 5 * 6 + 1, element [1, 2] is 5 * 6 + 5.
  assert.deepEqual([...data], [62, 63, 70, 71]);
  const flags = table.getColumn("FLAG", { slice: [null, [1, 2]], rows: { start: 6 }, dtype: "bool" });
  assert.deepEqual([...flags.data], [0, 1]);
});

Deno.test("getColumn takes the same box of cells of several shapes", () => {
  const cells = { 0: [3, 4], 1: [2, 2], 2: [3, 4], 3: [3, 4], 4: [5, 2] } as const;
  for (const storage of [[standard()], [tiledShape("T", ["A"]), standard()]]) {
    using table = Table.create("/shapes.tab", {
      columns: [array("A", "complex64", { ndim: 2 }), array("S", "string", { ndim: 2 })],
      storage,
      rows: 6,
      io: "memory",
      context: new Context(),
    });
    for (const [row, [a, b]] of Object.entries(cells)) {
      const at = (i: number) => 100 * Number(row) + 10 * Math.floor(i / a) + i % a;
      const numbers = Float32Array.from(
        { length: 2 * a * b },
        (_, i) => i % 2 === 0 ? at(i / 2) : -at((i - 1) / 2),
      );
      table.putCell("A", Number(row), { dtype: "complex64", shape: [a, b], data: numbers });
      const data = Array.from({ length: a * b }, (_, i) => String(at(i)));
      table.putCell("S", Number(row), { dtype: "string", shape: [a, b], data });
    }
    const slice = [[0, 2], [1, 2]] as const;
    // Elements [0, 1] and [1, 1] of each cell.
    const expected = (rows: readonly number[]) => rows.flatMap((row) => [100 * row + 10, 100 * row + 11]);
    for (const rows of [[0, 1, 2, 3, 4], [4, 0, 0, 1], [1, 4], [1]]) {
      const numbers = table.getColumn("A", { rows, slice, dtype: "complex64" });
      assert.deepEqual(numbers.shape, [2, 1, rows.length]);
      assert.deepEqual([...numbers.data], expected(rows).flatMap((value) => [value, -value]));
      assert.deepEqual(table.getColumn("S", { rows, slice }).data, expected(rows).map(String));
      const into = new Float32Array(4 * rows.length);
      assert.equal(table.getColumn("A", { rows, slice, into, dtype: "complex64" }).data, into);
      assert.deepEqual(into, numbers.data);
    }
    assert.deepEqual(table.getColumn("A", { rows: [0, 1], slice: [[1, 1], [1, 1]] }).shape, [0, 0, 2]);
    refuses(
      "SHAPE_MISMATCH",
      () => table.getColumn("A", { rows: [0, 2, 4], slice: [null, [0, 2]] }),
      /row 0 .*row 4/,
    );
    refuses("OUT_OF_RANGE", () => table.getColumn("A", { rows: [0, 1], slice: [[0, 3], [0, 1]] }));
    refuses("SHAPE_MISMATCH", () => table.getColumn("A", { slice }), /undefined/);
    refuses("SHAPE_MISMATCH", () => table.getColumn("A", { rows: [5, 0], slice }), /undefined/);
    refuses("SHAPE_MISMATCH", () => table.getColumn("A", { rows: [0, 1] }), /row 0 .*row 1/);
  }
});

Deno.test("getColumn fills the array that it is given", () => {
  using table = example();
  const into = new Float32Array(84);
  assert.equal(table.getColumn("DATA", { into, dtype: "complex64" }).data, into);
  assert.equal(into[83], 83);
});

Deno.test("getColumnAsync gives what getColumn gives", async () => {
  using table = example();
  table.flush();
  assert.deepEqual(await table.getColumnAsync("DATA"), table.getColumn("DATA"));
  assert.deepEqual(await table.getColumnAsync("NAME"), table.getColumn("NAME"));
});

Deno.test("getCells gives cells of any shape, null for undefined ones, and separate memory when asked", () => {
  using table = example();
  assert.deepEqual(table.getCells("FREE", { rows: [1, 2] }), [
    null,
    { dtype: "float64", shape: [2], data: Float64Array.of(1, 2) },
  ]);
  const buffers = (cells: unknown[]) =>
    new Set((cells as NDArray[]).map(({ data }) => (data as Float32Array).buffer)).size;
  assert.equal(buffers(table.getCells("DATA")), 1);
  assert.equal(buffers(table.getCells("DATA", { copy: true })), 7);
});

Deno.test("getCell gives scalars as JavaScript values", () => {
  using table = example();
  table.putCell("COUNT", 0, 2n ** 60n);
  table.putCell("Z", 0, [1.5, -2]);
  table.putCell("FLAG_ROW", 0, true);
  assert.equal(table.getCell("COUNT", 0), 2n ** 60n);
  assert.deepEqual(table.getCell("Z", 0), [1.5, -2]);
  assert.equal(table.getCell("FLAG_ROW", 0), true);
  assert.equal(table.getCell("NAME", 3), "a name that is longer than eight bytes");
  assert.equal(table.getCell("NAME", 4), "");
  assert.equal(table.getCell("TIME", 6), 6.5);
  assert.equal(table.getCell("FREE", 0), null);
});

Deno.test("a record cell keeps its fields and their types", () => {
  using table = example();
  const record = TableRecord.from({ a: 1, b: { c: "deep" } });
  table.putCell("INFO", 2, record);
  const got = table.getCell("INFO", 2);
  assert(got instanceof TableRecord);
  assert.deepEqual(got.toJSON(), { a: 1, b: { c: "deep" } });
  assert.equal((table.getCell("INFO", 1) as TableRecord).size, 0);
});

Deno.test("cells of free shape take any, and change it", () => {
  using table = example();
  const cell = (shape: number[]): NDArray => ({
    dtype: "int32",
    shape,
    data: Int32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i),
  });
  table.putCell("ANY", 0, cell([3]));
  table.putCell("ANY", 1, cell([2, 2, 2]));
  table.putCell("ANY", 0, cell([1, 4]));
  assert.deepEqual(table.getCells("ANY", { rows: [0, 1, 2] }), [cell([1, 4]), cell([2, 2, 2]), null]);
  table.putCell("NAMES", 5, { dtype: "string", shape: [2], data: ["", "zweiundzwanzig"] });
  assert.deepEqual(table.getCell("NAMES", 5), { dtype: "string", shape: [2], data: ["", "zweiundzwanzig"] });
  table.putCell("ANY", 1, null);
  assert.equal(table.getCell("ANY", 1), null);
});

Deno.test("putColumn puts rows and boxes, and leaves the rest", () => {
  using table = example();
  table.putColumn("DATA", Float32Array.of(-1, -2, -3, -4), { rows: [4, 1], slice: [[0, 1], [2, 3]] });
  const { data } = table.getColumn("DATA", { dtype: "complex64" });
  const expected = Float32Array.from({ length: 84 }, (_, i) => i);
  expected.set([-1, -2], (4 * 6 + 4) * 2);
  expected.set([-3, -4], (1 * 6 + 4) * 2);
  assert.deepEqual(data, expected);
});

Deno.test("plain arrays of values are taken for scalars", () => {
  using table = example();
  table.putColumn("FLAG_ROW", [true, false, true, false, true, false, true]);
  table.putColumn("NAME", ["a", "b"], { rows: { start: 5 } });
  assert.deepEqual([...table.getColumn("FLAG_ROW", { dtype: "bool" }).data], [1, 0, 1, 0, 1, 0, 1]);
  assert.deepEqual(table.getColumn("NAME", { rows: [5, 6] }).data, ["a", "b"]);
});

Deno.test("append adds the rows that the values have; columns left out get zeros", () => {
  using table = example();
  table.append({ TIME: Float64Array.of(100, 101), DATA: new Float32Array(24).fill(9), NAME: ["x", "y"] });
  assert.equal(table.rowCount, 9);
  assert.deepEqual([...table.getColumn("TIME", { rows: [6, 7, 8], dtype: "float64" }).data], [6.5, 100, 101]);
  assert.deepEqual([...table.getColumn("FLAG", { rows: [8], dtype: "bool" }).data], [0, 0, 0, 0, 0, 0]);
  assert.equal(table.getCell("FREE", 8), null);
});

Deno.test("batches go through the rows in order", () => {
  using table = example();
  const starts: number[] = [], times: number[] = [];
  for (
    const { start, end, columns } of table.batches({ columns: ["TIME"], batchRows: 3, rows: { start: 1 } })
  ) {
    starts.push(start, end);
    times.push(...columns["TIME"]!.data as Float64Array);
  }
  assert.deepEqual(starts, [1, 4, 4, 7]);
  assert.deepEqual(times, [1.5, 2.5, 3.5, 4.5, 5.5, 6.5]);
});

Deno.test("what was put is there when the table is opened again, also by another backend", () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t.tab`;
  const table = example();
  const rows = rowsAsJson(table);
  table.copy(path, { io: "node", lock: "none" });
  table.close();
  for (const io of ["node", "seek", "auto"] as const) {
    using again = Table.open(path, { io });
    assert.deepEqual(rowsAsJson(again), rows);
    assert.deepEqual(again.column("TIME").keywords.toJSON(), {
      QuantumUnits: { shape: [1], data: ["s"] },
      MEASINFO: { type: "epoch", Ref: "UTC" },
    });
    assert.deepEqual(again.column("DATA").units, ["Jy"]);
  }
});

Deno.test("keywords keep order and types, also those of columns", () => {
  const context = new Context();
  {
    using table = example({ context, keywords: { Z: 1, A: "text" } });
    table.keywords.set("MS_VERSION", 2, "float32");
    table.column("TIME").keywords.set("NOTE", "changed");
  }
  {
    using table = Table.open("/example.tab", { io: "memory", context, mode: "rw" });
    assert.deepEqual(table.keywords.keys(), ["Z", "A", "MS_VERSION"]);
    assert.equal(table.keywords.dtype("MS_VERSION"), "float32");
    assert.equal(table.column("TIME").keywords.get("NOTE"), "changed");
    table.keywords.delete("Z");
  }
  using table = Table.open("/example.tab", { io: "memory", context });
  assert.deepEqual(table.keywords.keys(), ["A", "MS_VERSION"]);
});

Deno.test("calls with wrong arguments are refused, and leave the table as it was", () => {
  using table = example();
  const before = JSON.stringify(rowsAsJson(table));
  const f32 = (n: number) => new Float32Array(n);
  const refused: readonly (readonly [TableErrorCode, () => unknown, RegExp?])[] = [
    ["NO_SUCH_COLUMN", () => table.getColumn("NONE"), /NONE.*DATA/],
    ["NO_SUCH_COLUMN", () => table.putColumn("NONE", f32(1))],
    ["NO_SUCH_COLUMN", () => table.append({ NONE: f32(1) })],
    ["TYPE_MISMATCH", () => table.getColumn("DATA", { dtype: "float32" }), /complex64.*float32/],
    ["TYPE_MISMATCH", () => table.putColumn("DATA", new Float64Array(84)), /Float64Array/],
    ["TYPE_MISMATCH", () => table.putColumn("FLAG_ROW", ["x"] as unknown as ColumnValues, { rows: [0] })],
    ["TYPE_MISMATCH", () => table.putCell("COUNT", 0, 1.5)],
    ["TYPE_MISMATCH", () => table.putCell("NAME", 0, 3)],
    ["TYPE_MISMATCH", () => table.putCell("INFO", 0, "no record")],
    [
      "TYPE_MISMATCH",
      () =>
        table.getColumn("DATA", {
          into: new Float64Array(84) as unknown as Float32Array,
          dtype: "complex64",
        }),
    ],
    ["SHAPE_MISMATCH", () => table.getColumn("DATA", { into: f32(83), dtype: "complex64" })],
    ["SHAPE_MISMATCH", () => table.putColumn("DATA", f32(83))],
    ["SHAPE_MISMATCH", () => table.putColumn("DATA", f32(82))],
    [
      "SHAPE_MISMATCH",
      () => table.putColumn("DATA", { dtype: "complex64", shape: [3, 2, 7], data: f32(84) }),
    ],
    ["SHAPE_MISMATCH", () => table.putCell("DATA", 0, { dtype: "complex64", shape: [6], data: f32(12) })],
    [
      "SHAPE_MISMATCH",
      () => table.putCell("FREE", 0, { dtype: "float64", shape: [1, 1], data: Float64Array.of(1) }),
    ],
    ["SHAPE_MISMATCH", () => table.putColumn("ANY", Int32Array.of(1), { rows: [0] }), /shape/],
    ["SHAPE_MISMATCH", () => table.getColumn("FREE"), /row 0 .*row 2/],
    ["SHAPE_MISMATCH", () => table.getColumn("DATA", { slice: [null] })],
    ["SHAPE_MISMATCH", () => table.append({ TIME: new Float64Array(2), NAME: ["one"] })],
    ["SHAPE_MISMATCH", () => table.append({ DATA: f32(13) })],
    ["OUT_OF_RANGE", () => table.getColumn("DATA", { slice: [null, [0, 4]] }), /axis 1/],
    ["OUT_OF_RANGE", () => table.getColumn("TIME", { rows: { end: 8 } })],
    ["OUT_OF_RANGE", () => table.getColumn("TIME", { rows: [7] })],
    ["OUT_OF_RANGE", () => table.getCell("TIME", -1)],
    ["OUT_OF_RANGE", () => table.putCell("TIME", 7, 1)],
    ["OUT_OF_RANGE", () => table.putCell("CODE", 0, "fünf")],
    ["INVALID_ARGUMENT", () => table.getColumn("TIME", { rows: [0.5] })],
    ["INVALID_ARGUMENT", () => table.getColumn("TIME", { rows: { step: 0 } })],
    ["INVALID_ARGUMENT", () => table.addRows(-1)],
    ["INVALID_ARGUMENT", () => table.addRows(1.5)],
    ["INVALID_ARGUMENT", () => [...table.batches({ batchRows: 0 })]],
    ["NOT_FOUND", () => table.subtable("ANTENNA")],
  ];
  for (const [code, call, mentions] of refused) refuses(code, call, mentions);
  assert.equal(table.rowCount, 7);
  assert.equal(JSON.stringify(rowsAsJson(table)), before);
});

Deno.test("a result larger than the limit is refused before memory is taken", () => {
  using table = example({ maxResultBytes: 100 });
  refuses("LIMIT", () => table.getColumn("DATA"), /336 bytes.*100/);
  assert.equal(table.getColumn("TIME").data.length, 7);
});

Deno.test("a closed table and one opened for reading refuse", () => {
  const context = new Context();
  const table = example({ context });
  table.close();
  table.close();
  for (
    const call of [
      () => table.getColumn("TIME"),
      () => table.rowCount,
      () => table.flush(),
      () => table.addRows(1),
    ]
  ) {
    refuses("CLOSED", call);
  }
  using reader = Table.open("/example.tab", { io: "memory", context });
  for (
    const call of [
      () => reader.putColumn("TIME", new Float64Array(7)),
      () => reader.putCell("TIME", 0, 1),
      () => reader.addRows(1),
      () => reader.append({}),
      () => reader.keywords.set("A", 1),
      () => reader.column("TIME").keywords.set("A", 1),
    ]
  ) refuses("READ_ONLY", call);
});

Deno.test("closing while a request runs is refused", async () => {
  const table = Table.open(fixturePath("ssm_scalars_le"));
  const request = table.getColumnAsync(table.columnNames[0]!);
  refuses("BUSY", () => table.close());
  await request;
  table.close();
});

Deno.test("creating refuses what makes no table, and leaves nothing behind", () => {
  using folder = temporaryFolder();
  const create = (options: Partial<CreateOptions>, path = `${folder.path}/t`) =>
    Table.create(path, { columns: COLUMNS, io: "node", lock: "none", ...options }).close();
  refuses("INVALID_ARGUMENT", () => create({ columns: [scalar("A", "int32"), scalar("A", "int32")] }));
  refuses("INVALID_ARGUMENT", () => create({ rows: -1 }));
  refuses("INVALID_ARGUMENT", () => create({ storage: [standard("A"), standard("B")] }));
  refuses("INVALID_ARGUMENT", () => create({ storage: [standard("A", ["TIME"]), standard("B", ["TIME"])] }));
  refuses("NO_SUCH_COLUMN", () => create({ storage: [standard("A", ["NONE"])] }));
  refuses("INVALID_ARGUMENT", () => scalar("", "int32"));
  refuses("INVALID_ARGUMENT", () => array("A", "int32", { direct: true }));
  refuses("INVALID_ARGUMENT", () => array("A", "int32", { shape: [0] }));
  refuses("INVALID_ARGUMENT", () => array("A", "int32", { shape: [2], ndim: 2 }));
  refuses("INVALID_ARGUMENT", () => scalar("A", "float16" as "float32"));
  assert.throws(() => create({ storage: [tiledShape("T", ["NAME"])] }), TableError);
  assert.throws(() => create({ storage: [tiledColumn("T", ["FREE"])] }), TableError);
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
  refuses("NOT_FOUND", () => create({}, `${folder.path}/no/such/folder`));
});

Deno.test("an existing table is replaced only when asked, and what is no table never", () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`;
  const create = (overwrite: boolean) =>
    Table.create(path, { columns: [scalar("A", "int32")], io: "node", lock: "none", overwrite }).close();
  Deno.mkdirSync(path);
  Deno.writeTextFileSync(`${path}/letter.txt`, "keep me");
  refuses("EXISTS", () => create(true), /no table/);
  assert.equal(Deno.readTextFileSync(`${path}/letter.txt`), "keep me");
  Deno.removeSync(`${path}/letter.txt`);
  create(false);
  refuses("EXISTS", () => create(false), /overwrite/);
  create(true);
});

Deno.test("opening says whether there is nothing, or no table", () => {
  using folder = temporaryFolder();
  refuses("NOT_FOUND", () => Table.open(`${folder.path}/none`));
  refuses("NOT_A_TABLE", () => Table.open(folder.path));
  refuses("NOT_FOUND", () => Table.open(`${folder.path}/none`, { mode: "rw" }));
  refuses("NOT_A_TABLE", () => Table.open(folder.path, { mode: "rw" }));
  refuses("INVALID_ARGUMENT", () => Table.open(""));
  refuses("INVALID_ARGUMENT", () => Table.open(folder.path, { mode: "w" as "r" }));
});

Deno.test("openAsync opens what open opens", async () => {
  using table = await Table.openAsync(fixturePath("ref_of_ref"));
  using same = Table.open(fixturePath("ref_of_ref"));
  assert.deepEqual(rowsAsJson(table), rowsAsJson(same));
  await assert.rejects(Table.openAsync("/no/such/table"), { code: "NOT_FOUND" });
});

Deno.test("subtables open by their keyword, confined ones only within the table", () => {
  using table = Table.open(fixturePath("subtables"), { confine: true });
  using inside = table.subtable("INSIDE");
  assert.equal(inside.rowCount, 3);
  for (const key of ["BESIDE", "ELSEWHERE"]) {
    refuses("INVALID_ARGUMENT", () => table.subtable(key), /outside/);
  }
  using free = Table.open(fixturePath("subtables"));
  using beside = free.subtable("BESIDE");
  assert.equal(beside.rowCount, 2);
});

Deno.test("a column of an unknown storage manager is named, and the rest of the table reads", () => {
  using copy = copyOfFixture("tsm_mixed_le");
  const path = `${copy.path}/table.dat`;
  const text = Deno.readFileSync(path);
  // A manager's type in the ColumnSet, which stands behind the descriptions, becomes one that nobody knows.
  const at = new TextDecoder("latin1").decode(text).lastIndexOf("TiledShapeStMan");
  text.set(new TextEncoder().encode("SomethingUnknwn"), at);
  Deno.writeFileSync(path, text);
  using table = Table.open(copy.path);
  const unreadable = table.columnNames.filter((name) => !table.column(name).readable);
  assert(unreadable.length > 0 && unreadable.length < table.columnNames.length);
  refuses("UNSUPPORTED", () => table.getColumn(unreadable[0]!), /SomethingUnknwn/);
  for (const name of table.columnNames) if (!unreadable.includes(name)) table.getCells(name);
});

Deno.test("the counters count, freeze, and start anew", () => {
  using table = Table.open(fixturePath("ssm_scalars_le"));
  table.getColumn(table.columnNames[0]!);
  const stats = table.ioStats;
  assert(stats.calls.read > 0 && stats.bytesRead > 0 && stats.totalCalls > stats.calls.read);
  assert.throws(() => (stats as { seeks: number }).seeks = 1, TypeError);
  table.resetIoStats();
  assert.equal(table.ioStats.calls.read, 0);
});

Deno.test("a dtype narrows the type of the result", () => {
  using table = example();
  const complex: Float32Array = table.getColumn("DATA", { dtype: "complex64" }).data;
  const counts: BigInt64Array = table.getColumn("COUNT", { dtype: "int64" }).data;
  const names: string[] = table.getColumn("NAME", { dtype: "string" }).data;
  // @ts-expect-error: complex64 values are in a Float32Array
  const wrong: Float64Array = table.getColumn("DATA", { dtype: "complex64" }).data;
  // @ts-expect-error: without a dtype the array may be of any class
  const unknown: Float32Array = table.getColumn("DATA").data;
  // @ts-expect-error: `into` is of the class that the dtype names
  const into = () => table.getColumn("DATA", { dtype: "complex64", into: new Float64Array(84) });
  void into;
  assert.equal(complex.length + counts.length + names.length, 84 + 7 + 7);
  assert(wrong instanceof Float32Array && unknown instanceof Float32Array);
});
