/** A log is read by the tables of docs/ingest-log.md: what they say of every field must be what is there. */
import assert from "node:assert/strict";
import { array, scalar } from "../../mod.ts";
import { crc32c } from "../../src/array/crc32c.ts";
import { AHEAD_BYTES, SHORT_BYTES } from "../../src/ingest/append/growing-log.ts";
import {
  BATCH_ALIGNMENT,
  LOG_BLOCK_BYTES,
  logName,
  MAX_BATCH_BYTES,
  MAX_BLOCK_BYTES,
} from "../../src/ingest/log/format.ts";
import { IngestSchema } from "../../src/ingest/schema.ts";
import { LOGS, memoryDisk, openAppender, STORE_ID } from "./ingest_append_support.ts";

const PAGE = Deno.readTextFileSync(new URL("../../docs/ingest-log.md", import.meta.url));

/** A row of a table of fields. */
interface Field {
  readonly offset: string;
  readonly type: string;
  readonly text: string;
}

/** Rows of the table in a section. */
function fieldsOf(section: string): Field[] {
  const part = PAGE.split(/^## /m).find((each) => each.startsWith(section))!;
  return [...part.matchAll(/^\| (\d[^|]*?) +\| ([^|]+?) +\| ([^|]+?) +\|$/gm)].map((
    [, offset, type, text],
  ) => ({
    offset: offset!,
    type: type!,
    text: text!,
  }));
}

/** A field of some bytes, at the offset and of the type that the page says. */
function read(
  bytes: Uint8Array,
  fields: readonly Field[],
  name: string,
  numbers: { i?: number; n?: number } = {},
): number | Uint8Array {
  const found = fields.find(({ text }) => text.startsWith(name));
  assert.ok(found !== undefined, `the page has a field ${name}`);
  const { offset, type } = found;
  const [, base, factor] = /^(\d+)(?: \+ 16 [in])?$/.exec(offset)!.concat(offset.slice(-1));
  const index = factor === "i" ? numbers.i! : factor === "n" ? numbers.n! : 0;
  const at = Number(base) + 16 * index, view = new DataView(bytes.buffer, bytes.byteOffset);
  if (type === "u32") return view.getUint32(at, true);
  if (type === "u64") return Number(view.getBigUint64(at, true));
  if (type === "f64") return view.getFloat64(at, true);
  return bytes.subarray(at, at + Number(/^(\d+) B$/.exec(type)![1]));
}

Deno.test("the page on the log says where every field of the header and of a batch is", async () => {
  const schema = IngestSchema.of({
    columns: [
      scalar("OK", "bool"),
      array("Z", "complex64", { shape: [2] }),
      scalar("NAME", "string"),
      array("FREE", "int16"),
      array("NAMES", "string"),
    ],
  });
  const disk = memoryDisk(), { appender } = openAppender(disk, { schema, nextLog: 7, nextSequence: 1000 });
  await appender.append({});
  await appender.append({ OK: [true] });
  await appender.append({
    OK: [true, false],
    Z: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    NAME: ["é", "abc"],
    FREE: [{ dtype: "int16", shape: [1, 3], data: Int16Array.of(7, 8, 9) }, null],
    NAMES: [null, { dtype: "string", shape: [2], data: ["x", "yz"] }],
  });
  const file = disk.store.files.get(`${LOGS}/${logName(7)}`)!, bytes = file.bytes.slice(0, file.length);
  await appender.close();

  const header = fieldsOf("The header block"), of = (name: string) => read(bytes, header, name);
  assert.equal(new TextDecoder().decode(of("magic") as Uint8Array), "TESSLOG\x01");
  assert.deepEqual(["version", "block size", "log id", "first sequence"].map(of), [
    1,
    LOG_BLOCK_BYTES,
    7,
    1000,
  ]);
  assert.ok(Math.abs(of("created") as number - Date.now() / 1000) < 600);
  assert.equal((of("store id") as Uint8Array & { toHex(): string }).toHex(), STORE_ID);
  assert.deepEqual(of("schema hash"), schema.hash);
  assert.equal(of("checksum"), crc32c(bytes.subarray(0, 88)));
  assert.equal(header.length, 9);
  assert.ok(bytes.subarray(92, LOG_BLOCK_BYTES).every((byte) => byte === 0));

  // The first append had no rows: the second is the first group, the third the next one.
  const start = 2 * LOG_BLOCK_BYTES, batch = bytes.subarray(start), fields = fieldsOf("A batch"), n = 5;
  const field = (name: string, i = 0) => read(batch, fields, name, { i, n }) as number;
  assert.equal(field("magic"), new DataView(new TextEncoder().encode("BTCH").buffer).getUint32(0, true));
  const headerBytes = field("header bytes"), total = field("total bytes");
  assert.equal(headerBytes, Math.ceil((56 + 16 * n) / 64) * 64);
  assert.equal(total % BATCH_ALIGNMENT, 0);
  assert.deepEqual(["log id", "first sequence", "durable", "rows", "n"].map((name) => field(name)), [
    7,
    1001,
    2 * LOG_BLOCK_BYTES,
    2,
    5,
  ]);
  assert.equal(field("payload checksum"), crc32c(batch.subarray(headerBytes, total)));
  assert.equal(field("header checksum"), crc32c(batch.subarray(0, 52 + 16 * n)));
  assert.equal(fields.length, 12);
  assert.equal(bytes.length, start + LOG_BLOCK_BYTES);
  assert.ok(batch.subarray(total).every((byte) => byte === 0));

  const columns = Array.from({ length: n }, (_, i) => {
    const at = field("column i: offset", i);
    return batch.slice(at, at + field("column i: bytes", i));
  });
  const i32 = (list: readonly number[]) => new Uint8Array(Int32Array.from(list).buffer);
  const joined = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
  const text = (value: string) => new TextEncoder().encode(value);
  assert.deepEqual(columns[0], Uint8Array.of(1, 0));
  assert.deepEqual(columns[1], new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8).buffer));
  assert.deepEqual(columns[2], joined(i32([0, 2, 5]), text("éabc")));
  assert.deepEqual(columns[3], joined(i32([2, -1, 1, 3]), new Uint8Array(Int16Array.of(7, 8, 9).buffer)));
  assert.deepEqual(columns[4], joined(i32([-1, 1, 2]), new Uint8Array(4), i32([0, 1, 3]), text("xyz")));
});

Deno.test("the page on the log names the sizes that the code has", () => {
  const has = (words: string) => assert.ok(PAGE.replaceAll(/\s+/g, " ").includes(words), words);
  has(`Blocks have ${LOG_BLOCK_BYTES} bytes`);
  has(`a power of 2 up to ${MAX_BLOCK_BYTES.toLocaleString("en")}`);
  has(`at multiples of ${BATCH_ALIGNMENT} bytes`);
  assert.equal(MAX_BATCH_BYTES, 2 ** 30);
  has("at most 1 GiB");
  has(`a group of less than ${SHORT_BYTES / 1024} KiB`);
  assert.equal(AHEAD_BYTES, 2 ** 20);
  has("1 MiB of zeros");
  assert.equal(crc32c(new TextEncoder().encode("123456789")), 0xe3069283);
  has("0xE3069283");
});
