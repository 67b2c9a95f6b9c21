// The game: keys for the two texts and for going on, and a button that copies the text to share.

const picks = document.querySelectorAll(".pick");
const next = document.getElementById("next");
const copy = document.getElementById("copy");

const SIDES = { ArrowLeft: 0, 1: 0, ArrowRight: 1, 2: 1 };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.repeat) return;
  const { target } = event;
  // In the row of answers the arrows choose how sure the player is.
  if (target.matches("textarea, select") || (target.type === "radio" && event.key.startsWith("Arrow"))) return;
  if (picks.length && event.key in SIDES) {
    event.preventDefault();
    picks[SIDES[event.key]]?.click();
  } else if (next && event.key === "Enter" && !target.closest("a, button, summary")) {
    event.preventDefault();
    next.click();
  }
});

// One press is enough: a second one before the next page comes would only be sent for nothing.
document.querySelector("form.choosing")?.addEventListener("submit", (event) => {
  const form = event.currentTarget;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
// A page that the browser brings back is as good as new.
addEventListener("pageshow", () => delete document.querySelector("form.choosing")?.dataset.sent);

if (copy && navigator.clipboard) {
  const text = document.getElementById("share-text");
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text.value);
    copy.textContent = copy.dataset.done;
  });
}
