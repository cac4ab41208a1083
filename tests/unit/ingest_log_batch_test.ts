import assert from "node:assert/strict";
import fc from "fast-check";
import { disableLibrary } from "../../ffi/binding.ts";
import { array, type Cell, type ColumnSpec, type NDArray, scalar, TableError } from "../../mod.ts";
import { arrayClass, type DType, isNumeric, NUMERIC_TYPES, numericInfo } from "../../src/array/dtype.ts";
import { type BatchPlan, planBatch } from "../../src/ingest/log/batch.ts";
import { decodeCells, decodeFixed, decodeStrings, type IngestRows } from "../../src/ingest/log/columns.ts";
import { BATCH_ALIGNMENT, readBatchHeader } from "../../src/ingest/log/format.ts";
import { IngestSchema } from "../../src/ingest/schema.ts";

const DTYPES: readonly Exclude<DType, "record">[] = [...NUMERIC_TYPES, "string"];

const written = (plan: BatchPlan): Uint8Array => {
  const bytes = new Uint8Array(plan.bytes).fill(0xa5);
  plan.write(bytes, { log: 3, firstSequence: 40, durable: 4096 });
  return bytes;
};

/** The cells of each column, read back from a batch's bytes. */
function readBack(schema: IngestSchema, bytes: Uint8Array): Record<string, Cell[]> {
  const head = readBatchHeader(bytes, schema);
  assert.ok(typeof head !== "string", String(head));
  return Object.fromEntries(schema.columns.map((column, i) => {
    const { offset, bytes: length } = head.columns[i]!;
    return [column.name, decodeCells(column, bytes.subarray(offset, offset + length), head.rows, "utf8")];
  }));
}

/** A cell as something that deepEqual compares. */
const plain = (cell: Cell): unknown =>
  typeof cell === "object" && cell !== null && "data" in cell
    ? { dtype: cell.dtype, shape: [...cell.shape], data: Array.from(cell.data as ArrayLike<unknown>) }
    : cell;

/** Elements of a type, as items of its array. */
function items(dtype: Exclude<DType, "record">, elements: number): fc.Arbitrary<unknown[]> {
  const item = dtype === "string"
    ? fc.string({ unit: "grapheme", maxLength: 5 })
    : dtype === "bool"
    ? fc.nat(1)
    : dtype === "int64"
    ? fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)
    : dtype.startsWith("float") || dtype.startsWith("complex")
    ? fc.double({ noNaN: false }).map(Math.fround)
    : fc.integer({ min: dtype.startsWith("u") ? 0 : -100, max: 100 });
  const length = elements * (isNumeric(dtype) ? numericInfo(dtype).items : 1);
  return fc.array(item as fc.Arbitrary<unknown>, { minLength: length, maxLength: length });
}

const dataOf = (dtype: Exclude<DType, "record">, list: unknown[]) =>
  isNumeric(dtype) ? (arrayClass(dtype) as typeof Uint8Array).from(list as number[]) : list;

const size = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1);

/** A column, values for it as append takes them, and the cells that they are. */
interface Made {
  readonly spec: ColumnSpec;
  readonly values: IngestRows[string] | undefined;
  readonly cells: unknown[];
}

function scalars(name: string, dtype: Exclude<DType, "record">, rows: number): fc.Arbitrary<Made> {
  return items(dtype, rows).map((list) => {
    const data = dataOf(dtype, list), complex = dtype.startsWith("complex");
    const all = Array.from(data as ArrayLike<unknown>);
    return {
      spec: scalar(name, dtype),
      values: data as string[],
      cells: Array.from(
        { length: rows },
        (_, i) => complex ? [all[2 * i], all[2 * i + 1]] : dtype === "bool" ? all[i] === 1 : all[i],
      ),
    };
  });
}

