/**
 * The columns of some storage managers of a table, without floor 4: `table.dat` is read, the managers that are asked
 * for are opened, and cells come in the form of `table cat` after JSON.parse.
 */
import assert from "node:assert/strict";
import { isNumeric, numericInfo, type NumericType, viewOf } from "../../src/array/dtype.ts";
import { type Box, elementsOf, rowList, rowRange, type Rows } from "../../src/array/rows.ts";
import { AIPS_MAGIC, AipsReader } from "../../src/format/aipsio.ts";
import { OPTION_DIRECT } from "../../src/format/column-desc.ts";
import { recordToJson } from "../../src/format/json.ts";
import { readRecord } from "../../src/format/record-io.ts";
import { decodeUtf8 } from "../../src/format/strings.ts";
import { type PlainTableDat, readTableDat } from "../../src/format/table-dat.ts";
import { readTableLock } from "../../src/format/table-lock.ts";

import type { FileAccess } from "../../src/io/access.ts";
import { openBackend } from "../../src/io/backends.ts";
import { runSync } from "../../src/io/drivers.ts";
import { TableFiles } from "../../src/io/files.ts";
import type { Plan } from "../../src/io/plan.ts";
import type {
  BoundColumn,
  ManagedColumn,
  ManagerContext,
  ManagerKind,
  StorageManager,
} from "../../src/storage/manager.ts";
import { type GeneratedCell, printedCell } from "../peer/oracle/values.ts";

/** A column and where it is kept. */
export interface Managed {
  readonly bound: BoundColumn;
  readonly column: ManagedColumn;
  readonly manager: StorageManager;
}

/** A context for a manager whose columns are known. */
export function contextOf(
  about: Pick<ManagerContext, "type" | "columns" | "rowCount" | "bigEndian"> & Partial<ManagerContext>,
): ManagerContext {
  const no = () => {
    throw new Error("not in this test");
  };
  return {
    sequence: 0,
    privateKeywords: { fields: [], recordType: 1 },
    source: { column: no, foreignColumn: no, tableKeywords: no },
    pathOf: (file) => `t/${file}`,
    ...about,
  };
}

/** A column as its manager sees it: a scalar unless said otherwise. */
export function boundColumn(
  name: string,
  about: Partial<BoundColumn> & Pick<BoundColumn, "dtype">,
): BoundColumn {
  const kind = about.kind ?? "scalar", shape = about.shape ?? null;
  return {
    name,
    kind,
    direct: false,
    shape,
    ndim: kind === "scalar" ? 0 : shape?.length ?? -1,
    maxLength: 0,
    keywords: { fields: [], recordType: 1 },
    ...about,
  };
}

/** The columns of one manager of a table. */
export function boundColumnsOf(dat: PlainTableDat, sequence: number): BoundColumn[] {
  return dat.desc.columns.flatMap((desc, i): BoundColumn[] => {
    const binding = dat.columnSet.columns[i]!;
    if (binding.sequence !== sequence) return [];
    const { name, dtype, maxLength, keywords, options, ndim } = desc;
    const kind = desc.kind as "scalar" | "array" | "record", { shape } = binding;
    return [
      boundColumn(name, {
        kind,
        dtype: dtype!,
        direct: (options & OPTION_DIRECT) !== 0,
        shape,
        ndim: shape?.length ?? ndim,
        maxLength,
        keywords,
      }),
    ];
  });
}

/** The managers of some kinds in a table's directory, open. */
export class ManagedTable implements Disposable {
  readonly rowCount: number;
  readonly columns = new Map<string, Managed>();
  readonly managers: StorageManager[] = [];
  readonly files: FileAccess;
  readonly #close: () => void;

  /** @param files Reads the managers' files rather than the directory. */
  constructor(path: string, kinds: readonly ManagerKind[], files?: FileAccess) {
    const dat = readTableDat(Deno.readFileSync(`${path}/table.dat`), `${path}/table.dat`);
    if (dat.kind !== "PlainTable") throw new Error(`${path} is a ${dat.kind}`);
    const own = files === undefined
      ? new TableFiles(path, openBackend("node"), { writable: false })
      : undefined;
    this.files = files ?? own!;
    this.#close = () => own?.close();
    this.rowCount = lockedRows(path) || dat.rowCount;
    for (const { type, sequence, blob } of dat.columnSet.managers) {
      const kind = kinds.find((each) => each.serves(type));
      if (kind === undefined) continue;
      const columns = boundColumnsOf(dat, sequence);
      const manager = this.run(kind.open(
        contextOf({
          type,
          sequence,
          columns,
          rowCount: this.rowCount,
          bigEndian: dat.bigEndian,
          privateKeywords: dat.desc.privateKeywords,
          pathOf: (file) => `${path}/${file}`,
        }),
        blob,
      ));
      this.managers.push(manager);
      columns.forEach((bound, i) =>
        this.columns.set(bound.name, { bound, column: manager.column(i), manager })
      );
    }
  }

