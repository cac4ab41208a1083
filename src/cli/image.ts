/**
 * What a CASA image shows, from its one cell and its keywords: pixels, coordinates, masks.
 */
import { type DType, type Table, TableError, TableRecord } from "../../mod.ts";
import { errorText } from "./failure.ts";
import { layout } from "./layout.ts";
import { shapeText, visible } from "./text.ts";

/** One coordinate, which covers one axis or several. */
export interface CoordinateDescription {
  /** direction, spectral, stokes, linear, tabular. */
  readonly type: string;
  /** Names of its axes. */
  readonly axes: readonly string[];
  /** Reference frame, e.g. J2000, LSRK. */
  readonly frame?: string;
  /** Projection of a direction, e.g. SIN. */
  readonly projection?: string;
  /** What the pixels along a Stokes axis are. */
  readonly stokes?: readonly string[];
}

/** An image. */
export interface ImageDescription {
  /** Axes of the pixels, null where there are none. */
  readonly shape: readonly number[] | null;
  /** Why there is no shape. */
  readonly unreadable?: string;
  readonly dtype: DType;
  readonly unit: string;
  readonly tileShape: readonly number[] | null;
  readonly coordinates: readonly CoordinateDescription[];
  readonly masks: readonly string[];
  /** The mask that applies unless another is asked for; empty for none. */
  readonly defaultMask: string;
}

/** The column of the pixels. */
const PIXELS = "map";
const COORDINATE = /^(direction|spectral|stokes|linear|tabular)(\d+)$/;

/** True for a CASA image. */
export function isImage(table: Table): boolean {
  return table.info.type === "Image" && table.columnNames.includes(PIXELS);
}

function text(record: TableRecord, name: string): string {
  const value = record.get(name);
  return typeof value === "string" ? value : "";
}

/** A list of strings, or one; none where there is something else. */
function texts(record: TableRecord, name: string): string[] {
  const value = record.get(name);
  if (typeof value === "string") return value === "" ? [] : [value];
  const isList = record.dtype(name) === "string" && typeof value === "object" && "data" in value;
  return isList ? Array.from(value.data as ArrayLike<string>) : [];
}

/** First image axis that a coordinate stands on; axes that were removed have negative numbers. */
function firstAxis(coords: TableRecord, number: string): number {
  const map = coords.get(`pixelmap${number}`);
  const known = typeof map === "object" && "data" in map;
  const axes = known ? Array.from(map.data as ArrayLike<unknown>, Number).filter((axis) => axis >= 0) : [];
  return Math.min(...axes);
}

function describeCoordinate(type: string, record: TableRecord): CoordinateDescription {
  const [frame, projection] = [text(record, "system"), text(record, "projection")];
  const stokes = texts(record, "stokes");
  const axes = [...texts(record, "axes"), ...texts(record, "name")];
  return {
    type,
    axes: axes.length > 0 ? axes : type === "spectral" ? ["Frequency"] : [],
    ...(frame === "" ? {} : { frame }),
    ...(projection === "" ? {} : { projection }),
    ...(stokes.length === 0 ? {} : { stokes }),
  };
}

/** The coordinates in the order of the image's axes. */
function describeCoordinates(coords: TableRecord): CoordinateDescription[] {
  const found: { axis: number; coordinate: CoordinateDescription }[] = [];
  for (const [name, record] of coords) {
    const match = COORDINATE.exec(name);
    if (match === null || !(record instanceof TableRecord)) continue;
    found.push({
      axis: firstAxis(coords, match[2]!),
      coordinate: describeCoordinate(match[1]!, record),
    });
  }
  return found.sort((a, b) => a.axis < b.axis ? -1 : a.axis > b.axis ? 1 : 0).map((one) => one.coordinate);
}

function shapeOf(table: Table): Pick<ImageDescription, "shape" | "unreadable"> {
  try {
    return { shape: table.rowCount === 0 ? null : table.column(PIXELS).cellShape(0) };
  } catch (error) {
    if (!(error instanceof TableError)) throw error;
    return { shape: null, unreadable: errorText(error) };
  }
}

/** Describes an open image. No pixel is read. */
export function describeImage(table: Table): ImageDescription {
  const { keywords } = table;
  const [coords, masks] = [keywords.get("coords"), keywords.get("masks")];
  const { dtype, tileShape } = table.column(PIXELS);
  return {
    ...shapeOf(table),
    dtype,
    unit: text(keywords, "units"),
    tileShape,
    coordinates: coords instanceof TableRecord ? describeCoordinates(coords) : [],
    masks: masks instanceof TableRecord ? masks.keys() : [],
    defaultMask: text(keywords, "Image_defaultmask"),
  };
}

/** `Right Ascension, Declination (J2000 SIN)`, `Stokes I Q U V`. */
function coordinateText({ type, axes, frame, projection, stokes = [] }: CoordinateDescription): string {
  const system = [frame, projection].filter((detail) => detail !== undefined).join(" ");
  const names = [axes.length === 0 ? type : axes.join(", "), ...stokes].join(" ");
  return visible(system === "" ? names : `${names} (${system})`);
}

/** The description as lines, none wider than `width`. */
export function imageLines(image: ImageDescription, width: number, color: boolean): string[] {
  const pixels = image.unreadable !== undefined
    ? [`unreadable: ${image.unreadable}`]
    : [`${image.shape === null ? "none" : shapeText(image.shape)} ${image.dtype}`];
  if (image.unit !== "") pixels.push(visible(image.unit));
  if (image.tileShape !== null) pixels.push(`tiles of ${shapeText(image.tileShape)}`);
  const masks = image.masks.map((name) => visible(name) + (name === image.defaultMask ? " (default)" : ""));
  const lines = [
    ["pixels", pixels.join(", ")],
    ["axes", image.coordinates.map(coordinateText).join("; ")],
    ["masks", masks.join(", ")],
  ].filter(([, line]) => line !== "");
  return layout([
    { title: "", cells: lines.map(([label]) => label!) },
    { title: "", cells: lines.map(([, line]) => line!), least: 12 },
  ], { width, color, untitled: true });
}
