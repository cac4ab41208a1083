/**
 * What correlations, antennas and spectral windows of a MeasurementSet are called. Where its subtables don't say, nothing is:
 * a plot then has numbers.
 */
import { type NDArray, type Table, TableError } from "../../mod.ts";
import { stokesName } from "./measurement-set.ts";

/** What `read` finds in a subtable; null where there is no such subtable, or none that can be read. */
function inSubtable<T>(table: Table, name: string, read: (subtable: Table) => T): T | null {
  if (table.keywords.kind(name) !== "table") return null;
  try {
    using subtable = table.subtable(name);
    return read(subtable);
  } catch (error) {
    if (error instanceof TableError) return null;
    throw error;
  }
}

/** Rows of a subtable that are looked at. */
const MOST_ROWS = 10_000;

const some = (table: Table) => ({ start: 0, end: Math.min(table.rowCount, MOST_ROWS) });

/** Names of the places along the first axis of the visibilities, where all set-ups have the same. */
export function correlationNames(table: Table, column: string): string[] | null {
  const shape = table.column(column).kind === "array" && table.rowCount > 0
    ? table.column(column).cellShape(0)
    : null;
  const setups = inSubtable(
    table,
    "POLARIZATION",
    (subtable) =>
      subtable.getCells("CORR_TYPE", { rows: some(subtable), dtype: "int32" }).map((cell) =>
        cell === null ? [] : Array.from((cell as NDArray<"int32">).data, stokesName)
      ),
  );
  if (setups === null || shape === null) return null;
  const [first, ...others] = new Set(
    setups.filter((names) => names.length > 0).map((names) => names.join(" ")),
  );
  if (first === undefined || others.length > 0) return null;
  const names = first.split(" ");
  return names.length === shape[0] ? names : null;
}

/** Names of antennas by number. */
export function antennaNames(table: Table): readonly string[] {
  return inSubtable(
    table,
    "ANTENNA",
    (subtable) => subtable.getColumn("NAME", { rows: some(subtable), dtype: "string" }).data,
  ) ?? [];
}

/** The number of an antenna that is given by number or name. @throws TableError NOT_FOUND */
export function antennaNumber(antenna: string, names: readonly string[], table: Table): number {
  const at = names.indexOf(antenna);
  if (at >= 0) return at;
  if (/^\d{1,9}$/.test(antenna)) return Number(antenna);
  const there = names.length === 0 ? "" : `; there are ${names.slice(0, 30).join(", ")}`;
  throw new TableError("NOT_FOUND", `no antenna ${antenna}${there}`, { file: table.path });
}

/** `16 channels, 1.4–1.415 GHz` for each DATA_DESC_ID. */
export function windowNames(table: Table): ReadonlyMap<number, string> {
  const windows = inSubtable(
    table,
    "DATA_DESCRIPTION",
    (subtable) =>
      Array.from(subtable.getColumn("SPECTRAL_WINDOW_ID", { rows: some(subtable), dtype: "int32" }).data),
  );
  const names = inSubtable(
    table,
    "SPECTRAL_WINDOW",
    (subtable) =>
      Array.from({ length: some(subtable).end }, (_, row) => {
        const last = (subtable.column("CHAN_FREQ").cellShape(row)?.[0] ?? 0) - 1;
        if (last < 0) return "";
        const [low, high] = [0, last].map((channel) =>
          Number((subtable.getCell("CHAN_FREQ", row, { slice: [[channel, channel + 1]] }) as NDArray).data[0])
        );
        return frequencies(low!, high!);
      }),
  );
  return new Map((windows ?? []).flatMap((window, id) => {
    const name = names?.[window];
    return name === undefined || name === "" ? [] : [[id, name] as const];
  }));
}

/** `1.4–1.415 GHz`. */
function frequencies(low: number, high: number): string {
  const [by, unit] = Math.max(low, high) >= 1e9 ? [1e9, "GHz"] : [1e6, "MHz"];
  const text = (value: number) => String(Number((value / by).toPrecision(6)));
  return low === high ? `${text(low)} ${unit}` : `${text(low)}–${text(high)} ${unit}`;
}
