/**
 * What a block may have, where its values are taken into memory and encoded.
 */
import { MAX_ANTENNAS } from "../../array/visibility-block.ts";
import { TableError } from "../../error.ts";
import type { DyscoHeader } from "./header.ts";
import { bytesOf, type Part } from "./layout.ts";
import { cellFloats } from "./open-block.ts";

/** Most bytes of values of a block that are taken into memory. */
const MAX_VALUE_BYTES = 2 ** 30;
/** The header keeps the bytes of a block in 32 bits. */
const MAX_BLOCK_BYTES = 2 ** 32 - 1;
/** Bytes of a float. */
const FLOAT_BYTES = 4;

/** Refuses blocks that are too large to be encoded. @throws TableError LIMIT */
export function checkBlockSize(header: DyscoHeader, parts: readonly Part[], path?: string): void {
  const { rowsPerBlock, antennas } = header;
  const fail = (reason: string): never => {
    throw new TableError("LIMIT", `DyscoStMan ${header.name}: ${reason}`, { file: path });
  };
  const block = bytesOf(parts);
  if (block > MAX_BLOCK_BYTES) {
    fail(`${rowsPerBlock} rows take ${block} bytes, a block has at most ${MAX_BLOCK_BYTES}`);
  }
  for (const part of parts) {
    const bytes = cellFloats(part) * FLOAT_BYTES * rowsPerBlock;
    if (bytes > MAX_VALUE_BYTES) {
      fail(
        `${rowsPerBlock} rows of a block have ${bytes} bytes of values, at most ${MAX_VALUE_BYTES} are encoded`,
      );
    }
    if (part.scaling === "AF" && antennas > MAX_ANTENNAS) {
      fail(`a block of ${antennas} antennas, at most ${MAX_ANTENNAS} are encoded`);
    }
  }
}
