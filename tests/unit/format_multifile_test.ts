import assert from "node:assert/strict";
import fc from "fast-check";
import { Crc32, crc32 } from "../../src/format/crc32.ts";
import {
  LEAD_BYTES,
  type MultiFileHeader,
  readContinuation,
  readMultiFileHeader,
  readMultiFileLead,
} from "../../src/format/multifile.ts";
import { fixturePath } from "../fixture.ts";
import { fails } from "./io_help.ts";
import { type ContainerLayout, makeContainer, slowCrc } from "./multifile_support.ts";
import { numbersFrom } from "./storage_model_support.ts";

const PLACE = "t/table.mf";

/** The logical header, put together from where its parts are. */
function logicalHeader(container: Uint8Array, extension: Uint8Array | null): Uint8Array {
  const { version, headerSize, blockSize, firstContinuation } = leadOf(container);
  const parts = [container.subarray(0, Math.min(headerSize, blockSize))];
  if (version === 1 && extension !== null) parts.push(extension);
  for (let block = firstContinuation; block !== 0;) {
    const offset = block * blockSize;
    const { next, part } = readContinuation(container.subarray(offset, offset + blockSize), {
      file: PLACE,
      offset,
    });
    parts.push(part);
    block = next;
  }
  return Uint8Array.from(parts.flatMap((part) => [...part])).subarray(0, headerSize);
}

function leadOf(container: Uint8Array) {
  return readMultiFileLead(container.subarray(0, LEAD_BYTES), { file: PLACE, size: container.length });
}

function headerOf(
  { container, extension }: { container: Uint8Array; extension: Uint8Array | null },
): MultiFileHeader {
  return readMultiFileHeader(logicalHeader(container, extension), leadOf(container), {
    file: PLACE,
    size: container.length,
  });
}

function unpacked(runs: readonly number[]): number[] {
  const blocks: number[] = [];
  for (let i = 0; i < runs.length; i += 2) for (let k = 0; k < runs[i + 1]!; k++) blocks.push(runs[i]! + k);
  return blocks;
}

function bytesOf(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i * 7 + 1);
}

Deno.test("the checksum is CRC-32/BZIP2", () => {
  const digits = new TextEncoder().encode("123456789");
  assert.equal(crc32(digits), 0xfc891918);
  assert.equal(slowCrc(digits), 0xfc891918);
  assert.equal(crc32(new Uint8Array(0)), 0);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, cut) => {
    const crc = new Crc32();
    crc.add(bytes.subarray(0, cut));
    crc.add(bytes.subarray(cut));
    assert.equal(crc.value, slowCrc(bytes));
  }));
});

Deno.test("casacore's header of version 1 is read", () => {
  const container = Deno.readFileSync(`${fixturePath("multifile_le")}/table.mf`);
  const extension = Deno.readFileSync(`${fixturePath("multifile_le")}/table.mf_hdrext`);
  const header = headerOf({ container, extension });
  const { version, blockSize, headerSize, blockCount, changeCounter, checksums } = header;
  assert.deepEqual(
    { version, blockSize, headerSize, blockCount, changeCounter, checksums },
    { version: 1, blockSize: 512, headerSize: 613, blockCount: 17, changeCounter: 10, checksums: null },
  );
  assert.deepEqual(
    header.files.map(({ name, size, runs }) => [name, size, unpacked(runs)]),
    [
      ["table.f0", 2048, [5, 6, 10, 15]],
      ["table.f0i", 472, [1]],
      ["table.f1", 1378, [2, 3, 11]],
      ["table.f1i", 426, [4]],
      ["table.f3_TSM0", 480, [7]],
      ["table.f2_TSM1", 576, [8, 16]],
      ["table.f2_TSM2", 288, [9]],
      ["table.f2", 774, [12, 13]],
      ["table.f3", 271, [14]],
    ],
  );
});

