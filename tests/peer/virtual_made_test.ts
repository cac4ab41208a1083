/**
 * Tables with virtual columns that Tessera makes, as casacore sees them: described as its own, written by it, with rows
 * added and removed; and what casacore shows of columns in memory and of forwarded ones.
 */
import assert from "node:assert/strict";
import {
  array,
  bitFlags,
  type ColumnSpec,
  compressComplex,
  compressComplexSD,
  compressFloat,
  forward,
  mappedArray,
  memory,
  scalar,
  standard,
  type StorageSpec,
  Table,
} from "../../mod.ts";
import type { TableSchema } from "../fixture.ts";
import { rowsAsJson } from "../rows-as-json.ts";
import type { JobColumn } from "./oracle/values.ts";
import {
  assertSameRows,
  type JobManager,
  oracleRows,
  oracleSchema,
  oracleWrite,
  peerTest,
  temporaryFolder,
} from "./peer.ts";

/** A virtual column, as Tessera's users and as casacore's describe it. */
interface Case {
  readonly name: string;
  readonly dtype: "float32" | "complex64" | "bool";
  readonly stored: "int16" | "int32" | "uint8" | "complex128";
  readonly ours: StorageSpec;
  readonly type: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

const FIXED = { scale: 0.25, offset: -3.5 };
const SCALES = { scale: "scale", offset: "offset" };

function ofColumns(name: string) {
  return { scale: `${name}_scale`, offset: `${name}_offset`, autoScale: true };
}
function theirColumns(name: string) {
  return { SCALENAME: `${name}_scale`, OFFSETNAME: `${name}_offset`, AUTOSCALE: true };
}

function compressed(
  type: "CompressFloat" | "CompressComplex" | "CompressComplexSD",
  make: typeof compressFloat,
): Case[] {
  const [dtype, stored] = type === "CompressFloat"
    ? ["float32", "int16"] as const
    : ["complex64", "int32"] as const;
  const cases = [
    [`${type}_fixed`, FIXED, { SCALE: 0.25, OFFSET: -3.5, AUTOSCALE: false }],
    [`${type}_rows`, SCALES, { SCALENAME: "scale", OFFSETNAME: "offset", AUTOSCALE: false }],
    [`${type}_auto`, ofColumns(`${type}_auto`), theirColumns(`${type}_auto`)],
  ] as const;
  return cases.map(([name, options, spec]) => ({
    name,
    dtype,
    stored,
    type,
    ours: make(name, { stored: `${name}_stored`, ...options }),
    spec,
  }));
}

const CASES: readonly Case[] = [
  ...compressed("CompressFloat", compressFloat),
  ...compressed("CompressComplex", compressComplex),
  ...compressed("CompressComplexSD", compressComplexSD),
  {
    name: "mapped",
    dtype: "complex64",
    stored: "complex128",
    ours: mappedArray("mapped", { stored: "mapped_stored" }),
    type: "MappedArrayEngine<Complex ,DComplex>",
    spec: {},
  },
  ...([["uint8", "uChar   "], ["int16", "Short   "], ["int32", "Int     "]] as const).map((
    [stored, padded],
  ): Case => ({
    name: `flags_${stored}`,
    dtype: "bool",
    stored,
    ours: bitFlags(`flags_${stored}`, { stored: `flags_${stored}_stored`, readMask: 7, writeMask: 1 }),
    type: `BitFlagsEngine<${padded}`,
    spec: { ReadMask: 7, WriteMask: 1 },
  })),
];

/** Shapes of virtual and stored cells. */
const LAYOUTS = {
  free: [{}, {}],
  fixed: [{ shape: [3, 2] }, { shape: [3, 2] }],
  half: [{ shape: [4] }, { ndim: 1 }],
} as const;

/** Columns that hold values themselves: for scales chosen by the engine, and for others. */
function factors(): string[] {
  return [
    "scale",
    "offset",
    ...CASES.filter(({ name }) => name.endsWith("_auto")).flatMap(({ name }) => [
      `${name}_scale`,
      `${name}_offset`,
    ]),
  ];
}

function makeOurs(path: string, layout: keyof typeof LAYOUTS, rows: number): void {
  const [virtual, stored] = LAYOUTS[layout];
  const columns: ColumnSpec[] = [
    ...factors().map((name) => scalar(name, "float32")),
    ...CASES.flatMap((
      one,
    ) => [array(one.name, one.dtype, virtual), array(`${one.name}_stored`, one.stored, stored)]),
  ];
  const table = Table.create(path, {
    columns,
    storage: [...CASES.map(({ ours }) => ours), standard("SSM")],
    rows,
  });
  table.close();
}

async function makeTheirs(
  path: string,
  layout: keyof typeof LAYOUTS,
  rows: number,
  manager = "StandardStMan",
): Promise<void> {
  const [virtual, stored] = LAYOUTS[layout];
  const columns: JobColumn[] = [
    ...factors().map((name): JobColumn => ({ name, dtype: "float32" })),
    ...CASES.flatMap((one): JobColumn[] => [
      { name: one.name, dtype: one.dtype, kind: "array", ...virtual },
      { name: `${one.name}_stored`, dtype: one.stored, kind: "array", ...stored },
    ]),
  ];
  const managers = CASES.map((one): JobManager => ({
    type: one.type,
    name: one.name,
    columns: [one.name],
    spec: { SOURCENAME: one.name, TARGETNAME: `${one.name}_stored`, ...one.spec },
  }));
  const rest = [...factors(), ...CASES.map(({ name }) => `${name}_stored`)];
  managers.push({ type: manager, name: "SSM", columns: rest });
  await oracleWrite({ table: path, rows, columns, managers, fill: false });
}

/** What describes the columns; the SSM's bucket size is each's own affair. */
function described({ columns, managers, keywords }: TableSchema) {
  const virtual = managers.filter(({ type }) => type !== "StandardStMan").map((
    { type, columns, spec, sequence },
  ) => ({
    type,
    columns,
    spec,
    sequence,
  }));
  return {
    columns: columns.map((column) => ({ ...column, keywords: counting(column.keywords ?? {}) })),
    virtual,
    keywords,
  };
}

/** Keywords without a scale that doesn't count: casacore has 0 or 1 there, depending on how it was told of the columns. */
function counting(keywords: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(keywords);
  const needless = entries.some(([name, value]) => name.endsWith("_Fixed") && value === false);
  return Object.fromEntries(entries.filter(([name]) => !(needless && name.endsWith("_Scale"))));
}

for (const layout of Object.keys(LAYOUTS) as (keyof typeof LAYOUTS)[]) {
  peerTest(
    `virtual columns of a new table are described as casacore describes its own, cells ${layout}`,
    async () => {
      using folder = temporaryFolder();
      const ours = `${folder.path}/ours`, theirs = `${folder.path}/theirs`;
      makeOurs(ours, layout, 3);
      await makeTheirs(theirs, layout, 3);
      assert.deepEqual(described(await oracleSchema(ours)), described(await oracleSchema(theirs)));
      // Rows that nobody wrote, too: those with a fixed shape are there, with whatever was in casacore's memory.
      const shapes = (rows: Record<string, unknown>[]) =>
        rows.map((row) => CASES.map(({ name }) => (row[name] as { shape: number[] } | null)?.shape ?? null));
      assert.deepEqual(shapes(await oracleRows(ours)), shapes(await oracleRows(theirs)));
    },
  );

  peerTest(
    `casacore writes virtual columns that Tessera made, adds rows and removes some, cells ${layout}`,
    async () => {
      using folder = temporaryFolder();
      const path = `${folder.path}/ours`;
      makeOurs(path, layout, 4);
      const columns: JobColumn[] = CASES.map(({ name, dtype }) => ({
        name,
        dtype,
        kind: "array",
        ...(layout === "free" ? { ndim: 2 } : LAYOUTS[layout][0]),
      }));
      for (
        const operations of [[{ op: "fill", seed: 3 }], [{ op: "addrows", count: 3 }, {
          op: "fill",
          rows: [4, 6],
          seed: 4,
        }], [
          { op: "removerows", rows: [1, 5] },
        ]] as const
      ) {
        await oracleWrite({ table: path, open: true, columns, operations: operations as never });
        using table = Table.open(path);
        assertSameRows(rowsAsJson(table), await oracleRows(path), JSON.stringify(operations));
      }
    },
  );
}

for (const layout of Object.keys(LAYOUTS) as (keyof typeof LAYOUTS)[]) {
  peerTest(`Tessera writes virtual columns that casacore made, and adds rows, cells ${layout}`, async () => {
    using folder = temporaryFolder();
    for (const manager of ["StandardStMan", "IncrementalStMan", "StManAipsIO"]) {
      const path = `${folder.path}/${manager}`;
      await makeTheirs(path, layout, 3, manager);
      {
        using table = Table.open(path, { mode: "rw" });
        table.addRows(2);
        const shape = layout === "half" ? [4] : [3, 2], elements = layout === "half" ? 4 : 6;
        table.putColumn("scale", Float32Array.of(0.5, 0.25, 1, 2, 0.125));
        table.putColumn("offset", Float32Array.of(0, -1, 2.5, 0, 1));
        for (const { name, dtype } of CASES) {
          const items = dtype === "complex64" ? 2 * elements : elements;
          const values = Array.from(
            { length: 5 * items },
            (_, i) => dtype === "bool" ? i % 3 & 1 : (i * 37 % 101) / 8 - 5,
          );
          const data = dtype === "bool" ? Uint8Array.from(values) : Float32Array.from(values);
          table.putColumn(name, { dtype, shape: [...shape, 5], data });
          const slice = shape.map((length) => [length - 1, length] as const);
          const part = data.slice(0, dtype === "complex64" ? 4 : 2);
          table.putColumn(name, { dtype, shape: [...shape.map(() => 1), 2], data: part }, {
            rows: [4, 1],
            slice,
          });
        }
      }
      using table = Table.open(path);
      assertSameRows(rowsAsJson(table), await oracleRows(path), `${layout}, ${manager}`);
    }
  });
}

peerTest("casacore shows the columns of a table whose values were in memory, and puts them on", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`;
  {
    using table = Table.create(path, {
      columns: [
        scalar("n", "float64"),
        scalar("b", "bool"),
        scalar("s", "string"),
        array("free", "int16"),
        scalar("id", "int32"),
      ],
      storage: [memory("Scratch", ["n", "b", "s", "free"]), standard()],
      rows: 3,
    });
    table.putColumn("n", Float64Array.of(1, 2, 3));
    table.putColumn("id", Int32Array.of(1, 2, 3));
    table.putCell("free", 0, { dtype: "int16", shape: [1], data: Int16Array.of(1) });
  }
  const rows = await oracleRows(path);
  assert.deepEqual(rows[2], { n: 0, b: true, s: "", free: null, id: 3 });
  {
    using table = Table.open(path);
    assertSameRows(rowsAsJson(table), rows);
  }
  const { managers } = await oracleSchema(path);
  assert.deepEqual(managers.map(({ type, columns }) => [type, columns]), [
    ["MemoryStMan", ["b", "free", "n", "s"]],
    ["StandardStMan", ["id"]],
  ]);
  await oracleWrite({
    table: path,
    open: true,
    operations: [{ op: "addrows", count: 2 }, { op: "removerows", rows: [0] }],
  });
  using table = Table.open(path);
  assertSameRows(rowsAsJson(table), await oracleRows(path));
});

peerTest(
  "forwarded columns that Tessera made are read and written by casacore, and the other way round",
  async () => {
    using folder = temporaryFolder();
    const real = `${folder.path}/real`, path = `${folder.path}/f`;
    const columns = [
      scalar("id", "int32"),
      scalar("name", "string"),
      array("x", "float32", { shape: [2] }),
      array("free", "int16", { ndim: 1 }),
    ];
    Table.create(real, { columns, storage: [standard()], rows: 3 }).close();
    {
      using table = Table.create(path, {
        columns,
        storage: [forward("Real", ["id", "name", "x", "free"], { table: real })],
        rows: 3,
      });
      table.putColumn("id", Int32Array.of(1, 2, 3));
      table.putColumn("name", ["a", "", "a longer name"]);
      table.putColumn("x", Float32Array.of(1, 2, 3, 4, 5, 6));
      table.putCell("free", 1, { dtype: "int16", shape: [2], data: Int16Array.of(8, 9) });
    }
    const jobColumns: JobColumn[] = [{ name: "id", dtype: "int32" }, {
      name: "x",
      dtype: "float32",
      kind: "array",
      shape: [2],
    }];
    for (const write of [false, true]) {
      if (write) {
        const operations = [{ op: "fill", columns: ["id", "x"], seed: 9 }] as const;
        await oracleWrite({ table: path, open: true, columns: jobColumns, operations });
      }
      using table = Table.open(path);
      using other = Table.open(real);
      const rows = await oracleRows(path);
      assertSameRows(rowsAsJson(table), rows);
      assertSameRows(rowsAsJson(other), rows);
      assertSameRows(await oracleRows(real), rows);
    }
  },
);
