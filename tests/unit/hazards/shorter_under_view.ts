/** A file that became shorter under views: zeros where it ended, and a count that says so. */
import assert from "node:assert/strict";
import { byteAt, LENGTH, mapFile, native } from "./file.ts";

const { fd, map } = mapFile();
const other = map.view(0, 100), view = map.view(0, LENGTH);
assert.equal(native.ftruncate(fd, native.pageSize), 0);
assert.equal(native.mapFaults(), 0);
assert.ok(view.bytes.every((byte, i) => byte === (i < native.pageSize ? byteAt(i) : 0)));
assert.equal(native.mapFaults(), 2);
assert.equal(view.faults, 2);
assert.equal(other.faults, 0);
assert.equal(map.faults, 2);

// Writing is as safe as reading, also where nobody has read yet.
const late = map.view(0, LENGTH);
late.bytes.fill(9);
assert.ok(late.bytes.every((byte) => byte === 9));
assert.equal(late.faults, 2);

// A write out of a lost page is an error of the call, not a signal.
const lost = map.view(native.pageSize, 10);
const result = native.pwrite(fd, lost.bytes, 0);
assert.equal(native.errnoName(result), "EFAULT");
map.close();
assert.equal(map.faults, 4);
assert.equal(view.faults, 2);
console.log("done");
