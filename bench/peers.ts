/**
 * Other readers, which take part where they are installed: python-casacore, casa-formats-io, arcae and casacure with any Python
 * that has them, zarrita from Deno's cache. Pythons are tried in this order: those named in TESSERA_PYTHON (paths with `:`
 * between), `python3`, `/usr/bin/python3`.
 */
import { Side } from "./side.ts";

const PYTHON_READERS = ["python-casacore", "casa-formats-io", "arcae", "casacure"];

const pathOf = (file: string) => new URL(`peers/${file}`, import.meta.url).pathname;

/** Starts a side if it is here. */
async function start(name: string, command: string, args: readonly string[]): Promise<[Side, string] | null> {
  try {
    const side = new Side(name, command, args, "null"), said = await side.introduction();
    return said === null ? null : [side, said];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Those that are here, running, each with what it says it is; and the names of those that aren't. */
export async function startPeers(): Promise<
  { found: [side: Side, introduction: string][]; missing: string[] }
> {
  const pythons = new Set([
    ...(Deno.env.get("TESSERA_PYTHON") ?? "").split(":").filter((path) => path !== ""),
    "python3",
    "/usr/bin/python3",
  ]);
  const found: [Side, string][] = [], missing: string[] = [];
  for (const name of PYTHON_READERS) {
    let peer: [Side, string] | null = null;
    for (const python of pythons) peer ??= await start(name, python, [pathOf("readers.py"), name]);
    if (peer === null) missing.push(name);
    else found.push(peer);
  }
  const flags = ["run", "-A", "--quiet", "--no-lock", "--cached-only"];
  const zarrita = await start("zarrita", Deno.execPath(), [...flags, pathOf("zarrita.ts")]);
  if (zarrita === null) missing.push("zarrita");
  else found.push(zarrita);
  return { found, missing };
}
