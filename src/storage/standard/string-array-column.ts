/** Arrays of strings: a reference a row, all values in string buckets. Format reference part 2, sections 3.2 and 4.2. */
import { type Box, elementsOf, type Rows, sameShape, stridesOf } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import type { Plan } from "../../io/plan.ts";
import { checkFixedShape, checkSettable } from "../arrayfile/fixed-shape.ts";
import type { BoundColumn, CellSource, CellTarget, ManagedColumn, ShapeRun } from "../manager.ts";
import type { Area } from "./area.ts";
import { type ColumnHost, lastOfEach } from "./host.ts";
import { readReferences, REFERENCE_CELLS } from "./string-column.ts";
import {
  emptyStrings,
  formatPayload,
  MAX_SHAPE_BYTES,
  parsePayload,
  parsePayloadShape,
} from "./string-payload.ts";
import { readItems } from "./string-reader.ts";
import type { References } from "./string-references.ts";
import { StringWriter } from "./string-writer.ts";

/** Rows whose old values are kept in memory while a box of them is written. */
const BLOCK_ROWS = 256;

/** A column of string arrays, of one shape or of any. */
export class StringArrayColumn implements ManagedColumn {
  readonly #host: ColumnHost;
  readonly #area: Area;
  readonly #bound: BoundColumn;
  /** Shape of every cell, null if each has its own. */
  readonly #fixed: readonly number[] | null;

  constructor(host: ColumnHost, area: Area, bound: BoundColumn) {
    this.#host = host;
    this.#area = area;
    this.#bound = bound;
    this.#fixed = bound.shape;
  }

  *shapes(rows: Rows): Plan<ShapeRun[]> {
    if (this.#fixed !== null) return [{ count: rows.length, shape: this.#fixed }];
    const references = yield* readReferences(this.#area, this.#area.pieces(rows), rows);
    const shapes = new Array<readonly number[] | null>(rows.length).fill(null);
    let latest: readonly number[] = [];
    yield* readItems(this.#host.file, this.#items(references, MAX_SHAPE_BYTES), (i, bytes) => {
      const shape = parsePayloadShape(bytes, references.length(i), this.#refuse(rows.at(i)));
      shapes[i] = latest = sameShape(shape, latest) ? latest : shape;
    });
    const runs: { count: number; shape: readonly number[] | null }[] = [];
    for (const shape of shapes) {
      const last = runs.at(-1);
      const same = last?.shape === shape || (last?.shape && shape && sameShape(last.shape, shape));
      if (last !== undefined && same) last.count++;
      else runs.push({ count: 1, shape });
    }
    return runs;
  }

  *read(rows: Rows, shape: readonly number[], box: Box | null, target: CellTarget, at: number): Plan<void> {
    if (target.kind !== "strings") return;
    const wanted = box === null ? null : positionsOf(shape, box);
    const each = wanted?.length ?? elementsOf(shape);
    yield* this.#cells(rows, shape, (i, values) => {
      for (let k = 0; k < each; k++) {
        target.values[at + i * each + k] = target.decode(values[wanted === null ? k : wanted[k]!]!);
      }
    });
  }

