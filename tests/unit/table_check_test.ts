/**
 * Checks of whole tables: golden ones are in order; damage is found, with file and offset, and never does worse.
 */
import assert from "node:assert/strict";
import { type Context, Table, TableError } from "../../mod.ts";
import { AipsReader } from "../../src/format/aipsio.ts";
import { readSync, writeSync, writeTableLock } from "../../src/format/table-lock.ts";
import { type CheckReport, checkTable } from "../../mod.ts";
import { allFixtures, copyFolder, copyOfFixture, fixturePath, temporaryFolder } from "../fixture.ts";
import { crc32 } from "../../src/format/crc32.ts";
import { fails } from "./io_help.ts";
import { makeContainer, virtualFilesOf } from "./multifile_support.ts";
import { headerOf } from "./storage_standard_structure.ts";
import { numbersFrom } from "./storage_model_support.ts";
import { contextWith, type Files, filesOf, structureOf, withWord } from "./table_check_support.ts";

/** Seeded damages; each of the first kind changes one word that says how many, how long, where or what next. */
const STRUCTURAL = 500, RANDOM = 1500;
/** Share of the structural damages that are found: the others are as good as what was there, e.g. one row more in a run. */
const FOUND_SHARE = 0.93;
/** What checking damaged tables of at most 200 KB may add to the process. */
const MAX_EXTRA_BYTES = 400 * 2 ** 20;

function check(files: Files): CheckReport {
  return checkTable("/t", { io: "memory", context: contextWith(files), subtables: false });
}

/** What is wrong, a line each, without the path of the table. */
function wrongs({ findings }: CheckReport): string[] {
  return findings.filter(({ note }) => !note).map(({ file, offset, message }) =>
    `${file.slice("/t/".length)}${offset === undefined ? "" : `, ${offset}`}: ${message}`
  );
}

/** The same for what is odd. */
function notes({ findings }: CheckReport): string[] {
  return findings.filter(({ note }) => note).map(({ file, message }) =>
    `${file.slice("/t/".length)}: ${message}`
  );
}

/** The one thing that is wrong. */
function onlyWrong(files: Files): string {
  const found = wrongs(check(files));
  assert.equal(found.length, 1, found.join("\n"));
  return found[0]!;
}

/** Files of which one is changed. */
function changed(files: Files, name: string, change: (view: DataView, bytes: Uint8Array) => void): Files {
  const bytes = files.get(name)!.slice();
  change(new DataView(bytes.buffer), bytes);
  return new Map(files).set(name, bytes);
}

for (const { name } of allFixtures()) {
  Deno.test(`${name} is in order`, () => {
    const report = checkTable(fixturePath(name));
    const expected = name.startsWith("subtables")
      ? [/keyword ELSEWHERE names .*, where there is no table$/]
      : [];
    const found = report.findings.filter(({ note }) => !note);
    assert.equal(found.length, expected.length, found.map(({ message }) => message).join("\n"));
    found.forEach(({ message }, i) => assert.match(message, expected[i]!));
    assert.equal(report.wrong, expected.length);
    // What is odd is nothing but managers that this version doesn't read.
    for (const { note, code, message } of report.findings) {
      if (note) assert.equal(code, "UNSUPPORTED", message);
    }
    assert(report.tables.every(({ rows }) => rows !== null));
  });
}

Deno.test(`of ${STRUCTURAL} damages to structure nearly all are found`, () => {
  const random = numbersFrom(20261121);
  const words = allFixtures().map(({ name }) => filesOf(name)).flatMap((files) =>
    structureOf(files).map((word) => ({ files, word }))
  );
  assert(words.length > 7000, `${words.length} words`);
  let found = 0;
  for (let i = 0; i < STRUCTURAL; i++) {
    const { files, word } = words[random() % words.length]!;
    if (isFound(withWord(files, word, random))) found++;
  }
  assert(found >= STRUCTURAL * FOUND_SHARE, `${found} of ${STRUCTURAL} were found`);
});