const layouts: fc.Arbitrary<ContainerLayout> = fc.record({
  version: fc.constantFrom(1 as const, 2 as const),
  blockSize: fc.constantFrom(72, 100, 128, 640, 1000, 5000),
  random: fc.option(fc.nat().map((seed) => numbersFrom(seed + 1)), { nil: undefined }),
  freeBlocks: fc.nat(5),
  deleted: fc.nat(2),
  packed: fc.boolean(),
  checksums: fc.boolean(),
  surplus: fc.nat(3),
  secondSet: fc.boolean(),
});

Deno.test("any header reads as it was written", () => {
  fc.assert(fc.property(layouts, fc.array(fc.nat(3000), { maxLength: 12 }), (layout, sizes) => {
    const files = new Map(sizes.map((size, i) => [`table.f${i}`, bytesOf(size)]));
    const made = makeContainer(files, layout);
    const header = headerOf(made);
    assert.deepEqual(
      header.files.map(({ name, size, runs }) => [name, size, unpacked(runs)]),
      [...files].map(([name, bytes]) => [name, bytes.length, made.blocks.get(name)]),
    );
    assert.equal(unpacked(header.free).length, layout.freeBlocks);
    assert.equal(header.blockCount * layout.blockSize, made.container.length);
    if (layout.version === 2 && layout.checksums) {
      for (const block of [...made.blocks.values()].flat()) {
        const bytes = made.container.subarray(block * layout.blockSize, (block + 1) * layout.blockSize);
        assert.equal(header.checksums![block], crc32(bytes));
      }
    } else assert.equal(header.checksums, null);
    const used = header.continuations[layout.secondSet ? 1 : 0];
    assert.deepEqual(unpacked(used).slice(0, made.chain.length), made.chain);
  }));
});

Deno.test("a packed list is the numbers that it stands for", () => {
  // 1 -3 9 20 -1 is 1 2 3 4 9 20 21.
  const blocks = [1, 2, 3, 4, 9, 20, 21];
  const files = new Map([["table.f0", bytesOf(7 * 100)]]);
  const made = makeContainer(files, { version: 2, blockSize: 1000, packed: true });
  const w = replacedList(made.container, [1], [1, -3, 9, 20, -1], 700 * 10, 22);
  const { container } = w;
  const [file] = headerOf({ container, extension: null }).files;
  assert.deepEqual(unpacked(file!.runs), blocks);
  assert.deepEqual(file!.runs, [1, 4, 9, 1, 20, 2]);
});

/** A header of version 2 in which one file's list, its size and the number of blocks are others. */
function replacedList(
  container: Uint8Array,
  from: readonly number[],
  to: readonly number[],
  size: number,
  count: number,
): { container: Uint8Array } {
  const { headerSize, blockSize } = leadOf(container);
  const words = (list: readonly number[]) => {
    const bytes = new Uint8Array(8 * list.length + 8), view = new DataView(bytes.buffer);
    [list.length, ...list].forEach((value, i) => view.setBigInt64(8 * i, BigInt(value)));
    return bytes;
  };
  const header = container.slice(0, headerSize), old = words(from);
  const at = header.findIndex((_, i) => i > LEAD_BYTES && old.every((byte, k) => header[i + k] === byte));
  const bytes = Uint8Array.from([
    ...header.subarray(0, at),
    ...words(to),
    ...header.subarray(at + old.length),
  ]);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(32, BigInt(bytes.length));
  view.setBigInt64(48, BigInt(count));
  const name = "table.f0", text = [...name].map((c) => c.charCodeAt(0));
  const nameAt = bytes.findIndex((_, i) => text.every((code, k) => bytes[i + k] === code));
  view.setBigInt64(nameAt + name.length, BigInt(size));
  const grown = new Uint8Array(count * blockSize);
  grown.set(bytes);
  return { container: grown };
}

