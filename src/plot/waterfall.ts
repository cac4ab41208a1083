/**
 * A waterfall: a line of channels for each time, of one baseline, the first time on top. Where there are more lines or channels
 * than places, those that share a place give the largest magnitude, or the direction of the sum of their phases.
 */
import { TableError } from "../error.ts";
import { type ComplexPart, PART_OF, REAL } from "../query/complex-parts.ts";
import type { Table } from "../table/table.ts";
import {
  type AxisRange,
  type BlockOptions,
  checkNumbers,
  chosenRows,
  type RowChoice,
  scalars,
  valueBlocks,
} from "./blocks.ts";
import type { Figure, ImagePanel } from "./figure.ts";
import { CHANNEL, measured, measuredPart, ROW } from "./quantities.ts";
import { channelAxis } from "./scatter.ts";

/** What is plotted. */
export interface WaterfallOptions extends BlockOptions {
  /** Two antennas; left out: the first two different ones that there are. Null: rows of any, as where there are none. */
  readonly baseline?: readonly [number, number] | undefined;
  /** The place along the other axis of a cell of two. */
  readonly correlations: readonly number[];
  readonly correlationName: (correlation: number) => string;
  readonly antennaName: (antenna: number) => string;
  /** What the rows of a DATA_DESC_ID have in common. */
  readonly windowName: (dataDescription: number) => string;
  readonly parts: readonly ComplexPart[];
  /** The most places of a line, and lines. */
  readonly places: readonly [width: number, lines: number];
}

/** Pictures for so many spectral windows; others have to be chosen. */
const MOST_WINDOWS = 4;

/** Whose rows go into which picture. */
interface Window {
  readonly id: number;
  rows: number;
  channels: number;
}

/** Rows of the baseline with their DATA_DESC_ID and time, a window of rows at a time. */
function* baselineRows(
  table: Table,
  choice: RowChoice,
  has: (name: string) => boolean,
  isBaseline: (first: number, second: number) => boolean,
): Generator<{ rows: number[]; ids: Float64Array; times: Float64Array }> {
  const antennas = has("ANTENNA1") && has("ANTENNA2");
  for (const { rows: some } of chosenRows(table, choice)) {
    const first = antennas ? scalars(table, "ANTENNA1", some) : null;
    const second = antennas ? scalars(table, "ANTENNA2", some) : null;
    const rows = Array.from(some).filter((_, i) =>
      first === null || second === null || isBaseline(first[i]!, second[i]!)
    );
    const none = new Float64Array(rows.length);
    yield {
      rows,
      ids: has("DATA_DESC_ID") ? scalars(table, "DATA_DESC_ID", rows) : none,
      times: has("TIME") ? scalars(table, "TIME", rows) : Float64Array.from(rows),
    };
  }
}

/** The two antennas of the first row that has two different ones. */
function firstBaseline(table: Table, choice: RowChoice): [number, number] | null {
  let own: [number, number] | null = null;
  for (const { rows } of chosenRows(table, choice)) {
    const first = scalars(table, "ANTENNA1", rows), second = scalars(table, "ANTENNA2", rows);
    for (let i = 0; i < rows.length; i++) {
      if (first[i] !== second[i]) return [first[i]!, second[i]!];
      own ??= [first[i]!, second[i]!];
    }
  }
  return own;
}

/** The channels from the first that is asked for to the last; all of them where nothing that is there was asked for. */
function extent(ranges: readonly AxisRange[] | undefined, channels: number): [from: number, to: number] {
  const there = (ranges ?? []).filter(([start]) => start < channels);
  if (there.length === 0) return [0, channels];
  return [
    Math.min(...there.map(([start]) => start)),
    Math.max(...there.map(([, end]) => Math.min(end, channels))),
  ];
}

/** A picture being made. */
class Picture {
  readonly width: number;
  readonly height: number;
  readonly lines: Float64Array;
  readonly sums: Float32Array;
  /** Second sums, of sines, where phases are added up. */
  readonly sines: Float32Array;
  readonly seen: Uint8Array;
  constructor(readonly rows: number, readonly channels: number, [width, lines]: readonly [number, number]) {
    this.width = Math.min(width, channels);
    this.height = Math.min(lines, rows);
    this.lines = new Float64Array(this.height).fill(NaN);
    const places = this.width * this.height;
    this.sums = new Float32Array(places);
    this.sines = new Float32Array(places);
    this.seen = new Uint8Array(places);
  }

  line(index: number): number {
    return Math.min(this.height - 1, Math.floor(index * this.height / this.rows));
  }

  add(line: number, channel: number, value: number, cyclic: boolean): void {
    const column = Math.min(this.width - 1, Math.floor(channel * this.width / this.channels));
    const at = line * this.width + column;
    if (cyclic) {
      this.sums[at]! += Math.cos(value);
      this.sines[at]! += Math.sin(value);
    } else if (this.seen[at] === 0 || Math.abs(value) > Math.abs(this.sums[at]!)) this.sums[at] = value;
    this.seen[at] = 1;
  }

  values(cyclic: boolean, factor: number): Float32Array {
    return this.sums.map((sum, at) =>
      this.seen[at] === 0 ? NaN : factor * (cyclic ? Math.atan2(this.sines[at]!, sum) : sum)
    );
  }
}

/**
 * Pictures of one baseline: for each spectral window (DATA_DESC_ID), correlation and part one.
 *
 * @throws TableError NO_SUCH_COLUMN, TYPE_MISMATCH, NOT_FOUND for a baseline without rows, OUT_OF_RANGE, UNSUPPORTED, CORRUPT, IO
 */
