/**
 * The storage managers that Tessera knows. A new one is a folder and a line here.
 */
import type { ManagerKind } from "./manager.ts";
import { stManAipsIO } from "./aipsio/mod.ts";
import { dyscoStMan } from "./dysco/mod.ts";
import { incrementalStMan } from "./incremental/mod.ts";
import { memoryStMan } from "./memory/mod.ts";
import { rowBasedManagers } from "./rowbased/mod.ts";
import { standardStMan } from "./standard/mod.ts";
import { tiledCellStMan } from "./tiled/cell.ts";
import { tiledColumnStMan } from "./tiled/column.ts";
import { tiledDataStMan } from "./tiled/data.ts";
import { tiledShapeStMan } from "./tiled/shape.ts";
import { virtualEngines } from "./virtual/mod.ts";

const KINDS: readonly ManagerKind[] = [
  standardStMan,
  incrementalStMan,
  tiledShapeStMan,
  tiledColumnStMan,
  tiledCellStMan,
  tiledDataStMan,
  stManAipsIO,
  memoryStMan,
  dyscoStMan,
  ...rowBasedManagers,
  ...virtualEngines,
];

/** The kind that serves a class name, or undefined. */
export function managerKind(type: string): ManagerKind | undefined {
  return KINDS.find((kind) => kind.serves(type));
}

/** The kind that a spec names, or undefined. */
export function specKind(type: string): ManagerKind | undefined {
  return KINDS.find((kind) => kind.specType === type) ?? managerKind(type);
}
