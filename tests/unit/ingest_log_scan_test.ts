import assert from "node:assert/strict";
import fc from "fast-check";
import { TableError } from "../../mod.ts";
import { MemoryBackend, MemoryStore } from "../../src/io/memory-backend.ts";
import { IngestSchema } from "../../src/ingest/schema.ts";
import { LOG_BLOCK_BYTES, logName, logOfName } from "../../src/ingest/log/format.ts";
import { readBatchHeader } from "../../src/ingest/log/format.ts";
import { scalar } from "../../mod.ts";
import {
  batchOf,
  LOGS,
  memoryDisk,
  numbersOf,
  openAppender,
  rowsOf,
  scan,
  SMALL,
  STORE_ID,
} from "./ingest_append_support.ts";

/** Logs with batches of one to three rows, synced one by one, and the numbers in them. */
async function made(
  batches: number,
  logBytes = 1e9,
): Promise<{ disk: MemoryBackend; numbers: number[]; ends: number[] }> {
  const disk = memoryDisk(), { appender } = openAppender(disk, { logBytes });
  const numbers: number[] = [], ends = [0];
  for (let i = 0; i < batches; i++) {
    const batch = Array.from({ length: 1 + i % 3 }, (_, k) => numbers.length + k);
    await appender.append(batchOf(...batch));
    numbers.push(...batch);
    ends.push(numbers.length);
  }
  await appender.close();
  return { disk, numbers, ends };
}

/** A disk of its own with the same files. */
function copy(disk: MemoryBackend): MemoryBackend {
  const store = new MemoryStore();
  for (const path of disk.store.directories) store.directories.add(path);
  for (const [path, file] of disk.store.files) {
    const backend = new MemoryBackend(store);
    const handle = backend.open(path, "create");
    handle.write(file.bytes.subarray(0, file.length), 0);
    handle.close();
  }
  return new MemoryBackend(store);
}

const bytesOf = (disk: MemoryBackend, id = 1) => {
  const file = disk.store.files.get(`${LOGS}/${logName(id)}`)!;
  return file.bytes.subarray(0, file.length);
};

const names = (disk: MemoryBackend) => disk.list(LOGS);

/** Where the batches of a log begin. */
function batchesOf(disk: MemoryBackend, id = 1): number[] {
  const bytes = bytesOf(disk, id), found: number[] = [];
  for (let at = LOG_BLOCK_BYTES; at < bytes.length; at += 64) {
    if (typeof readBatchHeader(bytes.subarray(at), SMALL) !== "string") found.push(at);
  }
  return found;
}

Deno.test("the name of a log's file is its number, six digits or more", () => {
  assert.equal(logName(7), "000007.log");
  assert.equal(logOfName("000007.log"), 7);
  assert.equal(logOfName(logName(12345678)), 12345678);
  for (const name of ["7.log", "0000007.log", "000007.cut", "x000007.log", "000007.log~"]) {
    assert.equal(logOfName(name), null, name);
  }
});

Deno.test("a row is found by its number in log steps, in a log with thousands of blocks", async () => {
  const disk = memoryDisk(), { appender } = openAppender(disk, { durability: "each" });
  for (let i = 0; i < 300; i++) await appender.append(batchOf(2 * i, 2 * i + 1));
  const [log] = appender.visible().logs;
  assert.equal(log!.count, 300);
  for (const sequence of [0, 1, 2, 299, 598, 599]) {
    const block = log!.at(log!.find(sequence));
    assert.ok(block.firstSequence <= sequence && sequence < block.firstSequence + block.rows);
  }
  assert.equal(log!.find(600), -1);
  assert.equal(log!.find(-1), -1);
  await appender.close();
});

