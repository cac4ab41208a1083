/** `table plot`: its options, what it writes, and how it ends. */
import assert from "node:assert/strict";
import { runTable } from "../../src/cli/main.ts";
import { parsePlaces } from "../../src/cli/plot-options.ts";
import { unicodeLocale } from "../../src/cli/terminal.ts";
import { temporaryFolder } from "../fixture.ts";
import { caughtTerminal, ROOT, table } from "./cli_support.ts";

const MS = `${ROOT}examples/data/sim.ms`;

interface Json {
  readonly points: number;
  readonly flagged: number;
  readonly panels: readonly {
    readonly y: { readonly name: string };
    readonly series: readonly {
      readonly name: string;
      readonly count: number;
      readonly x: number[];
      readonly y: number[];
    }[];
  }[];
}

async function json(...args: string[]): Promise<Json> {
  const { status, out, err } = await table("plot", MS, ...args, "--json");
  assert.deepEqual([status, err], [0, []], args.join(" "));
  return JSON.parse(out);
}

Deno.test("a plot counts what table stat counts", async () => {
  const plotted = await json("DATA");
  const { groups } = JSON.parse(
    (await table("stat", MS, "DATA", "--axis", "0", "--flag", "FLAG,FLAG_ROW", "--json")).out,
  );
  const counts = groups.filter(({ part }: { part: string }) => part === "amplitude").map((
    { count }: { count: number },
  ) => count);
  for (const panel of plotted.panels) assert.deepEqual(panel.series.map(({ count }) => count), counts);
  assert.deepEqual(plotted.panels.map(({ y }) => y.name), ["amplitude", "phase"]);
  assert.deepEqual(plotted.panels[0]!.series.map(({ name }) => name), ["RR", "RL", "LR", "LL"]);
  const all = await json("DATA", "--flagged");
  assert.equal(all.flagged, 0);
  assert.equal(all.points, plotted.points + plotted.flagged);
});

Deno.test("rows, places and parts are chosen", async () => {
  const where = await json("ANTENNA2", "--where", "ANTENNA1 = 2 and FIELD_ID = 1", "--x", "row", "--flagged");
  const rows = (await table("cat", MS, "--columns", "ANTENNA1,ANTENNA2,FIELD_ID")).out.trim().split("\n")
    .map((line, row) => ({ row, ...JSON.parse(line) })).filter((one) =>
      one.ANTENNA1 === 2 && one.FIELD_ID === 1
    );
  assert.deepEqual(where.panels[0]!.series[0]!.x, rows.map(({ row }) => row));
  assert.deepEqual(where.panels[0]!.series[0]!.y, rows.map(({ ANTENNA2 }) => ANTENNA2));
  const some = await json(
    "DATA",
    "--rows",
    "60:70",
    "--correlation",
    "1,3",
    "--channel",
    "2:4",
    "--parts",
    "real",
    "--flagged",
  );
  assert.deepEqual(some.panels[0]!.series.map(({ name, count }) => [name, count]), [["RL", 20], ["LL", 20]]);
  assert.deepEqual((await json("DATA", "--axis", "none", "--rows", ":9")).panels[0]!.series.length, 1);
  assert.deepEqual((await json("UVW", "--x", "TIME")).panels[0]!.series.map(({ name }) => name), [
    "UVW[0]",
    "UVW[1]",
    "UVW[2]",
  ]);
  assert.deepEqual((await json("UVW")).panels[0]!.series.map(({ name }) => name), ["u, v", "−u, −v"]);
});

Deno.test("places are numbers, ranges, or several of them; two are read at once", () => {
  assert.deepEqual(parsePlaces("3"), [[3, 4, 1]]);
  assert.deepEqual(parsePlaces("0,3"), [[0, 4, 3]]);
  assert.deepEqual(parsePlaces("0,3,5"), [[0, 1, 1], [3, 4, 1], [5, 6, 1]]);
  assert.deepEqual(parsePlaces("8:16,20:30:2"), [[8, 16, 1], [20, 30, 2]]);
  assert.deepEqual(parsePlaces(":4"), [[0, 4, 1]]);
  for (const wrong of ["", "a", "5:2", "1:2:0", "-1", "1-2"]) assert.throws(() => parsePlaces(wrong), wrong);
});

