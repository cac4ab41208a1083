/**
 * What the four tiled storage managers share: files, cubes, and the columns that read them.
 *
 * | file | content |
 * | --- | --- |
 * | `table.f<N>` | header, always big endian: format reference part 4, section 3 |
 * | `table.f<N>_TSM<k>` | tiles of some cubes, in the byte order of the table: section 5 |
 *
 * What `table.dat` holds for a tiled manager is empty.
 */
import { TableError } from "../../error.ts";
import type { Rows } from "../../array/rows.ts";
import { AipsReader } from "../../format/aipsio.ts";
import { fileSize, type Plan, readBytes } from "../../io/plan.ts";
import type { BucketGrid, ManagedColumn, ManagerContext, ManagerInfo, StorageManager } from "../manager.ts";
import type { Finding } from "../findings.ts";
import { checkTiled } from "./check.ts";
import { CoordinateColumn } from "./coordinates.ts";
import type { Cube } from "./cube.ts";
import { DataColumn } from "./data-column.ts";
import { checkCubeSizes, readRowCount, readTiledHeader, type TiledHeader, type TsmFile } from "./header.ts";
import { axesOf, dataTypes, type Roles, rolesOf } from "./roles.ts";
import type { Segment } from "./stacks.ts";
import { TileLayout } from "./tile-layout.ts";

/** Name of a manager's header file. */
export function headerName(sequence: number): string {
  return `table.f${sequence}`;
}

/** Name of a manager's k-th data file. */
export function dataName(sequence: number, k: number): string {
  return `table.f${sequence}_TSM${k}`;
}

/** Axes of a hypercube that run over rows, by kind of manager; -1: one or more. */
export type RowAxes = 0 | 1 | -1;

/** What a manager of any of the four kinds starts with. */
export interface TiledParts {
  readonly context: ManagerContext;
  readonly header: TiledHeader;
  readonly roles: Roles;
  readonly layout: TileLayout;
  /** Axes of a cell. */
  readonly cellAxes: number;
  /** As its user gave it: it may be empty, or have zeros. */
  readonly defaultTileShape: readonly number[];
}

/** An open tiled manager. */
export abstract class TiledManager implements StorageManager {
  readonly type: string;
  readonly sequence: number;
  readonly context: ManagerContext;
  readonly header: TiledHeader;
  readonly roles: Roles;
  readonly layout: TileLayout;
  readonly cellAxes: number;
  readonly defaultTileShape: readonly number[];
  readonly #columns: (ManagedColumn | undefined)[] = [];

  constructor(parts: TiledParts) {
    this.context = parts.context;
    this.type = parts.context.type;
    this.sequence = parts.context.sequence;
    this.header = parts.header;
    this.roles = parts.roles;
    this.layout = parts.layout;
    this.cellAxes = parts.cellAxes;
    this.defaultTileShape = parts.defaultTileShape;
  }

  /** Where rows are: consecutive ones at consecutive positions together, in selection order. */
  abstract locate(rows: Rows): Iterable<Segment>;

  /** The cube whose coordinates are those of a row without shape, if there is one. */
  undefinedCube(_row: number): Cube | null {
    return null;
  }

  get name(): string {
    return this.header.name;
  }

  get rowCount(): number {
    return this.header.rowCount;
  }

  get dirty(): boolean {
    return false;
  }

  files(): string[] {
    const data = this.header.files.flatMap((file) =>
      file === null ? [] : [dataName(this.sequence, file.number)]
    );
    return [headerName(this.sequence), ...data];
  }

  column(index: number): ManagedColumn {
    return this.#columns[index] ??= this.makeColumn(index);
  }

  /** The column in its role. */
  protected makeColumn(index: number): ManagedColumn {
    const { data, coordinates } = this.roles;
    const slot = data.indexOf(index);
    if (slot >= 0) return this.makeDataColumn(slot);
    const axis = coordinates.indexOf(index);
    return axis >= 0 ? this.makeCoordinateColumn(index, axis) : this.makeIdColumn(index);
  }

