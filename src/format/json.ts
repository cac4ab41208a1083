/**
 * Field values as JSON, in the form that `table cat` prints: bool as true and false, an int64 past 2^53 as a string,
 * NaN and infinities as strings, a complex value as [re, im], an array as { shape, data } with complex values flat.
 */
import type { FieldValue, RecordFields } from "./record.ts";

/** 2^53: doubles hold every whole number up to here. */
const LARGEST_EXACT = 9_007_199_254_740_992n;

/** What `JSON.stringify` prints without losing anything but the sign of a zero. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | {
  readonly [key: string]: JsonValue;
};

/** A record as an object, its fields in order. */
export function recordToJson(record: RecordFields): { [key: string]: JsonValue } {
  return Object.fromEntries(record.fields.map(({ name, value }) => [name, valueToJson(value)]));
}

/** A field's value; a subtable is `{ table: stored name }`. */
export function valueToJson(value: FieldValue): JsonValue {
  switch (value.kind) {
    case "record":
      return recordToJson(value.fields);
    case "table":
      return { table: value.name };
    case "scalar":
      return typeof value.value === "object" ? value.value.map(numberToJson) : itemToJson(value.value);
    case "array":
      return {
        shape: value.shape,
        data: Array.from<boolean | number | bigint | string, JsonValue>(
          value.data as ArrayLike<number>,
          value.dtype === "bool" ? Boolean : itemToJson,
        ),
      };
  }
}

function itemToJson(item: boolean | number | bigint | string): JsonValue {
  if (typeof item === "number") return numberToJson(item);
  if (typeof item !== "bigint") return item;
  return item >= -LARGEST_EXACT && item <= LARGEST_EXACT ? Number(item) : String(item);
}

function numberToJson(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}
