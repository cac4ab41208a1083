/**
 * Arrow data as values of columns. Numbers of cells that lie behind each other are handed on as they lie.
 */
import { type Data, type DataType, DataType as Types, Precision, Vector } from "apache-arrow";
import { kernels } from "../array/choose.ts";
import { isNumeric, type NumericData, numericInfo } from "../array/dtype.ts";
import type { NDArray } from "../array/ndarray.ts";
import { elementsOf, sameShape } from "../array/rows.ts";
import { TableError } from "../error.ts";
import { TableRecord } from "../format/table-record.ts";
import type { ImportColumn } from "./from-types.ts";
import type { Part, Run } from "./new-table.ts";
import { recordOfText } from "./typed-json.ts";

/** Values of one column of a record batch. @throws TableError TYPE_MISMATCH, SHAPE_MISMATCH, OUT_OF_RANGE, CORRUPT */
export function partOf(column: ImportColumn, data: Data): Part {
  const { layout, name } = column;
  const where = (row: number) => `column ${name}, row ${row} of a batch`;
  switch (layout.kind) {
    case "scalar":
      return {
        kind: "scalars",
        array: ndarray(column, [data.length], leafValues(column, data)),
        isNull: data.nullCount > 0 ? (row) => !data.getValid(row) : null,
      };
    case "lists":
      return { kind: "arrays", runs: listRuns(column, data, layout.levels) };
    case "bytes":
      return { kind: "arrays", runs: byteRuns(column, data, layout.length) };
    case "shaped":
      return { kind: "arrays", runs: shapedRuns(column, data) };
    case "recordText": {
      const texts = new Vector([data]);
      return {
        kind: "records",
        cells: Array.from({ length: data.length }, (_, row) => {
          const text = texts.get(row) as string | null;
          return text === null || text === "" ? null : recordOfText(text, where(row));
        }),
      };
    }
    case "recordStruct": {
      const structs = new Vector([data]);
      return {
        kind: "records",
        cells: Array.from({ length: data.length }, (_, row) => {
          const value = structs.get(row) as { toJSON(): object } | null;
          return value === null ? null : recordFrom(value, where(row));
        }),
      };
    }
  }
}

function ndarray({ dtype }: ImportColumn, shape: readonly number[], data: unknown): NDArray {
  return { dtype, shape, data } as NDArray;
}

/** Part of elements, sharing memory where they are numbers. */
function slice({ dtype }: ImportColumn, values: unknown, from: number, to: number): unknown {
  if (!isNumeric(dtype)) return (values as string[]).slice(from, to);
  const { items } = numericInfo(dtype);
  return (values as NumericData).subarray(from * items, to * items);
}

/** Nested lists: neighbouring cells of one shape together. */
function* listRuns(column: ImportColumn, data: Data, levels: readonly (number | null)[]): Generator<Run> {
  const chain: Data[] = [data];
  for (let i = 1; i <= levels.length; i++) chain.push(chain[i - 1]!.children[0]!);
  // What a null list has inside may be null as well, and says nothing.
  const inner = chain.slice(1).map((child) => child.nullCount > 0 ? child : null);
  const withoutNull = inner.every((child) => child === null);
  const values = leafValues(column, chain.at(-1)!);
  if (withoutNull && data.nullCount === 0 && levels.every((length) => length !== null)) {
    const shape = [...levels as number[]].reverse();
    if (data.length > 0) {
      yield {
        count: data.length,
        array: ndarray(
          column,
          [...shape, data.length],
          slice(column, values, 0, elementsOf(shape) * data.length),
        ),
      };
    }
    return;
  }
  yield* joinedRuns(column, data.length, values, (row) => {
    if (!data.getValid(row)) return null;
    let from = row, to = row + 1;
    const shape: number[] = [];
    for (let level = 0; level < levels.length; level++) {
      const fixed = levels[level]!;
      if (fixed !== null) {
        shape.unshift(fixed);
        from *= fixed;
        to *= fixed;
        checkValid(column, inner[level]!, from, to);
        continue;
      }
      const offsets = chain[level]!.valueOffsets as unknown as ArrayLike<number | bigint>;
      const length = to > from ? Number(offsets[from + 1]) - Number(offsets[from]) : 0;
      for (let i = from; i < to; i++) {
        if (Number(offsets[i + 1]) - Number(offsets[i]) !== length) {
          throw new TableError(
            "SHAPE_MISMATCH",
            `column ${column.name}, row ${row} of a batch: lists of ${length} and ${
              Number(offsets[i + 1]) - Number(offsets[i])
            } values in one cell are no array`,
          );
        }
      }
      shape.unshift(length);
      [from, to] = to > from ? [Number(offsets[from]), Number(offsets[to])] : [0, 0];
      checkValid(column, inner[level]!, from, to);
    }
    return { shape, from, to };
  });
}

