/**
 * Where the structure of a golden table is: words that say how many, how long, where and what next, found by code of its
 * own, so that a test can change one and see whether a check notices. Words that are hints or counters are left out.
 */
import { AipsReader } from "../../src/format/aipsio.ts";
import { readTableDat } from "../../src/format/table-dat.ts";
import { Context } from "../../mod.ts";
import { MemoryFile } from "../../src/io/memory-backend.ts";
import { fixturePath } from "../fixture.ts";
import { headerOf } from "./storage_standard_structure.ts";

/** The regular files of a table, by name. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** The files of a golden table, without subtables. */
export function filesOf(name: string): Map<string, Uint8Array> {
  const folder = fixturePath(name), files = new Map<string, Uint8Array>();
  for (const entry of Deno.readDirSync(folder)) {
    if (entry.isFile) files.set(entry.name, Deno.readFileSync(`${folder}/${entry.name}`));
  }
  return files;
}

/** A context in which `/t` has these files. */
export function contextWith(files: Files): Context {
  const context = new Context({ cacheBytes: 4 * 2 ** 20 });
  context.memory.directories.add("/t");
  for (const [name, bytes] of files) {
    const file = new MemoryFile();
    file.bytes = bytes as Uint8Array<ArrayBuffer>;
    file.length = bytes.length;
    context.memory.files.set(`/t/${name}`, file);
  }
  return context;
}

/** A word of structure. */
export interface Word {
  readonly file: string;
  readonly offset: number;
  readonly bytes: 4 | 8;
  readonly bigEndian: boolean;
  readonly what: string;
}

/** The structural words of a golden table. */
export function structureOf(files: Files): Word[] {
  const dat = readTableDat(files.get("table.dat")!, "table.dat");
  if (dat.kind !== "PlainTable") return [];
  const words: Word[] = [];
  for (const { type, sequence } of dat.columnSet.managers) {
    const file = `table.f${sequence}`, bytes = files.get(file);
    if (bytes === undefined) continue;
    const columns = dat.columnSet.columns.filter((column) => column.sequence === sequence).length;
    if (type === "StandardStMan") words.push(...standardWords(file, bytes, dat.bigEndian));
    if (type === "IncrementalStMan") words.push(...incrementalWords(file, bytes, dat.bigEndian, columns));
    if (type.startsWith("Tiled")) words.push(...tiledWords(file, bytes, columns));
    const arrays = files.get(`${file}i`);
    if (arrays !== undefined) {
      const bigEndian = dat.bigEndian || type === "StManAipsIO";
      words.push({ file: `${file}i`, offset: 4, bytes: 8, bigEndian, what: "length of the array file" });
    }
  }
  words.push(...containerWords(files), ...lockWords(files.get("table.lock")));
  return words;
}

/** Part 2, sections 2.1 to 2.4 and 4. */
function standardWords(file: string, bytes: Uint8Array, bigEndian: boolean): Word[] {
  const words: Word[] = [], view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const put = (offset: number, what: string, big = bigEndian) =>
    words.push({ file, offset, bytes: 4, bigEndian: big, what });
  const fields = 4 + 4 + 4 + 13 + 4 + (bigEndian ? 0 : 1);
  // The third field is the cache size, a hint.
  for (let i = 0; i < 11; i++) if (i !== 2) put(fields + 4 * i, `field ${i} of the header`);
  const header = headerOf(bytes, bigEndian);
  const start = (bucket: number) => 512 + bucket * header.bucketSize;
  const known = new Set<number>();
  let free = header.firstFree;
  for (let n = 0; n < header.freeBuckets; n++) {
    known.add(free);
    put(start(free), "link of a free bucket", true);
    free = view.getInt32(start(free));
  }
  const stream: number[] = [], places: number[] = [];
  let bucket = header.firstIndex;
  for (let n = 0; n < header.indexBuckets; n++) {
    known.add(bucket);
    put(start(bucket), "link of an index bucket", true);
    put(start(bucket) + 4, "second link of an index bucket", true);
    const from = start(bucket) + (header.indexOffset || 8);
    for (let at = from; at < start(bucket) + header.bucketSize && stream.length < header.indexLength; at++) {
      stream.push(bytes[at]!);
      places.push(at);
    }
    bucket = view.getInt32(start(bucket) + 4);
  }
  const r = new AipsReader(Uint8Array.from(stream), { file, bigEndian });
  const word = (what: string): number => {
    // A word that runs over the end of a bucket can't be changed as one.
    if (places[r.offset + 3]! - places[r.offset]! === 3) put(places[r.offset]!, what);
    return r.u32();
  };
  while (r.remaining() > 0) {
    r.root("SSMIndex");
    const used = word("used buckets of an index");
    word("rows of a bucket");
    word("columns of an index");
    r.begin("SimpleOrderedMap");
    r.u32();
    const pairs = word("pairs of the free space");
    r.u32();
    for (let i = 0; i < 2 * pairs; i++) word("free space");
    r.end();
    for (const what of ["last row of a bucket", "number of a bucket"]) {
      r.begin("Block");
      word("entries of an index");
      for (let i = 0; i < used; i++) {
        const value = word(what);
        if (what === "number of a bucket") known.add(value);
      }
      r.end();
    }
    r.end();
  }
  for (let k = 0; k < header.buckets; k++) {
    if (known.has(k)) continue;
    for (let i = 0; i < 4; i++) put(start(k) + 4 * i, `word ${i} of a string bucket`, true);
  }
  return words;
}

