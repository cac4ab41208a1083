/**
 * What writing needs beyond reading: making a manager, growing cubes, writing columns, flushing.
 *
 * Data files are brought up to date before the header, which is what makes new tiles visible (format reference part 4,
 * section 9).
 */
import { TableError } from "../../error.ts";
import type { Box, Rows } from "../../array/rows.ts";
import { type DType, isNumeric } from "../../array/dtype.ts";
import { AipsWriter } from "../../format/aipsio.ts";
import { committedSize, fileSize, type Plan } from "../../io/plan.ts";
import type { CellSource, ManagedColumn, ManagerContext, StorageSpec } from "../manager.ts";
import { WritableCoordinate } from "./coordinate-write.ts";
import { Cube } from "./cube.ts";
import type { CubeValues } from "./cube-values.ts";
import { DataColumn } from "./data-column.ts";
import type { TiledHeader, TsmFile } from "./header.ts";
import { dataName, headerName, type RowAxes, TiledManager, type TiledParts } from "./manager.ts";
import { axesOf, dataTypes, type Roles, rolesOf } from "./roles.ts";
import { Renewals } from "./renewal.ts";
import type { CubeStacks } from "./stacks.ts";
import { TileLayout } from "./tile-layout.ts";
import { chooseTileShape } from "./tile-shape.ts";

/** casacore keeps the size of a tile and the number of tiles of a cube in 32 bits. */
const MAX_BUCKET_BYTES = 2 ** 31 - 1, MAX_TILES = 2 ** 32 - 1;

/** Most pieces behind a cube's last position that are told apart from what has to be kept. */
const MAX_SPARE = 64;

/** Highest number of a data file: casacore writes the name into 8 bytes, `_TSM999` and its end (section 5.5). */
const MAX_FILE_NUMBER = 999;

/** An open tiled manager that can be written. */
export abstract class WritableTiled extends TiledManager {
  /** True when the header file is no longer what it should be. */
  #headerChanged: boolean;
  #dataChanged = false;
  /** Cubes that are written anew into other files. */
  readonly renewals: Renewals = new Renewals(this);

  /** @param isNew True for a manager that has no header file yet. */
  constructor(parts: TiledParts, isNew: boolean) {
    super(parts);
    this.#headerChanged = isNew;
  }

  /** Plan: adds rows. */
  abstract addRows(count: number): Plan<void>;

  /** Plan: sees to it that the cells of `rows` have shape `cellShape`, changing nothing if one of them can't. */
  abstract give(rows: Rows, cellShape: readonly number[], column: string): Plan<void>;

  /** Writes the root object of the header. */
  protected abstract writeHeader(w: AipsWriter): void;

  override get dirty(): boolean {
    return this.#headerChanged || this.#dataChanged;
  }

  /** Notes that the header has to be written. */
  headerChanged(): void {
    this.#headerChanged = true;
  }

  /** Notes that tiles were written. */
  dataChanged(): void {
    this.#dataChanged = true;
  }

  *flush(): Plan<Uint8Array> {
    yield* this.renewals.settle();
    yield* this.settle(this.header.files);
    if (this.#headerChanged) {
      yield { kind: "barrier" };
      const w = new AipsWriter();
      this.writeHeader(w);
      yield { kind: "replace", file: headerName(this.sequence), bytes: w.finish() };
      yield* this.renewals.removeLeft();
    }
    this.#headerChanged = false;
    this.#dataChanged = false;
    return new Uint8Array(0);
  }

  protected override makeDataColumn(slot: number): ManagedColumn {
    return new WritableData(this, slot);
  }

  protected override makeCoordinateColumn(index: number, axis: number): ManagedColumn {
    return new WritableCoordinate(this, index, axis);
  }

  /** True when one more data file can be had. */
  get hasFreeFile(): boolean {
    return this.#filesInUse < MAX_FILE_NUMBER;
  }

