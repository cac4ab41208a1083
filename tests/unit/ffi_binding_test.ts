/**
 * The C library's calls on files: what they move, what they count, and what their errors become.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { disableLibrary, library, libraryStatus } from "../../ffi/binding.ts";
import { newStats, packExtents, shortExtent, STAT_KINDS, statsOf } from "../../ffi/native-types.ts";
import { MappedFile } from "../../ffi/mapped.ts";
import { kernels } from "../../src/array/choose.ts";
import { MoveList } from "../../src/array/moves.ts";
import { TableError } from "../../src/error.ts";

const loaded = library();
const ignore = loaded === null;
const native = loaded!;

/** Calls `body` with an open, empty file, and removes it. */
async function withFile(body: (fd: number, path: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/fïle`;
  const fd = native.open(path, { write: true, create: true, exclusive: true });
  assert.ok(fd >= 0);
  try {
    await body(fd, path);
  } finally {
    native.close(fd);
    await Deno.remove(folder, { recursive: true });
  }
}

const count = (n: number) => Uint8Array.from({ length: n }, (_, i) => i % 251);

Deno.test(
  { name: "pread and pwrite move bytes at offsets, and count calls, bytes and times", ignore },
  async () => {
    await withFile((fd) => {
      const stats = newStats();
      assert.equal(native.pwrite(fd, count(1000), 5, stats), 1000);
      const target = new Uint8Array(20);
      assert.equal(native.pread(fd, target.subarray(4, 14), 0, stats), 10);
      assert.deepEqual(
        target,
        Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0).fill(0, 4, 9),
      );
      assert.equal(native.pread(fd, target, 1000, stats), 5); // the end of the file
      assert.equal(native.pread(fd, target, 1005, stats), 0);
      assert.equal(native.pread(fd, new Uint8Array(0), 0, stats), 0);
      const write = statsOf(stats, "write"), read = statsOf(stats, "read");
      assert.deepEqual([write.calls, write.bytes], [1, 1000]);
      assert.deepEqual([read.calls, read.bytes], [3, 15]); // a short read is the end; nothing to read is no call
      assert.equal(read.histogram.reduce((a, b) => a + b), 3);
      assert.deepEqual(STAT_KINDS.filter((kind) => statsOf(stats, kind).calls > 0), ["read", "write"]);
      assert.equal(native.size(fd, stats), 1005);
      assert.equal(native.ftruncate(fd, 10, stats), 0);
      assert.equal(native.fdatasync(fd, stats), 0);
      assert.equal(native.fsync(fd, stats), 0);
      assert.equal(native.forget(fd, 0, 0, stats) === 0, Deno.build.os === "linux");
      const found = native.fstat(fd, stats);
      assert.ok(typeof found === "object");
      assert.deepEqual([found.size, found.kind], [10, "file"]);
      assert.match(found.identity, /^\d+:\d+$/);
      assert.ok(Math.abs(Number(found.modified) / 1e6 - Date.now()) < 60_000);
      assert.deepEqual(
        ["stat", "truncate", "sync"].map((kind) => statsOf(stats, kind as "stat").calls),
        [2, 1, 2],
      );
    });
  },
);

Deno.test({ name: "offsets past 4 GiB are exact", ignore }, async () => {
  await withFile((fd) => {
    for (const offset of [2 ** 32 - 1, 2 ** 32 + 7, 2 ** 40 + 3]) {
      assert.equal(native.pwrite(fd, count(9), offset), 9);
      const target = new Uint8Array(9);
      assert.equal(native.pread(fd, target, offset), 9);
      assert.deepEqual(target, count(9));
      assert.equal(native.size(fd), offset + 9);
    }
  });
});

Deno.test({ name: "preadv and pwritev take any number of buffers, empty ones too", ignore }, async () => {
  await withFile(async (fd) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(40), { maxLength: 700 }),
        fc.nat(9),
        fc.boolean(),
        async (lengths, offset, later) => {
          assert.equal(native.ftruncate(fd, 0), 0);
          let total = 0;
          const sources = lengths.map((length) => count(total += length).slice(total - length));
          const stats = newStats();
          assert.equal(
            later
              ? await native.pwritevAsync(fd, sources, offset, stats)
              : native.pwritev(fd, sources, offset, stats),
            total,
          );
          const targets = lengths.map((length) => new Uint8Array(length));
          assert.equal(
            later
              ? await native.preadvAsync(fd, targets, offset, stats)
              : native.preadv(fd, targets, offset, stats),
            total,
          );
          assert.deepEqual(targets, sources);
          // 256 buffers a call.
          const calls = Math.ceil(lengths.filter((length) => length > 0).length / 256);
          assert.deepEqual([statsOf(stats, "writev").calls, statsOf(stats, "readv").calls], [calls, calls]);
          // One byte more than there is.
          assert.equal(native.preadv(fd, [...targets, new Uint8Array(1)], offset), total);
        },
      ),
      { numRuns: 60 },
    );
  });
});

Deno.test({ name: "calls on another thread do the same", ignore }, async () => {
  await withFile(async (fd) => {
    const stats = newStats();
    const parts = Array.from({ length: 8 }, (_, i) => count(5000).map((x) => x ^ i));
    assert.deepEqual(
      await Promise.all(parts.map((part, i) => native.pwriteAsync(fd, part, i * 5000, stats))),
      parts.map(() => 5000),
    );
    assert.equal(await native.fdatasyncAsync(fd), 0);
    const targets = parts.map(() => new Uint8Array(5000));
    await Promise.all(targets.map((target, i) => native.preadAsync(fd, target, i * 5000, stats)));
    assert.deepEqual(targets, parts);
    assert.deepEqual([statsOf(stats, "read").calls, statsOf(stats, "read").bytes], [8, 40000]);
    assert.equal(native.errnoName(await native.preadAsync(-1, targets[0]!, 0)), "EBADF");
  });
});

Deno.test({ name: "open makes, empties and refuses files as it is told", ignore }, async () => {
  await withFile((fd, path) => {
    native.pwrite(fd, count(3), 0);
    assert.equal(
      native.errnoName(native.open(path, { write: true, create: true, exclusive: true })),
      "EEXIST",
    );
    assert.equal(native.errnoName(native.open(path + "x", {})), "ENOENT");
    const reader = native.open(path, {});
    assert.equal(native.errnoName(native.pwrite(reader, count(1), 0)), "EBADF");
    assert.equal(native.size(reader), 3);
    const writer = native.open(path, { write: true, create: true, truncate: true });
    assert.equal(native.size(reader), 0);
    assert.deepEqual([native.close(reader), native.close(writer)], [0, 0]);
    assert.throws(() => native.open("a\0b", {}), { code: "INVALID_ARGUMENT" });
    const folder = native.open(path.slice(0, path.lastIndexOf("/")), {});
    const found = native.fstat(folder);
    assert.ok(typeof found === "object" && found.kind === "directory");
    assert.deepEqual([native.fsync(folder), native.close(folder)], [0, 0]);
  });
});

Deno.test({ name: "an error number becomes a TableError that names the path and the call", ignore }, () => {
  const error = (call: string, path: string, result: number, offset?: number) =>
    native.systemError(call, path, result, offset);
  const missing = error("open", "/no/such", native.open("/no/such", {}));
  assert.ok(missing instanceof TableError);
  assert.deepEqual([missing.code, missing.file, missing.errno], ["NOT_FOUND", "/no/such", 2]);
  assert.match(missing.message, /^\/no\/such: open failed: .+ \(ENOENT\)$/);
  const bad = error("pread", "t", native.pread(-1, new Uint8Array(1), 0), 7);
  assert.deepEqual([bad.code, bad.offset], ["IO", 7]);
  assert.match(bad.message, /^t, offset 7: pread failed: .+ \(EBADF\)$/);
  assert.equal(error("open", "t", -17).code, "EXISTS");
  assert.equal(error("open", "t", 13).code, "IO");
  assert.match(error("open", "t", 12345).message, /errno 12345/);
});

Deno.test({ name: "offsets and lengths that can't be are EINVAL", ignore }, async () => {
  await withFile((fd) => {
    const one = new Uint8Array(1);
    for (const offset of [-1, 0.5, NaN, Infinity, 2 ** 53 + 2]) {
      for (
        const result of [
          native.pread(fd, one, offset),
          native.pwrite(fd, one, offset),
          native.preadv(fd, [one], offset),
          native.pwritev(fd, [one], offset),
          native.ftruncate(fd, offset),
          native.lock(fd, "read", offset, 1),
          native.lock(fd, "read", 0, offset),
        ]
      ) assert.equal(native.errnoName(result), "EINVAL");
    }
    assert.equal(native.size(fd), 0);
  });
});

Deno.test(
  { name: "a full disk is code IO with ENOSPC", ignore: ignore || Deno.build.os !== "linux" },
  async () => {
    const fd = native.open("/dev/full", { write: true });
    for (
      const result of [
        native.pwrite(fd, count(10), 0),
        native.pwritev(fd, [count(10), count(3)], 0),
        await native.pwriteAsync(fd, count(10), 0),
      ]
    ) {
      const error = native.systemError("pwrite", "/dev/full", result, 0);
      assert.equal(error.code, "IO");
      assert.match(error.message, /\(ENOSPC\)$/);
    }
    native.close(fd);
  },
);

Deno.test({ name: "a write that is cut short goes on, and its error is reported", ignore }, async () => {
  const folder = await Deno.makeTempDir();
  const script = new URL("./hazards/short_write.ts", import.meta.url).href;
  const blocks = 131072; // of 512 bytes: more than the engine writes into its own cache
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: [
      "-c",
      `trap '' XFSZ; ulimit -f ${blocks}; exec "$@"`,
      "sh",
      Deno.execPath(),
      ...["run", "-A", "--no-lock", "--no-check", script, `${folder}/file`, String(blocks * 512)],
    ],
  }).output();
  await Deno.remove(folder, { recursive: true });
  const decoder = new TextDecoder();
  assert.deepEqual([code, decoder.decode(stdout), decoder.decode(stderr)], [0, "done\n", ""]);
});

Deno.test(
  { name: "locks of two descriptors exclude each other where locks belong to them", ignore },
  async () => {
    await withFile((fd, path) => {
      const other = native.open(path, { write: true });
      const taken = native.descriptionLocks ? "EAGAIN" : "ok";
      const name = (result: number) => result === 0 ? "ok" : native.errnoName(result);
      assert.equal(name(native.lock(fd, "read", 0, 1)), "ok");
      assert.equal(name(native.lock(other, "read", 0, 1)), "ok");
      assert.equal(name(native.lock(other, "write", 0, 1)), taken);
      assert.equal(name(native.lock(other, "write", 1, 1)), "ok");
      assert.equal(native.lockTest(fd, "write", 1, 1), native.descriptionLocks ? "write" : "unlock");
      assert.equal(native.lockTest(fd, "write", 0, 1), native.descriptionLocks ? "read" : "unlock");
      assert.equal(native.lockTest(fd, "read", 0, 1), "unlock");
      // Closing another descriptor of the file must not drop them.
      native.close(native.open(path, {}));
      assert.equal(name(native.lock(other, "write", 0, 1)), taken);
      assert.equal(name(native.lock(fd, "unlock", 0, 0)), "ok");
      assert.equal(name(native.lock(other, "write", 0, 1)), "ok");
      assert.equal(native.errnoName(native.lock(-1, "read", 0, 1)), "EBADF");
      native.close(other);
    });
  },
);

/** Tiles of 4 × 3 int32 at 48 bytes each, the odd ones only, into rows of an array; and what they should give. */
function tiles(base: number) {
  const moves = new MoveList("bytes", 2, 4, 4);
  const extents = [];
  for (let tile = 0; tile < 6; tile += 1) {
    if (tile === 3) continue;
    extents.push({ offset: base + tile * 48, length: 48, firstMove: moves.count, moveCount: 1 });
    moves.push(base + tile * 48, tile * 6, [2, 3], [2, 4], [1, 2]);
  }
  const expected = new DataView(new ArrayBuffer(6 * 6 * 4));
  for (let tile = 0; tile < 6; tile++) {
    if (tile === 3) continue;
    for (let j = 0; j < 3; j++) {
      for (let i = 0; i < 2; i++) {
        expected.setInt32((tile * 6 + j * 2 + i) * 4, tile * 12 + j * 4 + i * 2, true);
      }
    }
  }
  const file = new DataView(new ArrayBuffer(6 * 48));
  for (let i = 0; i < 72; i++) file.setInt32(i * 4, i);
  return { moves, extents, file: new Uint8Array(file.buffer), expected: new Uint8Array(expected.buffer) };
}

Deno.test({ name: "gatherFile reads extents and moves their boxes in one call", ignore }, async () => {
  await withFile(async (fd, path) => {
    const { moves, extents, file, expected } = tiles(100);
    native.pwrite(fd, file, 100);
    const packed = packExtents(extents);
    for (const [scratchBytes, calls] of [[48, 5], [100, 3], [1000, 2]] as const) {
      const stats = newStats(), array = new Uint8Array(144), scratch = new Uint8Array(scratchBytes);
      assert.equal(native.gatherFile(fd, packed, moves, array, scratch, stats), 0);
      assert.deepEqual(array, expected);
      assert.equal(statsOf(stats, "read").calls, calls); // neighbours are read together
    }
    const later = new Uint8Array(144);
    assert.equal(await native.gatherFileAsync(fd, packed, moves, later, new Uint8Array(48)), 0);
    assert.deepEqual(later, expected);

    using map = new MappedFile(native, fd, native.size(fd), path);
    for (const gather of ["gatherExtents", "gatherExtentsAsync"] as const) {
      const array = new Uint8Array(144);
      await map[gather](packed, moves, array);
      assert.deepEqual(array, expected);
    }
    const all = new Uint8Array(144);
    map.gather(moves, 0, moves.count, all);
    assert.deepEqual(all, expected);
    assert.throws(() => map.gather(moves, 0, moves.count + 1, all), RangeError);
    assert.throws(() => map.copy(map.length - 1, new Uint8Array(2)), RangeError);
  });
});

Deno.test({
  name: "gatherFile tells which extent the file ends before, and refuses what it can't do",
  ignore,
}, async () => {
  await withFile(async (fd, path) => {
    const { moves, extents, file, expected } = tiles(0);
    native.pwrite(fd, file.subarray(0, 200), 0);
    const packed = packExtents(extents);
    for (const bytes of [48, 144, 288]) {
      const result = native.gatherFile(fd, packed, moves, new Uint8Array(144), new Uint8Array(bytes));
      assert.equal(shortExtent(result), 3);
    }
    assert.equal(shortExtent(-5), -1);
    const small = native.gatherFile(fd, packed, moves, new Uint8Array(144), new Uint8Array(47));
    assert.equal(native.errnoName(small), "EINVAL");

    // The second extent is too short for its move: nothing is moved, not even of the first.
    const cut = packExtents(extents.map((extent, i) => i === 1 ? { ...extent, length: 40 } : extent));
    const array = new Uint8Array(144);
    assert.throws(() => native.gatherFile(fd, cut, moves, array, new Uint8Array(48)), RangeError);
    await assert.rejects(native.gatherFileAsync(fd, cut, moves, array, new Uint8Array(48)), RangeError);
    using map = new MappedFile(native, fd, 200, path);
    assert.throws(() => map.gatherExtents(cut, moves, array), RangeError);
    assert.throws(() => map.gatherExtents(packed, moves, array), RangeError);
    assert.deepEqual(array, new Uint8Array(144));
    assert.notDeepEqual(array, expected);
  });
});

Deno.test({ name: "a map that is in use on another thread isn't closed", ignore }, async () => {
  await withFile(async (fd, path) => {
    native.pwrite(fd, count(100_000), 0);
    const map = new MappedFile(native, fd, 100_000, path);
    const target = new Uint8Array(100_000);
    const running = map.copyAsync(0, target);
    assert.throws(() => map.close(), { code: "BUSY" });
    await running;
    assert.deepEqual(target, count(100_000));
    map.close();
    map.close();
    assert.throws(() => map.copy(0, target), { code: "CLOSED" });
    assert.throws(() => map.view(0, 1), { code: "CLOSED" });
    await assert.rejects(map.copyAsync(0, target), { code: "CLOSED" });
    assert.throws(() => new MappedFile(native, -1, 10, path), { code: "IO" });
  });
});

Deno.test({ name: "views begin at any byte, and each is detached on its own", ignore }, async () => {
  await withFile((fd, path) => {
    native.pwrite(fd, count(20_000), 0);
    using map = new MappedFile(native, fd, 20_000, path);
    const a = map.view(4097, 10), b = map.view(4097, 10), empty = map.view(20_000, 0);
    assert.deepEqual(a.bytes, count(20_000).slice(4097, 4107));
    map.closeView(a);
    assert.equal(a.bytes.length, 0);
    assert.equal(b.bytes.length, 10);
    assert.equal(empty.bytes.length, 0);
    assert.equal(map.faults, 0);
  });
});

Deno.test("the library can be disabled, and the twins serve then", () => {
  {
    using _off = disableLibrary();
    assert.equal(library(), null);
    assert.equal(libraryStatus().loaded, false);
    assert.equal(kernels().name, "typescript");
  }
  assert.equal(library(), loaded);
  assert.equal(kernels().name, ignore ? "typescript" : "native");
});

async function statusIn(args: string[], env: Record<string, string> = {}): Promise<string> {
  const binding = new URL("../../ffi/binding.ts", import.meta.url).href;
  const script = `const { library, libraryStatus } = await import(${JSON.stringify(binding)});
    console.log(JSON.stringify([library() !== null, libraryStatus()]));`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-lock", "--no-check", ...args, "data:text/javascript," + encodeURIComponent(script)],
    env,
  }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

Deno.test("without permission the library is not loaded, and nobody is asked", async () => {
  const out = await statusIn(["--no-prompt", "--allow-import"]);
  assert.match(out, /^\[false,.*--allow-ffi/);
});

Deno.test({
  name: "TESSERA_NATIVE=0 turns the library off, permission to load it is enough otherwise",
  ignore,
}, async () => {
  assert.match(await statusIn(["-A"], { TESSERA_NATIVE: "0" }), /^\[false,.*TESSERA_NATIVE=0/);
  assert.match(await statusIn(["--allow-ffi", "--no-prompt"]), /^\[true,.*"reason":""/);
});

Deno.test("where there is no Deno, there is no library and no error", async () => {
  const binding = new URL("../../ffi/binding.ts", import.meta.url).href;
  const script = `const say = console.log; delete globalThis.Deno;
    const { library, libraryStatus } = await import(${JSON.stringify(binding)});
    say(library(), libraryStatus().reason);`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", "--no-check", "data:text/javascript," + encodeURIComponent(script)],
  }).output();
  assert.match(new TextDecoder().decode(stdout), /^null this is not Deno/);
});