/** @throws TableError TYPE_MISMATCH for a null among the elements of a cell */
function checkValid(column: ImportColumn, data: Data | null, from: number, to: number): void {
  if (data === null) return;
  for (let i = from; i < to; i++) if (!data.getValid(i)) refuseInnerNull(column);
}

function refuseInnerNull({ name }: ImportColumn): never {
  throw new TableError("TYPE_MISMATCH", `column ${name}: found null within a list, and arrays hold none`);
}

/** Where a cell's elements are; null for an undefined one. */
type Place = { readonly shape: readonly number[]; readonly from: number; readonly to: number } | null;

/** Neighbouring cells of one shape whose elements follow each other, as one run. */
function* joinedRuns(
  column: ImportColumn,
  rows: number,
  values: unknown,
  place: (row: number) => Place,
): Generator<Run> {
  let count = 0, run: Place = null;
  const done = (): Run => ({
    count,
    array: run === null
      ? null
      : ndarray(column, [...run.shape, count], slice(column, values, run.from, run.to)),
  });
  for (let row = 0; row < rows; row++) {
    const next = place(row);
    if (count > 0) {
      const goesOn: boolean = run === null || next === null
        ? run === next
        : run.to === next.from && sameShape(run.shape, next.shape);
      if (goesOn) {
        if (run !== null) run = { shape: next!.shape, from: run.from, to: next!.to } as Place;
        count++;
        continue;
      }
      yield done();
    }
    run = next;
    count = 1;
  }
  if (count > 0) yield done();
}

function* byteRuns(column: ImportColumn, data: Data, length: number | null): Generator<Run> {
  const bytes = data.values as Uint8Array;
  const offsets = data.valueOffsets as unknown as ArrayLike<number | bigint> | undefined;
  yield* joinedRuns(column, data.length, bytes, (row) => {
    if (!data.getValid(row)) return null;
    const from = length === null ? Number(offsets![row]) : row * length;
    const to = length === null ? Number(offsets![row + 1]) : from + length;
    return { shape: [to - from], from, to };
  });
}

/** Struct of shape and flat data. */
function* shapedRuns(column: ImportColumn, data: Data): Generator<Run> {
  const [shapes, lists] = data.children as [Data, Data];
  const lengths = shapes.children[0]!.values as ArrayLike<number | bigint>;
  const shapeOffsets = shapes.valueOffsets as unknown as ArrayLike<number | bigint>;
  const offsets = lists.valueOffsets as unknown as ArrayLike<number | bigint>;
  const items = lists.children[0]!;
  if (items.nullCount > 0 || shapes.children[0]!.nullCount > 0) refuseInnerNull(column);
  yield* joinedRuns(column, data.length, leafValues(column, items), (row) => {
    if (!data.getValid(row) || !lists.getValid(row) || !shapes.getValid(row)) return null;
    const shape: number[] = [];
    for (let i = Number(shapeOffsets[row]); i < Number(shapeOffsets[row + 1]); i++) {
      shape.push(Number(lengths[i]));
    }
    const from = Number(offsets[row]), to = Number(offsets[row + 1]);
    if ((shape.length === 0 ? 0 : elementsOf(shape)) !== to - from) {
      throw new TableError(
        "SHAPE_MISMATCH",
        `column ${column.name}, row ${row} of a batch: shape [${shape.join(", ")}] given for ${
          to - from
        } elements`,
      );
    }
    return { shape, from, to };
  });
}

