/**
 * Checks a tiled manager beyond what opening it does: data files hold the tiles of their cubes, cubes share no byte, and
 * each position of a row axis belongs to one row. Format reference part 4, sections 3.3 to 5.
 */
import { rowRange } from "../../array/rows.ts";
import { fileSize, type Plan } from "../../io/plan.ts";
import { checkCells } from "../check-cells.ts";
import { Claims } from "../claims.ts";
import { type Finding, Findings } from "../findings.ts";
import type { Cube } from "./cube.ts";
import { dataName, headerName, type TiledManager } from "./manager.ts";

/** Plan: everything that is inconsistent. */
export function* checkTiled(manager: TiledManager): Plan<Finding[]> {
  const findings = new Findings();
  yield* checkFiles(manager, findings);
  checkPositions(manager, findings);
  yield* checkValues(manager, findings);
  return findings.finish();
}

/** Data files and the cubes in them. */
function* checkFiles(manager: TiledManager, findings: Findings): Plan<void> {
  const { header, context, sequence } = manager;
  const inFile = new Map<number, Cube[]>();
  for (const cube of manager.realCubes) {
    const others = inFile.get(cube.file);
    if (others === undefined) inFile.set(cube.file, [cube]);
    else others.push(cube);
  }
  for (const file of header.files) {
    if (file === null || findings.full) continue;
    const name = dataName(sequence, file.number), path = context.pathOf(name);
    const size = yield* fileSize(name);
    const cubes = inFile.get(file.number) ?? [];
    const claims = new Claims();
    let end = 0;
    cubes.forEach((cube, i) => {
      const bytes = cube.tiles * manager.bucketSize(cube);
      claims.add(cube.offset, bytes, i);
      end = Math.max(end, cube.offset + bytes);
    });
    if (size < 0) {
      findings.add({
        code: "NOT_FOUND",
        file: path,
        offset: undefined,
        message: "there is no such data file",
        note: false,
      });
    } else if (size < end) {
      findings.wrong(`tiles reach to byte ${end}, the file has ${size}`, path, size);
    } else if (size > end) {
      findings.note(`${size - end} bytes behind the last tile`, path, end);
    }
    // The space of cells that got another shape is lost, and counts; a cube that can grow has its file to itself.
    const exact = cubes.length === 1 && cubes[0]!.extensible && cubes[0]!.offset === 0;
    if (exact ? file.length !== end : file.length < end) {
      findings.wrong(
        `data file ${file.number} is said to be ${file.length} bytes long, tiles reach to byte ${end}`,
        context.pathOf(headerName(sequence)),
      );
    }
    for (const { first, second, offset } of claims.overlaps()) {
      const shape = (cube: Cube) => `[${cube.shape}]`;
      findings.wrong(
        `hypercubes of shape ${shape(cubes[first]!)} and ${shape(cubes[second]!)} share bytes`,
        path,
        offset,
      );
      if (findings.full) return;
    }
  }
}

/** Rows and the positions that they have in cubes. */
function checkPositions(manager: TiledManager, findings: Findings): void {
  const { header, cellAxes, context } = manager;
  const path = context.pathOf(headerName(manager.sequence));
  const claims = new Map<Cube, { claims: Claims; rows: number; starts: number[] }>();
  for (const { cube, position, count, index } of manager.locate(rowRange(0, header.rowCount))) {
    // Cubes without an axis of rows are a row each.
    if (cube === null || cube.shape.length === cellAxes) continue;
    let known = claims.get(cube);
    if (known === undefined) claims.set(cube, known = { claims: new Claims(), rows: 0, starts: [] });
    known.claims.add(position, count, known.starts.push(index) - 1);
    known.rows += count;
  }
  for (const [number, cube] of header.cubes.entries()) {
    if (!cube.hasShape || cellAxes === cube.shape.length) continue;
    const known = claims.get(cube);
    for (const { first, second } of known?.claims.overlaps() ?? []) {
      findings.wrong(
        `rows from ${known!.starts[first]} and from ${known!.starts[second]} on have the same positions in ` +
          `hypercube ${number}`,
        path,
      );
      if (findings.full) return;
    }
    let positions = 1;
    for (let axis = cellAxes; axis < cube.shape.length; axis++) positions *= cube.shape[axis]!;
    const rows = known?.rows ?? 0;
    // Positions are given out one by one, and never taken back.
    if (rows < positions) {
      findings.wrong(
        `hypercube ${number} of shape [${cube.shape}] has ${positions} positions, ${rows} rows are in it`,
        path,
      );
    }
  }
}

/** Coordinates and ids, which are in the header. */
function* checkValues(manager: TiledManager, findings: Findings): Plan<void> {
  const { roles, context, header } = manager;
  for (const [index, bound] of context.columns.entries()) {
    if (roles.data.includes(index) || findings.full) continue;
    const column = manager.column(index), path = context.pathOf(headerName(manager.sequence));
    yield* checkCells({ bound, column, rowCount: header.rowCount, path }, findings);
  }
}
