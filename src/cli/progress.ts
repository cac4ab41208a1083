/**
 * A progress bar on standard error, where that is a terminal; elsewhere nothing.
 */

/** Shows how far something got. */
export interface ProgressBar {
  /** So much of all is done, rows or something else; and what else there is to say, such as bytes. */
  update(done: number, of: number, text: string): void;
  /** Takes the bar away. */
  stop(): void;
}

/** What is used of cli-progress, which has no types of its own. */
interface Bar {
  start(total: number, value: number, payload: object): void;
  update(value: number, payload: object): void;
  stop(): void;
}

const NO_BAR: ProgressBar = { update: () => {}, stop: () => {} };

/**
 * A bar that isn't shown before the first update. It counts rows, or says only which part is done. The library is loaded only
 * where there is someone to look.
 */
export async function progressBar(what: string, counts: "rows" | "parts" = "rows"): Promise<ProgressBar> {
  if (!Deno.stderr.isTerminal()) return NO_BAR;
  const { SingleBar } = (await import("cli-progress")).default as {
    SingleBar: new (options: object) => Bar;
  };
  const bar = new SingleBar({
    // The time left of parts that take unlike times would be a guess.
    format: `${what} {bar} {percentage} % | ${
      counts === "rows" ? "{value} of {total} rows, {size} | {eta_formatted} left" : "{size}"
    }`,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    clearOnComplete: true,
    hideCursor: true,
    // The command ends by itself when a signal comes.
    gracefulExit: false,
  });
  let started = false;
  return {
    update(rows, of, size) {
      if (!started) bar.start(of, 0, { size });
      started = true;
      bar.update(rows, { size });
    },
    stop() {
      if (started) bar.stop();
    },
  };
}
