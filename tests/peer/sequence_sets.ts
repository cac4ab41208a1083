/** Kinds of tables that random sequences of changes are done to, in turns with casacore. */
import { ALTERED, altered } from "./altered_tables.ts";
import { canCompile, run } from "./compiler.ts";
import { compressed, hypercubes, known, scaled } from "./engine_sets.ts";
import { withEngines } from "./engine_tables.ts";
import type { Maker } from "./turns.ts";

/** A kind of tables. */
export interface SequenceSet {
  readonly name: string;
  readonly make: Maker;
}

/**
 * Where casacore finds engines that python-casacore doesn't know: a library for each, which its processes that are started
 * from now on load when a table names it.
 */
function compileEngines(folder: string): void {
  const source = new URL("./programs/scaled_engines.cc", import.meta.url).pathname;
  const library = `${folder}/libcasa_scaledarrayengine.so`;
  run("g++", ["-std=c++17", "-shared", "-fPIC", "-o", library, source, "-lcasa_tables", "-lcasa_casa"]);
  Deno.copyFileSync(library, `${folder}/libcasa_scaledcomplexdata.so`);
  const before = Deno.env.get("LD_LIBRARY_PATH");
  Deno.env.set("LD_LIBRARY_PATH", before === undefined ? folder : `${folder}:${before}`);
}

/** All of them; scaled columns only where `folder` is given, for the libraries that casacore needs, and there is a compiler. */
export function sequenceSets(folder?: string): SequenceSet[] {
  const sets: SequenceSet[] = [
    ...Object.entries(ALTERED).map(([name, managers]) => ({ name, make: altered(managers) })),
    { name: "CompressFloat, CompressComplex, BitFlags and Mapped engines", make: withEngines(known) },
    { name: "TiledDataStMan", make: withEngines(hypercubes) },
    { name: "DyscoStMan", make: withEngines(compressed) },
  ];
  if (folder === undefined || !canCompile()) return sets;
  compileEngines(folder);
  return [...sets, { name: "ScaledArrayEngine and ScaledComplexData", make: withEngines(scaled) }];
}

/** What takes no part, or a smaller one, and why. */
export const LEFT_OUT: readonly string[] = [
  "MemoryStMan's cells: gone when the table is closed, so casacore can't see them (tests/unit/table_alter_model_test.ts does)",
  "columns of fixed-shape arrays in MemoryStMan: casacore ends when it closes a table of its own with one",
  "TiledDataStMan, casacore adding rows: python-casacore can't extend a hypercube; it puts cells of rows there are",
  "DyscoStMan with AF or RF: what a value may be off depends on other rows (tests/peer/dysco_write_test.ts has them)",
  "arrays that casacore puts into an IncrementalStMan: what other rows get is not defined",
  "ForwardColumnEngine, RetypedArrayEngine: one is another table, the other needs a class of an application",
];
