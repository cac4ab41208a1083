/** A file that became shorter under a copy and under a gather, on our thread and on another: code IO, every time. */
import assert from "node:assert/strict";
import { packExtents } from "../../../ffi/native-types.ts";
import { MoveList } from "../../../src/array/moves.ts";
import { TableError } from "../../../src/error.ts";
import { byteAt, LENGTH, mapFile, native, path } from "./file.ts";

const { fd, map } = mapFile();
assert.equal(native.ftruncate(fd, native.pageSize), 0);

const io = (error: unknown) => error instanceof TableError && error.code === "IO" && error.file === path;
const copy = new Uint8Array(LENGTH);
const moves = new MoveList("bytes", 1, 1, 1);
moves.push(0, 0, [LENGTH], [1], [1]);
const extents = packExtents([{ offset: 0, length: LENGTH, firstMove: 0, moveCount: 1 }]);
for (let i = 0; i < 3; i++) {
  assert.throws(() => map.copy(0, copy), io);
  assert.throws(() => map.gather(moves, 0, 1, copy), io);
  await Promise.all([
    assert.rejects(map.copyAsync(0, copy), io),
    assert.rejects(map.gatherExtentsAsync(extents, moves, copy), io),
  ]);
}

// What is still there can still be copied.
const first = new Uint8Array(native.pageSize);
map.copy(0, first);
assert.ok(first.every((byte, i) => byte === byteAt(i)));
assert.equal(native.mapFaults(), 0);
map.close();
console.log("done");
