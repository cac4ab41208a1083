/** Complete tables of one StandardStMan on disk, written and changed without floor 4, and what of their bytes counts. */
import { isNumeric, numericInfo } from "../../src/array/dtype.ts";
import { elementsOf, rowList } from "../../src/array/rows.ts";
import { newPlainTable, newTableDesc, withBlobs, withRowCount } from "../../src/format/new-table.ts";
import { type PlainTableDat, readTableDat, writeTableDat } from "../../src/format/table-dat.ts";
import { EMPTY_INFO, writeTableInfo } from "../../src/format/table-info.ts";
import { freshSync, nextSync, readTableLock, writeTableLock } from "../../src/format/table-lock.ts";
import { openBackend } from "../../src/io/backends.ts";
import { runSync } from "../../src/io/drivers.ts";
import { TableFiles } from "../../src/io/files.ts";
import { standardStMan } from "../../src/storage/standard/mod.ts";
import { Bench, boundColumns, contextOf, openTable } from "../unit/storage_standard_support.ts";
import { headerOf } from "../unit/storage_standard_structure.ts";
import type { Job } from "./peer.ts";
import { type GeneratedCell, generatedCell, type JobColumn } from "./oracle/values.ts";

/** A table under our hands. */
export class StandardTable implements Disposable {
  readonly path: string;
  readonly columns: readonly JobColumn[];
  readonly bench: Bench;
  #dat: PlainTableDat;
  #closed = false;

  private constructor(path: string, columns: readonly JobColumn[], bench: Bench, dat: PlainTableDat) {
    this.path = path;
    this.columns = columns;
    this.bench = bench;
    this.#dat = dat;
  }

  /** Makes a table as the job says; cells are not filled. */
  static create(job: Job, name = "StandardStMan"): StandardTable {
    const columns = job.columns ?? [];
    const desc = newTableDesc({
      columns: columns.map(({ name, kind = "scalar", dtype, shape, ndim, direct, maxLength }) => ({
        name,
        kind,
        dtype,
        shape: shape ?? null,
        ...(ndim === undefined ? {} : { ndim }),
        ...(direct === undefined ? {} : { direct }),
        ...(maxLength === undefined ? {} : { maxLength }),
      })),
    });
    const bigEndian = job.byteOrder === "big";
    const rowCount = job.rows ?? 0;
    const managers = [{ type: "StandardStMan", columns: columns.map((column) => column.name) }];
    const dat = newPlainTable(desc, { rowCount, bigEndian, managers });
    Deno.mkdirSync(job.table);
    const backend = openBackend("node");
    const files = new TableFiles(job.table, backend, { writable: true });
    const context = contextOf(boundColumns(dat), rowCount, { bigEndian, folder: job.table });
    const spec = (job.managers?.[0]?.spec ?? {}) as { BUCKETROWS?: number; BUCKETSIZE?: number };
    const options = {
      ...(spec.BUCKETROWS === undefined ? {} : { bucketRows: spec.BUCKETROWS }),
      ...(spec.BUCKETSIZE === undefined ? {} : { bucketSize: spec.BUCKETSIZE }),
    };
    const plan = standardStMan.create!(context, {
      type: "StandardStMan",
      name: job.managers?.[0]?.name ?? name,
      options,
    });
    return new StandardTable(
      job.table,
      columns,
      new Bench(context, files, backend, runSync(plan, files)),
      dat,
    );
  }

  /** Opens a table for changes. */
  static open(path: string, columns: readonly JobColumn[]): StandardTable {
    const table = openTable(path, { writable: true });
    const bench = table.benches[0]!;
    return new StandardTable(path, columns, bench, table.dat);
  }

  /** Puts generated values, one column after the other. */
  fill(seed: number, options: { columns?: readonly string[]; rows?: readonly number[] } = {}): void {
    const rows = options.rows ?? Array.from({ length: this.bench.rows }, (_, row) => row);
    for (const name of options.columns ?? this.columns.map((column) => column.name)) {
      const column = this.columns.find((each) => each.name === name)!;
      for (const row of rows) this.put(name, row, generatedCell(column, seed, row));
    }
  }

  /** Puts a cell; null and records are left out. */
  put(name: string, row: number, cell: GeneratedCell): void {
    const index = this.bench.context.columns.findIndex((column) => column.name === name);
    if (cell === null || (typeof cell === "object" && "record" in cell)) return;
    const rows = rowList([row]);
    if (typeof cell === "object" && "shape" in cell) {
      return this.bench.put(index, [...cell.data], { rows, shape: cell.shape });
    }
    const items = typeof cell === "object" ? cell : [typeof cell === "boolean" ? Number(cell) : cell];
    this.bench.put(index, items, { rows, shape: [] });
  }

