/** A view that JavaScript writes into: its own copy changes, the file and other maps of it don't. */
import assert from "node:assert/strict";
import { byteAt, LENGTH, mapFile, path } from "./file.ts";

const { map } = mapFile();
const { bytes } = map.view(10, LENGTH - 10);
bytes.fill(0);
assert.ok(bytes.every((byte) => byte === 0));
const copy = new Uint8Array(LENGTH);
map.copy(0, copy);
assert.ok(copy.every((byte, i) => byte === byteAt(i)));
map.close();
assert.ok(Deno.readFileSync(path).every((byte, i) => byte === byteAt(i)));
console.log("done");
