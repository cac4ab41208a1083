import assert from "node:assert/strict";
import fc from "fast-check";
import {
  decodeText,
  decodeUtf8,
  encodeText,
  encodeUtf8,
  hasEscapedBytes,
  isValidUtf8,
  readableText,
} from "../../src/format/strings.ts";
import { failsWith } from "./format_help.ts";

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.string({ unit: "binary", maxLength: 100 }).map((text) => new TextEncoder().encode(text)),
  // Pieces of long UTF-8 sequences, the hard case.
  fc.array(fc.constantFrom(0x41, 0x80, 0xbf, 0xc3, 0xe0, 0xa0, 0xed, 0x9f, 0xf0, 0x90, 0xf4, 0x8f, 0xff), {
    maxLength: 80,
  })
    .map((list) => Uint8Array.from(list)),
);

Deno.test("every policy gives back exactly the bytes it was given", () => {
  fc.assert(
    fc.property(bytes, (given) => {
      for (const policy of ["utf8", "latin1", "bytes"] as const) {
        assert.deepEqual(encodeText(decodeText(given, policy), policy), given);
      }
    }),
    { numRuns: 1000 },
  );
});

Deno.test("text that is UTF-8 decodes to its characters, a byte order mark included", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme", maxLength: 100 }), (text) => {
    assert.equal(decodeUtf8(new TextEncoder().encode(text)), text);
    assert.ok(!hasEscapedBytes(text));
    assert.equal(readableText(text), text);
  }));
  assert.equal(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41)), "\ufeffA");
});

Deno.test("isValidUtf8 and hasEscapedBytes agree, and with TextDecoder", () => {
  const strict = new TextDecoder("utf-8", { fatal: true });
  fc.assert(
    fc.property(bytes, (given) => {
      let valid = true;
      try {
        strict.decode(given as Uint8Array<ArrayBuffer>);
      } catch {
        valid = false;
      }
      assert.equal(isValidUtf8(given), valid);
      assert.equal(hasEscapedBytes(decodeUtf8(given)), !valid);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("a byte that isn't UTF-8 becomes U+DC00 + byte, and reads as Latin-1", () => {
  const latin = Uint8Array.of(0x63, 0x61, 0x66, 0xe9, 0x20, 0xc3, 0xa9);
  const text = decodeUtf8(latin);
  assert.equal(text, "caf\udce9 é");
  assert.equal(readableText(text), "café é");
  assert.equal(
    decodeUtf8(Uint8Array.of(0xed, 0xb3, 0xa9)),
    "\udced\udcb3\udca9",
    "surrogates in UTF-8 are invalid",
  );
});

Deno.test("a lone surrogate that stands for no byte is written as U+FFFD", () => {
  assert.deepEqual(encodeUtf8("a\ud800b\udc41"), new TextEncoder().encode("a\ufffdb\ufffd"));
});

Deno.test("text of other characters is refused where the policy has no bytes for it", () => {
  failsWith("INVALID_ARGUMENT", () => encodeText("aΩ", "latin1"), /character 1 .* U\+03a9/);
  failsWith("INVALID_ARGUMENT", () => encodeText("a", "bytes"));
});

Deno.test("a long text with one wrong byte keeps all of it", () => {
  const long = new Uint8Array(100_000).fill(0x61);
  long[77_777] = 0xff;
  const text = decodeUtf8(long);
  assert.equal(text.length, 100_000);
  assert.equal(text.charCodeAt(77_777), 0xdcff);
  assert.deepEqual(encodeUtf8(text), long);
});
