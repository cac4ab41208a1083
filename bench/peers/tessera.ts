/**
 * Tessera's side of the bench, see ../side.ts. It uses the public face as anybody would.
 */
import { array, Context, incremental, type IoName, scalar, standard, Table, tiledShape } from "../../mod.ts";
import { clock, timed } from "../clock.ts";
import {
  CELL,
  CELL_ELEMENTS,
  INTEGRATION,
  type Values,
  valuesOf,
  visibilities,
  visibilityTable,
  writeVisibilities,
} from "../tables.ts";

/** What a work is told. */
interface Told {
  readonly folder: string;
  readonly table: string;
  readonly rows: number;
  readonly argument: string;
  readonly io: IoName | "auto";
}

/** A work that is ready. */
interface Ready {
  /** Does it once; a number is the time in milliseconds of the part that counts. */
  run(): number | void | Promise<number | void>;
  end?(): void;
}

const tileOf = (argument: string) => argument === "split" ? [4, 32, 128] : [...CELL, Number(argument)];

/** Values are made once for each number of rows: making them takes longer than most works. */
let kept: { rows: number; values: Values } | null = null;
function values(rows: number): Values {
  if (kept?.rows !== rows) kept = { rows, values: valuesOf(rows) };
  return kept.values;
}

function put({ folder, rows, argument }: Told, byteOrder: "little" | "big"): Ready {
  const path = `${folder}/tessera-put.tab`, put = values(rows), tile = tileOf(argument);
  return {
    run: () => writeVisibilities(path, rows, tile, put, byteOrder),
    end: () => Deno.removeSync(path, { recursive: true }),
  };
}

function reading(
  { folder, table: name, io }: Told,
  work: (table: Table) => () => number | void | Promise<number | void>,
): Ready {
  const table = Table.open(`${folder}/${name}`, { io });
  const run = work(table);
  return { run, end: () => table.close() };
}

/** Opens for writing a copy that is this side's own. */
function changing(
  { folder, table: name }: Told,
  work: (table: Table) => () => void,
  lock: "auto" | "none" = "auto",
): Ready {
  const path = `${folder}/tessera-change.tab`;
  const copied = new Deno.Command("cp", { args: ["-r", `${folder}/${name}`, path] }).outputSync();
  if (!copied.success) throw new Error("cp failed");
  const table = Table.open(path, { mode: "rw", lock });
  return {
    run: work(table),
    end() {
      table.close();
      Deno.removeSync(path, { recursive: true });
    },
  };
}

function into(table: Table): () => void {
  const data = new Float32Array(table.rowCount * CELL_ELEMENTS * 2);
  return () => void table.getColumn("DATA", { into: data });
}

/** The sum of complex values. Of four in turn, so that no addition waits for the one before. */
function sumOf(values: Float32Array): { re: number; im: number } {
  let re0 = 0, im0 = 0, re1 = 0, im1 = 0, re2 = 0, im2 = 0, re3 = 0, im3 = 0;
  const end = values.length - values.length % 8;
  for (let i = 0; i < end; i += 8) {
    re0 += values[i]!;
    im0 += values[i + 1]!;
    re1 += values[i + 2]!;
    im1 += values[i + 3]!;
    re2 += values[i + 4]!;
    im2 += values[i + 5]!;
    re3 += values[i + 6]!;
    im3 += values[i + 7]!;
  }
  for (let i = end; i < values.length; i += 2) {
    re0 += values[i]!;
    im0 += values[i + 1]!;
  }
  return { re: re0 + re1 + re2 + re3, im: im0 + im1 + im2 + im3 };
}

/** A table that rows are appended to; TIME in an incremental manager, as correlators write it. */
function growing(path: string, argument: string): Table {
  const { columns, storage } = visibilityTable(tileOf(argument));
  return Table.create(path, {
    columns: [...columns, scalar("TIME", "float64")],
    storage: [...storage, incremental("ISM", ["TIME"])],
    overwrite: true,
  });
}

