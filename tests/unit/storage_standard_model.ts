/** A model of a StandardStMan, which keeps every cell as an array, and random changes to both. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { NUMERIC_TYPES, type NumericType } from "../../src/array/dtype.ts";
import { type Box, elementsOf, rowList, rowRange, type Rows } from "../../src/array/rows.ts";
import type { BoundColumn } from "../../src/storage/manager.ts";
import { type Bench, bound, reopened } from "./storage_standard_support.ts";

/** A cell of the model: items of a typed array, or strings; null is undefined. */
type Cell = { shape: readonly number[]; items: unknown[] } | null;

/** Values that follow from a number, as items. */
function itemsOf(column: BoundColumn, elements: number, seed: number): unknown[] {
  const { dtype, maxLength } = column;
  const items = dtype === "complex64" || dtype === "complex128" ? 2 * elements : elements;
  let state = (seed * 2654435761 + 99) >>> 0;
  const next = () => state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Array.from({ length: items }, () => {
    const word = next();
    switch (dtype) {
      case "bool":
        return (word >>> 20) & 1;
      case "string": {
        const long = [0, 1, 3, 8, 9, 20, 57, 130, 400][(word >>> 8) % 9]!;
        return String.fromCharCode(97 + word % 26).repeat(maxLength > 0 ? Math.min(long, maxLength) : long);
      }
      case "int64":
        return BigInt.asIntN(64, BigInt(word) * 0x9e3779b97f4a7c15n);
      case "uint8":
        return word & 0xff;
      case "uint16":
        return word & 0xffff;
      case "int16":
        return (word << 16) >> 16;
      case "int32":
        return word | 0;
      case "uint32":
        return word;
      default:
        return Math.fround((word | 0) / 1024);
    }
  });
}

function zeros(column: BoundColumn, shape: readonly number[]): Cell {
  const { dtype } = column;
  const items = elementsOf(shape) * (dtype === "complex64" || dtype === "complex128" ? 2 : 1);
  const zero = dtype === "string" ? "" : dtype === "int64" ? 0n : 0;
  return { shape, items: new Array(items).fill(zero) };
}

/** What a cell is before anything is put. */
function unset(column: BoundColumn): Cell {
  if (column.kind === "scalar") return zeros(column, []);
  return column.shape === null ? null : zeros(column, column.shape);
}

const numeric = fc.constantFrom<NumericType[]>(...NUMERIC_TYPES);
const anyType = fc.oneof({ weight: 3, arbitrary: numeric }, {
  weight: 1,
  arbitrary: fc.constant("string" as const),
});
const shapes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 });

/** Any column that StandardStMan can hold. */
export const column: fc.Arbitrary<BoundColumn> = fc.oneof(
  anyType.map((dtype) => bound("scalar", dtype)),
  fc.integer({ min: 1, max: 12 }).map((maxLength) => bound("bounded", "string", { maxLength })),
  fc.constant(bound("text", "string")),
  fc.tuple(anyType, shapes, fc.boolean()).map(([dtype, shape, direct]) =>
    bound("fixed", dtype, { kind: "array", shape, direct })
  ),
  fc.tuple(anyType, fc.constantFrom(-1, 2)).map(([dtype, ndim]) =>
    bound("free", dtype, { kind: "array", ndim })
  ),
  fc.constant(bound("texts", "string", { kind: "array" })),
  fc.constant(bound("bytes", "uint8", { kind: "array", ndim: 1 })),
);

export type Action =
  | { do: "add"; count: number }
  | { do: "put"; column: number; rows: number[]; shape: number; seed: number }
  | { do: "putAll"; column: number; shape: number; seed: number }
  | { do: "box"; column: number; rows: number[]; start: number; step: number; seed: number }
  | { do: "setShape"; column: number; rows: number[]; shape: number }
  | { do: "remove"; from: number; count: number }
  | { do: "removeSome"; rows: number[] }
  | { do: "addColumn"; column: BoundColumn }
  | { do: "removeColumn"; column: number }
  | { do: "flush" }
  | { do: "reopen" };

