/**
 * Values of columns as Arrow data. Numbers that lie behind each other, as all cells of one shape do, are not copied: the
 * Arrow buffer is the memory that the table filled. Copied are bools (bytes to bits), strings, cells of several shapes, and
 * columns with undefined cells.
 */
import {
  Bool,
  type Data,
  type DataType,
  type FixedSizeList,
  Int32,
  type List,
  makeData,
  Struct,
  Utf8,
} from "apache-arrow";
import { kernels } from "../array/choose.ts";
import { arrayClass, type DType, isNumeric, type NumericData, numericInfo } from "../array/dtype.ts";
import type { NDArray } from "../array/ndarray.ts";
import { elementsOf } from "../array/rows.ts";
import { TableError } from "../error.ts";
import { readableText } from "../format/strings.ts";
import type { Column } from "../table/column.ts";
import type { Cell } from "../table/read.ts";
import { isArrayCell, isRecordCell, type Values } from "./columns.ts";
import type { StringDictionary } from "./dictionary.ts";
import { recordText } from "./typed-json.ts";
import { elementType, fixedArrayType, freeArrayType } from "./types.ts";

/** Offsets of lists are 32-bit. */
const MAX_ITEMS = 2 ** 31 - 1;
/** A UTF-16 unit takes at most this many bytes of UTF-8. */
const MAX_UTF8_PER_UNIT = 3;

/** Which rows have a value. */
interface Validity {
  readonly nullCount: number;
  readonly nullBitmap: Uint8Array;
}

/** One column of a batch as Arrow data of the type that its field has. @throws TableError LIMIT */
export function columnData(column: Column, values: Values, dictionary: StringDictionary | null): Data {
  const { dtype, kind, shape } = column;
  if (kind !== "array") return scalarData(dtype, values, dictionary);
  return shape === null ? freeData(column, values) : fixedData(dtype, shape, values);
}

function scalarData(dtype: DType, values: Values, dictionary: StringDictionary | null): Data {
  if (values.kind === "uniform") {
    const { shape, data } = values.array;
    return dictionary === null
      ? elementsData(dtype, data, shape.at(-1)!, null)
      : dictionary.data(data as string[], null);
  }
  const { cells } = values;
  const validity = validityOf(cells);
  if (dtype === "record") {
    const texts = cells.map((cell) => isRecordCell(cell) ? recordText(cell.toFields()) : "");
    return elementsData(dtype, texts, cells.length, validity);
  }
  if (!isNumeric(dtype)) {
    const texts = cells.map((cell) => typeof cell === "string" ? cell : "");
    return dictionary === null
      ? elementsData(dtype, texts, cells.length, validity)
      : dictionary.data(texts, validity);
  }
  const { items } = numericInfo(dtype);
  const data = emptyOf(dtype, cells.length);
  cells.forEach((cell, i) => {
    if (cell === null) return;
    if (Array.isArray(cell)) data.set(cell as never, i * items);
    else data[i] = (typeof cell === "boolean" ? Number(cell) : cell) as never;
  });
  return elementsData(dtype, data, cells.length, validity);
}

/** Cells of one shape: nested lists around the values as they are. */
function fixedData(dtype: DType, shape: readonly number[], values: Values): Data {
  const each = elementsOf(shape);
  if (values.kind === "uniform") {
    const { data, shape: whole } = values.array;
    return nest(dtype, shape, data, whole.at(-1)!, null);
  }
  const { cells } = values;
  const validity = validityOf(cells);
  if (!isNumeric(dtype)) {
    const texts: string[] = new Array(cells.length * each).fill("");
    cells.forEach((cell, i) =>
      isArrayCell(cell) && (cell.data as string[]).forEach((text, k) => texts[i * each + k] = text)
    );
    return nest(dtype, shape, texts, cells.length, validity);
  }
  const data = emptyOf(dtype, cells.length * each), { items } = numericInfo(dtype);
  cells.forEach((cell, i) => isArrayCell(cell) && data.set(cell.data as never, i * each * items));
  return nest(dtype, shape, data, cells.length, validity);
}

function nest(
  dtype: DType,
  shape: readonly number[],
  data: unknown,
  rows: number,
  validity: Validity | null,
): Data {
  let child = elementsData(dtype, data, elementsOf(shape) * rows, null);
  let lists = elementsOf(shape) * rows;
  shape.forEach((length, axis) => {
    lists /= length;
    const type = fixedArrayType(dtype, shape.slice(0, axis + 1)) as FixedSizeList;
    const outermost = axis === shape.length - 1;
    child = makeData({
      type,
      length: lists,
      child,
      nullCount: 0,
      ...(outermost && validity !== null ? validity : {}),
    });
  });
  return child;
}

