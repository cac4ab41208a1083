/**
 * What CompressFloat and CompressComplex have in common: one scale and one offset of single precision, fixed or a pair
 * a row (format reference part 6, sections 4 and 5). Keywords, after the prefix `_CompressFloat_` or
 * `_CompressComplex_`:
 *
 * | keyword | type | meaning |
 * | --- | --- | --- |
 * | Scale, Offset | float | those of all rows, if Fixed |
 * | ScaleName, OffsetName | string | else the columns that have them |
 * | Fixed | bool | |
 * | AutoScale | bool | whether a put chooses scale and offset; a scale of 0 says that nothing was put into the row yet |
 */
import { bytesOf, type NumericData, numericInfo, type NumericType } from "../../array/dtype.ts";
import { type Box, elementsOf, type Rows, sameShape } from "../../array/rows.ts";
import type { RecordField } from "../../format/record.ts";
import type { Plan } from "../../io/plan.ts";
import type { BoundColumn, CellSource, ManagerContext, ManagerInfo, SettledSpec } from "../manager.ts";
import { type Extent, extentOf, insert, joined, scaleFor } from "./auto-scale.ts";
import type { EngineColumn } from "./engine.ts";
import { type Cells, MappedColumn } from "./mapped-column.ts";
import { type Factor, factorInfo, factorOf, factorsOf } from "./scaling.ts";
import { flagKeyword, keyword, type MappedSpec, settledFactor, textKeyword } from "./settle.ts";
import type { OtherColumn } from "./stored.ts";

/** What tells one compression from the others. Cells have `each` elements; number c has `scales[c]` and `offsets[c]`. */
export interface Compression {
  /** Virtual and stored type. */
  readonly types: readonly [virtual: NumericType, stored: NumericType];
  unpack(
    stored: NumericData,
    target: Float32Array,
    each: number,
    scales: Float32Array,
    offsets: Float32Array,
  ): void;
  pack(
    values: Float32Array,
    stored: NumericData,
    each: number,
    scales: Float32Array,
    offsets: Float32Array,
  ): void;
  /** Extent of those values that a scale is chosen for. */
  extent(values: Float32Array): Extent;
}

/** What the spec of a compressed column comes to. `keywords` follow the others. */
export function settleCompressed(
  spec: MappedSpec,
  type: string,
  prefix: string,
  { types: [virtual, stored] }: Compression,
  keywords: readonly RecordField[] = [],
): SettledSpec {
  spec.expectTypes(virtual, [stored]);
  const scale = settledFactor(spec, "scale", "float32", 1),
    offset = settledFactor(spec, "offset", "float32", 0);
  const fixed = scale.column === "", autoScale = spec.option("autoScale") ?? false;
  if (fixed !== (offset.column === "")) {
    spec.fail("scale and offset are both values or both names of columns");
  }
  if (typeof autoScale !== "boolean") spec.fail(`option autoScale is a boolean, found ${String(autoScale)}`);
  if (fixed && autoScale) spec.fail("autoScale needs columns for scale and offset");
  return spec.settled(type, [
    keyword(`${prefix}Scale`, scale.value),
    keyword(`${prefix}Offset`, offset.value),
    textKeyword(`${prefix}ScaleName`, scale.column),
    textKeyword(`${prefix}OffsetName`, offset.column),
    flagKeyword(`${prefix}Fixed`, fixed),
    flagKeyword(`${prefix}AutoScale`, autoScale as boolean),
    ...keywords,
  ]);
}

/** A column of floats or pairs of them, packed into integers. */
export class CompressedColumn extends MappedColumn {
  readonly #scale: Factor;
  readonly #offset: Factor;
  readonly #autoScale: boolean;
  /** Where scale and offset are put that were chosen for a row. */
  readonly #chosen: readonly [scale: OtherColumn, offset: OtherColumn] | null;
  readonly #compression: Compression;
  /** Array items of a value. */
  readonly #items: number;

  /** @throws TableError CORRUPT for keywords that are missing or wrong */
  constructor(context: ManagerContext, bound: BoundColumn, prefix: string, compression: Compression) {
    super(context, bound, ...compression.types);
    this.#compression = compression;
    this.#items = numericInfo(compression.types[0]).items;
    const fixed = this.parameters.flag(`${prefix}Fixed`);
    const factor = (value: string) =>
      factorOf(this.parameters, context, bound, "float32", {
        fixed,
        value: prefix + value,
        name: `${prefix}${value}Name`,
      });
    const scale = this.#scale = factor("Scale"), offset = this.#offset = factor("Offset");
    this.#autoScale = this.parameters.flag(`${prefix}AutoScale`);
    this.#chosen = this.#autoScale && scale.kind === "column" && offset.kind === "column"
      ? [scale.column, offset.column]
      : null;
  }

