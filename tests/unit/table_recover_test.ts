/**
 * Recovery of tables: each thing that an interrupted change leaves behind is told, nothing is touched before it is asked
 * for, and repaired then.
 */
import assert from "node:assert/strict";
import {
  array,
  backendReport,
  checkTable,
  Context,
  type RecoverFinding,
  type RecoverOptions,
  recoverTable,
  scalar,
  standard,
  Table,
  TableError,
  tiledColumn,
} from "../../mod.ts";
import type { Backend, OpenMode } from "../../src/io/backend.ts";
import { openBackend } from "../../src/io/backends.ts";
import { journalOf } from "../../src/io/recovery.ts";
import type { MemoryBackend, MemoryStore } from "../../src/io/memory-backend.ts";
import { readTableDat } from "../../src/format/table-dat.ts";
import { begunSync, readTableLock, type SyncInfo, writeTableLock } from "../../src/format/table-lock.ts";
import { CrashBackend, DiskLog } from "../crash-backend.ts";
import { copyOfFixture, temporaryFolder } from "../fixture.ts";
import { rowsAsJson } from "../rows-as-json.ts";

const locks = backendReport().some(({ name, works }) => name === "pread" && works);
const lock = locks ? "auto" : "none";

/** A context whose memory is a disk's image. */
function on(store: MemoryStore): Context {
  const context = new Context();
  for (const [path, file] of store.files) context.memory.files.set(path, file);
  for (const path of store.directories) context.memory.directories.add(path);
  return context;
}

function stateIn(context: Context): string {
  using table = Table.open("/t", { io: "memory", context });
  return JSON.stringify([table.rowCount, table.keywords.toJSON(), rowsAsJson(table)]);
}

function recovered(context: Context, options: RecoverOptions = {}) {
  return recoverTable("/t", { io: "memory", context, ...options });
}

/** A commit that overwrites, appends and replaces, and the disk's log of it. */
function commit(): { log: DiskLog; begin: number; end: number; before: string; after: string } {
  const context = new Context(), log = new DiskLog(), numbers = new Map();
  context.wrapBackend = (inner) => new CrashBackend(inner as MemoryBackend, log, numbers);
  using table = Table.create("/t", {
    columns: [scalar("N", "int32"), scalar("NAME", "string"), array("A", "float32", { shape: [3] })],
    storage: [tiledColumn("T", ["A"], { tileShape: [3, 4] }), standard("S", { bucketRows: 8 })],
    rows: 6,
    io: "memory",
    context,
  });
  table.putColumn("N", Int32Array.of(1, 2, 3, 4, 5, 6));
  table.flush();
  const begin = log.ops.length;
  const state = () => JSON.stringify([table.rowCount, table.keywords.toJSON(), rowsAsJson(table)]);
  const before = state();
  table.putColumn("N", Int32Array.of(9, 8, 7, 6, 5, 4));
  table.putCell("NAME", 2, "a string that is longer than eight bytes");
  table.addRows(5);
  table.keywords.set("K", 1);
  table.flush();
  return { log, begin, end: log.ops.length, before, after: state() };
}

/** The disk after the operation of that number of the commit that `matches`; the last of them. */
function diskAfter({ log, begin, end }: ReturnType<typeof commit>, kind: string): Context {
  const at = log.ops.findLastIndex((op, i) => i >= begin && i < end && op.kind === kind);
  assert(at >= 0);
  return on(log.prefix(at + 1));
}

function fileOf(context: Context, name: string): Uint8Array {
  const file = context.memory.files.get(`/t/${name}`)!;
  return file.bytes.subarray(0, file.length);
}

function lockOf(context: Context): SyncInfo {
  return readTableLock(fileOf(context, "table.lock"), "table.lock").sync!;
}

function setLock(context: Context, sync: SyncInfo): void {
  const bytes = writeTableLock({ requests: [], sync }), file = context.memory.files.get("/t/table.lock")!;
  file.resize(bytes.length, "table.lock");
  file.bytes.set(bytes);
}

