import assert from "node:assert/strict";
import { MoveList } from "../../src/array/moves.ts";
import { Context } from "../../src/io/context.ts";
import { TableFiles } from "../../src/io/files.ts";
import { MemoryBackend } from "../../src/io/memory-backend.ts";
import type { GatherStep } from "../../src/io/plan.ts";
import { readWholeFile, replaceFile } from "../../src/io/whole-file.ts";
import { FaultyBackend } from "../faulty-backend.ts";
import {
  backendsHere,
  fails,
  failsAsync,
  inTempDirectory,
  makeBackend,
  pattern,
  sameBytes,
} from "./io_help.ts";

const MIB = 2 ** 20;

/** Files in memory that fail on demand. */
function faulty(): { backend: FaultyBackend; files: TableFiles } {
  const backend = new FaultyBackend(new MemoryBackend());
  backend.makeDirectory("t");
  return { backend, files: new TableFiles("t", backend, { writable: true, context: new Context() }) };
}

/** All of a file, as bytes. */
function wholeGather(file: string, length: number, target = new Uint8Array(length)): GatherStep {
  const moves = new MoveList("bytes", 1, 1, 1);
  moves.push(0, 0, [length], [1], [1]);
  return {
    kind: "gather",
    file,
    extents: [{ offset: 0, length, firstMove: 0, moveCount: 1 }],
    moves,
    target,
  };
}

Deno.test("a write that fails keeps what was written, and a later flush sends it", () => {
  const { backend, files } = faulty();
  files.create("a");
  files.write("a", 0, pattern(1000, 1));
  files.write("a", 50_000, pattern(1000, 2));
  files.create("b");
  files.write("b", 10, pattern(10, 3));
  backend.fault = (call) => call.kind === "write" && call.offset === 50_000 ? { bytes: 300 } : undefined;
  const error = fails(() => files.flush(), "IO");
  assert.equal(error.errno, 28);
  assert.equal(error.file, "t/a");
  assert.ok(files.dirty);
  sameBytes(files.read("a", 50_000, 1000), pattern(1000, 2));
  sameBytes(files.read("a", 0, 1000), pattern(1000, 1));
  assert.equal(files.size("a"), 51_000);
  backend.fault = () => {};
  backend.log.length = 0;
  files.flush();
  assert.deepEqual(backend.log.filter((c) => c.kind === "write").map((c) => [c.path, c.offset, c.length]), [
    ["t/a", 0, 1000],
    ["t/a", 50_000, 1000],
    ["t/b", 10, 10],
  ]);
  assert.ok(!files.dirty);
  const whole = readWholeFile(backend, "t/a")!;
  sameBytes(whole.subarray(0, 1000), pattern(1000, 1));
  sameBytes(whole.subarray(50_000), pattern(1000, 2));
});

Deno.test("after half a write, what is dropped leaves the file as the disk has it", () => {
  const { backend, files } = faulty();
  files.replace("a", pattern(100, 1));
  files.flush();
  files.read("a", 0, 100);
  files.write("a", 50, pattern(1000, 2));
  backend.fault = (call) => call.kind === "write" ? { bytes: 300 } : undefined;
  fails(() => files.flush(), "IO");
  files.discard();
  backend.fault = () => {};
  assert.equal(files.size("a"), 350);
  sameBytes(files.read("a", 50, 300), pattern(1000, 2).slice(0, 300));
  sameBytes(files.read("a", 0, 50), pattern(100, 1).slice(0, 50));
});

Deno.test("every call of a replacement may fail, and the next flush completes it", () => {
  for (const shorter of [true, false]) {
    for (let failing = 0; failing < 6; failing++) {
      const { backend, files } = faulty();
      files.replace("h", pattern(3000, 1));
      files.flush();
      const expected = pattern(shorter ? 500 : 5000, 2);
      files.replace("h", expected);
      let n = 0;
      backend.fault = () => n++ === failing ? { errno: 5 } : undefined;
      try {
        files.flush({ durable: true });
      } catch (error) {
        assert.equal((error as { code: string }).code, "IO");
      }
      backend.fault = () => {};
      sameBytes(files.read("h", 0, expected.length), expected);
      assert.equal(files.size("h"), expected.length);
      files.flush({ durable: true });
      sameBytes(readWholeFile(backend, "t/h"), expected, `call ${failing} failed`);
      files.close();
    }
  }
});