  protected makeDataColumn(slot: number): ManagedColumn {
    return new DataColumn(this, slot);
  }

  /** Only TiledDataStMan has id columns. */
  protected makeIdColumn(index: number): ManagedColumn {
    throw this.corrupt(`column ${this.context.columns[index]!.name} is an id column of ${this.type}`);
  }

  protected makeCoordinateColumn(index: number, axis: number): ManagedColumn {
    return new CoordinateColumn(this, index, axis);
  }

  /** Cubes that hold something, or can. */
  get realCubes(): readonly Cube[] {
    return this.header.cubes.filter((cube) => cube.hasShape);
  }

  /** The cube of most pixels. */
  get largestCube(): Cube | null {
    let largest: Cube | null = null, most = -1;
    for (const cube of this.realCubes) {
      const pixels = cube.tiles * cube.tilePixels;
      if (pixels > most) [largest, most] = [cube, pixels];
    }
    return largest;
  }

  get info(): ManagerInfo {
    const cube = this.largestCube;
    return {
      hypercubes: this.realCubes.length,
      defaultTileShape: this.defaultTileShape,
      ...(cube === null ? {} : { tileShape: cube.tileShape, bucketSize: this.bucketSize(cube) }),
      maxCacheSize: this.header.maxCacheSize,
      hypercolumnDefined: this.roles.defined,
    };
  }

  grids(): BucketGrid[] {
    return this.realCubes.map((cube) => ({
      file: this.fileName(cube),
      offset: cube.offset,
      bucketBytes: this.bucketSize(cube),
      count: cube.tiles,
    }));
  }

  /** Bytes of a cube's tiles. */
  bucketSize(cube: Cube): number {
    return this.layout.bucketSize(cube.tilePixels);
  }

  /** The data file of a cube that has a shape. */
  fileOf(cube: Cube): TsmFile {
    return this.header.files[cube.file]!;
  }

  /** Name of the data file of a cube that has a shape. */
  fileName(cube: Cube): string {
    return dataName(this.sequence, cube.file);
  }

  /** An error in the header file, found after it was read. */
  corrupt(reason: string): TableError {
    return new TableError("CORRUPT", reason, { file: this.context.pathOf(headerName(this.sequence)) });
  }

  check(): Plan<Finding[]> {
    return checkTiled(this);
  }

  /** Plan: makes data files as long as their cubes grew to. */
  *settle(files: Iterable<TsmFile | null>): Plan<void> {
    for (const file of files) {
      if (file === null || !file.grown) continue;
      if ((yield* this.physicalSize(file)) < file.length) {
        yield {
          kind: "resize",
          file: dataName(this.sequence, file.number),
          length: file.length,
          shrink: false,
        };
        file.physical = file.length;
      }
      file.grown = false;
    }
  }

  /** Plan: bytes that a data file really has. */
  *physicalSize(file: TsmFile): Plan<number> {
    return file.physical ??= Math.max(0, yield* fileSize(dataName(this.sequence, file.number)));
  }

  /** Byte after the last tile that holds position `last` of a cube's last axis. */
  #endOf(cube: Cube, last: number): number {
    return cube.offset + cube.tilesUpTo(last) * this.bucketSize(cube);
  }

  /** True when it is known that a cube's data file is long enough for position `last` of its last axis. */
  isStored(cube: Cube, last: number): boolean {
    const file = this.fileOf(cube);
    return file.grown || (file.physical !== undefined && file.physical >= this.#endOf(cube, last));
  }

  /**
   * Plan: checks that data files are as long as cells say, before anyone takes memory for the cells.
   *
   * @param needed By cube, the last position on its last axis that is asked for.
   */
  *checkStored(needed: ReadonlyMap<Cube, number>): Plan<void> {
    for (const [cube, last] of needed) {
      if (this.isStored(cube, last)) continue;
      const name = this.fileName(cube), end = this.#endOf(cube, last);
      const size = yield* fileSize(name);
      if (size < end) {
        throw new TableError(
          "CORRUPT",
          `tiles of [${cube.tileShape}] for hypercube [${cube.shape}] reach to byte ${end}, the file ` +
            (size < 0 ? "doesn't exist" : `has ${size}`),
          { file: this.context.pathOf(name) },
        );
      }
      this.fileOf(cube).physical = size;
    }
  }
}

