/**
 * Virtual column engines: managers that store nothing themselves and compute their columns from other columns, of
 * this table or another (format reference part 6, sections 1 to 8).
 */
import type { ManagerKind } from "../manager.ts";
import { bitFlags } from "./bit-flags.ts";
import { compressComplex } from "./compress-complex.ts";
import { compressFloat } from "./compress-float.ts";
import { forwardColumn } from "./forward-column.ts";
import { forwardRow } from "./forward-row.ts";
import { mappedArray } from "./mapped-array.ts";
import { retypedArray } from "./retyped-array.ts";
import { scaledArray } from "./scaled-array.ts";
import { scaledComplex } from "./scaled-complex.ts";
import { taqlColumn } from "./taql-column.ts";

/** The engines that Tessera knows. */
export const virtualEngines: readonly ManagerKind[] = [
  compressFloat,
  compressComplex,
  scaledArray,
  scaledComplex,
  mappedArray,
  retypedArray,
  bitFlags,
  forwardColumn,
  forwardRow,
  taqlColumn,
];
