// The OODA loop of one incident: who concluded what, when, and where the time went.

import { chip, el } from "./dom.js";
import { clock, duration, isOver, sentence, stageTone, words } from "./format.js";

// Consecutive moments of one phase; an incident may go round more than once.
function laps(moments) {
  const found = [];
  for (const moment of moments) {
    if (found.at(-1)?.phase !== moment.phase) found.push({ phase: moment.phase, moments: [] });
    found.at(-1).moments.push(moment);
  }
  return found;
}

// Seconds by phase: the time up to each conclusion was spent by who concluded.
function spent(detail) {
  const seconds = new Map();
  let since = Date.parse(detail.card.detected);
  for (const moment of detail.timeline) {
    const at = Date.parse(moment.at);
    seconds.set(moment.phase, (seconds.get(moment.phase) ?? 0) + Math.max(0, at - since) / 1000);
    since = at;
  }
  return seconds;
}

export function phaseBar(detail) {
  const seconds = [...spent(detail)];
  if (!seconds.length) return null;
  const text = seconds.map(([phase, length]) => `${phase} ${duration(length)}`).join(", ");
  return el("div", { class: "phases", role: "img", "aria-label": `Time by phase: ${text}` }, seconds.map(([phase, length]) =>
    el("span", { class: `phase-${phase}`, title: `${sentence(phase)}: ${duration(length)}`, css: { "flex-grow": String(Math.max(length, 0.001)) } })));
}

export function legend(detail) {
  const seconds = [...spent(detail)];
  return el("p", { class: "legend num" }, seconds.map(([phase, length]) => el("span", { class: `phase-${phase}`, text: `${sentence(phase)} ${duration(length)}` })));
}

function step(moment) {
  return el("div", { class: "step" },
    el("div", { class: "row" },
      el("strong", { text: moment.agent }),
      chip(moment.verdict || words(moment.stage), stageTone(moment.stage)),
      el("time", { class: "num push", datetime: moment.at, text: clock(moment.at) })),
    el("p", { text: moment.note }));
}

export function timeline(detail) {
  if (!detail.timeline.length) return el("p", { class: "muted", text: "Nothing has happened yet." });
  const items = laps(detail.timeline).map(({ phase, moments }) => el("li", { class: `phase-${phase}` }, el("h3", { text: phase }), moments.map(step)));
  if (!isOver(detail.card.stage)) {
    items.push(el("li", { class: "tone-quiet now" }, el("h3", { text: "Now" }), el("div", { class: "step" }, el("p", { text: `${sentence(detail.card.stage)} …` }))));
  }
  return el("ol", { class: "timeline", css: { "margin-top": "18px" } }, items);
}
