// Brings the part of a page that changes up to date while it is looked at, and never under a hand.
const EVERY = 20_000;
const live = document.getElementById("live");

function isInUse() {
  const selection = document.getSelection();
  return live.contains(document.activeElement) || (!selection.isCollapsed && selection.containsNode(live, true));
}

// What is scrolled stays where it is.
function replaceBy(nodes) {
  const places = [...live.querySelectorAll(".table-scroll")].map((box) => [box.scrollLeft, box.scrollTop]);
  live.replaceChildren(...nodes);
  live.querySelectorAll(".table-scroll").forEach((box, index) => {
    [box.scrollLeft, box.scrollTop] = places[index] ?? [0, 0];
  });
}

async function refresh() {
  if (document.hidden || isInUse()) return;
  const response = await fetch(live.dataset.source, { headers: { Accept: "text/html" } });
  if (!response.ok || response.redirected) return;
  const { body } = new DOMParser().parseFromString(await response.text(), "text/html");
  const now = body.querySelector("[data-state]");
  const shown = live.querySelector("[data-state]");
  // Nothing new is no reason to touch the page; and while the answer came, a hand may have.
  if (!now || now.dataset.state === shown.dataset.state || isInUse()) return;
  replaceBy(body.childNodes);
}

if (live) {
  // A server that cannot be reached now is asked again.
  setInterval(() => refresh().catch(() => {}), Number(live.dataset.every) || EVERY);
}
