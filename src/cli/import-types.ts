/**
 * Types of columns that come as text: found by looking at every value, unless another table says them.
 *
 * | NDJSON | column |
 * | --- | --- |
 * | true, false | bool |
 * | whole numbers | int32, or int64 where one doesn't fit; also as strings beyond 2^53 |
 * | numbers, "NaN", "Infinity", "-Infinity" among numbers | float64 |
 * | strings | string |
 * | [re, im] | complex128 |
 * | {"shape": …, "data": …} | array of these; twice as many numbers as the shape has elements: complex128 |
 * | other lists | array, the innermost list the first axis |
 * | other objects | record |
 *
 * A CSV field is a bool, a number or a text, by all fields of its column; an empty one without quotes is null.
 */
import { type DType, type Table, TableError } from "../../mod.ts";
import type { ImportColumn } from "../arrow/from-types.ts";
import type { CsvField } from "./import-lines.ts";

const INT32 = 2 ** 31;
const NAMED = new Set(["NaN", "Infinity", "-Infinity", "inf", "-inf", "nan"]);

/** What the values of one kind have been so far. */
class Found {
  bools = 0;
  integers = 0;
  /** Whole numbers of more than 32 bits. */
  wide = 0;
  reals = 0;
  /** Strings that may stand for a number among numbers. */
  named = 0;
  digits = 0;
  texts = 0;

  value(value: unknown): void {
    switch (typeof value) {
      case "boolean":
        this.bools++;
        return;
      case "number":
        if (!Number.isInteger(value) || Object.is(value, -0)) this.reals++;
        else if (value >= -INT32 && value < INT32) this.integers++;
        else if (Number.isSafeInteger(value)) this.wide++;
        else this.reals++;
        return;
      case "string":
        if (NAMED.has(value)) this.named++;
        else if (/^-?\d{16,19}$/.test(value)) this.digits++;
        else this.texts++;
        return;
      default:
        this.texts = NaN;
    }
  }

  /** The type that holds them all; undefined where none does. */
  get dtype(): DType | undefined {
    const { bools, integers, wide, reals, named, digits, texts } = this;
    const numbers = integers + wide + reals;
    if (Number.isNaN(texts)) return undefined;
    if (bools > 0) return numbers + named + digits + texts === 0 ? "bool" : undefined;
    if (texts > 0 || (numbers === 0 && named + digits > 0)) return numbers === 0 ? "string" : undefined;
    if (named > 0 || reals > 0) return digits > 0 ? undefined : "float64";
    return wide + digits > 0 ? "int64" : "int32";
  }
}

/** What is known of a column while its values are looked at. */
export class ColumnGuess {
  readonly #name: string;
  readonly #text: boolean;
  readonly #items = new Found();
  #kind: "scalar" | "pair" | "shaped" | "lists" | "record" | null = null;
  /** Lists of two numbers may be complex values or arrays. */
  #levels = 0;
  #complex = false;
  #real = false;
  #ndim: number | null = null;

  /** `text`: values come as text, so that a column of several types is one of strings. */
  constructor(name: string, text = false) {
    this.#name = name;
    this.#text = text;
  }

