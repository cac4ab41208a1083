/**
 * The C sources as text, wherever this module was loaded from: a folder, a cache of modules, or a URL. The build
 * compiles them and the name of the library carries their hash, so that a stale build is never loaded.
 *
 * Import this file dynamically and only in Deno: Node doesn't know text imports.
 */
import header from "./tessera.h" with { type: "text" };
import bits from "./bits.c" with { type: "text" };
import crc32c from "./crc32c.c" with { type: "text" };
import direct from "./direct.c" with { type: "text" };
import dysco from "./dysco.c" with { type: "text" };
import dyscoEncode from "./dysco_encode.c" with { type: "text" };
import errors from "./errors.c" with { type: "text" };
import io from "./io.c" with { type: "text" };
import lock from "./lock.c" with { type: "text" };
import map from "./map.c" with { type: "text" };
import memory from "./memory.c" with { type: "text" };
import moves from "./moves.c" with { type: "text" };
import stats from "./stats.c" with { type: "text" };
import stream from "./stream.c" with { type: "text" };
import swap from "./swap.c" with { type: "text" };
import sync from "./sync.c" with { type: "text" };

/** File name and content of every source; names that end in `.c` are compiled. */
export const SOURCES: Readonly<Record<string, string>> = {
  "tessera.h": header,
  "bits.c": bits,
  "crc32c.c": crc32c,
  "direct.c": direct,
  "dysco.c": dysco,
  "dysco_encode.c": dyscoEncode,
  "errors.c": errors,
  "io.c": io,
  "lock.c": lock,
  "map.c": map,
  "memory.c": memory,
  "moves.c": moves,
  "stats.c": stats,
  "stream.c": stream,
  "swap.c": swap,
  "sync.c": sync,
};

/** Compiler flags on every system; they are part of the hash. */
export const FLAGS: readonly string[] = [
  "-std=c11",
  "-O2",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-fPIC",
  "-shared",
  "-fvisibility=hidden",
  // Moves are checked in doubles; a fused multiply-add would round differently from the TypeScript twin.
  "-ffp-contract=off",
];

/** Linker flags on Linux: the library stays loaded, because its signal handler and its pages outlive any isolate. */
export const LINUX_FLAGS: readonly string[] = ["-Wl,-z,nodelete", "-pthread"];

/** The largest prime below 2^64. */
const HASH_PRIME = 0xffffffffffffffc5n;

/**
 * 16 hexadecimal digits that differ when a source or a flag does. They tell builds apart and protect from nothing.
 * The sources as one number, modulo a prime: the engine's own long division takes half a millisecond for them,
 * a loop over their bytes that the compiler has not seen yet several, and every program that opens a table waits.
 */
export function sourceHash(): string {
  const text = [...Object.entries(SOURCES).flat(), ...FLAGS, ...LINUX_FLAGS].join("\0");
  const bytes = new TextEncoder().encode(text) as Uint8Array & { toHex(): string };
  return (BigInt("0x1" + bytes.toHex()) % HASH_PRIME).toString(16).padStart(16, "0");
}
