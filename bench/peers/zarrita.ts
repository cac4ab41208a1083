/**
 * zarrita's side of the bench, see ../side.ts: the same array saved as Zarr (version 3, not compressed, chunks of 64 rows), read
 * from a file a chunk. zarrita is no dependency: it takes part where it is in Deno's cache,
 *
 *     deno cache --no-lock npm:zarrita@^0.7 npm:@zarrita/storage@^0.2/fs
 *
 * and this is run with `--no-lock --cached-only`. Reals and imaginary parts are an axis of their own, as Zarr's complex numbers
 * aren't among zarrita's types.
 */
import { Table } from "../../mod.ts";

// Named where no tool looks for dependencies.
const ZARRITA = "npm:zarrita@^0.7", STORAGE = "npm:@zarrita/storage@^0.2/fs";

// deno-lint-ignore no-explicit-any
let zarr: any, FileSystemStore: any;
try {
  zarr = await import(ZARRITA);
  FileSystemStore = (await import(STORAGE)).default;
} catch {
  Deno.exit(1);
}

const CHUNK_ROWS = 64;
let run: (() => Promise<unknown>) | null = null, made: string | null = null;

/** Saves DATA of a table, rows first: `[rows, channels, correlations, 2]`. */
async function save(path: string, target: string): Promise<void> {
  using table = Table.open(path);
  const { data } = table.getColumn("DATA", { dtype: "complex64" });
  const array = await zarr.create(zarr.root(new FileSystemStore(target)).resolve("DATA"), {
    shape: [table.rowCount, 64, 4, 2],
    chunkShape: [CHUNK_ROWS, 64, 4, 2],
    dtype: "float32",
  });
  await zarr.set(array, null, { data, shape: array.shape, stride: [512, 8, 2, 1] });
}

async function answer(line: string): Promise<string> {
  const [command, ...words] = line.split(" ");
  if (command === "set") {
    const [name, folder, table] = words as [string, string, string];
    if (!["get-fresh", "slice"].includes(name)) return "none";
    made = `${folder}/zarrita.zarr`;
    try {
      await save(`${folder}/${table}`, made);
    } catch (error) {
      // Another version of it: a gap in the table.
      console.error(`zarrita: ${(error as Error).message}`);
      return "none";
    }
    const array = await zarr.open(zarr.root(new FileSystemStore(made)).resolve("DATA"), { kind: "array" });
    const box = name === "slice" ? [null, zarr.slice(10, 18), zarr.slice(0, 2), null] : null;
    run = () => zarr.get(array, box);
    return "ok";
  }
  if (command === "run") {
    const times = Number(words[0]), start = performance.now();
    for (let i = 0; i < times; i++) await run!();
    return String((performance.now() - start) / times);
  }
  if (made !== null) Deno.removeSync(made, { recursive: true });
  made = null;
  return "ok";
}

const say = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
say("zarrita 0.7");
let rest = "";
for await (const part of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + part).split("\n");
  rest = lines.pop()!;
  for (const line of lines) {
    try {
      say(await answer(line));
    } catch (error) {
      say(`error ${(error as Error).message.replaceAll("\n", " ")}`);
    }
  }
}
