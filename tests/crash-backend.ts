/**
 * A backend that keeps a record of everything that reaches the disk, and rebuilds what a crash could leave of it.
 *
 * What is assumed of the disk: a write changes no byte outside its range, 512 bytes that begin at a multiple of 512 are
 * written whole or not at all, names come and go in the order in which they were asked for. Everything else may be lost or
 * happen in any order until it is synced.
 */
import { type MemoryBackend, MemoryFile, MemoryStore } from "../src/io/memory-backend.ts";
import type { Backend, Handle, IoName, OpenMode } from "../src/io/backend.ts";
import type { IoStats } from "../src/io/counters.ts";
import { TableError } from "../src/error.ts";

const SECTOR = 512;
/** Operations that change names. */
const NAMES: readonly DiskOp["kind"][] = ["name", "remove", "rename", "directory", "noDirectory"];

/** A change of a file's content, or of a directory's. */
export type DiskOp =
  | { readonly kind: "write"; readonly file: number; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: "resize"; readonly file: number; readonly length: number }
  | { readonly kind: "sync"; readonly file: number }
  | { readonly kind: "name"; readonly path: string; readonly file: number }
  | { readonly kind: "remove"; readonly path: string }
  /** Of a file, or of a directory with all that is in it. */
  | { readonly kind: "rename"; readonly from: string; readonly to: string }
  | { readonly kind: "directory" | "noDirectory"; readonly path: string }
  | { readonly kind: "syncNames" };

/** Everything that was done to a disk, in order. */
export class DiskLog {
  readonly ops: DiskOp[] = [];
  /** Called before each operation; may throw, as a fault. */
  fault: (op: DiskOp) => void = () => {};

  add(op: DiskOp): void {
    this.fault(op);
    this.ops.push(op);
  }

  /** What a reader finds when the process dies after the first `count` operations; of the next, a write, `part` bytes are there. */
  prefix(count: number, part = 0): MemoryStore {
    const image = new Image();
    for (let i = 0; i < count; i++) image.apply(this.ops[i]!);
    const next = this.ops[count];
    if (next?.kind === "write" && part > 0) image.apply({ ...next, bytes: next.bytes.subarray(0, part) });
    return image.store();
  }

  /** What the disk may have when the power goes after the first `count` operations, as `random` decides. */
  afterPowerLoss(count: number, random: () => number): MemoryStore {
    const image = new Image();
    let names = 0;
    for (let i = 0; i < count; i++) if (this.ops[i]!.kind === "syncNames") names = i;
    const unsynced = new Map<number, DiskOp[]>();
    const isName = ({ kind }: DiskOp) => NAMES.includes(kind);
    const late = this.ops.slice(0, count).filter((op, i) => isName(op) && i > names);
    const kept = new Set(late.slice(0, Math.floor(random() * (late.length + 1))));
    for (let i = 0; i < count; i++) {
      const op = this.ops[i]!;
      if (isName(op)) {
        if (i <= names || kept.has(op)) image.apply(op);
      } else if (op.kind === "write" || op.kind === "resize") {
        unsynced.set(op.file, [...(unsynced.get(op.file) ?? []), op]);
      } else if (op.kind === "sync") {
        for (const done of unsynced.get(op.file) ?? []) image.apply(done);
        unsynced.delete(op.file);
      }
    }
    for (const ops of unsynced.values()) {
      const fate = random();
      const pieces = ops.flatMap((op) => op.kind === "write" ? sectors(op) : [op]);
      if (fate < 0.25) continue;
      if (fate < 0.5) { for (const op of pieces) image.apply(op); }
      else if (fate < 0.75) { for (const op of pieces) if (random() < 0.5) image.apply(op); }
      else for (const op of shuffled(pieces, random)) if (random() < 0.7) image.apply(op);
    }
    return image.store();
  }
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [copy[i], copy[j]] = [copy[j]!, copy[i]!];
  }
  return copy;
}

/** A write, sector by sector. */
function sectors(op: DiskOp & { kind: "write" }): DiskOp[] {
  const parts: DiskOp[] = [];
  for (let at = 0; at < op.bytes.length;) {
    const end = Math.min(op.bytes.length, at + SECTOR - (op.offset + at) % SECTOR);
    parts.push({ ...op, offset: op.offset + at, bytes: op.bytes.subarray(at, end) });
    at = end;
  }
  return parts;
}

/** A disk that is being rebuilt. */
class Image {
  readonly #files = new Map<number, MemoryFile>();
  readonly #names = new Map<string, number>();
  /** Those that may be empty; others follow from the names of files. */
  readonly #directories = new Set<string>();

