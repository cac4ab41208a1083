import assert from "node:assert/strict";
import fc from "fast-check";
import { array, scalar, standard, Table, TableError, tiledColumn, tiledShape } from "../../mod.ts";
import { amplification } from "../../src/ingest/compaction/amplification.ts";
import {
  chooseAll,
  chooseMerge,
  debtBytes,
  DEFAULT_COMPACTION,
  expired,
  levelOf,
  lowerBound,
} from "../../src/ingest/compaction/policy.ts";
import { chooseRows } from "../../src/ingest/compaction/rows.ts";
import { compareBy, sortRows } from "../../src/ingest/compaction/sort.ts";
import { Throttle } from "../../src/ingest/compaction/throttle.ts";
import { firstManifest, type Manifest, type SegmentEntry } from "../../src/ingest/manifest/format.ts";
import { IngestCounters } from "../../src/ingest/counters.ts";
import { IngestSchema, SEQUENCE_COLUMN } from "../../src/ingest/schema.ts";
import { hashKeys } from "../../src/ingest/segments/key-hash.ts";
import type { CompactionOptions } from "../../src/ingest/segments/types.ts";
import type { FaultyCall } from "../faulty-backend.ts";
import {
  memoryContext,
  rowsOf,
  someRows,
  type TestRow,
  testSchema,
  TestStore,
} from "./ingest_segments_support.ts";

const MIB = 1024 * 1024, NONE = { indexed: false, sorts: false, time: "TIME" };
const isCode = (code: string) => (error: unknown) => error instanceof TableError && error.code === code;

// ---- policy

/** A manifest with segments of so many MiB. */
function manifestOf(sizes: readonly number[], more: Partial<SegmentEntry> = {}): Manifest {
  const segments = sizes.map((size, i): SegmentEntry => ({
    id: i + 1,
    name: `${String(i + 1).padStart(6, "0")}.tab`,
    rows: 10,
    bytes: size * MIB,
    level: 0,
    firstSequence: i * 10,
    endSequence: i * 10 + 10,
    sorted: false,
    time: { min: i * 10, max: i * 10 + 9 },
    keys: {},
    bloom: null,
    cleaned: 0,
    created: new Date(1_000_000 + i * 1000).toISOString(),
    ...more,
  }));
  return { ...firstManifest("0".repeat(32), {}), segments, nextSequence: sizes.length * 10, nextSegment: 99 };
}

function chosen(sizes: readonly number[], options: Partial<CompactionOptions> = {}): number[] | null {
  const choice = chooseMerge(manifestOf(sizes), { ...DEFAULT_COMPACTION, ...options }, NONE);
  return choice?.inputs.map(({ id }) => id) ?? null;
}

Deno.test("levels go by size, ten times as large from one to the next", () => {
  const sizes = { segmentBytes: 64 * MIB, fanOut: 10 };
  const found = [0, 0.063, 0.065, 0.63, 0.65, 6.3, 6.5, 63, 64, 639, 641, 6401].map((size) =>
    levelOf(size * MIB, sizes)
  );
  assert.deepEqual(found, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 6]);
  assert.equal(lowerBound(4, sizes), 64 * MIB);
});

Deno.test("fewer than four segments of a level stay as they are", () => {
  assert.equal(chosen([]), null);
  assert.equal(chosen([640, 64, 64, 64]), null);
});

