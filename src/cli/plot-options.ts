/**
 * What `table plot` is told, and how its texts become values.
 */
import { InvalidArgumentError } from "commander";
import type { ComplexPart } from "../query/mod.ts";
import type { AxisRange } from "../plot/blocks.ts";
import type { Condition } from "../query/where.ts";
import { parseNames, type ReadingOptions, type RowRange } from "./options.ts";

/** Options of `table plot`. */
export interface PlotOptions extends ReadingOptions {
  readonly svg?: string;
  readonly overwrite?: true;
  readonly uv?: true;
  readonly waterfall?: true;
  readonly baseline?: readonly [string, string];
  readonly x?: string;
  readonly axis?: number | "none";
  readonly correlation?: readonly AxisRange[];
  readonly channel?: readonly AxisRange[];
  readonly parts?: readonly ComplexPart[];
  readonly rows?: RowRange;
  readonly where?: Condition;
  readonly flagged?: true;
  readonly width?: number;
  readonly height?: number;
  readonly json?: true;
}

/** Parses places along an axis: `3`, `0,3`, `8:16`, `0:64:4`, or several of them. @throws InvalidArgumentError */
export function parsePlaces(text: string): AxisRange[] {
  const ranges = text.split(",").map((part): AxisRange => {
    const match = /^(?:(\d+)|(\d*):(\d*)(?::(\d+))?)$/.exec(part.trim());
    const [single, start, end, step] = (match?.slice(1) ?? []).map((digits) =>
      digits ? Number(digits) : undefined
    );
    const range = single === undefined
      ? [start ?? 0, end ?? Number.MAX_SAFE_INTEGER, step ?? 1] as const
      : [single, single + 1, 1] as const;
    if (match === null || !range.every(Number.isSafeInteger) || range[2] < 1 || range[1] <= range[0]) {
      throw new InvalidArgumentError(
        "Expected places from 0 or ranges start:end:step of them, e.g. 0,3 or 8:16.",
      );
    }
    return range;
  });
  const [first, second] = ranges;
  // Two places are one range with a step: they are read at once.
  const pair = ranges.length === 2 && ranges.every(([start, end]) => end === start + 1) &&
    second![0] > first![0];
  return pair ? [[first![0], second![0] + 1, second![0] - first![0]]] : ranges;
}

/** All places of ranges, up to a bound that no axis that can be shown has. @throws InvalidArgumentError */
export function placesOf(ranges: readonly AxisRange[], length: number): number[] {
  const places = new Set<number>();
  for (const [start, end, step] of ranges) {
    for (let at = start; at < Math.min(end, length); at += step) places.add(at);
  }
  return [...places].sort((a, b) => a - b);
}

/** Parses two antennas, by number or name. @throws InvalidArgumentError */
export function parseBaseline(text: string): readonly [string, string] {
  const names = text.split(/[,&]/).map((name) => name.trim());
  if (names.length !== 2 || names.includes("")) {
    throw new InvalidArgumentError("Expected two antennas, by number or name, e.g. 0,3 or ea01,ea04.");
  }
  return names as [string, string];
}

/** Names of axes in the visibility columns of a MeasurementSet, as `table stat` has them. */
const AXIS_NAMES: Readonly<Record<string, number>> = { correlation: 0, corr: 0, channel: 1, chan: 1 };

/** Parses the axis whose places are series. @throws InvalidArgumentError */
export function parseAxis(text: string): number | "none" {
  if (text === "none") return text;
  const axis = AXIS_NAMES[text] ?? (/^\d{1,3}$/.test(text) ? Number(text) : undefined);
  if (axis === undefined) {
    throw new InvalidArgumentError("Expected a number from 0, correlation, channel or none.");
  }
  return axis;
}

const PARTS: readonly string[] = ["amplitude", "phase", "real", "imag"];

/** Parses parts of complex numbers. @throws InvalidArgumentError */
export function parseParts(text: string): ComplexPart[] {
  const parts = parseNames(text);
  if (!parts.every((part) => PARTS.includes(part))) {
    throw new InvalidArgumentError(`Expected some of ${PARTS.join(", ")}.`);
  }
  return parts as ComplexPart[];
}

/** Parses a width or height. @throws InvalidArgumentError */
export function parseSize(text: string): number {
  const size = Number(text);
  if (/^\d+$/.test(text) && size >= 10 && size <= 10_000) return size;
  throw new InvalidArgumentError("Expected a whole number from 10 to 10000.");
}
