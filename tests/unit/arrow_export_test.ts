/**
 * Tables as Arrow: the type of each kind of column, its values, what is shared with the table's memory, where batches end.
 */
import assert from "node:assert/strict";
import { DataType, type RecordBatch, type Schema, tableFromIPC, tableToIPC, type Vector } from "apache-arrow";
import {
  array,
  type NDArray,
  scalar,
  standard,
  Table,
  type TableError,
  tiledColumn,
  tiledData,
} from "../../mod.ts";
import { NUMERIC_TYPES } from "../../src/array/dtype.ts";
import { recordBatches, toArrow } from "../../src/arrow/mod.ts";
import { recordOfText } from "../../src/arrow/typed-json.ts";
import { everyKind, inDirectory, ROWS, TEXTS } from "./arrow_support.ts";

function typesOf(schema: Schema): Record<string, string> {
  return Object.fromEntries(schema.fields.map((field) => [field.name, String(field.type)]));
}

/** A value of an Arrow vector as plain lists, flat. */
function flat(value: unknown): unknown[] {
  if (typeof value === "object" && value !== null && Symbol.iterator in value) {
    return [...value as Iterable<unknown>].flatMap(flat);
  }
  return [value];
}

/** An array's items as Arrow gives them. */
function items({ dtype, data }: NDArray): unknown[] {
  const list = Array.from(data as ArrayLike<unknown>);
  return dtype === "bool" ? list.map(Boolean) : list;
}

/** The innermost data of a vector's first piece. */
function leaf(vector: Vector): { values: ArrayBufferView } {
  let data = vector.data[0]!;
  while (data.children.length > 0) data = data.children.at(-1)!;
  return data as never;
}

/** Runs, and gives the memory that the table filled meanwhile, by column. */
async function filled(run: () => unknown): Promise<Map<string, ArrayBufferLike>> {
  const buffers = new Map<string, ArrayBufferLike>();
  const { getColumn, getColumnAsync } = Table.prototype;
  const note = (name: string, { data }: NDArray) => {
    if (ArrayBuffer.isView(data)) buffers.set(name, data.buffer);
  };
  Table.prototype.getColumn = function (this: Table, name: string, options: object) {
    const result = getColumn.call(this, name, options);
    note(name, result as NDArray);
    return result;
  } as never;
  Table.prototype.getColumnAsync = async function (this: Table, name: string, options: object) {
    const result = await getColumnAsync.call(this, name, options);
    note(name, result as NDArray);
    return result;
  } as never;
  try {
    await run();
  } finally {
    Object.assign(Table.prototype, { getColumn, getColumnAsync });
  }
  return buffers;
}

Deno.test("every data type has its Arrow type, as scalars and as arrays", () =>
  inDirectory((directory) => {
    using table = everyKind(`${directory}/t`);
    const types = typesOf(toArrow(table).schema);
    const elements = {
      bool: "Bool",
      uint8: "Uint8",
      int16: "Int16",
      uint16: "Uint16",
      int32: "Int32",
      uint32: "Uint32",
      int64: "Int64",
      float32: "Float32",
      float64: "Float64",
      complex64: "FixedSizeList[2]<Float32>",
      complex128: "FixedSizeList[2]<Float64>",
      string: "Utf8",
    };
    for (const [dtype, type] of Object.entries(elements)) {
      assert.equal(types[`S_${dtype}`], type);
      assert.equal(types[`F_${dtype}`], `FixedSizeList[2]<FixedSizeList[3]<${type}>>`);
      assert.equal(types[`V_${dtype}`], `Struct<{shape:List<Int32>, data:List<${type}>}>`);
    }
    assert.equal(types["RECORD"], "Utf8");
    assert.equal(types["UVW"], "FixedSizeList[3]<Float64>");
  }));

Deno.test("an Arrow table has the values of the cells, the first axis innermost, and survives its file format", () =>
  inDirectory((directory) => {
    using table = everyKind(`${directory}/t`);
    const made = toArrow(table);
    for (
      const arrow of [made, tableFromIPC(tableToIPC(made, "stream")), tableFromIPC(tableToIPC(made, "file"))]
    ) {
      for (const dtype of [...NUMERIC_TYPES, "string"] as const) {
        const scalars = arrow.getChild(`S_${dtype}`)!;
        assert.deepEqual([...scalars].flatMap(flat), items(table.getColumn(`S_${dtype}`) as NDArray), dtype);
        const fixed = arrow.getChild(`F_${dtype}`)!;
        assert.deepEqual([...fixed].flatMap(flat), items(table.getColumn(`F_${dtype}`) as NDArray), dtype);
        const free = arrow.getChild(`V_${dtype}`)!;
        (table.getCells(`V_${dtype}`) as (NDArray | null)[]).forEach((cell, row) => {
          const value = free.get(row) as { shape: unknown; data: unknown } | null;
          if (cell === null) return assert.equal(value, null);
          assert.deepEqual(flat(value!.shape), cell.shape);
          assert.deepEqual(flat(value!.data), items(cell));
        });
      }
      const record = recordOfText(arrow.getChild("RECORD")!.get(3) as string, "row 3");
      assert.deepEqual(record.toFields(), (table.getCell("RECORD", 3) as typeof record).toFields());
    }
  }));

