/**
 * `table import`: what `table export` wrote comes back; types of texts; what is refused leaves nothing.
 */
import assert from "node:assert/strict";
import { array, type NDArray, Table } from "../../mod.ts";
import { csvRows, linesOf } from "../../src/cli/import-lines.ts";
import { assertSameDescription, assertSameValues, everyKind, inDirectory } from "./arrow_support.ts";
import { ROOT, table } from "./cli_support.ts";

/** Runs the command, which has to succeed. */
async function done(...args: string[]): Promise<string> {
  const { status, out, err } = await table(...args);
  assert.equal(status, 0, err.join("\n"));
  return out;
}

Deno.test("what was exported as Arrow, Parquet and NDJSON is imported as it was", () =>
  inDirectory(async (directory) => {
    using original = everyKind(`${directory}/t`);
    original.flush();
    for (const format of ["arrow", "parquet"]) {
      await done("export", `${directory}/t`, `${directory}/t.${format}`);
      const out = await done("import", `${directory}/t.${format}`, `${directory}/${format}`);
      assert.match(out, /11 rows, 38 columns/);
      using again = Table.open(`${directory}/${format}`);
      assertSameValues(again, original);
      assertSameDescription(again, original);
    }
    // Records have no types in NDJSON, so those of RECORD may come back as others.
    const columns = original.columnNames.filter((name) => name !== "RECORD");
    await done("export", `${directory}/t`, `${directory}/t.ndjson`, "--columns", columns.join(","));
    await done("import", `${directory}/t.ndjson`, `${directory}/n`, "--like", `${directory}/t`);
    using again = Table.open(`${directory}/n`);
    assertSameValues(again, original, columns);
    const scalars = columns.filter((name) => name.startsWith("S_"));
    await done("export", `${directory}/t`, `${directory}/t.csv`, "--columns", scalars.join(","));
    await done("import", `${directory}/t.csv`, `${directory}/c`, "--like", `${directory}/t`);
    using csv = Table.open(`${directory}/c`);
    assertSameValues(csv, original, scalars);
  }));

Deno.test("a table without rows is imported with its columns", () =>
  inDirectory(async (directory) => {
    everyKind(`${directory}/t`).close();
    for (const format of ["arrow", "parquet"]) {
      await done("export", `${directory}/t`, `${directory}/x.${format}`, "--rows", "0:0");
      assert.match(
        await done("import", `${directory}/x.${format}`, `${directory}/${format}`),
        /0 rows, 38 columns/,
      );
    }
  }));

/** Imports a text and gives what each column became. */
async function typesOf(
  directory: string,
  name: string,
  text: string,
  ...more: string[]
): Promise<Record<string, unknown>> {
  Deno.writeTextFileSync(`${directory}/${name}`, text);
  await done("import", `${directory}/${name}`, `${directory}/x`, "--overwrite", ...more);
  using made = Table.open(`${directory}/x`);
  return Object.fromEntries(made.columnNames.map((column) => [
    column,
    [
      made.column(column).dtype,
      ...made.getCells(column).map((cell) =>
        typeof cell === "object" && cell !== null && "toJSON" in cell
          ? cell.toJSON()
          : typeof cell === "object" && cell !== null && "data" in cell
          ? [(cell as NDArray).shape, Array.from((cell as NDArray).data as ArrayLike<unknown>)]
          : cell
      ),
    ],
  ]));
}

Deno.test("types of NDJSON are those that hold all values", () =>
  inDirectory(async (directory) => {
    const lines = [
      '{"I": 1, "L": 3000000000, "X": 1, "B": true, "S": "a", "C": [1, 2], "A": {"shape": [2], "data": [1, 2.5]}, "V": [1, 2, 3], "R": {"a": 1}, "Z": {"shape": [1], "data": [1, 2]}, "H": "9007199254740993"}',
      '{"I": -5, "L": 1, "X": "NaN", "B": false, "S": "NaN", "C": [0.5, "Infinity"], "A": null, "V": [], "R": {"b": "x"}, "Z": {"shape": [0], "data": []}, "H": 4}',
    ];
    assert.deepEqual(await typesOf(directory, "x.ndjson", lines.join("\n") + "\n\n"), {
      I: ["int32", 1, -5],
      L: ["int64", 3000000000n, 1n],
      X: ["float64", 1, NaN],
      B: ["bool", true, false],
      S: ["string", "a", "NaN"],
      C: ["complex128", [1, 2], [0.5, Infinity]],
      A: ["float64", [[2], [1, 2.5]], null],
      V: ["int32", [[3], [1, 2, 3]], [[0], []]],
      R: ["record", { a: 1 }, { b: "x" }],
      Z: ["complex128", [[1], [1, 2]], [[0], []]],
      H: ["int64", 9007199254740993n, 4n],
    });
    assert.deepEqual(await typesOf(directory, "x.ndjson", '{"A": 1}\n{"B": 2}', "--nulls", "fill"), {
      A: ["int32", 1, 0],
      B: ["int32", 0, 2],
    });
  }));

Deno.test("types of CSV are those that hold all fields", () =>
  inDirectory(async (directory) => {
    const text = 'I,X,S,B,Q\r\n1,1.0,a,true,"a ""b"",\nc"\r\n-2,nan,"",FALSE,3\r\n';
    assert.deepEqual(await typesOf(directory, "x.csv", text), {
      I: ["int32", 1, -2],
      X: ["float64", 1, NaN],
      S: ["string", "a", ""],
      B: ["bool", true, false],
      Q: ["string", 'a "b",\nc', "3"],
    });
    assert.deepEqual(
      await typesOf(directory, "x.csv", "A,B\n1,x\n,y\n", "--columns", "A", "--nulls", "fill"),
      {
        A: ["int32", 1, 0],
      },
    );
  }));

