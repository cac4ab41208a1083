/**
 * A CASA image as a table: its pixels are the one cell of column `map`, all else stands in the keywords.
 *
 *     deno run -A examples/image.ts [IMAGE]
 */
import { join, resolve } from "node:path";
import { type NDArray, Table, TableKeyword, TableRecord } from "../mod.ts";

const path = Deno.args[0] ?? join(import.meta.dirname!, "../tests/fixtures/tables/image");

/** True for pixels that count: those of the default mask, which has the image's shape; all if there is none. */
function readMask(image: Table): Uint8Array | null {
  const name = image.keywords.get("Image_defaultmask");
  const masks = image.keywords.get("masks");
  if (typeof name !== "string" || !(masks instanceof TableRecord)) return null;
  const mask = masks.get(name);
  const stored = mask instanceof TableRecord ? mask.get("mask") : undefined;
  if (!(stored instanceof TableKeyword)) return null;
  // The stored name is relative to the image: ././mask0.
  using table = Table.open(resolve(image.keywordsDirectory, stored.table));
  return (table.getCell("PagedArray", 0) as NDArray<"bool">).data;
}

/** Reference value and pixel of each coordinate. */
function printCoordinates(coords: TableRecord): void {
  const list = (record: TableRecord, name: string) =>
    Array.from((record.get(name) as NDArray | undefined)?.data as ArrayLike<unknown> ?? []).join(", ");
  for (const [name, record] of coords) {
    if (!(record instanceof TableRecord)) continue;
    // A spectral coordinate keeps its numbers in a record of its own.
    const wcs = record.get("wcs");
    const numbers = wcs instanceof TableRecord ? wcs : record;
    if (!numbers.has("crval")) continue;
    const scalar = (key: string) =>
      numbers.kind(key) === "scalar" ? String(numbers.get(key)) : list(numbers, key);
    const axes = record.has("axes") ? list(record, "axes") : String(record.get("name") ?? "");
    console.log(`  ${name}: ${axes}; value ${scalar("crval")} at pixel ${scalar("crpix")}`);
  }
}

using image = Table.open(path);
const pixels = image.getCell("map", 0) as NDArray<"float32"> | null;
if (pixels === null) throw new Error(`${path}: the image has no pixels`);
console.log(
  `shape [${pixels.shape.join(", ")}], ${pixels.dtype}, unit ${image.keywords.get("units") ?? "not given"}`,
);
const coords = image.keywords.get("coords");
if (coords instanceof TableRecord) printCoordinates(coords);

const mask = readMask(image);
// Complex pixels are pairs; of those the magnitude counts.
const complex = (pixels.dtype as string).startsWith("complex");
const count = pixels.shape.reduce((product, length) => product * length, 1);
if (mask !== null && mask.length !== count) {
  throw new Error(`${path}: the mask has another shape than the image`);
}
let used = 0, least = Infinity, most = -Infinity, sum = 0;
for (let i = 0; i < count; i++) {
  if (mask !== null && mask[i] === 0) continue;
  const value = complex ? Math.hypot(pixels.data[2 * i]!, pixels.data[2 * i + 1]!) : pixels.data[i]!;
  if (Number.isNaN(value)) continue;
  used++;
  least = Math.min(least, value);
  most = Math.max(most, value);
  sum += value;
}
console.log(`${used} of ${count} pixels are unmasked: min ${least}, max ${most}, mean ${sum / used}`);
