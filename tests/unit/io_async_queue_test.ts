/** The order of requests, and how many of a request's pieces are under way. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { LANES, Lanes } from "../../src/io/async-lanes.ts";
import { checkIdle, Place, type RequestKind, RequestQueue } from "../../src/io/async-queue.ts";
import { fails } from "./io_help.ts";

/** Lets everything that waits for nothing go on. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("requests that read run side by side, those that change something alone, each after all before it", async () => {
  const kinds = fc.constantFrom<RequestKind>("read", "read", "change", "refresh");
  const tables = fc.subarray([0, 1, 2], { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(kinds, tables, fc.nat()), { maxLength: 20 }), async (list) => {
      const queues = [0, 1, 2].map(() => new RequestQueue());
      const places = list.map(([kind, on], i) => new Place(on.map((k) => queues[k]!), `${i}`, kind));
      const overlap = (a: number, b: number) => list[a]![1].some((k) => list[b]![1].includes(k));
      const done = new Set<number>();
      const begun: number[] = [];
      places.forEach((place, i) => void place.begin().then(() => begun.push(i)));
      for (let left = list.length; left > 0; left--) {
        await settle();
        places.forEach((place, i) => {
          if (done.has(i)) return;
          const before = places.map((_, k) => k).filter((k) => k < i && !done.has(k) && overlap(k, i));
          const free = list[i]![0] === "read"
            ? before.every((k) => list[k]![0] === "read")
            : before.length === 0;
          assert.equal(place.running && begun.includes(i), free, `${i}`);
        });
        const running = places.map((_, k) => k).filter((k) => places[k]!.running && !done.has(k));
        assert(running.length > 0, "nobody gets on");
        const next = running[list[left - 1]![2] % running.length]!;
        done.add(next);
        places[next]!.leave();
      }
      assert(queues.every(({ length }) => length === 0));
    }),
    { numRuns: 30 },
  );
});

Deno.test("who is cancelled while it waits gives its place up", async () => {
  const queue = new RequestQueue(), abort = new AbortController();
  const first = new Place([queue], "first", "change"), second = new Place([queue], "second", "change");
  const third = new Place([queue], "third", "read"), waiting = second.begin(abort.signal);
  await first.begin();
  abort.abort();
  await assert.rejects(waiting, { name: "AbortError" });
  assert.match(fails(() => checkIdle([queue], false, "t"), "BUSY").message, /first is running/);
  first.leave();
  await third.begin();
  checkIdle([queue], false, "t");
  assert.match(fails(() => checkIdle([queue], true, "t"), "BUSY").message, /third is running/);
  third.leave();
  checkIdle([queue], true, "t");
});

Deno.test("who holds a table lets others read and refresh it, and keeps changes out", async () => {
  const queue = new RequestQueue(), hold = new Place([queue], "hold", "hold");
  await hold.begin();
  const refresh = new Place([queue], "refresh", "refresh");
  await refresh.begin();
  refresh.leave();
  const change = new Place([queue], "change", "change");
  await settle();
  assert.equal(change.running, false);
  hold.leave();
  await change.begin();
  change.leave();
});

Deno.test("two pieces are under way at a time, none after a failure, and none when it is said", async () => {
  const lanes = new Lanes();
  let running = 0, most = 0, made = 0;
  const job = (fail: boolean) => async () => {
    made++;
    most = Math.max(most, ++running);
    await settle();
    running--;
    if (fail) throw new Error("no");
  };
  for (let i = 0; i < 6; i++) await lanes.start(job(false));
  await lanes.drain();
  assert.deepEqual([most, made, running], [LANES, 6, 0]);
  await lanes.start(job(true));
  await lanes.start(job(false));
  await assert.rejects(lanes.start(job(false)), /no/);
  assert.deepEqual([made, running, lanes.running], [8, 0, 0]);
  await lanes.start(job(false));
  await lanes.drain();
});
