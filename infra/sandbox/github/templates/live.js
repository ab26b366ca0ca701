// Fetches the page again every few seconds and puts in the parts that changed; the form is left alone.
const PERIOD_MS = 3000;

function openedDetails(part) {
  return [...part.querySelectorAll("details")].map((details) => details.open);
}

async function refresh() {
  const answer = await fetch(location.pathname + location.search, { cache: "no-store" });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
    if (!next || next.innerHTML === part.dataset.shown) continue;
    const first = part.dataset.shown === undefined;
    part.dataset.shown = next.innerHTML;
    if (first && next.innerHTML === part.innerHTML) continue;
    const opened = openedDetails(part);
    part.replaceChildren(...next.childNodes);
    part.querySelectorAll("details").forEach((details, at) => { details.open = opened[at] ?? details.open; });
  }
}

if (document.querySelector("[data-live]")) {
  setInterval(() => { if (!document.hidden) refresh().catch(() => undefined); }, PERIOD_MS);
}
