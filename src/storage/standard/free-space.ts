/**
 * Bytes of each data bucket that no column has: format reference part 2, sections 2.4 and 7.4. Columns that are removed
 * leave them, columns that are added take them, where casacore would.
 */

/** Unused bytes in every data bucket of an index. */
export interface FreeSpace {
  readonly offset: number;
  readonly length: number;
}

/** Free space without the first `length` bytes of the stretch at `offset`. */
export function taken(free: readonly FreeSpace[], offset: number, length: number): FreeSpace[] {
  return free.flatMap((stretch) => {
    if (stretch.offset !== offset) return [stretch];
    return stretch.length > length ? [{ offset: offset + length, length: stretch.length - length }] : [];
  });
}

/** Free space with one more stretch; neighbours become one. */
export function givenBack(free: readonly FreeSpace[], more: FreeSpace): FreeSpace[] {
  const all = [...free, more].filter(({ length }) => length > 0).sort((a, b) => a.offset - b.offset);
  const joined: FreeSpace[] = [];
  for (const { offset, length } of all) {
    const last = joined.at(-1);
    if (last !== undefined && last.offset + last.length === offset) {
      joined[joined.length - 1] = { offset: last.offset, length: last.length + length };
    } else joined.push({ offset, length });
  }
  return joined;
}

/** The stretch that `length` bytes fit in best, the first of equals; null where they fit in none. */
function bestStretch(free: readonly FreeSpace[], length: number): FreeSpace | null {
  let best: FreeSpace | null = null;
  for (const stretch of free) {
    if (stretch.length >= length && (best === null || stretch.length < best.length)) best = stretch;
  }
  return best;
}

/** What is known of an index when a place for a column is sought. */
export interface Room {
  readonly freeSpace: readonly FreeSpace[];
  /** Bytes that the column would take of each of its buckets. */
  readonly bytes: number;
}

/** Where a new column goes: number of the index and offset in its buckets; null where no index has room. */
export function placeInRooms(rooms: readonly Room[], bits: number): { index: number; offset: number } | null {
  let place: { index: number; offset: number } | null = null;
  let least = Infinity;
  for (const [index, { freeSpace, bytes }] of rooms.entries()) {
    const stretch = bestStretch(freeSpace, bytes);
    if (stretch === null) continue;
    const rest = stretch.length - bytes;
    if (rest < least) {
      place = { index, offset: stretch.offset };
      least = rest;
    }
    // casacore stops at an exact fit, and where as many bytes are left as a cell has bits, by a slip that shows in files.
    if (rest === 0 || least === bits) break;
  }
  return place;
}
