/**
 * Figures as SVG: one file that needs nothing else, with a title and a description for those who can't see it, and colours that
 * follow the reader's light or dark.
 */
import { Buffer } from "node:buffer";
import type { CellMarks, CloudMarks } from "./cloud.ts";
import type { Rgb } from "./colours.ts";
import type { Figure, ImagePanel, Panel, ScatterPanel } from "./figure.ts";
import { legendNames, scatterAxes } from "./panels.ts";
import { colourAt, lineAxis, lineTicks, valueRange } from "./picture.ts";
import { palettePng } from "./png.ts";
import {
  bottomAxis,
  type Box,
  CHARACTER,
  leftTicks,
  legend,
  px,
  styleSheet,
  textAt,
  xml,
} from "./svg-parts.ts";
import { type Axis, axisOfRange } from "./ticks.ts";

/** How a figure is drawn. */
export interface SvgOptions {
  /** Pixels. */
  readonly width: number;
  /** Pixels; as the figure needs unless told otherwise. */
  readonly height?: number;
  /** What is said beside the title. */
  readonly subtitle: string;
  /** The description. */
  readonly description: string;
}

const HEAD = 52, LEGEND = 24, FOOT = 50, LEAST_LEFT = 78, RIGHT = 20, GAP = 18;
/** Pixels beside the texts of ticks: for the name of the axis, and to the frame. */
const BESIDE_TICKS = 36;
const ONE_HEIGHT = 380, SEVERAL_HEIGHT = 220, MOST_SQUARE = 620;
const BAR_WIDTH = 14, BAR_ROOM = 88, TITLE_ROOM = 24;
/** Pixels between two ticks with text. */
const TICK_EVERY = { across: 100, up: 36 } as const;

/** Diameter of a dot. */
function dotSize(count: number): number {
  return count <= 300 ? 5 : count <= 3000 ? 3.6 : 2.4;
}

/** Points as one path; those that fall on each other are drawn once. */
function pointPath(
  x: Float64Array,
  y: Float64Array,
  toX: (x: number) => number,
  toY: (y: number) => number,
): string {
  const seen = new Set<number>();
  let path = "";
  for (let i = 0; i < x.length; i++) {
    const [left, top] = [Math.round(2 * toX(x[i]!)), Math.round(2 * toY(y[i]!))];
    const key = left * 2 ** 20 + top;
    if (seen.has(key)) continue;
    seen.add(key);
    path += `M${left / 2} ${top / 2}h0`;
  }
  return path;
}

/** The widest mark, in pixels. */
const MOST_MARK = 7;
/** Shades of cells by how many points are in them, from few to many. */
const SHADES = [0.6, 0.75, 0.9, 1] as const;

/** Cells as one path for each shade: an upright line for each run of cells in a column. */
function cellPaths(
  marks: CellMarks,
  toX: (x: number) => number,
  toY: (y: number) => number,
): { path: string; shade: number }[] {
  const { columns, rows, counts, base, height, from, to } = marks;
  let most = 1;
  for (const count of counts) if (count > most) most = count;
  const shadeOf = (count: number) =>
    count === 0
      ? -1
      : Math.min(SHADES.length - 1, Math.floor(SHADES.length * Math.log(count) / Math.log(most + 1)));
  const paths: string[] = SHADES.map(() => "");
  for (let column = 0; column < columns; column++) {
    const x = px(toX(from + (to - from) * (column + 0.5) / columns));
    for (let row = 0; row < rows;) {
      const shade = shadeOf(counts[column * rows + row]!);
      let end = row + 1;
      while (end < rows && shadeOf(counts[column * rows + end]!) === shade) end++;
      if (shade >= 0) {
        const [bottom, top] = [toY((base + row) * height), toY((base + end) * height)];
        // No mark may be too small to be seen.
        const middle = (bottom + top) / 2, half = Math.max((bottom - top) / 2, 1);
        paths[shade] += `M${x} ${px(middle - half)}V${px(middle + half)}`;
      }
      row = end;
    }
  }
  return paths.map((path, i) => ({ path, shade: SHADES[i]! })).filter(({ path }) => path !== "");
}

function marksOf(
  marks: CloudMarks,
  number: number,
  box: Box,
  axes: { x: Axis; y: Axis },
  total: number,
  series: number,
): string {
  const toX = (x: number) => box.x + box.width * (x - axes.x.low) / (axes.x.high - axes.x.low);
  const toY = (y: number) => box.y + box.height * (axes.y.high - y) / (axes.y.high - axes.y.low);
  if (marks.kind === "points") {
    const path = pointPath(marks.x, marks.y, toX, toY);
    return path === ""
      ? ""
      : `<path class="s${number} dots" stroke-width="${dotSize(total)}" stroke-opacity="0.85" d="${path}"/>`;
  }
  const { from, to, columns, low, high } = marks;
  const width = Math.max(1.5, (toX(to) - toX(from)) / columns);
  // Where few columns have points, there is room for wide marks, and for those of one series to show beside the next one's.
  const filled = low.reduce((sum, least, column) => sum + (least <= high[column]! ? 1 : 0), 0);
  const room = Math.min(MOST_MARK, 0.35 * width * columns / Math.max(1, filled));
  const wide = room < 2 * width ? width + 0.2 : room * (1 - 0.6 * number / series);
  return cellPaths(marks, toX, toY).map(({ path, shade }) =>
    `<path class="s${number}" stroke-width="${px(wide)}" stroke-opacity="${shade}" d="${path}"/>`
  ).join("");
}

