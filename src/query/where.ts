/**
 * Conditions on rows: comparisons of scalar columns, joined by `and` and `or`.
 *
 * | what | grammar |
 * | --- | --- |
 * | expression | conjunction { `or` conjunction } |
 * | conjunction | term { `and` term } |
 * | term | comparison, or `(` expression `)` |
 * | comparison | column operator literal; operators are `=` `==` `!=` `<>` `<` `<=` `>` `>=` |
 * | column | a name of letters, digits, `_`, `.` and `*`; any other within backquotes |
 * | literal | a number, a text in `'` or `"` quotes (doubled within), `true`, `false` |
 */
import type { DType } from "../array/dtype.ts";
import { readValues, type Values } from "../arrow/columns.ts";
import { TableError } from "../error.ts";
import { scalarAt } from "../table/read.ts";
import type { Table } from "../table/table.ts";

/** How values are compared. */
export type Operator = "=" | "!=" | "<" | "<=" | ">" | ">=";
/** What a value is compared with. */
export type Literal = number | bigint | string | boolean;

/** A column beside a literal. */
export interface Comparison {
  /** What it is, among conditions. */
  readonly kind: "comparison";
  /** Name of a scalar column. */
  readonly column: string;
  /** How its values are compared. */
  readonly operator: Operator;
  /** What they are compared with. */
  readonly literal: Literal;
}

/** A condition that rows are chosen by. */
export type Condition = Comparison | {
  readonly kind: "and" | "or";
  readonly parts: readonly Condition[];
};

interface Token {
  readonly kind: "name" | "number" | "text" | "operator" | "open" | "close";
  readonly text: string;
}

const TOKENS =
  /\s*(?:(?<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.])|(?<name>[A-Za-z_*][\w.*]*|`[^`]+`)|(?<text>'(?:[^']|'')*'|"(?:[^"]|"")*")|(?<operator><=|>=|==|!=|<>|=|<|>)|(?<open>\()|(?<close>\)))/y;

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  TOKENS.lastIndex = 0;
  while (text.slice(TOKENS.lastIndex).trim() !== "") {
    const at = TOKENS.lastIndex;
    const groups = TOKENS.exec(text)?.groups;
    if (groups === undefined) {
      throw wrong(`${JSON.stringify(text.slice(at).trim())} is not understood`);
    }
    const [kind, found] = Object.entries(groups).find(([, value]) => value !== undefined)!;
    tokens.push({ kind: kind as Token["kind"], text: found! });
  }
  return tokens;
}

function wrong(message: string): TableError {
  return new TableError("INVALID_ARGUMENT", message);
}

/** Levels of brackets. */
const MAX_DEPTH = 100;

/** Parses a condition. @throws TableError INVALID_ARGUMENT, saying what was expected where */
export function parseWhere(text: string): Condition {
  const tokens = tokensOf(text);
  let at = 0;
  const is = (kind: Token["kind"], word?: string) =>
    tokens[at]?.kind === kind && (word === undefined || tokens[at]!.text.toLowerCase() === word);
  const expected = (what: string): never => {
    const found = tokens[at] === undefined ? "the end" : JSON.stringify(tokens[at]!.text);
    throw wrong(`expected ${what}, found ${found}`);
  };
  const joined = (kind: "and" | "or", part: () => Condition): Condition => {
    const parts = [part()];
    for (; is("name", kind); parts.push(part())) at++;
    return parts.length === 1 ? parts[0]! : { kind, parts };
  };
  const literal = (): Literal => {
    const token = tokens[at];
    if (token === undefined) return expected("a number, a text in quotes, true or false");
    at++;
    if (token.kind === "number") {
      const number = Number(token.text);
      return /^[-+]?\d+$/.test(token.text) && !Number.isSafeInteger(number) ? BigInt(token.text) : number;
    }
    if (token.kind === "text") {
      const quote = token.text[0]!;
      return token.text.slice(1, -1).replaceAll(quote + quote, quote);
    }
    if (token.kind === "name" && /^(true|false)$/i.test(token.text)) {
      return token.text.toLowerCase() === "true";
    }
    if (token.kind === "name" && /^nan$/i.test(token.text)) return NaN;
    at--;
    return expected("a number, a text in quotes, true or false");
  };
  const term = (depth: number): Condition => {
    if (depth > MAX_DEPTH) throw wrong(`more than ${MAX_DEPTH} brackets within each other`);
    if (is("open")) {
      at++;
      const inner = expression(depth + 1);
      if (!is("close")) expected('")"');
      at++;
      return inner;
    }
    if (!is("name")) expected("a column");
    const column = tokens[at++]!.text.replaceAll("`", "");
    if (!is("operator")) expected("a comparison");
    const operator = tokens[at++]!.text.replace("==", "=").replace("<>", "!=") as Operator;
    return { kind: "comparison", column, operator, literal: literal() };
  };
  const expression = (depth: number): Condition => joined("or", () => joined("and", () => term(depth)));
  const condition = expression(0);
  if (at < tokens.length) expected("and, or, or the end");
  return condition;
}

