/**
 * A model of the columns of a tiled manager, and random actions on both. Every cell is kept as an array of bytes.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { NUMERIC_TYPES, numericInfo, type NumericType } from "../../src/array/dtype.ts";
import { type Box, elementsOf, rowList, rowRange, type Rows } from "../../src/array/rows.ts";
import { AipsReader } from "../../src/format/aipsio.ts";
import { runSync } from "../../src/io/drivers.ts";
import type { StorageManager } from "../../src/storage/manager.ts";
import { readTiledHeader } from "../../src/storage/tiled/header.ts";
import {
  addRows,
  type contextOf,
  encodeCube,
  flush,
  type MemoryAccess,
  readCells,
  refused,
  someBytes,
  writeCells,
} from "./storage_tiled_support.ts";

/** Cells as bytes; undefined cells are null. */
export type Cells = ({ shape: readonly number[]; bytes: Uint8Array } | null)[];

export const dtypes = fc.array(fc.constantFrom<NumericType[]>(...NUMERIC_TYPES), {
  minLength: 1,
  maxLength: 4,
});
export const cellShape = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 });

/** Rows below `count` as a caller may give them. */
export function rowsBelow(count: number): fc.Arbitrary<Rows> {
  const row = fc.nat({ max: count - 1 });
  return fc.oneof(
    fc.tuple(row, row).map(([a, b]) => rowRange(Math.min(a, b), Math.abs(a - b) + 1)),
    fc.tuple(row, fc.integer({ min: 1, max: 7 })).map(([a, step]) =>
      rowRange(a, Math.floor((count - 1 - a) / step) + 1, step)
    ),
    fc.tuple(row, fc.integer({ min: 1, max: 3 })).map(([a, step]) =>
      rowRange(a, Math.floor(a / step) + 1, -step)
    ),
    fc.array(row, { minLength: 1, maxLength: 40 }).map((list) => rowList(list)),
    fc.subarray([...Array(count).keys()], { minLength: 1 }).map((list) => rowList(list)),
  );
}

/** A box of a cell; null: all of it. */
export function boxIn(shape: readonly number[]): fc.Arbitrary<Box | null> {
  const axes = shape.map((length) =>
    fc.tuple(fc.nat({ max: length - 1 }), fc.integer({ min: 1, max: 3 }), fc.nat()).map(
      ([start, step, n]) => {
        const most = Math.floor((length - 1 - start) / step) + 1;
        return { start, step, count: 1 + n % most };
      },
    )
  );
  const box = fc.tuple(...axes).map((parts) => ({
    start: parts.map((part) => part.start),
    shape: parts.map((part) => part.count),
    step: parts.map((part) => part.step),
  }));
  return fc.oneof(fc.constant(null), box);
}

/** Element numbers of a box in a cell. */
function elementsIn(box: Box | null, shape: readonly number[]): number[] {
  const counts = box?.shape ?? shape;
  return Array.from({ length: elementsOf(counts) }, (_, n) => {
    let rest = n, element = 0, stride = 1;
    shape.forEach((length, a) => {
      const k = rest % counts[a]!;
      rest = (rest - k) / counts[a]!;
      element += ((box?.start[a] ?? 0) + k * (box?.step[a] ?? 1)) * stride;
      stride *= length;
    });
    return element;
  });
}

export function expectedCells(cells: Cells, rows: Rows, box: Box | null, dtype: NumericType): Uint8Array {
  const { size } = numericInfo(dtype);
  const parts: number[] = [];
  for (let i = 0; i < rows.length; i++) {
    const cell = cells[rows.at(i)]!;
    for (const e of elementsIn(box, cell.shape)) parts.push(...cell.bytes.subarray(e * size, (e + 1) * size));
  }
  return Uint8Array.from(parts);
}

/** A column under test and what it should hold. */
export interface Tested {
  readonly dtype: NumericType;
  readonly cells: Cells;
}

export type Action =
  | { kind: "add"; count: number }
  | { kind: "write"; column: number; rows: readonly number[]; shape: number; seed: number }
  | { kind: "box"; column: number; row: number; seed: number; pick: number }
  | { kind: "shape"; rows: readonly number[]; shape: number }
  /** Cells of one shape, in stretches of `chunk` rows from the first to that of `share`, in percent; each read before it is written if `reads`. */
  | {
    kind: "sweep";
    column: number;
    shape: number;
    chunk: number;
    share: number;
    reads: boolean;
    seed: number;
  }
  | { kind: "flush" }
  | { kind: "reopen" }
  | { kind: "discard"; orphans: boolean };

