/**
 * Plans: what a storage manager wants done with files, step by step, without doing it.
 *
 * A plan is a generator. It yields steps and is handed each step's result; the drivers in `drivers.ts` carry the
 * steps out, one driver at once and one asynchronously. Files are named as they stand in the table's directory
 * (`table.f0_TSM1`): which folder or container that is, and which backend reads it, is the driver's business.
 */
import type { MoveList } from "../array/moves.ts";
import type { FileAccess } from "./access.ts";

/** Bytes `offset` to `offset + length` of a file. */
export interface ByteRange {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

/** A stretch of a file that holds the file side of some moves of a list, e.g. a tile. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
  /** Index of the first of its moves in the list, and how many there are. */
  readonly firstMove: number;
  readonly moveCount: number;
}

/** Asks for file sizes in bytes; -1 for a file that doesn't exist. */
export interface SizeStep {
  readonly kind: "size";
  readonly files: readonly string[];
}

/**
 * Asks how many leading bytes of a file the last commit holds: overwriting them costs a journal, writing behind them
 * doesn't. 0 for a file that was made since.
 */
export interface CommittedStep {
  readonly kind: "committed";
  readonly file: string;
}

/**
 * Says that bytes of a file are part of no value that the last commit holds, such as the rows of the last tile behind the
 * hypercube's end: they can be overwritten without being kept. Undoing that leaves zeros.
 */
export interface SpareStep {
  readonly kind: "spare";
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

/** Asks for bytes. The arrays handed back are read-only and valid until the next step. */
export interface ReadStep {
  readonly kind: "read";
  readonly ranges: readonly ByteRange[];
}

/** Reads a range straight into the bytes of the caller's array. */
export interface ReadIntoStep {
  readonly kind: "readInto";
  readonly file: string;
  readonly offset: number;
  readonly target: Uint8Array;
}

/** Reads extents, in ascending order, and moves boxes from them into the bytes of an array. */
export interface GatherStep {
  readonly kind: "gather";
  readonly file: string;
  readonly extents: readonly Extent[];
  readonly moves: MoveList;
  readonly target: Uint8Array;
}

/**
 * Writes one stretch of a file: its old bytes (or zeros, when `fresh`) with boxes of an array laid over them.
 * `fresh` must be true when the stretch is not in the file yet.
 */
export interface ScatterStep {
  readonly kind: "scatter";
  readonly file: string;
  readonly extent: Extent;
  readonly fresh: boolean;
  readonly moves: MoveList;
  readonly source: Uint8Array;
}

/** Writes bytes. Small pieces are collected until the next commit; large ones may go out at once. The driver copies what it keeps. */
export interface WriteStep {
  readonly kind: "write";
  readonly file: string;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Replaces a file's whole content, e.g. the header of a tiled manager. */
export interface ReplaceStep {
  readonly kind: "replace";
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** Makes a file at least or exactly this long; new bytes are zero. */
export interface ResizeStep {
  readonly kind: "resize";
  readonly file: string;
  readonly length: number;
  /** false: never shorten. */
  readonly shrink: boolean;
}

/** Makes an empty file (an existing one is emptied), or removes one. */
export interface CreateStep {
  readonly kind: "create" | "remove";
  readonly file: string;
}

/** A stage ends: what comes after it makes visible what came before. Within a commit the order doesn't matter. */
export interface BarrierStep {
  readonly kind: "barrier";
}

/** Runs another plan on other files, e.g. those of the table that a forwarding column refers to. */
export interface DelegateStep {
  readonly kind: "delegate";
  readonly access: FileAccess;
  readonly plan: Plan<unknown>;
}

/** What a plan may yield. */
export type Step =
  | SizeStep
  | CommittedStep
  | SpareStep
  | ReadStep
  | ReadIntoStep
  | GatherStep
  | ScatterStep
  | WriteStep
  | ReplaceStep
  | ResizeStep
  | CreateStep
  | BarrierStep
  | DelegateStep;

/** A plan that ends with a T. Use the functions below to yield steps: they give the result its type. */
export type Plan<T> = Generator<Step, T, unknown>;

/** Bytes of one range; read-only and valid until the next step. */
export function* readBytes(file: string, offset: number, length: number): Plan<Uint8Array> {
  const [bytes] = (yield { kind: "read", ranges: [{ file, offset, length }] }) as Uint8Array[];
  return bytes!;
}

/** Bytes of several ranges, in the order asked; read-only and valid until the next step. */
export function* readRanges(ranges: readonly ByteRange[]): Plan<Uint8Array[]> {
  return (yield { kind: "read", ranges }) as Uint8Array[];
}

/** Size of a file in bytes, or -1 if it doesn't exist. */
export function* fileSize(file: string): Plan<number> {
  const [size] = (yield { kind: "size", files: [file] }) as number[];
  return size!;
}

/** Leading bytes of a file that the last commit holds; 0 for a file that was made since. */
export function* committedSize(file: string): Plan<number> {
  return (yield { kind: "committed", file }) as number;
}

/** Runs `plan` on other files. */
export function* delegate<T>(access: FileAccess, plan: Plan<T>): Plan<T> {
  return (yield { kind: "delegate", access, plan }) as T;
}
