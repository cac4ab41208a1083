/**
 * `table io`: what reading would do to the files of a table, without reading the values.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import {
  type AxisSlice,
  type IoCost,
  type IoPlan,
  type IoPlanOptions,
  planIo,
  type ReadOrder,
  type RowSelection,
  Table,
  type TileCosts,
  tileCosts,
} from "../../mod.ts";
import { shortPath } from "./failure.ts";
import { jsonText } from "./json.ts";
import { layout, styled } from "./layout.ts";
import { parseNames, parseRowSelection } from "./options.ts";
import type { Terminal } from "./terminal.ts";
import { counted, cut, humanBytes, humanCount, shapeText, visible } from "./text.ts";
import { printLines } from "./write.ts";

interface IoOptions {
  readonly columns?: string[];
  readonly rows?: RowSelection;
  readonly slice?: readonly AxisSlice[];
  readonly order: ReadOrder;
  readonly tileShape?: readonly number[];
  readonly cache: number;
  readonly json?: true;
}

/** Cells that are asked for one by one for the sake of comparing; in the order that was asked for, all are. */
const MOST_COMPARED_CELLS = 100_000;
/** Ranges of a file that are shown. */
const SHOWN_RANGES = 4;
const MIB = 2 ** 20;

/** What the other order would do, and of how many rows. */
interface OtherOrder {
  readonly rows: number;
  readonly plan: IoPlan;
  /** The order that was asked for, of as many rows. */
  readonly same: IoPlan;
}

/** Parses a range for each axis of a cell, `0:2,:,10:20:2`; an empty one, or `:`, is the whole axis. @throws InvalidArgumentError */
export function parseSlice(text: string): AxisSlice[] {
  return text.split(",").map((axis) => {
    if (axis === "" || axis === ":") return null;
    const match = /^(\d+):(\d+)(?::(\d+))?$/.exec(axis);
    const numbers = match?.slice(1).filter((digits) => digits !== undefined).map(Number);
    if (!numbers?.every(Number.isSafeInteger)) {
      throw new InvalidArgumentError(
        "Expected start:end or start:end:step for each axis of a cell, e.g. 0:2,:,10:20.",
      );
    }
    return numbers as unknown as [number, number, number];
  });
}

/** Parses lengths `4,64,64`. @throws InvalidArgumentError */
function parseLengths(text: string): number[] {
  const lengths = text.split(",").map((length) => /^\d+$/.test(length) ? Number(length) : NaN);
  if (!lengths.every((length) => Number.isSafeInteger(length) && length > 0)) {
    throw new InvalidArgumentError("Expected lengths of a tile, the rows last, e.g. 4,64,64.");
  }
  return lengths;
}

function parseMebibytes(text: string): number {
  const number = Number(text);
  if (!/^[\d.]+$/.test(text) || !(number >= 0)) throw new InvalidArgumentError("Expected a number of MiB.");
  return Math.floor(number * MIB);
}

/** The first rows of a selection. */
function firstRows(rows: RowSelection | undefined, count: number): RowSelection {
  if (rows !== undefined && "length" in rows) return Array.from(rows).slice(0, count);
  const { start = 0, step = 1 } = rows ?? {};
  return { start, end: start + (count - 1) * step + 1, step };
}

/** Plans the order that was not asked for, of some rows at least. */
function otherOrder(path: string, plan: IoPlan, asked: IoPlanOptions): OtherOrder | null {
  const other = plan.order === "tile" ? "row" : "tile", cells = plan.rows * plan.columns.length;
  if (cells === 0) return null;
  const rows = Math.min(plan.rows, Math.max(1, Math.floor(MOST_COMPARED_CELLS / plan.columns.length)));
  const part = rows === plan.rows ? asked : { ...asked, rows: firstRows(asked.rows, rows) };
  return {
    rows,
    plan: planIo(path, { ...part, order: other }),
    same: rows === plan.rows ? plan : planIo(path, part),
  };
}

// ---- as text

function callsText({ calls, totalCalls }: IoCost): string {
  const kinds = Object.entries(calls).filter(([, n]) => n > 0).map(([kind, n]) => `${kind} ${humanCount(n)}`);
  return `${counted(totalCalls, "call")}${kinds.length === 0 ? "" : ` (${kinds.join(", ")})`}`;
}

function ratioText(bytes: number, wanted: number): string {
  return wanted === 0 ? "–" : `${(bytes / wanted).toPrecision(3).replace(/\.0+$/, "")} ×`;
}

function timesText(times: number): string {
  return times === 0 ? "" : `${times < 9.995 ? times.toFixed(2) : times.toFixed(1)} ×`;
}

