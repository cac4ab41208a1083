/**
 * The header of a MultiFile container, which holds the files of a table's managers as virtual files: format reference
 * part 5, sections 2 to 4. Big endian. What is read here is the *logical* header; where its bytes come from differs:
 *
 * | | version 1 | version 2 |
 * | --- | --- | --- |
 * | the first block | bytes 0 to min(H, B) of the container | the same |
 * | the rest, when H > B | the file `<container>_hdrext` | a chain of blocks: Int64 next block (0: last), then B − 8 bytes |
 *
 * | lead | version 1 | version 2 |
 * | --- | --- | --- |
 * | 0 | Int64 H: header size in bytes, > 0 | Int64 0 |
 * | 8 | Int64 B: block size in bytes | Int64 first block of the chain, 0: none |
 * | 16 | Int64 change counter | Int64 change counter |
 * | 24 | the object | Int version, 2 |
 * | 28 | | uInt CRC of the header with this field 0 |
 * | 32, 40, 48 | | Int64 H, B, number of blocks |
 * | 56 | | byte: 1 = checksums in use; 7 bytes of zero |
 * | 64 | | the object, then the vectors |
 *
 * | object `MultiFile` | version 1 | version 2 |
 * | --- | --- | --- |
 * | | Int64 number of blocks | |
 * | | object `Block` v1: uInt count, then for each file | the same |
 * | file | String name; Block of Int64: its blocks; Int64 size | String name; Int64 size; Bool nested |
 * | | Block of Int64: free blocks | |
 *
 * The vectors of version 2 are unframed, Int64 count and values: the packed blocks of each file, the packed free
 * blocks, the checksums (uInt) by block number, the blocks of the two continuation sets; then two uInt of no use here.
 * In a packed list −m means: m more numbers follow, each one higher than the one before.
 */
import { TableError } from "../error.ts";
import { AipsReader } from "./aipsio.ts";
import { Crc32 } from "./crc32.ts";

/** Bytes that tell the size of the header: those before the object. */
export const LEAD_BYTES = 64;
const LEAD_BYTES_V1 = 24;
const CRC_OFFSET = 28;
const CRC_IN_USE_OFFSET = 56;
/** The number of the next block, in front of each block of a chain. */
export const LINK_BYTES = 8;

/** How long a header is and where its parts are. */
export interface MultiFileLead {
  readonly version: 1 | 2;
  /** H, in bytes. */
  readonly headerSize: number;
  /** B, in bytes. */
  readonly blockSize: number;
  /** + 1 at each write of the header. */
  readonly changeCounter: number;
  /** Version 2: first block of the chain that holds what doesn't fit into block 0; 0: none. */
  readonly firstContinuation: number;
}

/**
 * Block numbers in order, as pairs of a first block and how many follow one another from it. Packed lists stay packed:
 * a few bytes may stand for any number of blocks.
 */
export type BlockRuns = readonly number[];

/** A file in a container. */
export interface VirtualFile {
  /** Base name: `table.f3`, `table.f1_TSM1`. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Its blocks; there may be more than its size needs. */
  readonly runs: BlockRuns;
}

/** What a container holds, and where. */
export interface MultiFileHeader extends MultiFileLead {
  /** Blocks, including block 0. */
  readonly blockCount: number;
  /** Files; the slots of deleted ones are left out. */
  readonly files: readonly VirtualFile[];
  readonly free: BlockRuns;
  /** Checksums by block number, null if they are not in use. Entry 0 and those of free blocks mean nothing. */
  readonly checksums: Uint32Array | null;
  /** Blocks of the two sets that hold headers in turn; empty in version 1. */
  readonly continuations: readonly [BlockRuns, BlockRuns];
}

/** Place of a container for messages, and its size to check against. */
export interface ContainerPlace {
  readonly file: string;
  /** Bytes of the container. */
  readonly size: number;
}

/**
 * Reads the start of a container, of LEAD_BYTES bytes or as many as there are.
 *
 * @throws TableError CORRUPT, UNSUPPORTED for a version other than 1 and 2
 */
export function readMultiFileLead(bytes: Uint8Array, { file, size }: ContainerPlace): MultiFileLead {
  const r = new AipsReader(bytes, { file });
  const first = r.int64();
  if (first < 0) r.fail(`expected a header size of 0 or more, found ${first}`, 0);
  return first > 0 ? leadV1(r, first, size) : leadV2(r, size);
}

function leadV1(r: AipsReader, headerSize: number, size: number): MultiFileLead {
  const blockSize = r.int64(), changeCounter = r.int64();
  if (blockSize < 1) r.fail(`expected a block size of 1 or more, found ${blockSize}`, 8);
  if (headerSize < LEAD_BYTES_V1) {
    r.fail(`expected a header of ${LEAD_BYTES_V1} bytes or more, found ${headerSize}`, 0);
  }
  const inBlock = Math.min(headerSize, blockSize);
  if (inBlock > size) r.fail(`${inBlock} bytes of the header are in block 0, the file has ${size}`, 0);
  return { version: 1, headerSize, blockSize, changeCounter, firstContinuation: 0 };
}

