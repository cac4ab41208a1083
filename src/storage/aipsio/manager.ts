/**
 * A StManAipsIO: one file that holds all columns, `table.f<N>`, and an array file. What doesn't change is read from the
 * file; a change is kept in memory until the whole file is written anew. Format reference part 3, part B.
 */
import { codeOf, isNumeric, numericInfo } from "../../array/dtype.ts";
import { elementsOf, type Rows } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import { AipsWriter } from "../../format/aipsio.ts";
import type { Plan } from "../../io/plan.ts";
import type { ArrayFile } from "../arrayfile/array-file.ts";
import { arrayFileName } from "../arrayfile/header.ts";
import { LazyArrayFile } from "../arrayfile/lazy.ts";
import type { Finding } from "../findings.ts";
import type { BoundColumn, ManagedColumn, ManagerContext, ManagerInfo, StorageManager } from "../manager.ts";
import { AipsFile } from "./aips-file.ts";
import { checkAips } from "./check.ts";
import { isIndirect } from "./column-object.ts";
import { type AipsHeader, ROOT_TYPE } from "./header.ts";
import type { AipsHost } from "./host.ts";
import { IndirectColumn } from "./indirect-column.ts";
import { NumericColumn } from "./numeric-column.ts";
import { StringColumn } from "./string-column.ts";
import { checkFileBytes, MOST_BYTES, ValuesColumn } from "./values-column.ts";

/** Versions of the file that is written. */
const VERSION = 2;
/** `table.dat` holds nothing for the manager. */
const NO_BYTES = new Uint8Array(0);
/** Bytes that a row of strings or offsets takes at least. */
const WORD_BYTES = 4;

type Column = ValuesColumn | IndirectColumn;

/** Where the values of a new column are to be found: in no file. */
const NOWHERE = null;

/** The manager of an existing file, or of one to be written. */
export class AipsManager implements StorageManager, AipsHost {
  readonly type = "StManAipsIO";
  readonly name: string;
  readonly sequence: number;
  rowCount: number;
  readonly #context: ManagerContext;
  readonly #columns: Column[];
  readonly #arrayFiles = new Map<string, LazyArrayFile>();
  /** Names of array files that exist. */
  readonly #arrayNames: Set<string>;
  #file: AipsFile | null;
  #version: number;
  #nextNumber: number;
  #changed: boolean;

  /** @param header What the file says; null: there is none yet. @param arrayNames Array files that exist. */
  constructor(
    context: ManagerContext,
    name: string,
    header: AipsHeader | null,
    arrayNames: readonly string[],
  ) {
    this.#context = context;
    this.name = name;
    this.sequence = context.sequence;
    this.rowCount = header?.rowCount ?? 0;
    this.#version = header?.version ?? VERSION;
    this.#nextNumber = header?.uniqueNumber ?? 0;
    this.#changed = header === null;
    this.#arrayNames = new Set(arrayNames);
    this.#file = header === null ? null : this.#fileOf(header, context.columns);
    this.#columns = [];
    if (this.#file === null) return;
    for (const [number, bound] of context.columns.entries()) {
      const stored = { file: this.#file, number };
      this.#columns.push(
        isIndirect(bound)
          ? new IndirectColumn(this, bound, stored, null)
          : new ValuesColumn(this, bound, this.#shapeOf(bound), this.#reader(bound, stored)),
      );
    }
  }

  #fileOf(header: AipsHeader, columns: readonly BoundColumn[]): AipsFile {
    const name = this.#fileName();
    return new AipsFile(name, this.#context.pathOf(name), header, columns);
  }

  #fileName(): string {
    return `table.f${this.sequence}`;
  }

  #shapeOf(bound: BoundColumn): readonly number[] {
    const shape = bound.kind === "scalar" ? [] : bound.shape;
    if (shape !== null) return shape;
    throw new TableError("CORRUPT", `column ${bound.name} is direct, but has no shape`, {
      file: this.#context.pathOf("table.dat"),
    });
  }

