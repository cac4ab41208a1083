/**
 * Creates, puts, reopens and gets the table that the system-call counts are about: 1,000 rows of a COMPLEX [4, 64]
 * column and a BOOL column. Prints what Tessera counted, as JSON.
 *
 * Usage: round_trip.ts PATH BACKEND tiled|standard
 */
import { array, type IoName, scalar, standard, Table, tiledShape } from "../../../mod.ts";

const [path, io, layout] = Deno.args as [string, IoName, "tiled" | "standard"];
const ROWS = 1000, CELL = [4, 64];

const data = new Float32Array(ROWS * 4 * 64 * 2).fill(1);
const flags = new Uint8Array(ROWS).fill(1);
const table = Table.create(path, {
  columns: [array("DATA", "complex64", { shape: CELL }), scalar("FLAG_ROW", "bool")],
  storage: layout === "tiled"
    ? [tiledShape("TiledData", ["DATA"], { tileShape: [4, 64, 64] }), standard("SSM")]
    : [standard("SSM")],
  rows: ROWS,
  io,
  lock: io === "pread" || io === "mmap" ? "auto" : "none",
});
table.putColumn("DATA", data);
table.putColumn("FLAG_ROW", flags);
table.close();

const again = Table.open(path, { io });
if (!again.getColumn("DATA", { dtype: "complex64" }).data.every((value) => value === 1)) {
  throw new Error("DATA differs");
}
if (!again.getColumn("FLAG_ROW", { dtype: "bool" }).data.every((value) => value === 1)) {
  throw new Error("FLAG_ROW differs");
}
again.close();
console.log(JSON.stringify([table.ioStats, again.ioStats]));
