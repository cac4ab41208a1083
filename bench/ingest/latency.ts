import type { Part } from "./report.ts";
import type { Setting } from "./setting.ts";
export function latency(_: Setting): Promise<Omit<Part, "seconds">> {
  return Promise.resolve({ name: "latency", title: "latency", lines: [], grids: [], notes: [] });
}
