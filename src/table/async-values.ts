/**
 * Arrays that asynchronous calls are given: borrowed, taken over or copied.
 */
import type { NDArray } from "../array/ndarray.ts";
import { TableError } from "../error.ts";
import type { ColumnValues } from "./values.ts";

/** What a call is told about the caller's array. */
export interface Handover {
  /** The call takes the array over: the caller's is detached at once, also when the call is refused. */
  readonly transfer?: boolean | undefined;
  /** The values are copied before the call returns; the caller's array is free from then on. */
  readonly copy?: boolean | undefined;
}

/** Values, and whose memory they are in. */
export interface TakenValues {
  readonly values: ColumnValues;
  /** Their memory, where they are typed arrays. */
  readonly memory: readonly ArrayBufferLike[];
  /** The part of it that is still the caller's. */
  readonly lent: readonly ArrayBufferLike[];
}

/**
 * The same elements in memory that the caller doesn't have any more.
 *
 * @throws TableError INVALID_ARGUMENT for memory that can't be taken over, as that of WebAssembly or shared memory
 */
export function takeOver<A>(array: A): A {
  if (!ArrayBuffer.isView(array)) return array;
  const { byteOffset } = array, items = itemsOf(array);
  let buffer: ArrayBuffer;
  try {
    buffer = (array.buffer as ArrayBuffer).transferToFixedLength();
  } catch (cause) {
    throw new TableError("INVALID_ARGUMENT", "transfer: the memory of this array can't be taken over", {
      cause,
    });
  }
  return new (classOf(array))(buffer, byteOffset, items) as A;
}

type ViewClass = new (buffer: ArrayBuffer, byteOffset: number, items: number) => ArrayBufferView;

function classOf(array: ArrayBufferView): ViewClass {
  return array.constructor as ViewClass;
}

function itemsOf(array: ArrayBufferView): number {
  return array instanceof DataView ? array.byteLength : (array as Uint8Array).length;
}

function copied<A>(array: A): A {
  if (Array.isArray(array)) return [...array] as A;
  return ArrayBuffer.isView(array) && !(array instanceof DataView)
    ? (array as unknown as Uint8Array).slice() as A
    : array;
}

/** Values as an asynchronous call keeps them until it settles. @throws TableError INVALID_ARGUMENT as {@linkcode takeOver} */
export function takeValues(values: ColumnValues, { transfer = false, copy = false }: Handover): TakenValues {
  if (transfer && copy) {
    throw new TableError("INVALID_ARGUMENT", "expected transfer or copy, found both");
  }
  const change = transfer ? takeOver : copy ? copied : <A>(array: A): A => array;
  const isArray = typeof values === "object" && values !== null && "data" in values && "shape" in values;
  const taken: ColumnValues = isArray
    ? { ...(values as NDArray), data: change((values as NDArray).data) }
    : change(values);
  const data: unknown = isArray ? (taken as NDArray).data : taken;
  const memory = ArrayBuffer.isView(data) ? [data.buffer] : [];
  return { values: taken, memory, lent: transfer || copy ? [] : memory };
}
