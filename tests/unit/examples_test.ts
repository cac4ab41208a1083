/** The examples run, and do what they say. */
import assert from "node:assert/strict";
import { parquetMetadataAsync } from "hyparquet";
import { array, type NDArray, scalar, Table, tiledShape } from "../../mod.ts";
import { fromParquet } from "../../src/parquet/mod.ts";
import { diffTables } from "../../src/query/mod.ts";
import { temporaryFolder } from "../fixture.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

async function example(name: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", `examples/${name}`, ...args],
    cwd: ROOT,
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("examples/write-ms.ts writes a MeasurementSet in which the source has the flux that it was given", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/sim.ms`;
  assert.match(await example("write-ms.ts", path), /6720 rows of 28 baselines/);
  using ms = Table.open(path);
  const { data, shape } = ms.getColumn("DATA", { dtype: "complex64" });
  assert.deepEqual(shape, [2, 16, 6720]);
  // The noise is what SIGMA says, and is around the flux.
  const [sigma] = (ms.getCell("SIGMA", 0) as NDArray<"float32">).data;
  const [weight] = (ms.getCell("WEIGHT", 0) as NDArray<"float32">).data;
  assert.ok(Math.abs(weight! * sigma! ** 2 - 1) < 1e-5);
  let sum = 0, squares = 0;
  for (let i = 0; i < data.length; i += 2) {
    const off = Math.hypot(data[i]!, data[i + 1]!) - 3;
    sum += off;
    squares += off ** 2;
  }
  const count = data.length / 2;
  assert.ok(Math.abs(sum / count) < 5 * sigma! / Math.sqrt(count));
  assert.ok(Math.abs(squares / count / sigma! ** 2 - 1) < 0.03);
  // Phases turn with the length of the baseline: towards the source they add up, elsewhere they don't.
  const uvw = ms.getColumn("UVW", { dtype: "float64" }).data;
  using windows = ms.subtable("SPECTRAL_WINDOW");
  const [frequency] = (windows.getCell("CHAN_FREQ", 0) as NDArray<"float64">).data;
  const brightness = (l: number, m: number) => {
    let sum = 0;
    for (let row = 0; row < ms.rowCount; row++) {
      const [u, v, w] = uvw.subarray(3 * row, 3 * row + 3) as unknown as [number, number, number];
      const path = u * l + v * m + w * (Math.sqrt(1 - l * l - m * m) - 1);
      const phase = 2 * Math.PI * path * frequency! / 299_792_458;
      const at = 2 * 2 * 16 * row;
      sum += data[at]! * Math.cos(phase) + data[at + 1]! * Math.sin(phase);
    }
    return sum / ms.rowCount;
  };
  assert.ok(Math.abs(brightness(4e-4, -7e-4) - 3) < 5 * sigma! / Math.sqrt(ms.rowCount));
  assert.ok(brightness(-4e-4, 7e-4) < 1);
  // The baseline's length is that of the antennas' distance.
  using antennas = ms.subtable("ANTENNA");
  const places = antennas.getColumn("POSITION", { dtype: "float64" }).data;
  const distance = Math.hypot(...[0, 1, 2].map((axis) => places[3 + axis]! - places[axis]!));
  assert.ok(Math.abs(Math.hypot(...uvw.subarray(0, 3)) - distance) < 1e-6);
});

/** Cells of the grid that the picture's path goes through, one pixel wide, as [x, y]. */
function pointsOf(svg: string): [number, number][] {
  const path = svg.match(/<path\s+d="([^"]*)"\s+stroke="#1f5fa8"/)![1]!;
  return [...path.matchAll(/M([\d.]+)\s+([\d.]+)\s*h\s*(\d+)/g)].flatMap(([, x, y, length]) =>
    Array.from({ length: Number(length) + 1 }, (_, i): [number, number] => [Number(x) + i, Number(y)])
  );
}

Deno.test("examples/uv-coverage.ts draws every baseline's points and those across the centre", async () => {
  using folder = temporaryFolder();
  const svg = `${folder.path}/uv.svg`;
  const said = await example("uv-coverage.ts", `${ROOT}examples/data/sim.ms`, svg);
  assert.match(said, /3C286, 156 rows of 21 baselines, up to 8\.3 kλ/);
  const picture = Deno.readTextFileSync(svg);
  assert.match(picture, /<text [^>]*>u \(kλ\)<\/text>/);
  const points = pointsOf(picture);
  assert.ok(points.length > 150, `${points.length} points`);
  // Across the centre.
  const keys = new Set(points.map(([x, y]) => `${x},${y}`));
  for (const [x, y] of points) assert.ok(keys.has(`${512 - x},${512 - y}`), `${x}, ${y}`);
  // Nothing is farther from the centre than the longest baseline at the highest frequency: 8.3 of the axis's 10.
  const farthest = Math.max(...points.map(([x, y]) => Math.hypot(x - 256, y - 256)));
  assert.ok(Math.abs(farthest / 256 - 0.83) < 0.02, `${farthest / 256}`);

  assert.match(
    await example("uv-coverage.ts", `${ROOT}examples/data/sim.ms`, svg, "J1345+3100"),
    /J1345\+3100/,
  );
  await assert.rejects(
    example("uv-coverage.ts", `${ROOT}examples/data/sim.ms`, svg, "M31"),
    /no field M31; there are 3C286, J1345/,
  );
});

Deno.test("examples/to-parquet.ts writes a table that is read back with all its values", async () => {
  using folder = temporaryFolder();
  const file = `${folder.path}/vis.parquet`;
  assert.match(await example("to-parquet.ts", `${ROOT}examples/data/sim.ms`, file), /560 rows, 22 columns/);
  using ms = Table.open(`${ROOT}examples/data/sim.ms`);
  using again = await fromParquet(`${folder.path}/again.tab`, file);
  const { columns } = diffTables(ms, again);
  assert.equal(columns.length, 22);
  assert.ok(columns.every(({ differentRows, problem }) => differentRows === 0 && problem === null));
});

Deno.test("examples/to-parquet.ts takes little memory for a table of 160 MiB", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/vis.tab`, file = `${folder.path}/vis.parquet`, rows = 20_480;
  {
    using table = Table.create(path, {
      columns: [scalar("ANTENNA1", "int32"), array("DATA", "complex64", { shape: [4, 256] })],
      storage: [tiledShape("Data", ["DATA"], { tileShape: [4, 256, 16] })],
    });
    const data = new Float32Array(2048 * 4 * 256 * 2).map((_, i) => i % 1000);
    for (let row = 0; row < rows; row += 2048) {
      table.append({ ANTENNA1: Int32Array.from({ length: 2048 }, (_, i) => row + i), DATA: data });
    }
  }
  const said = await example("to-parquet.ts", path, file, "DATA,ANTENNA1");
  assert.match(said, /20480 rows, 2 columns/);
  const grown = Number(/memory grew by ([\d.]+) MiB/.exec(said)![1]);
  assert.ok(grown < 128, said);
  const bytes = Deno.readFileSync(file);
  const metadata = await parquetMetadataAsync(bytes.buffer as ArrayBuffer);
  assert.equal(Number(metadata.num_rows), rows);
  // Whole tiles, at most 8 MiB of values.
  for (const { num_rows } of metadata.row_groups) assert.equal(Number(num_rows) % 16, 0);
  assert.ok(metadata.row_groups.length >= 20);
});

