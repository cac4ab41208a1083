import assert from "node:assert/strict";
import fc from "fast-check";
import { TableError } from "../../src/error.ts";
import { AIPS_MAGIC, AipsReader, AipsWriter, MAX_OPEN_OBJECTS } from "../../src/format/aipsio.ts";
import { failsWith } from "./format_help.ts";

const FILE = "t/table.dat";

type Item =
  | { t: "bool"; v: boolean }
  | { t: "u8" | "i16" | "u16" | "i32" | "u32" | "f64"; v: number }
  | { t: "f32"; v: number }
  | { t: "i64" | "u64"; v: bigint }
  | { t: "string"; v: string }
  | { t: "iposition"; v: number[] }
  | { t: "blockU32" | "blockU64" | "blockI64"; v: number[] }
  | { t: "blockString"; v: string[] }
  | { t: "object"; type: string; version: number; items: Item[] };

const safe = { max: Number.MAX_SAFE_INTEGER };
const { item } = fc.letrec<{ item: Item }>((tie) => ({
  item: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.record({ t: fc.constant("bool" as const), v: fc.boolean() }),
    fc.record({ t: fc.constant("u8" as const), v: fc.nat(255) }),
    fc.record({ t: fc.constant("i16" as const), v: fc.integer({ min: -32768, max: 32767 }) }),
    fc.record({ t: fc.constant("u16" as const), v: fc.nat(65535) }),
    fc.record({ t: fc.constant("i32" as const), v: fc.integer() }),
    fc.record({ t: fc.constant("u32" as const), v: fc.nat(0xffffffff) }),
    fc.record({ t: fc.constant("f32" as const), v: fc.float() }),
    fc.record({ t: fc.constant("f64" as const), v: fc.double() }),
    fc.record({ t: fc.constant("i64" as const), v: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) }),
    fc.record({ t: fc.constant("u64" as const), v: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
    fc.record({ t: fc.constant("string" as const), v: fc.string({ unit: "grapheme" }) }),
    fc.record({
      t: fc.constant("iposition" as const),
      v: fc.array(fc.oneof(fc.integer({ min: -1, max: 2 ** 31 }), fc.integer({ min: 0, ...safe }))),
    }),
    fc.record({ t: fc.constant("blockU32" as const), v: fc.array(fc.nat(0xffffffff)) }),
    fc.record({ t: fc.constant("blockU64" as const), v: fc.array(fc.nat(safe)) }),
    fc.record({ t: fc.constant("blockI64" as const), v: fc.array(fc.maxSafeInteger()) }),
    fc.record({ t: fc.constant("blockString" as const), v: fc.array(fc.string()) }),
    fc.record({
      t: fc.constant("object" as const),
      type: fc.string(),
      version: fc.nat(9),
      items: fc.array(tie("item"), { maxLength: 5 }),
    }),
  ),
}));

function write(w: AipsWriter, it: Item): void {
  if (it.t === "object") {
    w.begin(it.type, it.version);
    for (const child of it.items) write(w, child);
    w.end();
  } else (w[it.t] as (v: unknown) => void)(it.v);
}

function readBack(r: AipsReader, it: Item): void {
  if (it.t === "object") {
    assert.equal(r.peekType(), it.type);
    assert.deepEqual(r.begin(it.type), { type: it.type, version: it.version });
    for (const child of it.items) readBack(r, child);
    r.end();
  } else {
    const found = r[it.t]();
    assert.deepEqual(ArrayBuffer.isView(found) ? [...found] : found, it.v);
  }
}

Deno.test("AipsReader reads what AipsWriter wrote, in both byte orders", () => {
  fc.assert(fc.property(fc.array(item, { maxLength: 12 }), fc.boolean(), (items, bigEndian) => {
    const w = new AipsWriter({ bigEndian });
    w.root("Root", 3);
    for (const it of items) write(w, it);
    w.end();
    const bytes = w.finish();
    const r = new AipsReader(bytes, { file: FILE, bigEndian });
    assert.deepEqual(r.root("Root"), { type: "Root", version: 3 });
    for (const it of items) readBack(r, it);
    r.end();
    assert.equal(r.remaining(), 0);
  }));
});

Deno.test("AipsReader gives a TableError or nothing on damaged objects", () => {
  fc.assert(
    fc.property(fc.array(item, { maxLength: 8 }), fc.nat(), fc.nat(255), fc.nat(), (items, at, byte, cut) => {
      const w = new AipsWriter();
      w.root("Root", 3);
      for (const it of items) write(w, it);
      w.end();
      const bytes = w.finish();
      bytes[at % bytes.length] = byte;
      const r = new AipsReader(bytes.subarray(0, bytes.length - (cut % 3)), { file: FILE });
      try {
        r.root();
        for (const it of items) {
          if (it.t === "object") {
            r.begin();
            r.offset += r.remaining();
            r.end();
          } else r[it.t]();
        }
        r.end();
      } catch (error) {
        assert.ok(error instanceof TableError, String(error));
      }
    }),
  );
});

