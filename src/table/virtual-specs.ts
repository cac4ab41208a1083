/**
 * How a new table's virtual columns are described: columns whose values are kept in other columns of the table, packed,
 * scaled or converted. The table's columns list both; the stored one, and columns of scales and offsets, may be held by
 * any manager. What is stored is bit for bit what casacore would store.
 */
import type { StorageSpec } from "../storage/manager.ts";

/** The stored column of a virtual one. */
export interface StoredOptions {
  /** Name of the column of the same table that keeps the values. */
  readonly stored: string;
}

/** Options of {@linkcode scaledArray}. */
export interface ScaledOptions extends StoredOptions {
  /** Scale of all rows, 1 unless told otherwise; or the name of a scalar column of the virtual column's type. */
  readonly scale?: number | bigint | string;
  /** Offset of all rows, 0 unless told otherwise; or the name of a scalar column of the virtual column's type. */
  readonly offset?: number | bigint | string;
}

/** Options of {@linkcode scaledComplex}. */
export interface ScaledComplexOptions extends StoredOptions {
  /** Scales of real and imaginary part, [1, 1] unless told otherwise; or the name of a scalar column of the virtual column's type. */
  readonly scale?: readonly [re: number, im: number] | string;
  /** Offsets of real and imaginary part, [0, 0] unless told otherwise; or the name of a scalar column of the virtual column's type. */
  readonly offset?: readonly [re: number, im: number] | string;
}

/** Options of {@linkcode compressFloat}, {@linkcode compressComplex} and {@linkcode compressComplexSD}. */
export interface CompressOptions extends StoredOptions {
  /** Scale of all rows, 1 unless told otherwise; or the name of a scalar float32 column. */
  readonly scale?: number | string;
  /** Offset of all rows, 0 unless told otherwise; or the name of a scalar float32 column, if `scale` is one. */
  readonly offset?: number | string;
  /** Choose scale and offset of a row whenever it is written, so that all its values fit. Needs columns for them. */
  readonly autoScale?: boolean;
}

/** Options of {@linkcode bitFlags}. */
export interface BitFlagsOptions extends StoredOptions {
  /** Bits that make a flag true when one of them is set; all unless told otherwise. Or names of flag sets. */
  readonly readMask?: number | readonly string[];
  /** Bits that writing a flag sets or clears, others are left as they are; 1 unless told otherwise. Or names of flag sets. */
  readonly writeMask?: number | readonly string[];
}

/** Options of {@linkcode retypedArray}. */
export interface RetypedOptions extends StoredOptions {
  /** Name of the class of the elements, as the application that has it calls it. */
  readonly className: string;
  /** Shape of the numbers that one element is stored as. */
  readonly shape: readonly number[];
  /** What the application needs to know beside it. */
  readonly record?: Readonly<Record<string, unknown>>;
}

/** Options of {@linkcode forward}. */
export interface ForwardOptions {
  /** Path of the table that has the columns. */
  readonly table: string;
}

function virtual(type: string, column: string, options: object): StorageSpec {
  return { type, name: column, columns: [column], options: options as Readonly<Record<string, unknown>> };
}

/**
 * Keeps an array column of real numbers in another of a shorter type: `stored = (value - offset) / scale`, its fraction
 * cut off where the stored type is an integer. Writing a value that doesn't fit is refused with OUT_OF_RANGE, NaN too.
 * Scales and offsets of rows are to be written before the values. casacore only opens such a table in programs that
 * register the engine, which python-casacore doesn't: {@linkcode compressFloat} is for everyone.
 *
 * @example
 * ```ts
 * import { array, scaledArray } from "@tessera/tables";
 * const columns = [array("DATA", "float32", { shape: [64] }), array("DATA_SCALED", "int16", { shape: [64] })];
 * const storage = [scaledArray("DATA", { stored: "DATA_SCALED", scale: 0.01 })];
 * ```
 */
export function scaledArray(column: string, options: ScaledOptions): StorageSpec {
  return virtual("ScaledArrayEngine", column, options);
}

/**
 * As {@linkcode scaledArray}, for complex numbers: the stored column's cells have one more axis in front, of real and
 * imaginary part, which are scaled separately.
 *
 * @example
 * ```ts
 * import { array, scaledComplex } from "@tessera/tables";
 * const columns = [array("DATA", "complex64", { shape: [64] }), array("PARTS", "int16", { shape: [2, 64] })];
 * const storage = [scaledComplex("DATA", { stored: "PARTS", scale: [0.01, 0.01] })];
 * ```
 */
export function scaledComplex(column: string, options: ScaledComplexOptions): StorageSpec {
  return virtual("ScaledComplexData", column, options);
}

