/**
 * What a plot shows, apart from how it is drawn: panels of points or of a picture, and what their axes measure. The parts
 * that read tables make figures; those that draw, as SVG or in a terminal, know nothing but these.
 */
import type { CloudMarks } from "./cloud.ts";

/** What an axis, or a colour, measures. */
export interface Quantity {
  /** `TIME`, `amplitude`. */
  readonly name: string;
  /** As the column's keywords have it; "" where there is none. */
  readonly unit: string;
  /** The clock of times in seconds since MJD 0, such as `UTC`; null for what is no time. */
  readonly clock: string | null;
  /** Whole numbers only, such as rows and channels. */
  readonly whole?: boolean;
  /** Where the axis ends whatever the values are: phases. */
  readonly range?: readonly [low: number, high: number];
  /** The distance between ticks where it is not free: 90° for phases. */
  readonly step?: number;
}

/** Points that belong together. */
export interface Series {
  readonly name: string;
  readonly marks: CloudMarks;
}

/** Points against two axes. */
export interface ScatterPanel {
  readonly kind: "scatter";
  readonly title: string;
  readonly x: Quantity;
  readonly y: Quantity;
  readonly series: readonly Series[];
  /** Both axes have the same scale. */
  readonly square: boolean;
}

/** A picture: a value for each place of a grid, the first line on top. */
export interface ImagePanel {
  readonly kind: "image";
  readonly title: string;
  /** Along a line. */
  readonly x: Quantity;
  /** What the lines are of. */
  readonly y: Quantity;
  /** The values that the line's first and last place stand for. */
  readonly xEnds: readonly [first: number, last: number];
  /** What each line stands for, in order. */
  readonly lines: Float64Array;
  /** Places of a line. */
  readonly width: number;
  /** Line by line; NaN where there is nothing. */
  readonly values: Float32Array;
  readonly value: Quantity;
  /** True for angles: both ends of their range are the same. */
  readonly cyclic: boolean;
}

/** A panel of a figure. */
export type Panel = ScatterPanel | ImagePanel;

/** How much a figure was made of. */
export interface FigureCounts {
  /** Rows that were looked at. */
  readonly rows: number;
  /** Numbers that are shown. */
  readonly points: number;
  /** Numbers left out because they are flagged. */
  readonly flagged: number;
  /** Numbers left out because they, or what they stand against, are NaN or infinite. */
  readonly invalid: number;
}

/** A whole plot. */
export interface Figure {
  readonly kind: "scatter" | "uv" | "waterfall";
  readonly title: string;
  readonly counts: FigureCounts;
  /** What a reader should know, such as what was left out. */
  readonly notes: readonly string[];
  readonly panels: readonly Panel[];
}
