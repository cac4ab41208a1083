/**
 * Backend `seek`: Deno's own files, which have a position. Every access seeks, then reads or writes: the baseline of
 * the lseek study, and what a program does that knows no better.
 */
import { TableError } from "../error.ts";
import { type Backend, type Handle, type OpenMode, systemError } from "./backend.ts";
import { type IoStats, SeekTracker } from "./counters.ts";
import { errorOf, NodePaths } from "./node-backend.ts";

const OPTIONS: Readonly<Record<OpenMode, Deno.OpenOptions>> = {
  read: { read: true },
  update: { read: true, write: true },
  create: { read: true, write: true, create: true, truncate: true },
};

class SeekHandle implements Handle {
  readonly path: string;
  readonly #file: Deno.FsFile;
  readonly #stats: IoStats;
  readonly #seek: SeekTracker;

  constructor(path: string, file: Deno.FsFile, stats: IoStats) {
    this.path = path;
    this.#file = file;
    this.#stats = stats;
    this.#seek = new SeekTracker(stats);
  }

  #go(offset: number): void {
    this.#stats.count("lseek");
    try {
      this.#file.seekSync(offset, Deno.SeekMode.Start);
    } catch (error) {
      throw errorOf(error, "lseek", this.path, offset);
    }
  }

  read(target: Uint8Array, offset: number): number {
    if (target.length === 0) return 0;
    this.#go(offset);
    this.#stats.count("read");
    const start = this.#stats.now();
    let got: number;
    try {
      got = this.#file.readSync(target) ?? 0;
    } catch (error) {
      throw errorOf(error, "read", this.path, offset);
    }
    this.#stats.took("read", start);
    this.#seek.access(offset, got);
    this.#stats.bytesRead += got;
    return got;
  }

  /** In place, since two reads of one file would move its position under each other. */
  readAsync(target: Uint8Array, offset: number): Promise<number> {
    return new Promise((resolve) => resolve(this.read(target, offset)));
  }

  write(bytes: Uint8Array, offset: number): void {
    let done = 0;
    if (bytes.length > 0) this.#go(offset);
    while (done < bytes.length) {
      this.#stats.count("write");
      const start = this.#stats.now();
      let put: number;
      try {
        put = this.#file.writeSync(bytes.subarray(done));
      } catch (error) {
        throw errorOf(error, "write", this.path, offset + done);
      }
      if (put === 0) {
        throw systemError("write", this.path, undefined, "nothing was written", { offset: offset + done });
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
      return this.#file.statSync().size;
    } catch (error) {
      throw errorOf(error, "fstat", this.path);
    }
  }

  resize(length: number): void {
    this.#stats.count("truncate");
    try {
      this.#file.truncateSync(length);
    } catch (error) {
      throw errorOf(error, "ftruncate", this.path, length);
    }
  }

  sync(): void {
    this.#stats.count("sync");
    const start = this.#stats.now();
    try {
      this.#file.syncDataSync();
    } catch (error) {
      throw errorOf(error, "fdatasync", this.path);
    }
    this.#stats.took("sync", start);
  }

  close(): void {
    this.#stats.count("close");
    this.#file.close();
  }
}

/** Backend `seek`. */
export class SeekBackend extends NodePaths implements Backend {
  readonly name = "seek";

  /** @throws TableError UNSUPPORTED where there is no Deno */
  constructor() {
    super();
    if (!("Deno" in globalThis)) throw new TableError("UNSUPPORTED", "I/O backend seek needs Deno");
  }

  open(path: string, mode: OpenMode): Handle {
    this.stats.count("open");
    try {
      return new SeekHandle(path, Deno.openSync(path, OPTIONS[mode]), this.stats);
    } catch (error) {
      throw errorOf(error, "open", path);
    }
  }
}
