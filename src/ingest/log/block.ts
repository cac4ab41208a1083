/**
 * Rows that are in a log and in no segment yet, as those who read them see them: batches behind each other, in memory
 * or in the log's file.
 */

/** Where the values of a column of a batch lie. */
export interface ColumnPlace {
  /** Bytes from the block's start. */
  readonly offset: number;
  readonly bytes: number;
}

/** A batch: rows that were appended by one call. */
export interface BatchPlace {
  /** Sequence number of its first row. */
  readonly firstSequence: number;
  readonly rows: number;
  /** Where its header begins: bytes from the block's start. */
  readonly offset: number;
  /** Header and values: the next batch may begin behind them. */
  readonly bytes: number;
  /** By the number of the column in the schema. */
  readonly columns: readonly ColumnPlace[];
}

/** Batches that follow each other in a log, wherever their bytes are now. Its content never changes. */
export interface GrowingBlock {
  /** Number of the log. */
  readonly log: number;
  /** Sequence number of its first row. */
  readonly firstSequence: number;
  /** At least 1. */
  readonly rows: number;
  /** Bytes from the start of its first batch to the end of its last one. */
  readonly bytes: number;
  /** Its batches in order, found by walking their headers. @throws TableError CORRUPT, IO, CLOSED */
  batches(): readonly BatchPlace[];
  /**
   * Copies bytes from the block: from memory while it is there, else from the log's file.
   *
   * @param offset Bytes from the block's start
   * @throws TableError OUT_OF_RANGE, IO; CLOSED when the log was forgotten and nobody held it
   */
  read(offset: number, target: Uint8Array): void;
  /**
   * The block's bytes while they are in memory, else null. To be looked at in the same synchronous stretch only: the memory
   * is used again for later rows.
   */
  readonly memory: Uint8Array<ArrayBuffer> | null;
  /** Keeps the log's file open until {@linkcode release}, even if the log becomes a segment meanwhile. */
  hold(): void;
  /** Ends a {@linkcode hold}. */
  release(): void;
}
