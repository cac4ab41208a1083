/**
 * What the tests of the I/O floor share: every backend that works here, and a directory for each test.
 */
import assert from "node:assert/strict";
import { TableError, type TableErrorCode } from "../../src/error.ts";
import type { Backend, IoName } from "../../src/io/backend.ts";
import { Context } from "../../src/io/context.ts";
import { DirectBackend } from "../../src/io/direct-backend.ts";
import { backendReport, openBackend } from "../../src/io/backends.ts";

/** Names of the backends that work here. */
export function backendsHere(): IoName[] {
  return backendReport().filter((line) => line.works).map((line) => line.name);
}

/** A backend instance; `direct` sends even single blocks past the page cache. */
export function makeBackend(name: IoName): Backend {
  if (name === "direct") return new DirectBackend(1);
  return openBackend(name, { context: new Context() });
}

/** Runs `work` with a fresh backend and a directory that is removed after it. */
export function inTempDirectory<T>(
  name: IoName,
  work: (backend: Backend, directory: string) => T,
  backend = makeBackend(name),
): T {
  if (name === "memory") {
    backend.makeDirectory("t");
    return work(backend, "t");
  }
  const directory = Deno.makeTempDirSync({ prefix: "tessera_io_" });
  const remove = () => Deno.removeSync(directory, { recursive: true });
  let result: T;
  try {
    result = work(backend, directory);
  } catch (error) {
    remove();
    throw error;
  }
  if (result instanceof Promise) return result.finally(remove) as T;
  remove();
  return result;
}

/** The TableError of that code that `work` throws. */
export function fails(work: () => unknown, code: TableErrorCode): TableError {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof TableError, String(error));
    assert.equal(error.code, code, error.message);
    return error;
  }
  assert.fail(`expected a TableError ${code}, nothing was thrown`);
}

/** As {@linkcode fails}, for a promise. */
export async function failsAsync(work: Promise<unknown>, code: TableErrorCode): Promise<TableError> {
  let error: unknown;
  try {
    await work;
  } catch (caught) {
    error = caught;
  }
  return fails(() => {
    if (error !== undefined) throw error;
  }, code);
}

/** Bytes that tell where they came from. */
export function pattern(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = i * 31 + seed * 17 + (i >> 8) * 7 + (i >> 16);
  return bytes;
}

/** Fails unless both are the same bytes, and says where they begin to differ. */
export function sameBytes(found: ArrayLike<number> | null, expected: ArrayLike<number>, what = ""): void {
  assert.equal(found?.length, expected.length, what);
  for (let i = 0; i < expected.length; i++) {
    if (found![i] !== expected[i]) assert.equal(`${i}: ${found![i]}`, `${i}: ${expected[i]}`, what);
  }
}