Deno.test("a journal is told in every window of a commit, nothing is touched, and --yes brings the table back", () => {
  const made = commit(), messages = new Set<string>();
  for (let at = made.begin; at <= made.end; at++) {
    const context = on(made.log.prefix(at)), untouched = on(made.log.prefix(at));
    const { findings, left } = recovered(context);
    assert.equal(left, findings.length);
    for (const [path, file] of untouched.memory.files) {
      assert.deepEqual(fileOf(context, path.slice(3)), file.bytes.subarray(0, file.length), path);
    }
    for (const { message } of findings) messages.add(message.replace(/:.*/, ""));
    const repaired = recovered(context, { apply: true });
    assert.equal(repaired.left, 0);
    assert.equal(repaired.findings.length > 0, findings.length > 0);
    assert.deepEqual(recovered(context).findings, [], `after ${at - made.begin} operations`);
    const state = stateIn(context);
    assert(state === made.before || state === made.after);
  }
  assert.deepEqual([...messages].sort(), [
    "a commit that is complete, of which the journal is left",
    "a journal that was begun and never used",
    "a writer died in the middle of a commit",
  ]);
});

Deno.test("a check tells of a journal, and of a copy that didn't take table.dat's place", () => {
  const made = commit(), told = new Set<string>();
  for (let at = made.begin; at <= made.end; at++) {
    const context = on(made.log.prefix(at));
    const { findings, wrong } = checkTable("/t", { io: "memory", context });
    assert.equal(findings.filter(({ note }) => !note).length, wrong);
    for (const { note, file, message } of findings) {
      told.add(`${note ? "note" : "wrong"} ${file.slice(3)}: ${message}`);
    }
  }
  const changed = diskAfter(made, "rename");
  setLock(changed, { ...lockOf(changed), modifyCounter: lockOf(changed).modifyCounter + 1 });
  for (const { file, message } of checkTable("/t", { io: "memory", context: changed }).findings) {
    told.add(`${file.slice(3)}: ${message}`);
  }
  const advice = "`table recover` says what can be done";
  const refused =
    "a writer died in the middle of a commit, and the change counters are neither those before nor those " +
    `after: the table was changed since; ${advice}`;
  assert.deepEqual(
    [...told].sort(),
    [
      "note table.dat_tmp: no storage manager has a file of that name",
      "note table.journal: a commit is complete, and its journal is still there",
      "note table.journal: a journal that was begun and never used",
      `table.journal: ${refused}`,
      `wrong table.journal: a commit is under way, or its writer died; ${advice}`,
    ].toSorted(),
  );
});

Deno.test("recovery that is itself stopped goes on", () => {
  const made = commit();
  for (let at = made.begin; at < made.end; at++) {
    const context = on(made.log.prefix(at)), log = new DiskLog(), numbers = new Map();
    // What is there already is the log's beginning.
    const first = made.log.ops.slice(0, at);
    context.wrapBackend = (inner) => new CrashBackend(inner as MemoryBackend, log, numbers);
    for (const [path, file] of context.memory.files) {
      numbers.set(file, numbers.size);
      log.ops.push({ kind: "name", path, file: numbers.get(file) });
      log.ops.push({
        kind: "write",
        file: numbers.get(file),
        offset: 0,
        bytes: file.bytes.slice(0, file.length),
      });
    }
    const begin = log.ops.length;
    recovered(context, { apply: true });
    const wanted = stateIn(context);
    for (let stop = begin; stop <= log.ops.length; stop++) {
      const again = on(log.prefix(stop));
      const where = `after ${first.length - made.begin} operations of the commit, ${
        stop - begin
      } of recovery`;
      assert.equal(stateIn(again), wanted, where);
      const { left } = recovered(again, { apply: true });
      assert.equal(left, 0, where);
      assert.equal(stateIn(again), wanted, where);
    }
  }
});

