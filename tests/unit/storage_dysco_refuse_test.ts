/**
 * DyscoStMan: what is refused, with nothing changed; rows that are removed; antennas that are written after the data.
 */
import assert from "node:assert/strict";
import {
  array,
  type ColumnSpec,
  Context,
  dysco,
  type DyscoOptions,
  scalar,
  standard,
  Table,
} from "../../mod.ts";
import { bytesOf } from "../../src/array/dtype.ts";
import { rowList, rowRange } from "../../src/array/rows.ts";
import { openBackend } from "../../src/io/backends.ts";
import { runSync } from "../../src/io/drivers.ts";
import { TableFiles } from "../../src/io/files.ts";
import { MemoryFile } from "../../src/io/memory-backend.ts";
import { DyscoManager } from "../../src/storage/dysco/manager.ts";
import { readOptions } from "../../src/storage/dysco/options.ts";
import { dyscoStMan } from "../../src/storage/dysco/mod.ts";
import type { BoundColumn, ManagerContext, SourceColumn, StorageManager } from "../../src/storage/manager.ts";
import { boundColumn, contextOf } from "./storage_managed_support.ts";

const KEYS = [
  scalar("TIME", "float64"),
  ...["ANTENNA1", "ANTENNA2", "FIELD_ID", "DATA_DESC_ID"].map((name) => scalar(name, "int32")),
];
const DATA = array("DATA", "complex64", { shape: [2, 3], direct: true });

function create(
  context: Context,
  options: DyscoOptions,
  rows: number,
  columns: readonly ColumnSpec[],
): Table {
  const taken = columns.filter(({ kind }) => kind === "array").map(({ name }) => name);
  return Table.create("/t", {
    columns: [...columns],
    storage: [dysco("Dysco", taken, options), standard()],
    rows,
    io: "memory",
    context,
  });
}

Deno.test("tables that casacore could not make, fill or open again are not made, and nothing is left behind", () => {
  const refused = (options: object, columns: readonly ColumnSpec[], message: RegExp) => {
    const context = new Context();
    const run = () => create(context, options as DyscoOptions, 3, columns);
    assert.throws(run, { name: "TableError", code: "INVALID_ARGUMENT", message });
    assert.deepEqual([...context.memory.files.keys()], []);
  };
  const good = [DATA, ...KEYS];
  for (const name of ["TIME", "ANTENNA1", "ANTENNA2", "FIELD_ID", "DATA_DESC_ID"]) {
    refused({}, good.filter((column) => column.name !== name), new RegExp(`needs a scalar column ${name}`));
  }
  refused({}, [DATA, scalar("TIME", "float32"), ...KEYS.slice(1)], /TIME of float64, its TIME has float32/);
  for (
    const wrong of [
      array("DATA", "complex64", { shape: [2, 3] }),
      array("DATA", "complex64", { shape: [2, 3, 4], direct: true }),
      array("DATA", "complex64", { ndim: 2 }),
      array("DATA", "float32", { shape: [2, 3], direct: true }),
      array("DATA", "complex128", { shape: [2, 3], direct: true }),
      array("WEIGHT_SPECTRUM", "complex64", { shape: [2, 3], direct: true }),
    ]
  ) refused({}, [wrong, ...KEYS], /column (DATA|WEIGHT_SPECTRUM)/);
  for (const bits of [0, 1, 5, 17, "8", NaN]) {
    refused({ dataBitCount: bits }, good, /dataBitCount/);
    refused({ weightBitCount: bits }, good, /weightBitCount/);
  }
  refused({ normalization: "row" }, good, /normalization/);
  refused({ distribution: "Normal" }, good, /distribution/);
  for (const studentTNu of [0, 0.6, NaN, Infinity]) {
    refused({ distribution: "StudentT", studentTNu }, good, /studentTNu/);
  }
  for (const distributionTruncation of [0, -1, NaN]) refused({ distributionTruncation }, good, /Truncation/);
  for (const rowsPerBlock of [-1, 0.5, 2 ** 32]) refused({ rowsPerBlock }, good, /rowsPerBlock/);
  refused({ antennas: "4" }, good, /antennas/);
  refused({ bits: 4 }, good, /no option bits/);
  create(new Context(), { distribution: "StudentsT", studentTNu: 1 }, 3, good).close();
});

