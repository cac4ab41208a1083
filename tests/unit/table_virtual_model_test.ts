/**
 * Random changes to virtual columns against a model that says, value by value, what is stored (format reference part 6):
 * several rows at once, slices, rows that repeat, cells that change their shape, calls that are refused.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  array,
  bitFlags,
  type Cell,
  compressFloat,
  mappedArray,
  memory,
  type NDArray,
  scalar,
  scaledArray,
  standard,
  Table,
  TableError,
  tiledShape,
} from "../../mod.ts";
import { library } from "../../ffi/binding.ts";
import { boxOf } from "../../src/array/rows.ts";
import { temporaryFolder } from "../fixture.ts";
import { positions } from "./storage_virtual_support.ts";

const lock = library() === null ? "none" : "auto";
const f = Math.fround;

/** A cell of the model. */
interface ModelCell {
  readonly shape: readonly number[];
  readonly stored: number[];
}

/** Scale and offset of a row. */
interface Factors {
  scale: number;
  offset: number;
}

/** What is stored of a value and what is read of it. */
interface Kind {
  readonly dtype: "float64" | "float32" | "bool";
  readonly stored: "int32" | "int16" | "uint8";
  /** undefined: refused. */
  encode(value: number, factors: Factors, old: number): number | undefined;
  decode(stored: number, factors: Factors): number;
  /** A value that follows from a number. */
  value(seed: number): number;
}

const MOST = 32767;
const packed = {
  dtype: "float32",
  stored: "int16",
  encode(value: number, { scale, offset }: Factors): number {
    if (!Number.isFinite(value)) return -32768;
    const steps = f(f(value - offset) / scale);
    const nearest = steps < 0 ? Math.ceil(steps - 0.5) : Math.floor(steps + 0.5);
    return Math.min(MOST, Math.max(-MOST, nearest)) || 0;
  },
  decode: (stored: number, { scale, offset }: Factors) =>
    stored === -32768 ? NaN : f(f(stored * scale) + offset),
  value: (seed: number) => seed % 11 === 0 ? NaN : f(((seed * 7919) % 20011 - 10000) / (1 + seed % 9)),
} as const;

const KINDS = {
  scaled: {
    dtype: "float64",
    stored: "int32",
    encode(value, { scale, offset }) {
      const whole = Math.trunc((value - offset) / scale);
      return Math.abs(whole) < 2 ** 31 ? whole : undefined;
    },
    decode: (stored, { scale, offset }) => stored * scale + offset,
    value: (seed) => seed % 60 === 7 ? 1e300 : ((seed * 7919) % 20011 - 10000) / 3,
  },
  fixed: packed,
  auto: packed,
  flags: {
    dtype: "bool",
    stored: "uint8",
    encode: (value, _, old) => value === 0 ? old & ~2 : old | 2,
    decode: (stored) => (stored & 6) === 0 ? 0 : 1,
    value: (seed) => (seed >> 2) & 1,
  },
  cast: {
    dtype: "float32",
    stored: "int16",
    encode: (value) => Math.abs(value) < 32768 ? Math.trunc(value) : undefined,
    decode: (stored) => stored,
    value: (seed) =>
      seed % 50 === 9 ? (seed % 100 === 9 ? NaN : 4e4) : f(((seed * 7919) % 20011 - 10000) / 7),
  },
} as const satisfies Record<string, Kind>;

type Name = keyof typeof KINDS;
const NAMES = Object.keys(KINDS) as Name[];
const SHAPES = [[3, 2], [4, 1], [1, 1], [2, 5]];
const FIXED: Factors = { scale: 0.125, offset: f(-3.3) };
const ONE: Factors = { scale: 1, offset: 0 };

type Manager = "standard" | "tiled" | "memory";

