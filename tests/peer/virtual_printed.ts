/**
 * Programs that make tables with virtual columns and print what casacore reads in them (programs/virtual.h says how),
 * and the comparison with what Tessera reads, to the last bit.
 */
import assert from "node:assert/strict";
import { arrayClass, bytesOf, isNumeric } from "../../src/array/dtype.ts";
import { type AxisSlice, type Cell, type DType, type NDArray, Table } from "../../mod.ts";
import { peerAvailable, peerTest } from "./peer.ts";

/** A cell as casacore read it: null if undefined; `shape` null for a scalar. */
export interface PrintedCell {
  readonly shape: readonly number[] | null;
  /** The values' bytes. */
  readonly bytes: Uint8Array;
  /** Those of every second element of each axis, see {@linkcode halfOf}; null for a scalar, and for strings. */
  readonly slice: Uint8Array | null;
}

/** Cells by table and column. */
export type Printed = Map<string, Map<string, (PrintedCell | null)[]>>;

const PROGRAMS = new URL("./programs/", import.meta.url).pathname;

/** True when programs can be compiled: a compiler and casacore's headers are there. */
function canCompile(): boolean {
  if (!peerAvailable() || Deno.permissions.querySync({ name: "run", command: "g++" }).state !== "granted") {
    return false;
  }
  const args = ["-std=c++17", "-fsyntax-only", "-x", "c++", "-include", "casacore/tables/Tables/Table.h"];
  try {
    return new Deno.Command("g++", { args: [...args, "/dev/null"], stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

/** A test that needs casacore's headers and a compiler too; ignored where they are missing, but not with CI=true. */
export function compilerTest(name: string, fn: () => void | Promise<void>): void {
  if (canCompile() || Deno.env.get("CI") === "true") peerTest(name, fn);
  else Deno.test({ name: `${name} (needs g++ and casacore-dev)`, ignore: true, fn });
}

function command(program: string, args: readonly string[]): string {
  const { success, stdout, stderr } = new Deno.Command(program, { args: [...args] }).outputSync();
  assert.ok(success, `${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** Compiles programs/NAME.cc into the folder. */
export function compile(name: string, folder: string): string {
  const program = `${folder}/${name}`;
  const sources = [`-I${PROGRAMS}`, "-o", program, `${PROGRAMS}${name}.cc`];
  command("g++", ["-std=c++17", ...sources, "-lcasa_tables", "-lcasa_casa"]);
  return program;
}

/** Runs a program and reads what it prints. */
export function printed(program: string, args: readonly string[]): Printed {
  const tables: Printed = new Map();
  let columns = new Map<string, (PrintedCell | null)[]>();
  for (const line of command(program, args).split("\n")) {
    const [name = "", row = "", shape = "", hex = "", , slice = ""] = line.split(" ");
    if (name === "") continue;
    if (name === "table") {
      tables.set(row, columns = new Map());
      continue;
    }
    const cells = columns.get(name) ?? [];
    columns.set(name, cells);
    assert.equal(Number(row), cells.length);
    if (shape === "undefined") cells.push(null);
    else if (shape === ".") cells.push({ shape: null, bytes: Uint8Array.fromHex(hex), slice: null });
    else {
      const lengths = shape.split(",").map(Number);
      const half = line.includes(" slice ") ? Uint8Array.fromHex(slice) : null;
      cells.push({ shape: lengths, bytes: Uint8Array.fromHex(hex), slice: half });
    }
  }
  return tables;
}

/** The slice that the programs print. */
export function halfOf(shape: readonly number[]): AxisSlice[] {
  return shape.map((length) => [length > 1 ? 1 : 0, length, 2]);
}

/** Asserts that values have the same bits, but for those of NaN. */
function assertSameBits(ours: unknown, bytes: Uint8Array, dtype: DType, what: string): void {
  if (!isNumeric(dtype)) {
    // Those of an array end in a zero byte each.
    const text = Array.isArray(ours) ? ours.map((item) => `${item}\0`).join("") : ours;
    assert.equal(text, new TextDecoder().decode(bytes), what);
    return;
  }
  const data = ours as ArrayLike<number | bigint>;
  const wanted: typeof data = new (arrayClass(dtype))(bytes.slice().buffer);
  assert.equal(data.length, wanted.length, `${what}: number of values`);
  for (let i = 0; i < wanted.length; i++) {
    if (!Object.is(data[i], wanted[i])) assert.fail(`${what}, value ${i}: ${data[i]}, casacore ${wanted[i]}`);
  }
}

/** Data of a cell, a scalar in an array of its own. */
function dataOf(cell: Cell, dtype: DType): unknown {
  if (cell !== null && typeof cell === "object" && "data" in cell) return cell.data;
  if (dtype === "string") return cell;
  if (dtype === "bool") return [cell ? 1 : 0];
  return Array.isArray(cell) ? cell : [cell];
}

/** Compares every column that casacore printed: cell by cell, slices, whole columns, lists of rows. */
export function assertReads(
  path: string,
  columns: ReadonlyMap<string, readonly (PrintedCell | null)[]>,
): void {
  using table = Table.open(path);
  for (const [name, cells] of columns) {
    const { dtype, kind } = table.column(name);
    assert.ok(table.column(name).readable, name);
    cells.forEach((theirs, row) => {
      const what = `${path}, column ${name}, row ${row}`;
      const ours = table.getCell(name, row);
      if (theirs === null) return assert.equal(ours, null, what);
      assert.notEqual(ours, null, what);
      if (theirs.shape !== null) assert.deepEqual((ours as NDArray).shape, theirs.shape, what);
      assertSameBits(dataOf(ours, dtype), theirs.bytes, dtype, what);
      if (theirs.shape === null || theirs.slice === null) return;
      const half = table.getCell(name, row, { slice: halfOf(theirs.shape) }) as NDArray;
      assertSameBits(half.data, theirs.slice, dtype, `${what}, slice`);
    });
    assertTogether(table, name, kind, cells);
  }
}

/** Many cells at once are the cells one by one. */
function assertTogether(
  table: Table,
  name: string,
  kind: string,
  cells: readonly (PrintedCell | null)[],
): void {
  const one = cells.map((_, row) => table.getCell(name, row));
  const order = cells.map((_, i) => (7 * i + 3) % cells.length);
  const what = `column ${name} of ${table.path}`;
  assert.deepEqual(table.getCells(name), one, what);
  assert.deepEqual(table.getCells(name, { rows: order }), order.map((row) => one[row]!), what);
  const shapes = new Map<string, number[]>();
  cells.forEach((cell, row) => {
    if (cell !== null) shapes.set(`${cell.shape}`, [...shapes.get(`${cell.shape}`) ?? [], row, row]);
  });
  for (const rows of shapes.values()) {
    const { shape } = cells[rows[0]!]!;
    const all = table.getColumn(name, { rows });
    assert.deepEqual(all.shape, [...shape ?? [], rows.length], what);
    const { dtype } = all;
    if (!isNumeric(dtype)) {
      assert.deepEqual(all.data, rows.flatMap((row) => dataOf(one[row]!, dtype)), what);
      continue;
    }
    const whole = bytesOf(all.data as ArrayBufferView);
    const each = whole.length / rows.length;
    const part = (
      bytes: Uint8Array,
      i: number,
      length: number,
    ) => [...new (arrayClass(dtype))(bytes.slice(i * length, (i + 1) * length).buffer)];
    rows.forEach((row, i) => {
      assert.deepEqual(part(whole, i, each), [...dataOf(one[row]!, dtype) as Iterable<number>], what);
    });
    if (kind !== "array") continue;
    const slice = halfOf(shape!);
    const halves = bytesOf(table.getColumn(name, { rows, slice }).data as ArrayBufferView);
    rows.forEach((row, i) => {
      const half = table.getCell(name, row, { slice }) as NDArray;
      assert.deepEqual(
        part(halves, i, halves.length / rows.length),
        [...half.data as Iterable<number>],
        what,
      );
    });
  }
}