/** Cells of DATA that are easy to tell. */
function cells(rows: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: rows * 12 }, (_, i) => Math.sin(i + 1));
}

function assertNear(found: ArrayLike<number>, expected: ArrayLike<number>, off: number, what = ""): void {
  assert.equal(found.length, expected.length);
  for (let i = 0; i < found.length; i++) {
    assert.ok(
      Math.abs(found[i]! - expected[i]!) <= off,
      `${what} value ${i}: ${found[i]} for ${expected[i]}`,
    );
  }
}

Deno.test("a call that DyscoStMan refuses leaves values and files as they were", () => {
  const context = new Context();
  using table = create(context, { dataBitCount: 12, antennas: 3 }, 6, [DATA, ...KEYS]);
  table.putColumn("ANTENNA2", Int32Array.of(1, 2, 1, 1, 2, 1));
  table.putColumn("TIME", Float64Array.of(0, 0, 0, 1, 1, 1));
  table.putColumn("DATA", cells(6));
  table.flush();
  const before = table.getColumn("DATA").data, info = table.managerDetails(0);
  const refused = (code: string, change: () => void) => {
    assert.throws(change, { name: "TableError", code });
    assert.deepEqual(table.getColumn("DATA").data, before);
    assert.deepEqual(table.managerDetails(0), info);
  };
  refused(
    "SHAPE_MISMATCH",
    () => table.putColumn("DATA", { dtype: "complex64", shape: [3, 2, 6], data: cells(6) }),
  );
  refused("SHAPE_MISMATCH", () => table.putCell("DATA", 1, cells(2)));
  refused("TYPE_MISMATCH", () => table.putCell("DATA", 1, new Float64Array(12)));
  refused("OUT_OF_RANGE", () => table.putCell("DATA", 6, cells(1)));
  refused(
    "OUT_OF_RANGE",
    () => table.putColumn("DATA", cells(1), { rows: Uint32Array.of(1), slice: [[0, 3], null] }),
  );
  refused("INVALID_ARGUMENT", () => table.putCell("DATA", 1, null));
  // Antennas that can't be.
  for (const [antenna, code] of [[-1, "INVALID_ARGUMENT"], [2048, "LIMIT"]] as const) {
    table.putColumn("ANTENNA2", Int32Array.of(1, 2, 1, 1, antenna, 1));
    const message = new RegExp(`row 4 is of antenna ${antenna}, expected 0 to 2047`);
    assert.throws(() => table.putCell("DATA", 4, cells(1)), { name: "TableError", code, message });
  }
  table.putColumn("ANTENNA2", Int32Array.of(1, 2, 1, 1, 2, 1));
  assert.deepEqual(table.getColumn("DATA").data, before);
  // The others are written as ever.
  table.putCell("DATA", 4, cells(1));
  const after = cells(6);
  after.set(cells(1), 48);
  assertNear(table.getColumn("DATA").data as Float32Array, after, 0.01);
});

Deno.test("blocks that would take too much memory are refused", () => {
  const wide = array("DATA", "complex64", { shape: [1, 1024], direct: true });
  const limit = { name: "TableError", code: "LIMIT" };
  const rows = { rowsPerBlock: 2 ** 20, normalization: "Row" } as const;
  assert.throws(() => create(new Context(), rows, 3, [wide, ...KEYS]), limit);
  const antennas = { antennas: 2049, normalization: "AF" } as const;
  assert.throws(() => create(new Context(), antennas, 3, [DATA, ...KEYS]), limit);
  create(new Context(), { ...antennas, normalization: "RF" }, 3, [DATA, ...KEYS]).close();

  // Found out late: the table has too many antennas.
  using table = create(new Context(), { normalization: "AF" }, 3, [DATA, ...KEYS]);
  table.putColumn("ANTENNA2", Int32Array.of(1, 2048, 1));
  table.putColumn("DATA", cells(3));
  assert.throws(() => table.flush(), limit);
  table.putColumn("ANTENNA2", Int32Array.of(1, 2, 1));
  table.flush();
  assertNear(table.getColumn("DATA").data as Float32Array, cells(3), 0.02);
});

