/**
 * The parts of buckets that cells were looked up in last, decoded: so reading cell by cell does not search through
 * the counts and rows of a bucket each time. Bounded; the bytes themselves are the page cache's business.
 */
import type { ColumnPlace } from "./bucket.ts";
import type { Entries } from "./bucket.ts";

/** Where the columns of a bucket have their entries. */
export interface BucketPlan {
  /** Bytes from the bucket's start to the end of its data. */
  readonly dataEnd: number;
  readonly rowBytes: number;
  readonly columns: readonly ColumnPlace[];
}

/** Numbers that are kept in all, in columns of buckets or in entries: half a megabyte or so. */
const MAX_NUMBERS = 65536;

/** What an element costs beside its numbers. */
const ELEMENT_NUMBERS = 16;

/** Forgets what was used longest ago. */
class Recent<T> {
  readonly #kept = new Map<number, { readonly value: T; readonly cost: number }>();
  #cost = 0;

  get(key: number): T | undefined {
    const found = this.#kept.get(key);
    if (found === undefined) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, found);
    return found.value;
  }

  set(key: number, value: T, numbers: number): void {
    const cost = numbers + ELEMENT_NUMBERS;
    if (cost > MAX_NUMBERS) return;
    this.#kept.set(key, { value, cost });
    this.#cost += cost;
    for (const [oldest, { cost: freed }] of this.#kept) {
      if (this.#cost <= MAX_NUMBERS) break;
      this.#kept.delete(oldest);
      this.#cost -= freed;
    }
  }
}

/** What is kept for one manager. */
export class PartCache {
  /** By position of the bucket in the index. */
  readonly plans: Recent<BucketPlan> = new Recent();
  /** By position of the bucket × number of columns + column. */
  readonly entries: Recent<Entries> = new Recent();
}
