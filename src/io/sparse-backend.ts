/**
 * Files in memory that take room only for what was written to them: a table of terabytes that was only made longer is a
 * few pages. For tables that are made to see how they would be read; it counts nothing.
 */
import { type Backend, type Handle, type OpenMode, type PathKind, systemError } from "./backend.ts";
import { IoStats } from "./counters.ts";

/** Unit of memory. */
const PAGE = 64 * 1024;
/** ENOENT and EEXIST as Linux numbers them. */
const NO_ENTRY = 2, EXISTS = 17;

class SparseFile {
  length = 0;
  readonly #pages = new Map<number, Uint8Array>();

  read(target: Uint8Array, offset: number): number {
    const end = Math.max(offset, Math.min(this.length, offset + target.length));
    for (let at = offset; at < end;) {
      const index = Math.floor(at / PAGE), start = index * PAGE, to = Math.min(end, start + PAGE);
      const part = target.subarray(at - offset, to - offset), page = this.#pages.get(index);
      if (page === undefined) part.fill(0);
      else part.set(page.subarray(at - start, to - start));
      at = to;
    }
    return end - offset;
  }

  write(bytes: Uint8Array, offset: number): void {
    const end = offset + bytes.length;
    for (let at = offset; at < end;) {
      const index = Math.floor(at / PAGE), start = index * PAGE, to = Math.min(end, start + PAGE);
      let page = this.#pages.get(index);
      if (page === undefined) this.#pages.set(index, page = new Uint8Array(PAGE));
      page.set(bytes.subarray(at - offset, to - offset), at - start);
      at = to;
    }
    this.length = Math.max(this.length, end);
  }

  resize(length: number): void {
    if (length < this.length) {
      const last = Math.floor(length / PAGE);
      for (const index of [...this.#pages.keys()]) if (index > last) this.#pages.delete(index);
      this.#pages.get(last)?.fill(0, length - last * PAGE);
    }
    this.length = length;
  }
}

/** Sparse files and directories by path. */
export class SparseBackend implements Backend {
  /** Like `memory`, nobody else sees its files, and there are no locks. */
  readonly name = "memory";
  readonly stats: IoStats = new IoStats();
  readonly #files = new Map<string, SparseFile>();
  readonly #directories = new Set<string>();

  open(path: string, mode: OpenMode): Handle {
    let file = this.#files.get(path);
    if (mode === "create") {
      if (file === undefined) this.#files.set(path, file = new SparseFile());
      file.resize(0);
    }
    if (file === undefined) throw systemError("open", path, NO_ENTRY, "ENOENT");
    const opened = file;
    return {
      path,
      read: (target, offset) => opened.read(target, offset),
      readAsync: (target, offset) => Promise.resolve(opened.read(target, offset)),
      write: (bytes, offset) => opened.write(bytes, offset),
      size: () => opened.length,
      resize: (length) => opened.resize(length),
      sync: () => {},
      close: () => {},
    };
  }

  kind(path: string): PathKind | null {
    return this.#files.has(path) ? "file" : this.#directories.has(path) ? "directory" : null;
  }

  realPath(path: string): string {
    return path;
  }

  list(path: string): string[] {
    return [...this.#files.keys(), ...this.#directories]
      .filter((each) => each.slice(0, each.lastIndexOf("/")) === path)
      .map((each) => each.slice(path.length + 1)).sort();
  }

  makeDirectory(path: string): void {
    if (this.kind(path) !== null) throw systemError("mkdir", path, EXISTS, "EEXIST");
    this.#directories.add(path);
  }

  removeDirectory(path: string): void {
    this.#directories.delete(path);
  }

  rename(from: string, to: string): void {
    const file = this.#files.get(from);
    if (file === undefined) throw systemError("rename", from, NO_ENTRY, "ENOENT");
    this.#files.delete(from);
    this.#files.set(to, file);
  }

  remove(path: string): void {
    if (!this.#files.delete(path)) throw systemError("unlink", path, NO_ENTRY, "ENOENT");
  }

  syncDirectory(): void {}
}
