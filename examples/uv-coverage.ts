/**
 * The uv coverage of a field of a MeasurementSet, as SVG: where its baselines were, in wavelengths, seen from the source.
 *
 *     deno run -A examples/uv-coverage.ts [MEASUREMENTSET] [SVG] [FIELD]
 *
 * Every channel of every row that isn't flagged is a point, and another one across the centre, since the visibility there is
 * the complex conjugate. Rows are read some at a time, and points are kept on a grid, so neither memory nor the picture grows
 * with the table.
 */
import { join } from "node:path";
import { type NDArray, Table } from "../mod.ts";

const LIGHT = 299_792_458; // m/s
/** Cells of the grid along each axis, and the side of the picture in pixels. */
const GRID = 512, SIDE = 512, MARGIN = 64;
const BATCH_ROWS = 10_000;

const input = Deno.args[0] ?? join(import.meta.dirname!, "data/sim.ms");
const output = Deno.args[1] ?? "uv-coverage.svg";

using ms = Table.open(input);
const { id: field, name: fieldName } = chosenField(ms, Deno.args[2]);
const frequencies = frequenciesByDescription(ms);

let limit = 0; // wavelengths
for (const { u, v, channels } of baselines()) {
  limit = Math.max(limit, Math.hypot(u, v) * Math.max(...channels) / LIGHT);
}
if (limit === 0) throw new Error(`${input}: field ${fieldName} has no baseline that isn't flagged`);
const [unit, divisor] = limit >= 2e6 ? ["Mλ", 1e6] : limit >= 2000 ? ["kλ", 1000] : ["λ", 1];
const step = niceStep(limit / divisor / 4) * divisor;
const extent = Math.ceil(1.02 * limit / step) * step;

const cells = new Uint8Array(GRID * GRID);
let rows = 0;
const pairs = new Set<number>();
for (const { u, v, channels, pair } of baselines()) {
  rows++;
  pairs.add(pair);
  for (const frequency of channels) {
    mark(u * frequency / LIGHT, v * frequency / LIGHT);
    mark(-u * frequency / LIGHT, -v * frequency / LIGHT);
  }
}
Deno.writeTextFileSync(output, picture());
console.log(
  `${output}: ${fieldName}, ${rows} rows of ${pairs.size} baselines, up to ${
    (limit / divisor).toFixed(1)
  } ${unit}`,
);

/** The field of that name or number; the first one if none is given. */
function chosenField(ms: Table, wanted: string | undefined): { id: number; name: string } {
  using fields = ms.subtable("FIELD");
  const names = fields.getColumn("NAME", { dtype: "string" }).data;
  const id = wanted === undefined ? 0 : /^\d+$/.test(wanted) ? Number(wanted) : names.indexOf(wanted);
  const name = names[id];
  if (name === undefined) throw new Error(`no field ${wanted}; there are ${names.join(", ")}`);
  return { id, name };
}

/** Frequencies of the channels in Hz, for each DATA_DESC_ID. */
function frequenciesByDescription(ms: Table): Float64Array[] {
  using descriptions = ms.subtable("DATA_DESCRIPTION");
  using windows = ms.subtable("SPECTRAL_WINDOW");
  const ids = descriptions.getColumn("SPECTRAL_WINDOW_ID", { dtype: "int32" }).data;
  return Array.from(ids, (id) => (windows.getCell("CHAN_FREQ", id) as NDArray<"float64">).data);
}

/** Rows of the field that aren't flagged, without autocorrelations: u and v in metres, frequencies in Hz. */
function* baselines() {
  const columns = ["FIELD_ID", "FLAG_ROW", "ANTENNA1", "ANTENNA2", "DATA_DESC_ID", "UVW"];
  for (const { start, end, columns: values } of ms.batches({ columns, batchRows: BATCH_ROWS })) {
    const numbers = (name: string) => values[name]!.data as Int32Array | Uint8Array | Float64Array;
    const [fields, flags, first, second] = columns.map(numbers);
    const [descriptions, uvw] = [numbers("DATA_DESC_ID"), numbers("UVW")];
    for (let i = 0; i < end - start; i++) {
      if (fields![i] !== field || flags![i] === 1 || first![i] === second![i]) continue;
      yield {
        u: uvw[3 * i]!,
        v: uvw[3 * i + 1]!,
        channels: frequencies[descriptions[i]!]!,
        pair: first![i]! * 65536 + second![i]!,
      };
    }
  }
}

function mark(u: number, v: number): void {
  const column = Math.floor((u / extent + 1) / 2 * GRID), row = Math.floor((1 - v / extent) / 2 * GRID);
  cells[row * GRID + column] = 1;
}

/** The least of 1, 2, 5, 10, 20, 50 … that is at least `size`. */
function niceStep(size: number): number {
  const power = 10 ** Math.floor(Math.log10(size));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= size * (1 - 1e-9))!;
}

function picture(): string {
  const place = (value: number) => ((value / extent + 1) / 2 * SIDE).toFixed(1);
  const count = Math.round(extent / step);
  const ticks = Array.from({ length: 2 * count + 1 }, (_, i) => (i - count) * step);
  const label = (value: number) => String(Number((value / divisor).toPrecision(6))).replace("-", "−");
  const size = SIDE / GRID;
  let lines = "";
  for (let row = 0; row < GRID; row++) {
    for (let column = 0; column < GRID; column++) {
      const start = column;
      while (column < GRID && cells[row * GRID + column] === 1) column++;
      const length = (column - start - 1) * size;
      if (length >= 0) lines += `M${(start + 0.5) * size} ${(row + 0.5) * size}h${length}`;
    }
  }
  const text = (x: number | string, y: number | string, content: string, more = "") =>
    `<text x="${x}" y="${y}" text-anchor="middle"${more}>${escaped(content)}</text>`;
  const side = SIDE + 2 * MARGIN;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${side} ${side}" width="${side}" height="${side}"
  font-family="sans-serif" font-size="13" fill="#333">
<title>uv coverage of ${escaped(fieldName)}</title>
<rect width="${side}" height="${side}" fill="#fff"/>
<g transform="translate(${MARGIN} ${MARGIN})">
${text(SIDE / 2, -24, `${fieldName}: ${pairs.size} baselines, ${rows} rows`, ' font-size="16"')}
<g stroke="#ddd">
${ticks.map((value) => `<path d="M${place(value)} 0V${SIDE}M0 ${place(-value)}H${SIDE}"/>`).join("\n")}
</g>
<path d="${lines}" stroke="#1f5fa8" stroke-width="2.4" stroke-linecap="round"/>
<rect width="${SIDE}" height="${SIDE}" fill="none" stroke="#333"/>
${ticks.map((value) => text(place(value), SIDE + 20, label(value))).join("\n")}
${
    ticks.map((value) => text(-8, place(-value), label(value), ' dy="0.35em" style="text-anchor:end"')).join(
      "\n",
    )
  }
${text(SIDE / 2, SIDE + 44, `u (${unit})`)}
${text(-46, SIDE / 2, `v (${unit})`, ` transform="rotate(-90 -46 ${SIDE / 2})"`)}
</g>
</svg>
`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
