// How incidents went, by kind of failure.

import { read } from "./api.js";
import { el, empty, panel, replace, table } from "./dom.js";
import { ago, duration, number, percent, plural, sentence } from "./format.js";

const COLUMNS = [["failure", ""], ["incidents", "num"], ["resolved", "num"], ["escalated", "num"], ["from memory", "num"],
  ["detect", "num"], ["acknowledge", "num"], ["mitigate", "num"], ["resolve", "num"], ["best – worst", "num"], ["last", "num"]];

function cells(row) {
  const range = row.best_ttr_s === null ? "–" : `${duration(row.best_ttr_s)} – ${duration(row.worst_ttr_s)}`;
  return [
    el("div", { class: "stack" }, el("a", { class: "wrap", href: `#/incidents/${encodeURIComponent(row.last_id)}`, "data-key": row.signature, text: sentence(row.failure || "not named yet") }),
      el("span", { class: "small subtle wrap", text: row.service ?? "no service named" })),
    number(row.incidents), `${row.resolved} (${percent(row.resolved, row.incidents)})`, String(row.escalated), String(row.from_memory),
    duration(row.mttd_s), duration(row.mtta_s), duration(row.mttm_s), duration(row.mttr_s), range, ago(row.last)];
}

export function scorecard({ section }) {
  const body = el("div");
  section.append(
    el("div", { class: "hero" }, el("div", null, el("h1", { text: "Scorecard" }),
      el("p", { text: "How every kind of failure was dealt with, measured on the incidents themselves. Incidents that chaos experiments caused are among them; the verdicts of the runs are in their job summaries, not here." }))),
    body);
  return {
    async refresh() {
      const card = await read("/api/scorecard?days=90");
      const left = card.signatures - card.rows.length;
      replace(body, panel("By failure signature", `the last ${card.days} days${left > 0 ? `, the ${card.rows.length} most frequent of ${card.signatures}` : ""}`,
        card.rows.length ? el("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "Scorecard", "data-key": "score" }, table("Means by failure signature", COLUMNS, card.rows.map(cells), "cards"))
          : empty("Nothing to score yet", "The first incident makes the first row."),
        card.rows.length ? el("p", { class: "note", text: `Means over ${plural(card.rows.reduce((sum, row) => sum + row.incidents, 0), "incident")}: from onset, but “acknowledge” from detection; an incident counts in a mean once it has come that far.` }) : null));
    },
  };
}
