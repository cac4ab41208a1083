/**
 * For the tests of tiled managers: files in memory that check every step, a second and simpler encoder of tiles, and a
 * model of columns.
 */
import assert from "node:assert/strict";
import { numericInfo, type NumericType } from "../../src/array/dtype.ts";
import type { MoveList } from "../../src/array/moves.ts";
import { elementsOf, type Rows } from "../../src/array/rows.ts";
import { twins } from "../../src/array/twins.ts";
import { TableError } from "../../src/error.ts";
import { EMPTY_RECORD, type RecordField, type RecordFields } from "../../src/format/record.ts";
import type { FileAccess } from "../../src/io/access.ts";
import { runSync } from "../../src/io/drivers.ts";
import type { Extent, GatherStep, Plan, ScatterStep } from "../../src/io/plan.ts";
import type { BoundColumn, ManagerContext, ManagerKind, StorageManager } from "../../src/storage/manager.ts";

/** Files in memory. Every step is held against what plan.ts promises. */
export class MemoryAccess implements FileAccess {
  readonly files = new Map<string, Uint8Array>();
  /** One line a step. */
  readonly log: string[] = [];

  pathOf(file: string): string {
    return `mem/${file}`;
  }

  bytes(file: string): Uint8Array {
    const bytes = this.files.get(file);
    assert.ok(bytes !== undefined, `${file} exists`);
    return bytes;
  }

  size(file: string): number {
    return this.files.get(file)?.length ?? -1;
  }

  /** What a test says was committed; nothing unless it does. */
  readonly held = new Map<string, number>();
  #committed = new Map<string, Uint8Array>();

  /** What is in the files now is what {@linkcode discard} goes back to. */
  commit(): void {
    this.#committed = new Map(this.files);
    this.held.clear();
    for (const [name, bytes] of this.files) this.held.set(name, bytes.length);
  }

  /** Every file is as it was committed; `orphans`: files that were made since stay, as after the death of a writer. */
  discard(orphans = false): void {
    if (!orphans) this.files.clear();
    else this.held.clear();
    for (const [name, bytes] of this.#committed) this.files.set(name, bytes);
    for (const [name, bytes] of this.files) this.held.set(name, bytes.length);
  }

  committed(file: string): number {
    return this.held.get(file) ?? 0;
  }

  read(file: string, offset: number, length: number): Uint8Array {
    this.log.push(`read ${file} ${offset} ${length}`);
    const bytes = this.files.get(file) ?? new Uint8Array(0);
    if (offset + length > bytes.length) {
      throw new TableError("CORRUPT", `expected ${length} bytes, the file has ${bytes.length}`, {
        file,
        offset,
      });
    }
    return bytes.slice(offset, offset + length);
  }

  readInto(file: string, offset: number, target: Uint8Array): void {
    target.set(this.read(file, offset, target.length));
  }

  gather({ file, extents, moves, target }: GatherStep): void {
    this.log.push(`gather ${file} ${extents.length} extents ${moves.count} moves`);
    assert.ok(extents.length > 0);
    let last = -1, next = 0;
    for (const extent of extents) {
      assert.ok(extent.offset >= last, "extents ascend");
      assert.ok(extent.length <= 4 * 1024 * 1024, "extents are small");
      assert.equal(extent.firstMove, next);
      next += extent.moveCount;
      last = extent.offset;
      checkSpan(moves, extent);
      const bytes = this.read(file, extent.offset, extent.length);
      this.log.pop();
      twins.gather(moves, extent.firstMove, extent.moveCount, bytes, extent.offset, target);
    }
    assert.equal(next, moves.count);
  }

  scatter({ file, extent, fresh, moves, source }: ScatterStep): void {
    this.log.push(
      `scatter ${file} ${extent.offset} ${extent.length}${fresh ? " fresh" : ""} ${moves.count} moves`,
    );
    assert.equal(extent.firstMove, 0);
    assert.equal(extent.moveCount, moves.count);
    assert.ok(extent.length <= 4 * 1024 * 1024, "extents are small");
    const old = this.bytes(file);
    if (extent.offset + extent.length > old.length) assert.ok(fresh, "what is not in the file is fresh");
    const bytes = fresh
      ? new Uint8Array(extent.length)
      : old.slice(extent.offset, extent.offset + extent.length);
    twins.scatter(moves, 0, moves.count, source, bytes, extent.offset);
    this.#put(file, extent.offset, bytes);
  }

  write(file: string, offset: number, bytes: Uint8Array): void {
    this.log.push(`write ${file} ${offset} ${bytes.length}`);
    this.#put(file, offset, bytes);
  }

  replace(file: string, bytes: Uint8Array): void {
    this.log.push(`replace ${file}`);
    this.files.set(file, bytes.slice());
  }

  resize(file: string, length: number, shrink: boolean): void {
    this.log.push(`resize ${file} ${length}`);
    const old = this.bytes(file);
    if (length < old.length && !shrink) return;
    const bytes = new Uint8Array(length);
    bytes.set(old.subarray(0, length));
    this.files.set(file, bytes);
  }

  create(file: string): void {
    this.log.push(`create ${file}`);
    this.files.set(file, new Uint8Array(0));
  }

  remove(file: string): void {
    this.log.push(`remove ${file}`);
    this.files.delete(file);
  }

  barrier(): void {
    this.log.push("barrier");
  }

  readAsync(file: string, offset: number, length: number): Promise<Uint8Array> {
    return Promise.resolve(this.read(file, offset, length));
  }

  readIntoAsync(file: string, offset: number, target: Uint8Array): Promise<void> {
    return Promise.resolve(this.readInto(file, offset, target));
  }

  gatherAsync(step: GatherStep): Promise<void> {
    return Promise.resolve(this.gather(step));
  }

  #put(file: string, offset: number, bytes: Uint8Array): void {
    const old = this.bytes(file);
    const all = new Uint8Array(Math.max(old.length, offset + bytes.length));
    all.set(old);
    all.set(bytes, offset);
    this.files.set(file, all);
  }
}

