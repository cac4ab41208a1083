/**
 * Copies a table in a process of its own and prints by how much its memory grew, and how many bytes were copied: started by
 * table_copy_memory_test.ts with the table, the target and the storage of the copy as JSON, or "as it is".
 */
import { Context, type StorageSpec, Table } from "../../mod.ts";

const [path, target, storage] = Deno.args as [string, string, string];
const context = new Context({ cacheBytes: 8 * 2 ** 20 });
using table = Table.open(path, { lock: "none", io: "node", context });
const before = Deno.memoryUsage().rss;
let grown = 0, copied = 0;
table.copy(target, {
  ...(storage === "as it is" ? {} : { storage: JSON.parse(storage) as StorageSpec[] }),
  onProgress: ({ bytes }) => {
    copied = bytes;
    grown = Math.max(grown, Deno.memoryUsage().rss - before);
  },
});
console.log(JSON.stringify({ grown, copied }));
