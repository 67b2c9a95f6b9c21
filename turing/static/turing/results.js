// Brings the figures and the plots up to date while the page is looked at, and never under a hand.
const EVERY = 20_000;
const live = document.getElementById("live");

function isInUse() {
  const selection = document.getSelection();
  return live.contains(document.activeElement) || (!selection.isCollapsed && selection.containsNode(live, true));
}

async function refresh() {
  if (document.hidden || isInUse()) return;
  const response = await fetch(live.dataset.source, { headers: { Accept: "text/html" } });
  if (!response.ok) return;
  const template = document.createElement("template");
  template.innerHTML = await response.text();
  const now = template.content.querySelector("[data-state]");
  const shown = live.querySelector("[data-state]");
  // Nothing new is no reason to touch the page; and while the answer came, a hand may have.
  if (!now || now.dataset.state === shown.dataset.state || isInUse()) return;
  live.replaceChildren(template.content);
}

if (live) {
  // A server that cannot be reached now is asked again.
  setInterval(() => refresh().catch(() => {}), EVERY);
}
