/**
 * What every way of drawing asks of a figure's panels.
 */
import type { Panel, ScatterPanel } from "./figure.ts";
import { type Axis, axisOf, axisOfRange } from "./ticks.ts";

/** Room around a square plane, as a factor of its range. */
const SQUARE_ROOM = 1.06;

/** The smallest and the largest of some ranges. */
function joined(ranges: Iterable<readonly [number, number]>): [number, number] {
  let low = Infinity, high = -Infinity;
  for (const [from, to] of ranges) [low, high] = [Math.min(low, from), Math.max(high, to)];
  return [low, high];
}

/** The axes of a panel of points, with about so many ticks across and up. */
export function scatterAxes(panel: ScatterPanel, across: number, up: number): { x: Axis; y: Axis } {
  const filled = panel.series.filter(({ marks }) => marks.count > 0);
  const [xLow, xHigh] = joined(filled.map(({ marks }) => marks.xRange));
  const [yLow, yHigh] = joined(filled.map(({ marks }) => marks.yRange));
  if (!panel.square) return { x: axisOf(panel.x, xLow, xHigh, across), y: axisOf(panel.y, yLow, yHigh, up) };
  const ends = [xLow, xHigh, yLow, yHigh].filter(Number.isFinite).map(Math.abs);
  const far = SQUARE_ROOM * (ends.length === 0 ? 1 : Math.max(...ends) || 1);
  return { x: axisOfRange(panel.x, -far, far, across), y: axisOfRange(panel.y, -far, far, up) };
}

/** Names of series, where there are several. */
export function legendNames(panels: readonly Panel[]): string[] {
  const several = panels.find((panel) => panel.kind === "scatter" && panel.series.length > 1);
  return several?.kind === "scatter" ? several.series.map(({ name }) => name) : [];
}
