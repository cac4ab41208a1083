/** Drawings: SVG that is XML and says what it shows, text that fits and has only what the terminal can do. */
import assert from "node:assert/strict";
import { inflateSync } from "node:zlib";
import { amountColour, angleColour, cubeColour } from "../../src/plot/colours.ts";
import { Dots } from "../../src/plot/dots.ts";
import type { CloudMarks } from "../../src/plot/cloud.ts";
import type { Figure, ImagePanel, Quantity, ScatterPanel } from "../../src/plot/figure.ts";
import { Cloud } from "../../src/plot/cloud.ts";
import { fitted } from "../../src/plot/picture.ts";
import { palettePng } from "../../src/plot/png.ts";
import { figureSvg } from "../../src/plot/svg.ts";
import { xml } from "../../src/plot/svg-parts.ts";
import { asciiText, figureText, spread, type TextOptions } from "../../src/plot/text.ts";

const quantity = (name: string, unit = ""): Quantity => ({ name, unit, clock: null });

function marks(points: readonly (readonly [number, number])[], most = 20_000): CloudMarks {
  const cloud = new Cloud({ from: 0, to: 100, columns: 50, rows: 64, most });
  for (const [x, y] of points) cloud.add(x, y);
  return cloud.marks();
}

function scatter(...series: readonly (readonly [string, CloudMarks])[]): Figure {
  const panel: ScatterPanel = {
    kind: "scatter",
    title: "",
    x: quantity("row"),
    y: quantity("amplitude", "Jy"),
    square: false,
    series: series.map(([name, marks]) => ({ name, marks })),
  };
  const points = series.reduce((sum, [, { count }]) => sum + count, 0);
  return {
    kind: "scatter",
    title: 'a "<&>" title',
    counts: { rows: points, points, flagged: 0, invalid: 0 },
    notes: [],
    panels: [panel],
  };
}

function picture(values: readonly number[], width: number): Figure {
  const panel: ImagePanel = {
    kind: "image",
    title: "a picture",
    x: quantity("channel"),
    y: quantity("row"),
    xEnds: [0, width - 1],
    lines: Float64Array.from({ length: values.length / width }, (_, i) => i),
    width,
    values: Float32Array.from(values),
    value: quantity("amplitude", "Jy"),
    cyclic: false,
  };
  return {
    ...scatter(),
    kind: "waterfall",
    counts: { rows: 1, points: 1, flagged: 0, invalid: 0 },
    panels: [panel],
  };
}

const SVG = { width: 600, subtitle: "a subtitle", description: "what there is & to see" };

