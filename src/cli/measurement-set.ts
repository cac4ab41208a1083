/**
 * What a MeasurementSet observed, from its subtables: telescope, fields, spectral windows, antennas, time span,
 * polarisations. What isn't there is left out; what can't be read says so in its place and hides nothing else.
 */
import { type NDArray, type Table, TableError, TableRecord } from "../../mod.ts";
import { errorText } from "./failure.ts";
import { layout } from "./layout.ts";
import { counted, visible } from "./text.ts";

/** Why a part can't be said. */
export interface Unreadable {
  readonly unreadable: string;
}

/** One spectral window; null for what isn't known. */
export interface WindowDescription {
  readonly channels: number | null;
  /** Middle between the first and the last channel, in Hz. */
  readonly centre: number | null;
}

/** The first and the last TIME. */
export interface TimeSpan {
  /** ISO 8601. */
  readonly start: string;
  readonly end: string;
  /** Time scale of both, from the column's keywords. */
  readonly scale: string;
  /** From start to end. */
  readonly seconds: number;
  /** False when the table is so long that only its beginning and end were read. */
  readonly complete: boolean;
}

/** A number of things and the names of the first {@linkcode MOST_LISTED} of them. */
interface Named {
  readonly count: number;
  readonly names: readonly string[];
}

/** The parts of a MeasurementSet; undefined for what it doesn't have. */
export interface MeasurementSetDescription {
  readonly observation?: { readonly telescopes: string[]; readonly observers: string[] } | Unreadable;
  readonly fields?: Named | Unreadable;
  readonly spectralWindows?: { readonly count: number; readonly windows: WindowDescription[] } | Unreadable;
  readonly antennas?: Named | Unreadable;
  readonly time?: TimeSpan | Unreadable;
  /** Names of the correlations, a list for each setup. */
  readonly polarisations?: string[][] | Unreadable;
}

/** Rows of a subtable that are looked at. */
const MOST_LISTED = 1000;
/** Rows of TIME that are read at once, and in all. */
const TIME_BATCH = 65536;
const MOST_TIMES = 2 ** 26;
/** 1970-01-01 as modified Julian date. */
const UNIX_EPOCH_DAY = 40587;

/** casacore's numbers of the Stokes parameters and correlations, from 1. */
const STOKES = ("I Q U V RR RL LR LL XX XY YX YY RX RY LX LY XR XL YR YL PP PQ QP QQ").split(" ");

/** What a correlation is called that casacore knows by that number. */
export function stokesName(code: number): string {
  return STOKES[code - 1] ?? `#${code}`;
}

/** True for a table that is a MeasurementSet by its type, or by what it has. */
export function isMeasurementSet(table: Table): boolean {
  return table.info.type === "Measurement Set" ||
    table.keywords.has("MS_VERSION") && table.keywords.kind("ANTENNA") === "table";
}

/** What `read` gives, or why it can't. */
function attempt<T>(read: () => T): T | Unreadable {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TableError)) throw error;
    return { unreadable: errorText(error) };
  }
}

/** What `read` finds in a subtable; undefined where there is no such subtable, or no rows in it. */
function inSubtable<T>(
  ms: Table,
  name: string,
  opened: (subtable: Table) => void,
  read: (subtable: Table) => T | undefined,
): T | undefined | Unreadable {
  if (ms.keywords.kind(name) !== "table") return undefined;
  return attempt(() => {
    let subtable: Table;
    try {
      subtable = ms.subtable(name);
    } catch (error) {
      // The list of subtables says that it is missing.
      if (error instanceof TableError && error.code === "NOT_FOUND") return undefined;
      throw error;
    }
    using table = subtable;
    opened(table);
    return table.rowCount === 0 ? undefined : read(table);
  });
}

