/** Figures of tables: every point of every series beside a plain loop over the cells. */
import assert from "node:assert/strict";
import { array, type NDArray, scalar, standard, Table, TableError, tiledShape } from "../../mod.ts";
import { type AxisRange, valueBlocks } from "../../src/plot/blocks.ts";
import type { Figure, ImagePanel, ScatterPanel } from "../../src/plot/figure.ts";
import { measured } from "../../src/plot/quantities.ts";
import { scatterFigure, type ScatterOptions } from "../../src/plot/scatter.ts";
import { uvFigure } from "../../src/plot/uv.ts";
import { waterfallFigure, type WaterfallOptions } from "../../src/plot/waterfall.ts";
import { temporaryFolder } from "../fixture.ts";
import { ROOT } from "./cli_support.ts";

const ROWS = 60;
const RESOLUTION = { columns: 40, rows: 64, points: 100_000 };
const OPTIONS: ScatterOptions = { x: "row", parts: ["amplitude", "phase"], resolution: RESOLUTION };

/** Rows of two shapes in turn, some undefined; antennas 0-1, 0-2, 1-1 in turn; a time for six rows each. */
function mixedTable(path: string): Table {
  const table = Table.create(path, {
    columns: [
      array("DATA", "complex64", { ndim: 2, unit: "Jy" }),
      array("FLAG", "bool", { ndim: 2 }),
      scalar("FLAG_ROW", "bool"),
      scalar("TIME", "float64", {
        unit: "s",
        keywords: { MEASINFO: { type: "epoch", Ref: "UTC" } },
      }),
      scalar("ANTENNA1", "int32"),
      scalar("ANTENNA2", "int32"),
      scalar("DATA_DESC_ID", "int32"),
      array("UVW", "float64", { shape: [3], unit: "m" }),
      scalar("NAME", "string"),
    ],
    storage: [tiledShape("D", ["DATA"], { tileShape: [2, 4, 8] }), standard("S")],
    rows: ROWS,
  });
  for (let row = 0; row < ROWS; row++) {
    const channels = row % 2 === 0 ? 5 : 3;
    table.putCell("TIME", row, 5e9 + 10 * Math.floor(row / 6));
    table.putCell("ANTENNA1", row, [0, 0, 1][row % 3]!);
    table.putCell("ANTENNA2", row, [1, 2, 1][row % 3]!);
    table.putCell("DATA_DESC_ID", row, row % 2);
    table.putCell("FLAG_ROW", row, row % 13 === 0);
    table.putCell("UVW", row, {
      dtype: "float64",
      shape: [3],
      data: row % 3 === 2 ? new Float64Array(3) : Float64Array.of(row * 7, -row * 3, 1),
    });
    if (row % 11 === 5) continue;
    const data = Float32Array.from(
      { length: 4 * channels },
      (_, i) => Math.fround(Math.sin(row + i) * (1 + i)),
    );
    if (row === 8) data[3] = NaN;
    table.putCell("DATA", row, { dtype: "complex64", shape: [2, channels], data });
    if (row % 7 === 3) continue;
    const flags = Uint8Array.from({ length: 2 * channels }, (_, i) => (row + i) % 5 === 0 ? 1 : 0);
    table.putCell("FLAG", row, { dtype: "bool", shape: [2, channels], data: flags });
  }
  return table;
}

interface Point {
  readonly row: number;
  readonly correlation: number;
  readonly channel: number;
  readonly re: number;
  readonly im: number;
  readonly flagged: boolean;
}

/** All elements, by one cell after the other. */
function* pointsOf(table: Table): Generator<Point> {
  for (let row = 0; row < table.rowCount; row++) {
    const cell = table.getCell("DATA", row) as NDArray<"complex64"> | null;
    if (cell === null) continue;
    const flags = table.getCell("FLAG", row) as NDArray<"bool"> | null;
    for (let i = 0; i < cell.data.length / 2; i++) {
      yield {
        row,
        correlation: i % cell.shape[0]!,
        channel: Math.floor(i / cell.shape[0]!),
        re: cell.data[2 * i]!,
        im: cell.data[2 * i + 1]!,
        flagged: flags?.data[i] === 1 || table.getCell("FLAG_ROW", row) === true,
      };
    }
  }
}

