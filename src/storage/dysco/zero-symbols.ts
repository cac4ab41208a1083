/**
 * Rows of a block that the table no longer has: their symbols become those that stand for 0, so that rows which are added
 * later have no values. The rows before them keep theirs to the last bit.
 */
import { type Plan, readBytes } from "../../io/plan.ts";
import type { DyscoFile } from "./dysco-file.ts";
import type { Part } from "./layout.ts";

/** Plan: the symbols of a column's rows from `row` of a block on. */
export function* zeroSymbols(file: DyscoFile, part: Part, block: number, row: number): Plan<void> {
  const start = row * part.rowSymbols * part.bits, shift = start % 8;
  const symbolsAt = file.blockAt(block) + part.symbolsAt, offset = symbolsAt + (start - shift) / 8;
  const end = file.blockAt(block) + part.at + part.bytes;
  const bytes = (yield* readBytes(file.name, offset, end - offset)).slice();
  const count = (file.header.rowsPerBlock - row) * part.rowSymbols;
  const zero = part.scaling === "weights" ? 0 : 2 ** (part.bits - 1) - 1;
  let word = bytes[0]! & 2 ** shift - 1, filled = shift, at = 0;
  for (let i = 0; i < count; i++) {
    word |= zero << filled;
    for (filled += part.bits; filled >= 8; filled -= 8, word >>>= 8) bytes[at++] = word;
  }
  if (filled > 0) bytes[at] = word;
  yield { kind: "write", file: file.name, offset, bytes };
}