function fixed(name: string, dtype: Exclude<DType, "record">, rows: number): fc.Arbitrary<Made> {
  return fc.tuple(fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }), fc.nat(2))
    .chain(([shape, form]) =>
      items(dtype, size(shape) * rows).map((list) => {
        const data = dataOf(dtype, list) as never, step = list.length / rows;
        const cells = Array.from({ length: rows }, (_, i) => ({
          dtype,
          shape,
          data: dataOf(dtype, list.slice(i * step, (i + 1) * step)),
        })) as NDArray[];
        const values = form === 0 ? data : form === 1 ? { dtype, shape: [...shape, rows], data } : cells;
        return { spec: array(name, dtype, { shape }), values, cells: cells.map(plain) };
      })
    );
}

function free(name: string, dtype: Exclude<DType, "record">, rows: number): fc.Arbitrary<Made> {
  const shape = fc.array(fc.nat(3), { minLength: 1, maxLength: 3 });
  const cell = fc.option(
    shape.chain((shape) =>
      items(dtype, size(shape)).map((list) => ({ dtype, shape, data: dataOf(dtype, list) }) as NDArray)
    ),
    { nil: null },
  );
  return fc.array(cell, { minLength: rows, maxLength: rows }).map((cells) => ({
    spec: array(name, dtype),
    values: cells,
    cells: cells.map(plain),
  }));
}

const batch = fc.integer({ min: 1, max: 5 }).chain((rows) =>
  fc.array(
    fc.constantFrom(...DTYPES).chain((dtype) =>
      fc.constantFrom(scalars, fixed, free).map((make) => [make, dtype] as const)
    ),
    { minLength: 1, maxLength: 6 },
  ).chain((kinds) => fc.tuple(...kinds.map(([make, dtype], i) => make(`C${i}`, dtype, rows))))
);

for (const native of [true, false]) {
  Deno.test(`a batch of columns of any types and shapes is read as it was written, ${native ? "with" : "without"} the library`, () => {
    using _without = native ? { [Symbol.dispose]() {} } : disableLibrary();
    fc.assert(
      fc.property(batch, (made) => {
        const schema = IngestSchema.of({ columns: made.map(({ spec }) => spec) });
        const plan = planBatch(
          schema,
          Object.fromEntries(made.map(({ spec, values }) => [spec.name, values!])),
        );
        assert.equal(plan.rows, made[0]!.cells.length);
        const bytes = written(plan), found = readBack(schema, bytes);
        for (const { spec, cells } of made) assert.deepEqual(found[spec.name]!.map(plain), cells);
        const head = readBatchHeader(bytes, schema);
        assert.ok(typeof head !== "string");
        assert.deepEqual([head.log, head.firstSequence, head.durable], [3, 40, 4096]);
        assert.ok(head.columns.every(({ offset }) => offset % BATCH_ALIGNMENT === 0));
      }),
      { numRuns: 200 },
    );
  });
}

Deno.test("every type of number is written as a scalar, as an array and in cells of any shape", () => {
  for (const dtype of DTYPES) {
    const [made] = fc.sample(fc.tuple(scalars("S", dtype, 3), fixed("F", dtype, 3), free("C", dtype, 3)), 1);
    const schema = IngestSchema.of({ columns: made!.map(({ spec }) => spec) });
    const found = readBack(
      schema,
      written(planBatch(schema, Object.fromEntries(made!.map((each) => [each.spec.name, each.values!])))),
    );
    for (const { spec, cells } of made!) {
      assert.deepEqual(found[spec.name]!.map(plain), cells, `${dtype} ${spec.name}`);
    }
  }
});

const SCHEMA = IngestSchema.of({
  columns: [
    scalar("N", "int32"),
    scalar("Z", "complex64"),
    scalar("OK", "bool"),
    scalar("TEXT", "string", { maxLength: 4 }),
    array("DATA", "float32", { shape: [2] }),
    array("PLANE", "float64", { ndim: 2 }),
    array("NAMES", "string"),
  ],
});

