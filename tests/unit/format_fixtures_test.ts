/** The golden tables that casacore wrote: `tests/fixtures/tables`. */
import assert from "node:assert/strict";
import { readTableDat, writeTableDat } from "../../src/format/table-dat.ts";
import { readTableInfo, writeTableInfo } from "../../src/format/table-info.ts";
import { readTableLock, writeTableLock } from "../../src/format/table-lock.ts";
import { assertSameBytes, damaged, randomNumbers, survives } from "./format_help.ts";

const TABLES = new URL("../fixtures/tables/", import.meta.url).pathname;

/** Files of a name in a folder and the folders in it. */
function filesNamed(name: string, folder = TABLES): string[] {
  const found: string[] = [];
  for (const entry of Deno.readDirSync(folder)) {
    if (entry.isDirectory) found.push(...filesNamed(name, `${folder}${entry.name}/`));
    else if (entry.name === name) found.push(folder + entry.name);
  }
  return found.sort();
}

const DATS = filesNamed("table.dat").map((file) => [file, Deno.readFileSync(file)] as const);
const LOCKS = filesNamed("table.lock").map((file) => [file, Deno.readFileSync(file)] as const);

Deno.test("every table.dat that casacore wrote is written again byte for byte", () => {
  assert.ok(DATS.length > 30, `${DATS.length} golden tables`);
  for (const [file, bytes] of DATS) assertSameBytes(writeTableDat(readTableDat(bytes, file)), bytes, file);
});

Deno.test("every table.lock and table.info that casacore wrote is written again byte for byte", () => {
  assert.ok(LOCKS.length > 30);
  for (const [file, bytes] of LOCKS) {
    const lock = readTableLock(bytes, file);
    assert.deepEqual(lock.requests, []);
    assertSameBytes(writeTableLock(lock), bytes, file);
  }
  for (const file of filesNamed("table.info")) {
    const bytes = Deno.readFileSync(file);
    assertSameBytes(writeTableInfo(readTableInfo(bytes)), bytes, file);
  }
});

Deno.test("3,000 damaged table.dat files give a TableError or a table that can be written, nothing else", () => {
  const random = randomNumbers(20240601);
  const outcomes = { read: 0, refused: 0 };
  for (let i = 0; i < 3000; i++) {
    const [file, bytes] = DATS[random(DATS.length)]!;
    const hurt = damaged(bytes, random);
    const outcome = survives(() => {
      const table = readTableDat(hurt, file);
      // What was read is sound: it can be written, and reads as the same.
      const again = writeTableDat(table);
      assert.deepEqual(writeTableDat(readTableDat(again, file)), again);
    }, `damage ${i} of ${file}`);
    outcomes[outcome]++;
  }
  assert.ok(outcomes.refused > 300 && outcomes.read > 100, JSON.stringify(outcomes));
});

Deno.test("3,000 damaged table.lock files give a TableError or a lock, nothing else", () => {
  const random = randomNumbers(20240602);
  for (let i = 0; i < 3000; i++) {
    const [file, bytes] = LOCKS[random(LOCKS.length)]!;
    survives(() => writeTableLock(readTableLock(damaged(bytes, random), file)), `damage ${i} of ${file}`);
  }
});

Deno.test("no count in a damaged table.dat makes the reader take memory for what isn't there", () => {
  const [file, bytes] = DATS.reduce((a, b) => b[1].length > a[1].length && b[1].length < 6000 ? b : a);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const before = memory();
  let most = 0;
  for (let at = 0; at + 4 <= bytes.length; at++) {
    const word = view.getUint32(at);
    for (const value of [0x7fffffff, 0xffffffff, 0x0fffffff]) {
      view.setUint32(at, value);
      survives(() => readTableDat(bytes, file), `${file}, word at ${at}`);
      most = Math.max(most, memory() - before);
    }
    view.setUint32(at, word);
  }
  // One array of 2^28 entries would be a gibibyte; the reading itself leaves some garbage.
  assert.ok(most < 2 ** 28, `${most} bytes taken`);
});

function memory(): number {
  const { heapTotal, external } = Deno.memoryUsage();
  return heapTotal + external;
}
