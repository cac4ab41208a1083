/**
 * Backend `memory`: files are growing buffers in a store that can be shared by several opens. For tests and scratch
 * tables, and to tell what encoding costs from what I/O costs: it makes no system call, so it counts none, but for the
 * kinds of calls that a disk would have seen.
 */
import { type Backend, type Handle, type OpenMode, type PathKind, systemError } from "./backend.ts";
import { IoStats, SeekTracker } from "./counters.ts";

/** EISDIR, ENOTDIR, ENOENT, EEXIST, ENOTEMPTY, EFBIG as Linux numbers them. */
const NO_ENTRY = 2, EXISTS = 17, NOT_DIRECTORY = 20, IS_DIRECTORY = 21, TOO_BIG = 27, NOT_EMPTY = 39;

/** A file's bytes; the first `length` of `bytes`. */
export class MemoryFile {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  length = 0;

  /** Changes the length; new bytes are zero. @throws TableError IO when there is no memory for it */
  resize(length: number, path: string): void {
    if (length > this.bytes.length) {
      let grown: Uint8Array<ArrayBuffer>;
      try {
        grown = new Uint8Array(
          Math.max(length, Math.min(this.bytes.length * 2, this.bytes.length + 2 ** 26)),
        );
      } catch (cause) {
        throw systemError("ftruncate", path, TOO_BIG, `no memory for ${length} bytes`, { cause });
      }
      grown.set(this.bytes.subarray(0, this.length));
      this.bytes = grown;
    } else if (length < this.length) this.bytes.fill(0, length, this.length);
    this.length = length;
  }
}

/** Files and directories by path, with `/` between names. */
export class MemoryStore {
  readonly files: Map<string, MemoryFile> = new Map();
  readonly directories: Set<string> = new Set();
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function clean(path: string): string {
  return path.replace(/\/+/g, "/").replace(/\/$/, "");
}

class MemoryHandle implements Handle {
  readonly path: string;
  readonly #file: MemoryFile;
  readonly #stats: IoStats;
  readonly #seek: SeekTracker;
  readonly #writable: boolean;
  #open = true;

  constructor(path: string, file: MemoryFile, writable: boolean, stats: IoStats) {
    this.path = path;
    this.#file = file;
    this.#writable = writable;
    this.#stats = stats;
    this.#seek = new SeekTracker(stats);
  }

  #check(call: string): void {
    if (!this.#open) throw systemError(call, this.path, 9, "EBADF");
  }

  #checkWrite(call: string, offset: number): void {
    this.#check(call);
    if (!this.#writable) throw systemError(call, this.path, 9, "EBADF", { offset });
  }

  read(target: Uint8Array, offset: number): number {
    this.#check("pread");
    this.#stats.count("read");
    const part = this.#file.bytes.subarray(offset, Math.min(offset + target.length, this.#file.length));
    target.set(part);
    this.#seek.access(offset, part.length);
    this.#stats.bytesRead += part.length;
    return part.length;
  }

  readAsync(target: Uint8Array, offset: number): Promise<number> {
    return new Promise((resolve) => resolve(this.read(target, offset)));
  }

  write(bytes: Uint8Array, offset: number): void {
    this.#checkWrite("pwrite", offset);
    this.#stats.count("write");
    if (offset + bytes.length > this.#file.length) this.#file.resize(offset + bytes.length, this.path);
    this.#file.bytes.set(bytes, offset);
    this.#seek.access(offset, bytes.length);
    this.#stats.wrote(offset, bytes.length);
  }

  size(): number {
    this.#check("fstat");
    this.#stats.count("stat");
    return this.#file.length;
  }

  resize(length: number): void {
    this.#checkWrite("ftruncate", length);
    this.#stats.count("truncate");
    this.#file.resize(length, this.path);
  }

  sync(): void {
    this.#check("fdatasync");
    this.#stats.count("sync");
  }

  close(): void {
    this.#check("close");
    this.#stats.count("close");
    this.#open = false;
  }
}

/** Backend `memory`. */
export class MemoryBackend implements Backend {
  readonly name = "memory";
  readonly stats: IoStats = new IoStats();
  readonly store: MemoryStore;

