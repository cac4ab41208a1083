/**
 * Sustained durable appending (`batch`): rows to a store, beside plain C that writes as many bytes in blocks of the same size
 * past the page cache with the same syncs, and without; and beside casacore that appends the same rows and flushes after
 * each integration. Then several who append to one store.
 */
import { IngestStore } from "../../src/ingest/mod.ts";
import { type Kind, mibRows, visRows } from "./rows.ts";
import type { Bound, Line, Part } from "./report.ts";
import { inTurn, MIB, output, peer, remove, type Setting, settle } from "./setting.ts";

/** Appends under way at a time. */
const UNDER_WAY = 16;
/** What a store's appends came to. */
interface Appended {
  readonly seconds: number;
  readonly bytes: number;
  /** Of a write to the log; and writes that a sync covers. */
  readonly blockBytes: number;
  readonly writesPerSync: number;
}

/** Appends so many bytes by some writers, each with some appends under way; checks the sequence numbers. */
export async function append(
  store: IngestStore,
  kind: Kind,
  total: number,
  { writers = 1, underWay = UNDER_WAY } = {},
): Promise<Appended> {
  const each = Math.ceil(total / kind.bytes / writers), given = new Set<number>(), before = store.stats;
  const began = performance.now();
  await Promise.all(Array.from({ length: writers }, async (_, writer) => {
    const waiting: Promise<number>[] = [];
    for (let i = 0; i < each; i++) {
      waiting.push(store.append(kind.batch(writer, i)));
      if (waiting.length >= underWay) given.add(await waiting.shift()!);
    }
    for (const sequence of await Promise.all(waiting)) given.add(sequence);
  }));
  const seconds = (performance.now() - began) / 1000, { stats } = store;
  const appends = each * writers, groups = stats.groups - before.groups;
  if (given.size !== appends || [...given].some((sequence) => sequence % kind.rows !== 0)) {
    throw new Error(`${appends} appends were given ${given.size} different places`);
  }
  return {
    seconds,
    bytes: appends * kind.bytes,
    blockBytes: Math.ceil((stats.groupBytes - before.groupBytes) / groups / 4096) * 4096,
    writesPerSync: Math.max(1, Math.round(groups / (stats.syncs - before.syncs))),
  };
}

interface Way {
  /** A log becomes a segment when it has so many bytes. */
  readonly logBytes: number;
  readonly writers?: number;
  readonly underWay?: number;
  readonly check?: (store: IngestStore) => void;
  /** Told how many MiB a second became segments, all rows being such at the end. */
  readonly seal?: (rate: number) => void;
}

const ONLY_LOGS = 2 ** 40;
const SEALING = "with segments";

async function ingest(folder: string, kind: Kind, total: number, way: Way): Promise<Appended> {
  const path = `${folder}/store`, { columns } = kind;
  const store = IngestStore.open(path, { columns, logBytes: way.logBytes, compaction: false });
  try {
    const began = performance.now(), appended = await append(store, kind, total, way);
    way.check?.(store);
    if (way.seal !== undefined) {
      await store.seal();
      way.seal(appended.bytes / MIB / ((performance.now() - began) / 1000));
    }
    return appended;
  } finally {
    await store.close();
    await remove(path);
  }
}

const rate = ({ bytes, seconds }: { bytes: number; seconds: number }) => bytes / MIB / seconds;

async function kindLines(
  setting: Setting,
  kind: Kind,
  total: number,
): Promise<{ lines: Line[]; note: string }> {
  const { folder, rounds } = setting, file = `${folder}/written`;
  const plain = peer(folder, "ingest_plain.c");
  const casacore = peer(folder, "ingest_casacore.cc", ["-std=c++17", "-lcasa_tables", "-lcasa_casa"]);
  let last: Appended | null = null;
  const ours = async (way: Way) => {
    await settle();
    last = await ingest(folder, kind, total, way);
    return rate(last);
  };
  /** As many bytes in blocks as large as the store's were in this round. */
  const c = async (synced: boolean, how: "direct" | "buffered") => {
    await settle();
    const { blockBytes: block, writesPerSync } = last!, bytes = Math.floor(total / block) * block;
    const seconds = await output(plain!, ["append", file, bytes, block, synced ? writesPerSync : 0, how]);
    await remove(file);
    return rate({ bytes, seconds: Number(seconds) });
  };
  const appends = Math.ceil(total / kind.bytes / 4);
  const theirs = async (flush: "plain" | "durable") => {
    await settle();
    const seconds = await output(casacore!, [file, kind.name, kind.rows, appends, flush]);
    await remove(file);
    return rate({ bytes: appends * kind.bytes, seconds: Number(seconds) });
  };
  const blocks: Appended[] = [], toSegments: number[] = [];
  const found = await inTurn(rounds, {
    "Tessera": async () => {
      const value = await ours({ logBytes: ONLY_LOGS });
      blocks.push(last!);
      return value;
    },
    ...(plain !== null && {
      "C, O_DIRECT, same syncs": () => c(true, "direct"),
      "C, O_DIRECT, one sync": () => c(false, "direct"),
      "C, page cache, same syncs": () => c(true, "buffered"),
    }),
    [SEALING]: () => ours({ logBytes: total / 4, seal: (rate) => toSegments.push(rate) }),
    ...(casacore !== null && {
      "casacore, flush": () => theirs("plain"),
      "casacore, flush and sync of its files": () => theirs("durable"),
    }),
  });
  const { Tessera, [SEALING]: sealing, ...others } = found;
  const bounds: Bound[] = [
    { kind: "ratio", against: "C, O_DIRECT, same syncs", atLeast: 0.8 },
    { kind: "ratio", against: "C, O_DIRECT, one sync", atLeast: null },
    { kind: "ratio", against: "casacore, flush", atLeast: 5 },
    { kind: "ratio", against: "casacore, flush and sync of its files", atLeast: null },
    { kind: "spread", atMost: 0.15 },
  ];
  const { blockBytes, writesPerSync } = blocks.at(-1)!;
  return {
    lines: [
      {
        what: `durable appending, ${kind.title}`,
        unit: "MiB/s",
        sides: { Tessera: Tessera!, ...others },
        bounds,
      },
      {
        what: `the same while a worker makes segments of full logs, ${kind.title}`,
        unit: "MiB/s",
        sides: { Tessera: sealing!, "logs only": Tessera! },
        bounds: [{ kind: "ratio", against: "logs only", atLeast: null }],
      },
      {
        what: `the same until all rows are in segments, ${kind.title}`,
        unit: "MiB/s",
        sides: { Tessera: toSegments.slice(1), "logs only": Tessera! },
        bounds: [{ kind: "ratio", against: "logs only", atLeast: null }],
      },
    ],
    note: `${kind.title[0]!.toUpperCase() + kind.title.slice(1)}: ${
      (blockBytes / MIB).toFixed(2)
    } MiB a write, ${writesPerSync} a sync in the last round; ${
      total / MIB
    } MiB a round (casacore: a quarter), ${UNDER_WAY} appends under way.`,
  };
}

