/**
 * The object `TiledStMan` in the header file `table.f<N>`: format reference part 4, section 3.2. Always big endian.
 *
 * | field | versions 1, 2 | version 3 | |
 * | --- | --- | --- | --- |
 * | bigEndian | 1: absent (true), 2: Bool | Bool | the table's flag |
 * | sequence number | uInt | uInt | |
 * | rows | uInt | uInt64 | |
 * | columns | uInt | uInt | |
 * | data types | Int each | | scalar codes |
 * | name | String | String | of the hypercolumn |
 * | max cache size | uInt | uInt, in newer casacore uInt64 | MiB |
 * | ndim | uInt | uInt | axes of the hypercubes |
 * | files | uInt | uInt64 | each: Bool present, then TSMFile |
 * | cubes | uInt | uInt64 | each: TSMCube |
 *
 * | TSMFile | type | | TSMCube | type |
 * | --- | --- | --- | --- | --- |
 * | version | uInt: 1, 2 | | version | Int: 1, 2 |
 * | sequence number | uInt | | values | Record |
 * | length | uInt, Int64 | | extensible | Bool |
 * | | | | ndim | uInt |
 * | | | | cube shape, tile shape | IPosition each |
 * | | | | file | Int, -1: none |
 * | | | | offset | uInt, Int64 |
 */
import { codeOf } from "../../array/dtype.ts";
import { readRecord, writeRecord } from "../../format/record-io.ts";
import type { AipsReader, AipsWriter } from "../../format/aipsio.ts";
import type { ManagerContext } from "../manager.ts";
import { Cube } from "./cube.ts";
import { CubeValues } from "./cube-values.ts";
import type { TileLayout } from "./tile-layout.ts";

/** A data file `table.f<N>_TSM<k>`. */
export interface TsmFile {
  /** k. */
  readonly number: number;
  /** Bytes that its cubes have been given. */
  length: number;
  /** Bytes that the file is known to have; undefined: nobody asked yet. */
  physical: number | undefined;
  /** True when `length` grew since the file was last made that long. */
  grown: boolean;
}

/** What the object `TiledStMan` says. */
export interface TiledHeader {
  rowCount: number;
  readonly name: string;
  /** MiB, 0: no limit. */
  readonly maxCacheSize: number;
  /** Axes of the cubes. */
  readonly ndim: number;
  /** By number; null: there is no file of that number. */
  readonly files: (TsmFile | null)[];
  readonly cubes: Cube[];
}

/** Rows that a header of version 1 or 2 can count. */
const MAX_ROWS_32 = 2147483647;
/** From this on file lengths and offsets need version 2. */
const LARGE_FILE = 2 ** 31;
/** Smallest entry of a cube: version, empty Record, flag, ndim, two empty IPositions, file, offset. */
const MIN_CUBE_BYTES = 4 + 48 + 1 + 4 + 25 + 25 + 4 + 4;

/** Reads the object; everything that it says of the table must agree with the table. */
export function readTiledHeader(r: AipsReader, context: ManagerContext): TiledHeader {
  const start = r.offset;
  const { version } = r.begin("TiledStMan");
  if (version < 1 || version > 3) {
    r.unsupported(`TiledStMan has version ${version}, expected 1, 2 or 3`, start);
  }
  const wide = version === 3;
  checkTable(r, context, version);
  const name = r.string();
  const maxCacheSize = readMaxCacheSize(r, wide);
  const ndimAt = r.offset;
  const ndim = r.u32();
  if (ndim === 0) r.fail("hypercubes have 0 axes, expected 1 or more", ndimAt);
  const files = readFiles(r, wide);
  const cubes = readCubes(r, wide, ndim, files);
  r.end();
  return { rowCount: context.rowCount, name, maxCacheSize, ndim, files, cubes };
}

/** Reads no more than the number of rows, whatever the table says. @throws TableError CORRUPT, UNSUPPORTED */
export function readRowCount(r: AipsReader): number {
  const start = r.offset;
  const { version } = r.begin("TiledStMan");
  if (version < 1 || version > 3) {
    r.unsupported(`TiledStMan has version ${version}, expected 1, 2 or 3`, start);
  }
  if (version > 1) r.bool();
  r.u32();
  return version === 3 ? r.uint64() : r.u32();
}

/** Byte order, sequence number, rows, columns and types: they are there to be checked. */
function checkTable(r: AipsReader, context: ManagerContext, version: number): void {
  const check = (what: string, at: number, found: unknown, expected: unknown) => {
    if (found !== expected) r.fail(`${what} is ${found}, that of the table is ${expected}`, at);
  };
  let at = r.offset;
  const bigEndian = version === 1 ? true : r.bool();
  check(
    "byte order",
    at,
    bigEndian ? "big endian" : "little endian",
    context.bigEndian ? "big endian" : "little endian",
  );
  at = r.offset;
  check("sequence number of the manager", at, r.u32(), context.sequence);
  at = r.offset;
  check("number of rows", at, version === 3 ? r.uint64() : r.u32(), context.rowCount);
  at = r.offset;
  check("number of columns", at, r.u32(), context.columns.length);
  for (const column of context.columns) {
    at = r.offset;
    check(`data type code of column ${column.name}`, at, r.i32(), codeOf(column.dtype));
  }
}

/**
 * In version 3 casacore 3.5 has 4 bytes here and newer sources have 8. What follows is the number of axes, never 0, and
 * the number of files, whose upper half is 0: so the third word tells which.
 */
function readMaxCacheSize(r: AipsReader, wide: boolean): number {
  if (!wide) return r.u32();
  const at = r.offset;
  const [, , third] = [r.u32(), r.u32(), r.u32()];
  r.offset = at;
  return third === 0 ? r.u32() : r.uint64();
}

