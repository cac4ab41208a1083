/**
 * `table doctor`: what works on this machine, what doesn't, and why.
 */
import type { Command } from "commander";
import { library, libraryStatus, retryLibrary } from "../../ffi/binding.ts";
import { buildLibrary } from "../../ffi/build.ts";
import { environment, type LibraryPlace, treeFolder } from "../../ffi/paths.ts";
import { type BackendReport, backendReport } from "../io/backends.ts";
import { shortPath } from "./failure.ts";
import { jsonText } from "./json.ts";
import { layout, styled } from "./layout.ts";
import type { Terminal } from "./terminal.ts";
import { cut, pad, visible } from "./text.ts";
import { VERSION } from "./version.ts";
import { printLines } from "./write.ts";

interface DoctorOptions {
  readonly build?: true;
  readonly json?: true;
}

const PERMISSIONS = {
  read: "tables can't be read without it",
  write: "tables can't be written without it",
  ffi: "the C library can't be loaded without it",
  env: "CC, HOME and XDG_CACHE_HOME can't be read without it",
  run: "the C library can't be built without it",
} as const;

type PermissionName = keyof typeof PERMISSIONS;

interface Compiler {
  readonly command: string;
  /** What it calls itself; null when it can't be run. */
  readonly version: string | null;
  readonly reason: string;
}

function stateOf(name: PermissionName): Deno.PermissionState {
  return Deno.permissions.querySync({ name }).state;
}

/** The compiler that a build would use. Never prompts. */
function findCompiler(): Compiler {
  const words = (environment("CC") ?? "").split(/\s+/).filter((word) => word !== "");
  const [program = "cc", ...args] = words;
  const command = [program, ...args].join(" ");
  if (Deno.permissions.querySync({ name: "run", command: program }).state !== "granted") {
    return { command, version: null, reason: "no permission to run it: expected --allow-run" };
  }
  try {
    const { success, stdout } = new Deno.Command(program, { args: [...args, "--version"], stderr: "null" })
      .outputSync();
    const [version = ""] = new TextDecoder().decode(stdout).split("\n");
    return success
      ? { command, version, reason: "" }
      : { command, version: null, reason: "it fails on --version" };
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound;
    return {
      command,
      version: null,
      reason: missing ? "not found" : error instanceof Error ? error.message : String(error),
    };
  }
}

/** How tables are locked against other processes, and whether that can be done. */
function locking(): { works: boolean; text: string } {
  const loaded = library();
  if (loaded === null) {
    return {
      works: false,
      text: 'needs the C library; without it tables are written only with lock: "none"',
    };
  }
  const owner = loaded.descriptionLocks ? "the open file" : "the process";
  return { works: true, text: `byte ranges, as casacore does; a lock belongs to ${owner}` };
}

function examine(built: string | undefined) {
  const backends = backendReport();
  return {
    version: VERSION,
    deno: Deno.version.deno,
    os: Deno.build.os,
    arch: Deno.build.arch,
    library: { ...libraryStatus(), ...(built === undefined ? {} : { built }) },
    compiler: findCompiler(),
    locking: locking(),
    auto: backends.find((backend) => backend.auto)?.name ?? null,
    autoWriting: backends.find((backend) => backend.autoWriting)?.name ?? null,
    backends,
    permissions: Object.fromEntries(
      (Object.keys(PERMISSIONS) as PermissionName[]).map((name) => [name, stateOf(name)]),
    ) as Record<PermissionName, Deno.PermissionState>,
  };
}

type Examination = ReturnType<typeof examine>;

function libraryText({ library }: Examination): string {
  const path = visible(shortPath(library.path));
  if (library.loaded) return `loaded from ${path}`;
  return `not loaded: ${visible(library.reason)}${path === "" ? "" : ` (${path})`}`;
}

