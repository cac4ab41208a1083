import type { Part } from "./report.ts";
import type { Setting } from "./setting.ts";
export function reading(_: Setting): Promise<Omit<Part, "seconds">> {
  return Promise.resolve({ name: "reading", title: "reading", lines: [], grids: [], notes: [] });
}