Deno.test("ten segments of a level are merged, or four that fill the next one", () => {
  assert.deepEqual(chosen(Array(10).fill(64)), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.equal(chosen(Array(9).fill(64)), null);
  assert.deepEqual(chosen([160, 160, 160, 160]), [1, 2, 3, 4]);
  assert.deepEqual(chosen(Array(5).fill(64), { fanOut: 5, minSegments: 2 }), [1, 2, 3, 4, 5]);
});

Deno.test("only segments that stand beside each other are merged, smaller ones between them too", () => {
  assert.equal(chosen([160, 160, 7000, 160, 160]), null);
  assert.deepEqual(chosen([7000, 160, 160, 1, 160, 160]), [2, 3, 4, 5, 6]);
});

Deno.test("the lowest level that is due comes first, and a merge takes no more than two fan-outs", () => {
  assert.deepEqual(chosen([...Array(10).fill(64), ...Array(10).fill(1)]), [
    11,
    12,
    13,
    14,
    15,
    16,
    17,
    18,
    19,
    20,
  ]);
  assert.equal(chosen(Array(50).fill(1))!.length, 20);
});

Deno.test("no segment is made that is larger than the limit, or of more rows than can be ordered", () => {
  assert.deepEqual(chosen(Array(10).fill(64), { maxSegmentBytes: 320 * MIB, fanOut: 5 }), [1, 2, 3, 4, 5]);
  const few = { ...DEFAULT_COMPACTION, fanOut: 4, maxIndexRows: 45 };
  const choose = (indexed: boolean) =>
    chooseMerge(manifestOf(Array(8).fill(64)), few, { ...NONE, indexed })!.inputs.length;
  assert.deepEqual([choose(true), choose(false)], [4, 8]);
});

Deno.test("a row is written about once a level, however small the logs are", () => {
  for (const size of [64, 3, 0.02]) {
    let segments = manifestOf([]).segments, written = 0;
    const total = 3000;
    for (let i = 0; i < total; i++) {
      const [entry] = manifestOf([size], { id: i + 1 }).segments;
      segments = [...segments, entry!];
      for (;;) {
        const choice = chooseMerge({ ...manifestOf([]), segments }, DEFAULT_COMPACTION, NONE);
        if (choice === null) break;
        const bytes = choice.inputs.reduce((sum, one) => sum + one.bytes, 0),
          at = segments.indexOf(choice.inputs[0]!);
        written += bytes;
        const merged = { ...choice.inputs[0]!, bytes };
        segments = [...segments.slice(0, at), merged, ...segments.slice(at + choice.inputs.length)];
      }
    }
    const levels = levelOf(total * size * MIB, DEFAULT_COMPACTION) - levelOf(size * MIB, DEFAULT_COMPACTION);
    assert.ok(
      written / (total * size * MIB) <= levels + 1.5,
      `${size}: ${written / (total * size * MIB)} for ${levels}`,
    );
    assert.ok(segments.length <= 12 * (levels + 1), `${segments.length} segments`);
  }
});

Deno.test("what is due is the debt", () => {
  const debt = (manifest: Manifest) => debtBytes(manifest, DEFAULT_COMPACTION, NONE) / MIB;
  assert.equal(debt(manifestOf(Array(9).fill(64))), 0);
  assert.equal(debt(manifestOf(Array(10).fill(64))), 640);
  const deletion = { id: 1, column: "TIME", from: 12, to: 14, before: 100 };
  assert.equal(debt({ ...manifestOf([64, 65, 66]), deletions: [deletion] }), 65);
});

Deno.test("a segment in which a deletion isn't carried out is written anew", () => {
  const manifest = manifestOf([64, 64, 64]),
    deletion = { id: 4, column: "TIME", from: 15, to: 16, before: 100 };
  const choose = (changed: Partial<typeof deletion>, cleaned = 0) =>
    chooseMerge(
      {
        ...manifest,
        segments: manifest.segments.map((segment) => ({ ...segment, cleaned })),
        deletions: [{ ...deletion, ...changed }],
      },
      DEFAULT_COMPACTION,
      NONE,
    );
  assert.deepEqual([choose({})!.kind, choose({})!.inputs.map(({ id }) => id)], ["rewrite", [2]]);
  assert.equal(choose({}, 4), null);
  assert.equal(choose({ before: 10 }), null);
  assert.equal(choose({ from: 30, to: 99 }), null);
});

Deno.test("the oldest segments go beyond a size and an age", () => {
  const manifest = manifestOf([10, 10, 10, 10]);
  const gone = (options: Parameters<typeof expired>[1], now = 1_003_000) =>
    expired(manifest, options, now).map(({ id }) => id);
  assert.deepEqual(gone({}), []);
  assert.deepEqual(gone({ maxBytes: 25 * MIB }), [1, 2]);
  assert.deepEqual(gone({ maxBytes: 40 * MIB }), []);
  assert.deepEqual(gone({ maxAgeMs: 1500 }), [1, 2]);
  assert.deepEqual(gone({ maxAgeMs: 1500, maxBytes: 5 * MIB }), [1, 2, 3, 4]);
});

Deno.test("work at a rate waits for as long as it was ahead", () => {
  let now = 0;
  const throttle = new Throttle(1000, () => now);
  assert.equal(throttle.did(100), 50);
  now += 50;
  assert.equal(throttle.did(100), 100);
  // Idle time isn't saved up, but for a moment.
  now += 10_000;
  assert.equal(throttle.did(500), 450);
  assert.equal(new Throttle(Infinity, () => now).did(1e12), 0);
});

Deno.test("rows are sorted as a stable sort does it, NaN last", () => {
  fc.assert(fc.property(
    fc.array(fc.tuple(fc.constantFrom(1, -0, 0, NaN, Infinity, 2), fc.constantFrom("a", "b", "")), {
      maxLength: 40,
    }),
    (rows) => {
      const numbers = rows.map(([number]) => number), texts = rows.map(([, text]) => text);
      const steps = sortRows(Uint32Array.from(rows.keys()), compareBy([numbers, texts]));
      let step = steps.next();
      while (!step.done) step = steps.next();
      const rank = (value: number) => Number.isNaN(value) ? [1, 0] : [0, value + 0];
      const expected = [...rows.keys()].sort((a, b) => {
        const [x, y] = [rank(numbers[a]!), rank(numbers[b]!)];
        return x[0]! - y[0]! || (x[1] === y[1] ? 0 : x[1]! - y[1]!) ||
          (texts[a]! < texts[b]! ? -1 : Number(texts[a]! > texts[b]!)) || a - b;
      });
      assert.deepEqual([...step.value], expected);
    },
  ));
});

// ---- merges

Deno.test("merged segments have the rows of their inputs, the managers that are asked for, and a line in the history", async () => {
  const storage = [tiledColumn("Large", ["DATA"], { tileShape: [2, 3, 64] }), standard("Rest")];
  const counters = new IngestCounters();
  await using made = new TestStore(testSchema(), { counters, compaction: { automatic: false, storage } });
  for (let i = 0; i < 3; i++) await made.seal(someRows(i * 37, 20), someRows(i * 37 + 20, 17));
  const report = await made.store.compact({ all: true });
  assert.deepEqual(made.rows(), someRows(0, 111));
  const { segments, history } = made.store.manifest;
  assert.deepEqual(
    segments.map((
      { id, rows, level, firstSequence, endSequence },
    ) => [id, rows, level, firstSequence, endSequence]),
    [
      [4, 111, 1, 0, 111],
    ],
  );
  assert.deepEqual(segments[0]!.time, { min: 0, max: 110 });
  assert.deepEqual([history.length, history[0]!.kind, history[0]!.inputs, history[0]!.output], [1, "merge", [
    1,
    2,
    3,
  ], 4]);
  assert.deepEqual([report.merges, report.rowsIn, report.rowsOut], [1, 111, 111]);
  using table = Table.open(`${made.directory}/segments/000004.tab`);
  assert.equal(table.column("DATA").manager.type, "TiledColumnStMan");
  assert.deepEqual(table.column("DATA").tileShape, [2, 3, 64]);
  assert.deepEqual(
    [...table.getColumn(SEQUENCE_COLUMN, { dtype: "int64" }).data].map(Number),
    [...Array(111).keys()],
  );
  assert.equal(counters.get("merges"), 1);
  assert.equal(counters.get("segments"), 1);
  const { write, read, space } = amplification(counters.snapshot());
  // Everything was written twice, and read once; the inputs are still there.
  assert.ok(
    write > 1.4 && write < 2.5 && read > 0.3 && read < 1.5 && space > 1.5 && space < 3,
    `${write} ${read} ${space}`,
  );
  assert.deepEqual(amplification(new IngestCounters().snapshot()), { write: 0, read: 0, space: 0 });
  assert.equal(await made.store.compact({ all: true }).then(({ merges }) => merges), 0);
});

Deno.test("seals start merges when there are enough segments", async () => {
  await using made = new TestStore(testSchema(), {
    compaction: { automatic: true, fanOut: 3, minSegments: 2, segmentBytes: 1e9 },
  });
  for (let i = 0; i < 9; i++) await made.seal(someRows(i * 10, 10));
  // The run that the last seal started, if it did.
  await made.store.compact();
  assert.ok(made.store.manifest.segments.length < 5);
  assert.ok(made.store.manifest.history.length >= 2);
  assert.deepEqual(made.rows(), someRows(0, 90));
  assert.deepEqual(made.errors, []);
});

Deno.test("merged segments are sorted by the columns that the store says", async () => {
  await using made = new TestStore(testSchema({ sort: ["NAME", "TIME"] }));
  const rows = Array.from(
    { length: 200 },
    (_, i): TestRow => ({ time: i * 7 % 13, id: i, name: `n${i * 31 % 5}` }),
  );
  await made.seal(rows.slice(0, 90));
  await made.seal(rows.slice(90));
  await made.store.compact({ all: true });
  const expected = [...rows].sort((a, b) =>
    a.name < b.name ? -1 : a.name > b.name ? 1 : a.time - b.time || a.id - b.id
  );
  assert.deepEqual(made.rows(), expected);
  assert.equal(made.store.manifest.segments[0]!.sorted, true);
  using table = Table.open(made.directory);
  assert.deepEqual(
    [...table.getColumn(SEQUENCE_COLUMN, { dtype: "int64" }).data].map(Number),
    expected.map(({ id }) => id),
  );
});

Deno.test("of a key that was written twice the newest row stays", async () => {
  await using made = new TestStore(testSchema({ key: ["ID", "NAME"] }));
  const row = (time: number, id: number, name: string): TestRow => ({ time, id, name });
  await made.seal([row(1, 1, "a"), row(2, 1, "b"), row(3, 1, "a"), row(4, 2, "a")]);
  await made.seal([row(5, 2, "a"), row(6, 3, "c")], [row(7, 1, "b")]);
  await made.store.compact({ all: true });
  assert.deepEqual(made.rows(), [row(3, 1, "a"), row(5, 2, "a"), row(6, 3, "c"), row(7, 1, "b")]);
  const [entry] = made.store.manifest.segments;
  assert.deepEqual([entry!.rows, entry!.firstSequence, entry!.endSequence], [4, 0, 7]);
  await made.seal([row(8, 1, "a")]);
  await made.store.compact({ all: true });
  assert.deepEqual(made.rows().map(({ time }) => time), [5, 6, 7, 8]);
});

Deno.test("two keys with the same hash stay two keys", async () => {
  const schema = testSchema({ key: ["NAME", "ID"] });
  await using made = new TestStore(schema);
  await made.seal([...someRows(0, 5), ...someRows(3, 4)]);
  await made.seal(someRows(5, 3));
  const inputs = made.store.manifest.segments.map((entry) => ({
    entry,
    table: Table.open(`${made.directory}/segments/${entry.name}`, { strings: "bytes" }),
  }));
  const kept = (hash?: typeof hashKeys) => {
    const steps = chooseRows(inputs, schema, [], hash);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return [...value.kept!].join("");
    }
  };
  // Rows 0 to 4, 3 to 6; 5 to 7.
  assert.equal(kept(), "11100" + "1100" + "111");
  for (const bits of [0, 1]) {
    const few: typeof hashKeys = (columns, dtypes, rows) => {
      const { low, high } = hashKeys(columns, dtypes, rows);
      return { low: low.map((word) => word & bits), high: high.fill(0) };
    };
    assert.equal(kept(few), kept());
  }
  for (const { table } of inputs) table.close();
});

