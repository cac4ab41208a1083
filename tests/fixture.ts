/**
 * The golden tables in `fixtures/tables/`, which casacore wrote, what casacore reads in them, and how to compare.
 * `deno task fixtures` makes them anew (fixtures/make.py).
 */
import { fail } from "node:assert/strict";

/** A golden table. */
export interface Fixture {
  readonly name: string;
  /** What it is for. */
  readonly about: string;
  readonly rows: number;
  readonly byteOrder: "little" | "big";
  /** Class names of its storage managers. */
  readonly managers: readonly string[];
  /** What a reader must know beyond StandardStMan, TiledShapeStMan and TiledColumnStMan, e.g. `incremental`. */
  readonly needs: readonly string[];
  /** False for a table that casacore 3.5 made but reads wrongly itself; what is expected is right. */
  readonly peer: boolean;
}

/** A column as casacore describes it. Shapes in casacore order. */
export interface ColumnSchema {
  readonly name: string;
  readonly dtype: string;
  readonly kind: "scalar" | "array" | "record";
  /** 0 for a scalar, -1 if free. */
  readonly ndim: number;
  readonly shape: readonly number[] | null;
  readonly direct: boolean;
  readonly fixed: boolean;
  /** This and the rest are missing for tables with a uint16 column. */
  readonly maxLength?: number;
  readonly comment?: string;
  /** Sequence number of its manager. */
  readonly manager: number | null;
  /** Values as `table cat` prints them, a subtable as {"table": path}. */
  readonly keywords?: Readonly<Record<string, unknown>>;
  readonly keywordTypes?: Readonly<Record<string, unknown>> | null;
}

/** A table as casacore describes it. */
export interface TableSchema {
  readonly rows: number;
  readonly byteOrder: "little" | "big";
  readonly info?: { readonly type: string; readonly subType: string; readonly readme: string };
  readonly columns: readonly ColumnSchema[];
  readonly managers: readonly {
    readonly type: string;
    readonly name: string;
    readonly sequence: number;
    readonly columns: readonly string[];
    readonly spec?: Readonly<Record<string, unknown>>;
  }[];
  readonly keywords?: Readonly<Record<string, unknown>>;
  /** As `keywords`, with names of types: "int32", "int32[]", "table", an object for a record; null if unknown. */
  readonly keywordTypes?: Readonly<Record<string, unknown>> | null;
}

const HERE = new URL("./fixtures/", import.meta.url);

function textOf(path: string): string {
  return Deno.readTextFileSync(new URL(path, HERE));
}

/** The golden tables that a reader of `needs` can read; without an argument those of the core managers. */
export function fixtures(needs: readonly string[] = []): Fixture[] {
  return allFixtures().filter((fixture) => fixture.needs.every((need) => needs.includes(need)));
}

/** Every golden table. */
export function allFixtures(): Fixture[] {
  return JSON.parse(textOf("manifest.json")) as Fixture[];
}

/** Path of a golden table. Don't write there: use {@linkcode copyOfFixture}. */
export function fixturePath(name: string): string {
  return new URL(`tables/${name}`, HERE).pathname;
}

/** What casacore reads in its rows, in the form of `table cat --format ndjson` after JSON.parse. */
export function expectedRows(name: string): Record<string, unknown>[] {
  return parsedRows(textOf(`expected/${expectedName(name)}.ndjson`));
}

/** What casacore says of it. */
export function expectedSchema(name: string): TableSchema {
  return JSON.parse(textOf(`expected/${expectedName(name)}.schema.json`)) as TableSchema;
}

/** A table in another's folder: the file names have a dot for the slash. */
function expectedName(name: string): string {
  return name.replaceAll("/", ".");
}

/** A folder for tables that goes when the scope ends. */
export function temporaryFolder(): Disposable & { readonly path: string } {
  const path = Deno.makeTempDirSync({ prefix: "tessera-" });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

/** A copy of a golden table, to be written to; gone when the scope ends. Its neighbours are not copied. */
export function copyOfFixture(name: string): Disposable & { readonly path: string } {
  const folder = temporaryFolder();
  copyFolder(fixturePath(name), `${folder.path}/${name}`);
  return { path: `${folder.path}/${name}`, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

/** Copies a folder with everything in it. */
export function copyFolder(from: string, to: string): void {
  Deno.mkdirSync(to, { recursive: true });
  for (const entry of Deno.readDirSync(from)) {
    if (entry.isDirectory) copyFolder(`${from}/${entry.name}`, `${to}/${entry.name}`);
    else Deno.copyFileSync(`${from}/${entry.name}`, `${to}/${entry.name}`);
  }
}

/** NDJSON as objects. JSON.parse keeps the sign of -0.0. */
export function parsedRows(ndjson: string): Record<string, unknown>[] {
  return ndjson.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

/**
 * Fails at the first difference between two lists of rows in the form of `table cat`: number of rows, columns and their
 * order, every value, 0 and -0 told apart. NDJSON text is parsed first.
 */
export function assertSameRows(
  ours: string | readonly Record<string, unknown>[],
  theirs: string | readonly Record<string, unknown>[],
  what = "table",
): void {
  const left = typeof ours === "string" ? parsedRows(ours) : ours;
  const right = typeof theirs === "string" ? parsedRows(theirs) : theirs;
  if (left.length !== right.length) fail(`${what}: ${left.length} rows, expected ${right.length}`);
  left.forEach((row, i) => {
    const other = right[i]!;
    const names = Object.keys(row), expected = Object.keys(other);
    if (names.join("\n") !== expected.join("\n")) {
      fail(`${what}, row ${i}: columns ${names.join(", ")}, expected ${expected.join(", ")}`);
    }
    for (const name of names) {
      const difference = differenceOf(row[name], other[name]);
      if (difference) fail(`${what}, row ${i}, column ${name}${difference}`);
    }
  });
}

/** Says where and how two JSON values differ, "" if they don't. Objects may have their keys in any order. */
export function differenceOf(ours: unknown, theirs: unknown): string {
  if (isObject(ours) && isObject(theirs)) {
    if (Array.isArray(ours) !== Array.isArray(theirs)) return `: ${shown(ours)}, expected ${shown(theirs)}`;
    if (Array.isArray(ours) && Array.isArray(theirs) && ours.length !== theirs.length) {
      return `: ${ours.length} elements, expected ${theirs.length}`;
    }
    const keys = new Set([...Object.keys(theirs), ...Object.keys(ours)]);
    for (const key of keys) {
      const there = Object.hasOwn(ours, key), wanted = Object.hasOwn(theirs, key);
      if (there !== wanted) return `.${key}: ${there ? "not expected" : "missing"}`;
      const difference = differenceOf(ours[key], theirs[key]);
      if (difference) return (Array.isArray(ours) ? `[${key}]` : `.${key}`) + difference;
    }
    return "";
  }
  return Object.is(ours, theirs) ? "" : `: ${shown(ours)}, expected ${shown(theirs)}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function shown(value: unknown): string {
  if (Object.is(value, -0)) return "-0";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
