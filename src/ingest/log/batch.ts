/**
 * A batch: the rows of one append, from values to bytes.
 */
import { TableError } from "../../error.ts";
import type { IngestColumn, IngestSchema } from "../schema.ts";
import type { ColumnPlace } from "./block.ts";
import { type ColumnPlan, type IngestRows, type IngestValues, planColumn, planDefaults } from "./columns.ts";
import { BATCH_ALIGNMENT, batchHeaderBytes, MAX_BATCH_BYTES, roundUp, writeBatchHeader } from "./format.ts";

/** Rows whose values were checked, and where they will lie. */
export interface BatchPlan {
  readonly rows: number;
  /** Header and values: a multiple of 64. */
  readonly bytes: number;
  /** Bytes of values, without padding. */
  readonly valueBytes: number;
  /**
   * Writes the batch into `target`, which has `bytes` bytes.
   *
   * @throws TableError INVALID_ARGUMENT when the values' memory was moved away since they were checked
   */
  write(target: Uint8Array, place: { log: number; firstSequence: number; durable: number }): void;
}

/** A column of the batch, either given or left out. */
function given(column: IngestColumn, values: IngestRows): IngestValues | undefined {
  return Object.hasOwn(values, column.name) ? values[column.name] : undefined;
}

/**
 * Checks values for new rows and says what they take. Nothing is copied yet: the values are borrowed until the batch is
 * written.
 *
 * @throws TableError NO_SUCH_COLUMN, TYPE_MISMATCH, SHAPE_MISMATCH; OUT_OF_RANGE for a number that the type doesn't hold or a
 * string that is too long; LIMIT beyond 1 GiB
 */
export function planBatch(schema: IngestSchema, values: IngestRows): BatchPlan {
  if (typeof values !== "object" || values === null) {
    throw new TableError("TYPE_MISMATCH", "append takes an object with the values of columns");
  }
  for (const name of Object.keys(values)) schema.indexOf(name);
  let rows = -1, from = "";
  const plans: (ColumnPlan | undefined)[] = schema.columns.map((column) => {
    const data = given(column, values);
    if (data === undefined) return undefined;
    const plan = planColumn(column, data);
    if (rows !== -1 && plan.rows !== rows) {
      throw new TableError(
        "SHAPE_MISMATCH",
        `append: ${rows} rows given for column ${from}, ${plan.rows} for ${column.name}`,
      );
    }
    rows = plan.rows;
    from = column.name;
    return plan;
  });
  rows = Math.max(0, rows);
  const headerBytes = batchHeaderBytes(plans.length), columns: ColumnPlace[] = [];
  let end = headerBytes, valueBytes = 0;
  const full = plans.map((given, i) => {
    const plan = given ?? planDefaults(schema.columns[i]!, rows);
    columns.push({ offset: end, bytes: plan.bytes });
    valueBytes += plan.bytes;
    end = roundUp(end + plan.bytes, BATCH_ALIGNMENT);
    return plan;
  });
  if (end > MAX_BATCH_BYTES) {
    throw new TableError(
      "LIMIT",
      `append: a batch of ${end} bytes, expected at most ${MAX_BATCH_BYTES}: give the rows in several`,
    );
  }
  return {
    rows,
    bytes: end,
    valueBytes,
    write(target, { log, firstSequence, durable }) {
      full.forEach((plan, i) => {
        const { offset, bytes } = columns[i]!, after = offset + bytes;
        plan.write(target.subarray(offset, after));
        target.fill(0, after, roundUp(after, BATCH_ALIGNMENT));
      });
      writeBatchHeader(target, { log, firstSequence, durable, rows, columns });
    },
  };
}
