/** casacore sorts names by their bytes; JavaScript's own order of strings is that of UTF-16 units. */
import { encodeUtf8 } from "./strings.ts";

/** Negative, zero or positive: how two names stand in the ascending order of their bytes on disk. */
export function compareBytes(a: string, b: string): number {
  const x = encodeUtf8(a), y = encodeUtf8(b);
  const n = Math.min(x.length, y.length);
  for (let i = 0; i < n; i++) if (x[i] !== y[i]) return x[i]! - y[i]!;
  return x.length - y.length;
}