/** True when something is wrong, or odd as casacore's own tables may be; a table that is none any more is, too. */
function isFound(files: Files): boolean {
  try {
    return check(files).findings.some(({ note, code }) => !note || code !== "UNSUPPORTED");
  } catch (error) {
    if (error instanceof TableError) return true;
    throw error;
  }
}

/** Flips a bit, cuts off, puts bytes, puts words that break careless readers. */
function damage(bytes: Uint8Array, random: () => number): Uint8Array {
  const damaged = bytes.slice(), at = random() % Math.max(1, bytes.length);
  switch (random() % 4) {
    case 0:
      damaged[at]! ^= 1 << random() % 8;
      return damaged;
    case 1:
      return damaged.slice(0, at);
    case 2:
      for (let i = at; i < Math.min(at + 1 + random() % 16, damaged.length); i++) damaged[i] = random();
      return damaged;
    default: {
      const word = [0x7fffffff, 0xffffffff, 0x80000000, 0, 1][random() % 5]!, little = random() % 2 === 0;
      if (damaged.length >= at + 4) new DataView(damaged.buffer).setUint32(at, word, little);
      return damaged;
    }
  }
}

/** Reads all there is; returns whether that fails where it didn't before. */
function readingFails(files: Files): boolean {
  try {
    using table = Table.open("/t", {
      io: "memory",
      context: contextWith(files),
      maxResultBytes: 16 * 2 ** 20,
    });
    for (const name of table.columnNames) {
      if (!table.column(name).readable) continue;
      table.getCells(name, { rows: { start: 0, end: Math.min(table.rowCount, 1000) } });
    }
    return false;
  } catch (error) {
    if (!(error instanceof TableError)) throw error;
    return error.code !== "LIMIT";
  }
}

Deno.test(`of ${RANDOM} random damages every one that reading trips over is found, and none does worse`, () => {
  const random = numbersFrom(7);
  const patients = allFixtures().filter(({ needs }) =>
    !needs.includes("reftable") && !needs.includes("concat")
  )
    .map(({ name }) => ({ name, files: filesOf(name) }));
  const before = Deno.memoryUsage().rss;
  let failing = 0;
  for (let i = 0; i < RANDOM; i++) {
    const { name, files } = patients[random() % patients.length]!;
    const names = [...files.keys()], victim = names[random() % names.length]!;
    const damaged = new Map(files).set(victim, damage(files.get(victim)!, random));
    const found = isFound(damaged);
    if (!readingFails(damaged)) continue;
    failing++;
    assert(found, `damage ${i}, ${name}/${victim}: reading fails, nothing is found`);
  }
  assert(failing > RANDOM / 5, `reading failed for ${failing} of ${RANDOM}`);
  const extra = Deno.memoryUsage().rss - before;
  assert(extra < MAX_EXTRA_BYTES, `checking damaged tables took ${extra} bytes of memory`);
});

Deno.test("a table that isn't there is an error, as for opening it", () => {
  using folder = temporaryFolder();
  fails(() => checkTable(`${folder.path}/nowhere`), "NOT_FOUND");
  fails(() => checkTable(folder.path), "NOT_A_TABLE");
});

Deno.test("a damaged table.dat is told with its offset, and the rest of the table is still looked at", () => {
  const files = changed(filesOf("minimal_le"), "table.dat", (view) => view.setUint32(0x15, 7, true));
  const dat = changed(files, "table.dat", (view) => view.setUint32(0x2f, 99));
  const found = wrongs(check(changed(dat, "table.lock", (view) => view.setInt32(0, 77))));
  assert.equal(found.length, 2, found.join("\n"));
  assert.match(found[0]!, /^table.lock, 0: 77 processes wait/);
  assert.match(found[1]!, /^table.dat, \d+: /);
});

// ---- table.lock

