/**
 * The one error class of Tessera, floor 0: every floor throws it, none of them catches it in order to hide it.
 */

/** What went wrong, in one word that a program can compare. */
export type TableErrorCode =
  | "NOT_A_TABLE"
  | "NOT_FOUND"
  | "EXISTS"
  | "CORRUPT"
  | "UNSUPPORTED"
  | "NEEDS_RECOVERY"
  | "LOCKED"
  | "BUSY"
  | "CLOSED"
  | "READ_ONLY"
  | "NO_SUCH_COLUMN"
  | "OUT_OF_RANGE"
  | "SHAPE_MISMATCH"
  | "TYPE_MISMATCH"
  | "INVALID_ARGUMENT"
  | "LIMIT"
  | "IO";

/** Where it went wrong, as far as it is known. */
export interface TableErrorPlace {
  /** The file, as a path that the reader of the message can open. */
  file?: string | undefined;
  /** Byte offset in `file`. */
  offset?: number | undefined;
  /** The system's error number, for code IO. */
  errno?: number | undefined;
  /** The error that led to this one. */
  cause?: unknown;
}

/**
 * Every failure of Tessera: `code` to compare, `file` and `offset` to look at, a message that says what was found
 * and what was expected.
 *
 * @example
 * ```ts
 * import { TableError } from "@tessera/tables";
 * const error = new TableError("CORRUPT", "expected magic 0xbebebebe, found 0x00000000", { file: "t/table.dat", offset: 0 });
 * console.log(error.message); // t/table.dat, offset 0: expected magic 0xbebebebe, found 0x00000000
 * ```
 */
export class TableError extends Error {
  /** Always `TableError`. */
  override readonly name = "TableError";
  /** One of the codes listed in {@linkcode TableErrorCode}. */
  readonly code: TableErrorCode;
  /** The file that the error is about, if it is about one. */
  readonly file: string | undefined;
  /** The byte offset in `file`, if it is known. */
  readonly offset: number | undefined;
  /** The system's error number, if the system reported one. */
  readonly errno: number | undefined;
  /** The message without file and offset in front. */
  readonly reason: string;

  /** Makes an error whose message starts with the place, when one is known. */
  constructor(code: TableErrorCode, reason: string, place: TableErrorPlace = {}) {
    const where = place.file === undefined
      ? ""
      : place.offset === undefined
      ? `${place.file}: `
      : `${place.file}, offset ${place.offset}: `;
    super(where + reason, place.cause === undefined ? undefined : { cause: place.cause });
    this.code = code;
    this.reason = reason;
    this.file = place.file;
    this.offset = place.offset;
    this.errno = place.errno;
  }
}

/**
 * What went wrong first: where something is given up because of an error and closing it fails, too, the language wraps both
 * in a SuppressedError, of which the first one says more.
 */
export function firstError(error: unknown): unknown {
  let first = error;
  while (first instanceof SuppressedError) first = first.suppressed;
  return first;
}
