/**
 * Figures in a terminal: points as braille dots, pictures as half blocks in colour, or both in ASCII.
 */
import { cubeColour, type Rgb, SERIES_COLOURS } from "./colours.ts";
import { ASCII_MARKS, Dots, type Glyph } from "./dots.ts";
import type { Figure, ImagePanel, ScatterPanel } from "./figure.ts";
import { colourAt, fitted, lineAxis, lineTicks, valueRange } from "./picture.ts";
import { legendNames, scatterAxes } from "./panels.ts";
import { type Axis, type Tick, valueText } from "./ticks.ts";

/** What the terminal can do. */
export interface TextOptions {
  /** Columns and lines of characters that the figure may take. */
  readonly width: number;
  readonly height: number;
  /** Colours: none, the 256 of most terminals, or any. */
  readonly colours: "none" | "256" | "all";
  /** False where only ASCII can be shown. */
  readonly unicode: boolean;
  /** What is said below the title. */
  readonly subtitle: string;
}

const BOLD = ["\x1b[1m", "\x1b[22m"] as const,
  FAINT = ["\x1b[2m", "\x1b[22m"] as const,
  PLAIN = "\x1b[39;49m";
/** Characters of amounts, from little to much; a blank is nothing at all. */
const RAMP = ".:-=+*#%@";
/** Characters of a scale of colours. */
const MOST_BAR = 24;
const LEAST_ROWS = 4, LEAST_PICTURE_ROWS = 10;
/** Characters left of a picture. */
const TIME_ROOM = 16;

const ASCII: Readonly<Record<string, string>> = {
  "−": "-",
  "–": "-",
  "µ": "u",
  "°": " deg",
  "…": "...",
  "⁻": "-",
  "┤": "+",
  "│": "|",
  "└": "+",
  "─": "-",
  "┬": "+",
};

