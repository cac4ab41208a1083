/**
 * Writes the files of an IncrementalStMan in memory, in every form that the format allows: bucket borders, order of
 * buckets and of values, wide rows, gaps and old versions as asked, beyond what casacore writes itself.
 */
import { isNumeric, numericInfo } from "../../src/array/dtype.ts";
import { AipsWriter } from "../../src/format/aipsio.ts";
import { runSync } from "../../src/io/drivers.ts";
import { TableFiles } from "../../src/io/files.ts";
import { MemoryBackend } from "../../src/io/memory-backend.ts";
import type { Plan } from "../../src/io/plan.ts";
import { ArrayFile } from "../../src/storage/arrayfile/array-file.ts";
import { incrementalStMan } from "../../src/storage/incremental/mod.ts";
import type { BoundColumn, StorageManager } from "../../src/storage/manager.ts";
import type { GeneratedCell } from "../peer/oracle/values.ts";
import { boundColumn, contextOf } from "./storage_managed_support.ts";

/** Files in memory, in the directory `t`. */
export function memoryFiles(): TableFiles {
  const backend = new MemoryBackend();
  backend.makeDirectory("t");
  return new TableFiles("t", backend, { writable: true });
}

/** Puts a file's bytes. */
export function putFile(files: TableFiles, name: string, bytes: Uint8Array): void {
  runSync(
    (function* (): Plan<void> {
      yield { kind: "replace", file: name, bytes };
    })(),
    files,
  );
  files.flush();
}

/** A column and its cells, one a row. */
export interface ModelColumn {
  readonly bound: BoundColumn;
  readonly cells: readonly GeneratedCell[];
}

/** How the files are laid out. */
export interface Layout {
  readonly bigEndian: boolean;
  /** First row of each bucket, from 0; the last entry is the number of rows. */
  readonly starts: readonly number[];
  /** Bytes of a bucket, at least; more if the values need them. */
  readonly bucketBytes?: number;
  /** Which number each bucket has in the file; the numbers between are free buckets. In order if left out. */
  readonly numbers?: readonly number[];
  /** Rows in buckets take 8 bytes. */
  readonly wide?: boolean;
  /** Values stand in the data part in reverse order, with gaps. */
  readonly scattered?: boolean;
  /** Also store values that equal the one before. */
  readonly repeated?: boolean;
  readonly versions?: { readonly blob?: number; readonly header?: number; readonly index?: number };
}

const JUNK = 0x5a;

/** Bytes in the order of a table. */
export class Bytes {
  readonly #writer: AipsWriter;
  constructor(bigEndian: boolean) {
    this.#writer = new AipsWriter({ bigEndian });
  }
  u32(value: number): this {
    this.#writer.u32(value);
    return this;
  }
  u64(value: number): this {
    this.#writer.u64(value);
    return this;
  }
  put(bytes: Uint8Array): this {
    this.#writer.bytes(bytes);
    return this;
  }
  get length(): number {
    return this.#writer.length;
  }
  done(): Uint8Array<ArrayBuffer> {
    return this.#writer.finish();
  }
}

/** A cell's elements as they are stored: numbers in the order of the file, bool as bits. */
export function storedNumbers(bound: BoundColumn, cell: GeneratedCell, bigEndian: boolean): Uint8Array {
  const dtype = bound.dtype;
  if (!isNumeric(dtype)) throw new Error("not a number");
  const items: (number | bigint)[] = typeof cell === "object" && cell !== null && "data" in cell
    ? Array.from(cell.data as ArrayLike<number | bigint>)
    : Array.isArray(cell)
    ? [...cell]
    : [typeof cell === "boolean" ? Number(cell) : cell as number | bigint];
  if (dtype === "bool") {
    const bits = new Uint8Array(Math.ceil(items.length / 8));
    items.forEach((item, i) => bits[i >> 3]! |= Number(item) << (i & 7));
    return bits;
  }
  const { size, items: parts } = numericInfo(dtype), width = size / parts;
  const view = new DataView(new ArrayBuffer(items.length * width)), little = !bigEndian;
  items.forEach((item, i) => {
    const at = i * width;
    if (typeof item === "bigint") view.setBigInt64(at, item, little);
    else if (dtype.startsWith("float") || dtype.startsWith("complex")) {
      if (width === 4) view.setFloat32(at, item, little);
      else view.setFloat64(at, item, little);
    } else if (width === 1) view.setUint8(at, item);
    else if (width === 2) view.setUint16(at, item, little);
    else view.setUint32(at, item, little);
  });
  return new Uint8Array(view.buffer);
}

