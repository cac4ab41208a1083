/**
 * What a table's files take on disk, by storage manager, without opening any of them.
 */
import { join } from "node:path";

/** Sizes in bytes. */
export interface TableSizes {
  /** Files of the table itself, without subtables. */
  readonly own: number;
  /** The whole directory with everything in it; links are not followed. */
  readonly all: number;
  /** Files of each storage manager, by sequence number: `table.f3`, `table.f3i`, `table.f3_TSM0`. */
  readonly managers: ReadonlyMap<number, number>;
}

const MANAGER_FILE = /^table\.f(\d+)(?:i|_.*)?$/;
/** Directories inside each other that are looked into. */
const MOST_LEVELS = 16;

function sizeOf(path: string): number {
  try {
    return Deno.lstatSync(path).size;
  } catch {
    return 0; // gone meanwhile
  }
}

function sizeBelow(directory: string, levels: number): number {
  let sum = 0;
  try {
    for (const entry of Deno.readDirSync(directory)) {
      const path = join(directory, entry.name);
      if (entry.isFile) sum += sizeOf(path);
      else if (entry.isDirectory && levels > 0) sum += sizeBelow(path, levels - 1);
    }
  } catch {
    // What can't be looked into isn't counted.
  }
  return sum;
}

/** Sizes of the files in a table's directory. */
export function tableSizes(directory: string): TableSizes {
  let own = 0, below = 0;
  const managers = new Map<number, number>();
  try {
    for (const entry of Deno.readDirSync(directory)) {
      const path = join(directory, entry.name);
      if (entry.isDirectory) below += sizeBelow(path, MOST_LEVELS);
      if (!entry.isFile) continue;
      const size = sizeOf(path);
      own += size;
      const sequence = MANAGER_FILE.exec(entry.name)?.[1];
      if (sequence !== undefined) {
        managers.set(Number(sequence), (managers.get(Number(sequence)) ?? 0) + size);
      }
    }
  } catch {
    // As above.
  }
  return { own, all: own + below, managers };
}
