/**
 * Whether the values of consecutive rows lie in a file as they lie in an array, one behind the other in the machine's
 * byte order, so that the file's own bytes can be looked at instead of a copy.
 *
 * | tiles | rows that lie together |
 * | --- | --- |
 * | as large as a cell on every axis of a cell, one column in them | all of a hypercube, across tiles |
 * | the same, several columns in them | those of one tile |
 * | of one row, split on one axis only and without padding, one column | all of a hypercube |
 * | others, and bool values, which are bits | none |
 */
import type { ValuePlace } from "../manager.ts";
import type { Cube } from "./cube.ts";
import type { SectionPlace } from "./gather.ts";

/** Where the values of `count` rows from `position` on are in the file of their cube, or why they aren't in one piece. */
export function valuePlace(
  place: SectionPlace,
  cube: Cube,
  position: number,
  count: number,
): ValuePlace | string {
  const { format, cellAxes } = place, { shape, tileShape } = cube;
  if (format.kind === "bits") return "bool values are bits in tiles, and bytes in an array";
  if (format.swapUnit !== 1) return "the table's byte order is not this machine's";
  const rowAxes = shape.length - cellAxes;
  if (rowAxes > 1) return `hypercubes have ${rowAxes} axes of rows`;
  const alone = place.sectionLength(cube) === place.bucketSize(cube);
  const cellShape = shape.slice(0, cellAxes);
  const cellBytes = cellShape.reduce((product, length) => product * length, format.size);
  const at = (offset: number): ValuePlace => ({ file: place.fileName(cube), offset });

  const split = cellShape.findIndex((length, axis) => tileShape[axis] !== length);
  if (split >= 0) {
    const length = cellShape[split]!, tileLength = tileShape[split]!;
    const text = `tiles of [${tileShape}] and cells of [${cellShape}]: `;
    if (tileLength > length) return `${text}tiles reach past the cells on axis ${split}`;
    if (tileShape.some((behind, axis) => axis > split && behind !== 1)) {
      return `${text}tiles split the cells on axis ${split}`;
    }
    if (length % tileLength !== 0) return `${text}the last tile of axis ${split} reaches past the cells`;
    if (!alone) return `${text}tiles split the cells, and other columns lie between them`;
    return at(cube.offset + position * cellBytes);
  }
  const tileRows = rowAxes === 0 ? 1 : tileShape[cellAxes]!;
  const tile = Math.floor(position / tileRows);
  if (!alone && Math.floor((position + count - 1) / tileRows) !== tile) {
    return `each tile holds other columns too: only rows of one tile lie together, ${tileRows} from a multiple of ${tileRows} on`;
  }
  return at(
    cube.offset + tile * place.bucketSize(cube) + place.sectionOffset(cube) +
      (position - tile * tileRows) * cellBytes,
  );
}
