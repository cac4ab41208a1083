/**
 * A store that is open for reading, while another process may write: what it has is looked up anew with every call.
 */
import { resolve } from "node:path";
import { TableError } from "../error.ts";
import { openBackend } from "../io/backends.ts";
import type { Finding } from "../storage/findings.ts";
import type { IngestCounters } from "./counters.ts";
import { type LogSet, scanLogs } from "./log/scan.ts";
import type { SegmentEntry } from "./manifest/format.ts";
import type { IngestOptions } from "./options.ts";
import type { IngestSchema } from "./schema.ts";
import { LOGS } from "./segments/places.ts";
import { SegmentStore } from "./segments/store.ts";
import type { HeldTable, StateSource, StoreState } from "./view/state.ts";

/** How often it is looked again when logs and manifest don't fit together: a log became a segment in between. */
const MAX_TRIES = 100;
const DEFAULT_POLL_MS = 2;

/** One that reads. */
export class Follower implements StateSource {
  readonly path: string;
  readonly findings: readonly Finding[];
  readonly #segments: SegmentStore;
  readonly #logs: LogSet;
  readonly #pollMs: number;
  readonly #listeners = new Set<() => void>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(path: string, options: IngestOptions, counters: IngestCounters) {
    const directory = this.path = resolve(path);
    this.#pollMs = options.pollMs ?? DEFAULT_POLL_MS;
    const context = options.context && { context: options.context };
    const segments = this.#segments = SegmentStore.open(directory, { mode: "r", counters, ...context });
    try {
      const backend = options.backend ?? openBackend(options.io ?? "auto", { writable: false, ...context });
      this.#logs = retried(segments, () => {
        const { manifest, schema } = segments;
        return scanLogs({
          directory: `${directory}/${LOGS}`,
          schema,
          storeId: manifest.store,
          firstLog: manifest.firstLog,
          nextSequence: manifest.nextSequence,
          backend,
          mode: "read",
        });
      });
    } catch (error) {
      void segments.close();
      throw error;
    }
    this.findings = [...segments.findings, ...this.#logs.findings];
  }

  get schema(): IngestSchema {
    return this.#segments.schema;
  }

  /** Takes in what was written since; true when there was something. */
  refresh(): boolean {
    const segments = this.#segments, isNewer = segments.refresh();
    return retried(segments, () => {
      const { firstLog, nextSequence } = segments.manifest;
      return this.#logs.refresh(firstLog, nextSequence);
    }) || isNewer;
  }

  state(): StoreState {
    this.refresh();
    const { manifest, deletions } = this.#segments;
    return { manifest, deletions, visible: this.#logs.visible() };
  }

  openSegment(entry: SegmentEntry): HeldTable {
    return this.#segments.openSegment(entry);
  }

  openTemplate(): HeldTable {
    return this.#segments.openTemplate();
  }

  mayHoldKey(entry: SegmentEntry, values: readonly (string | number | bigint | boolean)[]): boolean {
    return this.#segments.mayHoldKey(entry, values);
  }

  /** The listener is called when something is there that wasn't, or when looking for it failed: who reads then is told. */
  onVisible(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#timer ??= setInterval(() => this.#poll(), this.#pollMs);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stop();
    };
  }

  async close(): Promise<void> {
    this.#stop();
    this.#logs.close();
    await this.#segments.close();
  }

  #poll(): void {
    let isNew = true;
    try {
      isNew = this.refresh();
    } catch {
      // The call that the listener makes throws it.
    }
    if (isNew) { for (const listener of [...this.#listeners]) listener(); }
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** Does something with the logs that the manifest speaks of; where one has become a segment, with a newer manifest. */
function retried<T>(segments: SegmentStore, work: () => T): T {
  for (let tries = 1;; tries++) {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof TableError) || error.code !== "NOT_FOUND" || tries >= MAX_TRIES) throw error;
      // Without a newer manifest the log is missing, and stays so.
      if (!segments.refresh() && tries > 1) throw error;
    }
  }
}
