/**
 * The requests on one table, in order: those that read run side by side, one that changes something runs alone. Each
 * begins when all before it allow, so a read that follows a write sees what it wrote.
 *
 * A request may concern several tables, as those that a selection or concatenation refers to. It takes its place in all
 * of their queues in the same moment, so two requests are in the same order everywhere, and none waits for ever.
 */
import { TableError } from "../error.ts";

/**
 * What a request does. `refresh` forgets what is known of the table, so nobody may read it meanwhile; `hold` wants it to
 * stay open and as it is, and reads it by other calls.
 */
export type RequestKind = "read" | "hold" | "refresh" | "change";

/** A request's place in the queues. */
export class Place {
  /** What it does, for messages: "putColumnAsync of DATA". */
  readonly what: string;
  readonly kind: RequestKind;
  running = false;
  readonly #queues: readonly RequestQueue[];
  readonly #begun: Promise<void>;
  #begin!: () => void;

  /** `first`: before all that wait. */
  constructor(queues: readonly RequestQueue[], what: string, kind: RequestKind, first = false) {
    this.what = what;
    this.kind = kind;
    this.#queues = queues;
    this.#begun = new Promise((resolve) => this.#begin = resolve);
    for (const queue of queues) queue.insert(this, first);
    this.tryBegin();
  }

  /** Begins, if all queues allow. */
  tryBegin(): void {
    if (this.running || !this.#queues.every((queue) => queue.allows(this))) return;
    this.running = true;
    this.#begin();
  }

  /** Waits for its turn. @throws what the signal was aborted with, and the place is given up then */
  async begin(signal?: AbortSignal): Promise<void> {
    if (signal === undefined) return await this.#begun;
    let cancel: () => void;
    const cancelled = new Promise<never>((_, reject) => {
      cancel = () => reject(signal.reason);
      if (signal.aborted) cancel();
      else signal.addEventListener("abort", cancel);
    });
    try {
      await Promise.race([cancelled, this.#begun]);
    } catch (error) {
      this.leave();
      throw error;
    } finally {
      signal.removeEventListener("abort", cancel!);
    }
  }

  /** Gives the place up: others begin. */
  leave(): void {
    for (const queue of this.#queues) queue.remove(this);
    for (const queue of this.#queues) queue.advance();
  }
}

/** True when a request of kind `later` may begin while one of kind `earlier` runs, or waits. */
function isCompatible(earlier: RequestKind, later: RequestKind): boolean {
  if (later === "change") return false;
  if (later === "refresh") return earlier === "hold";
  return earlier === "read" || earlier === "hold";
}

/** The queue of one table. */
export class RequestQueue {
  #places: Place[] = [];

  /** Takes a place in. */
  insert(place: Place, first: boolean): void {
    const at = first ? this.#places.findIndex(({ running }) => !running) : -1;
    this.#places.splice(at < 0 ? this.#places.length : at, 0, place);
  }

  /** True when all before a place let it begin. */
  allows(place: Place): boolean {
    const index = this.#places.indexOf(place);
    return this.#places.slice(0, index).every(({ kind }) => isCompatible(kind, place.kind));
  }

  /** Takes a place out. */
  remove(place: Place): void {
    this.#places = this.#places.filter((each) => each !== place);
  }

  /** Lets those begin that may. */
  advance(): void {
    for (const place of [...this.#places]) place.tryBegin();
  }

  /** Requests that run or wait. */
  get length(): number {
    return this.#places.length;
  }

  /** Requests that somebody else's refreshing would disturb. */
  get readers(): number {
    return this.#places.filter(({ kind }) => kind !== "hold").length;
  }

  /** The request that changes something now; undefined if none does. */
  get changing(): Place | undefined {
    return this.#places.find(({ running, kind }) => running && kind === "change");
  }

  /** Waits until the requests that are here now have settled. */
  async settled(): Promise<void> {
    const last = new Place([this], "waiting for requests", "refresh");
    await last.begin();
    last.leave();
  }

  /** The first request. */
  get first(): Place | undefined {
    return this.#places[0];
  }
}

/**
 * @param change true when the call changes something; else it reads, which only a request that changes something forbids
 * @throws TableError BUSY, naming the request that is in the way
 */
export function checkIdle(queues: readonly RequestQueue[], change: boolean, file: string): void {
  for (const queue of queues) {
    const other = change ? queue.first : queue.changing;
    if (other === undefined) continue;
    throw new TableError(
      "BUSY",
      `${other.what} is ${other.running ? "running" : "waiting"}: ` +
        `${
          change ? "the table can't be changed" : "its cells can't be read by other calls"
        } until it has settled`,
      { file },
    );
  }
}
