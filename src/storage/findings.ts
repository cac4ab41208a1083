/**
 * What a check finds: all that is inconsistent in a file, where reading would stop at the first thing, or not notice.
 */
import { TableError, type TableErrorCode } from "../error.ts";
import type { Plan } from "../io/plan.ts";

/** Something that a check found. */
export interface Finding {
  /** CORRUPT, or what an error said that kept a part of the table from being looked at. */
  readonly code: TableErrorCode;
  /** The file, as errors show it. */
  readonly file: string;
  /** Byte offset in the file, where there is one place to look at. */
  readonly offset: number | undefined;
  /** What was found and what was expected. */
  readonly message: string;
  /** True for what is odd but does no harm, such as bytes that nobody refers to. */
  readonly note: boolean;
}

/** Findings that are kept of one part of a table; a damaged count may make every row wrong. */
export const MOST_FINDINGS = 100;

/** Collects findings, up to a number. */
export class Findings {
  readonly #list: Finding[] = [];
  #more = 0;
  #lastFile = "";

  /** True when nothing more is kept: looking further is of no use. */
  get full(): boolean {
    return this.#list.length >= MOST_FINDINGS;
  }

  /** Number of findings that are no notes. */
  get wrongs(): number {
    return this.#list.reduce((sum, { note }) => sum + (note ? 0 : 1), 0);
  }

  /** Notes what is wrong. */
  wrong(message: string, file: string, offset?: number): void {
    this.add({ code: "CORRUPT", file, offset, message, note: false });
  }

  /** Notes what is odd. */
  note(message: string, file: string, offset?: number): void {
    this.add({ code: "CORRUPT", file, offset, message, note: true });
  }

  /** Adds a finding. */
  add(finding: Finding): void {
    this.#lastFile = finding.file;
    if (this.full) this.#more++;
    else this.#list.push(finding);
  }

  /** Notes an error; `file` is named where the error names none. Whatever is no TableError is thrown on. */
  caught(error: unknown, file: string): void {
    if (!(error instanceof TableError)) throw error;
    const { code, reason, offset } = error;
    this.add({ code, file: error.file ?? file, offset, message: reason, note: false });
  }

  /** Plan: the result of another; undefined where that fails, which is noted. */
  *attempt<T>(plan: Plan<T>, file: string): Plan<T | undefined> {
    try {
      return yield* plan;
    } catch (error) {
      this.caught(error, file);
      return undefined;
    }
  }

  /** All of it; when some were left out, a last one says so. */
  finish(): Finding[] {
    if (this.#more === 0) return this.#list;
    const message = `${this.#more} more findings are not listed`;
    return [...this.#list, {
      code: "CORRUPT",
      file: this.#lastFile,
      offset: undefined,
      message,
      note: false,
    }];
  }
}
