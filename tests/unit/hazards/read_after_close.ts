/** A view that is read after it was closed: the array is empty, nobody reaches the pages. */
import assert from "node:assert/strict";
import { byteAt, mapFile } from "./file.ts";

const { map } = mapFile();
const view = map.view(5000, 100);
const { bytes } = view, { buffer } = bytes, floats = new Float32Array(buffer, 0, 4);
assert.equal(bytes[0], byteAt(5000));
map.close();
assert.equal(bytes.length, 0);
assert.equal(bytes[0], undefined);
assert.equal(floats.length, 0);
assert.equal(buffer.byteLength, 0);
assert.equal(buffer.detached, true);
view.close();
console.log("done");
