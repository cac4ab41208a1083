import assert from "node:assert/strict";
import { array, scalar, Table, TableError } from "../../mod.ts";
import { type IngestBatch, type IngestOptions, IngestStore } from "../../src/ingest/mod.ts";

const COLUMNS = [
  scalar("TIME", "float64", { unit: "s" }),
  scalar("ANTENNA", "int32"),
  scalar("NAME", "string"),
  array("DATA", "complex64", { shape: [2, 3] }),
  array("FREE", "int32", { ndim: 1 }),
];

/** Rows `from` to `to`: each value says which row it is of. */
function rows(from: number, to: number) {
  const numbers = Array.from({ length: to - from }, (_, i) => from + i);
  return {
    TIME: Float64Array.from(numbers),
    ANTENNA: Int32Array.from(numbers, (n) => n % 7),
    NAME: numbers.map((n) => `row ${n}`),
    DATA: Float32Array.from(numbers.flatMap((n) => Array.from({ length: 12 }, (_, k) => n * 100 + k))),
    FREE: numbers.map((n) =>
      n % 5 === 0 ? null : { dtype: "int32" as const, shape: [n % 5], data: new Int32Array(n % 5).fill(n) }
    ),
  };
}

/** Checks that a table has rows from `first` on, each with what it was appended with. */
function checkRows(table: Table, first: number, count: number) {
  assert.equal(table.rowCount, count);
  const expected = rows(first, first + count);
  assert.deepEqual(table.getColumn("INGEST_SEQUENCE").data, BigInt64Array.from(expected.TIME, BigInt));
  assert.deepEqual(table.getColumn("TIME").data, expected.TIME);
  assert.deepEqual(table.getColumn("NAME").data, expected.NAME);
  assert.deepEqual(table.getColumn("DATA").data, expected.DATA);
  assert.deepEqual(
    table.getColumn("DATA", { slice: [[1, 2], [0, 3, 2]] }).data,
    Float32Array.from([...expected.TIME].flatMap((n) => [2, 3, 10, 11].map((k) => n * 100 + k))),
  );
  assert.deepEqual(table.getCells("FREE"), expected.FREE);
}

