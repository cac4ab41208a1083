/**
 * Column descriptions in `table.dat`: format reference part 1, section 5.1. Nothing here is framed as an object.
 *
 * | field | type | |
 * | --- | --- | --- |
 * | version | uInt | 1 |
 * | class name | String | e.g. `ScalarColumnDesc<Int     ` |
 * | version | uInt | 1 |
 * | name, comment | String | |
 * | manager type, group | String | what was wanted; the real binding is in the ColumnSet |
 * | data type | Int | code of the scalar type |
 * | options | Int | 1 Direct + 2 Undefined + 4 FixedShape |
 * | ndim | Int | 0 scalar, number of axes, or -1 |
 * | shape | IPosition | not for scalar and record classes |
 * | maxLength | uInt | longest string, 0 free |
 * | keywords | TableRecord | |
 * | version | uInt | 1 |
 * | then | | scalar: default value; array: Bool 0; record: nothing; subtable: see the code |
 */
import { codeOf, type DType, dtypeOfCode, paddedName, RECORD_CODE, TABLE_CODE } from "../array/dtype.ts";
import type { AipsReader, AipsWriter } from "./aipsio.ts";
import { readRecord, writeRecord } from "./record-io.ts";
import type { RecordFields } from "./record.ts";
import { readScalar, type ScalarValue, writeScalar, zeroOf } from "./scalar-io.ts";
import { readTableDesc, type TableDesc, writeTableDesc } from "./table-desc.ts";

/** Bit of {@linkcode ColumnDesc.options}: array values stand in the bucket itself. */
export const OPTION_DIRECT = 1;
/** Bit of {@linkcode ColumnDesc.options}: cells may hold no value. */
export const OPTION_UNDEFINED = 2;
/** Bit of {@linkcode ColumnDesc.options}: every cell has the same shape. */
export const OPTION_FIXED_SHAPE = 4;

const SCALAR_PREFIX = "ScalarColumnDesc<";
const ARRAY_PREFIX = "ArrayColumnDesc<";
const RECORD_CLASS = "ScalarRecordColumnDesc";
const SUBTABLE_CLASS = "SubTableDesc";
/** Code of a class that some program registered with its casacore; no other program knows its bytes. */
const OTHER_CODE = 26;

/** A table inside a description, which casacore can describe but not store. */
export interface SubtableDesc {
  readonly descName: string;
  /** The description itself; undefined when `descName` names a description file. */
  readonly desc?: TableDesc;
}

/** What `table.dat` says of a column. */
export interface ColumnDesc {
  readonly name: string;
  readonly comment: string;
  readonly kind: "scalar" | "array" | "record" | "subtable";
  /** Element type; null for a class of some program's own and for a subtable: such a column can't be read. */
  readonly dtype: DType | null;
  /** Class name as on disk: `ScalarColumnDesc<Int     `. */
  readonly className: string;
  /** casacore's code of the scalar type. */
  readonly code: number;
  /** The manager type that was wished for when the column was described. */
  readonly managerType: string;
  /** The manager group that was wished for. */
  readonly managerGroup: string;
  /** Sum of OPTION_DIRECT, OPTION_UNDEFINED and OPTION_FIXED_SHAPE. */
  readonly options: number;
  /** 0 for a scalar; arrays: number of axes, -1 if any. The shape in the ColumnSet wins where there is one. */
  readonly ndim: number;
  /** Fixed shape of array cells as described, [] if none. The shape in the ColumnSet wins where there is one. */
  readonly shape: readonly number[];
  /** Longest string in bytes, 0 if free. */
  readonly maxLength: number;
  readonly keywords: RecordFields;
  /** Scalars of known types: the value of a cell that nobody wrote. */
  readonly defaultValue?: ScalarValue;
  /** Kind `subtable` only. */
  readonly subtable?: SubtableDesc;
}

/** The description of an array column whose elements are of a class of some program's own, as that program describes it. */
export function ofElementClass(desc: ColumnDesc, elementClass: string): ColumnDesc {
  return {
    ...desc,
    dtype: null,
    className: ARRAY_PREFIX + elementClass,
    code: OTHER_CODE,
    managerType: `${elementClass}VACEngine`,
    managerGroup: desc.name,
  };
}

/** The class name that a column of a known type has on disk. */
export function columnClassName(kind: "scalar" | "array" | "record", dtype: DType): string {
  if (kind === "record") return RECORD_CLASS;
  return (kind === "scalar" ? SCALAR_PREFIX : ARRAY_PREFIX) + paddedName(dtype);
}

