/**
 * The manifest of a store that is open for writing, and how it changes: one publication after the other.
 */
import { TableError } from "../../error.ts";
import type { Runner } from "../background/runner.ts";
import { openDeletions } from "../compaction/policy.ts";
import type { IngestCounters } from "../counters.ts";
import { HISTORY_LENGTH, type Manifest, ManifestWriter } from "../manifest/format.ts";
import { readManifest } from "../manifest/files.ts";
import { storeBackend, type StoreFiles } from "./build.ts";
import { concatenationOf, type PublishJob } from "./publish.ts";

/** First and longest time between two tries to bring `table.dat` up to date, in milliseconds. */
const FIRST_RETRY_MS = 500, LAST_RETRY_MS = 60_000;

/** A change of the manifest; its generation is set by the publisher. */
export type Change = (manifest: Manifest) => Manifest;

/** What a publisher tells, in the same synchronous stretch in which the manifest changes. */
export interface PublisherHooks {
  /** A manifest is in force. `settled`: it is on the disk, and `table.dat` names its segments. */
  readonly inForce: (manifest: Manifest, settled: boolean) => void;
  /** What failed though the manifest is in force: it is tried again. */
  readonly failed: (error: unknown) => void;
}

/** The manifest in force, and publications. */
export class Publisher {
  readonly #files: StoreFiles;
  readonly #runner: Runner;
  readonly #time: string | null;
  readonly #counters: IngestCounters | undefined;
  readonly #hooks: PublisherHooks;
  readonly #writer = new ManifestWriter();
  #manifest: Manifest;
  #settled = true;
  /** Publications in the order in which they were asked for. */
  #queue: Promise<void> = Promise.resolve();
  #retry: ReturnType<typeof setTimeout> | undefined;
  #retryMs = FIRST_RETRY_MS;

  constructor(
    manifest: Manifest,
    files: StoreFiles,
    runner: Runner,
    time: string | null,
    counters: IngestCounters | undefined,
    hooks: PublisherHooks,
  ) {
    this.#manifest = manifest;
    this.#files = files;
    this.#runner = runner;
    this.#time = time;
    this.#counters = counters;
    this.#hooks = hooks;
  }

  get manifest(): Manifest {
    return this.#manifest;
  }

  /** The manifest is on the disk, and `table.dat` names its segments. */
  get settled(): boolean {
    return this.#settled;
  }

  /**
   * Publishes a change of what is in force when its turn comes. `then` is called in the synchronous stretch in which the new
   * manifest comes into force.
   *
   * @throws TableError IO: the old manifest is in force then; what `change` throws
   */
  publish(change: Change, then: (manifest: Manifest) => void = () => {}): Promise<void> {
    const done = this.#queue.then(() => this.#publish(change, then));
    this.#queue = done.catch(() => {});
    return done;
  }

  async #publish(change: Change, then: (manifest: Manifest) => void): Promise<void> {
    const start = performance.now(), changed = change(this.#manifest);
    const pruned = { ...changed, generation: this.#manifest.generation + 1 };
    const manifest: Manifest = {
      ...pruned,
      deletions: openDeletions(pruned, this.#time),
      history: pruned.history.slice(-HISTORY_LENGTH),
    };
    const job: PublishJob = {
      kind: "publish",
      ...this.#files,
      manifest: this.#writer.bytes(manifest),
      table: concatenationOf(manifest),
    };
    const { inForce, error } = await this.#runner.run(job).catch((error) => this.#lookFor(manifest, error));
    if (!inForce) throw error;
    this.#counters?.took("publish", start);
    this.#manifest = manifest;
    this.#settle(error, () => then(manifest));
  }

  /** Whoever published is gone, and didn't say how far it came: the disk says it. */
  #lookFor({ generation }: Manifest, error: unknown): { inForce: boolean; error: unknown } {
    const found = readManifest(this.#files.directory, storeBackend(this.#files));
    return { inForce: found.from === "current" && found.manifest.generation === generation, error };
  }

  /** What is in force may still have to be finished: others look at it, so it can't be taken back. */
  #settle(error: unknown, then: () => void): void {
    this.#settled = error === null;
    clearTimeout(this.#retry);
    then();
    this.#hooks.inForce(this.#manifest, this.#settled);
    if (this.#settled) {
      this.#retryMs = FIRST_RETRY_MS;
      return;
    }
    this.#hooks.failed(error);
    this.#retry = setTimeout(() => void this.finish().catch(() => {}), this.#retryMs);
    this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2);
  }

  /** Finishes a publication that got stuck; nothing when none did. @throws TableError IO */
  finish(): Promise<void> {
    if (this.#settled) return this.#queue;
    // A new generation syncs everything again.
    return this.publish((manifest) => manifest);
  }

  /** Resolves when what was asked for has been done; nothing is tried again afterwards. */
  async close(): Promise<void> {
    await this.#queue;
    clearTimeout(this.#retry);
  }
}

/** A TableError for whatever went wrong. */
export function asTableError(error: unknown, file: string): TableError {
  return error instanceof TableError ? error : new TableError("IO", String(error), { file, cause: error });
}
