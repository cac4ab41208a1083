/** Real tables that Debian packages install, for comparisons on data that nobody made for a test. */

/** Packages that hold tables. */
const PACKAGES = [
  "python3-casa-formats-io",
  "casacore-data",
  "casacore-data-igrf",
  "casacore-data-jpl-de200",
  "casacore-data-jpl-de405",
  "casacore-data-lines",
  "casacore-data-observatories",
  "casacore-data-sources",
  "casacore-data-tai-utc",
];

/** Where packages put tables that they make or fetch when they are installed. */
const FOLDERS = ["/usr/share/casacore/data", "/var/lib/casacore/data"];

/**
 * Paths of the tables (folders with a `table.dat` and its data) that are installed here, sorted, subtables too.
 * Packages also hold a `table.dat` alone, as a test of reading headers; that is in {@linkcode headersOnly}.
 */
export function realTables(): string[] {
  return installed().filter(hasData);
}

/** Paths of installed tables whose data files were left out. */
export function headersOnly(): string[] {
  return installed().filter((table) => !hasData(table));
}

function installed(): string[] {
  const found = new Set<string>();
  for (const file of packageFiles()) {
    if (file.endsWith("/table.dat") && isTable(file)) found.add(Deno.realPathSync(file.slice(0, -10)));
  }
  for (const folder of FOLDERS) walk(folder, found, 8);
  return [...found].sort();
}

function hasData(table: string): boolean {
  return [...Deno.readDirSync(table)].some((entry) => /^table\.(f\d|mf)/.test(entry.name));
}

/** Installed storage manager files without a table around them (headers of images with large cubes, for tests). */
export function looseManagerFiles(): string[] {
  return packageFiles().filter((file) => {
    return /\/table\.f\d+$/.test(file) && !exists(`${file.slice(0, file.lastIndexOf("/"))}/table.dat`);
  }).sort();
}

function packageFiles(): string[] {
  try {
    const { stdout } = new Deno.Command("dpkg", { args: ["-L", ...PACKAGES], stderr: "null" }).outputSync();
    return new TextDecoder().decode(stdout).split("\n").filter((line) => line.startsWith("/"));
  } catch {
    return []; // not Debian
  }
}

function walk(folder: string, found: Set<string>, depth: number): void {
  if (depth === 0 || !exists(folder)) return;
  if (isTable(`${folder}/table.dat`)) found.add(Deno.realPathSync(folder));
  for (const entry of Deno.readDirSync(folder)) {
    if (entry.isDirectory || entry.isSymlink && isFolder(`${folder}/${entry.name}`)) {
      walk(`${folder}/${entry.name}`, found, depth - 1);
    }
  }
}

/** Other software has files called table.dat too: a table starts with the magic of AipsIO. */
function isTable(file: string): boolean {
  try {
    const bytes = Deno.readFileSync(file);
    return bytes.length > 4 && bytes.subarray(0, 4).every((byte) => byte === 0xbe);
  } catch {
    return false;
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