Deno.test("what table.lock says of columns and managers is held against table.dat", () => {
  const files = filesOf("ssm_managers"), sync = readSync(files.get("table.lock")!, "table.lock")!;
  const other = { ...sync, columnCount: sync.columnCount + 1, managerCounters: [1] };
  const found = wrongs(
    check(new Map(files).set("table.lock", writeTableLock({ requests: [], sync: other }))),
  );
  assert.match(found[0]!, /^table.lock: the table is said to have \d+ columns, table.dat has \d+$/);
  assert.match(
    found[1]!,
    /^table.lock: there are change counters for 1 storage managers, table.dat has \d+$/,
  );
});

Deno.test("rows in table.lock that no manager has are found", () => {
  const files = filesOf("minimal_le"), sync = readSync(files.get("table.lock")!, "table.lock")!;
  const lock = writeTableLock({ requests: [{ pid: 7, host: 0 }], sync: { ...sync, rowCount: 9 } });
  const report = check(new Map(files).set("table.lock", lock));
  assert.deepEqual(wrongs(report), ["table.f0: StandardStMan has 2 rows, the table has 9"]);
  assert.deepEqual(notes(report), ["table.lock: 1 processes are said to wait for the table"]);
});

Deno.test("a sync object that ends before its length says so", () => {
  const files = filesOf("minimal_le"), sync = readSync(files.get("table.lock")!, "table.lock")!;
  const bytes = new Uint8Array(264 + 100);
  bytes.set(files.get("table.lock")!);
  new DataView(bytes.buffer).setUint32(260, writeSync(sync).length + 4);
  assert.equal(
    onlyWrong(new Map(files).set("table.lock", bytes)),
    "table.lock, 260: the sync object takes 61 bytes, it is said to take 69",
  );
});

// ---- StandardStMan

Deno.test("a bucket that is lost, and one that is two things, are found where they are", () => {
  const files = filesOf("ssm_removed_le");
  const header = headerOf(files.get("table.f0")!, false);
  const start = 4 + 4 + 4 + 13 + 4 + 1;
  const place = (bucket: number) => 512 + bucket * header.bucketSize;
  assert(header.freeBuckets >= 1, "the golden table has free buckets");
  // No free list: its buckets are lost, as they hold anything but strings.
  const lost = wrongs(check(changed(files, "table.f0", (view) => {
    view.setUint32(start + 12, 0, true);
    view.setInt32(start + 16, -1, true);
    view.setInt32(place(header.firstFree) + 4, 12345);
  })));
  assert(
    lost.includes(
      `table.f0, ${
        place(header.firstFree)
      }: bucket ${header.firstFree} is in no list, nor does anything refer to it`,
    ),
    lost.join("\n"),
  );
  // The free list begins with the index.
  const twice = wrongs(
    check(changed(files, "table.f0", (view) => view.setInt32(start + 16, header.firstIndex, true))),
  );
  assert(
    twice[0]!.startsWith(
      `table.f0, ${
        place(header.firstIndex)
      }: bucket ${header.firstIndex} is an index bucket and a free bucket`,
    ),
    twice.join("\n"),
  );
});

Deno.test("strings that lead nowhere, that overlap, and buckets that count them wrongly are found", () => {
  const files = filesOf("ssm_strings_le"), bytes = files.get("table.f0")!;
  const { bucketSize } = headerOf(bytes, false);
  const strings = structureOf(files).filter(({ what }) => what === "word 0 of a string bucket");
  assert(strings.length > 2);
  const [first] = strings;
  const number = (first!.offset - 512) / bucketSize;
  const used = new DataView(bytes.buffer).getInt32(first!.offset + 4);
  const counted = wrongs(check(changed(files, "table.f0", (view) => {
    view.setInt32(first!.offset + 8, bucketSize - 16);
  })));
  assert.match(
    counted.join("\n"),
    new RegExp(`^table.f0, ${first!.offset + 8}: string bucket ${number} says that 0 of its bytes`),
  );
  const shorter = wrongs(check(changed(files, "table.f0", (view) => {
    view.setInt32(first!.offset + 4, used - 1);
  })));
  assert.match(shorter.join("\n"), /column \w+, row \d+: a string of \d+ bytes/);
  const linked = wrongs(check(changed(files, "table.f0", (view) => view.setInt32(first!.offset, 5))));
  assert.match(linked.join("\n"), /its first word is 5, expected 0/);
});