/** The text in ASCII: what has a counterpart there gets it, powers of ten a caret. */
export function asciiText(text: string): string {
  return text.replace(/10(⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)/g, "10^$1").replace(
    /[⁰¹²³⁴⁵⁶⁷⁸⁹]/g,
    (c) => String("⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(c)),
  )
    .replace(/[^ -~]/gu, (c) => ASCII[c] ?? "?");
}

/** Text of at most so many characters; what was ASCII stays so. */
function cutText(text: string, width: number): string {
  if (text.length <= width) return text;
  const dots = /^[ -~]*$/.test(text) ? "..." : "…";
  return text.slice(0, Math.max(0, width - dots.length)) + dots;
}

/** Draws with what a terminal has. */
class Pen {
  constructor(readonly options: TextOptions) {}

  plain(text: string): string {
    return this.options.unicode ? text : asciiText(text);
  }

  style(text: string, [on, off]: readonly [string, string]): string {
    return this.options.colours === "none" || text === "" ? text : on + text + off;
  }

  bold = (text: string) => this.style(this.plain(text), BOLD);
  faint = (text: string) => this.style(this.plain(text), FAINT);

  series(number: number): string {
    const { colours } = this.options;
    return colours === "none" || number < 0
      ? ""
      : `\x1b[38;5;${SERIES_COLOURS[number % SERIES_COLOURS.length]!.terminal}m`;
  }

  colour(colour: Rgb, ground: boolean): string {
    const kind = ground ? 48 : 38;
    return this.options.colours === "all"
      ? `\x1b[${kind};2;${colour.join(";")}m`
      : `\x1b[${kind};5;${cubeColour(colour)}m`;
  }

  /** Characters with their colours, which are only written where they change. */
  glyphs(line: readonly Glyph[], several: boolean): string {
    let text = "", last = -1;
    for (const { text: glyph, series } of line) {
      if (several && series >= 0 && series !== last) {
        text += this.series(series);
        last = series;
      }
      text += glyph;
    }
    const coloured = last >= 0 && this.options.colours !== "none";
    return coloured ? `${text.trimEnd()}${PLAIN}` : text.trimEnd();
  }
}

/** Texts in a line, each in the middle of its place, without one running into the next. */
export function spread(
  ticks: readonly { readonly text: string; readonly column: number }[],
  width: number,
): string {
  let line = "";
  for (const { text, column } of ticks) {
    const start = Math.max(0, Math.min(width - text.length, column - (text.length >> 1)));
    if (start < line.length + (line === "" ? 0 : 1)) continue;
    line = line.padEnd(start) + text;
  }
  return line;
}

/** Axis line, ticks' texts and name below a panel whose left edge is at `left`. */
function bottom(axis: Axis, left: number, width: number, texts: boolean, pen: Pen): string[] {
  const column = (at: number) =>
    Math.min(width - 1, Math.max(0, Math.floor((at - axis.low) / (axis.high - axis.low) * width)));
  const marks = new Set(axis.ticks.map(({ at }) => column(at)));
  const line = Array.from({ length: width }, (_, i) => marks.has(i) ? "┬" : "─").join("");
  const margin = " ".repeat(left);
  const lines = [pen.faint(`${margin}└${line}`)];
  if (!texts) return lines;
  const places = axis.ticks.map(({ at, text }) => ({ text: pen.plain(text), column: left + 1 + column(at) }));
  const label = cutText(pen.plain(axis.label), left + width);
  const middle = Math.max(0, left + 1 + ((width - label.length) >> 1));
  return [...lines, spread(places, left + 1 + width), pen.faint(" ".repeat(middle) + label)];
}

/** The left edge of each line: ticks where they are. */
function edges(
  ticks: readonly Tick[],
  rowOf: (at: number) => number,
  rows: number,
  left: number,
  pen: Pen,
): string[] {
  const texts = new Map(ticks.map(({ at, text }) => [rowOf(at), pen.plain(text)]));
  return Array.from({ length: rows }, (_, row) => {
    const text = texts.get(row);
    return (text ?? "").padStart(left) + pen.faint(text === undefined ? "│" : "┤");
  });
}

function widest(ticks: readonly Tick[], pen: Pen): number {
  return ticks.reduce((most, { text }) => Math.max(most, pen.plain(text).length), 0) + 1;
}

function drawMarks(panel: ScatterPanel, axes: { x: Axis; y: Axis }, dots: Dots): void {
  const right = (x: number) => (x - axes.x.low) / (axes.x.high - axes.x.low);
  const below = (y: number) => (axes.y.high - y) / (axes.y.high - axes.y.low);
  panel.series.forEach(({ marks }, s) => {
    if (marks.kind === "points") {
      for (let i = 0; i < marks.count; i++) dots.set(right(marks.x[i]!), below(marks.y[i]!), s, 1);
      return;
    }
    const { columns, rows, counts, base, height, from, to } = marks;
    for (let column = 0; column < columns; column++) {
      const x = right(from + (to - from) * (column + 0.5) / columns);
      for (let row = 0; row < rows; row++) {
        const count = counts[column * rows + row]!;
        if (count === 0) continue;
        dots.set(x, below((base + row + 0.5) * height), s, count);
      }
    }
  });
}

/** Ticks of a panel of so many lines: one every other line, at most. */
function textAxes(panel: ScatterPanel, rows: number, inner: number): { x: Axis; y: Axis } {
  const across = Math.max(2, Math.floor(inner / 14));
  return scatterAxes(panel, across, panel.square ? across : Math.max(2, Math.floor(rows / 2)));
}

function scatterLines(panel: ScatterPanel, rows: number, left: number, last: boolean, pen: Pen): string[] {
  const { width, unicode } = pen.options;
  const room = width - left - 1, inner = squareOr(panel, rows, room);
  const axes = textAxes(panel, rows, inner);
  const dots = new Dots(inner, rows, panel.series.length, unicode);
  drawMarks(panel, axes, dots);
  const rowOf = (at: number) =>
    Math.min(rows - 1, Math.max(0, Math.floor((axes.y.high - at) / (axes.y.high - axes.y.low) * rows)));
  const edge = edges(axes.y.ticks, rowOf, rows, left, pen);
  return [
    pen.faint(cutText(`${" ".repeat(left + 1)}${axes.y.label}`, width)),
    ...dots.lines().map((line, row) => (edge[row]! + pen.glyphs(line, panel.series.length > 1)).trimEnd()),
    ...bottom(axes.x, left, inner, last, pen),
  ];
}

/** Characters of a line: as many as there is room for, or as make a square, a character being twice as high as wide. */
function squareOr(panel: ScatterPanel, rows: number, room: number): number {
  return panel.square ? Math.min(room, rows * 2) : room;
}

function fractionText(fraction: number): string {
  return RAMP[Math.max(0, Math.min(RAMP.length - 1, Math.floor(fraction * RAMP.length)))]!;
}

/** One line of characters for one or two lines of a picture. */
function pictureLine(
  panel: ImagePanel,
  upper: number,
  lower: number | null,
  times: number,
  pen: Pen,
): string {
  const [low, high] = valueRange(panel);
  const at = (line: number, x: number) => {
    const value = panel.values[line * panel.width + x]!;
    return value !== value ? null : (value - low) / (high - low);
  };
  let text = "", style = "";
  for (let x = 0; x < panel.width; x++) {
    const top = at(upper, x), under = lower === null ? top : lower < panel.lines.length ? at(lower, x) : null;
    let glyph: string, next = "";
    if (pen.options.colours === "none") glyph = top === null ? " " : fractionText(top);
    else if (top === null && under === null) [glyph, next] = [" ", PLAIN];
    else if (lower === null) [glyph, next] = [" ", pen.colour(colourAt(panel, top!), true)];
    else if (!pen.options.unicode) {
      const value = top ?? under!;
      [glyph, next] = [fractionText(value), pen.colour(colourAt(panel, value), false)];
    } else if (top === null) [glyph, next] = ["▄", "\x1b[49m" + pen.colour(colourAt(panel, under!), false)];
    else if (under === null) [glyph, next] = ["▀", "\x1b[49m" + pen.colour(colourAt(panel, top), false)];
    else {[glyph, next] = [
        "▀",
        pen.colour(colourAt(panel, top), false) + pen.colour(colourAt(panel, under), true),
      ];}
    if (next !== style) {
      text += next;
      style = next;
    }
    text += glyph.repeat(times);
  }
  return style === "" ? text : text + PLAIN;
}

function imageLines(whole: ImagePanel, rows: number, pen: Pen): string[] {
  const { width, colours, unicode } = pen.options;
  const panel = fitted(whole, width - TIME_ROOM, colours !== "none" && unicode ? 2 * rows : rows);
  const count = panel.lines.length;
  // Half blocks show two lines in one.
  const halves = count > rows;
  const used = Math.min(rows, halves ? Math.ceil(count / 2) : count);
  const { ticks, label } = lineTicks(
    panel,
    Math.max(2, Math.floor(count * 3 / Math.max(3, used) + used / 3)),
  );
  const rowOf = (line: number) => Math.floor(halves ? line / 2 : line);
  const fewer = ticks.filter((tick, i) => i === 0 || rowOf(tick.at) !== rowOf(ticks[i - 1]!.at));
  const left = widest(fewer, pen);
  const times = Math.max(1, Math.floor((width - left - 1) / panel.width)), inner = times * panel.width;
  const edge = edges(fewer, rowOf, used, left, pen);
  const axis = lineAxis(panel, Math.max(2, Math.floor(inner / 10)));
  const [low, high] = valueRange(panel);
  const end = (value: number) => pen.plain(valueText(panel.value, value).replace("-", "−"));
  const ends = [end(low), end(high)] as const;
  const title = cutText(pen.plain(panel.title), width - ends[0].length - ends[1].length - 4);
  const room = Math.min(MOST_BAR, width - title.length - ends[0].length - ends[1].length - 4);
  const bar = Array.from({ length: room }, (_, i) => {
    const fraction = (i + 0.5) / room;
    return colours === "none" ? fractionText(fraction) : `${pen.colour(colourAt(panel, fraction), true)} `;
  }).join("") + (colours === "none" ? "" : PLAIN);
  return [
    `${pen.bold(title)}  ${ends[0]} ${bar} ${ends[1]}`,
    pen.faint(cutText(`${" ".repeat(left + 1)}${label}`, width)),
    ...edge.map((text, row) =>
      (text + pictureLine(panel, halves ? 2 * row : row, halves && unicode ? 2 * row + 1 : null, times, pen))
        .trimEnd()
    ),
    ...bottom(axis, left, inner, true, pen),
  ];
}

/** The series' names, as many as there is room for. */
function legendLine(names: readonly string[], pen: Pen): string {
  const { colours, unicode, width } = pen.options;
  let line = "", used = 0;
  for (const [i, one] of names.entries()) {
    const mark = !unicode ? ASCII_MARKS[i % ASCII_MARKS.length]! : colours === "none" ? "" : "●";
    const name = pen.plain(one), gap = i === 0 ? "" : "  ", blank = mark === "" ? "" : " ";
    used += gap.length + mark.length + blank.length + name.length;
    if (used > width) break;
    line += `${gap}${colours === "none" ? mark : `${pen.series(i)}${mark}${PLAIN}`}${blank}${name}`;
  }
  return line;
}

/** Lines of characters that each panel of a figure has for itself. */
export function rowsOfPanels(figure: Pick<Figure, "panels">, height: number): number {
  const { panels } = figure, names = legendNames(panels);
  const head = 2 + (names.length > 1 ? 1 : 0);
  // Name of the axis and axis line; below the last panel, or each picture, texts and name.
  const around = panels[0]?.kind === "image" ? panels.length * 5 : panels.length * 2 + 2;
  const least = panels[0]?.kind === "image" ? LEAST_PICTURE_ROWS : LEAST_ROWS;
  return Math.max(least, Math.floor((height - head - around) / Math.max(1, panels.length)));
}

/** A figure as lines of text, none of them wider than there is room. */
export function figureText(figure: Figure, options: TextOptions): string[] {
  const pen = new Pen(options), names = legendNames(figure.panels);
  const clip = (text: string) => cutText(pen.plain(text), options.width);
  const head = [pen.bold(clip(figure.title)), pen.faint(clip(options.subtitle))];
  if (figure.counts.points === 0) return [...head, pen.plain("nothing to show")];
  const rows = rowsOfPanels(figure, options.height);
  const left = Math.max(
    0,
    ...figure.panels.map((panel) =>
      panel.kind === "image"
        ? 0
        : widest(textAxes(panel, rows, squareOr(panel, rows, options.width)).y.ticks, pen)
    ),
  );
  return [
    ...head,
    ...(names.length > 1 ? [legendLine(names, pen)] : []),
    ...figure.panels.flatMap((panel, i) =>
      panel.kind === "image"
        ? imageLines(panel, rows, pen)
        : scatterLines(panel, rows, left, i === figure.panels.length - 1, pen)
    ),
  ];
}
