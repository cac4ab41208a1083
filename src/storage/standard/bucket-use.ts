/**
 * What each bucket of a StandardStMan is, as a check finds out: buckets carry no mark of their own (format reference
 * part 2, section 2).
 */
import type { Findings } from "../findings.ts";
import type { BucketFile } from "./bucket-file.ts";

/** What a bucket can be. */
export const UNKNOWN = 0, DATA = 1, INDEX = 2, FREE = 3, STRING = 4;
/** What messages call a bucket of each use. */
export const USE_NAMES: readonly string[] = [
  "nothing that is known",
  "a data bucket",
  "an index bucket",
  "a free bucket",
  "a string bucket",
];

/** What each bucket was found to be. */
export class BucketUse {
  readonly uses: Uint8Array;
  readonly #file: BucketFile;
  readonly #findings: Findings;

  constructor(file: BucketFile, findings: Findings) {
    this.uses = new Uint8Array(file.buckets);
    this.#file = file;
    this.#findings = findings;
  }

  /** Says what a bucket is; false if it was something already. */
  take(bucket: number, use: number): boolean {
    const before = this.uses[bucket]!;
    if (before === UNKNOWN) {
      this.uses[bucket] = use;
      return true;
    }
    const again = before === use
      ? `${USE_NAMES[use]} twice`
      : `${USE_NAMES[before]} and ${USE_NAMES[use]} at once`;
    this.#findings.wrong(`bucket ${bucket} is ${again}`, this.#file.path, this.#file.offsetOf(bucket));
    return false;
  }
}