Deno.test("undefined cells of a fixed shape are null, the others stay what they are", () =>
  inDirectory((directory) => {
    using table = Table.create(`${directory}/t`, {
      columns: [array("A", "int32", { shape: [2] }), array("B", "bool", { shape: [3] })],
      storage: [tiledData("T", ["A"]), tiledData("U", ["B"])],
      rows: 4,
    });
    table.putColumn("A", Int32Array.of(1, 2, 3, 4), { rows: [0, 1] });
    table.putColumn("B", Uint8Array.of(1, 0, 1), { rows: [0] });
    const arrow = toArrow(table);
    assert.deepEqual([...arrow.getChild("A")!].map((cell) => cell && flat(cell)), [
      [1, 2],
      [3, 4],
      null,
      null,
    ]);
    assert.deepEqual([...arrow.getChild("B")!].map((cell) => cell && flat(cell)), [
      [true, false, true],
      null,
      null,
      null,
    ]);
    assert.equal(arrow.getChild("A")!.nullCount, 2);
  }));

Deno.test("numbers are not copied: Arrow's buffers are the memory that the table filled", () =>
  inDirectory(async (directory) => {
    using table = Table.create(`${directory}/t`, {
      columns: [
        scalar("TIME", "float64"),
        scalar("N", "int64"),
        array("DATA", "complex64", { shape: [4, 8] }),
        array("FREE", "float32", { ndim: 1 }),
        scalar("FLAG", "bool"),
      ],
      rows: 100,
    });
    table.putColumn("FREE", { dtype: "float32", shape: [5, 100], data: new Float32Array(500).fill(1) });
    table.putColumn("DATA", new Float32Array(100 * 64).fill(2));
    const vectors = new Map<string, Vector>();
    for (
      const make of [() => {
        const arrow = toArrow(table);
        for (const { name } of arrow.schema.fields) vectors.set(name, arrow.getChild(name)!);
      }, async () => {
        for await (const batch of recordBatches(table)) {
          for (const { name } of batch.schema.fields) vectors.set(name, batch.getChild(name)!);
        }
      }]
    ) {
      const buffers = await filled(make);
      for (const name of ["TIME", "N", "DATA", "FREE"]) {
        assert.equal(leaf(vectors.get(name)!).values.buffer, buffers.get(name), `${name} is copied`);
      }
      // A byte becomes a bit: that can't be shared.
      assert.notEqual(leaf(vectors.get("FLAG")!).values.buffer, buffers.get("FLAG"));
    }
  }));

Deno.test("columns and rows are those asked for, in that order", () =>
  inDirectory((directory) => {
    using table = everyKind(`${directory}/t`);
    const some = toArrow(table, { columns: ["S_string", "S_int32"], rows: [5, 0, 0] });
    assert.deepEqual(some.schema.names, ["S_string", "S_int32"]);
    assert.deepEqual([...some.getChild("S_string")!], [TEXTS[5], TEXTS[0], TEXTS[0]]);
    const steps = toArrow(table, { columns: ["S_string"], rows: { start: 1, end: 10, step: 4 } });
    assert.deepEqual([...steps.getChild("S_string")!], [TEXTS[1], TEXTS[5], TEXTS[9]]);
    assert.equal(toArrow(table, { rows: { start: 3, end: 3 } }).numRows, 0);
    assert.equal(toArrow(table, { columns: [] }).numCols, 0);
    assert.throws(() => toArrow(table, { columns: ["NOPE"] }), (error: TableError) =>
      error.code === "NO_SUCH_COLUMN");
    assert.throws(() =>
      toArrow(table, { rows: [ROWS] }), (error: TableError) => error.code === "OUT_OF_RANGE");
  }));

Deno.test("strings become a dictionary when asked, which grows from batch to batch", () =>
  inDirectory(async (directory) => {
    using table = everyKind(`${directory}/t`);
    const batches: RecordBatch[] = [];
    for await (
      const batch of recordBatches(table, { columns: ["S_string"], dictionary: true, batchRows: 4 })
    ) {
      batches.push(batch);
    }
    assert.equal(batches.length, 3);
    assert(DataType.isDictionary(batches[0]!.schema.fields[0]!.type));
    assert.deepEqual(batches.flatMap((batch) => [...batch.getChild("S_string")!]), TEXTS);
    const arrow = toArrow(table, { dictionary: ["S_string"] });
    assert.deepEqual([...tableFromIPC(tableToIPC(arrow, "stream")).getChild("S_string")!], TEXTS);
    assert.equal(arrow.getChild("S_string")!.data[0]!.dictionary!.length, new Set(TEXTS).size);
  }));

