/** Reading the values of many array records of one shape: one gather step in file order. */
import type { NumericType } from "../../array/dtype.ts";
import { MoveList } from "../../array/moves.ts";
import type { Box } from "../../array/rows.ts";
import type { Plan } from "../../io/plan.ts";
import type { ArrayFile } from "./array-file.ts";
import { type CellAxes, cellAxes, type Unit, unitOf } from "./cells.ts";
import { ExtentBuilder, MAX_EXTENT_BYTES, MAX_GAP_BYTES } from "./extents.ts";
import { packedType, type StoredType } from "./record-layout.ts";
import { type RecordRun, recordRuns } from "./record-runs.ts";

/** Reads a box of every record into `target`; offsets were checked. */
export function* readRecords(
  file: ArrayFile,
  offsets: Float64Array,
  shape: readonly number[],
  dtype: StoredType,
  box: Box | null,
  target: Uint8Array,
  at: number,
): Plan<void> {
  const { moves, extents } = recordMoves(file, offsets, shape, packedType(dtype), box, at);
  yield { kind: "gather", file: file.file, extents: extents.finish(), moves, target };
}

/** The moves of a box of every record, and their extents, in file order. The box is not empty. */
export function recordMoves(
  file: ArrayFile,
  offsets: Float64Array,
  shape: readonly number[],
  dtype: NumericType,
  box: Box | null,
  at: number,
): { moves: MoveList; extents: ExtentBuilder } {
  const unit = unitOf(dtype, file.bigEndian);
  const axes = cellAxes(shape, box, unit.parts);
  const layout = file.layout(dtype, shape);
  const runs = recordRuns(offsets, layout.bytes);
  const moves = new MoveList(unit.kind, axes.shape.length + 1, unit.size, unit.swapUnit, runs.length);
  const extents = new ExtentBuilder();
  for (const run of runs) {
    pushRun(run, layout.head, unit, axes, at, moves, extents);
  }
  return { moves, extents };
}

/** One move for each piece of a run that is read at once. */
function pushRun(
  run: RecordRun,
  head: number,
  unit: Unit,
  axes: CellAxes,
  at: number,
  moves: MoveList,
  extents: ExtentBuilder,
): void {
  const { count, stride, index } = run;
  const first = Math.floor(axes.begin * unit.bits / 8);
  const span = Math.ceil(axes.end * unit.bits / 8) - first;
  const each = stride > 0 && stride - span <= MAX_GAP_BYTES
    ? Math.max(1, Math.floor(MAX_EXTENT_BYTES / stride))
    : 1;
  const unitStride = stride * 8 / unit.bits;
  for (let i = 0; i < count; i += each) {
    const n = Math.min(each, count - i);
    const data = run.offset + i * stride + head;
    moves.push(
      unit.kind === "bits" ? data * 8 + axes.begin : data + axes.begin * unit.size,
      at * unit.parts + (index + i) * axes.box,
      [...axes.shape, n],
      [...axes.fileStrides, unitStride],
      [...axes.arrayStrides, axes.box],
    );
    extents.add(data + first, data + (n - 1) * stride + first + span);
  }
}