/** A backend's reason without what the lines above have said already. */
function reasonText({ library }: Examination, { name, reason }: { name: string; reason: string }): string {
  const short = reason.replace(`I/O backend ${name} `, "");
  const said = library.loaded ? ` from ${library.path}` : `: ${library.reason}`;
  return visible(short.replace(said, ""));
}

/** Whether a backend works, and for which mode of a table "auto" stands for it. */
function worksText({ works, auto, autoWriting }: BackendReport): string {
  if (!works) return "no";
  const modes = auto && autoWriting ? "auto" : auto ? "auto for r" : autoWriting ? "auto for rw" : "";
  return modes === "" ? "yes" : `yes, ${modes}`;
}

/** Words over lines, all but the first indented. */
function wrapped(label: string, text: string, width: number): string[] {
  const room = Math.max(20, width - LABEL_WIDTH);
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines.at(-1)!;
    const longer = last === "" ? word : `${last} ${word}`;
    if (longer.length <= room) lines[lines.length - 1] = longer;
    else if (last === "") lines[lines.length - 1] = cut(word, room, "middle");
    else lines.push(cut(word, room, "middle"));
  }
  return lines.map((line, i) => (pad(i === 0 ? label : "", LABEL_WIDTH) + line).trimEnd());
}

const LABEL_WIDTH = 12;

function lines(found: Examination, { width, color }: Terminal): string[] {
  const { compiler, locking, backends, permissions } = found;
  const names = Object.keys(permissions) as PermissionName[];
  const advice =
    found.library.loaded || compiler.version === null || found.library.reason.includes("doctor --build")
      ? []
      : wrapped("", "`table doctor --build` builds it", width);
  return [
    styled(`Tessera ${found.version}, Deno ${found.deno}, ${found.os} ${found.arch}`, "bold", color),
    "",
    ...wrapped("C library", libraryText(found), width),
    ...advice,
    ...wrapped(
      "compiler",
      compiler.version === null
        ? visible(`${compiler.command}: ${compiler.reason}`)
        : visible(compiler.version),
      width,
    ),
    ...wrapped("locks", locking.text, width),
    "",
    ...layout([
      { title: "backend", cells: backends.map((b) => b.name) },
      { title: "works", cells: backends.map(worksText) },
      { title: "why", cells: backends.map((b) => reasonText(found, b)), cut: "end", least: 20 },
    ], { width, color }),
    "",
    ...layout([
      { title: "permission", cells: names },
      { title: "state", cells: names.map((name) => permissions[name]) },
      {
        title: "",
        cells: names.map((name) => permissions[name] === "granted" ? "" : PERMISSIONS[name]),
        least: 20,
      },
    ], { width, color }),
  ];
}

/** True when files can be made in the folder; it is made if it isn't there. */
function writable(folder: string): boolean {
  try {
    Deno.mkdirSync(folder, { recursive: true });
    Deno.removeSync(Deno.makeTempFileSync({ dir: folder }));
    return true;
  } catch {
    return false;
  }
}

/** Builds into the source tree, or into the user's cache folder where that is absent or can't be written. */
async function build(): Promise<string> {
  const folder = treeFolder();
  const target: LibraryPlace = folder !== undefined && writable(folder) ? "tree" : "cache";
  const path = await buildLibrary({ target });
  retryLibrary();
  return path;
}

async function doctor(options: DoctorOptions, terminal: Terminal): Promise<void> {
  const built = options.build ? await build() : undefined;
  const found = examine(built);
  printLines(options.json ? [jsonText(found, 2)] : lines(found, terminal), terminal);
}

/** Adds the command. */
export function addDoctor(program: Command, terminal: Terminal): void {
  program.command("doctor")
    .description("say what works on this machine: I/O backends, C library, locks, permissions")
    .option("--build", "build the C library first, into the source tree or the user's cache folder")
    .option("--json", "as JSON, for programs")
    .addHelpText("after", "\nExample:\n  $ table doctor --build")
    .action((options: DoctorOptions) => doctor(options, terminal));
}
