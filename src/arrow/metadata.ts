/**
 * What stands beside the values: the keys of the metadata of schemas and fields, and how a column describes itself there.
 *
 * | where | key | value |
 * | --- | --- | --- |
 * | schema | `tessera.keywords` | table keywords, as JSON that loses nothing (typed-json.ts) |
 * | schema | `tessera.info` | `{"type", "subType", "readme"}` of `table.info` |
 * | field of a column | `tessera.column` | {@linkcode ColumnNote} |
 * | field of a column | `tessera.keywords` | column keywords |
 * | field of a column | `tessera.units` | list of units, where there are any |
 * | field of a column | `tessera.measure` | the keyword `MEASINFO`, where there is one |
 * | any field | `ARROW:extension:name` | `tessera.complex64`, `tessera.complex128`, `tessera.array`, `tessera.record` |
 */
import { type DType, isDType } from "../array/dtype.ts";
import type { Column } from "../table/column.ts";
import { recordText } from "./typed-json.ts";

/** Key of keywords, of a schema or a field. */
export const KEYWORDS_KEY = "tessera.keywords";
/** Key of type, subtype and text of a table. */
export const INFO_KEY = "tessera.info";
/** Key of a column's description. */
export const COLUMN_KEY = "tessera.column";
/** Key of a column's units. */
export const UNITS_KEY = "tessera.units";
/** Key of a column's measure. */
export const MEASURE_KEY = "tessera.measure";
/** Arrow's own key of extension types. */
export const EXTENSION_KEY = "ARROW:extension:name";
/** Arrow's own key of what an extension type says of itself; readers expect it beside the name. */
export const EXTENSION_METADATA_KEY = "ARROW:extension:metadata";

/** Extension name of complex values of a type. */
export const COMPLEX_EXTENSION = {
  complex64: "tessera.complex64",
  complex128: "tessera.complex128",
} as const;
/** Extension name of arrays of free shape. */
export const ARRAY_EXTENSION = "tessera.array";
/** Extension name of records. */
export const RECORD_EXTENSION = "tessera.record";

/** A column as its field describes it. */
export interface ColumnNote {
  readonly dtype: DType;
  readonly kind: "scalar" | "array" | "record";
  /** Shape of every cell, null where cells have shapes of their own. */
  readonly shape: readonly number[] | null;
  /** Number of axes, -1 for any. */
  readonly ndim: number;
  readonly direct: boolean;
  readonly maxLength: number;
  readonly comment: string;
  /** Type and number of the storage manager that had it. */
  readonly manager: { readonly type: string; readonly sequence: number };
  /** Its tiles, the rows last; null where there are none. */
  readonly tileShape: readonly number[] | null;
}

/** Metadata that a column's field has. */
export function columnMetadata(column: Column): Map<string, string> {
  const { dtype, kind, shape, ndim, direct, maxLength, comment, manager, keywords, units } = column;
  const { type, sequence } = manager;
  const tileShape = column.tileShape;
  const note: ColumnNote = {
    dtype,
    kind,
    shape,
    ndim,
    direct,
    maxLength,
    comment,
    manager: { type, sequence },
    tileShape,
  };
  const metadata = new Map([[COLUMN_KEY, JSON.stringify(note)]]);
  if (keywords.size > 0) metadata.set(KEYWORDS_KEY, recordText(keywords.toFields()));
  if (units.length > 0) metadata.set(UNITS_KEY, JSON.stringify(units));
  if (keywords.has("MEASINFO")) metadata.set(MEASURE_KEY, JSON.stringify(keywords.get("MEASINFO")));
  return metadata;
}

/** The description in a field's metadata; undefined for fields that others made. */
export function columnNote(metadata: ReadonlyMap<string, string>): ColumnNote | undefined {
  const text = metadata.get(COLUMN_KEY);
  if (text === undefined) return undefined;
  let note: Partial<ColumnNote>;
  try {
    note = JSON.parse(text) as Partial<ColumnNote>;
  } catch {
    return undefined;
  }
  if (typeof note !== "object" || note === null || !isDType(note.dtype)) return undefined;
  const {
    dtype,
    kind,
    shape = null,
    ndim = -1,
    direct = false,
    maxLength = 0,
    comment = "",
    tileShape = null,
  } = note;
  if (kind !== "scalar" && kind !== "array" && kind !== "record") return undefined;
  const { type, sequence } = note.manager ?? {};
  return {
    dtype,
    kind,
    shape: lengthsOr(shape, null),
    ndim: Number.isInteger(ndim) ? ndim : -1,
    direct: direct === true,
    maxLength: Number.isInteger(maxLength) && maxLength > 0 ? maxLength : 0,
    comment: typeof comment === "string" ? comment : "",
    manager: {
      type: typeof type === "string" ? type : "",
      sequence: Number.isInteger(sequence) ? sequence! : 0,
    },
    tileShape: lengthsOr(tileShape, null),
  };
}

function lengthsOr<T>(value: unknown, other: T): readonly number[] | T {
  return Array.isArray(value) && value.every((n) => Number.isInteger(n) && n >= 0)
    ? value as number[]
    : other;
}
