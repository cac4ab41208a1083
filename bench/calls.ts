/** What calls a side makes on a table's files for one work: by strace, between two marks that each side leaves. */
import type { Figure, Result } from "./report.ts";
import type { Work } from "./works.ts";

/** Calls that move data or the file position, or wait for the disk, of the table that the project's first study was about. */
const MOST_TRANSFERS: Readonly<Record<string, number>> = { tiled: 27, standard: 160 };

/** Names that strace prints, by kind. Others count as themselves. */
const KINDS: Readonly<Record<string, string>> = {
  pread64: "read",
  preadv: "read",
  readv: "read",
  pwrite64: "write",
  pwritev: "write",
  writev: "write",
  fsync: "sync",
  fdatasync: "sync",
  openat: "open",
  newfstatat: "stat",
  fstat: "stat",
  statx: "stat",
  access: "stat",
};

/** Calls by kind of one round after a first that doesn't count; a side without strace or without the work is left out. */
export async function countCalls(
  programs: ReadonlyMap<string, readonly [command: string, args: readonly string[]]>,
  work: Work,
  rows: number,
  folder: string,
): Promise<Record<string, Record<string, number>>> {
  const found: Record<string, Record<string, number>> = {};
  for (const name of ["casacore", "tessera"]) {
    const program = programs.get(name);
    if (program === undefined) continue;
    const trace = `${folder}/trace.txt`;
    const argument = work.counted?.argument ?? work.argument;
    const lines = `set ${work.name} ${folder} ${work.table || "-"} ${
      work.counted?.rows ?? rows
    } ${argument}\nrun 1\nrun 1\nend\n`;
    try {
      const child = new Deno.Command("strace", {
        args: ["-f", "-y", "-e", "trace=%desc,%file", "-o", trace, program[0], ...program[1]],
        stdin: "piped",
        stdout: "null",
        stderr: "null",
      }).spawn();
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(lines));
      await writer.close();
      if (!(await child.status).success) continue;
    } catch {
      return {};
    }
    found[name] = countTrace(await Deno.readTextFile(trace), folder);
  }
  return found;
}

/** Counts calls on files below a folder by kind, between the last two marks of a trace. */
export function countTrace(trace: string, folder: string): Record<string, number> {
  const last = trace.lastIndexOf("/tessera-bench/start");
  const counts: Record<string, number> = {};
  for (const line of trace.slice(last, trace.indexOf("/tessera-bench/stop", last)).split("\n")) {
    const call = /^\d+\s+([a-z_0-9]+)\(/.exec(line)?.[1];
    if (call === undefined || !line.includes(folder)) continue;
    const kind = KINDS[call] ?? call;
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

/** What a round trip's calls have to stay below; nothing for other works, or where no calls were counted. */
export function callFigures({ work, calls }: Result): Figure[] {
  const ours = calls["tessera"], theirs = calls["casacore"];
  if (work.name !== "round-trip" || ours === undefined) return [];
  const figure = (title: string, atMost: number, kinds: readonly string[]): Figure => {
    const sum = (counts: Readonly<Record<string, number>>) =>
      kinds.reduce((total, kind) => total + (counts[kind] ?? 0), 0);
    const peers = theirs === undefined ? {} : { casacore: sum(theirs) };
    return { title: `${work.title}: ${title}`, unit: "calls", value: sum(ours), atMost, peers };
  };
  return [
    figure("read, write, lseek, sync", MOST_TRANSFERS[work.argument]!, ["read", "write", "lseek", "sync"]),
    figure("lseek", 0, ["lseek"]),
  ];
}
