/** Building the C library: where it goes, what happens without a compiler, and that a build needs no source tree. */
import assert from "node:assert/strict";
import { library, libraryStatus } from "../../ffi/binding.ts";
import { FLAGS, sourceHash, SOURCES } from "../../ffi/sources.ts";

const build = new URL("../../ffi/build.ts", import.meta.url);

async function deno(
  args: string[],
  env: Record<string, string>,
): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", "--no-check", "--quiet", ...args],
    env,
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test(
  { name: "the name of the library carries a hash of its sources", ignore: library() === null },
  () => {
    assert.match(sourceHash(), /^[0-9a-f]{16}$/);
    const { path } = libraryStatus();
    assert.ok(path.includes(`tessera-${Deno.build.os}-${Deno.build.arch}-${sourceHash()}.`), path);
  },
);

Deno.test("the sources that are hashed and compiled are the files of ffi/", async () => {
  const files: string[] = [];
  for await (const { name } of Deno.readDir(new URL(".", build))) if (/\.[ch]$/.test(name)) files.push(name);
  assert.deepEqual(Object.keys(SOURCES).sort(), files.sort());
  for (const name of files) assert.equal(SOURCES[name], await Deno.readTextFile(new URL(name, build)));
  assert.ok(FLAGS.includes("-Werror"));
});

Deno.test("without a compiler the build says so, and is a failure unless it is optional", async () => {
  await withFolder(async (folder) => {
    const env = { CC: `${folder}/no-such-cc -x`, XDG_CACHE_HOME: folder, HOME: folder };
    const failed = await deno([build.href, "--cache"], env);
    assert.deepEqual([failed.code, failed.out], [1, ""]);
    assert.match(failed.err, /no C compiler: .*no-such-cc was not found/);
    const optional = await deno([build.href, "--cache", "--optional"], env);
    assert.equal(optional.code, 0);
    assert.match(optional.err, /without/);
    const wrong = await deno([build.href, "--fast"], env);
    assert.equal(wrong.code, 2);
  });
});

Deno.test("a compiler that fails is reported with what it said, and leaves nothing behind", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/cc`, "#!/bin/sh\necho tessera.h is odd >&2\nexit 3\n", {
      mode: 0o755,
    });
    const cache = Deno.build.os === "darwin" ? `${folder}/Library/Caches/tessera` : `${folder}/tessera`;
    const { code, err } = await deno([build.href, "--cache"], {
      CC: `${folder}/cc`,
      XDG_CACHE_HOME: folder,
      HOME: folder,
    });
    assert.equal(code, 1);
    assert.match(err, /failed with status 3:\ntessera\.h is odd/);
    assert.deepEqual([...Deno.readDirSync(cache)], []);
  });
});

// Where this process has the library, there is a compiler.
Deno.test(
  {
    name: "Tessera loaded by URL builds into the cache folder and loads from there",
    ignore: library() === null,
  },
  async () => {
    const root = new URL("../../", import.meta.url);
    await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
      const { pathname } = new URL(request.url);
      const type = pathname.endsWith(".ts") ? "application/typescript" : "text/plain";
      return new Response(await Deno.readFile(new URL(`.${pathname}`, root)), {
        headers: { "content-type": type },
      });
    });
    await withFolder(async (folder) => {
      const at = `http://127.0.0.1:${server.addr.port}/ffi`;
      await Deno.writeTextFile(
        `${folder}/main.ts`,
        `import { libraryStatus, retryLibrary } from "${at}/binding.ts";
        import { buildLibrary } from "${at}/build.ts";
        const before = libraryStatus().loaded;
        const path = await buildLibrary({ target: "cache" });
        retryLibrary();
        const tree = await buildLibrary({ target: "tree" }).catch((error) => error.code);
        console.log(JSON.stringify([before, libraryStatus().loaded, libraryStatus().path === path, path, tree]));`,
      );
      const { out, err } = await deno([`${folder}/main.ts`], {
        DENO_DIR: `${folder}/deno`,
        XDG_CACHE_HOME: folder,
        HOME: folder,
      });
      assert.ok(out !== "", err);
      const [before, after, same, path, tree] = JSON.parse(out);
      assert.deepEqual([before, after, same, tree], [false, true, true, "INVALID_ARGUMENT"]);
      assert.ok(path.startsWith(folder));
    });
  },
);
