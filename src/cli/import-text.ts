/**
 * NDJSON and CSV as tables. The file is read twice: for the types, and for the values.
 */
import { type Table, TableError } from "../../mod.ts";
import type { ImportColumn } from "../arrow/from-types.ts";
import { partOfValues } from "../arrow/from-values.ts";
import { type ImportOptions, NewTable } from "../arrow/new-table.ts";
import { type BytesRead, csvRows, linesOf } from "./import-lines.ts";
import { ColumnGuess, columnLike, csvFieldValue } from "./import-types.ts";

/** What an import of text may be told. */
export interface TextImportOptions extends ImportOptions {
  /** Columns to take; all of them if left out. */
  readonly columns?: readonly string[];
  /** A table whose columns of the same names say the types, units and keywords. */
  readonly like?: Table;
  /** Called now and then with how many bytes were read so far, of the two times that a file is; once with `like`. */
  readonly onRead?: (bytes: number) => void | Promise<void>;
}

/** Rows that are put together. */
const BATCH_ROWS = 8192;
/** Characters of text whose values are put together. */
const BATCH_CHARS = 4 * 2 ** 20;

/** A row of the file by column name. */
interface TextRow {
  readonly values: ReadonlyMap<string, unknown> | { readonly [name: string]: unknown };
  readonly line: number;
  readonly chars: number;
}

function* jsonRows(
  file: string,
  read: BytesRead,
): Generator<TextRow & { readonly values: { readonly [name: string]: unknown } }> {
  for (const { text, number } of linesOf(file, read)) {
    let values: unknown;
    try {
      values = JSON.parse(text);
    } catch (cause) {
      throw new TableError("CORRUPT", `line ${number} is no JSON: ${(cause as Error).message}`, {
        file,
        cause,
      });
    }
    if (typeof values !== "object" || values === null || Array.isArray(values)) {
      throw new TableError("CORRUPT", `line ${number}: expected an object`, { file });
    }
    yield { values: values as { [name: string]: unknown }, line: number, chars: text.length };
  }
}

/** Rows between two looks whether to go on. */
const LOOK_ROWS = 1024;

/** Looks at every value of a file; pairs of columns NAME.re and NAME.im in CSV stay what they are. */
async function guessed(
  file: string,
  rows: Iterable<readonly [line: number, entries: Iterable<readonly [string, unknown]>]>,
  text: boolean,
  onRow: () => void | Promise<void>,
): Promise<ImportColumn[]> {
  const guesses = new Map<string, ColumnGuess>();
  let count = 0;
  for (const [line, entries] of rows) {
    if (++count % LOOK_ROWS === 0) await onRow();
    for (const [name, value] of entries) {
      let guess = guesses.get(name);
      if (guess === undefined) guesses.set(name, guess = new ColumnGuess(name, text));
      try {
        guess.look(value, `line ${line}`);
      } catch (error) {
        throw error instanceof TableError
          ? new TableError(error.code, error.reason, { file, cause: error })
          : error;
      }
    }
  }
  return [...guesses.values()].map((guess) => guess.column());
}

async function chosen(
  all: () => Promise<ImportColumn[]>,
  present: () => readonly string[],
  options: TextImportOptions,
  file: string,
): Promise<ImportColumn[]> {
  const { columns: names, like } = options;
  if (like !== undefined) {
    return (names ?? present().filter((name) => like.columnNames.includes(name))).map((name) =>
      columnLike(like, name)
    );
  }
  const found = await all();
  if (names === undefined) return found;
  return names.map((name) => {
    const column = found.find((one) => one.name === name);
    if (column !== undefined) return column;
    const there = found.map((one) => one.name).join(", ") || "none";
    throw new TableError("NO_SUCH_COLUMN", `no column ${name}; there are ${there}`, { file });
  });
}