Deno.test("columns of which one lies on another are found", () => {
  const files = filesOf("ssm_scalars_le");
  // The blob's second column offset: where the first column is.
  const dat = files.get("table.dat")!;
  const text = [..."SSM"].map((c) => c.charCodeAt(0));
  const at = dat.findIndex((_, i) =>
    i > 20 && dat[i - 1] === 3 && text.every((code, k) => dat[i + k] === code)
  );
  const r = new AipsReader(dat, { file: "table.dat", offset: at - 12 });
  r.root("SSM");
  r.string();
  r.begin("Block");
  const offsets = r.offset + 4;
  const found = wrongs(check(changed(files, "table.dat", (view) => view.setUint32(offsets + 4, 0))));
  assert.match(found[0]!, /^table.f0: byte 0 of the buckets of index 0 is column \w+'s and column \w+'s$/);
});

Deno.test("arrays that share bytes are found, and so are strings of arrays", () => {
  const files = filesOf("ssm_indirect_le");
  const found = wrongs(check(changed(files, "table.f0i", (view) => {
    // Records of version 0 begin with the number of axes: one axis more makes the first record longer.
    view.setUint32(16, 3, true);
  })));
  assert(found.length > 0 && found.every((line) => line.startsWith("table.f0i")), found.join("\n"));
  // A file of its own length in the header that ends before the last array.
  const length = Number(new DataView(files.get("table.f0i")!.buffer).getBigInt64(4, true));
  const cut = wrongs(
    check(changed(files, "table.f0i", (view) => view.setBigInt64(4, BigInt(length - 1), true))),
  );
  assert.match(cut.join("\n"), /table.f0i, \d+: column \w+, row \d+: /);
  const long = check(changed(files, "table.f0i", (view) => view.setBigInt64(4, BigInt(length), true)));
  assert.equal(long.wrong, 0);
});

// ---- other managers

Deno.test("data files of tiled managers that are short, long or missing are told", () => {
  const files = filesOf("tsm_mixed_le");
  const name = [...files.keys()].find((one) => one.includes("_TSM"))!, bytes = files.get(name)!;
  assert.match(
    onlyWrong(new Map(files).set(name, bytes.slice(0, -1))),
    new RegExp(`^${name}, ${bytes.length - 1}: tiles reach to byte ${bytes.length}, the file has`),
  );
  const longer = new Uint8Array(bytes.length + 5);
  longer.set(bytes);
  const report = check(new Map(files).set(name, longer));
  assert.equal(report.wrong, 0);
  assert.deepEqual(notes(report), [`${name}: 5 bytes behind the last tile`]);
  const without = new Map(files);
  without.delete(name);
  const [missing] = check(without).findings;
  assert.equal(missing!.code, "NOT_FOUND");
  assert.equal(missing!.message, "there is no such data file");
});

Deno.test("rows that share a position of a hypercube are found", () => {
  const files = filesOf("tsm_mixed_le");
  const positions = structureOf(files).filter(({ what }) => what === "position of an interval");
  assert(positions.length >= 2);
  const { file, offset } = positions[0]!;
  const found = wrongs(check(changed(files, file, (view) => {
    for (const other of positions) {
      if (other.file === file) view.setUint32(other.offset, view.getUint32(offset));
    }
  })));
  assert.match(found.join("\n"), /rows from \d+ and from \d+ on have the same positions in hypercube \d+/);
});

