/**
 * Pieces of SVG: text, axes, legends, and the style that is readable on light and on dark.
 */
import { SERIES_COLOURS } from "./colours.ts";
import type { Axis, Tick } from "./ticks.ts";

/** A rectangle in pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Characters that XML can't have, and halves of such. */
// deno-lint-ignore no-control-regex
const NO_XML = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Cs}/gu;

/** Text as XML holds it: no markup, and none of the characters that XML can't have. */
export function xml(text: string): string {
  return text.replace(NO_XML, "\ufffd").replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(
    ">",
    "&gt;",
  )
    .replaceAll('"', "&quot;");
}

/** Pixels to a tenth. */
export function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** Pixels that a character takes, roughly, at a size of 12. */
export const CHARACTER = 6.8;

/** Where an element of text stands. */
export interface TextOptions {
  readonly style?: string;
  readonly anchor?: "start" | "middle" | "end";
  /** Written upwards. */
  readonly upwards?: boolean;
}

/** An element of text. */
export function textAt(text: string, x: number, y: number, options: TextOptions = {}): string {
  const { style = "ink", anchor = "start", upwards = false } = options;
  const place = upwards
    ? `transform="translate(${px(x)} ${px(y)}) rotate(-90)"`
    : `x="${px(x)}" y="${px(y)}"`;
  return `<text class="${style}" ${place}${anchor === "start" ? "" : ` text-anchor="${anchor}"`}>${
    xml(text)
  }</text>`;
}

/** Ticks below a box, with lines across it, and the axis' name. */
export function bottomAxis(box: Box, axis: Axis, options: { lines: boolean; texts: boolean }): string[] {
  const bottom = box.y + box.height;
  const parts = axis.ticks.flatMap(({ at, text }) => {
    const x = box.x + box.width * (at - axis.low) / (axis.high - axis.low);
    return [
      options.lines
        ? `<path class="grid" d="M${px(x)} ${px(box.y)}V${px(bottom)}"/>`
        : `<path class="frame" d="M${px(x)} ${px(bottom)}v4"/>`,
      ...(options.texts ? [textAt(text, x, bottom + 17, { style: "small", anchor: "middle" })] : []),
    ];
  });
  if (options.texts) {
    parts.push(textAt(axis.label, box.x + box.width / 2, bottom + 36, { anchor: "middle" }));
  }
  return parts;
}

/** Ticks left of a box; `places` gives the height of each. */
export function leftTicks(
  box: Box,
  ticks: readonly Tick[],
  label: string,
  place: (at: number) => number,
  lines: boolean,
): string[] {
  const longest = ticks.reduce((most, { text }) => Math.max(most, text.length), 0);
  return [
    ...ticks.flatMap(({ at, text }) => {
      const y = place(at);
      return [
        lines
          ? `<path class="grid" d="M${px(box.x)} ${px(y)}h${px(box.width)}"/>`
          : `<path class="frame" d="M${px(box.x - 4)} ${px(y)}h4"/>`,
        textAt(text, box.x - 7, y + 4, { style: "small", anchor: "end" }),
      ];
    }),
    textAt(label, box.x - 16 - longest * CHARACTER, box.y + box.height / 2, {
      anchor: "middle",
      upwards: true,
    }),
  ];
}

/** The style sheet. What draws no dark ground keeps the light one. */
export function styleSheet(series: number): string {
  const colours = SERIES_COLOURS.slice(0, Math.max(1, series));
  const rules = (ink: string, faint: string, ground: string, grid: string, frame: string) =>
    `.ground{fill:${ground}}.ink,.head{fill:${ink}}.small,.faint{fill:${faint}}` +
    `.grid{stroke:${grid}}.frame{stroke:${frame}}`;
  const marks = (mode: "light" | "dark") =>
    colours.map((colour, i) => `.s${i}{stroke:${colour[mode]}}`).join("");
  return "<style>" +
    "text{font:12px system-ui,-apple-system,'Segoe UI','Helvetica Neue',Arial,sans-serif}" +
    ".head{font-size:17px;font-weight:600}.small{font-size:11px}" +
    "path{fill:none}.grid,.frame{stroke-width:1}.dots{stroke-linecap:round}" +
    rules("#1c2127", "#59636e", "#ffffff", "#e7eaee", "#98a1ab") + marks("light") +
    `@media(prefers-color-scheme:dark){${rules("#e8ebef", "#a4adb8", "#14181d", "#2a3037", "#5c6670")}${
      marks("dark")
    }}` +
    "</style>";
}

/** Names of series with a dot of their colour, as one line from `x` on. */
export function legend(names: readonly string[], x: number, y: number): string[] {
  let at = x;
  return names.flatMap((name, i) => {
    const here = at;
    at += 26 + name.length * CHARACTER;
    return [
      `<path class="s${i} dots" stroke-width="9" d="M${px(here + 5)} ${px(y - 4)}h0"/>`,
      textAt(name, here + 14, y),
    ];
  });
}
