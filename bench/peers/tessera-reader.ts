/** One of two readers at once: opens a table when it is told the path, and then reads DATA whenever it is asked to. */
import { Table } from "../../mod.ts";
import { CELL_ELEMENTS } from "../tables.ts";

declare const self: { onmessage: (event: MessageEvent) => void; postMessage(message: unknown): void };

let table: Table, data: Float32Array;
self.onmessage = ({ data: path }) => {
  if (typeof path === "string") {
    table = Table.open(path);
    data = new Float32Array(table.rowCount * CELL_ELEMENTS * 2);
  } else table.getColumn("DATA", { into: data });
  self.postMessage(0);
};
