/**
 * The objects of the columns of a StManAipsIO: format reference part 3, section B2. Nested AipsIO objects, in column
 * order, no magic.
 *
 * | column | object | body |
 * | --- | --- | --- |
 * | scalar | `StManColumnAipsIO` | rows and chunks, see chunks.ts |
 * | direct array | `StManColumnArrayAipsIO` v2 | a `StManColumnAipsIO` |
 * | | the same, v1 | Int data type, IPosition, uInt n; a `StManColumnAipsIO` |
 * | other array, record | `StManColumnIndArrayAipsIO` | Int data type, uInt number of the column; a `StManColumnAipsIO` |
 */
import { elementsOf, sameShape } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import { AipsReader } from "../../format/aipsio.ts";
import { type Plan, readBytes } from "../../io/plan.ts";
import type { BoundColumn } from "../manager.ts";
import type { ScanFile } from "./scan.ts";

/** Types of the objects. */
export const SCALAR_TYPE = "StManColumnAipsIO";
export const DIRECT_TYPE = "StManColumnArrayAipsIO";
export const INDIRECT_TYPE = "StManColumnIndArrayAipsIO";

/** Bytes read to see the header of an object, whose type has at most 29 characters. */
const HEADER_BYTES = 64;

/** Bytes read of the body of a direct array of version 1 before the values: enough for any shape. */
const SHAPE_BYTES = 1024;

/** Bytes of a word. */
const WORD_BYTES = 4;

/** An object in the file. */
export interface ColumnObject {
  readonly type: string;
  readonly version: number;
  readonly start: number;
  /** Offset of what follows the version. */
  readonly body: number;
  readonly end: number;
}

/** The values of a column: what stands in its innermost object. */
export interface ColumnBody {
  /** Version of the innermost object. */
  readonly version: number;
  /** Offset of the row count. */
  readonly at: number;
  readonly end: number;
  /** Indirect columns: which array file. */
  readonly arrays: { readonly number: number; readonly perColumn: boolean } | null;
}

/** True for columns whose values stand in an array file. */
export function isIndirect(bound: BoundColumn): boolean {
  return bound.kind === "record" || (bound.kind === "array" && !bound.direct);
}

/** Plan: the header of the object at an offset, which must end at `limit` or before. @throws TableError CORRUPT */
export function* readObject(file: ScanFile, start: number, limit: number): Plan<ColumnObject> {
  const bytes = yield* readBytes(file.name, start, Math.min(HEADER_BYTES, limit - start));
  const reader = new AipsReader(bytes, { file: file.path, base: start });
  const length = reader.u32();
  const type = reader.string();
  const version = reader.u32();
  const end = start + length;
  if (end > limit || length < reader.offset) {
    reader.fail(
      `an object is said to be ${length} bytes long, expected ${reader.offset} to ${limit - start}`,
      0,
    );
  }
  return { type, version, start, body: start + reader.offset, end };
}

/** Plan: the objects of all columns. @throws TableError CORRUPT unless they fill the file's object */
export function* readObjects(file: ScanFile, at: number, columns: number): Plan<ColumnObject[]> {
  const objects: ColumnObject[] = [];
  let next = at;
  for (let c = 0; c < columns; c++) {
    const object = yield* readObject(file, next, file.end);
    objects.push(object);
    next = object.end;
  }
  if (next !== file.end) {
    refuse(file, `the objects of the columns end here, the file's object at ${file.end}`, next);
  }
  return objects;
}

/** Plan: where a column's values stand, its descriptions checked. @throws TableError CORRUPT, UNSUPPORTED */
export function* readBody(file: ScanFile, object: ColumnObject, bound: BoundColumn): Plan<ColumnBody> {
  const expected = isIndirect(bound) ? INDIRECT_TYPE : bound.kind === "array" ? DIRECT_TYPE : SCALAR_TYPE;
  expectType(file, object, expected);
  if (expected === SCALAR_TYPE) {
    return { version: object.version, at: object.body, end: object.end, arrays: null };
  }
  let at = object.body, arrays: ColumnBody["arrays"] = null;
  if (expected === INDIRECT_TYPE) {
    const words = yield* readBytes(file.name, at, Math.min(2 * WORD_BYTES, object.end - at));
    const reader = new AipsReader(words, { file: file.path, base: at });
    reader.i32(); // data type
    arrays = { number: reader.u32(), perColumn: object.version === 1 };
    at += 2 * WORD_BYTES;
  } else if (object.version === 1) at += yield* readShape(file, object, bound);
  const inner = yield* readObject(file, at, object.end);
  expectType(file, inner, SCALAR_TYPE);
  if (inner.end !== object.end) {
    refuse(file, `an object ends here, the one around it at ${object.end}`, inner.end);
  }
  return { version: inner.version, at: inner.body, end: inner.end, arrays };
}

function expectType(file: ScanFile, object: ColumnObject, expected: string): void {
  const { type, version, start } = object;
  if (type !== expected) {
    refuse(file, `expected an object of type ${expected}, found ${JSON.stringify(type.slice(0, 80))}`, start);
  }
  if (version !== 1 && version !== 2) {
    throw new TableError("UNSUPPORTED", `${type} has version ${version}, expected 1 or 2`, {
      file: file.path,
      offset: start,
    });
  }
}

/** Plan: reads the shape in a direct array's object of version 1; the bytes that it takes. */
function* readShape(file: ScanFile, object: ColumnObject, bound: BoundColumn): Plan<number> {
  const bytes = yield* readBytes(file.name, object.body, Math.min(SHAPE_BYTES, object.end - object.body));
  const reader = new AipsReader(bytes, { file: file.path, base: object.body });
  reader.i32(); // data type
  const at = reader.offset;
  const shape = reader.iposition(), elements = reader.u32();
  if (!sameShape(shape, bound.shape!) || elements !== elementsOf(shape)) {
    reader.fail(
      `column ${bound.name} has cells of shape [${
        shape.join(", ")
      }] and ${elements} elements, the table's have ` +
        `[${bound.shape!.join(", ")}]`,
      at,
    );
  }
  return reader.offset;
}

function refuse(file: ScanFile, message: string, at: number): never {
  throw new TableError("CORRUPT", message, { file: file.path, offset: at });
}
