/** `table import -`: standard input of every form, and nothing left of it, however it ends. */
import assert from "node:assert/strict";
import { Session } from "../command-doc.ts";

const linux = Deno.build.os === "linux";

/** Names in the session's folder, the hidden ones too. */
function left(session: Session): string[] {
  return [...Deno.readDirSync(session.path)].map(({ name }) => name).sort();
}

Deno.test({
  name: "what table export and cat send through a pipe becomes the same table, in every form",
  ignore: !linux,
  async fn() {
    using session = new Session();
    const ms = "examples/data/sim.ms", before = left(session);
    for (
      const [sent, format] of [
        [`table export ${ms} --columns TIME,DATA --format arrow`, "arrow"],
        [`table export ${ms} --columns TIME,DATA --format parquet`, "parquet"],
        [`table export ${ms} --columns TIME,ANTENNA1 --format csv`, "csv --like " + ms],
        [`table cat ${ms} --columns TIME,ANTENNA1`, "ndjson --like " + ms],
      ] as const
    ) {
      const { lines, status } = await session.run(`${sent} | table import - new.tab --format ${format}`);
      assert.deepEqual([status, lines.length], [0, 1], lines.join("\n"));
      assert.match(lines[0]!, /^new\.tab: 560 rows, 2 columns/);
      const columns = /--columns (\S+)/.exec(sent)![1];
      const hashes = (await session.run(
        `for t in ${ms} new.tab; do table digest $t --columns ${columns} --json | grep '"values"'; done`,
      )).lines;
      assert.equal(hashes.length, 4);
      assert.deepEqual(hashes.slice(0, 2), hashes.slice(2), format);
      await session.run("rm -r new.tab");
      assert.deepEqual(left(session), before);
    }
  },
});

Deno.test({
  name: "an import from standard input that fails, or is interrupted, leaves nothing and says so in one line",
  ignore: !linux,
  async fn() {
    using session = new Session();
    const before = left(session);
    for (
      const [command, status, message] of [
        [
          `printf '{"A":1}\n{"A":' | table import - t --format ndjson`,
          1,
          /^table: standard input: line 2 is no JSON/,
        ],
        [
          `printf 'no arrow' | table import - t --format arrow`,
          1,
          /^table: standard input: it can't be read as Arrow/,
        ],
        [`printf 'x' | table import - t`, 2, /^table: --format is missing/],
        [`printf 'A\n1\n' | table import - none/t --format csv`, 1, /none: there is no such folder$/],
      ] as const
    ) {
      const run = await session.run(`set -o pipefail; ${command}`);
      assert.deepEqual([run.status, run.lines.length], [status, 1], `${command}: ${run.lines}`);
      assert.match(run.lines[0]!, message);
      assert.deepEqual(left(session), before, command);
    }
    // The reader waits for more when the signal comes.
    const { lines } = await session.run(
      `{ echo '{"A":1}'; exec sleep 5; } | { table import - t --format ndjson & pid=$!; ` +
        `for i in $(seq 100); do ls .t.*.input >/dev/null 2>&1 && break; sleep 0.05; done; kill -INT $pid; wait $pid; echo "status $?"; }`,
    );
    assert.deepEqual(lines, [
      "table: interrupted; nothing is left of the import",
      "status 130",
    ]);
    assert.deepEqual(left(session), before);
  },
});
