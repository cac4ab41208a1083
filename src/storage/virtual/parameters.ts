/**
 * The parameters of an engine, which are keywords of its column (format reference part 6, section 1). A wider number
 * than the one expected is taken as well: casacore does so.
 */
import type { NumericType } from "../../array/dtype.ts";
import { TableError } from "../../error.ts";
import { fieldOf, type FieldValue, type RecordFields } from "../../format/record.ts";
import type { BoundColumn, ManagerContext } from "../manager.ts";

/** Keywords of one column, with errors that name both. */
export class Parameters {
  readonly #context: ManagerContext;
  readonly #column: BoundColumn;

  /** @param context Of the engine that holds the column. */
  constructor(context: ManagerContext, column: BoundColumn) {
    this.#context = context;
    this.#column = column;
  }

  /** Throws CORRUPT about the column. */
  fail(message: string): never {
    throw new TableError("CORRUPT", `column ${this.#column.name} of ${this.#context.type}: ${message}`, {
      file: this.#context.pathOf("table.dat"),
    });
  }

  /** A text. @throws TableError CORRUPT when it is missing or something else */
  text(keyword: string): string {
    const value = this.#field(keyword);
    return value.kind === "scalar" && value.dtype === "string"
      ? value.value
      : this.#unexpected(keyword, value, "string");
  }

  /** A text, undefined if there is none. @throws TableError CORRUPT when it is something else */
  optionalText(keyword: string): string | undefined {
    return fieldOf(this.#column.keywords, keyword) === undefined ? undefined : this.text(keyword);
  }

  /** A bool. @throws TableError CORRUPT */
  flag(keyword: string): boolean {
    const value = this.#field(keyword);
    return value.kind === "scalar" && value.dtype === "bool"
      ? value.value
      : this.#unexpected(keyword, value, "bool");
  }

  /** A real number. @throws TableError CORRUPT */
  number(keyword: string): number {
    const value = this.#field(keyword);
    return realOf(value) ?? this.#unexpected(keyword, value, "a number");
  }

  /** A number as one element of `dtype`: a pair for complex types, rounded where the type is narrower. @throws TableError CORRUPT */
  element(keyword: string, dtype: NumericType): readonly [re: number | bigint, im: number | bigint] {
    const value = this.#field(keyword);
    if (dtype === "complex64" || dtype === "complex128") {
      const pair = value.kind === "scalar" && (value.dtype === "complex64" || value.dtype === "complex128")
        ? value.value
        : [realOf(value) ?? this.#unexpected(keyword, value, dtype), 0] as const;
      return dtype === "complex64" ? [Math.fround(pair[0]), Math.fround(pair[1])] : pair;
    }
    if (dtype === "int64") {
      if (value.kind === "scalar" && value.dtype === "int64") return [value.value, 0n];
      const real = realOf(value);
      if (real === undefined || !Number.isSafeInteger(real)) return this.#unexpected(keyword, value, dtype);
      return [BigInt(real), 0n];
    }
    const real = realOf(value) ?? this.#unexpected(keyword, value, dtype);
    return [dtype === "float32" ? Math.fround(real) : real, 0];
  }

  /** A list of texts. @throws TableError CORRUPT */
  texts(keyword: string): readonly string[] {
    const value = this.#field(keyword);
    return value.kind === "array" && value.dtype === "string"
      ? value.data
      : this.#unexpected(keyword, value, "an array of strings");
  }

  #field(keyword: string): FieldValue {
    const value = fieldOf(this.#column.keywords, keyword);
    return value ?? this.fail(`keyword ${keyword} is missing`);
  }

  #unexpected(keyword: string, value: FieldValue, expected: string): never {
    const found = value.kind === "scalar"
      ? value.dtype
      : value.kind === "array"
      ? `an array of ${value.dtype}`
      : `a ${value.kind}`;
    return this.fail(`keyword ${keyword} is ${found}, expected ${expected}`);
  }
}

/** The number in a field, undefined when there is something else. */
export function realOf(value: FieldValue): number | undefined {
  if (value.kind !== "scalar") return undefined;
  if (typeof value.value === "bigint") return Number(value.value);
  return typeof value.value === "number" ? value.value : undefined;
}

/** A text among the keywords of the table. @throws TableError CORRUPT, naming it */
export function tableText(context: ManagerContext, keyword: string): string {
  const keywords: RecordFields = context.source.tableKeywords();
  const value = fieldOf(keywords, keyword);
  if (value?.kind === "scalar" && value.dtype === "string") return value.value;
  throw new TableError(
    "CORRUPT",
    `${context.type}: table keyword ${keyword} is ${value === undefined ? "missing" : "no string"}`,
    { file: context.pathOf("table.dat") },
  );
}