/** A put of a column in stretches. */
export const sweep: fc.Arbitrary<Action> = fc.record({
  kind: fc.constant("sweep" as const),
  column: fc.nat(),
  shape: fc.nat(),
  chunk: fc.integer({ min: 1, max: 20 }),
  share: fc.constantFrom(30, 70, 100, 100),
  reads: fc.boolean(),
  seed: fc.nat(),
});

export const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant("add" as const), count: fc.integer({ min: 1, max: 12 }) }),
    fc.record({
      kind: fc.constant("write" as const),
      column: fc.nat(),
      rows: fc.oneof(
        fc.array(fc.nat(), { minLength: 1, maxLength: 20 }),
        fc.tuple(fc.nat({ max: 20 }), fc.integer({ min: 1, max: 20 })).map(([from, n]) =>
          Array.from({ length: n }, (_, i) => from + i)
        ),
      ),
      shape: fc.nat(),
      seed: fc.nat(),
    }),
    sweep,
    fc.record({
      kind: fc.constant("box" as const),
      column: fc.nat(),
      row: fc.nat(),
      seed: fc.nat(),
      pick: fc.nat(),
    }),
    fc.record({
      kind: fc.constant("shape" as const),
      rows: fc.array(fc.nat(), { minLength: 1, maxLength: 5 }),
      shape: fc.nat(),
    }),
    fc.constant({ kind: "flush" as const }),
    fc.constant({ kind: "reopen" as const }),
    fc.record({ kind: fc.constant("discard" as const), orphans: fc.boolean() }),
  ),
  { minLength: 1, maxLength: 25 },
);

/** A cell without values reads as zeros. */
export function zeros(shape: readonly number[], dtype: NumericType): Uint8Array {
  return new Uint8Array(elementsOf(shape) * numericInfo(dtype).size);
}

export function checkAll(manager: StorageManager, columns: readonly Tested[], access: MemoryAccess): void {
  columns.forEach(({ dtype, cells }, index) => {
    const column = manager.column(index);
    if (cells.length === 0) return;
    const runs = runSync(column.shapes(rowRange(0, cells.length)), access);
    const shapes = runs.flatMap(({ count, shape }) => Array.from({ length: count }, () => shape));
    assert.deepEqual(shapes, cells.map((cell) => cell?.shape ?? null));
    const byShape = new Map<string, number[]>();
    cells.forEach((cell, row) => {
      if (cell === null) return;
      const key = cell.shape.join();
      byShape.set(key, [...byShape.get(key) ?? [], row]);
    });
    for (const rows of byShape.values()) {
      const list = rowList(rows.reverse());
      const found = readCells(manager, index, dtype, list, cells[rows[0]!]!.shape, access);
      assert.deepEqual(found, expectedCells(cells, list, null, dtype));
    }
  });
}

