import assert from "node:assert/strict";
import { array, scalar, standard, TableError, tiledShape } from "../../mod.ts";
import { IngestSchema, type SchemaOptions } from "../../src/ingest/schema.ts";

const COLUMNS = [
  scalar("TIME", "float64", { unit: "s", measure: { type: "epoch", Ref: "UTC" } }),
  scalar("ANTENNA", "int32"),
  scalar("NAME", "string", { maxLength: 16 }),
  array("DATA", "complex64", { shape: [4, 64], keywords: { SCALE: 2, BIG: 2n ** 40n, NAMES: ["a", "b"] } }),
  array("ANY", "float32"),
  array("PLANE", "float32", { ndim: 2 }),
];

Deno.test("a schema says how each column lies in a log", () => {
  const schema = IngestSchema.of({ columns: COLUMNS });
  const of = (name: string) => {
    const { encoding, elements, cellBytes, shape, ndim } = schema.column(name);
    return { encoding, elements, cellBytes, shape, ndim };
  };
  assert.deepEqual(of("TIME"), { encoding: "fixed", elements: 1, cellBytes: 8, shape: [], ndim: 0 });
  assert.deepEqual(of("NAME"), { encoding: "strings", elements: 1, cellBytes: 0, shape: [], ndim: 0 });
  assert.deepEqual(of("DATA"), {
    encoding: "fixed",
    elements: 256,
    cellBytes: 2048,
    shape: [4, 64],
    ndim: 2,
  });
  assert.deepEqual(of("ANY"), { encoding: "cells", elements: 0, cellBytes: 0, shape: null, ndim: -1 });
  assert.deepEqual(of("PLANE"), { encoding: "cells", elements: 0, cellBytes: 0, shape: null, ndim: 2 });
  assert.throws(() => schema.column("NONE"), { code: "NO_SUCH_COLUMN" });
});

Deno.test("the time is TIME unless told otherwise, if that can be a time", () => {
  assert.equal(IngestSchema.of({ columns: COLUMNS }).time, "TIME");
  assert.equal(IngestSchema.of({ columns: COLUMNS, time: "ANTENNA" }).time, "ANTENNA");
  assert.equal(IngestSchema.of({ columns: [scalar("TIME", "string")] }).time, null);
  assert.equal(IngestSchema.of({ columns: [scalar("T", "int32")] }).time, null);
});

Deno.test("a schema survives JSON, with units, keywords and storage; equal schemas have equal hashes", () => {
  const options: SchemaOptions = {
    columns: COLUMNS,
    storage: [tiledShape("Tiled", ["DATA"], { tileShape: [4, 64, 8] }), standard("SSM", { bucketRows: 64 })],
    key: ["TIME", "ANTENNA"],
    sort: ["TIME"],
  };
  const schema = IngestSchema.of(options), json = JSON.parse(JSON.stringify(schema.toJSON()));
  const again = IngestSchema.fromJSON(json, "manifest.json");
  assert.deepEqual(again.toJSON(), schema.toJSON());
  assert.deepEqual(again.hash, schema.hash);
  assert.equal(schema.hash.length, 32);
  assert.deepEqual(
    again.columns.map(({ name, encoding }) => [name, encoding]),
    schema.columns.map(({ name, encoding }) => [name, encoding]),
  );
  assert.equal(again.column("DATA").spec.options.keywords!.BIG, 2n ** 40n);
  assert.deepEqual(again.key, ["TIME", "ANTENNA"]);
  assert.deepEqual(again.storage, JSON.parse(JSON.stringify(options.storage)));

  const shuffled = {
    ...json,
    columns: json.columns.map((column: object) => Object.fromEntries(Object.entries(column).reverse())),
  };
  assert.deepEqual(IngestSchema.fromJSON(shuffled, "manifest.json").hash, schema.hash);
  assert.notDeepEqual(IngestSchema.of({ ...options, sort: [] }).hash, schema.hash);
});

Deno.test("what a store can't hold or order by is refused", () => {
  const refused = (options: SchemaOptions, code: string) =>
    assert.throws(
      () => IngestSchema.of(options),
      (error) => error instanceof TableError && error.code === code,
    );
  const columns = COLUMNS;
  refused({ columns: [] }, "INVALID_ARGUMENT");
  refused({ columns: [scalar("REC", "record")] }, "UNSUPPORTED");
  refused({ columns: [scalar("INGEST_SEQUENCE", "int64")] }, "INVALID_ARGUMENT");
  refused({ columns: [scalar("A", "int32"), scalar("A", "int32")] }, "INVALID_ARGUMENT");
  refused({ columns, key: "DATA" }, "INVALID_ARGUMENT");
  refused({ columns, key: "NONE" }, "NO_SUCH_COLUMN");
  refused({ columns, key: ["TIME", "TIME"] }, "INVALID_ARGUMENT");
  refused({ columns: [scalar("Z", "complex64")], sort: ["Z"] }, "INVALID_ARGUMENT");
  refused({ columns, time: "NAME" }, "INVALID_ARGUMENT");
  refused({ columns, storage: [standard("A", ["NONE"])] }, "NO_SUCH_COLUMN");
});

Deno.test("JSON that describes no schema is CORRUPT and names the file", () => {
  const json = IngestSchema.of({ columns: COLUMNS }).toJSON() as Record<string, unknown>;
  const broken: unknown[] = [
    null,
    7,
    [],
    {},
    { ...json, columns: 3 },
    { ...json, columns: [] },
    { ...json, columns: [null] },
    { ...json, columns: [{ name: "A", kind: "scalar", dtype: "none", options: {} }] },
    { ...json, columns: [{ name: "A", kind: "array", dtype: "int32", options: { shape: [0] } }] },
    { ...json, columns: [{ name: "A", kind: "array", dtype: "int32", options: { keywords: 3 } }] },
    ...[{ shape: "4" }, { shape: [null] }, { ndim: "2" }, { unit: 5 }, { maxLength: -1 }, { comment: {} }]
      .map((options) => ({
        ...json,
        columns: [{ name: "A", kind: "array", dtype: "string", options }],
      })),
    { ...json, key: "TIME" },
    { ...json, key: ["NONE"] },
    { ...json, sort: [3] },
    { ...json, time: 3 },
    { ...json, time: "NAME" },
    { ...json, storage: {} },
    { ...json, storage: [{ type: "x" }] },
  ];
  for (const each of broken) {
    assert.throws(
      () => IngestSchema.fromJSON(each as null, "here/manifest.json"),
      (error) =>
        error instanceof TableError && error.code === "CORRUPT" && error.file === "here/manifest.json",
      JSON.stringify(each),
    );
  }
});
