/**
 * `table schema`: the description of a table in full.
 */
import type { Command } from "commander";
import {
  type ColumnDescription,
  describeTable,
  type ManagerDescription,
  type TableDescription,
} from "./describe.ts";
import { jsonText } from "./json.ts";
import { valueText } from "./keyword-text.ts";
import { addReadingOptions, openTable, type ReadingOptions, reportStats } from "./options.ts";
import type { Terminal } from "./terminal.ts";
import { className, counted, pad, shapeText, visible } from "./text.ts";
import { printLines } from "./write.ts";

interface SchemaOptions extends ReadingOptions {
  readonly json?: true;
}

function kindText(column: ColumnDescription): string {
  const { kind, dtype, shape, ndim, direct, maxLength } = column;
  if (kind === "record") return "record";
  const length = maxLength > 0 ? `, at most ${counted(maxLength, "byte")}` : "";
  if (kind === "scalar") return `${dtype} scalar${length}`;
  const cells = shape !== null
    ? `of shape ${shapeText(shape)}`
    : ndim > 0
    ? `of any shape of ${counted(ndim, "axis", "axes")}`
    : "of any shape";
  return `${dtype} array ${cells}${direct ? ", direct" : ""}${length}`;
}

/** `label  text` for what there is to say. */
function facts(entries: readonly (readonly [label: string, text: string])[]): string[] {
  return entries.filter(([, text]) => text !== "").map(([label, text]) => `  ${pad(label, 9)}  ${text}`);
}

function managerName({ type, name, sequence }: { type: string; name: string; sequence: number }): string {
  return `${className(type)} #${sequence}${name === "" ? "" : ` ${visible(name)}`}`;
}

function columnLines(column: ColumnDescription): string[] {
  const { manager, tileShape, units, keywords, comment, bytesOnDisk } = column;
  return [
    visible(column.name),
    ...facts([
      ["type", kindText(column)],
      ["manager", managerName(manager)],
      ["tile", tileShape === null ? "" : shapeText(tileShape)],
      ["bytes", bytesOnDisk === null ? "" : String(bytesOnDisk)],
      ["unit", units.map(visible).join(", ")],
      ["comment", visible(comment)],
      ...keywords.keys().map((name) =>
        ["keyword", `${visible(name)} = ${valueText(keywords, name)}`] as const
      ),
    ]),
  ];
}

function managerLines(manager: ManagerDescription): string[] {
  const info = manager.info === null
    ? "not known"
    : Object.entries(manager.info).map(([name, value]) =>
      `${name} ${Array.isArray(value) ? shapeText(value) : value}`
    )
      .join(", ");
  return [
    managerName(manager),
    ...facts([
      ["columns", manager.columns.map(visible).join(", ")],
      ["bytes", manager.bytesOnDisk === null ? "" : String(manager.bytesOnDisk)],
      ["info", visible(info)],
    ]),
  ];
}

/** The description as text: one paragraph a column and a manager, nothing left out. */
export function schemaLines(table: TableDescription): string[] {
  return [
    visible(table.path),
    ...facts([
      ["kind", table.kind],
      ["rows", String(table.rows)],
      ["order", `${table.byteOrder} endian`],
      ["type", visible(table.info.type)],
      ["subtype", visible(table.info.subType)],
      ["parents", table.parents.map(visible).join(", ")],
    ]),
    ...table.columns.flatMap((column) => ["", ...columnLines(column)]),
    ...table.managers.flatMap((manager) => ["", ...managerLines(manager)]),
  ];
}

function schema(path: string, options: SchemaOptions, terminal: Terminal): void {
  using table = openTable(path, options);
  const description = describeTable(table, path);
  printLines(options.json ? [jsonText(description, 2)] : schemaLines(description), terminal);
  reportStats([table], options, terminal);
}

/** Adds the command. */
export function addSchema(program: Command, terminal: Terminal): void {
  const command = program.command("schema")
    .description("describe a table in full: columns, storage managers, byte order")
    .argument("<table>", "directory of the table")
    .option("--json", "as JSON, for programs")
    .addHelpText("after", "\nExample:\n  $ table schema my.ms/POLARIZATION")
    .action((path: string, options: SchemaOptions) => schema(path, options, terminal));
  addReadingOptions(command);
}
