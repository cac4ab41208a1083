/**
 * The I/O backends by name. A new one is a file and a line here.
 */
import { TableError } from "../error.ts";
import type { Backend, IoName } from "./backend.ts";
import { NodeBackend } from "./node-backend.ts";

const BACKENDS: Readonly<Partial<Record<IoName, () => Backend>>> = {
  node: () => new NodeBackend(),
};

/**
 * A new backend instance, with counters of its own.
 *
 * @throws TableError INVALID_ARGUMENT for a name that isn't one, UNSUPPORTED for one that doesn't work here.
 */
export function openBackend(name: IoName | "auto"): Backend {
  const make = BACKENDS[name === "auto" ? "node" : name];
  if (make === undefined) throw new TableError("INVALID_ARGUMENT", `there is no I/O backend "${name}"`);
  return make();
}
