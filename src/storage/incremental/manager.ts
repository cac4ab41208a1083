/**
 * An IncrementalStMan: `table.f<N>` with its header, buckets and index, and `table.f<N>i` if there are arrays outside the
 * buckets. In memory are the header, the index and the buckets that were changed last.
 */
import type { Rows } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import type { Plan } from "../../io/plan.ts";
import { arrayFileName } from "../arrayfile/header.ts";
import { LazyArrayFile } from "../arrayfile/lazy.ts";
import type { Finding } from "../findings.ts";
import type {
  BoundColumn,
  BucketGrid,
  ManagedColumn,
  ManagerContext,
  ManagerInfo,
  StorageManager,
} from "../manager.ts";
import type { BucketFile } from "./bucket-file.ts";
import { checkIncremental } from "./check.ts";
import { BucketEditor } from "./editor.ts";
import { BLOB_VERSION, formatBlob, formatHeader, formatIndex, type IncrementalBlob } from "./header.ts";
import { IndirectColumn, storedType } from "./indirect-column.ts";
import { firstValue, isIndirect, valueBytes } from "./layout.ts";
import type { BucketForm } from "./open-bucket.ts";
import { SharedArrays } from "./shared-arrays.ts";
import { ValuesColumn } from "./values-column.ts";

/** What a manager is made of. */
export interface IncrementalParts {
  readonly context: ManagerContext;
  readonly blob: IncrementalBlob;
  readonly file: BucketFile;
  /** Each indirect column has an array file of its own, as in old tables. */
  readonly filePerColumn: boolean;
  /** Names of array files that are there. */
  readonly arrayNames: readonly string[];
  /** True for a new one. */
  readonly fresh: boolean;
}

/** An open manager. */
export class IncrementalManager implements StorageManager {
  readonly type = "IncrementalStMan";
  readonly name: string;
  readonly sequence: number;
  readonly #context: ManagerContext;
  readonly #blobVersion: number;
  readonly #filePerColumn: boolean;
  readonly #file: BucketFile;
  readonly #editor: BucketEditor;
  #arrays: readonly (SharedArrays | null)[];
  readonly #arrayNames: Set<string>;
  readonly #columns: readonly ManagedColumn[];
  /** The file may hold bytes behind the index that are none of anyone's. */
  #shrinks = false;

  constructor({ context, blob, file, filePerColumn, arrayNames, fresh }: IncrementalParts) {
    const { columns } = context;
    this.name = blob.name;
    this.sequence = context.sequence;
    this.#context = context;
    this.#blobVersion = filePerColumn ? blob.version : BLOB_VERSION;
    this.#file = file;
    this.#arrays = arrayFiles(context, filePerColumn);
    this.#arrayNames = new Set(arrayNames);
    this.#filePerColumn = filePerColumn;
    this.#editor = new BucketEditor(file, formOf(file, columns, this.#arrays), fresh);
    file.settle = () => this.#editor.settle();
    this.#columns = columns.map((bound, i) => {
      const shared = this.#arrays[i]!;
      if (shared !== null) return new IndirectColumn(this.#editor, i, bound, shared);
      if (bound.kind === "array" && bound.shape === null) {
        throw new TableError("CORRUPT", `column ${bound.name} is direct, but has no shape`, {
          file: context.pathOf("table.dat"),
        });
      }
      return new ValuesColumn(this.#editor, i, bound);
    });
  }

  get rowCount(): number {
    return this.#file.rowCount;
  }

  get dirty(): boolean {
    return this.#editor.dirty ||
      this.#sharedArrays().some(({ references, file }) => references.dirty || file.opened?.dirty);
  }

