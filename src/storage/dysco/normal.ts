/**
 * The standard normal distribution, as level tables need it: its quantiles, and the part beyond a truncation.
 *
 * The quantile is M. J. Wichura's algorithm AS 241 (PPND16, Applied Statistics 37, 1988), good to about 1e-16. casacore
 * uses the same one, so the doubles agree; what is wanted is that they agree when they are rounded to floats.
 */

/** Coefficients of p⁰, p¹, … */
type Polynomial = readonly number[];

/** |p − ½| up to which the central approximation serves. */
const CENTRAL = 0.425;
const CENTRAL_TOP: Polynomial = [
  3.3871328727963666080e0,
  1.3314166789178437745e2,
  1.9715909503065514427e3,
  1.3731693765509461125e4,
  4.5921953931549871457e4,
  6.7265770927008700853e4,
  3.3430575583588128105e4,
  2.5090809287301226727e3,
];
const CENTRAL_BOTTOM: Polynomial = [
  1,
  4.2313330701600911252e1,
  6.8718700749205790830e2,
  5.3941960214247511077e3,
  2.1213794301586595867e4,
  3.9307895800092710610e4,
  2.8729085735721942674e4,
  5.2264952788528545610e3,
];
/** For tails down to e⁻²⁵; a table of 65535 levels goes to 7.6e-6. */
const TAIL_SHIFT = 1.6;
const TAIL_TOP: Polynomial = [
  1.42343711074968357734e0,
  4.63033784615654529590e0,
  5.76949722146069140550e0,
  3.64784832476320460504e0,
  1.27045825245236838258e0,
  2.41780725177450611770e-1,
  2.27238449892691845833e-2,
  7.74545014278341407640e-4,
];
const TAIL_BOTTOM: Polynomial = [
  1,
  2.05319162663775882187e0,
  1.67638483018380384940e0,
  6.89767334985100004550e-1,
  1.48103976427480074590e-1,
  1.51986665636164571966e-2,
  5.47593808499534494600e-4,
  1.05075007164441684324e-9,
];

function valueOf(polynomial: Polynomial, x: number): number {
  let value = 0;
  for (let i = polynomial.length - 1; i >= 0; i--) value = value * x + polynomial[i]!;
  return value;
}

/** The x of which a share `p` of the distribution lies below; `p` from 1e-10 to 1 − 1e-10. */
export function normalQuantile(p: number): number {
  const fromMiddle = p - 0.5;
  if (Math.abs(fromMiddle) <= CENTRAL) {
    const r = CENTRAL * CENTRAL - fromMiddle * fromMiddle;
    return fromMiddle * valueOf(CENTRAL_TOP, r) / valueOf(CENTRAL_BOTTOM, r);
  }
  const r = Math.sqrt(-Math.log(Math.min(p, 1 - p))) - TAIL_SHIFT;
  const x = valueOf(TAIL_TOP, r) / valueOf(TAIL_BOTTOM, r);
  return fromMiddle < 0 ? -x : x;
}

/** Where the series from the middle gives way to the continued fraction of the tail. */
const TAIL_FROM = 0.66;
/** Enough levels of the fraction for full precision from there on. */
const FRACTION_LEVELS = 2000;

/** The share of the distribution that lies beyond `x`. */
export function normalTail(x: number): number {
  if (!(x < TAIL_FROM)) {
    // Laplace's continued fraction x + 1 / (x + 2 / (x + 3 / …)), from its end.
    let fraction = x;
    for (let k = FRACTION_LEVELS; k >= 1; k--) fraction = x + k / fraction;
    return density(x) / fraction;
  }
  if (x <= -TAIL_FROM) return 1 - normalTail(-x);
  // The integral from 0 to x is x + x³/3 + x⁵/15 + … times the density.
  let sum = 0, term = x;
  for (let k = 1; sum + term !== sum; k++) {
    sum += term;
    term *= x * x / (2 * k + 1);
  }
  return 0.5 - density(x) * sum;
}

function density(x: number): number {
  return Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
}
