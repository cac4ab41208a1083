import assert from "node:assert/strict";
import fc from "fast-check";
import { BufferPool, RUN_BYTES } from "../../src/io/buffers.ts";
import { Pending } from "../../src/io/pending.ts";
import { sameBytes } from "./io_help.ts";

type Action = { kind: "claim" | "drop" | "sent"; offset: number; length: number; value: number };

const action: fc.Arbitrary<Action> = fc.record({
  kind: fc.constantFrom("claim", "claim", "claim", "claim", "drop", "sent"),
  offset: fc.nat(200),
  length: fc.integer({ min: 1, max: 60 }),
  value: fc.integer({ min: 1, max: 255 }),
});

Deno.test("pending runs hold what was written last, in ascending order, none over another", () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40, size: "max" }), (actions) => {
      const pending = new Pending(new BufferPool()), model = new Uint8Array(300);
      for (const { kind, offset, length, value } of actions) {
        const end = offset + length;
        if (kind === "claim") {
          const bytes = pending.claim(offset, length);
          assert.equal(bytes.length, length);
          bytes.fill(value);
          model.fill(value, offset, end);
        } else {
          if (kind === "drop") pending.drop(offset, end);
          else pending.sent(offset, end);
          model.fill(0, offset, end);
        }
        const found = new Uint8Array(300);
        pending.overlay(found, 0);
        sameBytes(found, model);
        let last = -1, cost = 0;
        for (const run of pending.runs) {
          assert.ok(run.start >= last && run.end > run.start && run.end - run.start <= run.buffer.length);
          last = run.end;
          cost += run.buffer.length;
        }
        assert.ok(pending.cost >= cost);
        const all = model.subarray(offset, end).every((byte) => byte !== 0);
        assert.equal(pending.covers(offset, end), all);
        assert.equal(pending.touches(offset, end), model.subarray(offset, end).some((byte) => byte !== 0));
        const view = pending.view(offset, end);
        if (view !== undefined) sameBytes(view, model.subarray(offset, end));
        assert.equal(pending.lengthAround(offset) > 0, model[offset] !== 0);
      }
      pending.clear();
      assert.equal(pending.cost, 0);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("writing on and on uses the same memory again", () => {
  const pending = new Pending(new BufferPool()), buffers = new Set<ArrayBuffer>();
  let at = 0;
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i < 8; i++, at += 131_072) pending.claim(at, 131_072).fill(round);
    assert.equal(pending.runs.length, 1);
    assert.equal(pending.lengthAround(at - 1), 8 * 131_072);
    if (round > 0) buffers.add(pending.runs[0]!.buffer.buffer);
    assert.ok(pending.cost <= RUN_BYTES + 1000);
    pending.sent(0, at);
  }
  assert.equal(buffers.size, 1);
  assert.equal(pending.runs.length, 0);
});
