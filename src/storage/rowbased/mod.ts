/** Managers that keep rows of equal length, in casacore since 3.7 (format reference part 6, section 11). */
import type { ManagerKind } from "../manager.ts";
import { antennaPairStMan } from "./antenna-pair.ts";
import { stokesIStMan } from "./stokes-i.ts";
import { uvwStMan } from "./uvw.ts";

/** The row-based managers that Tessera knows. */
export const rowBasedManagers: readonly ManagerKind[] = [antennaPairStMan, stokesIStMan, uvwStMan];
