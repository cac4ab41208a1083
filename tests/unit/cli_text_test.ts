import assert from "node:assert/strict";
import fc from "fast-check";
import {
  className,
  counted,
  cut,
  humanBytes,
  humanCount,
  pad,
  shapeText,
  visible,
  widthOf,
} from "../../src/cli/text.ts";

Deno.test("sizes have three digits and a binary unit", () => {
  const sizes: [number, string][] = [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "0.98 KiB"],
    [1024, "1.00 KiB"],
    [10235, "10.0 KiB"],
    [48 * 1024, "48.0 KiB"],
    [190.4 * 1024, "190 KiB"],
    [999.4 * 1024, "999 KiB"],
    [1000 * 1024, "0.98 MiB"],
    [1.5 * 2 ** 30, "1.50 GiB"],
    [2 ** 50, "1.00 PiB"],
    [5000 * 2 ** 50, "5000 PiB"],
  ];
  for (const [bytes, text] of sizes) assert.equal(humanBytes(bytes), text);
});

Deno.test("sizes below a pebibyte never take more than eight characters", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 50 }), (bytes) => humanBytes(bytes).length <= 8));
});

Deno.test("counts have their thousands apart, and their noun in the right number", () => {
  assert.equal(humanCount(0), "0");
  assert.equal(humanCount(999), "999");
  assert.equal(humanCount(1260), "1,260");
  assert.equal(humanCount(2 ** 53), "9,007,199,254,740,992");
  assert.equal(counted(1, "row"), "1 row");
  assert.equal(counted(0, "row"), "0 rows");
  assert.equal(counted(2, "axis", "axes"), "2 axes");
});

Deno.test("shapes are written as casacore writes them", () => {
  assert.equal(shapeText([]), "[]");
  assert.equal(shapeText([4, 64, 1024]), "[4,64,1024]");
});

Deno.test("characters that could steer a terminal are shown as escapes", () => {
  assert.equal(visible("DATA"), "DATA");
  assert.equal(visible("a\nb\tc\0"), "a\\nb\\tc\\0");
  assert.equal(visible("\x1b[2J\x9b"), "\\x1b[2J\\x9b");
  assert.equal(visible("abc\u202edef"), "abc\\u202edef");
  assert.equal(visible("Mößbauer 望遠鏡"), "Mößbauer 望遠鏡");
  // Bytes that were no UTF-8 are Latin-1 to a reader.
  assert.equal(visible("caf\udce9"), "café");
});

Deno.test("whatever a file holds, nothing visible moves the cursor or breaks the encoding", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const shown = visible(text);
    assert.doesNotMatch(shown, /\p{Cc}/u);
    assert.ok(shown.isWellFormed());
  }));
});

Deno.test("class names of managers are written as C++ writes them", () => {
  assert.equal(className("TiledShapeStMan"), "TiledShapeStMan");
  assert.equal(className("BitFlagsEngine<uChar   "), "BitFlagsEngine<uChar>");
  assert.equal(className("CompressComplex<A ,B       >"), "CompressComplex<A,B>");
  assert.equal(className("Bad\nStMan"), "Bad\\nStMan");
});

Deno.test("width counts wide characters twice and combining ones not at all", () => {
  assert.equal(widthOf("DATA"), 4);
  assert.equal(widthOf("望遠鏡"), 6);
  assert.equal(widthOf("e\u0301"), 1);
  assert.equal(widthOf("×…–"), 3);
});

Deno.test("text that is too long loses its end or its middle", () => {
  assert.equal(cut("CORRECTED_DATA", 14), "CORRECTED_DATA");
  assert.equal(cut("CORRECTED_DATA", 9), "CORRECTE…");
  assert.equal(cut("CORRECTED_DATA_12", 9, "middle"), "CORR…A_12");
  assert.equal(cut("ABC", 1), "…");
  assert.equal(cut("ABC", 0), "");
  assert.equal(cut("望遠鏡望遠鏡", 6), "望遠…");
});

Deno.test("text is never wider than it is cut to, nor narrower than it is padded to", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "B", "é", "e\u0301", "望", "🔭") });
  fc.assert(
    fc.property(text, fc.nat(12), fc.constantFrom("end", "middle"), (text, width, where) => {
      const shorter = cut(text, width, where as "end");
      assert.ok(widthOf(shorter) <= width, shorter);
      assert.equal(widthOf(pad(shorter, width)), width);
      assert.equal(widthOf(pad(shorter, width, "right")), width);
      if (widthOf(text) <= width) assert.equal(shorter, text);
    }),
  );
});
