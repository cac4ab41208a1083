/**
 * Records: ordered, typed fields. Table and column keywords are records, and so are some values inside managers' headers.
 * Layout of the bytes: format reference part 1, section 4.
 */
import type { DType, NumericData, NumericType } from "../array/dtype.ts";

/** A record's field value, with its type. `table` holds the stored name of a subtable. */
export type FieldValue =
  | { readonly kind: "scalar"; readonly dtype: "bool"; readonly value: boolean }
  | { readonly kind: "scalar"; readonly dtype: "int64"; readonly value: bigint }
  | {
    readonly kind: "scalar";
    readonly dtype: "uint8" | "int16" | "uint16" | "int32" | "uint32" | "float32" | "float64";
    readonly value: number;
  }
  | {
    readonly kind: "scalar";
    readonly dtype: "complex64" | "complex128";
    readonly value: readonly [re: number, im: number];
  }
  | { readonly kind: "scalar"; readonly dtype: "string"; readonly value: string }
  | {
    readonly kind: "array";
    readonly dtype: NumericType;
    readonly shape: readonly number[];
    readonly data: NumericData;
  }
  | {
    readonly kind: "array";
    readonly dtype: "string";
    readonly shape: readonly number[];
    readonly data: readonly string[];
  }
  | { readonly kind: "record"; readonly fields: RecordFields }
  | { readonly kind: "table"; readonly name: string };

/** One named field, with what is needed to write the same bytes again. */
export interface RecordField {
  /** The field's name, unique in its record. */
  readonly name: string;
  /** Free text, mostly empty. */
  readonly comment: string;
  /** Type and value. */
  readonly value: FieldValue;
  /** Arrays in a description with a fixed shape: that shape; casacore's normal case is "any", here undefined. */
  readonly fixedShape?: readonly number[];
  /** Records: true when the description of the sub-record stands in the parent's (casacore's fixed structure). */
  readonly fixedRecord?: boolean;
  /** Subtables: the name of a table description, empty in practice. */
  readonly tableDescName?: string;
}

/** Fields in order, and the record type flag of the file (0 fixed, 1 variable). */
export interface RecordFields {
  /** The fields in order. */
  readonly fields: readonly RecordField[];
  /** casacore's flag: 0 fixed structure, 1 variable. */
  readonly recordType: number;
}

/** A record without fields. */
export const EMPTY_RECORD: RecordFields = { fields: [], recordType: 1 };

/** The value of a field, or undefined if there is none of that name. */
export function fieldOf(record: RecordFields, name: string): FieldValue | undefined {
  return record.fields.find((field) => field.name === name)?.value;
}

/** The fields of `base`, overwritten by and followed by those of `other`: how old files add keywords to others. */
export function mergeRecords(base: RecordFields, other: RecordFields): RecordFields {
  const fields = new Map(base.fields.map((field) => [field.name, field]));
  for (const field of other.fields) fields.set(field.name, field);
  return { fields: [...fields.values()], recordType: base.recordType };
}
export type { DType };
