/**
 * What the manifest says of a segment's values: the least and the greatest of the time column and of the columns of the
 * key, and the filter of the keys. It is gathered while the segment is made.
 */
import type { DType } from "../../array/dtype.ts";
import { crc32c } from "../../array/crc32c.ts";
import { decodeText } from "../../format/strings.ts";
import type { BloomEntry, JsonRange, SegmentEntry } from "../manifest/format.ts";
import type { IngestSchema } from "../schema.ts";
import { BloomFilter } from "./bloom.ts";
import { hashKeys, type KeyColumn } from "./key-hash.ts";
import type { KeyValue } from "./types.ts";

/** Longest text in a range, in code units: a longer one is cut where that leaves the range wide enough. */
const TEXT_LENGTH = 64;
/** Above every text that begins as the one before it. */
const ABOVE = "\uffff";

/** A range while it grows. */
interface Bounds {
  min: KeyValue;
  max: KeyValue;
}

/** Widens a range by values of a column; NaN doesn't count. */
function widen(bounds: Bounds | null, values: KeyColumn, dtype: DType): Bounds | null {
  const length = values.length;
  if (dtype === "string") {
    for (let i = 0; i < length; i++) {
      const value = values[i] as string | Uint8Array;
      const text = typeof value === "string" ? value : decodeText(value, "utf8");
      if (bounds === null) bounds = { min: text, max: text };
      else if (text < bounds.min) bounds.min = text;
      else if (text > bounds.max) bounds.max = text;
    }
    return bounds;
  }
  let i = 0;
  const numbers = values as ArrayLike<number>;
  while (i < length && numbers[i] !== numbers[i]) i++;
  if (i === length) return bounds;
  let min = (bounds?.min ?? numbers[i]!) as number, max = (bounds?.max ?? numbers[i]!) as number;
  for (; i < length; i++) {
    const value = numbers[i]!;
    if (value < min) min = value;
    else if (value > max) max = value;
  }
  return { min, max };
}

function toJson({ min, max }: Bounds): JsonRange {
  if (typeof min === "string" && typeof max === "string") {
    return {
      min: min.slice(0, TEXT_LENGTH),
      max: max.length > TEXT_LENGTH ? max.slice(0, TEXT_LENGTH) + ABOVE : max,
    };
  }
  const plain = (value: KeyValue) =>
    typeof value === "bigint" || !Number.isFinite(value) ? String(value) : Number(value);
  return { min: plain(min), max: plain(max) };
}

/** A bound as a number; an int64 that none stands for gives the next one outside. */
function outside(bound: KeyValue, direction: -1 | 1): number {
  let number = Number(bound);
  if (typeof bound !== "bigint") return number;
  const inside = () => direction < 0 ? number > bound : number < bound;
  while (inside()) number += direction * Math.abs(number) * 2 ** -52;
  return number;
}

/** A column's range in a segment, as its table gives values: both ends in it; null where nothing is known. */
export function rangeOf(
  entry: SegmentEntry,
  column: string,
  schema: IngestSchema,
): { readonly min: KeyValue; readonly max: KeyValue } | null {
  if (column === "INGEST_SEQUENCE") {
    return { min: BigInt(entry.firstSequence), max: BigInt(entry.endSequence - 1) };
  }
  const range = Object.hasOwn(entry.keys, column)
    ? entry.keys[column]!
    : column === schema.time
    ? entry.time
    : null;
  if (range === null || !schema.has(column)) return null;
  const { dtype } = schema.column(column);
  const value = (bound: number | string): KeyValue =>
    dtype === "string"
      ? String(bound)
      : dtype === "int64"
      ? BigInt(bound)
      : dtype === "bool"
      ? Boolean(bound)
      : Number(bound);
  return { min: value(range.min), max: value(range.max) };
}

/** The part of a segment's entry that its values decide. */
export interface GatheredFacts extends Pick<SegmentEntry, "time" | "keys"> {
  /** The filter's file, null without a key. */
  readonly bloom:
    | { readonly bytes: Uint8Array<ArrayBuffer>; readonly entry: Omit<BloomEntry, "file"> }
    | null;
}

/** Gathers what the manifest says of a segment's values, some rows at a time. */
export class Facts {
  readonly #schema: IngestSchema;
  readonly #bounds = new Map<string, Bounds>();
  readonly #bloom: BloomFilter | null;

  /** For a segment of at most so many rows. */
  constructor(schema: IngestSchema, rows: number) {
    this.#schema = schema;
    this.#bloom = schema.key.length === 0 ? null : BloomFilter.forKeys(rows);
  }

  /** Columns whose values are wanted. */
  get columns(): readonly string[] {
    const { key, time } = this.#schema;
    return [...new Set([...key, ...(time === null ? [] : [time])])];
  }

  /** Takes the values of some rows. */
  add(columns: ReadonlyMap<string, KeyColumn>, rows: number): void {
    for (const name of this.columns) {
      const bounds = widen(
        this.#bounds.get(name) ?? null,
        columns.get(name)!,
        this.#schema.column(name).dtype,
      );
      if (bounds !== null) this.#bounds.set(name, bounds);
    }
    const { key } = this.#schema;
    const dtypes = key.map((name) => this.#schema.column(name).dtype);
    this.#bloom?.add(hashKeys(key.map((name) => columns.get(name)!), dtypes, rows));
  }

  /** All of it. */
  finish(): GatheredFacts {
    const { key, time } = this.#schema;
    const range = time === null ? undefined : this.#bounds.get(time);
    const bytes = this.#bloom?.bytes();
    return {
      time: range === undefined ? null : { min: outside(range.min, -1), max: outside(range.max, 1) },
      keys: Object.fromEntries(
        key.flatMap((name) => {
          const bounds = this.#bounds.get(name);
          return bounds === undefined ? [] : [[name, toJson(bounds)] as const];
        }),
      ),
      bloom: bytes === undefined ? null : {
        bytes,
        entry: {
          bytes: bytes.length,
          hashes: this.#bloom!.hashes,
          keys: this.#bloom!.keys,
          crc32c: crc32c(bytes),
        },
      },
    };
  }
}
