/** The guide is true: every block of every page runs and prints what the page says; every page can be reached. */
import assert from "node:assert/strict";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { backendReport } from "../../mod.ts";
import { matches } from "../command-doc.ts";
import { temporaryFolder } from "../fixture.ts";
import { blocksOf, checkPrograms, guidePages, runPage } from "../guide-pages.ts";

const DOCS = new URL("../../docs/", import.meta.url);
const paths = guidePages();
/** Without the C library tables can't be locked. */
const native = backendReport().some(({ name, works }) => name === "pread" && works);

Deno.test("the guide has a page for each topic", () => assert(paths.length >= 12, `${paths.length} pages`));

for (const path of paths) {
  const name = basename(path), page = Deno.readTextFileSync(path);

  Deno.test({
    name: `blocks of docs/${path.slice(fileURLToPath(DOCS).length)} do what the page says`,
    ignore: Deno.build.os !== "linux" || !native,
    fn: async () => {
      const blocks = blocksOf(page);
      assert(blocks.length > 0);
      for (const { language, line } of blocks) {
        assert(
          ["ts", "console", "text"].includes(language),
          `line ${line}: nothing runs a block of "${language}"`,
        );
      }
      for (const { block, command, said, printed } of await runPage(page)) {
        if (!matches(printed, said)) {
          assert.deepEqual(
            printed,
            said,
            `${name}, block on line ${block.line}${command ? `: ${command}` : ""}`,
          );
        }
      }
    },
  });
}

Deno.test("programs of the guide have no type errors", async () => {
  using folder = temporaryFolder();
  await checkPrograms(paths, folder.path);
});

/** Files of a folder and those below it, as URLs. */
function* filesBelow(folder: URL): Generator<URL> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* filesBelow(new URL(`${name}/`, folder));
    else yield new URL(name, folder);
  }
}

/** Headings of a page, as links name them. */
function anchorsOf(page: string): Set<string> {
  return new Set(
    [...page.matchAll(/^#+ (.+)$/gm)].map(([, text]) =>
      text!.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")
    ),
  );
}

Deno.test("links of the documentation lead to files and headings, and docs/README.md to every page", () => {
  const reached = new Set<string>(), waiting = [new URL("README.md", DOCS).href];
  for (let href = waiting.pop(); href !== undefined; href = waiting.pop()) {
    if (reached.has(href)) continue;
    reached.add(href);
    const page = Deno.readTextFileSync(new URL(href)), where = fileURLToPath(href);
    for (const [, target, anchor] of page.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)) {
      const url = new URL(target!, href);
      assert(target === "" || Deno.statSync(url).isFile, `${where}: ${target}`);
      const of = target === "" ? new URL(href) : url;
      if (anchor !== undefined && of.pathname.endsWith(".md")) {
        assert(anchorsOf(Deno.readTextFileSync(of)).has(anchor), `${where}: ${target}#${anchor}`);
      }
      if (url.href.startsWith(DOCS.href) && url.pathname.endsWith(".md")) waiting.push(of.href);
    }
  }
  for (const { href } of filesBelow(DOCS)) {
    if (href.endsWith(".md")) {
      assert(reached.has(href), `docs/README.md doesn't lead to ${fileURLToPath(href)}`);
    }
  }
});
