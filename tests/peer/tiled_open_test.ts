/**
 * A casacore process that has the table open while Tessera overwrites a whole column. casacore looks up the data file of a
 * hypercube when it opens the table, and crashes when that file is gone from the header: so the tiles must not go to a new
 * file as long as it is there.
 */
import assert from "node:assert/strict";
import { array, Table, tiledColumn, tiledShape } from "../../mod.ts";
import { peerTest, temporaryFolder } from "./peer.ts";

const PYTHON = "/usr/bin/python3";
const SCRIPT = new URL("./oracle/hold.py", import.meta.url).pathname;

/** casacore with a table open. */
class Holder {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #rest = "";

  constructor(args: string[]) {
    this.#child = new Deno.Command(PYTHON, {
      args: [SCRIPT, ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  async answer(): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf("\n");
      if (end >= 0) {
        const line = this.#rest.slice(0, end);
        this.#rest = this.#rest.slice(end + 1);
        return line;
      }
      const { value, done } = await this.#reader.read();
      if (done) throw new Error("casacore's process ended");
      this.#rest += value;
    }
  }

  async ask(line: string): Promise<string> {
    await this.#writer.write(new TextEncoder().encode(`${line}\n`));
    return await this.answer();
  }

  async close(): Promise<void> {
    assert.equal(await this.ask("close"), "closed");
    await this.#writer.close();
    await this.#reader.cancel();
    assert.ok((await this.#child.status).success);
  }
}

const ROWS = 2000, CELL = 256;

function column(value: number): { dtype: "float32"; shape: number[]; data: Float32Array } {
  return { dtype: "float32", shape: [16, 16, ROWS], data: new Float32Array(ROWS * CELL).fill(value) };
}

for (const [name, spec] of [["tiledShape", tiledShape], ["tiledColumn", tiledColumn]] as const) {
  for (const first of ["read", "nothing"]) {
    peerTest(
      `${name}: casacore has the table open (it did ${first} so far) while a whole column is overwritten`,
      async () => {
        using folder = temporaryFolder();
        const path = `${folder.path}/t`;
        {
          using table = Table.create(path, {
            columns: [array("D", "float32", { shape: [16, 16] })],
            storage: [spec("T", ["D"], { tileShape: [16, 16, 4] })],
            rows: ROWS,
          });
          table.putColumn("D", column(1));
        }
        const casacore = new Holder([path, first, "D"]);
        assert.equal(await casacore.answer(), "open");
        for (let value = 2; value < 4; value++) {
          using table = Table.open(path, { mode: "rw" });
          table.putColumn("D", column(value));
          table.close();
          assert.equal(await casacore.ask("sum D"), `${value * ROWS * CELL}.0`);
          assert.equal(await casacore.ask("put D 7 100"), "put");
          using again = Table.open(path);
          const { data } = again.getColumn("D");
          assert.equal(
            (data as Float32Array).reduce((sum, each) => sum + each, 0),
            (value * (ROWS - 1) + 100) * CELL,
          );
        }
        await casacore.close();
        using table = Table.open(path, { mode: "rw" });
        table.putColumn("D", column(9));
        table.flush();
        assert.equal((table.getColumn("D").data as Float32Array).every((each) => each === 9), true);
      },
    );
  }
}
