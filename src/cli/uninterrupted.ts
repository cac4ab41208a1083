/**
 * Work that Ctrl-C must not cut through: a commit that takes a moment. Killed in its middle a table stays whole, but a
 * journal is left in it that the next writer, or `table recover`, has to clear away.
 */

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Runs work that doesn't wait for anything; a signal that comes meanwhile does nothing. @throws what `work` throws */
export function uninterrupted<T>(work: () => T): T {
  const ignore = () => {};
  for (const signal of SIGNALS) Deno.addSignalListener(signal, ignore);
  try {
    return work();
  } finally {
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, ignore);
  }
}
