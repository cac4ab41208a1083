/** What engines do to columns beside them, without a table: scales of new rows, names in keywords. */
import assert from "node:assert/strict";
import { rowRange, type Rows } from "../../src/array/rows.ts";
import { TableError } from "../../src/error.ts";
import type { Plan } from "../../src/io/plan.ts";
import type { CellSource, ManagedColumn, SourceColumn } from "../../src/storage/manager.ts";
import { namedColumns, withRenamed } from "../../src/storage/virtual/references.ts";
import { boundColumn } from "./storage_managed_support.ts";
import { keywordsOf, MemoryColumn, openEngine, run, sourceOf } from "./storage_virtual_support.ts";

const AUTO = {
  _BaseMappedArrayEngine_Name: "stored",
  _CompressFloat_Scale: [0, "float32"],
  _CompressFloat_Offset: [0, "float32"],
  _CompressFloat_ScaleName: "scale",
  _CompressFloat_OffsetName: "offset",
  _CompressFloat_Fixed: false,
  _CompressFloat_AutoScale: true,
};

/** A column whose manager can be written, and what is written. */
class Written extends MemoryColumn {
  readonly log: unknown[] = [];

  constructor(name: string, dtype: "float32" | "int16", kind: "scalar" | "array") {
    super(name, dtype, [], { kind });
  }

  // deno-lint-ignore require-yield
  *write(rows: Rows, shape: readonly number[], _box: unknown, source: CellSource): Plan<void> {
    const { bytes } = source as { bytes: Uint8Array };
    const data = [...new (this.bound.dtype === "float32" ? Float32Array : Int16Array)(bytes.slice().buffer)];
    this.log.push({ rows: Array.from({ length: rows.length }, (_, i) => rows.at(i)), shape, data });
  }

  // deno-lint-ignore require-yield
  *setShape(rows: Rows, shape: readonly number[] | null): Plan<void> {
    this.log.push({ rows: Array.from({ length: rows.length }, (_, i) => rows.at(i)), shape });
  }
}

function engine(columns: readonly SourceColumn[], shape: readonly number[] | null = null) {
  const bound = boundColumn("v", { dtype: "float32", kind: "array", shape, keywords: keywordsOf(AUTO) });
  return openEngine("CompressFloat", bound, sourceOf(columns), { rowCount: 2 });
}

Deno.test("new rows have a scale of 0, whatever the manager of the scales gives them, and fixed shapes", () => {
  const stored = new Written("stored", "int16", "array"), scale = new Written("scale", "float32", "scalar");
  const manager = engine([stored, scale, new Written("offset", "float32", "scalar")], [2, 3]);
  run(manager.rowsAdded!(rowRange(5, 2)));
  assert.deepEqual(scale.log, [{ rows: [5, 6], shape: [], data: [0, 0] }]);
  assert.deepEqual(stored.log, [{ rows: [5, 6], shape: [2, 3] }]);
  run(manager.created!());
  assert.deepEqual(scale.log.slice(1), [{ rows: [0, 1], shape: [], data: [0, 0] }]);
});

Deno.test("columns that can't be written are left alone by new rows, and refuse values before anything is written", () => {
  const stored = new Written("stored", "int16", "array");
  const readOnly = (name: string) => new MemoryColumn(name, "float32", [], { kind: "scalar" });
  const manager = engine([stored, readOnly("scale"), readOnly("offset")]);
  run(manager.rowsAdded!(rowRange(0, 2)));
  const column: ManagedColumn = manager.column(0);
  const source: CellSource = { kind: "numeric", bytes: new Uint8Array(4) };
  assert.throws(
    () => run(column.write!(rowRange(0, 1), [1], null, source, 0)),
    (error) =>
      error instanceof TableError && error.code === "UNSUPPORTED" && /column scale/.test(error.message),
  );
  assert.deepEqual(stored.log, []);
});

Deno.test("values begin anywhere in what the caller hands in", () => {
  const stored = new Written("stored", "int16", "array");
  const scales = ["scale", "offset"].map((name) => new Written(name, "float32", "scalar"));
  const values = Float32Array.of(9, 9, 1, 3, 5, 5);
  run(engine([stored, ...scales]).column(0).write!(
    rowRange(1, 2),
    [2],
    null,
    { kind: "numeric", bytes: new Uint8Array(values.buffer) },
    2,
  ));
  assert.deepEqual(stored.log, [{ rows: [1, 2], shape: [2], data: [-32767, 32767, 0, 0] }]);
  assert.deepEqual(scales[0]!.log, [{ rows: [1, 2], shape: [], data: [Math.fround(2 / 65534), 1] }]);
  assert.deepEqual(scales[1]!.log, [{ rows: [1, 2], shape: [], data: [2, 5] }]);
});

Deno.test("the columns that keywords name are found, and follow a new name", () => {
  const keywords = keywordsOf({ ...AUTO, NOTE: "stored" });
  assert.deepEqual(Object.fromEntries(namedColumns("CompressFloat", keywords)), {
    _BaseMappedArrayEngine_Name: "stored",
    _CompressFloat_ScaleName: "scale",
    _CompressFloat_OffsetName: "offset",
  });
  assert.equal(namedColumns("StandardStMan", keywords).size, 0);
  assert.deepEqual([...namedColumns("MappedArrayEngine<float   ,Short   >", keywords).values()], ["stored"]);
  assert.equal(withRenamed("CompressFloat", keywords, "other", "new"), keywords);
  const renamed = withRenamed("CompressFloat", keywords, "stored", "new");
  assert.deepEqual([...namedColumns("CompressFloat", renamed).values()], ["new", "scale", "offset"]);
  const text = renamed.fields.find(({ name }) => name === "NOTE")!.value;
  assert.equal(text.kind === "scalar" && text.value, "stored");
  // Fixed scales have no names.
  const fixed = keywordsOf({ ...AUTO, _CompressFloat_ScaleName: "", _CompressFloat_OffsetName: "" });
  assert.deepEqual([...namedColumns("CompressFloat", fixed).values()], ["stored"]);
});
