/** MeasurementSets that Tessera makes: their tables, what can be chosen, and what is refused. */
import assert from "node:assert/strict";
import { array, Context, scalar, standard, Table, type TableKeyword, tiledShape } from "../../mod.ts";
import { temporaryFolder } from "../fixture.ts";

const memory = () => ({ io: "memory", lock: "none", context: new Context() }) as const;

Deno.test("a MeasurementSet has all required subtables, empty, and a version", () => {
  const options = memory();
  Table.createMeasurementSet("/new.ms", options).close();
  using ms = Table.open("/new.ms", options);
  assert.deepEqual([ms.info.type, ms.rowCount], ["Measurement Set", 0]);
  assert.deepEqual([ms.keywords.get("MS_VERSION"), ms.keywords.dtype("MS_VERSION")], [2, "float32"]);
  const subtables = ms.keywords.keys().slice(1);
  assert.deepEqual(subtables, [
    ...["ANTENNA", "DATA_DESCRIPTION", "FEED", "FLAG_CMD", "FIELD", "HISTORY", "OBSERVATION", "POINTING"],
    ...["POLARIZATION", "PROCESSOR", "SPECTRAL_WINDOW", "STATE"],
  ]);
  for (const name of subtables) {
    using subtable = ms.subtable(name);
    assert.deepEqual([subtable.path, subtable.rowCount], [`/new.ms/${name}`, 0]);
    assert.equal((ms.keywords.get(name) as TableKeyword).table, `././${name}`);
  }
  assert.deepEqual([ms.column("DATA").ndim, ms.column("DATA").shape], [2, null]);
  assert.deepEqual(ms.column("UVW").units, ["m", "m", "m"]);
});

Deno.test("columns, subtables, shapes, tiles and managers can be chosen", () => {
  const options = memory();
  using ms = Table.createMeasurementSet("/new.ms", {
    ...options,
    data: ["DATA", "MODEL_DATA", "WEIGHT_SPECTRUM"],
    shape: [2, 8],
    tileShape: [2, 4, 16],
    subtables: ["SYSCAL", "SOURCE"],
    columns: { MAIN: ["PULSAR_BIN", "IMAGING_WEIGHT"], SYSCAL: ["TSYS"], ANTENNA: ["ORBIT_ID"] },
    extraColumns: [scalar("SITE", "string"), array("NOTES", "string"), array("LAGS", "float32", { ndim: 1 })],
    storage: [tiledShape("Model", ["MODEL_DATA"], { tileShape: [1, 8, 4] }), standard("Times", ["TIME"])],
    rows: 20,
    byteOrder: "big",
  });
  assert.deepEqual(ms.column("WEIGHT_SPECTRUM").shape, [2, 8]);
  assert.deepEqual([ms.column("WEIGHT").shape, ms.column("FLAG").shape], [[2], [2, 8]]);
  const manager = (name: string) => ms.managerDetails(ms.column(name).manager.sequence)?.name;
  assert.deepEqual(
    ["MODEL_DATA", "TIME", "DATA", "PULSAR_BIN", "NOTES", "LAGS", "SITE"].map(manager),
    ["Model", "Times", "TiledDATA", "ISMData", "SSMData", "TiledLAGS", "ISMData"],
  );
  ms.putColumn("DATA", new Float32Array(2 * 2 * 8 * 20).fill(1));
  assert.deepEqual(ms.column("DATA").tileShape, [2, 4, 16]);
  using syscal = ms.subtable("SYSCAL");
  assert.deepEqual([syscal.columnNames.at(-1), syscal.byteOrder], ["TSYS", "big"]);
  using antenna = ms.subtable("ANTENNA");
  assert.ok(antenna.columnNames.includes("ORBIT_ID") && !antenna.columnNames.includes("MEAN_ORBIT"));
});

Deno.test("what the standard doesn't know is refused, and nothing is left", () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/new.ms`;
  const refused = (options: object, message: RegExp, code = "INVALID_ARGUMENT") =>
    assert.throws(() => Table.createMeasurementSet(path, { io: "node", lock: "none", ...options }), {
      code,
      message,
    });
  refused({ data: ["DATUM"] }, /DATUM.*CORRECTED_DATA/);
  refused({ subtables: ["ANTENNA"] }, /ANTENNA.*SOURCE/);
  refused({ columns: { SOURCE: ["SYSVEL"] } }, /SOURCE/);
  refused({ columns: { FIELD: ["SYSVEL"] } }, /SYSVEL.*EPHEMERIS_ID/);
  refused({ shape: [4] }, /correlations, channels/);
  refused({ extraColumns: [scalar("TIME", "int32")] }, /TIME.*twice/);
  refused({ storage: [standard("S", ["NONE"])] }, /NONE/, "NO_SUCH_COLUMN");
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
});
