/**
 * DyscoStMan as Tessera writes it, read by casacore to the last bit as Tessera reads it; its factors beside those that
 * casacore finds for the same values; tables of one changed and extended by the other.
 */
import assert from "node:assert/strict";
import { Table } from "../../mod.ts";
import { DISTRIBUTIONS } from "../../src/storage/dysco/levels.ts";
import {
  assertSameBits,
  assertWithinLevels,
  casacore,
  cellSize,
  dumped,
  type DyscoColumnSpec,
  makeTable,
  rowsOf,
  saveValues,
  takeApart,
  type Values,
  valuesOf,
} from "./dysco_write_support.ts";
import { peerTest, temporaryFolder } from "./peer.ts";

const BITS = [2, 3, 4, 6, 8, 10, 12, 16];
const NORMALIZATIONS = ["AF", "RF", "Row"] as const;

function columnsOf(i: number): DyscoColumnSpec[] {
  const correlations = 1 + i % 4, channels = [1, 3, 5, 8, 13][i % 5]!;
  const data = { name: "DATA", correlations, channels };
  const weights = { name: "WEIGHT_SPECTRUM", correlations, channels };
  const more = { name: "MODEL_DATA", correlations: 1 + (i + 2) % 4, channels: 1 + i % 3 };
  return [[data, weights], [weights, data], [data], [more, data, weights]][i % 4]!;
}

/** Every column as Tessera reads it. */
function readAll(path: string, columns: readonly DyscoColumnSpec[]): Map<string, Float32Array> {
  using table = Table.open(path);
  return new Map(columns.map(({ name }) => [name, table.getColumn(name).data as Float32Array]));
}

for (const normalization of NORMALIZATIONS) {
  peerTest(
    `DyscoStMan written with ${normalization}: casacore reads what Tessera reads, no further from the values than levels lie`,
    async () => {
      using folder = temporaryFolder();
      const jobs = DISTRIBUTIONS.flatMap((distribution, d) =>
        BITS.map((dataBitCount, b) => {
          const i = NORMALIZATIONS.indexOf(normalization) * 7 + 3 * d + b;
          const table = `${folder.path}/${distribution}_${dataBitCount}`;
          const weightBitCount = BITS[(i * 3 + 1) % BITS.length]!;
          const columns = columnsOf(i);
          const options = {
            dataBitCount,
            weightBitCount,
            normalization,
            distribution,
            studentTNu: distribution === "StudentT" ? 1 + i % 4 : 0,
            distributionTruncation: [1.5, 2.5, 4, 0.9][i % 4]!,
          };
          const values = valuesOf(columns, {
            antennas: 3 + i % 4,
            times: 1 + i % 3,
            autos: i % 3 === 0,
            odd: i % 2 === 0,
            seed: 50 + i,
          });
          makeTable(table, columns, options, values);
          return { table, columns, options, values };
        })
      );
      await casacore(
        folder.path,
        jobs.map(({ table, columns }) => ({ do: "dump", table, columns, prefix: table })),
      );
      for (const { table, columns, options, values } of jobs) {
        const decoded = readAll(table, columns);
        for (const { name } of columns) {
          assertSameBits(decoded.get(name)!, dumped(table, name), `${table}, ${name}`);
        }
        const levels = {
          distribution: options.distribution,
          bits: options.dataBitCount,
          studentNu: options.studentTNu,
          truncation: options.distributionTruncation,
        };
        assertWithinLevels(
          `${table}/table.f0`,
          columns,
          normalization,
          levels,
          options.weightBitCount,
          values,
          decoded,
          table,
        );
      }
    },
  );
}

