/**
 * `table export`: each form, conditions, and what is left when it doesn't come to its end.
 */
import assert from "node:assert/strict";
import { RecordBatchReader, tableFromIPC } from "apache-arrow";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { array, scalar, Table, tiledColumn } from "../../mod.ts";
import { parseWhere } from "../../src/query/where.ts";
import { everyKind, inDirectory, ROWS } from "./arrow_support.ts";
import { ROOT, spawnTable, table } from "./cli_support.ts";

/** Names that are in a directory. */
function names(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
}

Deno.test("CSV has a header, scalar columns, and says what it leaves out", () =>
  inDirectory(async (directory) => {
    {
      using made = Table.create(`${directory}/t`, {
        columns: [
          scalar("N", "int64"),
          scalar("X", "float64"),
          scalar("C", "complex64"),
          scalar("B", "bool"),
          scalar("S", "string"),
          array("A", "int32", { shape: [2] }),
        ],
        rows: 3,
      });
      made.putColumn("N", BigInt64Array.of(2n ** 62n, -1n, 0n));
      made.putColumn("X", Float64Array.of(NaN, -0, 0.1));
      made.putColumn("C", Float32Array.of(1, 2, 0.5, -Infinity, 0, 0));
      made.putColumn("B", [true, false, true]);
      made.putColumn("S", ["", 'a "b", c', " x\ny"]);
    }
    const { status, out, err } = await table("export", `${directory}/t`, "--format", "csv");
    assert.equal(status, 0);
    assert.equal(
      out,
      "N,X,C.re,C.im,B,S\n" +
        '4611686018427387904,NaN,1,2,true,""\n' +
        '-1,-0.0,0.5,-Infinity,false,"a ""b"", c"\n' +
        '0,0.1,0,0,true," x\ny"\n',
    );
    assert.deepEqual(err, ["table: CSV has no arrays or records; left out: A"]);
  }));

Deno.test("NDJSON is what `table cat` prints", () =>
  inDirectory(async (directory) => {
    everyKind(`${directory}/t`).close();
    const cat = await table("cat", `${directory}/t`);
    const { out } = await table("export", `${directory}/t`, "--format", "ndjson");
    assert.equal(out, cat.out);
    const some = await table(
      "export",
      `${directory}/t`,
      "--format",
      "ndjson",
      "--columns",
      "S_int32",
      "--rows",
      "0:9:4",
    );
    assert.equal(some.out.split("\n").length, 4);
  }));

Deno.test("files of Arrow and Parquet have the rows, in batches and row groups that end where tiles do", () =>
  inDirectory(async (directory) => {
    {
      using made = Table.create(`${directory}/t`, {
        columns: [scalar("N", "int32"), array("D", "float32", { shape: [64] })],
        storage: [tiledColumn("T", ["D"], { tileShape: [64, 20_000] })],
        rows: 80_000,
      });
      made.putColumn("N", Int32Array.from({ length: 80_000 }, (_, i) => i));
      made.putColumn("D", Float32Array.from({ length: 64 * 80_000 }, (_, i) => i % 1000));
    }
    assert.equal((await table("export", `${directory}/t`, `${directory}/t.arrow`)).status, 0);
    const arrow = tableFromIPC(Deno.readFileSync(`${directory}/t.arrow`));
    assert.equal(arrow.numRows, 80_000);
    assert.equal(arrow.getChild("N")!.get(79_999), 79_999);
    assert.deepEqual([...arrow.getChild("D")!.get(7001)!].slice(0, 2), [
      (7001 * 64) % 1000,
      (7001 * 64 + 1) % 1000,
    ]);
    assert.equal((await table("export", `${directory}/t`, `${directory}/t.parquet`)).status, 0);
    const file = Deno.readFileSync(`${directory}/t.parquet`).buffer;
    assert.deepEqual(parquetMetadata(file).row_groups.map(({ num_rows }) => num_rows), [60_000n, 20_000n]);
    const rows = await parquetReadObjects({ file, rowStart: 7001, rowEnd: 7002 });
    assert.equal(rows[0]!["N"], 7001);
    assert.deepEqual([...rows[0]!["D"]].slice(0, 2), [(7001 * 64) % 1000, (7001 * 64 + 1) % 1000]);
    assert.deepEqual(names(directory), ["t", "t.arrow", "t.parquet"]);
  }));

Deno.test("to standard output Arrow is a stream", () =>
  inDirectory((directory) => {
    everyKind(`${directory}/t`).close();
    const { stdout, success } = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-qA",
        "src/cli/main.ts",
        "export",
        `${directory}/t`,
        "--format",
        "arrow",
        "--dictionary",
      ],
      cwd: ROOT,
      stdout: "piped",
    }).outputSync();
    assert(success);
    const batches = [...RecordBatchReader.from(stdout)];
    assert.equal(batches.reduce((sum, batch) => sum + batch.numRows, 0), ROWS);
  }));

