/**
 * What may not end the process: each hazard of mapped memory runs in a child process of its own, which ends with
 * status 0 and says "done" when its assertions held.
 */
import assert from "node:assert/strict";
import { library } from "../../ffi/binding.ts";

const ignore = library() === null;

async function runScript(
  name: string,
  ...more: readonly string[]
): Promise<{ code: number; signal: Deno.Signal | null; out: string; err: string }> {
  const folder = await Deno.makeTempDir();
  try {
    const script = new URL(`./hazards/${name}.ts`, import.meta.url);
    const { code, signal, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-lock", "--no-check", script.href, `${folder}/file`, ...more],
    }).output();
    const decoder = new TextDecoder();
    return { code, signal, out: decoder.decode(stdout), err: decoder.decode(stderr) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (
  const [hazard, name] of [
    ["a view read after it was closed is empty", "read_after_close"],
    ["a view moved away and read after it was closed holds zeros", "read_moved_after_close"],
    ["a write into a view doesn't change the file", "write_into_view"],
    ["a file that shrinks under a copy is an IO error", "shorter_under_copy"],
    ["a file that shrinks under a view gives zeros and is counted", "shorter_under_view"],
  ] as const
) {
  Deno.test({ name: `mapped memory: ${hazard}`, ignore }, async () => {
    assert.deepEqual(await runScript(name), { code: 0, signal: null, out: "done\n", err: "" });
  });
}

Deno.test(
  { name: "mapped memory: a fault at an address that is not ours still ends the process", ignore },
  async () => {
    const { signal, out } = await runScript("foreign_fault");
    assert.deepEqual({ signal, out }, { signal: "SIGBUS", out: "before\n" });
  },
);

for (
  const [hazard, name] of [
    ["kept after its table was closed is empty", "closed"],
    ["moved away and kept after its table was closed holds zeros", "moved"],
    ["posted to another thread outlives its table", "posted"],
    ["of a file that becomes shorter shows zeros, and the next call says so", "shorter"],
    ["of a file that is emptied can be written", "emptied"],
    ["of a table that is removed stays", "removed"],
    ["of a file that is written past the page cache shows old or new values", "direct"],
  ] as const
) {
  Deno.test({ name: `a view of a column ${hazard}`, ignore }, async () => {
    assert.deepEqual(await runScript("column_view", name), { code: 0, signal: null, out: "done\n", err: "" });
  });
}
