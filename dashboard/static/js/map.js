// The service graph as Scout sees it now. Without an answer of Scout there is no map.

import { el, empty, svg } from "./dom.js";
import { duration, milliseconds, percent } from "./format.js";
import { layers } from "./layout.js";

const NODE = { width: 184, height: 54, across: 22, down: 52 };
const NAME_MAX = 20;
const STALE_S = 60;
const ERROR_RATIO_BAD = 0.05;
const MOST = 60; // more nodes than that nobody can read, and laying them out would hold the page up

export function tone(summary) {
  if (!summary || !summary.requests) return "quiet";
  return summary.errors / summary.requests >= ERROR_RATIO_BAD ? "bad" : summary.errors ? "warn" : "good";
}

function said(summary) {
  if (!summary) return "not instrumented";
  if (!summary.requests) return "no traffic";
  const p95 = summary.p95_ms === null ? "" : ` · p95 ${milliseconds(summary.p95_ms)}`;
  return `${percent(summary.errors, summary.requests)} failed${p95}`;
}

const shortened = (name) => (name.length > NAME_MAX ? `${name.slice(0, NAME_MAX - 1)}…` : name);

function node(name, summary, x, y) {
  const label = `${name}: ${said(summary)}`;
  return svg("g", { class: `tone-${tone(summary)}`, transform: `translate(${x} ${y})`, role: "listitem", "aria-label": label },
    svg("title", { text: label }),
    svg("rect", { class: `node ${summary ? "" : "outside"}`, width: NODE.width, height: NODE.height, rx: 15 }),
    svg("circle", { cx: 17, cy: 20, r: 4.5, fill: "var(--tone)" }),
    svg("text", { x: 29, y: 24.5, text: shortened(name) }),
    svg("text", { class: `fact ${tone(summary) === "bad" ? "hot" : ""}`, x: 15, y: 42, text: said(summary) }));
}

function edge(from, to) {
  const [x1, y1] = [from.x + NODE.width / 2, from.y + NODE.height];
  const [x2, y2] = [to.x + NODE.width / 2, to.y - 7];
  if (y2 <= y1) { // back up: a circle in the graph
    const side = Math.max(from.x, to.x) + NODE.width + 18;
    const [top, bottom] = [to.y + NODE.height / 2, from.y + NODE.height / 2];
    return svg("path", { class: "edge", d: `M${from.x + NODE.width} ${bottom} C${side} ${bottom} ${side} ${top} ${to.x + NODE.width + 7} ${top}`, "marker-end": "url(#arrow)" });
  }
  if (y2 - y1 > NODE.down) { // past other rows: sideways at once, then down, so as not to be hidden behind their nodes
    return svg("path", { class: "edge", d: `M${x1} ${y1} C${x1} ${y1 + NODE.down} ${x2} ${y1} ${x2} ${y1 + NODE.down} L${x2} ${y2}`, "marker-end": "url(#arrow)" });
  }
  const bend = (y2 - y1) / 2;
  return svg("path", { class: "edge", d: `M${x1} ${y1} C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`, "marker-end": "url(#arrow)" });
}

// Of very many services: those that fail, then the busiest. What sends nothing itself counts as all that call it.
function foremost(names, services, edges) {
  if (names.length <= MOST) return names;
  const calls = new Map(names.map((name) => [name, services[name] ?? { requests: 0, errors: 0 }]));
  for (const [from, to] of edges) {
    if (services[to] || !services[from]) continue;
    const { requests, errors } = calls.get(to);
    calls.set(to, { requests: requests + services[from].requests, errors: errors + services[from].errors });
  }
  const fails = (name) => tone(calls.get(name)) === "bad";
  return [...names].sort((a, b) => fails(b) - fails(a) || calls.get(b).requests - calls.get(a).requests || a.localeCompare(b)).slice(0, MOST);
}

export function mapFigure(system, { small = false } = {}) {
  if (system === undefined) return empty("Asking Scout …");
  if (!system?.scout) return empty("The map is not known now", system?.scout_error ?? "The health of the system could not be read.");
  const { services, edges: calls } = system.scout;
  const all = [...new Set([...Object.keys(services), ...calls.flat()])];
  const names = foremost(all, services, calls);
  const edges = calls.filter((ends) => ends.every((name) => names.includes(name)));
  const age_s = (Date.parse(system.at) - Date.parse(system.scout.watermark ?? system.at)) / 1000;
  const isOld = age_s > STALE_S;
  if (!names.length) return empty("No service yet", "Send telemetry to Scout, and the services that call each other are drawn here.");
  const rows = layers(names, edges);
  const widest = Math.max(...rows.map((row) => row.length));
  const width = Math.max(small ? 380 : 460, widest * (NODE.width + NODE.across) - NODE.across + 40);
  const height = rows.length * (NODE.height + NODE.down) - NODE.down + 24;
  const places = new Map();
  rows.forEach((row, level) => row.forEach((name, index) => places.set(name, {
    x: width / 2 - (row.length * (NODE.width + NODE.across) - NODE.across) / 2 + index * (NODE.width + NODE.across),
    y: 10 + level * (NODE.height + NODE.down),
  })));
  const arrow = svg("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 6, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" },
    svg("path", { class: "arrow", d: "M0 0L8 4L0 8z" }));
  const shown = (name) => (isOld && services[name] ? { ...services[name], requests: 0 } : services[name]);
  const drawn = svg("svg", { class: "map", viewBox: `0 0 ${width} ${height}`, role: "list", "aria-label": "Services and whom they call" },
    svg("defs", null, arrow),
    edges.filter(([from, to]) => from !== to).map(([from, to]) => edge(places.get(from), places.get(to))),
    names.map((name) => node(name, shown(name), places.get(name).x, places.get(name).y)));
  drawn.style.setProperty("min-width", `${Math.min(width, small ? 280 : width * 0.72)}px`);
  drawn.style.setProperty("max-width", `${width * 1.15}px`);
  drawn.style.setProperty("margin-inline", "auto");
  const old = isOld ? el("p", { class: "tone-warn toned small", text: `Telemetry stopped ${duration(age_s)} ago. These are the services that were seen before.` }) : null;
  const more = all.length > names.length
    ? el("p", { class: "small muted", text: `${names.length} of ${all.length} are drawn: those that fail, then the busiest.` }) : null;
  return el("div", { class: "stack" }, old, more, el("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "Service map", "data-key": "map" }, drawn));
}
