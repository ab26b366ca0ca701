// One incident: its clocks, its OODA timeline, the cause with evidence, the fix, and whether it worked.

import { read } from "./api.js";
import { cause } from "./cause.js";
import { chip, el, link, panel, replace } from "./dom.js";
import { evidence } from "./evidence.js";
import { fix } from "./fix.js";
import { duration, isOver, moment, severityTone, stageTone, words } from "./format.js";
import { recovery } from "./recovery.js";
import { legend, phaseBar, timeline } from "./timeline.js";
import { waterfalls } from "./waterfall.js";

const CLOCKS = [
  ["ttd_s", "Time to detect", "onset to detection"],
  ["tta_s", "Time to acknowledge", "detection to first owner"],
  ["ttm_s", "Time to mitigate", "onset to impact stopped"],
  ["ttr_s", "Time to resolve", "onset to verified recovery"],
];

function hero(detail) {
  const { card } = detail;
  const links = [
    card.issue_url && link(`Issue #${card.issue} ↗`, card.issue_url, { class: "button", "data-key": "issue" }),
    card.pull_request_url && link(`Pull request #${card.pull_request} ↗`, card.pull_request_url, {
      class: `button ${card.stage === "awaiting_approval" ? "primary" : ""}`, "data-key": "pull",
    }),
  ];
  return el("div", { class: "hero" },
    el("div", { class: "stack" },
      el("a", { href: "#/", class: "small", text: "← Incidents", "data-key": "back" }),
      el("h1", { class: "wrap", text: card.title }),
      el("div", { class: "row" },
        chip(words(card.stage), stageTone(card.stage), "dot"),
        chip(card.severity, severityTone(card.severity)),
        card.service && chip(card.service),
        card.environment !== "default" && chip(card.environment),
        card.from_memory && chip("fix from memory", "violet")),
      el("p", { class: "small wrap num", text: `${card.repository} · since ${moment(card.onset)} · opened by ${detail.opened_by}` })),
    el("div", { class: "row" }, links));
}

function clocks(detail) {
  const { card } = detail;
  const waits = isOver(card.stage) ? "did not come to it" : "not yet";
  return el("dl", { class: "times glass", "aria-label": "Times" }, CLOCKS.map(([field, name, meaning]) => el("div", { title: meaning },
    el("dt", { text: name }),
    el("dd", { class: card[field] === null ? "none" : "num", text: card[field] === null ? waits : duration(card[field]) }))));
}

function waitsFor(detail) {
  const { card, plan } = detail;
  if (card.stage === "awaiting_info") return notice("This incident waits for a person to name the service, on its issue.");
  if (card.stage !== "awaiting_approval") return null;
  const needed = plan?.approvals_needed;
  const who = needed ? ` ${needed === 1 ? "One approval" : `${needed} approvals`} by people with ${plan.permission} permission ${needed === 1 ? "is" : "are"} needed, ${detail.approvals.length} given.` : "";
  return notice(`Waiting for /approve on GitHub.${who}`);
}

const notice = (text) => el("div", { class: "glass panel" }, el("p", { class: "tone-warn toned", text }));

function anomalies(detail) {
  if (!detail.anomalies.length) return null;
  return panel("What Scout noticed", `${detail.anomalies.length}`, el("ul", { class: "stack" }, detail.anomalies.map((found) => el("li", { class: "stack" },
    el("div", { class: "row small" }, el("strong", { class: "wrap", text: found.key.service }), el("code", { text: found.key.operation }), chip(found.state, found.state === "closed" ? "good" : "quiet")),
    el("span", { class: "small muted wrap", text: found.reason })))));
}

export function incident({ section, id, retitle }) {
  let shown = "";
  section.append(el("div", { class: "hero" }, el("h1", { text: "Incident" })));
  return {
    async refresh() {
      let detail;
      try {
        detail = await read(`/api/incidents/${encodeURIComponent(id)}`);
      } catch (error) {
        if (error.status !== 404) throw error;
        replace(section, el("div", { class: "hero" }, el("div", { class: "stack" },
          el("h1", { text: "No such incident" }), el("p", { class: "wrap", text: id }), el("a", { href: "#/", text: "← Incidents" }))));
        return;
      }
      const text = JSON.stringify(detail);
      if (text === shown) return;
      shown = text;
      retitle(detail.card.title);
      replace(section, hero(detail), waitsFor(detail), clocks(detail), el("div", { class: "columns incident" },
        el("div", null, panel("Timeline", "observe, orient, decide, act", phaseBar(detail), legend(detail), timeline(detail)), anomalies(detail)),
        el("div", null, cause(detail), fix(detail), recovery(detail), evidence(detail), waterfalls(detail))));
    },
  };
}
