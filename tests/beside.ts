/**
 * Processes that change and read one table at the same time, casacore's and ours: what the tests of it and the long
 * evidence have in common. Each takes the lock, does a transaction and lets go, for a while; the table counts them.
 */
import assert from "node:assert/strict";
import { array, scalar, standard, Table, tiledColumn } from "../mod.ts";
import { temporaryFolder } from "./fixture.ts";

/** Whose process it is. */
export type Who = "casacore" | "tessera";
/** What it does: writers count their transactions, readers look at whole rows under a lock, those who look take none. */
export type Role = "write" | "read" | "look";
/** Who takes part, as what. */
export type Parts = readonly (readonly [Who, Role])[];

/** The processes that meet at a table. */
export const MEETINGS: readonly Parts[] = [
  [["tessera", "write"], ["tessera", "write"]],
  [["tessera", "write"], ["tessera", "read"], ["tessera", "look"]],
  [["tessera", "write"], ["casacore", "read"]],
  [["casacore", "write"], ["tessera", "read"]],
  [["casacore", "write"], ["tessera", "write"]],
];

/** Those that meet at a table whose cells are so large that they are read from mapped files. */
export const LARGE_MEETINGS: readonly Parts[] = [
  [["tessera", "write"], ["tessera", "read"], ["tessera", "look"]],
  [["casacore", "write"], ["tessera", "read"]],
];
/** Elements of such a cell: 64 KiB. */
export const LARGE_CELL = 8192;

/** `tessera writes, casacore reads`. */
export function nameOf(parts: Parts): string {
  return parts.map(([who, role]) => `${who} ${role}s`).join(", ");
}

/** True when casacore takes part. */
export function needsCasacore(parts: Parts): boolean {
  return parts.some(([who]) => who === "casacore");
}

async function takePart(who: Who, role: Role, path: string, seconds: number): Promise<number> {
  const program = (name: string) => new URL(`./peer/programs/${name}`, import.meta.url).pathname;
  const args = [role, path, String(seconds)];
  const command = who === "casacore"
    ? new Deno.Command("/usr/bin/python3", { args: [program("turns.py"), ...args] })
    : new Deno.Command(Deno.execPath(), { args: ["run", "-A", "--no-check", program("turns.ts"), ...args] });
  const { code, stdout, stderr } = await command.output();
  const text = new TextDecoder().decode(stdout);
  assert.equal(code, 0, `${who} ${role}: ${new TextDecoder().decode(stderr)}`);
  const { done, wrong } = JSON.parse(text.trim().split("\n").at(-1)!);
  assert.equal(wrong, null, `${who} ${role} after ${done} transactions: ${wrong}`);
  return done;
}

/**
 * Lets processes meet at a table with cells of so many elements for some seconds; fails where an update is lost, a row torn or a process gets nowhere.
 *
 * @returns what each has done, as `tessera write 120, casacore read 80`
 */
export async function beside(parts: Parts, seconds: number, cell = 16): Promise<string> {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`;
  Table.create(path, {
    columns: [scalar("A", "int32"), array("B", "float64", { shape: [cell] })],
    storage: [tiledColumn("Tiled", ["B"], { tileShape: [cell, 5] }), standard("SSM", { bucketRows: 8 })],
    rows: 8,
  }).close();
  const done = await Promise.all(parts.map(([who, role]) => takePart(who, role, path, seconds)));
  using table = Table.open(path);
  const written = parts.reduce((sum, [, role], i) => sum + (role === "write" ? done[i]! : 0), 0);
  assert.equal(table.getCell("A", 0), written, "every transaction counted once");
  for (const count of done) assert.ok(count > 0);
  return parts.map(([who, role], i) => `${who} ${role} ${done[i]}`).join(", ");
}