Deno.test("units, measures, keywords and the table's own stand in the metadata", () =>
  inDirectory((directory) => {
    using table = everyKind(`${directory}/t`);
    const { schema } = toArrow(table);
    const of = (name: string) => schema.fields.find((field) => field.name === name)!.metadata;
    assert.deepEqual(JSON.parse(of("S_float64").get("tessera.units")!), ["Jy"]);
    assert.deepEqual(JSON.parse(of("UVW").get("tessera.measure")!), { type: "uvw", Ref: "J2000" });
    assert.deepEqual(
      recordOfText(of("UVW").get("tessera.keywords")!, "UVW").toFields(),
      table.column("UVW").keywords.toFields(),
    );
    assert.equal(JSON.parse(of("S_bool").get("tessera.column")!).comment, "a bool");
    assert.equal(of("S_complex64").get("ARROW:extension:name"), "tessera.complex64");
    assert.equal(of("V_int16").get("ARROW:extension:name"), "tessera.array");
    assert.equal(of("RECORD").get("ARROW:extension:name"), "tessera.record");
    assert.deepEqual(
      recordOfText(schema.metadata.get("tessera.keywords")!, "keywords").toFields(),
      table.keywords.toFields(),
    );
    assert.deepEqual(JSON.parse(schema.metadata.get("tessera.info")!), table.info);
  }));

Deno.test("batches end at borders of tiles and keep to their bounds", () =>
  inDirectory(async (directory) => {
    using table = Table.create(`${directory}/t`, {
      columns: [
        array("DATA", "float32", { shape: [8] }),
        array("WIDE", "float64", { shape: [16] }),
        scalar("S", "int32"),
      ],
      storage: [
        tiledColumn("A", ["DATA"], { tileShape: [8, 10] }),
        tiledColumn("B", ["WIDE"], { tileShape: [16, 15] }),
        standard(),
      ],
      rows: 100,
    });
    const lengths = async (options: object) => {
      const found: number[] = [];
      for await (const batch of recordBatches(table, options)) found.push(batch.numRows);
      return found;
    };
    assert.deepEqual(await lengths({ batchRows: 70 }), [60, 40]); // 30: borders of both
    assert.deepEqual(await lengths({ batchRows: 25 }), [15, 15, 15, 15, 15, 25]); // those of WIDE
    assert.deepEqual(await lengths({ batchRows: 25, columns: ["DATA"] }), [20, 20, 20, 20, 20]);
    assert.deepEqual(await lengths({ batchRows: 25, columns: ["DATA"], rows: { start: 7, end: 50 } }), [
      23,
      20,
    ]);
    assert.deepEqual(await lengths({ batchRows: 4, columns: ["DATA"] }), [
      ...[4, 4, 2, 4, 4, 2, 4, 4, 2, 4, 4, 2, 4, 4, 2],
      ...[4, 4, 2, 4, 4, 2, 4, 4, 2, 4, 4, 2, 4, 4, 2],
    ]);
    assert.deepEqual(await lengths({ batchBytes: 32 * 25, columns: ["DATA"] }), [20, 20, 20, 20, 20]);
    assert.deepEqual(await lengths({ batchBytes: 1, rows: { start: 0, end: 3 } }), [1, 1, 1]);
    assert.deepEqual(await lengths({ columns: ["S"] }), [100]);
    await assert.rejects(lengths({ batchRows: 0 }), (error: TableError) => error.code === "INVALID_ARGUMENT");
  }));

Deno.test("cells of free shape keep to the bound, however much they differ", () =>
  inDirectory(async (directory) => {
    using table = Table.create(`${directory}/t`, { columns: [array("V", "float64")], rows: 300 });
    for (let row = 0; row < 300; row++) {
      const n = row === 250 ? 5000 : 10;
      table.putCell("V", row, { dtype: "float64", shape: [n], data: new Float64Array(n) });
    }
    const batches: [number, number][] = [];
    for await (const batch of recordBatches(table, { batchBytes: 8000 })) {
      const data = batch.data.children[0]!.children[1]!.children[0]!;
      batches.push([batch.numRows, data.length * 8]);
    }
    assert.equal(batches.reduce((sum, [rows]) => sum + rows, 0), 300);
    for (const [rows, bytes] of batches) {
      assert(bytes <= 8000 || rows === 1, `${rows} rows take ${bytes} bytes`);
    }
  }));
