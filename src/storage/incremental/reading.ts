/**
 * How the cells of a selection are reached: many by reading buckets whole, a few by looking them up.
 */
import type { Rows } from "../../array/rows.ts";
import type { Plan } from "../../io/plan.ts";
import type { BucketFile } from "./bucket-file.ts";
import { lookUp } from "./look-up.ts";
import { Pieces } from "./pieces.ts";
import type { ValueSink } from "./sinks.ts";
import { sweep } from "./sweep.ts";

/** So many rows are looked up one by one. */
const FEW_ROWS = 4;

/** Buckets of more bytes are not read whole. */
const MAX_WHOLE_BYTES = 1024 * 1024;

/** Plan: hands the stored values of a column that hold for `rows` to the sink, each with the rows it holds for. */
export function* readValues(file: BucketFile, column: number, rows: Rows, sink: ValueSink): Plan<void> {
  yield* file.settle();
  const pieces = new Pieces(rows, file.index, (row) => file.noSuchRow(row));
  const few = rows.length <= FEW_ROWS || file.bucketBytes > MAX_WHOLE_BYTES;
  yield* few ? lookUp(file, column, pieces, sink) : sweep(file, column, pieces, sink);
}
