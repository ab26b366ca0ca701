// Mean times over a stretch, each with its history: bars by bucket, and the change against the stretch before.

import { el, svg } from "./dom.js";
import { day, duration, length, moment, plural } from "./format.js";

const TILES = [
  ["mttd_s", "Mean time to detect", "onset to detection"],
  ["mtta_s", "Mean time to acknowledge", "detection to first owner"],
  ["mttm_s", "Mean time to mitigate", "onset to impact stopped"],
  ["mttr_s", "Mean time to resolve", "onset to verified recovery"],
];
const HEIGHT = 52;

function bars(name, field, trend) {
  const highest = Math.max(...trend.buckets.map((bucket) => bucket[field] ?? 0), 1e-9);
  const width = 100 / trend.buckets.length;
  const known = trend.buckets.filter((bucket) => bucket[field] !== null);
  const shapes = trend.buckets.map((bucket, index) => {
    const value = bucket[field];
    const height = value === null ? 2 : Math.max(4, (value / highest) * HEIGHT);
    return svg("rect", {
      class: value === null ? "off" : "on", x: index * width + width * 0.14, width: width * 0.72, y: HEIGHT - height, height, rx: value === null ? 0 : 0.9,
    }, svg("title", { text: `${moment(bucket.at)}: ${value === null ? "no incident that came so far" : `${duration(value)} over ${plural(bucket.incidents, "incident")}`}` }));
  });
  return svg("svg", {
    class: "bars", viewBox: `0 0 100 ${HEIGHT}`, preserveAspectRatio: "none", role: "img",
    "aria-label": known.length ? `${name} by time: ${known.map((bucket) => `${moment(bucket.at)} ${duration(bucket[field])}`).slice(-6).join("; ")}` : `${name}: nothing to show`,
  }, shapes);
}

function change(now, before, span) {
  if (now === null) return "";
  if (before === null) return `no value in the ${span} before`;
  const ratio = now / before - 1;
  if (Math.abs(ratio) < 0.01) return `as in the ${span} before`;
  return `${Math.abs(ratio * 100).toFixed(0)} % ${ratio < 0 ? "faster" : "slower"} than in the ${span} before`;
}

export function tiles(trend, span) {
  return TILES.map(([field, name, meaning]) => {
    const value = trend.now[field];
    const ratio = value === null || trend.before[field] === null ? 0 : value / trend.before[field] - 1;
    const tone = Math.abs(ratio) < 0.01 ? "" : ratio < 0 ? "tone-good toned" : "tone-warn toned";
    const [digits, unit] = value === null ? ["not known yet", ""] : length(value);
    return el("div", { class: "glass tile", role: "group", "aria-label": `${name}, ${span}` },
      el("h3", { text: name, title: meaning }),
      el("p", { class: `value num ${value === null ? "none" : ""}` }, digits, unit && el("small", { text: unit })),
      el("p", { class: "small subtle" }, value === null ? meaning : el("span", { class: tone, text: change(value, trend.before[field], span) })),
      bars(name, field, trend),
      el("div", { class: "ends" }, el("span", { text: day(trend.since) }), el("span", { text: "now" })));
  });
}