Deno.test("a table that another program changed while a commit was half done is left alone until it is told to", () => {
  const made = commit(), context = diskAfter(made, "rename");
  setLock(context, { ...lockOf(context), modifyCounter: lockOf(context).modifyCounter + 1 });
  assert.throws(() => stateIn(context), (error: TableError) => error.code === "NEEDS_RECOVERY");
  const { findings, left } = recovered(context, { apply: true });
  assert.equal(left, 1);
  assert.equal(findings[0]!.kind, "journal");
  assert.equal(findings[0]!.remedy, null);
  assert.match(findings[0]!.message, /another program changed the table while a commit was half done/);
  const details = findings[0]!.details.join("\n");
  assert.match(
    details,
    /change counter in table\.lock: \d+; before the commit \d+, while it ran \d+, after it \d+/,
  );
  assert.match(details, /table\.f1: \d+ bytes already new/);
  assert.match(details, /--discard-journal/);
  assert.equal(recovered(context, { apply: true, discardJournal: true }).findings[0]!.done, true);
  assert(!context.memory.files.has("/t/table.journal"));
});

Deno.test("a table that another program changed after the commit was complete loses only the journal", () => {
  const made = commit();
  const at = made.log.ops.findLastIndex((op) => op.kind === "remove");
  const context = on(made.log.prefix(at));
  const sync = lockOf(context);
  setLock(context, { ...sync, modifyCounter: sync.modifyCounter + 2 });
  assert.throws(() => stateIn(context), (error: TableError) => error.code === "NEEDS_RECOVERY");
  const { findings, left } = recovered(context, { apply: true });
  assert.equal(left, 0);
  assert.match(findings[0]!.message, /^a commit that was complete, or had not changed anything yet/);
  assert.equal(stateIn(context), made.after);
});

Deno.test("bytes that are neither old nor new are named, and nothing is put back", () => {
  const made = commit(), context = diskAfter(made, "rename");
  const { records } = journalOf("/t", openBackend("memory", { context }))!;
  const saved = records.find((record) => record.kind === "old")!;
  assert(saved.kind === "old");
  fileOf(context, saved.file)[saved.offset + 20]! ^= 0x55;
  const { findings, left } = recovered(context, { apply: true });
  assert.equal(left, 1);
  assert.equal(
    findings[0]!.message,
    `${saved.file} has neither the old nor the new bytes at offset ${saved.offset}`,
  );
  assert.match(findings[0]!.details.join("\n"), /bytes neither, from offset/);
  // Counters that say "complete" are not believed either.
  const end = on(made.log.prefix(made.log.ops.findLastIndex((op) => op.kind === "remove")));
  fileOf(end, saved.file)[saved.offset + 20]! ^= 0x55;
  assert.equal(recovered(end, { apply: true }).left, 1);
});

Deno.test("a journal that its owner removes while it is read has fewer records, or is none", () => {
  const context = diskAfter(commit(), "rename");
  let opened = 0;
  const all = openBackend("memory", { context });
  const { records } = journalOf("/t", counting(all))!;
  assert(opened > 3);
  for (let last = opened - 1; last >= 0; last--) {
    opened = 0;
    const found = journalOf("/t", counting(all, last));
    assert((found?.records.length ?? 0) < records.length);
  }

  function counting(backend: Backend, last = Infinity): Backend {
    return new Proxy(backend, {
      get(target, property) {
        if (property !== "open") return Reflect.get(target, property);
        return (path: string, mode: OpenMode) => {
          if (opened++ >= last) throw new TableError("NOT_FOUND", "gone", { file: path });
          return target.open(path, mode);
        };
      },
    });
  }
});

Deno.test("a damaged journal, and one of another version, are for the user to decide", () => {
  const made = commit();
  for (const [at, value] of [[8, 2], [20, 0]] as const) {
    const context = diskAfter(made, "rename"), journal = fileOf(context, "table.journal");
    journal[at] = value;
    const { findings } = recovered(context, { apply: true });
    assert.equal(findings[0]!.kind, "journal");
    recovered(context, { apply: true, discardJournal: true });
    assert(!context.memory.files.has("/t/table.journal"));
  }
});