/** `0+64 KiB` for the first bytes of a file. */
function rangesText(ranges: readonly (readonly [number, number])[]): string {
  const shown = ranges.slice(0, SHOWN_RANGES).map(([start, end]) =>
    `${humanCount(start)}–${humanCount(end)}`
  );
  const more = ranges.length - shown.length;
  return `${shown.join("  ")}${more > 0 ? `  and ${humanCount(more)} more` : ""}`;
}

function headLines(plan: IoPlan, width: number, color: boolean): string[] {
  const columns = plan.columns.map(visible).join(", ");
  const order = plan.order === "tile" ? "column by column, tiles in file order" : "row by row";
  return [
    styled(cut(visible(shortPath(plan.path)), width, "middle"), "bold", color),
    cut(`${counted(plan.rows, "row")} of ${columns}, ${order}`, width),
    "",
    `opening  ${callsText(plan.opening)}, ${counted(plan.opening.seeks, "seek")}, ${
      humanBytes(plan.opening.bytesRead)
    }`,
    `reading  ${callsText(plan.reading)}, ${counted(plan.reading.seeks, "seek")}`,
    `bytes    ${humanCount(plan.reading.bytesRead)} read, ${
      humanCount(Math.ceil(plan.bytesWanted))
    } wanted, ${ratioText(plan.reading.bytesRead, plan.bytesWanted)}`,
  ];
}

function fileLines({ files, path }: IoPlan, width: number, color: boolean): string[] {
  const name = (file: string) =>
    visible(file.startsWith(`${path}/`) ? file.slice(path.length + 1) : shortPath(file));
  const buckets = files.map((file) => file.buckets);
  const lines = layout([
    { title: "file", cells: files.map((file) => name(file.path)), cut: "middle", least: 12 },
    { title: "reads", cells: files.map((file) => humanCount(file.reads)), align: "right" },
    { title: "seeks", cells: files.map((file) => humanCount(file.seeks)), align: "right" },
    { title: "bytes", cells: files.map((file) => humanBytes(file.bytesRead)), align: "right" },
    {
      title: "ranges",
      cells: files.map((file) => humanCount(file.ranges.length)),
      align: "right",
      optional: 1,
    },
    {
      title: "tiles",
      cells: buckets.map((one) =>
        one === null ? "" : `${humanCount(one.touched)} of ${humanCount(one.count)}`
      ),
      align: "right",
    },
    {
      title: "asked",
      cells: buckets.map((one) => one === null ? "" : timesText(one.asked / one.touched)),
      align: "right",
      optional: 2,
    },
    {
      title: "read",
      cells: buckets.map((one) => one === null ? "" : timesText(one.meanRead)),
      align: "right",
    },
    {
      title: "at most",
      cells: buckets.map((one) => one === null ? "" : timesText(one.mostRead)),
      align: "right",
      optional: 3,
    },
  ], { width, color });
  lines.push("");
  return [
    ...lines,
    ...layout([
      { title: "file", cells: files.map((file) => name(file.path)), cut: "middle", least: 12 },
      { title: "bytes that are read", cells: files.map((file) => rangesText(file.ranges)), least: 20 },
    ], { width, color }),
  ];
}

/** Times that a byte of the tiles is read, over all files that have some. */
function timesRead({ files }: IoPlan): { asked: number; read: number } {
  let touched = 0, asked = 0, bytes = 0, read = 0;
  for (const { buckets } of files) {
    if (buckets === null) continue;
    touched += buckets.touched;
    asked += buckets.asked;
    bytes += buckets.bytes;
    read += buckets.bytes * buckets.meanRead;
  }
  return { asked: touched === 0 ? 0 : asked / touched, read: bytes === 0 ? 0 : read / bytes };
}

function orderLines({ rows, plan, same }: OtherOrder, all: number, width: number, color: boolean): string[] {
  const plans = [same, plan].sort((a, b) => a.order < b.order ? 1 : -1);
  const times = plans.map(timesRead);
  return layout([
    {
      title: rows === all ? "order" : `order, first ${counted(rows, "row")}`,
      cells: plans.map(({ order }) => order === "tile" ? "tile: file order" : "row: row by row"),
    },
    { title: "calls", cells: plans.map(({ reading }) => humanCount(reading.totalCalls)), align: "right" },
    { title: "seeks", cells: plans.map(({ reading }) => humanCount(reading.seeks)), align: "right" },
    { title: "bytes", cells: plans.map(({ reading }) => humanBytes(reading.bytesRead)), align: "right" },
    {
      title: "of wanted",
      cells: plans.map(({ reading, bytesWanted }) => ratioText(reading.bytesRead, bytesWanted)),
      align: "right",
    },
    { title: "a tile asked", cells: times.map(({ asked }) => timesText(asked)), align: "right" },
    { title: "read", cells: times.map(({ read }) => timesText(read)), align: "right" },
  ], { width, color });
}