function leadV2(r: AipsReader, size: number): MultiFileLead {
  const firstContinuation = r.int64(), changeCounter = r.int64(), version = r.i32();
  if (version !== 2) r.unsupported(`MultiFile header has version ${version}, expected 1 or 2`, 24);
  r.u32();
  const headerSize = r.int64(), blockSize = r.int64();
  if (blockSize <= LEAD_BYTES) r.fail(`expected a block size above ${LEAD_BYTES}, found ${blockSize}`, 40);
  // Each part of the header is in a block of its own, of the container itself.
  if (headerSize < LEAD_BYTES || headerSize > size) {
    r.fail(`expected a header of ${LEAD_BYTES} to ${size} bytes, found ${headerSize}`, 32);
  }
  const chained = headerSize > blockSize;
  if (chained ? firstContinuation < 1 : firstContinuation < 0) {
    r.fail(`expected the number of the block in which the header goes on, found ${firstContinuation}`, 8);
  }
  return { version, headerSize, blockSize, changeCounter, firstContinuation };
}

/** The part of a header in a block of a chain, and the block after it, 0 for none. @throws TableError CORRUPT */
export function readContinuation(
  block: Uint8Array,
  { file, offset }: { file: string; offset: number },
): { next: number; part: Uint8Array } {
  const r = new AipsReader(block, { file, base: offset });
  const next = r.int64();
  if (next < 0) r.fail(`expected the number of the next block, found ${next}`, 0);
  return { next, part: block.subarray(LINK_BYTES) };
}

/**
 * Reads a whole logical header. Every block that a file needs lies within the container, and belongs to one file only;
 * so all files together are no larger than the container. Offsets in errors count along the logical header.
 *
 * @throws TableError CORRUPT, UNSUPPORTED
 */
export function readMultiFileHeader(
  bytes: Uint8Array,
  lead: MultiFileLead,
  place: ContainerPlace,
): MultiFileHeader {
  const header = lead.version === 1 ? headerV1(bytes, lead, place.file) : headerV2(bytes, lead, place.file);
  checkFiles(header, place);
  return header;
}

function headerV1(bytes: Uint8Array, lead: MultiFileLead, file: string): MultiFileHeader {
  const r = new AipsReader(bytes, { file, offset: LEAD_BYTES_V1 });
  beginObject(r, 1);
  const blockCount = readBlockCount(r);
  const files: VirtualFile[] = [];
  const count = beginFiles(r);
  for (let i = 0; i < count; i++) {
    const name = r.string();
    const runs = runsOf(blockList(r), r, blockCount, false);
    const size = readSize(r);
    if (name !== "") files.push({ name, size, runs });
  }
  r.end();
  const free = runsOf(blockList(r), r, blockCount, false);
  r.end();
  checkEnd(r);
  return { ...lead, blockCount, files, free, checksums: null, continuations: [[], []] };
}

function headerV2(bytes: Uint8Array, lead: MultiFileLead, file: string): MultiFileHeader {
  const r = new AipsReader(bytes, { file, offset: 48 });
  const blockCount = readBlockCount(r);
  const inUse = r.u8();
  if (inUse > 1) r.fail(`expected 1 for checksums or 0 for none, found ${inUse}`, CRC_IN_USE_OFFSET);
  if (inUse === 1) checkHeader(bytes, r);
  r.offset = LEAD_BYTES;
  beginObject(r, 2);
  const names: { name: string; size: number }[] = [];
  const count = beginFiles(r);
  for (let i = 0; i < count; i++) {
    names.push({ name: r.string(), size: readSize(r) });
    r.bool();
  }
  r.end();
  r.end();
  const files: VirtualFile[] = [];
  for (const { name, size } of names) {
    const runs = runsOf(vector(r), r, blockCount, true);
    if (name !== "") files.push({ name, size, runs });
  }
  const free = runsOf(vector(r), r, blockCount, true);
  const checksums = new Uint32Array(vectorLength(r, 4));
  for (let i = 0; i < checksums.length; i++) checksums[i] = r.u32();
  const continuations = [
    runsOf(vector(r), r, blockCount, false),
    runsOf(vector(r), r, blockCount, false),
  ] as const;
  r.u32();
  r.u32();
  checkEnd(r);
  return { ...lead, blockCount, files, free, checksums: inUse === 1 ? checksums : null, continuations };
}

function checkEnd(r: AipsReader): void {
  if (r.remaining() > 0) r.fail(`${r.remaining()} bytes of the header are left over`);
}

function checkHeader(bytes: Uint8Array, r: AipsReader): void {
  const stored = new AipsReader(bytes, { file: r.file, offset: CRC_OFFSET }).u32();
  const crc = new Crc32();
  crc.add(bytes.subarray(0, CRC_OFFSET));
  crc.add(new Uint8Array(4));
  crc.add(bytes.subarray(CRC_OFFSET + 4));
  if (crc.value !== stored) {
    r.fail(`the header's checksum is ${hex(stored)}, its bytes give ${hex(crc.value)}`, CRC_OFFSET);
  }
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}