  /** The column and what `schema` prints of it. */
  described(): EngineColumn {
    const info: ManagerInfo = {
      stored: this.stored.name,
      scale: factorInfo(this.#scale),
      offset: factorInfo(this.#offset),
      autoScale: this.#autoScale,
    };
    return { column: this, info };
  }

  override *write(
    rows: Rows,
    cellShape: readonly number[],
    box: Box | null,
    source: CellSource,
    at: number,
  ): Plan<void> {
    if (this.#chosen === null) return yield* super.write(rows, cellShape, box, source, at);
    // Nothing is written unless everything can be.
    for (const column of [this.stored, ...this.#chosen]) yield* column.writable();
    const cells = { rows, cellShape, box };
    const values = this.valuesOf(cells, source, at) as Float32Array;
    // A box may be all of the cell, with steps along axes of length 1.
    if (box === null || sameShape(box.shape, cellShape)) {
      return yield* this.#writeCells({ ...cells, box: null }, values, this.#extents(values, rows.length));
    }
    const each = values.length / rows.length;
    for (let i = 0; i < rows.length; i++) {
      const part = values.subarray(i * each, (i + 1) * each);
      yield* this.#writePart(rows.sub(i, i + 1), cellShape, box, part);
    }
  }

  override *rowsAdded(rows: Rows): Plan<void> {
    yield* super.rowsAdded(rows);
    if (this.#chosen === null || rows.length === 0) return;
    const [scales] = this.#chosen;
    if ((yield* scales.find().open()).write !== undefined) {
      yield* scales.put(rows, new Float32Array(rows.length));
    }
  }

  protected *compute(rows: Rows, values: NumericData, target: NumericData): Plan<void> {
    const scales = yield* factorsOf(this.#scale, rows);
    const offsets = yield* factorsOf(this.#offset, rows);
    // With one scale for all rows they are like one large cell.
    const each = scales.perCell ? values.length / rows.length : values.length;
    this.#compression.unpack(
      values,
      target as Float32Array,
      each,
      scales.values as Float32Array,
      offsets.values as Float32Array,
    );
  }

  protected *pack(cells: Cells, values: NumericData): Plan<NumericData> {
    const scales = yield* factorsOf(this.#scale, cells.rows);
    const offsets = yield* factorsOf(this.#offset, cells.rows);
    return this.#packed(
      cells,
      values as Float32Array,
      scales.perCell ? cells.rows.length : 1,
      scales.values as Float32Array,
      offsets.values as Float32Array,
    );
  }

  /** Values packed; they are divided among `count` scales and offsets. */
  #packed(
    cells: Cells,
    values: Float32Array,
    count: number,
    scales: Float32Array,
    offsets: Float32Array,
  ): NumericData {
    const stored = this.forStored(cells);
    this.#compression.pack(values, stored, stored.length / count, scales, offsets);
    return stored;
  }

  /** Extents of `count` cells. */
  #extents(values: Float32Array, count: number): Extent[] {
    const each = values.length / count;
    return Array.from(
      { length: count },
      (_, i) => this.#compression.extent(values.subarray(i * each, (i + 1) * each)),
    );
  }

  /** Plan: writes whole cells with scales and offsets that are right for their extents. */
  *#writeCells(cells: Cells, values: Float32Array, extents: readonly Extent[]): Plan<void> {
    const scales = new Float32Array(extents.length), offsets = new Float32Array(extents.length);
    extents.forEach((extent, i) => [scales[i], offsets[i]] = scaleFor(extent) as [number, number]);
    yield* this.writeStored(cells, this.#packed(cells, values, extents.length, scales, offsets));
    const [scaleColumn, offsetColumn] = this.#chosen!;
    yield* scaleColumn.put(cells.rows, scales);
    yield* offsetColumn.put(cells.rows, offsets);
  }

  /** Plan: writes a part of one cell; all of it is packed anew where its scale doesn't do for the part. */
  *#writePart(row: Rows, cellShape: readonly number[], box: Box, part: Float32Array): Plan<void> {
    const scales = yield* factorsOf(this.#scale, row), offsets = yield* factorsOf(this.#offset, row);
    const scale = Number(scales.values[0]), offset = Number(offsets.values[0]);
    const extent = this.#compression.extent(part);
    const none = Number.isNaN(extent[0]);
    if (scale === 0 && none) return;
    const held = extentOf(scale, offset);
    if (scale !== 0 && (none || (extent[0] >= held[0] && extent[1] <= held[1]))) {
      const cells = { rows: row, cellShape, box };
      return yield* this.writeStored(
        cells,
        this.#packed(cells, part, 1, scales.values as Float32Array, offsets.values as Float32Array),
      );
    }
    const cell = new Float32Array(elementsOf(cellShape) * this.#items);
    if (scale === 0) cell.fill(NaN);
    else yield* this.read(row, cellShape, null, { kind: "numeric", bytes: bytesOf(cell) }, 0);
    insert(cell, cellShape, box, part, this.#items);
    const whole = { rows: row, cellShape, box: null };
    yield* this.#writeCells(whole, cell, [scale === 0 ? extent : joined(held, extent)]);
  }
}