const FLAGS = ["FLAG", "FLAG_ROW"];
const usable = (point: Point) => !point.flagged && Number.isFinite(point.re + point.im);

/** Points of a series, whatever their order. */
function sorted(points: Iterable<readonly [number, number]>): (readonly [number, number])[] {
  return [...points].sort(([a, b], [c, d]) => a - c || b - d);
}

function seriesPoints(figure: Figure, panel: number, series: number) {
  const { marks } = (figure.panels[panel] as ScatterPanel).series[series]!;
  assert.equal(marks.kind, "points");
  if (marks.kind !== "points") return [];
  return sorted(Array.from(marks.x, (x, i) => [x, marks.y[i]!] as const));
}

function withTable(test: (table: Table) => void) {
  return () => {
    using folder = temporaryFolder();
    using table = mixedTable(`${folder.path}/t`);
    test(table);
  };
}

const DEGREES = 180 / Math.PI;

Deno.test(
  "amplitude and phase against time are those of every element that isn't flagged, by correlation",
  withTable((table) => {
    const figure = scatterFigure(table, "DATA", { ...OPTIONS, x: { column: "TIME" }, axis: 0, flags: FLAGS });
    const all = [...pointsOf(table)], good = all.filter(usable);
    const flagged = all.filter((point) => point.flagged).length;
    assert.ok(flagged > 0);
    assert.deepEqual(figure.counts, {
      rows: ROWS,
      points: good.length,
      flagged,
      invalid: all.length - flagged - good.length,
    });
    assert.equal(figure.counts.invalid, 1);
    const time = (row: number) => table.getCell("TIME", row) as number;
    for (const correlation of [0, 1]) {
      const own = good.filter((point) => point.correlation === correlation);
      assert.deepEqual(
        seriesPoints(figure, 0, correlation),
        sorted(own.map(({ row, re, im }) => [time(row), Math.sqrt(re * re + im * im)] as const)),
      );
      assert.deepEqual(
        seriesPoints(figure, 1, correlation),
        sorted(own.map(({ row, re, im }) => [time(row), Math.atan2(im, re) * DEGREES] as const)),
      );
    }
    const [amplitude, phase] = figure.panels as ScatterPanel[];
    assert.deepEqual([amplitude!.y.unit, phase!.y.unit, amplitude!.x.clock], ["Jy", "°", "UTC"]);
  }),
);

Deno.test(
  "places along axes and rows are chosen before anything is read",
  withTable((table) => {
    const boxes = new Map<number, readonly AxisRange[]>([[0, [[1, 2, 1]]], [1, [[0, 1, 1], [2, 99, 2]]]]);
    const rows = { start: 7, end: 50 },
      choose = (start: number, end: number) =>
        Array.from({ length: end - start }, (_, i) => start + i).filter((row) => row % 4 !== 0);
    const figure = scatterFigure(table, "DATA", {
      ...OPTIONS,
      parts: ["real"],
      x: "channel",
      boxes,
      rows,
      choose,
    });
    const own = [...pointsOf(table)].filter(({ row, correlation, channel, re }) =>
      row >= 7 && row < 50 && row % 4 !== 0 && correlation === 1 && [0, 2, 4].includes(channel) &&
      Number.isFinite(re)
    );
    assert.deepEqual(
      seriesPoints(figure, 0, 0),
      sorted(own.map(({ channel, re }) => [channel, re] as const)),
    );
    assert.equal(figure.counts.rows, choose(7, 50).length);
  }),
);

Deno.test(
  "cells too large to be read at once come in parts, which together are the cells",
  () => {
    using folder = temporaryFolder();
    const length = 700_000;
    using table = Table.create(`${folder.path}/t`, {
      columns: [array("V", "float64", { shape: [2, length] })],
      rows: 2,
    });
    table.putColumn("V", Float64Array.from({ length: 4 * length }, (_, i) => i));
    let sum = 0, most = 0, elements = 0;
    for (const { data, each, rows, box } of valueBlocks(table, "V")) {
      most = Math.max(most, data.length * 8);
      elements += each * rows.length;
      assert.deepEqual(box[0], [0, 2, 1]);
      for (let i = 0; i < data.length; i++) sum += data[i]!;
    }
    assert.equal(elements, 4 * length);
    assert.equal(sum, (4 * length) * (4 * length - 1) / 2);
    assert.ok(most <= 4 * 2 ** 20, `${most} bytes`);
  },
);

