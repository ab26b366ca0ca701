// The first page: what is open, what waits for a person, how fast incidents are dealt with, and the list.

import { read } from "./api.js";
import { chip, el, empty, link, panel, replace } from "./dom.js";
import { ago, plural } from "./format.js";
import { incidentList } from "./list.js";
import { mapFigure } from "./map.js";
import { tiles } from "./tiles.js";

const SPANS = [["1", "24 hours"], ["7", "7 days"], ["30", "30 days"]];

function headline(data) {
  if (!data.total) return "No incident yet";
  if (!data.open) return "All incidents have ended";
  return `${plural(data.open, "incident")} open`;
}

function subline(data, system) {
  const parts = [];
  if (data.waiting.length) parts.push(`${plural(data.by_stage.awaiting_approval ?? 0, "fix waits", "fixes wait")} for approval`);
  if (data.total) parts.push(`${plural(data.resolved, "incident")} resolved of ${data.total}`);
  if (system?.scout) {
    const services = Object.keys(system.scout.services).length;
    parts.push(services ? `Scout watches ${plural(services, "service")}` : "Scout has seen no service yet");
  } else if (system) {
    parts.push("Scout does not answer");
  }
  return parts.join(" · ");
}

function waitingPanel(data) {
  const items = data.waiting.map((card) => el("li", null,
    el("a", { class: "wrap", href: `#/incidents/${encodeURIComponent(card.id)}`, "data-key": `w-${card.id}`, text: card.title }),
    el("div", { class: "row small subtle" },
      el("span", { text: card.repository, class: "wrap" }),
      el("span", { text: `since ${ago(card.updated).replace(" ago", "")}` })),
    el("div", { class: "row" },
      card.pull_request_url && link(`Review #${card.pull_request} on GitHub ↗`, card.pull_request_url, { class: "button primary", "data-key": `wp-${card.id}` }),
      card.issue_url && link(`Issue #${card.issue} ↗`, card.issue_url, { class: "button", "data-key": `wi-${card.id}` }))));
  const all = data.by_stage.awaiting_approval ?? 0;
  return panel("Waiting for approval", all > items.length ? `the ${items.length} oldest of ${all}` : String(all || ""),
    items.length ? el("ul", { class: "waiting" }, items) : empty("Nothing waits", "A fix that needs a person's /approve is shown here."));
}

export function suspectsPanel(system) {
  if (!system?.scout?.suspects.length) return null;
  return panel("Scout is watching", "suspected, not confirmed", el("ul", { class: "stack" },
    system.scout.suspects.slice(0, 6).map((found) => el("li", { class: "stack" },
      el("div", { class: "row" }, chip(found.key.service, "warn", "dot"), el("code", { text: found.key.operation })),
      el("span", { class: "small muted wrap", text: found.reason })))));
}

export function overview({ section }) {
  const state = { days: "7", system: undefined, data: null };
  try { state.days = localStorage.getItem("days") ?? "7"; } catch { /* storage is switched off */ }
  if (!SPANS.some(([days]) => days === state.days)) state.days = "7";

  const title = el("h1", { text: "Incidents" });
  const line = el("p", { class: "num", text: "Loading …" });
  const times = el("div", { class: "tiles" });
  const spans = el("div", { class: "segments", role: "group", "aria-label": "Times over the last" }, SPANS.map(([days, text]) =>
    el("button", { type: "button", "data-days": days, "aria-pressed": String(days === state.days), text, onclick: () => choose(days) })));
  const aside = el("div", { class: "waiting-column" });
  const watching = el("div");
  const graph = el("div");
  const list = incidentList();
  const columns = el("div", { class: "columns overview" }, aside, el("div", { class: "main-column" }, list.node), el("div", { class: "side-column" }, watching, graph));
  section.append(
    el("div", { class: "hero" }, el("div", null, title, line), spans),
    times,
    columns);

  async function choose(days) {
    state.days = days;
    try { localStorage.setItem("days", days); } catch { /* as above */ }
    for (const button of spans.children) button.setAttribute("aria-pressed", String(button.dataset.days === days));
    await drawTimes();
  }

  async function drawTimes() {
    const asked = state.days;
    const trend = await read(`/api/trend?days=${asked}`);
    if (asked === state.days) replace(times, tiles(trend, SPANS.find(([days]) => days === asked)[1]));
  }

  async function drawOverview() {
    const data = state.data = await read("/api/overview?limit=1");
    drawHead();
    replace(aside, waitingPanel(data));
    columns.classList.toggle("waits", data.waiting.length > 0);
  }

  function drawHead() {
    if (!state.data) return;
    title.textContent = headline(state.data);
    line.textContent = subline(state.data, state.system);
  }

  return {
    refresh: () => Promise.all([drawOverview(), drawTimes(), list.refresh()]),
    system(found) {
      state.system = found;
      drawHead();
      replace(watching, suspectsPanel(found));
      replace(graph, panel("Service map", found?.scout ? "the last minute" : "", mapFigure(found, { small: true })));
    },
    tick: () => list.tick(),
  };
}