/** Strings of a cell as bytes. */
export function storedStrings(cell: GeneratedCell): Uint8Array[] {
  const strings = typeof cell === "string" ? [cell] : (cell as { data: string[] }).data;
  return strings.map((text) => new TextEncoder().encode(text));
}

/** What stands in the data part for a cell. */
function storedValue(bound: BoundColumn, cell: GeneratedCell, bigEndian: boolean): Uint8Array {
  if (bound.dtype !== "string") return storedNumbers(bound, cell, bigEndian);
  const texts = storedStrings(cell), bytes = new Bytes(bigEndian);
  if (texts.length === 1) return bytes.u32(4 + texts[0]!.length).put(texts[0]!).done();
  bytes.u32(4 + texts.reduce((sum, text) => sum + 4 + text.length, 0));
  for (const text of texts) bytes.u32(text.length).put(text);
  return bytes.done();
}

function isIndirect(bound: BoundColumn): boolean {
  return bound.kind === "record" || (bound.kind === "array" && !bound.direct);
}

/** Puts a column's arrays into an array file and returns the stored offset of each cell. */
function storeArrays(
  files: TableFiles,
  arrays: ArrayFile,
  column: ModelColumn,
  bigEndian: boolean,
): Uint8Array[] {
  const known = new Map<string, Uint8Array>();
  return column.cells.map((cell) => {
    if (cell === null) return new Uint8Array(8);
    const { shape } = cell as { shape: number[] };
    const strings = column.bound.dtype === "string" ? storedStrings(cell) : null;
    const key = JSON.stringify([
      shape,
      strings?.map(String) ?? String(storedNumbers(column.bound, cell, true)),
    ]);
    let stored = known.get(key);
    if (stored === undefined) {
      const dtype = column.bound.dtype === "record" ? "uint8" : column.bound.dtype;
      const { buffer, byteOffset, byteLength } = (cell as { data: Uint8Array }).data;
      const source = strings !== null
        ? { kind: "strings", values: strings } as const
        : { kind: "numeric", bytes: new Uint8Array(buffer, byteOffset, byteLength) } as const;
      const [offset] = runSync(arrays.append(shape, dtype, 1, source, 0), files);
      stored = new Bytes(bigEndian).u64(offset!).done();
      known.set(key, stored);
    }
    return stored;
  });
}

function openArrays(files: TableFiles, name: string, bigEndian: boolean): ArrayFile {
  return runSync(ArrayFile.create(name, { path: name, bigEndian, version: 1 }), files);
}

/** A bucket without its rest. */
function bucketOf(
  columns: readonly (readonly Uint8Array[])[],
  first: number,
  end: number,
  layout: Layout,
): Uint8Array {
  const { bigEndian, wide = false, scattered = false } = layout;
  const entries = columns.map((cells) => {
    const stored: { row: number; value: Uint8Array; offset: number }[] = [];
    // A table without rows has a value for row 0 all the same.
    for (let row = first; row < Math.max(end, first + 1); row++) {
      const value = cells[row]!, last = stored.at(-1);
      if (last !== undefined && !layout.repeated && String(last.value) === String(value)) continue;
      stored.push({ row: row - first, value, offset: 0 });
    }
    return stored;
  });
  const data = new Bytes(bigEndian);
  const all = entries.flat();
  for (const entry of scattered ? all.reverse() : all) {
    entry.offset = data.length;
    data.put(entry.value);
    if (scattered) data.put(Uint8Array.of(JUNK, JUNK, JUNK));
  }
  const bucket = new Bytes(bigEndian).u32(4 + data.length + (wide ? 0x80000000 : 0)).put(data.done());
  for (const stored of entries) {
    bucket.u32(stored.length);
    for (const { row } of stored) wide ? bucket.u64(row) : bucket.u32(row);
    for (const { offset } of stored) bucket.u32(offset);
  }
  return bucket.done();
}

