// The evidence: one row for each item, with the ids that claims refer to.

import { el, panel, svg, table } from "./dom.js";
import { clock, percent } from "./format.js";

const COLUMNS = [["id", ""], ["kind", "subtle"], ["what it shows", "what"], ["", ""]];
const KINDS = { red: "requests", edge: "calls", signature: "error", version: "deploy" };
const WIDTH = 120;
const HEIGHT = 30;

// Requests as a line, failures as bars from below, both against the most requests of a tick.
function spark(series) {
  const highest = Math.max(...series.map((point) => point.requests), 1);
  const step = WIDTH / Math.max(series.length - 1, 1);
  const y = (value) => HEIGHT - (value / highest) * (HEIGHT - 2);
  const failed = series.reduce((sum, point) => sum + point.errors, 0);
  const all = series.reduce((sum, point) => sum + point.requests, 0);
  const label = `${clock(series[0].at)} to ${clock(series.at(-1).at)}: ${percent(failed, all)} of ${all} requests failed`;
  return svg("svg", { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label },
    svg("title", { text: label }),
    series.map((point, index) => point.errors > 0 && svg("rect", { x: index * step - step * 0.4, width: step * 0.8, y: y(point.errors), height: HEIGHT - y(point.errors) })),
    svg("polyline", { points: series.map((point, index) => `${(index * step).toFixed(1)},${y(point.requests).toFixed(1)}`).join(" ") }));
}

function stack(frames) {
  return el("details", { "data-key": `f-${frames[0].path}-${frames[0].function}` },
    el("summary", { class: "small muted", text: "own frames, innermost first" }),
    el("ol", { class: "mono wrap" }, frames.map((frame) => el("li", { text: `${frame.path}${frame.line === null ? "" : `:${frame.line}`} in ${frame.function}` }))));
}

export function evidence(detail) {
  const { evidence: items, evidence_dropped: dropped } = detail;
  if (!items.length) return panel("Evidence", "", el("p", { class: "muted", text: "There is no telemetry that goes with this incident yet." }));
  const rows = items.map((item) => {
    const what = el("div", null, item.text, item.frames.length ? stack(item.frames) : null);
    const cells = [item.id, KINDS[item.kind] ?? item.kind, what, item.series.length > 1 ? spark(item.series) : ""];
    return Object.assign(cells, { id: `evidence-${item.id}` });
  });
  return panel("Evidence", `${items.length} items${dropped ? `, ${dropped} more did not fit` : ""}`, table("Evidence", COLUMNS, rows, "evidence cards"));
}
