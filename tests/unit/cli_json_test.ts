import assert from "node:assert/strict";
import fc from "fast-check";
import { TableRecord } from "../../mod.ts";
import { bigintText, Fields, jsonText, numberText } from "../../src/cli/json.ts";

Deno.test("numbers keep their sign of zero, and what is no JSON number is a string", () => {
  assert.equal(numberText(0), "0");
  assert.equal(numberText(-0), "-0.0");
  assert.equal(numberText(NaN), '"NaN"');
  assert.equal(numberText(Infinity), '"Infinity"');
  assert.equal(numberText(-Infinity), '"-Infinity"');
  assert.equal(numberText(Math.fround(0.1)), "0.10000000149011612");
  assert.equal(numberText(5e-324), "5e-324");
});

Deno.test("every finite number reads back as itself", () => {
  fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
    assert.ok(Object.is(JSON.parse(numberText(value)), value));
  }));
});

Deno.test("an int64 is a number up to 2^53 and a string beyond", () => {
  assert.equal(bigintText(2n ** 53n), "9007199254740992");
  assert.equal(bigintText(-(2n ** 53n)), "-9007199254740992");
  assert.equal(bigintText(2n ** 53n + 1n), '"9007199254740993"');
  assert.equal(bigintText(-(2n ** 63n)), '"-9223372036854775808"');
});

Deno.test("records keep the order of their fields, also of names that look like numbers", () => {
  const record = new TableRecord();
  record.set("b", 1);
  record.set("1", true);
  record.set("__proto__", "x");
  assert.equal(jsonText(record), '{"b":1,"1":true,"__proto__":"x"}');
  assert.equal(jsonText(new Fields([["b", 1], ["1", 2]])), '{"b":1,"1":2}');
});

Deno.test("what a record holds is printed as cells are", () => {
  const record = new TableRecord();
  record.set("z", -0, "float64");
  record.set("c", [1.5, -2], "complex64");
  record.set("flags", { dtype: "bool", shape: [2], data: Uint8Array.of(1, 0) });
  record.set("freq", { dtype: "float64", shape: [1, 2], data: Float64Array.of(NaN, 1) });
  record.set("inner", { a: "text\n" });
  assert.equal(
    jsonText(record),
    '{"z":-0.0,"c":[1.5,-2],"flags":{"shape":[2],"data":[true,false]},' +
      '"freq":{"shape":[1,2],"data":["NaN",1]},"inner":{"a":"text\\n"}}',
  );
});

Deno.test("spread over lines, lists of scalars stay on one", () => {
  assert.equal(
    jsonText({ shape: [4, 64], none: [], empty: {}, list: [{ a: null }], gone: undefined }, 2),
    `{
  "shape": [4,64],
  "none": [],
  "empty": {},
  "list": [
    {
      "a": null
    }
  ]
}`,
  );
});

Deno.test("any JSON value comes through, with and without indentation", () => {
  fc.assert(fc.property(fc.jsonValue({ noUnicodeString: false }), fc.constantFrom(0, 2), (value, indent) => {
    assert.deepEqual(JSON.parse(jsonText(value, indent)), value);
  }));
});