Deno.test("deleted times go with the next merge, rows that came later stay", async () => {
  await using made = new TestStore();
  await made.seal(someRows(0, 10));
  await made.seal(someRows(10, 10));
  const done = made.store.deleteRange({ from: 8, to: 12, before: 20 });
  assert.deepEqual(made.store.deletions.map(({ from, to, before }) => [from, to, before]), [[8, 12, 20]]);
  await done;
  assert.deepEqual(made.store.manifest.deletions.length, 1);
  await made.seal(someRows(9, 3));
  await made.store.compact();
  assert.deepEqual(made.rows(), [...someRows(0, 8), ...someRows(12, 8), ...someRows(9, 3)]);
  assert.deepEqual(made.store.deletions, []);
  assert.deepEqual(made.store.manifest.history.map(({ kind, rowsIn, rowsOut }) => [kind, rowsIn, rowsOut]), [
    ["rewrite", 10, 8],
    ["rewrite", 10, 8],
  ]);
  await made.reopen();
  assert.equal(made.store.manifest.nextDeletion, 2);
});

Deno.test("a deletion of rows that are in no segment yet waits for them", async () => {
  await using made = new TestStore();
  await made.store.deleteRange({ from: 0, to: 5, before: 7 });
  assert.equal(made.store.deletions.length, 1);
  await made.seal(someRows(0, 4));
  await made.seal(someRows(0, 6));
  await made.store.compact();
  // Of the second segment rows 4, 5 and 6 had come before.
  assert.deepEqual(made.rows(), [...someRows(3, 3)]);
  assert.deepEqual(made.store.deletions, []);
});

