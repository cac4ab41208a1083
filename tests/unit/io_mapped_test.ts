/** Mapped files where something is in the way: what can't be mapped, or copied from a map, is read. */
import assert from "node:assert/strict";
import { library } from "../../ffi/binding.ts";
import { scalar, Table } from "../../mod.ts";
import { MoveList } from "../../src/array/moves.ts";
import { TableError } from "../../src/error.ts";
import type { Backend, FileMap, Handle, OpenMode } from "../../src/io/backend.ts";
import { openBackend } from "../../src/io/backends.ts";
import { Context } from "../../src/io/context.ts";
import { TableFiles } from "../../src/io/files.ts";
import type { GatherStep } from "../../src/io/plan.ts";
import { temporaryFolder } from "../fixture.ts";
import { backendsHere, inTempDirectory, pattern, sameBytes } from "./io_help.ts";

const MIB = 2 ** 20;

/** Backend `mmap` whose handles have maps as `change` makes them. */
function withMaps(change: (map: FileMap) => FileMap | null): Backend {
  const backend = openBackend("mmap", { context: new Context() });
  const open = backend.open.bind(backend);
  backend.open = (path: string, mode: OpenMode): Handle => {
    const handle = open(path, mode), map = handle.map!.bind(handle);
    handle.map = () => change(map()!);
    return handle;
  };
  return backend;
}

function noBytes(): never {
  throw new TableError("IO", "the file became shorter");
}

/** A map whose pages can't be had. */
function emptyMap(map: FileMap): FileMap {
  return {
    length: map.length,
    damaged: false,
    isThere: () => true,
    copy: noBytes,
    gather: noBytes,
    view: noBytes,
    copyAsync: () => Promise.reject(new TableError("IO", "the file became shorter")),
    gatherAsync: () => Promise.reject(new TableError("IO", "the file became shorter")),
  };
}

/** Every other KiB of a file, in extents of 64 KiB. */
function halfOf(length: number, target: Uint8Array): GatherStep {
  const moves = new MoveList("bytes", 2, 1, 1), extents = [];
  for (let start = 0; start < length; start += 65536) {
    extents.push({ offset: start, length: 65536, firstMove: moves.count, moveCount: 1 });
    moves.push(start, start / 2, [1024, 32], [1, 2048], [1, 1024]);
  }
  return { kind: "gather", file: "f", extents, moves, target };
}

for (const [what, change] of [["mapped", () => null], ["copied from its map", emptyMap]] as const) {
  Deno.test({
    name: `a file that can't be ${what} is read`,
    ignore: !backendsHere().includes("mmap"),
    fn: async () => {
      await inTempDirectory("mmap", async (backend, directory) => {
        const bytes = pattern(3 * MIB, 7);
        Deno.writeFileSync(`${directory}/f`, bytes);
        const half = Uint8Array.from(
          { length: bytes.length / 2 },
          (_, i) => bytes[2 * (i - i % 1024) + i % 1024]!,
        );
        for (const wait of [false, true]) {
          const context = new Context();
          const files = new TableFiles(directory, backend, { writable: false, context });
          const target = new Uint8Array(bytes.length), part = new Uint8Array(half.length);
          if (wait) {
            await files.gatherAsync(halfOf(bytes.length, part));
            await files.readIntoAsync("f", 0, target);
          } else {
            files.gather(halfOf(bytes.length, part));
            files.readInto("f", 0, target);
          }
          sameBytes(target, bytes);
          sameBytes(part, half);
          files.close();
        }
      }, withMaps(change));
    },
  });
}

Deno.test({
  name: "what the system forgot of a mapped file is asked for, what it has isn't",
  ignore: !backendsHere().includes("mmap"),
  fn: () =>
    inTempDirectory("mmap", (backend, directory) => {
      const bytes = pattern(4 * MIB, 9), path = `${directory}/f`;
      Deno.writeFileSync(path, bytes);
      const open = () => new TableFiles(directory, backend, { writable: false, context: new Context() });
      let files = open();
      const target = new Uint8Array(bytes.length / 2);
      const read = () => files.gather(halfOf(bytes.length, target.fill(0)));
      read();
      backend.stats.reset();
      read();
      const expected = target.slice();
      assert.equal(backend.stats.snapshot().calls.madvise, 0);
      // Pages that are mapped stay.
      files.close();
      const native = library()!, fd = native.open(path, {}, null);
      native.fsync(fd, null);
      native.forget(fd, 0, 0, null);
      native.close(fd, null);
      files = open();
      read();
      sameBytes(target, expected);
      const parts = [3 * MIB, MIB].map((offset) => {
        const part = new Uint8Array(300_000);
        files.readInto("f", offset, part);
        return [part, bytes.slice(offset, offset + part.length)] as const;
      });
      for (const [part, wanted] of parts) sameBytes(part, wanted);
      files.close();
    }),
});

Deno.test({
  name:
    "the change counters are looked at in mapped memory, and what becomes of table.lock is noticed as by reading it",
  ignore: !backendsHere().includes("mmap"),
  fn: () => {
    for (const io of ["mmap", "pread"] as const) {
      using folder = temporaryFolder();
      const path = `${folder.path}/t`, lock = `${path}/table.lock`;
      using writer = Table.create(path, { columns: [scalar("N", "int32")], rows: 5 });
      writer.flush();
      using reader = Table.open(path, { io });
      // Mapping begins with a later look than that of opening.
      for (let i = 0; i < 5; i++) assert.equal(reader.getCell("N", 2), 0);
      reader.resetIoStats();
      for (let i = 0; i < 10; i++) assert.equal(reader.getCell("N", 2), 0);
      // None where the file system is known to show in a map what others write.
      assert.ok([0, 10].includes(reader.ioStats.calls.read));
      if (io === "pread") assert.equal(reader.ioStats.calls.read, 10);
      for (let value = 1; value < 4; value++) {
        writer.putCell("N", 2, value);
        writer.flush();
        assert.equal(reader.getCell("N", 2), value);
      }
      writer.addRows(1);
      writer.flush();
      assert.equal(reader.rowCount, 6);
      // Longer than when it was mapped, then shorter than the counters.
      Deno.writeFileSync(lock, new Uint8Array(10_000), { append: true });
      writer.putCell("N", 2, 7);
      writer.flush();
      assert.equal(reader.getCell("N", 2), 7);
      Deno.truncateSync(lock, 0);
      assert.equal(reader.getCell("N", 2), 7);
    }
  },
});
