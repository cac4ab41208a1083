/** The examples run, and do what they say. */
import assert from "node:assert/strict";
import { type NDArray, Table } from "../../mod.ts";
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
  assert.match(await example("write-ms.ts", path), /1680 rows of 28 baselines/);
  using ms = Table.open(path);
  const { data, shape } = ms.getColumn("DATA", { dtype: "complex64" });
  assert.deepEqual(shape, [2, 16, 1680]);
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
