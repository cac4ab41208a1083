/**
 * Tar archives of plain files, as npm's are, read and written whole.
 *
 * A file is a header of 512 bytes, then its bytes, filled with zeros to a multiple of 512; two headers of zeros end
 * the archive. Numbers are octal digits. The header (POSIX.1-1988, "ustar"):
 *
 * | offset | bytes | field | here |
 * | --- | --- | --- | --- |
 * | 0 | 100 | name | up to 100 bytes of ASCII |
 * | 100 | 8 | mode | 644 |
 * | 108, 116 | 8, 8 | owner, group | 0 |
 * | 124 | 12 | size | |
 * | 136 | 12 | time of last change | 1985-10-26 08:15, which npm gives the files of its own archives |
 * | 148 | 8 | checksum | the sum of the header's bytes, these eight taken as spaces |
 * | 156 | 1 | kind | `0`, a file |
 * | 257 | 8 | magic and version | `ustar`, NUL, `00` |
 */

/** A file of an archive. */
export interface TarEntry {
  /** The path in the archive. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

const BLOCK = 512, NAME_BYTES = 100, SIZE_AT = 124, CHECKSUM_AT = 148, KIND_AT = 156;
/** Seconds since 1970. A fixed time makes equal archives of equal files. */
const CHANGED = 499_162_500;

const decoder = new TextDecoder(), encoder = new TextEncoder();

function text(header: Uint8Array, start: number, length: number): string {
  return decoder.decode(header.subarray(start, start + length)).replace(/\0[\s\S]*$/, "");
}

/** The files of an archive, in its order. @throws Error for a kind of entry that is no plain file */
export function readTar(archive: Uint8Array): TarEntry[] {
  const entries: TarEntry[] = [];
  for (let at = 0; at + BLOCK <= archive.length && archive[at] !== 0;) {
    const header = archive.subarray(at, at + BLOCK);
    const name = text(header, 0, NAME_BYTES), kind = text(header, KIND_AT, 1);
    const size = parseInt(text(header, SIZE_AT, 12), 8);
    if ((kind !== "0" && kind !== "") || !(at + BLOCK + size <= archive.length)) {
      throw new Error(`tar: at ${at}, ${name}: expected a file of kind 0 within the archive, found ${kind}`);
    }
    entries.push({ name, bytes: archive.subarray(at + BLOCK, at + BLOCK + size) });
    at += BLOCK * (1 + Math.ceil(size / BLOCK));
  }
  return entries;
}

function headerOf({ name, bytes }: TarEntry): Uint8Array {
  const header = new Uint8Array(BLOCK);
  const put = (at: number, field: string) => header.set(encoder.encode(field), at);
  const number = (at: number, length: number, value: number) =>
    put(at, value.toString(8).padStart(length - 1, "0"));
  // deno-lint-ignore no-control-regex
  if (!/^[\x01-\x7f]{1,100}$/.test(name)) throw new Error(`tar: expected at most 100 ASCII letters: ${name}`);
  put(0, name);
  number(100, 8, 0o644);
  number(108, 8, 0);
  number(116, 8, 0);
  number(SIZE_AT, 12, bytes.length);
  number(136, 12, CHANGED);
  put(CHECKSUM_AT, " ".repeat(8));
  put(KIND_AT, "0");
  put(257, "ustar\x0000");
  const sum = header.reduce((sum, byte) => sum + byte, 0);
  put(CHECKSUM_AT, `${sum.toString(8).padStart(6, "0")}\0 `);
  return header;
}

/** An archive of these files. */
export function writeTar(entries: readonly TarEntry[]): Uint8Array<ArrayBuffer> {
  const length = entries.reduce((sum, { bytes }) => sum + BLOCK * (1 + Math.ceil(bytes.length / BLOCK)), 0);
  const archive = new Uint8Array(length + 2 * BLOCK);
  let at = 0;
  for (const entry of entries) {
    archive.set(headerOf(entry), at);
    archive.set(entry.bytes, at + BLOCK);
    at += BLOCK * (1 + Math.ceil(entry.bytes.length / BLOCK));
  }
  return archive;
}

/** Bytes through a stream that packs or unpacks them. */
export async function through(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}
