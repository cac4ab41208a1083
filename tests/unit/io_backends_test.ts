import assert from "node:assert/strict";
import { TableError, type TableErrorCode } from "../../src/error.ts";
import type { Backend, IoName } from "../../src/io/backend.ts";
import { backendReport, openBackend } from "../../src/io/backends.ts";
import { backendsHere, fails, inTempDirectory, makeBackend } from "./io_help.ts";

for (const name of backendsHere()) {
  Deno.test(`${name}: a file is made, written, read past its end, cut and lengthened`, () => {
    inTempDirectory(name, (backend, directory) => {
      const file = backend.open(`${directory}/f`, "create");
      assert.equal(file.size(), 0);
      file.write(Uint8Array.of(1, 2, 3, 4), 6);
      assert.equal(file.size(), 10);
      const target = new Uint8Array(8).fill(9);
      assert.equal(file.read(target, 4), 6);
      assert.deepEqual([...target], [0, 0, 1, 2, 3, 4, 9, 9]);
      assert.equal(file.read(target, 10), 0);
      assert.equal(file.read(target, 1000), 0);
      assert.equal(file.read(new Uint8Array(0), 2), 0);
      file.resize(7);
      assert.equal(file.size(), 7);
      file.resize(9);
      assert.equal(file.read(target, 5), 4);
      assert.deepEqual([...target.subarray(0, 4)], [0, 1, 0, 0]);
      file.sync();
      file.close();
      const again = backend.open(`${directory}/f`, "read");
      assert.equal(again.size(), 9);
      again.close();
      const emptied = backend.open(`${directory}/f`, "create");
      assert.equal(emptied.size(), 0);
      emptied.close();
    });
  });

  Deno.test(`${name}: a read without blocking brings the same bytes`, async () => {
    await inTempDirectory(name, async (backend, directory) => {
      const file = backend.open(`${directory}/f`, "create");
      const bytes = Uint8Array.from({ length: 700_000 }, (_, i) => (i * 7) % 251);
      file.write(bytes, 0);
      for (const [offset, length] of [[0, 10], [1, 500_000], [650_000, 100_000], [700_000, 5]] as const) {
        const target = new Uint8Array(length);
        const got = await file.readAsync(target, offset);
        assert.equal(got, Math.min(length, bytes.length - offset));
        assert.ok(target.subarray(0, got).every((byte, i) => byte === bytes[offset + i]));
      }
      file.close();
    });
  });

  Deno.test(`${name}: pieces written by one call stand behind each other`, () => {
    inTempDirectory(name, (backend, directory) => {
      const file = backend.open(`${directory}/f`, "create");
      if (file.writev !== undefined) {
        const pieces = Array.from({ length: 600 }, (_, i) => new Uint8Array(i % 5).fill(i % 256));
        file.writev(pieces, 3);
        const expected = [0, 0, 0, ...pieces.flatMap((piece) => [...piece])];
        const target = new Uint8Array(expected.length + 10);
        assert.equal(file.read(target, 0), expected.length);
        assert.deepEqual([...target.subarray(0, expected.length)], expected);
        assert.ok(backend.stats.snapshot().calls.write <= 3);
      }
      file.close();
    });
  });

  Deno.test(`${name}: paths are listed, renamed over another, and removed`, () => {
    inTempDirectory(name, (backend, directory) => {
      for (const file of ["b", "a"]) {
        const handle = backend.open(`${directory}/${file}`, "create");
        handle.write(Uint8Array.of(file.charCodeAt(0)), 0);
        handle.close();
      }
      backend.makeDirectory(`${directory}/d`);
      assert.deepEqual(backend.list(directory), ["a", "b", "d"]);
      assert.deepEqual(["a", "d", "x", "a/y"].map((p) => backend.kind(`${directory}/${p}`)), [
        "file",
        "directory",
        null,
        null,
      ]);
      backend.rename(`${directory}/a`, `${directory}/b`);
      backend.syncDirectory(directory);
      assert.deepEqual(backend.list(directory), ["b", "d"]);
      const handle = backend.open(`${directory}/b`, "read"), target = new Uint8Array(1);
      handle.read(target, 0);
      handle.close();
      assert.equal(target[0], 97);
      backend.remove(`${directory}/b`);
      backend.removeDirectory(`${directory}/d`);
      assert.deepEqual(backend.list(directory), []);
    });
  });

  Deno.test(`${name}: errors say which call failed on which path`, () => {
    inTempDirectory(name, (backend, directory) => {
      const missing = `${directory}/missing`;
      const expectations: [TableErrorCode, string, (() => void)][] = [
        ["NOT_FOUND", "open", () => backend.open(missing, "read")],
        ["NOT_FOUND", "open", () => backend.open(missing, "update")],
        ["NOT_FOUND", "open", () => backend.open(`${missing}/f`, "create")],
        ["NOT_FOUND", "unlink", () => backend.remove(missing)],
        ["NOT_FOUND", "rename", () => backend.rename(missing, `${directory}/f`)],
        ["NOT_FOUND", "opendir", () => backend.list(missing)],
        ["EXISTS", "mkdir", () => backend.makeDirectory(directory)],
        ["NOT_FOUND", "rmdir", () => backend.removeDirectory(missing)],
      ];
      for (const [code, call, work] of expectations) {
        const error = fails(work, code);
        assert.match(error.message, new RegExp(`${call} failed`));
        assert.ok(error.file?.startsWith(directory), error.file);
        assert.equal(error.errno, code === "EXISTS" ? 17 : 2);
      }
      backend.open(`${directory}/f`, "create").close();
      const readOnly = backend.open(`${directory}/f`, "read");
      assert.match(
        fails(() => readOnly.write(Uint8Array.of(1), 0), "IO").message,
        /f, offset 0: .*write failed/,
      );
      fails(() => readOnly.resize(5), "IO");
      readOnly.close();
    });
  });

  if (name !== "memory") {
    Deno.test(`${name}: a file may be larger than 4 GiB`, () => {
      inTempDirectory(name, (backend, directory) => {
        const file = backend.open(`${directory}/sparse`, "create"), size = 5 * 2 ** 30;
        file.resize(size);
        file.write(Uint8Array.of(5, 6, 7), size - 2);
        assert.equal(file.size(), size + 1);
        const target = new Uint8Array(6);
        assert.equal(file.read(target, size - 4), 5);
        assert.deepEqual([...target], [0, 0, 5, 6, 7, 0]);
        // Nothing came round at 4 GiB.
        assert.equal(file.read(target, 2 ** 30 - 4), 6);
        assert.deepEqual([...target], [0, 0, 0, 0, 0, 0]);
        file.close();
      });
    });

    Deno.test(`${name}: a full disk is an error that says so`, () => {
      const backend = makeBackend(name);
      const file = backend.open("/dev/full", "update");
      const error = fails(() => file.write(new Uint8Array(10), 0), "IO");
      assert.equal(error.errno, 28);
      assert.match(error.message, /\/dev\/full, offset 0: p?write failed/);
      file.close();
    });
  }

  Deno.test(`${name}: what an access costs is counted`, () => {
    inTempDirectory(name, (backend, directory) => {
      backend.stats.reset();
      const file = backend.open(`${directory}/f`, "create");
      file.write(new Uint8Array(4096), 0);
      file.write(new Uint8Array(10), 4096);
      file.write(new Uint8Array(10), 8192);
      file.read(new Uint8Array(100), 8000);
      file.read(new Uint8Array(100), 8100);
      file.close();
      const {
        calls,
        seeks,
        bytesRead,
        bytesWritten,
        alignedBytes,
        unalignedBytes,
        alignedWrites,
        unalignedWrites,
        fallbacks,
        latency,
        totalCalls,
      } = backend
        .stats.snapshot();
      // Past the page cache: a descriptor of its own, and its alignment.
      const more = name === "direct" && fallbacks.length === 0 ? 1 : 0;
      assert.equal(calls.open, 1 + more);
      assert.equal(calls.close, 1 + more);
      assert.equal(calls.stat, more);
      assert.equal(calls.write, 3);
      assert.equal(calls.read, 2);
      assert.equal(calls.lseek, name === "seek" ? 5 : 0);
      assert.equal(totalCalls, name === "seek" ? 12 : 7 + 3 * more);
      assert.equal(seeks, 2);
      assert.equal(bytesRead, 200);
      assert.equal(bytesWritten, 4116);
      assert.equal(alignedWrites, 1);
      assert.equal(unalignedWrites, 2);
      assert.equal(alignedBytes, 4096);
      assert.equal(unalignedBytes, 20);
      if (name !== "memory") {
        assert.equal(latency.write.reduce((sum, n) => sum + n), 3);
        assert.equal(latency.read.reduce((sum, n) => sum + n), 2);
      }
    });
  });
}

Deno.test("a snapshot is frozen, and a reset starts again from 0", () => {
  const backend: Backend = openBackend("memory");
  backend.makeDirectory("d");
  const before = backend.stats.snapshot();
  assert.equal(before.calls.mkdir, 1);
  assert.throws(() => (before.calls as { mkdir: number }).mkdir = 5, TypeError);
  backend.stats.reset();
  assert.equal(backend.stats.snapshot().calls.mkdir, 0);
  assert.equal(before.calls.mkdir, 1);
});

Deno.test("backends have names, and unknown ones are refused", () => {
  assert.match(fails(() => openBackend("toString" as IoName), "INVALID_ARGUMENT").message, /toString/);
  const report = backendReport();
  assert.equal(report.filter((line) => line.auto).length, 1);
  assert.equal(report.find((line) => line.auto)?.name, openBackend("auto").name);
  assert.equal(report.filter((line) => line.autoWriting).length, 1);
  const writing = openBackend("auto", { writable: true });
  assert.equal(report.find((line) => line.autoWriting)?.name, writing.name);
  for (const line of report) assert.ok(line.works || line.reason !== "", line.name);
  assert.ok(TableError);
});