function integration(rows: number, time: number) {
  const { data, flag, flagRow } = values(rows);
  return { DATA: data, FLAG: flag, FLAG_ROW: flagRow, TIME: new Float64Array(rows).fill(time) };
}

function appending({ folder, argument }: Told, work: (table: Table) => void): Ready {
  const path = `${folder}/tessera-append.tab`;
  return {
    run: () =>
      timed(() => {
        using table = growing(path, argument);
        work(table);
      }),
    end: () => Deno.removeSync(path, { recursive: true }),
  };
}

function growingFlush(told: Told, durable: boolean): Ready {
  const path = `${told.folder}/tessera-append.tab`, table = growing(path, told.argument);
  table.append(integration(INTEGRATION, 0));
  table.flush();
  let time = 0;
  const one = integration(1, 0);
  return {
    run() {
      one.TIME[0] = ++time;
      table.append(one);
      table.flush({ durable });
    },
    end() {
      table.close();
      Deno.removeSync(path, { recursive: true });
    },
  };
}

function flushing(told: Told, durable: boolean, lock: "auto" | "none" = "auto"): Ready {
  const cell = { dtype: "complex64" as const, shape: [...CELL], data: visibilities(1) };
  let row = 0;
  return changing(told, (table) => () => {
    table.putCell("DATA", row = (row + 7919) % told.rows, cell);
    table.flush({ durable });
  }, lock);
}

/** Creates the table of two columns, puts them, and gets them after opening it again; a table of its own each time. */
function roundTrip({ folder, rows, argument }: Told): Ready {
  const { data, flagRow } = values(rows), made: string[] = [];
  return {
    run() {
      const path = `${folder}/tessera-trip${made.length}.tab`;
      made.push(path);
      return timed(() => {
        {
          using table = Table.create(path, {
            columns: [array("DATA", "complex64", { shape: CELL }), scalar("FLAG_ROW", "bool")],
            storage: argument === "tiled"
              ? [tiledShape("TiledData", ["DATA"], { tileShape: [...CELL, 64] }), standard("SSM")]
              : [standard("SSM")],
            rows,
          });
          table.putColumn("DATA", data);
          table.putColumn("FLAG_ROW", flagRow);
        }
        using again = Table.open(path, { context: new Context() });
        again.getColumn("DATA");
        again.getColumn("FLAG_ROW");
      });
    },
    end: () => made.forEach((path) => Deno.removeSync(path, { recursive: true })),
  };
}

/** Two workers with a table each, which read it at the same time. */
async function twoReaders(told: Told): Promise<Ready> {
  const ask = (worker: Worker, message: unknown) =>
    new Promise<number>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage(message);
    });
  const workers = [0, 1].map(() =>
    new Worker(new URL("./tessera-reader.ts", import.meta.url), { type: "module", name: told.io })
  );
  const path = `${told.folder}/${told.table}`;
  await Promise.all(workers.map((worker) => ask(worker, path)));
  return {
    async run() {
      const start = performance.now();
      await Promise.all(workers.map((worker) => ask(worker, null)));
      return performance.now() - start;
    },
    end: () => workers.forEach((worker) => worker.terminate()),
  };
}

