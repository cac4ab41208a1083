/**
 * Tables with a DyscoStMan that Tessera or casacore makes of the same values, and the files of both taken apart.
 */
import assert from "node:assert/strict";
import { array, dysco, type DyscoOptions, scalar, standard, Table } from "../../mod.ts";
import { type LevelSpec, levelTable } from "../../src/storage/dysco/levels.ts";

const PYTHON = "/usr/bin/python3";
const PROGRAM = new URL("./programs/dysco_write.py", import.meta.url).pathname;

/** Scalar columns that a DyscoStMan needs beside TIME. */
export const KEYS = ["ANTENNA1", "ANTENNA2", "FIELD_ID", "DATA_DESC_ID"] as const;

/** A column of a DyscoStMan. */
export interface DyscoColumnSpec {
  readonly name: string;
  readonly correlations: number;
  readonly channels: number;
}

/** Values of some rows by column. */
export type Values = ReadonlyMap<
  string,
  Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer>
>;

/** Numbers below 1 that look random. */
export function noise(seed: number): () => number {
  let x = seed * 2654435761 | 1;
  return () => (x = (Math.imul(x, 1103515245) + 12345) >>> 0) / 2 ** 32;
}

/** Floats of a cell. */
export function cellSize({ name, correlations, channels }: DyscoColumnSpec): number {
  return correlations * channels * (name === "WEIGHT_SPECTRUM" ? 1 : 2);
}

/** Which time steps, and how odd values may be. */
export interface ValuesOptions {
  readonly antennas: number;
  readonly times: number;
  readonly firstTime?: number;
  /** Correlations of an antenna with itself, too. */
  readonly autos?: boolean;
  /** Values that are NaN, infinite, zero, or large. */
  readonly odd?: boolean;
  readonly seed: number;
}

/** Values of the rows of some time steps, one for each pair of antennas. */
export function valuesOf(columns: readonly DyscoColumnSpec[], options: ValuesOptions): Values {
  const { antennas, times, firstTime = 0, autos = false, odd = false, seed } = options;
  const pairs: [number, number][] = [];
  for (let a = 0; a < antennas; a++) for (let b = a + (autos ? 0 : 1); b < antennas; b++) pairs.push([a, b]);
  const rows = pairs.length * times, random = noise(seed);
  const pairOf = (_: unknown, row: number) => pairs[row % pairs.length]!;
  const values = new Map<
    string,
    Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer>
  >([
    ["TIME", Float64Array.from({ length: rows }, (_, row) => firstTime + Math.floor(row / pairs.length))],
    ["ANTENNA1", Int32Array.from({ length: rows }, (_, row) => pairOf(_, row)[0])],
    ["ANTENNA2", Int32Array.from({ length: rows }, (_, row) => pairOf(_, row)[1])],
    ["FIELD_ID", new Int32Array(rows)],
    ["DATA_DESC_ID", new Int32Array(rows)],
  ]);
  const gains = Array.from({ length: antennas }, () => 0.2 + 2 * random());
  for (const column of columns) {
    const size = cellSize(column), floats = new Float32Array(rows * size);
    for (let row = 0; row < rows; row++) {
      const cell = floats.subarray(row * size, (row + 1) * size);
      if (column.name === "WEIGHT_SPECTRUM") {
        for (let i = 0; i < size; i++) cell[i] = random() < 0.05 ? 0 : random() * 3;
        continue;
      }
      const [a, b] = pairs[row % pairs.length]!;
      const scale = gains[a]! * gains[b]!;
      for (let i = 0; i < size; i++) cell[i] = scale * (random() + random() + random() + random() - 2);
      if (odd) disturb(cell, random);
    }
    values.set(column.name, floats);
  }
  return values;
}

function disturb(cell: Float32Array, random: () => number): void {
  const some = Math.floor(random() * cell.length), kind = Math.floor(random() * 12);
  if (kind === 0) cell[some] = NaN;
  else if (kind === 1) cell[some] = Infinity;
  else if (kind === 2) cell[some] = -Infinity;
  else if (kind === 3) cell.fill(NaN);
  else if (kind === 4) cell.fill(0);
  else if (kind === 5) cell[some]! *= 1000;
}

/** Rows of values. */
export function rowsOf(values: Values): number {
  return values.get("TIME")!.length;
}

/** Has Tessera make a table. */
export function makeTable(
  path: string,
  columns: readonly DyscoColumnSpec[],
  options: DyscoOptions,
  values: Values,
): void {
  using table = Table.create(path, {
    columns: [
      ...KEYS.map((name) => scalar(name, "int32")),
      scalar("TIME", "float64"),
      ...columns.map(({ name, correlations, channels }) =>
        array(name, name === "WEIGHT_SPECTRUM" ? "float32" : "complex64", {
          shape: [correlations, channels],
          direct: true,
        })
      ),
    ],
    storage: [dysco("Dysco", columns.map(({ name }) => name), options), standard()],
    rows: rowsOf(values),
  });
  for (const [name, data] of values) table.putColumn(name, data);
}

/** Writes values where dysco_write.py looks for them. */
export function saveValues(prefix: string, values: Values): void {
  for (const [name, data] of values) {
    Deno.writeFileSync(
      `${prefix}.${name}.raw`,
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    );
  }
}

/** What casacore read. */
export function dumped(prefix: string, column: string): Float32Array<ArrayBuffer> {
  return new Float32Array(Deno.readFileSync(`${prefix}.${column}.raw`).buffer);
}