/** Reads a column description. @throws TableError CORRUPT, UNSUPPORTED, LIMIT */
export function readColumnDesc(r: AipsReader): ColumnDesc {
  checkVersion(r, "column description");
  const classAt = r.offset;
  const className = r.string();
  const kind = kindOf(className);
  if (kind === undefined) {
    r.unsupported(`unknown column class ${JSON.stringify(className.slice(0, 80))}`, classAt);
  }
  checkVersion(r, className);
  const name = r.string(), comment = r.string();
  const managerType = r.string(), managerGroup = r.string();
  const codeAt = r.offset;
  const code = r.i32();
  const dtype = kind === "subtable" ? null : dtypeOfCode(code) ?? null;
  if (!fits(kind, className, code, dtype)) {
    r.fail(`column ${show(name)} of class ${show(className)} has type code ${code}`, codeAt);
  }
  const options = r.i32();
  const ndimAt = r.offset;
  const ndim = r.i32();
  if (ndim < -1) r.fail(`column ${show(name)} has ${ndim} axes, expected -1 or more`, ndimAt);
  const shape = kind === "scalar" || kind === "record" ? [] : readFixedShape(r);
  const maxLength = r.u32();
  const keywords = readRecord(r);
  checkVersion(r, className);
  const column = {
    name,
    comment,
    kind,
    dtype,
    className,
    code,
    managerType,
    managerGroup,
    options,
    ndim,
    shape,
    maxLength,
    keywords,
  };
  if (kind === "array") {
    r.bool();
    return column;
  }
  if (kind === "subtable") return { ...column, subtable: readSubtable(r) };
  if (kind === "record" || dtype === null || dtype === "record") return column;
  return { ...column, defaultValue: readScalar(r, dtype) };
}

/** Writes a column description. */
export function writeColumnDesc(w: AipsWriter, column: ColumnDesc): void {
  w.u32(1);
  w.string(column.className);
  w.u32(1);
  w.string(column.name);
  w.string(column.comment);
  w.string(column.managerType);
  w.string(column.managerGroup);
  w.i32(column.code);
  w.i32(column.options);
  w.i32(column.ndim);
  if (column.kind === "array" || column.kind === "subtable") w.iposition(column.shape);
  w.u32(column.maxLength);
  writeRecord(w, column.keywords);
  w.u32(1);
  const { kind, dtype } = column;
  if (kind === "array") w.bool(false);
  else if (kind === "subtable") writeSubtable(w, column.subtable ?? { descName: "" });
  else if (dtype !== null && dtype !== "record") writeScalar(w, dtype, column.defaultValue ?? zeroOf(dtype));
}

/** An IPosition without the -1 that stands for "any" elsewhere. */
export function readFixedShape(r: AipsReader): number[] {
  const at = r.offset;
  const shape = r.iposition();
  if (shape.some((length) => length < 0)) r.fail(`a fixed shape is [${shape.slice(0, 8).join(", ")}]`, at);
  return shape;
}

function readSubtable(r: AipsReader): SubtableDesc {
  const descName = r.string();
  const byName = r.bool();
  return byName ? { descName } : { descName, desc: readTableDesc(r) };
}

function writeSubtable(w: AipsWriter, { descName, desc }: SubtableDesc): void {
  w.string(descName);
  w.bool(desc === undefined);
  if (desc !== undefined) writeTableDesc(w, desc);
}

function kindOf(className: string): ColumnDesc["kind"] | undefined {
  if (className.startsWith(SCALAR_PREFIX)) return "scalar";
  if (className.startsWith(ARRAY_PREFIX)) return "array";
  if (className === RECORD_CLASS) return "record";
  if (className === SUBTABLE_CLASS) return "subtable";
  return undefined;
}

function fits(kind: ColumnDesc["kind"], className: string, code: number, dtype: DType | null): boolean {
  if (kind === "subtable") return code === TABLE_CODE;
  if (kind === "record") return code === RECORD_CODE;
  if (code === OTHER_CODE) return true;
  return dtype !== null && dtype !== "record" && codeOf(dtype) === code &&
    className === columnClassName(kind, dtype);
}

function checkVersion(r: AipsReader, what: string): void {
  const at = r.offset;
  const version = r.u32();
  if (version !== 1) r.unsupported(`${show(what)} has version ${version}, expected 1`, at);
}

function show(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
