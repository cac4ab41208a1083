import assert from "node:assert/strict";
import { MoveList } from "../../src/array/moves.ts";
import type { Backend, IoName } from "../../src/io/backend.ts";
import { Context } from "../../src/io/context.ts";
import type { CallKind, IoSnapshot } from "../../src/io/counters.ts";
import { TableFiles } from "../../src/io/files.ts";
import { PAGE_BYTES, PageCache, PageOwner } from "../../src/io/page-cache.ts";
import { readWholeFile, replaceFile } from "../../src/io/whole-file.ts";
import { openBackend } from "../../src/io/backends.ts";
import * as help from "./io_help.ts";
import { backendsHere, pattern, sameBytes } from "./io_help.ts";

const MIB = 2 ** 20;

/** As its namesake, with backend `direct` as users have it: short accesses go through the page cache. */
function inTempDirectory<T>(name: IoName, work: (backend: Backend, directory: string) => T): T {
  return help.inTempDirectory(name, work, name === "direct" ? openBackend("direct") : undefined);
}

/** True when the file is reached past the page cache: by a second descriptor, whose alignment was asked for. */
function isPast(name: IoName, backend: Backend): boolean {
  return name === "direct" && backend.stats.snapshot().fallbacks.length === 0;
}

/** Calls that `work` makes, kinds with none left out. */
function callsOf(backend: Backend, work: () => void): Partial<Record<CallKind, number>> {
  backend.stats.reset();
  work();
  return made(backend.stats.snapshot());
}

function made({ calls }: IoSnapshot): Partial<Record<CallKind, number>> {
  return Object.fromEntries(Object.entries(calls).filter(([, n]) => n > 0));
}

/** The calls of a backend that needs `extra` lseeks. */
function withSeeks(name: IoName, seeks: number, calls: Partial<Record<CallKind, number>>): typeof calls {
  return name === "seek" ? { ...calls, lseek: seeks } : calls;
}

/** Table files with a cache of their own. */
function filesIn(directory: string, backend: Backend, writable: boolean, cacheBytes = 64 * MIB): TableFiles {
  return new TableFiles(directory, backend, { writable, context: new Context({ cacheBytes }) });
}

