/**
 * Where the files of a table's managers are: in its directory, or in a container there (format reference part 5,
 * section 1). Keywords, `table.info` and `table.lock` are always files of their own.
 */
import { TableError } from "../error.ts";
import type { ColumnSet } from "../format/column-set.ts";
import {
  type ContainerPlace,
  LEAD_BYTES,
  type MultiFileHeader,
  type MultiFileLead,
  readContinuation,
  readMultiFileHeader,
  readMultiFileLead,
} from "../format/multifile.ts";
import type { FileAccess } from "../io/access.ts";
import { ContainerFiles } from "../io/multifile-files.ts";
import { fileSize, type Plan, readBytes } from "../io/plan.ts";

/** The container of a MultiFile table. */
export const CONTAINER = "table.mf";
/** What of a header of version 1 doesn't fit into the first block. */
export const HEADER_EXTENSION = `${CONTAINER}_hdrext`;
const HDF5_CONTAINER = "table.mfh5";

/**
 * Plan: the files of the managers of a table whose directory is `files`. A table that asked for a container has none
 * when no manager makes use of it.
 *
 * @throws TableError UNSUPPORTED for HDF5, CORRUPT
 */
export function* managerFiles<F extends FileAccess>(
  files: F,
  { storage }: ColumnSet,
): Plan<F | ContainerFiles> {
  if (storage === "multihdf5" && (yield* fileSize(HDF5_CONTAINER)) >= 0) {
    throw new TableError(
      "UNSUPPORTED",
      "the table's data are in an HDF5 file (storage option MultiHDF5), which this version doesn't read; " +
        "a copy that casacore makes with storage option sepfile can be read",
      { file: files.pathOf(HDF5_CONTAINER) },
    );
  }
  if (storage !== "multifile") return files;
  const header = yield* readContainer(files);
  if (header === null) return files;
  return new ContainerFiles(files, { file: CONTAINER, blockSize: header.blockSize, files: header.files });
}

/** Plan: the header of the container, null if there is no container. @throws TableError CORRUPT, UNSUPPORTED */
export function* readContainer(files: FileAccess): Plan<MultiFileHeader | null> {
  const size = yield* fileSize(CONTAINER);
  if (size < 0) return null;
  const place: ContainerPlace = { file: files.pathOf(CONTAINER), size };
  const lead = readMultiFileLead(yield* readBytes(CONTAINER, 0, Math.min(size, LEAD_BYTES)), place);
  const { headerSize, blockSize } = lead;
  if (headerSize <= blockSize) {
    return readMultiFileHeader(yield* readBytes(CONTAINER, 0, headerSize), lead, place);
  }
  const header = lead.version === 1 ? yield* extendedHeader(files, lead) : yield* chainedHeader(lead, place);
  return readMultiFileHeader(header, lead, place);
}

/** Plan: a header of version 1 that goes on in a file of its own. */
function* extendedHeader(files: FileAccess, { headerSize, blockSize }: MultiFileLead): Plan<Uint8Array> {
  const more = headerSize - blockSize, there = yield* fileSize(HEADER_EXTENSION);
  if (there < more) {
    throw new TableError(
      "CORRUPT",
      `expected the last ${more} bytes of the container's header, ` +
        (there < 0 ? "there is no such file" : `the file has ${there}`),
      { file: files.pathOf(HEADER_EXTENSION), offset: Math.max(0, there) },
    );
  }
  const header = new Uint8Array(headerSize);
  header.set(yield* readBytes(CONTAINER, 0, blockSize));
  header.set(yield* readBytes(HEADER_EXTENSION, 0, more), blockSize);
  return header;
}

/** Plan: a header of version 2 that goes on in a chain of blocks. It ends, since each block brings some bytes. */
function* chainedHeader(lead: MultiFileLead, { file, size }: ContainerPlace): Plan<Uint8Array> {
  const { headerSize, blockSize } = lead;
  const header = new Uint8Array(headerSize);
  header.set(yield* readBytes(CONTAINER, 0, blockSize));
  let block = lead.firstContinuation, at = blockSize;
  while (at < headerSize) {
    const offset = block * blockSize;
    if (block === 0 || !(offset + blockSize <= size)) {
      throw new TableError(
        "CORRUPT",
        `the header goes on in block ${block}, the container has ${size} bytes; ${
          headerSize - at
        } bytes are missing`,
        { file, offset: Math.min(offset, size) },
      );
    }
    const { next, part } = readContinuation(yield* readBytes(CONTAINER, offset, blockSize), { file, offset });
    header.set(part.subarray(0, headerSize - at), at);
    at += part.length;
    if (at >= headerSize && next !== 0) {
      throw new TableError("CORRUPT", `the header ends in this block, which goes on in block ${next}`, {
        file,
        offset,
      });
    }
    block = next;
  }
  return header;
}
