/**
 * Records that cells have been given but that are not in the file yet. Most are written soon, with their values, in
 * one piece; what is left is written as zeros before anyone looks.
 */
import { sameShape } from "../../array/rows.ts";
import type { RecordLayout } from "./record-layout.ts";

/** `count` records of one layout from offset `begin` on. */
export interface Reservation {
  readonly layout: RecordLayout;
  readonly begin: number;
  readonly count: number;
}

/** A set of reservations, in ascending order of offset. */
export class Reservations {
  #list: Reservation[] = [];

  /** Adds one behind all others; it joins the last one if their records follow each other. */
  add(reservation: Reservation): void {
    const last = this.#list.at(-1);
    const { layout, begin, count } = reservation;
    if (
      last !== undefined && last.begin + last.count * last.layout.stride === begin &&
      last.layout.dtype === layout.dtype && sameShape(last.layout.shape, layout.shape)
    ) this.#list[this.#list.length - 1] = { ...last, count: last.count + count };
    else this.#list.push(reservation);
  }

  get empty(): boolean {
    return this.#list.length === 0;
  }

  /** Hands out all of them; none are left. */
  take(): Reservation[] {
    const list = this.#list;
    this.#list = [];
    return list;
  }

  /** Shape of the reserved array at `offset`, or null if nothing is reserved there. */
  shapeAt(offset: number): readonly number[] | null {
    const found = this.#list[this.#find(offset)];
    if (found === undefined || offset < found.begin) return null;
    return (offset - found.begin) % found.layout.stride === 0 ? found.layout.shape : null;
  }

  /**
   * Takes out `count` records from `begin` on, if all of them are reserved in one piece with this distance. False:
   * they aren't, and nothing was taken out.
   */
  release(begin: number, count: number, layout: RecordLayout): boolean {
    const at = this.#find(begin);
    const found = this.#list[at];
    if (found === undefined || begin < found.begin || !sameShape(found.layout.shape, layout.shape)) {
      return false;
    }
    const first = (begin - found.begin) / layout.stride;
    if (!Number.isInteger(first) || first + count > found.count) return false;
    const rest: Reservation[] = [];
    if (first > 0) rest.push({ ...found, count: first });
    const after = found.count - first - count;
    if (after > 0) rest.push({ ...found, begin: begin + count * layout.stride, count: after });
    this.#list.splice(at, 1, ...rest);
    return true;
  }

  /** Position of the reservation that ends behind `offset`. */
  #find(offset: number): number {
    let low = 0, high = this.#list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { begin, count, layout } = this.#list[middle]!;
      if (begin + count * layout.stride > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
