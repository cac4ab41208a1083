/**
 * Which columns a virtual column is computed from, by the keywords that name them. A name in a keyword doesn't follow its
 * column: who renames one changes them, and who removes one asks first (format reference part 6, section 1.2).
 *
 * | engine | keywords of its column |
 * | --- | --- |
 * | all of section 1.2 | `_BaseMappedArrayEngine_Name` |
 * | ScaledArrayEngine, ScaledComplexData, CompressFloat, CompressComplex and -SD | also `_<engine>_ScaleName`, `_<engine>_OffsetName` |
 */
import { fieldOf, type RecordField, type RecordFields } from "../../format/record.ts";
import { STORED_NAME } from "./stored.ts";

/** Engines on a stored column, and what the keywords of their scales begin with. */
const PREFIXES: Readonly<Record<string, string | null>> = {
  ScaledArrayEngine: "_ScaledArrayEngine_",
  ScaledComplexData: "_ScaledComplexData_",
  CompressFloat: "_CompressFloat_",
  CompressComplex: "_CompressComplex_",
  CompressComplexSD: "_CompressComplex_",
  MappedArrayEngine: null,
  RetypedArrayEngine: null,
  BitFlagsEngine: null,
};

/**
 * The columns of the same table that a column with these keywords is computed from, by keyword; none for a column that
 * isn't virtual, or whose columns are no matter of keywords.
 *
 * @param type Class name of the column's manager.
 */
export function namedColumns(type: string, keywords: RecordFields): Map<string, string> {
  const prefix = PREFIXES[type.split("<")[0]!];
  const names = new Map<string, string>();
  if (prefix === undefined) return names;
  const candidates = [STORED_NAME, ...(prefix === null ? [] : [`${prefix}ScaleName`, `${prefix}OffsetName`])];
  for (const keyword of candidates) {
    const value = fieldOf(keywords, keyword);
    if (value?.kind === "scalar" && value.dtype === "string" && value.value !== "") {
      names.set(keyword, value.value);
    }
  }
  return names;
}

/** The keywords with the new name of a renamed column; the same object when they don't name it. */
export function withRenamed(type: string, keywords: RecordFields, from: string, to: string): RecordFields {
  const names = namedColumns(type, keywords);
  if (![...names.values()].includes(from)) return keywords;
  const fields = keywords.fields.map((field): RecordField =>
    names.get(field.name) === from
      ? { ...field, value: { kind: "scalar", dtype: "string", value: to } }
      : field
  );
  return { ...keywords, fields };
}
