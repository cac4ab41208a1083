/**
 * What is measured: one entry a line of the results. Each side (`peers/*`) knows a work by its name and does it its own way;
 * a side that doesn't know one says so, and the line has a gap there.
 */

/** One piece of work that every side does in turn. */
export interface Work {
  /** As the sides know it. */
  readonly name: string;
  readonly title: string;
  /** Group of lines that belong together. */
  readonly group: string;
  /** What the sides may need to know beside the rows: rows of a tile, usually. */
  readonly argument: string;
  /** Table that it reads, or "" when it makes its own. */
  readonly table: string;
  /** How many times faster than casacore it has to be; null: nothing is promised. */
  readonly target: number | null;
  /** How many times the work is done for one time that is taken: small works would drown in the clock otherwise. */
  readonly repeat: number;
  /** Rows that it can be done with; the largest need room for a table of 2 GB and two arrays on each side. */
  readonly rows: readonly number[];
  /** Number of rows it is always done with, whatever was asked. */
  readonly fixedRows?: number;
  /** What it is compared to when not casacore: the limit program. */
  readonly against?: "limit";
  /** It has to stay within {@linkcode BULK_LIMIT} times the limit program's time. */
  readonly bulk?: boolean;
  /** Other readers that are installed take part. */
  readonly peers?: boolean;
  /** The pages of its table are dropped before each time, and what each side brings from the disk is counted. */
  readonly cold?: boolean;
  /** Rounds that count, at most; such a work isn't warmed up either. */
  readonly mostRounds?: number;
  /** Takes too long for a quick run. */
  readonly slow?: boolean;
  /** With what its calls are counted, where counting all of them would take too long; `said` goes behind the title. */
  readonly counted?: { readonly rows?: number; readonly argument?: string; readonly said: string };
  /** A short title: the work is in the README, with this number of rows. */
  readonly headline?: string;
}

/** Bulk puts and gets take at most so many times as long as the program that only reads, writes and copies. */
export const BULK_LIMIT = 1.25;

/** Rows of the table that is read baseline by baseline: 640 MiB of DATA, ten times the bound of the cache. */
export const MANY_ROWS = 327_680;
/** Baselines of it: an integration has a row of each. */
export const BASELINES = 351;

const ALL = [10_000, 100_000, 1_000_000], USUAL = [10_000, 100_000];

/** A work, with what most have. */
export function work(
  name: string,
  title: string,
  group: string,
  target: number | null,
  rest: Partial<Work> = {},
): Work {
  return {
    name,
    title,
    group,
    target,
    argument: "-",
    table: "vis64.tab",
    repeat: 1,
    rows: USUAL,
    ...rest,
  };
}

/** A reading work twice: as tables are opened unless told otherwise, from mapped files, and by `pread`, of which nothing is promised. */
function read(
  name: string,
  title: string,
  group: string,
  target: number | null,
  rest: Partial<Work> = {},
): Work[] {
  return [
    work(name, title, group, target, rest),
    work(`${name}-pread`, `${title}; io: "pread"`, group, null, rest),
  ];
}

