import assert from "node:assert/strict";
import fc from "fast-check";
import { isWithin, normalize, resolveStoredName, storedName } from "../../src/format/names.ts";

/** Cases of the format reference, part 1, section 4.4: home, table, stored name. */
const CASES: readonly [directory: string, path: string, stored: string][] = [
  ["/a/b/t.ms", "/a/b/t.ms/ANT", "././ANT"],
  ["/a/b/t.ms", "/a/b/t.ms/X/Y", "././X/Y"],
  ["/a/b/t.ms", "/a/b/other", "./other"],
  ["/a/b/t.ms", "/a/b/other/X", "./other/X"],
  ["/a/b/t.ms", "/x/y", "/x/y"],
  ["/a/b/t.ms", "/a/b/t.ms", "./t.ms"],
  ["/a/b/t.ms", "/a/b", "t.ms/."],
  ["/a/b/t.ms", "/a/b/t.ms2", "./t.ms2"],
  ["/a/b/t.ms/SORTED", "/a/b/t.ms", "SORTED/."],
  ["/a/b/t.ms/S/S", "/a/b/t.ms", "S/S/."],
  ["/t.ms", "/other", "/other"],
  ["/t.ms", "/t.ms/ANT", "././ANT"],
];

Deno.test("table names are stored and resolved as the reference lists them", () => {
  for (const [directory, path, stored] of CASES) {
    assert.equal(storedName(directory, path), stored, `${path} seen from ${directory}`);
    assert.equal(resolveStoredName(directory, stored), path, `${stored} seen from ${directory}`);
  }
});

Deno.test("names that aren't relative to the table come back as they are", () => {
  assert.equal(resolveStoredName("/a/t", "rel/x"), "rel/x");
  assert.equal(resolveStoredName("/a/t", "~/x"), "~/x");
  assert.equal(resolveStoredName("/a/t", "$HOME/x"), "$HOME/x");
  assert.equal(resolveStoredName("/a/t", "other/."), "other/.", "no such ending");
  assert.equal(resolveStoredName("/a/t", "a/t/."), "a/t/.", "nothing would be left");
  assert.equal(resolveStoredName("/a/t", "./././x"), "/a/t/x", "more than two count as two");
});

Deno.test("any table's name comes back, from anywhere", () => {
  const part = fc.constantFrom("a", "b", "t.ms", "ANT", "..x", ".y", "é");
  const path = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => `/${parts.join("/")}`);
  fc.assert(
    fc.property(path, path, (directory, table) => {
      assert.equal(resolveStoredName(directory, storedName(directory, table)), table);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("a path is confined when it stays in the tree, whatever dots it goes through", () => {
  for (const path of ["/a/t", "/a/t/x", "/a/t/./x/../y", "/a//t/x/", "/b/../a/t/x"]) {
    assert.ok(isWithin("/a/t", path), path);
  }
  for (const path of ["/a", "/a/t2", "/a/t/../u", "/a/t/x/../../..", "/", "a/t/x", "~/a", ""]) {
    assert.ok(!isWithin("/a/t", path), path);
  }
  assert.ok(isWithin("/a/t/", "/a/t/x"));
  assert.ok(isWithin("/", "/x"));
  assert.ok(!isWithin("/a/t", resolveStoredName("/a/t", "././../../etc/passwd")));
});

Deno.test("normalize() takes dots and doubled slashes out", () => {
  assert.equal(normalize("/a//b/./c/../d/"), "/a/b/d");
  assert.equal(normalize("/.."), "/");
  assert.equal(normalize("/"), "/");
});
