/** Tables of TiledCellStMan and TiledDataStMan, made here byte by byte: what the managers must read whoever wrote it. */
import { numericInfo, type NumericType } from "../../src/array/dtype.ts";
import { elementsOf } from "../../src/array/rows.ts";
import { AipsWriter } from "../../src/format/aipsio.ts";
import type { RecordFields } from "../../src/format/record.ts";
import type { ManagerContext } from "../../src/storage/manager.ts";
import { Cube } from "../../src/storage/tiled/cube.ts";
import { CubeValues } from "../../src/storage/tiled/cube-values.ts";
import { type TsmFile, writeTiledHeader } from "../../src/storage/tiled/header.ts";
import {
  bound,
  contextOf,
  encodeCube,
  hypercolumn,
  MemoryAccess,
  someBytes,
} from "./storage_tiled_support.ts";

/** A cube to be put into a file, and its values. */
export interface MadeCube {
  readonly shape: readonly number[];
  readonly tileShape: readonly number[];
  readonly file: number;
  readonly data: readonly { dtype: NumericType; bytes: Uint8Array }[];
  readonly values?: RecordFields;
}

/** Puts cubes behind each other into their files; gives them back as a header has them. */
export function putCubes(
  access: MemoryAccess,
  cubes: readonly MadeCube[],
  bigEndian: boolean,
): { cubes: Cube[]; files: (TsmFile | null)[] } {
  const files: (TsmFile | null)[] = [];
  const made = cubes.map((cube) => {
    const name = `table.f0_TSM${cube.file}`;
    const old = access.files.get(name) ?? new Uint8Array(0);
    const offset = cube.shape.length === 0 ? 0 : old.length;
    const bytes = cube.shape.length === 0
      ? new Uint8Array(0)
      : encodeCube(cube.shape, cube.tileShape, cube.data, bigEndian);
    const all = new Uint8Array(old.length + bytes.length);
    all.set(old);
    all.set(bytes, old.length);
    access.files.set(name, all);
    while (files.length <= cube.file) files.push(null);
    files[cube.file] = { number: cube.file, length: all.length, physical: undefined, grown: false };
    return new Cube([...cube.shape], cube.tileShape, {
      file: cube.file,
      offset,
      extensible: false,
      values: new CubeValues(cube.values),
    });
  });
  return { cubes: made, files };
}

export function putHeader(
  access: MemoryAccess,
  context: ManagerContext,
  ndim: number,
  parts: { cubes: Cube[]; files: (TsmFile | null)[] },
  options: { root: number; before?: (w: AipsWriter) => void; after?: (w: AipsWriter) => void },
): void {
  const w = new AipsWriter();
  w.root(context.type, options.root);
  options.before?.(w);
  writeTiledHeader(w, { rowCount: context.rowCount, name: "HC", maxCacheSize: 0, ndim, ...parts }, context);
  options.after?.(w);
  w.end();
  access.files.set("table.f0", w.finish());
}

/** A TiledDataStMan with cubes of the same cell shape, whose chunks of rows alternate. */
export function tiledData(
  access: MemoryAccess,
  options: {
    dtypes: readonly NumericType[];
    cell: readonly number[];
    rowAxes: readonly (readonly number[])[];
    chunks: readonly (readonly [cube: number, positions: number])[];
    tile: readonly number[];
    bigEndian: boolean;
    root: number;
    wide?: boolean;
    spare: number;
  },
): { context: ManagerContext; cells: Uint8Array[][]; assigned: number } {
  const { dtypes, cell, bigEndian } = options;
  const lengths = options.rowAxes.map(() => 0);
  const rowMap: number[] = [], cubeMap: number[] = [], posMap: number[] = [];
  let assigned = 0;
  const place: { cube: number; row: number }[] = [];
  for (const [cube, positions] of options.chunks) {
    const below = elementsOf(options.rowAxes[cube]!);
    rowMap.push(assigned);
    cubeMap.push(cube);
    posMap.push(lengths[cube]!);
    for (let k = 0; k < positions * below; k++) place.push({ cube, row: lengths[cube]! * below + k });
    lengths[cube]! += positions;
    assigned += positions * below;
  }
  const made = options.rowAxes.map((axes, number): MadeCube => {
    const shape = [...cell, ...axes, lengths[number]!];
    const tileShape = shape.map((length, a) =>
      a < shape.length - 1 ? Math.min(length, options.tile[a]!) : options.tile[a]!
    );
    const data = dtypes.map((dtype, i) => ({
      dtype,
      bytes: someBytes(dtype, elementsOf(shape), 10 * number + i),
    }));
    return { shape, tileShape, file: number + 1, data };
  });
  const cells = dtypes.map((dtype, i) =>
    place.map(({ cube, row }) => {
      const size = elementsOf(cell) * numericInfo(dtype).size;
      return made[cube]!.data[i]!.bytes.subarray(row * size, (row + 1) * size);
    })
  );
  const ndim = cell.length + options.rowAxes[0]!.length + 1;
  const columns = dtypes.map((dtype, i) =>
    cell.length === 0
      ? bound(`C${i}`, dtype, { kind: "scalar", ndim: 0 })
      : bound(`C${i}`, dtype, { ndim: cell.length })
  );
  const context = contextOf("TiledDataStMan", columns, assigned + options.spare, {
    bigEndian,
    privateKeywords: hypercolumn("HC", ndim, columns.map((column) => column.name)),
  });
  putHeader(access, context, ndim, putCubes(access, made, bigEndian), {
    root: options.root,
    after(w) {
      if (options.root === 2 || options.wide) w.u64(assigned);
      else w.u32(assigned);
      if (options.root === 1) w.u32(rowMap.length);
      if (options.root === 2) w.blockU64(rowMap);
      else w.blockU32(rowMap);
      w.blockU32(cubeMap);
      w.blockU32(posMap);
    },
  });
  return { context, cells, assigned };
}

/** A small TiledCellStMan with an undefined cell. */
export function cellTable(): { context: ManagerContext; access: MemoryAccess } {
  const access = new MemoryAccess();
  const context = contextOf("TiledCellStMan", [
    bound("D", "float32", { ndim: 2 }),
    bound("F", "bool", { ndim: 2 }),
  ], 3);
  const cube = (shape: number[], tileShape: number[]): MadeCube => {
    const data = (["float32", "bool"] as const).map((dtype) => ({
      dtype,
      bytes: someBytes(dtype, elementsOf(shape), 1),
    }));
    return { shape, tileShape, file: 0, data };
  };
  const cubes = [cube([3, 4], [2, 2]), { ...cube([1], [1]), shape: [], tileShape: [] }, cube([5, 2], [5, 2])];
  putHeader(access, context, 2, putCubes(access, cubes, false), { root: 1, before: (w) => w.iposition([2]) });
  return { context, access };
}

/** A small TiledDataStMan with two cubes of two row axes. */
export function dataTable(): { context: ManagerContext; access: MemoryAccess } {
  const access = new MemoryAccess();
  const { context } = tiledData(access, {
    dtypes: ["float32", "bool"],
    cell: [3],
    rowAxes: [[2], [3]],
    chunks: [[0, 1], [1, 2], [0, 2]],
    tile: [2, 2, 2],
    bigEndian: false,
    root: 2,
    spare: 1,
  });
  return { context, access };
}
