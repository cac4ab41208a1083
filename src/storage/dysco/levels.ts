/**
 * Level tables: what a symbol of a data column stands for before it is scaled. Format reference part 7, section 4.
 *
 * With b bits there are n = 2^b − 1 levels, ascending, kept as floats; symbol n is NaN. Level i lies where a share
 * c = (i + ½)/n of the distribution is below it:
 *
 * | distribution | level i |
 * | --- | --- |
 * | Uniform | s (2i + 1 − n)/n |
 * | Gaussian | s Φ⁻¹(c) |
 * | TruncatedGaussian | Φ⁻¹(c w + q), where q = Φ(−truncation) and w = 1 − 2q |
 * | StudentT | T⁻¹(c) |
 *
 * with s = √3 as a float, Φ the normal distribution function, T that of Student's t.
 */
import { normalQuantile, normalTail } from "./normal.ts";
import { StudentDistribution } from "./student.ts";

/** Distributions in the order of their codes in the file. */
export const DISTRIBUTIONS = ["Gaussian", "Uniform", "StudentT", "TruncatedGaussian"] as const;
/** What values are taken to be distributed like. */
export type Distribution = (typeof DISTRIBUTIONS)[number];

/** Which table. */
export interface LevelSpec {
  readonly distribution: Distribution;
  /** Bits of a symbol. */
  readonly bits: number;
  /** Degrees of freedom of Student's t. */
  readonly studentNu: number;
  /** Where the truncated Gaussian ends, in standard deviations. */
  readonly truncation: number;
}

/** Uniform and Gaussian levels are spread by this much. */
const SPREAD = Math.fround(Math.sqrt(3));

/** What each of the 2^bits symbols stands for: floats, as doubles; the last is NaN. */
export function levelTable(spec: LevelSpec): Float64Array<ArrayBuffer> {
  const n = 2 ** spec.bits - 1;
  const table = new Float64Array(n + 1);
  const level = levelOf(spec, n);
  for (let i = 0; i < n; i++) table[i] = Math.fround(level(i));
  table[n] = NaN;
  return table;
}

function levelOf(spec: LevelSpec, n: number): (i: number) => number {
  switch (spec.distribution) {
    case "Uniform":
      return (i) => SPREAD * (2 * i + 1 - n) / n;
    case "Gaussian":
      // The shares below and above, each taken from the small side.
      return (i) => {
        const below = 2 * i + 1, above = 2 * n - below;
        return below <= above
          ? SPREAD * normalQuantile(below / (2 * n))
          : -SPREAD * normalQuantile(above / (2 * n));
      };
    case "TruncatedGaussian": {
      const cut = normalTail(spec.truncation), kept = 1 - 2 * cut;
      return (i) => normalQuantile((i + 0.5) / n * kept + cut);
    }
    case "StudentT": {
      const student = new StudentDistribution(spec.studentNu);
      let near = 0;
      return (i) => {
        const t = student.quantile((i + 0.5) / n, near);
        // From the outermost level a search has no neighbour to start at; from then on each starts at the last.
        if (Number.isFinite(t)) near = t;
        return t;
      };
    }
  }
}