/** A table, and what it should hold. */
class Checked {
  table: Table;
  readonly #path: string;
  readonly #manager: Manager;
  readonly #cells = new Map<Name, (ModelCell | null)[]>(NAMES.map((name) => [name, []]));
  readonly #scaled: Factors[] = [];
  readonly #auto: Factors[] = [];

  constructor(path: string, manager: Manager, rows: number) {
    this.#path = path;
    this.#manager = manager;
    const stored = NAMES.map((name) => `${name}_stored`);
    this.table = Table.create(path, {
      columns: [
        ...NAMES.flatMap((name) => [
          array(name, KINDS[name].dtype),
          array(`${name}_stored`, KINDS[name].stored, { ndim: 2 }),
        ]),
        scalar("scale", "float64"),
        scalar("offset", "float64"),
        scalar("auto_scale", "float32"),
        scalar("auto_offset", "float32"),
      ],
      storage: [
        scaledArray("scaled", { stored: "scaled_stored", scale: "scale", offset: "offset" }),
        compressFloat("fixed", { stored: "fixed_stored", ...FIXED }),
        compressFloat("auto", {
          stored: "auto_stored",
          scale: "auto_scale",
          offset: "auto_offset",
          autoScale: true,
        }),
        bitFlags("flags", { stored: "flags_stored", readMask: 6, writeMask: 2 }),
        mappedArray("cast", { stored: "cast_stored" }),
        ...(manager === "tiled" ? stored.map((name) => tiledShape(name, [name])) : []),
        ...(manager === "memory" ? [memory("Memory", stored)] : []),
        standard(),
      ],
      rows,
      lock,
    });
    this.#added(0, rows);
  }

  get rows(): number {
    return this.#scaled.length;
  }

  add(count: number): void {
    const first = this.rows;
    this.table.addRows(count);
    this.#added(first, count);
  }

  #added(first: number, count: number): void {
    for (let row = first; row < first + count; row++) {
      for (const cells of this.#cells.values()) cells.push(null);
      this.#auto.push({ scale: 0, offset: 0 });
      const factors = { scale: 0.5 + row % 3, offset: row / 4 };
      this.#scaled.push(factors);
      this.table.putCell("scale", row, factors.scale);
      this.table.putCell("offset", row, factors.offset);
    }
  }