/** Has casacore do some jobs; dysco_write.py says what they are. */
export async function casacore(folder: string, jobs: readonly object[]): Promise<void> {
  const path = `${folder}/jobs.json`;
  await Deno.writeTextFile(path, JSON.stringify(jobs));
  const { success, stderr } = await new Deno.Command(PYTHON, { args: [PROGRAM, path] }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

/** Fails at the first value whose bits differ; NaNs are equal, whatever their bits. */
export function assertSameBits(ours: Float32Array, theirs: Float32Array, what: string): void {
  assert.equal(ours.length, theirs.length, what);
  const left = new Uint32Array(ours.buffer, ours.byteOffset, ours.length);
  const right = new Uint32Array(theirs.buffer, theirs.byteOffset, theirs.length);
  for (let i = 0; i < left.length; i++) {
    if (left[i] !== right[i] && !(Number.isNaN(ours[i]) && Number.isNaN(theirs[i]))) {
      assert.fail(`${what}, value ${i}: ${ours[i]}, expected ${theirs[i]}`);
    }
  }
}

/** A file taken apart: what a column has in each block. */
export interface BlockPart {
  readonly floats: Float32Array<ArrayBuffer>;
  readonly symbols: Uint16Array<ArrayBuffer>;
}

/** The parts of every column and block of a DyscoStMan's file. */
export function takeApart(path: string, columns: readonly DyscoColumnSpec[]): {
  readonly rowsPerBlock: number;
  readonly antennas: number;
  readonly parts: Map<string, BlockPart[]>;
} {
  const bytes = Deno.readFileSync(path), view = new DataView(bytes.buffer);
  const blocksAt = view.getUint32(0, true), at = 16 + view.getUint32(12, true);
  const [rowsPerBlock, antennas, blockBytes] = [0, 4, 8].map((i) => view.getUint32(at + i, true)) as [
    number,
    number,
    number,
  ];
  const [dataBits, weightBits, normalization] = [16, 17, 19].map((i) => bytes[at + i]!) as [
    number,
    number,
    number,
  ];
  const parts = new Map<string, BlockPart[]>(columns.map(({ name }) => [name, []]));
  for (let start = blocksAt; start + blockBytes <= bytes.length; start += blockBytes) {
    let offset = start;
    for (const column of columns) {
      const weights = column.name === "WEIGHT_SPECTRUM", { correlations, channels } = column;
      const bits = weights ? weightBits : dataBits;
      const floats = weights
        ? 1
        : normalization === 2
        ? rowsPerBlock
        : correlations * (channels + (normalization === 0 ? antennas : rowsPerBlock));
      const count = rowsPerBlock * channels * (weights ? 1 : 2 * correlations);
      const symbolsAt = offset + 4 * floats;
      const symbols = new Uint16Array(count);
      for (let i = 0; i < count * bits; i++) {
        const bit = bytes[symbolsAt + Math.floor(i / 8)]! >> i % 8 & 1;
        symbols[Math.floor(i / bits)]! |= bit << i % bits;
      }
      parts.get(column.name)!.push({
        floats: new Float32Array(bytes.slice(offset, symbolsAt).buffer),
        symbols,
      });
      offset = symbolsAt + Math.ceil(count * bits / 8);
    }
  }
  return { rowsPerBlock, antennas, parts };
}

/** Fails where a decoded value is further from the original than the two levels it lies between are from each other. */
export function assertWithinLevels(
  file: string,
  columns: readonly DyscoColumnSpec[],
  normalization: string,
  levelSpec: LevelSpec,
  weightBits: number,
  values: Values,
  decoded: ReadonlyMap<string, Float32Array>,
  what: string,
): void {
  const { rowsPerBlock, antennas, parts } = takeApart(file, columns);
  const table = levelTable(levelSpec), levels = table.subarray(0, -1), top = levels.at(-1)!;
  const [first, second] = [values.get("ANTENNA1")!, values.get("ANTENNA2")!];
  for (const column of columns) {
    const { name, correlations, channels } = column;
    const original = values.get(name) as Float32Array, found = decoded.get(name)!;
    const size = cellSize(column), items = name === "WEIGHT_SPECTRUM" ? 1 : 2;
    for (let i = 0; i < original.length; i++) {
      const row = Math.floor(i / size), place = Math.floor(i % size / items);
      const { floats } = parts.get(name)![Math.floor(row / rowsPerBlock)]!;
      const where = () => `${what}, ${name}, value ${i} of row ${row}: ${found[i]} for ${original[i]}`;
      if (items === 1) {
        const from = i - i % correlations;
        const smallest = Math.min(...original.subarray(from, from + correlations));
        const step = floats[0]! / (2 ** weightBits - 1);
        assert.ok(Math.abs(found[i]! - smallest) <= step * (0.5 + 2 ** (weightBits - 22)), where());
        continue;
      }
      if (!Number.isFinite(original[i])) {
        assert.ok(Number.isNaN(found[i]), where());
        continue;
      }
      const p = place % correlations, rest = channels * correlations, inBlock = row % rowsPerBlock;
      if (normalization === "AF" && first[row] === second[row]) continue;
      const factor = normalization === "Row"
        ? floats[inBlock]!
        : normalization === "RF"
        ? floats[place]! * floats[rest + inBlock * correlations + p]!
        : floats[place]! * floats[rest + p * antennas + first[row]!]! *
          floats[rest + p * antennas + second[row]!]!;
      // Half a number doesn't count when factors are found, and antennas all of whose numbers don't have none.
      if (!Number.isFinite(original[i ^ 1]) || (normalization === "AF" && !(factor > 0))) continue;
      const scaled = original[i]! / factor;
      const above = Math.max(1, levels.findIndex((level) => level >= Math.min(scaled, top)));
      const spacing = (levels[above]! - levels[above - 1]!) * factor;
      assert.ok(
        Math.abs(found[i]! - original[i]!) <= spacing * 1.0001 + Math.abs(original[i]!) * 1e-6,
        where(),
      );
    }
  }
}