Deno.test("lists that can't be are refused", () => {
  const files = new Map([["table.f0", bytesOf(700)]]);
  const { container } = makeContainer(files, { version: 2, blockSize: 1000 });
  const list = (to: readonly number[], size = 700) => () =>
    headerOf({ container: replacedList(container, [1], to, size, 22).container, extension: null });
  list([21])();
  for (
    const [to, expected] of [
      [[22], /blocks from 1 to 21/], // the first that isn't there
      [[0], /blocks from 1 to 21/], // the header's own
      [[-3], /blocks from 1 to 21/], // nothing goes before it
      [[1, -21], /blocks from 1 to 21/],
      [[1, -(2 ** 52)], /blocks from 1 to 21/],
      [[1, -19, 1, -19], /blocks from 1 to 21, each once/],
    ] as const
  ) {
    assert.match(fails(list(to), "CORRUPT").message, expected, to.join(" "));
  }
  assert.match(fails(list([1], 1001), "CORRUPT").message, /1001 bytes in 1 blocks of 1000/);
  assert.match(fails(list([2, 2], 1001), "CORRUPT").message, /block 2 belongs to files/);
  assert.match(fails(list([]), "CORRUPT").message, /700 bytes in 0 blocks/);
});

Deno.test("what a header says is held against the container's size", () => {
  const files = new Map([["table.f0", bytesOf(2500)], ["table.f1", bytesOf(10)]]);
  for (const version of [1, 2] as const) {
    const made = makeContainer(files, { version, blockSize: 1000 });
    const cut = (length: number) => () => headerOf({ ...made, container: made.container.slice(0, length) });
    // The last block of a file may end with the file.
    cut(4010)();
    assert.match(fails(cut(4009), "CORRUPT").message, /block 4 of file "table.f1".*4009 bytes/);
    assert.match(fails(cut(3499), "CORRUPT").message, /table.f0/);
    fails(cut(100), "CORRUPT");
    fails(cut(20), "CORRUPT");
    fails(cut(0), "CORRUPT");
  }
});

Deno.test("two files of one block, or of one name, are refused", () => {
  const files = new Map([["table.f0", bytesOf(900)], ["table.f1", bytesOf(10)]]);
  const { container } = makeContainer(files, { version: 1, blockSize: 1000 });
  const text = (find: string) => {
    const codes = [...find].map((c) => c.charCodeAt(0));
    return container.findIndex((_, i) => codes.every((code, k) => container[i + k] === code));
  };
  const second = text("table.f1");
  const twice = container.slice();
  // name, object Block (4 + 4 + 5 + 4 bytes), count, block number
  new DataView(twice.buffer).setBigInt64(second + 8 + 17 + 4, 1n);
  const error = fails(() => headerOf({ container: twice, extension: null }), "CORRUPT");
  assert.match(error.message, /block 1 belongs to files "table.f0" and "table.f1"/);
  assert.equal(error.offset, 1000);
  const namesake = container.slice();
  namesake[second + 7] = "0".charCodeAt(0);
  assert.match(
    fails(() => headerOf({ container: namesake, extension: null }), "CORRUPT").message,
    /two files in it are called "table.f0"/,
  );
});

Deno.test("a header whose checksum is wrong is refused", () => {
  const files = new Map([["table.f0", bytesOf(100)]]);
  const made = makeContainer(files, { version: 2, blockSize: 1000, checksums: true });
  for (const at of [17, 30, 100, leadOf(made.container).headerSize - 1]) {
    const container = made.container.slice();
    container[at]! ^= 1;
    assert.match(fails(() => headerOf({ container, extension: null }), "CORRUPT").message, /checksum is 0x/);
  }
});

Deno.test("versions that nobody knows are refused as such", () => {
  const { container } = makeContainer(new Map(), { version: 2, blockSize: 1000 });
  const later = container.slice();
  new DataView(later.buffer).setInt32(24, 3);
  assert.match(fails(() => leadOf(later), "UNSUPPORTED").message, /version 3, expected 1 or 2/);
});

Deno.test("bytes behind a header's end are noticed", () => {
  for (const version of [1, 2] as const) {
    const { container } = makeContainer(new Map([["table.f0", bytesOf(5)]]), { version, blockSize: 1000 });
    const at = version === 1 ? 0 : 32, view = new DataView(container.buffer);
    view.setBigInt64(at, view.getBigInt64(at) + 3n);
    assert.match(
      fails(() => headerOf({ container, extension: null }), "CORRUPT").message,
      /3 bytes of the header are left over/,
    );
  }
});
