/**
 * A backend around another one that fails where a test wants it to: faults come from below the engine.
 */
import { TableError } from "../src/error.ts";
import type { Backend, FileMap, Handle, IoName, OpenMode } from "../src/io/backend.ts";
import type { IoStats } from "../src/io/counters.ts";

/** A call on a file, before it is made. */
export interface FaultyCall {
  readonly kind: "open" | "read" | "write" | "size" | "resize" | "sync" | "close" | "rename" | "remove";
  readonly path: string;
  readonly offset: number;
  readonly length: number;
  /** How a file is opened. */
  readonly mode?: OpenMode;
}

/**
 * Decides what becomes of a call: nothing (it is made), an error number (it fails with it), or for reads and writes the
 * bytes that are moved: a read ends there, a write fails there with ENOSPC.
 */
export type Fault = (call: FaultyCall) => void | { errno: number } | { bytes: number };

const NO_SPACE = 28;

function failure(call: FaultyCall, errno: number): TableError {
  return new TableError("IO", `${call.kind} failed: injected (errno ${errno})`, {
    file: call.path,
    offset: call.offset,
    errno,
  });
}

class FaultyHandle implements Handle {
  readonly path: string;
  readonly #inner: Handle;
  readonly #owner: FaultyBackend;
  readonly map?: () => FileMap | null;
  readonly writeAsync?: NonNullable<Handle["writeAsync"]>;
  readonly gatherAsync?: NonNullable<Handle["gatherAsync"]>;
  readonly scatterAsync?: NonNullable<Handle["scatterAsync"]>;

  constructor(inner: Handle, owner: FaultyBackend) {
    this.path = inner.path;
    this.#inner = inner;
    this.#owner = owner;
    if (inner.map !== undefined) this.map = () => inner.map!();
    const ask = (kind: "read" | "write", offset: number, length: number): void => {
      const call = { kind, path: this.path, offset, length } as const, most = owner.ask(call);
      if (most < length) throw failure(call, NO_SPACE);
    };
    if (inner.writeAsync !== undefined) {
      this.writeAsync = async (bytes, offset) => {
        ask("write", offset, bytes.length);
        await inner.writeAsync!(bytes, offset);
      };
    }
    if (inner.gatherAsync !== undefined) {
      this.gatherAsync = async (extents, ...rest) => {
        for (const { offset, length } of extents) ask("read", offset, length);
        return await inner.gatherAsync!(extents, ...rest);
      };
    }
    if (inner.scatterAsync !== undefined) {
      this.scatterAsync = async (extent, ...rest) => {
        ask("write", extent.offset, extent.length);
        await inner.scatterAsync!(extent, ...rest);
      };
    }
  }

  read(target: Uint8Array, offset: number): number {
    const most = this.#owner.ask({ kind: "read", path: this.path, offset, length: target.length });
    return this.#inner.read(target.subarray(0, most), offset);
  }

  async readAsync(target: Uint8Array, offset: number): Promise<number> {
    const most = this.#owner.ask({ kind: "read", path: this.path, offset, length: target.length });
    return await this.#inner.readAsync(target.subarray(0, most), offset);
  }

  write(bytes: Uint8Array, offset: number): void {
    const call = { kind: "write", path: this.path, offset, length: bytes.length } as const;
    const most = this.#owner.ask(call);
    this.#inner.write(bytes.subarray(0, most), offset);
    if (most < bytes.length) throw failure(call, NO_SPACE);
  }

  size(): number {
    this.#owner.ask({ kind: "size", path: this.path, offset: 0, length: 0 });
    return this.#inner.size();
  }

  resize(length: number): void {
    this.#owner.ask({ kind: "resize", path: this.path, offset: length, length: 0 });
    this.#inner.resize(length);
  }

  sync(): void {
    this.#owner.ask({ kind: "sync", path: this.path, offset: 0, length: 0 });
    this.#inner.sync();
  }

  close(): void {
    this.#inner.close();
    this.#owner.ask({ kind: "close", path: this.path, offset: 0, length: 0 });
  }
}

/** Calls go to `inner`, unless {@linkcode fault} says otherwise. */
export class FaultyBackend implements Backend {
  readonly name: IoName;
  readonly stats: IoStats;
  readonly inner: Backend;
  /** Every call that was asked about, in order. */
  readonly log: FaultyCall[] = [];
  fault: Fault = () => {};

  constructor(inner: Backend) {
    this.inner = inner;
    this.name = inner.name;
    this.stats = inner.stats;
  }

  /** Bytes to move; throws when the call is to fail. */
  ask(call: FaultyCall): number {
    this.log.push(call);
    const verdict = this.fault(call) ?? { bytes: call.length };
    if ("errno" in verdict) throw failure(call, verdict.errno);
    return Math.min(verdict.bytes, call.length);
  }

  open(path: string, mode: OpenMode): Handle {
    this.ask({ kind: "open", path, offset: 0, length: 0, mode });
    return new FaultyHandle(this.inner.open(path, mode), this);
  }

  kind(path: string, options?: { noFollow?: boolean }): ReturnType<Backend["kind"]> {
    return this.inner.kind(path, options);
  }

  realPath(path: string): string {
    return this.inner.realPath(path);
  }

  list(path: string): string[] {
    return this.inner.list(path);
  }

  makeDirectory(path: string): void {
    this.inner.makeDirectory(path);
  }

  removeDirectory(path: string): void {
    this.inner.removeDirectory(path);
  }

  rename(from: string, to: string): void {
    this.ask({ kind: "rename", path: from, offset: 0, length: 0 });
    this.inner.rename(from, to);
  }

  remove(path: string): void {
    this.ask({ kind: "remove", path, offset: 0, length: 0 });
    this.inner.remove(path);
  }

  syncDirectory(path: string): void {
    this.ask({ kind: "sync", path, offset: 0, length: 0 });
    this.inner.syncDirectory(path);
  }
}
