/**
 * Coverage of the uv plane: u and v of each row, and the point on the other side that the same baseline measures.
 */
import { TableError } from "../error.ts";
import type { Table } from "../table/table.ts";
import { type BlockOptions, checkNumbers, valueBlocks } from "./blocks.ts";
import { Cloud } from "./cloud.ts";
import type { Figure, Quantity } from "./figure.ts";
import type { Resolution } from "./scatter.ts";

/** What is plotted of a column of uvw coordinates. */
export interface UvOptions extends BlockOptions {
  readonly resolution: Resolution;
}

/** u and v. */
const UV = { axis: 0, range: [0, 2, 1] } as const;

/**
 * The uv coverage of a column of `[3]` cells. Antennas against themselves, at u = v = 0, are left out.
 *
 * @throws TableError NO_SUCH_COLUMN, TYPE_MISMATCH, OUT_OF_RANGE, UNSUPPORTED, CORRUPT, IO
 */
export function uvFigure(table: Table, name: string, options: UvOptions): Figure {
  checkNumbers(table, name, "array");
  const { dtype, shape } = table.column(name);
  if (!dtype.startsWith("float") || (shape !== null && (shape.length !== 1 || shape[0]! < 2))) {
    throw new TableError("TYPE_MISMATCH", `column ${name} has no uvw coordinates: expected real [3] cells`, {
      file: table.path,
    });
  }
  const [unit = ""] = table.column(name).units;
  const blocks = () => valueBlocks(table, name, { ...options, boxes: new Map([[UV.axis, [UV.range]]]) });
  // The range is needed before the points: coordinates take little time beside what they were measured with.
  let largest = 0, rows = 0, flaggedRows = 0, invalid = 0;
  for (const { data, flagged, rows: some } of blocks()) {
    rows += some.length;
    for (let i = 0; i < some.length; i++) {
      if (flagged !== null && flagged[2 * i] !== 0) {
        flaggedRows++;
        continue;
      }
      const far = Math.max(Math.abs(data[2 * i]!), Math.abs(data[2 * i + 1]!));
      if (far - far !== 0) invalid++;
      else if (far > largest) largest = far;
    }
  }
  const cloud = () =>
    new Cloud({
      from: -largest,
      to: largest,
      columns: options.resolution.columns,
      rows: options.resolution.rows,
      most: options.resolution.points >> 1,
    });
  const [own, other] = [cloud(), cloud()];
  let points = 0, autos = 0;
  for (const { data, flagged, rows: some } of blocks()) {
    for (let i = 0; i < some.length; i++) {
      const u = data[2 * i]!, v = data[2 * i + 1]!;
      if (flagged !== null && flagged[2 * i] !== 0) continue;
      if (u - u !== 0 || v - v !== 0) continue;
      if (u === 0 && v === 0) {
        autos++;
        continue;
      }
      own.add(u, v);
      other.add(-u, -v);
      points++;
    }
  }
  const range = largest > 0 ? [-largest, largest] as const : undefined;
  const axis = (name: string): Quantity => ({
    name,
    unit,
    clock: null,
    ...(range === undefined ? {} : { range }),
  });
  return {
    kind: "uv",
    title: "uv coverage",
    counts: { rows, points, flagged: flaggedRows, invalid },
    notes: autos === 0 ? [] : [`${autos.toLocaleString("en")} autocorrelations left out`],
    panels: [{
      kind: "scatter",
      title: "",
      x: axis("u"),
      y: axis("v"),
      square: true,
      series: [{ name: "u, v", marks: own.marks() }, { name: "−u, −v", marks: other.marks() }],
    }],
  };
}
