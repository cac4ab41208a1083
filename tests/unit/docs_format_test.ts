/** The pages on the table format name source files and tests that are there. */
import assert from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url);
const PAGES = new URL("docs/format/", ROOT);
const MARK = "Held true by:";

/** Sections of a page: what follows each heading of the second level, which is the first line. */
function sectionsOf(page: string): string[] {
  return page.split(/^## /m).slice(1);
}

/** The last paragraph of a section, on one line. */
function lastParagraph(section: string): string {
  return section.trim().split(/\n\s*\n/).at(-1)!.replaceAll(/\s+/g, " ");
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(new URL(path, ROOT)).isFile;
  } catch {
    return false;
  }
}

/** The page of each part that comments cite, and the letter of its sections where pages share a part. */
const PARTS: Readonly<Record<string, string>> = {
  "1": "table-dat.md",
  "2": "standard-stman.md",
  "3A": "incremental-stman.md",
  "3B": "stman-aipsio.md",
  "3C": "stman-aipsio.md",
  "4": "tiled-stman.md",
  "5": "multifile.md",
  "6": "virtual-columns.md",
  "7": "dysco-stman.md",
};

/** Comments of a source file on one line each, so that what they cite isn't broken. */
function commentsOf(path: URL): string {
  return Deno.readTextFileSync(path).replaceAll(/\s*\n\s*(?:\*|\/\/)?\s*/g, " ");
}

function* sourceFiles(folder: URL): Generator<URL> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* sourceFiles(new URL(`${name}/`, folder));
    else if (/\.(ts|c|h)$/.test(name)) yield new URL(name, folder);
  }
}

/** Numbers of a page's headings, those of "4.1 to 4.3" and "1.1 and 1.2" one by one. */
function headingsOf(page: string): Set<string> {
  const found = new Set<string>();
  for (const [, text] of page.matchAll(/^#{2,3} (.+)$/gm)) {
    const range = text!.match(/^(\w+)\.(\d+) (?:to|and) \1\.(\d+)/);
    if (range !== null) {
      for (let i = Number(range[2]); i <= Number(range[3]); i++) found.add(`${range[1]}.${i}`);
    } else found.add(text!.match(/^[A-C]?[\d.]*/)![0].replace(/\.$/, ""));
  }
  return found;
}

const pages = [...Deno.readDirSync(PAGES)].map(({ name }) => name).filter((name) => name.endsWith(".md"))
  .sort();

Deno.test("there are pages on the table format", () => assert(pages.length >= 8, pages.join()));

for (const name of pages) {
  const page = Deno.readTextFileSync(new URL(name, PAGES));

  Deno.test(`each section of docs/format/${name} says what holds it true: source files and tests that exist`, () => {
    const sections = sectionsOf(page);
    assert(sections.length > 0);
    let named = 0;
    for (const section of sections) {
      const where = `${name}, section "${section.split("\n")[0]}"`;
      const line = lastParagraph(section);
      assert(line.startsWith(MARK), `${where} has no last line "${MARK}"`);
      const paths = [...line.matchAll(/`([^`]+)`/g)].map((match) => match[1]!);
      assert(paths.some((path) => path.startsWith("src/")), `${where} names no source file`);
      assert(paths.some((path) => path.startsWith("tests/")), `${where} names no test`);
      for (const path of paths) assert(isFile(path), `${where} names ${path}, which isn't there`);
      named++;
    }
    assert.equal(page.split(MARK).length - 1, named, `${name} has "${MARK}" elsewhere`);
  });

  Deno.test(`links of docs/format/${name} lead to files`, () => {
    for (const [, target] of page.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
      assert(isFile(new URL(target!, new URL(name, PAGES)).href), target);
    }
  });
}

Deno.test("sections of the format reference that comments in the source cite are in the pages", () => {
  const CITED =
    /reference,? part (\d),? sections? ([A-C]?\d[\d.]*|[A-C]\b)((?:,? (?:to|and) |, )[A-C]?\d[\d.]*)*/gi;
  let cited = 0;
  for (const file of [...sourceFiles(new URL("src/", ROOT)), ...sourceFiles(new URL("ffi/", ROOT))]) {
    for (const [whole, part] of commentsOf(file).matchAll(CITED)) {
      for (const [number] of whole.slice(whole.search(/section/i)).matchAll(/\b[A-C]?\d[\d.]*|\b[A-C]\b/g)) {
        const section = number.replace(/\.$/, ""), letter = /^[A-C]/.test(section) ? section[0]! : "";
        // The README is section 0 of part 1.
        if (part === "1" && section === "0") continue;
        const page = PARTS[part! + letter];
        assert(page !== undefined, `${file.pathname} cites "${whole}", a part that no page has`);
        const headings = headingsOf(Deno.readTextFileSync(new URL(page, PAGES)));
        const parent = section.split(".")[0]!;
        assert(
          headings.has(section) || headings.has(parent),
          `${file.pathname}: ${whole}: ${page} has no ${section}`,
        );
        cited++;
      }
    }
  }
  assert(cited > 100, `${cited} citations`);
});
