/**
 * An array file that is opened when a column first needs it, so that the others can be read without it.
 */
import type { Plan } from "../../io/plan.ts";
import { ArrayFile } from "./array-file.ts";

/** The promise of an array file; columns may share it. */
export class LazyArrayFile {
  readonly name: string;
  readonly #path: string;
  readonly #bigEndian: boolean;
  #open: ArrayFile | null = null;

  constructor(name: string, path: string, bigEndian: boolean) {
    this.name = name;
    this.#path = path;
    this.#bigEndian = bigEndian;
  }

  /** Plan: the open file. @throws TableError NOT_FOUND, CORRUPT, UNSUPPORTED */
  *open(): Plan<ArrayFile> {
    this.#open ??= yield* ArrayFile.open(this.name, { path: this.#path, bigEndian: this.#bigEndian });
    return this.#open;
  }
}