Deno.test(
  "uv coverage has every row and its mirror point, but for antennas against themselves and flagged rows",
  withTable((table) => {
    const figure = uvFigure(table, "UVW", { resolution: RESOLUTION, flags: ["FLAG_ROW"] });
    const rows = Array.from({ length: ROWS }, (_, row) => row).filter((row) =>
      row % 3 !== 2 && row % 13 !== 0
    );
    assert.deepEqual(seriesPoints(figure, 0, 0), sorted(rows.map((row) => [row * 7, -row * 3] as const)));
    assert.deepEqual(seriesPoints(figure, 0, 1), sorted(rows.map((row) => [-row * 7, row * 3] as const)));
    assert.equal(figure.counts.flagged, 5);
    assert.throws(() => uvFigure(table, "DATA", { resolution: RESOLUTION }), TableError);
  }),
);

const WATERFALL: WaterfallOptions = {
  correlations: [1],
  correlationName: (place) => `c${place}`,
  antennaName: String,
  windowName: (id) => `w${id}`,
  parts: ["amplitude"],
  places: [100, 100],
};

Deno.test(
  "a waterfall has a line for each time of a baseline, for each spectral window; what is flagged is blank",
  withTable((table) => {
    const figure = waterfallFigure(table, "DATA", { ...WATERFALL, baseline: [2, 0], flags: FLAGS });
    assert.deepEqual(figure.panels.map(({ title }) => title), ["w0, c1, amplitude", "w1, c1, amplitude"]);
    for (const id of [0, 1]) {
      const panel = figure.panels[id] as ImagePanel;
      const rows = Array.from({ length: ROWS }, (_, row) => row).filter((row) =>
        row % 3 === 1 && row % 2 === id
      );
      assert.deepEqual([...panel.lines], rows.map((row) => table.getCell("TIME", row)));
      const expected = new Float32Array(rows.length * panel.width).fill(NaN);
      for (const point of pointsOf(table)) {
        const line = rows.indexOf(point.row);
        if (line < 0 || point.correlation !== 1 || !usable(point)) continue;
        expected[line * panel.width + point.channel] = Math.sqrt(point.re ** 2 + point.im ** 2);
      }
      assert.equal(panel.width, id === 0 ? 5 : 3);
      assert.deepEqual([...panel.values], [...expected]);
    }
    assert.equal(waterfallFigure(table, "DATA", WATERFALL).title, "DATA, baseline 0–1");
    assert.throws(
      () => waterfallFigure(table, "DATA", { ...WATERFALL, baseline: [5, 6] }),
      (error) =>
        error instanceof TableError && error.code === "NOT_FOUND" && /baseline 5–6/.test(error.message),
    );
  }),
);

Deno.test(
  "a waterfall with fewer places than channels and times keeps the largest magnitude of those that share a place",
  withTable((table) => {
    const fine = waterfallFigure(table, "DATA", { ...WATERFALL, parts: ["real"], baseline: [0, 1] });
    const coarse = waterfallFigure(table, "DATA", {
      ...WATERFALL,
      parts: ["real"],
      baseline: [0, 1],
      places: [2, 3],
    });
    fine.panels.forEach((one, p) => {
      const panel = one as ImagePanel, { values, width, lines } = coarse.panels[p] as ImagePanel;
      assert.deepEqual([width, lines.length], [2, 3]);
      const largest = new Float32Array(6).fill(NaN);
      for (let y = 0; y < panel.lines.length; y++) {
        for (let x = 0; x < panel.width; x++) {
          const value = panel.values[y * panel.width + x]!;
          const at = Math.floor(y * 3 / panel.lines.length) * 2 + Math.floor(x * 2 / panel.width);
          if (!Number.isNaN(value) && !(Math.abs(largest[at]!) >= Math.abs(value))) largest[at] = value;
        }
      }
      assert.deepEqual([...values], [...largest]);
    });
  }),
);

Deno.test(
  "a waterfall of some channels begins at the first and ends at the last of them",
  withTable((table) => {
    const boxes = new Map<number, readonly AxisRange[]>([[1, [[2, 4, 1]]]]);
    const [all, some] = [undefined, boxes].map((boxes) => {
      const chosen = boxes === undefined ? {} : { boxes };
      return waterfallFigure(table, "DATA", { ...WATERFALL, baseline: [0, 1], ...chosen })
        .panels[0] as ImagePanel;
    });
    assert.deepEqual([some!.xEnds, some!.width], [[2, 3], 2]);
    const expected = [...all!.values].filter((_, i) => [2, 3].includes(i % all!.width));
    assert.deepEqual([...some!.values], expected);
    assert.ok(expected.some((value) => value > 0));
  }),
);