  /** Data files that count: a file 0 is beside the numbers that are given to others. */
  get #filesInUse(): number {
    return this.header.files.reduce((sum, file) => sum + (file !== null && file.number > 0 ? 1 : 0), 0);
  }

  /**
   * Plan: a number that no data file has. One that was removed has its number until that is committed, and one that a
   * writer left that died keeps it.
   *
   * @throws TableError LIMIT
   */
  *freeFileNumber(): Plan<number> {
    this.checkFreeFiles(1);
    const { files } = this.header;
    for (let number = 1; number <= MAX_FILE_NUMBER; number++) {
      if (number < files.length && files[number] !== null) continue;
      const name = dataName(this.sequence, number);
      if ((yield* fileSize(name)) < 0 && (yield* committedSize(name)) === 0) return number;
    }
    throw new TableError("LIMIT", `${this.type} ${this.name}: no number is left for another data file`);
  }

  /** Takes a data file out of the header. */
  forgetFile(number: number): void {
    const { files } = this.header;
    files[number] = null;
    while (files.length > 1 && files.at(-1) === null) files.pop();
    this.#headerChanged = true;
  }

  /** True when a cube can be given another data file: nothing else is in its own, and nothing else will be. */
  canRenew(cube: Cube): boolean {
    return this.header.cubes.every((other) => other === cube || !other.hasShape || other.file !== cube.file);
  }

  /** @throws TableError LIMIT where there are fewer than `count` numbers for further data files */
  checkFreeFiles(count: number): void {
    const used = this.#filesInUse;
    if (used + count <= MAX_FILE_NUMBER) return;
    throw new TableError(
      "LIMIT",
      `${this.type} ${this.name} would need ${
        used + count
      } data files, at most ${MAX_FILE_NUMBER} are possible`,
    );
  }

  /** Plan: makes an empty data file. */
  *makeFile(number: number): Plan<TsmFile> {
    yield { kind: "create", file: dataName(this.sequence, number) };
    const file: TsmFile = { number, length: 0, physical: 0, grown: false };
    while (this.header.files.length < number) this.header.files.push(null);
    this.header.files[number] = file;
    this.#headerChanged = true;
    return file;
  }

  /**
   * A new cube. One that can grow has length 0 on its last axis.
   *
   * @param wanted The tile shape asked for.
   * @throws TableError LIMIT when its tiles would be larger than casacore can handle.
   */
  newCube(
    shape: readonly number[],
    place: { file: number; offset: number; extensible: boolean; values: CubeValues },
    wanted: readonly number[] = this.defaultTileShape,
  ): Cube {
    const cube = new Cube([...shape], chooseTileShape(shape, wanted), place);
    const bytes = this.bucketSize(cube);
    if (bytes > MAX_BUCKET_BYTES) {
      throw new TableError(
        "LIMIT",
        `a tile of [${cube.tileShape}] takes ${bytes} bytes, at most ${MAX_BUCKET_BYTES} are possible`,
      );
    }
    this.#defineCoordinates(cube);
    return cube;
  }

  /** Checks that a cube can grow by `count` positions. @throws TableError LIMIT, CORRUPT */
  checkGrowth(cube: Cube, count: number): void {
    if (!cube.extensible) throw this.corrupt(`hypercube [${cube.shape}] is said not to be extensible`);
    const tiles = cube.tilesUpTo(cube.lastLength + count - 1);
    if (tiles > MAX_TILES || !Number.isSafeInteger(tiles * this.bucketSize(cube) * 8)) {
      throw new TableError(
        "LIMIT",
        `${cube.lastLength + count} rows take ${tiles} tiles, at most ${MAX_TILES} are possible`,
      );
    }
  }

  /** @throws TableError LIMIT where bytes of a data file could no longer be numbered. Bits are counted, too. */
  checkFileEnd(end: number): void {
    if (Number.isSafeInteger(end * 8)) return;
    throw new TableError("LIMIT", `a data file would be ${end} bytes long, at most 2^50 are possible`);
  }

  /**
   * Plan: sees to it that a data file has no bytes behind those that its cubes were given: what a writer left that died
   * must not show in new tiles.
   */
  *trim(file: TsmFile): Plan<void> {
    if (file.physical !== undefined || (yield* this.physicalSize(file)) <= file.length) return;
    yield { kind: "resize", file: dataName(this.sequence, file.number), length: file.length, shrink: true };
    file.physical = file.length;
  }

  /** Plan: what comes before a cube grows. What its last tiles have behind the last position needs no keeping. */
  *beforeGrowth(cube: Cube): Plan<void> {
    const file = this.fileOf(cube), name = dataName(this.sequence, file.number);
    yield* this.trim(file);
    for (const { offset, length } of this.#behindLast(cube)) {
      yield { kind: "spare", file: name, offset, length };
    }
  }

  /** What the last tiles have behind the last position; nothing where that is in very many pieces. */
  *#behindLast(cube: Cube): Iterable<{ offset: number; length: number }> {
    const rows = cube.tileShape[cube.shape.length - 1]!, within = cube.lastLength % rows;
    const { dtypes } = this.layout, tiles = cube.tilesBelowLast;
    if (within === 0 || tiles * dtypes.length > MAX_SPARE) return;
    const pixels = cube.tilePixels, used = pixels / rows * within, bucketSize = this.bucketSize(cube);
    const first = cube.offset + (cube.tiles - tiles) * bucketSize;
    for (let tile = 0; tile < tiles; tile++) {
      for (let column = 0; column < dtypes.length; column++) {
        const section = first + tile * bucketSize + this.layout.sectionOffset(column, pixels);
        const begin = this.layout.sectionLength(column, used);
        yield { offset: section + begin, length: this.layout.sectionLength(column, pixels) - begin };
      }
    }
  }

  /** Makes a cube longer on its last axis; what is new reads as zeros. */
  grow(cube: Cube, count: number): void {
    if (count === 0) return;
    const axis = cube.shape.length - 1;
    cube.shape[axis]! += count;
    const file = this.fileOf(cube);
    // A cube that grows has its file to itself.
    const length = cube.offset + cube.tiles * this.bucketSize(cube);
    if (length !== file.length) file.grown = true;
    file.length = length;
    const column = this.roles.coordinates[axis] ?? -1;
    if (column >= 0) this.#extend(cube, column, axis);
    this.#headerChanged = true;
  }

  /** Coordinates that were not given yet are zero. */
  #defineCoordinates(cube: Cube): void {
    this.roles.coordinates.forEach((column, axis) => {
      if (column >= 0 && cube.shape[axis]! > 0) this.#extend(cube, column, axis);
    });
  }

  #extend(cube: Cube, column: number, axis: number): void {
    const { name, dtype } = this.context.columns[column]!;
    if (isNumeric(dtype)) cube.values.extend(name, dtype, cube.shape[axis]!);
  }
}

