import assert from "node:assert/strict";
import { copyFolder, fixturePath, temporaryFolder } from "../fixture.ts";
import { array, scalar, standard, Table } from "../../mod.ts";
import { timeSpan } from "../../src/cli/measurement-set.ts";
import { runTable } from "../../src/cli/main.ts";
import { caughtTerminal, table } from "./cli_support.ts";

const MS = new URL("../../examples/data/sim.ms", import.meta.url).pathname;

/** The paragraph before the columns. */
async function block(path: string, width = 80): Promise<string> {
  const { caught, terminal } = caughtTerminal(width);
  assert.equal(await runTable(["show", path], terminal), 0, caught.err.join("\n"));
  return caught.out.split("\n\n")[1]!;
}

/** The line of that label, without it. */
function lineOf(text: string, label: string): string | undefined {
  return text.split("\n").find((line) => line.startsWith(`${label}  `))?.slice(label.length).trim();
}

/** Runs `test` with a copy of the MeasurementSet. */
async function withCopy(test: (path: string) => Promise<void>): Promise<void> {
  using folder = temporaryFolder();
  copyFolder(MS, `${folder.path}/sim.ms`);
  await test(`${folder.path}/sim.ms`);
}

Deno.test("show says what a MeasurementSet observed before it lists the columns", async () => {
  assert.equal(
    await block(MS),
    `observation       EVLA, observer Tessera
fields            2: 3C286, J1345+3100
spectral windows  2: 16 channels at 1.4075 GHz, 8 channels at 1.664 GHz
antennas          7: ea01, ea02, ea03, ea04, ea05, ea06, ea07
time              2021-06-15T05:10:05Z – 2021-06-15T05:11:35Z, 90 s
polarisations     RR RL LR LL`,
  );
});

Deno.test("show says what a CASA image is made of: pixels, axes, masks", async () => {
  assert.equal(
    await block(fixturePath("image")),
    `pixels  [5,6,4] float32, tiles of [4,3,2]
axes    Right Ascension, Declination (J2000 SIN); Stokes I Q U V
masks   mask0 (default)`,
  );
  assert.equal(
    await block(fixturePath("image_complex")),
    `pixels  [4,3] complex64, tiles of [4,3]
axes    Right Ascension, Declination (J2000 SIN)`,
  );
});

Deno.test("the lines on a MeasurementSet or an image are no wider than the terminal", async () => {
  for (const path of [MS, fixturePath("image")]) {
    for (const width of [30, 40, 60]) {
      for (const line of (await block(path, width)).split("\n")) {
        assert.ok([...line].length <= width, `${width}: ${line}`);
      }
    }
  }
  assert.match(await block(MS, 40), /^antennas +7: ea01, ea02, ea03,? ?…$/m);
});

Deno.test("show --json has the same under measurementSet and image, and neither for other tables", async () => {
  const ms = JSON.parse((await table("show", "--json", MS)).out);
  assert.deepEqual(ms.measurementSet, {
    observation: { telescopes: ["EVLA"], observers: ["Tessera"] },
    fields: { count: 2, names: ["3C286", "J1345+3100"] },
    spectralWindows: {
      count: 2,
      windows: [{ channels: 16, centre: 1407500000 }, { channels: 8, centre: 1664000000 }],
    },
    antennas: { count: 7, names: ["ea01", "ea02", "ea03", "ea04", "ea05", "ea06", "ea07"] },
    time: {
      start: "2021-06-15T05:10:05.000Z",
      end: "2021-06-15T05:11:35.000Z",
      scale: "UTC",
      seconds: 90,
      complete: true,
    },
    polarisations: [["RR", "RL", "LR", "LL"]],
  });
  assert.equal(ms.image, undefined);
  const image = JSON.parse((await table("show", "--json", fixturePath("image"))).out);
  assert.deepEqual(image.image, {
    shape: [5, 6, 4],
    dtype: "float32",
    unit: "",
    tileShape: [4, 3, 2],
    coordinates: [
      { type: "direction", axes: ["Right Ascension", "Declination"], frame: "J2000", projection: "SIN" },
      { type: "stokes", axes: ["Stokes"], stokes: ["I", "Q", "U", "V"] },
    ],
    masks: ["mask0"],
    defaultMask: "mask0",
  });
  assert.equal(image.measurementSet, undefined);
});

