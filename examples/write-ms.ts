/**
 * Simulates an observation and writes it as a MeasurementSet: antennas on a spiral follow a field in which one source stands
 * beside the phase centre, with the noise that receivers of such antennas have.
 *
 *     deno run -A examples/write-ms.ts [TARGET]
 *
 * casacore opens it like any other. For a look at it: `deno task table show simulated.ms` and
 * `deno run -A examples/uv-coverage.ts simulated.ms`.
 */
import { Table } from "../mod.ts";

const LIGHT = 299_792_458; // m/s
const ANTENNAS = 8, RADIUS = 180; // m
const INTEGRATIONS = 240, INTERVAL = 120; // s
const CHANNELS = 16, FIRST_FREQUENCY = 1.4e9, CHANNEL_WIDTH = 2e6; // Hz
const CORRELATIONS = [9, 12]; // casacore's codes of XX and YY
const START = (60_000 + 0.25) * 86_400; // s since modified Julian date 0
const [RIGHT_ASCENSION, DECLINATION] = [2.1, 0.7]; // rad
const [SOURCE_L, SOURCE_M, SOURCE_FLUX] = [4e-4, -7e-4, 3]; // direction cosines, Jy
const LATITUDE = 0.92, LONGITUDE = 0.11; // rad
const EARTH = 6_371_000; // m
const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5));
const SYSTEM_FLUX = 400; // Jy: the source that would double an antenna's power
/** Noise of the real and the imaginary part of a channel, in Jy. */
const NOISE = SYSTEM_FLUX / Math.sqrt(2 * CHANNEL_WIDTH * INTERVAL);

/** Places of the antennas on a round Earth, as ITRF coordinates. */
function antennaPositions(): number[][] {
  const [sinLat, cosLat, sinLon, cosLon] = [
    Math.sin(LATITUDE),
    Math.cos(LATITUDE),
    Math.sin(LONGITUDE),
    Math.cos(LONGITUDE),
  ];
  return Array.from({ length: ANTENNAS }, (_, i) => {
    // As the seeds of a sunflower lie: no two baselines are alike.
    const angle = GOLDEN_ANGLE * i, radius = RADIUS * Math.sqrt((i + 1) / ANTENNAS);
    const east = radius * Math.cos(angle), north = radius * Math.sin(angle);
    return [
      EARTH * cosLat * cosLon - sinLon * east - sinLat * cosLon * north,
      EARTH * cosLat * sinLon + cosLon * east - sinLat * sinLon * north,
      EARTH * sinLat + cosLat * north,
    ];
  });
}

/** Angle of Greenwich from the equinox, in rad. */
function siderealAngle(time: number): number {
  return 2 * Math.PI * (0.779_057_273_264 + 1.002_737_811_911_354_48 * (time / 86_400 - 51_544.5));
}

/** The baseline from antenna a to b as the field sees it. */
function uvwOf(a: readonly number[], b: readonly number[], time: number): [number, number, number] {
  const [x, y, z] = [b[0]! - a[0]!, b[1]! - a[1]!, b[2]! - a[2]!];
  const angle = siderealAngle(time) - RIGHT_ASCENSION;
  const [sinH, cosH] = [Math.sin(angle), Math.cos(angle)];
  const [sinD, cosD] = [Math.sin(DECLINATION), Math.cos(DECLINATION)];
  // x and y are turned with the Earth: the hour angle is that of Greenwich.
  const [toField, across] = [cosH * x - sinH * y, sinH * x + cosH * y];
  return [across, cosD * z - sinD * toField, sinD * z + cosD * toField];
}

/** Numbers between 0 and 1, the same at each run: Marsaglia's xorshift of 32 bits. */
let state = 20_230_225;
function random(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) / 2 ** 32;
}

