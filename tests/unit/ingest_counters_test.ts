import assert from "node:assert/strict";
import {
  INGEST_COUNTS,
  INGEST_GAUGES,
  INGEST_STAGES,
  IngestCounters,
  SIZE_BUCKETS,
  sizeBucket,
} from "../../src/ingest/counters.ts";
import { COUNTS, GAUGES, ingestMetrics } from "../../src/ingest/metrics.ts";
import { batchOf, memoryDisk, openAppender } from "./ingest_append_support.ts";

const sum = (histogram: readonly number[]) => histogram.reduce((all, each) => all + each, 0);

Deno.test("counters say what was appended, written and synced", async () => {
  const { appender, counters } = openAppender(memoryDisk());
  await Promise.all([appender.append(batchOf(1, 2, 3)), appender.append(batchOf(4))]);
  await appender.append(batchOf(5));
  await assert.rejects(appender.append({ NONE: [1] }));
  const counts = counters.snapshot();
  assert.equal(counts.appends, 3);
  assert.equal(counts.rows, 5);
  // 4 bytes a number; 4 bytes a text and one more, and 5 characters each.
  assert.equal(counts.bytes, 5 * 4 + (5 + 3) * 4 + 5 * 5);
  assert.equal(counts.failedAppends, 1);
  assert.deepEqual([counts.groups, counts.groupBytes], [2, 8192]);
  assert.deepEqual([counts.syncs, counts.syncedRows], [2, 5]);
  assert.equal(counts.logs, 1);
  assert.equal(counts.growingLogs, 1);
  assert.equal(counts.growingBytes, 3 * 4096);
  assert.deepEqual([counts.pendingAppends, counts.waitingAppends, counts.frozenBuffers, counts.activeBytes], [
    0,
    0,
    0,
    0,
  ]);
  assert.deepEqual(counts.batchRows.slice(0, 3), [2, 1, 0]);
  assert.deepEqual(counts.rowsPerSync.slice(0, 4), [1, 0, 1, 0]);
  for (const stage of ["accept", "append", "visible", "durable"] as const) {
    assert.equal(sum(counts.latency[stage]), 3, stage);
  }
  assert.equal(sum(counts.latency.seal), 0);
  await appender.close();
});

Deno.test("a snapshot stays as it is, and a reset leaves what there is now", () => {
  const counters = new IngestCounters();
  counters.add("seals");
  counters.set("segments", 7);
  counters.change("segments", -2);
  counters.took("seal", 10, 10.001);
  const before = counters.snapshot();
  counters.add("seals", 4);
  counters.reset();
  assert.deepEqual([before.seals, before.segments, before.latency.seal[9]], [1, 5, 1]);
  const after = counters.snapshot();
  assert.deepEqual([after.seals, after.segments, sum(after.latency.seal)], [0, 5, 0]);
  assert.deepEqual([counters.get("seals"), counters.get("segments")], [0, 5]);
  assert.throws(() => (before as { seals: number }).seals = 3, TypeError);
});

Deno.test("sizes are counted by their logarithm", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 1023, 1024, 2 ** 40].map(sizeBucket), [
    0,
    0,
    1,
    1,
    2,
    9,
    10,
    SIZE_BUCKETS - 1,
  ]);
});

Deno.test("every counter is in the text for scrapers, under a name of its own, with its value", () => {
  const counters = new IngestCounters();
  INGEST_COUNTS.forEach((count, i) => counters.add(count, 100 + i));
  INGEST_GAUGES.forEach((gauge, i) => counters.set(gauge, 200 + i));
  counters.took("append", 0, 1);
  counters.accepted(3, 0);
  const text = ingestMetrics(counters.snapshot(), { store: "a" }), lines = text.split("\n");
  assert.ok(text.endsWith("\n# EOF\n"));
  const value = (name: string) => {
    const found = lines.filter((line) => line.startsWith(`${name}{store="a"} `));
    assert.equal(found.length, 1, name);
    return Number(found[0]!.split(" ")[1]);
  };
  const snapshot = counters.snapshot();
  for (const count of INGEST_COUNTS) {
    assert.equal(value(`tessera_ingest_${COUNTS[count][0]}_total`), snapshot[count], count);
  }
  for (const gauge of INGEST_GAUGES) {
    assert.equal(value(`tessera_ingest_${GAUGES[gauge][0]}`), snapshot[gauge], gauge);
  }
  const names = [...Object.values(COUNTS), ...Object.values(GAUGES)].map(([name]) => name);
  assert.equal(new Set(names).size, names.length);
  for (const stage of INGEST_STAGES) {
    const count = stage === "append" ? 1 : 0;
    assert.ok(
      lines.includes(
        `tessera_ingest_stage_duration_seconds_bucket{store="a",stage="${stage}",le="+Inf"} ${count}`,
      ),
      stage,
    );
  }
  // 1 ms is more than 2^19 ns and less than 2^20.
  const until = (bound: string) =>
    `tessera_ingest_stage_duration_seconds_bucket{store="a",stage="append",le="${bound}"}`;
  assert.ok(lines.includes(`${until("0.000524288")} 0`) && lines.includes(`${until("0.001048576")} 1`));
  assert.ok(lines.includes('tessera_ingest_append_rows_bucket{store="a",le="1.0"} 0'));
  assert.ok(lines.includes('tessera_ingest_append_rows_bucket{store="a",le="3.0"} 1'));
  assert.ok(lines.includes("# UNIT tessera_ingest_log_written_bytes bytes"));
  for (const name of ["le", "stage", "0x", "__a"]) {
    assert.throws(() => ingestMetrics(counters.snapshot(), { [name]: "x" }), RangeError);
  }
});
