/**
 * The C library, found and loaded.
 *
 * {@linkcode library} loads it on first use, from `ffi/lib` or from the user's cache folder, and gives null when it
 * is not there, may not be loaded without a prompt, or this isn't Deno. Callers then use `node:fs` and the TypeScript
 * twins (`src/array/choose.ts`).
 */
import { hasForeignFunctions, NativeLibrary } from "./native-library.ts";
import { cacheFolder, environment, libraryName, treeFolder } from "./paths.ts";

/** Text imports are Deno's; elsewhere there is no library to look for. */
const sources = typeof Deno === "undefined" ? undefined : await import("./sources.ts");

/** Whether the library is in use, from where, or why not. */
export interface LibraryStatus {
  loaded: boolean;
  /** The library, or the first place that was searched; empty when none was. */
  path: string;
  /** Why it is not loaded; empty when it is. */
  reason: string;
}

function load(): { library: NativeLibrary | null; status: LibraryStatus } {
  const without = (reason: string) => ({ library: null, status: { loaded: false, path: "", reason } });
  if (sources === undefined || !hasForeignFunctions()) {
    return without("this is not Deno, or it has no FFI");
  }
  if (environment("TESSERA_NATIVE") === "0") return without("TESSERA_NATIVE=0 is in the environment");
  if (Deno.build.os === "windows") return without("the library is for POSIX systems");
  const name = libraryName(sources.sourceHash());
  const paths = [treeFolder(), cacheFolder()].flatMap((folder) =>
    folder === undefined ? [] : [`${folder}/${name}`]
  );
  let found: LibraryStatus | undefined;
  for (const path of paths) {
    if (Deno.permissions.querySync({ name: "ffi", path }).state !== "granted") {
      found ??= { loaded: false, path, reason: "no permission to load it: expected --allow-ffi" };
      continue;
    }
    try {
      return { library: new NativeLibrary(path), status: { loaded: true, path, reason: "" } };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      // A library that is there and doesn't load says more than one that is not.
      if (!/no such file/i.test(message)) found ??= { loaded: false, path, reason: message };
    }
  }
  return {
    library: null,
    status: found ?? {
      loaded: false,
      path: paths[0] ?? "",
      reason: "it is not built for these sources: run `deno task build`, or `table doctor --build`",
    },
  };
}

let state: ReturnType<typeof load> | undefined;
let disabled = 0;

/**
 * The C library, loaded on first use; null when it is missing, may not be loaded without a prompt, or was disabled.
 * Never prompts and never throws; {@linkcode libraryStatus} says why.
 */
export function library(): NativeLibrary | null {
  if (disabled > 0) return null;
  state ??= load();
  return state.library;
}

/** Whether the library is loaded, from where, or the reason why not. Tries to load it if nobody has yet. */
export function libraryStatus(): LibraryStatus {
  if (disabled > 0) return { loaded: false, path: "", reason: "disabled by disableLibrary()" };
  state ??= load();
  return state.status;
}

/** Looks for the library again at the next use, unless it is loaded: after a build. */
export function retryLibrary(): void {
  if (state?.library === null) state = undefined;
}

/**
 * Makes {@linkcode library} give null until the result is disposed of. For tests; what was opened through the
 * library before goes on using it.
 */
export function disableLibrary(): Disposable {
  disabled++;
  let done = false;
  return {
    [Symbol.dispose]() {
      if (!done) disabled--;
      done = true;
    },
  };
}
