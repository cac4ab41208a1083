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
