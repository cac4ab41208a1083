/** The studies' results as the tables of docs/performance.md. */
import { table } from "../report.ts";

/** What `print` in study.ts printed. */
export interface Printed<T> {
  readonly cores: number;
  readonly load: number;
  readonly results: T;
}

const short = (value: number) => String(Number(value.toPrecision(2)));

interface Calls {
  readonly lseek: number;
  readonly read: number;
  readonly write: number;
}

/** Of seeks.ts: calls by phase of one program. */
export interface SeeksLine {
  readonly manager: string;
  readonly put: string;
  readonly program: string;
  readonly phases: Readonly<Record<"create" | "complex" | "bool" | "close", Calls>>;
}

/** Lines whose numbers are the same share one: put either way, or by several programs of a kind. */
export function seeksTable(lines: readonly SeeksLine[]): string {
  const cells = ({ phases }: SeeksLine) => {
    const list = [phases.create, phases.complex, phases.bool, phases.close];
    const sum = (kind: keyof Calls) => list.reduce((total, calls) => total + calls[kind], 0);
    const all = { lseek: sum("lseek"), read: sum("read"), write: sum("write") };
    return [...list, all].map(({ lseek, read, write }) => `${lseek} / ${read} / ${write}`);
  };
  const found: { manager: string; put: string; family: string; names: string[]; cells: string[] }[] = [];
  for (const line of lines) {
    const [family = "", name = ""] = line.program.split(" "), own = cells(line), text = own.join();
    const other = lines.find((each) =>
      each.manager === line.manager && each.program === line.program && each.put !== line.put
    );
    const put = other !== undefined && cells(other).join() === text ? "either" : line.put;
    const same = found.find((each) =>
      each.manager === line.manager && each.put === put && each.family === family &&
      each.cells.join() === text
    );
    if (same === undefined) found.push({ manager: line.manager, put, family, names: [name], cells: own });
    else if (!same.names.includes(name)) same.names.push(name);
  }
  return table(
    ["manager", "put by", "program", "create", "COMPLEX phase", "BOOL phase", "close", "all"],
    found.map(({ manager, put, family, names, cells }) => [
      manager,
      put,
      `${family} ${names.join(", ")}`,
      ...cells,
    ]),
    3,
  );
}

/** Of ../direct.ts. */
export interface DirectPrinted {
  readonly results: readonly {
    readonly blockKiB: number;
    readonly ways: Readonly<
      Record<
        string,
        { readonly seconds: readonly number[]; readonly median: number; readonly spread: number }
      >
    >;
  }[];
}

/** Seconds of each way to write, and their spread. */
export function directTable({ results }: DirectPrinted): string {
  const lines = results.flatMap(({ blockKiB, ways }) =>
    Object.entries(ways).map(([way, { seconds, median, spread }]) => [
      way,
      String(blockKiB),
      median.toFixed(3),
      Math.min(...seconds).toFixed(3),
      Math.max(...seconds).toFixed(3),
      spread.toFixed(2),
      (spread / (ways["C buffered"]?.spread ?? NaN)).toFixed(2),
    ])
  );
  const header = ["way", "block, KiB", "median, s", "fastest, s", "slowest, s", "spread"];
  return table([...header, "spread ÷ that of C buffered"], lines);
}

/** Of handover.ts: one block size. */
export interface HandoverLine {
  readonly blockKiB: number;
  readonly ways: Readonly<
    Record<string, {
      readonly cpuMs: number;
      readonly steps: Readonly<Record<string, { readonly ms: number; readonly faults: number }>>;
    }>
  >;
}

/** What each way to hand values over takes, by step. */
export function handoverTable(results: readonly HandoverLine[]): string {
  const lines = results.flatMap(({ blockKiB, ways }) =>
    Object.entries(ways).map(([way, { cpuMs, steps }]) => [
      String(blockKiB),
      way,
      String(cpuMs),
      (cpuMs / (ways["borrow, in turn"]?.cpuMs ?? NaN)).toFixed(2),
      ...["make", "fill", "call", "wait"].map((step) => `${steps[step]!.ms} (${steps[step]!.faults})`),
    ])
  );
  return table(
    ["block, KiB", "way", "CPU", "CPU ÷ borrow, in turn", "make the array", "fill it", "the call", "wait"],
    lines,
    2,
  );
}

