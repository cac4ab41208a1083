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

  /** The file if it has been opened. */
  get opened(): ArrayFile | null {
    return this.#open;
  }

  /** Plan: makes the file, without arrays; one of that name is no more. */
  *create(version: 0 | 1): Plan<ArrayFile> {
    const options = { path: this.#path, bigEndian: this.#bigEndian, version };
    return this.#open = yield* ArrayFile.create(this.name, options);
  }

  /** Plan: the open file. @throws TableError NOT_FOUND, CORRUPT, UNSUPPORTED */
  *open(): Plan<ArrayFile> {
    this.#open ??= yield* ArrayFile.open(this.name, { path: this.#path, bigEndian: this.#bigEndian });
    return this.#open;
  }
}