const someRows = fc.array(fc.nat(), { minLength: 1, maxLength: 12 });
/** Changes of cells, and new rows. */
export const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ do: fc.constant("add" as const), count: fc.integer({ min: 1, max: 23 }) }),
  fc.record({
    do: fc.constant("put" as const),
    column: fc.nat(),
    rows: someRows,
    shape: fc.nat(),
    seed: fc.nat(),
  }),
  fc.record({ do: fc.constant("putAll" as const), column: fc.nat(), shape: fc.nat(), seed: fc.nat() }),
  fc.record({
    do: fc.constant("box" as const),
    column: fc.nat(),
    rows: someRows,
    start: fc.nat(),
    step: fc.integer({ min: 1, max: 3 }),
    seed: fc.nat(),
  }),
  fc.record({ do: fc.constant("setShape" as const), column: fc.nat(), rows: someRows, shape: fc.nat() }),
  fc.constant({ do: "flush" as const }),
  fc.constant({ do: "reopen" as const }),
);

/** Those, and changes of which rows and columns there are. */
export const anyAction: fc.Arbitrary<Action> = fc.oneof(
  { weight: 5, arbitrary: action },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("remove" as const), from: fc.nat(), count: fc.nat({ max: 40 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("removeSome" as const), rows: someRows }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("addColumn" as const), column }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("removeColumn" as const), column: fc.nat() }) },
);

/** Shapes for cells that may have any. */
const FREE_SHAPES = [[2, 3], [1, 1], [4, 2], [3, 3], [2, 0]];

/** A manager and what it should hold. */
export class Checked {
  bench: Bench;
  readonly #columns: BoundColumn[];
  readonly #cells: Cell[][];

  constructor(columns: readonly BoundColumn[], rows: number, bench: Bench) {
    this.#columns = [...columns];
    this.bench = bench;
    this.#cells = columns.map((column) => Array.from({ length: rows }, () => unset(column)));
  }

  apply(action: Action): void {
    if (action.do === "reopen") return this.#reopen();
    if (action.do === "flush") return void this.bench.flush();
    if (action.do === "remove" || action.do === "removeSome") return this.#removeRows(action);
    if (action.do === "addColumn") {
      this.bench.addColumn(action.column);
      this.#columns.push(action.column);
      this.#cells.push(Array.from({ length: this.bench.rows }, () => unset(action.column)));
      return this.#reopen();
    }
    if (action.do === "removeColumn") {
      if (this.#columns.length === 1) return;
      const index = action.column % this.#columns.length;
      this.bench.removeColumn(index);
      this.#columns.splice(index, 1);
      this.#cells.splice(index, 1);
      return this.#reopen();
    }
    if (action.do === "add") {
      this.bench.addRows(action.count);
      this.#cells.forEach((cells, i) => {
        for (let n = 0; n < action.count; n++) cells.push(unset(this.#columns[i]!));
      });
      return;
    }
    const index = action.column % this.#columns.length;
    const column = this.#columns[index]!, cells = this.#cells[index]!;
    if (this.bench.rows === 0) return;
    if (action.do === "putAll") {
      return this.#put(index, rowRange(0, this.bench.rows), action.shape, action.seed);
    }
    const rows = rowList(action.rows.map((row) => row % this.bench.rows));
    if (action.do === "put") return this.#put(index, rows, action.shape, action.seed);
    if (action.do === "box") return this.#box(index, rows, action);
    const shape = this.#shape(column, action.shape, true);
    this.bench.setShape(index, shape, rows);
    for (let i = 0; i < rows.length; i++) cells[rows.at(i)] = shape === null ? null : zeros(column, shape);
  }

  /** Flushes and opens anew. Nothing in the files may be wrong. */
  #reopen(): void {
    this.bench = reopened(this.bench, this.#columns);
    const wrong = this.bench.findings();
    assert.deepEqual(wrong, []);
  }

  #removeRows(action: Action & { do: "remove" | "removeSome" }): void {
    const total = this.bench.rows;
    if (total === 0) return;
    const from = action.do === "remove" ? action.from % total : 0;
    const gone = action.do === "remove"
      ? Array.from({ length: Math.min(action.count, total - from) }, (_, i) => from + i)
      : [...new Set(action.rows.map((row) => row % total))].sort((a, b) => a - b);
    this.bench.removeRows(action.do === "remove" ? rowRange(from, gone.length) : rowList(gone));
    const left = new Set(gone);
    this.#cells.forEach((cells, i) => this.#cells[i] = cells.filter((_, row) => !left.has(row)));
  }

