/**
 * Counts in the header of a DyscoStMan's file: each is held against the file's size before memory is taken, and a wrong
 * one gives a TableError that names the file.
 */
import assert from "node:assert/strict";
import { Context, Table, TableError } from "../../mod.ts";
import { MemoryFile } from "../../src/io/memory-backend.ts";
import { readHeader } from "../../src/storage/dysco/header.ts";
import { runSync } from "../../src/io/drivers.ts";
import { openBackend } from "../../src/io/backends.ts";
import { TableFiles } from "../../src/io/files.ts";
import { expectedRows, fixturePath } from "../fixture.ts";

const TABLE = "dysco_af_truncated";
const PATH = fixturePath(TABLE);
const FILE = "table.f0";
const original = Deno.readFileSync(`${PATH}/${FILE}`);
const nameBytes = new DataView(original.buffer).getUint32(12, true);

/** Words of the header: offset, and values that are wrong there. */
const BIG = [0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff8];
const WORDS: Readonly<Record<string, { at: number; wrong: readonly number[] }>> = {
  "offset of block 0": { at: 0, wrong: [0, 1, 60] },
  "offset of the column headers": { at: 4, wrong: [0, 1, ...BIG] },
  "number of columns": { at: 8, wrong: [0, 1, 3, ...BIG] },
  "length of the name": { at: 12, wrong: [0, 1, ...BIG] },
  "rows of a block": { at: 16 + nameBytes, wrong: [1, 7, ...BIG] },
  "number of antennas": { at: 20 + nameBytes, wrong: [0, 1, 7, ...BIG] },
  "bytes of a block": { at: 24 + nameBytes, wrong: [0, 1, ...BIG] },
  "version": { at: 28 + nameBytes, wrong: [0, 2, 0x10000, 0x01000000] },
  "bytes of the first column header": { at: 52 + nameBytes, wrong: [0, 11, ...BIG] },
  "bytes of the first column in a block": { at: 56 + nameBytes, wrong: [1, ...BIG] },
};

/** The table in memory with other bytes for its Dysco file. */
function contextWith(bytes: Uint8Array): Context {
  const context = new Context({ cacheBytes: 2 ** 20 });
  context.memory.directories.add("/t");
  for (const { name } of Deno.readDirSync(PATH)) {
    const file = new MemoryFile();
    file.bytes = (name === FILE ? bytes : Deno.readFileSync(`${PATH}/${name}`)) as Uint8Array<ArrayBuffer>;
    file.length = file.bytes.length;
    context.memory.files.set(`/t/${name}`, file);
  }
  return context;
}

function readData(bytes: Uint8Array): unknown[] {
  using table = Table.open("/t", { io: "memory", context: contextWith(bytes) });
  return ["DATA", "WEIGHT_SPECTRUM"].map((name) => table.getColumn(name).data);
}

/** The original with a word of its header replaced. */
function withWord(at: number, word: number): Uint8Array {
  const bytes = original.slice();
  new DataView(bytes.buffer).setUint32(at, word, true);
  return bytes;
}

Deno.test("the table as it is reads through memory", () => {
  assert.equal(expectedRows(TABLE).length, 12);
  assert.equal((readData(original)[0] as Float32Array).length % 12, 0);
});

for (const [field, { at, wrong }] of Object.entries(WORDS)) {
  Deno.test(`DyscoStMan refuses a wrong ${field}`, () => {
    for (const word of wrong) {
      const before = Deno.memoryUsage().rss;
      assert.throws(() => readData(withWord(at, word)), (error) => {
        assert(error instanceof TableError, `${word}: ${error}`);
        assert.match(error.code, /^(CORRUPT|UNSUPPORTED|LIMIT)$/, `${word}: ${error.message}`);
        assert.equal(error.file, `/t/${FILE}`);
        return true;
      }, `${word} at ${at}`);
      assert(Deno.memoryUsage().rss - before < 64 * 2 ** 20, `${word}: memory`);
    }
  });
}

Deno.test("DyscoStMan refuses codes and numbers of bits that nobody knows", () => {
  const at = 32 + nameBytes;
  for (
    const [place, value] of [[0, 0], [0, 5], [0, 255], [1, 0], [1, 7], [2, 4], [3, 3], [3, 255]] as const
  ) {
    const bytes = original.slice();
    bytes[at + place] = value;
    assert.throws(() => readData(bytes), { name: "TableError", code: "CORRUPT", file: `/t/${FILE}` });
  }
});

Deno.test("a block 0 that is far away leaves no blocks: the cells are zeros", () => {
  for (const word of BIG) {
    for (const data of readData(withWord(0, word))) {
      assert((data as Float32Array).every((value) => Object.is(value, 0)));
    }
  }
});

Deno.test("a file that ends within a block has one block less, and one that ends within the header is refused", () => {
  const blocksAt = new DataView(original.buffer).getUint32(0, true);
  const whole = readData(original)[0] as Float32Array;
  const cut = readData(original.subarray(0, original.length - 1).slice())[0] as Float32Array;
  const zeros = cut.findIndex((value, i) => !Object.is(value, whole[i]));
  assert(zeros > 0 && cut.subarray(zeros).every((value) => value === 0));
  for (const length of [1, 15, 51, 52, blocksAt - 60]) {
    assert.throws(() => readData(original.slice(0, length)), { code: "CORRUPT" });
  }
});

Deno.test("a header of more than a megabyte is not read", () => {
  const bytes = new Uint8Array(2 * 2 ** 20);
  bytes.set(original);
  new DataView(bytes.buffer).setUint32(0, bytes.length - 10, true);
  assert.throws(() => readData(bytes), { code: "LIMIT" });
});

Deno.test("an empty file has no data, and a missing one is named", () => {
  for (const data of readData(new Uint8Array(0))) {
    assert((data as Float32Array).every((value) => Object.is(value, 0)));
  }
  using files = new TableFiles(PATH, openBackend("node"), { writable: false });
  assert.throws(() => runSync(readHeader("table.f99", "/t/table.f99", 2), files), {
    code: "NOT_FOUND",
    file: "/t/table.f99",
  });
});

Deno.test("a row of an antenna that has no factors is refused, naming the row", () => {
  // The antennas of the rows are in table.f1 (a StandardStMan); fewer factors are promised here, in a file that fits.
  using table = Table.open("/t", { io: "memory", context: contextWith(original) });
  const most = Math.max(
    ...["ANTENNA1", "ANTENNA2"].flatMap((name) => [...table.getColumn(name).data as Int32Array]),
  );
  assert(most < new DataView(original.buffer).getUint32(20 + nameBytes, true));
  const changed = Deno.readFileSync(`${PATH}/table.f1`);
  const context = contextWith(original);
  // Antenna numbers are small words: one that is `most` becomes 99.
  const view = new DataView(changed.buffer);
  let replaced = 0;
  for (let at = 512; at + 4 <= changed.length; at += 4) {
    if (view.getInt32(at, true) === most) {
      view.setInt32(at, 99, true);
      replaced++;
    }
  }
  assert(replaced > 0);
  context.memory.files.get("/t/table.f1")!.bytes = changed;
  using damaged = Table.open("/t", { io: "memory", context });
  assert.throws(() => damaged.getColumn("DATA"), (error) => {
    assert(error instanceof TableError && error.code === "CORRUPT");
    assert.match(error.message, /antenna 99/);
    return true;
  });
});
