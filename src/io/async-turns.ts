/**
 * Turns of the event loop. A plan that finds everything in memory would run from step to step without ever letting
 * timers and other requests have their turn: promises that are settled already don't.
 */
import { setImmediate } from "node:timers";

/** Longest time that requests take the event loop for themselves, all together, in milliseconds. */
const TURN_MS = 3;

/** When the event loop was last known to have turned. */
const last = { turn: performance.now() };

/** True when others should have their turn. */
export function turnIsDue(): boolean {
  return performance.now() - last.turn >= TURN_MS;
}

/** Lets the event loop turn once. */
export async function turn(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
  last.turn = performance.now();
}
