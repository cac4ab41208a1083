/**
 * `table show`: what is in a table, on a page that fits the terminal.
 */
import type { Command } from "commander";
import { type Table, TableRecord } from "../../mod.ts";
import {
  type ColumnDescription,
  describeSubtables,
  describeTable,
  type ManagerDescription,
  type SubtableDescription,
  type TableDescription,
} from "./describe.ts";
import { hasStore } from "../ingest/segments/places.ts";
import { shortPath } from "./failure.ts";
import { tableSizes } from "./files.ts";
import { describeImage, type ImageDescription, imageLines, isImage } from "./image.ts";
import { jsonText } from "./json.ts";
import { typeText, valueText } from "./keyword-text.ts";
import { type Field, layout, styled } from "./layout.ts";
import {
  describeMeasurementSet,
  isMeasurementSet,
  type MeasurementSetDescription,
  measurementSetLines,
} from "./measurement-set.ts";
import { addReadingOptions, openTable, type ReadingOptions, reportStats } from "./options.ts";
import type { StoreDescription } from "./store-page.ts";
import type { Terminal } from "./terminal.ts";
import { className, counted, cut, humanBytes, humanCount, shapeText, visible } from "./text.ts";
import { printLines } from "./write.ts";

interface ShowOptions extends ReadingOptions {
  readonly json?: true;
}

/** Most bytes that are read at once of a column or cell to say what is in the table. */
const MOST_SAMPLE_BYTES = 2 ** 20;

/** Everything on the page. */
interface Page extends TableDescription {
  readonly bytesOnDisk: number;
  readonly bytesWithSubtables: number;
  readonly keywords: TableRecord;
  readonly subtables: readonly SubtableDescription[];
  readonly measurementSet: MeasurementSetDescription | undefined;
  readonly image: ImageDescription | undefined;
  /** Of a live store. */
  readonly store?: StoreDescription;
}

/** A unit for every axis, or one for all: `m`, `rad,rad,m`. */
function unitText(units: readonly string[]): string {
  return visible(new Set(units).size === 1 ? units[0]! : units.join(","));
}

/** What kind of quantity it is, and its frame: `epoch UTC`, `direction J2000`. */
export function measureText(keywords: TableRecord): string {
  const info = keywords.get("MEASINFO");
  if (!(info instanceof TableRecord)) return "";
  const words = ["type", "Ref"].map((name) => info.get(name)).filter((word) => typeof word === "string");
  return visible(words.join(" "));
}

/** `TiledShape #3` for `TiledShapeStMan`: the ending says nothing to someone who reads the heading. */
function managerText({ type, sequence }: { type: string; sequence: number }): string {
  return `${className(type).replace(/StMan$/, "")} #${sequence}`;
}

const SHORT_MANAGERS: Readonly<Record<string, string>> = {
  StandardStMan: "Std",
  IncrementalStMan: "Incr",
  TiledShapeStMan: "TShape",
  TiledColumnStMan: "TCol",
  TiledCellStMan: "TCell",
  TiledDataStMan: "TData",
};

/** `TShape #3`: where there is no room; the list of managers below has the full name. */
function shortManagerText({ type, sequence }: { type: string; sequence: number }): string {
  return managerText({ type: SHORT_MANAGERS[type] ?? type, sequence });
}

/** A cell's shape, null where it is undefined or can't be read. */
function sampleShape(table: Table, name: string, row: number): readonly number[] | null {
  try {
    return table.column(name).cellShape(row);
  } catch {
    return null; // what is wrong shows when the column is read
  }
}

/** The shape of a column's cells; where they have their own, what the first and the last say, marked with `~`. */
function shapeOf(column: ColumnDescription, table: Table): string {
  if (column.kind !== "array") return "";
  if (column.shape !== null) return shapeText(column.shape);
  const unknown = column.ndim > 0 ? `[${Array(column.ndim).fill("?").join(",")}]` : "[…]";
  if (!column.readable || table.rowCount === 0) return unknown;
  const [first, last] = [0, table.rowCount - 1].map((row) => sampleShape(table, column.name, row));
  if (first == null) return last == null ? unknown : `~${shapeText(last)}`;
  if (last == null) return `~${shapeText(first)}`;
  if (first.length !== last.length) return "~[…]";
  return `~[${first.map((length, i) => length === last[i] ? length : `${length}|${last[i]}`).join(",")}]`;
}

