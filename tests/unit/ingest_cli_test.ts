/** The commands for live stores: ingest, tail, compact, and what others say of stores. */
import assert from "node:assert/strict";
import { tableToIPC } from "apache-arrow";
import { array, scalar, Table } from "../../mod.ts";
import { toArrow } from "../../src/arrow/mod.ts";
import { runTable } from "../../src/cli/main.ts";
import { IngestStore } from "../../src/ingest/mod.ts";
import { temporaryFolder } from "../fixture.ts";
import { caughtTerminal, ROOT, type Run, table } from "./cli_support.ts";

const MS = `${ROOT}examples/data/sim.ms`;
const COLUMNS = [
  scalar("TIME", "float64", { unit: "s" }),
  scalar("N", "int64"),
  scalar("NAME", "string", { maxLength: 8 }),
  scalar("GAIN", "complex64"),
  array("DATA", "complex64", { shape: [2, 3] }),
  array("FREE", "int32", { ndim: 1 }),
];

/** Runs `table` with this standard input, in pieces. */
async function fed(input: readonly (string | Uint8Array)[], ...args: string[]): Promise<Run> {
  const { caught, terminal } = caughtTerminal(), encoder = new TextEncoder();
  const pieces = input.map((piece) => typeof piece === "string" ? encoder.encode(piece) : piece);
  const status = await runTable(args, { ...terminal, input: () => ReadableStream.from(pieces) });
  return { status, ...caught };
}

function newStore(path: string): Promise<void> {
  return IngestStore.open(path, { columns: COLUMNS, background: "inline" }).close();
}

/** A line of NDJSON with every column. */
function line(n: number): string {
  return JSON.stringify({
    TIME: n,
    N: String(2n ** 60n + BigInt(n)),
    NAME: `row ${n}`,
    GAIN: [n, "NaN"],
    DATA: { shape: [2, 3], data: Array.from({ length: 12 }, (_, i) => n * 100 + i) },
    FREE: n % 3 === 0 ? null : { shape: [n % 3], data: new Array(n % 3).fill(n) },
  }) + "\n";
}

Deno.test("what cat prints is what ingest takes, however it is cut into pieces", async () => {
  using folder = temporaryFolder();
  const store = `${folder.path}/live`, all = Array.from({ length: 50 }, (_, n) => line(n)).join("");
  for (const size of [all.length, 1000, 7]) {
    await newStore(store);
    const pieces = Array.from(
      { length: Math.ceil(all.length / size) },
      (_, i) => all.slice(i * size, (i + 1) * size),
    );
    const { status, out, err } = await fed(pieces, "ingest", store);
    assert.deepEqual([status, err], [0, []]);
    assert.match(out, /: 50 rows appended; 50 rows in 1 segment, 0 in the log\n$/);
    const { out: printed } = await table(
      "cat",
      store,
      "--columns",
      COLUMNS.map(({ name }) => name).join(","),
    );
    assert.equal(printed, all);
    Deno.removeSync(store, { recursive: true });
  }
});

Deno.test("a whole MeasurementSet goes through ingest, with keywords and subtables of its template", async () => {
  using folder = temporaryFolder();
  const store = `${folder.path}/live.ms`, { out: rows } = await table("cat", MS);
  const run = await fed([rows], "ingest", store, "--template", MS, "--durability", "none", "--json");
  assert.equal(run.status, 0, run.err.join("\n"));
  const { rows: count, firstSequence, nextSequence, segments, growingRows } = JSON.parse(run.out);
  assert.deepEqual([count, firstSequence, nextSequence, segments, growingRows], [560, 0, 560, 1, 0]);
  const { status, out, err } = await table("diff", MS, store);
  assert.equal(out, "column INGEST_SEQUENCE: only in the second: scalar\n", err.join());
  assert.equal(status, 1);
  // A store's own rows can be given to another: they get numbers anew.
  const { out: again } = await table("cat", store, "--rows", "100:102");
  const other = `${folder.path}/other`;
  assert.equal((await fed([again], "ingest", other, "--columns-like", store)).status, 0);
  using opened = Table.open(other);
  assert.deepEqual(opened.getColumn("INGEST_SEQUENCE").data, BigInt64Array.of(0n, 1n));
  assert.deepEqual(opened.column("UVW").units, ["m", "m", "m"]);
});

