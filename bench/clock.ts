/** Time that is ours: without that in which other programs had the processor. */

/** How long this thread wanted to run and got no processor so far, in milliseconds; 0 where the system doesn't tell. */
function waited(): number {
  try {
    return Number(Deno.readTextFileSync("/proc/thread-self/schedstat").split(" ")[1]) / 1e6;
  } catch {
    return 0;
  }
}

/** Starts the clock. @returns a function that tells the milliseconds since in which this thread didn't wait for a processor */
export function clock(): () => number {
  const before = waited(), start = performance.now();
  return () => {
    const all = performance.now() - start;
    return Math.max(0, all - (waited() - before));
  };
}

/** Milliseconds that something took on this thread. */
export function timed(work: () => void): number {
  const passed = clock();
  work();
  return passed();
}