export function waterfallFigure(table: Table, name: string, options: WaterfallOptions): Figure {
  checkNumbers(table, name, "array");
  const { dtype } = table.column(name);
  const has = (column: string) => table.columnNames.includes(column);
  const withAntennas = has("ANTENNA1") && has("ANTENNA2");
  if (options.baseline !== undefined && !withAntennas) {
    throw new TableError("NO_SUCH_COLUMN", "there are no columns ANTENNA1 and ANTENNA2: no baselines", {
      file: table.path,
    });
  }
  const asked = options.baseline ?? (withAntennas ? firstBaseline(table, options) : null);
  const isBaseline = (first: number, second: number) =>
    asked === null || (first === asked[0] && second === asked[1]) ||
    (first === asked[1] && second === asked[0]);
  // First how many lines there are, and how long, so that what is kept has the size of what is drawn.
  const windows = new Map<number, Window>();
  for (const { rows, ids } of baselineRows(table, options, has, isBaseline)) {
    for (let i = 0; i < rows.length; i++) {
      let window = windows.get(ids[i]!);
      if (window === undefined) windows.set(ids[i]!, window = { id: ids[i]!, rows: 0, channels: 0 });
      window.rows++;
      if (window.channels > 0) continue;
      const shape = table.column(name).cellShape(rows[i]!);
      if (shape !== null) window.channels = shape[channelAxis(shape.length)] ?? 0;
    }
  }
  const shown = [...windows.values()].filter(({ channels }) => channels > 0).sort((a, b) => a.id - b.id);
  const baselineName = asked === null ? "" : asked.map(options.antennaName).join("–");
  if (shown.length === 0) {
    throw new TableError("NOT_FOUND", `no rows${asked === null ? "" : ` of baseline ${baselineName}`}`, {
      file: table.path,
    });
  }
  const used = shown.slice(0, MOST_WINDOWS);
  const parts = dtype.startsWith("complex") ? options.parts : [null];
  const panels: ImagePanel[] = [];
  const counts = { rows: 0, points: 0, flagged: 0, invalid: 0 };
  const time = has("TIME") ? measured(table, "TIME") : { quantity: ROW, factor: 1 };
  for (const { id, rows, channels } of used) {
    counts.rows += rows;
    const twoAxes = table.column(name).ndim !== 1;
    const [from, to] = extent(options.boxes?.get(twoAxes ? 1 : 0), channels);
    for (const correlation of twoAxes ? options.correlations : [0]) {
      const pictures = parts.map(() => new Picture(rows, to - from, options.places));
      draw(id, correlation, twoAxes, from, pictures);
      pictures.forEach((picture, p) => {
        const part = parts[p]!, cyclic = part === "phase";
        const value = part === null ? measured(table, name) : measuredPart(table, name, part);
        panels.push({
          kind: "image",
          title: [
            options.windowName(id),
            ...(twoAxes ? [options.correlationName(correlation)] : []),
            value.quantity.name,
          ].filter((text) => text !== "").join(", "),
          x: CHANNEL,
          y: time.quantity,
          xEnds: [from, to - 1],
          lines: picture.lines.map((at) => at * time.factor),
          width: picture.width,
          values: picture.values(cyclic, cyclic ? value.factor : 1),
          value: value.quantity,
          cyclic,
        });
      });
    }
  }
  const more = shown.length - used.length;
  return {
    kind: "waterfall",
    title: `${name}${baselineName === "" ? "" : `, baseline ${baselineName}`}`,
    counts,
    notes: more === 0
      ? []
      : [`${more} more DATA_DESC_ID not shown; --where "DATA_DESC_ID = ${shown[MOST_WINDOWS]!.id}"`],
    panels,
  };

  /** Second pass: one picture for each part, of a DATA_DESC_ID and a correlation. */
  function draw(
    id: number,
    correlation: number,
    twoAxes: boolean,
    from: number,
    pictures: readonly Picture[],
  ): void {
    let index = 0;
    const lineOf = new Map<number, number>();
    const mine = (start: number, end: number): number[] => {
      const found: number[] = [];
      const choice = {
        rows: { start, end },
        ...(options.choose === undefined ? {} : { choose: options.choose }),
      };
      lineOf.clear();
      for (const { rows, ids, times } of baselineRows(table, choice, has, isBaseline)) {
        rows.forEach((row, i) => {
          if (ids[i] !== id) return;
          const line = pictures[0]!.line(index++);
          for (const { lines } of pictures) if (Number.isNaN(lines[line])) lines[line] = times[i]!;
          lineOf.set(row, line);
          found.push(row);
        });
      }
      return found;
    };
    const boxes = new Map<number, readonly AxisRange[]>(options.boxes);
    if (twoAxes) boxes.set(0, [[correlation, correlation + 1, 1]]);
    const axis = twoAxes ? 1 : 0;
    let values = new Float64Array(0);
    for (const block of valueBlocks(table, name, { ...options, choose: mine, boxes })) {
      const [start, , step] = block.box[axis]!;
      if (block.each > values.length) values = new Float64Array(block.each);
      pictures.forEach((picture, p) => {
        const part = parts[p]!, of = part === null ? REAL : PART_OF[part];
        for (let r = 0; r < block.rows.length; r++) {
          const line = lineOf.get(block.rows[r]!)!;
          of(block.data, r * block.each, block.each, values);
          for (let i = 0; i < block.each; i++) {
            const channel = start + i * step - from, value = values[i]!;
            if (block.flagged !== null && block.flagged[r * block.each + i] !== 0) {
              if (p === 0) counts.flagged++;
            } else if (value - value !== 0) {
              if (p === 0) counts.invalid++;
            } else if (channel < picture.channels) {
              picture.add(line, channel, value, part === "phase");
              if (p === 0) counts.points++;
            }
          }
        }
      });
    }
  }
}
