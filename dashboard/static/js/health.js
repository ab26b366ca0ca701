// Health of Scout, the workers and their queues. What does not answer is unknown.

import { chip, el, empty, facts, panel, replace } from "./dom.js";
import { ago, duration, moment, number, plural, words } from "./format.js";

function scoutPanel(system) {
  const scout = system?.scout;
  if (!scout) return panel("Scout", chip("unknown", "warn", "dot"), empty("Scout does not answer", system?.scout_error ?? "The health of the system could not be read."));
  const dropped = Object.entries(scout.dropped_total).filter(([, count]) => count);
  const stale = !scout.watermark || Date.parse(system.at) - Date.parse(scout.watermark) > 60000;
  return panel("Scout", chip(stale ? "no fresh telemetry" : "receiving", stale ? "warn" : "good", "dot"), facts(
    ["Newest telemetry", scout.watermark ? ago(scout.watermark) : "none yet"],
    ["Running for", duration((Date.parse(system.at) - Date.parse(scout.started)) / 1000)],
    ["Spans taken", number(scout.spans_total)],
    ["Metric points taken", number(scout.points_total)],
    ["Series", number(scout.series)],
    ["Suspected anomalies", number(scout.suspects.length)],
    ["Dropped", dropped.length ? el("ul", null, dropped.map(([why, count]) => el("li", { text: `${words(why)}: ${number(count)}` }))) : "nothing"]));
}

function workersPanel(system) {
  const { workers } = system;
  const alive = workers.sweeper !== null;
  return panel("Workers", chip(alive ? "alive" : "unknown", alive ? "good" : "warn", "dot"),
    facts(
      ["Sweeps", workers.sweeper ?? "nobody holds the sweeper's lease"],
      ["Lease renewed until", workers.sweeper_until ? moment(workers.sweeper_until) : "–"],
      ["Incidents in work", number(workers.busy_lanes)],
      ["Seen by their leases", workers.owners.length ? workers.owners.join(", ") : "none"]),
    alive ? null : el("p", { class: "note", text: "Either no worker runs, or the one that ran has stopped renewing its lease." }));
}

function backlogPanel(title, what, backlog, at) {
  const waits = backlog.oldest ? (Date.parse(at) - Date.parse(backlog.oldest)) / 1000 : 0;
  const tone = backlog.failed ? "bad" : waits > 60 ? "warn" : "good";
  const state = backlog.failed ? `${number(backlog.failed)} given up` : waits > 60 ? "behind" : "up to date";
  return panel(title, chip(state, tone, "dot"), facts(
    ["Waiting", plural(backlog.pending, ...what)],
    ["Oldest", backlog.oldest ? ago(backlog.oldest, Date.parse(at)) : "–"],
    ["Given up", number(backlog.failed)],
    title === "Outbox" && ["Refused by GitHub", number(backlog.refused)]));
}

function webPanel(system) {
  return panel("Web", chip("alive", "good", "dot"), facts(
    ["Running for", duration((Date.parse(system.at) - Date.parse(system.web_started)) / 1000)],
    ["Pages that listen", number(system.clients)],
    ["As of", moment(system.at)]));
}

export function health({ section }) {
  const body = el("div", { class: "columns half health" });
  section.append(el("div", { class: "hero" }, el("div", null, el("h1", { text: "Health" }),
    el("p", { text: "SRE-Space itself: what its parts say now, asked every five seconds." }))), body);
  return {
    refresh: async () => {},
    system(found) {
      if (!found) {
        replace(body, panel("Everything", chip("unknown", "warn", "dot"), empty("Not known now", "The health of the system could not be read.")));
        return;
      }
      replace(body, el("div", null, scoutPanel(found), webPanel(found)),
        el("div", null, workersPanel(found), backlogPanel("Inbox", ["delivery", "deliveries"], found.inbox, found.at), backlogPanel("Outbox", ["write"], found.outbox, found.at)));
    },
  };
}
