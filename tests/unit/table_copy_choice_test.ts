/**
 * Copies of chosen rows and columns into every manager, what they say on the way, and what is left of one that ends early.
 */
import assert from "node:assert/strict";
import {
  aipsio,
  array,
  compressFloat,
  Context,
  type CopyProgress,
  incremental,
  memory,
  type NDArray,
  scalar,
  standard,
  type StorageSpec,
  Table,
  tiledCell,
  tiledColumn,
  tiledData,
  tiledShape,
} from "../../mod.ts";
import { fixturePath, temporaryFolder } from "../fixture.ts";
import { rowsAsJson } from "../rows-as-json.ts";

const inMemory = () => ({ io: "memory", lock: "none", context: new Context() }) as const;
type Options = ReturnType<typeof inMemory>;

/** A table with a column of each kind. */
function mixed(path: string, rows: number, options: Options): Table {
  const table = Table.create(path, {
    columns: [
      scalar("N", "int32"),
      scalar("S", "string"),
      array("FIXED", "complex64", { shape: [2, 3] }),
      array("FREE", "float32", { ndim: 2 }),
      array("WORDS", "string", { ndim: 1 }),
    ],
    rows,
    storage: [standard()],
    ...options,
  });
  for (let row = 0; row < rows; row++) {
    table.putCell("N", row, row);
    table.putCell("S", row, `row ${row}`);
    table.putCell("FIXED", row, Float32Array.from({ length: 12 }, (_, i) => row + i / 16));
    if (row % 3 !== 2) {
      const shape = [1 + row % 2, 3];
      const data = Float32Array.from({ length: 3 * shape[0]! }, (_, i) => i - row);
      table.putCell("FREE", row, { dtype: "float32", shape, data });
      table.putCell("WORDS", row, { dtype: "string", shape: [2], data: ["a", `b${row}`] });
    }
  }
  return table;
}

Deno.test("rows can be chosen as a range with steps, or as a list with repetitions", () => {
  const options = inMemory();
  using table = mixed("/t", 20, options);
  const all = rowsAsJson(table);
  for (
    const [rows, expected] of [
      [{ start: 3, end: 17, step: 4 }, [3, 7, 11, 15]],
      [{ end: 2 }, [0, 1]],
      [{ start: 19 }, [19]],
      [[7, 7, 2, 19, 18], [7, 7, 2, 19, 18]],
      [Uint32Array.of(5), [5]],
      [[], []],
    ] as const
  ) {
    table.copy("/copy", { rows, overwrite: true });
    using copy = Table.open("/copy", options);
    assert.deepEqual(rowsAsJson(copy), expected.map((row) => all[row]));
  }
  assert.throws(() => table.copy("/no", { rows: [20] }), { code: "OUT_OF_RANGE" });
  assert.throws(() => table.copy("/no", { rows: { step: 0 } }), { code: "INVALID_ARGUMENT" });
});

Deno.test("columns go into any manager", () => {
  const options = inMemory();
  using table = mixed("/t", 50, options);
  const rows = rowsAsJson(table), rest = standard("Rest");
  const storages: StorageSpec[][] = [
    [standard("S", { bucketRows: 7 })],
    [incremental("I", {})],
    [incremental("I", ["N", "S", "FREE"]), tiledColumn("T", ["FIXED"], { tileShape: [2, 2, 8] }), rest],
    [aipsio("A")],
    [tiledCell("C", ["FREE"]), tiledCell("D", ["FIXED"]), rest],
    [tiledShape("T", ["FREE"], { tileShape: [1, 2, 3] }), rest],
  ];
  for (const storage of storages) {
    table.copy("/copy", { storage, overwrite: true });
    using copy = Table.open("/copy", options);
    assert.deepEqual(rowsAsJson(copy), rows, storage.map(({ type }) => type).join(" "));
  }
  // Cubes for ids, which have to be put first.
  table.copy("/data", { columns: ["FIXED", "N"], storage: [tiledData("D", ["FIXED"], { ids: ["N"] })] });
  using data = Table.open("/data", options);
  assert.deepEqual(data.getColumn("FIXED"), table.getColumn("FIXED"));
  // What is in memory only is gone.
  table.copy("/gone", { columns: ["N"], storage: [memory("M")] });
  using gone = Table.open("/gone", options);
  assert.deepEqual(gone.getCell("N", 7), 0);
});