  /** A shape that cells can be given. */
  #shape(column: BoundColumn, pick: number, orNone = false): readonly number[] | null {
    if (column.kind === "scalar") return [];
    if (column.shape !== null) return column.shape;
    if (orNone && pick % 3 === 0) return null;
    const free = FREE_SHAPES[pick % FREE_SHAPES.length]!;
    return column.ndim === 1 ? [elementsOf(free)] : free;
  }

  #put(index: number, rows: Rows, pick: number, seed: number): void {
    const column = this.#columns[index]!;
    const shape = this.#shape(column, pick)!;
    const all: unknown[] = [];
    for (let i = 0; i < rows.length; i++) {
      const items = itemsOf(column, elementsOf(shape), seed + i);
      all.push(...items);
      this.#cells[index]![rows.at(i)] = { shape, items };
    }
    this.bench.put(index, all, { rows, shape });
  }

  /** Puts a box into cells that have one shape. */
  #box(index: number, rows: Rows, action: { start: number; step: number; seed: number }): void {
    const column = this.#columns[index]!, cells = this.#cells[index]!;
    const first = cells[rows.at(0)];
    if (first === null || first === undefined || column.kind === "scalar" || elementsOf(first.shape) === 0) {
      return;
    }
    const list: number[] = [];
    for (let i = 0; i < rows.length; i++) {
      if (cells[rows.at(i)]?.shape.join() === first.shape.join()) list.push(rows.at(i));
    }
    const same = rowList(list);
    const start = first.shape.map((length) => action.start % length);
    const step = first.shape.map((_, axis) => axis === 0 ? action.step : 1);
    const shape = first.shape.map((length, axis) =>
      Math.floor((length - 1 - start[axis]!) / step[axis]!) + 1
    );
    const box: Box = { start, shape, step };
    const positions = positionsOf(first.shape, box);
    const parts = first.items.length / elementsOf(first.shape);
    const all: unknown[] = [];
    for (let i = 0; i < same.length; i++) {
      const items = itemsOf(column, positions.length, action.seed + i);
      all.push(...items);
      const cell = cells[same.at(i)]!;
      const changed = [...cell!.items];
      positions.forEach((position, k) => {
        for (let p = 0; p < parts; p++) changed[position * parts + p] = items[k * parts + p];
      });
      cells[same.at(i)] = { shape: first.shape, items: changed };
    }
    this.bench.put(index, all, { rows: same, shape: first.shape, box });
    const found = this.bench.box(index, same, first.shape, box);
    const expected = list.flatMap((row) =>
      positions.flatMap((position) => cells[row]!.items.slice(position * parts, (position + 1) * parts))
    );
    assert.deepEqual(found, expected);
  }

  check(): void {
    this.#columns.forEach((column, index) => {
      const cells = this.bench.cells(index);
      const expected = this.#cells[index]!.map((cell) => printed(column, cell));
      assert.deepEqual(cells, expected, `column ${index} (${column.name}, ${column.dtype})`);
    });
  }
}

function positionsOf(shape: readonly number[], box: Box): number[] {
  return Array.from({ length: elementsOf(box.shape) }, (_, n) => {
    let rest = n, position = 0, stride = 1;
    shape.forEach((length, axis) => {
      const k = rest % box.shape[axis]!;
      rest = (rest - k) / box.shape[axis]!;
      position += (box.start[axis]! + k * box.step[axis]!) * stride;
      stride *= length;
    });
    return position;
  });
}

function printed(column: BoundColumn, cell: Cell): unknown {
  if (cell === null) return null;
  const data = cell.items.map((item) => {
    if (typeof item === "bigint") {
      return item >= -(2n ** 53n) && item <= 2n ** 53n ? Number(item) : String(item);
    }
    return column.dtype === "bool" ? item !== 0 : item;
  });
  if (column.kind === "array") return { shape: [...cell.shape], data };
  return data.length === 2 ? data : data[0];
}
