/**
 * OpenMetrics text (version 1.0 of its specification), put together family by family, for what scrapes it: Prometheus and
 * its kin.
 *
 * A histogram has no sum, since none is kept, and therefore, as the specification wants it, no count; its bucket `+Inf` is
 * that. Bucket b of a histogram of durations is for those of less than 2^(b+1) ns: `le` says that many, one that takes
 * exactly so long is in the next bucket. Bucket b of one of sizes is for those up to 2^(b+1) - 1.
 */

/** Labels by name. */
export type MetricLabels = Readonly<Record<string, string>>;

/** A value and what tells it from others of its family. */
export type MetricSample = readonly [labels: MetricLabels, value: number];

/** First and last bucket of durations with a line of its own, 256 ns and 17 s: shorter ones are in the first, longer in `+Inf`. */
const FIRST_BUCKET = 7, LAST_BUCKET = 33;

const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

function labelText(labels: MetricLabels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(text: string): string {
  return text.replace(/[\\"\n]/g, (c) => c === "\n" ? "\\n" : `\\${c}`).toWellFormed();
}

/** A bound as `%g` writes it: the specification wants numbers of `le` to look alike everywhere. */
function boundText(bound: number): string {
  if (bound >= 1e-4) return Number.isInteger(bound) ? `${bound}.0` : String(bound);
  return bound.toExponential().replace(/e-(\d)$/, "e-0$1");
}

/** 2^(b+1) nanoseconds in seconds: the number nearest to that. */
function secondsOf(bucket: number): number {
  return Number(`${2 ** (bucket + 1)}e-9`);
}

/** The text, as it grows. */
export class MetricText {
  readonly #lines: string[] = [];
  readonly #prefix: string;
  readonly #labels: MetricLabels;

  /**
   * @param prefix What the names of all families begin with
   * @param labels Labels that every sample gets
   * @param own Names of labels that are used here
   * @throws RangeError for a label whose name isn't one, or is used here
   */
  constructor(prefix: string, labels: MetricLabels, own: readonly string[]) {
    for (const name of Object.keys(labels)) {
      if (!LABEL_NAME.test(name) || name.startsWith("__") || own.includes(name)) {
        throw new RangeError(`expected the name of a label that isn't ${own.join(", ")}, found ${name}`);
      }
    }
    this.#prefix = prefix;
    this.#labels = labels;
  }

  #family(
    name: string,
    type: "counter" | "gauge" | "histogram",
    help: string,
    samples: readonly MetricSample[] | number,
  ): void {
    const list: readonly MetricSample[] = typeof samples === "number" ? [[{}, samples]] : samples;
    if (list.length === 0) return;
    const full = this.#prefix + name, unit = /_(bytes|seconds)$/.exec(name)?.[1];
    this.#lines.push(`# TYPE ${full} ${type}`);
    if (unit !== undefined) this.#lines.push(`# UNIT ${full} ${unit}`);
    this.#lines.push(`# HELP ${full} ${help}`);
    const suffix = { counter: "_total", gauge: "", histogram: "_bucket" }[type];
    for (const [own, value] of list) {
      this.#lines.push(`${full}${suffix}${labelText({ ...this.#labels, ...own })} ${value}`);
    }
  }

  /** Something that is counted up. */
  counter(name: string, help: string, samples: readonly MetricSample[] | number): void {
    this.#family(name, "counter", help, samples);
  }

  /** Something that goes up and down. */
  gauge(name: string, help: string, samples: readonly MetricSample[] | number): void {
    this.#family(name, "gauge", help, samples);
  }

  /** Durations by kind: entry b counts those of 2^b to 2^(b+1) nanoseconds. */
  durations(
    name: string,
    help: string,
    histograms: readonly (readonly [labels: MetricLabels, histogram: readonly number[]])[],
  ): void {
    const lines = (histogram: readonly number[]) => buckets(histogram, FIRST_BUCKET, LAST_BUCKET, secondsOf);
    this.#family(
      name,
      "histogram",
      help,
      histograms.flatMap(([labels, each]) => lines(each).map(withLabels(labels))),
    );
  }

  /** Sizes: entry b counts those of 2^b to 2^(b+1) - 1, entry 0 also 0. */
  sizes(name: string, help: string, histogram: readonly number[]): void {
    const lines = buckets(histogram, 0, histogram.length - 2, (bucket) => 2 ** (bucket + 1) - 1);
    this.#family(name, "histogram", help, lines.map(withLabels({})));
  }

  /** The text, which ends with `# EOF`. */
  finish(): string {
    return `${this.#lines.join("\n")}\n# EOF\n`;
  }
}

function withLabels(labels: MetricLabels): (line: readonly [le: string, count: number]) => MetricSample {
  return ([le, count]) => [{ ...labels, le }, count];
}

/** How many there are up to each bound. */
function buckets(
  histogram: readonly number[],
  first: number,
  last: number,
  bound: (bucket: number) => number,
): [le: string, count: number][] {
  const found: [string, number][] = [];
  let count = 0;
  histogram.forEach((each, bucket) => {
    count += each;
    if (bucket >= first && bucket <= last) found.push([boundText(bound(bucket)), count]);
  });
  found.push(["+Inf", count]);
  return found;
}
