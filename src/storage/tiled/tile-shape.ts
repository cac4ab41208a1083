/**
 * Choosing a cube's tile shape: format reference part 4, section 7.
 *
 * The numbers must come out as casacore's do, so that a table made here has the tiles it would have there. Where
 * casacore truncates, rounds to single precision or takes the first of equal costs, so does this file.
 */

/** Pixels that a tile has when nobody says otherwise. */
export const DEFAULT_TILE_PIXELS = 32768;

/** How far a tile length may be from the ideal one: half to twice. */
const TOLERANCE = 0.5;

/** Weight of space that tiles waste at the upper edges, against deviations from the ideal shape. */
const WASTE_WEIGHT = 10;

/** Pixels left when `used` are taken of a default tile; the quotient is a single-precision number in casacore. */
function pixelsLeft(used: number): number {
  return Math.max(1, Math.trunc(Math.fround(DEFAULT_TILE_PIXELS / used) + 0.5));
}

/**
 * The tile shape of a new cube.
 *
 * @param cubeShape Lengths of the cube; 0 for a last axis that grows.
 * @param wanted The tile shape asked for; missing or zero axes are chosen here, further axes are ignored.
 * @returns A length of at least 1 for each axis of the cube.
 */
export function chooseTileShape(cubeShape: readonly number[], wanted: readonly number[]): number[] {
  const tile = cubeShape.map((length, axis) => {
    const asked = wanted[axis] ?? 0;
    return length === 0 ? asked : Math.min(asked, length);
  });
  let used = 1;
  for (const length of tile) if (length > 0) used *= length;
  const free = tile.flatMap((length, axis) => length === 0 && cubeShape[axis] !== 0 ? [axis] : []);
  if (free.length > 0) {
    const lengths = autoTile(free.map((axis) => cubeShape[axis]!), pixelsLeft(used));
    free.forEach((axis, i) => {
      tile[axis] = lengths[i]!;
      used *= lengths[i]!;
    });
  }
  const last = tile.length - 1;
  if (last >= 0 && tile[last] === 0) tile[last] = pixelsLeft(used);
  return tile;
}

/**
 * A tile shape of about `size` pixels that suits an array of shape `shape`: proportional to the array where that
 * fits, else the best compromise between shape, waste at the edges, and size.
 */
export function autoTile(shape: readonly number[], size: number): number[] {
  const ideal = idealTile(shape, size);
  if (shape.every((length, axis) => length % ideal[axis]! === 0)) return ideal;
  let volume = 1;
  for (const length of shape) volume *= length;
  if (volume <= 4 * size) return [...shape];
  const best = bestTile(shape, ideal, candidates(shape, ideal), volume, size);
  return best.map((length, axis) => {
    const tiles = Math.ceil(shape[axis]! / length);
    return Math.ceil(shape[axis]! / tiles);
  });
}

/** Proportional to the array, but at least 1 and at most the whole axis. */
function idealTile(shape: readonly number[], size: number): number[] {
  const tile: number[] = shape.map(() => 0);
  let left = size;
  for (;;) {
    const free = tile.flatMap((length, axis) => length === 0 ? [axis] : []);
    if (free.length === 0) return tile;
    let volume = 1;
    for (const axis of free) volume *= shape[axis]!;
    const factor = Math.pow(left / volume, 1 / free.length);
    // The axis on which a proportional tile would be furthest below 1 or beyond the array is settled first.
    let worst = free[0]!, worstFit = Infinity;
    for (const axis of free) {
      const length = shape[axis]! * factor;
      const fit = length > 1 ? shape[axis]! / length : length;
      if (fit < worstFit) {
        worst = axis;
        worstFit = fit;
      }
    }
    if (worstFit >= 1) {
      for (const axis of free) tile[axis] = Math.trunc(shape[axis]! * factor + 0.5);
      return tile;
    }
    tile[worst] = shape[worst]! * factor < 1 ? 1 : shape[worst]!;
    left /= tile[worst]!;
  }
}

/** Tile lengths to try on each axis: divisors of the array's length near the ideal one, or all lengths very near it. */
function candidates(shape: readonly number[], ideal: readonly number[]): number[][] {
  return shape.map((length, axis) => {
    const t = ideal[axis]!;
    const low = Math.max(1, Math.trunc(t * TOLERANCE));
    const high = Math.min(length, Math.trunc(t / TOLERANCE + 0.5));
    const lengths: number[] = [];
    for (let n = low; n <= high; n++) if (length % n === 0) lengths.push(n);
    if (lengths.length > 0) return lengths;
    for (let n = Math.trunc((t + low) / 2); n <= Math.trunc((t + high) / 2); n++) lengths.push(n);
    return lengths;
  });
}

/** The cheapest combination of candidates; axis 0 varies fastest and the first of equals wins. */
function bestTile(
  shape: readonly number[],
  ideal: readonly number[],
  choices: readonly (readonly number[])[],
  volume: number,
  size: number,
): readonly number[] {
  const at = shape.map(() => 0);
  let best: readonly number[] = ideal, bestCost = Infinity;
  for (;;) {
    let pixels = 1, padded = 1, deviation = 0;
    for (let axis = 0; axis < shape.length; axis++) {
      const t = choices[axis]![at[axis]!]!;
      pixels *= t;
      padded *= Math.ceil(shape[axis]! / t) * t;
      deviation += Math.abs(ideal[axis]! - t) / ideal[axis]!;
    }
    const cost = deviation + WASTE_WEIGHT * ((padded - volume) / volume) + Math.abs(pixels - size) / size;
    if (cost < bestCost) {
      best = at.map((i, axis) => choices[axis]![i]!);
      bestCost = cost;
    }
    let axis = 0;
    while (axis < shape.length && ++at[axis]! === choices[axis]!.length) at[axis++] = 0;
    if (axis === shape.length) return best;
  }
}