Deno.test("examples/image.ts says what an image of casacore is and what its pixels are", async () => {
  const said = await example("image.ts");
  assert.match(said, /shape \[5, 6, 4\], float32/);
  assert.match(said, /direction0: Right Ascension, Declination; value 0, 0 at pixel 2, 3/);
  assert.match(said, /99 of 120 pixels are unmasked: min -1\.99/);
});

Deno.test({
  name: "examples/correlator.ts writes a MeasurementSet that is watched while it grows",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using folder = temporaryFolder();
    const path = `${folder.path}/live.ms`;
    const said = (await example("correlator.ts", path, "--integrations", "12", "--speed", "1000")).split(
      "\n",
    );
    const spectra = said.filter((line) => /Jy$/.test(line));
    assert.equal(spectra.length, 12);
    // A line that becomes stronger, at the channel where it was put.
    const [first, last] = [spectra[0]!, spectra.at(-1)!].map((line) => [...line.split(" ")[1]!]);
    assert.equal(first!.length, 48);
    assert.ok(last![30]! > first![30]!, spectra.join("\n"));
    assert.equal(last![30], "█");
    assert.equal(last![5], "▂");
    assert.deepEqual(spectra.map((line) => line.slice(0, 8)).slice(0, 3), [
      "06:00:05",
      "06:00:15",
      "06:00:25",
    ]);
    assert.match(said.at(-2)!, /Measurement Set, 180 rows, 6 antennas/);
    using ms = Table.open(path);
    assert.deepEqual(ms.getColumn("DATA").shape, [2, 48, 180]);
    using windows = ms.subtable("SPECTRAL_WINDOW");
    assert.equal(windows.getCell("NUM_CHAN", 0), 48);
  },
});

Deno.test("every example says how to run it", () => {
  for (const { name } of Deno.readDirSync(`${ROOT}examples`)) {
    if (!name.endsWith(".ts")) continue;
    const header = Deno.readTextFileSync(`${ROOT}examples/${name}`).split("*/")[0]!;
    assert.ok(header.includes(`deno run -A examples/${name}`) || header.includes("deno task"), name);
  }
});

Deno.test("the picture in the guide is what examples/uv-coverage.ts draws of what examples/write-ms.ts simulates", async () => {
  using folder = temporaryFolder();
  await example("write-ms.ts", `${folder.path}/sim.ms`);
  await example("uv-coverage.ts", `${folder.path}/sim.ms`, `${folder.path}/uv.svg`);
  const shown = pointsOf(Deno.readTextFileSync(`${ROOT}docs/guide/uv-coverage.svg`)).map(String);
  const drawn = pointsOf(Deno.readTextFileSync(`${folder.path}/uv.svg`)).map(String);
  // A point on the border of two cells may be in either, by the machine's sines.
  const different = new Set(shown).symmetricDifference(new Set(drawn)).size;
  assert.ok(shown.length > 10_000 && different < shown.length / 1000, `${different} of ${shown.length}`);
});
