/**
 * Keyword sets, the records of very old tables: format reference part 1, section 4.5. Read only.
 *
 * | body of `ScalarKeywordSet`, `ArrayKeywordSet` or `TableKeywordSet` | |
 * | --- | --- |
 * | object `Map<String,void>` | uInt n, Int, String, n × (String name, Int type, String comment) |
 * | Block of Int, Block of String | excluded types and names: ignored |
 * | 8 groups of scalars | uInt count, count × (String name, value) |
 * | 8 groups of arrays | the same; not in ScalarKeywordSet |
 * | tables | uInt count, count × (String name, String stored name); only in TableKeywordSet |
 * | nested sets | uInt 0; only in versions past 1 |
 *
 * The groups are those of {@linkcode GROUPS}, in that order. No bytes of such a file were ever seen.
 */
import type { AipsReader, ObjectHeader } from "./aipsio.ts";
import { readArray } from "./array-io.ts";
import type { FieldValue, RecordField, RecordFields } from "./record.ts";
import { readScalar } from "./scalar-io.ts";

/** Types of the objects that stand where a TableRecord is expected. */
export const KEYWORD_SET_TYPES: readonly string[] = [
  "ScalarKeywordSet",
  "ArrayKeywordSet",
  "TableKeywordSet",
];

const GROUPS = [
  "bool",
  "int32",
  "uint32",
  "float32",
  "float64",
  "complex64",
  "complex128",
  "string",
] as const;

/** Smallest entry of the map: two strings and an Int. */
const MIN_ENTRY_BYTES = 12;

/** Reads the body of a keyword set, whose header has been read, as a record. */
export function readKeywordSet(r: AipsReader, header: ObjectHeader): RecordFields {
  const comments = readMap(r);
  r.begin("Block");
  r.bytes(4 * r.count(4));
  r.end();
  r.blockString();
  const values = new Map<string, FieldValue>();
  for (const dtype of GROUPS) {
    readGroup(r, values, () => ({ kind: "scalar", dtype, value: readScalar(r, dtype) }) as FieldValue);
  }
  if (header.type !== "ScalarKeywordSet") {
    for (const dtype of GROUPS) readGroup(r, values, () => ({ kind: "array", ...readArray(r, dtype) }));
  }
  if (header.type === "TableKeywordSet") readGroup(r, values, () => ({ kind: "table", name: r.string() }));
  if (header.version > 1) {
    const at = r.offset;
    const nested = r.u32();
    if (nested !== 0) r.unsupported(`${header.type} holds ${nested} nested sets, expected 0`, at);
  }
  // The order of the fields is that of the map; whatever isn't in it comes last.
  const names = new Set([...comments.keys(), ...values.keys()]);
  const fields: RecordField[] = [];
  for (const name of names) {
    const value = values.get(name);
    if (value !== undefined) fields.push({ name, comment: comments.get(name) ?? "", value });
  }
  return { fields, recordType: 1 };
}

/** Comments by name, in the order of the file. */
function readMap(r: AipsReader): Map<string, string> {
  r.begin("Map<String,void>");
  const count = r.u32();
  r.i32();
  r.string();
  if (count * MIN_ENTRY_BYTES > r.remaining()) {
    r.fail(`${count} keywords don't fit into ${r.remaining()} bytes`);
  }
  const comments = new Map<string, string>();
  for (let i = 0; i < count; i++) {
    const name = r.string();
    r.i32();
    comments.set(name, r.string());
  }
  r.end();
  return comments;
}

function readGroup(r: AipsReader, values: Map<string, FieldValue>, read: () => FieldValue): void {
  const count = r.count(5);
  for (let i = 0; i < count; i++) {
    const at = r.offset;
    const name = r.string();
    if (values.has(name)) r.fail(`keyword ${JSON.stringify(name.slice(0, 80))} occurs twice`, at);
    values.set(name, read());
  }
}
