/** String scalars of any length: a reference a row, long strings in string buckets. Format reference part 2, section 3.2. */
import { type Box, rowRange, type Rows } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import type { Plan } from "../../io/plan.ts";
import { checkFixedShape, checkSettable } from "../arrayfile/fixed-shape.ts";
import type { BoundColumn, CellSource, CellTarget, ManagedColumn, ShapeRun } from "../manager.ts";
import { type Area, type AreaCells, byteUnit } from "./area.ts";
import type { BucketFile } from "./bucket-file.ts";
import { blocksOf, type ColumnHost, lastOfEach } from "./host.ts";
import type { Pieces } from "./pieces.ts";
import { readItems } from "./string-reader.ts";
import { areInOrder, readTexts, type TextSink, wordsOf } from "./text-reader.ts";
import { INLINE_BYTES, REFERENCE_BYTES, References } from "./string-references.ts";
import { type StringTail, StringWriter } from "./string-writer.ts";

/** Bytes of references that are looked at in one go. */
const BLOCK_BYTES = 1 << 19;

/**
 * From so many strings on the text of a bucket is made at once and cut: many times faster than string by string. A long string
 * then keeps the text of its bucket in memory, which isn't worth it for a few.
 */
const TEXT_ITEMS = 64;

/** References as bytes: the text in them is not swapped. */
export const REFERENCE_CELLS: AreaCells = { unit: byteUnit(), shape: [REFERENCE_BYTES] };

/** The references of rows. @throws TableError CORRUPT for negative lengths */
export function* readReferences(area: Area, pieces: Pieces, rows: Rows): Plan<References> {
  const references = new References(rows.length, area.file.bigEndian);
  yield* area.read(pieces, REFERENCE_CELLS, null, references.bytes, 0);
  checkReferences(references, area, rows);
  return references;
}

/** @throws TableError CORRUPT for negative lengths */
function checkReferences(references: References, area: Area, rows: Rows): void {
  for (let i = 0; i < references.count; i++) {
    if (references.length(i) < 0) {
      throw new TableError("CORRUPT", `the string of row ${rows.at(i)} has ${references.length(i)} bytes`, {
        file: area.file.path,
      });
    }
  }
}

/** Plan: gives back the bytes of all items of a column; those of up to `inline` bytes have none. */
export function* releaseAll(area: Area, inline: number, file: BucketFile, tail: StringTail): Plan<void> {
  const writer = new StringWriter(file, tail);
  for (const { rows } of blocksOf(rowRange(0, area.index.rows), REFERENCE_BYTES, BLOCK_BYTES)) {
    const references = yield* readReferences(area, area.pieces(rows), rows);
    for (let i = 0; i < rows.length; i++) {
      if (references.length(i) > inline) yield* writer.remove(references.place(i)!);
    }
  }
  yield* writer.finish();
}

/** A column of strings of any length. */
export class StringColumn implements ManagedColumn {
  readonly #host: ColumnHost;
  readonly #area: Area;
  readonly #bound: BoundColumn;

  constructor(host: ColumnHost, area: Area, bound: BoundColumn) {
    this.#host = host;
    this.#area = area;
    this.#bound = bound;
  }

  // deno-lint-ignore require-yield
  *shapes(rows: Rows): Plan<ShapeRun[]> {
    return [{ count: rows.length, shape: [] }];
  }

  *read(rows: Rows, _shape: readonly number[], _box: Box | null, target: CellTarget, at: number): Plan<void> {
    if (target.kind !== "strings") return;
    const { file } = this.#host;
    const references = new References(rows.length, this.#area.file.bigEndian);
    yield* this.#area.read(this.#area.pieces(rows), REFERENCE_CELLS, null, references.bytes, 0);
    if (target.ascii === true && rows.length >= TEXT_ITEMS) {
      const words = wordsOf(references, this.#area.file.bigEndian), { values, decode } = target;
      const sink: TextSink = {
        text: (i, text) => values[at + i] = text,
        bytes: (i, bytes) => values[at + i] = decode(bytes),
      };
      if (areInOrder(words, file) && (yield* readTexts(file, references, words, sink))) return;
    }
    checkReferences(references, this.#area, rows);
    const count = references.count;
    const items = {
      bucket: new Int32Array(count),
      offset: new Int32Array(count),
      length: new Int32Array(count),
    };
    for (let i = 0; i < count; i++) {
      if (references.length(i) <= INLINE_BYTES) {
        target.values[at + i] = target.decode(references.inline(i));
        continue;
      }
      items.bucket[i] = references.bucket(i);
      items.offset[i] = references.offset(i);
      items.length[i] = references.length(i);
    }
    yield* readItems(
      file,
      items,
      (i, bytes) => target.values[at + i] = target.decode(bytes),
      target.ascii === true && count >= TEXT_ITEMS ? (i, text) => target.values[at + i] = text : undefined,
    );
  }

  *write(rows: Rows, shape: readonly number[], _box: Box | null, source: CellSource, at: number): Plan<void> {
    checkFixedShape(this.#bound, shape);
    if (source.kind !== "strings") return;
    yield* this.#put(rows, (i) => source.values[at + i]!);
  }

  *setShape(rows: Rows, shape: readonly number[] | null): Plan<void> {
    checkSettable(this.#bound, shape);
    const empty = new Uint8Array(0);
    yield* this.#put(rows, () => empty);
  }

  *#put(rows: Rows, valueOf: (i: number) => Uint8Array): Plan<void> {
    let pieces = this.#area.pieces(rows);
    if (pieces.repeats) {
      const last = lastOfEach(rows);
      const original = valueOf;
      rows = last.rows;
      valueOf = (i) => original(last.index(i));
      pieces = this.#area.pieces(rows);
    }
    const references = yield* readReferences(this.#area, pieces, rows);
    const writer = new StringWriter(this.#host.file, this.#host.tail);
    this.#host.touched();
    for (let i = 0; i < rows.length; i++) {
      const value = valueOf(i);
      const old = references.length(i) > INLINE_BYTES ? references.place(i) : null;
      if (value.length > INLINE_BYTES) {
        references.setPlace(i, writer.putAtOnce(old, value) ?? (yield* writer.put(old, value)));
      } else {
        if (old !== null) yield* writer.remove(old);
        references.setInline(i, value);
      }
    }
    yield* writer.finish();
    yield* this.#area.write(pieces, REFERENCE_CELLS, null, references.bytes, 0);
  }

  bytesOnDisk(): number {
    return this.#area.bytes * this.#area.index.used + this.#host.outsideBytes("strings");
  }
}
