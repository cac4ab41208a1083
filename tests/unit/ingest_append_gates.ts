/**
 * A backend whose writes and syncs end when a test says so.
 */
import type { Backend, Handle, IoName, OpenMode } from "../../src/io/backend.ts";
import type { IoStats } from "../../src/io/counters.ts";

/** A write or sync that was asked for. */
export interface Gate {
  readonly kind: "write" | "sync";
  readonly path: string;
  readonly offset: number;
  /** Carries it out and lets whoever asked go on. */
  pass(): Promise<void>;
  /** Lets it fail. */
  fail(error: unknown): Promise<void>;
}

/** Lets everything that doesn't wait for a gate go on. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}

/** Asynchronous calls of the files of `inner` wait; opens, headers and the like don't. */
export class GatedBackend implements Backend {
  readonly name: IoName;
  readonly stats: IoStats;
  /** What waits, in the order in which it was asked for. */
  readonly gates: Gate[] = [];
  /** False: everything passes at once. */
  closed = true;
  readonly #inner: Backend;

  constructor(inner: Backend) {
    this.#inner = inner;
    this.name = inner.name;
    this.stats = inner.stats;
  }

  /** The first that waits, of a kind. */
  next(kind: Gate["kind"]): Gate {
    const found = this.gates.find((gate) => gate.kind === kind);
    if (found === undefined) throw new Error(`no ${kind} waits`);
    return found;
  }

  /** Numbers of what waits. */
  get waiting(): { write: number; sync: number } {
    const of = (kind: Gate["kind"]) => this.gates.filter((gate) => gate.kind === kind).length;
    return { write: of("write"), sync: of("sync") };
  }

  /** Lets everything pass, now and later. */
  async release(): Promise<void> {
    this.closed = false;
    while (this.gates.length > 0) await this.gates[0]!.pass();
  }

  #wait(kind: Gate["kind"], path: string, offset: number, work: () => void): Promise<void> {
    if (!this.closed) {
      work();
      return Promise.resolve();
    }
    return new Promise<void>((resolve, reject) => {
      const leave = () => void this.gates.splice(this.gates.indexOf(gate), 1);
      const gate: Gate = {
        kind,
        path,
        offset,
        pass: async () => {
          leave();
          work();
          resolve();
          await settle();
        },
        fail: async (error) => {
          leave();
          reject(error);
          await settle();
        },
      };
      this.gates.push(gate);
    });
  }

  open(path: string, mode: OpenMode): Handle {
    const handle = this.#inner.open(path, mode);
    // A log's header is synced before anything else is done: that isn't what is waited for here.
    let begun = mode !== "create";
    return {
      path,
      read: (target, offset) => handle.read(target, offset),
      readAsync: (target, offset) => handle.readAsync(target, offset),
      write: (bytes, offset) => handle.write(bytes, offset),
      writeAsync: (bytes, offset) => this.#wait("write", path, offset, () => handle.write(bytes, offset)),
      size: () => handle.size(),
      resize: (length) => handle.resize(length),
      sync: () => handle.sync(),
      syncAsync: () => {
        if (begun) return this.#wait("sync", path, 0, () => handle.sync());
        begun = true;
        handle.sync();
        return Promise.resolve();
      },
      close: () => handle.close(),
    };
  }

  kind(path: string, options?: { noFollow?: boolean }): ReturnType<Backend["kind"]> {
    return this.#inner.kind(path, options);
  }
  realPath(path: string): string {
    return this.#inner.realPath(path);
  }
  list(path: string): string[] {
    return this.#inner.list(path);
  }
  makeDirectory(path: string): void {
    this.#inner.makeDirectory(path);
  }
  removeDirectory(path: string): void {
    this.#inner.removeDirectory(path);
  }
  rename(from: string, to: string): void {
    this.#inner.rename(from, to);
  }
  remove(path: string): void {
    this.#inner.remove(path);
  }
  syncDirectory(path: string): void {
    this.#inner.syncDirectory(path);
  }
}
