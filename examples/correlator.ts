/**
 * A correlator that writes a MeasurementSet while it observes, and somebody who watches: every 10 s an integration of all
 * baselines goes into a live store, and a reader draws the newest spectra as they come.
 *
 *     deno run -A examples/correlator.ts [STORE] [--integrations 20] [--speed 100]
 *
 * The reader knows nothing of the writer but the store's directory, and could as well be another process: while it runs,
 * `deno task table tail live.ms --follow --columns TIME,ANTENNA1,ANTENNA2,DATA` shows the rows. What is sealed is a
 * MeasurementSet that any program opens, at every moment; at the end that is all of it.
 */
import { parseArgs } from "node:util";
import { Table, tiledShape } from "../mod.ts";
import { IngestStore } from "../src/ingest/mod.ts";

const { values: options, positionals: [path = "live.ms"] } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: { integrations: { type: "string", default: "20" }, speed: { type: "string", default: "100" } },
});
const INTEGRATIONS = Number(options.integrations), SPEED = Number(options.speed);
const INTERVAL = 10; // s
const ANTENNAS = 6, CORRELATIONS = 2, CHANNELS = 48;
const BASELINES = ANTENNAS * (ANTENNAS - 1) / 2;
const START = 60_000.25 * 86_400; // s since modified Julian date 0
const NOISE = 0.4; // Jy, of the real and the imaginary part
/** Channel of the spectral line, its width in channels, its flux and that of the continuum, in Jy. */
const LINE = 30, WIDTH = 4, LINE_FLUX = 6, FLUX = 1.5;

const template = Deno.makeTempDirSync({ prefix: "correlator-" });
try {
  makeTemplate(`${template}/empty.ms`);
  await using store = IngestStore.open(path, {
    template: `${template}/empty.ms`,
    storage: [tiledShape("Data", ["DATA"], { tileShape: [CORRELATIONS, CHANNELS, 256] })],
    // An integration is on the disk before the next one is begun.
    durability: "batch",
    // Small, so that segments can be seen to come; 256 MiB if left out.
    logBytes: 256 * 1024,
  });
  const first = store.nextSequence, watching = watch(first, INTEGRATIONS * BASELINES);
  await observe(store, INTEGRATIONS);
  await watching;
  await store.seal();
  const { segments } = store.manifest, { appends, syncs } = store.stats;
  console.log(`${appends} integrations, ${syncs} syncs, ${segments.length} segments`);
} finally {
  Deno.removeSync(template, { recursive: true });
}
using ms = Table.open(path);
console.log(`${path}: ${ms.info.type}, ${ms.rowCount} rows, ${ms.subtable("ANTENNA").rowCount} antennas`);

/** A MeasurementSet without rows, with the subtables that tell what is observed. */
function makeTemplate(empty: string): void {
  using ms = Table.createMeasurementSet(empty, { data: ["DATA"], shape: [CORRELATIONS, CHANNELS] });
  const add = (name: string, rows: Parameters<Table["append"]>[0]) => {
    using subtable = ms.subtable(name, { mode: "rw" });
    subtable.append(rows);
  };
  const names = Array.from({ length: ANTENNAS }, (_, i) => `A${i + 1}`);
  add("ANTENNA", { NAME: names, STATION: names, DISH_DIAMETER: new Float64Array(ANTENNAS).fill(25) });
  add("OBSERVATION", { TELESCOPE_NAME: ["Simulated"], OBSERVER: ["Tessera"] });
  add("FIELD", { NAME: ["A line"] });
  add("DATA_DESCRIPTION", { SPECTRAL_WINDOW_ID: Int32Array.of(0) });
  add("POLARIZATION", { NUM_CORR: Int32Array.of(CORRELATIONS) });
  add("SPECTRAL_WINDOW", { NUM_CHAN: Int32Array.of(CHANNELS), REF_FREQUENCY: Float64Array.of(1.42e9) });
}

/** Appends an integration every `INTERVAL` of simulated time. */
async function observe(store: IngestStore, integrations: number): Promise<void> {
  const pairs = Array.from({ length: ANTENNAS }, (_, a) => a)
    .flatMap((a) => Array.from({ length: ANTENNAS - a - 1 }, (_, b) => [a, a + 1 + b] as const));
  const begun = performance.now();
  for (let integration = 0; integration < integrations; integration++) {
    const data = new Float32Array(BASELINES * CHANNELS * CORRELATIONS * 2);
    for (let at = 0; at < data.length; at += 2) {
      const channel = Math.floor(at / 2 / CORRELATIONS) % CHANNELS;
      // The line becomes stronger as time goes by.
      const strength = Math.min(1, (integration + 1) / 10) * LINE_FLUX;
      const flux = FLUX + strength * Math.exp(-(((channel - LINE) / WIDTH) ** 2));
      data[at] = flux + NOISE * gaussian();
      data[at + 1] = NOISE * gaussian();
    }
    const time = new Float64Array(BASELINES).fill(START + (integration + 0.5) * INTERVAL);
    const all = (value: number) => new Float64Array(BASELINES).fill(value);
    // When this is done, the rows are on the disk, and whoever reads sees them.
    await store.append({
      TIME: time,
      TIME_CENTROID: time,
      INTERVAL: all(INTERVAL),
      EXPOSURE: all(INTERVAL),
      ANTENNA1: Int32Array.from(pairs, ([a]) => a),
      ANTENNA2: Int32Array.from(pairs, ([, b]) => b),
      DATA: { dtype: "complex64", shape: [CORRELATIONS, CHANNELS, BASELINES], data },
    });
    const due = begun + (integration + 1) * INTERVAL * 1000 / SPEED;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
  }
}

/** Draws the spectrum of each integration, the mean of all baselines, until so many rows were seen. */
async function watch(from: number, rows: number): Promise<void> {
  await using store = IngestStore.open(path, { mode: "r" });
  const scale = FLUX + LINE_FLUX, spectrum = new Float64Array(CHANNELS);
  let seen = 0, time = NaN;
  const draw = () => {
    const bars = Array.from(
      spectrum,
      (sum) => "▁▂▃▄▅▆▇█"[Math.min(7, Math.floor(8 * sum / BASELINES / scale))],
    );
    const clock = new Date((time - 40_587 * 86_400) * 1000).toISOString().slice(11, 21);
    console.log(`${clock} ${bars.join("")} ${(Math.max(...spectrum) / BASELINES).toFixed(1)} Jy`);
    spectrum.fill(0);
  };
  for await (const batch of store.tail({ from, columns: ["TIME", "DATA"] })) {
    const times = (batch.columns.TIME as { data: Float64Array }).data;
    const { data } = batch.columns.DATA as { data: Float32Array };
    for (let row = 0; row < batch.rowCount; row++) {
      time = times[row]!;
      // Amplitudes of the first correlation.
      for (let channel = 0; channel < CHANNELS; channel++) {
        const at = (row * CHANNELS + channel) * CORRELATIONS * 2;
        spectrum[channel]! += Math.hypot(data[at]!, data[at + 1]!);
      }
      if (++seen % BASELINES === 0) draw();
    }
    if (seen >= rows) return;
  }
}

/** A number from the normal distribution. */
function gaussian(): number {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}
