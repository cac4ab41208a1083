/**
 * Sequences of changes of one table, in turns by us and by casacore, beside a model in memory. After our turn casacore reads
 * what the model has; after casacore's we read what casacore reads; nothing in the files is out of order. A sequence is a
 * list of numbers, so that one that fails can be made shorter.
 */
import assert from "node:assert/strict";
import { checkTable } from "../../mod.ts";
import { parsedRows, type TableSchema } from "../fixture.ts";
import type { Change } from "../unit/table_alter_support.ts";
import type { JobColumn } from "./oracle/values.ts";
import { assertSameRows, type JobOperation, type OracleRequest, oracleSeveral } from "./peer.ts";
import { generator } from "./random.ts";

/** A row as printed. */
export type Row = Record<string, unknown>;

/** What a table holds: what casacore must find. Columns without cells are those whose values are only in memory. */
export interface Shown {
  readonly rows: number;
  readonly keywords: Readonly<Record<string, unknown>>;
  readonly columns: readonly {
    readonly name: string;
    readonly dtype: string;
    readonly cells: readonly unknown[] | null;
    /** null: they are not compared. */
    readonly keywords: Readonly<Record<string, unknown>> | null;
  }[];
}

/** A table, open for our turn, and its model. */
export interface Subject {
  readonly path: string;
  /** Has us do what the numbers say; the model follows. @returns what it was */
  change(change: Change): string;
  /** Ends our turn. */
  close(): void;
  /** What the model has. */
  shown(): Shown;
  /** What casacore shall do; names of columns follow at once. */
  theirs(changes: readonly Change[]): { operations: JobOperation[]; columns: JobColumn[] };
  /** Takes over what casacore reads after its turn. */
  take(schema: TableSchema, rows: readonly Row[]): void;
  /** Begins our turn: the table holds what the model has. */
  open(): void;
}

/** One turn of each of the two. */
export interface Turn {
  readonly ours: readonly Change[];
  readonly theirs: readonly Change[];
}

/** A sequence; how its table is made follows from the seed. */
export interface Sequence {
  readonly seed: number;
  readonly turns: readonly Turn[];
}

/** Makes a subject at a path. */
export type Maker = (path: string, seed: number) => Promise<Subject>;

/** What was done. */
export interface TurnsCount {
  ours: Map<string, number>;
  theirs: Map<string, number>;
  /** Times that casacore opened a table. */
  openings: number;
}

/** The sequence of a seed. */
export function sequenceOf(seed: number, turns: number, ours: number, theirs: number): Sequence {
  const random = generator(seed);
  const some = (count: number) =>
    Array.from({ length: count }, (): Change => [random(1e6), random(1e6), random(1e6), random(1e6)]);
  return { seed, turns: Array.from({ length: turns }, () => ({ ours: some(ours), theirs: some(theirs) })) };
}

function assertInOrder(path: string): void {
  assert.deepEqual(checkTable(path).findings.filter(({ note }) => !note), []);
}

/** casacore read what the model has. */
function assertAgrees(schema: TableSchema, rows: readonly Row[], shown: Shown): void {
  assert.deepEqual(schema.columns.map(({ name }) => name), shown.columns.map(({ name }) => name));
  assert.equal(schema.rows, shown.rows);
  assert.deepEqual(schema.keywords, shown.keywords);
  for (const { name, dtype, keywords } of shown.columns) {
    const column = schema.columns.find((one) => one.name === name)!;
    if (keywords !== null) assert.deepEqual(column.keywords, keywords);
    assert.equal(column.dtype, dtype);
  }
  const kept = shown.columns.filter(({ cells }) => cells !== null);
  const expected = Array.from(
    { length: kept.length === 0 ? 0 : shown.rows },
    (_, row) => Object.fromEntries(kept.map(({ name, cells }) => [name, cells![row]])),
  );
  assertSameRows(rows as Row[], expected, "what casacore reads");
}

function keptOf({ columns }: Shown): string[] {
  return columns.filter(({ cells }) => cells !== null).map(({ name }) => name);
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** Carries out a sequence; fails where somebody disagrees. */
export async function runTurns(
  path: string,
  { seed, turns }: Sequence,
  make: Maker,
  count?: TurnsCount,
): Promise<void> {
  const subject = await make(path, seed);
  try {
    for (const { ours, theirs } of turns) {
      for (const change of ours) {
        const what = subject.change(change);
        if (count !== undefined) add(count.ours, what);
      }
      subject.close();
      assertInOrder(path);
      const shown = subject.shown(), requests: OracleRequest[] = [];
      const look = (columns: readonly string[]) => {
        requests.push({ do: "schema", table: path });
        if (columns.length > 0) requests.push({ do: "rows", table: path, columns });
      };
      look(keptOf(shown));
      const { operations, columns } = shown.columns.length === 0
        ? { operations: [], columns: [] }
        : subject.theirs(theirs);
      if (operations.length > 0) {
        requests.push({ do: "write", job: { table: path, open: true, columns, operations } });
        look(keptOf(subject.shown()));
      }
      const answers = await oracleSeveral(requests);
      const next = (): [TableSchema, Row[]] => {
        const schema = JSON.parse(answers.shift()![0]!) as TableSchema;
        requests.shift();
        if (requests[0]?.do !== "rows") return [schema, []];
        requests.shift();
        return [schema, parsedRows(answers.shift()!.join("\n"))];
      };
      if (count !== undefined) {
        count.openings += requests.length;
        for (const { op } of operations) add(count.theirs, op);
      }
      const [schema, rows] = next();
      assertAgrees(schema, rows, shown);
      if (operations.length > 0) {
        answers.shift();
        requests.shift();
        subject.take(...next());
      }
      subject.open();
      assertInOrder(path);
    }
  } finally {
    try {
      subject.close();
    } catch {
      // What failed before says more.
    }
  }
}

/** Tries a sequence in a folder of its own. @returns what went wrong, null if nothing */
export async function tryTurns(sequence: Sequence, make: Maker, count?: TurnsCount): Promise<unknown> {
  const folder = Deno.makeTempDirSync({ prefix: "tessera-turns-" });
  try {
    await runTurns(`${folder}/t`, sequence, make, count);
    return null;
  } catch (error) {
    return error;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** The shortest sequence found that still fails: parts are left out, smaller and smaller ones. */
export async function shrunk(sequence: Sequence, make: Maker): Promise<Sequence> {
  type Item = { readonly turn: number; readonly who: keyof Turn; readonly change: Change };
  const items: Item[] = sequence.turns.flatMap(({ ours, theirs }, turn) => [
    ...ours.map((change): Item => ({ turn, who: "ours", change })),
    ...theirs.map((change): Item => ({ turn, who: "theirs", change })),
  ]);
  const made = (some: readonly Item[]): Sequence => ({
    seed: sequence.seed,
    turns: [...new Set(some.map(({ turn }) => turn))].map((turn) => {
      const of = (who: keyof Turn) =>
        some.filter((item) => item.turn === turn && item.who === who).map(({ change }) => change);
      return { ours: of("ours"), theirs: of("theirs") };
    }),
  });
  let left = items;
  for (let size = Math.ceil(left.length / 2); size >= 1;) {
    let shorter = false;
    for (let start = 0; start < left.length;) {
      const rest = [...left.slice(0, start), ...left.slice(start + size)];
      if (rest.length > 0 && await tryTurns(made(rest), make) !== null) {
        left = rest;
        shorter = true;
      } else start += size;
    }
    if (size === 1 && !shorter) break;
    if (!shorter || size > 1) size = Math.max(1, Math.floor(size / 2));
  }
  return made(left);
}
