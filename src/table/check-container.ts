/**
 * Checks a MultiFile container: every block is one thing and only one, and checksums fit. Format reference part 5,
 * sections 2 to 4.
 */
import { Crc32 } from "../format/crc32.ts";
import { type BlockRuns, blocksOf, type MultiFileHeader } from "../format/multifile.ts";
import type { FileAccess } from "../io/access.ts";
import { fileSize, type Plan, readBytes } from "../io/plan.ts";
import { Claims } from "../storage/claims.ts";
import type { Findings } from "../storage/findings.ts";
import { CONTAINER, HEADER_EXTENSION } from "./container.ts";

/** Bytes of a block that are read in one go. */
const PIECE_BYTES = 1024 * 1024;

/** Plan: checks the container whose header this is. */
export function* checkContainer(files: FileAccess, header: MultiFileHeader, findings: Findings): Plan<void> {
  const { blockSize, blockCount, headerSize } = header;
  const path = files.pathOf(CONTAINER), size = yield* fileSize(CONTAINER);
  const end = blockCount * blockSize;
  if (size !== end) {
    const message = `the container has ${size} bytes, ${blockCount} blocks of ${blockSize} are ${end}`;
    // The last block may be cut off where its file ends; more may be left from before.
    findings.note(message, path, Math.min(size, end));
  }
  checkBlocks(header, findings, path);
  if (header.version === 1 && headerSize > blockSize) {
    const more = (yield* fileSize(HEADER_EXTENSION)) - (headerSize - blockSize);
    if (more > 0) {
      findings.note(
        `${more} bytes behind the rest of the container's header`,
        files.pathOf(HEADER_EXTENSION),
        headerSize - blockSize,
      );
    }
  }
  if (header.checksums !== null) yield* checkSums(files, header, header.checksums, findings);
}

/** Every block but the first belongs to a file, to the free list, or to a chain that holds the header. */
function checkBlocks(header: MultiFileHeader, findings: Findings, path: string): void {
  const { files, free, continuations, blockSize, blockCount } = header;
  const owners = files.map(({ name }) => `file ${name}`);
  const claims = new Claims();
  let claimed = 1;
  const claim = (runs: BlockRuns, owner: number) => {
    for (let i = 0; i < runs.length; i += 2) {
      claims.add(runs[i]!, runs[i + 1]!, owner);
      claimed += runs[i + 1]!;
    }
  };
  files.forEach(({ runs }, i) => claim(runs, i));
  claim(free, owners.push("the free list") - 1);
  for (const set of continuations) claim(set, owners.push("the header") - 1);
  let overlapping = false;
  for (const { first, second, offset } of claims.overlaps()) {
    overlapping = true;
    if (findings.full) return;
    findings.wrong(
      `block ${offset} belongs to ${owners[first]} and to ${owners[second]}`,
      path,
      offset * blockSize,
    );
  }
  if (!overlapping && claimed < blockCount) {
    findings.wrong(`${blockCount - claimed} of ${blockCount} blocks are neither in a file nor free`, path);
  }
  for (const { name, size, runs } of files) {
    let blocks = 0;
    for (let i = 1; i < runs.length; i += 2) blocks += runs[i]!;
    const surplus = blocks - blocksOf(size, blockSize);
    if (surplus > 0) {
      findings.note(`file ${name} has ${surplus} blocks more than its ${size} bytes need`, path);
    }
  }
}

/** Plan: holds every block of a file against its checksum. casacore refuses to read a block whose checksum is wrong. */
function* checkSums(
  access: FileAccess,
  { files, blockSize, blockCount }: MultiFileHeader,
  checksums: Uint32Array,
  findings: Findings,
): Plan<void> {
  const path = access.pathOf(CONTAINER);
  if (checksums.length > blockCount) {
    findings.note(`${checksums.length} checksums for ${blockCount} blocks`, path);
  }
  for (const { name, size, runs } of files) {
    let left = blocksOf(size, blockSize);
    for (let i = 0; i < runs.length && left > 0; i += 2) {
      for (let block = runs[i]!; block < runs[i]! + runs[i + 1]! && left > 0; block++, left--) {
        if (findings.full) return;
        const offset = block * blockSize, stored = checksums[block];
        if (stored === undefined) {
          findings.wrong(`block ${block} of file ${name} has no checksum`, path, offset);
          continue;
        }
        const found = yield* findings.attempt(sumOf(offset, blockSize), path);
        if (found !== undefined && found !== stored) {
          findings.wrong(
            `block ${block} of file ${name} has checksum ${hex(stored)}, its bytes give ${hex(found)}`,
            path,
            offset,
          );
        }
      }
    }
  }
}

function* sumOf(offset: number, length: number): Plan<number> {
  const crc = new Crc32();
  for (let done = 0; done < length; done += PIECE_BYTES) {
    crc.add(yield* readBytes(CONTAINER, offset + done, Math.min(PIECE_BYTES, length - done)));
  }
  return crc.value;
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}
