/**
 * Arrow as tables: what Tessera exported comes back as it was; what others make becomes what docs/arrow.md says, or is refused.
 */
import assert from "node:assert/strict";
import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  Decimal,
  Dictionary,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float16,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  Int8,
  List,
  RecordBatchReader,
  Schema,
  Struct,
  Table as ArrowTable,
  tableFromIPC,
  tableToIPC,
  TimestampMicrosecond,
  Uint64,
  Utf8,
  type Vector,
  vectorFromArray,
} from "apache-arrow";
import {
  type NDArray,
  scalar,
  standard,
  Table,
  type TableError,
  TableRecord,
  tiledShape,
} from "../../mod.ts";
import {
  fromArrow,
  type FromArrowOptions,
  readArrow,
  recordBatches,
  toArrow,
  writeArrow,
} from "../../src/arrow/mod.ts";
import { assertSameDescription, assertSameValues, everyKind, inDirectory, ROWS } from "./arrow_support.ts";

/** An Arrow table of one column X. */
function one(type: DataType, values: unknown[]): ArrowTable {
  const vector = vectorFromArray(values, type) as Vector;
  return new ArrowTable({ X: vector });
}

/** Imports a column X and gives what it became. */
async function imported(
  directory: string,
  arrow: ArrowTable,
  options: FromArrowOptions = {},
): Promise<
  {
    dtype: string;
    shape: readonly number[] | null;
    cells: unknown[];
    keywords: object;
    units: readonly string[];
  }
> {
  using table = await fromArrow(`${directory}/x`, arrow, { overwrite: true, ...options });
  const { dtype, shape, keywords, units } = table.column("X");
  const cells = table.getCells("X").map((cell) =>
    cell instanceof TableRecord
      ? cell.toJSON()
      : typeof cell === "object" && cell !== null && "data" in cell
      ? { shape: cell.shape, data: Array.from(cell.data as ArrayLike<unknown>) }
      : cell
  );
  return { dtype, shape, cells, keywords: keywords.toJSON(), units };
}

function refused(code: string, ...words: string[]) {
  return (error: TableError) => {
    assert.equal(error.code, code, error.message);
    for (const word of words) assert(error.message.includes(word), error.message);
    return true;
  };
}

Deno.test("a table of every kind of column comes back from Arrow as it was", () =>
  inDirectory(async (directory) => {
    using table = everyKind(`${directory}/t`);
    const arrow = toArrow(table);
    using again = await fromArrow(`${directory}/again`, arrow);
    assertSameValues(again, table);
    assertSameDescription(again, table);
    using streamed = await fromArrow(`${directory}/streamed`, recordBatches(table, { batchRows: 4 }));
    assertSameValues(streamed, table);
    for (const format of ["file", "stream"] as const) {
      const bytes = tableToIPC(arrow, format);
      using read = await fromArrow(`${directory}/${format}`, tableFromIPC(bytes));
      assertSameValues(read, table);
      assertSameDescription(read, table);
      using batches = await fromArrow(`${directory}/r${format}`, await RecordBatchReader.from([bytes]));
      assertSameValues(batches, table);
    }
    using dictionaries = await fromArrow(
      `${directory}/d`,
      recordBatches(table, { dictionary: true, batchRows: 3 }),
    );
    assertSameValues(dictionaries, table);
  }));

Deno.test("importing the module gives Table its methods", () =>
  inDirectory(async (directory) => {
    using table = everyKind(`${directory}/t`);
    using again = await Table.fromArrow(
      `${directory}/again`,
      table.recordBatches({ columns: ["S_int32", "V_bool"] }),
    );
    assertSameValues(again, table, ["S_int32", "V_bool"]);
    assert.equal(table.toArrow({ columns: ["S_int32"] }).numRows, ROWS);
  }));

Deno.test("files are written whole, and read a batch at a time", () =>
  inDirectory(async (directory) => {
    using table = everyKind(`${directory}/t`);
    const file = `${directory}/t.arrow`;
    for (const format of ["file", "stream"] as const) {
      await writeArrow(table, file, { format, batchRows: 4, dictionary: true });
      const read = await readArrow(file);
      using again = await fromArrow(`${directory}/${format}`, read);
      await read.close();
      assertSameValues(again, table);
    }
    const before = Deno.statSync(file).size;
    await assert.rejects(writeArrow(table, file, { rows: { start: 0, end: 99 } }), refused("OUT_OF_RANGE"));
    await assert.rejects(writeArrow(table, `${directory}/no/t.arrow`), refused("IO", "t.arrow"));
    await assert.rejects(readArrow(`${directory}/none`), refused("NOT_FOUND", "none"));
    assert.equal(Deno.statSync(file).size, before);
    const left = [...Deno.readDirSync(directory)].filter(({ name }) => name.endsWith(".partial"));
    assert.deepEqual(left, []);
  }));

