/**
 * Whether a segment can hold a key. Filters are read when they are first asked, and kept as long as their segments are.
 */
import { TableError } from "../../error.ts";
import type { Backend } from "../../io/backend.ts";
import { readWholeFile } from "../../io/whole-file.ts";
import type { SegmentEntry } from "../manifest/format.ts";
import type { IngestSchema } from "../schema.ts";
import { BloomFilter } from "./bloom.ts";
import { hashKey } from "./key-hash.ts";
import { segmentPath } from "./places.ts";
import { rangeOf } from "./ranges.ts";
import type { KeyValue } from "./types.ts";

/** The filters of a store's segments. */
export class KeyFilters {
  readonly #directory: string;
  readonly #backend: Backend;
  readonly #filters = new Map<string, BloomFilter>();

  constructor(directory: string, backend: Backend) {
    this.#directory = directory;
    this.#backend = backend;
  }

  /** The filter of a segment, null without one. @throws TableError NOT_FOUND when it was removed; CORRUPT, IO */
  get({ bloom }: SegmentEntry): BloomFilter | null {
    if (bloom === null) return null;
    let filter = this.#filters.get(bloom.file);
    if (filter === undefined) {
      const path = segmentPath(this.#directory, bloom.file),
        bytes = readWholeFile(this.#backend, path, bloom.bytes);
      if (bytes === null) {
        throw new TableError("NOT_FOUND", "the segment's filter is missing", { file: path });
      }
      this.#filters.set(bloom.file, filter = BloomFilter.parse(bytes, bloom, path));
    }
    return filter;
  }

  /** False when the segment can't hold the key. A filter that is missing or damaged is no reason to skip a segment. */
  mayHold(entry: SegmentEntry, key: readonly KeyValue[], schema: IngestSchema): boolean {
    for (const [i, column] of schema.key.entries()) {
      const range = rangeOf(entry, column, schema), value = key[i]!;
      // NaN is in no range.
      if (
        value !== value || range === null || typeof value === "string" !== (typeof range.min === "string")
      ) continue;
      if (value < range.min || value > range.max) return false;
    }
    let filter: BloomFilter | null;
    try {
      filter = this.get(entry);
    } catch (error) {
      if (error instanceof TableError && ["NOT_FOUND", "CORRUPT", "LIMIT"].includes(error.code)) return true;
      throw error;
    }
    return filter === null ||
      filter.mayHold(hashKey(key, schema.key.map((name) => schema.column(name).dtype)));
  }

  /** Forgets the filters of others. */
  retain(segments: readonly SegmentEntry[]): void {
    const names = new Set(segments.map(({ bloom }) => bloom?.file));
    for (const name of [...this.#filters.keys()]) if (!names.has(name)) this.#filters.delete(name);
  }
}