Deno.test("an SVG is written whole, and replaces nothing unless it is told so", async () => {
  using folder = temporaryFolder();
  const file = `${folder.path}/plot.svg`;
  for (const [args, panels] of [[["DATA"], 2], [["--uv"], 1], [["--waterfall"], 4]] as const) {
    const { status, out, err } = await table("plot", MS, ...args, "--svg", file, "--overwrite");
    assert.deepEqual([status, err], [0, []]);
    assert.match(out, /plot\.svg: /);
    const svg = Deno.readTextFileSync(file);
    assert.match(svg, /^<svg [\s\S]*<\/svg>\n$/);
    assert.match(svg, /<title id="[^"]+">sim\.ms: /);
    // Pictures have a scale each; points only their panel.
    assert.equal(
      [...svg.matchAll(/<rect class="frame"/g)].length,
      args[0] === "--waterfall" ? 2 * panels : panels,
    );
  }
  const before = Deno.readTextFileSync(file);
  const refused = await table("plot", MS, "TIME", "--svg", file);
  assert.deepEqual([refused.status, refused.out, refused.err.length], [1, "", 1]);
  assert.match(refused.err[0]!, /--overwrite replaces it/);
  assert.equal(Deno.readTextFileSync(file), before);
  assert.equal((await table("plot", MS, "TIME", "--svg", `${folder.path}/none/x.svg`)).status, 1);
  assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["plot.svg"]);
});

Deno.test("text fits the terminal, is in colour where it has colours, and ASCII where it has no more", async () => {
  for (const width of [40, 80, 120]) {
    for (
      const args of [["DATA"], ["UVW"], ["--waterfall"], ["TIME"], ["WEIGHT"], ["FLAG", "--x", "channel"]]
    ) {
      const { caught, terminal } = caughtTerminal(width);
      assert.equal(await runTable(["plot", MS, ...args], { ...terminal, unicode: false }), 0);
      assert.match(caught.out, /^[ -~\n]*$/);
      for (const line of caught.out.split("\n")) assert.ok(line.length <= width, line);
      const colour = caughtTerminal(width, true);
      assert.equal(await runTable(["plot", MS, ...args], { ...colour.terminal, height: 40 }), 0);
      assert.ok(colour.caught.out.includes("\x1b["));
      // A picture has a height that it needs to be any good.
      if (args[0] !== "--waterfall") assert.ok(colour.caught.out.trimEnd().split("\n").length <= 40);
    }
  }
});

Deno.test("the locale says whether there is Unicode, the first variable that says anything", () => {
  const locale = (variables: Record<string, string>, os = "linux") =>
    unicodeLocale((name) => variables[name], os);
  assert.equal(locale({ LANG: "de_DE.UTF-8" }), true);
  assert.equal(locale({ LANG: "C.utf8" }), true);
  assert.equal(locale({ LC_ALL: "C", LANG: "en_US.UTF-8" }), false);
  assert.equal(locale({ LC_ALL: "", LC_CTYPE: "en_US.UTF-8", LANG: "C" }), true);
  assert.equal(locale({}), false);
  assert.equal(locale({}, "darwin"), true);
});

Deno.test("plot ends as it should when it is asked what makes no sense", async () => {
  for (
    const [status, ...args] of [
      [2],
      [2, "--uv", "--waterfall"],
      [2, "DATA", "--axis", "frequency"],
      [2, "DATA", "--parts", "modulus"],
      [2, "DATA", "--channel", "x"],
      [2, "DATA", "--baseline", "1"],
      [2, "DATA", "--width", "3"],
      [2, "DATA", "--where", "ANTENNA1"],
      [2, "DATA", "--where", "ANTENNA1 = 'x'"],
      [1, "NONE"],
      [1, "DATA", "--x", "NONE"],
      [1, "DATA", "--x", "UVW"],
      [1, "DATA", "--axis", "7"],
      [1, "TIME", "--channel", "1"],
      [1, "TIME", "--axis", "0"],
      [1, "TIME", "--waterfall"],
      [1, "TIME", "--rows", "0:9999"],
      [1, "DATA", "--axis", "channel"],
      [1, "--waterfall", "--baseline", "ea01,nobody"],
      [1, "--waterfall", "--baseline", "5,77"],
    ] as const
  ) {
    const { status: found, out, err } = await table("plot", MS, ...args);
    assert.deepEqual([found, out, err.length], [status, "", 1], args.join(" "));
    assert.match(err[0]!, /^table: /);
    assert.doesNotMatch(err[0]!, /fault in Tessera/, args.join(" "));
  }
});

Deno.test("columns without numbers are refused, empty ones shown as such", async () => {
  const text = await table("plot", `${MS}/ANTENNA`, "NAME");
  assert.deepEqual([text.status, text.err.length], [1, 1]);
  const empty = await table("plot", MS, "FLAG_CATEGORY");
  assert.deepEqual([empty.status, empty.err], [0, []]);
  assert.match(empty.out, /0 points\nnothing to show\n$/);
});
