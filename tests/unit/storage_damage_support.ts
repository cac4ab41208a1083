/** Random damage to the files of a manager: whatever it does, there is a TableError or a read, and nothing else. */
import assert from "node:assert/strict";
import { isNumeric, numericInfo } from "../../src/array/dtype.ts";
import { elementsOf, rowList, rowRange } from "../../src/array/rows.ts";
import { TableError } from "../../src/error.ts";
import { readTableDat } from "../../src/format/table-dat.ts";
import { runSync } from "../../src/io/drivers.ts";
import type { TableFiles } from "../../src/io/files.ts";
import type { BoundColumn, ManagerKind } from "../../src/storage/manager.ts";
import { allFixtures, fixturePath } from "../fixture.ts";
import { memoryFiles, putFile } from "./storage_incremental_support.ts";
import { boundColumnsOf, contextOf, readCells } from "./storage_managed_support.ts";
import { numbersFrom } from "./storage_model_support.ts";

/** Bits of values take at most this many times as many bytes in memory. */
const BITS_IN_BYTE = 8;

/** A golden table's manager, in memory. */
interface Patient {
  readonly columns: readonly BoundColumn[];
  readonly rowCount: number;
  readonly bigEndian: boolean;
  readonly blob: Uint8Array;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

function patientOf(name: string, kind: ManagerKind): Patient {
  const rowCount = allFixtures().find((fixture) => fixture.name === name)!.rows;
  const path = fixturePath(name), dat = readTableDat(Deno.readFileSync(`${path}/table.dat`), path);
  assert.ok(dat.kind === "PlainTable");
  const manager = dat.columnSet.managers.find(({ type }) => kind.serves(type))!;
  assert.equal(manager.sequence, 0);
  const files = new Map<string, Uint8Array>();
  for (const { name } of Deno.readDirSync(path)) {
    if (name.startsWith("table.f0")) files.set(name, Deno.readFileSync(`${path}/${name}`));
  }
  const columns = boundColumnsOf(dat, 0);
  return { columns, rowCount, bigEndian: dat.bigEndian, blob: manager.blob, files };
}

/** Flips bits, puts bytes or words, cuts off, lengthens. */
function damage(bytes: Uint8Array, random: () => number): Uint8Array {
  const damaged = bytes.slice(), at = () => random() % Math.max(1, damaged.length);
  switch (random() % 8) {
    case 0:
      return damaged.slice(0, at());
    case 1: {
      const longer = new Uint8Array(damaged.length + 1 + random() % 100).fill(random());
      longer.set(damaged);
      return longer;
    }
    case 2:
      for (let i = 0, start = at(); i < 1 + random() % 40; i++) damaged[start + i] = random();
      return damaged;
    case 3: {
      // Words that sizes and counts may be.
      const word = [0, 1, 0x7fffffff, 0x80000000, 0x80000001, 0xffffffff, 0xfffffff8][random() % 7]!;
      const start = Math.min(at(), Math.max(0, damaged.length - 4));
      if (damaged.length >= 4) new DataView(damaged.buffer).setUint32(start, word, random() % 2 === 0);
      return damaged;
    }
    case 4: {
      const from = at();
      damaged.copyWithin(at(), from, from + random() % 64);
      return damaged;
    }
    default:
      for (let i = 0; i < 1 + random() % 3; i++) damaged[at()]! ^= 1 << (random() % 8);
      return damaged;
  }
}

/** Opens the manager and reads some columns; returns the error there was. */
function examine(
  kind: ManagerKind,
  patient: Patient,
  files: TableFiles,
  blob: Uint8Array,
  random: () => number,
) {
  const { columns, rowCount, bigEndian } = patient;
  const total = [...patient.files.values()].reduce((sum, bytes) => sum + bytes.length, 200);
  let error: unknown;
  const attempt = (work: () => void) => {
    try {
      work();
    } catch (thrown) {
      assert.ok(thrown instanceof TableError, thrown instanceof Error ? thrown.stack : String(thrown));
      error = thrown;
    }
  };
  attempt(() => {
    const context = contextOf({ type: "damaged", columns, rowCount, bigEndian });
    const manager = runSync(kind.open(context, blob), files);
    for (let i = 0; i < 4; i++) {
      const c = random() % columns.length, bound = columns[c]!;
      const rows = [
        rowRange(0, rowCount),
        rowRange(random() % rowCount, 1),
        rowList([rowCount - 1, 0, 0, 1, 2]),
      ];
      attempt(() => {
        for (const { shape } of runSync(manager.column(c).shapes(rows[0]!), files)) {
          const size = isNumeric(bound.dtype) ? numericInfo(bound.dtype).size : 4;
          const elements = elementsOf(shape ?? []);
          assert.ok(elements * size <= BITS_IN_BYTE * total, `a cell of shape [${shape}] of ${total} bytes`);
        }
        runSync(
          readCells(
            { ...bound, kind: bound.kind === "record" ? "array" : bound.kind },
            manager.column(c),
            rows[i % 3]!,
          ),
          files,
        );
      });
    }
  });
  return error;
}

/** Damages a golden table `count` times; some damages must be found. */
export function examineDamages(name: string, kind: ManagerKind, count: number, seed: number): void {
  const patient = patientOf(name, kind), random = numbersFrom(seed);
  const names = [...patient.files.keys()];
  let found = 0;
  for (let i = 0; i < count; i++) {
    using files = memoryFiles();
    const victim = names[random() % names.length]!,
      hurtsBlob = patient.blob.length > 0 && random() % 20 === 0;
    for (const [name, bytes] of patient.files) {
      putFile(files, name, name === victim && !hurtsBlob ? damage(bytes, random) : bytes);
    }
    const blob = hurtsBlob ? damage(patient.blob, random) : patient.blob;
    if (examine(kind, patient, files, blob, random) !== undefined) found++;
  }
  assert.ok(found > count / 10, `${found} of ${count} damages were found`);
}
