/** Charts of the ratios: bars on a logarithmic scale, with the spread of the rounds and a mark where the target is. */
import { median, met, ratios, type Result } from "./report.ts";

const BAR = 14, GAP = 8, SCALE = 520, RIGHT = 48, TOP = 62, BOTTOM = 14;
/** About the width of a letter, and the room beside labels. */
const LETTER = 6.1, BESIDE = 16;
/** Ratios at the ends of the scale, and those that are marked on it. */
const LOW = 0.125, HIGH = 16, MARKS = [0.125, 0.25, 0.5, 1, 2, 4, 8, 16];
const MET = "#2f855a", MISSED = "#c05621", NOT_AIMED = "#8899aa";

const text = (value: string) =>
  value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

/** What stands beside one label: a bar, or one for files that are mapped and one for files that are read. */
interface Row {
  readonly label: string;
  readonly results: readonly Result[];
}

/** Reading by `pread`, where files are mapped unless told otherwise. */
const byPread = ({ work }: Result) => work.name.endsWith("-pread");

function draw(title: string, rows: readonly Row[]): string {
  const left = Math.max(200, ...rows.map(({ label }) => Math.ceil(label.length * LETTER))) + BESIDE;
  const width = left + SCALE + RIGHT;
  const place = (ratio: number) =>
    left +
    SCALE * Math.log(Math.min(HIGH, Math.max(LOW, ratio)) / LOW) / Math.log(HIGH / LOW);
  const at = (ratio: number) => place(ratio).toFixed(1);
  const height = TOP + rows.reduce((sum, { results }) => sum + results.length * BAR + GAP, 0) + BOTTOM;
  const parts = MARKS.map((ratio) => {
    const x = at(ratio);
    return `<line x1="${x}" y1="${TOP - 8}" x2="${x}" y2="${height - BOTTOM}" stroke="${
      ratio === 1 ? "#444" : "#ddd"
    }"/><text x="${x}" y="${TOP - 13}" text-anchor="middle">${ratio}×</text>`;
  });
  const keys = [[MET, "meets its target"], [MISSED, "misses it"], [NOT_AIMED, "has none"]] as const;
  keys.forEach(([colour, said], i) => {
    const x = left + i * 120;
    parts.push(
      `<rect x="${x}" y="24" width="10" height="10" fill="${colour}"/><text x="${
        x + 14
      }" y="33">${said}</text>`,
    );
  });
  let y = TOP;
  for (const { label, results } of rows) {
    const middle = y + results.length * BAR / 2 + 4;
    parts.push(`<text x="${left - 8}" y="${middle}" text-anchor="end">${text(label)}</text>`);
    for (const result of results) {
      const list = ratios(result, result.work.against ?? "casacore")!, ratio = median(list);
      const from = place(1), to = place(ratio), good = met(result), centre = y + BAR / 2;
      const colour = good === null ? NOT_AIMED : good ? MET : MISSED;
      parts.push(
        `<rect x="${Math.min(from, to).toFixed(1)}" y="${y + 1}" width="${
          Math.max(1, Math.abs(to - from)).toFixed(1)
        }" height="${BAR - 2}" fill="${colour}"/>`,
        `<line x1="${at(Math.min(...list))}" y1="${centre}" x2="${
          at(Math.max(...list))
        }" y2="${centre}" stroke="#222"/>`,
        `<text x="${width - RIGHT + 6}" y="${y + BAR - 3}">${ratio.toFixed(2)}${
          results.length > 1 && byPread(result) ? " p" : ""
        }</text>`,
      );
      if (result.work.target !== null) {
        const x = at(result.work.target);
        parts.push(
          `<line x1="${x}" y1="${y}" x2="${x}" y2="${y + BAR}" stroke="#000" stroke-width="2"/>`,
        );
      }
      y += BAR;
    }
    y += GAP;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="11">\n` +
    `<rect width="${width}" height="${height}" fill="#fff"/>\n` +
    `<text x="8" y="16" font-size="13">${text(title)}</text>\n` +
    parts.join("\n") + "\n</svg>\n";
}

const comparable = (result: Result) => ratios(result, result.work.against ?? "casacore") !== null;

/** All results as SVG, a bar each. Works without a peer are left out. */
export function chart(results: readonly Result[]): string {
  const rows = results.filter(comparable).map((result) => ({
    label: `${result.work.title} · ${result.rows.toLocaleString("en")}`,
    results: [result],
  }));
  const title =
    "Times faster than casacore (two readers and direct writing: than plain C). Median, spread, target";
  return draw(title, rows);
}

/** The works that have a headline, those that read by `pread` (p) under the same label. */
export function summaryChart(results: readonly Result[]): string {
  const groups = new Map<string, Result[]>();
  for (const result of results.filter(comparable)) {
    const { headline } = result.work;
    if (headline !== undefined) groups.set(headline, [...groups.get(headline) ?? [], result]);
  }
  const rows = [...groups].map(([label, results]) => ({ label, results }));
  return draw("Times faster than casacore: median, spread, target. p: by pread", rows);
}
