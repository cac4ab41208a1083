/**
 * A concatenated table: several tables behind each other (format reference part 1, section 10). Columns, keywords and
 * subtables are those of the first one; subtables that the table lists are concatenated too.
 */
import { elementsOf, rowRange, type RowRun, type Rows, sameShape } from "../array/rows.ts";
import { TableError } from "../error.ts";
import type { TableInfo } from "../format/table-info.ts";
import type { TableRecord } from "../format/table-record.ts";
import type { FileAccess } from "../io/access.ts";
import type { IoStats } from "../io/counters.ts";
import type { TableFiles } from "../io/files.ts";
import { delegate, type Plan } from "../io/plan.ts";
import type { BoundColumn, ManagedColumn, ShapeRun } from "../storage/manager.ts";
import type { BodyColumn, ManagerDescription, ManagerDetails, TableBody } from "./body.ts";
import { infoOf } from "./info.ts";

/** An open concatenation; it owns its parts, but for borrowed ones. One on no disk has the path of its first part. */
export class ConcatenationBody implements TableBody {
  readonly kind = "concatenation";
  /** Names of the table keywords whose subtables are concatenated too. */
  readonly subtables: readonly string[];
  readonly parts: readonly TableBody[];
  readonly #files: TableFiles | null;
  readonly #borrowed: ReadonlySet<TableBody>;
  /** The columns, and those of the parts that they were made of. */
  #columns: { readonly of: readonly (readonly BodyColumn[])[]; readonly list: readonly BodyColumn[] };

  /**
   * `files` is null for a concatenation that is on no disk; `borrowed` are parts that belong to other tables, which commit
   * and close them.
   *
   * @throws TableError CORRUPT when the parts have other columns than the first, or of other types
   */
  constructor(
    files: TableFiles | null,
    subtables: readonly string[],
    parts: readonly TableBody[],
    borrowed: ReadonlySet<TableBody> = new Set(),
  ) {
    this.#files = files;
    this.subtables = subtables;
    this.parts = parts;
    this.#borrowed = borrowed;
    this.#columns = this.#columnsOf();
  }

  /** They may have changed in the parts. */
  get columns(): readonly BodyColumn[] {
    if (this.parts.some((part, i) => part.columns !== this.#columns.of[i])) this.#columns = this.#columnsOf();
    return this.#columns.list;
  }

  #columnsOf(): { of: readonly (readonly BodyColumn[])[]; list: readonly BodyColumn[] } {
    return {
      of: this.parts.map((part) => part.columns),
      list: this.#first.columns.map((column) => this.#column(column)),
    };
  }

  /** True when `table.dat` says what its parts are. */
  get onDisk(): boolean {
    return this.#files !== null;
  }

  /** First row of each part, and the number of rows, which may grow in parts that others have open, too. */
  #starts(): readonly number[] {
    const starts = [0];
    for (const part of this.parts) starts.push(starts.at(-1)! + part.rowCount);
    return starts;
  }

