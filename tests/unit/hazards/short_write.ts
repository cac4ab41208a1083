/** A write that the system cuts short at the limit on a file's size: it goes on, and ends with the error. */
import assert from "node:assert/strict";
import { newStats, statsOf } from "../../../ffi/native-types.ts";
import { native, path } from "./file.ts";

const limit = Number(Deno.args[1]);
const fd = native.open(path, { write: true, create: true });
for (const write of ["pwrite", "pwritev"] as const) {
  const stats = newStats(), source = new Uint8Array(8192).fill(7), at = limit - 4096;
  const result = write === "pwrite"
    ? native.pwrite(fd, source, at, stats)
    : native.pwritev(fd, [source.subarray(0, 1000), source.subarray(1000)], at, stats);
  assert.equal(native.errnoName(result), "EFBIG");
  const kind = write === "pwrite" ? "write" : "writev";
  assert.equal(statsOf(stats, kind).calls, 2);
  assert.equal(statsOf(stats, kind).bytes, 4096);
  assert.equal(native.size(fd), limit);
  assert.equal(native.ftruncate(fd, 0), 0);
}
console.log("done");
