/**
 * `table head` and `table tail`: a few rows for people, aligned, no wider than the terminal.
 */
import { type Command, InvalidArgumentError } from "commander";
import { type Cell, type Column, type NDArray, type Table, TableError, TableRecord } from "../../mod.ts";
import { hasStore } from "../ingest/segments/places.ts";
import { printRows, readableColumns } from "./cat.ts";
import { itemsText, scalarText, valueText } from "./keyword-text.ts";
import { type Field, layout, styled } from "./layout.ts";
import { addReadingOptions, openTable, parseNames, type ReadingOptions, reportStats } from "./options.ts";
import type { Terminal } from "./terminal.ts";
import { counted, cut, shapeText, visible, widthOf } from "./text.ts";
import { printLines } from "./write.ts";

interface HeadOptions extends ReadingOptions {
  readonly lines: number;
  readonly columns?: string[];
  readonly json?: true;
}

interface TailOptions extends HeadOptions {
  readonly follow?: true;
}

/** Elements of an array cell that are read to be shown. */
const SOME = 4;
/** Significant digits of their numbers; a scalar has all of its digits. */
const SOME_DIGITS = 6;
/** The widest that a value is shown, in columns of the terminal. */
export const MOST_WIDTH = 32;
/** Blanks between columns, as `layout` puts them. */
export const GAP = 2;

/** The first `SOME` elements or a few more, as a box: whole first axes, then a part of one. */
function firstElements(shape: readonly number[]): (readonly [number, number])[] {
  let left = SOME;
  return shape.map((length) => {
    const end = Math.max(1, Math.min(length, left));
    left = Math.max(1, Math.ceil(left / end));
    return [0, end];
  });
}

/** `[4,64] 1+2i, 0+1i, …`: of an array no more is read than is shown. */
function arrayCellText(table: Table, column: Column, row: number): string {
  const shape = column.cellShape(row);
  if (shape === null) return "–";
  const count = shape.reduce((product, length) => product * length, 1);
  if (count === 0) return shapeText(shape);
  const part = table.getCell(column.name, row, { slice: firstElements(shape) }) as NDArray;
  const text = itemsText(rounded(part), Math.min(count, SOME), SOME);
  return column.shape === null || shape.length > 1
    ? `${shapeText(shape)} ${text}${count > SOME ? ", …" : ""}`
    : `${text}${count > SOME ? ", …" : ""}`;
}

/** The same of an array that is in memory; `free`: cells have shapes of their own. */
export function arrayText(cell: NDArray, free: boolean): string {
  const { shape } = cell, count = shape.reduce((product, length) => product * length, 1);
  if (count === 0) return shapeText(shape);
  const items = cell.dtype.startsWith("complex") ? 2 : 1;
  const data = (cell.data as unknown as Uint8Array).slice(0, items * SOME);
  const text = itemsText(rounded({ ...cell, data } as NDArray), Math.min(count, SOME), SOME);
  return `${free || shape.length > 1 ? `${shapeText(shape)} ` : ""}${text}${count > SOME ? ", …" : ""}`;
}

/** Real numbers to as many digits as are worth reading among others. */
function rounded(part: NDArray): NDArray {
  if (!(part.data instanceof Float32Array || part.data instanceof Float64Array)) return part;
  const data = Float64Array.from(part.data, (value) => Number(value.toPrecision(SOME_DIGITS)));
  return { ...part, data };
}

function recordText(record: TableRecord): string {
  return `{${record.keys().map((key) => `${visible(key)}: ${valueText(record, key)}`).join(", ")}}`;
}

function scalarCellText(column: Column, cell: Cell): string {
  if (cell === null) return "–";
  return cell instanceof TableRecord ? recordText(cell) : scalarText(column.dtype, cell);
}

function cellTexts(table: Table, column: Column, start: number, end: number): string[] {
  if (column.kind !== "array") {
    return table.getCells(column.name, { rows: { start, end } }).map((cell) => scalarCellText(column, cell));
  }
  return Array.from({ length: end - start }, (_, i) => arrayCellText(table, column, start + i));
}

