/**
 * StManAipsIO, the first storage manager that casacore had: a file that is one AipsIO object, with each column's values
 * behind each other. Old tables and the log tables of images have it. Format reference part 3, sections B1 and B2.
 */
import { isNumeric } from "../../array/dtype.ts";
import { TableError } from "../../error.ts";
import { fileSize, type Plan } from "../../io/plan.ts";
import { arrayFileName } from "../arrayfile/header.ts";
import { LazyArrayFile } from "../arrayfile/lazy.ts";
import type { ManagedColumn, ManagerContext, ManagerInfo, ManagerKind, StorageManager } from "../manager.ts";
import type { Finding } from "../findings.ts";
import { AipsFile } from "./aips-file.ts";
import { checkAips } from "./check.ts";
import { isIndirect } from "./column-object.ts";
import { type AipsHeader, readAipsHeader } from "./header.ts";
import { IndirectColumn } from "./indirect-column.ts";
import { NumericColumn } from "./numeric-column.ts";
import { StringColumn } from "./string-column.ts";

/** The kind that serves `StManAipsIO`. */
export const stManAipsIO: ManagerKind = {
  serves: (type) => type === "StManAipsIO",
  open: openManager,
};

/** Opens the manager of an existing table; its blob is empty. @throws TableError NOT_FOUND, CORRUPT, UNSUPPORTED */
function* openManager(context: ManagerContext): Plan<StorageManager> {
  const name = `table.f${context.sequence}`;
  const fileBytes = yield* fileSize(name);
  if (fileBytes < 0) {
    throw new TableError("NOT_FOUND", "the file of a StManAipsIO is missing", { file: context.pathOf(name) });
  }
  const header = yield* readAipsHeader(context, name, fileBytes);
  const names = arrayFileNames(context, header.version);
  const sizes = (yield { kind: "size", files: names }) as number[];
  return new AipsManager(context, header, [name, ...names.filter((_, i) => sizes[i]! >= 0)]);
}

/** The array files that the manager may have: one for all columns, or in old tables one for each. */
function arrayFileNames(context: ManagerContext, version: number): string[] {
  const indirect = context.columns.filter(isIndirect);
  if (indirect.length === 0) return [];
  const common = arrayFileName(context.sequence);
  return version > 1 ? [common] : [common, ...indirect.map((_, k) => arrayFileName(context.sequence, k))];
}

class AipsManager implements StorageManager {
  readonly type = "StManAipsIO";
  readonly name: string;
  readonly sequence: number;
  readonly rowCount: number;
  readonly dirty = false;
  readonly info: ManagerInfo;
  readonly check: () => Plan<Finding[]>;
  readonly #files: readonly string[];
  readonly #columns: readonly ManagedColumn[];

  constructor(context: ManagerContext, header: AipsHeader, files: readonly string[]) {
    this.name = header.name;
    this.sequence = context.sequence;
    this.rowCount = header.rowCount;
    this.info = { version: header.version };
    this.#files = files;
    const file = new AipsFile(files[0]!, context.pathOf(files[0]!), header, context.columns);
    this.check = () => checkAips(file, context);
    const arrayName = arrayFileName(context.sequence);
    const arrays = new LazyArrayFile(arrayName, context.pathOf(arrayName), true);
    this.#columns = context.columns.map((bound, i) => {
      if (isIndirect(bound)) return new IndirectColumn(file, i, context, arrays);
      const shape = bound.kind === "scalar" ? [] : bound.shape;
      if (shape === null) {
        throw new TableError("CORRUPT", `column ${bound.name} is direct, but has no shape`, {
          file: context.pathOf("table.dat"),
        });
      }
      return isNumeric(bound.dtype)
        ? new NumericColumn(file, i, bound.dtype, shape)
        : new StringColumn(file, i, shape);
    });
  }

  files(): string[] {
    return [...this.#files];
  }

  column(index: number): ManagedColumn {
    return this.#columns[index]!;
  }
}