/** Plan: the bytes of a header file, and a reader at its start. */
export function* openHeader(context: ManagerContext): Plan<AipsReader> {
  const name = headerName(context.sequence);
  const size = yield* fileSize(name);
  if (size < 0) {
    throw new TableError("CORRUPT", `the header file of ${context.type} doesn't exist`, {
      file: context.pathOf(name),
    });
  }
  // The bytes are valid until the next step only, and reading the header takes none.
  const bytes = yield* readBytes(name, 0, size);
  return new AipsReader(bytes, { file: context.pathOf(name) });
}

/** Plan: the number of rows in the header, which need not be that of the table. @throws TableError CORRUPT, UNSUPPORTED */
export function* rowsHeld(context: ManagerContext): Plan<number> {
  const r = yield* openHeader(context);
  r.root(context.type);
  // Some managers have a tile shape before it.
  if (r.peekType() !== "TiledStMan") r.iposition();
  return readRowCount(r);
}

/** Reads the object TiledStMan and finds out what the columns are. */
export function readParts(
  r: AipsReader,
  context: ManagerContext,
  rowAxes: RowAxes,
): Omit<TiledParts, "defaultTileShape"> {
  const start = r.offset;
  const header = readTiledHeader(r, context);
  const roles = rolesOf(context, header.name, "CORRUPT");
  if (roles.defined && roles.ndim !== header.ndim) {
    r.fail(
      `hypercubes have ${header.ndim} axes, hypercolumn ${header.name} is defined with ${roles.ndim}`,
      start,
    );
  }
  if (rowAxes !== -1 && roles.ids.length > 0) {
    r.fail(`hypercolumn ${header.name} has id columns, which only TiledDataStMan keeps`, start);
  }
  const cellAxes = rowAxes === -1 ? roles.cellAxes : header.ndim - rowAxes;
  const fits = roles.cellAxes === cellAxes || (roles.cellAxes < 0 && rowAxes !== -1);
  if (!fits || cellAxes < 0 || cellAxes > header.ndim - (rowAxes === -1 ? 1 : 0)) {
    r.fail(`hypercubes have ${header.ndim} axes, cells of the data columns ${roles.cellAxes}`, start);
  }
  checkCoordinates(r, context, roles, cellAxes, start);
  const layout = new TileLayout(dataTypes(context, roles));
  checkCubeSizes(r, header.cubes, layout);
  checkFixedShapes(r, context, header, roles);
  return { context, header, roles, layout, cellAxes };
}

/** Coordinates of cell axes are vectors, of row axes scalars. */
function checkCoordinates(
  r: AipsReader,
  context: ManagerContext,
  roles: Roles,
  cellAxes: number,
  at: number,
): void {
  roles.coordinates.forEach((index, axis) => {
    if (index < 0) return;
    const column = context.columns[index]!;
    const axes = axesOf(column);
    const expected = axis < cellAxes ? 1 : 0;
    if (axes !== expected && !(expected === 1 && axes === -1)) {
      r.fail(
        `coordinate column ${column.name} of axis ${axis} has cells of ${axes} axes, expected ${expected}`,
        at,
      );
    }
  });
}

/** Cells of fixed-shape columns have that shape in every cube. */
function checkFixedShapes(r: AipsReader, context: ManagerContext, header: TiledHeader, roles: Roles): void {
  for (const index of roles.data) {
    const { name, shape } = context.columns[index]!;
    if (shape === null) continue;
    for (const cube of header.cubes) {
      if (cube.hasShape && shape.some((length, axis) => length !== cube.shape[axis])) {
        r.fail(`column ${name} has cells of shape [${shape}], a hypercube is [${cube.shape}]`);
      }
    }
  }
}