// casacore 3.5 fits the factors of rows and channels (RF) in another way than later versions, whose way this is.
for (const normalization of ["AF", "Row"] as const) {
  peerTest(
    `DyscoStMan written with ${normalization}: factors and weights are those that casacore finds, symbols at most one away`,
    async () => {
      using folder = temporaryFolder();
      const jobs = Array.from({ length: 24 }, (_, i) => {
        const ours = `${folder.path}/ours_${i}`, theirs = `${folder.path}/theirs_${i}`;
        const columns = columnsOf(i);
        const options = {
          dataBitCount: BITS[i % BITS.length]!,
          weightBitCount: BITS[(i + 3) % BITS.length]!,
          normalization,
          distribution: DISTRIBUTIONS[i % 4]!,
          studentTNu: i % 4 === 2 ? 2 : 0,
          distributionTruncation: 2.5,
        };
        const values = valuesOf(columns, {
          antennas: 3 + i % 5,
          times: 3,
          autos: i % 3 === 0,
          odd: i % 2 === 1,
          seed: 900 + i,
        });
        makeTable(ours, columns, options, values);
        saveValues(theirs, values);
        return { ours, theirs, columns, options, values };
      });
      await casacore(
        folder.path,
        jobs.map(({ theirs, columns, options, values }) => ({
          do: "make",
          table: theirs,
          prefix: theirs,
          columns,
          spec: options,
          rows: rowsOf(values),
        })),
      );
      for (const { ours, theirs, columns } of jobs) {
        const [left, right] = [ours, theirs].map((path) => takeApart(`${path}/table.f0`, columns)) as [
          ReturnType<typeof takeApart>,
          ReturnType<typeof takeApart>,
        ];
        assert.equal(left.rowsPerBlock, right.rowsPerBlock);
        assert.equal(left.antennas, right.antennas);
        for (const { name } of columns) {
          const parts = left.parts.get(name)!, others = right.parts.get(name)!;
          assert.equal(parts.length, others.length);
          parts.forEach(({ floats, symbols }, block) => {
            const what = `${ours}, ${name}, block ${block}`, other = others[block]!;
            assertSameBits(floats, other.floats, what);
            const most = name === "WEIGHT_SPECTRUM" ? 0 : 1;
            symbols.forEach((symbol, k) => {
              assert.ok(
                Math.abs(symbol - other.symbols[k]!) <= most,
                `${what}, symbol ${k}: ${symbol}, casacore has ${other.symbols[k]}`,
              );
            });
          });
        }
      }
    },
  );
}

const COLUMNS: readonly DyscoColumnSpec[] = [
  { name: "DATA", correlations: 2, channels: 5 },
  { name: "WEIGHT_SPECTRUM", correlations: 2, channels: 5 },
  { name: "MODEL_DATA", correlations: 4, channels: 3 },
];
const ANTENNAS = 4, STEP = 6;

function putAll(table: Table, values: Values, start: number): void {
  const rows = { start, end: start + rowsOf(values) };
  for (const [name, data] of values) table.putColumn(name, data, { rows });
}

/** Fails unless the cells of `rows` are the same in both. */
function assertSameRows(
  left: ReadonlyMap<string, Float32Array>,
  right: ReadonlyMap<string, Float32Array>,
  start: number,
  end: number,
  what: string,
): void {
  for (const column of COLUMNS) {
    const size = cellSize(column);
    assertSameBits(
      left.get(column.name)!.subarray(start * size, end * size),
      right.get(column.name)!.subarray(start * size, end * size),
      `${what}, ${column.name}`,
    );
  }
}

