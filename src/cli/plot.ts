/**
 * `table plot`: a column as a picture, in the terminal or as SVG.
 */
import { type Command, Option } from "commander";
import { type Table, TableError } from "../../mod.ts";
import type { RowChoice } from "../plot/blocks.ts";
import type { Figure, FigureCounts, Panel } from "../plot/figure.ts";
import { scatterFigure, type ScatterOptions } from "../plot/scatter.ts";
import { figureSvg } from "../plot/svg.ts";
import { figureText } from "../plot/text.ts";
import { valueText } from "../plot/ticks.ts";
import { uvFigure } from "../plot/uv.ts";
import { waterfallFigure } from "../plot/waterfall.ts";
import type { ComplexPart } from "../query/mod.ts";
import { checkFree, fileTarget } from "./export-target.ts";
import { UsageError } from "./failure.ts";
import { jsonText } from "./json.ts";
import { antennaNames, antennaNumber, correlationNames, windowNames } from "./plot-names.ts";
import {
  parseAxis,
  parseBaseline,
  parseParts,
  parsePlaces,
  parseSize,
  placesOf,
  type PlotOptions,
} from "./plot-options.ts";
import { addReadingOptions, filterOf, openTable, parseCondition, parseRows, reportStats } from "./options.ts";
import type { Terminal } from "./terminal.ts";
import { counted, cut, humanCount, visible } from "./text.ts";
import { uninterrupted } from "./uninterrupted.ts";
import { printLines } from "./write.ts";

/** Pixels of an SVG, unless told otherwise. */
const SVG_WIDTH = 960;
/** Lines of text where there is no terminal to ask. */
const TEXT_HEIGHT = 30;
/** Lines that a terminal keeps for the prompt. */
const PROMPT_LINES = 2;
/** Points of a panel that are drawn one by one; more become cells of a grid. */
const MOST_POINTS = 20_000;
/** The height of a panel of an SVG is not larger, in pixels. */
const MOST_PANEL_HEIGHT = 640;
/** Pixels that a cell of the grid takes. */
const CELL_PIXELS = 2;
/** More places of a correlation axis aren't taken for correlations. */
const MOST_CORRELATIONS = 4;
const PARTS: readonly ComplexPart[] = ["amplitude", "phase"];

/** Flags that apply where nothing else is said. */
function flagColumns(table: Table, column: string, options: PlotOptions): string[] {
  if (options.flagged) return [];
  return ["FLAG", "FLAG_ROW"].filter((name) =>
    name !== column && table.columnNames.includes(name) && table.column(name).dtype === "bool" &&
    table.column(name).readable
  );
}

/** Places to be told apart, by what it is drawn on. */
function resolutionFor(options: PlotOptions, terminal: Terminal) {
  const toText = options.svg === undefined && !options.json;
  const width = options.width ?? (toText ? terminal.width : SVG_WIDTH);
  // The rows of a grid are at least half in use.
  return toText ? { columns: 2 * width, rows: 2 * 4 * textHeight(options, terminal), points: MOST_POINTS } : {
    columns: Math.ceil(width / CELL_PIXELS),
    rows: 2 * Math.ceil(MOST_PANEL_HEIGHT / CELL_PIXELS),
    points: MOST_POINTS,
  };
}

function textHeight({ height }: PlotOptions, terminal: Terminal): number {
  return height ??
    (terminal.height === undefined ? TEXT_HEIGHT : Math.max(12, terminal.height - PROMPT_LINES));
}

/** What stands below: time where there is one, else the rows. */
function defaultX(table: Table, column: string): { column: string } | "row" {
  const there = column !== "TIME" && table.columnNames.includes("TIME");
  return there && table.column("TIME").kind === "scalar" && table.column("TIME").dtype === "float64"
    ? { column: "TIME" }
    : "row";
}