Deno.test("columns that are left out get 0, an empty text or an undefined cell", () => {
  const found = readBack(SCHEMA, written(planBatch(SCHEMA, { N: [7, 8] })));
  assert.deepEqual(found.N, [7, 8]);
  assert.deepEqual(found.Z, [[0, 0], [0, 0]]);
  assert.deepEqual(found.OK, [false, false]);
  assert.deepEqual(found.TEXT, ["", ""]);
  assert.deepEqual(
    found.DATA!.map(plain),
    [0, 1].map(() => ({ dtype: "float32", shape: [2], data: [0, 0] })),
  );
  assert.deepEqual(found.PLANE, [null, null]);
  assert.deepEqual(found.NAMES, [null, null]);
});

Deno.test("values come in every form that Table.append and getCells know", () => {
  const plane = { dtype: "float64", shape: [1, 2], data: Float64Array.of(1, 2) } as const;
  const rows: IngestRows = {
    N: [1, 2],
    Z: [[1, 2], 3] as never,
    OK: [true, false],
    TEXT: ["a", "bc"],
    DATA: { dtype: "float32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
    PLANE: [plane, null],
    NAMES: { dtype: "string", shape: [2, 2], data: ["a", "b", "c", "d"] },
  };
  const found = readBack(SCHEMA, written(planBatch(SCHEMA, rows)));
  assert.deepEqual(found.Z, [[1, 2], [3, 0]]);
  assert.deepEqual(found.OK, [true, false]);
  assert.deepEqual(found.PLANE!.map(plain), [plain(plane), null]);
  assert.deepEqual(
    found.NAMES!.map(plain),
    [["a", "b"], ["c", "d"]].map((data) => ({ dtype: "string", shape: [2], data })),
  );
  // Anything but 0 is true, as where tables keep bits.
  assert.deepEqual(readBack(SCHEMA, written(planBatch(SCHEMA, { OK: Uint8Array.of(0, 7, 255) }))).OK, [
    false,
    true,
    true,
  ]);
});

Deno.test("numbers are given as views of the bytes where their address allows it, and as what they are elsewhere", () => {
  const bytes = written(planBatch(SCHEMA, { DATA: Float32Array.of(1, 2, 3, 4) }));
  const head = readBatchHeader(bytes, SCHEMA);
  assert.ok(typeof head !== "string");
  const { offset, bytes: length } = head.columns[4]!, column = SCHEMA.column("DATA");
  const view = decodeFixed(column, bytes.subarray(offset, offset + length), 2);
  assert.equal((view.data as Float32Array).buffer, bytes.buffer);
  assert.deepEqual(view.shape, [2, 2]);
  const odd = new Uint8Array(length + 1).subarray(1);
  odd.set(bytes.subarray(offset, offset + length));
  assert.deepEqual(decodeFixed(column, odd, 2).data, Float32Array.of(1, 2, 3, 4));
});

Deno.test("values that don't fit are refused with the column's name, before anything is written", () => {
  const refused = (rows: unknown, code: string, words: RegExp) =>
    assert.throws(
      () => planBatch(SCHEMA, rows as IngestRows),
      (error) => error instanceof TableError && error.code === code && words.test(error.message),
      JSON.stringify(rows, (_, value) => typeof value === "bigint" ? String(value) : value),
    );
  refused(null, "TYPE_MISMATCH", /append/);
  refused({ NONE: [1] }, "NO_SUCH_COLUMN", /NONE/);
  refused({ N: [1, 2], OK: [true] }, "SHAPE_MISMATCH", /2 rows given for column N, 1 for OK/);
  refused({ N: [1.5] }, "TYPE_MISMATCH", /N/);
  refused({ N: [null] }, "TYPE_MISMATCH", /N/);
  refused({ N: Float32Array.of(1) }, "TYPE_MISMATCH", /N/);
  refused({ N: { dtype: "int32", shape: [1, 2], data: Int32Array.of(1, 2) } }, "SHAPE_MISMATCH", /N/);
  refused({ Z: Float32Array.of(1) }, "SHAPE_MISMATCH", /Z/);
  refused({ TEXT: ["12345"] }, "OUT_OF_RANGE", /TEXT/);
  refused({ TEXT: [3] }, "TYPE_MISMATCH", /TEXT/);
  refused({ DATA: Float32Array.of(1, 2, 3) }, "SHAPE_MISMATCH", /DATA/);
  refused({ DATA: { dtype: "float32", shape: [1, 4], data: new Float32Array(4) } }, "SHAPE_MISMATCH", /DATA/);
  refused({ DATA: [null] }, "TYPE_MISMATCH", /DATA/);
  refused({ DATA: [{ dtype: "float32", shape: [3], data: new Float32Array(3) }] }, "SHAPE_MISMATCH", /DATA/);
  refused({ PLANE: Float64Array.of(1, 2) }, "SHAPE_MISMATCH", /PLANE/);
  refused(
    { PLANE: [{ dtype: "float64", shape: [2], data: new Float64Array(2) }] },
    "SHAPE_MISMATCH",
    /PLANE/,
  );
  refused(
    { PLANE: [{ dtype: "float64", shape: [2, 2], data: new Float64Array(3) }] },
    "SHAPE_MISMATCH",
    /PLANE/,
  );
  refused(
    { PLANE: [{ dtype: "float32", shape: [2, 2], data: new Float32Array(4) }] },
    "TYPE_MISMATCH",
    /PLANE/,
  );
  refused(
    { PLANE: [{ dtype: "float64", shape: [-1, 2], data: new Float64Array(0) }] },
    "SHAPE_MISMATCH",
    /PLANE/,
  );
  refused({ PLANE: [3] }, "TYPE_MISMATCH", /PLANE/);
  refused({ PLANE: [null, 3] }, "TYPE_MISMATCH", /PLANE/);
});

Deno.test("a batch beyond 1 GiB is refused before memory is taken for it", () => {
  const schema = IngestSchema.of({
    columns: [scalar("N", "uint8"), array("BIG", "float64", { shape: [2 ** 20] })],
  });
  assert.throws(() => planBatch(schema, { N: new Uint8Array(200) }), { code: "LIMIT" });
});

Deno.test("values whose memory was moved away after they were checked are refused, not written as something else", () => {
  const values = Int32Array.of(1, 2, 3), plan = planBatch(SCHEMA, { N: values });
  structuredClone(values.buffer, { transfer: [values.buffer] });
  assert.throws(() => written(plan), { code: "INVALID_ARGUMENT" });
});

Deno.test("columns whose bytes were changed give an error and nothing else", () => {
  const cells = planBatch(SCHEMA, {
    N: [1, 2, 3],
    TEXT: ["a", "bc", "def"],
    PLANE: [{ dtype: "float64", shape: [1, 2], data: Float64Array.of(1, 2) }, null, null],
    NAMES: { dtype: "string", shape: [2, 3], data: ["a", "b", "c", "d", "e", "f"] },
  });
  const bytes = written(cells), head = readBatchHeader(bytes, SCHEMA);
  assert.ok(typeof head !== "string");
  fc.assert(
    fc.property(
      fc.constantFrom(0, 3, 5, 6),
      fc.array(fc.tuple(fc.nat(200), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)), {
        minLength: 1,
        maxLength: 4,
      }),
      fc.nat(3),
      (i, changes, rows) => {
        const { offset, bytes: length } = head.columns[i]!, column = SCHEMA.columns[i]!;
        const part = bytes.slice(offset, offset + length);
        for (const [at, value] of changes) part[at % length] = value;
        const place = { file: "a.log", offset };
        try {
          if (column.encoding === "strings") decodeStrings(column, part, rows, "utf8", place);
          decodeCells(column, part, rows, "utf8", place);
        } catch (error) {
          assert.ok(
            error instanceof TableError && error.code === "CORRUPT" && error.file === "a.log",
            String(error),
          );
        }
      },
    ),
    { numRuns: 2000 },
  );
});