for (const normalization of NORMALIZATIONS) {
  for (const maker of ["Tessera", "casacore"] as const) {
    peerTest(
      `DyscoStMan with ${normalization} that ${maker} made is extended and changed by casacore and by Tessera in turn`,
      async () => {
        using folder = temporaryFolder();
        const table = `${folder.path}/table`, prefix = `${folder.path}/values`;
        const options = {
          dataBitCount: 8,
          weightBitCount: 6,
          normalization,
          distribution: "Gaussian",
          studentTNu: 0,
          distributionTruncation: 2.5,
        } as const;
        const steps = (times: number, firstTime: number, seed: number) =>
          valuesOf(COLUMNS, { antennas: ANTENNAS, times, firstTime, seed });
        const levels = { distribution: "Gaussian", bits: 8, studentNu: 0, truncation: 2.5 } as const;
        const all = new Map<string, (Float32Array | Float64Array | Int32Array)>();
        const keep = (values: Values, start: number) => {
          for (const [name, data] of values) {
            const size = data.length / rowsOf(values);
            const old = all.get(name) ?? new (data.constructor as Float32ArrayConstructor)(0);
            const length = Math.max(old.length, start * size + data.length);
            const next = new (data.constructor as Float32ArrayConstructor)(length);
            next.set(old);
            next.set(data, start * size);
            all.set(name, next);
          }
        };
        const check = async (what: string) => {
          await casacore(folder.path, [{ do: "dump", table, columns: COLUMNS, prefix: table }]);
          const decoded = readAll(table, COLUMNS);
          for (const { name } of COLUMNS) {
            assertSameBits(decoded.get(name)!, dumped(table, name), `${what}, ${name}`);
          }
          return decoded;
        };
        const within = (decoded: ReadonlyMap<string, Float32Array>, what: string) =>
          assertWithinLevels(
            `${table}/table.f0`,
            COLUMNS,
            normalization,
            levels,
            6,
            all as Values,
            decoded,
            what,
          );

        const first = steps(2, 0, 1);
        keep(first, 0);
        if (maker === "Tessera") makeTable(table, COLUMNS, options, first);
        else {
          saveValues(prefix, first);
          const job = { do: "make", table, prefix, columns: COLUMNS, spec: options, rows: 2 * STEP };
          await casacore(folder.path, [job]);
        }
        const made = await check("made");
        within(made, "made");

        // casacore adds two steps and gives the second step other values.
        const added = steps(3, 1, 2);
        saveValues(prefix, added);
        await casacore(folder.path, [
          { do: "put", table, prefix, columns: COLUMNS, add: 2 * STEP, start: STEP, rows: 3 * STEP },
        ]);
        keep(added, STEP);
        const extended = await check("extended by casacore");
        assertSameRows(extended, made, 0, STEP, "the first step stays");
        within(extended, "extended by casacore");

        // Tessera does the same to the last two steps and one more.
        const more = steps(3, 2, 3);
        {
          using open = Table.open(table, { mode: "rw" });
          open.addRows(STEP);
          putAll(open, more, 2 * STEP);
        }
        keep(more, 2 * STEP);
        const longer = await check("extended by Tessera");
        assertSameRows(longer, extended, 0, 2 * STEP, "the first steps stay");
        within(longer, "extended by Tessera");

        // One row of the third step by Tessera, then one of the fourth by casacore; the others of a step change a little.
        const one = steps(1, 2, 4);
        const rowOf = (values: Values, at: number) =>
          new Map([...values].map(([name, data]) => {
            const size = data.length / rowsOf(values);
            return [name, data.slice(at * size, (at + 1) * size)];
          })) as Values;
        {
          using open = Table.open(table, { mode: "rw" });
          putAll(open, rowOf(one, 2), 2 * STEP + 2);
        }
        const changed = await check("a row changed by Tessera");
        assertSameRows(changed, longer, 0, 2 * STEP, "other steps stay");
        assertSameRows(changed, longer, 3 * STEP, 5 * STEP, "other steps stay");
        saveValues(prefix, rowOf(one, 3));
        await casacore(folder.path, [
          { do: "put", table, prefix, columns: COLUMNS, add: 0, start: 3 * STEP + 3, rows: 1 },
        ]);
        const last = await check("a row changed by casacore");
        assertSameRows(last, changed, 0, 3 * STEP, "other steps stay");
        // Of both changed steps no value is further off than two roundings to levels.
        for (const [row, from] of [[2 * STEP + 2, 2], [3 * STEP + 3, 3]] as const) {
          keep(rowOf(one, from), row);
        }
        for (const column of COLUMNS) {
          const size = cellSize(column), wanted = all.get(column.name)! as Float32Array;
          const found = last.get(column.name)!;
          const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
          for (let i = 2 * STEP * size; i < 4 * STEP * size; i++) {
            const at = i - i % column.correlations;
            const value = column.name === "WEIGHT_SPECTRUM"
              ? Math.min(...wanted.subarray(at, at + column.correlations))
              : wanted[i]!;
            assert.ok(
              Math.abs(found[i]! - value) < largest / 8,
              `${column.name}, ${i}: ${found[i]} for ${value}`,
            );
          }
        }
      },
    );
  }
}

