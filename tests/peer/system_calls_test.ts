/**
 * System calls: what strace sees on a table's files, against what Tessera's own counters say and against the bounds that
 * the project promises. casacore 3.5 takes 135 transfers and seeks for the tiled table (77 of them lseek) and 798 for
 * the standard one (359).
 */
import assert from "node:assert/strict";
import type { IoSnapshot } from "../../mod.ts";
import type { CallKind } from "../../src/io/counters.ts";
import { temporaryFolder } from "../fixture.ts";
import { peerTest } from "./peer.ts";

/** Our kinds of calls by the names that strace prints. Unmapping names no file, so strace can't tell whose it is. */
const KIND_OF_CALL: Readonly<Record<string, CallKind>> = {
  open: "open",
  openat: "open",
  close: "close",
  read: "read",
  pread64: "read",
  readv: "read",
  preadv: "read",
  write: "write",
  pwrite64: "write",
  writev: "write",
  pwritev: "write",
  lseek: "lseek",
  _llseek: "lseek",
  stat: "stat",
  lstat: "stat",
  fstat: "stat",
  fstatfs: "stat",
  newfstatat: "stat",
  statx: "stat",
  access: "stat",
  faccessat: "stat",
  faccessat2: "stat",
  ftruncate: "truncate",
  fsync: "sync",
  fdatasync: "sync",
  mmap: "mmap",
  rename: "rename",
  renameat: "rename",
  renameat2: "rename",
  mkdir: "mkdir",
  mkdirat: "mkdir",
  unlink: "unlink",
  unlinkat: "unlink",
  rmdir: "rmdir",
  getdents64: "list",
  fcntl: "lock",
};
const NOT_SEEN: readonly CallKind[] = ["munmap", "madvise"];
/** Calls that move data or the file position, or wait for the disk: what casacore's figures count. */
const TRANSFERS: readonly CallKind[] = ["read", "write", "lseek", "sync"];
const MOST_TRANSFERS = { tiled: 27, standard: 160 } as const;

/** Counts calls by kind in a trace, of those that name the path. */
function countTrace(trace: string, path: string): Map<CallKind, number> {
  const counts = new Map<CallKind, number>();
  for (const line of trace.split("\n")) {
    if (!line.includes(path)) continue;
    // "1234  pread64(21</t/table.dat>, …" or "<... pread64 resumed>": an interrupted call counts where it began.
    const name = /^\d+\s+([a-z_0-9]+)\(/.exec(line)?.[1];
    if (name === undefined || name === "execve") continue;
    const kind = KIND_OF_CALL[name];
    assert(kind !== undefined, `strace shows a call that has no kind: ${line}`);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

async function run(command: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    stdout: "piped",
    stderr: "piped",
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

for (const layout of ["tiled", "standard"] as const) {
  for (const io of ["pread", "mmap", "node", "seek"] as const) {
    peerTest(`strace agrees with the counters: ${layout} table, backend ${io}`, async () => {
      using folder = temporaryFolder();
      const table = `${folder.path}/calls.tab`, trace = `${folder.path}/trace.txt`;
      const program = new URL("programs/round_trip.ts", import.meta.url).pathname;
      const printed = await run("strace", [
        ...["-f", "-y", "-o", trace, Deno.execPath(), "run", "-A", "--quiet", program, table, io, layout],
      ]);
      const snapshots = JSON.parse(printed.trim().split("\n").at(-1)!) as IoSnapshot[];
      const seen = countTrace(Deno.readTextFileSync(trace), table);
      const counted = new Map<CallKind, number>();
      for (const { calls } of snapshots) {
        for (const [kind, count] of Object.entries(calls) as [CallKind, number][]) {
          if (count > 0 && !NOT_SEEN.includes(kind)) counted.set(kind, (counted.get(kind) ?? 0) + count);
        }
      }
      const sorted = (counts: Map<CallKind, number>) => Object.fromEntries([...counts].sort());
      assert.deepEqual(sorted(counted), sorted(seen));
      if (io !== "seek") assert.equal(seen.get("lseek") ?? 0, 0);
      const transfers = TRANSFERS.reduce((sum, kind) => sum + (seen.get(kind) ?? 0), 0);
      const most = io === "seek" ? 2 * MOST_TRANSFERS[layout] : MOST_TRANSFERS[layout];
      assert(transfers <= most, `${transfers} transfers, at most ${most} expected`);
    });
  }
}