Deno.test("a segment of which no row is left isn't part of the store", async () => {
  await using made = new TestStore();
  await made.seal(someRows(0, 10));
  await made.seal(someRows(10, 10));
  await made.store.deleteRange({ from: -Infinity, to: 10, before: 20 });
  await made.store.compact();
  assert.deepEqual(made.store.manifest.segments.map(({ id }) => id), [2]);
  assert.deepEqual(made.rows(), someRows(10, 10));
  await made.store.deleteRange({ from: 0, to: Infinity, before: 20 });
  await made.store.compact();
  assert.deepEqual(made.rows(), []);
  await made.reopen();
  await made.seal(someRows(20, 3));
  assert.deepEqual(made.rows(), someRows(20, 3));
});

Deno.test("deletions that make no sense are refused", async () => {
  await using made = new TestStore();
  for (
    const range of [{ from: 2, to: 2 }, { from: NaN, to: 2 }, { from: 0, to: 1, column: "ID" }, {
      from: 0,
      to: 1,
      before: -1,
    }]
  ) {
    await assert.rejects(made.store.deleteRange({ before: 1, ...range }), isCode("INVALID_ARGUMENT"));
  }
  assert.deepEqual(made.store.deletions, []);
});

Deno.test("a deletion that can't be published is withdrawn", async () => {
  const { context, faulty } = memoryContext();
  await using made = new TestStore(testSchema(), { context });
  faulty.fault = ({ kind }) => kind === "write" ? { errno: 28 } : undefined;
  await assert.rejects(made.store.deleteRange({ from: 0, to: 1, before: 1 }), isCode("IO"));
  assert.deepEqual(made.store.deletions, []);
  faulty.fault = () => undefined;
  await made.store.deleteRange({ from: 0, to: 1, before: 1 });
  assert.equal(made.store.deletions.length, 1);
});

