import assert from "node:assert/strict";
import fc from "fast-check";
import { library } from "../../ffi/binding.ts";
import { allocate } from "../../src/array/alloc.ts";
import { backendReport, openBackend } from "../../src/io/backends.ts";
import { DIRECT_BYTES, DirectBackend, directRefused } from "../../src/io/direct-backend.ts";
import { inTempDirectory, pattern, sameBytes } from "./io_help.ts";

const BLOCK = 4096;
const BLOCKS_HERE = library() !== null && inTempDirectory("node", (_, path) => directRefused(path) === "");
/** Is skipped where files for temporary use can't be written past the page cache. */
const past = { ignore: !BLOCKS_HERE };

/** `bytes` at an address that is `beside` bytes past a multiple of a block. */
function placed(bytes: Uint8Array, beside: number): Uint8Array<ArrayBuffer> {
  const room = allocate("uint8", bytes.length + BLOCK, BLOCK) as Uint8Array<ArrayBuffer>;
  const target = room.subarray(beside, beside + bytes.length);
  target.set(bytes);
  return target;
}

Deno.test("direct: a backend of that name is opened, and falls back only with a reason", {
  ignore: library() === null,
}, () => {
  assert.equal(openBackend("direct").name, "direct");
  const report = inTempDirectory("node", (_, path) => backendReport(path)).find((line) =>
    line.name === "direct"
  )!;
  assert.equal(report.works, true);
  assert.equal(report.reason === "", BLOCKS_HERE, report.reason);
  assert.match(directRefused("/nowhere/at/all"), /can't be tried \(ENOENT\)/);
});

Deno.test("direct: whole blocks are written from where they lie, and only the rest is copied", past, () => {
  inTempDirectory("direct", (_, directory) => {
    const backend = new DirectBackend(), file = backend.open(`${directory}/f`, "create");
    const bytes = pattern(64 * BLOCK + 1000, 1);
    file.write(placed(bytes, 0), 0);
    let now = backend.stats.snapshot();
    assert.equal(now.directBytes, 64 * BLOCK);
    assert.equal(now.copiedBytes, 1000);
    assert.equal(now.alignedBytes, 64 * BLOCK);
    assert.equal(now.unalignedBytes, 1000);
    // One call for all of it, the padding cut off by another.
    assert.equal(now.calls.write, 1);
    assert.equal(now.calls.truncate, 1);
    assert.deepEqual(now.fallbacks, []);
    sameBytes(Deno.readFileSync(`${directory}/f`), bytes);
    backend.stats.reset();
    // In memory as in the file, but both within a block.
    file.write(placed(bytes, 100), BLOCK + 100);
    now = backend.stats.snapshot();
    assert.equal(now.directBytes, 63 * BLOCK);
    assert.equal(now.copiedBytes, BLOCK + 1000);
    backend.stats.reset();
    file.write(placed(bytes, 8), 0);
    now = backend.stats.snapshot();
    assert.equal(now.directBytes, 0);
    assert.equal(now.copiedBytes, bytes.length);
    file.close();
    const whole = new Uint8Array(65 * BLOCK + 1100);
    whole.set(bytes, BLOCK + 100);
    whole.set(bytes);
    sameBytes(Deno.readFileSync(`${directory}/f`), whole);
  });
});

Deno.test("direct: whole blocks are read to where they belong, up to the end of the file", past, () => {
  inTempDirectory("direct", (_, directory) => {
    const bytes = pattern(100 * BLOCK + 77, 2);
    Deno.writeFileSync(`${directory}/f`, bytes);
    const backend = new DirectBackend(), file = backend.open(`${directory}/f`, "read");
    for (const [offset, beside, straight] of [[0, 0, 100], [10, 10, 99], [0, 16, 0]] as const) {
      backend.stats.reset();
      const target = placed(new Uint8Array(110 * BLOCK), beside);
      assert.equal(file.read(target, offset), bytes.length - offset);
      sameBytes(target.subarray(0, bytes.length - offset), bytes.subarray(offset));
      const now = backend.stats.snapshot();
      // The block that the file ends in is read with the others when the array has room for all of it.
      assert.equal(Math.floor(now.directBytes / BLOCK), straight);
      assert.equal(now.directBytes + now.copiedBytes, bytes.length - offset);
    }
    file.close();
  });
});

Deno.test("direct: short accesses go through the page cache and cost no second descriptor", () => {
  inTempDirectory("direct", (_, directory) => {
    const backend = new DirectBackend(), file = backend.open(`${directory}/f`, "create");
    file.write(new Uint8Array(DIRECT_BYTES - 1), 0);
    file.read(new Uint8Array(DIRECT_BYTES - 1), 0);
    file.close();
    assert.equal(backend.stats.snapshot().totalCalls, 4);
  });
});

Deno.test("direct: all ways to a file see the same bytes, whatever was written how", past, async () => {
  await inTempDirectory("direct", async (backend, directory) => {
    let run = 0;
    const length = fc.oneof(fc.nat(9000), fc.nat(12).map((blocks) => blocks * BLOCK));
    const place = fc.record({
      offset: fc.oneof(fc.nat(60_000), fc.nat(12).map((blocks) => blocks * BLOCK)),
      length,
      beside: fc.constantFrom(0, 1, 16, 64, 512, 513),
      seed: fc.nat(200),
    });
    const action = fc.oneof(
      place.map((p) => ({ kind: "write" as const, ...p })),
      place.map((p) => ({ kind: "pieces" as const, ...p })),
      place.map((p) => ({ kind: "other" as const, ...p })),
      place.map((p) => ({ kind: "read" as const, ...p })),
      place.map((p) => ({ kind: "readAsync" as const, ...p })),
      place.map((p) => ({ kind: "writeAsync" as const, ...p })),
      place.map((p) => ({ kind: "twoAsync" as const, ...p })),
      place.map((p) => ({ kind: "resize" as const, ...p })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 25 }), async (actions) => {
        const path = `${directory}/f${run++}`;
        const file = backend.open(path, "create");
        const other = openBackend("pread").open(path, "update");
        let model = new Uint8Array(0);
        const lengthen = (size: number) => {
          if (size <= model.length) return;
          const longer = new Uint8Array(size);
          longer.set(model);
          model = longer;
        };
        try {
          for (const { kind, offset, length, beside, seed } of actions) {
            const end = offset + length;
            if (kind === "resize") {
              file.resize(offset);
              const cut = new Uint8Array(offset);
              cut.set(model.subarray(0, offset));
              model = cut;
            } else if (kind === "read" || kind === "readAsync") {
              const target = placed(new Uint8Array(length), beside);
              const got = kind === "read" ? file.read(target, offset) : await file.readAsync(target, offset);
              const expected = model.subarray(offset, end);
              assert.equal(got, expected.length);
              sameBytes(target.subarray(0, got), expected);
            } else {
              const bytes = placed(pattern(length, seed), beside);
              if (kind === "write") file.write(bytes, offset);
              else if (kind === "other") other.write(bytes, offset);
              else if (kind === "writeAsync") await file.writeAsync!(bytes, offset);
              else if (kind === "twoAsync") {
                // Two at a time and one beside, none of which may cut off what another has added.
                const half = length >> 1, quarter = length >> 2;
                const later = file.writeAsync!(bytes.subarray(half), offset + half);
                const sooner = file.writeAsync!(bytes.subarray(quarter, half), offset + quarter);
                file.write(bytes.subarray(0, quarter), offset);
                await Promise.all([sooner, later]);
              } else {
                const third = Math.floor(length / 3);
                file.writev!([bytes.subarray(0, third), bytes.subarray(third)], offset);
              }
              if (length > 0) lengthen(end);
              model.set(bytes, length > 0 ? offset : 0);
            }
            assert.equal(file.size(), model.length);
          }
          const seen = new Uint8Array(model.length);
          assert.equal(other.read(seen, 0), model.length);
          sameBytes(seen, model);
        } finally {
          file.close();
          other.close();
        }
        Deno.removeSync(path);
      }),
      { numRuns: 60 },
    );
    assert.ok(backend.stats.snapshot().directBytes > 0);
    assert.deepEqual(backend.stats.snapshot().fallbacks, []);
  });
});