/** The elements of a column's innermost data: a typed array of the column's type, or strings. */
function leafValues(column: ImportColumn, data: Data): unknown {
  const { dtype, name } = column;
  const type = data.type as DataType;
  if (Types.isDictionary(type)) return dictionaryValues(column, data);
  const { length } = data;
  if (dtype === "complex64" || dtype === "complex128") {
    return (data.children[0]!.values as NumericData).subarray(0, length * 2);
  }
  if (Types.isBool(type)) {
    const bytes = new Uint8Array(length);
    if (length > 0) kernels().unpackBits(data.values as Uint8Array, data.offset, bytes, length);
    return bytes;
  }
  if (dtype === "string") {
    const texts = new Vector([data]);
    return Array.from({ length }, (_, i) => (texts.get(i) as string | null) ?? "");
  }
  const values = (data.values as NumericData).subarray(0, length) as unknown;
  if (values instanceof Int8Array) return Int16Array.from(values);
  if (values instanceof BigUint64Array) {
    const large = values.findIndex((value, i) => value > 2n ** 63n - 1n && data.getValid(i));
    if (large >= 0) {
      throw new TableError("OUT_OF_RANGE", `column ${name}: ${values[large]} doesn't fit type int64`);
    }
    return new BigInt64Array(values.buffer, values.byteOffset, values.length);
  }
  if (Types.isFloat(type) && type.precision === Precision.HALF) {
    return Float32Array.from(values as Uint16Array, halfToNumber);
  }
  return values;
}

function dictionaryValues(column: ImportColumn, data: Data): unknown {
  const { dtype } = column;
  const dictionary = data.dictionary as Vector;
  const parts = dictionary.data.map((chunk) => leafValues(column, chunk as Data));
  const indices = data.values as ArrayLike<number | bigint>;
  if (!isNumeric(dtype)) {
    const texts = (parts as string[][]).flat();
    return Array.from({ length: data.length }, (_, i) => texts[Number(indices[i])] ?? "");
  }
  const { items } = numericInfo(dtype);
  const numbers = (parts as NumericData[]).flatMap((part) => Array.from(part as Float64Array));
  const make = (parts[0] as NumericData | undefined)?.constructor as new (n: number) => Float64Array;
  const out = make === undefined ? new Float64Array(data.length * items) : new make(data.length * items);
  for (let i = 0; i < data.length; i++) {
    for (let k = 0; k < items; k++) {
      out[i * items + k] = numbers[Number(indices[i]) * items + k] ?? 0 as never;
    }
  }
  return out;
}

/** A float of 16 bits: 1 for the sign, 5 for the exponent, 10 for the fraction. */
function halfToNumber(bits: number): number {
  const exponent = (bits >> 10) & 31, fraction = bits & 1023, sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/** A struct or map as a record. */
function recordFrom(value: object, where: string): TableRecord {
  const record = new TableRecord();
  for (const [name, field] of Object.entries((value as { toJSON(): object }).toJSON())) {
    if (field === null || field === undefined) continue; // records have no nulls
    record.set(name, recordValue(field, where));
  }
  return record;
}

function recordValue(value: unknown, where: string): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (ArrayBuffer.isView(value)) return value;
  if (value instanceof Date) return value.getTime();
  if (value instanceof Vector) {
    const items = [...value].map((item) => recordValue(item, where));
    return items.length === 0 ? { dtype: "float64", shape: [0], data: [] } : items;
  }
  return recordFrom(value, where);
}
