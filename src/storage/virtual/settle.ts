/**
 * What a spec of a virtual column comes to: the class name, which has the columns' types as arguments, and the keywords
 * that hold the engine's parameters (format reference part 6, section 1.2 and those of the engines).
 *
 * | option of a spec | meaning |
 * | --- | --- |
 * | stored | the stored column |
 * | scale, offset | a value for all rows, or the name of a column with one a row |
 */
import { type DType, isNumeric, type NumericType, paddedName } from "../../array/dtype.ts";
import { sameShape } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import type { FieldValue, RecordField, RecordFields } from "../../format/record.ts";
import type { BoundColumn, SettledSpec, SpecContext, StorageSpec } from "../manager.ts";
import { STORED_NAME } from "./stored.ts";

/** A keyword. */
export function keyword(name: string, value: FieldValue): RecordField {
  return { name, comment: "", value };
}

/** A keyword that is a text. */
export function textKeyword(name: string, value: string): RecordField {
  return keyword(name, { kind: "scalar", dtype: "string", value });
}

/** A keyword that is true or false. */
export function flagKeyword(name: string, value: boolean): RecordField {
  return keyword(name, { kind: "scalar", dtype: "bool", value });
}

/** A spec of an engine on a stored array column, and the checks that all of them need. */
export class MappedSpec {
  /** The virtual column. */
  readonly own: BoundColumn;
  readonly stored: BoundColumn;
  readonly #spec: StorageSpec;
  readonly #columns: readonly BoundColumn[];

  /** @throws TableError INVALID_ARGUMENT, NO_SUCH_COLUMN */
  constructor(spec: StorageSpec, { own, columns }: SpecContext) {
    this.#spec = spec;
    this.#columns = columns;
    if (own.length !== 1) {
      this.fail(`it takes one column, found ${own.map(({ name }) => name).join(", ") || "none"}`);
    }
    this.own = own[0]!;
    if (this.own.kind !== "array") this.fail(`it is a column of ${this.own.kind}s, expected arrays`);
    const stored = this.#storedName();
    this.stored = this.column(stored);
    if (this.stored.kind !== "array") {
      this.fail(`stored column ${stored} is one of ${this.stored.kind}s, expected arrays`);
    }
    if (stored === this.own.name) this.fail("it can't be stored in itself");
    // casacore opens no table with such a pair of columns.
    if (this.own.shape === null && this.stored.shape !== null) {
      this.fail(`stored column ${stored} has a fixed shape: the virtual column must have one, too`);
    }
  }

  #storedName(): string {
    const name = this.option("stored");
    return typeof name === "string"
      ? name
      : this.fail(`option stored names the stored column, found ${String(name)}`);
  }

  /** An option of the spec, as the caller gave it. */
  option(name: string): unknown {
    return this.#spec.options[name];
  }

  /** A column of the table. @throws TableError NO_SUCH_COLUMN */
  column(name: string): BoundColumn {
    const column = this.#columns.find((one) => one.name === name);
    if (column !== undefined) return column;
    throw new TableError(
      "NO_SUCH_COLUMN",
      `column ${this.own.name} names column ${name}, which is not described`,
    );
  }

  /** The types of both columns, which are numbers. */
  types(): readonly [S: NumericType, T: NumericType] {
    const types = [this.own, this.stored].map(({ name, dtype }) =>
      isNumeric(dtype) ? dtype : this.fail(`column ${name} is of type ${dtype}, expected numbers`)
    );
    return types as [NumericType, NumericType];
  }

  /** Throws unless the columns are of these types. */
  expectTypes(virtual: DType, stored: readonly DType[]): void {
    if (this.own.dtype !== virtual) this.fail(`it is of type ${this.own.dtype}, expected ${virtual}`);
    if (!stored.includes(this.stored.dtype)) {
      this.fail(
        `stored column ${this.stored.name} is of type ${this.stored.dtype}, expected ${stored.join(" or ")}`,
      );
    }
  }

  /**
   * The manager: its class name, and its keywords behind the one that names the stored column.
   *
   * @param leading Axes that stored cells have in front of those of virtual ones.
   */
  settled(type: string, keywords: readonly RecordField[], leading: readonly number[] = []): SettledSpec {
    const { own: { shape }, stored } = this, expected = [...leading, ...shape ?? []];
    if (shape !== null && stored.shape !== null && !sameShape(stored.shape, expected)) {
      this.fail(
        `cells of stored column ${stored.name} have shape [${stored.shape.join(", ")}], expected [${
          expected.join(", ")
        }]`,
      );
    }
    return { type, columnKeywords: recordOf([textKeyword(STORED_NAME, this.stored.name), ...keywords]) };
  }

  /** Throws INVALID_ARGUMENT about the virtual column. */
  fail(message: string): never {
    const { type, columns = [] } = this.#spec;
    throw new TableError(
      "INVALID_ARGUMENT",
      `column ${this.own?.name ?? columns[0]} with ${type}: ${message}`,
    );
  }
}