  grids(): BucketGrid[] {
    const { name, bucketBytes, bucketCount } = this.#file;
    return [{ file: name, offset: this.#file.offsetOf(0), bucketBytes, count: bucketCount }];
  }

  get info(): ManagerInfo {
    const { bucketBytes, bucketCount, freeBuckets } = this.#file;
    return { bucketSize: bucketBytes, buckets: bucketCount, freeBuckets };
  }

  files(): string[] {
    return [this.#file.name, ...this.#arrayNames];
  }

  column(index: number): ManagedColumn {
    return this.#columns[index]!;
  }

  check(): Plan<Finding[]> {
    const arrays = this.#arrays.map((shared) => shared?.file ?? null);
    return checkIncremental({ bound: this.#context.columns, file: this.#file, arrays });
  }

  /** Each array file once. */
  #sharedArrays(): SharedArrays[] {
    return [...new Set(this.#arrays)].filter((shared) => shared !== null);
  }

  /** Plan: the files of a table without rows. */
  *startAnew(): Plan<void> {
    const { columns, bigEndian } = this.#context;
    for (const shared of this.#sharedArrays()) {
      yield* shared.create();
      this.#arrayNames.add(shared.file.name);
    }
    this.#editor.startAnew(columns.map((column) => firstValue(column, bigEndian)));
    for (const column of this.#columns) if (column instanceof IndirectColumn) yield* column.startRows();
    this.#shrinks = true;
  }

  // deno-lint-ignore require-yield
  *addRows(count: number): Plan<void> {
    const rows = this.rowCount + count;
    if (!Number.isSafeInteger(rows)) {
      throw new TableError("LIMIT", `a table can't have ${rows} rows`, { file: this.#file.path });
    }
    if (count > 0) this.#editor.addRows(count);
  }

  *removeRows(rows: Rows): Plan<void> {
    if (rows.length === 0) return;
    if (rows.length >= this.rowCount) return yield* this.startAnew();
    yield* this.#editor.removeRows([...rows.runs()]);
  }

  /** casacore can't, but opens what comes of it. */
  *addColumn(bound: BoundColumn): Plan<void> {
    const { columns, bigEndian } = this.#context;
    if (bound.kind === "array" && bound.direct && bound.shape === null) {
      throw new TableError("INVALID_ARGUMENT", `column ${bound.name} is direct, but has no shape`);
    }
    let value = firstValue(bound, bigEndian), arrays: SharedArrays | null = null;
    if (isIndirect(bound)) {
      arrays = (this.#filePerColumn ? undefined : this.#sharedArrays()[0]) ?? this.#newArrays();
      if (!this.#arrayNames.has(arrays.file.name)) yield* arrays.create();
      this.#arrayNames.add(arrays.file.name);
      if (bound.shape !== null) {
        const [offset] = yield* (yield* arrays.file.open()).reserve(bound.shape, storedType(bound), 1);
        arrays.references.made(offset!);
        value = arrays.stored(offset!);
      }
    }
    const old = this.#arrays;
    this.#arrays = [...old, arrays];
    const form = formOf(this.#file, [...columns, bound], this.#arrays);
    yield* this.#editor.recast(form, [...columns.keys(), value]);
    if (arrays !== null) this.#file.uniqueNumber++;
  }

  #newArrays(): SharedArrays {
    const { sequence, bigEndian } = this.#context;
    const number = this.#filePerColumn ? this.#sharedArrays().length : undefined;
    return openArrays(this.#context, arrayFileName(sequence, number), bigEndian);
  }

  /** casacore can't, but opens what comes of it. */
  *removeColumn(index: number): Plan<void> {
    const { columns } = this.#context, removed = this.#arrays[index]!;
    const arrays = this.#arrays.filter((_, i) => i !== index);
    // Their files are numbered by the order of the columns.
    if (removed !== null && this.#filePerColumn && arrays.slice(index).some((each) => each !== null)) {
      throw new TableError(
        "UNSUPPORTED",
        `column ${
          columns[index]!.name
        } can't be removed from a manager that has a file for each array column`,
        { file: this.#file.path },
      );
    }
    const left = columns.filter((_, i) => i !== index);
    yield* this.#editor.recast(
      formOf(this.#file, left, arrays),
      [...columns.keys()].filter((i) => i !== index),
    );
    this.#arrays = arrays;
    if (removed === null || arrays.includes(removed)) return;
    this.#arrayNames.delete(removed.file.name);
    yield { kind: "remove", file: removed.file.name };
  }

  *flush(): Plan<Uint8Array> {
    const { bigEndian } = this.#context, file = this.#file;
    if (this.dirty) {
      yield* this.#editor.settle();
      for (const shared of this.#sharedArrays()) yield* shared.settle();
      yield { kind: "barrier" };
      for (const shared of this.#sharedArrays()) yield* shared.file.opened?.flush() ?? [];
    }
    if (this.#editor.dirty) {
      const at = file.offsetOf(file.bucketCount), index = formatIndex(file.index, bigEndian);
      if (this.#shrinks) {
        yield { kind: "resize", file: file.name, length: at + index.length, shrink: true };
        this.#shrinks = false;
      }
      yield { kind: "write", file: file.name, offset: at, bytes: index };
      yield { kind: "barrier" };
      yield { kind: "write", file: file.name, offset: 0, bytes: formatHeader(file.header(), bigEndian) };
      this.#editor.dirty = false;
    }
    return formatBlob({ version: this.#blobVersion, name: this.name });
  }
}

/** For each column its array file: one for all, or one each, or null for columns whose values are in the buckets. */
function arrayFiles(context: ManagerContext, perColumn: boolean): (SharedArrays | null)[] {
  const { sequence, bigEndian, columns } = context;
  const open = (name: string) => openArrays(context, name, bigEndian);
  const common = open(arrayFileName(sequence));
  let next = 0;
  return columns.map((column: BoundColumn, i) => {
    if (!isIndirect(column)) return null;
    const shared = perColumn ? open(arrayFileName(sequence, next++)) : common;
    shared.columns.push(i);
    return shared;
  });
}

function openArrays(context: ManagerContext, name: string, bigEndian: boolean): SharedArrays {
  return new SharedArrays(new LazyArrayFile(name, context.pathOf(name), bigEndian), bigEndian);
}

/** What buckets have to know of columns. */
function formOf(
  file: BucketFile,
  columns: readonly BoundColumn[],
  arrays: readonly (SharedArrays | null)[],
): BucketForm {
  return {
    bucketBytes: file.bucketBytes,
    bigEndian: file.bigEndian,
    valueBytes: columns.map(valueBytes),
    watchers: arrays.map((shared) => {
      if (shared === null) return null;
      return (value, change) => shared.references.change(shared.offsetIn(value), change);
    }),
  };
}
