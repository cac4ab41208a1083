/**
 * Which storage managers of a table compute their columns from columns of which others. Nobody knows before the columns
 * are read: each look-up adds what it learns, and a circle is found when it would be closed.
 */

/** Longest chain of columns that are computed from each other; more is not what a table is made for. */
export const MAX_CHAIN = 16;

/** A graph without circles. Managers are known by their sequence numbers. */
export class Dependencies {
  readonly #needs = new Map<number, Set<number>>();
  /** Length of the longest chain that leads to a manager. */
  readonly #depths = new Map<number, number>();

  /** Notes that `asker` needs `other`. Says what is wrong with that and notes nothing then. */
  add(asker: number, other: number): "circle" | "too deep" | undefined {
    if (this.#needs.get(asker)?.has(other)) return undefined;
    const deeper = this.#deepened(asker, other);
    if (deeper === undefined) return "circle";
    for (const depth of deeper.values()) if (depth > MAX_CHAIN) return "too deep";
    for (const [manager, depth] of deeper) this.#depths.set(manager, depth);
    const needs = this.#needs.get(asker);
    if (needs === undefined) this.#needs.set(asker, new Set([other]));
    else needs.add(other);
    return undefined;
  }

  /** New depths of `other` and all that it needs; undefined when `asker` is among them. */
  #deepened(asker: number, other: number): Map<number, number> | undefined {
    const deeper = new Map<number, number>();
    const depthOf = (manager: number) => deeper.get(manager) ?? this.#depths.get(manager) ?? 0;
    const todo: [manager: number, depth: number][] = [[other, depthOf(asker) + 1]];
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      const [manager, depth] = next;
      if (manager === asker) return undefined;
      // What it needs is deeper still: if `asker` is, it is deeper than this and the way to it goes on.
      if (depth <= depthOf(manager)) continue;
      deeper.set(manager, depth);
      for (const needed of this.#needs.get(manager) ?? []) todo.push([needed, depth + 1]);
    }
    return deeper;
  }
}
