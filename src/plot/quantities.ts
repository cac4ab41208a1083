/**
 * What columns measure: units and clocks from their keywords.
 */
import { TableRecord } from "../format/table-record.ts";
import type { ComplexPart } from "../query/complex-parts.ts";
import type { Table } from "../table/table.ts";
import type { Quantity } from "./figure.ts";

const SECONDS_A_DAY = 86400;

/** A quantity, and what the column's numbers are multiplied by to be in it. */
export interface Measured {
  readonly quantity: Quantity;
  readonly factor: number;
}

/** The clock that a column's times are of, and the seconds in its unit; null for what is no time. */
function clockOf(table: Table, name: string): { clock: string; seconds: number } | null {
  const column = table.column(name);
  const info = column.keywords.get("MEASINFO");
  const [unit = ""] = column.units;
  const seconds = unit === "s" ? 1 : unit === "d" ? SECONDS_A_DAY : 0;
  if (!(info instanceof TableRecord) || seconds === 0) return null;
  if (String(info.get("type")).toLowerCase() !== "epoch") return null;
  const reference = info.get("Ref");
  return { clock: typeof reference === "string" && reference !== "" ? reference : "UTC", seconds };
}

/** What a column of real numbers measures; times become seconds since MJD 0. @throws TableError NO_SUCH_COLUMN */
export function measured(table: Table, name: string): Measured {
  const clock = clockOf(table, name);
  if (clock !== null) {
    return { quantity: { name, unit: "s", clock: clock.clock }, factor: clock.seconds };
  }
  const column = table.column(name), [unit = ""] = column.units;
  const same = column.units.every((one) => one === unit);
  const whole = !column.dtype.startsWith("float");
  return { quantity: { name, unit: same ? unit : "", clock: null, ...(whole ? { whole } : {}) }, factor: 1 };
}

const DEGREES = 180 / Math.PI;

/** What a part of a complex column measures; phases are in degrees. */
export function measuredPart(table: Table, name: string, part: ComplexPart): Measured {
  if (part === "phase") {
    const quantity = { name: part, unit: "°", clock: null, range: [-180, 180], step: 90 } as const;
    return { quantity, factor: DEGREES };
  }
  const [unit = ""] = table.column(name).units;
  return { quantity: { name: part, unit, clock: null }, factor: 1 };
}

/** Row numbers. */
export const ROW: Quantity = { name: "row", unit: "", clock: null, whole: true };
/** Places along the second axis of a cell. */
export const CHANNEL: Quantity = { name: "channel", unit: "", clock: null, whole: true };