/** The works by name. */
const WORKS: Readonly<Record<string, (told: Told) => Ready | Promise<Ready>>> = {
  "put": (told) => put(told, "little"),
  "split-put": (told) => put(told, "little"),
  "big-put": (told) => put(told, "big"),
  "get-into": (told) => reading(told, into),
  "view-sum": (told) =>
    reading(told, (table) => () => {
      using view = table.column("DATA").view({ dtype: "complex64" });
      const { re, im } = sumOf(view.data);
      if (Number.isNaN(re + im)) throw new Error("not a number");
    }),
  "big-get-into": (told) => reading(told, into),
  "split-get": (told) => reading(told, into),
  "get-fresh": (told) => reading(told, (table) => () => timed(() => table.getColumn("DATA"))),
  "get-fresh-async": (told) =>
    reading(told, (table) => async () => {
      // Other threads work for it while this one may wait: all time counts.
      const start = performance.now();
      await table.getColumnAsync("DATA");
      return performance.now() - start;
    }),
  "flag-into": (told) =>
    reading(told, (table) => {
      const flag = new Uint8Array(told.rows * CELL_ELEMENTS);
      return () => void table.getColumn("FLAG", { into: flag });
    }),
  "slice": (told) =>
    reading(told, (table) => {
      const data = new Float32Array(told.rows * 2 * 8 * 2);
      return () => void table.getColumn("DATA", { slice: [[0, 2], [10, 18]], into: data });
    }),
  "split-channel": (told) =>
    reading(told, (table) => {
      const data = new Float32Array(told.rows * 4 * 2);
      return () => void table.getColumn("DATA", { slice: [null, [20, 21]], into: data });
    }),
  "rows-shared": (told) => reading(told, (table) => () => cells(table, false)),
  "rows-copy": (told) => reading(told, (table) => () => cells(table, true)),
  "rows-cell": (told) =>
    reading(told, (table) => () => {
      for (let row = 0; row < told.rows; row++) table.getCell("DATA", row);
    }),
  "rows-into": (told) =>
    reading(told, (table) => {
      const many = new Float32Array(Math.min(1000, told.rows) * CELL_ELEMENTS * 2);
      return () => {
        let sum = 0;
        for (let start = 0; start < told.rows; start += 1000) {
          table.getColumn("DATA", { rows: { start, end: start + 1000 }, into: many });
          for (let row = 0; row < 1000; row++) sum += many[row * CELL_ELEMENTS * 2]!;
        }
        if (Number.isNaN(sum)) throw new Error("not a number");
      };
    }),
  "rows-one": (told) =>
    reading(told, (table) => {
      const one = new Float32Array(CELL_ELEMENTS * 2);
      return () => {
        for (let row = 0; row < told.rows; row++) {
          table.getColumn("DATA", { rows: { start: row, end: row + 1 }, into: one });
        }
      };
    }),
  "flag-row": (told) =>
    reading(told, (table) => {
      const flags = new Uint8Array(told.rows);
      return () => void table.getColumn("FLAG_ROW", { into: flags });
    }),
  "scalars": (told) =>
    reading(told, (table) => {
      // Strings are made anew anyhow.
      if (!told.argument.startsWith("INT")) return () => void table.getColumn(told.argument);
      const into = new Int32Array(told.rows);
      return () => void table.getColumn(told.argument, { into });
    }),
  "overwrite": (told) =>
    changing(told, (table) => {
      const { data } = values(told.rows);
      return () => {
        table.putColumn("DATA", data);
        table.flush();
      };
    }),
  "overwrite-scalars": (told) =>
    changing(told, (table) => {
      const data = Int32Array.from({ length: told.rows }, (_, row) => row % 999);
      return () => {
        table.putColumn(told.argument, data);
        table.flush();
      };
    }),
  "append-integrations": (told) =>
    appending(told, (table) => {
      const one = integration(INTEGRATION, 0);
      for (let i = 0; i < told.rows / INTEGRATION; i++) {
        one.TIME.fill(i);
        table.append(one);
        table.flush();
      }
    }),
  "append-rows": (told) =>
    appending(told, (table) => {
      const one = integration(1, 0);
      for (let i = 0; i < told.rows; i++) {
        one.TIME[0] = Math.floor(i / INTEGRATION);
        table.append(one);
      }
    }),
  "flush-change": (told) => flushing(told, false),
  "flush-change-none": (told) => flushing(told, false, "none"),
  "flush-change-durable": (told) => flushing(told, true),
  "flush-append": (told) => growingFlush(told, false),
  "flush-append-durable": (told) => growingFlush(told, true),
  "chunks": (told) =>
    reading(told, (table) => {
      const into = {
        DATA: new Float32Array(1000 * CELL_ELEMENTS * 2),
        FLAG: new Uint8Array(1000 * CELL_ELEMENTS),
        UVW: new Float64Array(3000),
        TIME: new Float64Array(1000),
      };
      return () => {
        for (let start = 0; start < told.rows; start += 1000) {
          const rows = { start, end: start + 1000 };
          for (const [name, array] of Object.entries(into)) table.getColumn(name, { rows, into: array });
        }
      };
    }),
  "chunks-fresh": (told) =>
    reading(told, (table) => () => {
      const names = ["DATA", "FLAG", "UVW", "TIME"];
      for (const { columns } of table.batches({ columns: names, batchRows: 1000 })) {
        if (columns["DATA"] === undefined) throw new Error("no DATA");
      }
    }),
  "round-trip": roundTrip,
  "baselines": (told) => {
    const count = Number(told.argument), times = Math.ceil(told.rows / INTEGRATION);
    const into = new Float32Array(times * CELL_ELEMENTS * 2);
    return {
      run: () =>
        timed(() => {
          // A table with nothing in its cache yet: pages on disk are not all that has to be cold.
          using table = Table.open(`${told.folder}/${told.table}`, { io: told.io, context: new Context() });
          for (let baseline = 0; baseline < count; baseline++) {
            const rows: number[] = [], first = Math.floor(baseline * INTEGRATION / count);
            for (let row = first; row < told.rows; row += INTEGRATION) rows.push(row);
            table.getColumn("DATA", {
              rows: Uint32Array.from(rows),
              into: into.subarray(0, rows.length * 512),
            });
          }
        }),
    };
  },
  "open": (told) => ({
    run() {
      using table = Table.open(`${told.folder}/${told.table}`);
      table.getCell("C19", 500);
    },
  }),
  "two-readers": twoReaders,
};

