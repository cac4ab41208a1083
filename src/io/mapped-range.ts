/**
 * A range of a file as memory, beside whatever the backend does with the file.
 *
 * The pages are private: they show what is in the file, also what is written to it later, until JavaScript writes to one;
 * then that page is its own. See `ffi/mapped.ts` for what happens when the file becomes shorter.
 */
import { TableError } from "../error.ts";
import { library, libraryStatus } from "../../ffi/binding.ts";
import { MappedView } from "../../ffi/mapped.ts";
import type { Backend } from "./backend.ts";
import { NativeIoStats } from "./native-stats.ts";

/** Mapped bytes. */
export interface MappedRange {
  /** The bytes; empty once closed. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Unmaps: `bytes` and all other arrays on its buffer are detached. */
  close(): void;
}

/** Largest range: what an ArrayBuffer may have of memory that the engine didn't allocate. */
const MOST_BYTES = 2 ** 36;

/**
 * Maps a range of the file at `path`.
 *
 * @throws TableError UNSUPPORTED where files can't be mapped, LIMIT for a range that no ArrayBuffer has, CORRUPT when the
 * file ends before, NOT_FOUND, IO
 */
export function mapRange(path: string, offset: number, length: number, backend: Backend): MappedView {
  if (backend.name === "memory") {
    throw new TableError("UNSUPPORTED", "the table is in memory, there is no file to map", { file: path });
  }
  const native = library();
  if (native === null) {
    throw new TableError("UNSUPPORTED", `mapped memory needs the C library: ${libraryStatus().reason}`, {
      file: path,
    });
  }
  if (length > MOST_BYTES) {
    throw new TableError("LIMIT", `the range has ${length} bytes, at most ${MOST_BYTES} are mapped at once`, {
      file: path,
      offset,
    });
  }
  const stats = backend.stats instanceof NativeIoStats ? backend.stats.block : null;
  const fd = native.open(path, {}, stats);
  if (fd < 0) throw native.systemError("open", path, fd);
  try {
    const size = native.size(fd, stats);
    if (size < 0) throw native.systemError("fstat", path, size);
    if (offset + length > size) {
      throw new TableError(
        "CORRUPT",
        `expected ${length} bytes up to ${offset + length}, the file has ${size} bytes`,
        { file: path, offset },
      );
    }
    return new MappedView(native, fd, offset, length, path, stats);
  } finally {
    // A map needs no descriptor once it is made.
    native.close(fd, stats);
  }
}

/** @throws TableError IO: a file became shorter under a map */
export function shortened(path: string): never {
  throw new TableError("IO", "the file became shorter under a view: a part of it reads as zeros", {
    file: path,
  });
}