Deno.test("a header that is replaced by a longer one is never short of both", () => {
  const { backend, files } = faulty();
  files.replace("h", pattern(100, 1));
  files.flush();
  files.replace("h", pattern(100, 2));
  backend.log.length = 0;
  files.flush();
  assert.deepEqual(backend.log.map((call) => call.kind), ["write"]);
});

Deno.test("discard drops what a failed operation wrote, changed or removed", () => {
  const { files } = faulty();
  files.create("a");
  files.write("a", 0, pattern(1000, 1));
  files.create("b");
  files.flush();
  files.write("a", 10, pattern(20, 9));
  files.resize("a", 500, true);
  files.remove("b");
  files.create("c");
  files.write("c", 0, pattern(20, 9));
  files.discard();
  assert.equal(files.size("b"), 0);
  assert.equal(files.size("c"), -1);
  sameBytes(files.read("a", 0, 1000), pattern(1000, 1));
  assert.ok(!files.dirty);
});

Deno.test("reads that the system cuts short go on where they stopped", async () => {
  for (const length of [70_000, 200_000, 3 * MIB]) {
    const { backend, files } = faulty();
    const bytes = pattern(length, 4);
    files.replace("f", bytes);
    files.flush();
    files.close();
    let cuts = 0;
    backend.fault = (call) =>
      call.kind === "read" && cuts++ % 2 === 0 ? { bytes: Math.ceil(call.length / 3) } : undefined;
    for (let round = 0; round < 3; round++) {
      const again = new TableFiles("t", backend, { writable: false, context: new Context() });
      const target = new Uint8Array(length);
      if (round === 0) sameBytes(again.read("f", 0, length), bytes);
      else if (round === 1) again.gather(wholeGather("f", length, target));
      else await again.gatherAsync(wholeGather("f", length, target));
      if (round > 0) sameBytes(target, bytes);
      again.close();
    }
    assert.ok(cuts > 3);
  }
});

Deno.test("a read that brings nothing of a file that has more is an error, not a loop", async () => {
  const { backend, files } = faulty();
  files.replace("f", pattern(500_000, 1));
  files.flush();
  backend.fault = (call) => call.kind === "read" ? { bytes: 0 } : undefined;
  fails(() => files.read("f", 0, 400_000), "IO");
  fails(() => files.read("f", 0, 10), "IO");
  await failsAsync(files.readAsync("f", 0, 400_000), "IO");
});

Deno.test("a read error names the file, and the next try may succeed", () => {
  const { backend, files } = faulty();
  files.replace("f", pattern(5000, 1));
  files.flush();
  backend.fault = (call) => call.kind === "read" ? { errno: 5 } : undefined;
  const error = fails(() => files.read("f", 100, 10), "IO");
  assert.equal(error.file, "t/f");
  backend.fault = () => {};
  sameBytes(files.read("f", 100, 10), pattern(5000, 1).slice(100, 110));
});

Deno.test("ranges that no file can have are refused before memory is taken for them", async () => {
  const { files } = faulty();
  files.replace("f", pattern(100, 1));
  files.flush();
  for (
    const [offset, length] of [[0, 2 ** 50], [2 ** 52, 8], [-1, 8], [0, -1], [0.5, 1], [NaN, 1], [
      99,
      2,
    ]] as const
  ) {
    fails(() => files.read("f", offset, length), "CORRUPT");
    await failsAsync(files.readAsync("f", offset, length), "CORRUPT");
  }
  const error = fails(() => files.read("f", 90, 70_000), "CORRUPT");
  assert.equal(error.message, "t/f, offset 90: expected 70000 bytes up to 70090, the file has 100 bytes");
  fails(() => files.gather(wholeGather("f", 101, new Uint8Array(101))), "CORRUPT");
  fails(() => files.gather(wholeGather("f", 2 * MIB)), "CORRUPT");
  fails(() => files.gather(wholeGather("missing", 2 * MIB)), "NOT_FOUND");
});

Deno.test("files opened for reading refuse every change", () => {
  const { backend, files } = faulty();
  files.replace("f", pattern(100, 1));
  files.flush();
  const reader = new TableFiles("t", backend, { writable: false });
  const moves = new MoveList("bytes", 1, 1, 1);
  moves.push(0, 0, [1], [1], [1]);
  const extent = { offset: 0, length: 1, firstMove: 0, moveCount: 1 }, source = new Uint8Array(1);
  for (
    const change of [
      () => reader.write("f", 0, source),
      () => reader.replace("f", source),
      () => reader.create("g"),
      () => reader.remove("f"),
      () => reader.resize("f", 5, true),
      () => reader.scatter({ kind: "scatter", file: "f", extent, fresh: true, moves, source }),
    ]
  ) fails(change, "READ_ONLY");
  reader.flush({ durable: true });
  reader.close();
  fails(() => reader.read("f", 0, 1), "CLOSED");
});

