// The page: which view is shown, what is loaded for it, and when.

import { read, signOut } from "./api.js";
import { $, el, replace, svg } from "./dom.js";
import { words } from "./format.js";
import { health } from "./health.js";
import { incident } from "./incident.js";
import { Live } from "./live.js";
import { overview } from "./overview.js";
import { scorecard } from "./scorecard.js";
import { services } from "./services.js";

const SYSTEM_MS = 5000;
const SETTLE_MS = 150;
const PAGES = { overview, services, scorecard, health, incident };
const TITLES = { overview: "Incidents", services: "Services", scorecard: "Scorecard", health: "Health", incident: "Incident" };

const problems = new Map();
let view = null;
let settling = null;

function route() {
  const [, name = "", id = ""] = location.hash.split("/");
  if (name === "incidents" && id) return { page: "incident", id: decodeURIComponent(id) };
  return { page: name in PAGES && name !== "incident" ? name : "overview", id: null };
}

function say(source, error) {
  if (error) problems.set(source, error.message);
  else problems.delete(source);
  $("problem").hidden = problems.size === 0;
  const text = [...new Set(problems.values())].join(" ");
  if ($("problem").textContent !== text) $("problem").textContent = text;
}

// Runs one load after the other for each source; what is asked for meanwhile runs once more at the end.
const running = new Map();
async function load(source, work) {
  if (running.has(source)) { running.set(source, work); return; }
  running.set(source, null);
  try {
    await work();
    say(source, null);
  } catch (error) {
    if (error.status !== 401) say(source, error);
    if (!("status" in error)) console.error(error);
  }
  const next = running.get(source);
  running.delete(source);
  if (next) await load(source, next);
}

const refresh = () => load("view", () => view?.refresh());

function show() {
  const { page, id } = route();
  view?.close?.();
  const section = el("section", { "data-page": page });
  replace($("main"), section);
  view = PAGES[page]({ section, id, retitle });
  for (const anchor of document.querySelectorAll("nav a")) {
    const isHere = anchor.dataset.page === page || (page === "incident" && anchor.dataset.page === "overview");
    if (isHere) anchor.setAttribute("aria-current", "page");
    else anchor.removeAttribute("aria-current");
  }
  retitle(TITLES[page]);
  refresh();
  pollSystem();
}

function retitle(title) {
  document.title = `${title} · SRE-Space`;
}

function navigated() {
  show();
  scrollTo(0, 0);
  $("main").focus({ preventScroll: true });
}

function pollSystem() {
  load("system", async () => {
    if (document.hidden || !view?.system) return;
    const current = view;
    let found = null;
    try {
      found = await read("/api/system");
    } finally {
      if (current === view) current.system(found); // null: nothing is known now, and nothing old is shown
    }
  });
}

function changed(event) {
  if (event?.stage) $("announce").textContent = `${event.agent || "Incident"}: ${words(event.stage)}. ${event.note}`;
  settling ??= setTimeout(() => { settling = null; refresh(); }, SETTLE_MS);
}

function state(text, tone) {
  const chip = $("live");
  if (chip.textContent !== text) chip.textContent = text;
  chip.className = `chip dot tone-${tone}`;
}

const live = new Live({ state, event: changed, resync: start });

async function start() {
  try {
    const { sequence } = await read("/api/overview?limit=1");
    live.start(sequence);
    const session = await read("/api/session");
    $("sign-out").hidden = !session.needed;
    changed(null);
    say("start", null);
  } catch (error) {
    if (error.status === 401) return;
    say("start", error);
    state("not connected", "bad");
    setTimeout(start, 3000);
  }
}

function drawTheme() {
  const { chosen } = window.sreSpaceTheme;
  const half = chosen === null ? svg("path", { d: "M9 2.2a6.8 6.8 0 0 1 0 13.6z", fill: "currentColor" }) : null;
  const disc = svg("circle", { cx: 9, cy: 9, r: 6.8, fill: chosen === "dark" ? "currentColor" : "none", stroke: "currentColor", "stroke-width": 1.6 });
  $("theme").replaceChildren(svg("svg", { width: 18, height: 18, viewBox: "0 0 18 18", "aria-hidden": "true" }, disc, half));
  $("theme").setAttribute("aria-label", `Colours: ${chosen ?? "as the system"}`);
  $("theme").title = $("theme").getAttribute("aria-label");
}

$("theme").addEventListener("click", () => { window.sreSpaceTheme.next(); drawTheme(); });
$("sign-out").addEventListener("click", signOut);
$("skip").addEventListener("click", (event) => { event.preventDefault(); $("main").focus(); });
addEventListener("hashchange", navigated);
document.addEventListener("visibilitychange", () => { if (!document.hidden) pollSystem(); });
setInterval(pollSystem, SYSTEM_MS);
setInterval(() => view?.tick?.(), 1000);
drawTheme();
show();
start();
