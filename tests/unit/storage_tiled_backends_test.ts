/** The same writes through every I/O backend: the same files, the same values, at once and asynchronously. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { NumericType } from "../../src/array/dtype.ts";
import { numericInfo } from "../../src/array/dtype.ts";
import { elementsOf, rowList, rowRange, type Rows } from "../../src/array/rows.ts";
import { TableError } from "../../src/error.ts";
import type { FileAccess } from "../../src/io/access.ts";
import type { IoName } from "../../src/io/backend.ts";
import { IO_NAMES, openBackend } from "../../src/io/backends.ts";
import { Context } from "../../src/io/context.ts";
import { runAsync, runSync } from "../../src/io/drivers.ts";
import { TableFiles } from "../../src/io/files.ts";
import { tiledShapeStMan } from "../../src/storage/tiled/shape.ts";
import {
  addRows,
  bound,
  contextOf,
  create,
  flush,
  MemoryAccess,
  open,
  readCells,
  someBytes,
  writeCells,
} from "./storage_tiled_support.ts";

const DTYPES: readonly NumericType[] = ["complex64", "bool", "int16"];
const SHAPES = [[4, 33], [3, 5]];
const ROWS = 300;

const every = (step: number, from = 0) =>
  rowList(Array.from({ length: ROWS }, (_, row) => row).filter((row) => row % step === from));

/** Writes of every kind that the planner tells apart. */
function writeAll(access: FileAccess, bigEndian: boolean): void {
  const columns = DTYPES.map((dtype, i) => bound(`C${i}`, dtype, { ndim: 2 }));
  const context = contextOf("TiledShapeStMan", columns, 0, { bigEndian });
  const manager = create(tiledShapeStMan, context, access, { tileShape: [4, 20, 16] });
  addRows(manager, access, ROWS);
  const write = (
    column: number,
    rows: Rows,
    shape: number[],
    seed: number,
    box: { start: number[]; shape: number[]; step: number[] } | null = null,
  ) => {
    const bytes = someBytes(DTYPES[column]!, elementsOf(box?.shape ?? shape) * rows.length, seed);
    writeCells(manager, column, rows, shape, bytes, access, box);
  };
  write(0, every(2), SHAPES[0]!, 1);
  write(1, every(2), SHAPES[0]!, 2);
  write(2, every(4, 1), SHAPES[1]!, 3);
  write(2, rowRange(0, 100, 2), SHAPES[0]!, 4);
  flush(manager, access);
  write(1, every(6), SHAPES[0]!, 5, { start: [1, 2], shape: [2, 10], step: [2, 3] });
  write(0, rowList([298, 4, 100, 4]), SHAPES[0]!, 6);
  write(0, rowRange(1, 1), SHAPES[1]!, 7);
  flush(manager, access);
}

function context(bigEndian: boolean) {
  return contextOf("TiledShapeStMan", DTYPES.map((dtype, i) => bound(`C${i}`, dtype, { ndim: 2 })), ROWS, {
    bigEndian,
  });
}

/** The backend by name; null where it doesn't work. */
function backendOrNull(name: IoName, memory: Context) {
  try {
    return openBackend(name, { context: memory });
  } catch (error) {
    if (error instanceof TableError && error.code === "UNSUPPORTED") return null;
    throw error;
  }
}

for (const name of IO_NAMES) {
  for (const bigEndian of [false, true]) {
    const here = backendOrNull(name, new Context()) !== null;
    Deno.test({
      name: `tiles through backend ${name}, ${bigEndian ? "big" : "little"} endian${
        here ? "" : " (not available here)"
      }`,
      ignore: !here,
      async fn() {
        const expected = new MemoryAccess();
        writeAll(expected, bigEndian);
        const folder = name === "memory" ? "/tessera" : Deno.makeTempDirSync({ prefix: "tessera-" });
        const shared = new Context();
        try {
          const backend = backendOrNull(name, shared)!;
          if (name === "memory") backend.makeDirectory(folder);
          const written = new TableFiles(folder, backend, { writable: true, context: shared });
          writeAll(written, bigEndian);
          written.flush();
          written.close();
          const files = new TableFiles(folder, backendOrNull(name, shared)!, {
            writable: false,
            context: shared,
          });
          for (const [file, bytes] of expected.files) {
            assert.equal(files.size(file), bytes.length, file);
            assert.ok(Buffer.compare(files.read(file, 0, bytes.length), bytes) === 0, file);
          }
          const ours = open(tiledShapeStMan, context(bigEndian), files);
          const theirs = open(tiledShapeStMan, context(bigEndian), expected);
          const selections: [Rows, number[]][] = [
            [every(2), SHAPES[0]!],
            [rowRange(298, 150, -2), SHAPES[0]!],
            [rowList([5, 1, 9, 5]), SHAPES[1]!],
            [rowRange(44, 1), SHAPES[0]!],
          ];
          for (const [rows, shape] of selections) {
            for (const [column, dtype] of DTYPES.entries()) {
              for (const box of [null, { start: [0, 1], shape: [2, 2], step: [2, 3] }]) {
                const wanted = readCells(theirs, column, dtype, rows, shape, expected, box);
                assert.deepEqual(readCells(ours, column, dtype, rows, shape, files, box), wanted);
                const bytes = new Uint8Array(wanted.length + 16 * numericInfo(dtype).size);
                // Any place in the target, here the 16th element.
                const target = { kind: "numeric", bytes } as const;
                await runAsync(ours.column(column).read(rows, shape, box, target, 16), files);
                assert.deepEqual(bytes.subarray(16 * numericInfo(dtype).size), wanted);
              }
            }
          }
          assert.equal(runSync(ours.column(0).shapes(rowRange(0, 2)), files).length, 2);
          files.close();
        } finally {
          if (name !== "memory") Deno.removeSync(folder, { recursive: true });
        }
      },
    });
  }
}