Deno.test("a table.dat that was lost in the middle of a commit comes back from the journal", () => {
  const made = commit(), context = diskAfter(made, "rename");
  context.memory.files.get("/t/table.dat")!.resize(0, "table.dat");
  const { findings, left } = recovered(context, { apply: true });
  assert.equal(left, 0);
  assert.equal(findings[0]!.kind, "journal");
  assert.equal(stateIn(context), made.before);
});

// ---- files of a table without a journal

function makeTable(path: string, rows = 10): void {
  using table = Table.create(path, {
    columns: [scalar("N", "int32"), array("A", "float64", { shape: [2] })],
    storage: [tiledColumn("T", ["A"], { tileShape: [2, 4] }), standard("S", { bucketRows: 8 })],
    rows,
    lock,
  });
  table.putColumn("N", Int32Array.from({ length: rows }, (_, i) => i));
}

function recover(path: string, options: RecoverOptions = {}) {
  return recoverTable(path, { lock, ...options });
}

/** What is found; then it is repaired, and nothing is found any more. */
function repaired(path: string): readonly RecoverFinding[] {
  const files = () => [...Deno.readDirSync(path)].map(({ name }) => name).sort();
  const names = files(), { findings, left } = recover(path);
  assert.deepEqual(files(), names, "looking changes nothing");
  assert.equal(left, findings.length);
  const done = recover(path, { apply: true });
  assert.equal(done.left, 0, JSON.stringify(done.findings));
  assert.deepEqual(recover(path).findings, []);
  return findings;
}

function withTable(test: (path: string) => void): void {
  using folder = temporaryFolder();
  makeTable(`${folder.path}/t`);
  test(`${folder.path}/t`);
}

Deno.test("a table in order has nothing to repair", () => {
  withTable((path) => assert.deepEqual(recover(path), { path, tables: 1, findings: [], left: 0 }));
  using copy = copyOfFixture("minimal_le");
  assert.deepEqual(recover(copy.path, { apply: true }).findings, []);
});

Deno.test("an empty, cut or missing table.dat is rebuilt from table.dat_tmp where that is complete", () => {
  for (const damage of ["empty", "cut", "missing"] as const) {
    withTable((path) => {
      Deno.copyFileSync(`${path}/table.dat`, `${path}/table.dat_tmp`);
      if (damage === "missing") Deno.removeSync(`${path}/table.dat`);
      else Deno.truncateSync(`${path}/table.dat`, damage === "cut" ? 100 : 0);
      const [finding] = repaired(path);
      assert.equal(finding!.kind, "table.dat");
      assert.match(finding!.details.join(), /complete: 10 rows, columns N, A/);
      using table = Table.open(path);
      assert.equal(table.getCell("N", 7), 7);
    });
  }
});

