// Exemplar traces as waterfalls: one lane for each span, in the order of their start below their parents.

import { chip, el, panel, svg } from "./dom.js";
import { milliseconds } from "./format.js";

const LANE = 30;
const LABEL = 250;
const WIDTH = 900;
const TIME = 76;
const TEXT_MAX = 34;

const shortened = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

// Spans below their parents; a span whose parent was trimmed away starts a tree of its own.
function tree(spans) {
  const known = new Set(spans.map((span) => span.span_id));
  const children = new Map();
  for (const span of [...spans].sort((a, b) => a.offset_ms - b.offset_ms)) {
    const parent = known.has(span.parent_id) && span.parent_id !== span.span_id ? span.parent_id : null;
    children.set(parent, [...(children.get(parent) ?? []), span]);
  }
  const found = [];
  const seen = new Set();
  const walk = (parent, depth) => {
    for (const span of children.get(parent) ?? []) {
      if (seen.has(span.span_id)) continue;
      seen.add(span.span_id);
      found.push({ span, depth });
      walk(span.span_id, depth + 1);
    }
  };
  walk(null, 0);
  return found;
}

function lane({ span, depth }, index, from, scale) {
  const y = index * LANE;
  const x = LABEL + (span.offset_ms - from) * scale;
  const width = Math.max(3, span.duration_ms * scale);
  const label = `${span.service} ${span.operation} (${span.span_kind}): ${milliseconds(span.duration_ms)}, itself ${milliseconds(span.self_ms)}${span.error ? `, failed${span.note ? `: ${span.note}` : ""}` : ""}`;
  return svg("g", { role: "listitem", "aria-label": label }, svg("title", { text: label }),
    svg("line", { class: "lane", x1: 0, x2: WIDTH, y1: y + LANE, y2: y + LANE }),
    svg("text", { x: 4 + depth * 12, y: y + 19, text: shortened(`${span.service} · ${span.operation}`, TEXT_MAX - depth * 2) }),
    svg("rect", { class: `span ${span.error ? "failed" : ""}`, x, width, y: y + 8, height: 14, rx: 4 }),
    svg("text", { class: span.error ? "failed-text" : "dim", x: WIDTH - 4, y: y + 19, "text-anchor": "end", text: milliseconds(span.duration_ms) }));
}

function waterfall(trace) {
  const rows = tree(trace.spans);
  const from = Math.min(...trace.spans.map((span) => span.offset_ms));
  const length = Math.max(...trace.spans.map((span) => span.offset_ms + span.duration_ms)) - from;
  const scale = (WIDTH - LABEL - TIME) / Math.max(length, 0.001);
  const notes = trace.spans.filter((span) => span.error && span.note);
  return el("div", { class: "stack" },
    el("div", { class: "row small" }, chip(trace.why, trace.why === "error" ? "bad" : "warn"), el("span", { class: "ids", text: trace.id }),
      el("code", { text: trace.trace_id }), el("span", { class: "push num subtle", text: `${milliseconds(length)}, ${trace.spans.length} spans` })),
    el("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": `Trace ${trace.id}`, "data-key": `trace-${trace.id}` },
      svg("svg", { class: "waterfall", viewBox: `0 0 ${WIDTH} ${rows.length * LANE + 2}`, role: "list", "aria-label": `Spans of trace ${trace.id}` },
        rows.map((row, index) => lane(row, index, from, scale)))),
    notes.length ? el("ul", { class: "stack small" }, notes.map(({ service, note }) => el("li", { class: "wrap" }, el("strong", { text: service }), `: ${note}`))) : null);
}

export function waterfalls(detail) {
  const traces = detail.traces.filter((trace) => trace.spans.length);
  if (!traces.length) return null;
  return panel(traces.length === 1 ? "Exemplar trace" : "Exemplar traces", "from the evidence", el("div", { class: "stack", css: { gap: "22px" } }, traces.map(waterfall)));
}
