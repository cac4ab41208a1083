import assert from "node:assert/strict";
import { fixturePath } from "../fixture.ts";
import { tableSizes } from "../../src/cli/files.ts";
import { humanBytes } from "../../src/cli/text.ts";
import { runTable } from "../../src/cli/main.ts";
import { caughtTerminal, table } from "./cli_support.ts";

/** Without the first line, which is the path as it was typed. */
async function page(path: string, width = 80, color = false): Promise<string> {
  const { caught, terminal } = caughtTerminal(width, color);
  assert.equal(await runTable(["show", path], terminal), 0);
  return caught.out.slice(caught.out.indexOf("\n") + 1);
}

Deno.test("show prints columns, managers, keywords and subtables of a MeasurementSet's subtable", async () => {
  const path = new URL("../../examples/data/sim.ms/SPECTRAL_WINDOW", import.meta.url).pathname;
  assert.equal(await page(path), GOLDEN_WINDOWS);
});

Deno.test("show prints mixed tiled managers with their tiles", async () => {
  assert.equal(await page(fixturePath("tsm_mixed_le")), GOLDEN_MIXED);
});

Deno.test("show prints keywords of every type, and nested ones", async () => {
  assert.equal(await page(fixturePath("keywords")), GOLDEN_KEYWORDS);
});

Deno.test("show says what managers in a container take there", async () => {
  const text = await page(fixturePath("multifile_le"));
  const lines = text.slice(text.indexOf("\nmanager ") + 1).split("\n").slice(0, 6);
  assert.deepEqual(lines.map((line) => line.trim()), [
    "manager              name  columns  file       on disk",
    "StandardStMan #0     SSM         3  table.mf  2.46 KiB",
    "IncrementalStMan #1  ISM         2  table.mf  1.76 KiB",
    "TiledShapeStMan #2   Data        1  table.mf  1.60 KiB",
    "TiledColumnStMan #3  Uvw         1  table.mf     751 B",
    "StManAipsIO #4       Old         1  table.f4     122 B",
  ]);
});

Deno.test("show counts the rows and bytes of a concatenation's subtables in all parts", async () => {
  const sizes = ["concat_a/LOG", "concat_b/LOG"].map((name) => tableSizes(fixturePath(name)).own);
  const text = await page(fixturePath("concat"));
  const lines = text.slice(text.indexOf("\nsubtable ") + 1).split("\n");
  assert.equal(lines[1]!.replace(/ +/g, " "), `LOG 5 1 ${humanBytes(sizes[0]! + sizes[1]!)}`);
});

Deno.test("show says of a subtable that is missing that it is, and goes on", async () => {
  const text = await page(fixturePath("subtables"));
  const lines = text.slice(text.indexOf("subtable ")).split("\n");
  assert.match(lines[0]!, /^subtable +rows +columns +on disk +problem$/);
  assert.deepEqual(
    lines.slice(1, 4).map((line) => line.trim().split(/\s+/).slice(0, 3)),
    [["INSIDE", "3", "1"], ["DEEP", "1", "1"], ["BESIDE", "2", "1"]],
  );
  assert.match(lines[4]!, /^ELSEWHERE +\S.*$/);
});

Deno.test("a wider terminal has room for measures and comments", async () => {
  const path = new URL("../../examples/data/sim.ms/SPECTRAL_WINDOW", import.meta.url).pathname;
  const wide = await page(path, 200);
  assert.match(wide, /frequency/);
  assert.match(wide, /Center frequencies for each channel/);
});

Deno.test("a narrow terminal gets narrow lines", async () => {
  for (const width of [40, 50, 60, 70]) {
    for (const line of (await page(fixturePath("tsm_mixed_le"), width)).split("\n")) {
      assert.ok([...line].length <= width, `${width}: ${line}`);
    }
  }
});