/** Two independent numbers of normal distribution (Box and Muller). */
function gaussians(): [number, number] {
  const radius = Math.sqrt(-2 * Math.log(1 - random())), angle = 2 * Math.PI * random();
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** Visibilities of the source, and noise: re, im for each correlation and channel. */
function visibilities([u, v, w]: readonly [number, number, number], into: Float32Array): void {
  const path = u * SOURCE_L + v * SOURCE_M + w * (Math.sqrt(1 - SOURCE_L ** 2 - SOURCE_M ** 2) - 1);
  for (let channel = 0; channel < CHANNELS; channel++) {
    const phase = 2 * Math.PI * path * (FIRST_FREQUENCY + channel * CHANNEL_WIDTH) / LIGHT;
    for (let correlation = 0; correlation < CORRELATIONS.length; correlation++) {
      const at = 2 * (channel * CORRELATIONS.length + correlation);
      const [re, im] = gaussians();
      into[at] = SOURCE_FLUX * Math.cos(phase) + NOISE * re;
      into[at + 1] = SOURCE_FLUX * Math.sin(phase) + NOISE * im;
    }
  }
}

/** What subtables say: one field, one window, one polarisation setup, one observation. */
function describe(ms: Table, positions: readonly number[][]): void {
  const end = START + INTEGRATIONS * INTERVAL;
  const rows = (name: string, values: Parameters<Table["append"]>[0]) => {
    using table = ms.subtable(name);
    table.append(values);
  };
  const each = <T>(value: T) => Array<T>(ANTENNAS).fill(value);
  rows("ANTENNA", {
    NAME: positions.map((_, i) => `A${i + 1}`),
    STATION: positions.map((_, i) => `PAD${i + 1}`),
    TYPE: each("GROUND-BASED"),
    MOUNT: each("ALT-AZ"),
    POSITION: Float64Array.from(positions.flat()),
    DISH_DIAMETER: new Float64Array(ANTENNAS).fill(12),
  });
  rows("FEED", {
    ANTENNA_ID: Int32Array.from(positions.keys()),
    SPECTRAL_WINDOW_ID: new Int32Array(ANTENNAS).fill(-1),
    BEAM_ID: new Int32Array(ANTENNAS).fill(-1),
    TIME: new Float64Array(ANTENNAS).fill((START + end) / 2),
    INTERVAL: new Float64Array(ANTENNAS).fill(end - START),
    NUM_RECEPTORS: new Int32Array(ANTENNAS).fill(2),
    BEAM_OFFSET: { dtype: "float64", shape: [2, 2, ANTENNAS], data: new Float64Array(4 * ANTENNAS) },
    POLARIZATION_TYPE: { dtype: "string", shape: [2, ANTENNAS], data: each(["X", "Y"]).flat() },
    POL_RESPONSE: {
      dtype: "complex64",
      shape: [2, 2, ANTENNAS],
      data: Float32Array.from(each([1, 0, 0, 0, 0, 0, 1, 0]).flat()),
    },
    RECEPTOR_ANGLE: { dtype: "float64", shape: [2, ANTENNAS], data: new Float64Array(2 * ANTENNAS) },
  });
  const toField = {
    dtype: "float64",
    shape: [2, 1, 1],
    data: Float64Array.of(RIGHT_ASCENSION, DECLINATION),
  } as const;
  rows("FIELD", {
    NAME: ["simulated"],
    CODE: ["TARGET"],
    SOURCE_ID: Int32Array.of(0),
    TIME: Float64Array.of(START),
    DELAY_DIR: toField,
    PHASE_DIR: toField,
    REFERENCE_DIR: toField,
  });
  rows("SOURCE", {
    NAME: ["simulated"],
    CODE: ["TARGET"],
    SOURCE_ID: Int32Array.of(0),
    SPECTRAL_WINDOW_ID: Int32Array.of(-1),
    TIME: Float64Array.of((START + end) / 2),
    INTERVAL: Float64Array.of(end - START),
    DIRECTION: Float64Array.of(RIGHT_ASCENSION, DECLINATION),
    PROPER_MOTION: Float64Array.of(0, 0),
  });
  const widths = new Float64Array(CHANNELS).fill(CHANNEL_WIDTH);
  const channels = (data: Float64Array) => ({ dtype: "float64", shape: [CHANNELS, 1], data } as const);
  rows("SPECTRAL_WINDOW", {
    NAME: ["L band"],
    MEAS_FREQ_REF: Int32Array.of(5), // topocentric
    NUM_CHAN: Int32Array.of(CHANNELS),
    REF_FREQUENCY: Float64Array.of(FIRST_FREQUENCY),
    CHAN_FREQ: channels(widths.map((width, i) => FIRST_FREQUENCY + i * width)),
    CHAN_WIDTH: channels(widths),
    EFFECTIVE_BW: channels(widths),
    RESOLUTION: channels(widths),
    TOTAL_BANDWIDTH: Float64Array.of(CHANNELS * CHANNEL_WIDTH),
    NET_SIDEBAND: Int32Array.of(1),
  });
  rows("POLARIZATION", {
    NUM_CORR: Int32Array.of(CORRELATIONS.length),
    CORR_TYPE: { dtype: "int32", shape: [2, 1], data: Int32Array.from(CORRELATIONS) },
    CORR_PRODUCT: { dtype: "int32", shape: [2, 2, 1], data: Int32Array.of(0, 0, 1, 1) },
  });
  rows("DATA_DESCRIPTION", {
    POLARIZATION_ID: Int32Array.of(0),
    SPECTRAL_WINDOW_ID: Int32Array.of(0),
  });
  rows("OBSERVATION", {
    TELESCOPE_NAME: ["SIMULATED"],
    OBSERVER: ["Tessera"],
    PROJECT: ["example"],
    TIME_RANGE: Float64Array.of(START, end),
    RELEASE_DATE: Float64Array.of(end),
  });
  rows("STATE", { OBS_MODE: ["OBSERVE_TARGET"], SIG: Uint8Array.of(1) });
  rows("PROCESSOR", { TYPE: ["CORRELATOR"], SUB_TYPE: [""] });
  rows("HISTORY", {
    TIME: Float64Array.of(START),
    MESSAGE: ["simulated"],
    APPLICATION: ["examples/write-ms.ts"],
    PRIORITY: ["NORMAL"],
  });
}

const target = Deno.args[0] ?? "simulated.ms";
const positions = antennaPositions();
const baselines = positions.flatMap((_, a) => positions.slice(a + 1).map((_, i) => [a, a + 1 + i] as const));
const count = baselines.length, cell = CORRELATIONS.length * CHANNELS;

using ms = Table.createMeasurementSet(target, {
  shape: [CORRELATIONS.length, CHANNELS],
  subtables: ["SOURCE"],
  overwrite: true,
});
describe(ms, positions);
const data = new Float32Array(2 * cell * count), uvw = new Float64Array(3 * count);
const same = (value: number) => new Float64Array(count).fill(value);
const each = (value: number) => new Float32Array(CORRELATIONS.length * count).fill(value);
for (let integration = 0; integration < INTEGRATIONS; integration++) {
  const time = START + (integration + 0.5) * INTERVAL;
  baselines.forEach(([a, b], i) => {
    const baseline = uvwOf(positions[a]!, positions[b]!, time);
    uvw.set(baseline, 3 * i);
    visibilities(baseline, data.subarray(2 * cell * i, 2 * cell * (i + 1)));
  });
  // One integration is one commit: whoever opens the MeasurementSet meanwhile sees whole ones.
  ms.append({
    TIME: same(time),
    TIME_CENTROID: same(time),
    INTERVAL: same(INTERVAL),
    EXPOSURE: same(INTERVAL),
    ANTENNA1: Int32Array.from(baselines, ([a]) => a),
    ANTENNA2: Int32Array.from(baselines, ([, b]) => b),
    SCAN_NUMBER: new Int32Array(count).fill(1),
    UVW: uvw,
    DATA: data,
    FLAG: new Uint8Array(cell * count),
    SIGMA: each(NOISE),
    WEIGHT: each(1 / NOISE ** 2),
  });
  ms.flush();
}
const longest = Math.max(
  ...Array.from({ length: count }, (_, i) => Math.hypot(uvw[3 * i]!, uvw[3 * i + 1]!)),
);
console.log(
  `${target}: ${ms.rowCount} rows of ${count} baselines, the longest ${
    longest.toFixed(0)
  } m as seen at the end`,
);
