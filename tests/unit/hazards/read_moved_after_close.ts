/** A view whose buffer somebody moved away before it was closed: zeros, because the pages are replaced, not unmapped. */
import assert from "node:assert/strict";
import { byteAt, LENGTH, mapFile, native, path } from "./file.ts";

const { fd, map } = mapFile();
const view = map.view(0, LENGTH);
const moved = new Uint8Array(view.bytes.buffer.transfer());
assert.equal(view.bytes.length, 0);
assert.equal(moved[7], byteAt(7));
map.close();
assert.equal(moved.length, LENGTH);
assert.ok(moved.every((byte) => byte === 0));
moved.fill(3);
assert.ok(moved.every((byte) => byte === 3));
native.close(fd);
assert.equal(Deno.readFileSync(path)[7], byteAt(7));
console.log("done");
