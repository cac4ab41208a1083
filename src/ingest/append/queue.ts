/**
 * Appends that wait for a buffer, in the order in which they were called.
 */
import type { BatchPlan } from "../log/batch.ts";

/** An append whose values were checked. */
export interface Asked {
  readonly plan: BatchPlan;
  /** When it was called, in milliseconds. */
  readonly start: number;
  readonly resolve: (sequence: number) => void;
  readonly reject: (error: unknown) => void;
}

/** The appends that wait. */
export class AppendQueue {
  /** Those before `#head` wait no longer. */
  #list: Asked[] = [];
  #head = 0;
  /** How many don't wait any more, whatever became of them. */
  #left = 0;
  #leaving: { readonly left: number; readonly resolve: () => void }[] = [];

  /** How many wait. */
  get length(): number {
    return this.#list.length - this.#head;
  }

  /** Adds one. */
  push(asked: Asked): void {
    this.#list.push(asked);
  }

  /** Lets those go that `take` takes, from the first one on, until it doesn't. */
  drain(take: (asked: Asked) => boolean): void {
    while (this.length > 0 && take(this.#list[this.#head]!)) {
      this.#head++;
      this.#left++;
    }
    if (this.#head > this.#list.length / 2) {
      this.#list = this.#list.slice(this.#head);
      this.#head = 0;
    }
    this.#tell();
  }

  /** Takes all away. */
  clear(): Asked[] {
    const waiting = this.#list.slice(this.#head);
    this.#list = [];
    this.#head = 0;
    this.#left += waiting.length;
    this.#tell();
    return waiting;
  }

  /** Resolves when those that wait now don't any more. */
  async emptied(): Promise<void> {
    const left = this.#left + this.length;
    if (left > this.#left) await new Promise<void>((resolve) => this.#leaving.push({ left, resolve }));
  }

  #tell(): void {
    if (this.#leaving.length === 0) return;
    const done = this.#leaving.filter(({ left }) => left <= this.#left);
    this.#leaving = this.#leaving.filter(({ left }) => left > this.#left);
    for (const { resolve } of done) resolve();
  }
}
