/** Random damage to the files of golden tables with a StManAipsIO. */
import assert from "node:assert/strict";
import { rowList, rowRange } from "../../src/array/rows.ts";
import { MemoryStore } from "../../src/io/memory-backend.ts";
import { stManAipsIO } from "../../src/storage/aipsio/mod.ts";
import { examineDamages } from "./storage_damage_support.ts";
import { numbersFrom } from "./storage_model_support.ts";
import {
  type Bench,
  bound,
  bytesInMemory,
  createInMemory,
  errorOf,
  openInMemory,
  putInMemory,
  storeOf,
} from "./storage_standard_support.ts";

/** Damages of each table. */
const DAMAGES = 1000;

const TABLES = [
  "aipsio_le",
  "aipsio_be",
];

TABLES.forEach((name, seed) => {
  Deno.test(`StManAipsIO: ${DAMAGES} random damages to ${name} give a TableError or a read`, () => {
    examineDamages(name, stManAipsIO, DAMAGES, seed);
  });
});

Deno.test("StManAipsIO: damaged tables are changed, or refuse it with a TableError", () => {
  const columns = [
    bound("n", "int32"),
    bound("flag", "bool"),
    bound("text", "string"),
    bound("direct", "bool", { kind: "array", shape: [3], direct: true }),
    bound("fixed", "complex64", { kind: "array", shape: [2, 2] }),
    bound("words", "string", { kind: "array" }),
  ];
  const bench = createInMemory(columns, 20, { kind: stManAipsIO });
  bench.put(2, new Array(20).fill("some text"));
  bench.put(5, new Array(60).fill("word"), { shape: [3] });
  const blob = bench.flush();
  const files = ["table.f0", "table.f0i"].map((name) => [name, bytesInMemory(storeOf(bench), name)] as const);
  const random = numbersFrom(12);
  let refused = 0;
  for (let i = 0; i < 1500; i++) {
    const store = new MemoryStore();
    for (const [name, bytes] of files) {
      const hurt = bytes.slice(), at = random() % (hurt.length - 4);
      if ((random() % 3 === 0) === (name === "table.f0i")) {
        if (random() % 2 === 0) hurt[at]! ^= 1 << random() % 8;
        else new DataView(hurt.buffer).setUint32(at, [0, 1, 0xffffffff, 0x80000001, 21][random() % 5]!);
      }
      putInMemory(store, name, hurt);
    }
    let opened: Bench | undefined;
    const error = errorOf(() => {
      opened = openInMemory({ ...bench.context, rowCount: 20 }, blob, store, stManAipsIO);
      opened.removeRows(random() % 2 === 0 ? rowRange(3, 5) : rowList([0, 19]));
      opened.addColumn(bound("late", "int16", { kind: "array", shape: [2] }));
      opened.addRows(3);
      opened.put(0, [1], { rows: rowList([0]), shape: [] });
      opened.put(5, ["a", "b"], { rows: rowList([1]), shape: [2] });
    });
    if (error !== null) refused++;
    if (opened !== undefined) errorOf(() => opened!.flush());
  }
  assert.ok(refused > 100 && refused < 1400, `${refused} of 1500 were refused`);
});
