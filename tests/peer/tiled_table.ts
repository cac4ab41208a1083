/**
 * The tiled columns of a table on disk, without floor 4: `table.dat` is read, its tiled managers are opened, and cells
 * come in the form of `table cat` after JSON.parse.
 */
import { numericInfo, type NumericType, viewOf } from "../../src/array/dtype.ts";
import { elementsOf, rowRange, type Rows } from "../../src/array/rows.ts";
import { readTableDat } from "../../src/format/table-dat.ts";
import { readTableLock } from "../../src/format/table-lock.ts";
import { openBackend } from "../../src/io/backends.ts";
import { runSync } from "../../src/io/drivers.ts";
import { TableFiles } from "../../src/io/files.ts";
import type { Plan } from "../../src/io/plan.ts";
import type { BoundColumn, ManagerContext, ManagerKind, StorageManager } from "../../src/storage/manager.ts";
import { tiledCellStMan } from "../../src/storage/tiled/cell.ts";
import { tiledColumnStMan } from "../../src/storage/tiled/column.ts";
import { tiledDataStMan } from "../../src/storage/tiled/data.ts";
import { tiledShapeStMan } from "../../src/storage/tiled/shape.ts";
import type { WritableTiled } from "../../src/storage/tiled/writable.ts";
import { type GeneratedCell, printedCell } from "./oracle/values.ts";

const KINDS: readonly ManagerKind[] = [tiledShapeStMan, tiledColumnStMan, tiledCellStMan, tiledDataStMan];

/** A table's tiled managers, open. */
export class TiledTable implements Disposable {
  readonly files: TableFiles;
  readonly rowCount: number;
  readonly managers = new Map<number, StorageManager>();
  readonly contexts = new Map<number, ManagerContext>();
  readonly #places = new Map<string, { column: BoundColumn; manager: number; index: number }>();

