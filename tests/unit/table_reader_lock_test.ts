/** A table opened for reading takes part in locking while it holds the lock, and only then. */
import assert from "node:assert/strict";
import { backendReport, scalar, Table, type Table as TableType, TableError } from "../../mod.ts";
import { temporaryFolder } from "../fixture.ts";

const native = backendReport().some(({ name, works }) => name === "pread" && works);

function locked(call: () => unknown): void {
  assert.throws(call, (error: unknown) => error instanceof TableError && error.code === "LOCKED");
}

function made(folder: string): string {
  const path = `${folder}/log.tab`;
  Table.create(path, { columns: [scalar("N", "int32")], rows: 2 }).close();
  return path;
}

function append(table: TableType): void {
  table.append({ N: [3] });
  table.flush();
}

Deno.test({
  name: "a reader's lock keeps writers of this process away until it is let go",
  ignore: !native,
  fn: async () => {
    using folder = temporaryFolder();
    const path = made(folder.path);
    using reader = Table.open(path);
    using writer = Table.open(path, { mode: "rw", lockTimeoutMs: 0 });
    reader.lock("read");
    locked(() => append(writer));
    assert.equal(reader.rowCount, 2);
    reader.unlock();
    append(writer);
    await reader.lockAsync("read");
    assert.equal(reader.rowCount, 3);
    locked(() => append(writer));
    reader.close();
    append(writer);
    assert.equal(writer.rowCount, 4);
  },
});

Deno.test({
  name: "a writer that is opened while a reader holds the lock can write afterwards",
  ignore: !native,
  fn: () => {
    using folder = temporaryFolder();
    const path = made(folder.path);
    using reader = Table.open(path);
    reader.lock("read");
    using writer = Table.open(path, { mode: "rw", lockTimeoutMs: 0 });
    locked(() => append(writer));
    reader.unlock();
    append(writer);
    assert.equal(reader.rowCount, 3);
    // Nor is the reader in the way of what needs the table alone.
    writer.addColumn(scalar("M", "int32"));
    writer.flush();
    assert.deepEqual(reader.columnNames, ["N", "M"]);
  },
});

Deno.test({
  name: "another process sees a reader's lock",
  ignore: !native,
  fn: async () => {
    using folder = temporaryFolder();
    const path = made(folder.path);
    using reader = Table.open(path);
    const tryElsewhere = async () => {
      const program = `import { Table } from ${JSON.stringify(import.meta.resolve("../../mod.ts"))};
        using table = Table.open(${JSON.stringify(path)}, { mode: "rw", lockTimeoutMs: 0 });
        try { table.append({ N: [1] }); console.log("written"); } catch (error) { console.log(error.code); }`;
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["eval", "--quiet", "--ext=ts", program],
        cwd: new URL("../../", import.meta.url),
      }).output();
      return new TextDecoder().decode(stdout).trim();
    };
    reader.lock("read");
    // A writer of this process comes and goes: the lock stays.
    Table.open(path, { mode: "rw" }).close();
    assert.equal(await tryElsewhere(), "LOCKED");
    reader.unlock();
    assert.equal(await tryElsewhere(), "written");
    assert.equal(reader.rowCount, 3);
  },
});

Deno.test("a table in memory is locked by nobody", () => {
  using table = Table.create("/t", { columns: [scalar("N", "int32")], io: "memory" });
  table.flush();
  table.lock("read");
  table.unlock();
});
