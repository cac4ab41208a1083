/**
 * Lines of NDJSON and rows of CSV, some at a time, in memory that doesn't grow with the file.
 */
import { TableError } from "../../mod.ts";
import { decodeUtf8 } from "../format/strings.ts";

/** Bytes read at a time. */
const CHUNK_BYTES = 1 << 20;
/** Longest line: one cell of a gigabyte is not read from text. */
const MAX_LINE_CHARS = 2 ** 28;

/** How much of a file was read, in all times that it was. */
export interface BytesRead {
  bytes: number;
}

/** Pieces of a file's text. A piece may end anywhere but within a character. @throws TableError NOT_FOUND, IO */
function* pieces(path: string, progress: BytesRead | undefined): Generator<string> {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path);
  } catch (cause) {
    const missing = cause instanceof Deno.errors.NotFound;
    const text = missing ? "there is no such file" : `it can't be opened: ${(cause as Error).message}`;
    throw new TableError(missing ? "NOT_FOUND" : "IO", text, { file: path, cause });
  }
  try {
    let rest = new Uint8Array(0);
    const buffer = new Uint8Array(CHUNK_BYTES);
    for (;;) {
      let read: number | null;
      try {
        read = file.readSync(buffer);
      } catch (cause) {
        throw new TableError("IO", `reading failed: ${(cause as Error).message}`, { file: path, cause });
      }
      if (read === null) break;
      if (progress !== undefined) progress.bytes += read;
      const bytes = new Uint8Array(rest.length + read);
      bytes.set(rest);
      bytes.set(buffer.subarray(0, read), rest.length);
      // The last character may go on in the next piece: at most 3 bytes are kept back.
      let end = bytes.length;
      for (let back = 1; back <= Math.min(4, bytes.length); back++) {
        const byte = bytes[bytes.length - back]!;
        if (byte < 0x80) break;
        if (byte >= 0xc0) {
          const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
          if (needs > back) end = bytes.length - back;
          break;
        }
      }
      rest = bytes.slice(end);
      yield decodeUtf8(bytes.subarray(0, end));
    }
    if (rest.length > 0) yield decodeUtf8(rest);
  } finally {
    file.close();
  }
}

/** A line, and its number from 1. */
export interface Line {
  readonly text: string;
  readonly number: number;
}

/** The lines that aren't empty. @throws TableError NOT_FOUND, IO, LIMIT */
export function* linesOf(path: string, progress?: BytesRead): Generator<Line> {
  let rest = "", number = 0;
  for (const piece of pieces(path, progress)) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop()!;
    if (rest.length > MAX_LINE_CHARS) {
      throw new TableError(
        "LIMIT",
        `line ${number + lines.length + 1} has more than ${MAX_LINE_CHARS} characters`,
        { file: path },
      );
    }
    for (const line of lines) {
      number++;
      if (line.trim() !== "") yield { text: line, number };
    }
  }
  if (rest.trim() !== "") yield { text: rest, number: number + 1 };
}

/** A field of CSV: null for nothing at all, "" for a text in quotes without characters. */
export type CsvField = string | null;

/** Rows of CSV (RFC 4180): fields with commas between, quotes doubled within quotes. @throws TableError CORRUPT, NOT_FOUND, IO */
export function* csvRows(
  path: string,
  progress?: BytesRead,
): Generator<{ readonly fields: CsvField[]; readonly line: number }> {
  let fields: CsvField[] = [],
    field = "",
    quoted = false,
    inQuotes = false,
    line = 1,
    start = 1,
    pending = "";
  const endField = () => {
    fields.push(field === "" && !quoted ? null : field);
    field = "";
    quoted = false;
  };
  for (const piece of pieces(path, progress)) {
    const text = pending + piece;
    pending = "";
    for (let i = 0; i < text.length; i++) {
      const char = text[i]!;
      if (inQuotes) {
        const end = text.indexOf('"', i);
        const part = text.slice(i, end < 0 ? text.length : end);
        field += part;
        for (let at = part.indexOf("\n"); at >= 0; at = part.indexOf("\n", at + 1)) line++;
        if (field.length > MAX_LINE_CHARS) {
          throw new TableError("LIMIT", `line ${start}: a field without an end`, { file: path });
        }
        if (end < 0) break;
        if (end === text.length - 1) {
          // Whether another quote follows is in the next piece.
          pending = '"';
          break;
        }
        i = end;
        if (text[end + 1] === '"') {
          field += '"';
          i++;
        } else inQuotes = false;
      } else if (char === '"' && field === "" && !quoted) inQuotes = quoted = true;
      else if (char === ",") endField();
      else if (char === "\n") {
        line++;
        if (field.endsWith("\r")) field = field.slice(0, -1);
        endField();
        if (fields.length > 1 || fields[0] !== null) yield { fields, line: start };
        fields = [];
        start = line;
      } else {
        let end = i + 1;
        while (end < text.length && text[end] !== "," && text[end] !== "\n") end++;
        field += text.slice(i, end);
        i = end - 1;
      }
    }
  }
  if (inQuotes && pending === "") {
    throw new TableError("CORRUPT", `line ${start}: a quote is not closed`, { file: path });
  }
  if (field.endsWith("\r")) field = field.slice(0, -1);
  endField();
  if (fields.length > 1 || fields[0] !== null) yield { fields, line: start };
}
