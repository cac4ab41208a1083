/**
 * What a driver needs of a set of files: the steps of a plan, as calls. `TableFiles` is the implementation for a
 * table's directory; a MultiFile container or a remote store is another.
 */
import type { AsyncRequest } from "./async-request.ts";
import type { MappedRange } from "./mapped-range.ts";
import type { GatherStep, ScatterStep } from "./plan.ts";

/** The files of one table, by name. Errors are TableErrors; a range past the end of a file is CORRUPT. */
export interface FileAccess {
  /** The path that messages show for a file. */
  pathOf(file: string): string;
  /** Size in bytes, -1 if there is no such file. */
  size(file: string): number;
  /** Leading bytes of a file that the last commit holds; 0 for a file that was made since. */
  committed(file: string): number;
  /** Notes that a range is part of no value that the last commit holds. Absent: everything is kept. */
  spare?(file: string, offset: number, length: number): void;
  /** Bytes of a range; read-only, valid until the next call. */
  read(file: string, offset: number, length: number): Uint8Array;
  /** Bytes of a range into `target`. */
  readInto(file: string, offset: number, target: Uint8Array): void;
  gather(step: GatherStep): void;
  scatter(step: ScatterStep): void;
  write(file: string, offset: number, bytes: Uint8Array): void;
  replace(file: string, bytes: Uint8Array): void;
  resize(file: string, length: number, shrink: boolean): void;
  create(file: string): void;
  remove(file: string): void;
  barrier(): void;
  /**
   * A range as mapped memory, until it is closed. Absent: the files aren't files of their own.
   *
   * @throws TableError UNSUPPORTED, CORRUPT past the end of the file, IO
   */
  map?(file: string, offset: number, length: number): MappedRange;
  /** Brings what `read`, `readInto` or `gather` with these arguments needs into reach without blocking. */
  readAsync(file: string, offset: number, length: number): Promise<Uint8Array>;
  readIntoAsync(file: string, offset: number, target: Uint8Array, request?: AsyncRequest): Promise<void>;
  gatherAsync(step: GatherStep, request?: AsyncRequest): Promise<void>;
  /**
   * As `scatter` and `write`. They may return before the file has the bytes, if the request says that their memory
   * stays as it is; its lanes are drained then before anything else is asked for.
   */
  scatterAsync?(step: ScatterStep, request: AsyncRequest): Promise<void>;
  writeAsync?(file: string, offset: number, bytes: Uint8Array, request: AsyncRequest): Promise<void>;
}
