/**
 * NDJSON that comes over a pipe, as rows of a store: some at a time, as they come.
 */
import { TableError } from "../../mod.ts";
import { elementsOf } from "../array/rows.ts";
import type { ImportColumn } from "../arrow/from-types.ts";
import { partOfValues } from "../arrow/from-values.ts";
import type { IngestRows, IngestValues } from "../ingest/mod.ts";
import { type IngestColumn, type IngestSchema, SEQUENCE_COLUMN } from "../ingest/schema.ts";
import { cellsOf } from "../ingest/rows.ts";

/** Rows that are appended together at most, and the characters of their lines. */
const BATCH_ROWS = 8192, BATCH_CHARS = 4 * 2 ** 20;
/** Longest line: one cell of a gigabyte is not read from text. */
const MAX_LINE_CHARS = 2 ** 28;

/** What errors name as the file. */
export const STANDARD_INPUT = "standard input";

/** Rows to append. */
export interface InputRows {
  readonly rows: number;
  readonly values: IngestRows;
}

interface Line {
  readonly text: string;
  readonly number: number;
}

/** Whole lines of what has come, in lists; the last one without its end when there is no more. @throws TableError LIMIT */
async function* lineLists(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Line[]> {
  const decoder = new TextDecoder();
  let rest: string[] = [], waiting = 0, number = 0;
  const numbered = (texts: readonly string[]) =>
    texts.map((text) => ({ text, number: ++number })).filter(({ text }) => text.trim() !== "");
  for await (const piece of bytes) {
    const [first = "", ...more] = decoder.decode(piece, { stream: true }).split("\n");
    rest.push(first);
    waiting += first.length;
    if (waiting > MAX_LINE_CHARS) {
      throw new TableError("LIMIT", `line ${number + 1} has more than ${MAX_LINE_CHARS} characters`, {
        file: STANDARD_INPUT,
      });
    }
    const last = more.pop();
    if (last === undefined) continue;
    yield numbered([rest.join(""), ...more]);
    rest = [last];
    waiting = last.length;
  }
  yield numbered([rest.join("") + decoder.decode()]);
}

type Row = Readonly<Record<string, unknown>>;

function rowOf({ text, number }: Line, schema: IngestSchema): Row {
  const wrong = (message: string, cause?: unknown): never => {
    throw new TableError("CORRUPT", `line ${number}: ${message}`, { file: STANDARD_INPUT, cause });
  };
  let row: unknown;
  try {
    row = JSON.parse(text);
  } catch (cause) {
    return wrong(`it is no JSON: ${(cause as Error).message}`, cause);
  }
  if (typeof row !== "object" || row === null || Array.isArray(row)) return wrong("expected an object");
  for (const [name, value] of Object.entries(row)) {
    if (name === SEQUENCE_COLUMN) continue;
    if (!schema.has(name)) {
      const names = schema.columns.map((column) => column.name).join(", ");
      wrong(`the store has no column ${name}; there are ${names}`);
    }
    if (value !== null) continue;
    const { kind, encoding } = schema.column(name);
    if (kind === "scalar") wrong(`column ${name}: a scalar can't be null`);
    if (encoding !== "cells") wrong(`column ${name}: an array of a fixed shape can't be null`);
  }
  if (!schema.columns.some(({ name }) => Object.hasOwn(row, name))) wrong("a row without values");
  return row as Row;
}

/** The value of a column that a row doesn't have, as `append` has it for columns that it isn't given. */
function nothingFor({ kind, dtype, shape, elements, encoding }: IngestColumn): unknown {
  if (encoding === "cells") return null;
  const zero = dtype === "string" ? "" : dtype === "bool" ? false : 0;
  const items = dtype.startsWith("complex") ? 2 : 1;
  if (kind === "scalar") return items === 2 ? [0, 0] : zero;
  return { shape, data: new Array(elements * items).fill(zero) };
}

function importColumnOf({ name, kind, dtype, shape }: IngestColumn): ImportColumn {
  return {
    name,
    kind,
    dtype,
    options: {},
    keywords: null,
    manager: null,
    tileShape: null,
    ragged: shape === null,
    layout: kind === "array" ? { kind: "shaped" } : { kind: "scalar" },
  };
}

function checkShape({ shape, ndim }: IngestColumn, value: unknown, where: string): void {
  const found = (value as { shape?: unknown } | null)?.shape;
  if (!Array.isArray(found)) return; // what it is instead is told by who takes its values
  const text = `[${found.join(", ")}]`;
  if (!found.every((length) => Number.isSafeInteger(length) && length >= 0)) {
    throw new TableError("SHAPE_MISMATCH", `${where}: ${text} is no shape`, { file: STANDARD_INPUT });
  }
  const fits = shape !== null
    ? found.length === shape.length && shape.every((length, axis) => length === found[axis])
    : ndim < 0 || found.length === ndim;
  if (fits && Number.isSafeInteger(elementsOf(found))) return;
  const wanted = shape !== null ? `shape [${shape.join(", ")}]` : `${ndim} axes`;
  throw new TableError("SHAPE_MISMATCH", `${where}: a cell of shape ${text}, expected ${wanted}`, {
    file: STANDARD_INPUT,
  });
}

function valuesOf(column: IngestColumn, rows: readonly Row[], lines: readonly Line[]): IngestValues {
  const { name, maxLength } = column;
  const where = (row: number) => `line ${lines[row]!.number}, column ${name}`;
  const values = rows.map((row, i) => {
    if (!Object.hasOwn(row, name)) return nothingFor(column);
    const value = row[name];
    if (column.kind === "array") checkShape(column, value, where(i));
    if (maxLength > 0 && typeof value === "string" && new TextEncoder().encode(value).length > maxLength) {
      throw new TableError("OUT_OF_RANGE", `${where(i)}: a text of more than ${maxLength} bytes`, {
        file: STANDARD_INPUT,
      });
    }
    return value;
  });
  const part = partOfValues(importColumnOf(column), values, where);
  return part.kind === "arrays" ? cellsOf(part.runs) : (part as { array: IngestValues }).array;
}

function batchOf(schema: IngestSchema, rows: readonly Row[], lines: readonly Line[]): InputRows {
  const named = schema.columns.filter(({ name }) => rows.some((row) => Object.hasOwn(row, name)));
  const values = named.map((column): [string, IngestValues] => [column.name, valuesOf(column, rows, lines)]);
  return { rows: rows.length, values: Object.fromEntries(values) };
}

/** Names the input in errors that name only the line. */
function placed(error: unknown): unknown {
  if (!(error instanceof TableError) || error.file !== undefined) return error;
  return new TableError(error.code, error.reason, { file: STANDARD_INPUT, cause: error });
}

/**
 * Rows of NDJSON in the form of `table cat`, together as they come. A column that a row doesn't have is 0, empty, or undefined;
 * sequence numbers are passed over. What stands before a wrong line is given before that is thrown.
 *
 * @throws TableError CORRUPT, TYPE_MISMATCH, SHAPE_MISMATCH, OUT_OF_RANGE, naming the line
 */
export async function* rowsOfLines(
  bytes: AsyncIterable<Uint8Array>,
  schema: IngestSchema,
): AsyncGenerator<InputRows> {
  for await (const come of lineLists(bytes)) {
    for (let at = 0; at < come.length;) {
      const lines: Line[] = [], rows: Row[] = [];
      let problem: unknown = null;
      for (let chars = 0; at < come.length && lines.length < BATCH_ROWS && chars < BATCH_CHARS; at++) {
        try {
          rows.push(rowOf(come[at]!, schema));
        } catch (error) {
          problem = error;
          break;
        }
        lines.push(come[at]!);
        chars += come[at]!.text.length;
      }
      if (rows.length > 0) yield* soundRows(schema, rows, lines);
      if (problem !== null) throw problem;
    }
  }
}

/** All rows as one batch; where one is wrong those before it. */
function* soundRows(
  schema: IngestSchema,
  rows: readonly Row[],
  lines: readonly Line[],
): Generator<InputRows> {
  let batch: InputRows;
  try {
    batch = batchOf(schema, rows, lines);
  } catch (error) {
    if (rows.length > 1) {
      const middle = Math.ceil(rows.length / 2);
      yield* soundRows(schema, rows.slice(0, middle), lines.slice(0, middle));
      yield* soundRows(schema, rows.slice(middle), lines.slice(middle));
    }
    throw placed(error);
  }
  yield batch;
}