Deno.test("beyond a size the oldest segments go as a whole, never the template", async () => {
  await using made = new TestStore(testSchema(), { retention: { maxBytes: 12_000 } });
  for (let i = 0; i < 5; i++) await made.seal(someRows(i * 10, 10));
  await made.store.compact();
  const { segments, history } = made.store.manifest;
  assert.ok(segments.length >= 1 && segments.length < 5);
  assert.ok(segments.reduce((sum, { bytes }) => sum + bytes, 0) <= 12_000);
  assert.equal(history.at(-1)!.kind, "drop");
  const first = (5 - segments.length) * 10;
  assert.deepEqual(made.rows(), someRows(first, 50 - first));
  await made.store.removeRetired(0);
  using template = made.store.openTemplate();
  assert.equal(template.table.rowCount, 0);
});

Deno.test("segments that grow too old go though nothing else happens", async () => {
  await using made = new TestStore(testSchema(), {
    retention: { maxAgeMs: 1 },
    compaction: { automatic: true },
    graceMs: 1,
  });
  await made.seal(someRows(0, 10));
  while (made.store.manifest.segments.length > 0 || made.store.manifest.retired.length > 0) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.deepEqual(made.rows(), []);
  assert.deepEqual(made.errors, []);
});

Deno.test("merges of random rows, keys, deletions and orders agree with a model", async () => {
  const row = fc.record({
    time: fc.constantFrom(0, 1, 2, 3, 4, 5, NaN),
    id: fc.integer({ min: 0, max: 6 }),
    name: fc.constantFrom("", "a", "bb", "ü"),
  });
  const step = fc.oneof(
    fc.record({ do: fc.constant("seal" as const), rows: fc.array(row, { minLength: 1, maxLength: 12 }) }),
    fc.record({
      do: fc.constant("delete" as const),
      from: fc.nat(5),
      length: fc.integer({ min: 1, max: 2 }),
    }),
    fc.record({ do: fc.constant("merge" as const), all: fc.boolean() }),
    fc.record({ do: fc.constant("reopen" as const) }),
  );
  const options = fc.record({
    keyed: fc.boolean(),
    sorted: fc.boolean(),
    batchBytes: fc.constantFrom(1, 500, 1e6),
  });
  await fc.assert(
    fc.asyncProperty(
      options,
      fc.array(step, { maxLength: 14 }),
      async ({ keyed, sorted, batchBytes }, steps) => {
        const { context } = memoryContext();
        const schema = testSchema({
          ...(keyed && { key: ["ID", "NAME"] }),
          ...(sorted && { sort: ["NAME", "TIME"] }),
        });
        await using made = new TestStore(schema, {
          context,
          compaction: { automatic: false, fanOut: 3, minSegments: 2, batchBytes },
        });
        // Rows with what time will tell: who deletes, what is newer.
        let model: (TestRow & { readonly sequence: number })[] = [], next = 0;
        for (const one of steps) {
          if (one.do === "seal") {
            await made.seal(one.rows);
            model.push(...one.rows.map((row) => ({ ...row, sequence: next++ })));
          } else if (one.do === "delete") {
            const { from, length } = one;
            await made.store.deleteRange({ from, to: from + length, before: next });
            model = model.filter(({ time }) => !(time >= from && time < from + length));
          } else if (one.do === "merge") await made.store.compact({ all: one.all });
          else await made.reopen();
        }
        await made.store.compact({ all: true });
        if (keyed) {
          const newest = new Map(model.map((row) => [`${row.id} ${row.name}`, row.sequence]));
          // An older row of a key may have been dropped when a newer one was there, which was deleted later.
          const survivors = model.filter(({ id, name, sequence }) =>
            newest.get(`${id} ${name}`) === sequence
          );
          model = survivors;
        }
        using table = Table.open(made.directory, { context });
        const sequences = [...table.getColumn(SEQUENCE_COLUMN, { dtype: "int64" }).data].map(Number);
        const found = rowsOf(table).map((row, i) => ({ ...row, sequence: sequences[i]! }));
        const deleted = steps.some((one) => one.do === "delete");
        if (keyed && deleted) {
          const known = new Map(model.map((row) => [row.sequence, row]));
          for (const row of found) assert.deepEqual(row, known.get(row.sequence));
          model = found;
        }
        const bySequence = (a: { sequence: number }, b: { sequence: number }) => a.sequence - b.sequence;
        assert.deepEqual([...found].sort(bySequence), [...model].sort(bySequence));
        if (!sorted) assert.deepEqual(sequences, [...sequences].sort((a, b) => a - b));
        else {
          const rank = (value: number) => Number.isNaN(value) ? Infinity : value;
          const order = [...found].sort((a, b) =>
            (a.name < b.name ? -1 : Number(a.name > b.name)) ||
            (rank(a.time) === rank(b.time) ? 0 : rank(a.time) - rank(b.time)) || a.sequence - b.sequence
          );
          assert.deepEqual(found, order);
        }
        assert.deepEqual(made.errors, []);
      },
    ),
    { numRuns: 60, seed: 7 },
  );
});

