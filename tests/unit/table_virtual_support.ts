/**
 * Tables with virtual columns, without casacore: columns are added to the `table.dat` of a table that Tessera made.
 */
import type { DType } from "../../src/array/dtype.ts";
import type { ColumnDesc } from "../../src/format/column-desc.ts";
import { newColumnDesc } from "../../src/format/new-table.ts";
import { type PlainTableDat, readTableDat, writeTableDat } from "../../src/format/table-dat.ts";
import { keywordsOf } from "./storage_virtual_support.ts";

/** A virtual column. */
export interface VirtualSpec {
  readonly name: string;
  readonly kind?: "scalar" | "array";
  readonly dtype: DType;
  readonly shape?: readonly number[];
  /** Class name of the engine. */
  readonly engine: string;
  /** Keywords of the column, see `keywordsOf`. */
  readonly keywords: Readonly<Record<string, unknown>>;
  /** Class of the application's own, instead of the data type. */
  readonly className?: string;
}

/** Changes a table's `table.dat`. */
export function editTableDat(path: string, edit: (dat: PlainTableDat) => PlainTableDat): void {
  const file = `${path}/table.dat`;
  const dat = readTableDat(Deno.readFileSync(file), file);
  if (dat.kind !== "PlainTable") throw new Error(`${path} is a ${dat.kind}`);
  Deno.writeFileSync(file, writeTableDat(edit(dat)));
}

/** Adds virtual columns behind the others, each with an engine of its own; and keywords of the table. */
export function addVirtualColumns(
  path: string,
  specs: readonly VirtualSpec[],
  tableKeywords: (firstSequence: number) => Readonly<Record<string, unknown>> = () => ({}),
): void {
  editTableDat(path, (dat) => {
    const { desc, columnSet } = dat;
    const first = columnSet.sequenceCount;
    const columns = specs.map(descOf);
    return {
      ...dat,
      desc: {
        ...desc,
        columns: [...desc.columns, ...columns],
        keywords: {
          ...desc.keywords,
          fields: [...desc.keywords.fields, ...keywordsOf(tableKeywords(first)).fields],
        },
      },
      columnSet: {
        ...columnSet,
        sequenceCount: first + specs.length,
        managers: [
          ...columnSet.managers,
          ...specs.map(({ engine }, i) => ({ type: engine, sequence: first + i, blob: new Uint8Array(0) })),
        ],
        columns: [
          ...columnSet.columns,
          ...specs.map(({ name, shape }, i) => ({
            originalName: name,
            sequence: first + i,
            shape: shape ?? null,
          })),
        ],
      },
    };
  });
}

function descOf({ name, kind = "array", dtype, shape, keywords, className }: VirtualSpec): ColumnDesc {
  const desc = newColumnDesc({ name, kind, dtype, shape: shape ?? null, keywords: keywordsOf(keywords) });
  if (className === undefined) return desc;
  return { ...desc, dtype: null, code: 26, className: `ArrayColumnDesc<${className}` };
}
