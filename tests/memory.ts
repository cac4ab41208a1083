/**
 * Memory of this process.
 */

/** Bytes of it that are no file's pages: what the system would have to swap. Elsewhere than on Linux all that is resident. */
export function anonymousBytes(): number {
  try {
    const status = Deno.readTextFileSync("/proc/self/status");
    return Number(/RssAnon:\s+(\d+) kB/.exec(status)![1]) * 1024;
  } catch {
    return Deno.memoryUsage().rss;
  }
}