  /** Looks at a value. @throws TableError TYPE_MISMATCH for one of another kind than those before */
  look(value: unknown, where: string): void {
    if (value === null || value === undefined) return;
    if (typeof value !== "object") {
      this.#is("scalar", where);
      return this.#items.value(value);
    }
    if (Array.isArray(value)) {
      const pair = value.length === 2 && value.every((part) => typeof part === "number" || NAMED.has(part));
      if (pair && this.#kind !== "lists") this.#is("pair", where);
      else {
        if (this.#kind === "pair") this.#kind = "lists";
        this.#is("lists", where);
      }
      let levels = 0;
      for (let at: unknown = value; Array.isArray(at); at = at[0]) levels++;
      this.#levels = Math.max(this.#levels, levels);
      for (const item of value.flat(Infinity) as unknown[]) this.#items.value(item);
      return;
    }
    const { shape, data } = value as { shape?: unknown; data?: unknown };
    if (!Array.isArray(shape) || !Array.isArray(data)) return this.#is("record", where);
    this.#is("shaped", where);
    this.#ndim = this.#ndim === null || this.#ndim === shape.length ? shape.length : -1;
    const elements = shape.reduce((n: number, length) => n * Number(length), 1);
    if (elements > 0 && data.length === 2 * elements) this.#complex = true;
    else if (data.length === elements && elements > 0) this.#real = true;
    for (const item of data) this.#items.value(item);
  }

  #is(kind: "scalar" | "pair" | "shaped" | "lists" | "record", where: string): void {
    if (this.#kind === null) this.#kind = kind;
    if (this.#kind !== kind) {
      throw new TableError(
        "TYPE_MISMATCH",
        `${where}: column ${this.#name} has ${NAMES[kind]} here and ${NAMES[this.#kind]} before`,
      );
    }
  }

  /** The column. @throws TableError TYPE_MISMATCH for values that no type holds, or none at all */
  column(): ImportColumn {
    const name = this.#name, kind = this.#kind;
    if (kind === null) {
      throw new TableError(
        "TYPE_MISMATCH",
        `column ${name} has no values, so no type; --like another table says it`,
      );
    }
    if (kind === "record") return newColumn(name, "record", "record");
    const real = this.#items.dtype ??
      (kind === "shaped" && !this.#real && !this.#complex ? "float64" : undefined) ??
      (this.#text ? "string" : undefined);
    if (real === undefined || (this.#complex && this.#real)) {
      throw new TableError(
        "TYPE_MISMATCH",
        `column ${name} has values of several types; --like another table says which`,
      );
    }
    if (kind === "scalar") return newColumn(name, "scalar", real);
    if (kind === "pair") return newColumn(name, "scalar", "complex128");
    const dtype = this.#complex ? "complex128" : real;
    return kind === "shaped"
      ? newColumn(name, "array", dtype, { kind: "shaped" }, this.#ndim ?? -1)
      : newColumn(
        name,
        "array",
        dtype,
        { kind: "lists", levels: new Array(this.#levels).fill(null) },
        this.#levels,
      );
  }
}

const NAMES = {
  scalar: "a single value",
  pair: "a pair",
  shaped: "an array with its shape",
  lists: "a list",
  record: "an object",
} as const;

function newColumn(
  name: string,
  kind: "scalar" | "array" | "record",
  dtype: DType,
  layout: ImportColumn["layout"] = kind === "record" ? { kind: "recordStruct" } : { kind: "scalar" },
  ndim = 0,
): ImportColumn {
  const options = kind === "array" && ndim > 0 ? { ndim } : {};
  return { name, kind, dtype, options, keywords: null, manager: null, tileShape: null, ragged: true, layout };
}

/** A column as that of another table, for values in the form of `table cat`. @throws TableError NO_SUCH_COLUMN */
export function columnLike(table: Table, name: string): ImportColumn {
  const { dtype, kind, shape, ndim, direct, maxLength, comment, keywords, manager, tileShape } = table.column(
    name,
  );
  return {
    name,
    kind,
    dtype,
    options: {
      comment,
      ...(maxLength > 0 ? { maxLength } : {}),
      ...(kind !== "array" ? {} : shape !== null ? { shape, direct } : ndim > 0 ? { ndim } : {}),
    },
    keywords: keywords.toFields(),
    manager,
    tileShape,
    ragged: shape === null,
    layout: kind === "array"
      ? { kind: "shaped" }
      : kind === "record"
      ? { kind: "recordStruct" }
      : { kind: "scalar" },
  };
}

/** A CSV field as JSON would have it, for a column of a type; as it is where the type isn't known yet. */
export function csvFieldValue(field: CsvField, dtype?: DType): unknown {
  if (field === null || dtype === "string") return field;
  const text = field.trim();
  if (dtype === undefined || dtype === "bool") {
    if (/^true$/i.test(text)) return true;
    if (/^false$/i.test(text)) return false;
    if (dtype === "bool" && (text === "0" || text === "1")) return Number(text);
  }
  if (/^[-+]?\d+$/.test(text)) {
    return Number.isSafeInteger(Number(text)) ? Number(text) : text.replace("+", "");
  }
  if (/^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text)) {
    // The sign of a zero and the point of a whole number make it a real one.
    return dtype === undefined && Number.isInteger(Number(text)) ? REAL : Number(text);
  }
  const named = /^([-+]?)(nan|inf|infinity)$/i.exec(text);
  if (named !== null) return /nan/i.test(text) ? "NaN" : named[1] === "-" ? "-Infinity" : "Infinity";
  return field;
}

/** Stands for any real number where only the type is looked for. */
const REAL = 0.5;
