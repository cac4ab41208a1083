/**
 * Writes the files of a StManAipsIO in memory, in every form that the format allows: old versions, any division into
 * chunks, offsets with and without the marker.
 */
import { codeOf, isNumeric } from "../../src/array/dtype.ts";
import { elementsOf } from "../../src/array/rows.ts";
import { AipsWriter } from "../../src/format/aipsio.ts";
import { runSync } from "../../src/io/drivers.ts";
import type { TableFiles } from "../../src/io/files.ts";
import { stManAipsIO } from "../../src/storage/aipsio/mod.ts";
import { ArrayFile } from "../../src/storage/arrayfile/array-file.ts";
import type { BoundColumn, StorageManager } from "../../src/storage/manager.ts";
import { type ModelColumn, putFile, storedNumbers, storedStrings } from "./storage_incremental_support.ts";
import { contextOf } from "./storage_managed_support.ts";

/** How the files are laid out. */
export interface AipsLayout {
  /** Of all objects; 2 if left out. */
  readonly version?: number;
  /** Of the objects inside those of direct arrays, where it differs. */
  readonly innerVersion?: number;
  /** Rows at which a new chunk starts. */
  readonly cuts?: readonly number[];
  /** The last chunk says 0 rows, which means the rest. */
  readonly openEnd?: boolean;
  /** Every n-th offset has the marker. */
  readonly marked?: number;
}

function isIndirect(bound: BoundColumn): boolean {
  return bound.kind === "record" || (bound.kind === "array" && !bound.direct);
}

/** Writes a StManAipsIO with sequence number 0 and the name `Model`. */
export function writeAips(
  files: TableFiles,
  columns: readonly ModelColumn[],
  rowCount: number,
  layout: AipsLayout = {},
): void {
  const { version = 2 } = layout;
  const writer = new AipsWriter();
  writer.root("StManAipsIO", version);
  if (version > 1) writer.string("Model");
  const indirect = columns.filter(({ bound }) => isIndirect(bound));
  for (const word of [0, indirect.length, rowCount, columns.length]) writer.u32(word);
  for (const { bound } of columns) {
    writer.i32(bound.kind === "record" ? codeOf("uint8") : codeOf(bound.dtype));
  }
  let common: ArrayFile | undefined, next = 0;
  const create = (name: string) =>
    runSync(ArrayFile.create(name, { path: name, bigEndian: true, version: 0 }), files);
  for (const column of columns) {
    if (!isIndirect(column.bound)) {
      writeValues(writer, column, layout);
      continue;
    }
    const arrays = version === 1 ? create(`table.f0i${next}`) : common ??= create("table.f0i");
    writeIndirect(writer, column, next++, storeArrays(files, arrays, column), layout);
    runSync(arrays.settle(), files);
    runSync(arrays.flush(), files);
  }
  writer.end();
  putFile(files, "table.f0", writer.finish());
}

/** First row and end of each chunk. */
function chunksOf(rowCount: number, cuts: readonly number[] = []): [first: number, end: number][] {
  const starts = [...new Set([0, ...cuts.filter((cut) => cut > 0 && cut < rowCount)])].sort((a, b) => a - b);
  return rowCount === 0 ? [] : starts.map((first, i) => [first, starts[i + 1] ?? rowCount]);
}

/** The rows of a chunk as it says them. */
function said(first: number, end: number, rowCount: number, layout: AipsLayout): number {
  return layout.openEnd && end === rowCount ? 0 : end - first;
}

function writeValues(writer: AipsWriter, { bound, cells }: ModelColumn, layout: AipsLayout): void {
  const array = bound.kind === "array",
    { version = 2 } = layout,
    innerVersion = layout.innerVersion ?? version;
  const n = array ? elementsOf(bound.shape!) : 1;
  if (array) {
    writer.begin("StManColumnArrayAipsIO", version);
    if (version === 1) {
      writer.i32(codeOf(bound.dtype));
      writer.iposition(bound.shape!);
      writer.u32(n);
    }
  }
  writer.begin("StManColumnAipsIO", innerVersion);
  writer.u32(cells.length);
  const rowCounts = array && innerVersion === 1;
  for (const [first, end] of chunksOf(cells.length, layout.cuts)) {
    writer.u32(said(first, end, cells.length, layout));
    if (!rowCounts) writer.u32((end - first) * n);
    if (bound.dtype === "bool" && !array) {
      const data = Uint8Array.from(cells.slice(first, end), Number);
      writer.bytes(storedNumbers(bound, { dtype: "bool", shape: [data.length], data }, true));
      continue;
    }
    for (const cell of cells.slice(first, end)) {
      if (rowCounts) writer.u32(n);
      if (isNumeric(bound.dtype)) writer.bytes(storedNumbers(bound, cell, true));
      else for (const text of storedStrings(cell)) writer.string(text);
    }
  }
  writer.end();
  if (array) writer.end();
}

function storeArrays(files: TableFiles, arrays: ArrayFile, { bound, cells }: ModelColumn): number[] {
  const dtype = bound.dtype === "record" ? "uint8" : bound.dtype;
  return cells.map((cell) => {
    if (cell === null) return 0;
    const { shape, data } = cell as { shape: number[]; data: Uint8Array };
    const source = dtype === "string"
      ? { kind: "strings", values: storedStrings(cell) } as const
      : { kind: "numeric", bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) } as const;
    return runSync(arrays.append(shape, dtype, 1, source, 0), files)[0]!;
  });
}

function writeIndirect(
  writer: AipsWriter,
  { bound }: ModelColumn,
  number: number,
  offsets: readonly number[],
  layout: AipsLayout,
): void {
  const { version = 2 } = layout;
  writer.begin("StManColumnIndArrayAipsIO", version);
  writer.i32(bound.dtype === "record" ? codeOf("uint8") : codeOf(bound.dtype));
  writer.u32(number);
  writer.begin("StManColumnAipsIO", version);
  writer.u32(offsets.length);
  for (const [first, end] of chunksOf(offsets.length, layout.cuts)) {
    writer.u32(said(first, end, offsets.length, layout));
    for (let row = first; row < end; row++) {
      if (layout.marked !== undefined && row % layout.marked === 0) {
        writer.u32(0x80000001);
        writer.i64(offsets[row]!);
      } else writer.u32(offsets[row]!);
    }
  }
  writer.end();
  writer.end();
}

/** Opens what is in `table.f0`. */
export function openAips(
  files: TableFiles,
  columns: readonly BoundColumn[],
  rowCount: number,
  bigEndian = false,
): StorageManager {
  const context = contextOf({ type: "StManAipsIO", columns, rowCount, bigEndian });
  return runSync(stManAipsIO.open(context, new Uint8Array(0)), files);
}
