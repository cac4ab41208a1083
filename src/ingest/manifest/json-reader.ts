/**
 * Reads the fields of a JSON object, each checked for what it is.
 */
import { TableError } from "../../error.ts";
import type { JsonValue } from "../../format/json.ts";

type JsonObject = Readonly<Record<string, JsonValue>>;

/** An object of a JSON file; `where` is what errors call it. */
export class Reader {
  readonly file: string;
  readonly #where: string;
  readonly #object: JsonObject;

  /** @throws TableError CORRUPT for what is no object */
  constructor(json: JsonValue, file: string, where: string) {
    this.file = file;
    this.#where = where;
    if (typeof json !== "object" || json === null || Array.isArray(json)) this.fail("this is no object");
    this.#object = json as JsonObject;
  }

  /** @throws TableError CORRUPT, always */
  fail(message: string): never {
    throw new TableError("CORRUPT", `${this.#where}: ${message}`, { file: this.file });
  }

  /** Any value. @throws TableError CORRUPT when the field is missing */
  json(name: string): JsonValue {
    if (!Object.hasOwn(this.#object, name)) this.fail(`there is no field ${name}`);
    return this.#object[name]!;
  }

  text(name: string): string {
    const value = this.json(name);
    if (typeof value !== "string") this.fail(`${name} is ${JSON.stringify(value)}, expected a text`);
    return value as string;
  }

  boolean(name: string): boolean {
    const value = this.json(name);
    if (typeof value !== "boolean") this.fail(`${name} is ${JSON.stringify(value)}, expected true or false`);
    return value as boolean;
  }

  /** A number; what is not finite stands there as a text. */
  number(name: string): number {
    const value = this.json(name);
    if (value === "Infinity") return Infinity;
    if (value === "-Infinity") return -Infinity;
    if (typeof value !== "number") this.fail(`${name} is ${JSON.stringify(value)}, expected a number`);
    return value as number;
  }

  /** A whole number from 0 to 2^53 - 1. */
  whole(name: string): number {
    return this.#whole(this.json(name), name);
  }

  #whole(value: JsonValue, name: string): number {
    if (!Number.isSafeInteger(value) || (value as number) < 0) {
      this.fail(`${name} is ${JSON.stringify(value)}, expected a whole number of at least 0`);
    }
    return value as number;
  }

  #list(name: string): readonly JsonValue[] {
    const value = this.json(name);
    if (!Array.isArray(value)) this.fail(`${name} is no list`);
    return value as readonly JsonValue[];
  }

  /** A list of whole numbers. */
  wholes(name: string): number[] {
    return this.#list(name).map((value) => this.#whole(value, name));
  }

  /** A list of objects. */
  list(name: string): Reader[] {
    return this.#list(name).map((value, i) => new Reader(value, this.file, `${this.#where}, ${name}[${i}]`));
  }

  /** An object, or null. */
  optional(name: string): Reader | null {
    const value = this.json(name);
    return value === null ? null : new Reader(value, this.file, `${this.#where}, ${name}`);
  }

  /** The fields of an object, each of them an object. */
  entries(name: string): [string, Reader][] {
    const reader = this.optional(name);
    if (reader === null) this.fail(`${name} is null`);
    return Object.entries(reader.#object).map(([field, value]) => [
      field,
      new Reader(value, this.file, `${this.#where}, ${name}.${field}`),
    ]);
  }
}
