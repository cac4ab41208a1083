/**
 * The tables that both sides read: made by Tessera, opened by all of them. What is in them doesn't repeat itself, so that
 * nobody is helped by zeros.
 */
import { array, type ColumnSpec, incremental, scalar, standard, Table, tiledShape } from "../mod.ts";

/** Correlations and channels of a cell. */
export const CELL = [4, 64] as const;
/** Elements of a cell. */
export const CELL_ELEMENTS = CELL[0] * CELL[1];
/** Rows of one integration: 26 antennas with each other, and with themselves. */
export const INTEGRATION = 351;
/** Subtables of the wide MeasurementSet. */
const SUBTABLES = 17;

/** Visibilities of some rows. */
export function visibilities(rows: number): Float32Array<ArrayBuffer> {
  const data = new Float32Array(rows * CELL_ELEMENTS * 2);
  for (let i = 0; i < data.length; i++) data[i] = i % 65_521;
  return data;
}

/** Flags of some cells: 1 in 7 is set. */
export function flags(length: number): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(length);
  for (let i = 0; i < length; i += 7) data[i] = 1;
  return data;
}

/** Columns and managers of a table of visibilities. */
export function visibilityTable(tileShape: readonly number[]) {
  return {
    columns: [
      array("DATA", "complex64", { shape: CELL }),
      array("FLAG", "bool", { shape: CELL }),
      scalar("FLAG_ROW", "bool"),
    ],
    storage: [
      tiledShape("TiledData", ["DATA"], { tileShape }),
      tiledShape("TiledFlag", ["FLAG"], { tileShape }),
      standard("SSM", { bucketRows: 1024 }),
    ],
  };
}

/** What one call of `Table.create` puts into a table of visibilities. */
export interface Values {
  readonly data: Float32Array<ArrayBuffer>;
  readonly flag: Uint8Array<ArrayBuffer>;
  readonly flagRow: Uint8Array<ArrayBuffer>;
}

/** Values for a table of visibilities. */
export function valuesOf(rows: number): Values {
  return { data: visibilities(rows), flag: flags(rows * CELL_ELEMENTS), flagRow: flags(rows) };
}

/** Makes a table of visibilities and puts all of it. */
export function writeVisibilities(
  path: string,
  rows: number,
  tileShape: readonly number[],
  { data, flag, flagRow }: Values,
  byteOrder: "little" | "big" = "little",
): void {
  using table = Table.create(path, { ...visibilityTable(tileShape), rows, byteOrder, overwrite: true });
  table.putColumn("DATA", data);
  table.putColumn("FLAG", flag);
  table.putColumn("FLAG_ROW", flagRow);
  table.flush();
}

/** An Int and a String column, each once in a standard and once in an incremental manager. */
function writeScalars(path: string, rows: number): void {
  using table = Table.create(path, {
    columns: [
      scalar("INT_SSM", "int32"),
      scalar("STRING_SSM", "string"),
      scalar("INT_ISM", "int32"),
      scalar("STRING_ISM", "string"),
    ],
    storage: [standard("SSM", ["INT_SSM", "STRING_SSM"]), incremental("ISM", ["INT_ISM", "STRING_ISM"])],
    rows,
    overwrite: true,
  });
  const each = <T>(value: (row: number) => T) => Array.from({ length: rows }, (_, row) => value(row));
  const scan = (row: number) => Math.floor(row / INTEGRATION);
  table.putColumn("INT_SSM", Int32Array.from(each((row) => row % 1000)));
  table.putColumn("STRING_SSM", each((row) => `source ${row % 1000}`));
  table.putColumn("INT_ISM", Int32Array.from(each(scan)));
  table.putColumn("STRING_ISM", each((row) => `scan ${scan(row)}`));
}

/** Visibilities alone, too many to be made in memory at once. */
function writeMany(path: string, rows: number): void {
  using table = Table.create(path, {
    columns: [array("DATA", "complex64", { shape: CELL })],
    storage: [tiledShape("TiledData", ["DATA"], { tileShape: [...CELL, 64] })],
    overwrite: true,
    byteOrder: "little",
  });
  const block = visibilities(Math.min(rows, 16_384));
  for (let start = 0; start < rows; start += 16_384) {
    table.append({ DATA: block.subarray(0, Math.min(16_384, rows - start) * CELL_ELEMENTS * 2) });
    table.flush();
  }
}

/** A MeasurementSet as casacore and CASA make it, with DATA and FLAG in tiles of 64 rows. */
function writeChunks(path: string, rows: number, { data, flag }: Values): void {
  using table = Table.createMeasurementSet(path, {
    data: ["DATA"],
    shape: CELL,
    tileShape: [...CELL, 64],
    rows,
    overwrite: true,
  });
  table.putColumn("DATA", data);
  table.putColumn("FLAG", flag);
  table.putColumn("UVW", Float64Array.from({ length: 3 * rows }, (_, i) => i));
  table.putColumn("TIME", Float64Array.from({ length: rows }, (_, row) => Math.floor(row / INTEGRATION)));
}

/** A table of 20 managers whose keywords name 17 subtables. */
function writeWide(path: string): void {
  const rows = 1000, columns: ColumnSpec[] = [], storage = [];
  for (let i = 0; i < 20; i++) {
    const name = `C${i}`;
    columns.push(i < 8 ? array(name, "float32", { shape: [4, 16] }) : scalar(name, "int32"));
    storage.push(
      i < 8
        ? tiledShape(`T${i}`, [name], { tileShape: [4, 16, 128] })
        : i < 14
        ? standard(`S${i}`, [name])
        : incremental(`I${i}`, [name]),
    );
  }
  using table = Table.create(path, { columns, storage, rows, overwrite: true });
  for (let i = 0; i < 20; i++) {
    const list = i < 8 ? new Float32Array(rows * 64) : new Int32Array(rows);
    table.putColumn(`C${i}`, list.map((_, k) => k % 97));
  }
  for (let i = 0; i < SUBTABLES; i++) {
    const name = `SUB${i}`;
    Table.create(`${path}/${name}`, { columns: [scalar("N", "int32")], rows: 10 }).close();
    table.keywords.set(name, `././${name}`, "table");
  }
}

/** Makes tables in a folder, given by name with the number of rows of each. */
export function writeTables(folder: string, which: ReadonlyMap<string, number>): void {
  let values: Values | null = null;
  for (const [name, rows] of which) {
    const path = `${folder}/${name}`;
    const vis = () => values?.flagRow.length === rows ? values : values = valuesOf(rows);
    const makers: Readonly<Record<string, () => void>> = {
      "vis64.tab": () => writeVisibilities(path, rows, [...CELL, 64], vis()),
      "vis1024.tab": () => writeVisibilities(path, rows, [...CELL, 1024], vis()),
      "big.tab": () => writeVisibilities(path, rows, [...CELL, 64], vis(), "big"),
      "split.tab": () => writeVisibilities(path, rows, [4, 32, 128], vis()),
      "chunks.ms": () => writeChunks(path, rows, vis()),
      "scalars.tab": () => writeScalars(path, rows),
      "many.tab": () => writeMany(path, rows),
      "wide.tab": () => writeWide(path),
    };
    makers[name]!();
  }
}
