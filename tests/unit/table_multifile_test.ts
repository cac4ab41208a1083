/**
 * Tables whose managers' files are in a container: golden ones of version 1, the same in containers of version 2 that
 * only the tests write, and damaged ones.
 */
import assert from "node:assert/strict";
import { Context, Table, TableError } from "../../mod.ts";
import { MemoryFile } from "../../src/io/memory-backend.ts";
import { assertSameRows, copyOfFixture, expectedRows, fixturePath } from "../fixture.ts";
import { rowsAsJson } from "../rows-as-json.ts";
import { fails } from "./io_help.ts";
import { type ContainerLayout, makeContainer, virtualFilesOf } from "./multifile_support.ts";
import { numbersFrom } from "./storage_model_support.ts";

const NAMES = ["multifile_le", "multifile_be", "multifile_long"];
const DAMAGES = 2000;

/** The regular files of a golden table. */
function filesOf(name: string): Map<string, Uint8Array> {
  const folder = fixturePath(name);
  return new Map([...Deno.readDirSync(folder)].map((entry) => [
    entry.name,
    Deno.readFileSync(`${folder}/${entry.name}`),
  ]));
}

/** The files of a golden table in another container. */
function inContainer(name: string, layout: ContainerLayout): Map<string, Uint8Array> {
  const files = filesOf(name),
    { container, extension } = makeContainer(virtualFilesOf(fixturePath(name)), layout);
  files.set("table.mf", container);
  files.delete("table.mf_hdrext");
  if (extension !== null) files.set("table.mf_hdrext", extension);
  return files;
}

/** A context in which `/t` has these files. */
function contextWith(files: ReadonlyMap<string, Uint8Array>): Context {
  const context = new Context({ cacheBytes: 2 ** 20 });
  context.memory.directories.add("/t");
  for (const [name, bytes] of files) {
    const file = new MemoryFile();
    file.bytes = bytes as Uint8Array<ArrayBuffer>;
    file.length = bytes.length;
    context.memory.files.set(`/t/${name}`, file);
  }
  return context;
}

for (const name of NAMES) {
  Deno.test(`${name}: every manager reads from the container unaware`, async () => {
    for (const io of ["node", "auto", "seek"] as const) {
      using table = Table.open(fixturePath(name), { io });
      assertSameRows(rowsAsJson(table), expectedRows(name), name);
    }
    using table = await Table.openAsync(fixturePath(name));
    const [first] = table.columnNames;
    assert.deepEqual(await table.getColumnAsync(first!), table.getColumn(first!));
  });
}

const LAYOUTS: Readonly<Record<string, ContainerLayout>> = {
  "one large block a file": { version: 1, blockSize: 4096 },
  "shuffled blocks of odd size": {
    version: 1,
    blockSize: 77,
    random: numbersFrom(5),
    freeBlocks: 4,
    deleted: 2,
  },
  "version 2": { version: 2, blockSize: 5000 },
  "version 2 with checksums": { version: 2, blockSize: 1000, checksums: true, random: numbersFrom(6) },
  "version 2, packed, header over many blocks": {
    version: 2,
    blockSize: 80,
    packed: true,
    checksums: true,
    surplus: 2,
  },
  "version 2, the second set, shuffled": {
    version: 2,
    blockSize: 72,
    random: numbersFrom(7),
    surplus: 1,
    secondSet: true,
    freeBlocks: 3,
  },
};

for (const [what, layout] of Object.entries(LAYOUTS)) {
  Deno.test(`a table in a container is the same: ${what}`, () => {
    for (const name of NAMES.slice(0, 2)) {
      const context = contextWith(inContainer(name, layout));
      using table = Table.open("/t", { io: "memory", context });
      assertSameRows(rowsAsJson(table), expectedRows(name), name);
    }
  });
}

Deno.test("a table in a container is not opened for writing, and the error says what can be done", () => {
  using copy = copyOfFixture("multifile_le");
  const error = fails(() => Table.open(copy.path, { mode: "rw", lock: "none" }), "UNSUPPORTED");
  assert.match(error.message, /MultiFile.*open it for reading, or copy it/);
  assert.equal(error.file, copy.path);
});

Deno.test("a MultiHDF5 table says why it can't be read", () => {
  const files = filesOf("multifile_le"), dat = files.get("table.dat")!.slice();
  // The ColumnSet: Int -3, uInt64 rows, Int storage option.
  const at = dat.findIndex((_, i) => [0xff, 0xff, 0xff, 0xfd].every((byte, k) => dat[i + k] === byte)) + 12;
  new DataView(dat.buffer).setInt32(at, 1);
  files.set("table.dat", dat);
  files.set("table.mfh5", new Uint8Array(10));
  const open = () => Table.open("/t", { io: "memory", context: contextWith(files) });
  const error = fails(open, "UNSUPPORTED");
  assert.match(error.message, /HDF5.*MultiHDF5/);
  assert.equal(error.file, "/t/table.mfh5");
});

