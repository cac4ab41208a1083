/**
 * What the command prints of the golden tables that casacore wrote, against what casacore reads in them.
 */
import assert from "node:assert/strict";
import {
  assertSameRows,
  copyOfFixture,
  expectedRows,
  expectedSchema,
  fixturePath,
  fixtures,
} from "../fixture.ts";
import { table } from "./cli_support.ts";

/** The one text that a row has: keys in order, no blanks, JavaScript's shortest numbers, -0.0. */
function lineOf(row: unknown): string {
  const zero = "minus zero";
  return JSON.stringify(row, (_key, value) => Object.is(value, -0) ? zero : value).replaceAll(
    `"${zero}"`,
    "-0.0",
  );
}

const GOLDEN = fixtures();

Deno.test("there are golden tables to read", () => {
  assert.ok(GOLDEN.length > 30);
});

for (const { name } of GOLDEN) {
  Deno.test(`cat prints ${name} as casacore reads it`, async () => {
    const { status, out, err } = await table("cat", fixturePath(name), "--format", "ndjson");
    assert.deepEqual([status, err], [0, []]);
    const expected = expectedRows(name);
    assertSameRows(out, expected, name);
    assert.equal(out, expected.map((row) => `${lineOf(row)}\n`).join(""));
  });

  Deno.test(`schema describes ${name} as casacore does`, async () => {
    const { status, out, err } = await table("schema", "--json", fixturePath(name));
    assert.deepEqual([status, err], [0, []]);
    const ours = JSON.parse(out);
    const theirs = expectedSchema(name);
    assert.equal(ours.rows, theirs.rows);
    assert.equal(ours.byteOrder, theirs.byteOrder);
    if (theirs.info !== undefined) assert.deepEqual(ours.info, theirs.info);
    assert.deepEqual(
      ours.managers.map(({ type, name, sequence }: Record<string, unknown>) => ({ type, name, sequence })),
      theirs.managers.map(({ type, name, sequence }) => ({ type, name, sequence })),
    );
    assert.deepEqual(
      ours.columns.map((column: Record<string, unknown>) => column.name),
      theirs.columns.map((column) => column.name),
    );
    theirs.columns.forEach((column, i) => {
      const own = ours.columns[i];
      assert.equal(own.dtype, column.dtype);
      assert.equal(own.kind, column.kind);
      assert.equal(own.direct, column.direct);
      assert.equal(own.manager.sequence, column.manager);
      if (column.kind === "array") assert.deepEqual([own.ndim, own.shape], [column.ndim, column.shape]);
      if (column.comment !== undefined) assert.equal(own.comment, column.comment);
      if (column.maxLength !== undefined) assert.equal(own.maxLength, column.maxLength);
    });
  });

  Deno.test(`show fits ${name} on 80 columns`, async () => {
    const { status, out, err } = await table("show", fixturePath(name));
    assert.deepEqual([status, err], [0, []]);
    for (const line of out.split("\n")) {
      assert.ok([...line].length <= 80, line);
      assert.equal(line, line.trimEnd());
    }
  });
}

Deno.test("cat prints the columns and rows that are asked for, in that order", async () => {
  const path = fixturePath("ssm_scalars_le");
  const all = expectedRows("ssm_scalars_le");
  const names = Object.keys(all[0]!);
  const two = [names.at(-1)!, names[0]!];
  const { out } = await table("cat", path, "--columns", two.join(","), "--rows", "3:6");
  assertSameRows(out, all.slice(3, 6).map((row) => Object.fromEntries(two.map((name) => [name, row[name]]))));
  assert.deepEqual(await table("cat", path, "--rows", "4:4"), { status: 0, out: "", err: [] });
  const end = await table("cat", path, "--rows", `${all.length - 1}:`);
  assertSameRows(end.out, all.slice(-1));
});

/** A copy of a golden table in which a storage manager has a name that nobody knows. */
function withUnknownManager(name: string, type: string) {
  const copy = copyOfFixture(name);
  const file = `${copy.path}/table.dat`;
  const text = new TextDecoder("latin1").decode(Deno.readFileSync(file)).replaceAll(
    type,
    type.replace("StMan", "XxMan"),
  );
  Deno.writeFileSync(file, Uint8Array.from(text, (c) => c.charCodeAt(0)));
  return copy;
}

Deno.test("columns of a manager that isn't known are left out with a line each, the others are printed", async () => {
  using copy = withUnknownManager("tsm_mixed_le", "StandardStMan");
  const { status, out, err } = await table("cat", copy.path);
  assert.equal(status, 0);
  assert.deepEqual(err, ["table: column id is left out: StandardXxMan can't be read yet"]);
  assertSameRows(out, expectedRows("tsm_mixed_le").map(({ id: _, ...others }) => others));
  const asked = await table("cat", copy.path, "--columns", "id,fixed", "--rows", ":1");
  assert.deepEqual([asked.status, asked.err.length], [0, 1]);
  assert.deepEqual(Object.keys(JSON.parse(asked.out)), ["fixed"]);
  const shown = await table("show", copy.path);
  assert.match(shown.out, /^id +int32 +StandardXxMan #6 +unread$/m);
  const copied = await table("copy", copy.path, `${copy.path}.copy`);
  assert.deepEqual([copied.status, copied.err.length], [1, 1]);
  assert.match(copied.err[0]!, /StandardXxMan/);
});

Deno.test("keywords are printed in their order and with all their digits", async () => {
  const path = fixturePath("keywords");
  const expected = expectedSchema("keywords");
  const whole = await table("keywords", "--json", path);
  assert.deepEqual(JSON.parse(whole.out), expected.keywords);
  assert.deepEqual(Object.keys(JSON.parse(whole.out)), Object.keys(expected.keywords!));
  for (const column of expected.columns) {
    const one = await table("keywords", "--json", path, "--column", column.name);
    assert.deepEqual(JSON.parse(one.out), column.keywords);
  }
  const columns = await table("keywords", "--json", path, "--columns");
  assert.deepEqual(
    JSON.parse(columns.out),
    Object.fromEntries(expected.columns.map((column) => [column.name, column.keywords])),
  );
});

Deno.test("--stats counts on standard error and changes nothing on standard output", async () => {
  const path = fixturePath("ssm_scalars_le");
  for (const command of ["show", "schema", "keywords", "cat"]) {
    const plain = await table(command, path);
    const counted = await table(command, path, "--stats", "--io", "node");
    assert.equal(counted.out, plain.out);
    assert.match(
      counted.err.join("\n"),
      /^calls {2}[1-9]\d* \(.*open \d+.*\nbytes {2}[1-9]\d* read, 0 written/,
    );
  }
});