Deno.test("buckets of an IncrementalStMan that are lost, and values that share bytes, are found", () => {
  const files = filesOf("ism_scalars_le");
  const words = structureOf(files);
  const numbers = words.filter(({ what }) => what === "number of a bucket");
  assert(numbers.length > 1);
  const twice = wrongs(check(changed(files, "table.f0", (view) => {
    view.setUint32(numbers[0]!.offset, view.getUint32(numbers[1]!.offset, true), true);
  })));
  assert.match(twice.join("\n"), /^table.f0, \d+: bucket \d+ is in the index twice/);
  assert.match(twice.join("\n"), /bucket \d+ is neither in the index nor free/);
  const offsets = words.filter(({ what }) => what === "offset of a value");
  const shared = wrongs(check(changed(files, "table.f0", (view) => {
    view.setUint32(offsets[1]!.offset, view.getUint32(offsets[0]!.offset, true), true);
  })));
  assert.match(shared.join("\n"), /bytes of a value of row \d+ are also those of a value of row \d+/);
});

Deno.test("records that can't be decoded are found", () => {
  const files = filesOf("ssm_record_le");
  const arrays = files.get("table.f0i")!;
  const at = arrays.findIndex((_, i) => [0xbe, 0xbe, 0xbe, 0xbe].every((byte, k) => arrays[i + k] === byte));
  const found = wrongs(check(changed(files, "table.f0i", (view) => view.setUint32(at, 1))));
  assert.match(found[0]!, /column \w+, row \d+: expected magic 0xbebebebe, found 0x1/);
});

// ---- containers

function containerFiles(checksums: boolean): { files: Map<string, Uint8Array>; blockSize: number } {
  const files = filesOf("multifile_le"), blockSize = 640;
  const { container } = makeContainer(virtualFilesOf(fixturePath("multifile_le")), {
    version: 2,
    blockSize,
    checksums,
    freeBlocks: 2,
    random: numbersFrom(4),
  });
  files.set("table.mf", container);
  files.delete("table.mf_hdrext");
  return { files, blockSize };
}

Deno.test("a container in which a checksum is wrong, or a block nobody's, is told", () => {
  const { files, blockSize } = containerFiles(true);
  assert.equal(check(files).wrong, 0);
  const blocks = files.get("table.mf")!.length / blockSize;
  let found = 0;
  for (let block = 1; block < blocks; block++) {
    // The last byte of a block, behind the end of most files: values are as they were.
    const damaged = changed(files, "table.mf", (_, bytes) => bytes[(block + 1) * blockSize - 1]! ^= 0x80);
    const lines = wrongs(check(damaged)).filter((line) => line.includes("checksum"));
    if (lines.length === 0) continue; // free, or the header's
    found++;
    const bytes = damaged.get("table.mf")!.subarray(block * blockSize, (block + 1) * blockSize);
    const sum = `0x${crc32(bytes).toString(16).padStart(8, "0")}`;
    assert.match(
      lines[0]!,
      new RegExp(`^table.mf, ${block * blockSize}: block ${block} of file .*its bytes give ${sum}`),
    );
  }
  assert(found > 10, `${found} of ${blocks} blocks`);
});

Deno.test("a block of a container that is neither in a file nor free is told, and one that is both", () => {
  const { files } = containerFiles(false);
  const free = structureFreeList(files);
  const lost = wrongs(check(changed(files, "table.mf", (view) => {
    // The two free blocks are one: the other is lost.
    view.setBigInt64(free + 8, view.getBigInt64(free));
  })));
  assert.match(lost.join("\n"), /block \d+ belongs to the free list and to the free list/);
  const both = wrongs(check(changed(files, "table.mf", (view) => view.setBigInt64(free, 1n))));
  assert.match(both.join("\n"), /block 1 belongs to /);
});

/** Where the numbers of the two free blocks stand in the first block. */
function structureFreeList(files: Files): number {
  const bytes = files.get("table.mf")!, view = new DataView(bytes.buffer);
  const headerSize = Number(view.getBigInt64(32)), blocks = Number(view.getBigInt64(48));
  for (let at = headerSize - 8 * 6; at > 64; at--) {
    const [a, b] = [view.getBigInt64(at + 8), view.getBigInt64(at + 16)];
    if (view.getBigInt64(at) === 2n && a > b && b > 0n && a < blocks) return at + 8;
  }
  throw new Error("no free list found");
}

// ---- files and other tables

