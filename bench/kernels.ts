/** The inner loops by themselves (`deno task bench --kernels`), native and in TypeScript, by mitata. */
import { bench, group, run, summary } from "mitata";
import { kernels } from "../src/array/choose.ts";
import { MoveList } from "../src/array/moves.ts";
import { twins } from "../src/array/twins.ts";

const BYTES = 1 << 20;

/** Measures them all and prints the table. */
export async function runKernels(): Promise<void> {
  const native = kernels(), file = new Uint8Array(BYTES).fill(0x5a), array = new Uint8Array(BYTES);
  const bits = new MoveList("bits", 1, 1, 1);
  bits.push(0, 0, [BYTES], [1], [1]);
  const swapped = new MoveList("bytes", 1, 8, 4);
  swapped.push(0, 0, [BYTES / 8], [1], [1]);
  const slice = new MoveList("bytes", 3, 8, 1);
  slice.push(320, 0, [2, 8, BYTES / 2048], [1, 4, 256], [1, 2, 16]);
  const works = {
    "unpack 2^20 bits": bits,
    "swap 1 MiB of complex64": swapped,
    "take [0:2, 10:18] out of 512 cells of [4, 64]": slice,
  };
  for (const [name, moves] of Object.entries(works)) {
    group(name, () =>
      summary(() => {
        bench("C", () => native.gather(moves, 0, 1, file, 0, array));
        bench("TypeScript", () => twins.gather(moves, 0, 1, file, 0, array));
      }));
  }
  await run();
}
