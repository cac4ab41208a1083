/**
 * The `table` command: `deno task table show my.ms`.
 *
 * @module
 */
import { runTable } from "./program.ts";
import { processTerminal } from "./terminal.ts";

export { runTable } from "./program.ts";
export type { Terminal } from "./terminal.ts";

if (import.meta.main) Deno.exit(await runTable(Deno.args, processTerminal()));