for (
  const [what, options] of [
    ["", {}],
    [" for some antennas", { antennas: 9 }],
    [" for some rows and antennas", { rowsPerBlock: STEP, antennas: 9 }],
  ] as const
) {
  peerTest(`DyscoStMan that Tessera made${what} and wrote nothing to is filled by casacore`, async () => {
    using folder = temporaryFolder();
    const table = `${folder.path}/table`, prefix = `${folder.path}/values`;
    const none = valuesOf(COLUMNS, { antennas: ANTENNAS, times: 0, seed: 1 });
    makeTable(table, COLUMNS, { normalization: "AF", dataBitCount: 12, ...options }, none);
    const values = valuesOf(COLUMNS, { antennas: ANTENNAS, times: 3, seed: 2 });
    saveValues(prefix, values);
    await casacore(folder.path, [
      { do: "put", table, prefix, columns: COLUMNS, add: 3 * STEP, start: 0, rows: 3 * STEP },
      { do: "dump", table, columns: COLUMNS, prefix: table },
    ]);
    const decoded = readAll(table, COLUMNS);
    for (const { name } of COLUMNS) assertSameBits(decoded.get(name)!, dumped(table, name), name);
    const levels = { distribution: "TruncatedGaussian", bits: 12, studentNu: 0, truncation: 2.5 } as const;
    assertWithinLevels(`${table}/table.f0`, COLUMNS, "AF", levels, 12, values, decoded, "filled by casacore");
  });
}

peerTest(
  "DyscoStMan that Tessera gave factors for more antennas is read and extended by casacore",
  async () => {
    using folder = temporaryFolder();
    const table = `${folder.path}/table`, prefix = `${folder.path}/values`;
    const spec = {
      normalization: "AF",
      dataBitCount: 6,
      weightBitCount: 6,
      distribution: "Uniform",
    } as const;
    const first = valuesOf(COLUMNS, { antennas: ANTENNAS, times: 3, seed: 1 });
    saveValues(prefix, first);
    const full = { ...spec, studentTNu: 0, distributionTruncation: 0 };
    await casacore(folder.path, [
      { do: "make", table, prefix, columns: COLUMNS, spec: full, rows: rowsOf(first) },
    ]);
    const before = readAll(table, COLUMNS);
    const more = new Map(valuesOf(COLUMNS, { antennas: ANTENNAS, times: 1, firstTime: 3, seed: 2 }));
    for (const name of ["ANTENNA1", "ANTENNA2"]) {
      more.set(name, (more.get(name) as Int32Array<ArrayBuffer>).map((antenna) => antenna + 7));
    }
    {
      using open = Table.open(table, { mode: "rw" });
      open.append(Object.fromEntries(more));
    }
    saveValues(prefix, more);
    await casacore(folder.path, [
      { do: "put", table, prefix, columns: COLUMNS, add: STEP, start: 4 * STEP, rows: STEP },
      { do: "dump", table, columns: COLUMNS, prefix: table },
    ]);
    const decoded = readAll(table, COLUMNS);
    assertSameRows(decoded, before, 0, 3 * STEP, "what was there");
    for (const { name } of COLUMNS) assertSameBits(decoded.get(name)!, dumped(table, name), name);
    const all = new Map([...first].map(([name, data]) => {
      const joined = [...data, ...more.get(name)!, ...more.get(name)!];
      return [name, name === "TIME" ? Float64Array.from(joined) : Float32Array.from(joined)];
    })) as Values;
    const levels = { distribution: "Uniform", bits: 6, studentNu: 0, truncation: 0 } as const;
    assertWithinLevels(`${table}/table.f0`, COLUMNS, "AF", levels, 6, all, decoded, "more antennas");
  },
);