Deno.test("arrays of any shape, texts and undefined cells go through every kind of merge", async () => {
  for (const more of [{}, { sort: ["N"] }, { key: "N" }]) {
    const schema = IngestSchema.of({
      columns: [
        scalar("N", "int32"),
        array("FREE", "float32", { ndim: 1 }),
        array("ANY", "string"),
        array("WORDS", "string", { shape: [2] }),
        scalar("Z", "complex64"),
        scalar("B", "bool"),
        scalar("S", "int16"),
      ],
      storage: [tiledShape("T", ["FREE"], { tileShape: [4, 8] }), standard("R")],
      ...more,
    });
    await using made = new TestStore(schema, { compaction: { automatic: false, batchBytes: 200 } });
    const order = [5, 2, 9, 0, 7, 1, 8, 3];
    const batch = (of: readonly number[]) => ({
      N: Int32Array.from(of),
      FREE: of.map((n) => ({ dtype: "float32", shape: [n + 1], data: new Float32Array(n + 1).fill(n) })),
      ANY: of.map((n) => n % 3 === 0 ? null : { dtype: "string", shape: [1], data: [`any ${n}`] }),
      WORDS: of.flatMap((n) => [`a${n}`, `${n}b`]),
      Z: Float32Array.from(of.flatMap((n) => [n, -n])),
      B: Uint8Array.from(of, (n) => n % 2),
      S: Int16Array.from(of, (n) => n * 100),
    });
    await made.store.seal(made.log(batch(order.slice(0, 3)) as never));
    await made.store.seal(made.log(batch(order.slice(3)) as never));
    await made.store.compact({ all: true });
    using table = Table.open(made.directory);
    const found = [...table.getColumn("N", { dtype: "int32" }).data];
    assert.deepEqual(found, "sort" in more ? [...order].sort((a, b) => a - b) : order);
    const cells = (name: string) =>
      table.getCells(name).map((cell) => {
        const array = cell as { shape: number[]; data: ArrayLike<unknown> } | null;
        return array === null ? null : { shape: [...array.shape], data: Array.from(array.data) };
      });
    assert.deepEqual(cells("FREE"), found.map((n) => ({ shape: [n + 1], data: Array(n + 1).fill(n) })));
    assert.deepEqual(cells("ANY"), found.map((n) => n % 3 === 0 ? null : { shape: [1], data: [`any ${n}`] }));
    assert.deepEqual(table.getColumn("WORDS").data, found.flatMap((n) => [`a${n}`, `${n}b`]));
    assert.deepEqual([...table.getColumn("Z", { dtype: "complex64" }).data], found.flatMap((n) => [n, -n]));
    assert.deepEqual([...table.getColumn("B", { dtype: "bool" }).data], found.map((n) => n % 2));
    assert.deepEqual([...table.getColumn("S", { dtype: "int16" }).data], found.map((n) => n * 100));
  }
});