async function withStore(
  options: Partial<IngestOptions>,
  test: (store: IngestStore, directory: string) => Promise<void>,
) {
  const parent = await Deno.makeTempDir(), directory = `${parent}/live`;
  try {
    const store = IngestStore.open(directory, { columns: COLUMNS, background: "inline", ...options });
    try {
      await test(store, directory);
    } finally {
      await store.close();
    }
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

async function all(batches: AsyncIterable<IngestBatch>): Promise<IngestBatch[]> {
  const list: IngestBatch[] = [];
  for await (const batch of batches) list.push(batch);
  return list;
}

const sequencesOf = (batches: readonly IngestBatch[]) => batches.flatMap((batch) => [...batch.sequences]);

for (const durability of ["none", "batch", "each"] as const) {
  Deno.test(`rows are there when append has resolved, sealed or not (${durability})`, () =>
    withStore({ durability }, async (store) => {
      assert.equal(await store.append(rows(0, 10)), 0);
      assert.equal(await store.append(rows(10, 11)), 10);
      using growing = store.snapshot();
      checkRows(growing, 0, 11);
      await store.seal();
      assert.equal(store.manifest.segments.length, 1);
      assert.equal(await store.append(rows(11, 30)), 11);
      using both = store.snapshot();
      checkRows(both, 0, 30);
      checkRows(growing, 0, 11);
      assert.equal(store.rowCount, 30);
    }));
}

Deno.test("a store is a table of its sealed rows all the while", () =>
  withStore({}, async (store, directory) => {
    const look = () => {
      using table = Table.open(directory);
      return table.rowCount;
    };
    assert.equal(look(), 0);
    await store.append(rows(0, 100));
    assert.equal(look(), 0);
    await store.seal();
    assert.equal(look(), 100);
    await store.append(rows(100, 150));
    await store.seal();
    using table = Table.open(directory);
    checkRows(table, 0, 150);
    assert.ok(JSON.stringify(table.column("TIME").keywords.toJSON()).includes('"s"'));
  }));

Deno.test("a store that is opened again has its rows", () =>
  withStore({}, async (store, directory) => {
    await store.append(rows(0, 40));
    await store.seal();
    await store.append(rows(40, 60));
    await store.close();
    const again = IngestStore.open(directory, { background: "inline" });
    assert.deepEqual(again.findings.filter(({ note }) => !note), []);
    using snapshot = again.snapshot();
    checkRows(snapshot, 0, 60);
    assert.equal(await again.append(rows(60, 61)), 60);
    await again.close();
  }));

Deno.test("one process writes, others read what it wrote", () =>
  withStore({}, async (store, directory) => {
    await store.append(rows(0, 5));
    assert.throws(
      () => IngestStore.open(directory, { background: "inline" }),
      (e) => e instanceof TableError && e.code === "LOCKED",
    );
    const reader = IngestStore.open(directory, { mode: "r" });
    const look = (count: number) => {
      using snapshot = reader.snapshot();
      checkRows(snapshot, 0, count);
    };
    look(5);
    await store.append(rows(5, 9));
    look(9);
    await store.seal();
    look(9);
    await store.append(rows(9, 12));
    look(12);
    await assert.rejects(
      reader.append(rows(12, 13)),
      (e) => e instanceof TableError && e.code === "READ_ONLY",
    );
    await reader.close();
  }));

Deno.test("a scan has every row once, within its budget, from where it is asked to begin", () =>
  withStore({}, async (store) => {
    for (let at = 0; at < 300; at += 100) {
      await store.append(rows(at, at + 100));
      if (at < 200) await store.seal();
    }
    const batches = await all(store.scan({ columns: ["TIME", "DATA"], maxBytes: 1000, from: 42 }));
    assert.deepEqual(sequencesOf(batches), Array.from({ length: 258 }, (_, i) => 42 + i));
    for (const { rowCount, columns, sequences } of batches) {
      const { data } = columns.DATA as { data: Float32Array };
      assert.ok(data.byteLength + rowCount * 8 <= 1000);
      assert.equal(data[0], sequences[0]! * 100);
    }
    const chosen = await all(store.scan({ where: "ANTENNA = 3 and TIME >= 150", columns: ["NAME", "FREE"] }));
    const expected = Array.from({ length: 150 }, (_, i) => 150 + i).filter((n) => n % 7 === 3);
    assert.deepEqual(sequencesOf(chosen), expected);
    assert.deepEqual(
      chosen.flatMap(({ columns }) => (columns.NAME as { data: string[] }).data),
      expected.map((n) => `row ${n}`),
    );
    assert.deepEqual(
      chosen.flatMap(({ columns }) => columns.FREE),
      expected.map((n) => rows(n, n + 1).FREE[0]),
    );
  }));

Deno.test("a tail has each row once and waits for more", () =>
  withStore({}, async (store) => {
    await store.append(rows(0, 10));
    const stop = new AbortController(), seen: number[] = [];
    const following = (async () => {
      for await (const batch of store.tail({ from: 5, signal: stop.signal, columns: ["TIME"] })) {
        seen.push(...batch.sequences);
        if (seen.at(-1) === 99) stop.abort(new Error("enough"));
      }
    })();
    following.catch(() => {});
    for (let at = 10; at < 100; at += 10) {
      await store.append(rows(at, at + 10));
      if (at % 30 === 0) await store.seal();
    }
    await assert.rejects(following, /enough/);
    assert.deepEqual(seen, Array.from({ length: 95 }, (_, i) => 5 + i));
  }));

Deno.test("a tail in another process sees rows that are appended later", () =>
  withStore({}, async (store, directory) => {
    const reader = IngestStore.open(directory, { mode: "r" }), seen: number[] = [];
    const following = (async () => {
      for await (const batch of reader.tail({ from: 0, columns: ["TIME"] })) {
        seen.push(...batch.sequences);
        if (seen.length >= 60) break;
      }
    })();
    for (let at = 0; at < 60; at += 20) {
      await store.append(rows(at, at + 20));
      if (at === 20) await store.seal();
    }
    await following;
    assert.deepEqual(seen, Array.from({ length: 60 }, (_, i) => i));
    await reader.close();
  }));

Deno.test("lookup gives the newest row of a key, wherever it is", () =>
  withStore({ key: "ANTENNA" }, async (store) => {
    assert.equal(store.lookup(3), null);
    await store.append(rows(0, 20));
    assert.equal(store.lookup(3)?.sequence, 17);
    await store.seal();
    assert.equal(store.lookup(3)?.sequence, 17);
    assert.equal(store.lookup(3, ["NAME"])?.cells.NAME, "row 17");
    await store.append(rows(20, 24));
    assert.equal(store.lookup(2)?.sequence, 23);
    assert.equal(store.lookup(3)?.sequence, 17);
    assert.equal(store.lookup(9), null);
    assert.throws(() => store.lookup("3"), (e) => e instanceof TableError && e.code === "TYPE_MISMATCH");
    await store.append(rows(24, 25));
    assert.equal(store.lookup(3)?.sequence, 24);
  }));

Deno.test("merging keeps the newest row of each key, and a snapshot from before has the others", () =>
  withStore({ key: "ANTENNA", graceMs: 0 }, async (store) => {
    for (let at = 0; at < 40; at += 10) {
      await store.append(rows(at, at + 10));
      await store.seal();
    }
    using before = store.snapshot();
    await store.compact({ all: true });
    using after = store.snapshot();
    assert.deepEqual(
      after.getColumn("INGEST_SEQUENCE").data,
      BigInt64Array.of(33n, 34n, 35n, 36n, 37n, 38n, 39n),
    );
    checkRows(before, 0, 40);
    assert.equal(store.lookup(4)?.sequence, 39);
    const scanned = await all(store.scan({ columns: ["TIME"] }));
    assert.deepEqual(sequencesOf(scanned), [33, 34, 35, 36, 37, 38, 39]);
  }));

Deno.test("rows of a deleted time range are seen by nobody who comes after, and dropped by a merge", () =>
  withStore({}, async (store, directory) => {
    await store.append(rows(0, 50));
    await store.seal();
    await store.append(rows(50, 60));
    await store.deleteRange({ from: 45, to: 55 });
    const expected = Array.from({ length: 60 }, (_, i) => i).filter((n) => n < 45 || n >= 55);
    const check = async () => {
      assert.deepEqual(sequencesOf(await all(store.scan({ columns: ["TIME"] }))), expected);
      using snapshot = store.snapshot();
      assert.deepEqual(snapshot.getColumn("TIME").data, Float64Array.from(expected));
    };
    await check();
    // What comes later with such a time is another row.
    await store.append(rows(50, 51));
    expected.push(60);
    const sequences = sequencesOf(await all(store.scan({ columns: ["TIME"] })));
    assert.deepEqual(sequences, expected);
    await store.seal();
    await store.compact({ all: true });
    assert.deepEqual(sequencesOf(await all(store.scan({ columns: ["TIME"] }))), expected);
    using table = Table.open(directory);
    assert.equal(table.rowCount, 51);
  }));

Deno.test("merged segments are sorted where the store says so, and a tail still has the order of arrival", () =>
  withStore({ sort: ["ANTENNA", "TIME"] }, async (store) => {
    await store.append(rows(0, 20));
    await store.seal();
    await store.append(rows(20, 30));
    await store.seal();
    await store.compact({ all: true });
    using snapshot = store.snapshot();
    const antennas = [...snapshot.getColumn("ANTENNA").data as Int32Array];
    assert.deepEqual(antennas, [...antennas].sort((a, b) => a - b));
    const seen: number[] = [];
    for await (const batch of store.tail({ from: 7, columns: ["TIME"] })) {
      seen.push(...batch.sequences);
      if (seen.length >= 23) break;
    }
    assert.deepEqual(seen, Array.from({ length: 23 }, (_, i) => 7 + i));
  }));

Deno.test("a worker makes the segments", () =>
  withStore({ background: "worker" }, async (store) => {
    await store.append(rows(0, 1000));
    await store.seal();
    await store.append(rows(1000, 1500));
    await store.seal();
    await store.compact({ all: true });
    using snapshot = store.snapshot();
    checkRows(snapshot, 0, 1500);
    assert.equal(store.manifest.segments.length, 1);
  }));

Deno.test("a template gives keywords and subtables", async () => {
  const parent = await Deno.makeTempDir();
  try {
    const template = Table.createMeasurementSet(`${parent}/empty.ms`, { data: ["DATA"], shape: [2, 4] });
    using antennas = template.subtable("ANTENNA", { mode: "rw" });
    antennas.append({ NAME: ["A1", "A2"] });
    antennas.close();
    template.close();
    await using store = IngestStore.open(`${parent}/live.ms`, {
      template: `${parent}/empty.ms`,
      background: "inline",
    });
    await store.append({ TIME: Float64Array.of(1, 2, 3), ANTENNA2: Int32Array.of(1, 1, 1) });
    await store.seal();
    using ms = Table.open(`${parent}/live.ms`);
    assert.equal(ms.rowCount, 3);
    assert.equal(ms.info.type, "Measurement Set");
    using found = ms.subtable("ANTENNA");
    assert.deepEqual(found.getColumn("NAME").data, ["A1", "A2"]);
    using snapshot = store.snapshot();
    using also = snapshot.subtable("ANTENNA");
    assert.equal(also.rowCount, 2);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
});

Deno.test("an Arrow record batch is appended like columns, in the order of the calls", () =>
  withStore({ columns: COLUMNS.slice(0, 3) }, async (store) => {
    const { tableFromArrays } = await import("apache-arrow");
    const [batch] = tableFromArrays({
      TIME: Float64Array.of(1, 2),
      ANTENNA: Int32Array.of(3, 4),
      NAME: ["one", "two"],
    }).batches;
    const { NAME, TIME, ANTENNA } = rows(5, 6);
    const appended = [store.append(batch!), store.append({ NAME, TIME, ANTENNA }), store.append(batch!)];
    assert.deepEqual(await Promise.all(appended), [0, 2, 3]);
    using snapshot = store.snapshot();
    assert.deepEqual(snapshot.getColumn("NAME").data, ["one", "two", "row 5", "one", "two"]);
  }));

Deno.test("what can't be appended is refused, and the store is as it was", () =>
  withStore({}, async (store) => {
    await store.append(rows(0, 2));
    const { TIME } = rows(2, 4);
    const wrong: readonly (readonly [string, Record<string, never>])[] = [
      ["NO_SUCH_COLUMN", { TIME, NO: TIME } as never],
      ["TYPE_MISMATCH", { TIME: ["a", "b"] } as never],
      ["SHAPE_MISMATCH", { TIME, ANTENNA: Int32Array.of(1, 2, 3) } as never],
    ];
    for (const [code, values] of wrong) {
      await assert.rejects(store.append(values), (e) => e instanceof TableError && e.code === code, code);
    }
    assert.equal(await store.append(rows(2, 3)), 2);
    using snapshot = store.snapshot();
    checkRows(snapshot, 0, 3);
  }));

Deno.test("an existing store keeps its columns, and a directory of something else is refused", () =>
  withStore({}, async (store, directory) => {
    await store.close();
    const wrong = { columns: [scalar("OTHER", "int32")], background: "inline" } as const;
    assert.throws(
      () => IngestStore.open(directory, wrong),
      (e) => e instanceof TableError && e.code === "INVALID_ARGUMENT",
    );
    Table.create(`${directory}.tab`, { columns: COLUMNS }).close();
    assert.throws(
      () => IngestStore.open(`${directory}.tab`, { columns: COLUMNS }),
      (e) => e instanceof TableError && e.code === "EXISTS",
    );
    assert.throws(
      () => IngestStore.open(`${directory}.none`, { mode: "r" }),
      (e) => e instanceof TableError && e.code === "NOT_FOUND",
    );
  }));