/** Cells of any shape: their values behind each other, and their shapes. */
function freeData({ name, dtype }: Column, values: Values): Data {
  const cells = values.kind === "uniform" ? null : values.cells as readonly (NDArray | null)[];
  const rows = values.kind === "uniform" ? values.array.shape.at(-1)! : values.cells.length;
  const cellShape = values.kind === "uniform" ? values.array.shape.slice(0, -1) : null;
  const valueOffsets = new Int32Array(rows + 1), shapeOffsets = new Int32Array(rows + 1);
  const lengths: number[] = [];
  let total = 0;
  for (let i = 0; i < rows; i++) {
    const shape = cellShape ?? cells![i]?.shape ?? [];
    const elements = cells !== null && cells[i] === null ? 0 : elementsOf(shape);
    total += elements;
    if (total > MAX_ITEMS || shape.some((length) => length > MAX_ITEMS)) {
      throw new TableError(
        "LIMIT",
        `column ${name}: a batch of lists has at most ${MAX_ITEMS} elements; take fewer rows`,
      );
    }
    for (const length of shape) lengths.push(length);
    valueOffsets[i + 1] = total;
    shapeOffsets[i + 1] = lengths.length;
  }
  const data = values.kind === "uniform" ? values.array.data : joined(dtype, cells!, total);
  const type = freeArrayType(dtype);
  const [shapes, elements] = type.children.map((field) => field.type as List);
  return makeData({
    type: new Struct(type.children),
    length: rows,
    nullCount: 0,
    ...(cells === null ? {} : validityOf(cells)),
    children: [
      makeData({
        type: shapes!,
        length: rows,
        nullCount: 0,
        valueOffsets: shapeOffsets,
        child: makeData({
          type: new Int32(),
          length: lengths.length,
          nullCount: 0,
          data: Int32Array.from(lengths),
        }),
      }),
      makeData({
        type: elements!,
        length: rows,
        nullCount: 0,
        valueOffsets,
        child: elementsData(dtype, data, total, null),
      }),
    ],
  });
}

/** Values of cells behind each other; those that share one block of memory in that order stay where they are. */
function joined(dtype: DType, cells: readonly (NDArray | null)[], elements: number): unknown {
  const defined = cells.filter((cell) => cell !== null);
  if (!isNumeric(dtype)) return defined.flatMap((cell) => cell.data as string[]);
  const { items, size } = numericInfo(dtype);
  const first = defined[0]?.data as NumericData | undefined;
  if (first !== undefined) {
    let end = first.byteOffset;
    const together = defined.every(({ data }) => {
      const part = data as NumericData;
      const follows = part.buffer === first.buffer && part.byteOffset === end;
      end += part.byteLength;
      return follows;
    });
    if (together && end - first.byteOffset === elements * size) {
      return new (arrayClass(dtype) as unknown as new (
        b: ArrayBufferLike,
        at: number,
        n: number,
      ) => NumericData)(
        first.buffer,
        first.byteOffset,
        elements * items,
      );
    }
  }
  const data = emptyOf(dtype, elements);
  let at = 0;
  for (const cell of defined) {
    data.set(cell.data as never, at);
    at += (cell.data as NumericData).length;
  }
  return data;
}

function emptyOf(dtype: Parameters<typeof arrayClass>[0], elements: number): NumericData {
  return new (arrayClass(dtype) as unknown as new (n: number) => NumericData)(
    elements * numericInfo(dtype).items,
  );
}

/** Null bits of cells; nothing where all have a value. */
function validityOf(cells: readonly Cell[]): Validity | null {
  const nullCount = cells.reduce((count: number, cell) => count + Number(cell === null), 0);
  if (nullCount === 0) return null;
  const present = Uint8Array.from(cells, (cell) => Number(cell !== null));
  return { nullCount, nullBitmap: bits(present, cells.length) };
}

function bits(bytes: Uint8Array, count: number): Uint8Array {
  // Arrow pads buffers to 8 bytes, and so may read them.
  const packed = new Uint8Array(Math.ceil(count / 64) * 8);
  if (count > 0) kernels().packBits(bytes, packed, 0, count);
  return packed;
}

/** Elements as Arrow data of their type. */
function elementsData(dtype: DType, data: unknown, length: number, validity: Validity | null): Data {
  const common = { length, nullCount: 0, ...(validity ?? {}) };
  switch (dtype) {
    case "bool":
      return makeData({ type: new Bool(), ...common, data: bits(data as Uint8Array, length) });
    case "string":
    case "record":
      return textData(data as string[], validity);
    case "complex64":
    case "complex128": {
      const type = elementType(dtype) as FixedSizeList;
      const parts = { length: length * 2, nullCount: 0, data: data as never };
      const child = makeData({ type: type.valueType as DataType, ...parts } as never) as Data;
      return makeData({ type, ...common, child });
    }
    default:
      return makeData({ type: elementType(dtype), ...common, data } as never) as Data;
  }
}

/** Strings as UTF-8. Bytes that were none appear as the Latin-1 characters that they probably are. */
export function textData(texts: readonly string[], validity: Validity | null): Data<Utf8> {
  const encoder = new TextEncoder();
  const valueOffsets = new Int32Array(texts.length + 1);
  let bytes = new Uint8Array(texts.length * 16), used = 0;
  texts.forEach((raw, i) => {
    const text = readableText(raw);
    const most = used + text.length * MAX_UTF8_PER_UNIT;
    if (most > bytes.length) {
      if (most > MAX_ITEMS) {
        throw new TableError("LIMIT", "the strings of a batch take more than 2 GiB; take fewer rows");
      }
      const larger = new Uint8Array(Math.min(MAX_ITEMS, Math.max(most, bytes.length * 2)));
      larger.set(bytes.subarray(0, used));
      bytes = larger;
    }
    used += encoder.encodeInto(text, bytes.subarray(used)).written;
    valueOffsets[i + 1] = used;
  });
  const data = bytes.subarray(0, used);
  return makeData({
    type: new Utf8(),
    length: texts.length,
    nullCount: 0,
    ...(validity ?? {}),
    valueOffsets,
    data,
  });
}