/** Cells of 1,000 rows at a time, looking at each. */
function cells(table: Table, copy: boolean): void {
  let sum = 0;
  for (let start = 0; start < table.rowCount; start += 1000) {
    const rows = { start, end: Math.min(start + 1000, table.rowCount) };
    for (const cell of table.getCells("DATA", { rows, copy })) {
      sum += ((cell as { data: unknown }).data as Float32Array)[0]!;
    }
  }
  if (Number.isNaN(sum)) throw new Error("not a number");
}

/** Marks in the calls that strace shows. */
function mark(which: "start" | "stop"): void {
  try {
    Deno.statSync(`/tessera-bench/${which}`);
  } catch {
    // It isn't there, and needn't be.
  }
}

/** How the names of works end that read by `pread`. */
const READ = /-pread$/;
let ready: Ready | null = null;

async function answer(line: string): Promise<string> {
  const [command, ...words] = line.split(" ");
  if (command === "set") {
    const [name, folder, table, rows, argument] = words as [string, string, string, string, string];
    const make = WORKS[name.replace(READ, "")];
    if (make === undefined) return "none";
    const io = READ.test(name) ? "pread" : "auto";
    ready = await make({ folder, table, rows: Number(rows), argument, io });
    return "ok";
  }
  if (command === "run") {
    const times = Number(words[0]);
    let total = 0;
    mark("start");
    for (let i = 0; i < times; i++) {
      const passed = clock();
      const own = await ready!.run();
      total += own ?? passed();
    }
    mark("stop");
    return String(total / times);
  }
  ready?.end?.();
  ready = null;
  return "ok";
}

let rest = "";
for await (const part of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + part).split("\n");
  rest = lines.pop()!;
  for (const line of lines) {
    let text: string;
    try {
      text = await answer(line);
    } catch (error) {
      text = `error ${(error as Error).message.replaceAll("\n", " ")}`;
    }
    Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
  }
}