  #file(number: number): MemoryFile {
    let file = this.#files.get(number);
    if (file === undefined) this.#files.set(number, file = new MemoryFile());
    return file;
  }

  apply(op: DiskOp): void {
    switch (op.kind) {
      case "write": {
        const file = this.#file(op.file), end = op.offset + op.bytes.length;
        if (end > file.length) file.resize(end, "image");
        file.bytes.set(op.bytes, op.offset);
        break;
      }
      case "resize":
        this.#file(op.file).resize(op.length, "image");
        break;
      case "name":
        this.#names.set(op.path, op.file);
        break;
      case "remove":
        this.#names.delete(op.path);
        break;
      case "rename": {
        for (const [path, file] of [...this.#names]) {
          if (path !== op.from && !path.startsWith(`${op.from}/`)) continue;
          this.#names.delete(path);
          this.#names.set(op.to + path.slice(op.from.length), file);
        }
        for (const path of [...this.#directories]) {
          if (path !== op.from && !path.startsWith(`${op.from}/`)) continue;
          this.#directories.delete(path);
          this.#directories.add(op.to + path.slice(op.from.length));
        }
        break;
      }
      case "directory":
        this.#directories.add(op.path);
        break;
      case "noDirectory":
        this.#directories.delete(op.path);
        break;
    }
  }

  store(): MemoryStore {
    const store = new MemoryStore();
    for (const path of this.#directories) store.directories.add(path);
    for (const [path, number] of this.#names) {
      store.files.set(path, this.#file(number));
      for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
        store.directories.add(path.slice(0, at));
      }
    }
    return store;
  }
}

class LoggedHandle implements Handle {
  readonly path: string;
  readonly #inner: Handle;
  readonly #log: DiskLog;
  readonly #file: number;

  constructor(inner: Handle, log: DiskLog, file: number) {
    this.path = inner.path;
    this.#inner = inner;
    this.#log = log;
    this.#file = file;
  }
  read(target: Uint8Array, offset: number): number {
    return this.#inner.read(target, offset);
  }
  readAsync(target: Uint8Array, offset: number): Promise<number> {
    return this.#inner.readAsync(target, offset);
  }
  write(bytes: Uint8Array, offset: number): void {
    this.#log.add({ kind: "write", file: this.#file, offset, bytes: bytes.slice() });
    this.#inner.write(bytes, offset);
  }
  size(): number {
    return this.#inner.size();
  }
  resize(length: number): void {
    this.#log.add({ kind: "resize", file: this.#file, length });
    this.#inner.resize(length);
  }
  sync(): void {
    this.#log.add({ kind: "sync", file: this.#file });
    this.#inner.sync();
  }
  close(): void {
    this.#inner.close();
  }
}

/** A backend in memory whose changes are logged. */
export class CrashBackend implements Backend {
  readonly name: IoName = "memory";
  readonly stats: IoStats;
  readonly log: DiskLog;
  readonly #inner: MemoryBackend;
  readonly #numbers: Map<MemoryFile, number>;

  /** `numbers` are shared by the backends of one disk. */
  constructor(inner: MemoryBackend, log: DiskLog, numbers: Map<MemoryFile, number>) {
    this.#inner = inner;
    this.stats = inner.stats;
    this.log = log;
    this.#numbers = numbers;
  }

  #number(path: string): number {
    const file = this.#inner.store.files.get(path)!;
    let number = this.#numbers.get(file);
    if (number === undefined) this.#numbers.set(file, number = this.#numbers.size);
    return number;
  }

  open(path: string, mode: OpenMode): Handle {
    const before = this.#inner.store.files.has(path);
    if (mode === "create" && before) this.log.add({ kind: "resize", file: this.#number(path), length: 0 });
    const handle = this.#inner.open(path, mode);
    const file = this.#number(path);
    if (!before) {
      try {
        this.log.add({ kind: "name", path, file });
      } catch (error) {
        this.#inner.remove(path);
        throw error;
      }
    }
    return new LoggedHandle(handle, this.log, file);
  }
  kind(path: string): ReturnType<Backend["kind"]> {
    return this.#inner.kind(path);
  }
  realPath(path: string): string {
    return this.#inner.realPath(path);
  }
  list(path: string): string[] {
    return this.#inner.list(path);
  }
  makeDirectory(path: string): void {
    if (this.#inner.kind(path) === null) this.log.add({ kind: "directory", path });
    this.#inner.makeDirectory(path);
  }
  removeDirectory(path: string): void {
    this.log.add({ kind: "noDirectory", path });
    this.#inner.removeDirectory(path);
  }
  rename(from: string, to: string): void {
    if (this.#inner.kind(from) === null) throw new TableError("NOT_FOUND", "no such file", { file: from });
    this.log.add({ kind: "rename", from, to });
    this.#inner.rename(from, to);
  }
  remove(path: string): void {
    if (this.#inner.store.files.has(path)) this.log.add({ kind: "remove", path });
    this.#inner.remove(path);
  }
  syncDirectory(path: string): void {
    this.log.add({ kind: "syncNames" });
    this.#inner.syncDirectory(path);
  }
}
