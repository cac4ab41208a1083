/**
 * The inner loops by themselves (`deno task bench --kernels`), native and in TypeScript, by mitata: what columns are moved by,
 * both ways, and the checksum of the journal.
 */
import { bench, group, run, summary } from "mitata";
import { kernels } from "../src/array/choose.ts";
import { MoveList } from "../src/array/moves.ts";
import { twins } from "../src/array/twins.ts";

const BYTES = 1 << 20;
/** Bytes of a complex64 value, and of a cell of 4 correlations and 64 channels. */
const ITEM = 8, CELL_ITEMS = 256;
const CELLS = BYTES / ITEM / CELL_ITEMS;

/** Moves of 1 MiB in a file, or of 2^20 bits, and their names in both directions. */
function moves(): { list: MoveList; get: string; put: string }[] {
  const bits = new MoveList("bits", 1, 1, 1);
  bits.push(0, 0, [BYTES], [1], [1]);
  const swapped = new MoveList("bytes", 1, ITEM, 4);
  swapped.push(0, 0, [BYTES / ITEM], [1], [1]);
  // Steps are in items: along correlations, channels and rows, in the file and in the array.
  const box = new MoveList("bytes", 3, ITEM, 1);
  box.push(4 * 10 * ITEM, 0, [2, 8, CELLS], [1, 4, CELL_ITEMS], [1, 2, 16]);
  const half = new MoveList("bytes", 2, ITEM, 1);
  half.push(0, 0, [CELL_ITEMS / 2, CELLS], [1, CELL_ITEMS / 2], [1, CELL_ITEMS]);
  return [
    { list: bits, get: "unpack 2^20 bits", put: "pack 2^20 bits" },
    { list: swapped, get: "swap 1 MiB of complex64", put: "swap 1 MiB of complex64 on the way out" },
    {
      list: box,
      get: `take [0:2, 10:18] out of ${CELLS} cells of [4, 64]`,
      put: `put [0:2, 10:18] of ${CELLS} cells of [4, 64]`,
    },
    {
      list: half,
      get: `take a tile of half the channels of ${CELLS} cells`,
      put: `put a tile of half the channels of ${CELLS} cells`,
    },
  ];
}

/** Measures them all and prints the table. */
export async function runKernels(): Promise<void> {
  const native = kernels(), file = new Uint8Array(BYTES).fill(0x5a), array = new Uint8Array(BYTES);
  if (native.name !== "native") console.error("without the C library: it isn't here, or may not be used");
  const both = (name: string, work: (of: typeof native) => unknown) =>
    group(name, () =>
      summary(() => {
        if (native.name === "native") bench("C", () => work(native));
        bench("TypeScript", () => work(twins));
      }));
  for (const { list, get, put } of moves()) {
    both(get, (of) => of.gather(list, 0, 1, file, 0, array));
    both(put, (of) => of.scatter(list, 0, 1, array, file, 0));
  }
  both("checksum of 1 MiB", (of) => of.crc32c(file, 0));
  await run();
}
