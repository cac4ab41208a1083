/** Where a path leads when links are followed, so that a table is known again by another name. */
import { realpathSync } from "node:fs";

/** The path without links; the path itself where that can't be found out, as for tables in memory. */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
