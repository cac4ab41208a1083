/**
 * docs/install.md: its commands install the `table` command from a fresh copy of the sources, with the C library and
 * without it, and make one file of it all.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Table } from "../../mod.ts";
import { digestTable } from "../../src/query/mod.ts";
import { library } from "../../ffi/binding.ts";
import { copyFolder, temporaryFolder } from "../fixture.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PAGE = Deno.readTextFileSync(`${ROOT}docs/install.md`);
const MS = `${ROOT}examples/data/sim.ms`;
const posix = Deno.build.os !== "windows";

/** The shell commands below a heading, a block each. */
function blocks(heading: string): string[] {
  const [section] = PAGE.split(/^## /m).filter((text) => text.startsWith(heading));
  assert.ok(section, heading);
  return [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1]!);
}

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** A copy of the sources as a clone has them, and a folder that commands are installed in. */
class Clone implements Disposable {
  readonly #folder = temporaryFolder();
  readonly path = `${this.#folder.path}/clone`;
  readonly #env: Record<string, string>;

  /** With `tools`, what else is on the `PATH` is there too, such as a C compiler. */
  constructor(tools: boolean) {
    const { path } = this.#folder;
    copyFolder(`${ROOT}src`, `${this.path}/src`);
    Deno.mkdirSync(`${this.path}/ffi`);
    for (const { name, isFile } of Deno.readDirSync(`${ROOT}ffi`)) {
      if (isFile) Deno.copyFileSync(`${ROOT}ffi/${name}`, `${this.path}/ffi/${name}`);
    }
    for (const name of ["mod.ts", "deno.json", "deno.lock"]) {
      Deno.copyFileSync(`${ROOT}${name}`, `${this.path}/${name}`);
    }
    Deno.mkdirSync(`${path}/bin`);
    Deno.symlinkSync(Deno.execPath(), `${path}/bin/deno`);
    const { CC: _, TESSERA_NATIVE: __, ...env } = Deno.env.toObject();
    const { HOME = "/", PATH = "", XDG_CACHE_HOME = `${HOME}/.cache` } = env;
    this.#env = {
      ...env,
      PATH: `${path}/bin${tools ? `:${PATH}` : ""}`,
      XDG_CACHE_HOME: path, // where nobody has built a library
      DENO_DIR: env["DENO_DIR"] ?? `${XDG_CACHE_HOME}/deno`,
      DENO_INSTALL_ROOT: path,
      NO_COLOR: "1",
    };
  }

  /** Where nothing of the clone is. */
  get elsewhere(): string {
    return this.#folder.path;
  }

  /** Runs shell commands, in the clone unless told otherwise. */
  async run(commands: string, options: { cwd?: string; env?: Record<string, string> } = {}): Promise<Ran> {
    const { code, stdout, stderr } = await new Deno.Command("/bin/sh", {
      args: ["-ec", commands],
      stdin: "null",
      clearEnv: true,
      cwd: options.cwd ?? this.path,
      env: { ...this.#env, ...options.env },
    }).output();
    const decoder = new TextDecoder();
    return { status: code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
  }

  /** Runs commands that must end well, outside the clone unless told otherwise; gives what they print. */
  async output(commands: string, cwd = this.elsewhere): Promise<string> {
    const { status, out, err } = await this.run(commands, { cwd });
    assert.equal(status, 0, `${commands}: ${err}`);
    return out;
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

interface Doctor {
  readonly library: { readonly loaded: boolean; readonly path: string; readonly reason: string };
  readonly compiler: { readonly version: string | null };
  readonly auto: string;
}

const doctor = async (clone: Clone): Promise<Doctor> => JSON.parse(await clone.output("table doctor --json"));

/** Digest of the table's values as this process reads it. */
function expectedDigest(): string {
  using ms = Table.open(MS);
  return digestTable(ms).table;
}

async function digestOf(clone: Clone, table: string): Promise<string> {
  return JSON.parse(await clone.output(`table digest --json ${table}`)).table;
}

// Where this process has the library, there is a compiler.
Deno.test({
  name: "the commands of docs/install.md install the table command, which finds the C library",
  ignore: !posix || library() === null,
  async fn() {
    using clone = new Clone(true);
    const [install, use] = blocks("The `table` command");
    // The README says the same in short.
    const [second] = /^deno install .*$/m.exec(install!)!;
    assert.ok(Deno.readTextFileSync(`${ROOT}README.md`).includes(`\n${second}\n`));
    assert.match(install!, /^deno task build\n/);
    // What the first command builds from these sources is there already; building has its own tests.
    copyFolder(`${ROOT}ffi/lib`, `${clone.path}/ffi/lib`);
    await clone.output(install!, clone.path);
    await clone.output(use!);
    const { library, auto } = await doctor(clone);
    assert.equal(library.loaded, true, library.reason);
    assert.notEqual(auto, "node");
    assert.ok(library.path.startsWith(`${clone.path}/ffi/lib/`), library.path);
    assert.equal(await digestOf(clone, MS), expectedDigest());
    await clone.output(`table copy ${MS} copied.ms && table diff ${MS} copied.ms`);
    assert.equal(await digestOf(clone, "copied.ms"), expectedDigest());
    // Wrong use and wrong tables end as they do without being installed.
    assert.equal((await clone.run("table show nothing.ms", { cwd: clone.elsewhere })).status, 1);
    assert.equal((await clone.run("table nothing", { cwd: clone.elsewhere })).status, 2);
  },
});

Deno.test({
  name: "without a C compiler the installed command reads, and writes without locks",
  ignore: !posix,
  async fn() {
    using clone = new Clone(false);
    const [install] = blocks("The `table` command");
    await clone.output(install!.replace(/^deno task build\n/, ""), clone.path);
    const { library, compiler, auto } = await doctor(clone);
    assert.deepEqual([library.loaded, compiler.version, auto], [false, null, "node"]);
    await readsAndWrites(clone);
  },
});

Deno.test({
  name:
    "without the permission for FFI the installed command reads, and writes without locks, and never asks",
  ignore: !posix,
  async fn() {
    using clone = new Clone(true);
    // The library is there; it may not be loaded.
    if (library() !== null) copyFolder(`${ROOT}ffi/lib`, `${clone.path}/ffi/lib`);
    const [, , install] = blocks("The `table` command");
    assert.doesNotMatch(install!, /--allow-(all|ffi)/);
    await clone.output(install!, clone.path);
    const { library: found, auto } = await doctor(clone);
    assert.deepEqual([found.loaded, auto], [false, "node"]);
    assert.match(found.reason, /--allow-ffi/);
    await readsAndWrites(clone);
  },
});

async function readsAndWrites(clone: Clone): Promise<void> {
  assert.equal(await digestOf(clone, MS), expectedDigest());
  const locked = await clone.run(`table copy ${MS} copied.ms`, { cwd: clone.elsewhere });
  assert.equal(locked.status, 1);
  assert.match(locked.err, /^table: [^\n]*there is no C library: [^\n]* \(--lock none goes without\)\n$/);
  await clone.output(`table copy --lock none ${MS} copied.ms && table diff ${MS} copied.ms`);
  using copied = Table.open(`${clone.elsewhere}/copied.ms`);
  assert.equal(digestTable(copied).table, expectedDigest());
}

/** True when the file at `path` holds these bytes. */
function holds(path: string, bytes: Uint8Array): boolean {
  const start = bytes.subarray(0, 4096);
  const file = Deno.readFileSync(path);
  for (let at = file.indexOf(start[0]!); at >= 0; at = file.indexOf(start[0]!, at + 1)) {
    if (start.every((byte, i) => file[at + i] === byte) && bytes.every((byte, i) => file[at + i] === byte)) {
      return true;
    }
  }
  return false;
}

Deno.test({
  name: "deno compile makes one file with the C library in it",
  ignore: !posix || library() === null,
  async fn() {
    using clone = new Clone(true);
    copyFolder(`${ROOT}ffi/lib`, `${clone.path}/ffi/lib`);
    const [commands] = blocks("One file that holds it all");
    // Types are checked elsewhere.
    const compile = commands!.replace("deno compile", "deno compile --no-check");
    const { status, err } = await clone.run(compile);
    if (status === 0) {
      Deno.renameSync(`${clone.path}/table`, `${clone.elsewhere}/bin/table`);
      Deno.removeSync(clone.path, { recursive: true });
      const { library } = await doctor(clone);
      assert.equal(library.loaded, true, library.reason);
      assert.equal(await digestOf(clone, MS), expectedDigest());
      return;
    }
    // Deno's own executable stands in for the runtime: the file is made, but what it runs is Deno.
    assert.match(err, /denort/);
    console.log("denort can't be fetched here: the program is made with a stand-in, and not run");
    const made = await clone.run(compile, { env: { DENORT_BIN: Deno.execPath() } });
    assert.equal(made.status, 0, made.err);
    const [lib] = [...Deno.readDirSync(`${clone.path}/ffi/lib`)].filter(({ name }) =>
      /^tessera-.*\.(so|dylib)$/.test(name)
    );
    assert.ok(holds(`${clone.path}/table`, Deno.readFileSync(`${clone.path}/ffi/lib/${lib!.name}`)));
  },
});

Deno.test("every public function and class is documented, and in the reference that deno task doc writes", async () => {
  const { exports, tasks } = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`));
  const modules = (Object.entries(exports) as [string, string][]).map(([, file]) => file.replace("./", ""));
  const libraries = modules.filter((file) => !file.startsWith("src/cli/"));
  assert.deepEqual(tasks.doc.command.match(/\S+\.ts/g), libraries);
  const lint = await new Deno.Command(Deno.execPath(), { args: ["doc", "--lint", ...modules], cwd: ROOT })
    .output();
  assert.ok(lint.success, new TextDecoder().decode(lint.stderr));
  using folder = temporaryFolder();
  const command = tasks.doc.command.replace("--output=docs/api", `--output=${folder.path}/api`);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: command.split(" ").slice(1),
    cwd: ROOT,
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  assert.match(Deno.readTextFileSync(`${folder.path}/api/all_symbols.html`), /getColumn/);
  for (const part of ["arrow", "parquet", "query"]) {
    assert.ok(Deno.statSync(`${folder.path}/api/${part}`).isDirectory);
  }
});

Deno.test("the page's program for Deno runs", async () => {
  using folder = temporaryFolder();
  const [, program] = /```ts\n([\s\S]*?)```/.exec(PAGE)!;
  const module = new URL("../../mod.ts", import.meta.url).href;
  Deno.writeTextFileSync(`${folder.path}/program.ts`, program!.replace("./mod.ts", module));
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-read", "--no-prompt", "--config", `${ROOT}deno.json`, `${folder.path}/program.ts`],
    cwd: ROOT,
  }).output();
  const [, expected] = /\/\/ → (.*)/.exec(program!)!;
  assert.equal(new TextDecoder().decode(stdout).trim(), expected);
});
