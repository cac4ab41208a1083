/**
 * What of the bytes of a table with one StandardStMan means something: header, index, links, cells of rows that there
 * are, live strings, arrays that a cell refers to. Everything else is made zero (format reference part 2, section 9).
 */
import { isNumeric, numericInfo } from "../../src/array/dtype.ts";
import { elementsOf } from "../../src/array/rows.ts";
import { AipsReader } from "../../src/format/aipsio.ts";
import { readTableDat } from "../../src/format/table-dat.ts";
import type { BoundColumn } from "../../src/storage/manager.ts";
import { parseBlob } from "../../src/storage/standard/blob.ts";
import { areaBytes, bitsPerRow, formOf } from "../../src/storage/standard/layout.ts";
import { SsmIndex } from "../../src/storage/standard/ssm-index.ts";
import { boundColumns } from "../unit/storage_standard_support.ts";
import { headerOf } from "../unit/storage_standard_structure.ts";

/** The files of a table's manager, by name, with nothing but bytes that count. */
export function meaningfulBytes(path: string): Map<string, Uint8Array> {
  const dat = readTableDat(Deno.readFileSync(`${path}/table.dat`), "table.dat");
  if (dat.kind !== "PlainTable") throw new Error("not a plain table");
  const { bigEndian } = dat, columns = boundColumns(dat);
  const blob = parseBlob(dat.columnSet.managers[0]!.blob, "table.dat", columns.length);
  const file = new Meaningful(Deno.readFileSync(`${path}/table.f0`), bigEndian);
  const indices = file.structure();
  const arrays: { offset: number; dtype: string }[] = [];
  columns.forEach((column, c) => {
    const index = indices[blob.indexOfColumn[c]!]!;
    file.column(column, index, blob.columnOffsets[c]!, arrays);
  });
  const files = new Map([["table.f0", file.meant]]);
  if (columns.some((column) => formOf(column) === "indirect")) {
    files.set("table.f0i", meaningfulArrays(Deno.readFileSync(`${path}/table.f0i`), arrays, bigEndian));
  }
  return files;
}

class Meaningful {
  readonly meant: Uint8Array;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #bigEndian: boolean;
  readonly #header: ReturnType<typeof headerOf>;

  constructor(bytes: Uint8Array, bigEndian: boolean) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
    this.#bigEndian = bigEndian;
    this.#header = headerOf(bytes, bigEndian);
    this.meant = new Uint8Array(bytes.length);
  }

  #keep(from: number, length: number): void {
    this.meant.set(this.#bytes.subarray(from, from + length), from);
  }

  #start(bucket: number): number {
    return 512 + bucket * this.#header.bucketSize;
  }

  /** Keeps header, free list and index; the index in half a bucket counts as if it were in the first half. */
  structure(): SsmIndex[] {
    const { buckets, bucketSize, indexOffset, indexLength, indexBuckets, freeBuckets } = this.#header;
    // AipsIO lengths don't count the magic.
    this.#keep(0, 4 + this.#view.getUint32(4, !this.#bigEndian));
    if (indexOffset > 0) this.meant.fill(0, 37 + 7 * 4, 37 + 9 * 4);
    let free = this.#header.firstFree;
    for (let n = 0; n < freeBuckets; n++) {
      this.#keep(this.#start(free), 4);
      free = this.#view.getInt32(this.#start(free));
    }
    const stream = new Uint8Array(indexLength);
    let bucket = this.#header.firstIndex, at = 0;
    for (let n = 0; n < indexBuckets; n++) {
      const start = this.#start(bucket), from = start + (indexOffset || 8);
      const length = Math.min(indexLength - at, start + bucketSize - from);
      stream.set(this.#bytes.subarray(from, from + length), at);
      this.#keep(start, 8);
      this.meant.set(stream.subarray(at, at + length), start + 8);
      at += length;
      bucket = this.#view.getInt32(start + 4);
    }
    const reader = new AipsReader(stream, { file: "index", bigEndian: this.#bigEndian });
    const indices: SsmIndex[] = [];
    while (reader.remaining() > 0) indices.push(SsmIndex.read(reader, { buckets, bucketSize }));
    return indices;
  }

  /** Keeps the cells of a column, and strings that they refer to. */
  column(
    column: BoundColumn,
    index: SsmIndex,
    offset: number,
    arrays: { offset: number; dtype: string }[],
  ): void {
    const form = formOf(column), bits = bitsPerRow(column), view = this.#view, little = !this.#bigEndian;
    for (let entry = 0; entry < index.used; entry++) {
      const area = this.#start(index.bucket(entry)) + offset;
      const rows = index.endRow(entry) - index.firstRow(entry);
      const length = areaBytes(rows, bits);
      this.#keep(area, length);
      if (rows * bits % 8 > 0) this.meant[area + length - 1]! &= 2 ** (rows * bits % 8) - 1;
      for (let slot = 0; slot < rows; slot++) {
        const at = area + slot * bits / 8;
        if (form === "indirect") {
          const place = Number(view.getBigInt64(at, little));
          if (place > 0) {
            arrays.push({ offset: place, dtype: column.dtype === "record" ? "uint8" : column.dtype });
          }
        } else if (form === "string" || form === "stringArray") {
          const bytes = view.getInt32(at + 8, little);
          if (form === "string" && bytes <= 8) this.meant.fill(0, at + bytes, at + 8);
          else if (bytes === 0) this.meant.fill(0, at, at + 8);
          else this.#item(view.getInt32(at, little), view.getInt32(at + 4, little), bytes);
        } else if (form === "fixedString") {
          const end = this.#bytes.subarray(at, at + column.maxLength).indexOf(0);
          if (end >= 0) this.meant.fill(0, at + end, at + column.maxLength);
        }
      }
    }
  }

  #item(bucket: number, offset: number, length: number): void {
    const capacity = this.#header.bucketSize - 16;
    while (length > 0) {
      const start = this.#start(bucket), here = Math.min(length, capacity - offset);
      this.#keep(start, 16);
      this.#keep(start + 16 + offset, here);
      length -= here;
      offset = 0;
      bucket = this.#view.getInt32(start + 12);
    }
  }
}

function meaningfulArrays(
  bytes: Uint8Array,
  arrays: readonly { offset: number; dtype: string }[],
  bigEndian: boolean,
): Uint8Array {
  const meant = new Uint8Array(bytes.length);
  meant.set(bytes.subarray(0, 16));
  const view = new DataView(bytes.buffer);
  for (const { offset, dtype } of arrays) {
    const ndim = view.getUint32(offset, !bigEndian);
    const shape = Array.from({ length: ndim }, (_, axis) => view.getInt32(offset + 4 + 4 * axis, !bigEndian));
    const head = 4 * (ndim + 1), elements = elementsOf(shape);
    const bool = dtype === "bool";
    const size = bool
      ? Math.ceil(elements / 8)
      : elements * (isNumeric(dtype as never) ? numericInfo(dtype as never).size : 0);
    meant.set(bytes.subarray(offset, offset + head + size), offset);
    if (bool && elements % 8 > 0) meant[offset + head + size - 1]! &= 2 ** (elements % 8) - 1;
  }
  return meant;
}