  /** Writes everything that makes the files a table. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const blob = this.bench.flush();
    this.bench.files.close();
    const { rows, context } = this.bench;
    const dat = withRowCount(withBlobs(this.#dat, new Map([[context.sequence, blob]])), rows);
    Deno.writeFileSync(`${this.path}/table.dat`, writeTableDat(dat));
    const { length } = dat.desc.columns;
    const old = lockOf(this.path);
    const managers = dat.columnSet.managers.map(() => true);
    const sync = old === null
      ? freshSync(rows, length, managers.length)
      : nextSync(old, { rowCount: rows, columnCount: length, table: true, managers });
    Deno.writeFileSync(`${this.path}/table.lock`, writeTableLock({ requests: [], sync }));
    if (old === null) Deno.writeFileSync(`${this.path}/table.info`, writeTableInfo(EMPTY_INFO));
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function lockOf(path: string) {
  try {
    return readTableLock(Deno.readFileSync(`${path}/table.lock`), "table.lock").sync;
  } catch {
    return null;
  }
}

/** A table's manager files with all bytes that mean nothing made zero; names are those of the files. */
export function meaningfulBytes(path: string): Map<string, Uint8Array> {
  const dat = readTableDat(Deno.readFileSync(`${path}/table.dat`), "table.dat");
  if (dat.kind !== "PlainTable") throw new Error("not a plain table");
  const table = openTable(path);
  const { context, manager } = table.benches[0]!;
  table.close();
  const { columns, bigEndian } = context;
  const file = Deno.readFileSync(`${path}/table.f0`);
  const files = new Map<string, Uint8Array>([["table.f0", file]]);
  const view = new DataView(file.buffer);
  const header = headerOf(file, bigEndian);
  const { bucketSize } = header;
  const start = (bucket: number) => 512 + bucket * bucketSize;
  // AipsIO lengths don't count the magic.
  file.fill(0, 4 + view.getUint32(4, !bigEndian), 512);
  let free = header.firstFree;
  for (let n = 0; n < header.freeBuckets; n++) {
    const next = view.getInt32(start(free));
    file.fill(0, start(free) + 4, start(free) + bucketSize);
    free = next;
  }
  let left = header.indexLength, bucket = header.firstIndex;
  for (let n = 0; n < header.indexBuckets; n++) {
    const from = header.indexOffset || 8;
    const used = Math.min(left, bucketSize - from);
    file.fill(0, start(bucket) + 8, start(bucket) + from);
    file.fill(0, start(bucket) + from + used, start(bucket) + bucketSize);
    left -= used;
    bucket = view.getInt32(start(bucket) + 4);
  }

  const offsets = offsetsIn(dat);
  const dataBuckets = manager.info.dataBuckets as number;
  const rowsPerBucket = (manager.info.bucketRows as number[])[0]!;
  const stringBuckets = new Set<number>();
  const arrays: { offset: number; dtype: string }[] = [];
  // Data buckets of a fresh table come first.
  columns.forEach((column, c) => {
    for (let row = 0; row < table.rowCount; row++) {
      const at = start(Math.floor(row / rowsPerBucket)) + offsets[c]!;
      const slot = row % rowsPerBucket;
      if (column.dtype === "string" && !(column.kind === "scalar" && column.maxLength > 0)) {
        const ref = at + 12 * slot;
        const length = view.getInt32(ref + 8, !bigEndian);
        if (column.kind === "scalar" && length <= 8) file.fill(0, ref + length, ref + 8);
        else if (length === 0) file.fill(0, ref, ref + 8);
        else stringBuckets.add(view.getInt32(ref, !bigEndian));
      } else if (column.kind === "record" || (column.kind === "array" && !column.direct)) {
        const offset = Number(view.getBigInt64(at + 8 * slot, !bigEndian));
        if (offset > 0) arrays.push({ offset, dtype: column.dtype === "record" ? "uint8" : column.dtype });
      }
    }
  });
  if (dataBuckets !== Math.ceil(table.rowCount / rowsPerBucket)) throw new Error("not a fresh table");
  for (const number of stringBuckets) {
    for (let next = number; next >= 0; next = view.getInt32(start(next) + 12)) {
      file.fill(0, start(next) + 16 + view.getInt32(start(next) + 4), start(next) + bucketSize);
    }
  }
  if (manager.files().includes("table.f0i")) {
    files.set("table.f0i", meaningfulArrays(Deno.readFileSync(`${path}/table.f0i`), arrays, bigEndian));
  }
  return files;
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

/** Where columns begin in a bucket, from the blob: its first block follows the name (format reference part 2, section 1). */
function offsetsIn(dat: PlainTableDat): number[] {
  const { blob } = dat.columnSet.managers[0]!;
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const name = view.getUint32(4 + 4 + 4 + 3 + 4);
  const at = 4 + 4 + 4 + 3 + 4 + 4 + name + 4 + 4 + 5 + 4;
  return Array.from({ length: view.getUint32(at) }, (_, i) => view.getUint32(at + 4 + 4 * i));
}
