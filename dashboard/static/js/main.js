// The live page. It shows what the server sent and nothing else; all text goes in as text, never as HTML.

const $ = (id) => document.getElementById(id);
const incidents = new Map();
let selected = null;
let loadedDetail = 0;

function element(tag, text, className) {
  const node = document.createElement(tag);
  if (text !== undefined && text !== null) node.textContent = text;
  if (className) node.className = className;
  return node;
}

function link(text, url) {
  const node = element("a", text);
  if (/^https?:\/\//.test(url)) node.href = url;
  return node;
}

const words = (stage) => stage.replaceAll("_", " ");
const clock = (iso) => new Date(iso).toLocaleTimeString([], { hour12: false });
const seconds = (value) => (value === null ? null : `${Math.round(value)} s`);

function durations(card) {
  return [["TTD", card.ttd_s], ["TTA", card.tta_s], ["TTM", card.ttm_s], ["TTR", card.ttr_s]]
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${seconds(value)}`)
    .join(" · ");
}

function renderList() {
  const cards = [...incidents.values()].sort((a, b) => b.onset.localeCompare(a.onset));
  $("empty").hidden = cards.length > 0;
  $("list").replaceChildren(...cards.map((card) => {
    const button = element("button", null, "glass card");
    button.type = "button";
    button.setAttribute("aria-current", String(card.id === selected));
    button.append(element("strong", card.title));
    const state = element("span", words(card.stage), `stage ${card.stage}`);
    const facts = [card.severity, card.service, card.from_memory ? "from memory" : null, durations(card)];
    const meta = element("span", null, "meta");
    meta.append(state, ` · ${facts.filter(Boolean).join(" · ")}`);
    button.append(meta);
    button.addEventListener("click", () => select(card.id));
    const item = element("li");
    item.append(button);
    return item;
  }));
}

function renderDiagnosis(diagnosis) {
  if (!diagnosis) return [element("p", "The cause is not known yet.", "meta")];
  const nodes = [
    element("h3", `Root cause: ${words(diagnosis.kind)} in ${diagnosis.service} (${diagnosis.verdict})`),
    element("p", diagnosis.summary),
  ];
  if (diagnosis.suspect) nodes.push(element("p", `Suspect change: ${diagnosis.suspect}`));
  const list = element("ul");
  list.append(...diagnosis.claims.map((claim) => element("li", `${claim.text} (${claim.evidence.join(", ")})`)));
  nodes.push(list);
  return nodes;
}

function renderEvidence(items) {
  if (!items.length) return [];
  const table = element("table");
  const body = element("tbody");
  body.append(...items.map((item) => {
    const row = element("tr");
    row.append(element("th", item.id), element("td", item.kind), element("td", item.text));
    return row;
  }));
  table.append(body);
  return [element("h3", "Evidence"), table];
}

function renderDetail(detail) {
  const { card } = detail;
  $("detail").hidden = false;
  $("detail-title").textContent = card.title;
  const links = [];
  if (card.issue_url) links.push(link(`Issue #${card.issue}`, card.issue_url), " ");
  if (card.pull_request_url) links.push(link(`Pull request #${card.pull_request}`, card.pull_request_url), " ");
  if (card.stage === "awaiting_approval") links.push(element("strong", "Waiting for /approve on GitHub."));
  $("links").replaceChildren(...links);
  $("diagnosis").replaceChildren(...renderDiagnosis(detail.diagnosis));
  $("timeline").replaceChildren(...detail.timeline.map((moment) => {
    const item = element("li");
    item.append(element("span", `${clock(moment.at)} ${moment.agent}: ${words(moment.stage)}`, "stage"));
    item.append(element("br"), moment.note);
    return item;
  }));
  $("evidence").replaceChildren(...renderEvidence(detail.evidence));
  const fix = [];
  if (detail.diff) fix.push(element("h3", "Fix"), element("pre", detail.diff));
  if (detail.approvals.length) fix.push(element("p", `Approved by ${detail.approvals.join(", ")}.`));
  if (detail.verification) fix.push(element("p", `Verification: ${detail.verification}`));
  $("fix").replaceChildren(...fix);
}

async function read(path) {
  const response = await fetch(path, { headers: { accept: "application/json" } });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

async function loadDetail() {
  if (!selected) return;
  const turn = ++loadedDetail;
  const detail = await read(`/api/incidents/${encodeURIComponent(selected)}`);
  if (turn !== loadedDetail) return;
  incidents.set(detail.card.id, detail.card);
  renderDetail(detail);
  renderList();
}

async function select(id) {
  selected = id;
  renderList();
  await loadDetail();
}

async function loadOverview() {
  const overview = await read("/api/overview");
  incidents.clear();
  for (const card of overview.incidents) incidents.set(card.id, card);
  $("counts").textContent = `${overview.open} open · ${overview.resolved} resolved · ${overview.total} in all`;
  if (!selected && overview.incidents.length) selected = overview.incidents[0].id;
  renderList();
  await loadDetail();
  return overview.sequence;
}

function state(text, className) {
  $("link").textContent = text;
  $("link").className = `state ${className}`;
}

let pending = null;
function refresh() {
  pending ??= setTimeout(async () => {
    pending = null;
    try { await loadOverview(); } catch (error) { state(error.message, "lost"); }
  }, 150);
}

async function start() {
  let sequence;
  try {
    sequence = await loadOverview();
  } catch (error) {
    state(`${error.message}; trying again`, "lost");
    setTimeout(start, 3000);
    return;
  }
  const source = new EventSource(`/events?after=${sequence}`);
  source.addEventListener("open", () => state("live", "live"));
  source.addEventListener("error", () => state("connection lost, trying again", "lost"));
  source.addEventListener("stage", (message) => {
    const event = JSON.parse(message.data);
    if (!incidents.has(event.incident_id)) selected = event.incident_id;
    refresh();
  });
  source.addEventListener("resync", () => { source.close(); start(); });
}

start();
