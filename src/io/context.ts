/**
 * What tables share: one bounded cache, and the files of backend `memory`. An isolate has one context unless another is passed in.
 */
import { TableError } from "../error.ts";
import type { Backend } from "./backend.ts";
import type { TableFiles, TableFilesOptions } from "./files.ts";
import { MemoryStore } from "./memory-backend.ts";
import { PageCache } from "./page-cache.ts";

/** Options of a {@linkcode Context}. */
export interface ContextOptions {
  /** Bound of the page cache of all tables that use this context, in bytes; 64 MiB unless told otherwise. */
  readonly cacheBytes?: number;
}

/** Default bound of the page cache: 64 MiB. */
export const DEFAULT_CACHE_BYTES = 64 * 1024 * 1024;

/** Shared by tables: the page cache with its bound, and what backend `memory` keeps. */
export class Context {
  /** Bound of the page cache, in bytes. */
  readonly cacheBytes: number;
  /**
   * Clean pages of the files of all tables.
   * @internal
   */
  readonly cache: PageCache;
  /**
   * What backend `memory` keeps.
   * @internal
   */
  readonly memory: MemoryStore = new MemoryStore();
  /**
   * What stands between tables and their backend: tests put faults there.
   * @internal
   */
  wrapBackend: ((backend: Backend) => Backend) | null = null;
  /**
   * What makes the files of a table that is opened: a dry run has files of its own kind.
   * @internal
   */
  makeFiles: ((directory: string, backend: Backend, options: TableFilesOptions) => TableFiles) | null = null;

  /** Makes a context with a cache of its own. @throws TableError INVALID_ARGUMENT when the bound is not a number of bytes. */
  constructor(options: ContextOptions = {}) {
    const { cacheBytes = DEFAULT_CACHE_BYTES } = options;
    if (!Number.isSafeInteger(cacheBytes) || cacheBytes < 0) {
      throw new TableError("INVALID_ARGUMENT", `expected cacheBytes of 0 or more, found ${cacheBytes}`);
    }
    this.cacheBytes = cacheBytes;
    this.cache = new PageCache(cacheBytes);
  }
}

let shared: Context | undefined;

/** The isolate's context, for tables that weren't given one. */
export function sharedContext(): Context {
  return shared ??= new Context();
}
