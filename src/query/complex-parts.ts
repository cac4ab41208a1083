/**
 * What of complex numbers is looked at: statistics and plots are of real ones.
 */

/** What is looked at of complex numbers; phases are in radians, from -π to π. */
export type ComplexPart = "amplitude" | "phase" | "real" | "imag";

/** Puts `count` numbers, from element `from` on, into `into`; a loop for each part, as one for all takes several times as long. */
export type PartOf = (data: ArrayLike<number>, from: number, count: number, into: Float64Array) => void;

/** Each part of complex numbers, which lie interleaved. */
export const PART_OF: Readonly<Record<ComplexPart, PartOf>> = {
  real: (data, from, count, into) => {
    for (let i = 0; i < count; i++) into[i] = data[2 * (from + i)]!;
  },
  imag: (data, from, count, into) => {
    for (let i = 0; i < count; i++) into[i] = data[2 * (from + i) + 1]!;
  },
  // Math.hypot, which also copes with squares beyond the range of numbers, takes ten times as long.
  amplitude: (data, from, count, into) => {
    for (let i = 0; i < count; i++) {
      const re = data[2 * (from + i)]!, im = data[2 * (from + i) + 1]!, square = re * re + im * im;
      into[i] = square < 1e300 && square > 1e-280 ? Math.sqrt(square) : Math.hypot(re, im);
    }
  },
  phase: (data, from, count, into) => {
    for (let i = 0; i < count; i++) {
      const re = data[2 * (from + i)]!, im = data[2 * (from + i) + 1]!;
      // The direction of an infinite number means as little as its length.
      into[i] = re - re === 0 && im - im === 0 ? Math.atan2(im, re) : re !== re || im !== im ? NaN : Infinity;
    }
  },
};
/** Real numbers as they are; an int64 as the nearest double. */
export const REAL: PartOf = (data, from, count, into) => {
  for (let i = 0; i < count; i++) into[i] = Number(data[from + i]);
};
