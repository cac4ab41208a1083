/**
 * Class names of engines, as `table.dat` has them: format reference part 6, section 1.1.
 *
 * | class name | arguments |
 * | --- | --- |
 * | `CompressFloat` | none |
 * | `ScaledArrayEngine<float   ,Short   >` | virtual type S, stored type T; names padded to 8 characters |
 * | `BitFlagsEngine<uChar   ` | stored type T; no closing bracket |
 * | `RetypedArrayEngine<StokesVector,float   >` | an application's own class, stored type T |
 */
import { type DType, DTYPES, isNumeric, type NumericType, paddedName } from "../../array/dtype.ts";

const BY_NAME = new Map<string, DType>(DTYPES.map((dtype) => [paddedName(dtype).trimEnd(), dtype]));

/** The data type of a padded name, e.g. `Short   `; undefined for a class of an application's own. */
export function dtypeOfName(name: string): DType | undefined {
  return BY_NAME.get(name.trimEnd());
}

/** The arguments of a class name, split at the last comma; undefined when the name before them is another. */
export function templateArguments(type: string, engine: string): string[] | undefined {
  if (!type.startsWith(`${engine}<`)) return undefined;
  const inner = type.slice(engine.length + 1);
  const text = inner.endsWith(">") ? inner.slice(0, -1) : inner;
  const comma = text.lastIndexOf(",");
  return comma < 0 ? [text] : [text.slice(0, comma), text.slice(comma + 1)];
}

/** The virtual and the stored type of `engine<S,T>`; undefined when they are no numeric types. */
export function numericArguments(type: string, engine: string): [S: NumericType, T: NumericType] | undefined {
  const names = templateArguments(type, engine);
  if (names?.length !== 2) return undefined;
  const [virtual, stored] = names.map(dtypeOfName);
  if (virtual === undefined || stored === undefined || !isNumeric(virtual) || !isNumeric(stored)) {
    return undefined;
  }
  return [virtual, stored];
}
