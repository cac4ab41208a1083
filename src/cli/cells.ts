/**
 * Cells as JSON, straight from typed arrays into the sink: no boxed values for whole numbers and flags, and pieces of
 * bounded size for everything else, so that a cell of a gigabyte takes no text of several.
 */
import type { DType, NDArray } from "../../mod.ts";
import { bigintText, jsonText, numberText } from "./json.ts";
import type { TextSink } from "./sink.ts";

/** Elements turned into one text at a time. */
const PIECE = 4096;

/** Items `from` to `to` of the data of an array, with commas between; complex values are two items each. */
export function writeItems(sink: TextSink, dtype: DType, data: unknown, from: number, to: number): void {
  switch (dtype) {
    case "bool":
      return sink.bools(data as Uint8Array, from, to);
    case "uint8":
    case "int16":
    case "uint16":
    case "int32":
    case "uint32":
      return sink.integers(data as Int32Array, from, to);
  }
  for (let at = from; at < to; at += PIECE) {
    if (at > from) sink.text(",");
    sink.text(pieceText(dtype, data, at, Math.min(to, at + PIECE)));
  }
}

function pieceText(dtype: DType, data: unknown, from: number, to: number): string {
  switch (dtype) {
    case "float32":
    case "float64":
    case "complex64":
    case "complex128":
      return realText(data as Float64Array, from, to);
    case "int64":
      return Array.from((data as BigInt64Array).subarray(from, to), bigintText).join(",");
    default:
      return (data as unknown[]).slice(from, to).map((value) => jsonText(value)).join(",");
  }
}

/** Real numbers. JSON.stringify of plain doubles is the quickest way that V8 has; it knows no NaN and no -0. */
function realText(data: Float64Array, from: number, to: number): string {
  const plain: number[] = new Array(to - from);
  let special = false;
  for (let i = from; i < to; i++) {
    const value = data[i]!;
    plain[i - from] = value;
    // NaN and infinities give NaN when taken from themselves.
    if (value - value !== 0 || (value === 0 && 1 / value < 0)) special = true;
  }
  return special ? plain.map(numberText).join(",") : JSON.stringify(plain).slice(1, -1);
}

/** Item `index` of a scalar column: a complex value as [re, im]. */
export function writeScalar(sink: TextSink, dtype: DType, data: unknown, index: number): void {
  switch (dtype) {
    case "complex64":
    case "complex128": {
      const pairs = data as Float64Array;
      return sink.text(`[${numberText(pairs[2 * index]!)},${numberText(pairs[2 * index + 1]!)}]`);
    }
    case "float32":
    case "float64":
      return sink.text(numberText((data as Float64Array)[index]!));
    case "string":
      return sink.text(JSON.stringify((data as string[])[index]));
    case "record":
      return sink.text(jsonText((data as unknown[])[index]));
    default:
      writeItems(sink, dtype, data, index, index + 1);
  }
}

/** An array cell as {"shape": [...], "data": [...]}, an undefined one as null. */
export function writeArray(sink: TextSink, cell: NDArray | null): void {
  if (cell === null) return sink.text("null");
  sink.text(`{"shape":[${cell.shape.join(",")}],"data":[`);
  writeItems(sink, cell.dtype, cell.data, 0, (cell.data as ArrayLike<unknown>).length);
  sink.text("]}");
}