  reopen(): void {
    if (this.#manager === "memory") return this.table.flush();
    this.table.close();
    this.table = Table.open(this.#path, { mode: "rw", lock });
  }

  /** Puts whole cells of one shape. */
  put(name: Name, numbers: readonly number[], which: number, seed: number): void {
    const cells = this.#cells.get(name)!;
    let rows = numbers.map((row) => row % this.rows), shape = SHAPES[which % SHAPES.length]!;
    if (this.#manager === "tiled") {
      // Cells of a tiled manager keep their shape.
      const [row] = rows;
      shape = [...cells[row!]?.shape ?? shape];
      rows = rows.filter((row) => cells[row] === null || cells[row]!.shape.join() === shape.join());
    }
    const each = shape.reduce((a, b) => a * b, 1);
    const values = this.#values(name, rows.length * each, seed);
    const next = new Map<number, ModelCell>();
    let refused = false;
    rows.forEach((row, i) => {
      const cell = cells[row]!, old = cell?.shape.join() === shape.join() ? cell.stored : [];
      const part = values.slice(i * each, (i + 1) * each);
      const factors = name === "auto" ? this.#choose(row, part) : this.#factors(name, row);
      const stored = part.map((value, k) => KINDS[name].encode(value, factors, old[k] ?? 0));
      refused ||= stored.includes(undefined);
      next.set(row, { shape, stored: stored as number[] });
    });
    const given = this.#array(name, [...shape, rows.length], values);
    if (this.#refuses(refused, () => this.table.putColumn(name, given, { rows }))) return;
    for (const [row, cell] of next) cells[row] = cell;
  }

  /** Puts a part of each cell. */
  part(name: Name, numbers: readonly number[], which: number, seed: number): void {
    const cells = this.#cells.get(name)!;
    const chosen = numbers.map((row) => row % this.rows).filter((row) => cells[row] !== null);
    const shape = cells[chosen[0] ?? -1]?.shape;
    if (shape === undefined) return;
    const rows = chosen.filter((row) => cells[row]!.shape.join() === shape.join());
    const slice = shape.map((length, axis): [number, number, number] => {
      const start = (which >> axis) % length;
      return [start, length, 1 + ((which >> (axis + 4)) % 2)];
    });
    const box = boxOf(slice, shape), places = positions(shape, box);
    const values = this.#values(name, rows.length * places.length, seed);
    const before = structuredClone([cells, this.#auto] as const);
    let refused = false;
    rows.forEach((row, i) => {
      const part = values.slice(i * places.length, (i + 1) * places.length);
      const { stored } = cells[row]!;
      if (name === "auto") return this.#partOfAuto(row, places, part);
      const put = part.map((value, k) =>
        KINDS[name].encode(value, this.#factors(name, row), stored[places[k]!]!)
      );
      refused ||= put.includes(undefined);
      places.forEach((place, k) => stored[place] = put[k]!);
    });
    const given = this.#array(name, [...box?.shape ?? shape, rows.length], values);
    if (this.#refuses(refused, () => this.table.putColumn(name, given, { rows, slice }))) {
      cells.splice(0, cells.length, ...before[0]);
      this.#auto.splice(0, this.#auto.length, ...before[1]);
    }
  }

  /** Puts what is stored itself, past the virtual column. */
  putStored(name: "flags" | "auto", numbers: readonly number[], seed: number): void {
    for (const number of numbers) {
      const row = number % this.rows, cell = this.#cells.get(name)![row];
      if (cell === null || cell === undefined) continue;
      cell.stored.forEach((_, i) => cell.stored[i] = (seed * 31 + i * 17) & 0xff);
      const { shape, stored } = cell, dtype = KINDS[name].stored;
      const data = (dtype === "uint8" ? Uint8Array : Int16Array).from(stored);
      this.table.putCell(`${name}_stored`, row, { dtype, shape: [...shape], data } as NDArray);
    }
  }

  clear(name: Name, numbers: readonly number[]): void {
    if (this.#manager === "tiled") return;
    for (const number of numbers) {
      this.table.putCell(name, number % this.rows, null);
      this.#cells.get(name)![number % this.rows] = null;
    }
  }

  check(): void {
    const { table } = this;
    for (const [name, cells] of this.#cells) {
      const wanted = cells.map((cell) =>
        cell && { shape: cell.shape, values: cell.stored.map((one) => one + 0) }
      );
      assert.deepEqual(table.getCells(`${name}_stored`).map(plain), wanted, `${name}, stored`);
      const read = cells.map((cell, row) =>
        cell && {
          shape: cell.shape,
          values: cell.stored.map((one) => KINDS[name].decode(one, this.#factors(name, row)) + 0),
        }
      );
      assert.deepEqual(table.getCells(name).map(plain), read, name);
    }
    assert.deepEqual(
      [...table.getColumn("auto_scale").data as Float32Array],
      this.#auto.map(({ scale }) => scale),
    );
    assert.deepEqual(
      [...table.getColumn("auto_offset").data as Float32Array],
      this.#auto.map(({ offset }) => offset),
    );
  }

  #factors(name: Name, row: number): Factors {
    return name === "scaled"
      ? this.#scaled[row]!
      : name === "auto"
      ? this.#auto[row]!
      : name === "fixed"
      ? FIXED
      : ONE;
  }

  #values(name: Name, count: number, seed: number): number[] {
    return Array.from({ length: count }, (_, i) => KINDS[name].value(seed + 13 * i));
  }

  #array(name: Name, shape: number[], values: readonly number[]): NDArray {
    const { dtype } = KINDS[name];
    const make = { float64: Float64Array, float32: Float32Array, bool: Uint8Array }[dtype];
    return { dtype, shape, data: make.from(values) } as NDArray;
  }

  /** Scale and offset for values, which become those of the row. */
  #choose(row: number, values: readonly number[], ...others: number[]): Factors {
    const finite = [...values.filter(Number.isFinite), ...others];
    const least = Math.min(...finite), most = Math.max(...finite);
    return this.#auto[row] = finite.length === 0 ? { scale: 0, offset: 0 } : {
      scale: least === most ? 1 : f(f(most - least) / 65534),
      offset: f(f(most + least) / 2),
    };
  }

  #partOfAuto(row: number, places: readonly number[], part: readonly number[]): void {
    const { stored, shape } = this.#cells.get("auto")![row]!, { scale, offset } = this.#auto[row]!;
    const finite = part.filter(Number.isFinite);
    const half = f(f(scale * 65534) / 2), low = f(offset - half), high = f(offset + half);
    const all = part.length === stored.length && places.every((place, i) => place === i);
    const fits = finite.every((value) => value >= low && value <= high);
    if (!all && scale === 0 && finite.length === 0) return;
    const values = scale === 0
      ? shape.flatMap(() => [])
      : stored.map((one) => packed.decode(one, { scale, offset }));
    const cell = stored.map((_, i) => values[i] ?? NaN);
    places.forEach((place, i) => cell[place] = part[i]!);
    if (!all && scale !== 0 && fits) {
      places.forEach((place, i) => stored[place] = packed.encode(part[i]!, { scale, offset }));
      return;
    }
    const chosen = all || scale === 0 ? this.#choose(row, part) : this.#choose(row, part, low, high);
    cell.forEach((value, i) => stored[i] = packed.encode(value, chosen));
  }

  /** Makes a change that is refused or isn't. */
  #refuses(refused: boolean, change: () => void): boolean {
    try {
      change();
    } catch (error) {
      if (refused && error instanceof TableError && error.code === "OUT_OF_RANGE") return true;
      throw error;
    }
    assert.ok(!refused, "a value that can't be stored is refused");
    return false;
  }
}

function plain(cell: Cell): unknown {
  if (cell === null) return null;
  const { shape, data } = cell as NDArray;
  return { shape: [...shape], values: Array.from(data as Float32Array, (value) => value + 0) };
}

const numbers = fc.array(fc.nat(), { minLength: 1, maxLength: 7 });
const name = fc.constantFrom(...NAMES);
const change = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("put" as const),
      name,
      numbers,
      which: fc.nat(),
      seed: fc.nat(9999),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("part" as const),
      name,
      numbers,
      which: fc.nat(),
      seed: fc.nat(9999),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("stored" as const),
      name: fc.constantFrom("flags" as const, "auto" as const),
      numbers,
      seed: fc.nat(999),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("clear" as const), name, numbers }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("add" as const), count: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "reopen" as const }) },
);

for (const manager of ["standard", "tiled", "memory"] as const) {
  Deno.test(`virtual columns store what the model says, beside a ${manager} manager`, () => {
    using folder = temporaryFolder();
    let runs = 0;
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.array(change, { minLength: 1, maxLength: 25 }),
        (rows, changes) => {
          const checked = new Checked(`${folder.path}/${runs++}`, manager, rows);
          try {
            for (const one of changes) {
              if (one.do === "put") checked.put(one.name, one.numbers, one.which, one.seed);
              else if (one.do === "part") checked.part(one.name, one.numbers, one.which, one.seed);
              else if (one.do === "stored") checked.putStored(one.name, one.numbers, one.seed);
              else if (one.do === "clear") checked.clear(one.name, one.numbers);
              else if (one.do === "add") checked.add(one.count);
              else checked.reopen();
              checked.check();
            }
          } finally {
            checked.table.close();
          }
        },
      ),
      { numRuns: 60 },
    );
  });
}
