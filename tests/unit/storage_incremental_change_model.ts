/**
 * A model of an IncrementalStMan, which keeps every cell as an array, and random changes to both. What is put in a row
 * behind all that were put before holds for the rows behind it, too; rows that are added have the values of the last.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { NUMERIC_TYPES } from "../../src/array/dtype.ts";
import { type Box, elementsOf, rowList, rowRange, type Rows } from "../../src/array/rows.ts";
import type { BoundColumn } from "../../src/storage/manager.ts";
import { type Bench, bound, reopened } from "./storage_standard_support.ts";

/** A cell of the model: items of a typed array, or strings; null is undefined. */
export type Cell = { shape: readonly number[]; items: unknown[] } | null;

function parts({ dtype }: BoundColumn): number {
  return dtype === "complex64" || dtype === "complex128" ? 2 : 1;
}

/** Values that follow from a number, as items. Few different ones, so that neighbours are often equal. */
function itemsOf(column: BoundColumn, elements: number, seed: number): unknown[] {
  const { dtype } = column;
  let state = (seed % 7 * 2654435761 + 99) >>> 0;
  return Array.from({ length: parts(column) * elements }, () => {
    const word = state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    switch (dtype) {
      case "bool":
        return (word >>> 20) & 1;
      case "string":
        return String.fromCharCode(97 + word % 26).repeat([0, 1, 3, 8, 9, 20, 30][(word >>> 8) % 7]!);
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
  const zero = column.dtype === "string" ? "" : column.dtype === "int64" ? 0n : 0;
  return { shape, items: new Array(elementsOf(shape) * parts(column)).fill(zero) };
}

function unset(column: BoundColumn): Cell {
  if (column.kind === "scalar") return zeros(column, []);
  return column.shape === null ? null : zeros(column, column.shape);
}

const anyType = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...NUMERIC_TYPES) },
  { weight: 1, arbitrary: fc.constant("string" as const) },
);
const shapes = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 });

/** Any column that an IncrementalStMan can hold. */
export const column: fc.Arbitrary<BoundColumn> = fc.oneof(
  anyType.map((dtype) => bound("scalar", dtype)),
  fc.tuple(anyType, shapes.filter((shape) => elementsOf(shape) <= 9), fc.boolean()).map(
    ([dtype, shape, direct]) => bound("fixed", dtype, { kind: "array", shape, direct }),
  ),
  fc.tuple(anyType, fc.constantFrom(-1, 2)).map(([dtype, ndim]) =>
    bound("free", dtype, { kind: "array", ndim })
  ),
);

export type Action =
  | { do: "add"; count: number }
  | { do: "put"; column: number; rows: number[]; shape: number; seed: number }
  | { do: "range"; column: number; from: number; count: number; shape: number; seed: number; each: number }
  | { do: "each"; column: number; from: number; count: number; seed: number }
  | { do: "box"; column: number; rows: number[]; start: number; step: number; seed: number }
  | { do: "setShape"; column: number; rows: number[]; shape: number }
  | { do: "remove"; from: number; count: number }
  | { do: "removeSome"; rows: number[] }
  | { do: "addColumn"; column: BoundColumn }
  | { do: "removeColumn"; column: number }
  | { do: "flush" }
  | { do: "reopen" };

const someRows = fc.array(fc.nat(), { minLength: 1, maxLength: 12 });

/** Changes of cells, and rows that come and go. */
export const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ do: fc.constant("add" as const), count: fc.integer({ min: 1, max: 30 }) }),
  fc.record({
    do: fc.constant("put" as const),
    column: fc.nat(),
    rows: someRows,
    shape: fc.nat(),
    seed: fc.nat(),
  }),
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("range" as const),
      column: fc.nat(),
      from: fc.nat(),
      count: fc.nat({ max: 100 }),
      shape: fc.nat(),
      seed: fc.nat(),
      each: fc.integer({ min: 1, max: 4 }),
    }),
  },
  fc.record({
    do: fc.constant("each" as const),
    column: fc.nat(),
    from: fc.nat({ max: 3 }),
    count: fc.nat({ max: 60 }),
    seed: fc.nat(),
  }),
  fc.record({
    do: fc.constant("box" as const),
    column: fc.nat(),
    rows: someRows,
    start: fc.nat(),
    step: fc.integer({ min: 1, max: 3 }),
    seed: fc.nat(),
  }),
  fc.record({ do: fc.constant("setShape" as const), column: fc.nat(), rows: someRows, shape: fc.nat() }),
  fc.record({ do: fc.constant("remove" as const), from: fc.nat(), count: fc.nat({ max: 60 }) }),
  fc.record({ do: fc.constant("removeSome" as const), rows: someRows }),
  fc.constant({ do: "flush" as const }),
  fc.constant({ do: "reopen" as const }),
);