/** The columns that a condition looks at, each once. */
export function columnsOf(condition: Condition): string[] {
  return condition.kind === "comparison"
    ? [condition.column]
    : [...new Set(condition.parts.flatMap(columnsOf))];
}

/** A column's type, as conditions tell them apart. */
function classOf(dtype: DType): "number" | "string" | "boolean" | null {
  if (dtype === "bool") return "boolean";
  if (dtype === "string") return "string";
  return dtype === "record" || dtype.startsWith("complex") ? null : "number";
}

function check(table: Table, condition: Condition): void {
  if (condition.kind !== "comparison") return condition.parts.forEach((part) => check(table, part));
  const { column: name, literal, operator } = condition;
  const column = table.column(name);
  const type = column.kind === "scalar" ? classOf(column.dtype) : null;
  if (type === null) throw wrong(`column ${name} is no scalar that can be compared`);
  if (!column.readable) {
    throw new TableError("UNSUPPORTED", `column ${name} can't be read`, { file: table.path });
  }
  const given = typeof literal === "bigint" ? "number" : typeof literal;
  if (given !== type) {
    throw wrong(`column ${name} is ${column.dtype}, compared with a ${given}`);
  }
  if (type === "boolean" && operator !== "=" && operator !== "!=") {
    throw wrong(`column ${name} is bool, which is compared by = and !=`);
  }
}

function compare(operator: Operator, value: never, literal: never): boolean {
  switch (operator) {
    case "=":
      return value === literal;
    case "!=":
      return value !== literal;
    case "<":
      return value < literal;
    case "<=":
      return value <= literal;
    case ">":
      return value > literal;
    case ">=":
      return value >= literal;
  }
}

/** Marks the rows for which the condition holds. Where there is no value, no comparison holds. */
function marks(condition: Condition, values: ReadonlyMap<string, Values>, rows: number): Uint8Array {
  const out = new Uint8Array(rows);
  if (condition.kind !== "comparison") {
    const parts = condition.parts.map((part) => marks(part, values, rows));
    for (let i = 0; i < rows; i++) {
      out[i] = Number(
        condition.kind === "and" ? parts.every((part) => part[i]) : parts.some((part) => part[i]),
      );
    }
    return out;
  }
  const { operator, column } = condition;
  const read = values.get(column)!;
  for (let i = 0; i < rows; i++) {
    const value = read.kind === "uniform" ? scalarAt(read.array.dtype, read.array.data, i) : read.cells[i];
    if (value === null || value === undefined) continue;
    // An int64 is compared with a whole number as one, with another number by its value.
    const { literal } = condition;
    const same = typeof value === "bigint" && typeof literal === "number" && Number.isInteger(literal)
      ? BigInt(literal)
      : typeof literal === "bigint" && typeof value === "number"
      ? Number(literal)
      : literal;
    out[i] = Number(compare(operator, value as never, same as never));
  }
  return out;
}

/**
 * Chooses rows by a condition: the function that it gives lists the rows of a range, `end` left out, for which it holds.
 *
 * @throws TableError INVALID_ARGUMENT for comparisons that make no sense, NO_SUCH_COLUMN, UNSUPPORTED
 */
export function rowFilter(table: Table, condition: Condition): (start: number, end: number) => number[] {
  check(table, condition);
  const columns = columnsOf(condition).map((name) => table.column(name));
  return (start, end) => {
    const rows = { start, end };
    const values = new Map(columns.map((column) => [column.name, readValues(table, column, rows)]));
    const found: number[] = [];
    marks(condition, values, end - start).forEach((mark, i) => mark && found.push(start + i));
    return found;
  };
}
