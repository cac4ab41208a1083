/**
 * The file `table.f<N>` of an IncrementalStMan, as its columns share it.
 *
 * | 0 | 512 | 512 + bucket size | … | 512 + buckets × bucket size |
 * | --- | --- | --- | --- | --- |
 * | header | bucket 0 | bucket 1 | … | index, and perhaps what is left of an older one |
 *
 * Format reference part 3, section A2.
 */
import { TableError } from "../../error.ts";
import { type BucketIndex, HEADER_BYTES, type IncrementalHeader } from "./header.ts";
import { PartCache } from "./part-cache.ts";
import { Stretch } from "./stretch.ts";

/** What is known of the file once it is open. */
export class BucketFile {
  /** Its name in the table's directory. */
  readonly name: string;
  /** The path that errors name. */
  readonly path: string;
  readonly bigEndian: boolean;
  readonly bucketBytes: number;
  readonly index: BucketIndex;
  /** Columns that every bucket has entries for. */
  readonly columnCount: number;
  /** Parts of buckets that single cells were looked up in. */
  readonly parts: PartCache = new PartCache();

  constructor(
    name: string,
    path: string,
    bigEndian: boolean,
    header: IncrementalHeader,
    index: BucketIndex,
    columnCount: number,
  ) {
    this.name = name;
    this.path = path;
    this.bigEndian = bigEndian;
    this.bucketBytes = header.bucketBytes;
    this.index = index;
    this.columnCount = columnCount;
  }

  /** Rows in the index. */
  get rowCount(): number {
    return this.index.starts[this.index.used]!;
  }

  /** Offset in the file of the bucket at a position of the index. */
  bucketAt(position: number): number {
    return HEADER_BYTES + this.index.buckets[position]! * this.bucketBytes;
  }

  /** Bytes of the file that start at `base`. */
  stretch(bytes: Uint8Array, base: number): Stretch {
    return new Stretch(bytes, this.path, base, this.bigEndian);
  }

  /** The error for a row that the table has and the index hasn't. */
  noSuchRow(row: number): never {
    throw new TableError("CORRUPT", `row ${row} is not in the index, which has ${this.rowCount} rows`, {
      file: this.path,
    });
  }
}