Deno.test("AipsWriter lays a root object out as the reference draws it", () => {
  const w = new AipsWriter();
  w.root("sync", 1);
  w.u32(2);
  w.begin("Block", 1);
  w.end();
  w.end();
  assert.equal(
    w.finish().toHex(),
    "bebebebe" + "00000025" + "00000004" + "73796e63" + "00000001" + "00000002" +
      "00000011" + "00000005" + "426c6f636b" + "00000001",
  );
});

Deno.test("AipsReader says where an object ends too early or too late", () => {
  const w = new AipsWriter();
  w.root("A", 1);
  w.u32(7);
  w.end();
  const bytes = w.finish();
  const early = new AipsReader(bytes, { file: FILE, base: 100 });
  early.root();
  const error = failsWith("CORRUPT", () => early.end(), /object A at offset 104 .* 17 bytes long.* takes 13/);
  assert.equal(error.file, FILE);
  assert.equal(error.offset, 117);
  const late = new AipsReader(bytes, { file: FILE });
  late.root("A");
  failsWith("CORRUPT", () => late.u64(), /expected 8 more bytes in object A, found 4/);
});

Deno.test("AipsReader refuses a nested object that ends behind its parent", () => {
  const w = new AipsWriter();
  w.root("A", 1);
  w.begin("B", 1);
  w.end();
  w.end();
  w.u32(0);
  const bytes = w.finish();
  new DataView(bytes.buffer).setUint32(4 + 13, 17);
  const r = new AipsReader(bytes, { file: FILE });
  r.root("A");
  failsWith("CORRUPT", () => r.begin("B"), /17 bytes long, there are 13/);
});

Deno.test("AipsReader checks no end of an object of unknown length", () => {
  const w = new AipsWriter();
  w.root("A", 1);
  w.u32(5);
  w.end();
  w.u32(6);
  const bytes = w.finish();
  new DataView(bytes.buffer).setUint32(4, AIPS_MAGIC);
  const r = new AipsReader(bytes, { file: FILE });
  r.root("A");
  assert.equal(r.u32(), 5);
  r.end();
  assert.equal(r.u32(), 6);
});

Deno.test("AipsReader refuses counts that can't be true before it takes memory", () => {
  const w = new AipsWriter();
  w.begin("Block", 1);
  w.u32(0xfffffff0);
  w.end();
  const bytes = w.finish();
  for (const kind of ["blockU32", "blockU64", "blockI64", "blockString"] as const) {
    failsWith("CORRUPT", () => new AipsReader(bytes, { file: FILE })[kind](), /count of 4294967280/);
  }
});

Deno.test("AipsReader stops at objects nested too deep", () => {
  const header = Uint8Array.of(0xbe, 0xbe, 0xbe, 0xbe, 0, 0, 0, 0, 0, 0, 0, 1);
  const bytes = new Uint8Array(header.length * (MAX_OPEN_OBJECTS + 1));
  for (let i = 0; i < bytes.length; i += header.length) bytes.set(header, i);
  const r = new AipsReader(bytes, { file: FILE });
  for (let i = 0; i < MAX_OPEN_OBJECTS; i++) r.begin();
  failsWith("LIMIT", () => r.begin());
});

Deno.test("AipsReader refuses wrong magic, wrong type and numbers past 2^53", () => {
  const w = new AipsWriter();
  w.root("A", 1);
  w.u64(2n ** 53n);
  w.i64(-(2n ** 60n));
  w.end();
  const bytes = w.finish();
  const r = new AipsReader(bytes, { file: FILE });
  failsWith("CORRUPT", () => new AipsReader(bytes.subarray(1), { file: FILE }).root(), /found 0xbebebe00/);
  failsWith(
    "CORRUPT",
    () => new AipsReader(bytes, { file: FILE }).root(["B", "C"]),
    /type B or C, found "A"/,
  );
  r.root();
  failsWith("CORRUPT", () => r.uint64(), /9007199254740992/);
  failsWith("CORRUPT", () => r.int64(), /-1152921504606846976/);
});

Deno.test("an IPosition takes version 2 exactly when an entry is past 2^31 - 1", () => {
  for (const [axis, version] of [[2 ** 31 - 1, 1], [2 ** 31, 2]] as const) {
    const w = new AipsWriter();
    w.iposition([3, axis]);
    const r = new AipsReader(w.finish(), { file: FILE });
    assert.equal(r.begin("IPosition").version, version);
    r.offset = 0;
    assert.deepEqual(new AipsReader(w.finish(), { file: FILE }).iposition(), [3, axis]);
  }
});

Deno.test("only bit 0 of a Bool counts", () => {
  const r = new AipsReader(Uint8Array.of(0, 1, 2, 3, 0xff), { file: FILE });
  assert.deepEqual([r.bool(), r.bool(), r.bool(), r.bool(), r.bool()], [false, true, false, true, true]);
});