/** Reads and writes a data column. */
class WritableData extends DataColumn<WritableTiled> {
  protected override placed(selection: readonly CubeStacks[]): readonly CubeStacks[] {
    return this.manager.renewals.placed(selection);
  }

  *write(
    rows: Rows,
    cellShape: readonly number[],
    box: Box | null,
    source: CellSource,
    at: number,
  ): Plan<void> {
    if (source.kind !== "numeric") throw new TypeError("a tiled column has no strings");
    if (rows.length === 0) return;
    if (box === null) yield* this.manager.give(rows, cellShape, this.columnName);
    const selection = this.select(rows, cellShape, true);
    this.manager.dataChanged();
    yield* this.manager.renewals.write(this, selection, box, source.bytes, at);
  }

  *setShape(rows: Rows, cellShape: readonly number[] | null): Plan<void> {
    if (cellShape !== null) return yield* this.manager.give(rows, cellShape, this.columnName);
    for (const { cube, index } of this.manager.locate(rows)) {
      if (cube !== null) {
        throw new TableError(
          "INVALID_ARGUMENT",
          `column ${this.columnName}: the cell of row ${rows.at(index)} has shape ` +
            `[${cube.shape.slice(0, this.cellAxes)}], ${this.manager.type} can't make it undefined`,
        );
      }
    }
  }
}

/** Checks a cell shape that a caller gives. */
export function checkCellShape(manager: TiledManager, cellShape: readonly number[], column: string): void {
  if (cellShape.length !== manager.cellAxes) {
    throw new TableError(
      "SHAPE_MISMATCH",
      `column ${column}: cells have ${manager.cellAxes} axes, shape [${cellShape}] given`,
    );
  }
  if (cellShape.some((length) => length === 0)) {
    throw new TableError(
      "INVALID_ARGUMENT",
      `column ${column}: cells of shape [${cellShape}] can't be kept by ${manager.type}: an axis has length 0`,
    );
  }
}

/** What `Table.create` says of a tiled manager. */
interface TiledOptions {
  readonly tileShape: readonly number[];
  readonly maxCacheSize: number;
}

/** Types that casacore keeps coordinates in. */
const COORDINATE_TYPES: readonly DType[] = [
  "int32",
  "uint32",
  "float32",
  "float64",
  "complex64",
  "complex128",
];

/** Longest tile axis, and largest cache in MiB, that the header holds. */
const MAX_LENGTH = 2 ** 31 - 1, MAX_CACHE = 2 ** 32 - 1;

