import assert from "node:assert/strict";
import fc from "fast-check";
import type { DType, NDArray } from "../../mod.ts";
import { writeArray, writeItems, writeScalar } from "../../src/cli/cells.ts";
import { TextSink } from "../../src/cli/sink.ts";

/** What a function writes to a sink, and the sizes of the pieces that it comes in. */
function written(write: (sink: TextSink) => void): { text: string; pieces: number[] } {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const sink = new TextSink((bytes) => chunks.push(bytes.slice()));
  write(sink);
  sink.flush();
  const decoder = new TextDecoder();
  const text = chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("");
  return { text, pieces: chunks.map((chunk) => chunk.length) };
}

function items(dtype: DType, data: ArrayLike<unknown>): string {
  return written((sink) => writeItems(sink, dtype, data, 0, data.length)).text;
}

Deno.test("items of every type are JSON with commas between", () => {
  assert.equal(items("bool", Uint8Array.of(1, 0, 1)), "true,false,true");
  assert.equal(items("uint8", Uint8Array.of(0, 9, 10, 255)), "0,9,10,255");
  assert.equal(items("int16", Int16Array.of(-32768, -1, 32767)), "-32768,-1,32767");
  assert.equal(items("int32", Int32Array.of(-2147483648, 0, 2147483647)), "-2147483648,0,2147483647");
  assert.equal(
    items("uint32", Uint32Array.of(2147483648, 4294967295, 999999999)),
    "2147483648,4294967295,999999999",
  );
  assert.equal(items("int64", BigInt64Array.of(-1n, 2n ** 60n)), '-1,"1152921504606846976"');
  assert.equal(items("float32", Float32Array.of(0.1, -0, 1e10)), "0.10000000149011612,-0.0,10000000000");
  assert.equal(items("float64", Float64Array.of(0.1, 1e300, NaN)), '0.1,1e+300,"NaN"');
  assert.equal(items("complex64", Float32Array.of(1, -Infinity)), '1,"-Infinity"');
  assert.equal(items("string", ["a", 'b"', "\udce9"]), '"a","b\\"","\\udce9"');
  assert.equal(items("float64", new Float64Array(0)), "");
  assert.equal(items("bool", new Uint8Array(0)), "");
  assert.equal(items("int32", new Int32Array(0)), "");
});

Deno.test("whole numbers and flags come out as JSON.stringify has them, over any number of buffers", () => {
  const many = Int32Array.from({ length: 200_000 }, (_, i) => Math.imul(i, 2654435761));
  assert.equal(items("int32", many), Array.from(many).join(","));
  const flags = Uint8Array.from({ length: 200_000 }, (_, i) => i % 3 === 0 ? 1 : 0);
  assert.equal(items("bool", flags), Array.from(flags, Boolean).join(","));
  fc.assert(fc.property(fc.int32Array(), (data) => items("int32", data) === Array.from(data).join(",")));
  fc.assert(fc.property(fc.uint32Array(), (data) => items("uint32", data) === Array.from(data).join(",")));
});

Deno.test("real numbers read back as they were, also where pieces of an array meet", () => {
  const data = Float64Array.from({ length: 10_000 }, (_, i) => Math.sin(i) * 10 ** (i % 40));
  data[4095] = NaN;
  data[4096] = -0;
  const read = JSON.parse(`[${items("float64", data)}]`) as unknown[];
  assert.equal(read.length, data.length);
  read.forEach((value, i) => assert.ok(Object.is(Number(value), data[i]), `item ${i}`));
});

Deno.test("a long text goes through the buffer whole, in pieces of bounded size", () => {
  const long = "望".repeat(1_000_000);
  const { text, pieces } = written((sink) => {
    sink.text("a");
    sink.bytes(new TextEncoder().encode("b".repeat(400_000)));
    sink.text(long);
  });
  assert.equal(text, `a${"b".repeat(400_000)}${long}`);
  assert.ok(Math.max(...pieces) <= 400_000);
});

Deno.test("surrogate pairs are not torn where the buffer ends", () => {
  for (let lead = 0; lead < 4; lead++) {
    const text = "x".repeat(lead) + "🔭".repeat(200_000);
    assert.equal(written((sink) => sink.text(text)).text, text);
  }
});

Deno.test("scalars, array cells and undefined cells have the forms that the command promises", () => {
  const scalar = (dtype: DType, data: unknown, i: number) =>
    written((sink) => writeScalar(sink, dtype, data, i)).text;
  assert.equal(scalar("complex128", Float64Array.of(0, 0, 1.5, -0), 1), "[1.5,-0.0]");
  assert.equal(scalar("float32", Float32Array.of(0, NaN), 1), '"NaN"');
  assert.equal(scalar("bool", Uint8Array.of(0, 1), 0), "false");
  assert.equal(scalar("int64", BigInt64Array.of(7n), 0), "7");
  assert.equal(scalar("string", ["", "é"], 1), '"é"');
  const array = (cell: NDArray | null) => written((sink) => writeArray(sink, cell)).text;
  assert.equal(array(null), "null");
  assert.equal(
    array({ dtype: "complex64", shape: [1, 2], data: Float32Array.of(1, 2, 3, 4) }),
    '{"shape":[1,2],"data":[1,2,3,4]}',
  );
  assert.equal(array({ dtype: "int32", shape: [0], data: new Int32Array(0) }), '{"shape":[0],"data":[]}');
});