function scatterParts(panel: ScatterPanel, box: Box, bottom: boolean): string[] {
  const across = Math.floor(box.width / TICK_EVERY.across);
  const axes = scatterAxes(panel, across, panel.square ? across : Math.floor(box.height / TICK_EVERY.up));
  const toY = (y: number) => box.y + box.height * (axes.y.high - y) / (axes.y.high - axes.y.low);
  const total = panel.series.reduce((sum, { marks }) => sum + marks.count, 0);
  return [
    ...bottomAxis(box, axes.x, { lines: true, texts: bottom }),
    ...leftTicks(box, axes.y.ticks, axes.y.label, toY, true),
    ...panel.series.map(({ marks }, i) => marksOf(marks, i, box, axes, total, panel.series.length)),
    `<rect class="frame" fill="none" x="${px(box.x)}" y="${px(box.y)}" width="${px(box.width)}" height="${
      px(box.height)
    }"/>`,
    ...(total === 0
      ? [
        textAt("nothing to show", box.x + box.width / 2, box.y + box.height / 2, {
          style: "faint",
          anchor: "middle",
        }),
      ]
      : []),
  ];
}

/** Numbers of colours from 1 to 255. */
const COLOURS = 255;
/** Places of a PNG to a pixel, for screens with fine pixels. */
const FINE = 2;

/** Lines or columns of a picture, each several times. */
function magnified(
  places: Uint8Array,
  width: number,
  height: number,
  by: readonly [number, number],
): Uint8Array {
  const [across, down] = by, wide = width * across, large = new Uint8Array(wide * height * down);
  for (let y = 0; y < height; y++) {
    const from = y * down * wide;
    for (let x = 0; x < width; x++) {
      large.fill(places[y * width + x]!, from + x * across, from + (x + 1) * across);
    }
    for (let i = 1; i < down; i++) large.copyWithin(from + i * wide, from, from + wide);
  }
  return large;
}

/**
 * A picture as a PNG in a data URL. Programs smooth what they enlarge, not all of them can be told not to, and smoothed edges
 * are no data: so the picture has the size already at which it is shown, or more.
 */
function pictureUrl(panel: ImagePanel, low: number, high: number, box: Box): string {
  const [width, height] = [panel.width, panel.lines.length];
  const places = Uint8Array.from(
    panel.values,
    (value) =>
      value !== value
        ? 0
        : 1 + Math.max(0, Math.min(COLOURS - 1, Math.floor(COLOURS * (value - low) / (high - low)))),
  );
  const colours: Rgb[] = [[0, 0, 0]];
  for (let i = 0; i < COLOURS; i++) colours.push(colourAt(panel, (i + 0.5) / COLOURS));
  const by = [Math.ceil(box.width * FINE / width), Math.ceil(box.height * FINE / height)] as const;
  const png = palettePng(width * by[0], height * by[1], magnified(places, width, height, by), colours);
  return `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
}

function imageParts(panel: ImagePanel, box: Box, id: string): string[] {
  const [low, high] = valueRange(panel);
  const x = lineAxis(panel, Math.max(2, Math.floor(box.width / 70)));
  const { ticks, label } = lineTicks(panel, Math.max(2, Math.floor(box.height / 28)));
  const lineHeight = box.height / panel.lines.length;
  const bar = { x: box.x + box.width + 10, y: box.y, width: BAR_WIDTH, height: box.height };
  const scale = axisOfRange(panel.value, low, high, Math.max(2, Math.floor(box.height / TICK_EVERY.up)));
  const longest = scale.ticks.reduce((most, { text }) => Math.max(most, text.length), 0);
  const stops = Array.from({ length: 17 }, (_, i) => {
    const [r, g, b] = colourAt(panel, i / 16);
    return `<stop offset="${px(100 * i / 16)}%" stop-color="rgb(${r},${g},${b})"/>`;
  });
  const frame = (of: Box, fill: string) =>
    `<rect class="frame" fill="${fill}" x="${px(of.x)}" y="${px(of.y)}" width="${px(of.width)}" height="${
      px(of.height)
    }"/>`;
  return [
    textAt(panel.title, box.x, box.y - 8),
    `<defs><linearGradient id="${id}" x1="0" y1="1" x2="0" y2="0">${stops.join("")}</linearGradient></defs>`,
    `<image x="${px(box.x)}" y="${px(box.y)}" width="${px(box.width)}" height="${
      px(box.height)
    }" preserveAspectRatio="none" href="${pictureUrl(panel, low, high, box)}"/>`,
    frame(box, "none"),
    ...bottomAxis(box, x, { lines: false, texts: true }),
    ...leftTicks(box, ticks, label, (line) => box.y + lineHeight * (line + 0.5), false),
    frame(bar, `url(#${id})`),
    ...scale.ticks.flatMap(({ at, text }) => {
      const y = bar.y + bar.height * (high - at) / (high - low);
      return [
        `<path class="frame" d="M${px(bar.x + bar.width)} ${px(y)}h4"/>`,
        textAt(text, bar.x + bar.width + 7, y + 4, { style: "small" }),
      ];
    }),
    textAt(scale.label, bar.x + bar.width + 22 + longest * CHARACTER, box.y + box.height / 2, {
      anchor: "middle",
      upwards: true,
    }),
  ];
}

