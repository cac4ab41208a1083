/** What managers with a row-based file have in common. */
import type { ManagedColumn, ManagerContext, ManagerInfo, StorageManager } from "../manager.ts";
import type { RowFile } from "./row-file.ts";

/** An open manager of columns that are made already. */
export class RowBasedManager implements StorageManager {
  readonly type: string;
  readonly name = "";
  readonly sequence: number;
  /** The file may hold a pattern of rows, or fewer than there are: it doesn't say. */
  readonly rowCount = -1;
  readonly dirty = false;
  readonly info: ManagerInfo;
  readonly #file: RowFile;
  readonly #columns: readonly ManagedColumn[];

  constructor(context: ManagerContext, file: RowFile, columns: readonly ManagedColumn[], info: ManagerInfo) {
    this.type = context.type;
    this.sequence = context.sequence;
    this.info = { rowBytes: file.stride, fileRows: file.rowCount, ...info };
    this.#file = file;
    this.#columns = columns;
  }

  files(): string[] {
    return [this.#file.name];
  }

  column(index: number): ManagedColumn {
    return this.#columns[index]!;
  }
}