Deno.test("a merge that is stopped leaves nothing, and the segments as they were", async () => {
  await using made = new TestStore(testSchema(), {
    compaction: { automatic: false, batchBytes: 1, bytesPerSecond: 2000 },
  });
  for (let i = 0; i < 3; i++) await made.seal(someRows(i * 20, 20));
  const stop = new AbortController();
  const merge = made.store.compact({ all: true, signal: stop.signal });
  setTimeout(() => stop.abort(new Error("enough")), 20);
  await assert.rejects(merge, /enough/);
  assert.deepEqual([...Deno.readDirSync(`${made.directory}/segments`)].map(({ name }) => name).sort(), [
    "000000.tab",
    "000001.tab",
    "000002.tab",
    "000003.tab",
  ]);
  const closed = made.store.compact({ all: true });
  await Promise.all([assert.rejects(closed, isCode("CLOSED")), made.store.close()]);
  made.open();
  assert.deepEqual(made.store.findings, []);
  assert.deepEqual(made.rows(), someRows(0, 60));
});

for (const errno of [28, 5]) {
  Deno.test(`an error (errno ${errno}) in any call of a merge leaves everything as it was, and the next try works`, async () => {
    let calls = Infinity;
    for (let failing = -1; failing < calls; failing++) {
      const { context, faulty } = memoryContext();
      await using made = new TestStore(testSchema({ key: "ID" }), { context });
      await made.seal(someRows(0, 5));
      await made.seal(someRows(3, 6));
      let at = 0;
      faulty.fault = (call: FaultyCall) => call.kind === "close" || at++ !== failing ? undefined : { errno };
      const result = await made.store.compact({ all: true }).then(() => null, (error) => error);
      if (failing < 0) {
        calls = at;
        continue;
      }
      faulty.fault = () => undefined;
      const isMerged = made.store.manifest.segments.length === 1, label = `call ${failing}: ${result}`;
      if (!isMerged) assert.equal((result as TableError).errno, errno, label);
      else assert.equal(result, null, label);
      await made.store.compact({ all: true });
      await made.store.removeRetired(0);
      const expected = [...someRows(0, 3), ...someRows(3, 6)];
      assert.deepEqual(made.rows(), expected, label);
      await made.reopen();
      assert.deepEqual(made.rows(), expected, label);
      await made.store.removeRetired(0);
      const { name, bloom } = made.store.manifest.segments[0]!;
      assert.deepEqual(faulty.list(`${made.directory}/segments`), ["000000.tab", bloom!.file, name], label);
    }
    assert.ok(calls > 30, `${calls}`);
  });
}

Deno.test("everything into one: what is sorted and has each key once already isn't written again", () => {
  const manifest = manifestOf([64]), store = { indexed: true, sorts: true, time: null };
  assert.equal(chooseAll(manifest, DEFAULT_COMPACTION, store)!.kind, "rewrite");
  const sorted = {
    ...manifest,
    segments: manifest.segments.map((one) => ({ ...one, sorted: true, level: 1 })),
  };
  assert.equal(chooseAll(sorted, DEFAULT_COMPACTION, store), null);
  assert.equal(chooseAll(manifest, DEFAULT_COMPACTION, NONE), null);
});