/** Part 3, sections A2 and A3. */
function incrementalWords(file: string, bytes: Uint8Array, bigEndian: boolean, columns: number): Word[] {
  const words: Word[] = [], view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const put = (offset: number, what: string, big = bigEndian) =>
    words.push({ file, offset, bytes: 4, bigEndian: big, what });
  const fields = 4 + 4 + 4 + 16 + 4 + (bigEndian ? 0 : 1);
  // The third and the fourth are the cache size and a count of columns ever made.
  for (const i of [0, 1, 4, 5]) put(fields + 4 * i, `field ${i} of the header`);
  const bucketSize = view.getUint32(fields, !bigEndian), buckets = view.getUint32(fields + 4, !bigEndian);
  let free = view.getInt32(fields + 20, !bigEndian);
  while (free >= 0) {
    put(512 + free * bucketSize, "link of a free bucket", true);
    free = view.getInt32(512 + free * bucketSize);
  }
  const at = 512 + buckets * bucketSize;
  const r = new AipsReader(bytes.subarray(at), { file, bigEndian });
  const word = (what: string): number => {
    put(at + r.offset, what);
    return r.u32();
  };
  r.root("ISMIndex");
  const used = word("used buckets");
  r.begin("Block");
  word("entries of the index");
  for (let i = 0; i <= used; i++) word("first row of a bucket");
  r.end();
  r.begin("Block");
  word("entries of the index");
  for (let i = 0; i < used; i++) {
    const start = 512 + word("number of a bucket") * bucketSize;
    put(start, "place of a bucket's index");
    let place = start + (view.getUint32(start, !bigEndian) & 0x0fffffff);
    for (let c = 0; c < columns; c++) {
      const count = view.getUint32(place, !bigEndian);
      put(place, "entries of a column");
      for (let k = 0; k < count; k++) {
        put(place + 4 + 4 * k, "row of an entry");
        put(place + 4 + 4 * (count + k), "offset of a value");
      }
      place += 4 + 8 * count;
    }
  }
  r.end();
  return words;
}

