// Keeps the page of a run up to date while the run goes on.

const EVERY = 2_000;
const SLOWEST = 30_000;

const place = document.querySelector("[data-progress]");
const cells = new Map();
for (const row of document.querySelectorAll("tr[data-number]")) {
  cells.set(row.dataset.number, {
    label: row.querySelector("[data-cell=label]"),
    note: row.querySelector("[data-cell=note]"),
  });
}
let wait = EVERY;

/** Write only what has changed: a screen reader hears of nothing else, and a selection stays. */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function show(news) {
  for (const [name, text] of Object.entries(news.words)) say(place.querySelector(`[data-word=${name}]`), text);
  place.querySelector("progress").value = news.finished;
  for (const way of place.querySelectorAll("[data-shown-if]")) way.hidden = !news[way.dataset.shownIf];
  for (const prompt of news.prompts) {
    const { label, note } = cells.get(String(prompt.number)) ?? {};
    if (!label) continue;
    label.className = `state state-${prompt.state}`;
    say(label, prompt.label);
    say(note, prompt.note);
  }
}

async function look() {
  let goesOn = true;
  if (!document.hidden) {
    try {
      const response = await fetch(place.dataset.progress, { redirect: "error", signal: AbortSignal.timeout(SLOWEST) });
      if (!response.ok) throw new Error(String(response.status));
      const news = await response.json();
      show(news);
      goesOn = news.open;
      wait = EVERY;
    } catch {
      // The site is being restarted, or the session has ended: what is shown stays, and we ask less often.
      wait = Math.min(2 * wait, SLOWEST);
    }
  }
  if (goesOn) setTimeout(look, wait);
}

if (place.hasAttribute("data-open")) setTimeout(look, EVERY);
