/**
 * The file of a manager that keeps rows of equal length, `table.f<N>`, always little endian (format reference part 6,
 * section 11).
 *
 * | offset | type | content |
 * | --- | --- | --- |
 * | 0 | 4 bytes | `Crbf` |
 * | 4 | uint32 | version 0x0100; the major number in bits 8 to 15 |
 * | 8 | uint32 | P, the size of this header |
 * | 12 | uint64 | bytes of a row |
 * | 20 | uint64 | U, the size of the user's header |
 * | P | U bytes | the user's header: a tag of 8 bytes, then what the manager keeps there |
 * | P + U | rows | as many as there are whole ones |
 */
import { TableError } from "../../error.ts";
import { fileSize, type Plan, readBytes } from "../../io/plan.ts";
import type { ManagerContext } from "../manager.ts";

const MAGIC = 0x66627243; // "Crbf", read as a little-endian word
const MAJOR = 1;
const HEADER_BYTES = 28;
const TAG_BYTES = 8;

/** What is known of the file once it is open. */
export interface RowFile {
  /** Its name in the table's directory. */
  readonly name: string;
  /** The path that errors name. */
  readonly path: string;
  /** Bytes of a row. */
  readonly stride: number;
  /** Where the first row begins. */
  readonly start: number;
  /** Rows that are whole. */
  readonly rowCount: number;
  /** Numbers in the user's header, behind the tag. */
  readonly numbers: readonly number[];
}

/**
 * Plan: opens the file of a manager.
 *
 * @param tag What the user's header begins with: 8 characters.
 * @param count Numbers of 64 bits that follow the tag.
 * @throws TableError NOT_FOUND, CORRUPT, UNSUPPORTED for a later version
 */
export function* openRowFile(context: ManagerContext, tag: string, count: number): Plan<RowFile> {
  const name = `table.f${context.sequence}`, path = context.pathOf(name);
  const fail = (message: string, offset: number): never => {
    throw new TableError("CORRUPT", message, { file: path, offset });
  };
  const size = yield* fileSize(name);
  if (size < 0) throw new TableError("NOT_FOUND", `the file of ${context.type} is missing`, { file: path });
  if (size < HEADER_BYTES) fail(`the file has ${size} bytes, expected a header of ${HEADER_BYTES}`, 0);
  const header = viewOf(yield* readBytes(name, 0, HEADER_BYTES));
  if (header.getUint32(0, true) !== MAGIC) fail('the file does not begin with "Crbf"', 0);
  const version = header.getUint32(4, true);
  if (((version >>> 8) & 0xff) > MAJOR) {
    throw new TableError("UNSUPPORTED", `version 0x${version.toString(16)}, expected major number ${MAJOR}`, {
      file: path,
      offset: 4,
    });
  }
  const own = header.getUint32(8, true);
  if (own < HEADER_BYTES || own > size) fail(`the header has ${own} bytes, the file ${size}`, 8);
  const stride = numberAt(header, 12), user = numberAt(header, 20), userBytes = TAG_BYTES + 8 * count;
  if (!(user >= userBytes && user <= size - own)) {
    fail(`the user's header has ${user} bytes, expected ${userBytes} or more within ${size - own}`, 20);
  }
  if (!(stride >= 1 && Number.isSafeInteger(stride))) fail(`a row has ${stride} bytes`, 12);
  const bytes = yield* readBytes(name, own, userBytes);
  const found = String.fromCharCode(...bytes.subarray(0, TAG_BYTES));
  if (found !== tag) {
    fail(`the user's header is ${JSON.stringify(found)}, expected ${JSON.stringify(tag)}`, own);
  }
  const view = viewOf(bytes);
  const numbers = Array.from({ length: count }, (_, i) => numberAt(view, TAG_BYTES + 8 * i));
  const start = own + user;
  return { name, path, stride, start, rowCount: Math.floor((size - start) / stride), numbers };
}

/** A number of 64 bits; beyond 2^53 it is only roughly right, and larger than any file. */
function numberAt(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}

/** A view of bytes that a plan was handed. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
