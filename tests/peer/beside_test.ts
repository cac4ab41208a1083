/**
 * Processes that change and read one table at the same time, casacore's and ours: no update is lost, no cell torn, nobody
 * waits for ever. `BESIDE_SECONDS` makes it longer than the few seconds of the daily tests.
 */
import assert from "node:assert/strict";
import { array, backendReport, scalar, standard, Table, tiledColumn } from "../../mod.ts";
import { peerAvailable, temporaryFolder } from "./peer.ts";

const SECONDS = Deno.env.get("BESIDE_SECONDS") ?? "3";
const locks = backendReport().some(({ name, works }) => name === "pread" && works);

type Who = "casacore" | "tessera";
type Role = "write" | "read" | "look";

async function takePart(who: Who, role: Role, path: string): Promise<number> {
  const program = (name: string) => new URL(`./programs/${name}`, import.meta.url).pathname;
  const command = who === "casacore"
    ? new Deno.Command("/usr/bin/python3", { args: [program("turns.py"), role, path, SECONDS] })
    : new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", program("turns.ts"), role, path, SECONDS],
    });
  const { code, stdout, stderr } = await command.output();
  const text = new TextDecoder().decode(stdout);
  assert.equal(code, 0, `${who} ${role}: ${new TextDecoder().decode(stderr)}`);
  const { done, wrong } = JSON.parse(text.trim().split("\n").at(-1)!);
  assert.equal(wrong, null, `${who} ${role} after ${done} transactions: ${wrong}`);
  return done;
}

async function beside(parts: readonly (readonly [Who, Role])[]): Promise<void> {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`;
  Table.create(path, {
    columns: [scalar("A", "int32"), array("B", "float64", { shape: [16] })],
    storage: [tiledColumn("Tiled", ["B"], { tileShape: [16, 5] }), standard("SSM", { bucketRows: 8 })],
    rows: 8,
  }).close();
  const done = await Promise.all(parts.map(([who, role]) => takePart(who, role, path)));
  using table = Table.open(path);
  const written = parts.reduce((sum, [, role], i) => sum + (role === "write" ? done[i]! : 0), 0);
  assert.equal(table.getCell("A", 0), written, "every transaction counted once");
  for (const count of done) assert.ok(count > 0);
  console.log(`  ${parts.map(([who, role], i) => `${who} ${role} ${done[i]}`).join(", ")} in ${SECONDS} s`);
}

for (
  const parts of [
    [["tessera", "write"], ["tessera", "write"]],
    [["tessera", "write"], ["tessera", "read"], ["tessera", "look"]],
    [["tessera", "write"], ["casacore", "read"]],
    [["casacore", "write"], ["tessera", "read"]],
    [["casacore", "write"], ["tessera", "write"]],
  ] as const
) {
  const name = parts.map(([who, role]) => `${who} ${role}s`).join(", ");
  const needs = parts.some(([who]) => who === "casacore");
  Deno.test(
    `one table, several processes: ${name}`,
    { ignore: !locks || (needs && !peerAvailable()) },
    () => beside(parts),
  );
}
