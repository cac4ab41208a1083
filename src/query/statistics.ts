/**
 * Statistics of a column of numbers: of all elements of all cells, or of those at each place along some axes of the cells,
 * in bounded memory. What is flagged, undefined, NaN or infinite is counted, and left out of everything else.
 */
import { type DType, isNumeric } from "../array/dtype.ts";
import { elementsOf } from "../array/rows.ts";
import { TableError } from "../error.ts";
import type { Table } from "../table/table.ts";
import {
  type BlockData,
  type BlockPlan,
  BlockReader,
  checkedSpan,
  equalShapes,
  jointStretches,
  planBlocks,
  type RowSpan,
  shapeStretches,
  windows,
} from "./cell-blocks.ts";
import { type ComplexPart, PART_OF, type PartOf, REAL } from "./complex-parts.ts";
import { Moments } from "./moments.ts";
import { EXACT_VALUES, Quantiles } from "./quantiles.ts";

/** Options of {@linkcode columnStatistics}. */
export interface StatisticsOptions {
  /** Rows to look at; all of them unless told otherwise. */
  readonly rows?: Partial<RowSpan>;
  /** Axes of the cells, 0 being the fastest: statistics for each place along them. None unless told otherwise. */
  readonly axes?: readonly number[];
  /** Parts of complex numbers, amplitude and phase unless told otherwise. */
  readonly parts?: readonly ComplexPart[];
  /** Bool columns: a true leaves an element out, or a row where the column is a scalar. */
  readonly flags?: readonly string[];
  /** Fractions from 0 to 1 at which quantiles are taken: quartiles unless told otherwise. */
  readonly quantiles?: readonly number[];
  /** Told how far it got, in rows. */
  readonly onProgress?: (rows: number, of: number) => void;
}

/** Statistics of one group of numbers. NaN where there are none. */
export interface GroupStatistics {
  /** Place along each of the axes asked for. */
  readonly place: readonly number[];
  /** Part of complex numbers, null for real ones. */
  readonly part: ComplexPart | null;
  /** Numbers that everything below is of. */
  readonly count: number;
  /** Elements left out because they are flagged. */
  readonly flagged: number;
  /** Elements left out because they are NaN. */
  readonly nan: number;
  /** Elements left out because they are infinite. */
  readonly infinite: number;
  /** Smallest number. */
  readonly min: number;
  /** Largest number. */
  readonly max: number;
  /** Mean of the numbers. */
  readonly mean: number;
  /** Standard deviation of these numbers: divided by their count. */
  readonly std: number;
  /** At the fractions asked for, between neighbours interpolated linearly. */
  readonly quantiles: readonly number[];
  /** The most that a quantile's rank is off, as a fraction of `count`: 0 up to 65,536 numbers, or fewer with many groups. */
  readonly quantileError: number;
}

/** Statistics of a column. */
export interface ColumnStatistics {
  /** The column. */
  readonly name: string;
  /** Its data type. */
  readonly dtype: DType;
  /** Rows that were looked at. */
  readonly rows: number;
  /** Rows whose cell has no value. */
  readonly undefined: number;
  /** The axes asked for. */
  readonly axes: readonly number[];
  /** The fractions of the groups' quantiles. */
  readonly quantiles: readonly number[];
  /** In order of their places, the first axis asked for changing slowest; the parts of each. */
  readonly groups: readonly GroupStatistics[];
}

const QUARTILES = [0.25, 0.5, 0.75];
const PARTS: readonly ComplexPart[] = ["amplitude", "phase"];
/** Numbers that are kept of all groups together, for a level of their quantiles. */
const KEPT_VALUES = 2 ** 22;
/** The fewest that are kept of one group. */
const LEAST_KEPT = 256;
/** Numbers gathered before a group takes them in, of all groups and of one. */
const GATHERED_VALUES = 2 ** 20, MOST_GATHERED = 4096, LEAST_GATHERED = 16;
/** More groups than that are refused. */
const MOST_GROUPS = 2 ** 17;

/** What is gathered of one part of the numbers at one place. */
class Group {
  readonly moments = new Moments();
  readonly quantiles: Quantiles;
  nan = 0;
  infinite = 0;
  readonly #buffer: Float64Array;
  #used = 0;

