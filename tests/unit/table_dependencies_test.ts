/**
 * Who needs whom: circles and long chains are found when they would be closed, in whatever order they become known.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Dependencies, MAX_CHAIN } from "../../src/table/dependencies.ts";

/** Longest way from `from` in a graph without circles; Infinity when it leads back to where it was. */
function longest(
  graph: ReadonlyMap<number, ReadonlySet<number>>,
  from: number,
  on = new Set<number>(),
): number {
  if (on.has(from)) return Infinity;
  const path = new Set(on).add(from);
  return Math.max(0, ...[...graph.get(from) ?? []].map((to) => 1 + longest(graph, to, path)));
}

Deno.test("a manager that needs itself, directly or through others, makes a circle", () => {
  const graph = new Dependencies();
  assert.equal(graph.add(1, 1), "circle");
  assert.equal(graph.add(1, 2), undefined);
  assert.equal(graph.add(2, 3), undefined);
  assert.equal(graph.add(3, 1), "circle");
  assert.equal(graph.add(3, 4), undefined);
  assert.equal(graph.add(1, 2), undefined);
});

Deno.test("chains end somewhere, whichever link is known first", () => {
  for (const backwards of [false, true]) {
    const graph = new Dependencies();
    const links = Array.from({ length: MAX_CHAIN }, (_, i) => [i, i + 1] as const);
    for (const [from, to] of backwards ? links.toReversed() : links) {
      assert.equal(graph.add(from, to), undefined);
    }
    assert.equal(graph.add(MAX_CHAIN, 100), "too deep");
    assert.equal(graph.add(200, 0), "too deep");
    assert.equal(graph.add(200, 1), undefined);
  }
});

Deno.test("what is refused is what a search of the whole graph refuses", () => {
  const link = (managers: number) => fc.tuple(fc.nat({ max: managers - 1 }), fc.nat({ max: managers - 1 }));
  const anyway = fc.array(link(8), { maxLength: 30 });
  // Links that lead on, in any order, make long chains and many ways to the same end.
  const all = Array.from({ length: 20 }, (_, i) => [[i, i + 1], [i, i + 2]] as const).flat();
  const onward = fc.shuffledSubarray(all, { minLength: 20 });
  fc.assert(fc.property(fc.oneof(anyway, onward), (links) => {
    const graph = new Dependencies();
    const model = new Map<number, Set<number>>();
    for (const [from, to] of links) {
      const had = model.get(from)?.has(to) ?? false;
      const needs = model.get(from) ?? new Set<number>();
      model.set(from, needs.add(to));
      const length = Math.max(...[...model.keys()].map((start) => longest(model, start)));
      const wrong = length === Infinity ? "circle" : length > MAX_CHAIN ? "too deep" : undefined;
      assert.equal(graph.add(from, to), wrong);
      if (wrong !== undefined && !had) needs.delete(to);
    }
  }));
});
