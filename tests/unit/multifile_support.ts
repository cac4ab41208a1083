/**
 * Writes MultiFile containers in every form that the format allows, beyond what casacore 3.5 writes itself: both
 * versions, any block size, blocks in any order, packed lists, checksums, chains of header blocks.
 */
import { AipsWriter } from "../../src/format/aipsio.ts";
import { openBackend } from "../../src/io/backends.ts";
import { runSync } from "../../src/io/drivers.ts";
import { TableFiles } from "../../src/io/files.ts";
import { ContainerFiles } from "../../src/io/multifile-files.ts";
import { readContainer } from "../../src/table/container.ts";

/** How a container is laid out. */
export interface ContainerLayout {
  readonly version: 1 | 2;
  readonly blockSize: number;
  /** Gives 0 to 2^32 - 1; blocks are shuffled with it. In order if left out. */
  readonly random?: (() => number) | undefined;
  readonly freeBlocks?: number;
  /** Slots of deleted files in front of the others. */
  readonly deleted?: number;
  /** Version 2: lists are packed. */
  readonly packed?: boolean;
  /** Version 2 */
  readonly checksums?: boolean;
  /** Version 2: blocks in a chain beyond those that are needed, and in the set that is not in use. */
  readonly surplus?: number;
  /** Version 2: the second set is the one in use. */
  readonly secondSet?: boolean;
}

/** The files that a container consists of. */
export interface MadeContainer {
  readonly container: Uint8Array<ArrayBuffer>;
  /** `table.mf_hdrext` */
  readonly extension: Uint8Array<ArrayBuffer> | null;
  /** Blocks of each file, and blocks of the chain that holds the header. */
  readonly blocks: ReadonlyMap<string, readonly number[]>;
  readonly chain: readonly number[];
}

/** The virtual files of a table with a container, by name. */
export function virtualFilesOf(directory: string): Map<string, Uint8Array> {
  using files = new TableFiles(directory, openBackend("node"), { writable: false });
  const header = runSync(readContainer(files), files)!;
  const inside = new ContainerFiles(files, { file: "table.mf", ...header });
  return new Map(header.files.map(({ name, size }) => [name, inside.read(name, 0, size).slice()]));
}

/** CRC-32/BZIP2, bit by bit. */
export function slowCrc(bytes: Uint8Array): number {
  let register = 0xffffffff;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      const feedback = (register >>> 31) ^ (byte >> bit & 1);
      register = (register << 1 ^ (feedback ? 0x04c11db7 : 0)) >>> 0;
    }
  }
  return (register ^ 0xffffffff) >>> 0;
}

/** Ascending runs of three and more as a first number and how many follow. */
function pack(list: readonly number[]): number[] {
  const packed: number[] = [];
  for (let i = 0; i < list.length;) {
    let n = 1;
    while (i + n < list.length && list[i + n] === list[i]! + n) n++;
    packed.push(list[i]!);
    if (n > 1) packed.push(1 - n);
    i += n;
  }
  return packed;
}

/** A container with these files. */
export function makeContainer(
  files: ReadonlyMap<string, Uint8Array>,
  layout: ContainerLayout,
): MadeContainer {
  const { blockSize } = layout;
  const need = [...files.values()].map((bytes) => Math.ceil(bytes.length / blockSize));
  const free = layout.freeBlocks ?? 0;
  let chained = 0;
  for (;;) {
    const made = attempt(files, need, free, chained, layout);
    if (made.missing === 0) return made;
    chained += made.missing;
  }
}

