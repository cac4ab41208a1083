/**
 * Removing what a store doesn't need any more, when nobody can need it:
 *
 * | what | when it goes |
 * | --- | --- |
 * | a retired segment | `manifest.previous.json` and `table.dat` don't name it; nobody can just have read its name (a time of grace); nobody has it open |
 * | the log of a sealed segment | `manifest.previous.json` doesn't need it |
 */
import type { Runner } from "../background/runner.ts";
import type { Manifest } from "../manifest/format.ts";
import type { StoreFiles } from "./build.ts";
import type { Publisher } from "./publisher.ts";

/** Shortest and longest time between two looks, in milliseconds. */
const SHORTEST_MS = 100, LONGEST_MS = 60_000;

/** What housekeeping works with. */
export interface HousekeepingParts {
  readonly files: StoreFiles;
  readonly runner: Runner;
  readonly publisher: Publisher;
  readonly graceMs: number;
  /** Names of segments that are held in this isolate. */
  readonly held: () => ReadonlySet<string>;
  /** True: look now and then even when nothing waits: segments grow too old. */
  readonly always: boolean;
  /** True when something waits for the next publication. */
  readonly waits: () => boolean;
  /** Called with each look: other things that time brings. */
  readonly onLook: () => void;
  readonly onError: (error: unknown) => void;
}

/** Removes retired segments as time goes by. */
export class Housekeeping {
  readonly #parts: HousekeepingParts;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> | null = null;
  #waitMs: number;
  #closed = false;

  constructor(parts: HousekeepingParts) {
    this.#parts = parts;
    this.#waitMs = this.#firstWait;
    if (parts.always) this.#schedule();
  }

  get #firstWait(): number {
    return Math.max(SHORTEST_MS, Math.min(LONGEST_MS, this.#parts.graceMs + 1));
  }

  /** Something was retired: look soon. */
  soon(): void {
    this.#waitMs = this.#firstWait;
    if (this.#timer === undefined && this.#running === null) this.#schedule();
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#running = this.look().catch((error) => this.#parts.onError(error)).finally(() => {
        this.#running = null;
        const { publisher, waits, always } = this.#parts;
        if (!always && publisher.manifest.retired.length === 0 && !waits()) return;
        // Somebody reads them: there is time.
        this.#waitMs = Math.min(LONGEST_MS, this.#waitMs * 1.5);
        this.#schedule();
      });
    }, this.#waitMs);
    unref(this.#timer);
  }

  /** Removes what can go now, or could if that were the time of grace. @throws TableError IO */
  async look(graceMs: number = this.#parts.graceMs): Promise<void> {
    const { files, runner, publisher, waits, onLook } = this.#parts;
    onLook();
    await publisher.finish();
    const due = () => this.#due(publisher.manifest, graceMs);
    if (due().some(({ generation }) => generation >= publisher.manifest.generation) || waits()) {
      // The manifest before still has them: one more generation.
      await publisher.publish((manifest) => manifest);
    }
    if (!publisher.settled) return;
    const segments = due().filter(({ generation }) => generation < publisher.manifest.generation);
    if (segments.length === 0) return;
    const { removed, error } = await runner.run({
      kind: "remove",
      ...files,
      segments: segments.map(({ name, bloom }) => ({ name, bloom })),
    });
    if (removed.length > 0) {
      const gone = new Set(removed);
      await publisher.publish((manifest) => ({
        ...manifest,
        retired: manifest.retired.filter(({ name }) => !gone.has(name)),
      }));
    }
    if (error !== null) throw error;
  }

  /** Retired segments whose time of grace is over and that nobody here holds. */
  #due({ retired }: Manifest, graceMs: number): Manifest["retired"] {
    const until = Date.now() - graceMs, held = this.#parts.held();
    return retired.filter((segment) => Date.parse(segment.retired) <= until && !held.has(segment.name));
  }

  /** Resolves when nothing runs any more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }
}

/** A program that has nothing else to do doesn't wait for it. */
function unref(timer: ReturnType<typeof setTimeout>): void {
  if (typeof timer === "number") Deno.unrefTimer(timer);
  else (timer as { unref?(): void }).unref?.();
}
