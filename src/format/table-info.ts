/**
 * `table.info`: format reference part 1, section 7. Text with `\n` line ends:
 *
 * | line | |
 * | --- | --- |
 * | 1 | `Type = ` and the type |
 * | 2 | `SubType = ` and the sub type |
 * | 3 | empty |
 * | 4 … | readme |
 */
import { decodeUtf8, encodeUtf8 } from "./strings.ts";

const TYPE_LABEL = "Type = ";
const SUBTYPE_LABEL = "SubType = ";
/** Longest line that casacore reads, in bytes; it takes the rest for another line. */
const MAX_LINE_BYTES = 1023;
const NEWLINE = 0x0a;

/** What kind of table this is, for people and for programs that look for one. */
export interface TableInfo {
  /** E.g. `Measurement Set`. */
  readonly type: string;
  /** A finer kind within the type, mostly empty. */
  readonly subType: string;
  /** Lines that end in `\n`, or nothing. */
  readonly readme: string;
}

/** What a table without a `table.info` says. */
export const EMPTY_INFO: TableInfo = { type: "", subType: "", readme: "" };

/** Reads a `table.info`. Nothing is refused: the labels may be anything of their length. */
export function readTableInfo(bytes: Uint8Array): TableInfo {
  let at = 0;
  const line = (): Uint8Array => {
    const end = bytes.indexOf(NEWLINE, at);
    const taken = bytes.subarray(at, end < 0 ? bytes.length : end);
    at = end < 0 ? bytes.length : end + 1;
    return taken;
  };
  const type = decodeUtf8(line().subarray(TYPE_LABEL.length, MAX_LINE_BYTES));
  const subType = decodeUtf8(line().subarray(SUBTYPE_LABEL.length, MAX_LINE_BYTES));
  line();
  return { type, subType, readme: decodeUtf8(bytes.subarray(at)) };
}

/** Writes a `table.info`. A readme gets the line end that it lacks. */
export function writeTableInfo({ type, subType, readme }: TableInfo): Uint8Array<ArrayBuffer> {
  const tail = readme === "" || readme.endsWith("\n") ? readme : `${readme}\n`;
  return encodeUtf8(`${TYPE_LABEL}${type}\n${SUBTYPE_LABEL}${subType}\n\n${tail}`);
}