Deno.test("columns can be packed into others that the original doesn't have", () => {
  const options = inMemory();
  using table = Table.create("/t", {
    columns: [array("W", "float32", { shape: [8] })],
    rows: 30,
    ...options,
  });
  table.putColumn("W", Float32Array.from({ length: 240 }, (_, i) => Math.sin(i)));
  table.copy("/packed", {
    newColumns: [
      array("W_PACKED", "int16", { shape: [8] }),
      scalar("W_SCALE", "float32"),
      scalar("W_OFFSET", "float32"),
    ],
    storage: [
      compressFloat("W", { stored: "W_PACKED", scale: "W_SCALE", offset: "W_OFFSET", autoScale: true }),
      standard(),
    ],
  });
  using packed = Table.open("/packed", options);
  const ours = packed.getColumn("W", { dtype: "float32" }).data;
  table.getColumn("W", { dtype: "float32" }).data.forEach((value, i) =>
    assert.ok(Math.abs(value - ours[i]!) < 1e-4)
  );
  assert.equal(packed.column("W").manager.type, "CompressFloat");
  // And back: values as they are read, without the engine.
  packed.copy("/plain", { columns: ["W"] });
  using plain = Table.open("/plain", options);
  assert.deepEqual(plain.getColumn("W").data, ours);
});

Deno.test("managers that keep what they are given stay as they are, by name; others give way to tiles or buckets", () => {
  using folder = temporaryFolder();
  const managersOf = (name: string) => {
    using table = Table.open(fixturePath(name));
    table.copy(`${folder.path}/copy`, { overwrite: true });
    using copy = Table.open(`${folder.path}/copy`);
    assert.deepEqual(rowsAsJson(copy), rowsAsJson(table), name);
    return copy.managers.map(({ type }) => type);
  };
  assert.deepEqual(managersOf("ism_scalars_le"), ["IncrementalStMan"]);
  assert.deepEqual(managersOf("aipsio_be"), ["StManAipsIO"]);
  assert.deepEqual(managersOf("image"), ["TiledCellStMan"]);
  assert.ok(!managersOf("compress_le").includes("CompressFloat"));
});

Deno.test("a cell that is larger than the bound comes in pieces", () => {
  const options = inMemory();
  for (const shape of [[3_000_000], [1500, 2, 3, 500], [5_000_000, 2]]) {
    using table = Table.create("/t", {
      columns: [array("V", "float64", { ndim: shape.length })],
      storage: [tiledCell("C", ["V"])],
      rows: 2,
      overwrite: true,
      ...options,
    });
    const data = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i);
    table.putCell("V", 1, { dtype: "float64", shape, data });
    const seen: CopyProgress[] = [];
    table.copy("/copy", { overwrite: true, onProgress: (progress) => seen.push(progress) });
    using copy = Table.open("/copy", options);
    assert.equal(copy.getCell("V", 0), null);
    const cell = copy.getCell("V", 1) as NDArray<"float64">;
    assert.deepEqual(cell.shape, shape);
    assert.ok(cell.data.every((value, i) => value === i));
    assert.ok(seen.length > 2);
    assert.deepEqual(seen.at(-1), { rows: 2, of: 2, bytes: data.byteLength });
  }
});

Deno.test("a copy says how far it has got", () => {
  const options = inMemory();
  using table = mixed("/t", 10_000, options);
  const seen: CopyProgress[] = [];
  table.copy("/copy", { onProgress: (progress) => seen.push(progress) });
  assert.ok(seen.length > 3);
  seen.reduce((before, now) => {
    assert.ok(now.rows >= before.rows && now.bytes >= before.bytes && now.of === 10_000);
    return now;
  });
  assert.equal(seen.at(-1)!.rows, 10_000);
});

