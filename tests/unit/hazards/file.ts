/** A file of three pages for a hazard, and what every hazard's script needs. */
import assert from "node:assert/strict";
import { library } from "../../../ffi/binding.ts";
import type { NativeLibrary } from "../../../ffi/native-library.ts";
import { MappedFile } from "../../../ffi/mapped.ts";

/** The C library; these scripts are only run when it is there. */
export const native: NativeLibrary = library()!;

/** Bytes of the file. */
export const LENGTH = 3 * native.pageSize;

/** Byte `i` of the file; never 0. */
export const byteAt = (i: number): number => 1 + i % 251;

/** The file's path: the script's argument. */
export const path = Deno.args[0]!;

/** Writes the file, opens it, maps it. */
export function mapFile(): { fd: number; map: MappedFile } {
  const fd = native.open(path, { write: true, create: true, truncate: true });
  assert.ok(fd >= 0);
  assert.equal(native.pwrite(fd, Uint8Array.from({ length: LENGTH }, (_, i) => byteAt(i)), 0), LENGTH);
  return { fd, map: new MappedFile(native, fd, LENGTH, path) };
}
