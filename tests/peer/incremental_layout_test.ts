/**
 * The layouts that the tests of IncrementalStMan and StManAipsIO write beyond casacore's own: casacore reads them as
 * Tessera does, so the writers of the tests are held by it.
 */
import { readTableDat, writeTableDat } from "../../src/format/table-dat.ts";
import { openBackend } from "../../src/io/backends.ts";
import { TableFiles } from "../../src/io/files.ts";
import { stManAipsIO } from "../../src/storage/aipsio/mod.ts";
import { incrementalStMan } from "../../src/storage/incremental/mod.ts";
import type { ManagerKind } from "../../src/storage/manager.ts";
import { type AipsLayout, writeAips } from "../unit/storage_aipsio_support.ts";
import { type Layout, type ModelColumn, writeIncremental } from "../unit/storage_incremental_support.ts";
import { boundColumn, ManagedTable } from "../unit/storage_managed_support.ts";
import { NUMERIC_TYPES } from "../../src/array/dtype.ts";
import { generatedCell, type JobColumn, printedCell } from "./oracle/values.ts";
import { assertSameRows, oracleRows, oracleWrite, peerTest, temporaryFolder } from "./peer.ts";

const ROWS = 40, SEED = 11;

const TYPES = [...NUMERIC_TYPES.filter((dtype) => dtype !== "uint16"), "string"] as const;

/** Columns of every type and form. */
const COLUMNS: readonly JobColumn[] = TYPES.flatMap((dtype, i): JobColumn[] => {
  const common = { dtype, repeat: 1 + i % 4, longest: 50 };
  return [
    { ...common, name: `s_${dtype}` },
    { ...common, name: `d_${dtype}`, kind: "array", shape: [3, 3], direct: true },
    { ...common, name: `f_${dtype}`, kind: "array", shape: [2, 2] },
    { ...common, name: `v_${dtype}`, kind: "array", ndim: 2, undefinedEvery: 5 },
  ];
});

const MODEL: readonly ModelColumn[] = COLUMNS.map((job) => {
  const { name, dtype, kind = "scalar", shape = null, direct = false } = job;
  const cells = Array.from({ length: ROWS }, (_, row) => generatedCell(job, SEED, row));
  return {
    bound: boundColumn(name, { dtype, kind, shape, direct, ndim: job.ndim ?? shape?.length ?? 0 }),
    cells,
  };
});

/** Has casacore make a table without values, has `write` put files in its place, and compares three ways. */
async function compare(
  kind: ManagerKind,
  type: string,
  bigEndian: boolean,
  write: (files: TableFiles) => Uint8Array,
): Promise<void> {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`, names = COLUMNS.map(({ name }) => name);
  await oracleWrite({
    table: path,
    rows: ROWS,
    fill: false,
    columns: COLUMNS,
    byteOrder: bigEndian ? "big" : "little",
    managers: [{ type, name: "Model", columns: names }],
  });
  for (const { name } of [...Deno.readDirSync(path)]) {
    if (name.startsWith("table.f")) Deno.removeSync(`${path}/${name}`);
  }
  using files = new TableFiles(path, openBackend("node"), { writable: true });
  const blob = write(files);
  files.flush();
  const dat = readTableDat(Deno.readFileSync(`${path}/table.dat`), path);
  if (dat.kind !== "PlainTable") throw new Error(dat.kind);
  const [manager] = dat.columnSet.managers,
    columnSet = { ...dat.columnSet, managers: [{ ...manager!, blob }] };
  Deno.writeFileSync(`${path}/table.dat`, writeTableDat({ ...dat, columnSet }));
  const theirs = await oracleRows(path);
  const model = Array.from({ length: ROWS }, (_, row) => {
    return Object.fromEntries(MODEL.map(({ bound, cells }) => [bound.name, printedCell(cells[row]!)]));
  });
  assertSameRows(theirs, model, "casacore");
  using table = new ManagedTable(path, [kind]);
  assertSameRows(table.rows(), theirs, "Tessera");
}

const STARTS = [0, 1, 9, 10, 33, ROWS];
const INCREMENTAL: Readonly<Record<string, Partial<Layout>>> = {
  "a value for every row": { repeated: true },
  "values in reverse order with gaps": { scattered: true },
  "rows of 8 bytes": { wide: true },
  "free buckets, and the others in any order": { numbers: [7, 2, 0, 9, 4] },
  "an index of version 2": { versions: { index: 2 } },
};
const OLD_INCREMENTAL: Readonly<Record<string, Layout["versions"]>> = {
  "header version 1, blob version 1": { header: 1, blob: 1 },
  "header version 2, blob version 2": { header: 2, blob: 2 },
  "header version 3, blob version 1 that means 3": { header: 3, blob: 1 },
  "header version 3, blob version 3": { header: 3, blob: 3 },
};

for (const bigEndian of [false, true]) {
  const order = bigEndian ? "big" : "little";
  for (const [what, layout] of Object.entries(INCREMENTAL)) {
    peerTest(`casacore and Tessera read an IncrementalStMan alike, ${order} endian: ${what}`, async () => {
      await compare(incrementalStMan, "IncrementalStMan", bigEndian, (files) => {
        return writeIncremental(files, MODEL, { bigEndian, starts: STARTS, ...layout });
      });
    });
  }
}

for (const [what, versions] of Object.entries(OLD_INCREMENTAL)) {
  peerTest(`casacore and Tessera read an IncrementalStMan alike: ${what}`, async () => {
    await compare(incrementalStMan, "IncrementalStMan", true, (files) => {
      return writeIncremental(files, MODEL, {
        bigEndian: true,
        starts: STARTS,
        ...(versions ? { versions } : {}),
      });
    });
  });
}

const AIPS: Readonly<Record<string, AipsLayout>> = {
  "version 2, one chunk": {},
  "version 2, many chunks, the last of which says 0 rows": { cuts: [1, 8, 9, 25], openEnd: true },
  "version 2, offsets with the marker": { cuts: [3], marked: 3 },
  "version 1": { version: 1 },
  "version 1, many chunks, the last of which says 0 rows": { version: 1, cuts: [2, 17], openEnd: true },
  "version 1 with inner objects of version 2": { version: 1, innerVersion: 2, cuts: [5] },
};

for (const [what, layout] of Object.entries(AIPS)) {
  peerTest(`casacore and Tessera read a StManAipsIO alike: ${what}`, async () => {
    await compare(stManAipsIO, "StManAipsIO", false, (files) => {
      writeAips(files, MODEL, ROWS, layout);
      return new Uint8Array(0);
    });
  });
}
