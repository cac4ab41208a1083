/**
 * StokesIStMan: arrays [4, channels] of which only the first value of each four is kept (format reference part 6,
 * section 11). Tag `StkIcol\0`. A row of the file holds the columns behind each other, in order of the description:
 *
 * | type | stored for a channel | cell |
 * | --- | --- | --- |
 * | float32, complex64 | v | v, 0, 0, v |
 * | bool | one bit, least significant first; whole bytes a column | v, v, v, v |
 *
 * Rows behind the end of the file are zero.
 */
import type { Box, Rows } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
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

/** Values of a channel. */
const CORRELATIONS = 4;
/** Bytes of rows that are read at once, if a row is no longer. */
const BYTES_AT_ONCE = 1024 * 1024;
/** Words of 32 bits in a value; a bool is none. */
const WORDS = { bool: 0, float32: 1, complex64: 2 } as const;

type StokesType = keyof typeof WORDS;

/** The kind that serves `StokesIStMan`. */
export const stokesIStMan: ManagerKind = {
  serves: (type) => type === "StokesIStMan",
  *open(context: ManagerContext): Plan<StorageManager> {
    const file = yield* openRowFile(context, "StkIcol\0", 0);
    let offset = 0;
    const columns = context.columns.map((bound) => {
      const column = new StokesColumn(file, channelsOf(bound, context), bound.dtype as StokesType, offset);
      offset += column.bytes;
      return column;
    });
    if (offset !== file.stride) {
      throw new TableError("CORRUPT", `a row has ${file.stride} bytes, the columns take ${offset}`, {
        file: file.path,
        offset: 12,
      });
    }
    return new RowBasedManager(context, file, columns, {});
  },
};

function channelsOf({ name, kind, dtype, shape }: BoundColumn, context: ManagerContext): number {
  if (kind === "array" && Object.hasOwn(WORDS, dtype) && shape?.length === 2 && shape[0] === CORRELATIONS) {
    return shape[1]!;
  }
  throw new TableError(
    "CORRUPT",
    `column ${name}: StokesIStMan holds arrays of bool, float32 or complex64 of shape [${CORRELATIONS}, channels]`,
    { file: context.pathOf("table.dat") },
  );
}

class StokesColumn implements ManagedColumn {
  /** Bytes of the column in a row. */
  readonly bytes: number;
  readonly #file: RowFile;
  readonly #channels: number;
  readonly #words: number;
  readonly #offset: number;

  constructor(file: RowFile, channels: number, dtype: StokesType, offset: number) {
    this.#file = file;
    this.#channels = channels;
    this.#words = WORDS[dtype];
    this.#offset = offset;
    this.bytes = dtype === "bool" ? Math.ceil(channels / 8) : 4 * this.#words * channels;
  }

  // deno-lint-ignore require-yield
  *shapes(rows: Rows): Plan<ShapeRun[]> {
    return [{ count: rows.length, shape: [CORRELATIONS, this.#channels] }];
  }

  *read(rows: Rows, shape: readonly number[], box: Box | null, target: CellTarget, at: number): Plan<void> {
    const { bytes } = target as { bytes: Uint8Array };
    const whole = box ?? { start: [0, 0], shape, step: [1, 1] };
    const size = this.#words === 0 ? 1 : 4 * this.#words;
    const each = whole.shape[0]! * whole.shape[1]! * size;
    const out = bytes.subarray(at * size, at * size + rows.length * each).fill(0);
    const { name, start, stride, rowCount } = this.#file;
    const rowsAtOnce = Math.max(1, Math.floor(BYTES_AT_ONCE / stride));
    for (const run of rows.runs()) {
      const count = Math.min(run.count, Math.max(0, rowCount - run.row));
      for (let done = 0; done < count; done += rowsAtOnce) {
        const some = Math.min(rowsAtOnce, count - done);
        const first = start + (run.row + done) * stride + this.#offset;
        const stored = viewOf(yield* readBytes(name, first, (some - 1) * stride + this.bytes));
        for (let i = 0; i < some; i++) {
          const cell = out.subarray((run.index + done + i) * each, (run.index + done + i + 1) * each);
          if (this.#words === 0) this.#flags(stored, i * stride, whole, cell);
          else this.#values(stored, i * stride, whole, cell);
        }
      }
    }
  }

  /** A box of one cell, which is all zero yet. */
  #values(stored: DataView, from: number, { start, shape, step }: Box, cell: Uint8Array): void {
    const words = this.#words, target = new Uint32Array(cell.buffer, cell.byteOffset, cell.length / 4);
    for (let correlation = 0; correlation < shape[0]!; correlation++) {
      const which = start[0]! + correlation * step[0]!;
      if (which !== 0 && which !== CORRELATIONS - 1) continue;
      for (let channel = 0; channel < shape[1]!; channel++) {
        const place = from + 4 * words * (start[1]! + channel * step[1]!);
        const to = words * (correlation + shape[0]! * channel);
        for (let word = 0; word < words; word++) target[to + word] = stored.getUint32(place + 4 * word, true);
      }
    }
  }

  #flags(stored: DataView, from: number, { start, shape, step }: Box, cell: Uint8Array): void {
    for (let channel = 0, to = 0; channel < shape[1]!; channel++) {
      const bit = start[1]! + channel * step[1]!;
      const flag = (stored.getUint8(from + Math.floor(bit / 8)) >> (bit % 8)) & 1;
      for (let correlation = 0; correlation < shape[0]!; correlation++) cell[to++] = flag;
    }
  }
}