Deno.test("logs follow each other by number and by row", async () => {
  const { disk, numbers } = await made(30, 3 * LOG_BLOCK_BYTES);
  assert.ok(names(disk).length > 5);
  const logs = scan(disk, { mode: "read" });
  assert.deepEqual(numbersOf(logs.visible()), numbers);
  assert.deepEqual(logs.findings, []);
  assert.equal(logs.nextLog, names(disk).length + 1);
  logs.close();
  // Some of them are segments already.
  const first = logs.logs.length === 0 ? scan(disk).logs[2]! : logs.logs[2]!;
  const later = scan(disk, { firstLog: first.log, nextSequence: first.firstSequence, mode: "read" });
  assert.deepEqual(numbersOf(later.visible()), numbers.slice(first.firstSequence));
  later.close();
});

Deno.test("who recovers removes logs that are segments already: it is how every log ends", async () => {
  const { disk, numbers } = await made(30, 3 * LOG_BLOCK_BYTES);
  const third = scan(disk, { mode: "read" }).logs[2]!;
  const logs = scan(disk, { firstLog: third.log, nextSequence: third.firstSequence });
  assert.deepEqual(numbersOf(logs.visible()), numbers.slice(third.firstSequence));
  assert.ok(!names(disk).includes(logName(1)) && !names(disk).includes(logName(2)));
  assert.deepEqual(logs.findings, []);
  logs.close();
});

Deno.test("a log that is cut anywhere gives the batches that are whole, and goes on from there", async () => {
  const { disk, numbers, ends } = await made(6);
  const size = bytesOf(disk).length;
  for (let length = 0; length <= size; length += 61) {
    const each = copy(disk);
    each.store.files.get(`${LOGS}/${logName(1)}`)!.resize(length, "cut");
    const logs = scan(each), found = numbersOf(logs.visible());
    assert.ok(ends.includes(found.length), `${found.length} rows of ${length} bytes`);
    assert.deepEqual(found, numbers.slice(0, found.length));
    assert.ok(logs.findings.every(({ note }) => note), `${length}: ${JSON.stringify(logs.findings)}`);
    const { appender } = openAppender(each, {
      recovered: logs,
      nextLog: logs.nextLog,
      nextSequence: logs.nextSequence,
    });
    assert.equal(await appender.append(batchOf(1000)), found.length);
    await appender.close();
    const again = scan(each);
    assert.deepEqual(numbersOf(again.visible()), [...numbers.slice(0, found.length), 1000]);
    assert.deepEqual(again.findings, []);
    again.close();
  }
});

Deno.test("bytes that were changed anywhere give the rows before them, or all, and no others", async () => {
  const { disk, numbers, ends } = await made(12, 6 * LOG_BLOCK_BYTES);
  const ids = names(disk).map((name) => logOfName(name)!);
  assert.ok(ids.length > 1);
  fc.assert(
    fc.property(
      fc.constantFrom(...ids),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 5 }),
      fc.boolean(),
      (id, changes, recover) => {
        const each = copy(disk), bytes = bytesOf(each, id);
        for (const [at, change] of changes) bytes[at % bytes.length]! ^= change;
        const logs = scan(each, { mode: recover ? "recover" : "read" });
        const found = numbersOf(logs.visible());
        assert.ok(ends.includes(found.length));
        assert.deepEqual(found, numbers.slice(0, found.length));
        if (found.length < numbers.length && id !== ids.at(-1)) {
          assert.ok(
            logs.findings.some(({ note }) => !note),
            "rows are missing that the next log says there were",
          );
        }
        logs.close();
        if (!recover) return;
        const again = scan(each);
        assert.deepEqual(numbersOf(again.visible()), found);
        assert.ok(again.findings.every(({ note }) => note), JSON.stringify(again.findings));
        again.close();
      },
    ),
    { numRuns: 400 },
  );
});

