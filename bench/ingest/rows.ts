/** Rows that are appended: large ones, and those of an integration. */
import { allocate, array, type ColumnSpec, scalar } from "../../mod.ts";
import type { IngestRows } from "../../src/ingest/mod.ts";
import { MIB } from "./setting.ts";

/** Rows of an integration: a row for each pair of 27 antennas. */
export const INTEGRATION = 351;

/** Rows of one kind. */
export interface Kind {
  /** As the side of casacore knows it. */
  readonly name: "mib" | "vis";
  readonly title: string;
  readonly columns: readonly ColumnSpec[];
  /** Rows of an append. */
  readonly rows: number;
  /** Bytes of an append's values. */
  readonly bytes: number;
  /** Values of an append; arrays are shared but for those that say which it is. */
  readonly batch: (writer: number, number: number) => IngestRows;
}

const REALS = ["TIME", "EXPOSURE", "INTERVAL", "TIME_CENTROID", "WEIGHT"];
const INTEGERS = ["ANTENNA1", "ANTENNA2", "FIELD_ID", "SCAN_NUMBER"];

/** A row of 1 MiB of bytes. */
export function mibRows(): Kind {
  const payload = allocate("uint8", MIB) as Uint8Array<ArrayBuffer>;
  for (let i = 0; i < payload.length; i++) payload[i] = i * 7 >> 3;
  return {
    name: "mib",
    title: "rows of 1 MiB",
    columns: [array("PAYLOAD", "uint8", { shape: [MIB] })],
    rows: 1,
    bytes: MIB,
    batch: () => ({ PAYLOAD: payload }),
  };
}

/** Integrations: DATA and FLAG of [4, 64] and ten scalars; SCAN_NUMBER is the writer, TIME the number of its append. */
export function visRows(rows = INTEGRATION): Kind {
  const data = allocate("complex64", rows * 256) as Float32Array<ArrayBuffer>;
  for (let i = 0; i < data.length; i++) data[i] = i % 8191;
  const shared = {
    DATA: data,
    FLAG: Uint8Array.from({ length: rows * 256 }, (_, i) => i % 7 === 0 ? 1 : 0),
    FLAG_ROW: new Uint8Array(rows),
    ...Object.fromEntries(REALS.map((name) => [name, new Float64Array(rows).fill(7)])),
    ...Object.fromEntries(INTEGERS.map((name) => [name, new Int32Array(rows).fill(7)])),
  };
  return {
    name: "vis",
    title: `integrations of ${rows} rows: DATA, FLAG [4, 64] and 10 scalars`,
    columns: [
      array("DATA", "complex64", { shape: [4, 64] }),
      array("FLAG", "bool", { shape: [4, 64] }),
      ...REALS.map((name) => scalar(name, "float64")),
      ...INTEGERS.map((name) => scalar(name, "int32")),
      scalar("FLAG_ROW", "bool"),
    ],
    rows,
    bytes: rows * (2048 + 256 + REALS.length * 8 + INTEGERS.length * 4 + 1),
    batch: (writer, number) => ({
      ...shared,
      TIME: new Float64Array(rows).fill(number),
      SCAN_NUMBER: new Int32Array(rows).fill(writer),
    }),
  };
}
