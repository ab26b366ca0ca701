// The root-cause analysis: verdict, claims with their evidence, the suspect change, and the other candidates.

import { chip, el, empty, panel } from "./dom.js";
import { words } from "./format.js";

const TONES = { confirmed: "good", likely: "info", inconclusive: "warn" };
const SHOWN = 5;

export function ids(evidence) {
  return el("span", { class: "ids" }, evidence.map((id) => el("a", {
    href: `#evidence-${id}`, text: id, "data-key": `to-${id}`, "aria-label": `Evidence ${id}`,
    onclick: (event) => { // the address names the page, so a jump within it must not change it
      event.preventDefault();
      const row = document.getElementById(`evidence-${id}`);
      for (const each of document.querySelectorAll(".cited")) each.classList.remove("cited");
      row?.classList.add("cited");
      row?.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    },
  })));
}

const claims = (found) => found.map((claim) => el("li", null, el("span", null, `${claim.text} `, ids(claim.evidence))));

function candidate(found, best) {
  const share = best > 0 ? Math.max(0, found.score / best) : 0;
  return el("li", { class: "stack" },
    el("div", { class: "row" },
      el("strong", { class: "wrap", text: found.service }), el("span", { class: "muted", text: words(found.kind) }),
      el("span", { class: "push num subtle small", text: `score ${found.score.toFixed(2)}` })),
    el("div", { class: "track", "aria-hidden": "true" }, el("span", { css: { width: `${(share * 100).toFixed(1)}%` } })),
    el("details", { "data-key": `c-${found.service}-${found.kind}` },
      el("summary", { text: `${found.speaks_for.length} for, ${found.speaks_against.length} against` }),
      found.speaks_for.length ? el("ul", { class: "claims small" }, claims(found.speaks_for)) : null,
      found.speaks_against.length ? [el("h3", { text: "Against" }), el("ul", { class: "claims small" }, claims(found.speaks_against))] : null));
}

function memory(recalled) {
  if (!recalled) return null;
  const where = recalled.issue ? `issue #${recalled.issue}` : recalled.incident_id;
  const how = recalled.distance === null ? "its signature is the same" : `distance ${recalled.distance.toFixed(3)}`;
  return el("p", { class: "suspect" }, el("span", { class: "tone-violet toned", text: "From memory: " }), `the fix of ${where} is used again (${how}).`);
}

export function cause(detail) {
  const { diagnosis } = detail;
  if (!diagnosis) return panel("Root cause", "", empty("Not known yet", "Brain ranks the causes once Scout has confirmed the anomaly."));
  const best = diagnosis.candidates[0]?.score ?? 0;
  const others = diagnosis.candidates.length - SHOWN;
  return panel("Root cause", el("span", { class: "row" }, chip(diagnosis.verdict, TONES[diagnosis.verdict]), chip(`${words(diagnosis.kind)} in ${diagnosis.service}`)),
    el("p", { class: "wrap", text: diagnosis.summary }),
    diagnosis.claims.length ? el("ul", { class: "claims" }, claims(diagnosis.claims)) : null,
    diagnosis.suspect ? el("p", { class: "suspect" }, el("span", { class: "tone-bad toned", text: "Suspect change: " }), diagnosis.suspect) : null,
    memory(detail.recalled),
    diagnosis.candidates.length > 1 ? el("div", { class: "stack", css: { "margin-top": "20px" } },
      el("h3", { text: "Candidates" }),
      el("ul", { class: "candidates" }, diagnosis.candidates.slice(0, SHOWN).map((found) => candidate(found, best))),
      others > 0 ? el("p", { class: "small subtle", text: `${others} more with lower scores.` }) : null) : null);
}
