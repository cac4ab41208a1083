/** Waiting for the disk: several files and the names in their directory at once. */
import assert from "node:assert/strict";
import { library } from "../../ffi/binding.ts";
import { openBackend } from "../../src/io/backends.ts";
import type { IoName } from "../../src/io/backend.ts";
import { syncTogether } from "../../src/io/sync-together.ts";

function inFolder(work: (folder: string) => void): void {
  const folder = Deno.makeTempDirSync({ prefix: "tessera_sync_" });
  try {
    work(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

const native = library();
const names: IoName[] = native === null ? ["node"] : ["node", "seek", "pread", "mmap", "direct"];

for (const name of names) {
  Deno.test(`${name}: files are waited for together, each once, with the names of their directory`, () => {
    inFolder((folder) => {
      const backend = openBackend(name);
      let synced = 0;
      // More than there are threads for.
      const files = Array.from({ length: 40 }, (_, i) => {
        const handle = backend.open(`${folder}/${i}`, "create");
        handle.write(new Uint8Array(100), 0);
        return { unsyncedHandle: i % 2 === 0 ? handle : null, synced: () => synced++, handle };
      });
      backend.stats.reset();
      syncTogether(backend, files, folder);
      assert.equal(backend.stats.snapshot().calls.sync, 21);
      assert.equal(synced, 40);
      syncTogether(backend, files.slice(0, 2), null);
      assert.equal(backend.stats.snapshot().calls.sync, 22);
      for (const { handle } of files) handle.close();
    });
  });
}

Deno.test({
  name: "one file that can't be waited for is an error, and none counts as synced",
  ignore: native === null,
  fn: () =>
    inFolder((folder) => {
      const backend = openBackend("pread");
      let synced = 0;
      const files = Array.from({ length: 3 }, (_, i) => {
        const handle = backend.open(`${folder}/${i}`, "create");
        return { unsyncedHandle: handle, synced: () => synced++ };
      });
      // One of the numbers is the directory's then.
      for (const { unsyncedHandle } of files.slice(1)) unsyncedHandle.close();
      assert.throws(() => syncTogether(backend, files, folder), { code: "IO" });
      assert.equal(synced, 0);
      assert(native!.syncAll([], []) === 0);
    }),
});
