/** Checks of StManAipsIO: golden tables are in order, and whatever reading trips over is found. */
import assert from "node:assert/strict";
import { TableError } from "../../src/error.ts";
import { stManAipsIO } from "../../src/storage/aipsio/mod.ts";
import type { Finding } from "../../src/storage/findings.ts";
import { copyOfFixture } from "../fixture.ts";
import { ManagedTable } from "./storage_managed_support.ts";
import { numbersFrom } from "./storage_model_support.ts";

/** What the manager's check finds, and whether reading every cell fails. */
function look(path: string): { findings: Finding[]; fails: boolean } {
  try {
    using table = new ManagedTable(path, [stManAipsIO]);
    const findings = table.managers.flatMap((manager) => table.run(manager.check!()));
    let fails = false;
    for (const [name, { bound }] of table.columns) {
      if (bound.kind === "record") continue; // decoded on the next floor
      try {
        table.cells(name);
      } catch (error) {
        if (!(error instanceof TableError)) throw error;
        fails = true;
      }
    }
    return { findings, fails };
  } catch (error) {
    // It can't be opened: that is found without a check.
    if (error instanceof TableError) return { findings: [], fails: false };
    throw error;
  }
}

for (const name of ["aipsio_le", "aipsio_be", "aipsio_zero_le", "aipsio_zero_be"]) {
  Deno.test(`StManAipsIO: ${name} is in order`, () => {
    using copy = copyOfFixture(name);
    assert.deepEqual(look(copy.path), { findings: [], fails: false });
  });
}

Deno.test("StManAipsIO: what reading trips over is found", () => {
  using copy = copyOfFixture("aipsio_le");
  const random = numbersFrom(5);
  let failing = 0, found = 0;
  for (const name of ["table.f0", "table.f0i"]) {
    const path = `${copy.path}/${name}`, bytes = Deno.readFileSync(path);
    for (let i = 0; i < 150; i++) {
      const damaged = bytes.slice(), at = random() % (damaged.length - 4);
      if (random() % 2 === 0) damaged[at]! ^= 1 << random() % 8;
      else new DataView(damaged.buffer).setUint32(at, [0, 1, 0xffffffff, 0x80000001][random() % 4]!);
      Deno.writeFileSync(path, damaged);
      const { findings, fails } = look(copy.path);
      const wrong = findings.some(({ note }) => !note);
      if (wrong) found++;
      if (!fails) continue;
      failing++;
      assert(wrong, `damage ${i} of ${name} at ${at}`);
      assert(findings.every(({ file }) => file.startsWith(copy.path)));
    }
    Deno.writeFileSync(path, bytes);
  }
  assert(failing > 20 && found >= failing, `${failing} failed, ${found} were found`);
});

Deno.test("StManAipsIO: bytes behind the object, and arrays that overlap, are told", () => {
  using copy = copyOfFixture("aipsio_le");
  const path = `${copy.path}/table.f0`, bytes = Deno.readFileSync(path);
  const longer = new Uint8Array(bytes.length + 3);
  longer.set(bytes);
  Deno.writeFileSync(path, longer);
  const [finding] = look(copy.path).findings;
  assert.equal(finding!.message, "3 bytes behind the object that is the file");
  assert(finding!.note);
  // Offsets of an indirect column stand side by side: the next cell gets the array of this one.
  const text = [..."StManColumnIndArrayAipsIO"].map((c) => c.charCodeAt(0));
  const at = bytes.findIndex((_, i) => text.every((code, k) => bytes[i + k] === code));
  const view = new DataView(bytes.buffer);
  const first = at + text.length + 4 + 8 + (4 + 4 + 17 + 4) + 4 + 4;
  let row = 0;
  while (view.getUint32(first + 4 * row) === 0 || view.getUint32(first + 4 * row + 4) === 0) row++;
  view.setUint32(first + 4 * row + 4, view.getUint32(first + 4 * row));
  Deno.writeFileSync(path, bytes);
  const { findings } = look(copy.path);
  assert.match(
    findings.map(({ message }) => message).join("\n"),
    new RegExp(`bytes of the array of column \\w+, row ${row} are also those of column \\w+, row ${row + 1}`),
  );
});
