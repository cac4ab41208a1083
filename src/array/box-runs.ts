/** Where the elements of a box lie in a cell. */
import { type Box, elementsOf } from "./rows.ts";

/**
 * Calls `run` for stretches of neighbouring elements, in the box's order: the position of the first one in a cell of
 * `shape`, its number in the box, and how many there are. A null box is the whole cell.
 */
export function boxRuns(
  shape: readonly number[],
  box: Box | null,
  run: (inCell: number, inBox: number, count: number) => void,
): void {
  if (box === null) return run(0, 0, elementsOf(shape));
  const { start, shape: lengths, step } = box;
  const elements = elementsOf(lengths);
  if (elements === 0) return;
  const along = step[0] === 1 ? lengths[0]! : 1;
  const position = lengths.map(() => 0);
  for (let inBox = 0; inBox < elements; inBox += along) {
    let inCell = 0, stride = 1;
    for (let axis = 0; axis < shape.length; axis++) {
      inCell += (start[axis]! + position[axis]! * step[axis]!) * stride;
      stride *= shape[axis]!;
    }
    run(inCell, inBox, along);
    position[0]! += along;
    for (let axis = 0; axis < shape.length - 1 && position[axis]! >= lengths[axis]!; axis++) {
      position[axis] = 0;
      position[axis + 1]!++;
    }
  }
}