/**
 * Keeps a float32 array column in an int16 one: 65535 steps from `offset - 32767 scale` to `offset + 32767 scale`, what
 * is beyond becomes the least or the greatest, what is not finite becomes NaN.
 *
 * @example
 * ```ts
 * import { array, compressFloat, scalar } from "@tessera/tables";
 * const columns = [
 *   array("WEIGHT", "float32", { ndim: 2 }),
 *   array("WEIGHT_COMPRESSED", "int16", { ndim: 2 }),
 *   scalar("WEIGHT_SCALE", "float32"),
 *   scalar("WEIGHT_OFFSET", "float32"),
 * ];
 * const storage = [
 *   compressFloat("WEIGHT", {
 *     stored: "WEIGHT_COMPRESSED",
 *     scale: "WEIGHT_SCALE",
 *     offset: "WEIGHT_OFFSET",
 *     autoScale: true,
 *   }),
 * ];
 * ```
 */
export function compressFloat(column: string, options: CompressOptions): StorageSpec {
  return virtual("CompressFloat", column, options);
}

/**
 * Keeps a complex64 array column in an int32 one, 16 bits for each part, as {@linkcode compressFloat} does.
 *
 * @example
 * ```ts
 * import { array, compressComplex } from "@tessera/tables";
 * const columns = [array("DATA", "complex64", { shape: [4, 64] }), array("WORDS", "int32", { shape: [4, 64] })];
 * const storage = [compressComplex("DATA", { stored: "WORDS", scale: 0.001, offset: 0 })];
 * ```
 */
export function compressComplex(column: string, options: CompressOptions): StorageSpec {
  return virtual("CompressComplex", column, options);
}

/**
 * As {@linkcode compressComplex}, for single dish data: values without an imaginary part have 31 bits for the real one.
 * There is no NaN: what is not finite is read as another number.
 *
 * @example
 * ```ts
 * import { array, compressComplexSD } from "@tessera/tables";
 * const columns = [array("DATA", "complex64", { shape: [4, 64] }), array("WORDS", "int32", { shape: [4, 64] })];
 * const storage = [compressComplexSD("DATA", { stored: "WORDS", scale: 0.001, offset: 0 })];
 * ```
 */
export function compressComplexSD(column: string, options: CompressOptions): StorageSpec {
  return virtual("CompressComplexSD", column, options);
}

/**
 * Keeps a bool array column as bits in a uint8, int16 or int32 one, so that flags of several kinds stand side by side.
 * Masks may be names of fields of the record `FLAGSETS` among the stored column's keywords, each some bits. casacore
 * writes 1 or 0 whatever the mask, and clears all other bits; Tessera leaves them.
 *
 * @example
 * ```ts
 * import { array, bitFlags } from "@tessera/tables";
 * const columns = [
 *   array("FLAG", "bool", { shape: [4, 64] }),
 *   array("BITFLAG", "uint8", { shape: [4, 64], keywords: { FLAGSETS: { RFI: 1, USER: 2 } } }),
 * ];
 * const storage = [bitFlags("FLAG", { stored: "BITFLAG", readMask: ["RFI", "USER"], writeMask: ["USER"] })];
 * ```
 */
export function bitFlags(column: string, options: BitFlagsOptions): StorageSpec {
  return virtual("BitFlagsEngine", column, options);
}

/**
 * Keeps an array column in one of another type, each value converted as C++ does it; numbers and complex numbers, but not
 * one as the other. Writing a value that doesn't fit an integer is refused with OUT_OF_RANGE. Programs that don't
 * register the engine, as python-casacore, only open tables with complex64 kept as complex128.
 *
 * @example
 * ```ts
 * import { array, mappedArray } from "@tessera/tables";
 * const columns = [array("DATA", "complex64", { ndim: 2 }), array("WIDE", "complex128", { ndim: 2 })];
 * const storage = [mappedArray("DATA", { stored: "WIDE" })];
 * ```
 */
export function mappedArray(column: string, options: StoredOptions): StorageSpec {
  return virtual("MappedArrayEngine", column, options);
}

/**
 * Takes columns from another table: a cell is that of the same row of the column of the same name there, which is
 * described alike. What is written goes there, and is committed with this table; rows are added to each by itself.
 *
 * @example
 * ```ts
 * import { array, forward } from "@tessera/tables";
 * const columns = [array("DATA", "complex64", { ndim: 2 })];
 * const storage = [forward("Original", ["DATA"], { table: "my.ms" })];
 * ```
 */
export function forward(name: string, columns: readonly string[], options: ForwardOptions): StorageSpec {
  return { type: "ForwardColumnEngine", name, columns, options: { ...options } };
}

/**
 * Keeps arrays of objects of an application's own as numbers in another column, whose cells have the axes of an object in
 * front. Only that application opens the table; Tessera reads and writes the numbers. The column is described with their
 * type and without a number of axes.
 *
 * @example
 * ```ts
 * import { array, retypedArray } from "@tessera/tables";
 * const columns = [array("STOKES", "float32"), array("NUMBERS", "float32")];
 * const storage = [retypedArray("STOKES", { stored: "NUMBERS", className: "StokesVector", shape: [4] })];
 * ```
 */
export function retypedArray(column: string, options: RetypedOptions): StorageSpec {
  return virtual("RetypedArrayEngine", column, options);
}
