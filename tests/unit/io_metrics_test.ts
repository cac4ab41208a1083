import assert from "node:assert/strict";
import { array, Context, type IoSnapshot, openMetrics, Table } from "../../mod.ts";
import { IoStats } from "../../src/io/counters.ts";
import { sumSnapshots } from "../../src/io/metrics.ts";

interface Family {
  type: string;
  unit?: string;
  help?: string;
  samples: { name: string; labels: Record<string, string>; value: number }[];
}

const METRIC = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\"n])*"';
const NUMBER = "[+-]?(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:[eE][+-]?\\d+)?";
const SAMPLE = new RegExp(`^(${METRIC})(?:\\{(${LABEL}(?:,${LABEL})*)?\\})? (${NUMBER})$`);
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ["_total", "_created"],
  gauge: [""],
  histogram: ["_bucket", "_count", "_sum", "_created"],
};

/** A parser of what the specification of OpenMetrics 1.0 says of counters, gauges and histograms. Throws for anything else. */
function parse(text: string): Map<string, Family> {
  assert.ok(text.endsWith("\n# EOF\n"), "the text ends with # EOF and a line feed");
  const families = new Map<string, Family>(), seen = new Set<string>();
  let name = "";
  for (const line of text.slice(0, -"# EOF\n".length).split("\n").slice(0, -1)) {
    const meta = new RegExp(`^# (TYPE|UNIT|HELP) (${METRIC}) (.*)$`).exec(line);
    if (meta !== null) {
      const [, kind, of, rest] = meta as unknown as [string, string, string, string];
      if (of !== name) {
        assert.ok(!families.has(of), `${of}: a family is in one piece`);
        families.set(name = of, { type: "unknown", samples: [] });
      }
      const family = families.get(name)!;
      assert.equal(family.samples.length, 0, `${line}: metadata comes before samples`);
      if (kind === "TYPE") {
        assert.equal(family.type, "unknown");
        family.type = rest;
      } else if (kind === "UNIT") {
        assert.ok(name.endsWith(`_${rest}`), line);
        family.unit = rest;
      } else family.help = rest;
      continue;
    }
    const sample = SAMPLE.exec(line);
    assert.ok(sample !== null, `no sample: ${line}`);
    const family = families.get(name)!;
    assert.ok(
      SUFFIXES[family.type]?.some((suffix) => sample[1] === name + suffix),
      `${line} is of no ${name}`,
    );
    const labels = [...(sample[2] ?? "").matchAll(new RegExp(LABEL, "g"))].map(([pair]) => {
      const at = pair.indexOf("=");
      const value = pair.slice(at + 2, -1).replace(/\\(.)/g, (_, c) => c === "n" ? "\n" : c);
      return [pair.slice(0, at), value] as const;
    });
    assert.equal(
      new Set(labels.map(([label]) => label)).size,
      labels.length,
      `${line}: a label is there once`,
    );
    const id = JSON.stringify([sample[1], [...labels].sort()]);
    assert.ok(!seen.has(id), `${line} is there twice`);
    seen.add(id);
    family.samples.push({ name: sample[1]!, labels: Object.fromEntries(labels), value: Number(sample[3]) });
  }
  for (const [name, { type, samples }] of families) {
    assert.notEqual(type, "unknown", name);
    if (type === "histogram") checkHistogram(samples);
  }
  return families;
}

function checkHistogram(samples: Family["samples"]): void {
  const groups = Map.groupBy(samples, ({ labels: { le: _, ...others } }) => JSON.stringify(others));
  for (const [group, list] of groups) {
    const bounds = list.map(({ labels }) => labels.le === "+Inf" ? Infinity : Number(labels.le));
    assert.equal(bounds.at(-1), Infinity, group);
    for (let i = 1; i < list.length; i++) {
      assert.ok(bounds[i]! > bounds[i - 1]!, `${group}: bounds ascend`);
      assert.ok(list[i]!.value >= list[i - 1]!.value, `${group}: calls add up`);
    }
    // A count is there if and only if a sum is.
    assert.deepEqual(list.filter(({ name }) => !name.endsWith("_bucket")), []);
  }
}

function value(
  families: Map<string, Family>,
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  const [found, ...others] = families.get(name)!.samples
    .filter((sample) => Object.entries(labels).every(([label, text]) => sample.labels[label] === text));
  assert.equal(others.length, 0);
  return found?.value;
}

function counted(): IoSnapshot {
  const directory = Deno.makeTempDirSync(), path = `${directory}/t.tab`;
  try {
    Table.create(path, { columns: [array('A "B"\\', "int32", { shape: [8] })], rows: 5000 }).close();
    using table = Table.open(path, { context: new Context() });
    table.getColumn('A "B"\\');
    return table.ioStats;
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("counters in OpenMetrics form are valid, and say what the counters say", () => {
  const snapshot = counted(), families = parse(openMetrics(snapshot));
  assert.equal(families.size, 13);
  for (const [kind, calls] of Object.entries(snapshot.calls)) {
    assert.equal(value(families, "tessera_io_calls", { kind }), calls);
  }
  assert.equal(value(families, "tessera_io_read_bytes"), snapshot.bytesRead);
  assert.equal(value(families, "tessera_io_seeks"), snapshot.seeks);
  assert.equal(value(families, "tessera_io_cache_pages", { result: "hit" }), snapshot.cacheHits);
  const column = 'A "B"\\';
  assert.equal(
    value(families, "tessera_io_column_cache_pages", { column, result: "miss" }),
    snapshot.byColumn[column]!.cacheMisses,
  );
  const all = value(families, "tessera_io_call_duration_seconds", { kind: "read", le: "+Inf" });
  assert.equal(all, snapshot.calls.read);
  assert.equal(families.get("tessera_io_read_bytes")!.unit, "bytes");
});

Deno.test("buckets of a histogram are in seconds, and each holds those before it", () => {
  const none = new IoStats().snapshot();
  const read = none.latency.read.slice();
  read[0] = 1; // below 2 ns
  read[9] = 10; // below 1.024 µs
  read[29] = 100; // below 1.07 s
  read[39] = 1000;
  const families = parse(openMetrics({ ...none, latency: { ...none.latency, read } }));
  const upTo = (le: string) => value(families, "tessera_io_call_duration_seconds", { kind: "read", le });
  assert.equal(upTo("2.56e-07"), 1);
  assert.equal(upTo("5.12e-07"), 1);
  assert.equal(upTo("1.024e-06"), 11);
  assert.equal(upTo("1.073741824"), 111);
  assert.equal(upTo("+Inf"), 1111);
});

Deno.test("labels of the caller are on every sample, with what must be escaped", () => {
  const table = 'a "b"\n\\c', families = parse(openMetrics(counted(), { table }));
  for (const { samples } of families.values()) {
    for (const { labels } of samples) assert.equal(labels.table, table);
  }
  for (const name of ["le", "a b", "__a", ""]) {
    assert.throws(() => openMetrics(counted(), { [name]: "x" }), RangeError);
  }
});

Deno.test("counters of several tables are added, histograms and columns too", () => {
  const one = counted(), two = sumSnapshots([one, one]);
  assert.equal(two.calls.read, 2 * one.calls.read);
  assert.deepEqual(two.latency.read, one.latency.read.map((calls) => 2 * calls));
  const column = 'A "B"\\';
  assert.equal(two.byColumn[column]!.cacheMisses, 2 * one.byColumn[column]!.cacheMisses);
  assert.deepEqual(Object.keys(two).sort(), Object.keys(one).sort());
});
