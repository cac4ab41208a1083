/**
 * The newest row of a key.
 */
import type { NDArray } from "../../array/ndarray.ts";
import { TableError } from "../../error.ts";
import { type Cell, scalarAt } from "../../table/read.ts";
import type { Table } from "../../table/table.ts";
import type { Literal } from "../../query/where.ts";
import { type IngestSchema, SEQUENCE_COLUMN } from "../schema.ts";
import { growingTable } from "./growing-table.ts";
import { OpenPart } from "./open-part.ts";
import { mayHold } from "./pruning.ts";
import { knownOf } from "./scan.ts";
import { type Part, partsOf, type StateSource, type StoreState } from "./state.ts";

/** A value of a key column. */
export type KeyValue = number | bigint | string | boolean;

/** A row that was looked up. */
export interface IngestRow {
  /** Its sequence number. */
  readonly sequence: number;
  /** Values by column name. */
  readonly cells: Readonly<Record<string, Cell>>;
}

/** Rows that are looked at together. */
const LOOK_ROWS = 256 * 1024;
/** How often something is tried again that went while it was opened. */
const MAX_TRIES = 100;

/**
 * A key's values in the types of its columns: int64 as bigint, the others as they are read.
 *
 * @throws TableError INVALID_ARGUMENT for a store without a key, or another number of values; TYPE_MISMATCH
 */
export function keyOf(schema: IngestSchema, given: KeyValue | readonly KeyValue[]): readonly Literal[] {
  const { key } = schema, values = Array.isArray(given) ? given as readonly KeyValue[] : [given as KeyValue];
  if (key.length === 0) throw new TableError("INVALID_ARGUMENT", "the store has no key");
  if (values.length !== key.length) {
    throw new TableError(
      "INVALID_ARGUMENT",
      `a key is of ${key.length} values, ${key.join(", ")}; found ${values.length}`,
    );
  }
  return values.map((value, i) => {
    const { name, dtype } = schema.column(key[i]!);
    const wanted = dtype === "bool" ? "boolean" : dtype === "string" ? "string" : "number";
    const given = typeof value === "bigint" ? "number" : typeof value;
    if (
      given !== wanted || (dtype === "int64" && typeof value === "number" && !Number.isSafeInteger(value))
    ) {
      throw new TableError(
        "TYPE_MISMATCH",
        `column ${name} is ${dtype}, the key has ${typeof value} ${value}`,
      );
    }
    return dtype === "int64" ? BigInt(value) : typeof value === "bigint" ? Number(value) : value;
  });
}

/** One text or value for each key. */
function nameOf(values: readonly Literal[]): Literal {
  if (values.length === 1) return values[0]!;
  return JSON.stringify(values.map((value) => typeof value === "bigint" ? `${value}n` : value));
}

/** Names of the keys of some rows. */
function keysIn(table: Table, schema: IngestSchema, start: number, end: number): Literal[] {
  const columns = schema.key.map((name) => table.getColumn(name, { rows: { start, end } }) as NDArray);
  return Array.from(
    { length: end - start },
    (_, i) => nameOf(columns.map(({ dtype, data }) => scalarAt(dtype, data, i) as Literal)),
  );
}

/** Finds rows by their key. What is in logs is remembered from call to call. */
export class Lookup {
  readonly #source: StateSource;
  /** Sequence numbers by key, ascending; those of rows that became part of a segment may be among them. */
  #growing = new Map<Literal, number[]>();
  /** Rows of the logs that the map has: [from, to). */
  #from = 0;
  #to = 0;

  constructor(source: StateSource) {
    this.#source = source;
  }