Deno.test("on a terminal with colours the titles are bold, the text is the same", async () => {
  const path = fixturePath("tsm_mixed_le");
  const colored = await page(path, 80, true);
  assert.ok(colored.includes("\x1b[1mcolumn"));
  // deno-lint-ignore no-control-regex
  assert.equal(colored.replace(/\x1b\[\d+m/g, "").replace(/ +$/gm, ""), await page(path));
});

Deno.test("show --json says the same in a form for programs", async () => {
  const { out } = await table("show", "--json", fixturePath("subtables"));
  const shown = JSON.parse(out);
  assert.equal(shown.rows, 2);
  assert.equal(shown.byteOrder, "little");
  assert.deepEqual(shown.columns.map((column: { name: string }) => column.name), ["id"]);
  assert.equal(shown.managers[0].type, "StandardStMan");
  assert.deepEqual(shown.subtables.map((one: { name: string }) => one.name), [
    "INSIDE",
    "DEEP",
    "BESIDE",
    "ELSEWHERE",
  ]);
  assert.equal(shown.subtables[0].rows, 3);
  assert.equal(typeof shown.subtables[3].error, "string");
  assert.equal(shown.keywords.INSIDE.table, "././INSIDE");
});

Deno.test("schema as text has a paragraph for every column and manager, with nothing cut", async () => {
  const { out } = await table("schema", fixturePath("tsm_mixed_le"));
  const paragraphs = out.trimEnd().split("\n\n").map((paragraph) => paragraph.split("\n")[0]);
  const columns = ["id", "A", "B", "C", "D", "E", "F", "line", "cube", "four", "bits", "fixed"];
  assert.deepEqual(paragraphs.slice(1, 1 + columns.length), columns);
  assert.equal(paragraphs.length, 1 + columns.length + 7);
  assert.match(out, /\n {2}tile {7}\[1,1,2,2,5\]\n/);
});

Deno.test("keywords as text has a line for every field, also of records in records", async () => {
  const { out } = await table("keywords", fixturePath("keywords"));
  assert.match(out, /^nested\.inner\.deeper\.deepest\.number +\S+ +7$/m);
  assert.match(out, /^k_int64 +int64 +9007199254740993$/m);
  const columns = await table("keywords", fixturePath("keywords"), "--columns");
  assert.match(columns.out, /^time\n {2}QuantumUnits +string\[1\] +\["s"\]$/m);
});

const GOLDEN_WINDOWS = `table, 2 rows, 14 columns
15.3 KiB on disk, little endian

column           type     shape    unit  measure    manager      on disk
MEAS_FREQ_REF    int32                              Standard #0    128 B
CHAN_FREQ        float64  ~[16|8]  Hz    frequency  Standard #0    256 B
REF_FREQUENCY    float64           Hz    frequency  Standard #0    256 B
CHAN_WIDTH       float64  ~[16|8]  Hz               Standard #0    256 B
EFFECTIVE_BW     float64  ~[16|8]  Hz               Standard #0    256 B
RESOLUTION       float64  ~[16|8]  Hz               Standard #0    256 B
FLAG_ROW         bool                               Standard #0      4 B
FREQ_GROUP       int32                              Standard #0    128 B
FREQ_GROUP_NAME  string                             Standard #0    384 B
IF_CONV_CHAIN    int32                              Standard #0    128 B
NAME             string                             Standard #0    384 B
NET_SIDEBAND     int32                              Standard #0    128 B
NUM_CHAN         int32                              Standard #0    128 B
TOTAL_BANDWIDTH  float64           Hz               Standard #0    256 B
~ cells have shapes of their own; seen in the first and the last row

manager           name           columns  file       on disk
StandardStMan #0  StandardStMan       14  table.f0  9.96 KiB
`;

const GOLDEN_MIXED = `table, 14 rows, 12 columns
18.1 KiB on disk, little endian

column  type       shape           manager        tile          on disk
id      int32                      Standard #6                    128 B
A       float32    ~[5,3]          TiledShape #0  [2,2,3]      1.22 KiB
B       bool       ~[5,3]          TiledShape #0  [2,2,3]          52 B
C       complex64  ~[5,3]          TiledShape #0  [2,2,3]      2.44 KiB
D       int32      ~[5,3]          TiledShape #0  [2,2,3]      1.22 KiB
E       bool       ~[5,3]          TiledShape #0  [2,2,3]          52 B
F       float32    ~[5,3]          TiledShape #0  [2,2,3]      1.22 KiB
line    float64    ~[4|5]          TiledShape #1  [4,3]           816 B
cube    int16      ~[3|2,1|3,4|2]  TiledShape #2  [2,2,2,2]       448 B
four    complex64  ~[2,1,2,3]      TiledShape #3  [1,1,2,2,5]  1.88 KiB
bits    bool       ~[7,1]          TiledShape #4  [3,5,3]          30 B
fixed   uint8      [3,3]           TiledShape #5  [3,2,4]         192 B
~ cells have shapes of their own; seen in the first and the last row

manager             name           columns  file       on disk
TiledShapeStMan #0  Mixed                6  table.f0  7.06 KiB
TiledShapeStMan #1  One                  1  table.f1  2.09 KiB
TiledShapeStMan #2  Three                1  table.f2  1.18 KiB
TiledShapeStMan #3  Four                 1  table.f3  2.37 KiB
TiledShapeStMan #4  Bits                 1  table.f4     756 B
TiledShapeStMan #5  Fixed                1  table.f5     671 B
StandardStMan #6    StandardStMan        1  table.f6     896 B
`;

const GOLDEN_KEYWORDS = `Test (keywords), 3 rows, 2 columns
6.30 KiB on disk, little endian
first line
second line

column  type     unit  measure    manager      on disk
value   int32                     Standard #0    128 B
time    float64  s     epoch UTC  Standard #0    256 B

manager           name           columns  file       on disk
StandardStMan #0  StandardStMan        2  table.f0  1.25 KiB

keyword       type             value
k_bool        bool             true
k_uint8       uint8            200
k_int16       int16            -1234
k_int32       int32            -2000000000
k_uint32      uint32           4000000000
k_int64       int64            9007199254740993
k_float32     float32          1.1
k_float64     float64          -2.5e-300
k_complex64   complex64        1.5-2.5i
k_complex128  complex128       1e+200+3i
k_string      string           a 'quoted' text
a_bool        bool[3]          [true, false, true]
a_uint8       uint8[2,2]       [1, 2, 3, 255]
a_int16       int16[2,3]       [-3, -2, -1, 0, 1, 32767]
a_int32       int32[1]         [-2147483648]
a_uint32      uint32[2]        [0, 4294967295]
a_int64       int64[2,1,2]     [1, -2, 3, 9007199254740993]
a_float32     float32[3]       [0.5, -1.25, 3e+38]
a_float64     float64[2,2]     [1.1, 2.2, 3.3, 4.4]
a_complex64   complex64[2]     [1+2i, 3+4i]
a_complex128  complex128[1,2]  [0+1i, -1+1e+300i]
a_string      string[3]        ["", "two words", "last"]
nested        record           {inner: {deeper: {deepest: {number: 7}}, empty: …
emptyrecord   record           {}
emptytext     string
`;
