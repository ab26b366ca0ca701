// The fix: what policy decided and why, what an approval is bound to, and the change itself.

import { chip, el, facts, link, panel } from "./dom.js";
import { moment, short, words } from "./format.js";

const OUTCOMES = { allow: ["allows", "good"], require_approval: ["asks for approval", "warn"], deny: ["denies", "bad"] };

function diff(text) {
  const kind = (line) => {
    if (line.startsWith("+++") || line.startsWith("---") || line.startsWith("diff ") || line.startsWith("index ")) return "file";
    return { "+": "add", "-": "del", "@": "hunk" }[line[0]] ?? "";
  };
  const lines = text.replace(/\n$/, "").split("\n");
  return el("pre", { class: "diff scroll", tabindex: 0, role: "group", "aria-label": "Changes", "data-key": "diff" },
    lines.map((line) => el("code", { class: kind(line), text: line || " " })));
}

function rule(decision) {
  const [text, tone] = OUTCOMES[decision.outcome] ?? [words(decision.outcome), "quiet"];
  return el("li", null, chip(`${words(decision.rule)} ${text}`, tone), decision.reason,
    decision.children.length ? el("ul", null, decision.children.map(rule)) : null);
}

function decision(found) {
  if (!found) return null;
  const [text, tone] = OUTCOMES[found.outcome] ?? [words(found.outcome), "quiet"];
  return el("details", { class: "decision", "data-key": "decision" },
    el("summary", null, chip(`policy ${text}`, tone), ` ${found.reason}`),
    found.children.length ? el("ul", null, found.children.map(rule)) : null);
}

export function fix(detail) {
  const { plan, card } = detail;
  if (!plan && !detail.decision) return null;
  const merged = detail.merge_sha && [el("code", { text: short(detail.merge_sha) }), detail.merged ? ` at ${moment(detail.merged)}` : ""];
  const approved = detail.approvals.length ? detail.approvals.join(", ") : "nobody yet";
  return panel("Fix", plan ? chip(`${plan.risk} risk`, plan.risk === "high" ? "bad" : "quiet") : "none", el("div", { class: "stack" },
    plan && el("p", { class: "wrap" }, el("strong", { text: plan.title })),
    plan && facts(
      card.pull_request && ["Pull request", link(`#${card.pull_request}`, card.pull_request_url, { "data-key": "fix-pull" })],
      ["Plan", el("code", { text: plan.id })],
      ["Files", plan.files.join(", ")],
      plan.dry_run ? ["Dry run", "Nothing was changed. This is what would have been proposed."]
        : ["Approvals", plan.approvals_needed ? `${detail.approvals.length} of ${plan.approvals_needed} (${approved})` : approved],
      !plan.dry_run && (merged ? ["Merged", merged] : ["Valid until", moment(plan.expires)]),
      detail.revert_pull_request && ["Reverted by", `#${detail.revert_pull_request}`]),
    decision(detail.decision),
    detail.diff && diff(detail.diff)));
}
