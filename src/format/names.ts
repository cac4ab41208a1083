/**
 * How a table's `table.dat` names other tables: format reference part 1, section 4.4. Paths in, paths out; no file is
 * looked at, so links aren't followed.
 *
 * P is the absolute path of the directory whose `table.dat` holds the name.
 *
 * | table | stored name |
 * | --- | --- |
 * | P/rest | `././rest` |
 * | P = table/rest | `rest/.` |
 * | dirname(P)/rest | `./rest` |
 * | any other | its absolute path |
 *
 * Tables that stand directly in the root directory are named by their absolute path.
 */

/**
 * The name under which `table.dat` of the table in `directory` stores the table in `path`.
 *
 * @param directory Absolute path of the table that names the other.
 * @param path Absolute path of the table that is named.
 */
export function storedName(directory: string, path: string): string {
  const name = normalize(path), home = normalize(directory);
  if (name.startsWith(`${home}/`)) return `././${name.slice(home.length + 1)}`;
  if (home.startsWith(`${name}/`)) return `${home.slice(name.length + 1)}/.`;
  const parent = parentOf(home);
  if (parent !== "" && name.startsWith(`${parent}/`)) return `./${name.slice(parent.length + 1)}`;
  return name;
}

/**
 * The path that a stored name means. Names that aren't stored relative to the table come back as they are: absolute,
 * or relative to the working directory, perhaps with `~` or `$NAME`, which the caller expands as it likes.
 *
 * @param directory Absolute path of the table that names the other.
 * @param stored The name as it stands in the file.
 */
export function resolveStoredName(directory: string, stored: string): string {
  const home = normalize(directory);
  let rest = stored;
  let dots = 0;
  while (rest.startsWith("./")) {
    rest = rest.slice(2);
    dots++;
  }
  if (dots === 1) return normalize(`${parentOf(home)}/${rest}`);
  if (dots > 1) return normalize(`${home}/${rest}`);
  if (stored.endsWith("/.")) {
    const ending = `/${stored.slice(0, -2)}`;
    if (ending.length > 1 && home.endsWith(ending) && home.length > ending.length) {
      return home.slice(0, -ending.length);
    }
  }
  return stored;
}

/** True when an absolute path is `tree` or lies below it, after `.` and `..` are taken out of both. */
export function isWithin(tree: string, path: string): boolean {
  if (!path.startsWith("/")) return false;
  const inner = normalize(path), outer = normalize(tree);
  return inner === outer || outer === "/" || inner.startsWith(`${outer}/`);
}

/** An absolute path without `.`, `..`, doubled and trailing slashes. */
export function normalize(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** The directory that a normalised path stands in; "" for the root directory. */
function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}
