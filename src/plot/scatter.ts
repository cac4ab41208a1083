/**
 * A column of numbers against time, rows, channels or another column: a panel for each part of complex numbers, a series for
 * each place along an axis of the cells.
 */
import { elementsOf } from "../array/rows.ts";
import { TableError } from "../error.ts";
import { type ComplexPart, PART_OF, REAL } from "../query/complex-parts.ts";
import { checkedSpan, windows } from "../query/cell-blocks.ts";
import type { Table } from "../table/table.ts";
import {
  type AxisRange,
  type Block,
  type BlockOptions,
  checkNumbers,
  chosenRows,
  type RowChoice,
  scalars,
  valueBlocks,
} from "./blocks.ts";
import { Cloud } from "./cloud.ts";
import type { Figure, ScatterPanel } from "./figure.ts";
import { CHANNEL, type Measured, measured, measuredPart, ROW } from "./quantities.ts";

/** How finely points are told apart where there are too many to keep. */
export interface Resolution {
  /** Columns of a panel. */
  readonly columns: number;
  /** Rows of a panel. */
  readonly rows: number;
  /** Points of a panel that are kept as they are. */
  readonly points: number;
}

/** What is plotted, and against what. */
export interface ScatterOptions extends BlockOptions {
  /** A scalar column; null for row numbers; "channel" for places along the second axis (the first of cells that have one). */
  readonly x: { readonly column: string } | "row" | "channel";
  /** Axis of the cells: a series for each place along it. */
  readonly axis?: number;
  /** What the places are called. */
  readonly placeName?: (place: number) => string;
  readonly parts: readonly ComplexPart[];
  readonly resolution: Resolution;
}

/** More series than that can't be told apart. */
export const MOST_SERIES = 12;
/** Values taken from a block at a time. */
const PIECE = 8192;

