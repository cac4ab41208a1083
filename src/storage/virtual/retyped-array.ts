/**
 * RetypedArrayEngine<S,T>: objects of an application's own class S, each kept as a small array of T in front of the
 * cell's axes (format reference part 6, section 6.2). What the numbers of an object mean only the application knows,
 * so the column is read as the numbers that are stored: of type T, the object's axes first.
 */
import type { DType } from "../../array/dtype.ts";
import type { Box, Rows } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import { fieldOf } from "../../format/record.ts";
import { TableRecord } from "../../format/table-record.ts";
import type { Plan } from "../../io/plan.ts";
import type {
  BoundColumn,
  CellSource,
  CellTarget,
  ManagedColumn,
  ManagerContext,
  ManagerKind,
  ShapeRun,
} from "../manager.ts";
import { type EngineColumn, engineKind } from "./engine.ts";
import { Parameters } from "./parameters.ts";
import { classOf, keyword, MappedSpec } from "./settle.ts";
import { OtherColumn, STORED_NAME } from "./stored.ts";
import { dtypeOfName, templateArguments } from "./type-names.ts";

const NAME = "RetypedArrayEngine";
const SHAPE = `_${NAME}_Shape`;

/** The kind that serves `RetypedArrayEngine<S,T>`. */
export const retypedArray: ManagerKind = {
  ...engineKind({
    serves: (type) => storedTypeOf(type) !== undefined,
    column(context, bound): EngineColumn {
      const column = new RetypedColumn(context, bound, storedTypeOf(context.type)!);
      return { column, info: column.info() };
    },
    specType: NAME,
    settle(spec, context) {
      const mapped = new MappedSpec(spec, context), { own, stored } = mapped;
      const elementClass = mapped.option("className"), shape = mapped.option("shape");
      if (own.dtype !== stored.dtype || own.ndim !== -1) {
        mapped.fail(
          `it is described with the type of stored column ${stored.name}, ${stored.dtype}, and without axes`,
        );
      }
      if (typeof elementClass !== "string" || !/^[^<>,]+$/.test(elementClass)) {
        return mapped.fail(`option className is the name of a class, found ${String(elementClass)}`);
      }
      if (
        !Array.isArray(shape) || shape.length === 0 ||
        !shape.every((length) => Number.isInteger(length) && length > 0)
      ) {
        return mapped.fail(`option shape is the shape of an object, found ${String(shape)}`);
      }
      const data = Int32Array.from(shape), record = mapped.option("record") ?? {};
      return {
        ...mapped.settled(classOf(NAME, [stored.dtype]).replace("<", `<${elementClass},`), [
          keyword(SHAPE, { kind: "array", dtype: "int32", shape: [data.length], data }),
          keyword(`_${NAME}_Record`, {
            kind: "record",
            fields: TableRecord.from(record as Record<string, unknown>).toFields(),
          }),
        ]),
        elementClass,
      };
    },
  }),
  // Cells have more axes than the description says, how many the stored column knows.
  present: (type, bound) => ({ ...bound, dtype: storedTypeOf(type)!, shape: null, ndim: -1 }),
};

function storedTypeOf(type: string): DType | undefined {
  const names = templateArguments(type, NAME);
  const dtype = names?.length === 2 ? dtypeOfName(names[1]!) : undefined;
  return dtype === "record" ? undefined : dtype;
}

class RetypedColumn implements ManagedColumn {
  readonly #name: string;
  readonly #stored: OtherColumn;
  readonly #elementShape: readonly number[];

  constructor(context: ManagerContext, bound: BoundColumn, storedType: DType) {
    this.#name = bound.name;
    const parameters = new Parameters(context, bound);
    if (bound.kind !== "array") parameters.fail(`it is a column of ${bound.kind}, expected array`);
    this.#stored = new OtherColumn(context, bound, parameters.text(STORED_NAME), "array", storedType);
    const shape = fieldOf(bound.keywords, SHAPE);
    // Cells may have less than the whole object; their own shape counts, and this one is for information.
    this.#elementShape = shape?.kind === "array" && shape.dtype !== "string"
      ? Array.from(shape.data as ArrayLike<number | bigint>, Number)
      : [];
  }

  info() {
    return { stored: this.#stored.name, elementShape: this.#elementShape };
  }

  *shapes(rows: Rows): Plan<ShapeRun[]> {
    return yield* this.#stored.find().column.shapes(rows);
  }

  *read(
    rows: Rows,
    cellShape: readonly number[],
    box: Box | null,
    target: CellTarget,
    at: number,
  ): Plan<void> {
    yield* this.#stored.find().column.read(rows, cellShape, box, target, at);
  }

  *write(
    rows: Rows,
    cellShape: readonly number[],
    box: Box | null,
    source: CellSource,
    at: number,
  ): Plan<void> {
    this.#checkShape(cellShape);
    yield* (yield* this.#stored.writable()).write(rows, cellShape, box, source, at);
  }

  *setShape(rows: Rows, cellShape: readonly number[] | null): Plan<void> {
    const column = yield* this.#stored.find().open();
    if (column.setShape === undefined) {
      throw new TableError(
        "INVALID_ARGUMENT",
        `column ${this.#name} is computed from column ${this.#stored.name}, whose cells have fixed shapes`,
      );
    }
    if (cellShape !== null) this.#checkShape(cellShape);
    yield* column.setShape(rows, cellShape);
  }

  /** The application doesn't read cells without the axes of an object in front, or with more than there are of one. */
  #checkShape(cellShape: readonly number[]): void {
    const element = this.#elementShape;
    if (cellShape.length >= element.length && element.every((length, axis) => cellShape[axis]! <= length)) {
      return;
    }
    throw new TableError(
      "SHAPE_MISMATCH",
      `column ${this.#name} holds objects of shape [${
        element.join(", ")
      }], its axes in front: cells of shape [${cellShape.join(", ")}] can't be read as such`,
    );
  }
}
