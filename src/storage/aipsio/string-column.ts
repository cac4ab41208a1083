/**
 * A column of strings, scalars or direct arrays: uInt length and bytes each, one after the other. Where every few rows
 * start is found once, by walking over all of them; from there on cells are reached by walking over a few.
 */
import { type Box, elementsOf, type Rows, stridesOf } from "../../array/rows.ts";
import type { Plan } from "../../io/plan.ts";
import type { CellTarget, ManagedColumn, ShapeRun } from "../manager.ts";
import type { AipsFile } from "./aips-file.ts";
import { checkRowCount, type Chunk, type ChunkForm, chunkOf, eachChunk, valuesForm } from "./chunks.ts";
import { sortedRuns } from "./row-pieces.ts";
import { Scan } from "./scan.ts";

/** Bytes of a length. */
const WORD_BYTES = 4;

/** Strings, about, between two places that are remembered. */
const MARK_STRINGS = 64;

interface Layout {
  /** Rows whose values follow each other without anything between. */
  readonly blocks: readonly Chunk[];
  readonly form: ChunkForm;
  readonly end: number;
}

type StringTarget = Extract<CellTarget, { kind: "strings" }>;

/** Strings in the file. */
export class StringColumn implements ManagedColumn {
  readonly #file: AipsFile;
  readonly #number: number;
  readonly #shape: readonly number[];
  #layout: Layout | null = null;

  constructor(file: AipsFile, number: number, shape: readonly number[]) {
    this.#file = file;
    this.#number = number;
    this.#shape = shape;
  }

  // deno-lint-ignore require-yield
  *shapes(rows: Rows): Plan<ShapeRun[]> {
    return [{ count: rows.length, shape: this.#shape }];
  }

  *read(
    rows: Rows,
    cellShape: readonly number[],
    box: Box | null,
    target: CellTarget,
    at: number,
  ): Plan<void> {
    const cell = elementsOf(box?.shape ?? cellShape);
    if (target.kind !== "strings" || rows.length === 0 || cell === 0) return;
    const { blocks, form, end } = this.#layout ??= yield* this.#findBlocks();
    const places = box === null ? null : elementsInBox(cellShape, box);
    const scan = new Scan(this.#file, 0, end);
    // The row where the scan stands, and the block that it is in.
    let next = -1, block = -1;
    for (
      const { row, count, index } of sortedRuns(rows, this.#file.rowCount, (r) => this.#file.noSuchRow(r))
    ) {
      for (let i = 0; i < count; i++) {
        const wanted = row + i;
        if (block < 0 || wanted < next || wanted >= blocks[block]!.firstRow + blocks[block]!.rows) {
          block = chunkOf(blocks, wanted);
          next = blocks[block]!.firstRow;
          scan.position = blocks[block]!.at;
        }
        for (; next < wanted; next++) yield* skipCell(scan, form);
        yield* readCell(scan, form, places, target, at + (index + i) * cell);
        next++;
      }
    }
  }

  *#findBlocks(): Plan<Layout> {
    const file = this.#file, body = yield* file.body(this.#number);
    const array = file.columns[this.#number]!.kind === "array", elements = elementsOf(this.#shape);
    const form = valuesForm(body.version, array, elements);
    const blocks: Chunk[] = [], each = Math.max(1, Math.floor(MARK_STRINGS / elements));
    yield* eachChunk(file, body, file.rowCount, form.chunkCounts ? form : null, function* (chunk, scan) {
      // Cells without strings take no room, however many they are.
      if (elements === 0 && !form.rowCounts) return;
      scan.checkRoom(chunk.rows * WORD_BYTES);
      for (let done = 0; done < chunk.rows; done += each) {
        const rows = Math.min(each, chunk.rows - done);
        blocks.push({ firstRow: chunk.firstRow + done, rows, at: scan.position });
        for (let i = 0; i < rows; i++) yield* skipCell(scan, form);
      }
    });
    return { blocks, form, end: body.end };
  }
}

/** Plan: moves the scan over a cell. */
function* skipCell(scan: Scan, form: ChunkForm): Plan<void> {
  if (form.rowCounts) yield* checkRowCount(scan, form.elements);
  for (let k = 0; k < form.elements; k++) {
    if (!scan.has(WORD_BYTES)) yield* scan.need(WORD_BYTES);
    const length = scan.u32();
    scan.checkRoom(length, scan.position - WORD_BYTES);
    scan.position += length;
  }
}

/** Plan: decodes a cell, or those elements of it that `places` lists in ascending order. */
function* readCell(
  scan: Scan,
  form: ChunkForm,
  places: Float64Array | null,
  target: StringTarget,
  at: number,
): Plan<void> {
  if (form.rowCounts) yield* checkRowCount(scan, form.elements);
  let next = 0;
  for (let k = 0; k < form.elements; k++) {
    if (!scan.has(WORD_BYTES)) yield* scan.need(WORD_BYTES);
    const length = scan.u32();
    if (places !== null && places[next] !== k) {
      scan.checkRoom(length, scan.position - WORD_BYTES);
      scan.position += length;
      continue;
    }
    if (!scan.has(length)) yield* scan.need(length);
    target.values[at + next++] = target.decode(scan.bytes(length));
  }
}

/** The elements of a cell that a box selects, in order. */
function elementsInBox(cellShape: readonly number[], box: Box): Float64Array {
  const places = new Float64Array(elementsOf(box.shape)), strides = stridesOf(cellShape);
  const position = box.shape.map(() => 0);
  for (let place = 0; place < places.length; place++) {
    let k = 0;
    position.forEach((p, a) => k += (box.start[a]! + p * box.step[a]!) * strides[a]!);
    places[place] = k;
    for (let a = 0; a < position.length && ++position[a]! === box.shape[a]; a++) position[a] = 0;
  }
  return places;
}