  constructor(groups: number) {
    this.quantiles = new Quantiles(
      Math.max(LEAST_KEPT, Math.min(EXACT_VALUES, Math.floor(KEPT_VALUES / groups))),
    );
    const room = Math.floor(GATHERED_VALUES / groups);
    this.#buffer = new Float64Array(Math.max(LEAST_GATHERED, Math.min(MOST_GATHERED, room)));
  }

  /** Takes numbers in. */
  addAll(values: Float64Array): void {
    let finite = 0;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value - value === 0) values[finite++] = value;
      else if (value !== value) this.nan++;
      else this.infinite++;
    }
    this.moments.add(values.subarray(0, finite));
    this.quantiles.add(values.subarray(0, finite));
  }

  /** Takes a number in. */
  add(value: number): void {
    if (value - value !== 0) {
      if (value !== value) this.nan++;
      else this.infinite++;
      return;
    }
    this.#buffer[this.#used++] = value;
    if (this.#used === this.#buffer.length) this.flush();
  }

  flush(): void {
    const values = this.#buffer.subarray(0, this.#used);
    this.moments.add(values);
    this.quantiles.add(values);
    this.#used = 0;
  }
}

/** The groups at one place: one for each part. */
interface Place {
  readonly place: readonly number[];
  readonly groups: readonly Group[];
  flagged: number;
}

/** Groups by place. */
class Places {
  readonly #axes: readonly number[];
  readonly #parts: number;
  readonly #places = new Map<string, Place>();
  readonly #file: string;
  #ofShape: { key: string; places: Place[] } = { key: "", places: [] };

  constructor(axes: readonly number[], parts: number, file: string) {
    this.#axes = axes;
    this.#parts = parts;
    this.#file = file;
  }

  /** The places of elements `from` to `from + count` of a cell. */
  of(shape: readonly number[], from: number, count: number): Place[] {
    const key = `${shape.join()}:${from}:${count}`;
    if (this.#ofShape.key === key) return this.#ofShape.places;
    const lengths = this.#axes.map((axis) => shape[axis]!);
    const groups = elementsOf(lengths) * this.#parts;
    if (groups > MOST_GROUPS) {
      throw new TableError(
        "LIMIT",
        `statistics of ${groups} groups asked for, at most ${MOST_GROUPS} can be`,
        {
          file: this.#file,
        },
      );
    }
    const index = this.#start(shape, from);
    const places: Place[] = new Array(count);
    for (let i = 0; i < count; i++) {
      places[i] = this.#place(index, groups);
      for (let axis = 0; axis < shape.length && ++index[axis]! === shape[axis]!; axis++) index[axis] = 0;
    }
    this.#ofShape = { key, places };
    return places;
  }

  #start(shape: readonly number[], from: number): number[] {
    let rest = from;
    return shape.map((length) => {
      const at = rest % length;
      rest = Math.floor(rest / length);
      return at;
    });
  }

  #place(index: readonly number[], groups: number): Place {
    const place = this.#axes.map((axis) => index[axis]!);
    const key = place.join();
    let found = this.#places.get(key);
    if (found === undefined) {
      const made = Array.from({ length: this.#parts }, () => new Group(groups));
      this.#places.set(key, found = { place, groups: made, flagged: 0 });
    }
    return found;
  }

  /** All places in order; one without anything where nothing was asked by place. */
  all(): Place[] {
    if (this.#axes.length === 0 && this.#places.size === 0) this.#place([], this.#parts);
    return [...this.#places.values()].sort((a, b) => {
      const axis = a.place.findIndex((at, i) => at !== b.place[i]);
      return axis < 0 ? 0 : a.place[axis]! - b.place[axis]!;
    });
  }
}

/** One column of flags, read along with the values. */
class Flags {
  readonly #table: Table;
  readonly #name: string;
  readonly scalar: boolean;
  readonly #reader: BlockReader;

  constructor(table: Table, name: string) {
    const { dtype, kind } = table.column(name);
    if (dtype !== "bool") {
      throw new TableError("TYPE_MISMATCH", `column ${name} is ${dtype}; flags are bool`, {
        file: table.path,
      });
    }
    this.#table = table;
    this.#name = name;
    this.scalar = kind === "scalar";
    this.#reader = new BlockReader(table, name);
  }