/** The axis whose places are series: the first of cells with two, where it is as short as correlations are. */
function defaultAxis(table: Table, name: string, x: ScatterOptions["x"]): number | undefined {
  const column = table.column(name);
  if (column.kind !== "array" || table.rowCount === 0) return undefined;
  const shape = column.shape ?? column.cellShape(0);
  if (shape === null || shape[0] === undefined) return undefined;
  // Channels of cells with one axis lie along it.
  const apart = shape.length === 2 || (shape.length === 1 && x !== "channel");
  return shape[0] > 1 && shape[0] <= MOST_CORRELATIONS && apart ? 0 : undefined;
}

function scatter(
  table: Table,
  name: string,
  options: PlotOptions,
  choice: Choice,
  terminal: Terminal,
): Figure {
  const x = options.x === undefined
    ? defaultX(table, name)
    : options.x === "row" || options.x === "channel"
    ? options.x
    : { column: options.x };
  const axis = options.axis ?? defaultAxis(table, name, x), chosen = axis === "none" ? undefined : axis;
  const names = chosen === 0 ? correlationNames(table, name) : null;
  return scatterFigure(table, name, {
    ...choice,
    x,
    ...(chosen === undefined ? {} : { axis: chosen }),
    placeName: (place) => names?.[place] ?? placeText(table, name, chosen ?? 0, place),
    parts: options.parts ?? PARTS,
    boxes: boxesOf(table, name, options),
    resolution: resolutionFor(options, terminal),
  });
}

/** What a place along an axis is called where nothing says better. */
function placeText(table: Table, name: string, axis: number, place: number): string {
  if (table.column(name).ndim === 1) return `${visible(name)}[${place}]`;
  return axis > 1 ? `axis ${axis}: ${place}` : `${axis === 0 ? "correlation" : "channel"} ${place}`;
}

function boxesOf(table: Table, name: string, { correlation, channel }: PlotOptions) {
  const boxes = new Map([
    ...(correlation === undefined ? [] : [[0, correlation] as const]),
    ...(channel === undefined ? [] : [[1, channel] as const]),
  ]);
  const { kind, ndim } = table.column(name);
  for (const axis of boxes.keys()) {
    if (kind === "array" && (ndim < 0 || axis < ndim)) continue;
    const option = axis === 0 ? "--correlation" : "--channel";
    throw new TableError("OUT_OF_RANGE", `column ${name} has no axis ${axis}, which ${option} asks for`, {
      file: table.path,
    });
  }
  return boxes;
}

function waterfall(table: Table, name: string, options: PlotOptions, choice: Choice): Figure {
  const names = correlationNames(table, name), antennas = antennaNames(table), windows = windowNames(table);
  const baseline = options.baseline?.map((antenna) => antennaNumber(antenna, antennas, table)) as
    | [number, number]
    | undefined;
  const { correlation, channel } = options;
  const boxes = channel === undefined
    ? new Map()
    : new Map([[table.column(name).ndim === 1 ? 0 : 1, channel]]);
  return waterfallFigure(table, name, {
    ...choice,
    baseline,
    boxes,
    correlations: correlation === undefined ? [0] : placesOf(correlation, MOST_CORRELATIONS),
    correlationName: (place) => names?.[place] ?? `correlation ${place}`,
    antennaName: (antenna) => antennas[antenna] || String(antenna),
    windowName: (id) =>
      windows.get(id) ?? (table.columnNames.includes("DATA_DESC_ID") ? `DATA_DESC_ID ${id}` : ""),
    parts: options.parts ?? PARTS,
    places: [options.width ?? SVG_WIDTH, options.height ?? MOST_PANEL_HEIGHT],
  });
}

type Choice = RowChoice & { readonly flags: readonly string[]; onProgress(rows: number, of: number): void };

/** The figure that the options ask for. @throws UsageError, TableError */
function figureFor(
  table: Table,
  column: string | undefined,
  options: PlotOptions,
  terminal: Terminal,
): Figure {
  const uv = options.uv ?? (column === "UVW" && options.x === undefined && options.axis === undefined);
  const name = column ?? (uv ? "UVW" : options.waterfall ? visibilityColumn(table) : undefined);
  if (name === undefined) {
    throw new UsageError("which column? --uv and --waterfall find theirs by themselves");
  }
  const choice: Choice = {
    ...(options.rows === undefined ? {} : { rows: options.rows }),
    ...(options.where === undefined ? {} : { choose: filterOf(table, options.where) }),
    flags: flagColumns(table, name, options),
    onProgress: (rows, of) => terminal.progress(`reading ${visible(name)} ${Math.floor(100 * rows / of)} %`),
  };
  try {
    if (options.waterfall) return waterfall(table, name, options, choice);
    if (uv) return uvFigure(table, name, { ...choice, resolution: resolutionFor(options, terminal) });
    return scatter(table, name, options, choice, terminal);
  } finally {
    terminal.progress("");
  }
}

