/**
 * A table with a column of each kind, for tests of what becomes of them elsewhere.
 */
import assert from "node:assert/strict";
import { array, type DType, type NDArray, type NumericType, scalar, Table, TableRecord } from "../../mod.ts";
import { arrayClass, NUMERIC_TYPES, numericInfo } from "../../src/array/dtype.ts";

/** Runs with a path where nothing is, in a directory that goes afterwards. */
export async function inDirectory(run: (directory: string) => void | Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync({ prefix: "tessera-arrow-" });
  try {
    await run(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

/** Values that differ from element to element, the extremes of the type among the first. */
export function someValues(dtype: NumericType, elements: number): NDArray["data"] {
  const { items } = numericInfo(dtype);
  const make = arrayClass(dtype) as unknown as { from(list: unknown[]): Float64Array };
  const extremes: Partial<Record<NumericType, unknown[]>> = {
    uint8: [0, 255],
    int16: [-32768, 32767],
    uint16: [0, 65535],
    int32: [-2147483648, 2147483647],
    uint32: [0, 4294967295],
    int64: [-(2n ** 63n), 2n ** 63n - 1n],
    float32: [NaN, -0, Infinity, Math.fround(0.1)],
    float64: [NaN, -0, -Infinity, 0.1],
    complex64: [NaN, -0, Infinity, 1.5],
    complex128: [NaN, -0, Infinity, 0.1],
  };
  const first = extremes[dtype] ?? [];
  return make.from(Array.from({ length: elements * items }, (_, i) => {
    if (i < first.length) return first[i];
    if (dtype === "bool") return (i * i) % 3 === 1 ? 1 : 0;
    return dtype === "int64" ? BigInt(i) : i % 100;
  })) as never;
}

/** Rows of {@linkcode everyKind}. */
export const ROWS = 11;
/** Strings of its scalar string column. */
export const TEXTS = ["", "a", "é", "日本", "a", "\u{1F52D}", "x\ny", '"', "a", "é", "last"];

/** A table with scalars, arrays of a fixed shape and arrays of free shapes of every type, strings and records. */
export function everyKind(path: string): Table {
  const types: readonly DType[] = [...NUMERIC_TYPES, "string"];
  const table = Table.create(path, {
    columns: [
      ...types.map((dtype) => scalar(`S_${dtype}`, dtype, { unit: "Jy", comment: `a ${dtype}` })),
      ...types.map((dtype) => array(`F_${dtype}`, dtype, { shape: [3, 2] })),
      ...types.map((dtype) => array(`V_${dtype}`, dtype)),
      scalar("RECORD", "record"),
      array("UVW", "float64", { shape: [3], measure: { type: "uvw", Ref: "J2000" } }),
    ],
    keywords: { VERSION: 2.5, inner: { list: [1, 2], "7": true } },
    info: { type: "Test", subType: "every kind", readme: "one\ntwo\n" },
    rows: ROWS,
  });
  for (const dtype of types) {
    const values = (elements: number): NDArray["data"] =>
      dtype === "string"
        ? Array.from({ length: elements }, (_, i) => TEXTS[i % TEXTS.length]!)
        : someValues(dtype as NumericType, elements);
    table.putColumn(`S_${dtype}`, { dtype, shape: [ROWS], data: values(ROWS) } as NDArray);
    table.putColumn(`F_${dtype}`, { dtype, shape: [3, 2, ROWS], data: values(6 * ROWS) } as NDArray);
    for (let row = 0; row < ROWS; row++) {
      if (row % 4 === 3) continue; // stays undefined
      const shape = row % 3 === 0 ? [2, 2] : row % 3 === 1 ? [row] : [1, 3, 1];
      const elements = shape.reduce((a, b) => a * b, 1);
      table.putCell(`V_${dtype}`, row, { dtype, shape, data: values(elements) } as NDArray);
    }
  }
  for (let row = 0; row < ROWS; row++) {
    table.putCell("RECORD", row, TableRecord.from({ row, name: TEXTS[row], list: [row, 0.5] }));
  }
  table.putColumn("UVW", Float64Array.from({ length: 3 * ROWS }, (_, i) => i / 7));
  return table;
}

/** A cell, so that cells of the same values are deep-equal: NaN and -0 are told from other values, memory isn't looked at. */
function plainCell(cell: unknown): unknown {
  if (cell instanceof TableRecord) return cell.toFields();
  if (typeof cell !== "object" || cell === null || !("data" in cell)) return cell;
  const { dtype, shape, data } = cell as NDArray;
  return { dtype, shape: [...shape], data: Array.from(data as ArrayLike<unknown>) };
}

/** Asserts that two tables have the same columns and cells, undefined ones included. */
export function assertSameValues(actual: Table, expected: Table, columns = expected.columnNames): void {
  assert.deepEqual(actual.columnNames, columns);
  assert.equal(actual.rowCount, expected.rowCount);
  for (const name of columns) {
    assert.equal(actual.column(name).dtype, expected.column(name).dtype, name);
    const step = 500;
    for (let start = 0; start < expected.rowCount; start += step) {
      const rows = { start, end: Math.min(start + step, expected.rowCount) };
      const cells = expected.getCells(name, { rows });
      actual.getCells(name, { rows }).forEach((cell, i) => {
        assert.deepEqual(plainCell(cell), plainCell(cells[i]), `${name}, row ${start + i}`);
      });
    }
  }
}

/** Asserts that two tables describe their columns alike, have the same keywords and the same text of `table.info`. */
export function assertSameDescription(actual: Table, expected: Table): void {
  assert.deepEqual(actual.keywords.toFields().fields, expected.keywords.toFields().fields);
  assert.deepEqual(actual.info, expected.info);
  for (const name of expected.columnNames) {
    const { kind, shape, ndim, direct, maxLength, comment, units, keywords, manager } = expected.column(name);
    const column = actual.column(name);
    assert.deepEqual(
      [column.kind, column.shape, column.ndim, column.direct, column.maxLength, column.comment, column.units],
      [kind, shape, ndim, direct, maxLength, comment, units],
      name,
    );
    assert.deepEqual(column.keywords.toFields().fields, keywords.toFields().fields, name);
    assert.equal(column.manager.type, manager.type, name);
  }
}
