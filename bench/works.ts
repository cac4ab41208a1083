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
}

const ALL = [10_000, 100_000, 1_000_000], USUAL = [10_000, 100_000];

function work(
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

/** A reading work twice: as tables are opened unless told otherwise, and from mapped files. */
function read(
  name: string,
  title: string,
  group: string,
  target: number | null,
  rest: Partial<Work> = {},
): Work[] {
  return [
    work(name, title, group, target, rest),
    work(`${name}-mmap`, `${title}; io: "mmap"`, group, target, rest),
  ];
}

/** The works, in the order of the results. Sustained writing with `direct` has a program of its own, direct.ts. */
export const WORKS: readonly Work[] = [
  ...["64", "1024"].flatMap((tile) => {
    const tiles = { argument: tile, table: `vis${tile}.tab`, rows: tile === "64" ? ALL : USUAL };
    const of = `tiles of ${tile} rows`;
    return [
      work("put", `create, put DATA + FLAG + FLAG_ROW, flush, close; ${of}`, "put", 1.5, {
        ...tiles,
        table: "",
      }),
      ...read("get-into", `DATA into the same array again; ${of}`, "get", 2.2, tiles),
      work("view-sum", `view of DATA, then the sum of every element; ${of}`, "view", 2, {
        ...tiles,
        rows: USUAL,
      }),
      ...read("get-fresh", `DATA into fresh memory; ${of}`, "get", 1.2, tiles),
      work("get-fresh-async", `DATA into fresh memory, getColumnAsync; ${of}`, "get", 1.5, tiles),
      ...read("flag-into", `FLAG (bits to bytes) into the same array; ${of}`, "get", 1.6, {
        ...tiles,
        repeat: 5,
      }),
      ...read("slice", `DATA[0:2, 10:18] of all rows; ${of}`, "slice", 2.5, tiles),
    ];
  }),
  work("rows-shared", "DATA row by row: cells that share blocks (getCells)", "rows", 1),
  work("rows-into", "DATA row by row: 1,000 at a time into one array (getColumn, into)", "rows", 2),
  work("rows-copy", "DATA row by row: a copy each (getCells, copy)", "rows", 0.5),
  work("rows-one", "DATA row by row: a call a row into one array (getColumn, into)", "rows", null),
  work("rows-cell", "DATA row by row: a call a row (getCell)", "rows", null),
  work("flag-row", "FLAG_ROW, scalar bools, 1,024 rows a bucket", "scalars", 2, { repeat: 100 }),
  ...["INT_SSM", "STRING_SSM", "INT_ISM", "STRING_ISM"].map((column) =>
    work(
      "scalars",
      `${column.startsWith("INT") ? "Int" : "String"} column of ${
        column.endsWith("SSM") ? "StandardStMan" : "IncrementalStMan"
      }`,
      "scalars",
      1.5,
      {
        argument: column,
        table: "scalars.tab",
        repeat: column === "STRING_SSM" ? 3 : 20,
      },
    )
  ),
  work("big-put", "big-endian: create, put DATA + FLAG + FLAG_ROW, flush, close", "big-endian", 2, {
    table: "",
    argument: "64",
  }),
  ...read("big-get-into", "big-endian: DATA into the same array again", "big-endian", 2, {
    table: "big.tab",
  }),
  work("overwrite", "overwrite all of DATA, flush", "change", 1, { argument: "64" }),
  work("overwrite-scalars", "overwrite all of an Int column of StandardStMan, flush", "change", null, {
    table: "scalars.tab",
    argument: "INT_SSM",
  }),
  work("append-integrations", "append 351 rows and flush, 1,000 times", "append", 2, {
    table: "",
    argument: "64",
    fixedRows: 351_000,
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
  }),
  ...read("split-get", "tiles [4, 32, 128]: DATA into the same array again", "split", 1.5, {
    table: "split.tab",
  }),
  ...read("split-channel", "tiles [4, 32, 128]: one channel of all rows", "split", 1.5, {
    table: "split.tab",
  }),
  ...read("chunks", "DATA + FLAG + UVW + TIME by 1,000 rows into the same arrays", "chunks", 1.5, {
    table: "chunks.tab",
  }),
  ...read("chunks-fresh", "DATA + FLAG + UVW + TIME by 1,000 rows, fresh arrays (batches)", "chunks", 1.5, {
    table: "chunks.tab",
  }),
  work("open", "open a table of 20 managers and 17 subtables, read one cell", "open", 1.5, {
    table: "wide.tab",
    repeat: 20,
    fixedRows: 1000,
  }),
  work("two-readers", "DATA by two readers at once, of what two C readers reach", "readers", 0.9, {
    against: "limit",
  }),
  work(
    "two-readers-mmap",
    'DATA by two readers at once, of what two C readers reach; io: "mmap"',
    "readers",
    0.9,
    {
      against: "limit",
    },
  ),
];
