// `node site.mjs FOLDER`: the documentation as static pages, which is what Vercel serves (docs/deploy.md says why only that).
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import MarkdownIt from "markdown-it";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const target = process.argv[2];
const pages = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", ...markdownBelow("docs")];
const markdown = new MarkdownIt({ html: false });

function markdownBelow(folder) {
  const found = readdirSync(join(root, folder), { recursive: true });
  return found.filter((name) => name.endsWith(".md")).map((name) => join(folder, name)).sort();
}

function pathOf(page) {
  return page === "README.md" ? "index.html" : page.replace(/\.md$/, ".html");
}

// Links between pages keep working: to a file that is a page they end in .html; a folder or source file stays as it is.
function withPageLinks(html, page) {
  return html.replace(/href="([^":#]+\.md)(#[^"]*)?"/g, (whole, link, hash) => {
    const linked = join(dirname(page), link);
    if (!pages.includes(linked)) return whole;
    return `href="${relative(dirname(page), pathOf(linked)).split(sep).join("/")}${hash ?? ""}"`;
  });
}

function titleOf(page) {
  return /^# (.+)$/m.exec(readFileSync(join(root, page), "utf8"))?.[1] ?? page;
}

function write(path, title, body) {
  const file = join(target, path);
  mkdirSync(dirname(file), { recursive: true });
  const style = `<link rel="stylesheet" href="/site.css">`;
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${markdown.utils.escapeHtml(title)}</title>${style}`;
  writeFileSync(file, `<!doctype html><html lang="en"><head>${head}</head><body><main>${body}</main></body></html>\n`);
}
for (const page of pages) {
  write(pathOf(page), titleOf(page), withPageLinks(markdown.render(readFileSync(join(root, page), "utf8")), page));
}
for (const folder of new Set(pages.map((page) => dirname(page)).filter((name) => name !== "."))) {
  const inside = pages.filter((page) => dirname(page) === folder);
  const list = inside.map((page) => `- [${titleOf(page)}](/${pathOf(page).split(sep).join("/")})`).join("\n");
  write(join(folder, "index.html"), folder, markdown.render(`# ${folder}\n\n${list}\n`));
}
copyFileSync(join(here, "site.css"), join(target, "site.css"));