/** The works, in the order of the results. What needs a program of its own is in programs.ts. */
export const WORKS: readonly Work[] = [
  ...["64", "1024"].flatMap((tile) => {
    const first = tile === "64";
    const tiles = { argument: tile, table: `vis${tile}.tab`, rows: first ? ALL : USUAL };
    const bulk = { ...tiles, bulk: true }, of = `tiles of ${tile} rows`;
    const headline = (title: string) => first ? { headline: title } : {};
    return [
      work("put", `create, put DATA + FLAG + FLAG_ROW, flush, close; ${of}`, "put", 1.5, {
        ...bulk,
        ...headline("create, put three columns, flush, close"),
        table: "",
        peers: first,
      }),
      ...read("get-into", `DATA into the same array again; ${of}`, "get", 2.2, {
        ...bulk,
        ...headline("a column into the same array again"),
        peers: first,
      }),
      work("view-sum", `view of DATA, then the sum of every element; ${of}`, "view", 2, {
        ...tiles,
        ...headline("view of a column, then the sum of it"),
        rows: USUAL,
      }),
      ...read("get-fresh", `DATA into fresh memory; ${of}`, "get", 1.2, {
        ...bulk,
        ...headline("a column into fresh memory"),
        peers: first,
      }),
      work("get-fresh-async", `DATA into fresh memory, getColumnAsync; ${of}`, "get", 1.5, {
        ...bulk,
        ...headline("the same by getColumnAsync, on two cores"),
      }),
      ...read("flag-into", `FLAG (bits to bytes) into the same array; ${of}`, "get", 1.6, {
        ...bulk,
        ...headline("a bool column, bits to bytes"),
        repeat: 5,
        peers: first,
      }),
      ...read("slice", `DATA[0:2, 10:18] of all rows; ${of}`, "slice", 2.5, {
        ...tiles,
        rows: USUAL,
        ...headline("a box of every cell"),
        peers: first,
      }),
    ];
  }),
  work("rows-shared", "DATA row by row: cells that share blocks (getCells)", "rows", 1, {
    headline: "row by row, cells that share blocks",
  }),
  work("rows-into", "DATA row by row: 1,000 at a time into one array (getColumn, into)", "rows", 2, {
    headline: "row by row, 1,000 at a time into one array",
  }),
  work("rows-copy", "DATA row by row: a copy each (getCells, copy)", "rows", 0.5, {
    headline: "row by row, a copy each",
  }),
  work("rows-one", "DATA row by row: a call a row into one array (getColumn, into)", "rows", null),
  work("rows-cell", "DATA row by row: a call a row (getCell)", "rows", null, { peers: true }),
  work("flag-row", "FLAG_ROW, scalar bools, 1,024 rows a bucket", "scalars", 2, {
    repeat: 100,
    peers: true,
    headline: "100,000 scalar bools",
  }),
  ...["INT_SSM", "STRING_SSM", "INT_ISM", "STRING_ISM"].map((column) => {
    const title = `${column.startsWith("INT") ? "Int" : "String"} column of ${
      column.endsWith("SSM") ? "StandardStMan" : "IncrementalStMan"
    }`;
    return work("scalars", title, "scalars", 1.5, {
      argument: column,
      table: "scalars.tab",
      repeat: column === "STRING_SSM" ? 3 : 20,
      peers: true,
      headline: title,
    });
  }),
  work("big-put", "big-endian: create, put DATA + FLAG + FLAG_ROW, flush, close", "big-endian", 2, {
    table: "",
    argument: "64",
    bulk: true,
    headline: "big-endian: create, put, flush, close",
  }),
  ...read("big-get-into", "big-endian: DATA into the same array again", "big-endian", 2, {
    table: "big.tab",
    bulk: true,
    peers: true,
    headline: "big-endian: a column into the same array",
  }),
  work("overwrite", "overwrite all of DATA, flush", "change", 1, {
    argument: "64",
    headline: "overwrite a column, flush",
  }),
  work("overwrite-scalars", "overwrite all of an Int column of StandardStMan, flush", "change", null, {
    table: "scalars.tab",
    argument: "INT_SSM",
  }),
  work("append-integrations", "append 351 rows and flush, 1,000 times", "append", 2, {
    table: "",
    argument: "64",
    fixedRows: 351_000,
    mostRounds: 3,
    counted: { rows: 3510, said: "10 times" },
    headline: "append 351 rows and flush, 1,000 times",
  }),
  work("append-rows", "append 1 row, 10,000 times, flush once", "append", null, {
    table: "",
    argument: "64",
    fixedRows: 10_000,
  }),
  work("flush-change", "change a cell and flush", "flush", null, { repeat: 100 }),
  work("flush-change-none", 'change a cell and flush, lock: "none"', "flush", null, { repeat: 100 }),
  work("flush-change-durable", "change a cell and flush, durable", "flush", null, { repeat: 10 }),
  work("flush-append", "append a row and flush", "flush", null, {
    table: "",
    argument: "64",
    fixedRows: 100,
    repeat: 100,
  }),
  work("flush-append-durable", "append a row and flush, durable", "flush", null, {
    table: "",
    argument: "64",
    fixedRows: 100,
    repeat: 10,
  }),
  work("split-put", "tiles [4, 32, 128]: create, put DATA + FLAG + FLAG_ROW, flush, close", "split", 1.5, {
    table: "",
    argument: "split",
    bulk: true,
    headline: "tiles that split channels: create, put, flush, close",
  }),
  ...read("split-get", "tiles [4, 32, 128]: DATA into the same array again", "split", 1.5, {
    table: "split.tab",
    bulk: true,
    headline: "tiles that split channels: a column",
  }),
  ...read("split-channel", "tiles [4, 32, 128]: one channel of all rows", "split", 1.5, {
    table: "split.tab",
    peers: true,
    headline: "tiles that split channels: one channel",
  }),
  ...read(
    "chunks",
    "MeasurementSet: DATA + FLAG + UVW + TIME by 1,000 rows into the same arrays",
    "chunks",
    1.5,
    {
      table: "chunks.ms",
      headline: "a MeasurementSet by 1,000 rows",
      peers: true,
    },
  ),
  ...read("chunks-fresh", "MeasurementSet: the same, fresh arrays (batches)", "chunks", 1.5, {
    table: "chunks.ms",
  }),
  work("open", "open a table of 20 managers and 17 subtables, read one cell", "open", 1.5, {
    table: "wide.tab",
    repeat: 20,
    fixedRows: 1000,
    peers: true,
    headline: "open a table of 20 managers, read a cell",
  }),
  ...["tiled", "standard"].map((manager) =>
    work("round-trip", `1,000 rows: create, put, reopen, get; ${manager} manager`, "round-trip", null, {
      table: "",
      argument: manager,
      fixedRows: 1000,
      repeat: 5,
    })
  ),
  ...read("two-readers", "DATA by two readers at once, of what two C readers reach", "readers", 0.9, {
    against: "limit",
    headline: "two readers at once, of two C readers",
  }),
  ...read("baselines", "row lists: one of 351 baselines, of 640 MiB in tiles by time, cold", "baselines", 3, {
    table: "many.tab",
    argument: "1",
    fixedRows: MANY_ROWS,
    cold: true,
    mostRounds: 5,
  }),
  ...read(
    "baselines",
    "row lists: 351 baselines, a getColumn each, of 640 MiB in tiles by time, cold",
    "baselines",
    3,
    {
      table: "many.tab",
      argument: String(BASELINES),
      fixedRows: MANY_ROWS,
      cold: true,
      mostRounds: 3,
      slow: true,
      counted: { argument: "1", said: "of one" },
      headline: "a row list for each of 351 baselines, cold",
    },
  ),
];