/** The column with visibilities. */
function visibilityColumn(table: Table): string | undefined {
  return ["DATA", "CORRECTED_DATA", "FLOAT_DATA"].find((name) => table.columnNames.includes(name));
}

/** `560 rows, 20,813 points, 6,067 flagged left out`. */
function countsText({ rows, points, flagged, invalid }: FigureCounts, notes: readonly string[]): string {
  return [
    counted(rows, "row"),
    counted(points, "point"),
    ...(flagged > 0 ? [`${humanCount(flagged)} flagged left out`] : []),
    ...(invalid > 0 ? [`${humanCount(invalid)} NaN or infinite left out`] : []),
    ...notes,
  ].join(", ");
}

/** What there is to see, for those who can't. */
function description(figure: Figure, subtitle: string): string {
  const panels = figure.panels.map((panel) => {
    if (panel.kind === "image") {
      let low = Infinity, high = -Infinity;
      for (const value of panel.values) {
        [low, high] = [value < low ? value : low, value > high ? value : high];
      }
      const range = low > high
        ? "no values"
        : `from ${valueText(panel.value, low)} to ${valueText(panel.value, high)}`;
      return `${panel.title}: ${counted(panel.lines.length, "line")} of ${
        counted(panel.width, "place")
      }, ${range}`;
    }
    const ends = panel.series.filter(({ marks }) => marks.count > 0).map(({ marks }) => marks.yRange);
    if (ends.length === 0) return `${panel.y.name}: nothing`;
    const [low, high] = [Math.min(...ends.map(([low]) => low)), Math.max(...ends.map(([, high]) => high))];
    const series = panel.series.length > 1 ? ` of ${panel.series.map(({ name }) => name).join(", ")}` : "";
    return `${panel.y.name}${series} from ${valueText(panel.y, low)} to ${valueText(panel.y, high)}`;
  });
  return `${subtitle}. ${panels.join(". ")}.`;
}

/** The figure for programs: points as they are, or for each column of a grid its count and extremes. */
function figureObject(figure: Figure, path: string): object {
  const panelObject = (panel: Panel) => {
    if (panel.kind === "image") {
      const { kind, title, x, y, value, xEnds, lines, width, values } = panel;
      const data = { dtype: "float32" as const, shape: [width, lines.length], data: values };
      return { kind, title, x, y, value, xEnds, lines: Array.from(lines), values: data };
    }
    return {
      kind: panel.kind,
      x: panel.x,
      y: panel.y,
      series: panel.series.map(({ name, marks }) => {
        const { count } = marks;
        if (marks.kind === "points") return { name, count, x: Array.from(marks.x), y: Array.from(marks.y) };
        const { from, to, columns, low, high, counts, rows } = marks;
        const filled = Array.from({ length: columns }, (_, c) => c).filter((c) => low[c]! <= high[c]!);
        const sum = (c: number) =>
          counts.subarray(c * rows, (c + 1) * rows).reduce((all, one) => all + one, 0);
        return {
          name,
          count,
          x: filled.map((c) => from + (to - from) * (c + 0.5) / columns),
          counts: filled.map(sum),
          min: filled.map((c) => low[c]),
          max: filled.map((c) => high[c]),
        };
      }),
    };
  };
  const { kind, title, counts, notes, panels } = figure;
  return { path, kind, title, ...counts, notes, panels: panels.map(panelObject) };
}

