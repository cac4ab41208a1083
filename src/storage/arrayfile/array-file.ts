/**
 * The indirect array file `table.f<N>i`: arrays of any shape, found by the offset that a cell keeps. StandardStMan,
 * IncrementalStMan and StManAipsIO use the same format (format reference part 2, section 5).
 *
 * ```
 * | header 16 | record | gap to a multiple of 8 | record | … | end of the used part
 * ```
 *
 * Nothing is ever given back: an array of another shape is put at the end and the old record is lost.
 */
import { elementsOf } from "../../array/rows.ts";
import type { Box } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import { fileSize, type Plan, readBytes } from "../../io/plan.ts";
import type { CellSource, CellTarget, ShapeRun } from "../manager.ts";
import { ARRAY_HEADER_BYTES, formatArrayHeader, parseArrayHeader } from "./header.ts";
import {
  alignUp,
  RECORD_ALIGNMENT,
  type RecordLayout,
  recordLayout,
  type StoredType,
} from "./record-layout.ts";
import { readRecords } from "./record-read.ts";
import { readShapes } from "./record-shapes.ts";
import { appendStrings, readStrings } from "./record-strings.ts";
import { writeRecords, writeRun } from "./record-write.ts";
import { Reservations } from "./reservations.ts";

/** Which file, and in which byte order. */
export interface ArrayFileOptions {
  /** Path that messages show. */
  readonly path: string;
  readonly bigEndian: boolean;
}

/** An open array file. Its methods are plans; offsets are those that cells keep. */
export class ArrayFile {
  readonly file: string;
  readonly path: string;
  readonly bigEndian: boolean;
  /** 1: records start with a reference count. */
  readonly version: 0 | 1;
  /** Records that are promised to cells but not in the file yet. */
  readonly reserved = new Reservations();
  /** Bytes that the file has, as far as plans have made it grow. */
  fileBytes: number;
  #length: number;
  #dirty: boolean;

  private constructor(
    file: string,
    options: ArrayFileOptions,
    header: { version: 0 | 1; length: number },
    fileBytes: number,
    dirty: boolean,
  ) {
    this.file = file;
    this.path = options.path;
    this.bigEndian = options.bigEndian;
    this.version = header.version;
    this.#length = header.length;
    this.fileBytes = fileBytes;
    this.#dirty = dirty;
  }

  /** Reads the header. @throws TableError NOT_FOUND, CORRUPT, UNSUPPORTED */
  static *open(file: string, options: ArrayFileOptions): Plan<ArrayFile> {
    const { path, bigEndian } = options;
    const fileBytes = yield* fileSize(file);
    if (fileBytes < 0) {
      throw new TableError("NOT_FOUND", "the file of array values is missing", { file: path });
    }
    if (fileBytes < ARRAY_HEADER_BYTES) {
      throw new TableError(
        "CORRUPT",
        `expected a header of ${ARRAY_HEADER_BYTES} bytes, the file has ${fileBytes}`,
        {
          file: path,
          offset: 0,
        },
      );
    }
    const bytes = yield* readBytes(file, 0, ARRAY_HEADER_BYTES);
    return new ArrayFile(
      file,
      options,
      parseArrayHeader(bytes, { path, bigEndian, fileBytes }),
      fileBytes,
      false,
    );
  }

  /** Makes an empty file. */
  static *create(file: string, options: ArrayFileOptions & { version: 0 | 1 }): Plan<ArrayFile> {
    yield { kind: "create", file };
    const header = { version: options.version, length: ARRAY_HEADER_BYTES };
    yield { kind: "write", file, offset: 0, bytes: formatArrayHeader(header, options.bigEndian) };
    return new ArrayFile(file, options, header, ARRAY_HEADER_BYTES, true);
  }

  /** End of the used part. */
  get length(): number {
    return this.#length;
  }

  /** True when `flush` has something to write. */
  get dirty(): boolean {
    return this.#dirty;
  }

  /** Sizes of records for arrays of `shape` in this file. */
  layout(dtype: StoredType, shape: readonly number[]): RecordLayout {
    return recordLayout(dtype, shape, this.version);
  }

  /** Shapes of the arrays at `offsets`, null for offset 0, neighbours of equal shape joined; `ndim` is a guess, -1 for none. */
  *shapes(offsets: Float64Array, dtype: StoredType, ndim: number): Plan<ShapeRun[]> {
    return yield* readShapes(this, offsets, dtype, ndim);
  }

  /** Reads `box` (null: all) of the arrays at `offsets`, all of shape `shape`. */
  *read(
    offsets: Float64Array,
    shape: readonly number[],
    dtype: StoredType,
    box: Box | null,
    target: CellTarget,
    at: number,
  ): Plan<void> {
    const elements = elementsOf(box?.shape ?? shape);
    if (offsets.length === 0 || elements === 0) return;
    this.checkRecords(offsets, this.layout(dtype, shape));
    yield* this.settle();
    if (target.kind === "numeric") {
      return yield* readRecords(this, offsets, shape, dtype, box, target.bytes, at);
    }
    const places = new Uint32Array(offsets.length * elements);
    yield* readRecords(this, offsets, shape, "uint32", box, new Uint8Array(places.buffer), 0);
    yield* readStrings(this, places, (i, bytes) => target.values[at + i] = target.decode(bytes));
  }

