/** What the columns of a StManAipsIO share. */
import type { LazyArrayFile } from "../arrayfile/lazy.ts";

/** The manager, as its columns see it. */
export interface AipsHost {
  /** Rows that there are now. */
  readonly rowCount: number;
  /** Tells that the file must be written anew. */
  touched(): void;
  /** The array file of all columns, or of one that has its own: in tables of an old version. */
  arrayFile(column: number | null): LazyArrayFile;
  /** @throws TableError CORRUPT for a row that the table has and the file hasn't */
  noSuchRow(row: number): never;
}
