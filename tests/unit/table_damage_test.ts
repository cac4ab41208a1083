/**
 * Damage: whatever happens to the bytes of a table, opening and reading it gives a TableError or values, and nothing
 * worse: no other exception, no hang, no memory out of proportion. Seeded, so that a failure can be made again.
 */
import assert from "node:assert/strict";
import { Context, Table, TableError } from "../../mod.ts";
import { MemoryFile } from "../../src/io/memory-backend.ts";
import { allFixtures, fixturePath } from "../fixture.ts";

const DAMAGES = 10_000;
const SEED = 20261121;
/** What a result may take; more than any fixture's largest column. */
const MAX_RESULT_BYTES = 16 * 2 ** 20;
/** What reading a damaged table of at most 200 KB may add to the process. */
const MAX_EXTRA_BYTES = 400 * 2 ** 20;

/** Marsaglia's xorshift32: small, seeded, the same everywhere. */
function generator(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

interface Original {
  readonly name: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** The regular files of a table, without subtables. */
function load(name: string): Original {
  const files = new Map<string, Uint8Array>();
  for (const entry of Deno.readDirSync(fixturePath(name))) {
    if (entry.isFile) files.set(entry.name, Deno.readFileSync(`${fixturePath(name)}/${entry.name}`));
  }
  return { name, files };
}

/** A damaged copy of some bytes, and what was done to them. */
function damaged(bytes: Uint8Array, random: (below: number) => number): [Uint8Array, string] {
  const at = random(Math.max(1, bytes.length));
  switch (random(4)) {
    case 0: {
      const copy = bytes.slice();
      const bit = random(8);
      copy[at]! ^= 1 << bit;
      return [copy, `bit ${bit} of byte ${at} flipped`];
    }
    case 1:
      return [bytes.slice(0, at), `cut to ${at} bytes`];
    case 2: {
      const copy = bytes.slice();
      const n = 1 + random(16);
      for (let i = at; i < Math.min(at + n, copy.length); i++) copy[i] = random(256);
      return [copy, `${n} random bytes from ${at}`];
    }
    default: {
      // Lengths and counts are whole words: an extreme one is what breaks a careless reader.
      const copy = bytes.slice();
      const word = [0x7fffffff, 0xffffffff, 0x80000000, 0, 1][random(5)]!;
      const big = random(2) === 0;
      if (copy.length >= at + 4) new DataView(copy.buffer).setUint32(at, word, !big);
      return [copy, `word ${word} at ${at}, ${big ? "big" : "little"} endian`];
    }
  }
}

/** Opens the table and reads all there is. */
function readEverything(path: string, context: Context): void {
  using table = Table.open(path, { io: "memory", context, maxResultBytes: MAX_RESULT_BYTES });
  table.keywords.toJSON();
  void table.info;
  for (const name of table.columnNames) {
    const column = table.column(name);
    column.keywords.toJSON();
    try {
      // A row count beyond reason is what LIMIT is for; a program would ask for a range.
      const rows = { start: 0, end: Math.min(table.rowCount, 1000) };
      table.getCells(name, { rows });
    } catch (error) {
      if (!(error instanceof TableError)) throw error;
    }
  }
  for (const { sequence } of table.managers) {
    try {
      table.managerDetails(sequence);
    } catch (error) {
      if (!(error instanceof TableError)) throw error;
    }
  }
}

Deno.test(`${DAMAGES} damaged tables give a TableError or values`, () => {
  const originals = allFixtures().map(({ name }) => load(name)).filter(({ files }) => files.size > 0);
  const random = generator(SEED);
  const before = Deno.memoryUsage().rss;
  let refused = 0;
  for (let i = 0; i < DAMAGES; i++) {
    const { name, files } = originals[random(originals.length)]!;
    const names = [...files.keys()];
    const file = names[random(names.length)]!;
    const [bytes, what] = damaged(files.get(file)!, random);
    const context = new Context({ cacheBytes: 4 * 2 ** 20 });
    context.memory.directories.add("/t");
    for (const [one, content] of files) {
      const copy = new MemoryFile();
      copy.bytes = (one === file ? bytes : content) as Uint8Array<ArrayBuffer>;
      copy.length = copy.bytes.length;
      context.memory.files.set(`/t/${one}`, copy);
    }
    try {
      readEverything("/t", context);
    } catch (error) {
      if (!(error instanceof TableError)) {
        throw new Error(`damage ${i}: ${name}/${file}, ${what}: ${error}`, { cause: error });
      }
      refused++;
    }
  }
  // A reader that refused nothing, or everything, would not have read.
  assert(refused > DAMAGES / 20 && refused < DAMAGES * 0.95, `${refused} of ${DAMAGES} refused`);
  const extra = Deno.memoryUsage().rss - before;
  assert(extra < MAX_EXTRA_BYTES, `reading damaged tables took ${extra} bytes of memory`);
});