/** The first rows of a column of strings, undefined where there is no such column. */
function strings(table: Table, name: string): readonly string[] | undefined {
  if (!table.columnNames.includes(name)) return undefined;
  const rows = { start: 0, end: Math.min(table.rowCount, MOST_LISTED) };
  return table.getColumn(name, { rows, dtype: "string" }).data;
}

/** Each once, without those that say nothing. */
function distinct(texts: readonly string[] = []): string[] {
  return [...new Set(texts.map((text) => text.trim()).filter((text) => text !== ""))];
}

function readObservation(table: Table) {
  const telescopes = distinct(strings(table, "TELESCOPE_NAME"));
  const observers = distinct(strings(table, "OBSERVER"));
  return telescopes.length + observers.length === 0 ? undefined : { telescopes, observers };
}

function readNames(table: Table): Named {
  return { count: table.rowCount, names: strings(table, "NAME") ?? [] };
}

/** A number, null where it is none. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** One window's channels. Only the first and the last frequency are read. */
function readWindow(table: Table, row: number): WindowDescription {
  const has = (name: string) => table.columnNames.includes(name);
  const shape = has("CHAN_FREQ") ? table.column("CHAN_FREQ").cellShape(row) : null;
  const last = (shape?.[0] ?? 0) - 1;
  if (shape?.length === 1 && last >= 0) {
    const [low, high] = [0, last].map((channel) => {
      const cell = table.getCell("CHAN_FREQ", row, { slice: [[channel, channel + 1]] }) as NDArray;
      return Number(cell.data[0]);
    });
    return { channels: last + 1, centre: finite((low! + high!) / 2) };
  }
  return { channels: has("NUM_CHAN") ? finite(Number(table.getCell("NUM_CHAN", row))) : null, centre: null };
}

function readWindows(table: Table) {
  const listed = Math.min(table.rowCount, MOST_LISTED);
  return {
    count: table.rowCount,
    windows: Array.from({ length: listed }, (_, row) => readWindow(table, row)),
  };
}

function readPolarisations(table: Table): string[][] | undefined {
  if (!table.columnNames.includes("CORR_TYPE")) return undefined;
  const rows = { start: 0, end: Math.min(table.rowCount, MOST_LISTED) };
  const setups = table.getCells("CORR_TYPE", { rows, dtype: "int32" }).map((cell) =>
    cell === null ? [] : Array.from((cell as NDArray<"int32">).data, stokesName)
  );
  return setups.filter((names) => names.length > 0);
}

/** Time of a casacore clock (seconds since MJD 0) as ISO 8601. @throws TableError CORRUPT beyond the years of ISO dates */
function isoTime(seconds: number, file: string): string {
  const date = new Date(Math.round((seconds - UNIX_EPOCH_DAY * 86400) * 1000));
  if (!Number.isNaN(date.getTime())) return date.toISOString();
  throw new TableError("CORRUPT", `TIME: ${seconds} s are no date`, { file });
}

/** The time scale of a column: UTC unless its keywords have another. */
function scaleOf(keywords: TableRecord): string {
  const info = keywords.get("MEASINFO");
  const scale = info instanceof TableRecord ? info.get("Ref") : undefined;
  return typeof scale === "string" && scale !== "" ? scale : "UTC";
}

/**
 * The smallest and the largest TIME, some rows at a time. Of a table of more than `mostRows` rows only the
 * first and the last batch are read. Undefined without rows, or with no finite time in them. @throws TableError
 */
export function timeSpan(table: Table, batchRows = TIME_BATCH, mostRows = MOST_TIMES): TimeSpan | undefined {
  if (!table.columnNames.includes("TIME")) return undefined;
  const { rowCount } = table;
  const complete = rowCount <= mostRows;
  const step = complete ? batchRows : Math.max(1, rowCount - batchRows);
  let first = Infinity, last = -Infinity;
  for (let start = 0; start < rowCount; start += step) {
    const rows = { start, end: Math.min(rowCount, start + batchRows) };
    for (const time of table.getColumn("TIME", { rows, dtype: "float64" }).data) {
      if (!Number.isFinite(time)) continue;
      if (time < first) first = time;
      if (time > last) last = time;
    }
  }
  if (first > last) return undefined;
  return {
    start: isoTime(first, table.path),
    end: isoTime(last, table.path),
    scale: scaleOf(table.column("TIME").keywords),
    seconds: last - first,
    complete,
  };
}

