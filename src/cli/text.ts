/**
 * Text for people: sizes, counts, shapes, and names that fit where they are put and do no harm to the terminal.
 */
import { readableText } from "../format/strings.ts";

const ELLIPSIS = "…";

/** Characters that take two columns of a terminal: East Asian wide forms and emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;
/** Characters that take none: combining marks, joiners and variation selectors. */
const NARROW = /[\p{Mn}\p{Me}\u200b-\u200d\ufe00-\ufe0f]/u;
/** Characters that move the cursor, ring the bell or turn the writing direction. */
const UNSAFE = /[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069\ufeff]/gu;
const PLAIN = /^[ -~]*$/;

const ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0" };

/** Text from a file as it may be shown: control characters as escapes, so that a name can't steer the terminal. */
export function visible(text: string): string {
  if (PLAIN.test(text)) return text;
  return readableText(text).replace(UNSAFE, (c) => {
    const code = c.codePointAt(0)!;
    return ESCAPES[c] ?? (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`);
  });
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}

/** Columns of a terminal that the text takes. */
export function widthOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const c of text) width += NARROW.test(c) ? 0 : WIDE.test(c) ? 2 : 1;
  return width;
}

/** The longest start of the characters that fits `width`. */
function fitting(characters: readonly string[], width: number): string {
  let text = "", used = 0;
  for (const c of characters) {
    used += widthOf(c);
    if (used > width) break;
    text += c;
  }
  return text;
}

/** Text of at most `width` columns; what is too long loses its end, or its middle where both ends tell names apart. */
export function cut(text: string, width: number, where: "end" | "middle" = "end"): string {
  if (widthOf(text) <= width) return text;
  if (width <= 1) return width < 1 ? "" : ELLIPSIS;
  const characters = [...text];
  const tail = where === "end" ? 0 : Math.floor((width - 1) / 2);
  const front = fitting(characters, width - 1 - tail);
  if (tail === 0) return front + ELLIPSIS;
  const back = [...fitting(characters.toReversed(), tail)].reverse().join("");
  return front + ELLIPSIS + back;
}

/** Text brought to exactly `width` columns. */
export function pad(text: string, width: number, align: "left" | "right" = "left"): string {
  const blanks = " ".repeat(Math.max(0, width - widthOf(text)));
  return align === "left" ? text + blanks : blanks + text;
}

const UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** A number of bytes in three digits: `512 B`, `1.21 KiB`, `48.0 MiB`, `190 GiB`. */
export function humanBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** A whole number with its thousands set apart: `1,260`. */
export function humanCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 row`, `1,260 rows`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${humanCount(count)} ${count === 1 ? one : many}`;
}

/** A shape as casacore writes it, first axis fastest: `[4,64]`. */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(",")}]`;
}

/** A manager's class name as C++ writes it: on disk template arguments are padded and the bracket stays open. */
export function className(type: string): string {
  if (!type.includes("<")) return visible(type);
  const tight = visible(type.replaceAll(/\s+/g, ""));
  return tight.endsWith(">") ? tight : `${tight}>`;
}