Deno.test("a subtable that is missing is left out, a damaged one says so in its line", async () => {
  await withCopy(async (path) => {
    Deno.removeSync(`${path}/FIELD`, { recursive: true });
    Deno.truncateSync(`${path}/ANTENNA/table.f0`, 100);
    Deno.truncateSync(`${path}/POLARIZATION/table.dat`, 50);
    Deno.writeFileSync(`${path}/SPECTRAL_WINDOW/table.f0`, new Uint8Array(5000).fill(0xff));
    const text = await block(path);
    assert.equal(lineOf(text, "fields"), undefined);
    for (const label of ["antennas", "polarisations", "spectral windows"]) {
      assert.match(lineOf(text, label) ?? "", /^unreadable: \S/, label);
    }
    assert.equal(lineOf(text, "observation"), "EVLA, observer Tessera");
    assert.match(lineOf(text, "time")!, /90 s$/);
  });
});

Deno.test("a table with MS_VERSION and ANTENNA is a MeasurementSet whatever its type", async () => {
  await withCopy(async (path) => {
    Deno.writeTextFileSync(`${path}/table.info`, "Type = \nSubType = \n");
    assert.equal(lineOf(await block(path), "fields"), "2: 3C286, J1345+3100");
  });
});

/** Runs `test` with a table that has these times. */
function withTimes(
  times: readonly number[],
  test: (table: Table) => void,
  keywords: Record<string, unknown> = {},
): void {
  using folder = temporaryFolder();
  using made = Table.create(`${folder.path}/times.tab`, {
    columns: [scalar("TIME", "float64", { keywords })],
    rows: times.length,
    io: "node",
    lock: "none",
  });
  made.putColumn("TIME", Float64Array.from(times));
  test(made);
}

Deno.test("the time span is over all batches of rows, whatever their order", () => {
  const day = 59380 * 86400;
  withTimes([day + 5, day + 6, day + 1, NaN, day + 9.5, day + 3, day + 2], (made) => {
    const span = timeSpan(made, 2);
    assert.deepEqual(span, {
      start: "2021-06-15T00:00:01.000Z",
      end: "2021-06-15T00:00:09.500Z",
      scale: "UTC",
      seconds: 8.5,
      complete: true,
    });
    // Only the first and the last two rows.
    const part = timeSpan(made, 2, 6);
    assert.deepEqual([part?.start, part?.end, part?.complete], [
      "2021-06-15T00:00:02.000Z",
      "2021-06-15T00:00:06.000Z",
      false,
    ]);
  });
});

Deno.test("the time scale is what the column's keywords say", () => {
  const keywords = { MEASINFO: { type: "epoch", Ref: "TAI" } };
  withTimes([59380 * 86400], (made) => assert.equal(timeSpan(made)?.scale, "TAI"), keywords);
});

Deno.test("times that are no dates are an error of the table; without any there is no span", () => {
  withTimes([1e300], (made) => assert.throws(() => timeSpan(made), { code: "CORRUPT" }));
  withTimes([NaN, Infinity], (made) => assert.equal(timeSpan(made), undefined));
  withTimes([], (made) => assert.equal(timeSpan(made), undefined));
});

Deno.test("an image's axes come in the order of its pixels, with unit and frame; odd keywords do no harm", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/cube`;
  const spectral = { system: "LSRK", name: "Frequency", unit: "Hz" };
  const direction = { system: "ICRS", projection: "TAN", axes: ["RA", "Dec"] };
  Table.create(path, {
    columns: [array("map", "float32", { shape: [2, 2, 3] })],
    storage: [standard("SSM")],
    rows: 1,
    info: { type: "Image" },
    keywords: {
      units: "Jy/beam",
      masks: 3,
      coords: {
        direction0: direction,
        pixelmap0: [1, 2],
        spectral1: spectral,
        pixelmap1: [0],
        stokes2: { axes: 7, stokes: [1, 2] },
        linear3: "none",
      },
    },
    lock: "none",
    io: "node",
  }).close();
  assert.equal(
    await block(path),
    `pixels  [2,2,3] float32, Jy/beam
axes    Frequency (LSRK); RA, Dec (ICRS TAN); stokes`,
  );
});

Deno.test("a column tells a cell's shape without reading the values", () => {
  using image = Table.open(fixturePath("image"), { maxResultBytes: 4 });
  assert.deepEqual(image.column("map").cellShape(0), [5, 6, 4]);
  assert.throws(() => image.column("map").cellShape(1), { code: "OUT_OF_RANGE" });
  using ms = Table.open(MS);
  assert.deepEqual(ms.column("TIME").cellShape(0), []);
  using unset = Table.open(fixturePath("tsm_unset_le"));
  const undefinedCell = unset.columnNames.some((name) =>
    unset.getCells(name).some((cell, row) => cell === null && unset.column(name).cellShape(row) === null)
  );
  assert.ok(undefinedCell);
});