/** Puts rows into a new table, some at a time. */
async function fill(
  path: string,
  file: string,
  columns: readonly ImportColumn[],
  rows: Iterable<{ readonly line: number; readonly chars: number; value(column: ImportColumn): unknown }>,
  options: TextImportOptions,
  read: BytesRead,
): Promise<Table> {
  const { columns: _columns, like, onRead, ...rest } = options;
  const note = like === undefined
    ? { keywords: null, info: null }
    : { keywords: like.keywords.toFields(), info: like.info };
  const table = new NewTable(path, columns, note, rest);
  try {
    let values: unknown[][] = columns.map(() => []), lines: number[] = [], chars = 0;
    const put = async () => {
      const where = (name: string) => (row: number) => `${file}, line ${lines[row]}, column ${name}`;
      await table.append(
        lines.length,
        columns.map((column, i) => partOfValues(column, values[i]!, where(column.name))),
      );
      values = columns.map(() => []);
      lines = [];
      chars = 0;
      await onRead?.(read.bytes);
    };
    for (const row of rows) {
      columns.forEach((column, i) => values[i]!.push(row.value(column)));
      lines.push(row.line);
      chars += row.chars;
      if (lines.length < BATCH_ROWS && chars < BATCH_CHARS) continue;
      await put();
    }
    if (lines.length > 0) await put();
  } catch (error) {
    table.abort();
    throw error;
  }
  return table.finish();
}

/** Makes a table of NDJSON. @throws TableError */
export async function fromNdjson(
  path: string,
  file: string,
  options: TextImportOptions,
): Promise<Table> {
  const read: BytesRead = { bytes: 0 };
  function* entries(): Generator<readonly [number, Iterable<readonly [string, unknown]>]> {
    for (const { values, line } of jsonRows(file, read)) yield [line, Object.entries(values)];
  }
  const columns = await chosen(
    () => guessed(file, entries(), false, () => options.onRead?.(read.bytes)),
    () => {
      const names = new Set<string>();
      for (const [, found] of entries()) for (const [name] of found) names.add(name);
      return [...names];
    },
    options,
    file,
  );
  function* rows() {
    for (const { values, line, chars } of jsonRows(file, read)) {
      yield {
        line,
        chars,
        value: ({ name }: ImportColumn) => Object.hasOwn(values, name) ? values[name] : null,
      };
    }
  }
  return await fill(path, file, columns, rows(), options, read);
}

/** Makes a table of CSV with a header. @throws TableError */
export async function fromCsv(
  path: string,
  file: string,
  options: TextImportOptions,
): Promise<Table> {
  let header: readonly string[] = [];
  const read: BytesRead = { bytes: 0 };
  function* records(): Generator<{ readonly fields: (string | null)[]; readonly line: number }> {
    let first = true;
    for (const row of csvRows(file, read)) {
      if (first) {
        first = false;
        header = row.fields.map((field) => field ?? "");
        const wrong = header.find((name, i) => name === "" || header.indexOf(name) !== i);
        if (wrong === undefined) continue;
        const text = wrong === "" ? "a column without a name" : `two columns ${wrong}`;
        throw new TableError("CORRUPT", `line ${row.line}: the header has ${text}`, { file });
      }
      if (row.fields.length !== header.length) {
        const text = `${row.fields.length} fields, the header has ${header.length}`;
        throw new TableError("CORRUPT", `line ${row.line}: found ${text}`, { file });
      }
      yield row;
    }
  }
  function* entries(): Generator<readonly [number, Iterable<readonly [string, unknown]>]> {
    for (const { fields, line } of records()) {
      yield [line, header.map((name, i) => [name, csvFieldValue(fields[i]!)] as const)];
    }
  }
  const columns = await chosen(
    () => guessed(file, entries(), true, () => options.onRead?.(read.bytes)),
    () => {
      for (const _ of records()) break;
      // A complex column is two of CSV.
      return [
        ...new Set(header.flatMap((name) => name.endsWith(".re") ? [name.slice(0, -3), name] : [name])),
      ];
    },
    options,
    file,
  );
  function* rows() {
    for (const { fields, line } of records()) {
      yield {
        line,
        chars: fields.reduce((sum: number, field) => sum + (field?.length ?? 0), 0),
        value({ name, dtype }: ImportColumn): unknown {
          const at = header.indexOf(name);
          if (at >= 0 || !dtype.startsWith("complex")) return csvFieldValue(fields[at] ?? null, dtype);
          const parts = [`${name}.re`, `${name}.im`].map((part) =>
            csvFieldValue(fields[header.indexOf(part)] ?? null, "float64")
          );
          return parts.includes(null) ? null : parts;
        },
      };
    }
  }
  return await fill(path, file, columns, rows(), options, read);
}