Deno.test("a table that asked for a container and got none reads the files in its directory", () => {
  const files = filesOf("multifile_le");
  files.delete("table.mf");
  files.delete("table.mf_hdrext");
  for (const [name, bytes] of virtualFilesOf(fixturePath("multifile_le"))) files.set(name, bytes);
  using table = Table.open("/t", { io: "memory", context: contextWith(files) });
  assertSameRows(rowsAsJson(table), expectedRows("multifile_le"));
});

Deno.test("a missing rest of the header is named", () => {
  const files = filesOf("multifile_le");
  const open = () => Table.open("/t", { io: "memory", context: contextWith(files) });
  files.set("table.mf_hdrext", files.get("table.mf_hdrext")!.slice(0, 100));
  assert.match(fails(open, "CORRUPT").message, /table.mf_hdrext, offset 100: expected the last 101 bytes/);
  files.delete("table.mf_hdrext");
  assert.match(fails(open, "CORRUPT").message, /there is no such file/);
});

Deno.test("a chain of header blocks that is cut, too long, or leads nowhere is refused", () => {
  const made = makeContainer(
    virtualFilesOf(fixturePath("multifile_le")),
    LAYOUTS["version 2, the second set, shuffled"]!,
  );
  assert(made.chain.length > 3);
  const link = (block: number, next: number): () => Table => () => {
    const files = filesOf("multifile_le"), container = made.container.slice();
    new DataView(container.buffer).setBigInt64(block * 72, BigInt(next));
    files.set("table.mf", container);
    return Table.open("/t", { io: "memory", context: contextWith(files) });
  };
  link(made.chain[0]!, made.chain[1]!)().close();
  assert.match(fails(link(made.chain[1]!, 0), "CORRUPT").message, /goes on in block 0.*bytes are missing/);
  assert.match(fails(link(made.chain[1]!, 2 ** 40), "CORRUPT").message, /goes on in block 1099511627776/);
  assert.match(fails(link(made.chain.at(-1)!, 1), "CORRUPT").message, /header ends in this block/);
  fails(link(made.chain[1]!, -1), "CORRUPT");
  fails(link(made.chain[2]!, made.chain[1]!), "CORRUPT"); // bites its tail
});

/** Flips bits, puts words that break careless readers, cuts off. */
function damage(bytes: Uint8Array, reach: number, random: () => number): Uint8Array {
  const damaged = bytes.slice(), at = random() % Math.max(1, Math.min(reach, damaged.length));
  switch (random() % 5) {
    case 0:
      return damaged.slice(0, random() % (damaged.length + 1));
    case 1: {
      const word = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff8][random() % 6]!;
      if (at + 4 <= damaged.length) new DataView(damaged.buffer).setUint32(at, word);
      return damaged;
    }
    case 2:
      for (let i = 0; i < 1 + random() % 16; i++) damaged[at + i] = random();
      return damaged;
    default:
      damaged[at]! ^= 1 << random() % 8;
      return damaged;
  }
}

Deno.test(`${DAMAGES} damaged containers give a TableError or values`, () => {
  const random = numbersFrom(20261121);
  const patients = [
    ...NAMES.map(filesOf),
    ...Object.values(LAYOUTS).map((layout) => inContainer("multifile_le", layout)),
  ];
  let refused = 0;
  for (let i = 0; i < DAMAGES; i++) {
    const files = new Map(patients[i % patients.length]!);
    const names = ["table.mf", "table.mf_hdrext"].filter((name) => files.has(name));
    const victim = names[random() % names.length]!, bytes = files.get(victim)!;
    // Most of a container is its files, whose damage other tests look at.
    const reach = random() % 3 === 0 ? bytes.length : 700;
    files.set(victim, damage(bytes, reach, random));
    try {
      using table = Table.open("/t", {
        io: "memory",
        context: contextWith(files),
        maxResultBytes: 16 * 2 ** 20,
      });
      for (const name of table.columnNames) {
        table.getCells(name);
      }
    } catch (error) {
      if (!(error instanceof TableError)) {
        throw new Error(`damage ${i} of ${victim}: ${error}`, { cause: error });
      }
      refused++;
    }
  }
  assert(refused > DAMAGES / 3 && refused < DAMAGES * 0.95, `${refused} of ${DAMAGES} were refused`);
});

Deno.test("a header that stands for more blocks than memory has room for costs none", () => {
  const files = filesOf("multifile_le");
  const { container } = makeContainer(new Map([["table.f0", new Uint8Array(10)]]), {
    version: 2,
    blockSize: 1000,
  });
  // One file of 2^50 bytes in a container of 2 KiB.
  const text = [..."table.f0"].map((c) => c.charCodeAt(0));
  const at = container.findIndex((_, i) => text.every((code, k) => container[i + k] === code)) + text.length;
  const view = new DataView(container.buffer);
  view.setBigInt64(at, 2n ** 50n);
  view.setBigInt64(48, 2n ** 45n);
  files.set("table.mf", container);
  const open = () => Table.open("/t", { io: "memory", context: contextWith(files) });
  assert.match(fails(open, "CORRUPT").message, /1125899906842624 bytes in 1 blocks/);
});
