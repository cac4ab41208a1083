import assert from "node:assert/strict";
import { Table, TableRecord } from "../../mod.ts";
import { keywordType, setKeyword, valueOf } from "../../src/cli/keyword-value.ts";
import { copyOfFixture, fixturePath } from "../fixture.ts";
import { ROOT, table } from "./cli_support.ts";

const MS = `${ROOT}examples/data/sim.ms`;

Deno.test("keywords KEY prints one value alone, also of a field in a record, and JSON with --json", async () => {
  assert.equal((await table("keywords", MS, "MS_VERSION")).out, "2\n");
  assert.equal((await table("keywords", MS, "MEASINFO.type", "--column", "TIME")).out, "epoch\n");
  assert.equal((await table("keywords", MS, "MEASINFO.type", "--column", "TIME", "--json")).out, '"epoch"\n');
  assert.match((await table("keywords", MS, "MEASINFO", "--column", "TIME")).out, /^type +string +epoch\n/);
  const { status, out, err } = await table("keywords", MS, "NONE");
  assert.deepEqual([status, out, err.length], [1, "", 1]);
  assert.match(err[0]!, /no keyword NONE; there are MS_VERSION, /);
});

Deno.test("keywords --set keeps the type that a keyword has, gives new ones that of their text, and takes --type", async () => {
  using copy = copyOfFixture("minimal_le");
  const set = async (...args: string[]) => {
    const run = await table("keywords", copy.path, ...args);
    assert.deepEqual([run.status, run.err], [0, []], args.join(" "));
    return run.out;
  };
  assert.equal(await set("--set", "V=2", "--type", "float32"), "V  float32  2\n");
  assert.equal(await set("--set", "V=3"), "V  float32  3\n");
  await set("--set", "N=12", "--set", "R=0.5", "--set", "B=true", "--set", "S=12 Jy", "--set", "L=[1,2.5]");
  await set("--set", "T=12", "--type", "string");
  await set("--set", 'REC={"a":{"b":1},"c":"x"}');
  await set("--set", "REC.a.b=7");
  using opened = Table.open(copy.path);
  const { keywords } = opened;
  const types = ["V", "N", "R", "B", "S", "L", "T", "REC"].map((key) => keywords.dtype(key));
  assert.deepEqual(types, ["float32", "int32", "float64", "bool", "string", "float64", "string", "record"]);
  assert.deepEqual(keywords.toJSON().REC, { a: { b: 7 }, c: "x" });
  assert.equal(keywords.get("V"), 3);
});

Deno.test("keywords --delete removes keywords, of columns too; what is missing changes nothing", async () => {
  using copy = copyOfFixture("minimal_le");
  const [column] = JSON.parse((await table("schema", "--json", copy.path)).out).columns as { name: string }[];
  assert.equal((await table("keywords", copy.path, "--column", column!.name, "--set", "UNIT=Jy")).status, 0);
  assert.equal((await table("keywords", copy.path, "UNIT", "--column", column!.name)).out, "Jy\n");
  const missing = ["--delete", "UNIT", "--delete", "NONE"];
  const refused = await table("keywords", copy.path, "--column", column!.name, ...missing);
  assert.deepEqual([refused.status, refused.out, refused.err.length], [1, "", 1]);
  assert.equal((await table("keywords", copy.path, "UNIT", "--column", column!.name)).out, "Jy\n");
  const done = await table("keywords", copy.path, "--column", column!.name, "--delete", "UNIT");
  assert.deepEqual(done, { status: 0, out: "", err: [] });
  assert.equal((await table("keywords", copy.path, "UNIT", "--column", column!.name)).status, 1);
});

Deno.test("texts that are no value of the type are wrong use, and change nothing", async () => {
  using copy = copyOfFixture("minimal_le");
  const before = (await table("keywords", copy.path, "--json")).out;
  for (
    const args of [
      ["--set", "X=abc", "--type", "float64"],
      ["--set", "X=1.5", "--type", "int32"],
      ["--set", "X=maybe", "--type", "bool"],
      ["--set", "X=5", "--type", "int32[]"],
      ["--set", "X=[]", "--type", "record"],
      ["--set", "X=1", "--type", "uint16"],
      ["--set", "X=1", "--type", "table[]"],
      ["--set", "=1"],
      ["--set", "X"],
      ["--type", "int32"],
      ["KEY", "--set", "X=1"],
      ["--columns", "--set", "X=1"],
      ["KEY", "--columns"],
    ]
  ) {
    const { status, out, err } = await table("keywords", copy.path, ...args);
    assert.deepEqual([status, out], [2, ""], args.join(" "));
    assert.ok(err.length > 0);
  }
  // A number that the type has no room for is a problem of the data.
  assert.equal((await table("keywords", copy.path, "--set", "X=300", "--type", "uint8")).status, 1);
  assert.equal((await table("keywords", copy.path, "--json")).out, before);
});

Deno.test("texts become values of every type", () => {
  const read = (text: string, type: string) => valueOf(text, keywordType(type)!);
  assert.deepEqual(read("-1.5e3+2i", "complex64"), [-1500, 2]);
  assert.deepEqual(read("1-2i", "complex128"), [1, -2]);
  assert.deepEqual(read("[3, -4]", "complex64"), [3, -4]);
  assert.deepEqual(read("3", "complex64"), [3, 0]);
  assert.equal(read("9007199254740993", "int64"), 9007199254740993n);
  assert.ok(Number.isNaN(read("NaN", "float64")));
  assert.equal(read("-Infinity", "float32"), -Infinity);
  assert.deepEqual(read('["9007199254740993", "-1"]', "int64[]"), [9007199254740993n, -1n]);
  assert.deepEqual(read('["NaN", 1]', "float64[]"), [NaN, 1]);
  assert.deepEqual(read('{"shape": [1, 2], "data": [1, 2]}', "int32[]"), { shape: [1, 2], data: [1, 2] });
  assert.equal(read("0", "bool"), false);
  const record = new TableRecord();
  setKeyword(record, "SUB", "././SUB", keywordType("table")!);
  setKeyword(record, "EMPTY", "");
  setKeyword(record, "NULL", "null");
  assert.deepEqual(record.keys().map((key) => record.dtype(key)), ["table", "string", "string"]);
});

Deno.test("keywords can't be changed where there is no table", async () => {
  const { status, err } = await table("keywords", fixturePath("none"), "--set", "X=1");
  assert.deepEqual([status, err.length], [1, 1]);
});
