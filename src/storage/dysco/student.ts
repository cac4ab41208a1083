/**
 * Quantiles of Student's t distribution with any number ν of degrees of freedom, for level tables.
 *
 * With d(t) = (1 + t²/ν)^−(ν+1)/2 the density is c·d(t), and two series of positive terms give the share of the
 * distribution between 0 and t, and that beyond t (hypergeometric functions after Pfaff's transformation):
 *
 * | share | series | ratio of terms k + 1 and k | used for |
 * | --- | --- | --- | --- |
 * | between | c t d(t) · Σ | y (k + (ν + 1)/2) / (k + 3/2), y = t²/(ν + t²) | t² ≤ ν |
 * | beyond | c t d(t) / ν · Σ | x (k + (ν + 1)/2) / (k + 1 + ν/2), x = ν/(ν + t²) | t² > ν |
 */

/** Steps of a search; four or five are enough unless ν is absurd. */
const MAX_STEPS = 60;
/** A step shorter than this share of t is the last one. */
const PRECISION = 1e-13;
/** Terms of a series that are summed at most: its terms fall by half from one to the next, later if not at once. */
const MAX_TERMS = 100_000;
/** ln t beyond which a level is more than a float holds. */
const MAX_LOG = 100;
/** From here on a double can't tell the distribution from the normal one, and some products below would overflow. */
const MAX_NU = 1e17;

/** Γ(a + ½) / Γ(a) for a > 0, good to some 1e-15. */
function gammaRatio(a: number): number {
  // Up to where the asymptotic series is exact to a double, by Γ(a + 1) = a Γ(a).
  let shift = 1;
  for (; a < 50; a++) shift *= a / (a + 0.5);
  const u = 1 / a;
  let sum = -334477 / 2 ** 31;
  for (
    const coefficient of [
      39325 / 2 ** 25,
      869 / 2 ** 22,
      -399 / 2 ** 18,
      -21 / 2 ** 15,
      5 / 2 ** 10,
      1 / 2 ** 7,
      -1 / 2 ** 3,
      1,
    ]
  ) sum = sum * u + coefficient;
  return shift * Math.sqrt(a) * sum;
}

/** The sum of 1 + z (first / second) + z² (first / second) (first + 1) / (second + 1) + … */
function series(z: number, first: number, second: number): number {
  let sum = 0, term = 1;
  for (let k = 0; k < MAX_TERMS && sum + term !== sum; k++) {
    sum += term;
    term *= z * (first + k) / (second + k);
  }
  return sum;
}

/** Student's t distribution with ν > 0 degrees of freedom. */
export class StudentDistribution {
  readonly #nu: number;
  /** Density at 0. */
  readonly #middle: number;

  constructor(nu: number) {
    this.#nu = Math.min(nu, MAX_NU);
    this.#middle = gammaRatio(this.#nu / 2) / Math.sqrt(Math.PI * this.#nu);
  }

  /**
   * The t of which a share `p` from 7e-6 to 1 lies below; Infinity when it is far beyond what a float holds.
   *
   * @param near Where to look first: the answer for a neighbouring `p` saves steps.
   */
  quantile(p: number, near = 0): number {
    if (p === 0.5) return 0;
    const t = p < 0.5
      ? this.#search(0.5 - p, p, Math.abs(near))
      : this.#search(p - 0.5, 1 - p, Math.abs(near));
    return p < 0.5 ? -t : t;
  }

  /** The t > 0 with a share `between` of the distribution between 0 and it, and `beyond` beyond it. */
  #search(between: number, beyond: number, near: number): number {
    const nu = this.#nu;
    let t = near;
    for (let step = 0; step < MAX_STEPS; step++) {
      const density = this.#middle * Math.exp(-(nu + 1) / 2 * Math.log1p(t * t / nu));
      if (t * t <= nu) {
        const found = density * t * series(t * t / (nu + t * t), (nu + 1) / 2, 1.5);
        const change = (between - found) / density;
        // A step may lead so far out that the density is nothing there: no further than to twice √ν beyond.
        t = Math.min(t + change, Math.max(2 * t, 2 * Math.sqrt(nu)));
        if (Math.abs(change) <= PRECISION * t) break;
      } else {
        // Nearly a straight line in logarithms.
        const found = density * t * series(nu / (nu + t * t), (nu + 1) / 2, 1 + nu / 2) / nu;
        const change = Math.log(found / beyond) * found / (density * t);
        const to = Math.log(t) + change;
        if (!(to < MAX_LOG)) return Infinity;
        t = Math.exp(to);
        if (Math.abs(change) <= PRECISION) break;
      }
    }
    return t;
  }
}