/** A record of these fields. */
export function recordOf(fields: readonly RecordField[]): RecordFields {
  return { fields, recordType: 1 };
}

/** A class name with the types of both columns. */
export function classOf(engine: string, types: readonly DType[]): string {
  return `${engine}<${types.map(paddedName).join(",")}>`;
}

/** A scale or an offset as a spec gives it: a value for all rows, or a column. */
export interface SettledFactor {
  /** Of the engine's type; 0 if there is a column. */
  readonly value: FieldValue;
  /** "" if the value counts. */
  readonly column: string;
}

/**
 * Option `scale` or `offset`.
 *
 * @param dtype Type of the values.
 * @param initial What counts when the option is left out: a number, the same for both parts of complex values.
 */
export function settledFactor(
  spec: MappedSpec,
  option: "scale" | "offset",
  dtype: NumericType,
  initial: number,
): SettledFactor {
  const given = spec.option(option) ?? initial;
  if (typeof given !== "string") {
    const value = valueOf(spec, option, dtype, given);
    if (option === "scale" && value.kind === "scalar" && [value.value].flat().some((part) => part == 0)) {
      spec.fail("a scale of 0 keeps nothing of the values");
    }
    return { value, column: "" };
  }
  const { kind, dtype: found } = spec.column(given);
  if (kind !== "scalar" || found !== dtype) {
    spec.fail(`${option} column ${given} is one of ${kind} ${found}, expected scalar ${dtype}`);
  }
  return { value: valueOf(spec, option, dtype, 0), column: given };
}

function valueOf(spec: MappedSpec, option: string, dtype: NumericType, given: unknown): FieldValue {
  const wrong = () =>
    spec.fail(`${option} is a value of type ${dtype} or the name of a column, found ${String(given)}`);
  switch (dtype) {
    case "bool":
      return wrong();
    case "complex64":
    case "complex128": {
      const pair = typeof given === "number" && Number.isInteger(given) ? [given, given] : given;
      if (!Array.isArray(pair) || pair.length !== 2 || pair.some((part) => typeof part !== "number")) {
        return wrong();
      }
      const [re, im] = (dtype === "complex64" ? pair.map(Math.fround) : pair) as [number, number];
      return { kind: "scalar", dtype, value: [re, im] };
    }
    case "int64":
      if (typeof given === "bigint") return { kind: "scalar", dtype, value: BigInt.asIntN(64, given) };
      if (!Number.isSafeInteger(given)) return wrong();
      return { kind: "scalar", dtype, value: BigInt(given as number) };
    default: {
      if (typeof given !== "number") return wrong();
      if (dtype === "float32") return { kind: "scalar", dtype, value: Math.fround(given) };
      if (dtype !== "float64" && !fits(given, dtype)) return wrong();
      return { kind: "scalar", dtype, value: given };
    }
  }
}

function fits(value: number, dtype: Exclude<NumericType, "bool">): boolean {
  const bits = { uint8: 8, int16: 16, uint16: 16, int32: 32, uint32: 32 }[dtype as "uint8"];
  const least = dtype.startsWith("u") ? 0 : -(2 ** (bits - 1));
  return Number.isInteger(value) && value >= least && value < least + 2 ** bits;
}
