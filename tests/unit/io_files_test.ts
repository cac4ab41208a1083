import assert from "node:assert/strict";
import fc from "fast-check";
import { MoveList } from "../../src/array/moves.ts";
import type { Backend } from "../../src/io/backend.ts";
import { Context } from "../../src/io/context.ts";
import { TableFiles } from "../../src/io/files.ts";
import { backendsHere, fails, inTempDirectory, pattern, sameBytes } from "./io_help.ts";

/** What the files should hold; undefined for a file that isn't there. */
class Model {
  files: Record<string, number[]> = {};

  write(name: string, offset: number, bytes: ArrayLike<number>): void {
    const file = this.files[name]!;
    while (file.length < offset) file.push(0);
    for (let i = 0; i < bytes.length; i++) file[offset + i] = bytes[i]!;
  }

  resize(name: string, length: number, shrink: boolean): void {
    const file = this.files[name]!;
    while (file.length < length) file.push(0);
    if (shrink) file.length = length;
  }
}

interface Real {
  backend: Backend;
  directory: string;
  context: Context;
  files: TableFiles;
}

type Command = fc.Command<Model, Real>;

function command(text: string, needs: string | null, run: (model: Model, real: Real) => void): Command {
  return {
    check: (model) => needs === null || model.files[needs] !== undefined,
    run,
    toString: () => text,
  };
}

/** Rows of `width` bytes, `pitch` apart in the file, one behind the other in the array. */
function rows(offset: number, width: number, pitch: number, count: number): MoveList {
  const moves = new MoveList("bytes", 2, 1, 1);
  moves.push(offset, 0, [width, count], [1, pitch], [1, width]);
  return moves;
}

const name = fc.constantFrom("a", "b");
const offset = fc.oneof(fc.nat(300), fc.nat(200_000), fc.integer({ min: 65_500, max: 65_600 }));
const length = fc.oneof({ weight: 5, arbitrary: fc.nat(300) }, { weight: 2, arbitrary: fc.nat(70_000) }, {
  weight: 1,
  arbitrary: fc.integer({ min: 262_000, max: 300_000 }),
});