function beginObject(r: AipsReader, expected: number): void {
  const at = r.offset;
  const { version } = r.root("MultiFile");
  if (version !== expected) r.unsupported(`MultiFile has version ${version}, expected ${expected}`, at);
}

function beginFiles(r: AipsReader): number {
  const at = r.offset;
  const { version } = r.begin("Block");
  if (version !== 1) r.unsupported(`Block has version ${version}, expected 1`, at);
  return r.count(12);
}

function readBlockCount(r: AipsReader): number {
  const at = r.offset;
  const count = r.int64();
  if (count < 0) r.fail(`expected a number of blocks, found ${count}`, at);
  return count;
}

function readSize(r: AipsReader): number {
  const at = r.offset;
  const size = r.int64();
  if (size < 0) r.fail(`expected the size of a file, found ${size}`, at);
  return size;
}

/** Numbers of a list, and where they stand. */
interface List {
  readonly values: Float64Array;
  /** Position of the first. */
  readonly at: number;
}

function blockList(r: AipsReader): List {
  const values = r.blockI64();
  return { values, at: r.offset - 8 * values.length };
}

function vector(r: AipsReader): List {
  const values = new Float64Array(vectorLength(r, 8)), at = r.offset;
  for (let i = 0; i < values.length; i++) values[i] = r.int64();
  return { values, at };
}

function vectorLength(r: AipsReader, bytesEach: number): number {
  const at = r.offset;
  const count = r.int64();
  if (!(count >= 0 && count * bytesEach <= r.remaining())) {
    r.fail(`a count of ${count} needs ${count * bytesEach} bytes, there are ${r.remaining()}`, at);
  }
  return count;
}

/** Runs of a list. Block 0 is the header's, and there are no more blocks in a list than in the container. */
function runsOf({ values, at }: List, r: AipsReader, blockCount: number, packed: boolean): BlockRuns {
  const runs: number[] = [];
  let next = -1, total = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const more = packed && value < 0 && next > 0;
    const first = more ? next : value, count = more ? -value : 1;
    if (!(first >= 1 && first + count <= blockCount) || (total += count) > blockCount) {
      r.fail(
        `expected blocks from 1 to ${blockCount - 1}, each once, found ${value} in a list`,
        at + 8 * i,
      );
    }
    if (first === next) runs[runs.length - 1]! += count;
    else runs.push(first, count);
    next = first + count;
  }
  return runs;
}

/** Blocks that a file of that size needs. */
export function blocksOf(size: number, blockSize: number): number {
  return Math.ceil(size / blockSize);
}

/** Pairs of a first block and a number of blocks, no more than a file of `size` bytes needs. */
export function neededRuns({ runs, size }: VirtualFile, blockSize: number): number[] {
  const needed: number[] = [];
  let left = blocksOf(size, blockSize);
  for (let i = 0; i < runs.length && left > 0; i += 2) {
    const count = Math.min(runs[i + 1]!, left);
    needed.push(runs[i]!, count);
    left -= count;
  }
  return needed;
}

function checkFiles({ files, blockSize }: MultiFileHeader, { file, size }: ContainerPlace): void {
  const fail = (message: string, offset?: number): never => {
    throw new TableError("CORRUPT", message, { file, offset });
  };
  const names = new Set<string>();
  const all: number[] = [], owners: number[] = [];
  files.forEach((one, index) => {
    const name = JSON.stringify(one.name.slice(0, 80));
    if (names.has(one.name)) fail(`two files in it are called ${name}`);
    names.add(one.name);
    const needed = neededRuns(one, blockSize);
    const blocks = needed.reduce((sum, value, i) => i % 2 === 1 ? sum + value : sum, 0);
    const wanted = blocksOf(one.size, blockSize);
    if (blocks < wanted) fail(`file ${name} in it has ${one.size} bytes in ${blocks} blocks of ${blockSize}`);
    for (let i = 0; i < needed.length; i += 2) {
      const first = needed[i]!, count = needed[i + 1]!;
      // The last block of a file may be cut off where the file ends.
      const unused = i + 2 === needed.length ? wanted * blockSize - one.size : 0;
      const end = (first + count) * blockSize - unused;
      if (!(end <= size)) {
        fail(
          `block ${first + count - 1} of file ${name} in it ends at ${end}, the container has ${size} bytes`,
          size,
        );
      }
      all.push(first, count);
      owners.push(index);
    }
  });
  const order = Uint32Array.from(owners.keys()).sort((a, b) => all[2 * a]! - all[2 * b]!);
  for (let i = 1; i < order.length; i++) {
    const before = order[i - 1]!, after = order[i]!, block = all[2 * after]!;
    if (all[2 * before]! + all[2 * before + 1]! > block) {
      const both = [before, after].map((run) => JSON.stringify(files[owners[run]!]!.name.slice(0, 80)));
      fail(`block ${block} belongs to files ${both.join(" and ")}`, block * blockSize);
    }
  }
}