/** Part 4, section 3: numbers of the object TiledStMan up to the list of files, and the row map at the end. */
function tiledWords(file: string, bytes: Uint8Array, columns: number): Word[] {
  const words: Word[] = [];
  const r = new AipsReader(bytes, { file });
  const word = (what: string): number => {
    words.push({ file, offset: r.offset, bytes: 4, bigEndian: true, what });
    return r.u32();
  };
  const { type } = r.root();
  if (type === "TiledColumnStMan" || type === "TiledCellStMan") r.iposition();
  const { version } = r.begin("TiledStMan");
  if (version > 2) return [];
  if (version === 2) r.bool();
  word("sequence number");
  word("rows");
  word("columns");
  for (let i = 0; i < columns; i++) word("data type");
  r.string();
  r.u32(); // cache size, a hint
  word("axes");
  const files = word("files");
  for (let k = 0; k < files; k++) {
    if (!r.bool()) continue;
    word("version of a file");
    word("number of a file");
    word("length of a file");
  }
  word("hypercubes");
  if (type !== "TiledShapeStMan") return words;
  // The three blocks of the map stand at the end of the file.
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let entries = 0;
  while (3 * (21 + 4 * entries) + 4 < bytes.length) {
    const at = bytes.length - 3 * (21 + 4 * entries) - 4;
    if (view.getUint32(at) === entries && view.getUint32(at + 4) === 21 + 4 * entries) break;
    entries++;
  }
  const at = bytes.length - 3 * (21 + 4 * entries) - 4;
  const put = (offset: number, what: string) => words.push({ file, offset, bytes: 4, bigEndian: true, what });
  put(at, "entries of the row map");
  const cubes = at + 4 + 21 + 4 * entries + 21;
  for (const [b, what] of ["last row", "hypercube", "position"].entries()) {
    for (let i = 0; i < entries; i++) {
      // The position of undefined rows means nothing.
      if (b === 2 && view.getUint32(cubes + 4 * i) === 0) continue;
      put(at + 4 + b * (21 + 4 * entries) + 21 + 4 * i, `${what} of an interval`);
    }
  }
  return words;
}

/** Part 5, section 3. */
function containerWords(files: Files): Word[] {
  const bytes = files.get("table.mf");
  if (bytes === undefined) return [];
  const extension = files.get("table.mf_hdrext") ?? new Uint8Array(0);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const headerSize = Number(view.getBigInt64(0)), blockSize = Number(view.getBigInt64(8));
  const whole = Uint8Array.from([...bytes.subarray(0, blockSize), ...extension]).subarray(0, headerSize);
  const words: Word[] = [];
  const r = new AipsReader(whole, { file: "table.mf", offset: 24 });
  const put = (offset: number, size: 4 | 8, what: string) => {
    if (offset < blockSize && offset + size > blockSize) return;
    const [file, at] = offset < blockSize
      ? ["table.mf", offset] as const
      : ["table.mf_hdrext", offset - blockSize] as const;
    words.push({ file, offset: at, bytes: size, bigEndian: true, what });
  };
  const long = (what: string) => (put(r.offset, 8, what), r.int64());
  const count = (what: string) => (put(r.offset, 4, what), r.u32());
  put(0, 8, "size of the header");
  put(8, 8, "size of a block");
  r.root();
  long("number of blocks");
  const list = (what: string) => {
    r.begin("Block");
    const n = count(`blocks of ${what}`);
    for (let i = 0; i < n; i++) long(`a block of ${what}`);
    r.end();
  };
  r.begin("Block");
  const n = count("files in the container");
  for (let i = 0; i < n; i++) {
    r.string();
    list("a file");
    long("size of a file");
  }
  r.end();
  list("the free list");
  return words;
}

/** Part 1, section 8.1: rows, columns and the number of change counters. */
function lockWords(bytes: Uint8Array | undefined): Word[] {
  if (bytes === undefined || bytes.length < 264) return [];
  const at = 264 + 4 + 4 + 8 + 4, block = at + 16;
  const offsets = [[260, "length"], [at, "rows"], [at + 4, "columns"], [
    block + 13,
    "change counters",
  ]] as const;
  return offsets.map(([offset, what]) => ({
    file: "table.lock",
    offset,
    bytes: 4,
    bigEndian: true,
    what: `table.lock: ${what}`,
  }));
}

/** The files with another value in a word. */
export function withWord(files: Files, word: Word, random: () => number): Map<string, Uint8Array> {
  const changed = new Map(files), bytes = files.get(word.file)!.slice();
  const view = new DataView(bytes.buffer);
  const low = word.bytes === 4 || !word.bigEndian ? word.offset : word.offset + 4;
  const old = view.getUint32(low, !word.bigEndian);
  const values = [old + 1, old - 1, old ^ 1 << random() % 32, 0, 0xffffffff, random() % 64];
  let value = old;
  while (value >>> 0 === old) value = values[random() % values.length]!;
  view.setUint32(low, value >>> 0, !word.bigEndian);
  changed.set(word.file, bytes);
  return changed;
}