Deno.test("an Arrow stream says itself what the columns are", async () => {
  using folder = temporaryFolder();
  using ms = Table.open(MS);
  const columns = ["TIME", "ANTENNA1", "UVW", "DATA"];
  const bytes = tableToIPC(toArrow(ms, { columns }), "stream");
  const pieces = [bytes.subarray(0, 100), bytes.subarray(100, 5000), bytes.subarray(5000)];
  const store = `${folder.path}/live`;
  const { status, err } = await fed(pieces, "ingest", store);
  assert.deepEqual([status, err], [0, []]);
  assert.match((await table("diff", MS, store, "--columns", columns.join())).out, /^(?!column [TAUD])/);
  using sealed = Table.open(store);
  assert.deepEqual(sealed.getColumn("UVW").data, ms.getColumn("UVW").data);
  assert.deepEqual(sealed.getCells("DATA"), ms.getCells("DATA"));
  // The same columns once more, in the store that is there now.
  assert.match((await fed(pieces, "ingest", store)).out, /560 rows appended; 1,120 rows in 2 segments/);
  const cut = await fed([bytes.subarray(0, 40)], "ingest", store);
  assert.equal(cut.status, 1);
  assert.match(cut.err[0]!, /standard input: it can't be read as Arrow/);
});

Deno.test("a line that is wrong is named, and what stands before it is in the store", async () => {
  using folder = temporaryFolder();
  const store = `${folder.path}/live`;
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['{"TIME":1', /line 4: it is no JSON/],
    ["[1]", /line 4: expected an object/],
    ["{}", /line 4: a row without values/],
    ['{"NO":1}', /line 4: the store has no column NO; there are TIME, N,/],
    ['{"TIME":null}', /line 4: column TIME: a scalar can't be null/],
    ['{"DATA":null}', /line 4: column DATA: an array of a fixed shape can't be null/],
    ['{"TIME":"soon"}', /line 4, column TIME: found "soon", expected a value of type float64/],
    ['{"N":1.5}', /line 4, column N: found "1.5", expected a value of type int64/],
    ['{"NAME":"far too long"}', /line 4, column NAME: a text of more than 8 bytes/],
    [
      '{"DATA":{"shape":[3,2],"data":[]}}',
      /line 4, column DATA: a cell of shape \[3, 2\], expected shape \[2, 3\]/,
    ],
    ['{"DATA":{"shape":[2,3],"data":[1]}}', /line 4, column DATA: 1 values given for 6 elements/],
    ['{"FREE":{"shape":[1,1],"data":[1]}}', /line 4, column FREE: a cell of shape \[1, 1\], expected 1 axes/],
    ['{"FREE":{"shape":[-1],"data":[1]}}', /line 4, column FREE: \[-1\] is no shape/],
    ['{"FREE":[1]}', /line 4, column FREE: expected an array, found \[1\]/],
    ['{"FREE":{"shape":[1],"data":[3e9]}}', /line 4, column FREE: 3000000000 doesn't fit type int32/],
  ];
  for (const [text, expected] of wrong) {
    await newStore(store);
    // The third line is empty; rows behind the wrong one aren't taken.
    const { status, out, err } = await fed([line(0) + line(1) + `\n${text}\n` + line(2)], "ingest", store);
    assert.equal(status, 1, text);
    assert.equal(err.length, 1, text);
    assert.match(err[0]!, expected);
    assert.ok(err[0]!.startsWith("table: standard input: "), err[0]);
    assert.match(out, /: 2 rows appended; 0 rows in 0 segments, 2 in the log\n$/, text);
    const { out: there } = await table("tail", store, "--json", "--columns", "NAME");
    assert.equal(there, '{"NAME":"row 0"}\n{"NAME":"row 1"}\n', text);
    Deno.removeSync(store, { recursive: true });
  }
});

Deno.test("a column that a row doesn't have is 0, empty or undefined", async () => {
  using folder = temporaryFolder();
  const store = `${folder.path}/live`;
  await newStore(store);
  assert.equal((await fed(['{"TIME":5}\n{"NAME":"x"}'], "ingest", store)).status, 0);
  const { out } = await table("cat", store, "--columns", "TIME,N,NAME,GAIN,FREE");
  assert.equal(
    out,
    '{"TIME":5,"N":0,"NAME":"","GAIN":[0,0],"FREE":null}\n{"TIME":0,"N":0,"NAME":"x","GAIN":[0,0],"FREE":null}\n',
  );
});

Deno.test("ingest makes a store of a schema in a file, with key and order", async () => {
  using folder = temporaryFolder();
  const store = `${folder.path}/live`, file = `${folder.path}/schema.json`;
  Deno.writeTextFileSync(
    file,
    JSON.stringify({
      columns: [
        { name: "WHEN", kind: "scalar", dtype: "float64", options: { unit: "s" } },
        { name: "ID", kind: "scalar", dtype: "int32", options: {} },
      ],
      time: "WHEN",
    }),
  );
  const input = '{"WHEN":1,"ID":2}\n';
  assert.equal(
    (await fed([input], "ingest", store, "--schema", file, "--key", "ID", "--sort", "ID,WHEN")).status,
    0,
  );
  await using opened = IngestStore.open(store, { mode: "r" });
  assert.deepEqual(
    [opened.schema.time, opened.schema.key, opened.schema.sort],
    ["WHEN", ["ID"], ["ID", "WHEN"]],
  );
  assert.equal(opened.lookup(2)?.sequence, 0);
  Deno.writeTextFileSync(file, "{");
  assert.match(
    (await fed([input], "ingest", `${store}2`, "--schema", file)).err[0]!,
    /can't be read as JSON/,
  );
  assert.match(
    (await fed([input], "ingest", `${store}2`, "--schema", `${file}2`)).err[0]!,
    /there is no such file/,
  );
});

Deno.test("wrong use of ingest leaves nothing behind", async () => {
  using folder = temporaryFolder();
  const store = `${folder.path}/live`;
  const { status, err } = await fed([line(0)], "ingest", store);
  assert.equal(status, 2);
  assert.match(err[0]!, /there is no store yet: --columns-like, --template or --schema/);
  assert.equal((await fed([], "ingest", store, "--template", MS, "--schema", "x")).status, 2);
  assert.equal((await fed([], "ingest", store, "--log-bytes", "much")).status, 2);
  assert.equal((await fed([], "ingest", store, "--durability", "perhaps")).status, 2);
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
});

Deno.test("a full log becomes a segment, and its counters can be read", async () => {
  using folder = temporaryFolder();
  const store = `${folder.path}/live`;
  await newStore(store);
  const pieces = Array.from({ length: 40 }, (_, n) => line(n).repeat(100));
  const run = await fed(
    pieces,
    "ingest",
    store,
    "--log-bytes",
    "100K",
    "--stats",
    "--stats-format",
    "openmetrics",
  );
  assert.equal(run.status, 0, run.err.join("\n"));
  const [, segments] = /4,000 rows appended; [\d,]+ rows in (\d+) segments/.exec(run.out)!;
  assert.ok(Number(segments) >= 2, run.out);
  assert.ok(run.err.some((text) => /^\w*rows_total\b.* 4000$/.test(text)), run.err.join("\n"));
  assert.equal(run.err.at(-1), "# EOF");
  const { out } = await table("tail", store, "-n", "4000", "--json", "--columns", "TIME");
  assert.equal(out.split("\n").length, 4001);
});

Deno.test("rate and lag are shown while rows come", async () => {
  using folder = temporaryFolder();
  const store = `${folder.path}/live`, { caught, terminal } = caughtTerminal();
  await newStore(store);
  const shown = Promise.withResolvers<void>(), encoder = new TextEncoder(), texts: string[] = [];
  async function* input() {
    yield encoder.encode(line(0));
    await shown.promise;
    yield encoder.encode(line(1));
  }
  const status = await runTable(["ingest", store], {
    ...terminal,
    input: () => ReadableStream.from(input()),
    progress(text) {
      texts.push(text);
      // Not before the row is one of the store's.
      if (/: 1 row, /.test(text)) shown.resolve();
    },
  });
  assert.deepEqual([status, caught.err], [0, []]);
  const last = texts.filter((text) => / 1 row, /.test(text)).at(-1)!;
  assert.match(last, /live: 1 row, [\d,]+ rows\/s, \d+\.\d MB\/s, [01] not on disk, 1 not sealed$/);
  assert.equal(texts.at(-1), "");
});

/** Lines of a stream as they come. */
class LinesOf {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  get lines(): string[] {
    return this.#text.split("\n").slice(0, -1);
  }

  /** Waits until there are so many. */
  async until(count: number): Promise<void> {
    while (this.lines.length < count) {
      const { done, value } = await this.#reader.read();
      assert.ok(!done, this.#text);
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }

  close(): Promise<void> {
    return this.#reader.cancel();
  }
}

/** `table` as a process of its own. */
function spawned(args: readonly string[]) {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", `${ROOT}src/cli/main.ts`, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

Deno.test({
  name: "after Ctrl-C everything that was given is in the store, which was closed",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using folder = temporaryFolder();
    const store = `${folder.path}/live`;
    await newStore(store);
    const process = spawned(["ingest", store]), input = process.stdin.getWriter();
    await input.write(new TextEncoder().encode(line(0) + line(1)));
    // Rows that a reader sees are acknowledged; only then the signal comes.
    await using reader = IngestStore.open(store, { mode: "r" });
    for await (const { sequences } of reader.tail({ from: 0, columns: ["TIME"] })) {
      if (sequences.at(-1) === 1) break;
    }
    process.kill("SIGINT");
    const { code, stdout, stderr } = await process.output();
    await input.abort().catch(() => {});
    const decoder = new TextDecoder();
    assert.equal(code, 130);
    assert.equal(decoder.decode(stderr), "table: interrupted; what was appended is in the store\n");
    assert.match(decoder.decode(stdout), /2 rows appended; 0 rows in 0 segments, 2 in the log/);
    await using again = IngestStore.open(store, { background: "inline" });
    assert.deepEqual(again.findings, []);
    assert.equal(again.rowCount, 2);
  },
});

Deno.test({
  name: "tail --follow prints rows as they come, in aligned lines or as JSON",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using folder = temporaryFolder();
    const store = `${folder.path}/live`;
    await newStore(store);
    await fed([line(0) + line(1) + line(2)], "ingest", store);
    const json = spawned(["tail", store, "-n", "2", "-f", "--json", "--columns", "NAME,DATA,FREE"]);
    const text = spawned(["tail", store, "-n", "1", "--follow", "--columns", "NAME,GAIN,DATA,FREE"]);
    const [objects, lines] = [json, text].map(({ stdout }) => new LinesOf(stdout)) as [LinesOf, LinesOf];
    // What is appended before they have begun is among the newest rows, and not followed.
    await objects.until(2);
    await lines.until(2);
    for (const n of [100, 1001, 1002]) {
      await fed([line(n)], "ingest", store, ...n === 1001 ? ["--no-seal"] : []);
    }
    await objects.until(5);
    await lines.until(5);
    const cells = ({ NAME, DATA, FREE }: Record<string, unknown>) => JSON.stringify({ NAME, DATA, FREE });
    assert.deepEqual(objects.lines, [1, 2, 100, 1001, 1002].map((n) => cells(JSON.parse(line(n)))));
    assert.deepEqual(lines.lines, [
      "sequence  NAME     GAIN  DATA                              FREE",
      "       2  row 2  2+NaNi  [2,3] 200+201i, 202+203i, 204+2…  [2] 2, 2",
      "       3  row 100  100+NaNi  [2,3] 10000+10001i, 10002+10003…  [1] 100",
      "       4  row 1001  1001+NaNi  [2,3] 100100+100101i, 100102+10…  [2] 1001, 1001",
      "       5  row 1002  1002+NaNi  [2,3] 100200+100201i, 100202+10…  –",
    ]);
    for (const process of [json, text]) {
      process.kill("SIGTERM");
      await process.stdin.close();
      await process.stderr.cancel();
      await process.status;
    }
    await objects.close();
    await lines.close();
  },
});

Deno.test("tail of a store has its newest rows wherever they are, also where segments are sorted", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/live`;
  {
    const columns = [scalar("TIME", "float64"), scalar("A", "int32")];
    await using store = IngestStore.open(path, { columns, sort: ["A"], background: "inline" });
    const append = (...values: number[]) =>
      store.append({ TIME: Float64Array.from(values), A: Int32Array.from(values, (value) => -value) });
    await append(1, 2, 3);
    await store.seal();
    await append(4, 5);
    await store.seal();
    await store.compact({ all: true });
    await append(6);
  }
  const times = async (...args: string[]) => {
    const { out } = await table("tail", path, "--json", "--columns", "TIME", ...args);
    return [...out.matchAll(/"TIME":(\d+)/g)].map((match) => Number(match[1]));
  };
  assert.deepEqual(await times("-n", "3"), [4, 5, 6]);
  assert.deepEqual(await times(), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(await times("-n", "0"), []);
  const { out } = await table("tail", path, "-n", "2");
  assert.equal(out, "sequence  TIME   A\n       4     5  -5\n       5     6  -6\n");
  const refused = await table("tail", MS, "--follow");
  assert.equal(refused.status, 1);
  assert.match(refused.err[0]!, /this is no live store/);
  assert.match((await table("tail", path, "--columns", "NO")).err[0]!, /no column NO/);
});

/** A store with rows in two segments and in a log. */
async function madeStore(path: string): Promise<void> {
  await newStore(path);
  await fed([line(0) + line(1)], "ingest", path);
  await fed([line(2)], "ingest", path);
  await fed([line(3), line(4)], "ingest", path, "--no-seal");
}

Deno.test("show says of a live store what is in segments and logs", async () => {
  using folder = temporaryFolder();
  const store = `${folder.path}/live`;
  await madeStore(store);
  const { out } = await table("show", store);
  assert.match(out, /\nlive store {3}3 rows in 2 segments, 2 rows in 1 log\nnext row {5}sequence number 5\n/);
  assert.match(out, /\nstore +segments +rows +size\nlevel 0 +2 +3 .*\n\d{6}\.log +2 /);
  assert.doesNotMatch(out, /rows of .*segments/);
  const described = JSON.parse((await table("show", store, "--json")).out).store;
  const { sealedRows, growingRows, nextSequence, segments, levels, time } = described;
  assert.deepEqual([sealedRows, growingRows, nextSequence, time], [3, 2, 5, "TIME"]);
  assert.deepEqual(segments.map(({ rows }: { rows: number }) => rows), [2, 1]);
  assert.deepEqual(levels.map(({ time }: { time: unknown }) => time), [{ min: 0, max: 2 }]);
  {
    await using opened = IngestStore.open(store, { background: "inline", compaction: false });
    await opened.deleteRange({ from: 1, to: 2 });
  }
  assert.match(
    (await table("show", store)).out,
    /\ndeleted {6}TIME from 1 to 2, not yet dropped everywhere\n/,
  );
  assert.match((await table("ls", folder.path)).out, /\nlive +store /);
  assert.doesNotMatch((await table("show", MS)).out, /live store/);
});

Deno.test("compact merges all segments, and drops what was deleted", async () => {
  using folder = temporaryFolder();
  const store = `${folder.path}/live`;
  await madeStore(store);
  assert.match((await table("compact", store)).out, /: nothing to merge in 3 segments\n$/);
  {
    await using opened = IngestStore.open(store, { background: "inline", compaction: false });
    await opened.deleteRange({ from: 1, to: 2 });
  }
  const { out, status } = await table("compact", store, "--all", "--json");
  assert.equal(status, 0);
  const { segmentsBefore, segments, merges, rowsIn, rowsOut } = JSON.parse(out);
  assert.deepEqual([segmentsBefore, segments, merges, rowsIn, rowsOut], [3, 1, 1, 5, 4]);
  assert.equal(
    (await table("cat", store, "--columns", "TIME")).out,
    '{"TIME":0}\n{"TIME":2}\n{"TIME":3}\n{"TIME":4}\n',
  );
  assert.match((await table("show", store)).out, /\nlast merges {2}.*3 segments merged: 5 to 4 rows/);
  const none = await table("compact", MS);
  assert.equal(none.status, 1);
  assert.match(none.err[0]!, /there is no live store/);
});

Deno.test("check and recover know what makes a store, and what damages it", async () => {
  using folder = temporaryFolder();
  const store = `${folder.path}/live`;
  const change = (name: string, at: number) => {
    const bytes = Deno.readFileSync(`${store}/${name}`);
    bytes[at < 0 ? bytes.length + at : at]! ^= 0x10;
    Deno.writeFileSync(`${store}/${name}`, bytes);
  };
  const logName = () => `log/${[...Deno.readDirSync(`${store}/log`)].map(({ name }) => name).sort().at(-1)}`;
  const damages: readonly (readonly [what: string, damage: () => void, found: RegExp, repaired: boolean])[] =
    [
      ["nothing", () => {}, /nothing/, true],
      ["the manifest", () => change("manifest.json", 40), /manifest\.json.*checksum/, true],
      [
        "the concatenation",
        () => Deno.removeSync(`${store}/table.dat`),
        /table\.dat: it (is missing|didn.t name)/,
        true,
      ],
      [
        "a segment",
        () => Deno.removeSync(`${store}/segments/000001.tab`, { recursive: true }),
        /000001\.tab/,
        false,
      ],
      // The second batch says that the first had been synced.
      ["a log", () => change(logName(), 4096 + 200), /\.log[:,] offset \d+: .*synced/, true],
    ];
  for (const [what, damage, found, isRepaired] of damages) {
    await newStore(store);
    await fed([line(0)], "ingest", store);
    {
      await using opened = IngestStore.open(store, { background: "inline", durability: "each" });
      for (const n of [1, 2]) await opened.append({ TIME: Float64Array.of(n) });
    }
    damage();
    const checked = await table("check", store);
    assert.match(checked.out, found, what);
    assert.equal(checked.status, what === "nothing" ? 0 : 1, what);
    const told = await table("recover", store);
    assert.match(told.out, found, what);
    assert.equal(told.status, what === "nothing" ? 0 : 1, what);
    const recovered = await table("recover", "--yes", store);
    assert.equal(recovered.status, isRepaired ? 0 : 1, `${what}: ${recovered.out}${recovered.err}`);
    assert.match(recovered.out, found, what);
    assert.equal((await table("check", store)).status, isRepaired ? 0 : 1, what);
    if (isRepaired) assert.equal((await table("tail", store, "--json")).status, 0, what);
    Deno.removeSync(store, { recursive: true });
  }
});