Deno.test("a file that is replaced whole has its old or its new content, whichever call fails", () => {
  const backend = new FaultyBackend(new MemoryBackend());
  backend.makeDirectory("t");
  replaceFile(backend, "t/table.dat", pattern(100, 1));
  for (let failing = 0;; failing++) {
    let n = 0;
    backend.fault = () => n++ === failing ? { errno: 28 } : undefined;
    let failed = false;
    try {
      replaceFile(backend, "t/table.dat", pattern(200, 2), { syncDirectory: true });
    } catch {
      failed = true;
    }
    backend.fault = () => {};
    const found = readWholeFile(backend, "t/table.dat")!;
    if (!failed) {
      sameBytes(found, pattern(200, 2));
      assert.ok(failing >= 6, `${failing} calls`);
      break;
    }
    sameBytes(found, found.length === 100 ? pattern(100, 1) : pattern(200, 2));
    assert.deepEqual(backend.list("t"), ["table.dat"]);
  }
  assert.equal(readWholeFile(backend, "t/none"), null);
  fails(() => readWholeFile(backend, "t/table.dat", 50), "LIMIT");
});

for (const name of backendsHere().filter((one) => one !== "memory")) {
  Deno.test(`${name}: a file that another process shortened is an IO error`, async () => {
    await inTempDirectory(name, async (backend, directory) => {
      const length = 3 * MIB, path = `${directory}/f`, bytes = pattern(length, 5);
      Deno.writeFileSync(path, bytes);
      const files = new TableFiles(directory, backend, { writable: false, context: new Context() });
      const target = new Uint8Array(length);
      files.gather(wholeGather("f", length, target));
      sameBytes(target, bytes);
      assert.equal(files.size("f"), length);
      Deno.truncateSync(path, MIB);
      fails(() => files.gather(wholeGather("f", length)), "IO");
      assert.equal(files.size("f"), MIB);
      // By now it is known that the file is short.
      await failsAsync(files.gatherAsync(wholeGather("f", length)), "CORRUPT");
      files.close();
    });
  });

  Deno.test(`${name}: a file that another process lengthened or replaced is seen after forget()`, () => {
    inTempDirectory(name, (backend, directory) => {
      const path = `${directory}/f`, files = new TableFiles(directory, backend, { writable: false });
      assert.equal(files.size("f"), -1);
      Deno.writeFileSync(path, pattern(100, 1));
      assert.equal(files.size("f"), -1);
      files.forget();
      assert.equal(files.size("f"), 100);
      // A range past the end as it was known asks again.
      Deno.writeFileSync(path, pattern(70_000, 1));
      sameBytes(files.read("f", 50, 69_000), pattern(70_000, 1).slice(50, 69_050));
      Deno.removeSync(path);
      Deno.writeFileSync(path, pattern(10, 2));
      files.forget("f");
      sameBytes(files.read("f", 0, 10), pattern(10, 2));
      files.close();
    });
  });

  Deno.test(`${name}: a disk without room refuses what is flushed, and nothing is lost`, () => {
    inTempDirectory(name, (backend, directory) => {
      Deno.symlinkSync("/dev/full", `${directory}/f`);
      const files = new TableFiles(directory, backend, { writable: true, context: new Context() });
      files.write("f", 0, pattern(100, 1));
      assert.equal(fails(() => files.flush(), "IO").errno, 28);
      sameBytes(files.read("f", 0, 100), pattern(100, 1));
      assert.equal(fails(() => files.write("f", 0, new Uint8Array(MIB)), "IO").errno, 28);
      Deno.removeSync(`${directory}/f`);
      files.forget();
      files.replace("f", pattern(100, 1));
      files.flush();
      files.close();
      sameBytes(Deno.readFileSync(`${directory}/f`), pattern(100, 1));
    });
  });
}

