/**
 * Where a table's description names its columns, beside describing them: what has to follow when a column is renamed, and
 * what a column is needed for.
 *
 * | where | what | a rename |
 * | --- | --- | --- |
 * | private keywords `Hypercolumn_*` | data, coordinate and id columns (format reference part 1, section 5.3) | follows, as in casacore |
 * | keywords of a virtual column, `_…Name` | the columns that it is computed from (part 6, section 1) | follows; casacore leaves the old name, and the table can't be opened again |
 * | table keyword `_ForwardColumn_RowName_<N>` | the column with row numbers (part 6) | likewise |
 * | `MEASINFO`: VarRefCol, RefOffCol; `VariableUnits` | columns with references, offsets, units (part 1, section 11) | follows; casacore leaves the old name |
 * | a forwarded column | the other table's column has its name | is refused; casacore can't open the table again |
 */
import { TableError } from "../error.ts";
import type { FieldValue, RecordField, RecordFields } from "../format/record.ts";
import { TableRecord } from "../format/table-record.ts";
import type { PlainColumn } from "./manager-slot.ts";
import type { PlainBody } from "./plain.ts";

const HYPERCOLUMN = "Hypercolumn_";
const HYPERCOLUMN_LISTS = ["data", "coord", "id"];
const ENGINE_REFERENCE = /^_.*Name$/;
const FORWARD = /^_ForwardColumn_TableName/;
const FORWARD_ROWS = /^_ForwardColumn_RowName_/;
const MEASURE = "MEASINFO", MEASURE_COLUMNS = ["VarRefCol", "RefOffCol"], VARIABLE_UNITS = "VariableUnits";

function listOf(value: FieldValue | undefined): readonly string[] | null {
  return value?.kind === "array" && value.dtype === "string" ? value.data as readonly string[] : null;
}

/** The fields of hypercolumns as `change` makes them; null removes one. */
function hypercolumns(
  keywords: RecordFields,
  change: (fields: readonly RecordField[]) => readonly RecordField[] | null,
): RecordFields {
  const fields = keywords.fields.flatMap((field): RecordField[] => {
    if (!field.name.startsWith(HYPERCOLUMN) || field.value.kind !== "record") return [field];
    const inner = change(field.value.fields.fields);
    if (inner === null) return [];
    return [{ ...field, value: { ...field.value, fields: { ...field.value.fields, fields: inner } } }];
  });
  return { ...keywords, fields };
}

/** Private keywords when a column has another name. */
export function hypercolumnsRenamed(keywords: RecordFields, from: string, to: string): RecordFields {
  return hypercolumns(keywords, (fields) =>
    fields.map((field): RecordField => {
      const list = listOf(field.value);
      if (!HYPERCOLUMN_LISTS.includes(field.name) || list === null || !list.includes(from)) return field;
      const data = list.map((name) => name === from ? to : name);
      return { ...field, value: { kind: "array", dtype: "string", shape: [data.length], data } };
    }));
}

/** Private keywords without the hypercolumns all of whose data columns are gone. casacore leaves them there. */
export function hypercolumnsWithout(keywords: RecordFields, gone: readonly string[]): RecordFields {
  return hypercolumns(keywords, (fields) => {
    const data = listOf(fields.find((field) => field.name === "data")?.value);
    return data !== null && data.length > 0 && data.every((name) => gone.includes(name)) ? null : fields;
  });
}

/** Keywords that name columns from which a virtual column is computed. */
function engineReferences(keywords: TableRecord): string[] {
  return keywords.keys().filter((key) =>
    ENGINE_REFERENCE.test(key) && !FORWARD.test(key) && keywords.dtype(key) === "string"
  );
}

/** @throws TableError INVALID_ARGUMENT when a column that stays is computed from one of those that go */
export function checkNotReferred(table: PlainBody, gone: readonly string[]): void {
  for (const { bound, keywords, computed } of table.columns) {
    if (!computed || gone.includes(bound.name)) continue;
    for (const key of engineReferences(keywords)) {
      const name = keywords.get(key);
      if (typeof name === "string" && gone.includes(name)) throw needed(table, name, bound.name);
    }
  }
  for (const key of table.keywords.keys()) {
    const name = FORWARD_ROWS.test(key) ? table.keywords.get(key) : undefined;
    if (typeof name !== "string" || !gone.includes(name)) continue;
    const sequence = Number(key.slice(key.lastIndexOf("_") + 1));
    const stays = table.columns.find(({ bound, manager }) =>
      manager.sequence === sequence && !gone.includes(bound.name)
    );
    if (stays !== undefined) throw needed(table, name, stays.bound.name);
  }
}

function needed(table: PlainBody, name: string, by: string): TableError {
  return new TableError(
    "INVALID_ARGUMENT",
    `column ${name} can't be removed: column ${by} is computed from it`,
    { file: table.path },
  );
}

/** @throws TableError UNSUPPORTED for a column whose name is that of another table's column, too */
export function checkRenamable(table: PlainBody, { bound, keywords }: PlainColumn): void {
  if (!keywords.keys().some((key) => FORWARD.test(key))) return;
  throw new TableError(
    "UNSUPPORTED",
    `column ${bound.name} can't be renamed: it stands for the column of that name of another table`,
    { file: table.path },
  );
}

/** Gives keywords that name a column its new name. */
export function followReferences(table: PlainBody, from: string, to: string): void {
  const follow = (record: TableRecord, key: string) => {
    if (record.get(key) === from) record.set(key, to);
  };
  for (const { keywords, computed } of table.columns) {
    if (computed) { for (const key of engineReferences(keywords)) follow(keywords, key); }
    follow(keywords, VARIABLE_UNITS);
    const measure = keywords.get(MEASURE);
    if (measure instanceof TableRecord) { for (const key of MEASURE_COLUMNS) follow(measure, key); }
  }
  for (const key of table.keywords.keys()) if (FORWARD_ROWS.test(key)) follow(table.keywords, key);
}
