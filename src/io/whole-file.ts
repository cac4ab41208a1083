/**
 * Files that are read or written whole, by path: `table.dat`, `table.info`.
 */
import { TableError } from "../error.ts";
import { allocate } from "../array/alloc.ts";
import type { Backend } from "./backend.ts";
import { PAGE_BYTES } from "./page-cache.ts";

/** What the new content is called until it takes the old one's place; casacore uses the same name. */
export const BESIDE = "_tmp";

/** How {@linkcode replaceFile} makes sure of what it did. */
export interface ReplaceOptions {
  /** The content is on the disk before the name is (default). Without it, a loss of power may leave an empty file. */
  readonly sync?: boolean;
  /** Returns only when the name is on the disk, too. */
  readonly syncDirectory?: boolean;
}

/**
 * Gives a file a new content without a moment at which it has neither the old nor the new one: writes beside it, and
 * renames.
 *
 * @throws TableError IO; the old content stays, and what was written beside it is removed
 */
export function replaceFile(
  backend: Backend,
  path: string,
  bytes: Uint8Array,
  options: ReplaceOptions = {},
): void {
  const beside = path + BESIDE;
  try {
    const handle = backend.open(beside, "create");
    try {
      if (bytes.length > 0) handle.write(bytes, 0);
      if (options.sync ?? true) handle.sync();
    } finally {
      handle.close();
    }
    backend.rename(beside, path);
  } catch (error) {
    try {
      backend.remove(beside);
    } catch {
      // The first error says more.
    }
    throw error;
  }
  if (options.syncDirectory) backend.syncDirectory(parentOf(path));
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : slash === 0 ? "/" : path.slice(0, slash);
}

/**
 * The content of a file, or null if there is none. A file of less than 64 KiB costs open, one read and close.
 *
 * @throws TableError IO; LIMIT when it is longer than `maxBytes`, before memory is taken for it
 */
export function readWholeFile(backend: Backend, path: string, maxBytes = Infinity): Uint8Array | null {
  let handle;
  try {
    handle = backend.open(path, "read");
  } catch (error) {
    if (error instanceof TableError && error.code === "NOT_FOUND") return null;
    throw error;
  }
  try {
    const first = new Uint8Array(PAGE_BYTES), got = handle.read(first, 0);
    if (got < first.length) {
      if (got > maxBytes) tooLong(path, got, maxBytes);
      return first.slice(0, got);
    }
    const size = handle.size();
    if (size > maxBytes) tooLong(path, size, maxBytes);
    const bytes = allocate("uint8", Math.max(size, got));
    bytes.set(first);
    let at = got;
    while (at < bytes.length) {
      const more = handle.read(bytes.subarray(at), at);
      if (more === 0) {
        throw new TableError("IO", `the file had ${size} bytes and has ${at} now: somebody shortened it`, {
          file: path,
          offset: at,
        });
      }
      at += more;
    }
    return bytes;
  } finally {
    handle.close();
  }
}

function tooLong(path: string, size: number, maxBytes: number): never {
  throw new TableError("LIMIT", `the file has ${size} bytes, expected at most ${maxBytes}`, { file: path });
}