  *write(rows: Rows, shape: readonly number[], box: Box | null, source: CellSource, at: number): Plan<void> {
    if (this.#fixed !== null) checkFixedShape(this.#bound, shape);
    if (source.kind !== "strings") return;
    const { values } = source;
    if (box === null) {
      const each = elementsOf(shape);
      const payload = (i: number) =>
        formatPayload(this.#head(shape), values.slice(at + i * each, at + (i + 1) * each));
      return yield* this.#put(rows, payload);
    }
    const positions = positionsOf(shape, box);
    const each = positions.length;
    if (each === 0) return;
    for (let start = 0; start < rows.length; start += BLOCK_ROWS) {
      const block = rows.sub(start, Math.min(rows.length, start + BLOCK_ROWS));
      const cells: Uint8Array[][] = [];
      yield* this.#cells(block, shape, (i, old) => cells[i] = old.map((value) => value.slice()));
      const latest = new Map<number, Uint8Array[]>();
      for (let i = 0; i < block.length; i++) {
        // A row that occurs twice keeps what both boxes put into it: they are the same box.
        const cell = latest.get(block.at(i)) ?? cells[i]!;
        latest.set(block.at(i), cell);
        positions.forEach((position, k) => cell[position] = values[at + (start + i) * each + k]!);
        cells[i] = cell;
      }
      yield* this.#put(block, (i) => formatPayload(this.#head(shape), cells[i]!));
    }
  }

  *setShape(rows: Rows, shape: readonly number[] | null): Plan<void> {
    checkSettable(this.#bound, shape);
    const payload = shape === null || this.#fixed !== null ? new Uint8Array(0) : formatPayload(shape, null);
    yield* this.#put(rows, () => payload);
  }

  bytesOnDisk(): number {
    return this.#area.bytes * this.#area.index.used + this.#host.outsideBytes("strings");
  }

  /** What a payload begins with: the shape, unless it is fixed. */
  #head(shape: readonly number[]): readonly number[] | null {
    return this.#fixed === null ? shape : null;
  }

  #refuse(row: number): (message: string) => never {
    return (message) => {
      throw new TableError("CORRUPT", `column ${this.#bound.name}, row ${row}: ${message}`, {
        file: this.#host.file.path,
      });
    };
  }

  #items(references: References, most = Infinity) {
    const { count } = references;
    const items = {
      bucket: new Int32Array(count),
      offset: new Int32Array(count),
      length: new Int32Array(count),
    };
    for (let i = 0; i < count; i++) {
      items.bucket[i] = references.bucket(i);
      items.offset[i] = references.offset(i);
      items.length[i] = Math.min(references.length(i), most);
    }
    return items;
  }

  /** Hands over all strings of each cell, in any order of cells; valid during the call only. */
  *#cells(
    rows: Rows,
    shape: readonly number[],
    use: (i: number, values: readonly Uint8Array[]) => void,
  ): Plan<void> {
    const references = yield* readReferences(this.#area, this.#area.pieces(rows), rows);
    const elements = elementsOf(shape);
    for (let i = 0; i < references.count; i++) {
      if (references.length(i) > 0) continue;
      if (this.#fixed === null) {
        this.#refuse(rows.at(i))("the cell is undefined, expected an array of strings");
      }
      use(i, emptyStrings(elements));
    }
    yield* readItems(this.#host.file, this.#items(references), (i, bytes) => {
      const refuse = this.#refuse(rows.at(i));
      if (this.#fixed === null) {
        const found = parsePayloadShape(bytes, bytes.length, refuse);
        if (!sameShape(found, shape)) {
          refuse(`the cell has shape [${found.join(", ")}], expected [${shape.join(", ")}]`);
        }
      }
      use(i, parsePayload(bytes, this.#fixed === null ? shape.length : null, elements, refuse));
    });
  }

  *#put(rows: Rows, payloadOf: (i: number) => Uint8Array): Plan<void> {
    let pieces = this.#area.pieces(rows);
    if (pieces.repeats) {
      const last = lastOfEach(rows);
      const original = payloadOf;
      rows = last.rows;
      payloadOf = (i) => original(last.index(i));
      pieces = this.#area.pieces(rows);
    }
    const references = yield* readReferences(this.#area, pieces, rows);
    const writer = new StringWriter(this.#host.file, this.#host.tail);
    this.#host.touched();
    for (let i = 0; i < references.count; i++) {
      const old = references.place(i), payload = payloadOf(i);
      references.setPlace(i, writer.putAtOnce(old, payload) ?? (yield* writer.put(old, payload)));
    }
    yield* writer.finish();
    yield* this.#area.write(pieces, REFERENCE_CELLS, null, references.bytes, 0);
  }
}

/** Positions within a cell of the elements that a box selects, first axis fastest. */
function positionsOf(shape: readonly number[], box: Box): number[] {
  let positions = [0];
  const strides = stridesOf(shape);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const step = strides[axis]! * box.step[axis]!, start = strides[axis]! * box.start[axis]!;
    const length = box.shape[axis]!;
    positions = positions.flatMap((position) =>
      Array.from({ length }, (_, i) => position + start + i * step)
    );
  }
  return positions;
}
