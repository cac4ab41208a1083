/**
 * Packed symbols to floats: the loop in which quantised values become numbers again.
 *
 * The symbols are a stream of bits; symbol k takes bits k·b … k·b + b − 1, the least significant first, and stream bit
 * j is bit j mod 8 of byte ⌊j / 8⌋. A box of them is decoded, of three axes and `items` symbols a place that share a factor:
 *
 * value[r][c][p][k][i] = float(level[symbol] · (channel[c][p] · row[r][p])), all in doubles until it is rounded once,
 *
 * for k from 0 to `copies` − 1: what stands at a place is repeated.
 */

/** Which symbols of a stream, and how they lie in it. */
export interface SymbolBox {
  /** Bits of a symbol, 1 to 16. */
  readonly bits: number;
  /** Symbols that follow each other at every place: 2 for the parts of a complex number, else 1. */
  readonly items: 1 | 2;
  /** How often the values of a place are written, one after the other. */
  readonly copies: number;
  /** Number of the first symbol in the stream. */
  readonly first: number;
  /** Places on each axis, slowest first: rows, channels, correlations. */
  readonly shape: readonly [rows: number, channels: number, correlations: number];
  /** Distance in symbols between neighbours on each axis. */
  readonly steps: readonly [row: number, channel: number, correlation: number];
}

/** What symbols stand for. */
export interface SymbolScale {
  /** Value of each of the 2^bits symbols; null: the symbol itself. */
  readonly levels: Float64Array<ArrayBuffer> | null;
  /** channels × correlations, correlations fastest. */
  readonly channel: Float64Array<ArrayBuffer>;
  /** rows × correlations, correlations fastest. */
  readonly row: Float64Array<ArrayBuffer>;
}

/** Most bits of a symbol. */
export const MAX_SYMBOL_BITS = 16;

function isCount(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0;
}

/** Refuses boxes that leave their stream, and factors or targets that are too short, with a RangeError. */
export function checkSymbols(
  box: SymbolBox,
  stream: Uint8Array,
  scale: SymbolScale,
  target: Uint8Array,
): void {
  const { bits, items, copies, first, shape, steps } = box;
  const [rows, channels, correlations] = shape;
  const whole = isCount(first) && isCount(copies - 1) && isCount(rows) && isCount(channels) &&
    isCount(correlations) && isCount(steps[0]) && isCount(steps[1]) && isCount(steps[2]);
  if (
    !whole || !Number.isInteger(bits) || bits < 1 || bits > MAX_SYMBOL_BITS || (items !== 1 && items !== 2)
  ) {
    throw new RangeError(
      `symbols of ${bits} bits, ${items} at each of [${shape}] places, ${copies} times, from ${first} by ` +
        `[${steps}]: expected 1 to ${MAX_SYMBOL_BITS} bits, 1 or 2 at a place, whole numbers from 0`,
    );
  }
  const { levels, channel, row } = scale;
  if (
    (levels !== null && levels.length < 2 ** bits) || channel.length < channels * correlations ||
    row.length < rows * correlations
  ) {
    throw new RangeError(
      `${levels?.length ?? "no"} levels for ${bits} bits, ${channel.length} and ${row.length} factors for ` +
        `[${shape}] places`,
    );
  }
  const places = rows * channels * correlations, values = places * items * copies;
  if (!(values * 4 <= target.byteLength)) {
    throw new RangeError(`${values} values don't fit into ${target.byteLength} bytes`);
  }
  if (places === 0) return;
  const end = first + (rows - 1) * steps[0] + (channels - 1) * steps[1] + (correlations - 1) * steps[2] +
    items;
  if (!(end * bits <= stream.byteLength * 8)) {
    throw new RangeError(
      `symbols up to ${end} of ${bits} bits don't fit: there are ${stream.byteLength} bytes`,
    );
  }
}

/** The box of `stream` as floats from the first byte of `target`. It doesn't check: the callers have. */
export function decodeSymbols(
  box: SymbolBox,
  stream: Uint8Array,
  scale: SymbolScale,
  target: Uint8Array,
): void {
  const { bits, items, copies, first, shape: [rows, channels, correlations], steps } = box;
  const { levels, channel, row } = scale;
  const values = rows * channels * correlations * items * copies;
  const aligned = target.byteOffset % 4 === 0;
  const floats = aligned
    ? new Float32Array(target.buffer, target.byteOffset, values)
    : new Float32Array(values);
  const mask = 2 ** bits - 1;
  // A symbol of up to 16 bits from any bit of a byte lies in three bytes; the last ones of the stream may not exist.
  const inside = stream.length - 2;
  let to = 0;
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < channels; c++) {
      const start = first + r * steps[0] + c * steps[1];
      for (let p = 0; p < correlations; p++) {
        const factor = channel[c * correlations + p]! * row[r * correlations + p]!;
        const from = to;
        let bit = (start + p * steps[2]) * bits;
        for (let i = 0; i < items; i++, bit += bits) {
          const shift = bit % 8, at = (bit - shift) / 8;
          const word = at < inside
            ? stream[at]! | stream[at + 1]! << 8 | stream[at + 2]! << 16
            : stream[at]! | (stream[at + 1] ?? 0) << 8;
          const symbol = word >>> shift & mask;
          floats[to++] = (levels === null ? symbol : levels[symbol]!) * factor;
        }
        for (const end = from + items * copies; to < end; to++) floats[to] = floats[to - items]!;
      }
    }
  }
  if (!aligned) target.set(new Uint8Array(floats.buffer));
}