Deno.test("files that are nobody's are told, and do no harm", () => {
  const files = filesOf("minimal_le");
  files.set("table.f9", new Uint8Array(3));
  files.set("table.dat_tmp", new Uint8Array(3));
  files.set("notes.txt", new Uint8Array(3));
  const report = check(files);
  assert.equal(report.wrong, 0);
  assert.deepEqual(notes(report).sort(), [
    "table.dat_tmp: no storage manager has a file of that name",
    "table.f9: no storage manager has a file of that name",
  ]);
});

Deno.test("subtables are looked at, each once, and the missing are told", () => {
  using folder = temporaryFolder();
  copyFolder(new URL("../../examples/data/sim.ms", import.meta.url).pathname, `${folder.path}/sim.ms`);
  const path = `${folder.path}/sim.ms`;
  const before = checkTable(path);
  assert.equal(before.wrong, 0);
  assert(before.tables.length > 10);
  assert.equal(checkTable(path, { subtables: false }).tables.length, 1);
  Deno.removeSync(`${path}/ANTENNA`, { recursive: true });
  const dat = Deno.readFileSync(`${path}/FIELD/table.dat`);
  Deno.writeFileSync(`${path}/FIELD/table.dat`, dat.subarray(0, 100));
  const after = checkTable(path);
  const found = after.findings.map(({ file, message }) => `${file.slice(path.length)}: ${message}`);
  assert.equal(found.length, 2, found.join("\n"));
  assert.equal(found[0], `/table.dat: keyword ANTENNA names ${path}/ANTENNA, where there is no table`);
  assert.match(found[1]!, /^\/FIELD\/table.dat: /);
  assert.equal(after.tables.find((table) => table.path === `${path}/FIELD`)!.rows, null);
});

Deno.test("a subtable that leads back, by a link, ends", () => {
  using copy = copyOfFixture("subtables");
  Deno.removeSync(`${copy.path}/INSIDE`, { recursive: true });
  Deno.symlinkSync(copy.path, `${copy.path}/INSIDE`);
  const report = checkTable(copy.path);
  assert(report.tables.length < 10);
});

Deno.test("tables that a reference or a concatenation refers to are looked at", () => {
  using folder = temporaryFolder();
  for (const name of ["ref_rows", "ssm_scalars_le", "concat", "concat_a", "concat_b"]) {
    copyFolder(fixturePath(name), `${folder.path}/${name}`);
  }
  for (const name of ["ref_rows", "concat"]) {
    const report = checkTable(`${folder.path}/${name}`);
    assert.equal(report.wrong, 0, report.findings.map(({ message }) => message).join("\n"));
    assert(report.tables.length >= 2, name);
  }
  Deno.truncateSync(`${folder.path}/ssm_scalars_le/table.f0`, 600);
  const damaged = checkTable(`${folder.path}/ref_rows`);
  assert(damaged.wrong > 0);
  assert(damaged.findings.every(({ file }) => file.startsWith(`${folder.path}/ssm_scalars_le/`)));
  Deno.removeSync(`${folder.path}/ssm_scalars_le`, { recursive: true });
  const [missing] = checkTable(`${folder.path}/ref_rows`).findings;
  assert.equal(missing!.message, `refers to ${folder.path}/ssm_scalars_le, where there is no table`);
});

Deno.test("confined, tables that lie outside are named and left alone", () => {
  const report = checkTable(fixturePath("ref_rows"), { confine: true });
  assert.equal(report.tables.length, 1);
  assert(report.findings.some(({ note, message }) => note && message.includes("lies outside")));
});

Deno.test("what a check finds is bounded, however much is wrong", () => {
  const files = filesOf("ssm_strings_le");
  const context: Context = contextWith(
    changed(files, "table.f0", (_, bytes) => bytes.fill(0x77, 512 + 128)),
  );
  const { findings } = checkTable("/t", { io: "memory", context, subtables: false });
  assert(findings.length > 0 && findings.length <= 102, `${findings.length} findings`);
});
