/** One of two readers at once, named after its backend: opens a table when it is told the path, and then reads DATA whenever it is asked to. */
import { type IoName, Table } from "../../mod.ts";
import { CELL_ELEMENTS } from "../tables.ts";

declare const self: {
  name: string;
  onmessage: (event: MessageEvent) => void;
  postMessage(message: unknown): void;
};

let table: Table, data: Float32Array;
self.onmessage = ({ data: path }) => {
  if (typeof path === "string") {
    table = Table.open(path, { io: self.name as IoName | "auto" });
    data = new Float32Array(table.rowCount * CELL_ELEMENTS * 2);
  } else table.getColumn("DATA", { into: data });
  self.postMessage(0);
};