/** Fails unless every element is closed by itself or in its order, and no text has markup in it. */
function checkXml(text: string): void {
  const open: string[] = [];
  for (
    const [, close, name, , self] of text.matchAll(
      /<(\/?)([a-zA-Z]+)((?:\s+[a-zA-Z0-9:-]+="[^"<]*")*)\s*(\/?)>/g,
    )
  ) {
    if (close) assert.equal(open.pop(), name);
    else if (!self) open.push(name!);
  }
  assert.deepEqual(open, []);
  const rest = text.replace(/<style>[\s\S]*?<\/style>/, "").replace(
    /<\/?[a-zA-Z]+(?:\s+[a-zA-Z0-9:-]+="[^"<]*")*\s*\/?>/g,
    "",
  );
  assert.doesNotMatch(rest, /[<>]|&(?!amp;|lt;|gt;|quot;)/);
}

Deno.test("an SVG is XML that needs nothing else, and has a title, a description and both sets of colours", () => {
  const figure = scatter(["RR", marks([[1, 2], [50, 3], [100, 4]])], ["LL", marks([[1, 5]])]);
  for (const one of [figure, scatter(["x", marks([])]), picture([1, 2, 3, NaN, 5, 6], 3)]) {
    const svg = figureSvg(one, SVG);
    checkXml(svg);
    assert.match(
      svg,
      /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" [^>]*role="img" aria-labelledby="(\S+) (\S+)">\n<title id="\1">a &quot;&lt;&amp;&gt;&quot; title<\/title>\n<desc id="\2">what there is &amp; to see<\/desc>/,
    );
    assert.match(svg, /@media\(prefers-color-scheme:dark\)/);
    assert.doesNotMatch(svg, /NaN|Infinity|undefined|(?:href|src)="(?!data:)|url\((?!#)/);
  }
  assert.equal(xml("a\x00b\x1b\ud800"), "a\ufffdb\ufffd\ufffd");
});

Deno.test("points of an SVG stand where they belong", () => {
  const svg = figureSvg(scatter(["RR", marks([[0, 0], [100, 10]])]), { ...SVG, height: 300 });
  const [, x1, y1, x2, y2] = /d="M([\d.]+) ([\d.]+)h0M([\d.]+) ([\d.]+)h0"/.exec(svg)!.map(Number);
  // The grid's lines stand at known values, too: x at 0 and 100, y at 0 and 10.
  const [vertical, horizontal] = [[...svg.matchAll(/class="grid" d="M([\d.]+) [\d.]+V/g)], [
    ...svg.matchAll(/class="grid" d="M[\d.]+ ([\d.]+)h/g),
  ]]
    .map((found) => found.map((match) => Number(match[1])));
  for (
    const [at, line] of [[x1!, vertical![0]!], [x2!, vertical!.at(-1)!], [y1!, horizontal![0]!], [
      y2!,
      horizontal!.at(-1)!,
    ]]
  ) {
    assert.ok(Math.abs(at! - line!) <= 0.5, `${at} beside ${line}`);
  }
});

Deno.test("a peak among very many points is drawn", () => {
  const points = Array.from({ length: 5000 }, (_, i) => [i % 101, i === 2500 ? 900 : Math.sin(i)] as const);
  const many = marks(points, 1024);
  assert.equal(many.kind, "cells");
  const svg = figureSvg(scatter(["RR", many]), { ...SVG, height: 400 });
  const tops = [...svg.matchAll(/M[\d.]+ ([\d.]+)V[\d.]+/g)].filter((match) => !match[0].includes("grid"))
    .map((match) => Number(match[1]));
  const text = figureText(scatter(["RR", many]), { ...TEXT, height: 20 });
  assert.ok(Math.min(...tops) < 120);
  const top = text.slice(3, 6).join("");
  assert.match(top, /[\u2801-\u28ff]/);
});

Deno.test("a PNG has the places that it was given, and none where there is nothing", () => {
  const png = palettePng(2, 2, Uint8Array.of(0, 1, 2, 0), [[0, 0, 0], [1, 2, 3], [4, 5, 6]]);
  const view = new DataView(png.buffer), chunks = new Map<string, Uint8Array>();
  for (let at = 8; at < png.length;) {
    const length = view.getUint32(at);
    chunks.set(new TextDecoder().decode(png.subarray(at + 4, at + 8)), png.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  assert.deepEqual([...chunks.keys()], ["IHDR", "PLTE", "tRNS", "IDAT", "IEND"]);
  assert.deepEqual([...inflateSync(chunks.get("IDAT")!)], [0, 0, 1, 0, 2, 0]);
  assert.deepEqual([...chunks.get("PLTE")!], [0, 0, 0, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual([...chunks.get("tRNS")!], [0]);
});

// deno-lint-ignore no-control-regex
const SGR = /\x1b\[[\d;]*m/g;
const TEXT: TextOptions = { width: 60, height: 20, colours: "none", unicode: true, subtitle: "s" };

Deno.test("text is as wide as there is room at most, in colour or without, in Unicode or ASCII", () => {
  const figures = [
    scatter(["RR", marks([[1, 2e-9], [50, 3e-9]])], ["LL", marks([[1, -5e-9]])]),
    picture(Array.from({ length: 6000 }, (_, i) => i % 17 === 0 ? NaN : Math.sin(i)), 100),
    picture([1, 2, NaN, 4], 2),
    scatter(["x", marks([])]),
  ];
  for (const figure of figures) {
    for (const width of [40, 80, 137]) {
      for (const colours of ["none", "256", "all"] as const) {
        for (const unicode of [true, false]) {
          for (const line of figureText(figure, { ...TEXT, width, colours, unicode })) {
            const plain = line.replaceAll(SGR, "");
            if (colours === "none") assert.equal(plain, line);
            else if (line !== plain) assert.match([...line.matchAll(SGR)].at(-1)![0], /\[(?:22|39;49)m$/);
            if (!unicode) assert.match(plain, /^[ -~]*$/);
            assert.ok(plain.length <= width, `${plain.length} of ${width}: ${plain}`);
            assert.doesNotMatch(plain, /\[\d|NaN|undefined/);
          }
        }
      }
    }
  }
});

Deno.test("dots stand where points are: a corner each", () => {
  const dots = new Dots(2, 2, 1, true);
  dots.set(0, 0, 0, 1);
  dots.set(1, 0, 0, 1);
  dots.set(0, 1, 0, 1);
  dots.set(0.99, 0.99, 0, 1);
  assert.deepEqual(dots.lines().map((line) => line.map(({ text }) => text).join("")), ["⠁⠈", "⡀⢀"]);
  const plain = new Dots(3, 1, 2, false);
  plain.set(0, 0, 0, 1);
  plain.set(0.5, 0, 0, 1);
  plain.set(0.5, 0, 1, 5);
  assert.deepEqual(plain.lines()[0]!.map(({ text, series }) => text + series), ["*0", "+1", " -1"]);
});

Deno.test("a picture's lines are in order, the first on top, and its colours follow its values", () => {
  const lines = figureText(picture([0, 0, 0, 8, 8, 8, NaN, 4, 4], 3), { ...TEXT, unicode: false });
  const body = lines.filter((line) => /^ *\d?[+|]/.test(line) && !/[-]{3}/.test(line)).map((line) =>
    line.replace(/^ *\d?[+|]/, "")
  );
  assert.deepEqual(body.map((line) => [...new Set(line)].join("")), [".", "@", " +"]);
});

Deno.test("a picture too large for the terminal keeps what is largest, and its lines in order", () => {
  const values = Array.from(
    { length: 200 * 50 },
    (_, i) => i === 4321 ? -9 : i % 7 === 0 ? NaN : Math.sin(i),
  );
  const [panel] = picture(values, 200).panels as ImagePanel[];
  const small = fitted(panel!, 20, 10);
  assert.deepEqual([small.width, small.lines.length, small.values.length], [20, 10, 200]);
  const at = Math.floor(21 * 10 / 50) * 20 + Math.floor(121 * 20 / 200);
  assert.equal(small.values.findIndex((value) => value === -9), at);
  assert.deepEqual([...small.lines], [0, 5, 10, 15, 20, 25, 30, 35, 40, 45]);
  assert.equal(fitted(panel!, 200, 50), panel);
});

Deno.test("large values are up in the terminal, and late ones right", () => {
  const lines = figureText(scatter(["x", marks([[0, 0], [100, 10]])]), { ...TEXT, unicode: false });
  const body = lines.filter((line) => line.includes("*"));
  assert.equal(body.length, 2);
  assert.ok(body[0]!.indexOf("*") > body[1]!.indexOf("*"), body.join("\n"));
});

Deno.test("colours follow values: the least is the first of the palette, the largest the last, none is transparent", () => {
  const svg = figureSvg(picture([1, 5, NaN, 3], 2), SVG);
  const png = Uint8Array.from(atob(/base64,([^"]+)"/.exec(svg)![1]!), (c) => c.charCodeAt(0));
  const view = new DataView(png.buffer), width = view.getUint32(16), height = view.getUint32(20);
  let at = 8;
  const chunk = (type: string) => {
    for (; new TextDecoder().decode(png.subarray(at + 4, at + 8)) !== type; at += 12 + view.getUint32(at));
    return png.subarray(at + 8, at + 8 + view.getUint32(at));
  };
  const lines = inflateSync(chunk("IDAT"));
  const place = (x: number, y: number) =>
    lines[Math.floor(y * height) * (width + 1) + 1 + Math.floor(x * width)];
  assert.deepEqual([place(0.2, 0.2), place(0.8, 0.2), place(0.2, 0.8), place(0.8, 0.8)], [1, 255, 0, 128]);
  assert.deepEqual([amountColour(0), amountColour(1)], [[0x44, 0x01, 0x54], [0xfd, 0xe7, 0x25]]);
  assert.deepEqual(angleColour(0), angleColour(1));
  assert.notDeepEqual(angleColour(0), angleColour(0.5));
  assert.deepEqual([cubeColour([0, 0, 0]), cubeColour([255, 255, 255]), cubeColour([255, 0, 0])], [
    16,
    231,
    196,
  ]);
});

Deno.test("texts of ticks never run into each other", () => {
  assert.equal(
    spread([{ text: "00:00", column: 0 }, { text: "00:01", column: 4 }, { text: "00:02", column: 12 }], 20),
    "00:00     00:02",
  );
  assert.equal(spread([{ text: "last", column: 19 }], 20), " ".repeat(16) + "last");
  assert.equal(asciiText("−1.5 10⁻⁶ µs 180° é"), "-1.5 10^-6 us 180 deg ?");
});
