/**
 * A program for Node and Deno alike: reads tables, writes some, and prints what it found as JSON.
 *
 *     node anywhere.mjs FOLDER TABLE…
 *
 * The tables that it makes are in FOLDER. They are not locked, which Node can't do.
 */
import {
  array,
  backendReport,
  checkTable,
  incremental,
  scalar,
  standard,
  Table,
  TableError,
  tiledShape,
} from "@tessera/tables";
import { IngestStore } from "@tessera/tables/ingest";
import * as arrow from "@tessera/tables/arrow";
import * as parquet from "@tessera/tables/parquet";
import * as query from "@tessera/tables/query";

const { argv, stdout } = await import("node:process");
const [folder, ...paths] = argv.slice(2);

const failure = (error) => {
  if (!(error instanceof TableError)) throw error;
  return error.code;
};

/** The digest of each column, or the code of what stands against it. */
function digests(path) {
  const table = Table.open(path);
  try {
    return Object.fromEntries(table.columnNames.map((name) => {
      try {
        return [name, query.digestColumn(table, name)];
      } catch (error) {
        return [name, failure(error)];
      }
    }));
  } finally {
    table.close();
  }
}

function make(path) {
  const rows = 50;
  const table = Table.create(path, {
    columns: [
      array("DATA", "complex64", { shape: [4, 16], unit: "Jy" }),
      array("FLAG", "bool", { shape: [4, 16] }),
      array("FREE", "int32", { ndim: 1 }),
      scalar("TIME", "float64"),
      scalar("NAME", "string"),
      scalar("ID", "int64"),
    ],
    storage: [
      tiledShape("Tiled", ["DATA", "FLAG"], { tileShape: [4, 8, 10] }),
      incremental("Slow", ["TIME"]),
      standard("Rest"),
    ],
    rows,
    lock: "none",
  });
  table.putColumn("DATA", Float32Array.from({ length: 2 * 64 * rows }, (_, i) => Math.fround(i / 7)));
  table.putColumn("FLAG", Uint8Array.from({ length: 64 * rows }, (_, i) => i % 3 === 0 ? 1 : 0));
  table.putColumn("TIME", Float64Array.from({ length: rows }, (_, i) => Math.floor(i / 10)));
  table.putColumn("NAME", Array.from({ length: rows }, (_, i) => `Größe ${i}`));
  table.putColumn("ID", BigInt64Array.from({ length: rows }, (_, i) => BigInt(i) << 40n));
  for (let i = 1; i < rows; i += 2) {
    table.putCell("FREE", i, { dtype: "int32", shape: [i], data: new Int32Array(i).fill(i) });
  }
  table.transaction(() => {
    table.keywords.set("MADE", "anywhere");
    table.renameColumn("TIME", "TIME_CENTROID");
  });
  table.flush({ durable: true });
  table.close();
}

function tryCode(work) {
  try {
    work();
    return "nothing is wrong";
  } catch (error) {
    return failure(error);
  }
}

const at = (name) => `${folder}/${name}`;
make(at("made.tab"));
const ms = Table.open(paths[0]);
ms.copy(at("copy.ms"), { lock: "none" });
await ms.copyAsync(at("later.ms"), { lock: "none", byteOrder: "big", columns: ["UVW", "DATA"] });
await arrow.writeArrow(ms, at("ms.arrow"), { columns: ["TIME", "UVW", "DATA", "FLAG"] });
await parquet.writeParquet(ms, at("ms.parquet"), { columns: ["TIME", "UVW", "DATA", "FLAG"] });
const file = await arrow.readArrow(at("ms.arrow"));
(await arrow.fromArrow(at("arrow.tab"), file, { lock: "none" })).close();
await file.close();
(await parquet.fromParquet(at("parquet.tab"), at("ms.parquet"), { lock: "none" })).close();
const simulated = Table.createMeasurementSet(at("new.ms"), { shape: [4, 8], lock: "none" });
simulated.append({ TIME: Float64Array.of(1, 2), ANTENNA2: Int32Array.of(1, 2) });
simulated.close();
const store = IngestStore.open(at("live.tab"), {
  columns: [scalar("TIME", "float64", { unit: "s" }), array("DATA", "complex64", { shape: [2, 4] })],
  lock: "none",
});
for (const first of [0, 3, 6]) {
  const rows = [first, first + 1, first + 2];
  await store.append({
    TIME: Float64Array.from(rows),
    DATA: Float32Array.from({ length: 3 * 2 * 4 * 2 }, (_, i) => first * 1000 + i),
  });
  await store.seal();
}
await store.compact({ all: true });
await store.append({ TIME: Float64Array.of(9) });
await store.close();
const reader = IngestStore.open(at("live.tab"), { mode: "r" });
const liveRows = [];
for await (const { sequences } of reader.scan({ columns: ["TIME"] })) liveRows.push(...sequences);
await reader.close();
const made = ["live.tab", "made.tab", "copy.ms", "later.ms", "arrow.tab", "parquet.tab", "new.ms"];

const { data } = await ms.getColumnAsync("UVW", { rows: { step: 7 } });
const found = {
  works: backendReport(folder).filter(({ works }) => works).map(({ name }) => name),
  sum: data.reduce((sum, value) => sum + value, 0),
  arrowRows: ms.toArrow({ columns: ["TIME"] }).numRows,
  tables: Object.fromEntries(paths.map((path) => [path, digests(path)])),
  made: Object.fromEntries(made.map((name) => [name, digests(at(name))])),
  liveRows,
  wrong: made.flatMap((name) => checkTable(at(name)).findings.filter(({ note }) => !note)),
  codes: {
    absent: tryCode(() => Table.open(at("absent.tab"))),
    exists: tryCode(() => make(at("made.tab"))),
    lockedStore: tryCode(() =>
      IngestStore.open(at("locked.live"), { columns: [scalar("A", "bool")] }).close()
    ),
    locked: tryCode(() => Table.create(at("locked.tab"), { columns: [scalar("A", "bool")] }).close()),
    mapped: tryCode(() => Table.open(paths[0], { io: "mmap" }).close()),
    seek: tryCode(() => Table.open(paths[0], { io: "seek" }).close()),
  },
};
ms.close();
stdout.write(JSON.stringify(found));