/** Describes an open MeasurementSet. `opened` is told of each subtable, before it is closed. */
export function describeMeasurementSet(
  ms: Table,
  opened: (subtable: Table) => void,
): MeasurementSetDescription {
  const parts = {
    observation: inSubtable(ms, "OBSERVATION", opened, readObservation),
    fields: inSubtable(ms, "FIELD", opened, readNames),
    spectralWindows: inSubtable(ms, "SPECTRAL_WINDOW", opened, readWindows),
    antennas: inSubtable(ms, "ANTENNA", opened, readNames),
    time: attempt(() => timeSpan(ms)),
    polarisations: inSubtable(ms, "POLARIZATION", opened, readPolarisations),
  };
  return Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined));
}

/** `1.4075 GHz`, `150 MHz`. */
function frequencyText(hertz: number): string {
  const [factor, unit] = hertz >= 1e9 ? [1e9, "GHz"] : [1e6, "MHz"];
  return `${Number((hertz / factor).toPrecision(6))} ${unit}`;
}

/** `95.5 s`, `12.3 min`, `8.25 h`, `3.1 d`. */
function durationText(seconds: number): string {
  const [factor, unit] = seconds < 120
    ? [1, "s"]
    : seconds < 7200
    ? [60, "min"]
    : seconds < 172800
    ? [3600, "h"]
    : [86400, "d"];
  return `${Number((seconds / factor).toPrecision(3))} ${unit}`;
}

function namesText({ count, names }: Named): string {
  return names.length === 0 ? String(count) : `${count}: ${names.map(visible).join(", ")}`;
}

function windowText({ channels, centre }: WindowDescription): string {
  const width = channels === null ? "?" : counted(channels, "channel");
  return centre === null ? width : `${width} at ${frequencyText(centre)}`;
}

function timeText({ start, end, scale, seconds, complete }: TimeSpan): string {
  const [from, to] = [start, end].map((time) => {
    const short = time.replace(/\.?0*Z$/, "");
    return scale === "UTC" ? `${short}Z` : short;
  });
  const note = (scale === "UTC" ? "" : ` ${visible(scale)}`) + (complete ? "" : " (not all rows seen)");
  return `${from} – ${to}${note}, ${durationText(seconds)}`;
}

/** The description as lines, none wider than `width`. */
export function measurementSetLines(ms: MeasurementSetDescription, width: number, color: boolean): string[] {
  const lines: [label: string, text: string][] = [];
  const add = <T extends object>(
    label: string,
    part: T | Unreadable | undefined,
    text: (part: T) => string,
  ) => {
    if (part === undefined) return;
    lines.push([label, "unreadable" in part ? `unreadable: ${part.unreadable}` : text(part)]);
  };
  add("observation", ms.observation, ({ telescopes, observers }) => {
    const by = observers.length === 0 ? [] : [`observer ${observers.map(visible).join(", ")}`];
    return [...telescopes.map(visible), ...by].join(", ");
  });
  add("fields", ms.fields, namesText);
  add(
    "spectral windows",
    ms.spectralWindows,
    ({ count, windows }) => `${count}: ${windows.map(windowText).join(", ")}`,
  );
  add("antennas", ms.antennas, namesText);
  add("time", ms.time, timeText);
  add(
    "polarisations",
    ms.polarisations,
    (setups) => distinct(setups.map((names) => names.join(" "))).join("; "),
  );
  return layout([
    { title: "", cells: lines.map(([label]) => label) },
    { title: "", cells: lines.map(([, text]) => text), least: 12 },
  ], { width, color, untitled: true });
}