  /** Shapes of the cells, of a window. */
  stretches(window: RowSpan) {
    return shapeStretches(this.#table, this.#name, window);
  }

  /** @throws TableError SHAPE_MISMATCH */
  check(row: number, shape: readonly number[] | null, flags: readonly number[] | null): void {
    if (this.scalar || shape === null || flags === null || equalShapes(shape, flags)) return;
    throw new TableError(
      "SHAPE_MISMATCH",
      `row ${row}: the values have shape [${shape.join(", ")}], their flags in ${this.#name} [${
        flags.join(", ")
      }]`,
      { file: this.#table.path },
    );
  }

  /** Sets in `flagged` what is flagged of a block of `each` elements a row. */
  read(plan: BlockPlan, defined: boolean, each: number, flagged: Uint8Array): void {
    if (this.scalar) {
      const { row, count } = plan;
      const { data } = this.#table.getColumn(this.#name, {
        rows: { start: row, end: row + count },
        dtype: "bool",
      });
      for (let i = 0; i < count; i++) if (data[i] !== 0) flagged.fill(1, i * each, (i + 1) * each);
    } else if (defined) {
      const data = this.#reader.read(plan) as Uint8Array;
      for (let i = 0; i < data.length; i++) if (data[i] !== 0) flagged[i] = 1;
    }
  }
}

/** A block of rows, and which columns of flags have flags for it. */
interface FlaggedPlan {
  readonly plan: BlockPlan;
  readonly defined: readonly boolean[];
}

/** The blocks of a window: where flags have other stretches than the values, they are cut there. */
function* flaggedPlans(
  table: Table,
  name: string,
  flags: readonly Flags[],
  window: RowSpan,
): Generator<FlaggedPlan> {
  const { dtype } = table.column(name);
  let stretches = shapeStretches(table, name, window).map((stretch) => ({
    ...stretch,
    defined: [] as boolean[],
  }));
  for (const one of flags) {
    const joint = [...jointStretches(stretches, one.stretches(window))];
    let at = 0;
    stretches = joint.map(({ row, count, shape, other }) => {
      one.check(row, shape, other);
      while (row >= stretches[at]!.row + stretches[at]!.count) at++;
      return { row, count, shape, defined: [...stretches[at]!.defined, other !== null] };
    });
  }
  let at = 0;
  for (const plan of planBlocks(stretches, dtype)) {
    while (plan.row >= stretches[at]!.row + stretches[at]!.count) at++;
    yield { plan, defined: stretches[at]!.defined };
  }
}

/** Elements that are looked at at a time. */
const PIECE = 8192;

/** Adds what isn't flagged of a block to its groups. */
function gather(
  data: BlockData,
  elements: number,
  flagged: Uint8Array | null,
  places: readonly Place[],
  parts: readonly PartOf[],
): void {
  const each = places.length, values = new Float64Array(PIECE);
  for (let from = 0; from < elements; from += PIECE) {
    const count = Math.min(PIECE, elements - from);
    parts.forEach((part, p) => {
      part(data as ArrayLike<number>, from, count, values);
      if (each === 1) {
        // All of one place, as without axes: those that are left are taken in at once.
        let left = 0;
        for (let i = 0; i < count; i++) {
          if (flagged === null || flagged[from + i] === 0) values[left++] = values[i]!;
        }
        if (p === 0) places[0]!.flagged += count - left;
        return places[0]!.groups[p]!.addAll(values.subarray(0, left));
      }
      for (let i = 0, at = from % each; i < count; i++) {
        const place = places[at]!;
        if (++at === each) at = 0;
        if (flagged === null || flagged[from + i] === 0) place.groups[p]!.add(values[i]!);
        else if (p === 0) place.flagged++;
      }
    });
  }
}

function checkAxes(table: Table, name: string, axes: readonly number[]): void {
  const { kind, ndim } = table.column(name);
  for (const axis of axes) {
    if (Number.isInteger(axis) && axis >= 0 && (ndim < 0 || axis < ndim) && kind === "array") continue;
    const has = kind === "array" ? `cells of ${ndim < 0 ? "any number of" : ndim} axes` : "scalars";
    throw new TableError("OUT_OF_RANGE", `axis ${axis} asked, column ${name} has ${has}`, {
      file: table.path,
    });
  }
}

function groupStatistics(
  { place, groups, flagged }: Place,
  parts: readonly (ComplexPart | null)[],
  quantiles: readonly number[],
): GroupStatistics[] {
  return groups.map((group, p) => {
    group.flush();
    const { moments: { count, min, max, mean, std }, nan, infinite } = group;
    const none = count === 0;
    return {
      place,
      part: parts[p]!,
      count,
      flagged,
      nan,
      infinite,
      min: none ? NaN : min,
      max: none ? NaN : max,
      mean: none ? NaN : mean,
      std,
      quantiles: group.quantiles.at(quantiles),
      quantileError: group.quantiles.error,
    };
  });
}

/**
 * Statistics of a column of numbers; a bool counts as 0 or 1, an int64 as the nearest double. Quantiles are exact up to
 * 65,536 numbers a group (fewer with more than 64 groups), and beyond within `quantileError`.
 *
 * @throws TableError NO_SUCH_COLUMN; TYPE_MISMATCH for a column of strings or records, or flags that aren't bool; OUT_OF_RANGE
 * for rows or axes that aren't there; SHAPE_MISMATCH for flags of another shape than the values; LIMIT for more than 131,072
 * groups; INVALID_ARGUMENT; UNSUPPORTED, CORRUPT, IO
 * @example
 * ```ts
 * import { array, Table } from "@tessera/tables";
 * import { columnStatistics } from "@tessera/tables/query";
 * using table = Table.create("s.tab", { columns: [array("DATA", "float32", { shape: [2, 3] })], rows: 5 });
 * const { groups } = columnStatistics(table, "DATA", { axes: [0] });
 * console.log(groups.map(({ place, count, mean }) => [place, count, mean])); // [[[0], 15, 0], [[1], 15, 0]]
 * ```
 */
export function columnStatistics(
  table: Table,
  name: string,
  options: StatisticsOptions = {},
): ColumnStatistics {
  const { axes = [], quantiles = QUARTILES, flags = [] } = options;
  const { dtype } = table.column(name);
  if (!isNumeric(dtype)) {
    throw new TableError("TYPE_MISMATCH", `column ${name} is ${dtype}: there are no statistics of that`, {
      file: table.path,
    });
  }
  checkAxes(table, name, axes);
  if (quantiles.some((fraction) => !(fraction >= 0 && fraction <= 1))) {
    throw new TableError(
      "INVALID_ARGUMENT",
      `quantiles are asked for by fractions from 0 to 1, found ${quantiles}`,
    );
  }
  const parts = dtype.startsWith("complex") ? options.parts ?? PARTS : [null];
  const partsOf = parts.map((part) => part === null ? REAL : PART_OF[part]);
  const span = checkedSpan(table, options.rows);
  const places = new Places(axes, parts.length, table.path);
  const reader = new BlockReader(table, name);
  const flagColumns = flags.map((flag) => new Flags(table, flag));
  let without = 0;
  for (const window of windows(span)) {
    for (const { plan, defined } of flaggedPlans(table, name, flagColumns, window)) {
      if (plan.shape === null) without += plan.count;
      else addBlock(plan, defined);
      options.onProgress?.(plan.row + plan.count - span.start, span.end - span.start);
    }
  }

  function addBlock(plan: BlockPlan, defined: readonly boolean[]): void {
    const shape = plan.shape!, data = reader.read(plan);
    if (shape.length < Math.max(0, ...axes.map((axis) => axis + 1))) {
      throw new TableError(
        "OUT_OF_RANGE",
        `axis ${Math.max(...axes)} asked, row ${plan.row} has shape [${shape}]`,
        {
          file: table.path,
        },
      );
    }
    const elements = data.length / (parts[0] === null ? 1 : 2);
    if (elements === 0) return;
    const each = elements / plan.count;
    const flagged = flagColumns.length === 0 ? null : new Uint8Array(elements);
    flagColumns.forEach((column, i) => column.read(plan, defined[i]!, each, flagged!));
    // Without axes every element is of one place, however large the cell.
    const of = axes.length === 0 ? places.of([], 0, 1) : places.of(shape, plan.from, each);
    gather(data, elements, flagged, of, partsOf);
  }

  return {
    name,
    dtype,
    rows: span.end - span.start,
    undefined: without,
    axes,
    quantiles,
    groups: places.all().flatMap((place) => groupStatistics(place, parts, quantiles)),
  };
}