Deno.test("an empty file, as casacore leaves it, can't be written: how it was to be is not known", () => {
  const context = new Context();
  create(context, {}, 3, [DATA, ...KEYS]).close();
  context.memory.files.set("/t/table.f0", new MemoryFile());
  using table = Table.open("/t", { mode: "rw", io: "memory", context });
  assert.throws(() => table.putColumn("DATA", cells(3)), { name: "TableError", code: "UNSUPPORTED" });
  assert.ok((table.getColumn("DATA").data as Float32Array).every((value) => value === 0));
});

Deno.test("a block of nothing but correlations of antennas with themselves is kept, which casacore loses with AF", () => {
  const context = new Context();
  {
    using table = create(context, { dataBitCount: 16 }, 3, [DATA, ...KEYS]);
    for (const name of ["ANTENNA1", "ANTENNA2"]) table.putColumn(name, Int32Array.of(0, 1, 2));
    table.putColumn("DATA", cells(3));
  }
  using table = Table.open("/t", { io: "memory", context });
  assertNear(table.getColumn("DATA").data as Float32Array, cells(3), 1e-3);
});

Deno.test("antennas that come later get factors, and the values that are there stay to the last bit", () => {
  const context = new Context();
  const wide = array("MODEL_DATA", "complex64", { shape: [4, 2], direct: true });
  const weights = array("WEIGHT_SPECTRUM", "float32", { shape: [2, 3], direct: true });
  const columns = [DATA, weights, wide, ...KEYS];
  const before = new Map<string, Float32Array>();
  {
    using table = create(context, { dataBitCount: 6, weightBitCount: 3 }, 6, columns);
    table.putColumn("TIME", Float64Array.of(0, 0, 0, 1, 1, 1));
    table.putColumn("ANTENNA2", Int32Array.of(1, 2, 3, 1, 2, 3));
    for (const { name, options } of [DATA, weights, wide]) {
      const size = options.shape!.reduce((a, b) => a * b) * (name === "WEIGHT_SPECTRUM" ? 1 : 2);
      table.putColumn(name, Float32Array.from({ length: 6 * size }, (_, i) => 1 + Math.cos(i)));
      before.set(name, table.getColumn(name).data as Float32Array);
    }
  }
  using table = Table.open("/t", { mode: "rw", io: "memory", context });
  table.append({
    DATA: cells(3),
    TIME: Float64Array.of(2, 2, 2),
    ANTENNA1: Int32Array.of(1, 5, 1),
    ANTENNA2: Int32Array.of(9, 9, 5),
    WEIGHT_SPECTRUM: new Float32Array(18).fill(2),
    MODEL_DATA: new Float32Array(48).fill(1),
    FIELD_ID: new Int32Array(3),
    DATA_DESC_ID: new Int32Array(3),
  });
  table.flush();
  assert.equal(table.managerDetails(0)!.info.antennas, 10);
  for (const [name, values] of before) {
    const found = table.getColumn(name).data as Float32Array;
    assert.deepEqual(found.subarray(0, values.length), values, name);
    if (name === "DATA") assertNear(found.subarray(values.length), cells(3), 0.2);
  }
});

/** What the columns of keys have. */
type KeyOf = (name: string, row: number) => number;

const keyOf: KeyOf = (name, row) =>
  name === "TIME" ? Math.floor(row / 4) : name === "ANTENNA2" ? 1 + row % 2 : 0;

const bound = (name: string, dtype: "complex64" | "float32", shape = [2, 3]) =>
  boundColumn(name, { kind: "array", dtype, shape, direct: true });
const TWO = [bound("DATA", "complex64"), bound("WEIGHT_SPECTRUM", "float32")];

