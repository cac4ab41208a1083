/** The command at a real terminal and in real pipes: widths, colours, readers that go away, and signals. */
import assert from "node:assert/strict";
import { Session } from "../command-doc.ts";

const linux = Deno.build.os === "linux";

/** True where util-linux can lend us a terminal. */
function hasScript(): boolean {
  try {
    return new Deno.Command("script", { args: ["--version"], stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

/** Columns that a line takes, without escapes. */
// deno-lint-ignore no-control-regex
const plain = (line: string) => line.replaceAll(/\x1b\[[0-9;?]*[A-Za-z]|\r/g, "");

Deno.test({
  name: "at a terminal output is coloured and as wide as it, and never coloured under NO_COLOR",
  ignore: !linux || !hasScript(),
  async fn() {
    using session = new Session();
    const at = async (columns: number, command: string) => {
      const inner = `stty cols ${columns}; ${command}`;
      const { lines } = await session.run(`env -u NO_COLOR TERM=xterm script -qec '${inner}' /dev/null`);
      return lines;
    };
    for (const [columns, command] of [[60, "show"], [100, "head"], [60, "head"]] as const) {
      const lines = await at(columns, `table ${command} examples/data/sim.ms`);
      assert.ok(lines.some((line) => line.includes("\x1b[1m")), command);
      const widths = lines.map((line) => [...plain(line)].length);
      assert.ok(
        Math.max(...widths) <= columns && Math.max(...widths) > columns - 25,
        `${command} ${columns}`,
      );
      const pale = await at(columns, `NO_COLOR=1 table ${command} examples/data/sim.ms`);
      assert.ok(pale.every((line) => !line.includes("\x1b")), command);
    }
  },
});

Deno.test({
  name: "every reading command ends quietly when its reader goes away",
  ignore: !linux,
  async fn() {
    using session = new Session();
    const ms = "examples/data/sim.ms";
    for (
      const command of [
        `cat ${ms}`,
        `ls --all examples`,
        `show ${ms}`,
        `head ${ms}`,
        `tail ${ms} --json`,
        `schema --json ${ms}`,
        `keywords ${ms}`,
        `digest ${ms}`,
        `diff ${ms} ${ms}/ANTENNA`,
        `stat ${ms} TIME`,
        `plot ${ms} DATA`,
        `plot ${ms} TIME --json`,
        `io ${ms} --columns DATA`,
        `export ${ms} --format csv --columns TIME`,
        `check ${ms}`,
        `completions zsh`,
        `--help`,
      ]
    ) {
      // The reader closes before anything is written.
      const { lines } = await session.run(`table ${command} | exec 0<&-; echo "status \${PIPESTATUS[0]}"`);
      assert.deepEqual(lines, ["status 0"], command);
    }
    const { lines } = await session.run(
      `table cat ${ms} | head -1 | cut -c1-8; echo "status \${PIPESTATUS[0]}"`,
    );
    assert.deepEqual(lines, ['{"UVW":{', "status 0"]);
  },
});

Deno.test({
  name: "Ctrl-C at a copy leaves nothing of it, and at a change of keywords a table that is whole",
  ignore: !linux,
  async fn() {
    using session = new Session();
    await session.run("cp -r examples/data/sim.ms my.ms");
    for (const delay of ["0.05", "0.15", "0.25"]) {
      const copied = await session.run(
        `timeout --signal=INT ${delay} table copy my.ms copy.ms >/dev/null; ls -d copy.ms* 2>/dev/null; true`,
      );
      // Either it was quicker than the signal, and is complete, or nothing is there.
      if (copied.lines.includes("copy.ms")) {
        assert.equal((await session.run("table diff my.ms copy.ms")).status, 0);
      }
      assert.ok(!copied.lines.some((line) => line.startsWith("copy.ms.")), copied.lines.join());
      await session.run("rm -rf copy.ms*");
      await session.run(
        `timeout --signal=INT ${delay} table keywords my.ms --set X=${delay} --set Y=${delay}`,
      );
      const { lines } = await session.run("table check my.ms >/dev/null && table keywords my.ms --json");
      const { X, Y } = JSON.parse(lines.join("\n"));
      assert.equal(X, Y);
    }
  },
});

Deno.test({
  name: "Ctrl-C at a plot or an export leaves a whole file or none",
  ignore: !linux,
  async fn() {
    using session = new Session();
    const before = [...Deno.readDirSync(session.path)].length;
    for (const delay of ["0.1", "0.25", "0.4", "0.6"]) {
      for (
        const [command, whole] of [
          ["plot examples/data/sim.ms DATA --svg out", /<\/svg>\n$/],
          ["export examples/data/sim.ms out --format ndjson", /\}\n$/],
        ] as const
      ) {
        await session.run(`timeout --signal=INT ${delay} table ${command} >/dev/null`);
        const found = [...Deno.readDirSync(session.path)].map(({ name }) => name);
        if (found.includes("out")) {
          assert.match(Deno.readTextFileSync(`${session.path}/out`), whole);
          Deno.removeSync(`${session.path}/out`);
        }
        assert.equal([...Deno.readDirSync(session.path)].length, before, found.join());
      }
    }
  },
});

Deno.test({
  name: "an export into a pipe or a device goes through it, and never takes its place",
  ignore: !linux,
  async fn() {
    using session = new Session();
    const { lines } = await session.run(
      "mkfifo pipe; { head -2 <pipe; } & table export examples/data/sim.ms pipe --format csv --columns TIME; " +
        "echo status $?; wait; stat -c %F pipe; ls -A",
    );
    // The reader goes away in the middle, which is nothing wrong.
    assert.deepEqual(lines.toSorted(), ["5130450605", "TIME", "examples", "fifo", "pipe", "status 0"]);
  },
});