/** An extent holds exactly the bytes from its moves' first to their last. */
function checkSpan(moves: MoveList, extent: Extent): void {
  let first = Infinity, end = -1;
  for (let i = extent.firstMove; i < extent.firstMove + extent.moveCount; i++) {
    const at = i * moves.stride;
    let span = 1;
    for (let a = 0; a < moves.ndim; a++) {
      span += (moves.data[at + 2 + 3 * a]! - 1) * moves.data[at + 3 + 3 * a]!;
    }
    const start = moves.data[at]!;
    const isBits = moves.kind === "bits";
    first = Math.min(first, isBits ? Math.floor(start / 8) : start);
    end = Math.max(end, isBits ? Math.floor((start + span - 1) / 8) + 1 : start + span * moves.elementSize);
  }
  assert.equal(first, extent.offset);
  assert.equal(end, extent.offset + extent.length);
}

/** An array column, or a scalar one without axes. */
export function bound(
  name: string,
  dtype: BoundColumn["dtype"],
  options: Partial<BoundColumn> = {},
): BoundColumn {
  const shape = options.shape ?? null;
  const ndim = shape?.length ?? options.ndim ?? -1;
  const kind = options.kind ?? "array";
  return { name, kind, dtype, direct: false, shape, ndim, maxLength: 0, keywords: EMPTY_RECORD, ...options };
}

/** A context over some columns. */
export function contextOf(
  type: string,
  columns: readonly BoundColumn[],
  rowCount: number,
  options: {
    bigEndian?: boolean;
    sequence?: number;
    privateKeywords?: RecordFields;
    alone?: () => boolean;
  } = {},
): ManagerContext {
  const no = () => {
    throw new Error("not here");
  };
  return {
    type,
    sequence: options.sequence ?? 0,
    columns,
    rowCount,
    bigEndian: options.bigEndian ?? false,
    privateKeywords: options.privateKeywords ?? EMPTY_RECORD,
    source: { column: no, foreignColumn: no, tableKeywords: () => EMPTY_RECORD },
    pathOf: (file) => `mem/${file}`,
    ...(options.alone === undefined ? {} : { alone: options.alone }),
  };
}

/** The private keyword of a hypercolumn. */
export function hypercolumn(
  name: string,
  ndim: number,
  data: readonly string[],
  coord: readonly string[] = [],
  id: readonly string[] = [],
): RecordFields {
  const names = (field: string, list: readonly string[]): RecordField => ({
    name: field,
    comment: "",
    value: { kind: "array", dtype: "string", shape: [list.length], data: list },
  });
  const fields: RecordField[] = [
    { name: "ndim", comment: "", value: { kind: "scalar", dtype: "uint32", value: ndim } },
    names("data", data),
    names("coord", coord),
    names("id", id),
  ];
  const value = { kind: "record", fields: { fields, recordType: 1 } } as const;
  return { fields: [{ name: `Hypercolumn_${name}`, comment: "", value }], recordType: 1 };
}

/** Opens a manager on files that are there. */
export function open(kind: ManagerKind, context: ManagerContext, access: FileAccess): StorageManager {
  return runSync(kind.open(context, new Uint8Array(0)), access);
}

/** Makes a manager. */
export function create(
  kind: ManagerKind,
  context: ManagerContext,
  access: FileAccess,
  options: { name?: string; tileShape?: readonly number[]; maxCacheSize?: number } = {},
): StorageManager {
  const { name = "HC", ...rest } = options;
  return runSync(kind.create!(context, { type: context.type, name, options: rest }), access);
}

