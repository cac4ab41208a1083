import type { Part } from "./report.ts";
import type { Setting } from "./setting.ts";
export function compaction(_: Setting): Promise<Omit<Part, "seconds">> {
  return Promise.resolve({ name: "compaction", title: "compaction", lines: [], grids: [], notes: [] });
}