function attempt(
  files: ReadonlyMap<string, Uint8Array>,
  need: readonly number[],
  free: number,
  chained: number,
  layout: ContainerLayout,
): MadeContainer & { missing: number } {
  const { version, blockSize, checksums = false, packed = false, surplus = 0 } = layout;
  const other = layout.surplus === undefined || chained === 0 ? 0 : surplus + 1;
  const set = chained === 0 ? 0 : chained + surplus;
  const count = 1 + need.reduce((sum, n) => sum + n, 0) + free + set + other;
  const numbers = Array.from({ length: count - 1 }, (_, i) => i + 1);
  if (layout.random !== undefined) {
    for (let i = numbers.length - 1; i > 0; i--) {
      const j = layout.random() % (i + 1);
      [numbers[i], numbers[j]] = [numbers[j]!, numbers[i]!];
    }
  }
  let taken = 0;
  const take = (n: number) => numbers.slice(taken, taken += n);
  const blocks = new Map([...files.keys()].map((name, i) => [name, take(need[i]!)]));
  const freeList = take(free).sort((a, b) => b - a), inUse = take(set), spare = take(other);
  const container = new Uint8Array(count * blockSize);
  for (const [name, bytes] of files) {
    blocks.get(name)!.forEach((block, i) => {
      const part = bytes.subarray(i * blockSize, (i + 1) * blockSize);
      container.set(part, block * blockSize);
      // What is behind the end of a file is undefined.
      container.fill(0x5a, block * blockSize + part.length, (block + 1) * blockSize);
    });
  }
  const names = [...Array<string>(layout.deleted ?? 0).fill(""), ...files.keys()];
  const w = new AipsWriter();
  if (version === 1) {
    w.i64(0);
    w.i64(blockSize);
    w.i64(7);
    w.root("MultiFile", 1);
    w.i64(count);
    w.begin("Block", 1);
    w.u32(names.length);
    for (const name of names) {
      w.string(name);
      blockOf(w, blocks.get(name) ?? []);
      w.i64(files.get(name)?.length ?? 0);
    }
    w.end();
    blockOf(w, freeList);
    w.end();
    const header = w.finish();
    new DataView(header.buffer).setBigInt64(0, BigInt(header.length));
    container.set(header.subarray(0, blockSize));
    const extension = header.length > blockSize ? header.slice(blockSize) : null;
    return { container, extension, blocks, chain: [], missing: 0 };
  }
  w.i64(0);
  w.i64(inUse[0] ?? 0);
  w.i64(7);
  w.i32(2);
  w.u32(0);
  w.i64(0);
  w.i64(blockSize);
  w.i64(count);
  w.u8(checksums ? 1 : 0);
  w.bytes(new Uint8Array(7));
  w.root("MultiFile", 2);
  w.begin("Block", 1);
  w.u32(names.length);
  for (const name of names) {
    w.string(name);
    w.i64(files.get(name)?.length ?? 0);
    w.bool(false);
  }
  w.end();
  w.end();
  const list = (values: readonly number[]) => {
    w.i64(values.length);
    for (const value of values) w.i64(value);
  };
  for (const name of names) list(packed ? pack(blocks.get(name) ?? []) : blocks.get(name) ?? []);
  list(packed ? pack(freeList) : freeList);
  w.i64(checksums ? count : 0);
  for (let block = 0; checksums && block < count; block++) {
    w.u32(slowCrc(container.subarray(block * blockSize, (block + 1) * blockSize)));
  }
  const sets = layout.secondSet ? [spare, inUse] : [inUse, spare];
  sets.forEach(list);
  w.u32(chained);
  w.u32(0);
  const header = w.finish();
  const view = new DataView(header.buffer);
  view.setBigInt64(32, BigInt(header.length));
  if (checksums) view.setUint32(28, slowCrc(header));
  container.set(header.subarray(0, blockSize));
  const rest = Math.max(0, Math.ceil((header.length - blockSize) / (blockSize - 8)));
  const chain = inUse.slice(0, rest);
  chain.forEach((block, i) => {
    const offset = block * blockSize, from = blockSize + i * (blockSize - 8);
    new DataView(container.buffer).setBigInt64(offset, BigInt(chain[i + 1] ?? 0));
    container.set(header.subarray(from, from + blockSize - 8), offset + 8);
  });
  return { container, extension: null, blocks, chain, missing: Math.max(0, rest - chained) };
}

function blockOf(w: AipsWriter, values: readonly number[]): void {
  w.begin("Block", 1);
  w.u32(values.length);
  for (const value of values) w.i64(value);
  w.end();
}