export function addRows(manager: StorageManager, access: FileAccess, count: number): void {
  runSync(manager.addRows!(count), access);
}

export function flush(manager: StorageManager, access: FileAccess): void {
  assert.equal(runSync(manager.flush!(), access).length, 0, "the blob of a tiled manager is empty");
}

/** The cells of some rows as bytes, behind each other. */
export function readCells(
  manager: StorageManager,
  index: number,
  dtype: NumericType,
  rows: Rows,
  shape: readonly number[],
  access: FileAccess,
  box: { start: number[]; shape: number[]; step: number[] } | null = null,
): Uint8Array {
  const cell = elementsOf(box?.shape ?? shape);
  const bytes = new Uint8Array(cell * rows.length * numericInfo(dtype).size);
  runSync(manager.column(index).read(rows, shape, box, { kind: "numeric", bytes }, 0), access);
  return bytes;
}

/** Writes cells. */
export function writeCells(
  manager: StorageManager,
  index: number,
  rows: Rows,
  shape: readonly number[],
  bytes: Uint8Array,
  access: FileAccess,
  box: { start: number[]; shape: number[]; step: number[] } | null = null,
): void {
  runSync(manager.column(index).write!(rows, shape, box, { kind: "numeric", bytes }, 0), access);
}

/** Runs a plan that must end with a TableError of that code. */
export function refused(plan: () => Plan<unknown>, access: FileAccess, code: string, text: RegExp): void {
  assert.throws(() => runSync(plan(), access), (error: unknown) => {
    assert.ok(error instanceof TableError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, text);
    return true;
  });
}

/** A data column for the simple encoder: native bytes of a whole cube, first axis fastest. */
export interface CubeData {
  readonly dtype: NumericType;
  readonly bytes: Uint8Array;
}

/** Tiles of a cube, written element by element as format reference part 4, section 5 describes them. */
export function encodeCube(
  shape: readonly number[],
  tileShape: readonly number[],
  columns: readonly CubeData[],
  bigEndian: boolean,
): Uint8Array {
  const sizeOf = (column: CubeData) => column.dtype === "bool" ? 0 : numericInfo(column.dtype).size;
  const pixels = elementsOf(tileShape);
  const order = columns.map((_, i) => i).reverse();
  order.sort((a, b) => sizeOf(columns[b]!) - sizeOf(columns[a]!));
  const offsets: number[] = [];
  let bucket = 0;
  for (const i of order) {
    offsets[i] = bucket;
    bucket += columns[i]!.dtype === "bool" ? Math.ceil(pixels / 8) : pixels * sizeOf(columns[i]!);
  }
  const tiles = shape.map((length, a) => Math.ceil(length / tileShape[a]!));
  const file = new Uint8Array(elementsOf(tiles) * bucket);
  const total = elementsOf(shape);
  for (let e = 0; e < total; e++) {
    let rest = e, tile = 0, tileStride = 1, pixel = 0, pixelStride = 1;
    shape.forEach((length, a) => {
      const p = rest % length;
      rest = (rest - p) / length;
      tile += Math.floor(p / tileShape[a]!) * tileStride;
      tileStride *= tiles[a]!;
      pixel += (p % tileShape[a]!) * pixelStride;
      pixelStride *= tileShape[a]!;
    });
    columns.forEach((column, i) => {
      const at = tile * bucket + offsets[i]!;
      if (column.dtype === "bool") {
        if (column.bytes[e]) file[at + Math.floor(pixel / 8)]! |= 1 << (pixel % 8);
        return;
      }
      const { size, swapUnit } = numericInfo(column.dtype);
      for (let b = 0; b < size; b++) {
        const from = bigEndian ? b - (b % swapUnit) + swapUnit - 1 - (b % swapUnit) : b;
        file[at + pixel * size + b] = column.bytes[e * size + from]!;
      }
    });
  }
  return file;
}

/** Bytes of `elements` values that are never all equal; 0 and 1 for bool. */
export function someBytes(dtype: NumericType, elements: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(elements * numericInfo(dtype).size);
  let state = (seed * 2654435761 + 12345) >>> 0;
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = dtype === "bool" ? (state >>> 24) & 1 : state >>> 24;
  }
  return bytes;
}

/** Bytes of hexadecimal digits; texts stand in quotes. */
export function fromHex(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const part of text.match(/"[^"]*"|[0-9a-f]{2}/g) ?? []) {
    if (part.startsWith('"')) { for (const char of part.slice(1, -1)) bytes.push(char.charCodeAt(0)); }
    else bytes.push(parseInt(part, 16));
  }
  return Uint8Array.from(bytes);
}
