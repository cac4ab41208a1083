/**
 * Id columns of TiledDataStMan: a value for all rows of a hypercube, kept in its header entry under the column's name.
 * Format reference part 4, section 6.
 *
 * Ids that are put in rows that are in no hypercube yet are kept in memory until the rows get their places, and say which.
 */
import { TableError } from "../../error.ts";
import { type DType, numericInfo, type NumericType, viewOf } from "../../array/dtype.ts";
import { bytesOf } from "../../array/dtype.ts";
import type { Box, Rows } from "../../array/rows.ts";
import type { FieldValue } from "../../format/record.ts";
import { decodeUtf8, encodeUtf8 } from "../../format/strings.ts";
import type { Plan } from "../../io/plan.ts";
import type { BoundColumn, CellSource, CellTarget, ManagedColumn, ShapeRun } from "../manager.ts";
import type { Cube } from "./cube.ts";
import type { TiledManager } from "./manager.ts";

/** The value of an id. */
export type IdValue = FieldValue & { readonly kind: "scalar" };

/** Types that casacore keeps ids in. */
const ID_TYPES: readonly DType[] = [
  "bool",
  "int32",
  "uint32",
  "int64",
  "float32",
  "float64",
  "complex64",
  "complex128",
  "string",
];

/** True for a type that ids can have. */
export function isIdType(dtype: DType): boolean {
  return ID_TYPES.includes(dtype);
}

/** A text that is the same for equal ids of one column, whatever number type they are kept in. */
export function idKey(value: IdValue): string {
  return Array.isArray(value.value) ? value.value.map(String).join() : String(value.value);
}

/** What id columns need of their manager. */
export interface IdManager extends TiledManager {
  /** Ids that were put in rows without a cube, by column and row. */
  readonly waitingIds: ReadonlyMap<number, Map<number, IdValue>>;
}

/** Reads and writes an id column. */
export class IdColumn implements ManagedColumn {
  readonly #manager: IdManager;
  readonly #bound: BoundColumn;
  readonly #index: number;

  constructor(manager: IdManager, index: number) {
    this.#manager = manager;
    this.#index = index;
    this.#bound = manager.context.columns[index]!;
  }

  /** Values that wait for their rows to get places. */
  get #waiting(): Map<number, IdValue> {
    return this.#manager.waitingIds.get(this.#index)!;
  }

  // deno-lint-ignore require-yield
  *shapes(rows: Rows): Plan<ShapeRun[]> {
    const runs: ShapeRun[] = [];
    for (const { cube, count, index } of this.#manager.locate(rows)) {
      if (cube !== null || this.#waiting.size === 0) runs.push({ count, shape: cube === null ? null : [] });
      else {
        for (let i = index; i < index + count; i++) {
          runs.push({ count: 1, shape: this.#waiting.has(rows.at(i)) ? [] : null });
        }
      }
    }
    return runs;
  }

  // deno-lint-ignore require-yield
  *read(
    rows: Rows,
    _cellShape: readonly number[],
    _box: Box | null,
    target: CellTarget,
    at: number,
  ): Plan<void> {
    for (const { cube, count, index } of this.#manager.locate(rows)) {
      const shared = cube === null ? undefined : memoryBytes(this.#ofCube(cube));
      for (let k = index; k < index + count; k++) {
        const bytes = shared ?? memoryBytes(this.#ofRow(rows.at(k)));
        if (target.kind === "strings") target.values[at + k] = target.decode(bytes);
        else target.bytes.set(bytes, (at + k) * bytes.length);
      }
    }
  }

  /** All of `rows` that are in cubes must have the ids given already; the others get theirs with them. */
  // deno-lint-ignore require-yield
  *write(
    rows: Rows,
    _cellShape: readonly number[],
    _box: Box | null,
    source: CellSource,
    at: number,
  ): Plan<void> {
    const given: [row: number, value: IdValue][] = [];
    for (const { cube, count, index } of this.#manager.locate(rows)) {
      const own = cube === null ? undefined : this.#ofCube(cube);
      for (let k = index; k < index + count; k++) {
        const value = this.#parse(source, at + k);
        if (own === undefined) given.push([rows.at(k), value]);
        else if (idKey(own) !== idKey(value)) {
          throw new TableError(
            "INVALID_ARGUMENT",
            `id column ${this.#bound.name}: row ${rows.at(k)} is in the hypercube of ${idKey(own)}, ` +
              `it can't be moved to that of ${idKey(value)}`,
          );
        }
      }
    }
    for (const [row, value] of given) this.#waiting.set(row, value);
  }

  #parse(source: CellSource, element: number): IdValue {
    const { dtype } = this.#bound;
    if (source.kind === "strings") {
      return { kind: "scalar", dtype: "string", value: decodeUtf8(source.values[element]!) };
    }
    const { size, items } = numericInfo(dtype as NumericType);
    const bytes = source.bytes.slice(element * size, (element + 1) * size);
    const data = viewOf(dtype as NumericType, bytes.buffer, bytes.byteOffset, 1);
    const value = items === 2 ? [data[0], data[1]] : dtype === "bool" ? data[0] !== 0 : data[0];
    return { kind: "scalar", dtype, value } as IdValue;
  }

  #ofRow(row: number): IdValue {
    const value = this.#waiting.get(row);
    if (value !== undefined) return value;
    throw new TableError(
      "OUT_OF_RANGE",
      `id column ${this.#bound.name} has no value in row ${row}: the row is in no hypercube yet`,
    );
  }

  #ofCube(cube: Cube): IdValue {
    const value = cube.values.id(this.#bound.name);
    if (value?.kind !== "scalar" || value.dtype !== this.#bound.dtype) {
      throw this.#manager.corrupt(`a hypercube has no id ${this.#bound.name} of type ${this.#bound.dtype}`);
    }
    return value;
  }
}

/** A value as bytes in memory, or a string's encoded bytes. */
function memoryBytes(value: IdValue): Uint8Array {
  if (value.dtype === "string") return encodeUtf8(value.value);
  const { size } = numericInfo(value.dtype);
  const array = viewOf(value.dtype, new ArrayBuffer(size), 0, 1) as unknown as unknown[];
  const items = Array.isArray(value.value)
    ? value.value
    : [value.dtype === "bool" ? Number(value.value) : value.value];
  items.forEach((item, i) => array[i] = item);
  return bytesOf(array as unknown as ArrayBufferView);
}
