import assert from "node:assert/strict";
import { TableError } from "../../mod.ts";
import { errorText, shortPath, UsageError } from "../../src/cli/failure.ts";
import { ROOT } from "./cli_support.ts";

const HERE = Deno.cwd();

Deno.test("an error names its file as the user typed the table, and the offset", () => {
  const error = (file: string, offset?: number) =>
    new TableError("CORRUPT", "expected 1, found 2", { file, offset });
  assert.equal(
    errorText(error(`${HERE}/my.ms/table.f1`, 512), ["my.ms"]),
    "my.ms/table.f1, offset 512: expected 1, found 2",
  );
  assert.equal(
    errorText(error(`${HERE}/my.ms/table.dat`), ["my.ms/"]),
    "my.ms/table.dat: expected 1, found 2",
  );
  assert.equal(errorText(error(`${HERE}/my.ms`), ["./my.ms"]), "./my.ms: expected 1, found 2");
  assert.equal(errorText(error(`${HERE}/my.ms2/x`), ["my.ms"]), "my.ms2/x: expected 1, found 2");
  assert.equal(errorText(error("/elsewhere/t"), ["my.ms"]), "/elsewhere/t: expected 1, found 2");
  assert.equal(errorText(new TableError("LIMIT", "too large")), "too large");
});

Deno.test("an error takes one line, whatever a compiler or a file name says", () => {
  const error = new TableError("IO", "cc failed with status 1:\n  a.c:1: error\n\n  2 errors\n");
  assert.equal(errorText(error), "cc failed with status 1: | a.c:1: error | 2 errors");
});

Deno.test("of an error and one that followed from it, the first is told", () => {
  const first = new TableError("CORRUPT", "first");
  assert.equal(errorText(new SuppressedError(new Error("second"), first)), "first");
});

Deno.test("hints are given where they are obvious", () => {
  const exists = new TableError("EXISTS", "there is a table of that name; overwrite: true replaces it");
  assert.equal(errorText(exists), "there is a table of that name (--overwrite replaces it)");
  assert.equal(errorText(new TableError("EXISTS", "that is no table")), "that is no table");
  assert.match(errorText(new TableError("LOCKED", "it is locked")), /--lock none/);
  const denied = new TableError("IO", "open failed", {
    cause: new Deno.errors.NotCapable("Requires read access"),
  });
  assert.match(errorText(denied), /permission/);
  const parent = new TableError("NOT_A_TABLE", "there is no table.dat in it", {
    file: `${ROOT}examples/data`,
  });
  assert.match(errorText(parent), / \(tables in it: sim\.ms\)$/);
});

Deno.test("wrong use is no fault of Tessera's, an unforeseen error is", () => {
  assert.equal(errorText(new UsageError("no such thing")), "no such thing");
  assert.match(
    errorText(new TypeError("x is not a function")),
    /^this is a fault in Tessera: TypeError: x is not/,
  );
});

Deno.test("paths below the current directory are shortened, others are not", () => {
  assert.equal(shortPath(`${HERE}/a/b`), "a/b");
  assert.equal(shortPath(HERE), HERE);
  assert.equal(shortPath(`${HERE}er/a`), `${HERE}er/a`);
});
