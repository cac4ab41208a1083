/**
 * DyscoStMan written: whatever the order in which rows are put, the file is the same; random changes against a model;
 * what is refused leaves everything as it was.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  array,
  type ColumnSpec,
  Context,
  dysco,
  type DyscoOptions,
  scalar,
  standard,
  Table,
  TableError,
} from "../../mod.ts";

const KEYS = ["ANTENNA1", "ANTENNA2", "FIELD_ID", "DATA_DESC_ID"] as const;
const P = 2, C = 3;
/** Floats of a cell. */
const CELLS = { DATA: 2 * P * C, WEIGHT_SPECTRUM: P * C } as const;
type Name = keyof typeof CELLS;
const NAMES = Object.keys(CELLS) as Name[];
const PAIRS = [[0, 1], [0, 2], [3, 0], [1, 2], [1, 3], [3, 2]] as const;
const NORMALIZATIONS = ["AF", "RF", "Row"] as const;

const columns: ColumnSpec[] = [
  array("DATA", "complex64", { shape: [P, C], direct: true }),
  array("WEIGHT_SPECTRUM", "float32", { shape: [P, C], direct: true }),
  scalar("TIME", "float64"),
  ...KEYS.map((name) => scalar(name, "int32")),
];

function create(context: Context, options: DyscoOptions, rows: number, specs = columns): Table {
  return Table.create("/t", {
    columns: specs,
    storage: [
      dysco("Dysco", specs.filter(({ kind }) => kind === "array").map(({ name }) => name), options),
      standard(),
    ],
    rows,
    io: "memory",
    context,
  });
}

function open(context: Context): Table {
  return Table.open("/t", { mode: "rw", io: "memory", context });
}

function noise(seed: number): () => number {
  let x = seed * 2654435761 | 1;
  return () => (x = (Math.imul(x, 1103515245) + 12345) >>> 0) / 2 ** 32;
}

/** Times and antennas of rows, PAIRS.length of them to a time step. */
function putKeys(table: Table, start: number, end: number): void {
  const rows = { start, end }, length = end - start, step = PAIRS.length;
  table.putColumn("TIME", Float64Array.from({ length }, (_, i) => Math.floor((start + i) / step)), { rows });
  for (const [k, name] of (["ANTENNA1", "ANTENNA2"] as const).entries()) {
    table.putColumn(name, Int32Array.from({ length }, (_, i) => PAIRS[(start + i) % step]![k]!), { rows });
  }
}

function cell(name: Name, next: () => number): Float32Array<ArrayBuffer> {
  const from = name === "DATA" ? -1 : 0;
  return Float32Array.from({ length: CELLS[name] }, () => from + (1 - from) * next());
}

function fileOf(context: Context): Uint8Array {
  const file = context.memory.files.get("/t/table.f0")!;
  return file.bytes.slice(0, file.length);
}

for (const normalization of NORMALIZATIONS) {
  Deno.test(`DyscoStMan with ${normalization}: the file is the same whatever the order in which rows are put`, () => {
    const rows = 4 * PAIRS.length;
    const next = noise(5), cells = NAMES.map((name) => Array.from({ length: rows }, () => cell(name, next)));
    const options = { normalization, dataBitCount: 8, weightBitCount: 6 } as const;
    const whole = new Context();
    {
      using table = create(whole, options, rows);
      putKeys(table, 0, rows);
      NAMES.forEach((name, k) => {
        table.putColumn(name, Float32Array.from(cells[k]!.flatMap((one) => [...one])));
      });
    }
    const expected = fileOf(whole);
    assert.ok(expected.length > 300);
    const order = fc.shuffledSubarray([...new Array(2 * rows).keys()], { minLength: 2 * rows });
    fc.assert(
      fc.property(order, fc.boolean(), fc.boolean(), (order, keysFirst, byTwo) => {
        const context = new Context();
        {
          using table = create(context, options, rows);
          if (keysFirst) putKeys(table, 0, rows);
          for (const i of order) {
            const name = NAMES[i % 2]!, row = Math.floor(i / 2), value = cells[i % 2]![row]!;
            if (!byTwo) table.putCell(name, row, value);
            else {
              // The two correlations one after the other.
              for (let p = 0; p < P; p++) {
                const items = name === "DATA" ? 2 : 1;
                const part = value.filter((_, k) => Math.floor(k / items) % P === p);
                table.putColumn(name, part, { rows: Uint32Array.of(row), slice: [[p, p + 1], null] });
              }
            }
          }
          if (!keysFirst) putKeys(table, 0, rows);
        }
        assert.deepEqual(fileOf(context), expected);
      }),
      { numRuns: 20 },
    );
  });
}