export function runActions(
  manager: StorageManager,
  columns: readonly Tested[],
  shapes: readonly (readonly number[])[],
  list: readonly Action[],
  access: MemoryAccess,
  reopen: (rows: number) => StorageManager,
  options: { changes?: boolean } = {},
): StorageManager {
  const rowCount = () => columns[0]!.cells.length;
  let saved: Cells[] = [];
  const commit = () => {
    flush(manager, access);
    access.commit();
    saved = columns.map(({ cells }) => [...cells]);
  };
  commit();
  for (const action of list) {
    switch (action.kind) {
      case "add":
        addRows(manager, access, action.count);
        for (const { cells, dtype } of columns) {
          for (let i = 0; i < action.count; i++) {
            cells.push(shapes.length === 1 ? { shape: shapes[0]!, bytes: zeros(shapes[0]!, dtype) } : null);
          }
        }
        break;
      case "write":
      case "shape": {
        if (rowCount() === 0) break;
        const shape = shapes[action.shape % shapes.length]!;
        const rows = action.rows.map((row) => row % rowCount());
        const selected = action.kind === "write" ? action.column % columns.length : 0;
        const { dtype, cells } = columns[selected]!;
        const bytes = action.kind === "write"
          ? someBytes(dtype, elementsOf(shape) * rows.length, action.seed)
          : new Uint8Array(0);
        const clash = rows.some((row) => cells[row] !== null && cells[row]!.shape !== shape);
        const column = manager.column(selected);
        const plan = () =>
          action.kind === "write"
            ? column.write!(rowList(rows), shape, null, { kind: "numeric", bytes }, 0)
            : column.setShape!(rowList(rows), shape);
        if (clash && options.changes !== true) {
          refused(plan, access, "SHAPE_MISMATCH", /cell of row \d+ has shape/);
          break;
        }
        runSync(plan(), access);
        rows.forEach((row, i) => {
          for (const each of columns) {
            if (each.cells[row]?.shape === shape) continue;
            each.cells[row] = { shape, bytes: zeros(shape, each.dtype) };
          }
          if (action.kind === "write") {
            const size = elementsOf(shape) * numericInfo(dtype).size;
            cells[row] = { shape, bytes: bytes.slice(i * size, (i + 1) * size) };
          }
        });
        break;
      }
      case "box": {
        if (rowCount() === 0) break;
        const { dtype, cells } = columns[action.column % columns.length]!;
        const row = action.row % rowCount(), cell = cells[row];
        if (cell === null || cell === undefined) break;
        const rows = cells.flatMap((other, r) =>
          other?.shape === cell.shape && (r + action.pick) % 3 > 0 ? [r] : []
        );
        if (rows.length === 0) break;
        const box = fc.sample(boxIn(cell.shape), { seed: action.seed, numRuns: 1 })[0]!;
        const { size } = numericInfo(dtype);
        const elements = elementsIn(box, cell.shape);
        const bytes = someBytes(dtype, elements.length * rows.length, action.seed);
        writeCells(
          manager,
          action.column % columns.length,
          rowList(rows),
          cell.shape,
          bytes,
          access,
          box as never,
        );
        rows.forEach((r, i) => {
          const changed = cells[r]!.bytes.slice();
          elements.forEach((e, k) => {
            const from = (i * elements.length + k) * size;
            changed.set(bytes.subarray(from, from + size), e * size);
          });
          cells[r] = { shape: cell.shape, bytes: changed };
        });
        break;
      }
      case "sweep": {
        const selected = action.column % columns.length, { dtype, cells } = columns[selected]!;
        const shape = shapes[action.shape % shapes.length]!;
        const own = cells.flatMap((cell, row) => cell?.shape === shape ? [row] : []);
        const end = Math.ceil(own.length * action.share / 100);
        const size = elementsOf(shape) * numericInfo(dtype).size;
        for (let at = 0; at < end; at += action.chunk) {
          const rows = own.slice(at, Math.min(end, at + action.chunk)), list = rowList(rows);
          if (action.reads) {
            const found = readCells(manager, selected, dtype, list, shape, access);
            assert.deepEqual(found, expectedCells(cells, list, null, dtype));
          }
          const bytes = someBytes(dtype, elementsOf(shape) * rows.length, action.seed + at);
          writeCells(manager, selected, list, shape, bytes, access);
          rows.forEach((row, k) => cells[row] = { shape, bytes: bytes.slice(k * size, (k + 1) * size) });
        }
        break;
      }
      case "flush":
        commit();
        break;
      case "reopen":
        commit();
        manager = reopen(rowCount());
        break;
      case "discard":
        access.discard(action.orphans);
        columns.forEach(({ cells }, i) => cells.splice(0, cells.length, ...saved[i]!));
        manager = reopen(rowCount());
        break;
    }
  }
  return manager;
}

/** The data files are what the simple encoder makes of the cells that the header says are in them. */
export function checkFiles(
  access: MemoryAccess,
  columns: readonly Tested[],
  bigEndian: boolean,
  context: ReturnType<typeof contextOf>,
) {
  const r = new AipsReader(access.bytes("table.f0"), { file: "table.f0" });
  r.root();
  if (context.type === "TiledColumnStMan") r.iposition();
  const { cubes } = readTiledHeader(r, context);
  let maps: Uint32Array[] = [
    Uint32Array.of(context.rowCount - 1),
    Uint32Array.of(0),
    Uint32Array.of(context.rowCount - 1),
  ];
  if (context.type === "TiledShapeStMan") {
    r.iposition();
    r.u32();
    maps = [r.blockU32(), r.blockU32(), r.blockU32()];
  }
  cubes.forEach((cube, number) => {
    if (!cube.hasShape) return;
    const data = columns.map(({ dtype, cells }) => {
      const size = elementsOf(cube.shape.slice(0, -1)) * numericInfo(dtype).size;
      const bytes = new Uint8Array(size * cube.lastLength);
      maps[0]!.forEach((last, i) => {
        if (maps[1]![i] !== number) return;
        const first = i === 0 ? 0 : maps[0]![i - 1]! + 1;
        for (let row = first; row <= last; row++) {
          bytes.set(cells[row]!.bytes, (maps[2]![i]! - (last - row)) * size);
        }
      });
      return { dtype, bytes };
    });
    const file = access.bytes(`table.f0_TSM${cube.file}`);
    assert.deepEqual(file, encodeCube(cube.shape, cube.tileShape, data, bigEndian));
  });
}
