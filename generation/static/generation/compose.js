// A composition as it is written: the text fills its sheet, and what is known of it afterwards comes below.

const EVERY = 800;
const SLOWEST = 30_000;

const place = document.querySelector("[data-progress]");
let wait = EVERY;
let etag = "";

/** Write only what has changed: a screen reader hears of nothing else, and a selection stays. */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function spanOf([kind, text]) {
  const span = document.createElement("span");
  span.className = kind;
  if (kind === "unwritten") span.setAttribute("aria-hidden", "true");
  span.textContent = text;
  return span;
}

/** Fill the lines that are there; one that is not needed any more stays empty, so that nothing below it moves. */
function showLines(lines) {
  const sheet = document.getElementById("text");
  while (sheet.children.length < lines.length) sheet.append(document.createElement("p"));
  [...sheet.children].forEach((line, number) => {
    const news = JSON.stringify(lines[number] ?? []);
    if (line.dataset.shown === news) return;
    line.dataset.shown = news;
    line.replaceChildren(...(lines[number] ?? []).map(spanOf));
  });
}

function show(news) {
  const bar = document.getElementById("bar");
  bar.max = news.most;
  bar.value = news.sentence;
  showLines(news.lines);
  say(document.getElementById("state"), news.words);
}

/** Put the finished page in the place of this one, piece by piece. */
async function finish() {
  const response = await fetch(location.href, { redirect: "error", signal: AbortSignal.timeout(SLOWEST) });
  if (!response.ok) throw new Error(String(response.status));
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const id of ["text", "after"]) {
    document.getElementById(id).replaceChildren(...page.getElementById(id).childNodes);
  }
  const [bar, state] = ["bar", "state"].map((id) => page.getElementById(id));
  document.getElementById("bar").max = bar.max;
  document.getElementById("bar").value = bar.value;
  document.getElementById("state").className = state.className;
  say(document.getElementById("state"), state.textContent);
  offerCopy();
}

async function look() {
  let goesOn = true;
  if (!document.hidden) {
    try {
      const headers = etag ? { "If-None-Match": etag } : {};
      const signal = AbortSignal.timeout(SLOWEST);
      const response = await fetch(place.dataset.progress, { headers, redirect: "error", signal });
      if (response.status !== 304) {
        if (!response.ok) throw new Error(String(response.status));
        const news = await response.json();
        if (news.open) {
          show(news);
          etag = response.headers.get("ETag") ?? "";
        } else {
          await finish();
          goesOn = false;
        }
      }
      wait = EVERY;
    } catch {
      // The site is being restarted: what is shown stays, and we ask less often.
      wait = Math.min(2 * wait, SLOWEST);
    }
  }
  if (goesOn) setTimeout(look, wait);
}

function offerCopy() {
  const copy = document.getElementById("copy");
  if (!copy || !navigator.clipboard) return;
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById("address").value);
    say(copy, copy.dataset.done);
  });
}

// One press is enough: a second one would have a second text written.
let sent = new WeakSet();
document.querySelector("main").addEventListener("submit", (event) => {
  if (sent.has(event.target)) event.preventDefault();
  sent.add(event.target);
});
// A page that the browser brings back is as good as new.
addEventListener("pageshow", () => (sent = new WeakSet()));

if (place?.hasAttribute("data-open")) setTimeout(look, EVERY);
offerCopy();
