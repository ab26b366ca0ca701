// How numbers, times and stages are written.

export const words = (name) => (name ?? "").replaceAll("_", " ").replace(/\b(db|cpu)\b/g, (short) => short.toUpperCase());
export const sentence = (name) => { const text = words(name); return text.charAt(0).toUpperCase() + text.slice(1); };
export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;
export const number = (value) => value.toLocaleString("en").replaceAll(",", "\u202f");
export const percent = (part, whole) => (whole ? `${(100 * part / whole).toFixed(part && part / whole < 0.1 ? 1 : 0)} %` : "–");
export const short = (sha) => (sha ?? "").slice(0, 9);

// Seconds as [number, unit], in the largest unit that keeps two digits.
export function length(seconds) {
  const units = [[86400, "d"], [3600, "h"], [60, "min"]];
  const digits = (value) => String(value < 9.95 ? Number(value.toFixed(1)) : Math.round(value));
  for (const [size, unit] of units) if (seconds >= size * 2) return [digits(seconds / size), unit];
  return [digits(seconds), "s"];
}

export const duration = (seconds) => (seconds === null || seconds === undefined ? "–" : length(Math.max(0, seconds)).join(" "));
export const milliseconds = (value) => (value >= 1000 ? `${(value / 1000).toFixed(value < 10000 ? 2 : 1)} s` : `${value < 10 ? Number(value.toFixed(1)) : Math.round(value)} ms`);

const two = (value) => String(value).padStart(2, "0");
export function clock(iso) {
  const at = new Date(iso);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
export function day(iso) {
  return new Date(iso).toLocaleDateString("en", { day: "numeric", month: "short" });
}
export const moment = (iso) => `${day(iso)}, ${clock(iso)}`;

export function ago(iso, now = Date.now()) {
  const seconds = (now - Date.parse(iso)) / 1000;
  if (seconds < 5) return "just now";
  return `${duration(seconds)} ago`;
}

const STAGE_TONES = {
  resolved: "good", escalated: "bad", dismissed: "quiet", awaiting_approval: "warn", awaiting_info: "warn", reverting: "bad",
};
export const stageTone = (stage) => STAGE_TONES[stage] ?? "info";
export const severityTone = (severity) => ({ critical: "bad", high: "bad", medium: "warn" })[severity] ?? "quiet";
export const isOver = (stage) => ["resolved", "escalated", "dismissed"].includes(stage);
