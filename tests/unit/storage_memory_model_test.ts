/** Random changes to a MemoryStMan against a model that keeps every cell as a list of values. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { allocate } from "../../src/array/alloc.ts";
import { bytesOf, DTYPES, isNumeric, numericInfo } from "../../src/array/dtype.ts";
import { type Box, elementsOf, rowList, rowRange } from "../../src/array/rows.ts";
import { TableError } from "../../src/error.ts";
import { decodeUtf8, encodeUtf8 } from "../../src/format/strings.ts";
import type { BoundColumn, CellSource, CellTarget, StorageManager } from "../../src/storage/manager.ts";
import { memoryStMan } from "../../src/storage/memory/mod.ts";
import { boundColumn, contextOf } from "./storage_managed_support.ts";
import { positions, run } from "./storage_virtual_support.ts";

/** Values of a cell: the bytes of each, or a string each. */
interface ModelCell {
  readonly shape: readonly number[];
  readonly values: string[];
}

const SHAPES = [[2, 3], [1], [4, 1, 2], [0, 2]] as const;

const columns: fc.Arbitrary<BoundColumn> = fc.record({
  dtype: fc.constantFrom(...DTYPES.filter((dtype) => dtype !== "record")),
  form: fc.constantFrom("scalar", "fixed", "direct", "free", "record"),
}).map(({ dtype, form }) =>
  form === "scalar"
    ? boundColumn("c", { dtype })
    : form === "record"
    ? boundColumn("c", { dtype: "record", kind: "record" })
    : boundColumn("c", {
      dtype,
      kind: "array",
      shape: form === "free" ? null : [3, 2],
      direct: form === "direct",
    })
);

const numbers = fc.array(fc.nat(), { minLength: 1, maxLength: 6 });
const actions = fc.oneof(
  fc.record({
    do: fc.constant("put" as const),
    column: fc.nat(),
    rows: numbers,
    shape: fc.nat(),
    seed: fc.nat(),
  }),
  fc.record({
    do: fc.constant("part" as const),
    column: fc.nat(),
    rows: numbers,
    shape: fc.nat(),
    seed: fc.nat(),
  }),
  fc.record({ do: fc.constant("shape" as const), column: fc.nat(), rows: numbers, shape: fc.nat() }),
  fc.record({ do: fc.constant("add" as const), count: fc.nat({ max: 9 }) }),
  fc.record({ do: fc.constant("remove" as const), rows: numbers }),
  fc.record({ do: fc.constant("addColumn" as const), added: columns }),
  fc.record({ do: fc.constant("removeColumn" as const), column: fc.nat() }),
  fc.constant({ do: "keep" as const }),
  fc.constant({ do: "restore" as const }),
);

function sizeOf({ dtype }: BoundColumn): number {
  return dtype === "record" ? 1 : isNumeric(dtype) ? numericInfo(dtype).size : 0;
}

/** Values in the form of the model, of one element each. */
function valuesOf(column: BoundColumn, elements: number, seed: number): string[] {
  const size = sizeOf(column);
  return Array.from({ length: elements }, (_, i) => {
    const word = Math.imul(seed + i, 2654435761) >>> 3;
    if (size === 0) return "x".repeat(word % 5);
    return Array.from({ length: size }, (_, k) => column.dtype === "bool" ? word & 1 : (word >>> k) & 0xff)
      .join();
  });
}

function sourceOf(column: BoundColumn, values: readonly string[]): CellSource {
  return sizeOf(column) === 0
    ? { kind: "strings", values: values.map(encodeUtf8) }
    : { kind: "numeric", bytes: Uint8Array.from(values.join().split(",").filter(Boolean), Number) };
}

/** A manager and what it should hold. */
class Checked {
  rows = 0;
  readonly #manager: StorageManager;
  readonly #columns: BoundColumn[];
  readonly #cells: (ModelCell | null)[][];
  #kept: { rows: number; cells: (ModelCell | null)[][] } = { rows: 0, cells: [] };

  constructor(columns: readonly BoundColumn[]) {
    this.#columns = [...columns];
    this.#cells = columns.map(() => []);
    this.#kept = { rows: 0, cells: columns.map(() => []) };
    const context = contextOf({ type: "MemoryStMan", columns, rowCount: 0, bigEndian: false });
    this.#manager = run(memoryStMan.create!(context, { type: "MemoryStMan", name: "Memory", options: {} }));
  }

  add(count: number): void {
    run(this.#manager.addRows!(count));
    this.rows += count;
    this.#cells.forEach((cells, i) => {
      for (let n = 0; n < count; n++) cells.push(this.#unset(this.#columns[i]!));
    });
  }

