/**
 * Backend `node`: `node:fs` with positions. One pread or pwrite a call and no lseek, without FFI; runs in Node too.
 */
import fs from "node:fs";
import os from "node:os";
import type { TableError } from "../error.ts";
import {
  type Backend,
  type Handle,
  MAX_CALL_BYTES,
  type OpenMode,
  type PathKind,
  systemError,
} from "./backend.ts";
import { IoStats, SeekTracker } from "./counters.ts";

const FLAGS: Readonly<Record<OpenMode, string>> = { read: "r", update: "r+", create: "w+" };
/**
 * What Deno's node:fs calls beyond what Node's does: an asynchronous read goes through a duplicate of the descriptor,
 * which is closed after it; a file is looked at before it is removed.
 */
const DENO = "Deno" in globalThis;
const ERRNO: Readonly<Record<string, number | undefined>> = os.constants.errno;

/** What an error of node:fs or of Deno says about the system's error. */
export function errorOf(error: unknown, call: string, path: string, offset?: number): TableError {
  const { code, message } = error as { code?: string; message?: string };
  const errno = code === undefined ? undefined : ERRNO[code];
  return systemError(call, path, errno, code ?? message ?? String(error), { offset, cause: error });
}

class NodeHandle implements Handle {
  readonly path: string;
  readonly #stats: IoStats;
  readonly #seek: SeekTracker;
  readonly #fd: number;

  constructor(path: string, fd: number, stats: IoStats) {
    this.path = path;
    this.#fd = fd;
    this.#stats = stats;
    this.#seek = new SeekTracker(stats);
  }

  read(target: Uint8Array, offset: number): number {
    let done = 0;
    while (done < target.length) {
      const want = Math.min(target.length - done, MAX_CALL_BYTES);
      this.#stats.count("read");
      const start = this.#stats.now();
      let got: number;
      try {
        got = fs.readSync(this.#fd, target, done, want, offset + done);
      } catch (error) {
        throw errorOf(error, "pread", this.path, offset + done);
      }
      this.#stats.took("read", start);
      this.#seek.access(offset + done, got);
      this.#stats.bytesRead += got;
      done += got;
      if (got < want) break;
    }
    return done;
  }

  async readAsync(target: Uint8Array, offset: number): Promise<number> {
    let done = 0;
    while (done < target.length) {
      const want = Math.min(target.length - done, MAX_CALL_BYTES);
      const at = done;
      this.#stats.count("read");
      if (DENO) {
        this.#stats.count("dup");
        this.#stats.count("close");
      }
      const start = this.#stats.now();
      const got = await new Promise<number>((resolve, reject) =>
        fs.read(
          this.#fd,
          target,
          at,
          want,
          offset + at,
          (error, bytes) => error ? reject(errorOf(error, "pread", this.path, offset + at)) : resolve(bytes),
        )
      );
      this.#stats.took("read", start);
      this.#seek.access(offset + done, got);
      this.#stats.bytesRead += got;
      done += got;
      if (got < want) break;
    }
    return done;
  }

  write(bytes: Uint8Array, offset: number): void {
    let done = 0;
    while (done < bytes.length) {
      const want = Math.min(bytes.length - done, MAX_CALL_BYTES);
      this.#stats.count("write");
      const start = this.#stats.now();
      let put: number;
      try {
        put = fs.writeSync(this.#fd, bytes, done, want, offset + done);
      } catch (error) {
        throw errorOf(error, "pwrite", this.path, offset + done);
      }
      if (put === 0) {
        throw systemError("pwrite", this.path, undefined, "nothing was written", { offset: offset + done });
      }
      this.#stats.took("write", start);
      this.#seek.access(offset + done, put);
      this.#stats.wrote(offset + done, put);
      done += put;
    }
  }

  size(): number {
    this.#stats.count("stat");
    try {
      return fs.fstatSync(this.#fd).size;
    } catch (error) {
      throw errorOf(error, "fstat", this.path);
    }
  }

  resize(length: number): void {
    this.#stats.count("truncate");
    try {
      fs.ftruncateSync(this.#fd, length);
    } catch (error) {
      throw errorOf(error, "ftruncate", this.path, length);
    }
  }

  sync(): void {
    this.#stats.count("sync");
    const start = this.#stats.now();
    try {
      fs.fdatasyncSync(this.#fd);
    } catch (error) {
      throw errorOf(error, "fdatasync", this.path);
    }
    this.#stats.took("sync", start);
  }

  close(): void {
    this.#stats.count("close");
    try {
      fs.closeSync(this.#fd);
    } catch (error) {
      throw errorOf(error, "close", this.path);
    }
  }
}

/** The calls on whole paths, by `node:fs`; shared by the backends that have no calls of their own for them. */
export abstract class NodePaths {
  readonly stats: IoStats;

  constructor(stats: IoStats = new IoStats()) {
    this.stats = stats;
  }

  realPath(path: string): string {
    this.stats.count("stat");
    try {
      return fs.realpathSync.native(path);
    } catch (error) {
      throw errorOf(error, "realpath", path);
    }
  }

  kind(path: string, { noFollow = false }: { noFollow?: boolean } = {}): PathKind | null {
    this.stats.count("stat");
    try {
      const stat = (noFollow ? fs.lstatSync : fs.statSync)(path, { throwIfNoEntry: false });
      if (stat === undefined) return null;
      if (stat.isSymbolicLink()) return "link";
      return stat.isFile() ? "file" : stat.isDirectory() ? "directory" : "other";
    } catch (error) {
      if ((error as { code?: string }).code === "ENOTDIR") return null;
      throw errorOf(error, "stat", path);
    }
  }

  list(path: string): string[] {
    this.stats.count("list");
    try {
      return fs.readdirSync(path).sort();
    } catch (error) {
      throw errorOf(error, "opendir", path);
    }
  }

  makeDirectory(path: string): void {
    this.stats.count("mkdir");
    try {
      fs.mkdirSync(path);
    } catch (error) {
      throw errorOf(error, "mkdir", path);
    }
  }

  removeDirectory(path: string): void {
    this.stats.count("rmdir");
    try {
      fs.rmdirSync(path);
    } catch (error) {
      throw errorOf(error, "rmdir", path);
    }
  }

  rename(from: string, to: string): void {
    this.stats.count("rename");
    try {
      fs.renameSync(from, to);
    } catch (error) {
      throw errorOf(error, "rename", from);
    }
  }

  remove(path: string): void {
    if (DENO) this.stats.count("stat");
    this.stats.count("unlink");
    try {
      fs.unlinkSync(path);
    } catch (error) {
      throw errorOf(error, "unlink", path);
    }
  }

  syncDirectory(path: string): void {
    let fd: number;
    this.stats.count("open");
    try {
      fd = fs.openSync(path, "r");
    } catch (error) {
      throw errorOf(error, "open", path);
    }
    try {
      this.stats.count("sync");
      fs.fsyncSync(fd);
    } catch (error) {
      throw errorOf(error, "fsync", path);
    } finally {
      this.stats.count("close");
      fs.closeSync(fd);
    }
  }
}

/** Backend `node`. */
export class NodeBackend extends NodePaths implements Backend {
  readonly name = "node";

  open(path: string, mode: OpenMode): Handle {
    this.stats.count("open");
    try {
      return new NodeHandle(path, fs.openSync(path, FLAGS[mode]), this.stats);
    } catch (error) {
      throw errorOf(error, "open", path);
    }
  }
}
