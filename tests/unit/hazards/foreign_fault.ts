/** A fault in memory that is none of ours ends the process as it would without us: nothing must be printed after it. */
import { LENGTH, mapFile, native } from "./file.ts";

const { fd } = mapFile();
// The guarded kind of map, but touched without a guard: to the handler an address like any other.
const address = native.symbols.tessera_map(fd, 0, LENGTH, 0, null);
native.ftruncate(fd, 0);
const pointer = Deno.UnsafePointer.create(BigInt(address))!;
console.log("before");
console.log(
  "after",
  Deno.UnsafePointerView.getArrayBuffer(pointer, 8).byteLength,
  new Deno.UnsafePointerView(pointer).getUint8(),
);