Deno.test(
  "direct: a file behind which bytes stay is not cut, and its other bytes stay what they are",
  past,
  () => {
    inTempDirectory("direct", (backend, directory) => {
      const path = `${directory}/f`, before = pattern(10 * BLOCK + 5, 3);
      Deno.writeFileSync(path, before);
      const file = backend.open(path, "update"), bytes = pattern(3 * BLOCK, 9);
      for (const offset of [1, BLOCK - 1, 7 * BLOCK - 6, 7 * BLOCK + 4]) {
        file.write(placed(bytes, 0), offset);
        before.set(bytes, offset);
        sameBytes(Deno.readFileSync(path), before);
      }
      file.close();
      // Never longer than at the end, so that nothing was padded and cut.
      assert.equal(backend.stats.snapshot().calls.truncate, 0);
    });
  },
);

Deno.test("direct: a file in a file system in memory goes through its cache, and the counters say so", {
  ignore: library() === null || !inMemory("/dev/shm"),
}, () => {
  const path = Deno.makeTempFileSync({ dir: "/dev/shm", prefix: "tessera_io_" });
  try {
    const backend = new DirectBackend(), file = backend.open(path, "update");
    const bytes = pattern(DIRECT_BYTES + 10, 4), target = new Uint8Array(bytes.length);
    file.write(bytes, 3);
    assert.equal(file.read(target, 3), bytes.length);
    file.close();
    sameBytes(target, bytes);
    const { fallbacks, directBytes, copiedBytes } = backend.stats.snapshot();
    assert.equal(fallbacks.length, 1);
    assert.match(fallbacks[0]!, new RegExp(`^${path}: it lies in a file system in memory`));
    assert.equal(directBytes + copiedBytes, 0);
    backend.stats.reset();
    assert.equal(backend.stats.snapshot().fallbacks.length, 1);
    const report = backendReport("/dev/shm").find((line) => line.name === "direct")!;
    assert.equal(report.works, true);
    assert.match(report.reason, /in \/dev\/shm goes through the page cache: .*in memory/);
  } finally {
    Deno.removeSync(path);
  }
});

function inMemory(path: string): boolean {
  try {
    return new RegExp(` ${path} tmpfs `).test(Deno.readTextFileSync("/proc/mounts"));
  } catch {
    return false;
  }
}

Deno.test("direct: a disk that is full says so past the page cache too", {
  ignore: library() === null,
}, () => {
  const file = new DirectBackend(1).open("/dev/full", "update");
  assert.throws(
    () => file.write(new Uint8Array(2 * BLOCK), 0),
    { name: "TableError", code: "IO", errno: 28 },
  );
  file.close();
});