Deno.test("texts are read the same wherever their pieces end", () =>
  inDirectory((directory) => {
    // Longer than what is read at a time, with characters of several bytes and quotes all over.
    const cell = 'é"日\n,\u{1F52D}';
    const count = 120_000;
    const quoted = `"${cell.replaceAll('"', '""')}"`;
    Deno.writeTextFileSync(`${directory}/x.csv`, "a,b\n" + `${quoted},${quoted}\n`.repeat(count));
    let rows = 0;
    for (const { fields } of csvRows(`${directory}/x.csv`)) {
      if (rows++ > 0 && (fields.length !== 2 || fields[0] !== cell || fields[1] !== cell)) {
        assert.fail(`row ${rows}: ${fields}`);
      }
    }
    assert.equal(rows, count + 1);
    Deno.writeTextFileSync(`${directory}/x`, "日本é\n\n".repeat(count));
    let lines = 0;
    for (const { text } of linesOf(`${directory}/x`)) {
      lines++;
      if (text !== "日本é") assert.fail(`line ${lines}: ${text}`);
    }
    assert.equal(lines, count);
  }));

Deno.test("what is refused names file, line and column, and leaves no table", () =>
  inDirectory(async (directory) => {
    const refuse = async (
      name: string,
      text: string | Uint8Array<ArrayBuffer>,
      pattern: RegExp,
      ...more: string[]
    ) => {
      if (typeof text === "string") Deno.writeTextFileSync(`${directory}/${name}`, text);
      else Deno.writeFileSync(`${directory}/${name}`, text);
      const { status, err } = await table("import", `${directory}/${name}`, `${directory}/x`, ...more);
      assert.equal(status, 1);
      assert.match(err.join("\n"), pattern);
      assert.equal(err.length, 1);
      Deno.removeSync(`${directory}/${name}`);
      assert.deepEqual([...Deno.readDirSync(directory)], []);
    };
    await refuse("x.ndjson", '{"A": 1}\n{"A": ', /x\.ndjson.*line 2 is no JSON/);
    await refuse("x.ndjson", '{"A": 1}\n{"A": [1, 2, 3]}', /line 2.*column A/);
    await refuse("x.ndjson", '{"A": 1}\n{"A": "x"}', /column A has values of several types/);
    await refuse("x.ndjson", '{"A": 1}\n{"A": null}', /column A, row 1.*null/);
    await refuse("x.ndjson", '{"A": {"shape": [2], "data": [1]}}', /line 1, column A|column A has/);
    await refuse("x.csv", "A,B\n1\n", /line 2.*1 fields.*2/);
    await refuse("x.csv", "A,A\n1,2\n", /two columns A/);
    await refuse("x.csv", 'A\n"1\n', /not closed/);
    await refuse("x.arrow", "no arrow at all", /x\.arrow.*Arrow/);
    await refuse("x.parquet", "no parquet at all", /x\.parquet.*Parquet/);
    await refuse("x.csv", "A\n1\n", /no column NOPE/, "--columns", "NOPE");
    const { status, err } = await table("import", `${directory}/none.csv`, `${directory}/x`);
    assert.equal(status, 1);
    assert.match(err[0]!, /none\.csv.*no such file/);
  }));

Deno.test("a damaged Arrow file gives an error, and no table", () =>
  inDirectory(async (directory) => {
    everyKind(`${directory}/t`).close();
    await done("export", `${directory}/t`, `${directory}/t.arrow`);
    const bytes = Deno.readFileSync(`${directory}/t.arrow`);
    let refused = 0;
    for (let i = 0; i < 60; i++) {
      const damaged = bytes.slice(0, i < 20 ? Math.floor((bytes.length * i) / 20) : bytes.length);
      const at = i < 40 ? (i * 7919) % bytes.length : bytes.length - 1 - (i - 40) * 97;
      if (i >= 20) damaged[at]! ^= 1 << (i % 8);
      Deno.writeFileSync(`${directory}/x.arrow`, damaged);
      const { status, err } = await table("import", `${directory}/x.arrow`, `${directory}/x`, "--overwrite");
      if (status !== 0) refused++;
      assert(status <= 1, err.join());
      assert(!err.join().includes("a fault in Tessera"), `${i}: ${err}`);
    }
    assert(refused >= 15);
  }));

Deno.test("an interrupted import leaves no table", () =>
  inDirectory(async (directory) => {
    {
      using made = Table.create(`${directory}/t`, {
        columns: [array("D", "float64", { shape: [1000] })],
        rows: 20_000,
      });
      made.putColumn("D", new Float64Array(1000).fill(1.5), { rows: [0] });
    }
    for (const format of ["arrow", "parquet", "ndjson"]) {
      const file = `${directory}/t.${format}`;
      await done("export", `${directory}/t`, file);
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "-qA", "--no-check", "src/cli/main.ts", "import", file, `${directory}/x`],
        cwd: ROOT,
        stderr: "piped",
      }).spawn();
      const begun = () => [...Deno.readDirSync(directory)].some(({ name }) => name === "x.partial");
      while (!begun()) await new Promise((go) => setTimeout(go, 2));
      child.kill("SIGINT");
      const { code, stderr } = await child.output();
      assert.equal(code, 130, `${format}: ${new TextDecoder().decode(stderr)}`);
      Deno.removeSync(file);
      assert.deepEqual([...Deno.readDirSync(directory)].map(({ name }) => name), ["t"]);
    }
  }));
