/**
 * UvwStMan: the coordinates of each baseline, kept as one position an antenna and time (format reference part 6,
 * section 11). Tag `Uvw-col\0`, then three numbers:
 *
 * | number | meaning |
 * | --- | --- |
 * | rowsPerBlock | table rows of one time; 0 when nothing was written yet |
 * | reference | the antenna whose position is 0 |
 * | antennas | their number |
 *
 * Block b = row div rowsPerBlock has antennas − 1 rows of the file, float64 [3]: the positions in ascending order of the
 * antennas, without the reference. The cell is position(ANTENNA2) − position(ANTENNA1).
 */
import { allocate } from "../../array/alloc.ts";
import { bytesOf } from "../../array/dtype.ts";
import type { Box, Rows } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import { type Plan, readBytes } from "../../io/plan.ts";
import type {
  CellTarget,
  ManagedColumn,
  ManagerContext,
  ManagerKind,
  ShapeRun,
  StorageManager,
} from "../manager.ts";
import { RowBasedManager } from "./manager.ts";
import { openRowFile, type RowFile, viewOf } from "./row-file.ts";

const AXES = 3;
const POSITION_BYTES = 8 * AXES;

/** The kind that serves `UvwStMan`. */
export const uvwStMan: ManagerKind = {
  serves: (type) => type === "UvwStMan",
  *open(context: ManagerContext): Plan<StorageManager> {
    const file = yield* openRowFile(context, "Uvw-col\0", 3);
    if (file.stride !== POSITION_BYTES) {
      throw new TableError("CORRUPT", `a row has ${file.stride} bytes, expected ${POSITION_BYTES}`, {
        file: file.path,
        offset: 12,
      });
    }
    const [rowsPerBlock, reference, antennas] = file.numbers as [number, number, number];
    if (antennas > 0 && reference >= antennas) {
      throw new TableError("CORRUPT", `the reference antenna is ${reference}, there are ${antennas}`, {
        file: file.path,
      });
    }
    const columns = context.columns.map(({ name, kind, dtype, shape }) => {
      if (kind === "array" && dtype === "float64" && shape?.length === 1 && shape[0] === AXES) {
        return new UvwColumn(context, file);
      }
      throw new TableError("CORRUPT", `column ${name}: UvwStMan holds arrays of float64 of shape [${AXES}]`, {
        file: context.pathOf("table.dat"),
      });
    });
    return new RowBasedManager(context, file, columns, { rowsPerBlock, reference, antennas });
  },
};

class UvwColumn implements ManagedColumn {
  readonly #context: ManagerContext;
  readonly #file: RowFile;
  readonly #rowsPerBlock: number;
  readonly #reference: number;
  readonly #antennas: number;

  constructor(context: ManagerContext, file: RowFile) {
    this.#context = context;
    this.#file = file;
    [this.#rowsPerBlock, this.#reference, this.#antennas] = file.numbers as [number, number, number];
  }

  // deno-lint-ignore require-yield
  *shapes(rows: Rows): Plan<ShapeRun[]> {
    return [{ count: rows.length, shape: [AXES] }];
  }

  *read(rows: Rows, _shape: readonly number[], box: Box | null, target: CellTarget, at: number): Plan<void> {
    const { bytes } = target as { bytes: Uint8Array };
    const [from] = box?.start ?? [0], [count] = box?.shape ?? [AXES], [step] = box?.step ?? [1];
    const out = new Float64Array(bytes.buffer, bytes.byteOffset + 8 * at, rows.length * count!);
    const first = yield* this.#antennaNumbers("ANTENNA1", rows);
    const second = yield* this.#antennaNumbers("ANTENNA2", rows);
    let block = -1, positions: DataView = new DataView(new ArrayBuffer(0));
    for (let i = 0, to = 0; i < rows.length; i++) {
      const row = rows.at(i), wanted = this.#blockOf(row);
      if (wanted !== block) {
        positions = yield* this.#positions(wanted);
        block = wanted;
      }
      const one = this.#place(first[i]!, row), two = this.#place(second[i]!, row);
      for (let k = 0, axis = from!; k < count!; k++, axis += step!, to++) {
        out[to] = coordinate(positions, two, axis) - coordinate(positions, one, axis);
      }
    }
  }

  *#antennaNumbers(name: string, rows: Rows): Plan<Int32Array> {
    const { bound, column } = this.#context.source.column(name);
    if (bound.kind !== "scalar" || bound.dtype !== "int32") {
      throw new TableError("CORRUPT", `UvwStMan needs column ${name} to be scalar int32`, {
        file: this.#context.pathOf("table.dat"),
      });
    }
    const numbers = allocate("int32", rows.length);
    yield* column.read(rows, [], null, { kind: "numeric", bytes: bytesOf(numbers) }, 0);
    return numbers;
  }

  /** The block of a row. With one antenna there is nothing in the file, nothing is missing, and everything is 0. */
  #blockOf(row: number): number {
    const block = this.#rowsPerBlock > 0 ? Math.floor(row / this.#rowsPerBlock) : Infinity;
    if ((block + 1) * (this.#antennas - 1) > this.#file.rowCount || this.#antennas === 0) {
      throw new TableError("CORRUPT", `the coordinates of row ${row} were never written`, {
        file: this.#file.path,
      });
    }
    return block;
  }

  *#positions(block: number): Plan<DataView> {
    const { name, start } = this.#file;
    const length = (this.#antennas - 1) * POSITION_BYTES;
    if (length === 0) return new DataView(new ArrayBuffer(0));
    return viewOf((yield* readBytes(name, start + block * length, length)).slice());
  }

  /** Where an antenna's position stands in a block, in bytes; -1 for the reference. */
  #place(antenna: number, row: number): number {
    if (antenna < 0 || antenna >= this.#antennas) {
      throw new TableError("CORRUPT", `row ${row} has antenna ${antenna}, there are ${this.#antennas}`, {
        file: this.#file.path,
      });
    }
    if (antenna === this.#reference) return -1;
    return (antenna < this.#reference ? antenna : antenna - 1) * POSITION_BYTES;
  }
}

function coordinate(positions: DataView, place: number, axis: number): number {
  return place < 0 ? 0 : positions.getFloat64(place + 8 * axis, true);
}
