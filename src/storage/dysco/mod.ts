/**
 * DyscoStMan: visibilities and weights as symbols of a few bits and the factors that scale them, a time step to a block.
 * Lossy when written; what is read are the values that casacore reads, to the last bit. Format reference part 7.
 *
 * The manager's own description, its name and everything else are in its file; `table.dat` has nothing. For files whose
 * factors belong to antennas the table's columns ANTENNA1 and ANTENNA2 are read along.
 */
import type { Plan } from "../../io/plan.ts";
import type { ManagedColumn, ManagerContext, ManagerInfo, ManagerKind, StorageManager } from "../manager.ts";
import { DyscoColumn } from "./column.ts";
import { DyscoFile } from "./dysco-file.ts";
import { readHeader } from "./header.ts";
import { type Part, partsOf } from "./layout.ts";

const TYPE = "DyscoStMan";

/** The kind that serves `DyscoStMan`, for reading. */
export const dyscoStMan: ManagerKind = {
  serves: (type) => type === TYPE,
  *open(context: ManagerContext): Plan<StorageManager> {
    const name = `table.f${context.sequence}`, path = context.pathOf(name);
    const header = yield* readHeader(name, path, context.columns.length);
    const parts = partsOf(header, context.columns, path);
    return new DyscoManager(context.sequence, new DyscoFile(name, header, context), parts);
  },
};

class DyscoManager implements StorageManager {
  readonly type = TYPE;
  readonly name: string;
  readonly sequence: number;
  /** The file doesn't say. */
  readonly rowCount = -1;
  readonly dirty = false;
  readonly info: ManagerInfo;
  readonly #file: DyscoFile;
  readonly #columns: readonly ManagedColumn[];

  constructor(sequence: number, file: DyscoFile, parts: readonly Part[]) {
    const { header } = file;
    this.name = header.name;
    this.sequence = sequence;
    this.#file = file;
    this.#columns = parts.map((part) => new DyscoColumn(file, part));
    this.info = {
      dataBitCount: header.dataBits,
      weightBitCount: header.weightBits,
      ...(header.distribution === undefined ? {} : { distribution: header.distribution }),
      ...(header.normalization === undefined ? {} : { normalization: header.normalization }),
      studentTNu: header.studentNu,
      distributionTruncation: header.truncation,
      rowsPerBlock: header.rowsPerBlock,
      antennas: header.antennas,
      blockSize: header.blockBytes,
      blocks: file.blockCount,
    };
  }

  files(): string[] {
    return [this.#file.name];
  }

  column(index: number): ManagedColumn {
    return this.#columns[index]!;
  }
}
