import assert from "node:assert/strict";
import { InvalidArgumentError } from "commander";
import { parseStorage } from "../../src/cli/copy.ts";
import { parseNames, parseRows, parseTileShape } from "../../src/cli/options.ts";

Deno.test("rows are a start and an end, either of which may be left out", () => {
  assert.deepEqual(parseRows("2:10"), { start: 2, end: 10 });
  assert.deepEqual(parseRows(":10"), { end: 10 });
  assert.deepEqual(parseRows("2:"), { start: 2 });
  assert.deepEqual(parseRows(":"), {});
  assert.deepEqual(parseRows("3:3"), { start: 3, end: 3 });
  for (
    const wrong of ["", "5", "-1:3", "1:2:3", "a:b", "1.5:3", "9:3", "0x1:2", "99999999999999999:", " 1:2"]
  ) {
    assert.throws(() => parseRows(wrong), InvalidArgumentError, wrong);
  }
});

Deno.test("names stand between commas, and a comma in a name behind a backslash", () => {
  assert.deepEqual(parseNames("DATA,FLAG"), ["DATA", "FLAG"]);
  assert.deepEqual(parseNames("a\\,b,c"), ["a,b", "c"]);
  for (const wrong of ["", ",", "a,", "a,,b", "a,a"]) {
    assert.throws(() => parseNames(wrong), InvalidArgumentError, wrong);
  }
});

Deno.test("tile shapes add up, one column each", () => {
  const first = parseTileShape("DATA=4,64,64", new Map());
  assert.deepEqual([...parseTileShape("A=B=8", first)], [["DATA", [4, 64, 64]], ["A=B", [8]]]);
  for (const wrong of ["DATA", "=4", "DATA=", "DATA=4,,4", "DATA=4x4", "DATA=-1"]) {
    assert.throws(() => parseTileShape(wrong, new Map()), InvalidArgumentError, wrong);
  }
});

Deno.test("storage is a list of managers as Table.create takes them", () => {
  assert.deepEqual(
    parseStorage(
      '[{"type":"TiledShapeStMan","columns":["DATA"],"options":{"tileShape":[4,64,64]}},{"type":"X","name":"Y"}]',
    ),
    [
      {
        type: "TiledShapeStMan",
        name: "TiledShapeStMan",
        columns: ["DATA"],
        options: { tileShape: [4, 64, 64] },
      },
      { type: "X", name: "Y", options: {} },
    ],
  );
  for (
    const wrong of [
      "",
      "{}",
      "[1]",
      "[null]",
      "[[]]",
      '[{"name":"x"}]',
      '[{"type":1}]',
      '[{"type":"a","name":2}]',
      '[{"type":"a","columns":"DATA"}]',
      '[{"type":"a","options":null}]',
      '[{"type":"a","tileShape":[1]}]',
    ]
  ) assert.throws(() => parseStorage(wrong), InvalidArgumentError, wrong);
});
