/**
 * What tables share: one bounded cache. An isolate has one context unless another is passed in.
 */

/** Options of a {@linkcode Context}. */
export interface ContextOptions {
  /** Bound of the page cache of all tables that use this context, in bytes; 64 MiB unless told otherwise. */
  readonly cacheBytes?: number;
}

/** Default bound of the page cache: 64 MiB. */
export const DEFAULT_CACHE_BYTES = 64 * 1024 * 1024;

/** Shared by tables: the page cache and its bound. */
export class Context {
  readonly cacheBytes: number;

  constructor(options: ContextOptions = {}) {
    this.cacheBytes = options.cacheBytes ?? DEFAULT_CACHE_BYTES;
  }
}
