/**
 * How groups get to the disk: written one after the other, synced while the next one is written, told of in order.
 *
 * | a group is | then |
 * | --- | --- |
 * | frozen | it is written when the one before it was; the first of a log, when all before it are durable |
 * | written | a sync begins when none runs; it covers all groups that were written before it (`each`: one only) |
 * | durable | with all before it: `durable` is told |
 *
 * A failure stops the writing of further groups. Those before it are still synced; then `failed` is told, and until it
 * resolves nothing happens.
 */
import type { Group } from "./buffer.ts";

/** What {@linkcode GroupCommit} tells, and whom. */
export interface CommitOptions {
  /** Groups in order; those that became durable are taken away by `durable`. */
  readonly frozen: readonly Group[];
  /** True: every group is synced on its own. */
  readonly each: boolean;
  /** The first groups of the list, all of one log, are on disk. */
  readonly durable: (groups: readonly Group[]) => void;
  /** A group couldn't be written or synced. Either it is taken away with all behind it, or they are to be tried again. */
  readonly failed: (error: unknown, first: Group) => Promise<void>;
}

/** Brings groups to the disk. */
export class GroupCommit {
  readonly #options: CommitOptions;
  #writing = false;
  #syncing = false;
  #failure: { readonly error: unknown; readonly first: Group } | null = null;
  #settling = false;
  /** True when groups wait for {@linkcode resume} after a failure. */
  #stalled = false;

  constructor(options: CommitOptions) {
    this.#options = options;
  }

  /** True while `failed` has not resolved. */
  get failing(): boolean {
    return this.#failure !== null;
  }

  /** True when groups that failed wait to be tried again. */
  get stalled(): boolean {
    return this.#stalled;
  }

  /** Nothing is under way. */
  get idle(): boolean {
    return !this.#writing && !this.#syncing && this.#failure === null;
  }

  /** Tries again what failed. */
  resume(): void {
    this.#stalled = false;
    this.kick();
  }

  /** Groups that failed are to wait for {@linkcode resume}. To be called by `failed`. */
  stall(): void {
    for (const group of this.#options.frozen) group.state = "frozen";
    this.#stalled = true;
  }

  /** Begins whatever can be begun. */
  kick(): void {
    if (this.#stalled || this.#settling) return;
    if (this.#failure === null) this.#beginWrite();
    this.#beginSync();
    if (this.#failure !== null && !this.#writing && !this.#syncing) this.#settle(this.#failure);
  }

  #beginWrite(): void {
    const { frozen } = this.#options;
    if (this.#writing) return;
    const group = frozen.find(({ state }) => state === "frozen");
    // The log before it is to be complete first: a log that is there says where the one before it ends.
    if (group === undefined || (!group.log.created && group !== frozen[0])) return;
    this.#writing = true;
    group.state = "writing";
    this.#write(group).then(() => {
      group.state = "written";
    }, (error) => this.#fail(error, group)).finally(() => {
      this.#writing = false;
      this.kick();
    });
  }

  async #write(group: Group): Promise<void> {
    if (!group.log.created) await group.log.create();
    await group.log.write(group.content, group.offset);
  }

  #beginSync(): void {
    const { frozen, each, durable } = this.#options, first = frozen[0];
    if (this.#syncing || first === undefined) return;
    let count = 0;
    while (count < (each ? 1 : frozen.length)) {
      const group = frozen[count]!;
      if (group.state !== "written" || group.log !== first.log || group === this.#failure?.first) break;
      count++;
    }
    if (count === 0) return;
    const groups = frozen.slice(0, count);
    this.#syncing = true;
    first.log.sync().then(() => {
      this.#syncing = false;
      durable(groups);
    }, (error) => {
      this.#syncing = false;
      this.#fail(error, first);
    }).finally(() => this.kick());
  }

  /** The earliest group that failed counts. */
  #fail(error: unknown, first: Group): void {
    const { frozen } = this.#options;
    if (this.#failure !== null && frozen.indexOf(this.#failure.first) <= frozen.indexOf(first)) return;
    this.#failure = { error, first };
  }

  #settle({ error, first }: { error: unknown; first: Group }): void {
    this.#settling = true;
    this.#options.failed(error, first).finally(() => {
      this.#failure = null;
      this.#settling = false;
      this.kick();
    });
  }
}
