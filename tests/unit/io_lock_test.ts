import assert from "node:assert/strict";
import { disableLibrary } from "../../ffi/binding.ts";
import { IoStats } from "../../src/io/counters.ts";
import { lockExclusively, lockingAvailable, openLock, TableLock } from "../../src/io/lock.ts";
import { fails, failsAsync, inTempDirectory, makeBackend } from "./io_help.ts";

/** Runs `work` in a directory with the path of its `table.lock`. */
function withLockFile(work: (path: string, directory: string) => void | Promise<void>): void | Promise<void> {
  return inTempDirectory("node", (_backend, directory) => work(`${directory}/table.lock`, directory));
}

/** Another process, which locks and unlocks as it is told. */
class Other {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<string>;

  constructor(path: string) {
    const lock = new URL("../../src/io/lock.ts", import.meta.url).href;
    const counters = new URL("../../src/io/counters.ts", import.meta.url).href;
    const code = `
      import { TableLock } from ${JSON.stringify(lock)};
      import { IoStats } from ${JSON.stringify(counters)};
      const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
      let table;
      for await (const line of lines) {
        const word = line.trim();
        try {
          if (word === "open") table = TableLock.open(${JSON.stringify(path)}, new IoStats());
          else if (word === "exclude") table.exclude();
          else if (word === "unlock") table.unlock();
          else if (word === "close") table.close();
          else if (word === "unlock soon") setTimeout(() => table.unlock(), 60);
          else table.acquire(word);
          console.log("done");
        } catch (error) {
          console.log(error.code ?? String(error));
        }
      }`;
    const url = `data:text/typescript,${encodeURIComponent(code)}`;
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-lock", "--no-check", url],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#writer = this.#process.stdin.getWriter();
    this.#reader = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** What became of it: `done`, or the code of the error. */
  async tell(word: string): Promise<string> {
    await this.#writer.write(new TextEncoder().encode(word + "\n"));
    return ((await this.#reader.read()).value ?? "").trim();
  }

  async end(): Promise<void> {
    await this.#writer.close();
    await this.#reader.cancel();
    await this.#process.status;
  }
}

if (lockingAvailable()) {
  Deno.test("tables of one isolate share read locks and refuse others at once", () =>
    withLockFile((path) => {
      const a = TableLock.open(path, new IoStats()), b = TableLock.open(path, new IoStats());
      a.acquire("read");
      b.acquire("read");
      fails(() => a.acquire("write", { timeoutMs: 10_000 }), "LOCKED");
      b.unlock();
      a.acquire("write");
      assert.equal(a.held, "write");
      a.acquire("read");
      assert.equal(a.held, "write");
      fails(() => b.acquire("read", { timeoutMs: 10_000 }), "LOCKED");
      fails(() => a.exclude(), "LOCKED");
      a.close();
      a.close();
      fails(() => a.acquire("read"), "CLOSED");
      b.acquire("write");
      b.exclude();
      b.close();
    }));

  Deno.test("another process is kept out, and let in when the lock is let go", () =>
    withLockFile(async (path) => {
      const other = new Other(path);
      try {
        const mine = TableLock.open(path, new IoStats());
        assert.equal(await other.tell("open"), "done");
        assert.equal(await other.tell("read"), "done");
        mine.acquire("read");
        fails(() => mine.acquire("write"), "LOCKED");
        assert.match(fails(() => mine.acquire("write", { timeoutMs: 20 }), "LOCKED").message, /waited 20 ms/);
        await failsAsync(mine.acquireAsync("write", { timeoutMs: 20 }), "LOCKED");
        assert.equal(await other.tell("unlock"), "done");
        mine.acquire("write");
        assert.equal(await other.tell("read"), "LOCKED");
        // Closing another descriptor of the file lets go of nothing.
        Deno.readFileSync(path);
        assert.equal(await other.tell("read"), "LOCKED");
        mine.unlock();
        assert.equal(await other.tell("write"), "done");
        assert.equal(await other.tell("unlock soon"), "done");
        let waiting = 0;
        const onWait = () => {
          waiting++;
          return () => void waiting--;
        };
        mine.acquire("read", { timeoutMs: 20_000, onWait });
        assert.equal(waiting, 0);
        mine.close();
      } finally {
        await other.end();
      }
    }));

  Deno.test("a table in use elsewhere is not had exclusively, and one had exclusively is not opened", () =>
    withLockFile(async (path, directory) => {
      const other = new Other(path);
      try {
        assert.equal(await other.tell("open"), "done");
        const backend = makeBackend("node");
        fails(() => lockExclusively(directory, backend), "LOCKED");
        assert.equal(await other.tell("close"), "done");
        const mine = lockExclusively(directory, backend)!;
        assert.equal(await other.tell("open"), "LOCKED");
        mine.close();
        assert.equal(await other.tell("open"), "done");
        assert.equal(await other.tell("close"), "done");
        const calls = backend.stats.snapshot().calls;
        assert.deepEqual([calls.open, calls.close, calls.stat, calls.lock], [2, 2, 2, 6]);
      } finally {
        await other.end();
      }
    }));

  Deno.test("waiting without blocking lets other work go on", () =>
    withLockFile(async (path) => {
      const other = new Other(path);
      try {
        const mine = TableLock.open(path, new IoStats());
        assert.equal(await other.tell("open"), "done");
        assert.equal(await other.tell("write"), "done");
        const got = mine.acquireAsync("write", { timeoutMs: 20_000 });
        assert.equal(await other.tell("unlock"), "done");
        await got;
        assert.equal(mine.held, "write");
        mine.close();
      } finally {
        await other.end();
      }
    }));
}

Deno.test("tables in memory, and tables opened without a lock, have none", () => {
  const readOnly = false;
  assert.equal(openLock("t", makeBackend("memory"), { mode: "auto", readOnly }), null);
  assert.equal(openLock("t", makeBackend("node"), { mode: "none", readOnly }), null);
  assert.equal(openLock("t", makeBackend("node"), { mode: "auto", readOnly: true }), null);
  fails(
    () => openLock("t", makeBackend("node"), { mode: "sometimes" as "auto", readOnly }),
    "INVALID_ARGUMENT",
  );
});

Deno.test("without the C library the error names the option to go without a lock", () =>
  withLockFile((_path, directory) => {
    using _ = disableLibrary();
    assert.equal(lockingAvailable(), false);
    assert.match(
      fails(() => openLock(directory, makeBackend("node"), { mode: "auto", readOnly: false }), "UNSUPPORTED")
        .message,
      /lock: "none"/,
    );
    assert.equal(makeBackend("auto" as "node").name, "node");
    fails(() => makeBackend("pread"), "UNSUPPORTED");
  }));