/** A manager alone, with columns of keys that are in memory. */
function managerOf(
  files: TableFiles,
  rowCount: number,
  options: DyscoOptions,
  { key = keyOf, waitingBytes, columns = TWO }: {
    key?: KeyOf;
    waitingBytes?: number;
    columns?: readonly BoundColumn[];
  } = {},
): StorageManager {
  const columnOf = (name: string): SourceColumn => {
    const dtype = name === "TIME" ? "float64" : "int32";
    return {
      bound: boundColumn(name, { dtype }),
      column: {
        shapes: () => {
          throw new Error("not in this test");
        },
        // deno-lint-ignore require-yield
        *read(rows, _shape, _box, target) {
          if (target.kind !== "numeric") return;
          const values = Array.from({ length: rows.length }, (_, i) => rows.at(i));
          const found = values.map((row) => key(name, row));
          target.bytes.set(bytesOf(name === "TIME" ? Float64Array.from(found) : Int32Array.from(found)));
        },
      },
      open: () => {
        throw new Error("not in this test");
      },
    };
  };
  const no = () => {
    throw new Error("not in this test");
  };
  const context: ManagerContext = contextOf({
    type: "DyscoStMan",
    columns,
    rowCount,
    bigEndian: false,
    source: { column: columnOf, foreignColumn: no, tableKeywords: no },
  });
  const spec = { type: "DyscoStMan", name: "Dysco", options: options as Record<string, unknown> };
  if (files.size("table.f0") > 0) return runSync(dyscoStMan.open(context, new Uint8Array(0)), files);
  const checked = readOptions(spec, context.columns);
  files.create("table.f0");
  return new DyscoManager(context, checked.header, checked, waitingBytes);
}

for (const normalization of ["AF", "RF", "Row"] as const) {
  Deno.test(`the last rows of a DyscoStMan with ${normalization} are removed, the others keep their values to the last bit`, () => {
    for (const bits of [2, 3, 6, 16]) {
      for (const flushed of [true, false]) {
        for (let left = 0; left <= 11; left++) {
          const context = new Context();
          using files = new TableFiles("/t", openBackend("memory", { context }), {
            writable: true,
            newDirectory: true,
            context,
          });
          const manager = managerOf(files, 11, {
            normalization,
            dataBitCount: bits,
            weightBitCount: bits,
            antennas: 3,
          });
          const sizes = [12, 6] as const;
          const read = (column: number, rows: number) => {
            const target = new Float32Array(rows * sizes[column]!);
            const cell = manager.column(column);
            runSync(
              cell.read(rowRange(0, rows), [2, 3], null, { kind: "numeric", bytes: bytesOf(target) }, 0),
              files,
            );
            return target;
          };
          for (const [k, size] of sizes.entries()) {
            const values = Float32Array.from({ length: 11 * size }, (_, i) => k + Math.sin(i + k));
            const source = { kind: "numeric", bytes: bytesOf(values) } as const;
            runSync(manager.column(k).write!(rowRange(0, 11), [2, 3], null, source, 0), files);
          }
          if (flushed) runSync(manager.flush!(), files);
          const before = flushed ? [read(0, 11), read(1, 11)] : null;
          for (const rows of [rowList([3, 9]), rowRange(0, 1), rowRange(2, 8)]) {
            assert.throws(() => runSync(manager.removeRows!(rows), files), { code: "UNSUPPORTED" });
          }
          runSync(manager.removeRows!(rowRange(left, 11 - left)), files);
          runSync(manager.addRows!(9), files);
          sizes.forEach((size, k) => {
            const after = read(k, left + 9);
            const kept = after.subarray(0, left * size);
            if (before !== null) assert.deepEqual(kept, before[k]!.subarray(0, left * size));
            else assert.ok(left === 0 || kept.some((value) => value !== 0));
            assert.ok(
              after.subarray(left * size).every((value) => value === 0),
              `${bits} bits, ${left} rows left`,
            );
          });
          runSync(manager.flush!(), files);
        }
      }
    }
  });
}