Deno.test("slices of Arrow tables are imported, not what they were cut from", () =>
  inDirectory(async (directory) => {
    using table = everyKind(`${directory}/t`);
    const slice = toArrow(table).slice(4, 9);
    using part = await fromArrow(`${directory}/part`, slice);
    using expected = await fromArrow(`${directory}/e`, toArrow(table, { rows: { start: 4, end: 9 } }));
    assertSameValues(part, expected);
  }));

Deno.test("Arrow types that tables don't have become wider ones, and the keyword ARROW_TYPE says what they were", () =>
  inDirectory(async (directory) => {
    const check = async (type: DataType, values: unknown[], expected: object) => {
      const { dtype, cells, keywords, units } = await imported(directory, one(type, values));
      assert.deepEqual({ dtype, cells, units, ...keywords }, expected);
    };
    await check(new Int8(), [-128, 127], {
      dtype: "int16",
      cells: [-128, 127],
      units: [],
      ARROW_TYPE: "Int8",
    });
    await check(new Uint64(), [0n, 2n ** 63n - 1n], {
      dtype: "int64",
      cells: [0n, 2n ** 63n - 1n],
      units: [],
      ARROW_TYPE: "Uint64",
    });
    const half = await imported(directory, one(new Float16(), [1.5, -2, 65504]));
    assert.deepEqual([half.dtype, half.cells], ["float32", [1.5, -2, 65504]]);
    const time = await imported(directory, one(new TimestampMicrosecond("UTC"), [1, 1_700_000_000_000]));
    assert.equal(time.dtype, "int64");
    assert.deepEqual(time.units, ["us"]);
    assert.deepEqual(time.cells, [1000n, 1_700_000_000_000_000n]);
    assert.match(JSON.stringify(time.keywords), /Timestamp<MICROSECOND, UTC>/);
    const days = await imported(directory, one(new DateDay(), [new Date(86_400_000 * 3)]));
    assert.deepEqual([days.dtype, days.cells, days.units], ["int32", [3], ["d"]]);
    const words = await imported(directory, one(new Dictionary(new Utf8(), new Int16()), ["b", "a", "b"]));
    assert.deepEqual([words.dtype, words.cells], ["string", ["b", "a", "b"]]);
    const bytes = await imported(directory, one(new Binary(), [Uint8Array.of(1, 2), new Uint8Array(0)]));
    assert.deepEqual(bytes.cells, [{ shape: [2], data: [1, 2] }, { shape: [0], data: [] }]);
    const fixed = await imported(
      directory,
      one(new FixedSizeBinary(2), [Uint8Array.of(1, 2), Uint8Array.of(3, 4)]),
    );
    assert.deepEqual([fixed.shape, fixed.cells], [[2], [{ shape: [2], data: [1, 2] }, {
      shape: [2],
      data: [3, 4],
    }]]);
  }));

Deno.test("lists become arrays, the innermost the first axis", () =>
  inDirectory(async (directory) => {
    const item = (type: DataType) => new Field("item", type, false);
    const ragged = await imported(directory, one(new List(item(new Float64())), [[1, 2, 3], [], [4]]));
    assert.deepEqual([ragged.dtype, ragged.shape], ["float64", null]);
    assert.deepEqual(ragged.cells, [{ shape: [3], data: [1, 2, 3] }, { shape: [0], data: [] }, {
      shape: [1],
      data: [4],
    }]);
    const nested = new List(item(new List(item(new Int32()))));
    const cells = await imported(directory, one(nested, [[[1, 2, 3], [4, 5, 6]], [[7]], []]));
    assert.deepEqual(cells.cells, [
      { shape: [3, 2], data: [1, 2, 3, 4, 5, 6] },
      { shape: [1, 1], data: [7] },
      { shape: [0, 0], data: [] },
    ]);
    const fixed = new FixedSizeList(2, item(new FixedSizeList(3, item(new Bool()))));
    const flags = await imported(directory, one(fixed, [[[true, false, true], [false, false, true]]]));
    assert.deepEqual([flags.dtype, flags.shape, flags.cells], ["bool", [3, 2], [{
      shape: [3, 2],
      data: [1, 0, 1, 0, 0, 1],
    }]]);
    await assert.rejects(
      imported(directory, one(nested, [[[1, 2], [3]]])),
      refused("SHAPE_MISMATCH", "column X", "row 0"),
    );
  }));

