/**
 * AntennaPairStMan: the antennas of each row, kept once for all times (format reference part 6, section 11). Tag
 * `AntPair\0`, then n, the number of rows of the pattern that repeats. Table row r is row r mod n of the file; without
 * a pattern (n = 0) row r.
 *
 * | row of the file | type |
 * | --- | --- |
 * | ANTENNA1 | int32 |
 * | ANTENNA2 | int32 |
 */
import { TableError } from "../../error.ts";
import type { Box, Rows } from "../../array/rows.ts";
import { type Plan, readBytes } from "../../io/plan.ts";
import type {
  BoundColumn,
  CellTarget,
  ManagedColumn,
  ManagerContext,
  ManagerKind,
  ShapeRun,
  StorageManager,
} from "../manager.ts";
import { RowBasedManager } from "./manager.ts";
import { openRowFile, type RowFile, viewOf } from "./row-file.ts";

const ROW_BYTES = 8;
/** Rows of the file that are read at once. */
const ROWS_AT_ONCE = 64 * 1024;

/** The kind that serves `AntennaPairStMan`. */
export const antennaPairStMan: ManagerKind = {
  serves: (type) => type === "AntennaPairStMan",
  *open(context: ManagerContext): Plan<StorageManager> {
    const file = yield* openRowFile(context, "AntPair\0", 1);
    const [pattern] = file.numbers as [number];
    const place = { file: file.path };
    if (file.stride !== ROW_BYTES) {
      throw new TableError("CORRUPT", `a row has ${file.stride} bytes, expected ${ROW_BYTES}`, {
        ...place,
        offset: 12,
      });
    }
    if (pattern > file.rowCount) {
      throw new TableError("CORRUPT", `${pattern} rows repeat, the file has ${file.rowCount}`, place);
    }
    const columns = context.columns.map((bound) =>
      new AntennaColumn(file, pattern, positionOf(bound, context))
    );
    return new RowBasedManager(context, file, columns, { repeatedRows: pattern });
  },
};

/** Which of the two numbers of a row the column is. */
function positionOf({ name, kind, dtype }: BoundColumn, context: ManagerContext): number {
  const position = ["ANTENNA1", "ANTENNA2"].indexOf(name);
  if (position >= 0 && kind === "scalar" && dtype === "int32") return position;
  throw new TableError(
    "CORRUPT",
    `column ${name} is ${kind} ${dtype}; AntennaPairStMan holds ANTENNA1 and ANTENNA2, scalar int32`,
    { file: context.pathOf("table.dat") },
  );
}

class AntennaColumn implements ManagedColumn {
  readonly #file: RowFile;
  readonly #pattern: number;
  readonly #position: number;

  constructor(file: RowFile, pattern: number, position: number) {
    this.#file = file;
    this.#pattern = pattern;
    this.#position = position;
  }

  // deno-lint-ignore require-yield
  *shapes(rows: Rows): Plan<ShapeRun[]> {
    return [{ count: rows.length, shape: [] }];
  }

  *read(rows: Rows, _shape: readonly number[], _box: Box | null, target: CellTarget, at: number): Plan<void> {
    const { bytes } = target as { bytes: Uint8Array };
    const out = new Int32Array(bytes.buffer, bytes.byteOffset + 4 * at, rows.length);
    // Part of the file: rows `first` to `end`.
    let first = 0, end = 0, view: DataView = new DataView(new ArrayBuffer(0));
    for (let i = 0; i < rows.length; i++) {
      const row = rows.at(i), stored = this.#pattern > 0 ? row % this.#pattern : row;
      if (stored < first || stored >= end) {
        if (stored >= this.#file.rowCount) this.#unwritten(row);
        first = stored - stored % ROWS_AT_ONCE;
        end = Math.min(this.#file.rowCount, first + ROWS_AT_ONCE);
        const { name, start } = this.#file;
        const part = yield* readBytes(name, start + first * ROW_BYTES, (end - first) * ROW_BYTES);
        // The next step may use the memory again, and there are steps of others in between.
        view = viewOf(part.slice());
      }
      out[i] = view.getInt32((stored - first) * ROW_BYTES + 4 * this.#position, true);
    }
  }

  #unwritten(row: number): never {
    throw new TableError("CORRUPT", `the antennas of row ${row} were never written`, {
      file: this.#file.path,
    });
  }
}