/** Those, and columns that come and go. */
export const anyAction: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: action },
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
  /** For each column the row after the last that was put. */
  readonly #putEnd: number[];

  constructor(columns: readonly BoundColumn[], rows: number, bench: Bench) {
    this.#columns = [...columns];
    this.bench = bench;
    this.#cells = columns.map((column) => Array.from({ length: rows }, () => unset(column)));
    this.#putEnd = columns.map(() => 0);
  }

  apply(action: Action): void {
    const { bench } = this;
    switch (action.do) {
      case "reopen":
        return this.#reopen();
      case "flush":
        return void bench.flush();
      case "remove":
      case "removeSome":
        return this.#removeRows(action);
      case "addColumn":
        bench.addColumn(action.column);
        this.#columns.push(action.column);
        this.#cells.push(Array.from({ length: bench.rows }, () => unset(action.column)));
        return this.#reopen();
      case "removeColumn": {
        if (this.#columns.length === 1) return;
        const index = action.column % this.#columns.length;
        bench.removeColumn(index);
        this.#columns.splice(index, 1);
        this.#cells.splice(index, 1);
        return this.#reopen();
      }
      case "add":
        bench.addRows(action.count);
        this.#cells.forEach((cells, i) => {
          const last = cells.length > 0 ? cells.at(-1)! : unset(this.#columns[i]!);
          for (let n = 0; n < action.count; n++) cells.push(last);
        });
        return;
    }
    if (bench.rows === 0) return;
    const index = action.column % this.#columns.length, column = this.#columns[index]!;
    if (action.do === "range") {
      const from = action.from % bench.rows;
      const rows = rowRange(from, Math.min(action.count, bench.rows - from));
      return this.#put(index, rows, action.shape, (i) => action.seed + Math.floor(i / action.each));
    }
    if (action.do === "each") {
      // One row after the other, from the first on, as a program that fills a table.
      for (let row = action.from; row < Math.min(bench.rows, action.from + action.count); row++) {
        this.#put(index, rowRange(row, 1), action.seed, () => action.seed + row);
      }
      return;
    }
    const rows = rowList(action.rows.map((row) => row % bench.rows));
    if (action.do === "put") return this.#put(index, rows, action.shape, (i) => action.seed + i);
    if (action.do === "box") return this.#box(index, rows, action);
    const shape = column.kind === "scalar"
      ? []
      : column.shape ?? [null, ...FREE_SHAPES][action.shape % (FREE_SHAPES.length + 1)]!;
    bench.setShape(index, shape, rows);
    for (let i = 0; i < rows.length; i++) {
      this.#set(index, rows.at(i), shape === null ? null : zeros(column, shape));
    }
  }

  /** What a put of one cell changes. */
  #set(index: number, row: number, cell: Cell): void {
    const cells = this.#cells[index]!;
    if (row < this.#putEnd[index]!) cells[row] = cell;
    else {
      cells.fill(cell, row);
      this.#putEnd[index] = row + 1;
    }
  }

  /** Flushes and opens anew. Nothing in the files may be wrong. */
  #reopen(): void {
    this.bench = reopened(this.bench, this.#columns);
    this.#columns.forEach((_, i) => this.#putEnd[i] = this.bench.rows);
    this.#putEnd.length = this.#columns.length;
    assert.deepEqual(this.bench.findings(), []);
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
    this.#cells.forEach((cells, i) => {
      this.#cells[i] = cells.filter((_, row) => !left.has(row));
      this.#putEnd[i]! -= gone.filter((row) => row < this.#putEnd[i]!).length;
    });
  }

  #put(index: number, rows: Rows, choice: number, seedOf: (i: number) => number): void {
    const column = this.#columns[index]!;
    const shape = column.kind === "scalar" ? [] : column.shape ?? FREE_SHAPES[choice % FREE_SHAPES.length]!;
    const cells = Array.from(
      { length: rows.length },
      (_, i) => itemsOf(column, elementsOf(shape), seedOf(i)),
    );
    this.bench.put(index, cells.flat(), { rows, shape });
    cells.forEach((items, i) => this.#set(index, rows.at(i), { shape, items }));
  }

  #box(index: number, rows: Rows, action: Action & { do: "box" }): void {
    const column = this.#columns[index]!;
    const first = this.#cells[index]![rows.at(0)]!;
    if (first === null || column.kind === "scalar" || elementsOf(first.shape) === 0) return;
    const { shape } = first;
    // Rows of one shape alone can be put at once.
    const same = [];
    for (let i = 0; i < rows.length; i++) {
      if (String(this.#cells[index]![rows.at(i)]?.shape) === String(shape)) same.push(rows.at(i));
    }
    const selected = rowList(same);
    const start = shape.map((length) => action.start % length);
    const box: Box = {
      start,
      step: shape.map(() => action.step),
      shape: shape.map((length, axis) => Math.ceil((length - start[axis]!) / action.step)),
    };
    const n = elementsOf(box.shape);
    const parts_ = same.map((_, i) => itemsOf(column, n, action.seed + i));
    this.bench.put(index, parts_.flat(), { rows: selected, shape, box });
    const each = parts(column);
    same.forEach((row, i) => {
      const items = [...this.#cells[index]![row]!.items];
      const position = box.shape.map(() => 0);
      for (let k = 0; k < n; k++) {
        let to = 0, stride = 1;
        shape.forEach((length, axis) => {
          to += (box.start[axis]! + position[axis]! * box.step[axis]!) * stride;
          stride *= length;
        });
        for (let p = 0; p < each; p++) items[to * each + p] = parts_[i]![k * each + p];
        for (let a = 0; a < position.length && ++position[a]! === box.shape[a]; a++) position[a] = 0;
      }
      this.#set(index, row, { shape, items });
    });
  }

  /** Compares all cells. */
  check(): void {
    assert.equal(this.bench.manager.rowCount, this.bench.rows);
    this.#columns.forEach((column, index) => {
      const cells = this.#cells[index]!;
      assert.equal(cells.length, this.bench.rows);
      const found = this.bench.cells(index);
      const expected = cells.map((cell) => printed(column, cell));
      assert.deepEqual(found, expected, `column ${index}, ${column.name} ${column.dtype}`);
    });
  }
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