/** What a column takes on disk; nothing where the bytes are another table's. */
function diskText({ readable, bytesOnDisk }: ColumnDescription, own: boolean): string {
  if (!readable) return "unread";
  return bytesOnDisk !== null ? humanBytes(bytesOnDisk) : own ? "–" : "";
}

function columnLines(page: Page, table: Table, width: number, color: boolean): string[] {
  const { columns } = page;
  const shapes = columns.map((column) => shapeOf(column, table));
  const fields: Field[] = [
    { title: "column", cells: columns.map((c) => visible(c.name)), cut: "middle", least: 12 },
    { title: "type", cells: columns.map((c) => c.dtype) },
    { title: "shape", cells: shapes, least: 7 },
    { title: "unit", cells: columns.map((c) => cut(unitText(c.units), 9)), optional: 1 },
    { title: "measure", cells: columns.map((c) => cut(measureText(c.keywords), 20)), optional: 3 },
    {
      title: "manager",
      cells: columns.map((c) => managerText(c.manager)),
      shorter: { rank: 2, cells: columns.map((c) => shortManagerText(c.manager)) },
      cut: "middle",
      least: 9,
    },
    {
      title: "tile",
      cells: columns.map((c) => c.tileShape === null ? "" : shapeText(c.tileShape)),
      least: 7,
    },
    {
      title: "on disk",
      cells: columns.map((c) => diskText(c, page.kind === "plain")),
      align: "right",
    },
    { title: "comment", cells: columns.map((c) => cut(visible(c.comment), 60)), optional: 4, faint: true },
  ];
  const lines = layout(fields, { width, color });
  if (shapes.some((shape) => shape.startsWith("~"))) {
    lines.push(
      styled(
        cut("~ cells have shapes of their own; seen in the first and the last row", width),
        "faint",
        color,
      ),
    );
  }
  if (columns.some((column) => !column.readable)) {
    lines.push(
      styled(cut("unread: the column's storage manager is not known to this version", width), "faint", color),
    );
  }
  return lines;
}

/** Where a manager's bytes are: its main file, or the container. */
function fileText({ bytesOnDisk, contained, sequence }: ManagerDescription): string {
  return bytesOnDisk === null ? "" : contained ? "table.mf" : `table.f${sequence}`;
}

function managerLines({ managers }: Page, width: number, color: boolean): string[] {
  return layout([
    {
      title: "manager",
      cells: managers.map((m) => `${className(m.type)} #${m.sequence}`),
      cut: "middle",
      least: 16,
    },
    { title: "name", cells: managers.map((m) => visible(m.name)), cut: "middle", least: 8 },
    { title: "columns", cells: managers.map((m) => humanCount(m.columns.length)), align: "right" },
    { title: "file", cells: managers.map(fileText) },
    {
      title: "on disk",
      cells: managers.map((m) => m.bytesOnDisk === null ? "–" : humanBytes(m.bytesOnDisk)),
      align: "right",
    },
  ], { width, color });
}

function keywordLines({ keywords }: Page, width: number, color: boolean): string[] {
  const names = keywords.keys().filter((name) => keywords.kind(name) !== "table");
  return layout([
    { title: "keyword", cells: names.map(visible), cut: "middle", least: 12 },
    { title: "type", cells: names.map((name) => typeText(keywords, name)), least: 8 },
    { title: "value", cells: names.map((name) => valueText(keywords, name)), least: 12 },
  ], { width, color });
}

function subtableLines({ subtables }: Page, width: number, color: boolean): string[] {
  const problems = subtables.map((s) => s.error ?? "");
  const number = (value: number | undefined) => value === undefined ? "" : humanCount(value);
  return layout([
    { title: "subtable", cells: subtables.map((s) => visible(s.name)), cut: "middle", least: 12 },
    { title: "rows", cells: subtables.map((s) => number(s.rows)), align: "right" },
    { title: "columns", cells: subtables.map((s) => number(s.columns)), align: "right" },
    {
      title: "on disk",
      cells: subtables.map((s) => s.bytesOnDisk === undefined ? "" : humanBytes(s.bytesOnDisk)),
      align: "right",
    },
    ...(problems.some((text) => text !== "")
      ? [{ title: "problem", cells: problems, cut: "middle" as const, least: 12 }]
      : []),
  ], { width, color });
}

