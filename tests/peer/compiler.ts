/** Tests whose peer is a C++ program with casacore: they need a compiler and casacore's headers. */
import assert from "node:assert/strict";
import { peerAvailable, peerTest } from "./peer.ts";

/** True when the program can be compiled: a compiler and casacore's headers are there. */
export function canCompile(): boolean {
  if (!peerAvailable() || Deno.permissions.querySync({ name: "run", command: "g++" }).state !== "granted") {
    return false;
  }
  try {
    const args = [
      "-std=c++17",
      "-fsyntax-only",
      "-x",
      "c++",
      "-include",
      "casacore/tables/DataMan/TiledDataStMan.h",
      "/dev/null",
    ];
    return new Deno.Command("g++", { args, stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

/** Runs a program to its end, which must be a good one. */
export function run(command: string, args: string[]): void {
  const { success, stderr } = new Deno.Command(command, { args, stderr: "piped" }).outputSync();
  assert.ok(success, `${command}: ${new TextDecoder().decode(stderr)}`);
}

/** Compiles a program against casacore. */
export function compile(source: string, program: string): void {
  run("g++", ["-std=c++17", "-o", program, source, "-lcasa_tables", "-lcasa_casa"]);
}

/** A peer test that needs the compiler, too; ignored without, with its name shown. */
export function compilerTest(name: string, fn: () => Promise<void>): void {
  if (canCompile() || Deno.env.get("CI") === "true") peerTest(name, fn);
  else Deno.test({ name: `${name} (needs g++ and casacore-dev)`, ignore: true, fn });
}