Deno.test("a copy that is aborted leaves nothing, whether nothing was there or a table", async () => {
  using folder = temporaryFolder();
  const target = `${folder.path}/copy`;
  using table = Table.open(fixturePath("subtables"));
  const abortAt = (batch: number) => {
    const abort = new AbortController();
    let batches = 0;
    return table.copyAsync(target, {
      overwrite: true,
      signal: abort.signal,
      onProgress: () => {
        if (++batches === batch) abort.abort();
        // A turn for others comes when a while is over.
        for (const since = performance.now(); performance.now() - since < 25;);
      },
    });
  };
  await assert.rejects(abortAt(1), { name: "AbortError" });
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
  await table.copyAsync(target);
  await assert.rejects(abortAt(3), { name: "AbortError" });
  assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["copy"]);
  using copy = Table.open(target);
  assert.deepEqual(rowsAsJson(copy), rowsAsJson(table));
  await assert.rejects(table.copyAsync(target, { signal: AbortSignal.abort() }), { name: "AbortError" });
});

Deno.test("what a killed copy left is cleared away, and what is no copy stays", () => {
  using folder = temporaryFolder();
  const target = `${folder.path}/copy`;
  using table = Table.open(fixturePath("subtables"), { io: "node" });
  const options = { io: "node", lock: "none" } as const;
  Deno.mkdirSync(`${target}.partial/INSIDE`, { recursive: true });
  Deno.writeTextFileSync(`${target}.partial/table.f0`, "half");
  table.copy(target, options);
  assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["copy"]);

  // Killed between its renames: both are there, and the old one comes back before it is replaced.
  Deno.renameSync(target, `${target}.replaced`);
  table.copy(`${target}.partial`, options);
  assert.throws(() => table.copy(target, options), { code: "EXISTS" });
  table.copy(target, { ...options, overwrite: true });
  assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["copy"]);

  Deno.mkdirSync(`${target}.partial`);
  Deno.writeTextFileSync(`${target}.partial/letter.txt`, "keep me");
  assert.throws(() => table.copy(target, { ...options, overwrite: true }), { code: "EXISTS" });
  assert.equal(Deno.readTextFileSync(`${target}.partial/letter.txt`), "keep me");
  Deno.removeSync(`${target}.partial`, { recursive: true });
  table.copy(`${target}.replaced`, options);
  assert.throws(() => table.copy(target, { ...options, overwrite: true }), {
    code: "EXISTS",
    message: /replaced/,
  });
  using kept = Table.open(`${target}.replaced`, options);
  assert.deepEqual(rowsAsJson(kept), rowsAsJson(table));
});

Deno.test("what is copied is only read, also where it is open for writing", () => {
  using folder = temporaryFolder();
  const at = (name: string) => `${folder.path}/${name}`;
  for (const name of ["concat_a", "concat_b", "subtables"]) {
    using table = Table.open(fixturePath(name), { io: "node" });
    table.copy(at(name), { io: "node", lock: "none" });
  }
  Deno.chmodSync(at("concat_b/LOG"), 0o555);
  using both = Table.concat([at("concat_a"), at("concat_b")], undefined, {
    mode: "rw",
    io: "node",
    lock: "none",
    subtables: ["LOG"],
  });
  const opened = both.copy(at("copy"));
  assert.equal(opened.subtablesRead.length, 1);
  using log = both.subtable("LOG", { mode: "r" });
  assert.throws(() => log.addRows(1), { code: "READ_ONLY" });
  assert.equal(log.rowCount, 5);
});

Deno.test("cells get shapes without values, and then values slice by slice", () => {
  const options = inMemory();
  using table = mixed("/t", 4, options);
  table.setShape("FREE", [2, 2], { rows: [2, 3] });
  table.putColumn("FREE", Float32Array.of(1, 2), { rows: [2], slice: [null, [1, 2]] });
  assert.deepEqual((table.getCell("FREE", 2) as NDArray).data, Float32Array.of(0, 0, 1, 2));
  table.setShape("FREE", null, { rows: [0] });
  assert.deepEqual(table.column("FREE").cellShapes(), [
    { count: 1, shape: null },
    { count: 1, shape: [2, 3] },
    { count: 2, shape: [2, 2] },
  ]);
  assert.throws(() => table.setShape("FREE", [2]), { code: "SHAPE_MISMATCH" });
  assert.throws(() => table.setShape("FIXED", [2, 2]), { code: "SHAPE_MISMATCH" });
  assert.throws(() => table.setShape("N", [2]), { code: "TYPE_MISMATCH" });
});