Deno.test("a batch that is lost in front of one that was made after it had been synced is damage; its bytes are kept", async () => {
  const { disk, numbers, ends } = await made(6);
  const at = batchesOf(disk)[2]!, behind = batchesOf(disk)[3]!;
  bytesOf(disk)[at + 70]! ^= 1;
  const before = bytesOf(disk).slice(at);

  const reading = scan(copy(disk), { mode: "read" });
  assert.deepEqual(numbersOf(reading.visible()), numbers.slice(0, ends[2]));
  const [finding] = reading.findings;
  assert.ok(
    !finding!.note && finding!.offset! <= at && finding!.message.includes(String(behind)),
    finding!.message,
  );

  const logs = scan(disk);
  assert.deepEqual(numbersOf(logs.visible()), numbers.slice(0, ends[2]));
  assert.equal(logs.findings.length, 1);
  assert.ok(!logs.findings[0]!.note);
  logs.close();
  const kept = disk.store.files.get(`${LOGS}/000001.cut`)!;
  const tail = kept.bytes.subarray(0, kept.length);
  assert.deepEqual(tail.subarray(tail.length - before.length), before);
});

Deno.test("a batch that is lost in front of one that was written in the same group is a write that wasn't finished", async () => {
  const disk = memoryDisk(), { appender } = openAppender(disk);
  await appender.append(batchOf(1));
  await Promise.all([appender.append(batchOf(2)), appender.append(batchOf(3)), appender.append(batchOf(4))]);
  await appender.close();
  bytesOf(disk)[batchesOf(disk)[2]! + 70]! ^= 1;
  const logs = scan(disk);
  assert.deepEqual(numbersOf(logs.visible()), [1, 2]);
  assert.ok(logs.findings.length === 1 && logs.findings[0]!.note, JSON.stringify(logs.findings));
  assert.deepEqual(names(disk), ["000001.log"]);
  logs.close();
});

Deno.test("logs that can't be reached are kept under another name, and their numbers are given again", async () => {
  const { disk, numbers } = await made(30, 3 * LOG_BLOCK_BYTES);
  const count = names(disk).length, third = scan(disk, { mode: "read" }).logs[2]!;
  disk.remove(`${LOGS}/${logName(3)}`);
  const logs = scan(disk);
  assert.deepEqual(numbersOf(logs.visible()), numbers.slice(0, third.firstSequence));
  assert.equal(logs.nextLog, 3);
  assert.ok(logs.findings.some(({ note, message }) => !note && message.includes("log 3 is missing")));
  assert.equal(names(disk).filter((name) => name.endsWith(".cut")).length, count - 3);
  logs.close();
});

Deno.test("a log that was being begun holds nothing: it is removed", async () => {
  const { disk, numbers } = await made(4);
  for (const length of [0, 50, 92, 4096]) {
    const each = copy(disk), handle = each.open(`${LOGS}/${logName(2)}`, "create");
    handle.write(bytesOf(disk).subarray(0, length), 0);
    if (length > 40) handle.write(new Uint8Array([9]), 30);
    handle.close();
    const logs = scan(each);
    assert.deepEqual(numbersOf(logs.visible()), numbers);
    assert.deepEqual(names(each), ["000001.log"]);
    assert.ok(logs.findings.length === 1 && logs.findings[0]!.note);
    logs.close();
  }
});

Deno.test("rows from the one on with which the next log begins don't count", async () => {
  const { disk, numbers, ends } = await made(6);
  // What is left when a tail is withdrawn and the log can't be cut: a log that begins with an earlier row.
  const { appender } = openAppender(disk, { nextLog: 2, nextSequence: ends[4]! });
  await appender.append(batchOf(500, 501));
  await appender.close();
  for (const mode of ["read", "recover"] as const) {
    const logs = scan(disk, { mode });
    assert.deepEqual(numbersOf(logs.visible()), [...numbers.slice(0, ends[4]), 500, 501]);
    assert.deepEqual(logs.findings, []);
    logs.close();
  }
});