/** Writes an IncrementalStMan with sequence number 0 and returns its blob for `table.dat`. */
export function writeIncremental(
  files: TableFiles,
  columns: readonly ModelColumn[],
  layout: Layout,
): Uint8Array {
  const { bigEndian, starts } = layout,
    { blob = 3, header = bigEndian ? 4 : 5, index = 1 } = layout.versions ?? {};
  const used = starts.length - 1;
  let next = 0, common: ArrayFile | undefined;
  const open: ArrayFile[] = [];
  const stored = columns.map((column) => {
    if (!isIndirect(column.bound)) {
      return column.cells.map((cell) => storedValue(column.bound, cell, bigEndian));
    }
    const perColumn = blob < 3 && !(blob === 1 && header === 3);
    const arrays = perColumn
      ? openArrays(files, `table.f0i${next++}`, bigEndian)
      : common ??= openArrays(files, "table.f0i", bigEndian);
    if (!open.includes(arrays)) open.push(arrays);
    return storeArrays(files, arrays, column, bigEndian);
  });
  for (const arrays of open) {
    runSync(arrays.settle(), files);
    runSync(arrays.flush(), files);
  }
  const buckets = Array.from(
    { length: used },
    (_, j) => bucketOf(stored, starts[j]!, starts[j + 1]!, layout),
  );
  const bucketBytes = Math.max(layout.bucketBytes ?? 0, ...buckets.map((bucket) => bucket.length));
  const numbers = layout.numbers ?? buckets.map((_, j) => j);
  const bucketCount = Math.max(...numbers) + 1;
  const file = new Bytes(bigEndian);
  file.put(
    headerOf({ version: header, bigEndian, bucketBytes, bucketCount, freeBuckets: bucketCount - used }),
  );
  for (let number = 0; number < bucketCount; number++) {
    const bucket = buckets[numbers.indexOf(number)] ?? new Uint8Array(0);
    file.put(bucket).put(new Uint8Array(bucketBytes - bucket.length).fill(JUNK));
  }
  file.put(indexOf({ version: index, bigEndian, starts, numbers })).put(Uint8Array.of(JUNK, JUNK));
  putFile(files, "table.f0", file.done());
  return blobOf(blob, "Model");
}

/** The blob in `table.dat`. */
export function blobOf(version: number, name: string): Uint8Array {
  const writer = new AipsWriter();
  writer.root("ISM", version);
  writer.string(name);
  writer.end();
  return writer.finish();
}

/** 512 bytes of header. */
export function headerOf(
  about: {
    version: number;
    bigEndian: boolean;
    bucketBytes: number;
    bucketCount: number;
    freeBuckets?: number;
  },
): Uint8Array {
  const { version, bigEndian } = about;
  const writer = new AipsWriter({ bigEndian });
  writer.root("IncrementalStMan", version);
  if (version >= 5) writer.bool(bigEndian);
  for (const word of [about.bucketBytes, about.bucketCount, 1, 0]) writer.u32(word);
  if (version >= 2) {
    writer.u32(about.freeBuckets ?? 0);
    writer.i32(-1);
  }
  writer.end();
  const header = new Uint8Array(512);
  header.set(writer.finish());
  return header;
}

/** The index. */
export function indexOf(
  about: {
    version: number;
    bigEndian: boolean;
    starts: readonly number[];
    numbers: readonly number[];
    used?: number;
  },
): Uint8Array {
  const writer = new AipsWriter({ bigEndian: about.bigEndian });
  writer.root("ISMIndex", about.version);
  writer.u32(about.used ?? about.numbers.length);
  if (about.version === 1) writer.blockU32(about.starts);
  else writer.blockU64(about.starts);
  writer.blockU32(about.numbers);
  writer.end();
  return writer.finish();
}

/** Opens what {@linkcode writeIncremental} wrote. */
export function openIncremental(
  files: TableFiles,
  columns: readonly BoundColumn[],
  rowCount: number,
  bigEndian: boolean,
  blob: Uint8Array,
): StorageManager {
  const context = contextOf({ type: "IncrementalStMan", columns, rowCount, bigEndian });
  return runSync(incrementalStMan.open(context, blob), files);
}

/** A scalar column of a numeric type with these values. */
export function scalars(
  name: string,
  dtype: BoundColumn["dtype"],
  cells: readonly GeneratedCell[],
): ModelColumn {
  return { bound: boundColumn(name, { dtype }), cells };
}