function readOptions(spec: StorageSpec): TiledOptions {
  const fail = (reason: string): never => {
    throw new TableError("INVALID_ARGUMENT", `${spec.type} ${spec.name}: ${reason}`);
  };
  const { tileShape = [], maxCacheSize = 0, ...others } = spec.options;
  const unknown = Object.keys(others);
  if (unknown.length > 0) fail(`there is no option ${unknown.join(", ")}`);
  const isLength = (length: unknown) =>
    typeof length === "number" && Number.isInteger(length) && length >= 0 && length <= MAX_LENGTH;
  if (!Array.isArray(tileShape) || !tileShape.every(isLength)) {
    fail(
      `tileShape is ${
        JSON.stringify(tileShape)
      }, expected a list of whole numbers, 0 for lengths to be chosen`,
    );
  }
  const isSize = typeof maxCacheSize === "number" && Number.isInteger(maxCacheSize) && maxCacheSize >= 0 &&
    maxCacheSize <= MAX_CACHE;
  if (!isSize) {
    fail(`maxCacheSize is ${JSON.stringify(maxCacheSize)}, expected a number of MiB, 0 for no limit`);
  }
  return { tileShape: [...tileShape as number[]], maxCacheSize: maxCacheSize as number };
}

/**
 * What a new manager starts with: no rows, no files, no cubes.
 *
 * @param rowAxes Axes of its hypercubes that run over rows; -1: one or more, as the hypercolumn's definition says.
 */
export function newParts(context: ManagerContext, spec: StorageSpec, rowAxes: RowAxes): TiledParts {
  const fail = (reason: string): never => {
    throw new TableError("INVALID_ARGUMENT", `${spec.type} ${spec.name}: ${reason}`);
  };
  const options = readOptions(spec);
  const roles = rolesOf(context, spec.name, "INVALID_ARGUMENT");
  const names = roles.data.map((index) => context.columns[index]!.name).join(", ");
  if (!roles.defined && roles.data.some((index) => context.columns[index]!.kind !== "array")) {
    fail(`columns ${names} expected to be arrays; scalars need a hypercolumn definition`);
  }
  const cellAxes = roles.cellAxes >= 0 || rowAxes < 0 ? roles.cellAxes : roles.ndim - rowAxes;
  if (cellAxes < 0) fail(`the number of axes of columns ${names} must be known`);
  if (rowAxes < 0 && !roles.defined) fail("a hypercolumn definition is needed");
  const ndim = roles.defined ? roles.ndim : cellAxes + rowAxes;
  if (rowAxes < 0 ? ndim <= cellAxes : ndim !== cellAxes + rowAxes) {
    fail(`the hypercolumn is defined with ${roles.ndim} axes, cells have ${cellAxes}`);
  }
  if (rowAxes >= 0 && roles.ids.length > 0) fail("id columns are kept by TiledDataStMan only");
  checkFixed(context, roles.data, fail);
  checkCoordinates(context, roles, cellAxes, fail);
  const header: TiledHeader = {
    rowCount: 0,
    name: spec.name,
    maxCacheSize: options.maxCacheSize,
    ndim,
    files: [],
    cubes: [],
  };
  const layout = new TileLayout(dataTypes(context, roles));
  return { context, header, roles, layout, cellAxes, defaultTileShape: options.tileShape };
}

/** Coordinates of cell axes are vectors, of row axes scalars, of types that casacore has for them. */
function checkCoordinates(
  context: ManagerContext,
  roles: Roles,
  cellAxes: number,
  fail: (reason: string) => never,
): void {
  roles.coordinates.forEach((index, axis) => {
    if (index < 0) return;
    const column = context.columns[index]!, { name, dtype } = column;
    const axes = axesOf(column), expected = axis < cellAxes ? 1 : 0;
    if (axes !== expected && !(expected === 1 && axes === -1)) {
      fail(`coordinate column ${name} of axis ${axis} has cells of ${axes} axes, expected ${expected}`);
    }
    if (!COORDINATE_TYPES.includes(dtype)) {
      fail(`coordinate column ${name} holds ${dtype} values, expected one of ${COORDINATE_TYPES.join(", ")}`);
    }
  });
}

/** Columns that share tiles share their cells' shapes. */
function checkFixed(context: ManagerContext, data: readonly number[], fail: (reason: string) => never): void {
  const fixed = data.map((index) => context.columns[index]!).filter((column) => column.shape !== null);
  for (const { name, shape } of fixed) {
    const other = fixed[0]!;
    if (shape!.some((length) => length < 1)) {
      fail(`cells of column ${name} have shape [${shape}], lengths from 1 expected`);
    }
    if (shape!.some((length, axis) => length !== other.shape![axis])) {
      fail(
        `column ${other.name} has cells of shape [${other.shape}], column ${name} of [${shape}]: they can't share tiles`,
      );
    }
  }
}

/** The shape of all cells, if a data column has a fixed one. */
export function fixedCellShape(parts: Pick<TiledParts, "context" | "roles">): readonly number[] | null {
  for (const index of parts.roles.data) {
    const { kind, shape } = parts.context.columns[index]!;
    if (kind === "array" && shape !== null) return shape;
  }
  return null;
}
