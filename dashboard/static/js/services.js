// Services: the graph, and each service's last minute.

import { chip, el, empty, panel, replace, table } from "./dom.js";
import { ago, milliseconds, number, percent } from "./format.js";
import { mapFigure, tone } from "./map.js";
import { suspectsPanel } from "./overview.js";

const COLUMNS = [["service", ""], ["state", ""], ["requests", "num"], ["failed", "num"], ["p50", "num"], ["p95", "num"], ["p99", "num"]];
const STATES = { good: "no failures", warn: "some failures", bad: "failing", quiet: "no traffic" };
const time = (value) => (value === null ? "–" : milliseconds(value));

function lastMinute(services) {
  const rows = Object.entries(services).map(([name, red]) => [
    el("span", { class: "wrap", text: name }), chip(STATES[tone(red)], tone(red), "dot"), number(red.requests),
    percent(red.errors, red.requests), time(red.p50_ms), time(red.p95_ms), time(red.p99_ms)]);
  return table("Services in the last minute", COLUMNS, rows, "cards");
}

export function services({ section }) {
  const title = el("h1", { text: "Services" });
  const line = el("p", { text: "Asking Scout …" });
  const body = el("div", { class: "columns" });
  section.append(el("div", { class: "hero" }, el("div", null, title, line)), body);
  return {
    refresh: async () => {},
    system(found) {
      const scout = found?.scout;
      line.textContent = !scout ? "Scout does not answer, so nothing is known about the services now."
        : scout.watermark ? `What telemetry showed in its last minute; the newest is from ${ago(scout.watermark)}.` : "Scout has received no telemetry yet.";
      const names = Object.keys(scout?.services ?? {});
      replace(body, el("div", null,
        panel("Service map", scout ? "who calls whom" : "", mapFigure(found)),
        suspectsPanel(found),
        scout && panel("Last minute", "", names.length ? lastMinute(scout.services) : empty("No service yet"))));
    },
  };
}