Deno.test("structs become records, with lists and structs inside", () =>
  inDirectory(async (directory) => {
    const type = new Struct([
      new Field("name", new Utf8()),
      new Field("n", new Int64()),
      new Field("inner", new Struct([new Field("x", new Float32())])),
      new Field("list", new List(new Field("item", new Int32()))),
    ]);
    const { dtype, cells } = await imported(
      directory,
      one(type, [{ name: "a", n: 5n, inner: { x: 1.5 }, list: [1, 2] }, {
        name: "b",
        n: null,
        inner: { x: 2 },
        list: [],
      }]),
    );
    assert.equal(dtype, "record");
    assert.deepEqual(cells, [
      { name: "a", n: 5, inner: { x: 1.5 }, list: { shape: [2], data: [1, 2] } },
      { name: "b", inner: { x: 2 }, list: { shape: [0], data: [] } },
    ]);
  }));

Deno.test("nulls are refused where a column can't hold them, or filled when asked", () =>
  inDirectory(async (directory) => {
    const floats = one(new Float64(), [1, null, 3]);
    await assert.rejects(imported(directory, floats), refused("TYPE_MISMATCH", "column X", "row 1"));
    assert.deepEqual((await imported(directory, floats, { nulls: "fill" })).cells, [1, NaN, 3]);
    assert.deepEqual((await imported(directory, one(new Int32(), [null, 2]), { nulls: "fill" })).cells, [
      0,
      2,
    ]);
    assert.deepEqual((await imported(directory, one(new Utf8(), ["a", null]), { nulls: "fill" })).cells, [
      "a",
      "",
    ]);
    assert.deepEqual((await imported(directory, one(new Bool(), [true, null]), { nulls: "fill" })).cells, [
      true,
      false,
    ]);
    const pair = new FixedSizeList(2, new Field("item", new Int32(), false));
    const pairs = one(pair, [[1, 2], null]);
    await assert.rejects(imported(directory, pairs), refused("TYPE_MISMATCH", "column X", "row 1"));
    assert.deepEqual((await imported(directory, pairs, { nulls: "fill" })).cells.length, 2);
    const lists = one(new List(new Field("item", new Int32())), [[1], null]);
    assert.deepEqual((await imported(directory, lists)).cells, [{ shape: [1], data: [1] }, null]);
    const inner = one(new List(new Field("item", new Int32())), [[1, null]]);
    await assert.rejects(imported(directory, inner), refused("TYPE_MISMATCH", "column X", "null"));
  }));

Deno.test("what no column can hold is refused by name, and nothing is left", () =>
  inDirectory(async (directory) => {
    for (
      const arrow of [
        one(new Decimal(2, 10), [Uint32Array.of(1, 0, 0, 0)]),
        one(new Uint64(), [2n ** 63n]),
        one(new List(new Field("item", new Struct([new Field("a", new Int32())]))), [[{ a: 1 }]]),
      ]
    ) {
      await assert.rejects(imported(directory, arrow), (error: TableError) => /column X/.test(error.message));
    }
    assert.deepEqual([...Deno.readDirSync(directory)], []);
    async function* failing() {
      yield one(new Int32(), [1]).batches[0]!;
      await Promise.resolve();
      throw new Error("the source failed");
    }
    await assert.rejects(fromArrow(`${directory}/x`, failing()), /the source failed/);
    assert.deepEqual([...Deno.readDirSync(directory)], []);
    await assert.rejects(fromArrow(`${directory}/x`, []), refused("INVALID_ARGUMENT", "schema"));
    const empty = new ArrowTable(new Schema([new Field("X", new Int32())]));
    using table = await fromArrow(`${directory}/x`, empty);
    assert.equal(table.rowCount, 0);
    await assert.rejects(fromArrow(`${directory}/x`, empty), refused("EXISTS"));
  }));

Deno.test("storage is what was asked for; tiles come along where nothing was said", () =>
  inDirectory(async (directory) => {
    using table = Table.create(`${directory}/t`, {
      columns: [scalar("S", "int32"), { name: "D", kind: "array", dtype: "float32", options: { ndim: 2 } }],
      storage: [tiledShape("Tiles", ["D"], { tileShape: [2, 3, 4] }), standard()],
      rows: 10,
    });
    table.putColumn("D", { dtype: "float32", shape: [2, 3, 10], data: new Float32Array(60) } as NDArray);
    using tiled = await fromArrow(`${directory}/a`, toArrow(table));
    assert.equal(tiled.column("D").manager.type, "TiledShapeStMan");
    assert.deepEqual(tiled.column("D").tileShape, [2, 3, 4]);
    using plain = await fromArrow(`${directory}/b`, toArrow(table), { storage: [standard()] });
    assert.equal(plain.column("D").manager.type, "StandardStMan");
    assertSameValues(plain, table);
  }));
