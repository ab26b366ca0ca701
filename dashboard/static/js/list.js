// The list of incidents: filters, words to search for, pages, and arrow keys.

import { read } from "./api.js";
import { chip, el, empty, panel, replace } from "./dom.js";
import { ago, duration, severityTone, stageTone, words } from "./format.js";

const FILTERS = [["open", "Open"], ["waiting", "Waiting"], ["resolved", "Resolved"], ["escalated", "Escalated"], ["all", "All"]];
const PAGE = 30;
const PAGE_MAX = 200;
const TYPING_MS = 250;

function times(card) {
  const known = [["detected in", card.ttd_s], ["resolved in", card.ttr_s]].filter(([, value]) => value !== null);
  return known.map(([name, value]) => `${name} ${duration(value)}`).join(" · ");
}

function row(card, isFirst) {
  const facts = [card.service, card.environment === "default" ? null : card.environment, card.repository, card.issue && `#${card.issue}`];
  return el("li", null, el("a", {
    class: "rowlink", href: `#/incidents/${encodeURIComponent(card.id)}`, "data-key": card.id, tabindex: isFirst ? 0 : -1,
  },
  el("span", { class: "title", text: card.title }),
  el("span", { class: "facts num" },
    el("span", { class: `sev tone-${severityTone(card.severity)}`, text: card.severity }),
    facts.filter(Boolean).map((fact) => el("span", { text: fact })),
    el("span", { text: times(card) }),
    card.from_memory && el("span", { class: "tone-violet toned", text: "fix from memory" })),
  el("span", { class: "side num" },
    chip(words(card.stage), stageTone(card.stage), "dot"),
    el("time", { datetime: card.onset, "data-ago": card.onset, text: ago(card.onset) }))));
}

// Up, down, home and end move through the rows: one stop for Tab, however long the list is.
function arrows(event, body) {
  const rows = [...body.querySelectorAll(".rowlink")];
  const here = rows.indexOf(event.target.closest(".rowlink"));
  const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (here < 0 || to === undefined) return;
  event.preventDefault();
  const target = rows[Math.min(Math.max(to, 0), rows.length - 1)];
  for (const each of rows) each.tabIndex = each === target ? 0 : -1;
  target.focus();
}

export function incidentList() {
  const state = { which: "all", words: "", shown: PAGE, turn: 0 };
  const body = el("ol", { class: "list" });
  const below = el("div", { class: "more" });
  const said = el("p", { class: "sr", role: "status" });
  const search = el("input", { type: "search", placeholder: "Title, service, repository or #issue", "aria-label": "Search incidents", maxlength: 100 });
  const filters = el("div", { class: "segments", role: "group", "aria-label": "Which incidents" }, FILTERS.map(([which, text]) =>
    el("button", { type: "button", "data-which": which, "aria-pressed": String(which === state.which), text, onclick: () => choose(which) })));
  let typing = null;

  body.addEventListener("keydown", (event) => arrows(event, body));
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => { state.words = search.value; state.shown = PAGE; refresh().catch(failed); }, TYPING_MS);
  });

  // What a person asked for and could not be read is said where it was asked; what is shown is then not old either.
  function failed(error) {
    replace(body, el("li", null, el("p", { class: "problem", text: error.message })));
    below.replaceChildren();
  }

  function choose(which) {
    state.which = which;
    state.shown = PAGE;
    for (const button of filters.children) button.setAttribute("aria-pressed", String(button.dataset.which === which));
    refresh().catch(failed);
  }

  // Reads page after page until as many are there as are shown.
  async function load() {
    const found = [];
    let cursor = null;
    do {
      const query = new URLSearchParams({ which: state.which, words: state.words, limit: Math.min(state.shown - found.length, PAGE_MAX) });
      if (cursor) query.set("before", cursor);
      const page = await read(`/api/incidents?${query}`);
      found.push(...page.incidents);
      cursor = page.next;
    } while (cursor && found.length < state.shown);
    return { found, more: cursor !== null };
  }

  async function refresh() {
    const turn = ++state.turn;
    const { found, more } = await load();
    if (turn !== state.turn) return;
    draw(found, more);
  }

  function draw(found, more) {
    const current = body.querySelector('.rowlink[tabindex="0"]')?.dataset.key;
    const stop = found.some((card) => card.id === current) ? current : found[0]?.id;
    const isAsked = state.which !== "all" || state.words;
    const nothing = isAsked ? empty("No such incident", "Nothing fits this filter.")
      : empty("No incident yet", "Scout opens one when telemetry shows a confirmed anomaly; so does the label “incident” on an issue.");
    replace(body, found.length ? found.map((card) => row(card, card.id === stop)) : el("li", null, nothing));
    replace(below, more && el("button", { class: "button", type: "button", "data-key": "more", text: "Show more", onclick: () => {
      state.shown += PAGE;
      refresh().catch(failed);
    } }));
    said.textContent = isAsked ? `${found.length}${more ? " or more" : ""} incidents` : "";
  }

  const node = panel("Incidents", "newest first", el("div", { class: "filters" }, search, filters), said, body, below);
  return {
    node,
    refresh,
    tick() { for (const each of body.querySelectorAll("[data-ago]")) each.textContent = ago(each.dataset.ago); },
  };
}
