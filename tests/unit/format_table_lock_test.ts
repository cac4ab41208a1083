import assert from "node:assert/strict";
import fc from "fast-check";
import { readTableInfo, writeTableInfo } from "../../src/format/table-info.ts";
import {
  freshSync,
  nextSync,
  readSync,
  readTableLock,
  rowCountOf,
  SYNC_OFFSET_BYTES,
  type SyncInfo,
  writeSync,
  writeTableLock,
} from "../../src/format/table-lock.ts";
import { failsWith } from "./format_help.ts";

const FILE = "t/table.lock";

/** The table.lock of the worked example: format reference part 1, section 14. */
const EXAMPLE = "00".repeat(260) + "0000003d" + "bebebebe" + "00000039" + "0000000473796e63" + "00000001" +
  "00000002" + "00000001" + "00000001" + "00000001" +
  "00000019" + "00000005426c6f636b" + "00000001" + "00000001" + "00000001";

Deno.test("the table.lock of the worked example is read and written byte for byte", () => {
  const bytes = Uint8Array.fromHex(EXAMPLE);
  const lock = readTableLock(bytes, FILE);
  assert.deepEqual(lock, { requests: [], sync: freshSync(2, 1, 1) });
  assert.equal(writeTableLock(lock).toHex(), EXAMPLE);
  assert.deepEqual(readTableLock(Uint8Array.fromHex(EXAMPLE + "ffffff"), FILE), lock, "bytes behind it");
});

const sync: fc.Arbitrary<SyncInfo> = fc.tuple(
  fc.oneof(fc.nat(2 ** 32), fc.nat(Number.MAX_SAFE_INTEGER), fc.constantFrom(0, 2 ** 31 - 1, 2 ** 31)),
  fc.nat(500),
  fc.nat(0xffffffff),
  fc.nat(0xffffffff),
  fc.array(fc.nat(0xffffffff)),
).map(([rowCount, columnCount, modifyCounter, tableChangeCounter, managerCounters]) => ({
  rowCount,
  columnCount,
  modifyCounter,
  tableChangeCounter,
  managerCounters,
}));

Deno.test("lock contents come back as they were written", () => {
  const requests = fc.array(fc.tuple(fc.integer(), fc.integer()).map(([pid, host]) => ({ pid, host })), {
    maxLength: 32,
  });
  fc.assert(fc.property(requests, fc.option(sync), (list, info) => {
    const content = { requests: list, sync: info };
    const bytes = writeTableLock(content);
    assert.deepEqual(readTableLock(bytes, FILE), content);
    if (info === null) return;
    assert.deepEqual(bytes.subarray(SYNC_OFFSET_BYTES), writeSync(info));
    assert.equal(
      bytes.length,
      264 + 57 + 4 * info.managerCounters.length + (info.rowCount > 2 ** 31 - 1 ? 4 : 0),
    );
  }));
});

Deno.test("a foreign writer may leave out the change counters", () => {
  const info = { rowCount: 9, columnCount: -1, modifyCounter: 3, tableChangeCounter: 0, managerCounters: [] };
  const bytes = writeTableLock({ requests: [], sync: info });
  assert.equal(bytes.length, 264 + 32);
  assert.deepEqual(readSync(bytes, FILE), info);
});

Deno.test("short, empty and fresh files say nothing; damaged ones are refused", () => {
  for (const n of [0, 3, 259, 260, 263, 264]) {
    assert.deepEqual(readTableLock(new Uint8Array(n), FILE), { requests: [], sync: null });
  }
  const bytes = Uint8Array.fromHex(EXAMPLE);
  failsWith("CORRUPT", () => readTableLock(bytes.subarray(0, 320), FILE), /expected 61 more bytes/);
  const many = bytes.slice();
  many[3] = 33;
  failsWith("CORRUPT", () => readTableLock(many, FILE), /33 processes wait, expected 0 to 32/);
  const columns = bytes.slice();
  columns.fill(0xff, 288, 291);
  columns[291] = 0xfe;
  assert.equal(failsWith("CORRUPT", () => readTableLock(columns, FILE), /-2 columns/).offset, 288);
});

Deno.test("the row count is that of table.lock, unless it says 0 or nothing", () => {
  const at = (rows: number) => freshSync(rows, 1, 1);
  assert.deepEqual(rowCountOf(2, at(3)), { rowCount: 3, askManagers: false });
  assert.deepEqual(rowCountOf(5, at(3)), { rowCount: 3, askManagers: false });
  assert.deepEqual(rowCountOf(2, null), { rowCount: 2, askManagers: false });
  assert.deepEqual(rowCountOf(2, at(0)), { rowCount: 2, askManagers: true });
  assert.deepEqual(rowCountOf(0, at(0)), { rowCount: 0, askManagers: false });
});

Deno.test("a commit counts up what changed, and only that", () => {
  const before = {
    rowCount: 5,
    columnCount: 2,
    modifyCounter: 7,
    tableChangeCounter: 4,
    managerCounters: [1, 0xffffffff],
  };
  const change = { rowCount: 5, columnCount: 2, table: false, managers: [false, false] };
  assert.deepEqual(nextSync(before, change), before);
  assert.deepEqual(nextSync(before, { ...change, managers: [false, true] }), {
    ...before,
    modifyCounter: 8,
    managerCounters: [1, 0],
  });
  assert.deepEqual(nextSync(before, { ...change, table: true }), {
    ...before,
    modifyCounter: 8,
    tableChangeCounter: 5,
  });
  assert.deepEqual(nextSync(before, { ...change, rowCount: 6 }), {
    ...before,
    rowCount: 6,
    modifyCounter: 8,
  });
  assert.deepEqual(
    nextSync(null, { rowCount: 5, columnCount: 2, table: true, managers: [true] }),
    freshSync(5, 2, 1),
  );
});

Deno.test("table.info has labels, an empty line and the readme", () => {
  const text = (hex: Uint8Array) => new TextDecoder().decode(hex);
  assert.equal(text(writeTableInfo({ type: "", subType: "", readme: "" })), "Type = \nSubType = \n\n");
  const info = { type: "Measurement Set", subType: "UVFITS", readme: "made by\nhand\n" };
  assert.equal(text(writeTableInfo(info)), "Type = Measurement Set\nSubType = UVFITS\n\nmade by\nhand\n");
  assert.deepEqual(readTableInfo(writeTableInfo(info)), info);
  assert.deepEqual(readTableInfo(writeTableInfo({ ...info, readme: "no line end" })), {
    ...info,
    readme: "no line end\n",
  });
});

Deno.test("table.info is read whatever its labels are, and however little there is", () => {
  const read = (text: string) => readTableInfo(new TextEncoder().encode(text));
  assert.deepEqual(read(""), { type: "", subType: "", readme: "" });
  assert.deepEqual(read("Type"), { type: "", subType: "", readme: "" });
  assert.deepEqual(read("TYPE:  Image"), { type: "Image", subType: "", readme: "" });
  assert.deepEqual(read("xxxxxxxA\nyyyyyyyyyyB\nignored\nrest"), { type: "A", subType: "B", readme: "rest" });
});