/** A change of the model test. */
type Change =
  | { do: "put"; name: Name; rows: number[]; seed: number }
  | { do: "slice"; name: Name; rows: number[]; seed: number; p: number; c: number }
  | { do: "add"; count: number }
  | { do: "flush" | "reopen" | "compare" | "discard" };

const changes: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("put" as const),
      name: fc.constantFrom(...NAMES),
      rows: fc.oneof(
        fc.array(fc.nat(40), { minLength: 1, maxLength: 6 }),
        fc.tuple(fc.nat(40), fc.nat(12)).map(([start, count]) =>
          Array.from({ length: count + 1 }, (_, i) => start + i)
        ),
      ),
      seed: fc.nat(1e6),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("slice" as const),
      name: fc.constantFrom(...NAMES),
      rows: fc.array(fc.nat(40), { minLength: 1, maxLength: 3 }),
      seed: fc.nat(1e6),
      p: fc.nat(P - 1),
      c: fc.nat(C - 1),
    }),
  },
  fc.record({ do: fc.constant("add" as const), count: fc.integer({ min: 1, max: 9 }) }),
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("flush", "reopen", "compare", "discard") }) },
);

/** How far a value may be off that was encoded `times` times: 16 bits, values up to 1. */
const TOLERANCE = 4e-4;

class Model {
  readonly values = new Map<Name, Float32Array<ArrayBuffer>[]>(NAMES.map((name) => [name, []]));

  add(count: number): void {
    for (const name of NAMES) {
      for (let i = 0; i < count; i++) this.values.get(name)!.push(new Float32Array(CELLS[name]));
    }
  }

  copy(): Model {
    const copy = new Model();
    for (const name of NAMES) copy.values.set(name, this.values.get(name)!.map((one) => one.slice()));
    return copy;
  }

  compare(table: Table, encoded: number): void {
    for (const name of NAMES) {
      const found = table.getColumn(name).data as Float32Array, size = CELLS[name];
      this.values.get(name)!.forEach((wanted, row) => {
        wanted.forEach((value, i) => {
          const expected = name === "DATA" ? value : Math.min(...wanted.subarray(i - i % P, i - i % P + P));
          const off = Math.abs(found[row * size + i]! - expected);
          assert.ok(
            off <= TOLERANCE * encoded,
            `${name}, row ${row}, value ${i}: ${found[row * size + i]} for ${expected}`,
          );
        });
      });
    }
  }
}