Deno.test(
  "phases that share a place give the direction of their sum, in degrees",
  withTable((table) => {
    const options = { ...WATERFALL, parts: ["phase"], baseline: [0, 1], flags: FLAGS } as const;
    const { values, cyclic } = waterfallFigure(table, "DATA", { ...options, places: [1, 1] })
      .panels[0] as ImagePanel;
    let re = 0, im = 0;
    for (const point of pointsOf(table)) {
      if (point.row % 6 !== 0 || point.correlation !== 1 || !usable(point)) continue;
      const angle = Math.atan2(point.im, point.re);
      re += Math.cos(angle);
      im += Math.sin(angle);
    }
    assert.ok(cyclic);
    assert.ok(Math.abs(values[0]! - Math.atan2(im, re) * DEGREES) < 1e-2, `${values[0]}`);
  }),
);

Deno.test("times in days are times in seconds, and what is no time is as it is", () => {
  using folder = temporaryFolder();
  const epoch = { MEASINFO: { type: "epoch", Ref: "TAI" } };
  using table = Table.create(`${folder.path}/t`, {
    columns: [
      scalar("DAYS", "float64", { unit: "d", keywords: epoch }),
      scalar("SECONDS", "float64", { unit: "s", keywords: epoch }),
      scalar("PLAIN", "float64", { unit: "s" }),
      scalar("COUNT", "int32"),
    ],
    rows: 1,
  });
  const of = (name: string) => {
    const { quantity: { unit, clock, whole = false }, factor } = measured(table, name);
    return [unit, clock, whole, factor];
  };
  assert.deepEqual(of("DAYS"), ["s", "TAI", false, 86400]);
  assert.deepEqual(of("SECONDS"), ["s", "TAI", false, 1]);
  assert.deepEqual(of("PLAIN"), ["s", null, false, 1]);
  assert.deepEqual(of("COUNT"), ["", null, true, 1]);
});

Deno.test(
  "what can't be plotted is refused with the reason",
  withTable((table) => {
    const code = (run: () => unknown) => {
      try {
        run();
      } catch (error) {
        return error instanceof TableError ? error.code : String(error);
      }
      return "nothing";
    };
    assert.equal(code(() => scatterFigure(table, "NAME", OPTIONS)), "TYPE_MISMATCH");
    assert.equal(code(() => scatterFigure(table, "NONE", OPTIONS)), "NO_SUCH_COLUMN");
    assert.equal(code(() => scatterFigure(table, "TIME", { ...OPTIONS, axis: 0 })), "OUT_OF_RANGE");
    assert.equal(code(() => scatterFigure(table, "DATA", { ...OPTIONS, axis: 2 })), "OUT_OF_RANGE");
    assert.equal(
      code(() => scatterFigure(table, "TIME", { ...OPTIONS, x: { column: "UVW" } })),
      "TYPE_MISMATCH",
    );
    assert.equal(code(() => scatterFigure(table, "TIME", { ...OPTIONS, x: "channel" })), "TYPE_MISMATCH");
    assert.equal(code(() => scatterFigure(table, "TIME", { ...OPTIONS, rows: { end: 99 } })), "OUT_OF_RANGE");
    assert.equal(code(() => scatterFigure(table, "TIME", { ...OPTIONS, flags: ["TIME"] })), "TYPE_MISMATCH");
    assert.equal(code(() => waterfallFigure(table, "TIME", WATERFALL)), "TYPE_MISMATCH");
  }),
);

Deno.test("an empty selection is a figure with nothing in it", () => {
  using ms = Table.open(`${ROOT}examples/data/sim.ms`);
  const figure = scatterFigure(ms, "DATA", { ...OPTIONS, x: { column: "TIME" }, rows: { start: 3, end: 3 } });
  assert.equal(figure.counts.points, 0);
  assert.equal(uvFigure(ms, "UVW", { resolution: RESOLUTION, choose: () => [] }).counts.points, 0);
});