  run<T>(plan: Plan<T>): T {
    return runSync(plan, this.files);
  }

  /** Printed cells of a column, read together as far as their shapes agree; `box` of each. */
  cells(name: string, rows: Rows = rowRange(0, this.rowCount), box: Box | null = null): unknown[] {
    const { bound, column } = this.columns.get(name)!;
    return this.run(readCells(bound, column, rows, box));
  }

  /** All cells, row by row, or those of some rows. */
  rows(rows: Rows = rowRange(0, this.rowCount)): Record<string, unknown>[] {
    const columns = [...this.columns.keys()].map((name) => [name, this.cells(name, rows)] as const);
    return Array.from(
      { length: rows.length },
      (_, i) => Object.fromEntries(columns.map(([name, cells]) => [name, cells[i]])),
    );
  }

  [Symbol.dispose](): void {
    this.#close();
  }
}

function lockedRows(path: string): number {
  try {
    return readTableLock(Deno.readFileSync(`${path}/table.lock`), `${path}/table.lock`).sync?.rowCount ?? 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

/** What stands around the cells of a read, to see that it isn't touched. */
const MARGIN_ELEMENTS = 3, MARGIN_BYTE = 0xa5;

/** Plan: printed cells of a column. */
export function* readCells(
  bound: BoundColumn,
  column: ManagedColumn,
  rows: Rows,
  box: Box | null = null,
): Plan<unknown[]> {
  const groups = new Map<string, { shape: readonly number[]; positions: number[] }>();
  const cells: unknown[] = new Array(rows.length).fill(null);
  let position = 0;
  for (const { count, shape } of yield* column.shapes(rows)) {
    for (let i = 0; i < count; i++, position++) {
      if (shape === null) {
        if (bound.kind === "record") cells[position] = {};
        continue;
      }
      const group = groups.get(shape.join()) ?? { shape, positions: [] };
      group.positions.push(position);
      groups.set(shape.join(), group);
    }
  }
  if (position !== rows.length) throw new Error(`shapes of ${position} cells, expected ${rows.length}`);
  for (const { shape, positions } of groups.values()) {
    const all = positions.length === rows.length;
    const group = all ? rows : rowList(positions.map((each) => rows.at(each)));
    const values = yield* readGroup(bound, column, group, shape, box);
    positions.forEach((to, i) => cells[to] = values[i]);
  }
  return cells;
}

function* readGroup(
  bound: BoundColumn,
  column: ManagedColumn,
  rows: Rows,
  cellShape: readonly number[],
  box: Box | null,
): Plan<unknown[]> {
  const shape = [...(box?.shape ?? cellShape)], n = elementsOf(shape), total = n * rows.length;
  if (bound.dtype === "string") {
    const margin = Array.from({ length: MARGIN_ELEMENTS }, () => null);
    const values: unknown[] = [...margin, ...new Array(total), ...margin];
    const target = { kind: "strings", values, decode: decodeUtf8 } as const;
    if (total > 0) yield* column.read(rows, cellShape, box, target, MARGIN_ELEMENTS);
    const strings = values.slice(MARGIN_ELEMENTS, -MARGIN_ELEMENTS);
    if (
      values.length !== total + 2 * MARGIN_ELEMENTS || values.filter((each) => each === null).length !== 6
    ) {
      throw new Error("a read wrote outside its cells");
    }
    return Array.from({ length: rows.length }, (_, i) => {
      return bound.kind === "scalar" ? strings[i] : { shape, data: strings.slice(i * n, (i + 1) * n) };
    });
  }
  const dtype: NumericType = isNumeric(bound.dtype) ? bound.dtype : "uint8";
  const { size } = numericInfo(dtype), margin = MARGIN_ELEMENTS * size;
  const bytes = new Uint8Array(total * size + 2 * margin).fill(MARGIN_BYTE);
  if (total > 0) yield* column.read(rows, cellShape, box, { kind: "numeric", bytes }, MARGIN_ELEMENTS);
  for (let i = 0; i < margin; i++) {
    if (bytes[i] !== MARGIN_BYTE || bytes[bytes.length - 1 - i] !== MARGIN_BYTE) {
      throw new Error("a read wrote outside its cells");
    }
  }
  return Array.from({ length: rows.length }, (_, i) => {
    const at = margin + i * n * size;
    if (bound.kind === "record") return printedRecord(bytes.subarray(at, at + n));
    const data = viewOf(dtype, bytes.buffer, at, n);
    if (bound.kind === "array") return printedCell({ dtype, shape, data });
    const items = data as ArrayLike<number | bigint>;
    return printedCell(
      (dtype === "bool"
        ? items[0] === 1
        : items.length === 2
        ? [items[0], items[1]]
        : items[0]) as GeneratedCell,
    );
  });
}

function printedRecord(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return {};
  // A root object: the magic, and then what a nested one has.
  const reader = new AipsReader(bytes, { file: "a record" });
  assert.equal(reader.u32(), AIPS_MAGIC);
  return recordToJson(readRecord(reader));
}
