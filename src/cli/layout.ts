/**
 * Columns of text, aligned, that never grow wider than the terminal.
 */
import { cut, pad, widthOf } from "./text.ts";

/** One column of a listing. */
export interface Field {
  readonly title: string;
  /** One entry a line. */
  readonly cells: readonly string[];
  readonly align?: "left" | "right";
  /** Where entries that are too long lose characters. */
  readonly cut?: "end" | "middle";
  /** The narrowest that the column may be made; as wide as its entries unless told otherwise. */
  readonly least?: number;
  /** A column that may be left out where there is no room; of all such measures the one of the highest rank, from 1 up, comes first. */
  readonly optional?: number;
  /** Shorter entries for where there is no room, and the rank of that measure. */
  readonly shorter?: { readonly rank: number; readonly cells: readonly string[] };
  /** Written paler than the rest, where there are colours. */
  readonly faint?: boolean;
}

/** How a listing is set. */
export interface LayoutOptions {
  readonly width: number;
  /** Blanks before each line. */
  readonly indent?: number;
  readonly color?: boolean;
  /** Leave the titles out. */
  readonly untitled?: boolean;
}

const GAP = 2;

const SGR = { bold: ["\x1b[1m", "\x1b[22m"], faint: ["\x1b[2m", "\x1b[22m"] } as const;

/** Text in a style, where there are colours. */
export function styled(text: string, style: keyof typeof SGR, color: boolean): string {
  return color && text.trim() !== "" ? SGR[style][0] + text + SGR[style][1] : text;
}

function naturalWidth(field: Field, untitled: boolean): number {
  return field.cells.reduce(
    (most, cell) => Math.max(most, widthOf(cell)),
    untitled ? 0 : widthOf(field.title),
  );
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP * Math.max(0, widths.length - 1);
}

function withShorter({ shorter: _, ...field }: Field, cells: readonly string[]): Field {
  return { ...field, cells };
}

/** Which fields are shown, and how wide each is. */
function fit(
  fields: readonly Field[],
  room: number,
  untitled: boolean,
): { shown: Field[]; widths: number[] } {
  let shown = fields.filter(({ cells }) => cells.length === 0 || cells.some((cell) => cell !== ""));
  let widths = shown.map((field) => naturalWidth(field, untitled));
  while (total(widths) > room) {
    const rank = Math.max(...shown.map((field) => Math.max(field.optional ?? 0, field.shorter?.rank ?? 0)));
    if (rank <= 0) break;
    shown = shown.filter((field) => field.optional !== rank)
      .map((field) => field.shorter?.rank === rank ? withShorter(field, field.shorter.cells) : field);
    widths = shown.map((field) => naturalWidth(field, untitled));
  }
  // What is still too wide is taken from the widest, until nothing may become narrower.
  while (total(widths) > room) {
    let widest = -1;
    shown.forEach((field, i) => {
      if (widths[i]! > (field.least ?? Infinity) && (widest < 0 || widths[i]! > widths[widest]!)) widest = i;
    });
    if (widest < 0) break;
    widths[widest]!--;
  }
  return { shown, widths };
}

/** The lines of a listing: titles, then one line an entry. A column without any entry isn't shown. No line is wider than `width`. */
export function layout(fields: readonly Field[], options: LayoutOptions): string[] {
  const { width, indent = 0, color = false, untitled = false } = options;
  const { shown, widths } = fit(fields, width - indent, untitled);
  const margin = " ".repeat(indent);
  const line = (entries: readonly string[], style: (text: string, field: Field) => string) => {
    let text = "", used = indent;
    shown.forEach((field, i) => {
      const before = i === 0 ? 0 : GAP;
      // Only a terminal too narrow for the least widths makes `room` smaller than the column.
      const room = Math.max(0, Math.min(widths[i]!, width - used - before));
      const padded = pad(cut(entries[i]!, room, field.cut), room, field.align);
      // Blanks at the end of a line are left out, also where a style would follow them.
      const entry = i === shown.length - 1 ? padded.trimEnd() : padded;
      text += " ".repeat(Math.min(before, Math.max(0, width - used))) + style(entry, field);
      used += before + room;
    });
    return (margin + text).trimEnd();
  };
  const count = fields[0]?.cells.length ?? 0;
  const lines = untitled
    ? []
    : [line(shown.map((field) => field.title), (text) => styled(text, "bold", color))];
  for (let i = 0; i < count; i++) {
    lines.push(
      line(
        shown.map((field) => field.cells[i] ?? ""),
        (text, field) => field.faint ? styled(text, "faint", color) : text,
      ),
    );
  }
  return lines;
}