Deno.test("with AF, antennas may be written after data that did not wait in memory, up to the flush", () => {
  const context = new Context();
  using files = new TableFiles("/t", openBackend("memory", { context }), {
    writable: true,
    newDirectory: true,
    context,
  });
  // Antennas that differ, so that the factors of one don't do for another.
  const gains = [1, 0.1, 0.01],
    pairs = [[0, 1], [0, 2], [1, 2]] as const,
    others = [[1, 2], [0, 1], [0, 2]] as const;
  const rows = 12,
    values = cells(rows).map((value, i) => {
      const [a, b] = pairs[Math.floor(i / 12) % 3]!;
      return value * gains[a]! * gains[b]!;
    });
  const options = { dataBitCount: 16, rowsPerBlock: 3, antennas: 3 } as const;
  for (const change of ["none", "before the flush", "before a read", "before rows are written again"]) {
    let known = false;
    const key: KeyOf = (name, row) =>
      name === "TIME"
        ? Math.floor(row / 3)
        : (known ? pairs : others)[row % 3]![name === "ANTENNA1" ? 0 : 1]!;
    const manager = managerOf(files, rows, options, { key, waitingBytes: 0 }), column = manager.column(0);
    const source = { kind: "numeric", bytes: bytesOf(values) } as const;
    const read = () => {
      const target = new Float32Array(values.length);
      const into = { kind: "numeric", bytes: bytesOf(target) } as const;
      runSync(column.read(rowRange(0, rows), [2, 3], null, into, 0), files);
      return target;
    };
    if (change === "none") known = true;
    runSync(column.write!(rowRange(0, rows), [2, 3], null, source, 0), files);
    known = true;
    if (change === "before a read") assertNear(read(), values, 2e-5, change);
    if (change === "before rows are written again") {
      const cell = { kind: "numeric", bytes: bytesOf(values.subarray(12, 24)) } as const;
      runSync(column.write!(rowRange(1, 1), [2, 3], null, cell, 0), files);
    }
    runSync(manager.flush!(), files);
    assertNear(read(), values, 2e-5, change);
  }
});

Deno.test("columns come and go, the others keep their values to the last bit", () => {
  const more = bound("MODEL_DATA", "complex64", [3, 5]);
  for (const normalization of ["AF", "RF", "Row"] as const) {
    for (const rows of [0, 11]) {
      const context = new Context();
      using files = new TableFiles("/t", openBackend("memory", { context }), {
        writable: true,
        newDirectory: true,
        context,
      });
      const open = (columns: readonly BoundColumn[]) =>
        managerOf(files, rows, { normalization, dataBitCount: 3, weightBitCount: 6 }, { columns });
      const read = (manager: StorageManager, column: number, { shape, dtype }: BoundColumn) => {
        const target = new Float32Array(rows * shape![0]! * shape![1]! * (dtype === "float32" ? 1 : 2));
        const into = { kind: "numeric", bytes: bytesOf(target) } as const;
        runSync(manager.column(column).read(rowRange(0, rows), shape!, null, into, 0), files);
        return target;
      };
      const write = (manager: StorageManager, column: number, { shape, dtype }: BoundColumn) => {
        const length = rows * shape![0]! * shape![1]! * (dtype === "float32" ? 1 : 2);
        const source = {
          kind: "numeric",
          bytes: bytesOf(Float32Array.from({ length }, (_, i) => column + Math.sin(i + column))),
        } as const;
        runSync(manager.column(column).write!(rowRange(0, rows), shape!, null, source, 0), files);
      };
      let manager = open(TWO);
      TWO.forEach((column, k) => write(manager, k, column));
      runSync(manager.flush!(), files);
      const before = TWO.map((column, k) => read(manager, k, column));

      for (const wrong of [bound("X", "float32"), bound("X", "complex64", [2]), { ...more, direct: false }]) {
        assert.throws(() => runSync(manager.addColumn!(wrong), files), { code: "INVALID_ARGUMENT" });
      }
      runSync(manager.addColumn!(more), files);
      runSync(manager.flush!(), files);
      manager = open([...TWO, more]);
      TWO.forEach((column, k) => assert.deepEqual(read(manager, k, column), before[k]));
      assert.ok(read(manager, 2, more).every((value) => value === 0));
      write(manager, 2, more);
      runSync(manager.flush!(), files);
      const added = read(manager, 2, more);
      assert.ok(rows === 0 || added.some((value) => value !== 0));

      runSync(manager.removeColumn!(0), files);
      runSync(manager.flush!(), files);
      const left = [TWO[1]!, more];
      manager = open(left);
      assert.deepEqual(read(manager, 0, left[0]!), before[1]);
      assert.deepEqual(read(manager, 1, left[1]!), added);
      write(manager, 1, more);
      runSync(manager.flush!(), files);
      assert.deepEqual(read(manager, 0, left[0]!), before[1]);
      // Header, blocks, and nothing else.
      const { blockSize, blocks } = manager.info as { blockSize: number; blocks: number };
      assert.equal(files.size("table.f0"), 52 + 5 + 2 * 24 + blocks * blockSize);
    }
  }
});