const commands: fc.Arbitrary<Command>[] = [
  fc.tuple(name).map(([f]) =>
    command(`create ${f}`, null, (model, real) => {
      real.files.create(f);
      model.files[f] = [];
    })
  ),
  fc.tuple(name, offset, length, fc.nat(250)).map(([f, at, n, seed]) =>
    command(`write ${f} ${at} ${n}`, f, (model, real) => {
      real.files.write(f, at, pattern(n, seed));
      if (n > 0) model.write(f, at, pattern(n, seed));
    })
  ),
  fc.tuple(name, length, fc.nat(250)).map(([f, n, seed]) =>
    command(`replace ${f} ${n}`, null, (model, real) => {
      real.files.replace(f, pattern(n, seed));
      model.files[f] = [...pattern(n, seed)];
    })
  ),
  fc.tuple(name, offset, fc.boolean()).map(([f, n, shrink]) =>
    command(`resize ${f} ${n} ${shrink}`, f, (model, real) => {
      real.files.resize(f, n, shrink);
      model.resize(f, n, shrink);
    })
  ),
  fc.tuple(name).map(([f]) =>
    command(`remove ${f}`, f, (model, real) => {
      real.files.remove(f);
      delete model.files[f];
    })
  ),
  fc.tuple(name, offset, length).map(([f, at, n]) =>
    command(`read ${f} ${at} ${n}`, f, (model, real) => {
      const file = model.files[f]!;
      if (at + n > file.length && n > 0) {
        fails(() => real.files.read(f, at, n), "CORRUPT");
        fails(() => real.files.readInto(f, at, new Uint8Array(n)), "CORRUPT");
      } else {
        sameBytes(real.files.read(f, at, n), file.slice(at, at + n), "read");
        const target = new Uint8Array(n);
        real.files.readInto(f, at, target);
        sameBytes(target, file.slice(at, at + n), "readInto");
      }
    })
  ),
  fc.tuple(name).map(([f]) =>
    command(`size ${f}`, null, (model, real) => {
      assert.equal(real.files.size(f), model.files[f]?.length ?? -1);
      if (model.files[f] === undefined) fails(() => real.files.read(f, 0, 1), "NOT_FOUND");
    })
  ),
  fc.tuple(
    name,
    fc.nat(1000),
    fc.integer({ min: 1, max: 5000 }),
    fc.nat(3000),
    fc.integer({ min: 1, max: 40 }),
  )
    .map(([f, at, width, hole, count]) =>
      command(`gather ${f} ${at} ${width}+${hole} × ${count}`, f, (model, real) => {
        const file = model.files[f]!, pitch = width + hole, reach = pitch * (count - 1) + width;
        if (at + reach > file.length) return;
        const moves = rows(at, width, pitch, count), target = new Uint8Array(width * count);
        const extents = [{ offset: at, length: reach, firstMove: 0, moveCount: 1 }];
        real.files.gather({ kind: "gather", file: f, extents, moves, target });
        const expected: number[] = [];
        for (let r = 0; r < count; r++) expected.push(...file.slice(at + r * pitch, at + r * pitch + width));
        sameBytes(target, expected, "gather");
      })
    ),
  fc.tuple(
    name,
    fc.nat(1000),
    fc.integer({ min: 1, max: 5000 }),
    fc.oneof(fc.constant(0), fc.nat(3000)),
    fc.integer({ min: 1, max: 60 }),
    fc.boolean(),
    fc.nat(250),
  ).map(([f, at, width, hole, count, fresh, seed]) =>
    command(`scatter ${f} ${at} ${width}+${hole} × ${count} ${fresh}`, f, (model, real) => {
      const file = model.files[f]!, pitch = width + hole, reach = pitch * (count - 1) + width, extra = 7;
      fresh ||= at + reach + extra > file.length;
      const source = pattern(width * count, seed);
      const extent = { offset: at, length: reach + extra, firstMove: 0, moveCount: 1 };
      const moves = rows(at, width, pitch, count);
      real.files.scatter({ kind: "scatter", file: f, extent, fresh, moves, source });
      if (fresh) model.write(f, at, new Uint8Array(reach + extra));
      for (let r = 0; r < count; r++) {
        model.write(f, at + r * pitch, source.subarray(r * width, (r + 1) * width));
      }
    })
  ),
  fc.boolean().map((durable) =>
    command(`flush ${durable}`, null, (_model, real) => real.files.flush({ durable }))
  ),
  fc.constant(command("forget", null, (_model, real) => {
    // Only what was sent may be forgotten: somebody else would change nothing else.
    real.files.flush();
    real.files.forget();
  })),
  fc.constant(command("reopen", null, (_model, real) => {
    real.files.flush();
    real.files.close();
    real.files = new TableFiles(real.directory, real.backend, { writable: true, context: real.context });
  })),
];

for (const backendName of backendsHere()) {
  Deno.test(`${backendName}: files hold what was written, whatever the order of steps`, () => {
    fc.assert(
      fc.property(
        fc.commands(commands, { maxCommands: 60, size: "max" }),
        fc.boolean(),
        (steps, newDirectory) => {
          inTempDirectory(backendName, (backend, directory) => {
            const context = new Context({ cacheBytes: 300_000 });
            const options = { writable: true, context, newDirectory };
            const real = { backend, directory, context, files: new TableFiles(directory, backend, options) };
            const model = new Model();
            fc.modelRun(() => ({ model, real }), steps);
            assert.ok(context.cache.bytes <= context.cacheBytes);
            real.files.flush();
            real.files.close();
            assert.deepEqual(backend.list(directory), Object.keys(model.files).sort());
            for (const [file, expected] of Object.entries(model.files)) {
              const handle = backend.open(`${directory}/${file}`, "read"),
                found = new Uint8Array(handle.size());
              handle.read(found, 0);
              handle.close();
              sameBytes(found, expected, "on disk");
            }
          });
        },
      ),
      { numRuns: 40, seed: 20240 },
    );
  });
}
