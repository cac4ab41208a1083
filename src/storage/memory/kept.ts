/** Values that can go back to what they were: a commit keeps them, a transaction that fails doesn't. */

/** Values by number, with what they were when they were last kept. */
export class Kept<V> {
  #values = new Map<number, V>();
  /** What stood at the places that were changed since; undefined: nothing. */
  readonly #before = new Map<number, V | undefined>();
  /** All of it, once the places themselves changed. */
  #all: Map<number, V> | null = null;
  readonly #copy: (value: V) => V;

  /** @param copy Makes a copy that stays as it is when the value is changed. */
  constructor(copy: (value: V) => V) {
    this.#copy = copy;
  }

  get(place: number): V | undefined {
    return this.#values.get(place);
  }

  entries(): Iterable<[number, V]> {
    return this.#values.entries();
  }

  /** The value at a place, which is going to be changed. */
  changing(place: number): V | undefined {
    const value = this.#values.get(place);
    if (this.#isNew(place)) this.#before.set(place, value === undefined ? undefined : this.#copy(value));
    return value;
  }

  set(place: number, value: V): void {
    if (this.#isNew(place)) this.#before.set(place, this.#values.get(place));
    this.#values.set(place, value);
  }

  delete(place: number): void {
    if (this.#isNew(place)) this.#before.set(place, this.#values.get(place));
    this.#values.delete(place);
  }

  /** True for a place that wasn't changed yet. */
  #isNew(place: number): boolean {
    return this.#all === null && !this.#before.has(place);
  }

  /** Puts copies of some values, elsewhere, in place of all of them. */
  replaceAll(values: Map<number, V>): void {
    if (this.#all === null) {
      this.#all = this.#asBefore();
      this.#before.clear();
    }
    this.#values = values;
  }

  keep(): void {
    this.#before.clear();
    this.#all = null;
  }

  restore(): void {
    this.#values = this.#all ?? this.#asBefore();
    this.keep();
  }

  #asBefore(): Map<number, V> {
    for (const [place, value] of this.#before) {
      if (value === undefined) this.#values.delete(place);
      else this.#values.set(place, value);
    }
    return this.#values;
  }
}
