/**
 * Who reads a segment keeps it from being removed: by a read lock on byte 1 of its `table.lock`, which casacore takes, too,
 * with every table that it opens (format reference part 1, section 8.2). Who wants to remove it tries the write lock.
 */
import { TableError } from "../../error.ts";
import { openBackend } from "../../io/backends.ts";
import type { Context } from "../../io/context.ts";
import type { IoName } from "../../io/backend.ts";
import { lockingAvailable, TableLock } from "../../io/lock.ts";
import { contextOf } from "../../table/open.ts";
import { Table } from "../../table/table.ts";
import type { SegmentEntry } from "../manifest/format.ts";
import { segmentPath } from "./places.ts";
import type { HeldSegment } from "./types.ts";

/** How long is waited for somebody who looks whether a segment can be removed, in milliseconds. */
const WAIT_MS = 1000;

/** An open segment, and how many hold it. */
class OpenSegment {
  readonly entry: SegmentEntry;
  readonly table: Table;
  readonly #lock: TableLock | null;
  holders = 0;
  /** True: it goes with its last holder. */
  leaving = false;

  constructor(directory: string, entry: SegmentEntry, io: IoName | "auto", context: Context | undefined) {
    this.entry = entry;
    const path = segmentPath(directory, entry.name);
    const backend = openBackend(io, contextOf({ context }));
    const locked = lockingAvailable() && backend.name !== "memory";
    try {
      this.#lock = locked
        ? TableLock.open(`${path}/table.lock`, backend.stats, { readOnly: true, timeoutMs: WAIT_MS })
        : null;
    } catch (error) {
      throw gone(error, path);
    }
    try {
      // No lock of its own: byte 1 is what keeps it, and nobody writes it.
      this.table = Table.open(path, { io, lock: "none", ...contextOf({ context }) });
    } catch (error) {
      this.#lock?.close();
      throw gone(error, path);
    }
  }

  close(): void {
    try {
      this.table.close();
    } finally {
      this.#lock?.close();
    }
  }
}

/** NOT_FOUND for a segment that was removed, or just is. */
function gone(error: unknown, path: string): unknown {
  if (!(error instanceof TableError) || !["NOT_FOUND", "NOT_A_TABLE", "LOCKED"].includes(error.code)) {
    return error;
  }
  return new TableError("NOT_FOUND", "the segment was removed; the manifest is newer", {
    file: path,
    cause: error,
  });
}

/** Segments that are open, each once however many hold it. */
export class OpenSegments {
  readonly #directory: string;
  readonly #io: IoName | "auto";
  readonly #context: Context | undefined;
  readonly #open = new Map<string, OpenSegment>();

  constructor(directory: string, io: IoName | "auto", context?: Context) {
    this.#directory = directory;
    this.#io = io;
    this.#context = context;
  }

  /** @throws TableError NOT_FOUND for a segment that was removed; CORRUPT, IO */
  hold(entry: SegmentEntry): HeldSegment {
    let segment = this.#open.get(entry.name);
    if (segment === undefined) {
      segment = new OpenSegment(this.#directory, entry, this.#io, this.#context);
      this.#open.set(entry.name, segment);
    }
    return this.#holder(segment);
  }

  #holder(segment: OpenSegment): HeldSegment {
    segment.holders++;
    let held = true;
    const release = () => {
      if (!held) return;
      held = false;
      segment.holders--;
      this.#closeIfDone(segment);
    };
    return { entry: segment.entry, table: segment.table, release, [Symbol.dispose]: release };
  }

  #closeIfDone(segment: OpenSegment): void {
    if (!segment.leaving || segment.holders > 0) return;
    this.#open.delete(segment.entry.name);
    segment.close();
  }

  /** Names of segments that somebody in this isolate holds. */
  get held(): ReadonlySet<string> {
    return new Set(
      [...this.#open.values()].filter(({ holders }) => holders > 0).map(({ entry }) => entry.name),
    );
  }

  /** Keeps only these open; others are closed when their last holder lets go. */
  retain(names: ReadonlySet<string>): void {
    for (const segment of [...this.#open.values()]) {
      if (names.has(segment.entry.name)) continue;
      segment.leaving = true;
      this.#closeIfDone(segment);
    }
  }

  /** Closes everything that nobody holds, and the rest with its last holder. */
  close(): void {
    this.retain(new Set());
  }
}
