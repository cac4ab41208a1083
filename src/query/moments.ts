/**
 * Count, extremes, mean and standard deviation of a stream of numbers, without loss of digits where the mean is large
 * beside the spread: of each piece mean and sum of squared deviations are worked out by themselves, and joined by the
 * formula of Chan, Golub and LeVeque (Welford's for pieces of many values).
 */

/** What is known of some numbers. */
export class Moments {
  count = 0;
  min = Infinity;
  max = -Infinity;
  mean = 0;
  /** Sum of squared deviations from the mean. */
  #squares = 0;

  /** Takes numbers in; none of them is NaN. */
  add(values: Float64Array): void {
    const n = values.length;
    if (n === 0) return;
    let sum = 0, min = values[0]!, max = min;
    for (let i = 0; i < n; i++) {
      const value = values[i]!;
      sum += value;
      if (value < min) min = value;
      else if (value > max) max = value;
    }
    const mean = sum / n;
    let squares = 0;
    for (let i = 0; i < n; i++) {
      const apart = values[i]! - mean;
      squares += apart * apart;
    }
    const total = this.count + n, apart = mean - this.mean;
    this.mean = this.count === 0 ? mean : this.mean + apart * (n / total);
    this.#squares += squares + (this.count === 0 ? 0 : apart * apart * (this.count * (n / total)));
    this.count = total;
    this.min = Math.min(this.min, min);
    this.max = Math.max(this.max, max);
  }

  /** Standard deviation of these numbers, divided by their count; NaN of none. */
  get std(): number {
    return this.count === 0 ? NaN : Math.sqrt(this.#squares / this.count);
  }
}
