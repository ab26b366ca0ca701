// Did the fix work? The deployed revision, and each watched series in windows since then.

import { chip, el, facts, panel } from "./dom.js";
import { clock, duration, milliseconds, moment, percent, plural, short } from "./format.js";

const HEALTH = { healthy: ["✓", "good"], unhealthy: ["×", "bad"], no_data: ["–", "quiet"] };
const SHOWN = 24;

function cell(window) {
  const [mark, tone] = HEALTH[window.health];
  const p95 = window.p95_ms === null ? "" : `, p95 ${milliseconds(window.p95_ms)}`;
  const label = `${clock(window.start)} to ${clock(window.end)}: ${window.health.replace("_", " ")}, ${percent(window.errors, window.requests)} of ${window.requests} failed${p95}`;
  return el("span", { class: `tone-${tone}`, role: "img", "aria-label": label, title: label, text: mark });
}

function series(report) {
  const windows = report.windows.slice(-SHOWN);
  return el("div", null,
    el("div", { class: "row small" }, el("strong", { class: "wrap", text: report.key.service }), el("code", { text: report.key.operation }),
      report.revision && el("span", { class: "subtle", text: `served by ${short(report.revision)}` }), report.saturated && chip("saturated", "bad")),
    windows.length ? el("div", { class: "cells" }, windows.map(cell)) : el("p", { class: "small subtle", text: "no whole window yet" }));
}

function meter(check) {
  const share = Math.min(1, check.healthy_windows / check.windows);
  return el("div", null,
    el("div", { class: "meter", role: "img", "aria-label": `${check.healthy_windows} of ${check.windows} windows` }, el("span", { css: { width: `${share * 100}%` } })),
    el("p", { class: "small muted num", text: `${check.healthy_windows} of ${plural(check.windows, "window")} of ${duration(check.window_s)} healthy in a row, each with at least ${plural(check.min_requests, "request")}` }));
}

export function recovery(detail) {
  const check = detail.recovery;
  if (!check) return null;
  const recovered = detail.resolved !== null;
  const state = recovered ? ["recovered", "good"] : check.deployed_at ? ["watching", "info"] : ["waiting for the deploy", "warn"];
  return panel("Verification", chip(...state), el("div", { class: "stack" },
    meter(check),
    check.verdict ? el("p", { class: "wrap", text: check.verdict }) : null,
    facts(
      ["Deployed", check.deployed_at ? [el("code", { text: short(check.deployed_revision) || "version" }), ` seen in telemetry at ${moment(check.deployed_at)}`] : `not seen in telemetry; by ${moment(check.deploy_deadline)} at the latest`],
      recovered ? ["Recovered", moment(detail.resolved)] : ["Time to recover", `${duration(check.recovery_timeout_s)} after the deploy, then the fix is reverted`]),
    check.reports.length ? el("div", { class: "windows" }, check.reports.map(series)) : null));
}