/** Every append of every writer is there once, and sequence numbers have no gap. */
function checkAll(store: IngestStore, kind: Kind, writers: number): void {
  using table = store.snapshot();
  const writer = table.getColumn("SCAN_NUMBER").data as Int32Array;
  const number = table.getColumn("TIME").data as Float64Array;
  const sequence = table.getColumn("INGEST_SEQUENCE").data as BigInt64Array;
  const next = new Array<number>(writers).fill(0);
  for (let row = 0; row < table.rowCount; row++) {
    if (sequence[row] !== BigInt(row)) throw new Error(`row ${row} has sequence number ${sequence[row]}`);
    if (row % kind.rows !== 0) {
      if (writer[row] !== writer[row - 1] || number[row] !== number[row - 1]) {
        throw new Error(`row ${row} is torn off`);
      }
    } else if (number[row] !== next[writer[row]!]!++) {
      throw new Error(
        `row ${row} is append ${number[row]} of writer ${writer[row]}: one is missing or there twice`,
      );
    }
  }
  if (new Set(next).size !== 1) throw new Error(`appends of the writers that are there: ${next}`);
}

/** Rates to the disk, by rows. */
export async function sustained(setting: Setting): Promise<Omit<Part, "seconds">> {
  const total = (setting.quick ? 128 : 512) * MIB, lines: Line[] = [], notes: string[] = [];
  for (const kind of [mibRows(), visRows()]) {
    const found = await kindLines(setting, kind, total);
    lines.push(...found.lines);
    notes.push(found.note);
  }
  notes.push(
    "C writes blocks as large as the store's writes were on average, and syncs as often; its rates are of all bytes, ours of values only.",
    "Logs become segments when they have a quarter of a round's bytes. With segments each byte is written twice, and read once: that is what is left of the disk for appending.",
  );
  return { name: "sustained", title: "Sustained durable appending", lines, grids: [], notes };
}

/** One, two and four who append to one store. */
export async function writers(setting: Setting): Promise<Omit<Part, "seconds">> {
  const { folder, rounds, quick } = setting,
    total = (quick ? 96 : 384) * MIB,
    kind = visRows(),
    large = mibRows();
  const lines: Line[] = [];
  for (const underWay of [1, 4]) {
    for (const rows of [large, kind]) {
      const run = (count: number) => async () => {
        await settle();
        const check = rows === kind ? (store: IngestStore) => checkAll(store, kind, count) : undefined;
        const way = { logBytes: ONLY_LOGS, writers: count, underWay, ...(check && { check }) };
        return rate(await ingest(folder, rows, total, way));
      };
      const found = await inTurn(Math.min(3, rounds), {
        "1 writer": run(1),
        "2 writers": run(2),
        "4 writers": run(4),
      });
      for (const count of ["2 writers", "4 writers"] as const) {
        lines.push({
          what: `${count}, ${underWay} under way each, ${rows.title}`,
          unit: "MiB/s",
          sides: { Tessera: found[count]!, "1 writer": found["1 writer"]! },
          bounds: [{ kind: "ratio", against: "1 writer", atLeast: count === "4 writers" ? 0.9 : null }],
        });
      }
    }
  }
  return {
    name: "writers",
    title: "Several writers of one store",
    lines,
    grids: [],
    notes: [
      "After every round all rows were looked at: every append of every writer was there once, in its order, whole, and sequence numbers had no gap.",
    ],
  };
}