  /** Promises `count` records for arrays of `shape`, one after the other; they read as zeros until they are written. */
  *reserve(shape: readonly number[], dtype: StoredType, count: number): Plan<Float64Array> {
    const layout = this.layout(dtype, shape);
    const begin = alignUp(this.#length);
    const end = begin + (count - 1) * layout.stride + layout.bytes;
    if (!Number.isSafeInteger(end)) {
      throw new TableError("LIMIT", `${count} arrays of shape [${shape.join(", ")}] don't fit in one file`, {
        file: this.path,
      });
    }
    if (count === 0) return new Float64Array(0);
    // Bytes behind the used part are left over from a writer that didn't get to its header.
    if (this.fileBytes > this.#length) {
      yield { kind: "resize", file: this.file, length: this.#length, shrink: true };
      this.fileBytes = this.#length;
    }
    this.reserved.add({ layout, begin, count });
    this.grow(end);
    return Float64Array.from({ length: count }, (_, i) => begin + i * layout.stride);
  }

  /**
   * Writes `box` (null: all) of the arrays at `offsets`, all of shape `shape`. Without a source they become zeros.
   * New strings go to the end of the file.
   */
  *write(
    offsets: Float64Array,
    shape: readonly number[],
    dtype: StoredType,
    box: Box | null,
    source: CellSource | null,
    at: number,
  ): Plan<void> {
    if (offsets.length === 0) return;
    const layout = this.layout(dtype, shape);
    this.checkRecords(offsets, layout);
    this.#dirty = true;
    if (source === null || source.kind === "numeric") {
      return yield* writeRecords(this, offsets, layout, box, source?.bytes ?? null, at);
    }
    const elements = elementsOf(box?.shape ?? shape) * offsets.length;
    const places = yield* appendStrings(this, source.values, at, elements);
    yield* writeRecords(this, offsets, layout, box, new Uint8Array(places.buffer), 0);
  }

  /** Puts new arrays at the end of the file and returns their offsets. */
  *append(
    shape: readonly number[],
    dtype: StoredType,
    count: number,
    source: CellSource,
    at: number,
  ): Plan<Float64Array> {
    const offsets = yield* this.reserve(shape, dtype, count);
    yield* this.write(offsets, shape, dtype, null, source, at);
    return offsets;
  }

  /** Brings promised records into the file, as zeros. */
  *settle(): Plan<void> {
    for (const { layout, begin, count } of this.reserved.take()) {
      yield* writeRun(this, { offset: begin, count, stride: layout.stride, index: 0 }, layout, null, 0);
    }
  }

  /** Writes the header; to be called behind `settle` and a barrier, so that it never promises what isn't there. */
  *flush(): Plan<void> {
    if (!this.#dirty) return;
    const header = { version: this.version, length: this.#length };
    yield { kind: "write", file: this.file, offset: 0, bytes: formatArrayHeader(header, this.bigEndian) };
    this.#dirty = false;
  }

  /** Makes the file one without arrays. No cell may keep an offset. */
  *clear(): Plan<void> {
    const header = { version: this.version, length: ARRAY_HEADER_BYTES };
    yield { kind: "replace", file: this.file, bytes: formatArrayHeader(header, this.bigEndian) };
    this.reserved.take();
    this.fileBytes = ARRAY_HEADER_BYTES;
    this.grow(ARRAY_HEADER_BYTES);
  }

  /** Moves the end of the used part. */
  grow(end: number): void {
    this.#length = end;
    this.#dirty = true;
  }

  /** Refuses offsets at which no record of that layout can stand. @throws TableError CORRUPT */
  checkRecords(offsets: Float64Array, layout: RecordLayout): void {
    const last = this.#length - layout.bytes;
    for (let i = 0; i < offsets.length; i++) {
      const offset = offsets[i]!;
      if (offset > last) this.#refuse(offset, `an array of ${layout.bytes} bytes`);
      this.checkOffset(offset);
    }
  }

  /** Refuses an offset at which no record can stand. @throws TableError CORRUPT */
  checkOffset(offset: number): void {
    if (
      !(offset >= ARRAY_HEADER_BYTES) || offset % RECORD_ALIGNMENT !== 0 ||
      offset + 4 * (1 + this.version) > this.#length
    ) this.#refuse(offset, "an array");
  }

  #refuse(offset: number, what: string): never {
    throw new TableError(
      "CORRUPT",
      `a cell says that ${what} stands at offset ${offset}, expected a multiple of ${RECORD_ALIGNMENT} from ` +
        `${ARRAY_HEADER_BYTES} on within the ${this.#length} bytes in use`,
      { file: this.path, offset },
    );
  }
}
