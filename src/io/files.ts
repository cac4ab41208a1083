/**
 * The files of one table's directory, served to plans. (First version: every step goes straight to the file.)
 */
import { TableError } from "../error.ts";
import type { MoveList } from "../array/moves.ts";
import type { FileAccess } from "./access.ts";
import type { Backend, Handle } from "./backend.ts";
import type { Context } from "./context.ts";
import type { GatherStep, ScatterStep } from "./plan.ts";

/** Options of {@linkcode TableFiles}. */
export interface TableFilesOptions {
  readonly writable: boolean;
  readonly context?: Context;
}

/** The files in a directory, by name. */
export class TableFiles implements FileAccess {
  readonly directory: string;
  readonly backend: Backend;
  readonly writable: boolean;
  readonly #handles = new Map<string, Handle>();

  constructor(directory: string, backend: Backend, options: TableFilesOptions) {
    this.directory = directory;
    this.backend = backend;
    this.writable = options.writable;
  }

  pathOf(file: string): string {
    return `${this.directory}/${file}`;
  }

  #handle(file: string): Handle {
    let handle = this.#handles.get(file);
    if (handle === undefined) {
      handle = this.backend.open(this.pathOf(file), this.writable ? "update" : "read");
      this.#handles.set(file, handle);
    }
    return handle;
  }

  #forget(file: string): void {
    this.#handles.get(file)?.close();
    this.#handles.delete(file);
  }

  size(file: string): number {
    try {
      return this.#handle(file).size();
    } catch (error) {
      if (error instanceof TableError && error.code === "NOT_FOUND") return -1;
      throw error;
    }
  }

  read(file: string, offset: number, length: number): Uint8Array {
    const size = this.#handle(file).size();
    if (offset + length > size) this.#pastEnd(file, offset, length, size);
    const bytes = new Uint8Array(length);
    this.readInto(file, offset, bytes);
    return bytes;
  }

  readInto(file: string, offset: number, target: Uint8Array): void {
    const handle = this.#handle(file);
    if (handle.read(target, offset) < target.length) {
      this.#pastEnd(file, offset, target.length, handle.size());
    }
  }

  #pastEnd(file: string, offset: number, length: number, size: number): never {
    throw new TableError("CORRUPT", `expected ${length} bytes, the file has ${size}`, {
      file: this.pathOf(file),
      offset,
    });
  }

  gather(step: GatherStep): void {
    for (const extent of step.extents) {
      const bytes = this.read(step.file, extent.offset, extent.length);
      move(step.moves, extent.firstMove, extent.moveCount, bytes, extent.offset, step.target, false);
    }
  }

  scatter(step: ScatterStep): void {
    const { file, extent, fresh, moves, source } = step;
    const bytes = fresh ? new Uint8Array(extent.length) : this.read(file, extent.offset, extent.length);
    move(moves, extent.firstMove, extent.moveCount, bytes, extent.offset, source, true);
    this.write(file, extent.offset, bytes);
  }

  write(file: string, offset: number, bytes: Uint8Array): void {
    this.#handle(file).write(bytes, offset);
  }

  replace(file: string, bytes: Uint8Array): void {
    this.create(file);
    this.write(file, 0, bytes);
  }

  resize(file: string, length: number, shrink: boolean): void {
    const handle = this.#handle(file);
    if (shrink || handle.size() < length) handle.resize(length);
  }

  create(file: string): void {
    this.#forget(file);
    this.#handles.set(file, this.backend.open(this.pathOf(file), "create"));
  }

  remove(file: string): void {
    this.#forget(file);
    this.backend.remove(this.pathOf(file));
  }

  barrier(): void {}

  readAsync(file: string, offset: number, length: number): Promise<Uint8Array> {
    return Promise.resolve(this.read(file, offset, length));
  }

  readIntoAsync(file: string, offset: number, target: Uint8Array): Promise<void> {
    return Promise.resolve(this.readInto(file, offset, target));
  }

  gatherAsync(step: GatherStep): Promise<void> {
    return Promise.resolve(this.gather(step));
  }

  flush(options: { durable?: boolean } = {}): void {
    if (options.durable) { for (const handle of this.#handles.values()) handle.sync(); }
  }

  /** Drops what was written since the last flush (this version has nothing to drop). */
  discard(): void {}

  close(): void {
    for (const file of [...this.#handles.keys()]) this.#forget(file);
  }
}

/** Element by element, until the kernels are there. */
function move(
  moves: MoveList,
  first: number,
  count: number,
  file: Uint8Array,
  base: number,
  array: Uint8Array,
  scatter: boolean,
): void {
  const { ndim, elementSize: size, swapUnit, stride, data, kind } = moves;
  for (let m = first; m < first + count; m++) {
    const at = m * stride;
    const walk = (axis: number, f: number, a: number): void => {
      if (axis >= 0) {
        const n = data[at + 2 + 3 * axis]!, fs = data[at + 3 + 3 * axis]!, as = data[at + 4 + 3 * axis]!;
        for (let i = 0; i < n; i++) walk(axis - 1, f + i * fs * (kind === "bits" ? 1 : size), a + i * as);
        return;
      }
      if (kind === "bits") {
        const bit = f - base * 8, byte = Math.floor(bit / 8), mask = 1 << (bit % 8);
        if (byte < 0 || byte >= file.length || a >= array.length) {
          throw new RangeError("a move leaves its buffers");
        }
        if (!scatter) array[a] = file[byte]! & mask ? 1 : 0;
        else if (array[a]) file[byte]! |= mask;
        else file[byte]! &= ~mask;
        return;
      }
      const from = f - base;
      if (from < 0 || from + size > file.length || (a + 1) * size > array.length) {
        throw new RangeError("a move leaves its buffers");
      }
      for (let b = 0; b < size; b++) {
        const swapped = swapUnit > 1 ? b - (b % swapUnit) + swapUnit - 1 - (b % swapUnit) : b;
        if (scatter) file[from + b] = array[a * size + swapped]!;
        else array[a * size + b] = file[from + swapped]!;
      }
    };
    walk(ndim - 1, data[at]!, data[at + 1]!);
  }
}
