/**
 * The file `table.f<N>` of a DyscoStMan, as its columns share it.
 *
 * | 0 | blocksAt | blocksAt + B | … |
 * | --- | --- | --- | --- |
 * | header | block 0 | block 1 | … |
 *
 * Row r of the table is row r mod R of block ⌊r / R⌋. A block that the file doesn't hold to its end is not there.
 * Format reference part 7, sections 2 and 3.
 */
import { TableError } from "../../error.ts";
import type { ColumnSource, ManagerContext, SourceColumn } from "../manager.ts";
import type { DyscoHeader } from "./header.ts";
import { levelTable } from "./levels.ts";

/** What is known of the file once it is open. */
export class DyscoFile {
  /** Its name in the table's directory. */
  readonly name: string;
  /** The path that errors name. */
  readonly path: string;
  readonly header: DyscoHeader;
  /** Blocks that the file holds to their end; more when some are written. */
  blockCount: number;
  readonly #source: ColumnSource;
  readonly #tablePath: string;
  #levels: Float64Array<ArrayBuffer> | null = null;

  constructor(name: string, header: DyscoHeader, context: ManagerContext) {
    this.name = name;
    this.path = context.pathOf(name);
    this.header = header;
    const { rowsPerBlock, blockBytes, blocksAt, fileBytes } = header;
    this.blockCount = rowsPerBlock === 0 || blockBytes === 0
      ? 0
      : Math.max(0, Math.floor((fileBytes - blocksAt) / blockBytes));
    this.#source = context.source;
    this.#tablePath = context.pathOf("table.dat");
  }

  /** Offset of a block. */
  blockAt(block: number): number {
    return this.header.blocksAt + block * this.header.blockBytes;
  }

  /** What the symbols of data columns stand for, before they are scaled. @throws TableError CORRUPT */
  levels(): Float64Array<ArrayBuffer> {
    return this.#levels ??= this.#makeLevels();
  }

  #makeLevels(): Float64Array<ArrayBuffer> {
    const { distribution, dataBits: bits, studentNu, truncation } = this.header;
    if (distribution === undefined) {
      throw new TableError("CORRUPT", "the distribution has a code that is none of 0, 1, 2, 3", {
        file: this.path,
      });
    }
    if (distribution === "StudentT" && !(studentNu > 0)) {
      throw new TableError(
        "CORRUPT",
        `Student's t distribution has ${studentNu} degrees of freedom, expected more than 0`,
        { file: this.path },
      );
    }
    if (distribution === "TruncatedGaussian" && Number.isNaN(truncation)) {
      throw new TableError("CORRUPT", "the truncation of the Gaussian is not a number", { file: this.path });
    }
    return levelTable({ distribution, bits, studentNu, truncation });
  }

  /** An antenna column of the table: `ANTENNA1` or `ANTENNA2`. @throws TableError NO_SUCH_COLUMN, CORRUPT */
  antennaColumn(name: string): SourceColumn {
    const found = this.#source.column(name);
    const { kind, dtype } = found.bound;
    if (kind !== "scalar" || dtype !== "int32") {
      throw new TableError(
        "CORRUPT",
        `column ${name} has ${dtype}, ${kind}; DyscoStMan needs int32 scalars`,
        {
          file: this.#tablePath,
        },
      );
    }
    return found;
  }

  /** Checks that an antenna number has a factor in every block. @throws TableError CORRUPT */
  checkAntenna(antenna: number, row: number): void {
    if (antenna < 0 || antenna >= this.header.antennas) {
      throw new TableError(
        "CORRUPT",
        `row ${row} is of antenna ${antenna}, there are factors for ${this.header.antennas} antennas`,
        { file: this.path },
      );
    }
  }
}