function tileLines({ column, tiles, bytesWanted }: TileCosts, width: number, color: boolean): string[] {
  return layout([
    {
      title: `tiles of ${visible(column)}`,
      cells: tiles.map(({ tileShape }) => shapeText(tileShape)),
      cut: "middle",
      least: 10,
    },
    { title: "", cells: tiles.map(({ why }) => why), faint: true, optional: 1 },
    { title: "calls", cells: tiles.map(({ cost }) => humanCount(cost.totalCalls)), align: "right" },
    { title: "seeks", cells: tiles.map(({ cost }) => humanCount(cost.seeks)), align: "right" },
    { title: "bytes", cells: tiles.map(({ cost }) => humanBytes(cost.bytesRead)), align: "right" },
    {
      title: "of wanted",
      cells: tiles.map(({ cost }) => ratioText(cost.bytesRead, bytesWanted)),
      align: "right",
    },
    { title: "file", cells: tiles.map(({ fileBytes }) => humanBytes(fileBytes)), align: "right" },
  ], { width, color });
}

function io(path: string, options: IoOptions, terminal: Terminal): void {
  const { columns = readable(path), rows, slice, order, tileShape, cache } = options;
  const asked: IoPlanOptions = {
    columns,
    order,
    cacheBytes: cache,
    ...(rows === undefined ? {} : { rows }),
    ...(slice === undefined ? {} : { slice }),
  };
  const plan = planIo(path, asked), other = otherOrder(path, plan, asked);
  const costs = columns.map((column) => {
    const own = rowsOfCosts(plan, asked);
    return tileCosts(path, column, tileShape === undefined ? own : { ...own, tileShape });
  }).filter((one) => one !== null);
  if (options.json) {
    return printLines([jsonText({ ...plan, otherOrder: other, tileCosts: costs }, 2)], terminal);
  }
  const { width, color } = terminal;
  const sections = [
    headLines(plan, width, color),
    fileLines(plan, width, color),
    other === null ? [] : orderLines(other, plan.rows, width, color),
    ...costs.map((one) => tileLines(one, width, color)),
  ];
  printLines(
    sections.filter((lines) => lines.length > 0).flatMap((lines, i) => i === 0 ? lines : ["", ...lines]),
    terminal,
  );
}

/** Tiles are compared over as many rows as can be asked for one by one in a moment. */
function rowsOfCosts(plan: IoPlan, asked: IoPlanOptions): IoPlanOptions {
  if (plan.order === "tile" || plan.rows <= MOST_COMPARED_CELLS) return asked;
  return { ...asked, rows: firstRows(asked.rows, MOST_COMPARED_CELLS) };
}

function readable(path: string): string[] {
  using table = Table.open(path);
  return table.columnNames.filter((name) => table.column(name).readable);
}

/** Adds the command. */
export function addIo(program: Command, terminal: Terminal): void {
  program.command("io")
    .description(
      "show what reading does to the files, without reading: calls, seeks, bytes, tiles, and with other tiles",
    )
    .argument("<table>", "directory of the table")
    .option("--columns <names>", "columns to read, in this order: a,b,c", parseNames)
    .option("--rows <rows>", "rows to read: start:end, start:end:step or a list", parseRowSelection)
    .option("--slice <ranges>", "part of each array cell, a range an axis: 0:2,:,10:20", parseSlice)
    .addOption(
      new Option(
        "--order <order>",
        "column by column, each tile once; or row by row, as cells are asked for one by one",
      )
        .choices(["tile", "row"]).default("tile"),
    )
    .option("--tile-shape <lengths>", "try these tiles too, the rows last: 4,64,64", parseLengths)
    .option("--cache <MiB>", "bound of the page cache", parseMebibytes, 64 * MIB)
    .option("--json", "as JSON, for programs")
    .addHelpText(
      "after",
      `
What is printed is what the counters say after the same was read by getColumn,
or getCell row by row, with backend pread and nothing in the cache. See
docs/io-pattern.md.

Example:
  $ table io my.ms --columns DATA,FLAG --rows 0:10000 --slice :,10:12`,
    )
    .action((path: string, options: IoOptions) => io(path, options, terminal));
}