  /**
   * @param make Makes managers rather than opening them, without rows.
   * @param renews Hypercubes that are overwritten go to new files, however small they are.
   */
  constructor(path: string, options: { writable?: boolean; make?: MakeOptions; renews?: boolean } = {}) {
    const dat = readTableDat(Deno.readFileSync(`${path}/table.dat`), `${path}/table.dat`);
    if (dat.kind !== "PlainTable") throw new Error(`${path} is a ${dat.kind}`);
    this.files = new TableFiles(path, openBackend("node"), { writable: options.writable ?? false });
    const { sync } = readTableLock(Deno.readFileSync(`${path}/table.lock`), `${path}/table.lock`);
    this.rowCount = options.make !== undefined ? 0 : sync?.rowCount || dat.rowCount;
    for (const { type, sequence, blob } of dat.columnSet.managers) {
      const kind = KINDS.find((each) => each.serves(type));
      if (kind === undefined) continue;
      const columns = dat.desc.columns.flatMap((desc, i): BoundColumn[] => {
        const binding = dat.columnSet.columns[i]!;
        if (binding.sequence !== sequence) return [];
        const { name, kind, dtype, maxLength, keywords } = desc;
        const shape = binding.shape;
        const ndim = kind === "array" ? shape?.length ?? desc.ndim : 0;
        return [{
          name,
          kind: kind as "scalar" | "array",
          dtype: dtype!,
          direct: false,
          shape,
          ndim,
          maxLength,
          keywords,
        }];
      });
      const no = () => {
        throw new Error("not here");
      };
      const context: ManagerContext = {
        type,
        sequence,
        columns,
        rowCount: this.rowCount,
        bigEndian: dat.bigEndian,
        privateKeywords: dat.desc.privateKeywords,
        source: { column: no, foreignColumn: no, tableKeywords: no },
        pathOf: (file) => `${path}/${file}`,
        alone: () => options.renews ?? false,
      };
      const made = options.make?.[sequence];
      const plan = made === undefined
        ? kind.open(context, blob)
        : kind.create!(context, { type, name: made.name, options: made.options });
      this.contexts.set(sequence, context);
      const manager = this.run(plan);
      if (options.renews) (manager as WritableTiled).renewals.limits = { cubeBytes: 1, putBytes: 1 };
      this.managers.set(sequence, manager);
      columns.forEach((column, index) => this.#places.set(column.name, { column, manager: sequence, index }));
    }
  }

  run<T>(plan: Plan<T>): T {
    return runSync(plan, this.files);
  }

  get columnNames(): string[] {
    return [...this.#places.keys()];
  }

  managerOf(column: string): StorageManager {
    return this.managers.get(this.#places.get(column)!.manager)!;
  }

  indexOf(column: string): number {
    return this.#places.get(column)!.index;
  }

  /** A cell; null if undefined. */
  cell(name: string, row: number): GeneratedCell {
    const { column, index } = this.#places.get(name)!;
    const rows = rowRange(row, 1);
    const shape = column.kind === "scalar"
      ? []
      : this.run(this.managerOf(name).column(index).shapes(rows))[0]!.shape;
    return shape === null ? null : this.column(name, rows, shape)[0]!;
  }

  /** Cells of one shape, read at once. */
  column(name: string, rows: Rows, shape: readonly number[]): GeneratedCell[] {
    const { column, index } = this.#places.get(name)!;
    const managed = this.managerOf(name).column(index);
    if (column.dtype === "string") {
      const values: unknown[] = new Array(rows.length);
      const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      this.run(managed.read(rows, shape, null, { kind: "strings", values, decode }, 0));
      return values as string[];
    }
    const dtype = column.dtype as NumericType;
    const elements = elementsOf(shape), { size } = numericInfo(dtype);
    const bytes = new Uint8Array(elements * rows.length * size);
    this.run(managed.read(rows, shape, null, { kind: "numeric", bytes }, 0));
    return Array.from({ length: rows.length }, (_, i): GeneratedCell => {
      const data = viewOf(dtype, bytes.buffer, i * elements * size, elements);
      if (column.kind === "array") return { dtype, shape: [...shape], data };
      if (dtype === "bool") return data[0] === 1;
      return data.length === 2 ? [Number(data[0]), Number(data[1])] : data[0]!;
    });
  }

  /** All cells, row by row. */
  rows(end = this.rowCount): Record<string, unknown>[] {
    return Array.from(
      { length: end },
      (_, row) =>
        Object.fromEntries(this.columnNames.map((name) => [name, printedCell(this.cell(name, row))])),
    );
  }

  /** Writes a cell as the generator makes it. */
  put(name: string, row: number, cell: GeneratedCell): void {
    if (cell === null) return;
    const { column, index } = this.#places.get(name)!;
    const managed = this.managerOf(name).column(index);
    const dtype = column.dtype as NumericType;
    let shape: readonly number[] = [], bytes: Uint8Array;
    if (typeof cell === "object" && "shape" in cell) {
      shape = cell.shape;
      const { buffer, byteOffset, byteLength } = cell.data as Uint8Array;
      bytes = new Uint8Array(buffer, byteOffset, byteLength);
    } else {
      bytes = new Uint8Array(numericInfo(dtype).size);
      const view = viewOf(dtype, bytes.buffer as ArrayBuffer, 0, 1) as unknown as unknown[];
      const items = Array.isArray(cell) ? cell : [typeof cell === "boolean" ? Number(cell) : cell];
      items.forEach((item, i) => view[i] = item);
    }
    this.run(managed.write!(rowRange(row, 1), shape, null, { kind: "numeric", bytes }, 0));
  }

  /** Writes cells of one shape; `bytes`: their values behind each other. */
  putColumn(name: string, rows: Rows, shape: readonly number[], bytes: Uint8Array): void {
    const managed = this.managerOf(name).column(this.indexOf(name));
    this.run(managed.write!(rows, shape, null, { kind: "numeric", bytes }, 0));
  }

  flush(): void {
    for (const manager of this.managers.values()) this.run(manager.flush!());
    this.files.flush();
  }

  [Symbol.dispose](): void {
    this.files.close();
  }
}

/** Name and options of the managers to make, by sequence number. */
export type MakeOptions = Readonly<
  Record<number, { name: string; options: Readonly<Record<string, unknown>> }>
>;