function readCount(r: AipsReader, wide: boolean, minBytesEach: number, what: string): number {
  const at = r.offset;
  const count = wide ? r.uint64() : r.u32();
  if (count * minBytesEach > r.remaining()) {
    r.fail(`${count} ${what} need at least ${count * minBytesEach} bytes, there are ${r.remaining()}`, at);
  }
  return count;
}

function readFiles(r: AipsReader, wide: boolean): (TsmFile | null)[] {
  const count = readCount(r, wide, 1, "files");
  const files: (TsmFile | null)[] = new Array(count);
  for (let k = 0; k < count; k++) files[k] = r.bool() ? readFile(r, k) : null;
  return files;
}

function readFile(r: AipsReader, k: number): TsmFile {
  const at = r.offset;
  const version = r.u32();
  if (version !== 1 && version !== 2) r.unsupported(`TSMFile has version ${version}, expected 1 or 2`, at);
  const number = r.u32();
  if (number !== k) r.fail(`data file ${k} has sequence number ${number}`, at + 4);
  const length = version === 1 ? r.u32() : r.int64();
  if (length < 0) r.fail(`data file ${k} is said to be ${length} bytes long`, at + 8);
  return { number, length, physical: undefined, grown: false };
}

function readCubes(r: AipsReader, wide: boolean, ndim: number, files: readonly (TsmFile | null)[]): Cube[] {
  const count = readCount(r, wide, MIN_CUBE_BYTES, "hypercubes");
  const cubes: Cube[] = new Array(count);
  for (let i = 0; i < count; i++) cubes[i] = readCube(r, i, ndim, files);
  return cubes;
}

function readCube(r: AipsReader, index: number, ndim: number, files: readonly (TsmFile | null)[]): Cube {
  const start = r.offset;
  const fail: (reason: string) => never = (reason) => r.fail(`hypercube ${index}: ${reason}`, start);
  const version = r.i32();
  if (version !== 1 && version !== 2) r.unsupported(`TSMCube has version ${version}, expected 1 or 2`, start);
  const values = new CubeValues(readRecord(r, "Record"));
  const extensible = r.bool();
  const axes = r.u32();
  const shape = r.iposition(), tileShape = r.iposition();
  const file = r.i32();
  const offset = version === 1 ? r.u32() : r.int64();
  if (shape.length !== axes || tileShape.length !== axes || (axes !== 0 && axes !== ndim)) {
    fail(
      `cube shape [${shape}] and tile shape [${tileShape}] expected to have 0 or ${ndim} axes, said to have ${axes}`,
    );
  }
  shape.forEach((length, axis) => {
    const tile = tileShape[axis]!;
    // The last axis may have no length yet, and tiles longer than it is; in TiledCellStMan a put that failed leaves 0.
    const fits = axis === axes - 1 ? length >= 0 : length >= tile;
    if (tile < 1 || !fits) fail(`cube shape [${shape}] doesn't go with tile shape [${tileShape}]`);
  });
  if (
    file < -1 || file >= files.length || (axes > 0 && (file === -1 || files[file] === null)) || offset < 0
  ) {
    fail(`it is said to be in data file ${file} at ${offset}`);
  }
  return new Cube(shape, tileShape, { file, offset, extensible, values });
}

/**
 * Checks that no number of a cube grows past what can be computed with. Bits are counted too, hence the factor 8.
 *
 * @param r For the place in messages.
 */
export function checkCubeSizes(r: AipsReader, cubes: readonly Cube[], layout: TileLayout): void {
  cubes.forEach((cube, index) => {
    if (!cube.hasShape) return;
    let pixels = 1;
    for (const length of cube.shape) pixels *= length;
    const end = cube.offset + cube.tiles * layout.bucketSize(cube.tilePixels);
    if (!Number.isSafeInteger(pixels * 16) || !Number.isSafeInteger(end * 8)) {
      r.fail(
        `hypercube ${index}: shape [${cube.shape}] in tiles of [${cube.tileShape}] at ${cube.offset} is too large`,
      );
    }
  });
}

/** Writes the object in the lowest version that holds it. */
export function writeTiledHeader(w: AipsWriter, header: TiledHeader, context: ManagerContext): void {
  const wide = header.rowCount > MAX_ROWS_32;
  const count = (n: number) => wide ? w.u64(n) : w.u32(n);
  w.begin("TiledStMan", wide ? 3 : context.bigEndian ? 1 : 2);
  if (wide || !context.bigEndian) w.bool(context.bigEndian);
  w.u32(context.sequence);
  count(header.rowCount);
  w.u32(context.columns.length);
  for (const column of context.columns) w.i32(codeOf(column.dtype));
  w.string(header.name);
  w.u32(header.maxCacheSize);
  w.u32(header.ndim);
  count(header.files.length);
  for (const file of header.files) {
    w.bool(file !== null);
    if (file !== null) writeFile(w, file);
  }
  count(header.cubes.length);
  for (const cube of header.cubes) writeCube(w, cube);
  w.end();
}

function writeFile(w: AipsWriter, file: TsmFile): void {
  const large = file.length >= LARGE_FILE;
  w.u32(large ? 2 : 1);
  w.u32(file.number);
  if (large) w.i64(file.length);
  else w.u32(file.length);
}

function writeCube(w: AipsWriter, cube: Cube): void {
  const far = cube.offset >= LARGE_FILE;
  w.i32(far ? 2 : 1);
  writeRecord(w, cube.values.toRecord(), "Record");
  w.bool(cube.extensible);
  w.u32(cube.shape.length);
  w.iposition(cube.shape);
  w.iposition(cube.tileShape);
  w.i32(cube.file);
  if (far) w.i64(cube.offset);
  else w.u32(cube.offset);
}