function runModel(normalization: "AF" | "RF" | "Row", first: number, list: readonly Change[]): void {
  const context = new Context();
  let table = create(context, { normalization, dataBitCount: 16, weightBitCount: 16, antennas: 4 }, 0);
  const grow = (count: number) => {
    const start = table.rowCount;
    table.addRows(count);
    putKeys(table, start, start + count);
  };
  let model = new Model(), committed = model, encoded = 1, fresh = true;
  try {
    grow(first);
    model.add(first);
    for (const change of list) {
      const rows = "rows" in change ? change.rows.filter((row) => row < table.rowCount) : [];
      if (change.do === "put" && rows.length > 0) {
        const next = noise(change.seed), values = rows.map(() => cell(change.name, next));
        if (rows.length === 1) table.putCell(change.name, rows[0]!, values[0]!);
        else {
          const data = Float32Array.from(values.flatMap((one) => [...one]));
          table.putColumn(change.name, data, { rows: Uint32Array.from(rows) });
        }
        rows.forEach((row, i) => model.values.get(change.name)![row] = values[i]!);
      } else if (change.do === "slice" && rows.length > 0) {
        // All correlations of weights: they share one, and those that aren't written would have a say.
        const weights = change.name === "WEIGHT_SPECTRUM", next = noise(change.seed);
        const [from, to] = weights ? [0, P] : [change.p, change.p + 1];
        const size = weights ? P : 2, data = Float32Array.from({ length: rows.length * size }, next);
        table.putColumn(change.name, data, {
          rows: Uint32Array.from(rows),
          slice: [[from, to], [change.c, change.c + 1]],
        });
        rows.forEach((row, i) => {
          const at = (change.c * P + from) * (weights ? 1 : 2);
          model.values.get(change.name)![row]!.set(data.subarray(i * size, (i + 1) * size), at);
        });
      } else if (change.do === "add") {
        grow(change.count);
        model.add(change.count);
      } else if (change.do === "flush") {
        table.flush();
        [committed, fresh] = [model.copy(), false];
      } else if (change.do === "reopen") {
        table.close();
        [committed, fresh] = [model.copy(), false];
        table = open(context);
      } else if (change.do === "discard" && !fresh) {
        table.discard();
        model = committed.copy();
      } else if (change.do === "compare") model.compare(table, encoded);
      encoded++;
    }
    model.compare(table, encoded);
    table.close();
    using last = open(context);
    model.compare(last, encoded + 1);
  } finally {
    try {
      table.close();
    } catch {
      // It is what failed.
    }
  }
}

for (const normalization of NORMALIZATIONS) {
  Deno.test(`DyscoStMan with ${normalization}: random changes give what a model says, as near as levels lie`, () => {
    fc.assert(
      fc.property(
        fc.nat(20),
        fc.array(changes, { maxLength: 14 }),
        (first, list) => runModel(normalization, first, list),
      ),
      { numRuns: 80 },
    );
  });
}

Deno.test("writing to a damaged DyscoStMan gives a TableError or a table that can be read", () => {
  const made = new Context();
  {
    using table = create(made, { normalization: "AF", dataBitCount: 4 }, 12);
    putKeys(table, 0, 12);
    table.putColumn("DATA", Float32Array.from({ length: 12 * CELLS.DATA }, (_, i) => Math.sin(i)));
  }
  const file = made.memory.files.get("/t/table.f0")!, original = fileOf(made);
  const headerBytes = new DataView(original.buffer).getUint32(0, true);
  let refused = 0, written = 0;
  const far = original.slice();
  far[3] = 0x70;
  file.bytes = far;
  {
    using table = open(made);
    const value = new Float32Array(CELLS.DATA);
    assert.throws(() => table.putCell("DATA", 3, value), { name: "TableError", code: "CORRUPT" });
    table.discard();
  }
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(headerBytes + 40), fc.nat(255)), { minLength: 1, maxLength: 3 }),
      fc.option(fc.nat(original.length), { freq: 6 }),
      (flips, length) => {
        const bytes = original.slice(0, length ?? original.length);
        for (const [at, value] of flips) if (at < bytes.length) bytes[at] = value;
        file.bytes = bytes;
        file.length = bytes.length;
        const next = noise(flips[0]![0]);
        try {
          using table = open(made);
          table.putCell("DATA", 3, cell("DATA", next));
          table.putColumn("WEIGHT_SPECTRUM", new Float32Array(12 * CELLS.WEIGHT_SPECTRUM).fill(1));
          table.flush();
          table.getColumn("DATA");
          written++;
        } catch (error) {
          const cause = error instanceof SuppressedError ? error.error : error;
          assert.ok(cause instanceof TableError, String(cause));
          refused++;
        }
      },
    ),
    { numRuns: 400 },
  );
  assert.ok(refused > 20 && written > 20, `${refused} refused, ${written} written`);
});
