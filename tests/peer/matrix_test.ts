/**
 * Every column type × kind of shape × storage manager × byte order, both ways, through the public face: casacore writes
 * and Tessera reads; Tessera writes the same values and casacore reads them; casacore adds rows to and changes cells of
 * Tessera's table, Tessera reads it and changes it in turn, and casacore reads that.
 */
import assert from "node:assert/strict";
import {
  array,
  type Cell,
  type ColumnSpec,
  type DType,
  scalar,
  standard,
  type StorageSpec,
  Table,
  TableRecord,
  tiledColumn,
  tiledShape,
} from "../../mod.ts";
import { NUMERIC_TYPES } from "../../src/array/dtype.ts";
import { rowsAsJson } from "../rows-as-json.ts";
import { type GeneratedCell, generatedCell, type JobColumn } from "./oracle/values.ts";
import {
  assertSameRows,
  type JobManager,
  oracleRows,
  oracleWrite,
  peerTest,
  temporaryFolder,
} from "./peer.ts";

const ROWS = 23, SEED = 7;
/** The Python binding can't open tables with a uShort column; fixtures and their own case below cover those. */
const NUMBERS = NUMERIC_TYPES.filter((dtype) => dtype !== "uint16");

type Shape = "scalar" | "fixed" | "direct" | "free" | "any";

function jobColumn(dtype: DType, shape: Shape): JobColumn {
  const name = `${dtype}_${shape}`;
  switch (shape) {
    case "scalar":
      return { name, dtype, kind: dtype === "record" ? "record" : "scalar", specials: true };
    case "fixed":
      return { name, dtype, kind: "array", shape: [3, 2], specials: true };
    case "direct":
      return { name, dtype, kind: "array", shape: [5], direct: true };
    case "free":
      return { name, dtype, kind: "array", ndim: 2, undefinedEvery: 4, shapes: [[2, 3], [4, 1], [1, 7]] };
    case "any":
      return { name, dtype, kind: "array", undefinedEvery: 5, axes: [1, 3] };
  }
}

/** A manager with columns of many types in one table. */
interface Case {
  readonly about: string;
  readonly columns: readonly JobColumn[];
  readonly managers: readonly JobManager[];
  readonly storage: readonly StorageSpec[];
  /** False where a cell can't become undefined or change its shape again. */
  readonly changesShape: boolean;
}

function standardCase(about: string, shapes: readonly Shape[], dtypes: readonly DType[], rows: number): Case {
  const columns = shapes.flatMap((shape) => dtypes.map((dtype) => jobColumn(dtype, shape)));
  const names = columns.map(({ name }) => name);
  return {
    about: `StandardStMan, ${about}`,
    columns,
    managers: [{ type: "StandardStMan", name: "SSM", columns: names, spec: { BUCKETROWS: rows } }],
    storage: [standard("SSM", names, { bucketRows: rows })],
    changesShape: true,
  };
}

/** One hypercolumn with all types in it: the sections of a tile are ordered by size. */
function tiledCase(type: "TiledShapeStMan" | "TiledColumnStMan", shape: Shape, tileShape: number[]): Case {
  // The cells of a hypercolumn have one shape in a row.
  const columns = NUMBERS.map((dtype) => ({
    ...jobColumn(dtype, shape),
    ...(shape === "free" ? { like: `${NUMBERS[0]}_free` } : {}),
  }));
  const names = columns.map(({ name }) => name);
  return {
    about: `${type}, ${shape} shape, all types in one hypercolumn`,
    columns,
    managers: [{ type, name: "TSM", columns: names, spec: { DEFAULTTILESHAPE: tileShape } }],
    storage: [(type === "TiledShapeStMan" ? tiledShape : tiledColumn)("TSM", names, { tileShape })],
    changesShape: false,
  };
}