  /** Opens files of `store`, or of a new one. */
  constructor(store: MemoryStore = new MemoryStore()) {
    this.store = store;
  }

  open(path: string, mode: OpenMode): Handle {
    this.stats.count("open");
    const name = clean(path);
    if (this.store.directories.has(name)) throw systemError("open", path, IS_DIRECTORY, "EISDIR");
    let file = this.store.files.get(name);
    if (mode === "create") {
      if (!this.store.directories.has(parentOf(name))) throw systemError("open", path, NO_ENTRY, "ENOENT");
      if (file === undefined) this.store.files.set(name, file = new MemoryFile());
      file.resize(0, path);
    }
    if (file === undefined) throw systemError("open", path, NO_ENTRY, "ENOENT");
    return new MemoryHandle(path, file, mode !== "read", this.stats);
  }

  /** There are no links here. */
  realPath(path: string): string {
    if (this.kind(path) === null) throw systemError("realpath", path, NO_ENTRY, "ENOENT");
    return clean(path);
  }

  kind(path: string): PathKind | null {
    this.stats.count("stat");
    const name = clean(path);
    return this.store.files.has(name) ? "file" : this.store.directories.has(name) ? "directory" : null;
  }

  list(path: string): string[] {
    this.stats.count("list");
    const name = clean(path);
    if (this.store.files.has(name)) throw systemError("opendir", path, NOT_DIRECTORY, "ENOTDIR");
    if (!this.store.directories.has(name)) throw systemError("opendir", path, NO_ENTRY, "ENOENT");
    return this.#names(name).sort();
  }

  #names(directory: string): string[] {
    return [...this.store.files.keys(), ...this.store.directories]
      .filter((path) => parentOf(path) === directory)
      .map((path) => path.slice(path.lastIndexOf("/") + 1));
  }

  makeDirectory(path: string): void {
    this.stats.count("mkdir");
    const name = clean(path);
    if (this.store.files.has(name) || this.store.directories.has(name)) {
      throw systemError("mkdir", path, EXISTS, "EEXIST");
    }
    // The directory that the table is put in needs no making: it is the disk's, or nobody's.
    this.store.directories.add(name);
  }

  removeDirectory(path: string): void {
    this.stats.count("rmdir");
    const name = clean(path);
    if (!this.store.directories.has(name)) throw systemError("rmdir", path, NO_ENTRY, "ENOENT");
    if (this.#names(name).length > 0) throw systemError("rmdir", path, NOT_EMPTY, "ENOTEMPTY");
    this.store.directories.delete(name);
  }

  rename(from: string, to: string): void {
    this.stats.count("rename");
    const file = this.store.files.get(clean(from));
    if (file === undefined) {
      if (this.store.directories.has(clean(from))) return this.#renameDirectory(clean(from), clean(to));
      throw systemError("rename", from, NO_ENTRY, "ENOENT");
    }
    if (this.store.directories.has(clean(to))) throw systemError("rename", from, IS_DIRECTORY, "EISDIR");
    if (!this.store.directories.has(parentOf(clean(to)))) {
      throw systemError("rename", from, NO_ENTRY, "ENOENT");
    }
    this.store.files.delete(clean(from));
    this.store.files.set(clean(to), file);
  }

  /** A directory with all that is in it, in the place of nothing or of an empty directory. */
  #renameDirectory(from: string, to: string): void {
    if (this.#names(to).length > 0) throw systemError("rename", from, NOT_EMPTY, "ENOTEMPTY");
    const moved = (path: string) =>
      path === from || path.startsWith(`${from}/`) ? to + path.slice(from.length) : null;
    for (const path of [...this.store.directories]) {
      const name = moved(path);
      if (name === null) continue;
      this.store.directories.delete(path);
      this.store.directories.add(name);
    }
    for (const [path, file] of [...this.store.files]) {
      const name = moved(path);
      if (name === null) continue;
      this.store.files.delete(path);
      this.store.files.set(name, file);
    }
  }

  remove(path: string): void {
    this.stats.count("unlink");
    if (!this.store.files.delete(clean(path))) throw systemError("unlink", path, NO_ENTRY, "ENOENT");
  }

  syncDirectory(_path: string): void {
    this.stats.count("open");
    this.stats.count("sync");
    this.stats.count("close");
  }
}
