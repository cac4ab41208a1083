/**
 * The file `table.f<N>` of a StManAipsIO, as its columns share it: where the object of each column stands. Nothing else
 * of it is kept in memory; it is read where and when values are asked for.
 */
import { TableError } from "../../error.ts";
import type { Plan } from "../../io/plan.ts";
import type { BoundColumn } from "../manager.ts";
import { type ColumnBody, type ColumnObject, readBody, readObjects } from "./column-object.ts";
import type { AipsHeader } from "./header.ts";
import type { ScanFile } from "./scan.ts";

/** What is known of the file once it is open. */
export class AipsFile implements ScanFile {
  /** Its name in the table's directory. */
  readonly name: string;
  /** The path that errors name. */
  readonly path: string;
  readonly end: number;
  readonly rowCount: number;
  readonly columns: readonly BoundColumn[];
  readonly #columnsAt: number;
  #objects: readonly ColumnObject[] | null = null;

  constructor(name: string, path: string, header: AipsHeader, columns: readonly BoundColumn[]) {
    this.name = name;
    this.path = path;
    this.end = header.end;
    this.rowCount = header.rowCount;
    this.columns = columns;
    this.#columnsAt = header.columnsAt;
  }

  /** Plan: where the values of a column stand. @throws TableError CORRUPT, UNSUPPORTED */
  *body(number: number): Plan<ColumnBody> {
    this.#objects ??= yield* readObjects(this, this.#columnsAt, this.columns.length);
    return yield* readBody(this, this.#objects[number]!, this.columns[number]!);
  }

  /** The error for a row that the table has and the file hasn't. */
  noSuchRow(row: number): never {
    throw new TableError("CORRUPT", `row ${row} is not in the file, which has ${this.rowCount} rows`, {
      file: this.path,
    });
  }
}
