/**
 * Virtual columns that casacore's Python binding writes through: scales that it chooses itself, rows added and removed,
 * stored columns of several managers. Whatever it reads afterwards, Tessera reads.
 */
import { Table } from "../../mod.ts";
import { temporaryFolder } from "../fixture.ts";
import { rowsAsJson } from "../rows-as-json.ts";
import type { JobColumn } from "./oracle/values.ts";
import { assertSameRows, type Job, type JobManager, oracleRows, oracleWrite, peerTest } from "./peer.ts";

interface Kind {
  readonly engine: string;
  readonly dtype: JobColumn["dtype"];
  readonly stored: JobColumn["dtype"];
}

const KINDS: readonly Kind[] = [
  { engine: "CompressFloat", dtype: "float32", stored: "int16" },
  { engine: "CompressComplex", dtype: "complex64", stored: "int32" },
  { engine: "CompressComplexSD", dtype: "complex64", stored: "int32" },
  { engine: "MappedArrayEngine<Complex ,DComplex>", dtype: "complex64", stored: "complex128" },
  { engine: "BitFlagsEngine<uChar   ", dtype: "bool", stored: "uint8" },
  { engine: "BitFlagsEngine<Short   ", dtype: "bool", stored: "int16" },
  { engine: "BitFlagsEngine<Int     ", dtype: "bool", stored: "int32" },
];

/** How the cells are shaped, and by whom the stored ones are held. */
const LAYOUTS: Readonly<
  Record<string, { virtual: Partial<JobColumn>; stored: Partial<JobColumn>; manager?: string }>
> = {
  free: { virtual: { ndim: 2, undefinedEvery: 4 }, stored: { ndim: 2 } },
  fixed: { virtual: { shape: [3, 2] }, stored: { shape: [3, 2] } },
  direct: { virtual: { shape: [5] }, stored: { shape: [5], direct: true } },
  half: { virtual: { shape: [4] }, stored: { ndim: 1 } },
  tiled: {
    virtual: { ndim: 1, shapes: [[7], [3]] },
    stored: { ndim: 1 },
    manager: "TiledShapeStMan",
  },
  slow: { virtual: { shape: [2, 3] }, stored: { shape: [2, 3] }, manager: "IncrementalStMan" },
};

/** A table with a column of every kind, written through its engine. */
function job(table: string, layout: string, byteOrder: "little" | "big", autoScale: boolean): Job {
  const { virtual, stored, manager } = LAYOUTS[layout]!;
  const columns: JobColumn[] = [{ name: "id", dtype: "int32" }], managers: JobManager[] = [];
  const below: string[] = [], own: string[] = [];
  KINDS.forEach((kind, i) => {
    const name = `v${i}`, target = `stored${i}`;
    below.push(target);
    own.push(name);
    columns.push({ name: target, dtype: kind.stored, kind: "array", fill: false, ...stored });
    columns.push({ name, dtype: kind.dtype, kind: "array", ...virtual });
    let spec: Record<string, unknown> = { SOURCENAME: name, TARGETNAME: target };
    if (kind.engine.startsWith("Compress")) {
      const scale = `scale${i}`, offset = `offset${i}`;
      columns.push({ name: scale, dtype: "float32", fill: false }, {
        name: offset,
        dtype: "float32",
        fill: false,
      });
      spec = autoScale
        ? { ...spec, SCALENAME: scale, OFFSETNAME: offset, AUTOSCALE: true }
        : { ...spec, SCALE: 0.5 + i, OFFSET: -0.1, AUTOSCALE: false };
    } else if (kind.engine.startsWith("Bit")) spec = { ...spec, ReadMask: 1 + 2 * i, WriteMask: 1 };
    managers.push({ type: kind.engine, name, columns: [name], spec });
  });
  const tiled = manager?.startsWith("Tiled") ?? false;
  if (manager !== undefined) {
    if (tiled) {
      for (const target of below) {
        managers.push({
          type: manager,
          name: `Tiled${target}`,
          columns: [target],
          spec: { DEFAULTTILESHAPE: [4, 3] },
        });
      }
    } else managers.push({ type: manager, name: "Below", columns: below });
  }
  return {
    table,
    rows: 9,
    seed: 77,
    byteOrder,
    columns,
    managers,
    operations: [
      { op: "reopen" },
      // Tiled managers don't remove rows, nor change the shape of a cell.
      ...(tiled ? [] : [{ op: "removerows", rows: [2, 5] } as const]),
      { op: "addrows", count: 3 },
      { op: "fill", columns: own, rows: tiled ? [9, 11] : [7, 9], seed: 78 },
    ],
  };
}

for (const layout of Object.keys(LAYOUTS)) {
  peerTest(`what casacore writes through engines is read: cells ${layout}`, async () => {
    using folder = temporaryFolder();
    for (const byteOrder of ["little", "big"] as const) {
      for (const autoScale of [true, false]) {
        const path = `${folder.path}/${byteOrder}${autoScale}`;
        await oracleWrite(job(path, layout, byteOrder, autoScale));
        using table = Table.open(path);
        assertSameRows(
          rowsAsJson(table),
          await oracleRows(path),
          `${layout}, ${byteOrder}, autoscale ${autoScale}`,
        );
      }
    }
  });
}
