/**
 * A log's file as readers share it: open as long as somebody may read from it, whatever became of its name.
 */
import { TableError } from "../../error.ts";
import type { Backend, Handle } from "../../io/backend.ts";
import { openBackend } from "../../io/backends.ts";

/** The backend to read with what `backend` writes: past the page cache every reader would wait for the disk. */
export function readingBackend(backend: Backend): Backend {
  return backend.name === "direct" ? openBackend("pread") : backend;
}

/** A log's file, opened when it is first read. */
export class LogFile {
  readonly path: string;
  readonly #backend: Backend;
  #handle: Handle | null = null;
  #holds = 0;
  #forgotten = false;

  /** @param backend Where it is read; see {@linkcode readingBackend} */
  constructor(path: string, backend: Backend) {
    this.path = path;
    this.#backend = backend;
  }

  /** Opens the file, if it isn't open. @throws TableError NOT_FOUND, IO; CLOSED when it was let go of */
  open(): Handle {
    if (this.#handle !== null) return this.#handle;
    if (this.#forgotten && this.#holds === 0) {
      throw new TableError("CLOSED", "the log was let go of, and nobody held it", { file: this.path });
    }
    return this.#handle = this.#backend.open(this.path, "read");
  }

  /** Fills `target`. @throws TableError CORRUPT when the file ends before; NOT_FOUND, IO, CLOSED */
  read(offset: number, target: Uint8Array): void {
    const got = this.open().read(target, offset);
    if (got === target.length) return;
    throw new TableError("CORRUPT", `the log ends after ${got} of ${target.length} bytes`, {
      file: this.path,
      offset,
    });
  }

  /** Bytes of the file now. @throws TableError NOT_FOUND, IO, CLOSED */
  size(): number {
    return this.open().size();
  }

  /** Keeps the file readable after {@linkcode forget}. */
  hold(): void {
    this.#holds++;
  }

  /** Ends a {@linkcode hold}. */
  release(): void {
    this.#holds--;
    this.#settle();
  }

  /** Closes the file as soon as nobody holds it. To be called while the file still has its name. */
  forget(): void {
    if (this.#holds > 0) this.open();
    this.#forgotten = true;
    this.#settle();
  }

  #settle(): void {
    if (!this.#forgotten || this.#holds > 0) return;
    const handle = this.#handle;
    this.#handle = null;
    handle?.close();
  }
}
