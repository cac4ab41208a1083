/** A chart of the ratios: a bar for each work, on a logarithmic scale, with a mark where the target is. */
import { median, met, ratios, type Result } from "./report.ts";

const BAR = 16, LEFT = 430, WIDTH = 900, RIGHT = 60, TOP = 40;
/** Ratios at the ends of the scale. */
const LOW = 0.25, HIGH = 16;

const place = (ratio: number) =>
  LEFT + (WIDTH - LEFT - RIGHT) * Math.log(Math.min(HIGH, Math.max(LOW, ratio)) / LOW) / Math.log(HIGH / LOW);

const text = (value: string) => value.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** The chart as SVG. Works without a peer are left out. */
export function chart(results: readonly Result[]): string {
  const bars = results.flatMap((result) => {
    const list = ratios(result, result.work.against ?? "casacore");
    return list === null
      ? []
      : [{ result, ratio: median(list), low: Math.min(...list), high: Math.max(...list) }];
  });
  const height = TOP + bars.length * (BAR + 6) + 20;
  const parts = [0.25, 0.5, 1, 2, 4, 8, 16].map((ratio) => {
    const x = place(ratio).toFixed(1);
    return `<line x1="${x}" y1="${TOP - 6}" x2="${x}" y2="${height - 14}" stroke="${
      ratio === 1 ? "#444" : "#ccc"
    }"/>` +
      `<text x="${x}" y="${TOP - 12}" text-anchor="middle">${ratio}×</text>`;
  });
  bars.forEach(({ result, ratio, low, high }, i) => {
    const y = TOP + i * (BAR + 6), from = place(1), to = place(ratio), good = met(result);
    const colour = good === null ? "#8899aa" : good ? "#2f855a" : "#c05621";
    parts.push(
      `<text x="${LEFT - 8}" y="${y + BAR - 4}" text-anchor="end">${text(result.work.title)} · ${
        result.rows.toLocaleString("en")
      }</text>`,
      `<rect x="${Math.min(from, to).toFixed(1)}" y="${y}" width="${
        Math.max(1, Math.abs(to - from)).toFixed(1)
      }" height="${BAR}" fill="${colour}"/>`,
      `<line x1="${place(low).toFixed(1)}" y1="${y + BAR / 2}" x2="${place(high).toFixed(1)}" y2="${
        y + BAR / 2
      }" stroke="#222"/>`,
      `<text x="${(WIDTH - RIGHT + 6).toFixed(0)}" y="${y + BAR - 4}">${ratio.toFixed(2)}</text>`,
    );
    if (result.work.target !== null) {
      const x = place(result.work.target).toFixed(1);
      parts.push(
        `<line x1="${x}" y1="${y - 2}" x2="${x}" y2="${y + BAR + 2}" stroke="#000" stroke-width="2"/>`,
      );
    }
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="10">\n` +
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>\n` +
    `<text x="8" y="16" font-size="13">Times faster than casacore (or, for two readers, than two C readers): medians, spread, targets</text>\n` +
    parts.join("\n") + "\n</svg>\n";
}