/** Of phases.ts: one size of row and request, backend and number of writers. */
export interface PhasesLine {
  readonly rowBytes: number;
  readonly requestRows: number;
  readonly io: string;
  readonly writers: number;
  readonly microsecondsOfRow: Readonly<Record<"take" | "write" | "commit" | "cpu", number>>;
  readonly cpuToMemory: number;
}

/** Microseconds of a row by phase, with one writer; the processor's time with 1, 2 and 4. */
export function phasesTable(results: readonly PhasesLine[]): string {
  const writers = [1, 2, 4];
  const lines = results.filter((line) => line.writers === 1).map((line) => {
    const same = (count: number) =>
      results.find(({ rowBytes, requestRows, io, writers }) =>
        rowBytes === line.rowBytes && requestRows === line.requestRows && io === line.io && writers === count
      )!;
    const { take, write, commit } = line.microsecondsOfRow;
    return [
      String(line.rowBytes),
      String(line.requestRows),
      line.io,
      ...[take, write, commit].map(short),
      ...writers.map((count) => short(same(count).microsecondsOfRow.cpu)),
      ...writers.map((count) => line.io === "memory" ? "" : short(same(count).cpuToMemory)),
    ];
  });
  const header = ["bytes a row", "rows a request", "backend", "take", "write", "commit", "CPU, 1 writer"];
  return table([...header, "2 writers", "4 writers", "files ÷ memory, CPU: 1", "2", "4"], lines, 3);
}

interface MappedSide {
  readonly disk: number;
}

/** Of mapped.ts. */
export interface MappedPrinted {
  readonly cases: readonly {
    readonly table: string;
    readonly cache: string;
    readonly order: string;
    readonly readers: number;
    readonly KiB: number;
    readonly mmap: MappedSide;
    readonly pread: MappedSide;
    readonly readToMapped: number;
    readonly cpuReadToMapped: number;
  }[];
}

const sizeText = (kib: number) => kib < 1024 ? `${kib} KiB` : `${kib / 1024} MiB`;

/** Time of `pread` over that of `mmap` by request size, and bytes from the disk where pages were dropped before. */
export function mappedTables({ cases }: MappedPrinted): string {
  const sizes = [...new Set(cases.map(({ KiB }) => KiB))], large = sizes.filter((kib) => kib >= 1024);
  type Case = MappedPrinted["cases"][number];
  const keyOf = ({ table, cache, order, readers }: Case) => [table, cache, order, String(readers)];
  const groups = new Map<string, Case[]>();
  for (const each of cases) groups.set(keyOf(each).join(), [...groups.get(keyOf(each).join()) ?? [], each]);
  const line = (group: readonly Case[], values: readonly number[], of: (one: Case) => string) =>
    values.map((kib) => {
      const one = group.find(({ KiB }) => KiB === kib);
      return one === undefined ? "" : of(one);
    });
  const ratios = [...groups.values()].map((group) => [
    ...keyOf(group[0]!),
    ...line(group, sizes, ({ readToMapped }) => short(readToMapped)),
    ...line(group, large, ({ cpuReadToMapped }) => short(cpuReadToMapped)),
  ]);
  const disk = [...groups.values()].filter((group) => group[0]!.cache === "cold").map((group) => [
    ...keyOf(group[0]!).slice(2),
    ...line(group, sizes, ({ mmap, pread }) => `${short(mmap.disk)} / ${short(pread.disk)}`),
  ]);
  const first = table(
    [
      "table",
      "pages",
      "order",
      "readers",
      ...sizes.map(sizeText),
      ...large.map((kib) => `CPU at ${sizeText(kib)}`),
    ],
    ratios,
    3,
  );
  if (disk.length === 0) return first;
  return `${first}\n\nBytes from the disk for each byte wanted, cold, mapped / read:\n\n` +
    table(["order", "readers", ...sizes.map(sizeText)], disk);
}
