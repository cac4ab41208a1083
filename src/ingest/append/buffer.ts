/**
 * A group: the batches that one write brings to a log, in the buffer in which they are put together.
 */
import { roundUp } from "../log/format.ts";
import type { BatchPlan } from "../log/batch.ts";
import { type BlockPlace, StoredBlock } from "../log/stored.ts";
import type { GrowingLog } from "./growing-log.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** An append whose promise is to be settled. */
export interface Waiter {
  readonly resolve: (sequence: number) => void;
  readonly reject: (error: unknown) => void;
  readonly sequence: number;
}

/** `filling`: takes batches. `frozen`: takes no more. `writing`, `written`: to the file. `durable`: synced. */
export type GroupState = "filling" | "frozen" | "writing" | "written" | "durable";

/** Batches behind each other in a buffer. */
export class Group {
  readonly log: GrowingLog;
  /** Where it goes in the log's file. */
  readonly offset: number;
  readonly firstSequence: number;
  /** What its blocks know of it: they are there long after the group is done with. */
  readonly #place: BlockPlace;
  state: GroupState = "filling";
  /** When the first batch came, in milliseconds. */
  readonly begun: number = performance.now();
  /** Appends that wait until it is durable. */
  readonly waiters: Waiter[] = [];
  /** When each of its appends was called, in milliseconds. */
  readonly starts: number[] = [];
  readonly #capacity: number;
  #used = 0;
  #rows = 0;

  /** @param memory The buffer; as long as a multiple of the log's blocks */
  constructor(log: GrowingLog, offset: number, firstSequence: number, memory: Bytes) {
    this.log = log;
    this.offset = offset;
    this.firstSequence = firstSequence;
    this.#place = { log, offset, memory };
    this.#capacity = memory.length;
  }

  /** The buffer; null once it is used for something else. */
  get memory(): Bytes | null {
    return this.#place.memory;
  }

  /** Lets go of the buffer; its blocks are read from the file from now on. */
  giveUp(): Bytes {
    const memory = this.#place.memory!;
    this.#place.memory = null;
    return memory;
  }

  /** Bytes of its batches. */
  get used(): number {
    return this.#used;
  }

  get rows(): number {
    return this.#rows;
  }

  /** Sequence number behind its last row. */
  get endSequence(): number {
    return this.firstSequence + this.#rows;
  }

  /** Bytes in the file, up to a block border. */
  get fileBytes(): number {
    return roundUp(this.#used, this.log.blockBytes);
  }

  /** True when a batch of so many bytes can be added. */
  fits(bytes: number): boolean {
    return this.state === "filling" && this.#used + bytes <= this.#capacity;
  }

  /**
   * Adds a batch; gives its first sequence number. Content comes first, then all sizes at once: whoever looks sees whole
   * batches only, and a batch that can't be written leaves nothing.
   *
   * @throws TableError INVALID_ARGUMENT when the values' memory was moved away
   */
  add(plan: BatchPlan): number {
    const firstSequence = this.endSequence, at = this.#used;
    plan.write(this.memory!.subarray(at, at + plan.bytes), {
      log: this.log.id,
      firstSequence,
      durable: this.log.durable,
    });
    this.#used = at + plan.bytes;
    this.#rows += plan.rows;
    return firstSequence;
  }

  /** Takes no more batches; fills the last block with zeros. */
  freeze(): void {
    this.state = "frozen";
    this.memory!.fill(0, this.#used, this.fileBytes);
  }

  /** The bytes to write. */
  get content(): Bytes {
    return this.memory!.subarray(0, this.fileBytes);
  }

  /** The batches that there are now, for readers. */
  block(): StoredBlock {
    return new StoredBlock(this.#place, this.firstSequence, this.#rows, this.#used);
  }
}