Deno.test("a log without rows that cuts the one before it has done so when it is removed", async () => {
  const { disk, numbers, ends } = await made(6);
  const { appender } = openAppender(disk, { nextLog: 2, nextSequence: ends[4]! });
  await appender.append(batchOf(500));
  await appender.close();
  disk.store.files.get(`${LOGS}/${logName(2)}`)!.resize(LOG_BLOCK_BYTES, "cut");
  const logs = scan(disk);
  assert.deepEqual(numbersOf(logs.visible()), numbers.slice(0, ends[4]));
  assert.equal(logs.nextLog, 2);
  logs.close();
  const again = scan(disk);
  assert.deepEqual(numbersOf(again.visible()), numbers.slice(0, ends[4]));
  assert.deepEqual(again.findings, []);
  again.close();
});

Deno.test("a log of another store, of another schema or under another name is refused", async () => {
  const { disk } = await made(3);
  const refused = (options: Parameters<typeof scan>[1], words: RegExp) =>
    assert.throws(
      () => scan(disk, { mode: "read", ...options }),
      (error) => error instanceof TableError && error.code === "CORRUPT" && words.test(error.message),
    );
  refused({ storeId: STORE_ID.replace("0", "1") }, /store/);
  refused({
    schema: IngestSchema.of({
      columns: [scalar("N", "int32"), scalar("TEXT", "string"), scalar("X", "bool")],
    }),
  }, /schema/);
  disk.rename(`${LOGS}/${logName(1)}`, `${LOGS}/${logName(2)}`);
  refused({ firstLog: 2 }, /log 1/);
});

Deno.test("a reader takes in what was appended since, and keeps what it has", async () => {
  const disk = memoryDisk(), { appender, full } = openAppender(disk, { logBytes: 4 * LOG_BLOCK_BYTES });
  const reader = scan(disk, { mode: "read" });
  assert.equal(reader.visible().rows, 0);
  assert.equal(reader.refresh(1, 0), false);
  const expected: number[] = [];
  for (let i = 0; i < 20; i++) {
    await appender.append(batchOf(i));
    expected.push(i);
    const before = reader.visible(), had = numbersOf(before);
    assert.equal(reader.refresh(1, 0), true);
    assert.deepEqual(numbersOf(reader.visible()), expected);
    assert.deepEqual(numbersOf(before), had);
    assert.equal(reader.refresh(1, 0), false);
  }
  // The first two logs became segments.
  const held = reader.visible().logs[0]!;
  held.hold();
  const third = appender.visible().logs[2]!;
  for (const { id } of full.slice(0, 2)) appender.forgetLog(id);
  assert.throws(() => scan(disk, { mode: "read" }), { code: "NOT_FOUND" });
  assert.equal(reader.refresh(third.log, third.firstSequence), true);
  assert.deepEqual(numbersOf(reader.visible()), expected.slice(third.firstSequence));
  assert.equal(rowsOf({ firstSequence: 0, rows: held.rows, logs: [held] }).length, held.rows);
  held.release();
  assert.throws(() => held.at(0).read(0, new Uint8Array(1)), { code: "CLOSED" });
  reader.close();
  await appender.close();
});

Deno.test("a reader that has rows which were withdrawn lets go of them when the next log says so", async () => {
  const { disk, numbers, ends } = await made(6), reader = scan(disk, { mode: "read" });
  assert.deepEqual(numbersOf(reader.visible()), numbers);
  const { appender } = openAppender(disk, { nextLog: 2, nextSequence: ends[4]! });
  await appender.append(batchOf(500));
  assert.equal(reader.refresh(1, 0), true);
  assert.deepEqual(numbersOf(reader.visible()), [...numbers.slice(0, ends[4]), 500]);
  reader.close();
  await appender.close();
});

Deno.test("a reader whose first log went is told to look at the manifest again", async () => {
  const { disk } = await made(30, 3 * LOG_BLOCK_BYTES),
    reader = scan(disk, { firstLog: 9, nextSequence: 99, mode: "read" });
  assert.equal(reader.visible().rows, 0);
  disk.remove(`${LOGS}/${logName(1)}`);
  assert.throws(() => scan(disk, { mode: "read" }), { code: "NOT_FOUND" });
  reader.close();
});
