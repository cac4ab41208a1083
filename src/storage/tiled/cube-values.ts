/**
 * Coordinate and id values of a hypercube: format reference part 4, section 6.
 *
 * They are fields, named after their columns, of the `Record` in the cube's header entry: an id is a scalar, the
 * coordinates of an axis are a 1-dim array as long as the axis.
 */
import { arrayClass, type NumericData, numericInfo, type NumericType } from "../../array/dtype.ts";
import { EMPTY_RECORD, type FieldValue, type RecordField, type RecordFields } from "../../format/record.ts";

/** A vector that grows; `data` may have room for more items than `length` elements take. */
interface Vector {
  readonly dtype: NumericType;
  data: NumericData;
  length: number;
}

/** Most cubes have no vectors, and a TiledCellStMan has a cube a row. */
const NONE: Map<string, Vector> = new Map();

/** The values of one cube. */
export class CubeValues {
  #record: RecordFields;
  /** Vectors that were made or changed here; they stand for the fields of the same names. */
  #vectors: Map<string, Vector> = NONE;

  constructor(record: RecordFields = EMPTY_RECORD) {
    this.#record = record;
  }

  /** The value of an id column. */
  id(name: string): FieldValue | undefined {
    return this.#record.fields.find((field) => field.name === name)?.value;
  }

  /** The coordinates under a name, native byte order; undefined if there are none or they are no numeric vector. */
  vector(name: string): { dtype: NumericType; data: NumericData; length: number } | undefined {
    const own = this.#vectors.get(name);
    if (own !== undefined) return own;
    const value = this.id(name);
    if (
      value === undefined || value.kind !== "array" || value.dtype === "string" || value.shape.length !== 1
    ) {
      return undefined;
    }
    return { dtype: value.dtype, data: value.data, length: value.shape[0]! };
  }

  /** Makes the coordinates under a name `length` long; new ones are zero. */
  extend(name: string, dtype: NumericType, length: number): void {
    const vector = this.#own(name, dtype);
    const items = numericInfo(dtype).items;
    if (length * items > vector.data.length) {
      const grown = new (arrayClass(dtype))(Math.max(length, 2 * vector.length) * items) as NumericData;
      copyItems(vector.data, grown);
      vector.data = grown;
    }
    vector.length = length;
  }

  /** Replaces the coordinates under a name. */
  set(name: string, dtype: NumericType, data: NumericData): void {
    const vector = this.#own(name, dtype);
    vector.data = data;
    vector.length = data.length / numericInfo(dtype).items;
  }

  /** Changes coordinates that are there, from the one at `at` on. */
  put(name: string, dtype: NumericType, at: number, data: NumericData): void {
    (this.#own(name, dtype).data as Float64Array).set(data as Float64Array, at * numericInfo(dtype).items);
  }

  /** Forgets everything. */
  clear(): void {
    this.#record = EMPTY_RECORD;
    this.#vectors = NONE;
  }

  /** As the header holds them: fields in the order in which they were defined. */
  toRecord(): RecordFields {
    const fields: RecordField[] = this.#record.fields.map((field) => {
      const vector = this.#vectors.get(field.name);
      return vector === undefined ? field : { ...field, value: fieldOfVector(vector) };
    });
    for (const [name, vector] of this.#vectors) {
      if (!this.#record.fields.some((field) => field.name === name)) {
        fields.push({ name, comment: "", value: fieldOfVector(vector) });
      }
    }
    return { fields, recordType: this.#record.recordType };
  }

  /** The vector under a name as one that may be changed. */
  #own(name: string, dtype: NumericType): Vector {
    let vector = this.#vectors.get(name);
    if (vector === undefined) {
      const old = this.vector(name);
      const data = old?.data.slice() ?? new (arrayClass(dtype))(0);
      vector = { dtype, data, length: old?.length ?? 0 };
      if (this.#vectors === NONE) this.#vectors = new Map();
      this.#vectors.set(name, vector);
    }
    return vector;
  }
}

function fieldOfVector({ dtype, data, length }: Vector): FieldValue {
  return { kind: "array", dtype, shape: [length], data: data.subarray(0, length * numericInfo(dtype).items) };
}

function copyItems(from: NumericData, to: NumericData): void {
  (to as Uint8Array).set(from as Uint8Array);
}