  remove(rows: readonly number[]): void {
    const gone = [...new Set(rows.map((row) => row % this.rows))].sort((a, b) => a - b);
    run(this.#manager.removeRows!(rowList(gone)));
    this.rows -= gone.length;
    this.#cells.forEach((cells, i) => this.#cells[i] = cells.filter((_, row) => !gone.includes(row)));
  }

  addColumn(column: BoundColumn): void {
    run(this.#manager.addColumn!(column));
    this.#columns.push(column);
    this.#cells.push(Array.from({ length: this.rows }, () => this.#unset(column)));
    this.keep();
  }

  removeColumn(index: number): void {
    run(this.#manager.removeColumn!(index));
    this.#columns.splice(index, 1);
    this.#cells.splice(index, 1);
    this.keep();
  }

  /** A commit. */
  keep(): void {
    this.#manager.volatile!.keep();
    this.#kept = { rows: this.rows, cells: structuredClone(this.#cells) };
  }

  restore(): void {
    this.#manager.volatile!.restore();
    const { rows, cells } = this.#kept;
    this.rows = rows;
    this.#cells.splice(0, this.#cells.length, ...structuredClone(cells));
  }

  put(number: number, numbers: readonly number[], shape: number, seed: number): void {
    const { index, column, rows, cells } = this.#chosen(number, numbers);
    const given = this.#shape(column, shape);
    const values = rows.flatMap((_, i) => valuesOf(column, elementsOf(given), seed + 97 * i));
    run(this.#manager.column(index).write!(rowList(rows), given, null, sourceOf(column, values), 0));
    rows.forEach((row, i) => {
      const each = elementsOf(given);
      cells[row] = { shape: given, values: values.slice(i * each, (i + 1) * each) };
    });
  }

  /** Part of one cell: its other values stay. */
  part(number: number, numbers: readonly number[], which: number, seed: number): void {
    const { index, column, rows: [row], cells } = this.#chosen(number, numbers);
    const cell = cells[row!];
    if (cell === null || cell === undefined || cell.shape.length === 0) return;
    const box = boxIn(cell.shape, which), chosen = positions(cell.shape, box);
    const values = valuesOf(column, chosen.length, seed);
    run(this.#manager.column(index).write!(rowList([row!]), cell.shape, box, sourceOf(column, values), 0));
    chosen.forEach((place, i) => cell.values[place] = values[i]!);
    assert.deepEqual(this.#read(index, row!, cell.shape, box), values);
  }

  setShape(number: number, numbers: readonly number[], shape: number): void {
    const { index, column, rows, cells } = this.#chosen(number, numbers);
    const given = column.kind !== "scalar" && column.shape === null && shape % 3 === 0
      ? null
      : this.#shape(column, shape);
    run(this.#manager.column(index).setShape!(rowList(rows), given));
    for (const row of rows) cells[row] = given === null ? null : this.#empty(column, given);
  }

  check(): void {
    this.#cells.forEach((cells, index) => {
      const shapes = run(this.#manager.column(index).shapes(rowRange(0, this.rows)))
        .flatMap(({ count, shape }) => new Array(count).fill(shape));
      assert.deepEqual(shapes, cells.map((cell) => cell?.shape ?? null));
      cells.forEach((cell, row) => {
        if (cell !== null) assert.deepEqual(this.#read(index, row, cell.shape, null), cell.values);
      });
    });
  }

  get columnCount(): number {
    return this.#columns.length;
  }

  #read(index: number, row: number, shape: readonly number[], box: Box | null): string[] {
    const column = this.#columns[index]!, size = sizeOf(column), each = elementsOf(box?.shape ?? shape);
    // The values don't begin where the target does.
    const bytes = bytesOf(allocate("uint8", (each + 1) * size)), strings: unknown[] = [null];
    const target: CellTarget = size === 0
      ? { kind: "strings", values: strings, decode: decodeUtf8 }
      : { kind: "numeric", bytes };
    run(this.#manager.column(index).read(rowList([row]), shape, box, target, 1));
    if (size === 0) return strings.slice(1) as string[];
    return Array.from({ length: each }, (_, i) => bytes.subarray((i + 1) * size, (i + 2) * size).join());
  }

  #chosen(number: number, numbers: readonly number[]) {
    const index = number % this.#columns.length;
    const rows = numbers.map((row) => row % this.rows);
    return { index, column: this.#columns[index]!, rows, cells: this.#cells[index]! };
  }

  #shape(column: BoundColumn, which: number): readonly number[] {
    if (column.kind === "scalar") return [];
    if (column.kind === "record") return [which % 9];
    return column.shape ?? SHAPES[which % SHAPES.length]!;
  }

  #unset(column: BoundColumn): ModelCell | null {
    if (column.kind === "scalar") return this.#empty(column, []);
    return column.shape === null ? null : this.#empty(column, column.shape);
  }

  #empty(column: BoundColumn, shape: readonly number[]): ModelCell {
    const value = new Array(sizeOf(column)).fill(0).join();
    return { shape, values: new Array(elementsOf(shape)).fill(value) };
  }
}

/** A box with steps. */
function boxIn(shape: readonly number[], which: number): Box {
  const start = shape.map((length, axis) => length === 0 ? 0 : (which >> axis) % length);
  const step = shape.map((_, axis) => 1 + ((which >> (axis + 3)) % 2));
  return {
    start,
    step,
    shape: shape.map((length, axis) => Math.ceil((length - start[axis]!) / step[axis]!)),
  };
}

Deno.test("a MemoryStMan holds what was put, whatever its columns and changes", () => {
  const scenario = fc.record({
    start: fc.array(columns, { minLength: 1, maxLength: 4 }),
    rows: fc.nat({ max: 12 }),
    changes: fc.array(actions, { minLength: 1, maxLength: 20 }),
  });
  fc.assert(
    fc.property(scenario, ({ start, rows, changes }) => {
      const checked = new Checked(start);
      checked.add(rows);
      for (const change of changes) {
        if (change.do === "add") checked.add(change.count);
        else if (change.do === "addColumn") checked.addColumn(change.added);
        else if (change.do === "removeColumn") {
          if (checked.columnCount > 1) checked.removeColumn(change.column % checked.columnCount);
        } else if (change.do === "keep") checked.keep();
        else if (change.do === "restore") checked.restore();
        else if (checked.rows === 0) continue;
        else if (change.do === "remove") checked.remove(change.rows);
        else if (change.do === "put") checked.put(change.column, change.rows, change.shape, change.seed);
        else if (change.do === "part") checked.part(change.column, change.rows, change.shape, change.seed);
        else checked.setShape(change.column, change.rows, change.shape);
        checked.check();
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("values that are gone stay apart from rows that are added, and go with their rows", () => {
  const column = boundColumn("b", { dtype: "bool" });
  const context = contextOf({ type: "MemoryStMan", columns: [column], rowCount: 200_000, bigEndian: false });
  const manager = run(memoryStMan.open(context, new Uint8Array(0)));
  const read = (rows: readonly number[]) => {
    const bytes = new Uint8Array(rows.length);
    run(manager.column(0).read(rowList(rows), [], null, { kind: "numeric", bytes }, 0));
    return [...bytes];
  };
  run(manager.addRows!(10));
  assert.deepEqual(read([0, 199_999, 200_000, 200_009]), [1, 1, 0, 0]);
  run(
    manager.column(0).write!(
      rowList([5, 199_990]),
      [],
      null,
      { kind: "numeric", bytes: new Uint8Array(2) },
      0,
    ),
  );
  assert.deepEqual(read([4, 5, 199_990, 199_991, 200_000]), [1, 0, 0, 1, 0]);
  run(manager.removeRows!(rowList([0, 199_995, 200_001])));
  assert.deepEqual(read([3, 4, 199_989, 199_990, 199_997, 199_998, 200_006]), [1, 0, 0, 1, 1, 0, 0]);
});

Deno.test("cells of a fixed shape keep it", () => {
  for (const dtype of ["float32", "string"] as const) {
    const column = boundColumn("c", { dtype, kind: "array", shape: [2] });
    const context = contextOf({ type: "MemoryStMan", columns: [column], rowCount: 1, bigEndian: false });
    const managed = run(memoryStMan.open(context, new Uint8Array(0))).column(0);
    const code = (shape: number[] | null) => {
      try {
        run(managed.setShape!(rowRange(0, 1), shape));
      } catch (error) {
        return error instanceof TableError ? error.code : error;
      }
      return "no error";
    };
    assert.deepEqual([code(null), code([3]), code([2])], ["INVALID_ARGUMENT", "SHAPE_MISMATCH", "no error"]);
  }
});

Deno.test("what is put into a cell that moved up is taken back where it was", () => {
  const columns = [
    boundColumn("free", { dtype: "uint8", kind: "array" }),
    boundColumn("texts", { dtype: "string", kind: "array" }),
    boundColumn("fixed", { dtype: "uint8", kind: "array", shape: [2] }),
  ];
  const context = contextOf({ type: "MemoryStMan", columns, rowCount: 2, bigEndian: false });
  const manager = run(memoryStMan.open(context, new Uint8Array(0)));
  const put = (index: number, row: number, source: CellSource, box: Box | null = null) =>
    run(manager.column(index).write!(rowList([row]), [2], box, source, 0));
  const bytes = (...values: number[]): CellSource => ({ kind: "numeric", bytes: Uint8Array.from(values) });
  put(0, 1, bytes(1, 2));
  put(1, 1, { kind: "strings", values: ["a", "b"].map(encodeUtf8) });
  put(2, 1, bytes(3, 4));
  manager.volatile!.keep();
  run(manager.removeRows!(rowList([0])));
  const first: Box = { start: [0], shape: [1], step: [1] };
  put(0, 0, bytes(9), first);
  put(1, 0, { kind: "strings", values: [encodeUtf8("z")] }, first);
  put(2, 0, bytes(9), first);
  manager.volatile!.restore();
  const numbers = new Uint8Array(4), texts: unknown[] = [];
  run(manager.column(0).read(rowList([1]), [2], null, { kind: "numeric", bytes: numbers }, 0));
  run(manager.column(2).read(rowList([1]), [2], null, { kind: "numeric", bytes: numbers }, 2));
  run(
    manager.column(1).read(
      rowList([1]),
      [2],
      null,
      { kind: "strings", values: texts, decode: decodeUtf8 },
      0,
    ),
  );
  assert.deepEqual([[...numbers], texts], [[1, 2, 3, 4], ["a", "b"]]);
});