/** Pixels left of panels: as many as the longest text of a tick needs. */
function leftOf(panels: readonly Panel[]): number {
  const texts = panels.flatMap((panel) =>
    panel.kind === "image" ? lineTicks(panel, 12).ticks : scatterAxes(panel, 8, 8).y.ticks
  );
  const longest = texts.reduce((most, { text }) => Math.max(most, text.length), 0);
  return Math.max(LEAST_LEFT, BESIDE_TICKS + longest * CHARACTER);
}

/** Where panels stand: points below each other, pictures beside each other where there are two parts. */
function boxesOf(
  panels: readonly Panel[],
  options: SvgOptions,
  left: number,
  top: number,
): { boxes: Box[]; height: number } {
  const { width } = options;
  if (panels[0]?.kind === "image") {
    const across = Math.min(2, panels.length), down = Math.ceil(panels.length / across);
    const room = (width - GAP) / across;
    const free = options.height === undefined ? 0 : (options.height - top) / down - FOOT - TITLE_ROOM;
    const each = free > 40 ? free : down === 1 ? 380 : 280;
    return {
      boxes: panels.map((_, i) => ({
        x: (i % across) * room + left,
        y: top + TITLE_ROOM + Math.floor(i / across) * (each + FOOT + TITLE_ROOM),
        width: room - left - BAR_ROOM,
        height: each,
      })),
      height: top + down * (each + FOOT + TITLE_ROOM),
    };
  }
  const square = panels.some((panel) => panel.kind === "scatter" && panel.square);
  const inner = width - left - RIGHT;
  if (square) {
    const free = options.height === undefined ? MOST_SQUARE : options.height - top - FOOT;
    const side = Math.max(80, Math.min(inner, free));
    return {
      boxes: [{ x: left + (inner - side) / 2, y: top, width: side, height: side }],
      height: top + side + FOOT,
    };
  }
  const gaps = GAP * (panels.length - 1);
  const free = options.height === undefined ? 0 : (options.height - top - FOOT - gaps) / panels.length;
  const each = free > 40 ? free : panels.length === 1 ? ONE_HEIGHT : SEVERAL_HEIGHT;
  return {
    boxes: panels.map((_, i) => ({ x: left, y: top + i * (each + GAP), width: inner, height: each })),
    height: top + panels.length * each + gaps + FOOT,
  };
}

/** An id that two figures in one page hardly share. */
function idOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return `p${(hash >>> 0).toString(36)}`;
}

/** A figure as SVG. */
export function figureSvg(figure: Figure, options: SvgOptions): string {
  const names = legendNames(figure.panels), { width, subtitle, description } = options;
  const legendWidth = names.reduce((sum, name) => sum + 26 + name.length * CHARACTER, 0);
  const top = HEAD + (names.length > 0 ? LEGEND : 0) + 6;
  const { boxes, height } = boxesOf(figure.panels, options, leftOf(figure.panels), top);
  const id = idOf(figure.title + description);
  const left = boxes[0]!.x;
  const parts = figure.panels.flatMap((panel, i) =>
    panel.kind === "image"
      ? imageParts(panel, boxes[i]!, `${id}-${i}`)
      : scatterParts(panel, boxes[i]!, i === figure.panels.length - 1)
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${px(width)}" height="${px(height)}" viewBox="0 0 ${
      px(width)
    } ${px(height)}" role="img" aria-labelledby="${id}-t ${id}-d">`,
    `<title id="${id}-t">${xml(figure.title)}</title>`,
    `<desc id="${id}-d">${xml(description)}</desc>`,
    styleSheet(names.length),
    `<rect class="ground" width="100%" height="100%"/>`,
    textAt(figure.title, left, 27, { style: "head" }),
    textAt(subtitle, left, 45, { style: "small" }),
    ...legend(names, Math.max(left, Math.min(left, width - legendWidth)), HEAD + LEGEND - 8),
    ...parts.filter((part) => part !== ""),
    "</svg>\n",
  ].join("\n");
}
