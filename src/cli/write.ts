/**
 * Whole lines to standard output.
 */
import { TextSink } from "./sink.ts";
import type { Terminal } from "./terminal.ts";

/** Prints lines. @throws PipeClosed, TableError IO */
export function printLines(lines: Iterable<string>, terminal: Terminal): void {
  const sink = new TextSink((bytes) => terminal.out(bytes));
  for (const line of lines) {
    sink.text(line);
    sink.text("\n");
  }
  sink.flush();
}
