/**
 * What recovery knows of one table's directory while it goes through it, and what it found.
 */
import { resolve } from "node:path";
import type { Backend } from "../io/backend.ts";
import type { RecoverOptions } from "./recover.ts";

/** Something that recovery found. */
export interface RecoverFinding {
  /**
   * `journal`: a commit that was not finished. `table.dat`, `table.lock`: the file is missing, damaged, or doesn't fit the
   * others. `rows`: row counts that disagree. `orphan`: a file that nothing refers to. `table`: what can't be repaired here.
   */
  readonly kind: "journal" | "table.dat" | "table.lock" | "rows" | "orphan" | "table";
  /** The file, or the table's directory. */
  readonly file: string;
  /** What is wrong. */
  readonly message: string;
  /** More of it, a line each. */
  readonly details: readonly string[];
  /** What repairs it; null: nothing does here. */
  readonly remedy: string | null;
  /** True when that was done. */
  readonly done: boolean;
}

/** A finding before anything is done about it. */
export interface Diagnosis {
  readonly kind: RecoverFinding["kind"];
  /** Name in the table's directory; left out: the directory itself. */
  readonly file?: string;
  readonly message: string;
  readonly details?: readonly string[];
}

/** One table that is being looked at. */
export class Repair {
  readonly directory: string;
  readonly backend: Backend;
  readonly options: RecoverOptions;
  readonly #findings: RecoverFinding[];

  constructor(
    directory: string,
    backend: Backend,
    options: RecoverOptions,
    findings: RecoverFinding[],
  ) {
    this.directory = directory;
    this.backend = backend;
    this.options = options;
    this.#findings = findings;
  }

  /** True when what is found is to be repaired. */
  get apply(): boolean {
    return this.options.apply ?? false;
  }

  pathOf(file: string): string {
    return resolve(this.directory, file);
  }

  /** Something for which there is no remedy. @returns false */
  hopeless(diagnosis: Diagnosis): false {
    this.#add(diagnosis, null, false);
    return false;
  }

  /** Something that `act` repairs. @returns true when it was repaired @throws what `act` throws */
  repair(diagnosis: Diagnosis, remedy: string, act: () => void): boolean {
    if (this.apply) act();
    this.#add(diagnosis, remedy, this.apply);
    return this.apply;
  }

  #add({ kind, file, message, details = [] }: Diagnosis, remedy: string | null, done: boolean): void {
    const path = file === undefined ? this.directory : this.pathOf(file);
    this.#findings.push({ kind, file: path, message, details, remedy, done });
  }
}