Deno.test("a table.dat of which nothing was kept can't be rebuilt, and what is known is told", () => {
  withTable((path) => {
    Deno.truncateSync(`${path}/table.dat`, 0);
    Deno.writeFileSync(`${path}/table.dat_tmp`, new Uint8Array(0));
    const { findings, left } = recover(path, { apply: true });
    assert.equal(left, 1);
    assert.match(findings[0]!.message, /table\.dat can't be read: the file is empty/);
    const details = findings[0]!.details.join("\n");
    assert.match(details, /table\.dat_tmp, .* can't be read/);
    assert.match(details, /10 rows, 2 columns, 2 storage managers/);
    assert.match(details, /table\.f0, table\.f0_TSM0, table\.f1/);
    assert.equal(Deno.statSync(`${path}/table.dat`).size, 0);
  });
});

Deno.test("a damaged table.lock is written anew, and so is one of other columns", () => {
  withTable((path) => {
    const bytes = Deno.readFileSync(`${path}/table.lock`);
    bytes[270]! ^= 0xff;
    Deno.writeFileSync(`${path}/table.lock`, bytes);
    assert.match(repaired(path)[0]!.message, /^table\.lock can't be read/);
    using table = Table.open(path);
    assert.equal(table.rowCount, 10);
  });
  withTable((path) => {
    const { sync } = readTableLock(Deno.readFileSync(`${path}/table.lock`), "");
    const other = { ...sync!, columnCount: 5, managerCounters: [1, 1, 1] };
    Deno.writeFileSync(`${path}/table.lock`, writeTableLock({ requests: [], sync: other }));
    assert.match(
      repaired(path)[0]!.message,
      /tells of 5 columns and 3 storage managers, table\.dat of 2 and 2/,
    );
    assert.deepEqual(readTableLock(Deno.readFileSync(`${path}/table.lock`), "").sync!.managerCounters, [
      1,
      1,
    ]);
  });
  withTable((path) => {
    const { sync } = readTableLock(Deno.readFileSync(`${path}/table.lock`), "");
    const requests = [{ pid: 123456789, host: 0 }];
    Deno.writeFileSync(`${path}/table.lock`, writeTableLock({ requests, sync }));
    assert.match(repaired(path)[0]!.message, /said to wait for a lock that nobody has: 123456789/);
    assert.deepEqual(readTableLock(Deno.readFileSync(`${path}/table.lock`), ""), { requests: [], sync });
  });
});

Deno.test("row counts that disagree are set to what the storage managers have", () => {
  withTable((path) => {
    const { sync } = readTableLock(Deno.readFileSync(`${path}/table.lock`), "");
    Deno.writeFileSync(
      `${path}/table.lock`,
      writeTableLock({ requests: [], sync: { ...sync!, rowCount: 25 } }),
    );
    const [finding] = repaired(path);
    assert.equal(finding!.remedy, "the table gets 10 rows, as the managers have");
    assert.deepEqual(finding!.details, [
      "table.dat: 10 rows",
      "table.lock: 25 rows",
      "manager 0, TiledColumnStMan: 10 rows",
      "manager 1, StandardStMan: 10 rows",
    ]);
    using table = Table.open(path);
    assert.equal(table.rowCount, 10);
  });
});

Deno.test("storage managers of different lengths are brought to the same", () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`, before = `${folder.path}/f`;
  for (const file of ["table.f0", "table.f1"]) {
    makeTable(path);
    Deno.copyFileSync(`${path}/${file}`, before);
    {
      using table = Table.open(path, { mode: "rw", lock });
      table.addRows(7);
      table.putColumn("N", Int32Array.from({ length: 17 }, (_, i) => 100 + i));
    }
    Deno.copyFileSync(before, `${path}/${file}`);
    const [finding] = repaired(path);
    assert.match(finding!.message, /different numbers of rows/);
    using table = Table.open(path);
    // Rows of a tiled manager can't be removed: a standard one that has fewer gets as many.
    assert.equal(table.rowCount, file === "table.f0" ? 10 : 17);
    assert.equal(table.getColumn("N").data.length, table.rowCount);
    table.close();
    Deno.removeSync(path, { recursive: true });
  }
});

Deno.test("a table of which all rows were removed says so where casacore looks", () => {
  using folder = temporaryFolder();
  const [path, none] = [`${folder.path}/t`, `${folder.path}/none`];
  for (const [place, rows] of [[path, 10], [none, 0]] as const) {
    Table.create(place, { columns: [scalar("N", "int32")], storage: [standard("S")], rows, lock }).close();
  }
  Deno.copyFileSync(`${none}/table.f0`, `${path}/table.f0`);
  const { sync } = readTableLock(Deno.readFileSync(`${path}/table.lock`), "");
  Deno.writeFileSync(`${path}/table.lock`, writeTableLock({ requests: [], sync: { ...sync!, rowCount: 0 } }));
  assert.match(repaired(path)[0]!.message, /all rows were removed, and table\.dat doesn't know/);
  using table = Table.open(path);
  assert.equal(table.rowCount, 0);
  assert.equal(readTableDat(Deno.readFileSync(`${path}/table.dat`), "").rowCount, 0);
});

Deno.test("files that nothing refers to are removed, and no others", () => {
  withTable((path) => {
    const strays = ["table.dat_tmp", "table.f0_TSM7", "table.f9", "table.f9i"];
    for (const name of [...strays, "table.f0.mine", "notes.txt"]) {
      Deno.writeTextFileSync(`${path}/${name}`, "x");
    }
    assert.deepEqual(repaired(path).map(({ file }) => file.slice(path.length + 1)), strays);
    assert.deepEqual([...Deno.readDirSync(path)].map(({ name }) => name).sort(), [
      "notes.txt",
      "table.dat",
      "table.f0",
      "table.f0.mine",
      "table.f0_TSM0",
      "table.f1",
      "table.info",
      "table.lock",
    ]);
  });
});

Deno.test("a copy that was not finished goes, with the table that was to be replaced or without", () => {
  withTable((path) => {
    makeTable(`${path}.partial`);
    assert.match(repaired(path)[0]!.message, /^a copy of a table that was not finished/);
    assert.equal(Table.open(path).rowCount, 10);
    makeTable(`${path}2.partial`);
    assert.equal(recover(`${path}2`, { apply: true }).left, 0);
    assert.throws(() => Deno.statSync(`${path}2.partial`), Deno.errors.NotFound);
    // Something of that name that is none stays.
    Deno.mkdirSync(`${path}.partial`);
    Deno.writeTextFileSync(`${path}.partial/mine`, "x");
    assert.deepEqual(recover(path, { apply: true }).findings, []);
  });
});

Deno.test("subtables are looked at, those of other places not", () => {
  withTable((path) => {
    {
      using table = Table.open(path, { mode: "rw", lock });
      makeTable(`${path}/SUB`);
      makeTable(`${path}_other`);
      table.keywords.set("SUB", `${path}/SUB`, "table");
      table.keywords.set("OTHER", `${path}_other`, "table");
    }
    for (const place of [`${path}/SUB`, `${path}_other`]) Deno.writeTextFileSync(`${place}/table.f8`, "x");
    assert.equal(recover(path, { subtables: false }).findings.length, 0);
    const report = recover(path);
    assert.equal(report.tables, 2);
    assert.deepEqual(report.findings.map(({ file }) => file), [`${path}/SUB/table.f8`]);
  });
});

Deno.test("a table that somebody has open is not repaired, one that is written not looked at", {
  ignore: !locks,
}, () => {
  withTable((path) => {
    const options = { lockTimeoutMs: 0 };
    using table = Table.open(path, { mode: "rw", lock: "user" });
    assert.deepEqual(recover(path, options).findings, []);
    const fails = (call: () => unknown) =>
      assert.throws(call, (error: unknown) => error instanceof TableError && error.code === "LOCKED");
    fails(() => recover(path, { ...options, apply: true }));
    table.lock("write");
    fails(() => recover(path, options));
  });
});

Deno.test("recovery of what is no table is refused", () => {
  using folder = temporaryFolder();
  const code = (path: string) => {
    try {
      recover(path);
    } catch (error) {
      assert(error instanceof TableError);
      return error.code;
    }
    assert.fail();
  };
  assert.equal(code(`${folder.path}/none`), "NOT_FOUND");
  assert.equal(code(folder.path), "NOT_A_TABLE");
  Deno.writeTextFileSync(`${folder.path}/file`, "x");
  assert.equal(code(`${folder.path}/file`), "NOT_A_TABLE");
});

Deno.test("the counters of a commit that runs are no commit of casacore's away from any other", () => {
  const sync = { rowCount: 1, columnCount: 1, modifyCounter: 5, tableChangeCounter: 1, managerCounters: [1] };
  assert(begunSync(sync).modifyCounter - sync.modifyCounter > 60_000);
});
