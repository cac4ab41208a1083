/**
 * Damaged files of tiled managers: every access gives values or a TableError, and no more memory is asked for than the
 * files are worth.
 */
import assert from "node:assert/strict";
import { isNumeric, numericInfo } from "../../src/array/dtype.ts";
import { elementsOf, rowRange } from "../../src/array/rows.ts";
import { TableError } from "../../src/error.ts";
import { runSync } from "../../src/io/drivers.ts";
import type { ManagerContext, ManagerKind } from "../../src/storage/manager.ts";
import { tiledCellStMan } from "../../src/storage/tiled/cell.ts";
import { tiledColumnStMan } from "../../src/storage/tiled/column.ts";
import { tiledDataStMan } from "../../src/storage/tiled/data.ts";
import { tiledShapeStMan } from "../../src/storage/tiled/shape.ts";
import { cellTable, dataTable } from "./storage_tiled_made.ts";
import {
  bound,
  contextOf,
  create,
  flush,
  hypercolumn,
  MemoryAccess,
  open,
  someBytes,
  writeCells,
} from "./storage_tiled_support.ts";

const DAMAGES_EACH = 500;

interface Made {
  readonly kind: ManagerKind;
  readonly context: ManagerContext;
  readonly access: MemoryAccess;
}

function shapeTable(): Made {
  const access = new MemoryAccess();
  const columns = [bound("D", "float32", { ndim: 2 }), bound("F", "bool", { ndim: 2 })];
  const context = contextOf("TiledShapeStMan", columns, 9);
  const manager = create(tiledShapeStMan, context, access, { tileShape: [2, 2, 2] });
  for (const row of [0, 1, 4, 3, 8]) {
    writeCells(
      manager,
      0,
      rowRange(row, 1),
      row % 2 ? [2, 3] : [3, 1],
      someBytes("float32", row % 2 ? 6 : 3, row),
      access,
    );
  }
  flush(manager, access);
  return { kind: tiledShapeStMan, context, access };
}

function columnTable(): Made {
  const access = new MemoryAccess();
  const columns = [
    bound("D", "int16", { shape: [5] }),
    bound("x", "float64", { ndim: 1 }),
    bound("t", "complex64", { kind: "scalar" }),
  ];
  const context = contextOf("TiledColumnStMan", columns, 7, {
    bigEndian: true,
    privateKeywords: hypercolumn("HC", 2, ["D"], ["x", "t"]),
  });
  const manager = create(tiledColumnStMan, context, access, { tileShape: [3, 2] });
  writeCells(manager, 0, rowRange(0, 7), [5], someBytes("int16", 35, 1), access);
  flush(manager, access);
  return { kind: tiledColumnStMan, context, access };
}

/** Random numbers that are the same in every run. */
function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

/** A file with one damage. */
function damaged(bytes: Uint8Array, next: (below: number) => number): Uint8Array {
  const copy = bytes.slice();
  switch (next(5)) {
    case 0:
      copy[next(copy.length)]! ^= 1 << next(8);
      return copy;
    case 1:
      return copy.subarray(0, next(copy.length));
    case 2: {
      const at = next(copy.length);
      for (let i = at; i < Math.min(copy.length, at + 1 + next(16)); i++) copy[i] = next(256);
      return copy;
    }
    case 3:
      // Whole words of the values that are the worst for counts, lengths and offsets.
      if (copy.length < 4) return copy;
      new DataView(copy.buffer).setUint32(
        next(copy.length - 3),
        [0, 1, 0x7fffffff, 0x80000000, 0xffffffff][next(5)]!,
      );
      return copy;
    default: {
      const longer = new Uint8Array(copy.length + 4);
      const at = next(copy.length);
      longer.set(copy.subarray(0, at));
      longer.set(copy.subarray(at), at + 4);
      return longer;
    }
  }
}

/** Reads and changes everything; gives the error that ended it, if there was one. */
function use({ kind, context, access }: Made): TableError | null {
  try {
    const manager = open(kind, context, access);
    const fileBytes = [...access.files.values()].reduce((sum, { length }) => sum + length, 0);
    manager.info;
    context.columns.forEach((column, index) => {
      const managed = manager.column(index);
      assert.ok(!(managed.bytesOnDisk?.()! < 0));
      managed.tileShape;
      let row = 0;
      for (const { count, shape } of runSync(managed.shapes(rowRange(0, context.rowCount)), access)) {
        if (shape !== null) {
          const elements = elementsOf(shape) * count;
          const size = isNumeric(column.dtype) ? numericInfo(column.dtype).size : 1;
          assert.ok(elements * size / 8 <= context.rowCount * (fileBytes + 64), `${elements} elements`);
          const target = isNumeric(column.dtype)
            ? { kind: "numeric" as const, bytes: new Uint8Array(elements * size) }
            : { kind: "strings" as const, values: [], decode: () => "" };
          runSync(managed.read(rowRange(row, count), shape, null, target, 0), access);
          if (managed.write && target.kind === "numeric") {
            runSync(managed.write(rowRange(row, count), shape, null, target, 0), access);
          }
        }
        row += count;
      }
      assert.equal(row, context.rowCount);
    });
    if (manager.addRows) runSync(manager.addRows(3), access);
    if (manager.flush) runSync(manager.flush(), access);
    return null;
  } catch (error) {
    assert.ok(error instanceof TableError, String((error as Error).stack));
    assert.ok(
      error.code === "CORRUPT" || error.code === "UNSUPPORTED" || error.code === "LIMIT" ||
        error.code === "OUT_OF_RANGE",
      error.message,
    );
    return error;
  }
}

for (
  const [name, make] of [
    ["TiledShapeStMan", shapeTable],
    ["TiledColumnStMan", columnTable],
    ["TiledCellStMan", (): Made => ({ kind: tiledCellStMan, ...cellTable() })],
    ["TiledDataStMan", (): Made => ({ kind: tiledDataStMan, ...dataTable() })],
  ] as const
) {
  Deno.test(`a damaged ${name} gives values or a TableError`, () => {
    assert.equal(use(make()), null, "the table is whole at first");
    const original = make();
    const files = [...original.access.files.keys()].sort();
    const next = random(name.length * 7919);
    let refused = 0;
    for (let i = 0; i < DAMAGES_EACH; i++) {
      const access = new MemoryAccess();
      for (const [file, bytes] of original.access.files) access.files.set(file, bytes);
      // The header is what damage can do most in.
      const file = next(4) === 0 ? files[next(files.length)]! : "table.f0";
      access.files.set(file, damaged(access.bytes(file), next));
      if (use({ ...original, access }) !== null) refused++;
    }
    // Few bytes of a header can be anything.
    assert.ok(refused > DAMAGES_EACH / 3, `${refused} of ${DAMAGES_EACH} were noticed`);
  });
}
