/**
 * Where a build of the C library lives and what it is called.
 *
 * | place | folder | when |
 * | --- | --- | --- |
 * | tree | `lib/` beside this file | `deno task build`; only when this file was loaded from a folder |
 * | cache | `tessera/` in the user's cache folder | `table doctor --build`; where the tree is absent or not writable |
 */

/** The two places that a build can be in. */
export type LibraryPlace = "tree" | "cache";

/** File name of the library on this machine for sources with this hash. */
export function libraryName(hash: string): string {
  return `tessera-${Deno.build.os}-${Deno.build.arch}-${hash}.${Deno.build.os === "darwin" ? "dylib" : "so"}`;
}

/** An environment variable; undefined also when reading it would need a permission that isn't there yet. */
export function environment(variable: string): string | undefined {
  if (Deno.permissions.querySync({ name: "env", variable }).state !== "granted") return undefined;
  return Deno.env.get(variable);
}

/** The path of a `file:` URL. */
export function pathOfUrl(url: URL): string {
  return decodeURIComponent(url.pathname);
}

/** `ffi/lib` of the source tree, or undefined when this module came from elsewhere. */
export function treeFolder(): string | undefined {
  const url = new URL("./lib", import.meta.url);
  return url.protocol === "file:" ? pathOfUrl(url) : undefined;
}

/** Our folder in the user's cache folder, or undefined when the environment doesn't say where that is. */
export function cacheFolder(): string | undefined {
  const home = environment("HOME");
  if (Deno.build.os === "darwin") return home ? `${home}/Library/Caches/tessera` : undefined;
  const xdg = environment("XDG_CACHE_HOME");
  // The XDG specification has relative paths ignored.
  if (xdg?.startsWith("/")) return `${xdg}/tessera`;
  return home ? `${home}/.cache/tessera` : undefined;
}
