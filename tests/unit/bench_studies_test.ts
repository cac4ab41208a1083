import assert from "node:assert/strict";
import {
  directTable,
  handoverTable,
  mappedTables,
  phasesTable,
  type SeeksLine,
  seeksTable,
} from "../../bench/studies/tables.ts";

const cells = (text: string) =>
  text.split("\n").filter((line) => line.startsWith("|")).map((line) =>
    line.split("|").slice(1, -1).map((each) => each.trim())
  );
const nothing = { lseek: 0, read: 0, write: 0 };

function seeks(put: string, program: string, writes: number): SeeksLine {
  const close = { lseek: 1, read: 2, write: writes };
  return {
    manager: "tiled",
    put,
    program,
    phases: { create: nothing, complex: close, bool: nothing, close },
  };
}

Deno.test("programs and ways to put with the same calls share a line", () => {
  const lines = [
    seeks("column", "casacore mapped", 5),
    seeks("column", "tessera pread", 1),
    seeks("column", "tessera node", 1),
    seeks("column", "tessera seek", 2),
    seeks("row", "casacore mapped", 5),
    seeks("row", "tessera pread", 1),
    seeks("row", "tessera node", 3),
    seeks("row", "tessera seek", 2),
  ];
  assert.deepEqual(cells(seeksTable(lines)).slice(2).map((line) => [line[1], line[2], line[7]]), [
    ["either", "casacore mapped", "2 / 4 / 10"],
    ["either", "tessera pread", "2 / 4 / 2"],
    ["column", "tessera node", "2 / 4 / 2"],
    ["either", "tessera seek", "2 / 4 / 4"],
    ["row", "tessera node", "2 / 4 / 6"],
  ]);
});

Deno.test("direct writing: spread is held against that of plain C through the page cache", () => {
  const ways = {
    "tessera direct": { seconds: [1, 1.5, 2], median: 1.5, spread: 0.667 },
    "C buffered": { seconds: [1, 2, 4], median: 2, spread: 1.5 },
  };
  assert.deepEqual(cells(directTable({ results: [{ blockKiB: 1024, ways }] })).slice(2), [
    ["tessera direct", "1024", "1.500", "1.000", "2.000", "0.67", "0.44"],
    ["C buffered", "1024", "2.000", "1.000", "4.000", "1.50", "1.00"],
  ]);
});

Deno.test("handing over: the processor's time is held against borrowing in turn", () => {
  const step = { ms: 1, faults: 2 },
    steps = { make: step, fill: step, call: step, wait: step, collect: step };
  const ways = { copy: { cpuMs: 30, steps }, "borrow, in turn": { cpuMs: 20, steps } };
  assert.deepEqual(cells(handoverTable([{ blockKiB: 256, ways }]))[2], [
    ...["256", "copy", "30", "1.50"],
    ...Array(4).fill("1 (2)"),
  ]);
});

Deno.test("phases: a line has the processor's time of 1, 2 and 4 writers beside each other", () => {
  const line = (io: string, writers: number) => ({
    rowBytes: 64,
    requestRows: 1,
    io,
    writers,
    microsecondsOfRow: { take: 1, write: 2, commit: 3, cpu: 10 * writers },
    cpuToMemory: writers / 2,
  });
  const all = ["memory", "pread"].flatMap((io) => [1, 2, 4].map((writers) => line(io, writers)));
  assert.deepEqual(cells(phasesTable(all)).slice(2), [
    ["64", "1", "memory", "1", "2", "3", "10", "20", "40", "", "", ""],
    ["64", "1", "pread", "1", "2", "3", "10", "20", "40", "0.5", "1", "2"],
  ]);
});

Deno.test("mapped against read: a column for each size, and what came from the disk where pages were dropped", () => {
  const one = (cache: string, KiB: number) => ({
    ...{ table: "sealed", cache, order: "random", readers: 2, KiB },
    ...{ mmap: { disk: 7.14 }, pread: { disk: 1 }, readToMapped: 2.345, cpuReadToMapped: 0.5 },
  });
  const text = mappedTables({
    cases: [one("warm", 16), one("warm", 1024), one("cold", 16), one("cold", 1024)],
  });
  const lines = cells(text);
  assert.deepEqual(lines[0], ["table", "pages", "order", "readers", "16 KiB", "1 MiB", "CPU at 1 MiB"]);
  assert.deepEqual(lines[2], ["sealed", "warm", "random", "2", "2.3", "2.3", "0.5"]);
  assert.deepEqual(lines.at(-1), ["random", "2", "7.1 / 1", "7.1 / 1"]);
  assert(!mappedTables({ cases: [one("warm", 16)] }).includes("disk"));
});