  get #first(): TableBody {
    return this.parts[0]!;
  }
  get path(): string {
    return this.#files?.directory ?? this.#first.path;
  }
  get writable(): boolean {
    return this.parts.every((part) => part.writable);
  }
  get bigEndian(): boolean {
    return this.#first.bigEndian;
  }
  get rowCount(): number {
    return this.#starts().at(-1)!;
  }
  get keywords(): TableRecord {
    return this.#first.keywords;
  }
  get managers(): readonly ManagerDescription[] {
    return this.#first.managers;
  }
  get keywordsDirectory(): string {
    return this.#first.keywordsDirectory;
  }
  get parents(): readonly string[] {
    return this.parts.map((part) => part.path);
  }
  /** casacore takes the parts as they are: a subtable that two of them name counts twice. */
  subtableOwners(keyword: string): readonly TableBody[] {
    return this.subtables.includes(keyword) ? this.parts : [this.#first];
  }
  get access(): FileAccess {
    return this.#first.access;
  }
  get stats(): IoStats {
    return this.#first.stats;
  }

  check(): void {
    for (const part of this.parts) part.check();
  }

  info(): TableInfo {
    return this.#files === null ? this.#first.info() : infoOf(this.#files);
  }

  *managerDetails(sequence: number): Plan<ManagerDetails | null> {
    return yield* delegate(this.#first.access, this.#first.managerDetails(sequence));
  }

  addRows(): never {
    throw new TableError("INVALID_ARGUMENT", "rows can't be added to a concatenated table", {
      file: this.path,
    });
  }

  moved(): boolean {
    return this.parts.some((part) => part.moved());
  }
  refresh(): void {
    for (const part of this.parts) if (part.moved()) part.refresh();
  }
  beginChange(): void {
    for (const part of this.parts) part.beginChange();
  }
  lock(kind: "read" | "write", timeoutMs?: number): void {
    for (const part of this.parts) part.lock(kind, timeoutMs);
  }
  async lockAsync(kind: "read" | "write", timeoutMs?: number): Promise<void> {
    for (const part of this.parts) await part.lockAsync(kind, timeoutMs);
  }
  unlock(): void {
    for (const part of this.parts) part.unlock();
  }
  discard(): void {
    for (const part of this.parts) part.discard();
  }

  flush(options: { durable: boolean; last?: boolean }): void {
    for (const part of this.parts) {
      // Closing a table commits it; closing what only looks at it doesn't.
      if (!this.#borrowed.has(part) || options.last !== true) part.flush(options);
    }
  }

  close(): void {
    this.#files?.close();
    for (const part of this.parts) if (!this.#borrowed.has(part)) part.close();
  }

  #column(first: BodyColumn): BodyColumn {
    const { name } = first.bound;
    const columns = this.parts.map((part) => {
      const column = part.columns.find((one) => one.bound.name === name);
      if (column === undefined || !sameType(column.bound, first.bound)) {
        throw new TableError(
          "CORRUPT",
          `column ${name} is ${
            column === undefined ? "missing" : "of another type"
          } in ${part.path}; all parts of a concatenation have the same columns`,
          { file: this.path },
        );
      }
      return column;
    });
    const parts = this.parts, starts = () => this.#starts();
    return {
      bound: commonBound(columns.map((column) => column.bound)),
      description: first.description,
      manager: first.manager,
      keywords: first.keywords,
      supported: columns.every((column) => column.supported),
      *open() {
        const managed: Part[] = [];
        for (const [i, column] of columns.entries()) {
          const { access } = parts[i]!;
          managed.push({ access, column: yield* delegate(access, column.open()) });
        }
        return concatenated(managed, starts);
      },
    };
  }
}

interface Part {
  readonly access: FileAccess;
  readonly column: ManagedColumn;
}

function sameType(a: BoundColumn, b: BoundColumn): boolean {
  return a.kind === b.kind && a.dtype === b.dtype;
}

/** What the descriptions have in common: fixed shapes that differ are free ones. */
function commonBound(bounds: readonly BoundColumn[]): BoundColumn {
  const [first] = bounds;
  const { shape, ndim } = first!;
  const sameFixed = shape !== null &&
    bounds.every((one) => one.shape !== null && sameShape(one.shape, shape));
  const sameNdim = bounds.every((one) => one.ndim === ndim);
  return { ...first!, shape: sameFixed ? shape : null, ndim: sameNdim ? ndim : -1 };
}

/** Stretches of rows that lie in one part: the part, its own rows, and where they stand in the selection. */
function* pieces(rows: Rows, starts: readonly number[]): Generator<{ part: number; run: RowRun }> {
  for (const { row, count, index } of rows.runs()) {
    for (let at = row; at < row + count;) {
      let part = 0;
      while (starts[part + 1]! <= at) part++;
      const end = Math.min(row + count, starts[part + 1]!);
      yield { part, run: { row: at - starts[part]!, count: end - at, index: index + at - row } };
      at = end;
    }
  }
}

function concatenated(parts: readonly Part[], starts: () => readonly number[]): ManagedColumn {
  const writable = parts.every(({ column }) => column.write !== undefined);
  return {
    *shapes(rows) {
      const runs: ShapeRun[] = [];
      for (const { part, run } of pieces(rows, starts())) {
        const { access, column } = parts[part]!;
        for (const one of yield* delegate(access, column.shapes(rowRange(run.row, run.count)))) {
          runs.push(one);
        }
      }
      return runs;
    },
    *read(rows, cellShape, box, target, at) {
      const each = elementsOf(box === null ? cellShape : box.shape);
      for (const { part, run } of pieces(rows, starts())) {
        const { access, column } = parts[part]!;
        const plan = column.read(rowRange(run.row, run.count), cellShape, box, target, at + run.index * each);
        yield* delegate(access, plan);
      }
    },
    ...(writable
      ? {
        *write(rows, cellShape, box, source, at): Plan<void> {
          const each = elementsOf(box === null ? cellShape : box.shape);
          for (const { part, run } of pieces(rows, starts())) {
            const { access, column } = parts[part]!;
            const own = rowRange(run.row, run.count);
            yield* delegate(access, column.write!(own, cellShape, box, source, at + run.index * each));
          }
        },
      } satisfies Partial<ManagedColumn>
      : {}),
    tileShape: parts[0]!.column.tileShape ?? null,
  };
}
