/**
 * What drawing a picture needs to know of it, by whatever means it is drawn.
 */
import { amountColour, angleColour, type Rgb } from "./colours.ts";
import type { ImagePanel } from "./figure.ts";
import { axisOfRange, type Tick, timeText } from "./ticks.ts";

/** The range of a picture's colours; 0 to 1 where there is no value. */
export function valueRange({ values, value }: ImagePanel): readonly [low: number, high: number] {
  if (value.range !== undefined) return value.range;
  let low = Infinity, high = -Infinity;
  for (const one of values) {
    if (one < low) low = one;
    if (one > high) high = one;
  }
  if (low > high) return [0, 1];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

/** The colour of a fraction of that range. */
export function colourAt(panel: ImagePanel, fraction: number): Rgb {
  return panel.cyclic ? angleColour(fraction) : amountColour(fraction);
}

/** At most `most` lines and what they stand for, numbered from 0; and the name of that axis. */
export function lineTicks({ lines, y }: ImagePanel, most: number): { ticks: Tick[]; label: string } {
  const step = [1, 2, 5].flatMap((n) => [n, 10 * n, 100 * n, 1000 * n]).sort((a, b) => a - b)
    .find((step) => lines.length / step <= most) ?? lines.length;
  const at = Array.from({ length: Math.ceil(lines.length / step) }, (_, i) => i * step)
    .filter((line) => Number.isFinite(lines[line]));
  if (y.clock === null) {
    return { ticks: at.map((line) => ({ at: line, text: String(lines[line]) })), label: y.name };
  }
  const texts = at.map((line) => timeText(lines[line]!));
  const [day = ""] = (texts[0] ?? "").split(" ");
  const oneDay = texts.every((text) => text.startsWith(day));
  const full = texts.map((text) => text.padEnd(19, text.includes(":") ? ":00" : " 00:00:00"));
  const short = full.map((text) => oneDay ? text.slice(11) : text.slice(5));
  return {
    ticks: at.map((line, i) => ({ at: line, text: short[i]! })),
    label: `${y.name} (${y.clock}${day === "" ? "" : oneDay ? `, ${day}` : `, from ${day}`})`,
  };
}

/** The axis along a line. */
export function lineAxis({ x, xEnds: [first, last] }: ImagePanel, most: number) {
  // Each place is as wide as one channel, or as many as share it.
  return axisOfRange(x, first - 0.5, last + 0.5, most);
}

/** The picture with at most so many places and lines: those that come to share a place give the largest magnitude. */
export function fitted(panel: ImagePanel, width: number, lines: number): ImagePanel {
  const [across, down] = [Math.min(panel.width, width), Math.min(panel.lines.length, lines)];
  if (across === panel.width && down === panel.lines.length) return panel;
  const values = new Float32Array(across * down).fill(NaN), starts = new Float64Array(down).fill(NaN);
  for (let y = 0; y < panel.lines.length; y++) {
    const line = Math.floor(y * down / panel.lines.length);
    if (Number.isNaN(starts[line])) starts[line] = panel.lines[y]!;
    for (let x = 0; x < panel.width; x++) {
      const value = panel.values[y * panel.width + x]!;
      const at = line * across + Math.floor(x * across / panel.width);
      if (!(Math.abs(value) <= Math.abs(values[at]!)) && value === value) values[at] = value;
    }
  }
  return { ...panel, width: across, lines: starts, values };
}
