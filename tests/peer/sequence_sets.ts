/** Kinds of tables that random sequences of changes are done to, in turns with casacore. */
import { ALTERED, altered } from "./altered_tables.ts";
import type { Maker } from "./turns.ts";

/** A kind of tables. */
export interface SequenceSet {
  readonly name: string;
  readonly make: Maker;
}

/** All of them. */
export function sequenceSets(): SequenceSet[] {
  return Object.entries(ALTERED).map(([name, managers]) => ({ name, make: altered(managers) }));
}
