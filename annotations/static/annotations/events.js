// Notes that the page was left for a while or something pasted, where the study says so: never what, never where to.

const SHORTEST_LEAVE = 1;
const form = document.getElementById("answers");
let left;

function csrfToken() {
  const cookie = /(?:^|; )(?:__Host-)?csrftoken=([^;]*)/.exec(document.cookie);
  return cookie ? cookie[1] : document.querySelector("[name=csrfmiddlewaretoken]").value;
}

/** Send an event; one that is lost is no loss to the evaluator. */
function note(kind, seconds) {
  fetch(form.dataset.eventsUrl, {
    method: "POST",
    keepalive: true,
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
    body: JSON.stringify({ kind, order: Date.now(), seconds }),
  }).catch(() => {});
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    left = performance.now();
  } else if (left !== undefined) {
    const seconds = Math.round((performance.now() - left) / 100) / 10;
    left = undefined;
    if (seconds >= SHORTEST_LEAVE) note("left", seconds);
  }
});

form.addEventListener("paste", ({ target }) => {
  if (target.matches("textarea, input:not([type=radio], [type=range], [type=number])")) note("pasted");
});