Deno.test("mmap: a view is private, detached on close, and zero where the file became shorter", () => {
  if (!backendsHere().includes("mmap")) return;
  inTempDirectory("mmap", (backend, directory) => {
    const path = `${directory}/f`, bytes = pattern(3 * MIB, 5);
    Deno.writeFileSync(path, bytes);
    const files = new TableFiles(directory, backend, { writable: false });
    const view = files.view("f", 1001, 2 * MIB)!;
    sameBytes(view, bytes.slice(1001, 1001 + 2 * MIB));
    view[0]! ^= 255;
    assert.equal(Deno.readFileSync(path)[1001], bytes[1001]);
    fails(() => files.view("f", 1001, 3 * MIB), "CORRUPT");
    files.check();
    Deno.truncateSync(path, 4096);
    assert.equal(view[2 * MIB - 1], 0);
    fails(() => files.check(), "IO");
    files.close();
    assert.equal(view.length, 0);
  });
});

Deno.test("mmap: a file that grows is mapped anew, and one map is kept", () => {
  if (!backendsHere().includes("mmap")) return;
  inTempDirectory("mmap", (backend, directory) => {
    const files = new TableFiles(directory, backend, { writable: true, context: new Context() });
    files.create("f");
    for (let i = 1; i <= 5; i++) {
      files.write("f", (i - 1) * 300_000, pattern(300_000, i));
      const target = new Uint8Array(i * 300_000);
      files.gather(wholeGather("f", target.length, target));
      sameBytes(target.subarray(-300_000), pattern(300_000, i));
    }
    assert.deepEqual([backend.stats.snapshot().calls.mmap, backend.stats.snapshot().calls.munmap], [5, 4]);
    const view = files.view("f", 0, 300_000)!;
    files.write("f", 1_500_000, pattern(300_000, 6));
    files.gather(wholeGather("f", 1_800_000));
    sameBytes(view, pattern(300_000, 1));
    files.close();
    assert.equal(view.length, 0);
    const { calls } = backend.stats.snapshot();
    assert.equal(calls.mmap, calls.munmap);
  });
});

Deno.test("mmap: what is pending is not viewed, and others have no views", () => {
  if (!backendsHere().includes("mmap")) return;
  inTempDirectory("mmap", (backend, directory) => {
    const files = new TableFiles(directory, backend, { writable: true });
    files.create("f");
    files.write("f", 0, pattern(100_000, 1));
    assert.equal(files.view("f", 10, 10), null);
    files.flush();
    sameBytes(files.view("f", 10, 10), pattern(100_000, 1).slice(10, 20));
    files.close();
  });
  const files = new TableFiles("t", makeBackend("memory"), { writable: true });
  files.create("f");
  files.write("f", 0, pattern(10, 1));
  assert.equal(files.view("f", 0, 10), null);
});

Deno.test("bytes that were read while others were written are not taken for what the file has", async () => {
  const { files } = faulty();
  files.replace("f", pattern(1000, 1));
  files.flush();
  files.forget();
  const before = files.readAsync("f", 0, 100);
  files.write("f", 10, pattern(50, 2));
  files.flush();
  await before;
  sameBytes(files.read("f", 10, 50), pattern(50, 2));
});

Deno.test("bytes that were cut off don't come back behind a large write", () => {
  for (const name of backendsHere()) {
    inTempDirectory(name, (backend, directory) => {
      const files = new TableFiles(directory, backend, { writable: true, context: new Context() });
      files.create("f");
      files.write("f", 0, pattern(MIB, 1));
      files.flush();
      files.resize("f", 10, true);
      files.write("f", 300_000, pattern(400_000, 2));
      const expected = new Uint8Array(700_000);
      expected.set(pattern(10, 1));
      expected.set(pattern(400_000, 2), 300_000);
      sameBytes(files.read("f", 0, 700_000), expected);
      files.flush();
      assert.equal(files.size("f"), 700_000);
      sameBytes(files.read("f", 0, 700_000), expected);
      files.close();
    });
  }
});

Deno.test("files are not closed under a read that runs without blocking", async () => {
  for (const name of backendsHere()) {
    await inTempDirectory(name, async (backend, directory) => {
      const files = new TableFiles(directory, backend, { writable: true, context: new Context() });
      files.create("f");
      files.write("f", 0, pattern(MIB, 1));
      files.flush();
      const reading = files.readAsync("f", 0, MIB);
      fails(() => files.close(), "BUSY");
      sameBytes(await reading, pattern(MIB, 1));
      files.close();
    });
  }
});
