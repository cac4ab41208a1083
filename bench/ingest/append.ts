/**
 * Sustained durable appending: rows to a log with durability `batch`, and a C program that writes as many bytes past the page
 * cache with an fdatasync after each group. Both take turns; figures are ratios of a round's two.
 *
 *   deno run -A bench/ingest/append.ts [DIRECTORY] [--mib=N] [--rounds=N] [--group=KiB] [--io=NAME] [--under-way=N]
 *
 * Prints JSON: for every kind of rows the seconds of each round, the ratio of C's to ours (1: as fast) as median and spread.
 */
import { array, type ColumnSpec, scalar } from "../../mod.ts";
import { allocate } from "../../src/array/alloc.ts";
import { type IoName } from "../../src/io/backend.ts";
import { openBackend } from "../../src/io/backends.ts";
import { LogAppender } from "../../src/ingest/append/appender.ts";
import { IngestCounters } from "../../src/ingest/counters.ts";
import type { IngestRows } from "../../src/ingest/log/columns.ts";
import { IngestSchema } from "../../src/ingest/schema.ts";
import { median, spreadOf } from "../report.ts";
import { compile } from "../side.ts";

const MIB = 2 ** 20;
/** Rows of an integration: baselines of 27 antennas with themselves. */
const INTEGRATION = 378;

/** Rows of one kind. */
interface Kind {
  readonly name: string;
  readonly columns: readonly ColumnSpec[];
  readonly batch: IngestRows;
  /** Bytes of a batch's values. */
  readonly bytes: number;
}

const SCALARS = ["TIME", "EXPOSURE", "INTERVAL", "TIME_CENTROID", "WEIGHT"],
  IDS = ["ANTENNA1", "ANTENNA2", "FIELD_ID"];

function kinds(): Kind[] {
  const payload = allocate("uint8", MIB);
  for (let i = 0; i < payload.length; i++) payload[i] = i * 7 >> 3;
  const data = allocate("complex64", INTEGRATION * 256).fill(1.5), flag = new Uint8Array(INTEGRATION * 256);
  const columns = [
    array("DATA", "complex64", { shape: [4, 64] }),
    array("FLAG", "bool", { shape: [4, 64] }),
    ...SCALARS.map((name) => scalar(name, "float64")),
    ...IDS.map((name) => scalar(name, "int32")),
    scalar("FLAG_ROW", "bool"),
    scalar("SCAN_NUMBER", "int32"),
  ];
  const batch: IngestRows = {
    DATA: data,
    FLAG: flag,
    FLAG_ROW: new Uint8Array(INTEGRATION),
    SCAN_NUMBER: new Int32Array(INTEGRATION),
    ...Object.fromEntries(SCALARS.map((name) => [name, new Float64Array(INTEGRATION).fill(7)])),
    ...Object.fromEntries(IDS.map((name) => [name, new Int32Array(INTEGRATION).fill(7)])),
  };
  return [
    {
      name: "1 MiB rows",
      columns: [array("PAYLOAD", "uint8", { shape: [MIB] })],
      batch: { PAYLOAD: payload },
      bytes: MIB,
    },
    { name: "visibilities", columns, batch, bytes: INTEGRATION * (2048 + 256 + 5 * 8 + 4 * 4 + 1) },
  ];
}

function option(name: string, other: string): string {
  return Deno.args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3) ?? other;
}

const directory = Deno.args.find((arg) => !arg.startsWith("--")) ?? await Deno.makeTempDir();
const mib = Number(option("mib", "512")), rounds = Number(option("rounds", "7"));
const groupKib = Number(option("group", "4160")), underWay = Number(option("under-way", "16"));
const io = option("io", "direct") as IoName;

/** Appends batches with some under way at a time; seconds from the first call to the last one's promise. */
async function tessera(
  { columns, batch, bytes }: Kind,
): Promise<{ seconds: number; bytes: number; counters: IngestCounters }> {
  const folder = await Deno.makeTempDir({ dir: directory }), counters = new IngestCounters();
  const appender = LogAppender.open({
    directory: folder,
    schema: IngestSchema.of({ columns }),
    storeId: "00112233445566778899aabbccddeeff",
    durability: "batch",
    nextLog: 1,
    nextSequence: 0,
    backend: openBackend(io),
    bufferBytes: groupKib * 1024,
    onLogFull: ({ id }) => appender.forgetLog(id),
    onError: (error) => console.error(error),
    counters,
  });
  const batches = Math.floor(mib * MIB / bytes), began = performance.now();
  const waiting: Promise<number>[] = [];
  for (let i = 0; i < batches; i++) {
    waiting.push(appender.append(batch));
    if (waiting.length >= underWay) await waiting.shift();
  }
  await Promise.all(waiting);
  const seconds = (performance.now() - began) / 1000, written = counters.get("groupBytes");
  await appender.close();
  await Deno.remove(folder, { recursive: true });
  return { seconds, bytes: written, counters };
}

/** Seconds that C takes for groups of so many bytes in all. */
async function limit(program: string, bytes: number): Promise<number> {
  const path = await Deno.makeTempFile({ dir: directory });
  const { stdout } = await new Deno.Command(program, {
    args: [path, String(Math.round(bytes / 1024)), String(groupKib)],
  }).output();
  await Deno.remove(path);
  return Number(new TextDecoder().decode(stdout));
}

const program = `${directory}/ingest_limit`;
compile("cc", "ingest_limit.c", program, []);
const results = [];
for (const kind of kinds()) {
  const ours: number[] = [], theirs: number[] = [], ratios: number[] = [];
  let counters = new IngestCounters();
  await tessera(kind);
  for (let round = 0; round < rounds; round++) {
    const own = await tessera(kind);
    counters = own.counters;
    const groups = Math.floor(own.bytes / 1024 / groupKib), done = groups * groupKib * 1024;
    const c = await limit(program, done);
    ours.push(own.seconds / own.bytes);
    theirs.push(c / done);
    ratios.push(theirs.at(-1)! / ours.at(-1)!);
  }
  const { groups, syncs, rows } = counters.snapshot();
  results.push({
    rows: kind.name,
    mibPerSecond: ours.map((seconds) => Math.round(1 / seconds / MIB)),
    limitMibPerSecond: theirs.map((seconds) => Math.round(1 / seconds / MIB)),
    ratios: ratios.map((ratio) => Number(ratio.toFixed(3))),
    ratio: Number(median(ratios).toFixed(3)),
    spread: Number(spreadOf(ours).toFixed(3)),
    groups,
    syncs,
    appended: rows,
  });
}
await Deno.remove(program);
console.log(JSON.stringify({ directory, mib, groupKib, io, underWay, results }, null, 2));