  /**
   * The newest row with that key, null when there is none.
   *
   * @throws TableError INVALID_ARGUMENT, TYPE_MISMATCH for what is no key; NO_SUCH_COLUMN; those of reading
   */
  find(given: KeyValue | readonly KeyValue[], columns?: readonly string[]): IngestRow | null {
    const { schema } = this.#source, key = keyOf(schema, given);
    const names = columns ?? schema.columns.map(({ name }) => name);
    for (const name of names) if (name !== SEQUENCE_COLUMN) schema.column(name);
    for (let tries = 1;; tries++) {
      try {
        return this.#find(key, names);
      } catch (error) {
        // A segment was merged with others since the state was looked at.
        const isGone = error instanceof TableError && error.code === "NOT_FOUND";
        if (!isGone || tries >= MAX_TRIES) throw error;
      }
    }
  }

  #find(key: readonly Literal[], names: readonly string[]): IngestRow | null {
    const source = this.#source, { schema } = source, state = source.state();
    const condition = {
      kind: "and" as const,
      parts: schema.key.map((column, i) => {
        return { kind: "comparison" as const, column, operator: "=" as const, literal: key[i]! };
      }),
    };
    for (const part of partsOf(state, schema).reverse()) {
      if (!mayHold(condition, knownOf(source, part))) continue;
      const candidates = part.entry === null ? this.#inLogs(state, part, nameOf(key)) : null;
      if (candidates?.length === 0) continue;
      using open = OpenPart.of(source, state, part);
      const row = newest(open, candidates ?? rowsWith(open, schema, nameOf(key)));
      if (row === null) continue;
      const cells = Object.fromEntries(names.map((name) => [name, open.table.getCell(name, row)]));
      return { sequence: open.sequences([row])[0]!, cells };
    }
    return null;
  }

  /** Rows of the part with that key, which is of rows that are in logs. */
  #inLogs(state: StoreState, part: Part, name: Literal): number[] {
    this.#learn(state, part);
    const { firstSequence, endSequence } = part;
    return (this.#growing.get(name) ?? [])
      .filter((sequence) => sequence >= firstSequence && sequence < endSequence)
      .map((sequence) => sequence - firstSequence);
  }

  /** Takes in rows that came since, and forgets all when most of it is in segments. */
  #learn({ visible }: StoreState, { firstSequence, endSequence }: Part): void {
    const { schema, path } = this.#source;
    const isStale = this.#to < firstSequence ||
      this.#to - this.#from > 2 * (endSequence - firstSequence) + 1000;
    if (isStale || this.#to > endSequence) {
      this.#growing = new Map();
      this.#from = this.#to = firstSequence;
    }
    if (this.#to === endSequence) return;
    using table = growingTable(schema, path, visible.logs, this.#to, endSequence - this.#to);
    for (let start = 0; start < table.rowCount; start += LOOK_ROWS) {
      const end = Math.min(table.rowCount, start + LOOK_ROWS), first = this.#to;
      keysIn(table, schema, start, end).forEach((name, i) => {
        const found = this.#growing.get(name);
        if (found === undefined) this.#growing.set(name, [first + i]);
        else found.push(first + i);
      });
      this.#to = first + end - start;
    }
  }
}

/** All rows of a segment with that key. */
function rowsWith({ table, part }: OpenPart, schema: IngestSchema, name: Literal): number[] {
  const found: number[] = [];
  for (let start = 0; start < part.rows; start += LOOK_ROWS) {
    const end = Math.min(part.rows, start + LOOK_ROWS);
    keysIn(table, schema, start, end).forEach((each, i) => {
      if (each === name) found.push(start + i);
    });
  }
  return found;
}

/** Of those rows the one that came last and that no deletion concerns; null: there is none. */
function newest(open: OpenPart, rows: readonly number[]): number | null {
  const live = rows.filter((row) => open.live(row, row + 1)?.length !== 0);
  if (live.length === 0) return null;
  const sequences = open.sequences(live);
  return live.reduce(
    (best, row, i) => sequences[i]! > best.sequence ? { row, sequence: sequences[i]! } : best,
    {
      row: live[0]!,
      sequence: sequences[0]!,
    },
  ).row;
}