  #reader(bound: BoundColumn, { file, number }: { file: AipsFile; number: number }): ManagedColumn {
    const shape = this.#shapeOf(bound);
    return isNumeric(bound.dtype)
      ? new NumericColumn(file, number, bound.dtype, shape)
      : new StringColumn(file, number, shape);
  }

  get info(): ManagerInfo {
    return { version: this.#version };
  }

  get dirty(): boolean {
    return this.#changed || this.#openArrays().some((arrays) => arrays.dirty);
  }

  files(): string[] {
    return [this.#fileName(), ...this.#arrayNames];
  }

  column(index: number): ManagedColumn {
    return this.#columns[index]!;
  }

  touched(): void {
    this.#changed = true;
  }

  arrayFile(column: number | null): LazyArrayFile {
    const name = arrayFileName(this.sequence, column ?? undefined);
    let file = this.#arrayFiles.get(name);
    if (file === undefined) {
      file = new LazyArrayFile(name, this.#context.pathOf(name), true);
      this.#arrayFiles.set(name, file);
    }
    return file;
  }

  noSuchRow(row: number): never {
    throw new TableError("CORRUPT", `row ${row} is not in the file, which has ${this.rowCount} rows`, {
      file: this.#context.pathOf(this.#fileName()),
    });
  }

  #openArrays(): ArrayFile[] {
    return [...this.#arrayFiles.values()].flatMap((file) => file.opened ?? []);
  }

  *check(): Plan<Finding[]> {
    if (this.#file === null) return [];
    return yield* checkAips(this.#file, { ...this.#context, columns: this.#file.columns });
  }

  *addRows(count: number): Plan<void> {
    if (count === 0) return;
    const rows = this.rowCount + count;
    if (rows > MOST_BYTES) {
      throw new TableError("LIMIT", `StManAipsIO holds at most ${MOST_BYTES} rows, not ${rows}`);
    }
    let bytes = 0;
    for (const { bound } of this.#columns) checkFileBytes(bytes += rows * leastBytes(bound), bound);
    for (const column of this.#columns) yield* column.load();
    this.#changed = true;
    for (const column of this.#columns) if (column instanceof IndirectColumn) yield* column.addRows(count);
    this.rowCount = rows;
  }

  *removeRows(rows: Rows): Plan<void> {
    if (rows.length === 0) return;
    for (const column of this.#columns) yield* column.load();
    this.#changed = true;
    for (const column of this.#columns) {
      if (column instanceof IndirectColumn) yield* column.removeRows(rows);
      else column.removeRows(rows);
    }
    this.rowCount -= rows.length;
  }

  *addColumn(bound: BoundColumn): Plan<void> {
    checkFileBytes(this.rowCount * leastBytes(bound), bound);
    if (!isIndirect(bound)) {
      this.#columns.push(new ValuesColumn(this, bound, this.#shapeOf(bound), NOWHERE));
      this.#changed = true;
      return;
    }
    const file = this.arrayFile(null);
    // An old table may have none: each of its columns has its own.
    if (!this.#arrayNames.has(file.name)) {
      yield* file.create(0);
      this.#arrayNames.add(file.name);
    }
    const arrays = { offsets: new Float64Array(0), file, number: this.#nextNumber++, perColumn: false };
    const column = new IndirectColumn(this, bound, NOWHERE, arrays);
    yield* column.addRows(this.rowCount);
    this.#columns.push(column);
    this.#changed = true;
  }

  // deno-lint-ignore require-yield
  *removeColumn(index: number): Plan<void> {
    this.#columns.splice(index, 1);
    this.#changed = true;
  }

  *flush(): Plan<Uint8Array> {
    for (const arrays of this.#openArrays()) yield* arrays.settle();
    if (this.dirty) yield { kind: "barrier" };
    for (const arrays of this.#openArrays()) yield* arrays.flush();
    if (!this.#changed) return NO_BYTES;
    const writer = new AipsWriter();
    writer.root(ROOT_TYPE, VERSION);
    writer.string(this.name);
    for (const word of [this.sequence, this.#nextNumber, this.rowCount, this.#columns.length]) {
      writer.u32(word);
    }
    const columns = this.#columns.map(({ bound }) => bound);
    for (const { kind, dtype } of columns) writer.i32(codeOf(kind === "record" ? "uint8" : dtype));
    const columnsAt = writer.length;
    for (const column of this.#columns) yield* column.encode(writer);
    writer.end();
    const bytes = writer.finish();
    yield { kind: "replace", file: this.#fileName(), bytes };
    this.#version = VERSION;
    this.#changed = false;
    const { name, rowCount } = this;
    this.#file = this.#fileOf(
      { version: VERSION, name, uniqueNumber: this.#nextNumber, rowCount, columnsAt, end: bytes.length },
      columns,
    );
    for (const [number, column] of this.#columns.entries()) {
      if (column instanceof IndirectColumn) continue;
      column.settle(this.#reader(column.bound, { file: this.#file, number }));
    }
    return NO_BYTES;
  }
}

/** Bytes that a row of a column takes in the file, or more. */
function leastBytes(bound: BoundColumn): number {
  if (isIndirect(bound)) return WORD_BYTES;
  const { dtype } = bound, elements = elementsOf(bound.shape ?? []);
  if (dtype === "bool") return bound.kind === "scalar" ? 1 / 8 : Math.ceil(elements / 8);
  return isNumeric(dtype) ? elements * numericInfo(dtype).size : elements * WORD_BYTES;
}
