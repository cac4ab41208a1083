/**
 * Builds the C library: `deno task build [--force] [--cache] [--optional]`.
 *
 * | flag | meaning |
 * | --- | --- |
 * | `--force` | build even if the library of these sources is there |
 * | `--cache` | into the user's cache folder instead of `ffi/lib` |
 * | `--optional` | exit status 0 without a compiler: Tessera then runs without the library |
 */
import { TableError } from "../src/error.ts";
import { cacheFolder, environment, libraryName, type LibraryPlace, treeFolder } from "./paths.ts";

/** Options of {@linkcode buildLibrary}. */
export interface BuildOptions {
  /** `tree`: `ffi/lib` beside the sources. `cache`: the user's cache folder. */
  target: LibraryPlace;
  /** Builds even if the file is there. */
  force?: boolean;
}

function folderOf(target: LibraryPlace): string {
  const folder = target === "tree" ? treeFolder() : cacheFolder();
  if (folder !== undefined) return folder;
  throw new TableError(
    "INVALID_ARGUMENT",
    target === "tree"
      ? "the sources were not loaded from a folder, so there is no ffi/lib to build into; build into the cache folder instead"
      : "no cache folder is known: expected HOME or XDG_CACHE_HOME in the environment, and permission to read them",
  );
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true });
    const probe = await Deno.makeTempFile({ dir: folder, suffix: ".tmp" });
    await Deno.remove(probe);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TableError("IO", `cannot build there: ${reason}`, { file: folder, cause });
  }
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

async function compile(compiler: string[], flags: readonly string[], folder: string): Promise<void> {
  const [program, ...first] = compiler;
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command(program!, { args: [...first, ...flags], cwd: folder, stdout: "null" })
      .output();
  } catch (cause) {
    // A program that may not be run gives PermissionDenied, as some paths that lead nowhere do.
    if (!(cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.PermissionDenied)) {
      throw cause;
    }
    throw new TableError(
      "NOT_FOUND",
      `no C compiler: ${program} was not found or can't be run; install one (Debian: apt install gcc libc6-dev), or name it in CC`,
      { cause },
    );
  }
  if (output.success) return;
  const said = new TextDecoder().decode(output.stderr).trimEnd();
  throw new TableError("IO", `${compiler.join(" ")} failed with status ${output.code}:\n${said}`);
}

/** Removes builds of other sources: in the tree nobody wants them any more, unlike in the cache. */
async function removeOthers(folder: string, path: string): Promise<void> {
  const prefix = libraryName("").replace(/\.\w+$/, "");
  for await (const { name } of Deno.readDir(folder)) {
    const other = `${folder}/${name}`;
    if (name.startsWith(prefix) && !name.endsWith(".tmp") && other !== path) {
      await Deno.remove(other).catch(() => {});
    }
  }
}

/**
 * Compiles the C library, unless the library of these very sources is there.
 *
 * Needs permission to run the compiler and to write to the target folder and the folder for temporary files.
 *
 * @returns The path of the library.
 * @throws TableError NOT_FOUND without a compiler, IO with what the compiler said when it fails,
 * INVALID_ARGUMENT when there is no such folder on this machine.
 */
export async function buildLibrary(options: BuildOptions): Promise<string> {
  const { FLAGS, LINUX_FLAGS, SOURCES, sourceHash } = await import("./sources.ts");
  const folder = folderOf(options.target);
  const path = `${folder}/${libraryName(sourceHash())}`;
  if (!options.force && exists(path)) return path;

  const compiler = (environment("CC") ?? "").split(/\s+/).filter((word) => word !== "");
  if (compiler.length === 0) compiler.push("cc");
  const flags = [...FLAGS, ...(Deno.build.os === "linux" ? LINUX_FLAGS : [])];
  // The texts that were hashed are the texts that are compiled, even if a file changes meanwhile or isn't there.
  const sources = await Deno.makeTempDir({ prefix: "tessera-" });
  try {
    for (const [name, text] of Object.entries(SOURCES)) await Deno.writeTextFile(`${sources}/${name}`, text);
    await makeFolder(folder);
    // Renamed when complete: nobody ever loads half a library, and two builds at once do no harm.
    const half = `${path}.${crypto.randomUUID()}.tmp`;
    try {
      await compile(
        compiler,
        [...flags, ...Object.keys(SOURCES).filter((name) => name.endsWith(".c")), "-o", half],
        sources,
      );
      await Deno.rename(half, path);
      if (options.target === "tree") await removeOthers(folder, path);
    } catch (error) {
      await Deno.remove(half).catch(() => {});
      throw error;
    }
  } finally {
    await Deno.remove(sources, { recursive: true });
  }
  return path;
}

if (import.meta.main) {
  const known = ["--force", "--cache", "--optional"];
  const unknown = Deno.args.find((arg) => !known.includes(arg));
  if (unknown !== undefined) {
    console.error(`unknown option ${unknown}; expected ${known.join(", ")}`);
    Deno.exit(2);
  }
  const optional = Deno.args.includes("--optional");
  try {
    const target = Deno.args.includes("--cache") ? "cache" : "tree";
    console.log(await buildLibrary({ target, force: Deno.args.includes("--force") }));
  } catch (error) {
    if (!(error instanceof TableError)) throw error;
    console.error(error.message);
    if (optional) {
      console.error(
        "Tessera runs without the C library: slower, and without locks, mapped memory and pread.",
      );
    }
    Deno.exit(optional ? 0 : 1);
  }
}