Deno.test("a condition chooses rows by scalar columns", () =>
  inDirectory(async (directory) => {
    everyKind(`${directory}/t`).close();
    const rows = async (where: string, ...more: string[]) => {
      const args = ["export", `${directory}/t`, "--format", "csv", "--columns", "S_uint16", "--where", where];
      const { status, out, err } = await table(...args, ...more);
      return status === 0 ? out.trim().split("\n").slice(1).map(Number) : err.join("\n");
    };
    // 0, 65535, 2, 3, … 10
    assert.deepEqual(await rows("S_uint16 > 8"), [65535, 9, 10]);
    assert.deepEqual(await rows("S_uint16 >= 3 and S_uint16 < 6"), [3, 4, 5]);
    assert.deepEqual(await rows("S_uint16 = 3 or S_uint16 = 65535 and S_int32 > 0"), [65535, 3]);
    assert.deepEqual(await rows("(S_uint16 = 3 or S_uint16 = 65535) and S_int32 > 3"), [65535]);
    assert.deepEqual(await rows("S_string = 'a'"), [65535, 4, 8]);
    assert.deepEqual(await rows('S_string = """" or S_string <> "a" and S_uint16 == 5'), [5, 7]);
    assert.deepEqual(await rows("S_int64 = 9223372036854775807"), [65535]);
    assert.deepEqual(await rows("S_int64 > 8.5 and S_int64 < 1e3"), [9, 10]);
    assert.deepEqual(await rows("S_bool = true", "--rows", "2:5"), [2, 4]);
    assert.deepEqual(await rows("S_float64 < 1"), [65535, 2, 3]);
    assert.deepEqual(await rows("`S_uint16` = 3"), [3]);
    assert.deepEqual(await rows("S_uint16 = 77"), []);
    for (
      const wrong of [
        "S_uint16",
        "S_uint16 =",
        "S_uint16 = 3 and",
        "= 3",
        "S_uint16 = 3)",
        "(S_uint16 = 3",
        "S_uint16 ~ 3",
      ]
    ) {
      const { status } = await table("export", `${directory}/t`, "--format", "csv", "--where", wrong);
      assert.equal(status, 2, wrong);
    }
    assert.match(String(await rows("S_uint16 = 'x'")), /compared with a string/);
    assert.match(String(await rows("F_uint16 = 3")), /no scalar/);
    assert.match(String(await rows("NOPE = 3")), /no column NOPE/);
    assert.throws(() => parseWhere("(".repeat(1000) + "a = 1"), /brackets/);
  }));

Deno.test("an existing file stays unless it may be replaced, and nothing is left of an export that fails", () =>
  inDirectory(async (directory) => {
    everyKind(`${directory}/t`).close();
    Deno.writeTextFileSync(`${directory}/x.csv`, "mine");
    const refused = await table("export", `${directory}/t`, `${directory}/x.csv`);
    assert.equal(refused.status, 1);
    assert.match(refused.err.at(-1)!, /--overwrite/);
    const failed = await table(
      "export",
      `${directory}/t`,
      `${directory}/x.csv`,
      "--overwrite",
      "--columns",
      "NOPE",
    );
    assert.equal(failed.status, 1);
    const rows = await table(
      "export",
      `${directory}/t`,
      `${directory}/x.csv`,
      "--overwrite",
      "--rows",
      "0:99",
    );
    assert.equal(rows.status, 1);
    assert.equal(Deno.readTextFileSync(`${directory}/x.csv`), "mine");
    assert.equal((await table("export", `${directory}/t`, `${directory}/x.csv`, "--overwrite")).status, 0);
    assert.match(Deno.readTextFileSync(`${directory}/x.csv`), /^S_bool,/);
    assert.deepEqual(names(directory), ["t", "x.csv"]);
    assert.equal((await table("export", `${directory}/t`, `${directory}/y.foo`)).status, 2);
    assert.equal((await table("export", `${directory}/t`)).status, 2);
  }));

/** A table of which an export takes a while. */
function large(path: string): void {
  using made = Table.create(path, { columns: [array("D", "float64", { shape: [1000] })], rows: 20_000 });
  made.putColumn("D", new Float64Array(1000).fill(1.5), { rows: [0] });
}

Deno.test("a reader that goes away ends an export quietly", () =>
  inDirectory((directory) => {
    large(`${directory}/t`);
    const command =
      `"${Deno.execPath()}" run -qA src/cli/main.ts export "${directory}/t" --format ndjson | head -c 100`;
    const { code, stdout, stderr } = new Deno.Command("bash", {
      args: ["-o", "pipefail", "-c", command],
      cwd: ROOT,
    }).outputSync();
    assert.equal(code, 0);
    assert.equal(stdout.length, 100);
    assert.equal(new TextDecoder().decode(stderr), "");
  }));

Deno.test("an interrupted export leaves no file", () =>
  inDirectory(async (directory) => {
    large(`${directory}/t`);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-qA", "src/cli/main.ts", "export", `${directory}/t`, `${directory}/t.ndjson`],
      cwd: ROOT,
      stderr: "piped",
    }).spawn();
    // As soon as something is written it is interrupted.
    while (!names(directory).some((name) => name.endsWith(".partial"))) {
      await new Promise((go) => setTimeout(go, 5));
    }
    child.kill("SIGINT");
    const { code, stderr } = await child.output();
    assert.equal(code, 130, new TextDecoder().decode(stderr));
    assert.deepEqual(names(directory), ["t"]);
  }));

Deno.test("the command starts without Arrow", () => {
  const { status } = spawnTable(["export", "--help"]);
  assert.equal(status, 0);
  const { stdout } = new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "src/cli/main.ts"],
    cwd: ROOT,
    stdout: "piped",
  }).outputSync();
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
    modules: { specifier: string; dependencies?: { code?: { specifier: string }; isDynamic?: boolean }[] }[];
  };
  const byName = new Map(modules.map((module) => [module.specifier, module]));
  const seen = new Set<string>();
  const walk = (specifier: string) => {
    if (seen.has(specifier)) return;
    seen.add(specifier);
    for (const { code, isDynamic } of byName.get(specifier)?.dependencies ?? []) {
      if (code !== undefined && !isDynamic) walk(code.specifier);
    }
  };
  walk(modules.find(({ specifier }) => specifier.endsWith("/src/cli/main.ts"))!.specifier);
  assert(seen.size > 50);
  assert.deepEqual([...seen].filter((specifier) => /apache-arrow|hyparquet/.test(specifier)), []);
});