for (const name of backendsHere()) {
  Deno.test(`${name}: making a file costs open, one write, close`, () => {
    inTempDirectory(name, (backend, directory) => {
      const calls = callsOf(backend, () => {
        const files = filesIn(directory, backend, true);
        files.create("f");
        for (let i = 0; i < 100; i++) files.write("f", i * 100, pattern(100, i));
        files.write("f", 0, pattern(50, 200));
        files.flush();
        files.close();
      });
      assert.deepEqual(calls, withSeeks(name, 1, { open: 1, write: 1, close: 1 }));
    });
  });

  Deno.test(`${name}: replacing the header of a new table costs open, one write, close`, () => {
    inTempDirectory(name, (backend, directory) => {
      const calls = callsOf(backend, () => {
        const files = new TableFiles(directory, backend, { writable: true, newDirectory: true });
        assert.equal(files.size("f"), -1);
        files.replace("f", pattern(3000, 1));
        files.flush();
        files.close();
      });
      assert.deepEqual(calls, withSeeks(name, 1, { open: 1, write: 1, close: 1 }));
    });
  });

  Deno.test(`${name}: a bucket file whose parts are written out of order, with holes, costs one write`, () => {
    inTempDirectory(name, (backend, directory) => {
      const calls = callsOf(backend, () => {
        const files = new TableFiles(directory, backend, { writable: true, newDirectory: true });
        files.create("f");
        files.write("f", 512, pattern(125, 1));
        files.resize("f", 640, false);
        files.write("f", 640, pattern(255, 2));
        files.resize("f", 1000, false);
        files.barrier();
        files.write("f", 0, pattern(500, 3));
        files.flush();
        files.barrier();
        files.close();
      });
      assert.deepEqual(calls, withSeeks(name, 1, { open: 1, write: 1, close: 1 }));
      const expected = new Uint8Array(1000);
      expected.set(pattern(500, 3));
      expected.set(pattern(125, 1), 512);
      expected.set(pattern(255, 2), 640);
      sameBytes(readWholeFile(backend, `${directory}/f`), expected);
    });
  });

  Deno.test(`${name}: reading a small file piece by piece costs open, one read, close`, () => {
    inTempDirectory(name, (backend, directory) => {
      replaceFile(backend, `${directory}/f`, pattern(3000, 1));
      const calls = callsOf(backend, () => {
        const files = filesIn(directory, backend, false);
        assert.equal(files.size("f"), 3000);
        for (let i = 0; i < 30; i++) {
          assert.deepEqual(files.read("f", i * 100, 100), pattern(3000, 1).slice(i * 100, i * 100 + 100));
        }
        files.close();
      });
      assert.deepEqual(calls, withSeeks(name, 1, { open: 1, read: 1, close: 1 }));
    });
  });

  Deno.test(`${name}: reading a small file whole costs open, one read, close`, () => {
    inTempDirectory(name, (backend, directory) => {
      replaceFile(backend, `${directory}/f`, pattern(3000, 1));
      const calls = callsOf(
        backend,
        () => assert.equal(readWholeFile(backend, `${directory}/f`)?.length, 3000),
      );
      assert.deepEqual(calls, withSeeks(name, 1, { open: 1, read: 1, close: 1 }));
    });
  });

  Deno.test(`${name}: replacing table.dat costs open, write, sync, close, rename`, () => {
    inTempDirectory(name, (backend, directory) => {
      const calls = callsOf(backend, () => replaceFile(backend, `${directory}/table.dat`, pattern(3000, 1)));
      assert.deepEqual(calls, withSeeks(name, 1, { open: 1, write: 1, sync: 1, close: 1, rename: 1 }));
    });
  });

  Deno.test(`${name}: a large range costs one read, or none where it is mapped, and no seek where it goes on`, () => {
    inTempDirectory(name, (backend, directory) => {
      replaceFile(backend, `${directory}/f`, pattern(3 * MIB, 1));
      const files = filesIn(directory, backend, false), target = new Uint8Array(MIB);
      files.readInto("f", 0, target);
      const calls = callsOf(backend, () => {
        files.readInto("f", MIB, target);
        files.readInto("f", 2 * MIB, target);
      });
      const { seeks, bytesRead, bytesMapped } = backend.stats.snapshot();
      assert.deepEqual(calls, name === "mmap" ? {} : withSeeks(name, 2, { read: 2 }));
      assert.equal(seeks, 0);
      assert.equal(name === "mmap" ? bytesMapped : bytesRead, 2 * MIB);
      files.close();
    });
  });

  Deno.test(`${name}: cells taken row by row read their tile once`, () => {
    inTempDirectory(name, (backend, directory) => {
      const cell = 2048, rows = 64, tiles = 10, tile = cell * rows;
      const content = pattern(tile * tiles, 1);
      replaceFile(backend, `${directory}/f`, content);
      const files = filesIn(directory, backend, false), target = new Uint8Array(cell);
      files.size("f");
      const calls = callsOf(backend, () => {
        for (let row = 0; row < rows * tiles; row++) {
          const moves = new MoveList("bytes", 1, 1, 1);
          moves.push(row * cell, 0, [cell], [1], [1]);
          const start = Math.floor(row / rows) * tile;
          const extents = [{ offset: start, length: tile, firstMove: 0, moveCount: 1 }];
          files.gather({ kind: "gather", file: "f", extents, moves, target });
          assert.equal(target[7], content[row * cell + 7]);
        }
      });
      // Small tiles are mapped from 64 KiB on: then nothing is read at all.
      if (name === "mmap") assert.deepEqual(calls, { stat: 1, mmap: 1 });
      else assert.ok(calls.read! <= tiles, `${calls.read} reads`);
      assert.ok(backend.stats.snapshot().bytesRead <= content.length);
      files.close();
    });
  });

  Deno.test(`${name}: a whole column in tiles costs one read, or none where it is mapped`, () => {
    inTempDirectory(name, (backend, directory) => {
      const tile = 128 * 1024, tiles = 16, content = pattern(tile * tiles, 1);
      replaceFile(backend, `${directory}/f`, content);
      const files = filesIn(directory, backend, false), target = new Uint8Array(content.length);
      const moves = new MoveList("bytes", 1, 8, 1);
      for (let t = 0; t < tiles; t++) moves.push(t * tile, t * tile / 8, [tile / 8], [1], [1]);
      const extents = Array.from(
        { length: tiles },
        (_, t) => ({ offset: t * tile, length: tile, firstMove: t, moveCount: 1 }),
      );
      const calls = callsOf(
        backend,
        () => files.gather({ kind: "gather", file: "f", extents, moves, target }),
      );
      assert.ok(target.every((byte, i) => byte === content[i]));
      if (name === "mmap") assert.deepEqual(calls, { open: 1, stat: 1, mmap: 1 });
      // The array isn't aligned: by way of a MiB that is.
      else if (isPast(name, backend)) assert.deepEqual(calls, { open: 2, stat: 1, read: 2 });
      else assert.deepEqual(calls, withSeeks(name, 1, { open: 1, read: 1 }));
      assert.equal(backend.stats.snapshot().bytesMapped, name === "mmap" ? content.length : 0);
      files.close();
    });
  });

  Deno.test(`${name}: a column written tile by tile costs a write a MiB`, () => {
    inTempDirectory(name, (backend, directory) => {
      const tile = 128 * 1024, tiles = 32, source = pattern(tile * tiles, 1);
      const moves = new MoveList("bytes", 1, 8, 4);
      for (let t = 0; t < tiles; t++) moves.push(t * tile, t * tile / 8, [tile / 8], [1], [1]);
      const calls = callsOf(backend, () => {
        const files = filesIn(directory, backend, true);
        files.create("f");
        for (let t = 0; t < tiles; t++) {
          const extent = { offset: t * tile, length: tile, firstMove: t, moveCount: 1 };
          files.scatter({ kind: "scatter", file: "f", extent, fresh: true, moves, source });
          assert.ok(files.pendingBytes <= 3 * MIB);
        }
        files.flush();
        files.close();
      });
      const past = isPast(name, backend);
      assert.deepEqual(
        calls,
        past ? { open: 2, stat: 1, write: 4, close: 2 } : withSeeks(name, 4, { open: 1, write: 4, close: 1 }),
      );
      assert.equal(backend.stats.snapshot().seeks, 0);
      // What is pending is aligned as it is going to be in the file.
      assert.equal(backend.stats.snapshot().directBytes, past ? source.length : 0);
    });
  });

  Deno.test(`${name}: large writes go out at once, from where they lie`, () => {
    inTempDirectory(name, (backend, directory) => {
      const files = filesIn(directory, backend, true);
      files.create("f");
      const calls = callsOf(backend, () => files.write("f", 100, pattern(300_000, 1)));
      // The first block with what it holds already by the page cache; the others, then what pads the last is cut off.
      if (isPast(name, backend)) assert.deepEqual(calls, { open: 2, stat: 2, write: 2, truncate: 1 });
      else assert.deepEqual(calls, withSeeks(name, 1, { open: 1, write: 1 }));
      assert.equal(files.pendingBytes, 0);
      files.close();
    });
  });

  Deno.test(`${name}: changing a cell of a tile costs one write of the cell, and nothing is read`, () => {
    inTempDirectory(name, (backend, directory) => {
      replaceFile(backend, `${directory}/f`, pattern(256 * 1024, 1));
      const files = filesIn(directory, backend, true);
      const moves = new MoveList("bytes", 1, 8, 4);
      moves.push(70_000, 0, [256], [1], [1]);
      const extent = { offset: 65_536, length: 131_072, firstMove: 0, moveCount: 1 };
      const calls = callsOf(backend, () => {
        files.scatter({ kind: "scatter", file: "f", extent, fresh: false, moves, source: pattern(2048, 2) });
        files.flush();
        files.close();
      });
      const { bytesWritten } = backend.stats.snapshot();
      assert.deepEqual(calls, withSeeks(name, 1, { open: 1, write: 1, close: 1 }));
      assert.equal(bytesWritten, 2048);
    });
  });

  Deno.test(`${name}: pending bytes are written in ascending order, and bounded`, () => {
    inTempDirectory(name, (backend, directory) => {
      const files = filesIn(directory, backend, true);
      files.create("f");
      const calls = callsOf(backend, () => {
        for (let i = 99; i >= 0; i--) files.write("f", i * 1000, pattern(1000, i));
        files.flush();
      });
      // Written from the end to the start: still one piece.
      assert.deepEqual(calls, withSeeks(name, 1, { open: 1, write: 1 }));
      assert.equal(backend.stats.snapshot().seeks, 0);
      for (let i = 0; i < 30_000; i++) {
        files.write("f", ((i * 7919) % 30_000) * 2000, pattern(1500, i));
        assert.ok(files.pendingBytes <= 17 * MIB);
      }
      files.flush();
      files.close();
    });
  });

  Deno.test(`${name}: a durable flush syncs each changed file once, and the names`, () => {
    inTempDirectory(name, (backend, directory) => {
      const files = filesIn(directory, backend, true);
      files.create("a");
      files.create("b");
      files.write("a", 0, pattern(10, 1));
      const calls = callsOf(backend, () => files.flush({ durable: true }));
      assert.deepEqual(calls, withSeeks(name, 1, { open: 3, write: 1, sync: 3, close: 1 }));
      assert.deepEqual(callsOf(backend, () => files.flush({ durable: true })), {});
      files.write("a", 5, pattern(10, 2));
      assert.deepEqual(
        callsOf(backend, () => files.flush({ durable: true })),
        withSeeks(name, 1, { write: 1, sync: 1 }),
      );
      files.close();
    });
  });

  Deno.test(`${name}: the cache stays within its bound, and a scan leaves what is reused`, () => {
    inTempDirectory(name, (backend, directory) => {
      const pages = 100;
      replaceFile(backend, `${directory}/f`, pattern(pages * PAGE_BYTES, 1));
      const context = new Context({ cacheBytes: 20 * PAGE_BYTES });
      const files = new TableFiles(directory, backend, { writable: false, context });
      const touch = (page: number) => {
        files.read("f", page * PAGE_BYTES, 100);
        assert.ok(context.cache.bytes <= context.cacheBytes);
      };
      for (let round = 0; round < 10; round++) {
        for (const page of [3, 50, 77]) touch(page);
        for (let page = 20 + round; page < 30 + round; page++) touch(page);
      }
      for (let page = 0; page < pages; page++) touch(page);
      const calls = callsOf(backend, () => {
        for (const page of [3, 50, 77]) touch(page);
      });
      assert.deepEqual(calls, {});
      assert.equal(backend.stats.snapshot().cacheHits, 3);
      files.close();
      assert.equal(context.cache.bytes, 0);
    });
  });

  Deno.test(`${name}: reading on and on reads ahead`, () => {
    inTempDirectory(name, (backend, directory) => {
      replaceFile(backend, `${directory}/f`, pattern(8 * MIB, 1));
      const files = filesIn(directory, backend, false);
      const calls = callsOf(backend, () => {
        for (let at = 0; at < 8 * MIB; at += 4096) files.read("f", at, 4096);
      });
      assert.ok(calls.read! <= 14, `${calls.read} reads`);
      assert.equal(backend.stats.snapshot().bytesRead, 8 * MIB);
      files.close();
    });
  });
}