/** The range of a scalar column over the rows chosen; null when there is no finite number. */
function rangeOf(table: Table, name: string, choice: RowChoice): [number, number] | null {
  let low = Infinity, high = -Infinity;
  for (const { rows } of chosenRows(table, choice)) {
    for (const value of scalars(table, name, rows)) {
      if (!Number.isFinite(value)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low > high ? null : [low, high];
}

/** Axis of a cell that channels lie along. */
export function channelAxis(axes: number): number {
  return axes > 1 ? 1 : 0;
}

/** The longest axis of channels in the chosen rows. */
function mostChannels(table: Table, name: string, options: ScatterOptions): number {
  let most = 0;
  const { start, end } = checkedSpan(table, options.rows);
  if (table.column(name).kind !== "array" || start === end) return 0;
  for (const window of windows({ start, end })) {
    for (const { shape } of table.column(name).cellShapes(window)) {
      if (shape !== null && shape.length > 0) most = Math.max(most, shape[channelAxis(shape.length)]!);
    }
  }
  return most;
}

/** Place along `axis` of each element of a box; 0 for all where there is no such axis. */
function placesAlong(box: readonly AxisRange[], axis: number | undefined): Uint32Array<ArrayBuffer> {
  const lengths = box.map(([start, end, step]) => Math.ceil((end - start) / step));
  const found = new Uint32Array(elementsOf(lengths));
  if (axis === undefined || axis >= box.length) return found;
  const inner = elementsOf(lengths.slice(0, axis));
  const [start, , step] = box[axis]!;
  for (let i = 0; i < found.length; i++) {
    found[i] = start + step * (Math.floor(i / inner) % lengths[axis]!);
  }
  return found;
}

function tooMany(table: Table, name: string): TableError {
  return new TableError(
    "LIMIT",
    `column ${name}: more than ${MOST_SERIES} series; choose some places along the axis`,
    { file: table.path },
  );
}

/** The series of a panel, made as places come up. */
class PanelSeries {
  readonly clouds = new Map<number, Cloud>();
  constructor(readonly measured: Measured, readonly make: () => Cloud) {}

  at(place: number): Cloud | null {
    let cloud = this.clouds.get(place);
    if (cloud === undefined) {
      if (this.clouds.size === MOST_SERIES) return null;
      this.clouds.set(place, cloud = this.make());
    }
    return cloud;
  }

  /** The series of each element of a box. @throws what `refuse` makes */
  of(places: Uint32Array, refuse: () => Error): Cloud[] {
    return Array.from(places, (place) => {
      const cloud = this.at(place);
      if (cloud === null) throw refuse();
      return cloud;
    });
  }
}

/**
 * Points of a column against time, rows, channels or another column.
 *
 * @throws TableError NO_SUCH_COLUMN, TYPE_MISMATCH, OUT_OF_RANGE for rows or an axis that isn't there, LIMIT for more than
 * {@linkcode MOST_SERIES} series, UNSUPPORTED, CORRUPT, IO
 */
export function scatterFigure(table: Table, name: string, options: ScatterOptions): Figure {
  checkNumbers(table, name);
  const { x, axis, resolution } = options;
  const { dtype, kind, ndim } = table.column(name);
  if (axis !== undefined && (kind !== "array" || (ndim >= 0 && axis >= ndim))) {
    const has = kind === "array" ? `cells of ${ndim} axes` : "scalars";
    throw new TableError("OUT_OF_RANGE", `axis ${axis} asked, column ${name} has ${has}`, {
      file: table.path,
    });
  }
  const span = checkedSpan(table, options.rows);
  let across: Measured, range: readonly [number, number] | null;
  if (x === "row") [across, range] = [{ quantity: ROW, factor: 1 }, [span.start, span.end - 1]];
  else if (x === "channel") {
    checkNumbers(table, name, "array");
    [across, range] = [{ quantity: CHANNEL, factor: 1 }, [0, mostChannels(table, name, options) - 1]];
  } else {
    checkNumbers(table, x.column, "scalar");
    if (table.column(x.column).dtype.startsWith("complex")) {
      throw new TableError("TYPE_MISMATCH", `column ${x.column} is complex: nothing goes against that`, {
        file: table.path,
      });
    }
    [across, range] = [measured(table, x.column), rangeOf(table, x.column, options)];
  }
  const [from, to] = (range ?? [0, 0]).map((value) => value * across.factor) as [number, number];
  const parts = dtype.startsWith("complex") ? options.parts : [null];
  const partOf = parts.map((part) => part === null ? REAL : PART_OF[part]);
  const pointsEach = Math.max(1024, Math.floor(resolution.points / (axis === undefined ? 1 : 4)));
  const panels = parts.map((part) =>
    new PanelSeries(
      part === null ? measured(table, name) : measuredPart(table, name, part),
      () => new Cloud({ from, to, columns: resolution.columns, rows: resolution.rows, most: pointsEach }),
    )
  );
  let points = 0, flaggedCount = 0, invalid = 0, rows = 0;
  const values = new Float64Array(PIECE);
  let known: { key: string; clouds: Cloud[][]; channels: Uint32Array } | null = null;

  function add({ rows, box, each, data, flagged }: Block): void {
    const key = box.join(";");
    if (known?.key !== key) {
      const places = placesAlong(box, axis);
      const channels = x === "channel" ? placesAlong(box, channelAxis(box.length)) : new Uint32Array(0);
      known = { key, clouds: panels.map((panel) => panel.of(places, () => tooMany(table, name))), channels };
    }
    const { clouds, channels } = known;
    const xs = typeof x === "object" ? scalars(table, x.column, rows) : null;
    const elements = rows.length * each;
    panels.forEach((panel, p) => {
      const { factor } = panel.measured;
      const own = clouds[p]!;
      for (let at = 0; at < elements; at += PIECE) {
        const count = Math.min(PIECE, elements - at);
        partOf[p]!(data, at, count, values);
        let row = Math.floor(at / each), inside = at % each;
        for (let i = 0; i < count; i++) {
          const value = values[i]! * factor;
          const against = xs === null
            ? channels.length > 0 ? channels[inside]! : rows[row]!
            : xs[row]! * across.factor;
          const cloud = own[inside]!;
          if (++inside === each) {
            inside = 0;
            row++;
          }
          if (flagged !== null && flagged[at + i] !== 0) {
            if (p === 0) flaggedCount++;
            continue;
          }
          if (value - value !== 0 || against - against !== 0) {
            if (p === 0) invalid++;
            continue;
          }
          cloud.add(against, value);
          if (p === 0) points++;
        }
      }
    });
  }

  for (const { rows: some } of chosenRows(table, options)) rows += some.length;
  for (const block of valueBlocks(table, name, options)) add(block);
  const title = `${name} against ${across.quantity.name}`;
  return {
    kind: "scatter",
    title,
    counts: { rows, points, flagged: flaggedCount, invalid },
    notes: [],
    panels: panels.map(({ measured: { quantity }, clouds }): ScatterPanel => ({
      kind: "scatter",
      title: "",
      x: across.quantity,
      y: quantity,
      square: false,
      series: [...clouds].filter(([, { count }]) => count > 0).sort(([a], [b]) => a - b).map((
        [place, cloud],
      ) => ({
        name: axis === undefined ? quantity.name : options.placeName?.(place) ?? String(place),
        marks: cloud.marks(),
      })),
    })),
  };
}