function fieldOf(table: Table, name: string, start: number, end: number): Field {
  const column = table.column(name);
  const number = column.kind === "scalar" && column.dtype !== "string";
  return {
    title: visible(name),
    cells: cellTexts(table, column, start, end).map((text) => cut(text, MOST_WIDTH)),
    align: number ? "right" : "left",
  };
}

/** Columns of the terminal that a field takes. */
export function fieldWidth({ title, cells }: Field): number {
  return cells.reduce((most, cell) => Math.max(most, widthOf(cell)), widthOf(title));
}

/** Rows `start` to `end` as a listing: as many columns as there is room for, and which ones are left out. */
export function rowLines(
  table: Table,
  names: readonly string[],
  start: number,
  end: number,
  terminal: Pick<Terminal, "width" | "color">,
): string[] {
  const { width, color } = terminal;
  const numbers = Array.from({ length: end - start }, (_, i) => String(start + i));
  const shown: Field[] = [{ title: "row", cells: numbers, align: "right", faint: true }];
  let used = fieldWidth(shown[0]!), taken = 0;
  for (const name of names) {
    const field = fieldOf(table, name, start, end);
    used += GAP + fieldWidth(field);
    // The first column is shown in any case, cut if it must be.
    if (used > width && taken > 0) break;
    shown.push({ ...field, least: 8 });
    taken++;
  }
  const lines = layout(shown, { width, color });
  const left = names.slice(taken);
  if (left.length > 0) {
    const text = `${counted(left.length, "more column")} (--columns): ${left.map(visible).join(", ")}`;
    lines.push(styled(cut(text, width), "faint", color));
  }
  return lines;
}

function show(
  path: string,
  range: (rowCount: number) => { start: number; end: number },
  options: HeadOptions,
  terminal: Terminal,
): void {
  if (options.json) return printRows(path, range, options, terminal);
  using table = openTable(path, options);
  const names = readableColumns(table, options.columns, terminal);
  const { start, end } = range(table.rowCount);
  const lines = end > start || names.length > 0 ? rowLines(table, names, start, end, terminal) : [];
  printLines(lines, terminal);
  reportStats([table], options, terminal);
}

/** A number of rows. @throws InvalidArgumentError */
function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(count)) return count;
  throw new InvalidArgumentError("Expected a number of rows.");
}

/** The command but for what it does. */
function described(program: Command, name: "head" | "tail", more: string): Command {
  const command = program.command(name)
    .description(`print the ${name === "head" ? "first" : "last"} rows of a table for people`)
    .argument("<table>", "directory of the table")
    .option("-n, --lines <count>", "number of rows", parseCount, 10)
    .option("--columns <names>", "columns to print, in this order: a,b,c", parseNames)
    .option("--json", "as JSON, one object a row, as table cat prints them")
    .addHelpText(
      "after",
      `
As many columns as fit are shown, the others are named below. An array cell
shows its shape and its first elements to six digits, an undefined cell a dash.
${more}
Example:
  $ table ${name} my.ms -n 5 --columns TIME,ANTENNA1,ANTENNA2,UVW`,
    );
  return addReadingOptions(command);
}

/** Adds `head`. */
export function addHead(program: Command, terminal: Terminal): void {
  described(program, "head", "").action((path: string, options: HeadOptions) => {
    show(path, (rowCount) => ({ start: 0, end: Math.min(options.lines, rowCount) }), options, terminal);
  });
}

/** Adds `tail`. */
export function addTail(program: Command, terminal: Terminal): void {
  described(
    program,
    "tail",
    "Of a live store the newest rows are shown, sealed or not, with their sequence\nnumbers.\n",
  )
    .option("-f, --follow", "of a live store: wait for more rows, until Ctrl-C")
    .action(async (path: string, options: TailOptions) => {
      if (hasStore(path)) {
        const { tailStore } = await import("./tail-store.ts");
        return await tailStore(path, options, terminal);
      }
      if (options.follow) {
        throw new TableError("INVALID_ARGUMENT", "this is no live store, whose rows --follow waits for", {
          file: path,
        });
      }
      const { lines } = options;
      show(path, (rowCount) => ({ start: Math.max(0, rowCount - lines), end: rowCount }), options, terminal);
    });
}
