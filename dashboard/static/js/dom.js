// Makes nodes. Text goes in as text, never as HTML: most of it comes from telemetry and issues.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, options, children) {
  for (const [name, value] of Object.entries(options ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name === "css") for (const [key, length] of Object.entries(value)) node.style.setProperty(key, length);
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const $ = (id) => document.getElementById(id);
export const el = (tag, options, ...children) => fill(document.createElement(tag), options, children);
export const svg = (tag, options, ...children) => fill(document.createElementNS(SVG, tag), options, children);

export function link(text, url, options) {
  if (!/^https?:\/\//i.test(url ?? "")) return el("span", { text });
  return el("a", { text, href: url, target: "_blank", rel: "noreferrer noopener", ...options });
}

export const chip = (text, tone = "quiet", more = "") => el("span", { class: `chip tone-${tone} ${more}`, text });

export function panel(title, aside, ...children) {
  const heading = el("h2", { text: title });
  const side = typeof aside === "string" ? el("span", { class: "small", text: aside }) : aside;
  return el("section", { class: "glass panel", "aria-label": title }, el("header", null, heading, side), ...children);
}

export const empty = (title, text) => el("div", { class: "empty" }, el("strong", { text: title }), text ?? "");

export function facts(...rows) {
  return el("dl", { class: "facts-list" }, rows.filter(Boolean).map(([name, value]) => [
    el("dt", { text: name }),
    el("dd", { class: "num" }, value),
  ]));
}

// A table whose rows become cards on a narrow screen. Columns: [name, class]; cells are text or nodes.
export function table(caption, columns, rows, className = "") {
  const head = el("tr", null, columns.map(([name, kind]) => el("th", { scope: "col", class: kind, text: name })));
  const body = rows.map((cells) => el("tr", { id: cells.id }, cells.map((cell, index) => {
    const [name, kind] = columns[index];
    const label = { class: kind, "data-label": index ? name : null };
    return index ? el("td", label, cell) : el("th", { ...label, scope: "row" }, cell);
  })));
  return el("table", { class: className },
    el("caption", { class: "sr", text: caption }), el("thead", null, head), el("tbody", null, body));
}

// Replaces the content; focus, open details and scrolled boxes stay where they were, found again by `data-key`.
export function replace(container, ...nodes) {
  const active = document.activeElement;
  const focused = container.contains(active) ? active.dataset.key : null;
  const open = [...container.querySelectorAll("details[data-key]")].filter((each) => each.open).map((each) => each.dataset.key);
  const scrolled = new Map([...container.querySelectorAll(".scroll[data-key]")].map((each) => [each.dataset.key, [each.scrollLeft, each.scrollTop]]));
  container.replaceChildren(...nodes.flat(Infinity).filter(Boolean));
  const keyed = (key) => container.querySelector(`[data-key="${CSS.escape(key)}"]`);
  for (const key of open) { const found = keyed(key); if (found) found.open = true; }
  for (const [key, [left, top]] of scrolled) { const found = keyed(key); if (found) found.scrollTo(left, top); }
  if (focused) keyed(focused)?.focus({ preventScroll: true });
}
