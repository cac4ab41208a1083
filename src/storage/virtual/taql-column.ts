/**
 * VirtualTaQLColumn: a column computed by an expression in TaQL, casacore's query language (format reference part 6,
 * section 8). Tessera doesn't have it: the column can't be read, the others of the table can.
 *
 * | keyword | type | meaning |
 * | --- | --- | --- |
 * | `_VirtualTaQLEngine_CalcExpr` | string | the expression |
 * | `_VirtualTaQLEngine_Style` | string, may be missing | how indices and the like are written, e.g. `python` |
 */
import { TableError } from "../../error.ts";
import type { Plan } from "../../io/plan.ts";
import type { ManagerContext, ManagerKind, StorageManager } from "../manager.ts";
import { Parameters } from "./parameters.ts";

/** The kind that knows `VirtualTaQLColumn` and says why it isn't read. */
export const taqlColumn: ManagerKind = {
  serves: (type) => type === "VirtualTaQLColumn",
  readable: false,
  // deno-lint-ignore require-yield
  *open(context: ManagerContext): Plan<StorageManager> {
    const said = context.columns.map((bound) => {
      const parameters = new Parameters(context, bound);
      const style = parameters.optionalText("_VirtualTaQLEngine_Style") ?? "";
      const expression = parameters.text("_VirtualTaQLEngine_CalcExpr");
      return `column ${bound.name} is computed by the TaQL expression ${expression}` +
        (style === "" ? "" : ` (style ${style})`);
    });
    throw new TableError("UNSUPPORTED", `${said.join("; ")}: TaQL is not supported`, {
      file: context.pathOf("table.dat"),
    });
  },
};