function headLines(page: Page, width: number, color: boolean): string[] {
  const kind = visible(page.info.type) || (page.kind === "plain" ? "table" : page.kind);
  const subType = visible(page.info.subType);
  const facts = [
    subType === "" ? kind : `${kind} (${subType})`,
    counted(page.rows, "row"),
    counted(page.columns.length, "column"),
  ];
  const sizes = [`${humanBytes(page.bytesOnDisk)} on disk`, `${page.byteOrder} endian`];
  if (page.bytesWithSubtables > page.bytesOnDisk) {
    sizes.splice(1, 0, `${humanBytes(page.bytesWithSubtables)} with subtables`);
  }
  const readme = page.info.readme.split("\n").map((line) => visible(line.trimEnd())).filter((line) =>
    line !== ""
  );
  return [
    styled(cut(visible(page.path), width, "middle"), "bold", color),
    cut(facts.join(", "), width),
    cut(sizes.join(", "), width),
    // Of a store there may be hundreds, and they are counted below.
    ...(page.store === undefined ? page.parents : []).map((parent) =>
      cut(`rows of ${visible(shortPath(parent))}`, width, "middle")
    ),
    ...readme.map((line) => cut(line, width)),
  ];
}

/** The page as lines, none wider than `width`. */
export function pageLines(
  page: Page,
  table: Table,
  width: number,
  color: boolean,
  store: readonly string[] = [],
): string[] {
  const sections = [
    headLines(page, width, color),
    store,
    page.measurementSet === undefined ? [] : measurementSetLines(page.measurementSet, width, color),
    page.image === undefined ? [] : imageLines(page.image, width, color),
    page.columns.length > 0 ? columnLines(page, table, width, color) : [],
    // Those of a reference or a concatenation are the other tables'.
    page.kind === "plain" && page.managers.length > 0 ? managerLines(page, width, color) : [],
    page.keywords.size > page.subtables.length ? keywordLines(page, width, color) : [],
    page.subtables.length > 0 ? subtableLines(page, width, color) : [],
  ];
  return sections.filter((lines) => lines.length > 0).flatMap((lines, i) => i === 0 ? lines : ["", ...lines]);
}

async function show(path: string, options: ShowOptions, terminal: Terminal): Promise<void> {
  const stores = hasStore(path) ? await import("./store-page.ts") : null;
  const store = await stores?.describeStore(path, options);
  using table = openTable(path, options, { maxResultBytes: MOST_SAMPLE_BYTES });
  const opened = [table];
  const note = (subtable: Table) => void opened.push(subtable);
  const { own, all } = tableSizes(table.path);
  const page: Page = {
    ...describeTable(table, path),
    bytesOnDisk: own,
    bytesWithSubtables: all,
    keywords: table.keywords,
    subtables: describeSubtables(table, note),
    measurementSet: isMeasurementSet(table) ? describeMeasurementSet(table, note) : undefined,
    image: isImage(table) ? describeImage(table) : undefined,
    ...(store && { store }),
  };
  if (options.json) printLines([jsonText(page, 2)], terminal);
  else {
    const { width, color } = terminal, live = store ? stores!.storeLines(store, width, color) : [];
    printLines(pageLines(page, table, width, color, live), terminal);
  }
  reportStats(opened, options, terminal);
}

/** Adds the command. */
export function addShow(program: Command, terminal: Terminal): void {
  const command = program.command("show")
    .description("show what is in a table: rows, columns, storage, keywords, subtables")
    .argument("<table>", "directory of the table")
    .option("--json", "as JSON, for programs")
    .addHelpText("after", "\nExample:\n  $ table show my.ms")
    .action((path: string, options: ShowOptions) => show(path, options, terminal));
  addReadingOptions(command);
}
