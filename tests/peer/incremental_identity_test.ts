/**
 * A new IncrementalStMan that is filled column by column has the bytes that casacore gives it, but for those that mean
 * nothing: behind the used part of a bucket, and between arrays. Values are never NaN, and 0 never negative: casacore
 * compares values, and stores a NaN again in every row and a negative 0 not at all after a 0; Tessera compares bytes.
 */
import assert from "node:assert/strict";
import { DTYPES } from "../../src/array/dtype.ts";
import type { JobColumn } from "./oracle/values.ts";
import { assertSameRows, oracleRows, oracleWrite, peerTest, temporaryFolder } from "./peer.ts";
import { StandardTable } from "./standard_table.ts";

const TYPE = "IncrementalStMan", SEED = 5;

/** The Python binding can't open tables with uint16 columns, and can't write records. */
const TYPES = DTYPES.filter((dtype) => dtype !== "uint16" && dtype !== "record");

const FORMS: Readonly<Record<string, Partial<JobColumn>>> = {
  scalar: {},
  direct: { kind: "array", shape: [3], direct: true },
  fixed: { kind: "array", shape: [2, 2] },
  free: { kind: "array" },
};

/** Arrays never repeat: casacore stores each one that is put, Tessera equal ones in rows that follow each other once. */
function columnsOf(dtypes: readonly JobColumn["dtype"][], forms: readonly string[]): JobColumn[] {
  return forms.flatMap((form) =>
    dtypes.map((dtype, i): JobColumn => ({
      name: `${form}_${dtype}`,
      dtype,
      longest: 60,
      specials: false,
      ...(form === "scalar" || form === "direct" ? { repeat: 1 + i % 4 } : {}),
      ...FORMS[form],
      ...{ managerType: TYPE },
    }))
  );
}

/** A manager's file without bytes that mean nothing. */
function meaningful(bytes: Uint8Array, bigEndian: boolean, columns: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset),
    word = (at: number) => view.getUint32(at, !bigEndian);
  // Magic, length, type name, version, and the flag of little-endian files.
  const head = 4 + 4 + 4 + "IncrementalStMan".length + 4 + (bigEndian ? 0 : 1);
  const bucketBytes = word(head), buckets = word(head + 4);
  for (let bucket = 0; bucket < buckets; bucket++) {
    const start = 512 + bucket * bucketBytes;
    let end = start + word(start);
    for (let c = 0; c < columns; c++) end += 4 + 8 * word(end);
    bytes.fill(0, end, start + bucketBytes);
  }
  return bytes;
}

function assertSameBytes(ours: Uint8Array, theirs: Uint8Array, what: string): void {
  assert.equal(ours.length, theirs.length, `length of ${what}`);
  const at = ours.findIndex((byte, i) => byte !== theirs[i]);
  const around = (bytes: Uint8Array) => bytes.slice(Math.max(0, at - 8), at + 16).toHex();
  if (at >= 0) assert.fail(`${what} differs at ${at}: ${around(ours)}, casacore has ${around(theirs)}`);
}

async function compare(
  columns: readonly JobColumn[],
  byteOrder: "little" | "big",
  rows: number,
  size: number,
) {
  using folder = temporaryFolder();
  const theirs = `${folder.path}/theirs`, ours = `${folder.path}/ours`;
  const managers = [{
    type: TYPE,
    name: "Mine",
    columns: columns.map(({ name }) => name),
    spec: { BUCKETSIZE: size },
  }];
  const job = { rows, byteOrder, columns, managers };
  const operations = rows === 0
    ? []
    : columns.map(({ name }) => ({ op: "fill" as const, columns: [name], seed: SEED }));
  await oracleWrite({ ...job, table: theirs, fill: false, operations });
  using table = StandardTable.create({ ...job, table: ours });
  table.fill(SEED);
  table.close();
  const [mine, yours] = [ours, theirs].map((path) =>
    meaningful(Deno.readFileSync(`${path}/table.f0`), byteOrder === "big", columns.length)
  );
  assertSameBytes(mine!, yours!, "table.f0");
  const arrays = (path: string) => {
    try {
      return Deno.readFileSync(`${path}/table.f0i`);
    } catch {
      return new Uint8Array(0);
    }
  };
  // That all arrays stand where casacore has them was seen in the other file: buckets keep their offsets.
  assertSameBytes(arrays(ours).subarray(0, 16), arrays(theirs).subarray(0, 16), "the header of table.f0i");
  assert.equal(arrays(ours).length, arrays(theirs).length);
  assertSameRows(await oracleRows(ours), await oracleRows(theirs));
}

const WITHOUT_STRINGS = TYPES.filter((dtype) => dtype !== "string");

for (const byteOrder of ["little", "big"] as const) {
  for (const rows of [0, 1, 43]) {
    peerTest(
      `a new IncrementalStMan of all types and forms, ${byteOrder} endian, ${rows} rows in one bucket, has casacore's bytes`,
      async () => await compare(columnsOf(TYPES, Object.keys(FORMS)), byteOrder, rows, 65536),
    );
  }
  for (const form of Object.keys(FORMS)) {
    peerTest(
      `a new IncrementalStMan of ${form} columns, ${byteOrder} endian, many buckets, has casacore's bytes`,
      async () => {
        // What casacore does in between to strings in buckets that follow is not done row by row here.
        const dtypes = form === "scalar" || form === "direct" ? WITHOUT_STRINGS : TYPES;
        await compare(columnsOf(dtypes, [form]), byteOrder, 120, 2500);
      },
    );
    peerTest(
      `a new IncrementalStMan of a ${form} string column, ${byteOrder} endian, many buckets, has casacore's bytes`,
      async () => await compare(columnsOf(["string"], [form]), byteOrder, 300, 2500),
    );
  }
}