const CASES: readonly Case[] = [
  standardCase("scalars", ["scalar"], [...NUMBERS, "string", "record"], 6),
  standardCase("direct arrays", ["direct"], [...NUMBERS, "string"], 6),
  standardCase("arrays of fixed shape", ["fixed"], [...NUMBERS, "string"], 6),
  standardCase("arrays of free shape", ["free", "any"], [...NUMBERS, "string"], 6),
  tiledCase("TiledShapeStMan", "fixed", [2, 2, 5]),
  tiledCase("TiledShapeStMan", "free", [2, 2, 3]),
  tiledCase("TiledColumnStMan", "fixed", [3, 2, 4]),
  tiledCase("TiledColumnStMan", "direct", [2, 7]),
];

function columnSpec(column: JobColumn): ColumnSpec {
  const { name, dtype, kind = "scalar", shape, ndim, direct = false } = column;
  if (kind !== "array") return scalar(name, dtype);
  return array(name, dtype, {
    ...(shape ? { shape, direct } : {}),
    ...(ndim !== undefined && ndim > 0 ? { ndim } : {}),
  });
}

/** A generated cell as `putCell` takes it. */
function cellOf(cell: GeneratedCell): Cell {
  return cell !== null && typeof cell === "object" && "record" in cell
    ? TableRecord.from(cell.record)
    : cell as Cell;
}

function fill(table: Table, columns: readonly JobColumn[], rows: readonly number[], seed: number): void {
  for (const column of columns) {
    for (const row of rows) {
      const cell = generatedCell(column, seed, row);
      if (cell !== null) table.putCell(column.name, row, cellOf(cell));
    }
  }
}

const range = (start: number, end: number) => Array.from({ length: end - start }, (_, i) => start + i);

for (const { about, columns, managers, storage, changesShape } of CASES) {
  for (const byteOrder of ["little", "big"] as const) {
    peerTest(`${about}, ${byteOrder} endian: both ways`, async (t) => {
      using folder = temporaryFolder();
      const theirs = `${folder.path}/theirs.tab`, ours = `${folder.path}/ours.tab`;
      const job = { rows: ROWS, seed: SEED, byteOrder, columns, managers };

      await t.step("casacore writes, Tessera reads", async () => {
        await oracleWrite({ table: theirs, ...job });
        using table = Table.open(theirs);
        assertSameRows(rowsAsJson(table), await oracleRows(theirs));
      });

      await t.step("Tessera writes the same, casacore reads", async () => {
        {
          using table = Table.create(ours, {
            columns: columns.map(columnSpec),
            storage,
            rows: ROWS,
            byteOrder,
          });
          fill(table, columns, range(0, ROWS), SEED);
        }
        assertSameRows(await oracleRows(ours), await oracleRows(theirs));
      });

      await t.step("table.dat is the same to the byte", () => {
        assert.deepEqual(Deno.readFileSync(`${ours}/table.dat`), Deno.readFileSync(`${theirs}/table.dat`));
      });

      await t.step("casacore adds rows and changes cells, Tessera reads", async () => {
        const rows = changesShape ? [0, 5, ROWS, ROWS + 3] : [ROWS, ROWS + 3];
        await oracleWrite({
          table: ours,
          open: true,
          columns,
          operations: [{ op: "addrows", count: 6 }, { op: "fill", rows, seed: SEED + 1 }],
        });
        using table = Table.open(ours);
        assert.equal(table.rowCount, ROWS + 6);
        assertSameRows(rowsAsJson(table), await oracleRows(ours));
      });

      await t.step("Tessera adds rows and changes cells, casacore reads", async () => {
        {
          using table = Table.open(ours, { mode: "rw" });
          table.addRows(9);
          fill(
            table,
            columns,
            changesShape ? [2, ROWS + 2, ROWS + 7, ROWS + 14] : [ROWS + 7, ROWS + 14],
            SEED + 2,
          );
        }
        using table = Table.open(ours);
        assert.equal(table.rowCount, ROWS + 15);
        assertSameRows(rowsAsJson(table), await oracleRows(ours));
      });
    });
  }
}