/** Writes a file that is there as a whole or not at all. @throws TableError EXISTS, NOT_FOUND, IO */
function writeFile(path: string, text: string, overwrite: boolean): void {
  uninterrupted(() => {
    const target = fileTarget(path, overwrite);
    try {
      target.write(new TextEncoder().encode(text));
      target.complete();
    } catch (error) {
      target.abandon();
      throw error;
    }
  });
}

function plot(path: string, column: string | undefined, options: PlotOptions, terminal: Terminal): void {
  const { svg, overwrite = false, width, height } = options;
  if (options.uv && options.waterfall) {
    throw new UsageError("--uv and --waterfall are two plots: one at a time");
  }
  // A file that is in the way is found before everything is read.
  if (svg !== undefined) checkFree(svg, overwrite);
  using table = openTable(path, options);
  const figure = figureFor(table, column, options, terminal);
  const subtitle = countsText(figure.counts, figure.notes);
  const name = visible(path.replace(/\/+$/, "").split("/").at(-1)!);
  const titled = { ...figure, title: `${name}: ${visible(figure.title)}` };
  if (svg !== undefined) {
    const text = figureSvg(titled, {
      width: width ?? SVG_WIDTH,
      ...(height === undefined ? {} : { height }),
      subtitle,
      description: description(figure, subtitle),
    });
    writeFile(svg, text, overwrite);
  }
  if (options.json) printLines([jsonText(figureObject(figure, path), 2)], terminal);
  else if (svg !== undefined) {
    printLines([cut(visible(`${svg}: ${figure.title}, ${subtitle}`), terminal.width)], terminal);
  } else {
    const { color, trueColor = false, unicode = true } = terminal;
    const lines = figureText(titled, {
      width: width ?? terminal.width,
      height: textHeight(options, terminal),
      colours: color ? trueColor ? "all" : "256" : "none",
      unicode,
      subtitle,
    });
    printLines(lines, terminal);
  }
  reportStats([table], options, terminal);
}

/** Adds the command. */
export function addPlot(program: Command, terminal: Terminal): void {
  const command = program.command("plot")
    .description("plot a column in the terminal or as SVG: against time, uv coverage, waterfall")
    .argument("<table>", "directory of the table")
    .argument("[column]", "name of the column")
    .option("--svg <file>", "write it as SVG instead of drawing it here")
    .option("--overwrite", "replace an existing file")
    .option("--x <what>", "what it stands against: a column, row or channel; TIME if there is one")
    .option("--uv", "uv coverage; the default for UVW")
    .option("--waterfall", "time by channel, of one baseline")
    .addOption(
      new Option("--baseline <a,b>", "of two antennas, by number or name").argParser(parseBaseline),
    )
    .addOption(
      new Option("--axis <axis>", "a series for each place along it: 0 or correlation, 1 or channel, none")
        .argParser(parseAxis),
    )
    .addOption(new Option("--correlation <places>", "only these: 0,3").argParser(parsePlaces))
    .addOption(new Option("--channel <places>", "only these: 8:56").argParser(parsePlaces))
    .option("--parts <names>", "of complex numbers: amplitude,phase (the default), real, imag", parseParts)
    .option("--rows <start:end>", "rows to look at, the end not included", parseRows)
    .option("--where <condition>", 'only rows for which it holds: "SCAN_NUMBER = 3"', parseCondition)
    .option("--flagged", "show what FLAG and FLAG_ROW flag, too")
    .addOption(new Option("--width <size>", "columns of text, or pixels").argParser(parseSize))
    .addOption(new Option("--height <size>", "lines of text, or pixels").argParser(parseSize))
    .option("--json", "the series as JSON, for programs")
    .addHelpText(
      "after",
      `
Complex columns give amplitude and phase. More than 20,000 points are counted in
a grid as fine as the picture, in which none of them is lost.

Examples:
  $ table plot my.ms DATA --where "ANTENNA1 = 0 and ANTENNA2 > 0" --height 28
  $ table plot my.ms UVW --svg uv.svg
  $ table plot my.ms --waterfall --baseline ea01,ea04 --where "DATA_DESC_ID = 0"`,
    )
    .action((path: string, column: string | undefined, options: PlotOptions) =>
      plot(path, column, options, terminal)
    );
  addReadingOptions(command);
}
