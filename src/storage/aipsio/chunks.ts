/**
 * The chunks of a column's values, object `StManColumnAipsIO`: format reference part 3, section B2.
 *
 * | | scalar, direct array v2 | direct array v1 | indirect array |
 * | --- | --- | --- | --- |
 * | once | uInt rows | uInt rows | uInt rows |
 * | a chunk | uInt its rows, uInt its rows × n | uInt its rows | uInt its rows |
 * | its values | packed, n a row | a row after the other: uInt n, n values | an offset a row |
 *
 * n is the number of elements of a cell. A chunk that says 0 rows takes all the rest. Bits of scalars follow each other
 * through the chunk, those of an array start with a byte.
 */
import type { Plan } from "../../io/plan.ts";
import type { ColumnBody } from "./column-object.ts";
import { Scan, type ScanFile } from "./scan.ts";

/** Bytes of a count. */
const WORD_BYTES = 4;

/** What stands between the values of a column. */
export interface ChunkForm {
  /** Elements of a cell. */
  readonly elements: number;
  /** The rows of a chunk are followed by its number of elements. */
  readonly chunkCounts: boolean;
  /** Each row starts with its number of elements. */
  readonly rowCounts: boolean;
}

/** The form of a column of scalars or direct arrays. */
export function valuesForm(version: number, array: boolean, elements: number): ChunkForm {
  const rowCounts = array && version === 1;
  return { elements, chunkCounts: !rowCounts, rowCounts };
}

/** Rows of a chunk, and where its values start. */
export interface Chunk {
  readonly firstRow: number;
  readonly rows: number;
  readonly at: number;
}

/** Plan: the chunks of a column, one at a time: `use` is a plan that moves the scan over the values of each. */
export function* eachChunk(
  file: ScanFile,
  body: ColumnBody,
  rowCount: number,
  chunkCounts: { readonly elements: number } | null,
  use: (chunk: Chunk, scan: Scan) => Plan<void>,
): Plan<void> {
  const scan = new Scan(file, body.at, body.end);
  yield* scan.need(WORD_BYTES);
  const rows = scan.u32();
  if (rows !== rowCount) scan.fail(`a column has ${rows} rows, the file ${rowCount}`, body.at);
  for (let firstRow = 0; firstRow < rowCount;) {
    const start = scan.position, left = rowCount - firstRow;
    yield* scan.need(chunkCounts === null ? WORD_BYTES : 2 * WORD_BYTES);
    const said = scan.u32(), count = said === 0 ? left : said;
    if (count > left) scan.fail(`a chunk has ${count} rows, there are ${left}`, start);
    if (chunkCounts !== null) {
      const elements = scan.u32(), expected = count * chunkCounts.elements;
      // The count wraps with its 32 bits.
      if (elements !== expected % 2 ** 32) {
        scan.fail(
          `a chunk has ${elements} values, expected ${expected} for ${count} rows`,
          start + WORD_BYTES,
        );
      }
    }
    yield* use({ firstRow, rows: count, at: scan.position }, scan);
    firstRow += count;
  }
  if (scan.position !== body.end) {
    scan.fail(`the values of a column end here, their object at ${body.end}`, scan.position);
  }
}

/** Plan: moves the scan over `rows` rows of values of `rowBytes` bytes each, and checks the counts before them. */
export function* skipRows(scan: Scan, rows: number, rowBytes: number, form: ChunkForm): Plan<void> {
  const stride = rowBytes + (form.rowCounts ? WORD_BYTES : 0);
  scan.checkRoom(rows * stride);
  if (form.rowCounts) {
    for (let i = 0; i < rows; i++) {
      yield* checkRowCount(scan, form.elements);
      scan.position += rowBytes;
    }
  } else scan.position += rows * stride;
}

/** Plan: takes the count before a row's values. @throws TableError CORRUPT if it is another */
export function* checkRowCount(scan: Scan, elements: number): Plan<void> {
  const at = scan.position;
  yield* scan.need(WORD_BYTES);
  const found = scan.u32();
  if (found !== elements) scan.fail(`a row has ${found} values, expected ${elements}`, at);
}

/** The chunk that holds a row, among chunks in ascending order that hold all rows. */
export function chunkOf<C extends { readonly firstRow: number }>(chunks: readonly C[], row: number): number {
  let low = 0, high = chunks.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (chunks[middle]!.firstRow <= row) low = middle;
    else high = middle;
  }
  return low;
}