Deno.test("pages in the cache follow what is written to the file", () => {
  const cache = new PageCache(10 * PAGE_BYTES), owner = new PageOwner();
  cache.put(owner, 0, new Uint8Array(PAGE_BYTES));
  cache.put(owner, 1, new Uint8Array(100));
  cache.patch(owner, PAGE_BYTES - 2, Uint8Array.of(1, 2, 3, 4));
  assert.deepEqual([...cache.get(owner, 0)!.subarray(-3)], [0, 1, 2]);
  assert.deepEqual([...cache.get(owner, 1)!.subarray(0, 3)], [3, 4, 0]);
  // The last page ends with the file: when the file grows, it is no longer true.
  cache.patch(owner, PAGE_BYTES + 100, Uint8Array.of(1));
  assert.equal(cache.get(owner, 1), undefined);
  cache.put(owner, 1, new Uint8Array(100));
  cache.patch(owner, 5 * PAGE_BYTES, Uint8Array.of(1));
  assert.equal(cache.get(owner, 1), undefined);
  cache.put(owner, 1, new Uint8Array(100));
  cache.dropFrom(owner, PAGE_BYTES - 1);
  assert.equal(cache.get(owner, 0), undefined);
  assert.equal(cache.bytes, 0);
});

Deno.test("a cache of nothing holds nothing", () => {
  const cache = new PageCache(0), owner = new PageOwner();
  cache.put(owner, 0, new Uint8Array(10));
  assert.equal(cache.get(owner, 0), undefined);
  assert.equal(cache.bytes, 0);
});
