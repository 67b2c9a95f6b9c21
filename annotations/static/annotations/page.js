// The page to rate: saves each change at once, shows what is saved and what is missing, and takes keys.

import { isOrder, openOrder, orderOf, showOrder, takeLast } from "./order.js";
import { openQueue } from "./saving.js";

const form = document.getElementById("answers");
const state = document.getElementById("state");
const notice = document.getElementById("notice");
const answered = document.getElementById("answered");
const keys = document.getElementById("keys");
const next = document.getElementById("next");
const back = document.getElementById("back");
// What the prompt gives to read beside its heading, if it does.
const given = document.getElementById("given");
const rows = [...form.querySelectorAll("[data-question]")];
// The pick of the best text, where the study asks for it.
const best = rows.find((row) => row.dataset.question === "best");
const rowOf = (question) => rows.find((row) => row.dataset.question === question);
const sliderOf = (row) => row.querySelector(".slider");
const numberOf = (row) => row.querySelector("input[type=number]");
// Errors marked in a text are one answer, which `marks.js` keeps in a hidden field.
const markingOf = (row) => row.querySelector("[data-marking]");
function chosen(row) {
  if (markingOf(row)) return markingOf(row).value;
  if (isOrder(row)) return orderOf(row).join(" ") || undefined;
  return sliderOf(row) ? numberOf(row).value || undefined : row.querySelector("input:checked")?.value;
}
function isAnswered(row) {
  if (markingOf(row)) return JSON.parse(markingOf(row).value).done;
  return isOrder(row) ? orderOf(row).length === Number(row.dataset.places) : chosen(row) !== undefined;
}
// The answers of this page among those of a study that wait to be sent.
const isHere = (entry) => [form.dataset.answersUrl, form.dataset.markingsUrl].includes(entry.url);
// What the server has, as far as this page knows.
const stored = new Map(rows.map((row) => [row.dataset.question, chosen(row)]));

// Where a reason or a corrected text may be written, what was sent of each last, and whose typing has paused.
const fields = [...form.querySelectorAll("[data-written]")];
const areaOf = (field) => field.querySelector("textarea");
const fieldOf = ({ token, kind }) =>
  fields.find((field) => field.dataset.token === token && field.dataset.written === kind);
const lastWritten = new Map(fields.map((field) => [field, areaOf(field).value]));
const typing = new Map();

const fill = (words, values) => words.replace(/\{(\w+)\}/g, (_, name) => values[name]);

// What is answered

/** Set a slider and its number; without a value it stands nowhere. */
function slide(row, value) {
  const range = row.querySelector("input[type=range]");
  numberOf(row).value = value ?? "";
  range.value = value ?? (Number(range.min) + Number(range.max)) / 2;
  sliderOf(row).classList.toggle("is-unset", value === undefined);
  if (value === undefined) range.setAttribute("aria-valuetext", range.dataset.unset);
  else range.removeAttribute("aria-valuetext");
}

function choose(row, value) {
  if (markingOf(row)) return row.dispatchEvent(new CustomEvent("show-marks", { detail: value }));
  if (isOrder(row)) return showOrder(row, value ?? "");
  if (sliderOf(row)) return slide(row, value);
  for (const input of row.querySelectorAll("input")) input.checked = input.value === value;
}

function showAnswered() {
  const missing = rows.filter((row) => !isAnswered(row));
  for (const item of document.querySelectorAll("[data-missing]")) {
    item.hidden = !missing.includes(rowOf(item.dataset.missing));
  }
  document.getElementById("none-missing").hidden = missing.length > 0;
  answered.textContent = fill(answered.dataset.words, { answered: rows.length - missing.length });
}

// What is saved

function clock(time) {
  const isToday = time.toDateString() === new Date().toDateString();
  const day = isToday ? {} : { day: "numeric", month: "short" };
  return time.toLocaleString(document.documentElement.lang, { ...day, hour: "2-digit", minute: "2-digit", hour12: false });
}

function showState(name, words, values = {}) {
  state.dataset.state = name;
  const text = fill(words, values);
  if (state.textContent !== text) state.textContent = text;
}

let isOnlyUntilSaved = false;

function showNotice(words, { withLogIn = false, untilSaved = withLogIn } = {}) {
  isOnlyUntilSaved = untilSaved;
  notice.querySelector("a").hidden = !withLogIn;
  notice.hidden = false;
  notice.querySelector("p").textContent = words;
}

function hideNotice() {
  notice.hidden = true;
}

/** The answer in an entry or a reply, as `chosen` gives it. */
function answerIn({ token, criterion, score, places, marks, done }) {
  if (marks) return JSON.stringify({ marks, done });
  return places ? places.join(" ") : String(criterion === null ? token : score);
}

/** Show what the server has of a question, unless a newer answer to it is on its way. */
function showStored(question) {
  const row = rowOf(question);
  if (!row || queue.entries().some((entry) => isHere(entry) && entry.question === question)) return;
  choose(row, stored.get(question));
  row.classList.remove("is-unsent");
  showAnswered();
}

function closePage() {
  for (const row of rows) for (const input of row.querySelectorAll("input, button, select")) input.disabled = true;
  for (const field of fields) areaOf(field).disabled = true;
  for (const question of stored.keys()) showStored(question);
}

const reports = {
  saving: () => showState("saving", state.dataset.saving),
  saved({ reply }, entry) {
    showState("saved", state.dataset.saved, { time: clock(new Date(reply.saved_at)) });
    if (isOnlyUntilSaved) hideNotice();
    if (entry.kind) return showWritten(reply, entry);
    if (!isHere(entry)) return;
    stored.set(entry.question, answerIn(reply));
    showStored(entry.question);
    if (reply.widened) showNotice(keys.dataset.widened);
    if (!reply.latest) {
      showNotice(fill(keys.dataset.later, { question: rowOf(entry.question)?.dataset.label ?? "" }));
    }
  },
  closed({ message }, entry) {
    showState("refused", state.dataset.refused);
    showNotice(message);
    if (isHere(entry)) closePage();
  },
  refused({ message }, entry) {
    showState("refused", state.dataset.refused);
    showNotice(fill(keys.dataset.notSaved, { message }));
    if (isHere(entry)) showStored(entry.question);
  },
  loggedOut({ message }) {
    showState("login", state.dataset.login);
    showNotice(message ?? keys.dataset.logIn, { withLogIn: message === undefined });
    showUnsent();
  },
  paused() {
    reports.unreachable();
    showNotice(keys.dataset.paused, { untilSaved: true });
  },
  unreachable() {
    showState("waiting", queue.isKept() ? state.dataset.waiting : state.dataset.waitingUnkept);
    showUnsent();
  },
};
reports.failing = reports.unreachable;

function showUnsent() {
  for (const entry of queue.entries()) {
    if (isHere(entry)) rowOf(entry.question)?.classList.add("is-unsent");
    if (entry.url === form.dataset.writtenUrl) fieldOf(entry)?.classList.add("is-unsent");
  }
}

const queue = openQueue({
  prefix: `evalsite ${form.dataset.journal} `,
  highestOrder: Number(form.dataset.highestOrder),
  serverTime: Number(form.dataset.serverTime),
  report: (outcome, entry) => reports[outcome.kind](outcome, entry),
});

// Time in view

let secondsBefore = 0;
let shownSince = document.hidden ? undefined : performance.now();
const secondsInView = () =>
  secondsBefore + (shownSince === undefined ? 0 : (performance.now() - shownSince) / 1000);

document.addEventListener("visibilitychange", () => {
  secondsBefore = secondsInView();
  shownSince = document.hidden ? undefined : performance.now();
});

/** Take the value of a slider, or of its number, unless that is none of the scale: then what is stored comes back. */
function takeSlider(row, target) {
  const isOnScale = target.value !== "" && target.checkValidity();
  if (!isOnScale) target.reportValidity();
  slide(row, isOnScale ? target.value : stored.get(row.dataset.question));
  return isOnScale;
}

// What is written

const PAUSE_IN_TYPING = 800;

/** Send what a field says, unless that is on its way or the server has it. */
function write(field) {
  clearTimeout(typing.get(field));
  typing.delete(field);
  const text = areaOf(field).value;
  if (areaOf(field).disabled || text === lastWritten.get(field)) return;
  lastWritten.set(field, text);
  const { token, written: kind } = field.dataset;
  queue.add({ url: form.dataset.writtenUrl, question: `${token} ${kind}`, token, kind, text });
}

/** Show what counts, where a later version came from another window and nobody types here. */
function showWritten(reply, entry) {
  const field = entry.url === form.dataset.writtenUrl && fieldOf(entry);
  if (!field || queue.entries().some((one) => one.url === entry.url && one.question === entry.question)) return;
  field.classList.remove("is-unsent");
  if (reply.latest) return;
  lastWritten.set(field, reply.text);
  if (document.activeElement !== areaOf(field)) areaOf(field).value = reply.text;
  showNotice(fill(keys.dataset.later, { question: field.querySelector("label").textContent.trim() }));
}

for (const field of fields) {
  areaOf(field).addEventListener("input", () => {
    clearTimeout(typing.get(field));
    typing.set(field, setTimeout(() => write(field), PAUSE_IN_TYPING));
  });
  areaOf(field).addEventListener("blur", () => write(field));
}

const writeAll = () => fields.filter((field) => typing.has(field)).forEach(write);
window.addEventListener("pagehide", writeAll, { capture: true });
document.addEventListener("visibilitychange", writeAll, { capture: true });

// The question whose answer moved the focus to the one after it.
let justAnswered;
form.addEventListener("focusin", () => (justAnswered = undefined));

/** Go to where a reason, or a correction, is written: about the text just answered or in focus, else the first. */
function goToWritten(kind) {
  const card = (justAnswered ?? document.activeElement)?.closest(".card");
  const own = (one) => one.dataset.written === kind;
  const field = fields.find((one) => own(one) && card?.contains(one)) ?? fields.find(own);
  if (!field) return;
  const details = field.querySelector("details");
  if (details) details.open = true;
  areaOf(field).focus();
}

form.addEventListener("change", ({ target }) => {
  if (target.matches("textarea")) return;
  const row = target.closest("[data-question]");
  const isBest = row === best;
  if (sliderOf(row) && !takeSlider(row, target)) return;
  const [token, criterion] = isBest ? [target.value, null] : row.dataset.question.split(".");
  const isMarking = target === markingOf(row);
  const answer = isMarking
    ? { ...JSON.parse(target.value), digest: row.dataset.digest }
    : {
        criterion,
        score: isBest || isOrder(row) ? null : Number(chosen(row)),
        places: isOrder(row) ? orderOf(row) : undefined,
      };
  hideNotice();
  queue.add({
    url: isMarking ? form.dataset.markingsUrl : form.dataset.answersUrl,
    question: row.dataset.question,
    token,
    ...answer,
    seconds: Math.round(secondsInView() * 10) / 10,
  });
  showAnswered();
});

form.addEventListener("input", ({ target }) => {
  if (target.type === "range") slide(target.closest("[data-question]"), target.value);
});

/** Answer with the place where an unset slider stands: the browser sees no change where it is set to just that. */
function settle(range) {
  if (range.disabled || !range.closest(".is-unset")) return;
  range.dispatchEvent(new Event("change", { bubbles: true }));
}

for (const range of form.querySelectorAll("input[type=range]")) {
  range.addEventListener("click", () => settle(range));
}

// Ways out: first everything is sent, because a browser that is offline could not come back here

async function leave(url) {
  writeAll();
  const outcome = await queue.run();
  if (!["unreachable", "loggedOut"].includes(outcome.kind)) window.location.assign(url);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  leave(form.dataset.next);
});

for (const way of [back, next]) {
  if (!way.href) continue;
  way.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    leave(way.href);
  });
}

notice.querySelector("button").addEventListener("click", hideNotice);

// Keys

const firstMissing = () => rows.find((row) => !isAnswered(row)) ?? rows[0];
const rowInFocus = () => document.activeElement?.closest("[data-question]");

function goTo(row) {
  (row ?? next).focus();
}

function press(input, row) {
  if (input.disabled) return;
  // A click, so that choosing by key is the same event as choosing by hand.
  input.click();
  goTo(isAnswered(row) ? rows[rows.indexOf(row) + 1] : row);
  justAnswered = row;
}

function pressDigit(digit) {
  const row = rowInFocus() ?? firstMissing();
  const point = (value) => row.querySelector(`input[value="${value}"]`);
  const input = point(digit) ?? (digit === "0" ? point(10) : null);
  if (input && row !== best) press(input, row);
}

/** The question of the same text that misses an answer, or else the next one that follows. */
function nextAfter(area) {
  const following = rows.filter((row) => area.compareDocumentPosition(row) & Node.DOCUMENT_POSITION_FOLLOWING);
  return rows.find((row) => !isAnswered(row) && row.closest(".card")?.contains(area)) ?? following[0];
}

function moveRow(step) {
  const row = rowInFocus();
  goTo(row ? (rows[rows.indexOf(row) + step] ?? row) : firstMissing());
}

function moveCard(step) {
  const row = rowInFocus();
  const card = row?.closest(".card");
  if (!card) return goTo(firstMissing());
  const cards = [...form.querySelectorAll(".card")];
  const place = [...card.querySelectorAll("[data-question]")].indexOf(row);
  const other = cards[cards.indexOf(card) + step];
  if (other) goTo(other.querySelectorAll("[data-question]")[place]);
}

const shortcuts = {
  ArrowDown: () => moveRow(1),
  ArrowUp: () => moveRow(-1),
  ArrowRight: () => moveCard(1),
  ArrowLeft: () => moveCard(-1),
  b: () => best && goTo(best),
  g: () => given?.focus(),
  r: () => goToWritten("reason"),
  e: () => goToWritten("correction"),
  n: () => next.click(),
  p: () => back.click(),
  Enter: () => next.click(),
  "?": () => keys.showModal(),
  "？": () => keys.showModal(),
};

function isTyping(target) {
  return target.matches("input:not([type=radio], [type=range]), select, textarea, [contenteditable]");
}

const SLIDER_KEYS = ["Arrow", "Page", "Home", "End"];

function actOn({ key, target }) {
  const isRadio = target.matches("input[type=radio]");
  if (target.matches("input[type=range]")) {
    if (SLIDER_KEYS.some((start) => key.startsWith(start))) return undefined;
    if (key === " ") return () => settle(target);
  }
  if (/^[0-9]$/.test(key)) {
    const row = rowInFocus() ?? firstMissing();
    if (markingOf(row)) return () => goTo(row);
    if (!sliderOf(row)) return () => pressDigit(key);
    // The digit is typed into the number by the browser itself.
    numberOf(row).select();
    return undefined;
  }
  // The browser's own keys keep their meaning on a scale, a link and a button.
  if (isRadio && key.startsWith("Arrow")) return undefined;
  if (given?.contains(target) && (key === "ArrowDown" || key === "ArrowUp")) return undefined;
  if (key === "Enter" && (isRadio || target.matches("a, button, summary"))) return undefined;
  const row = rowInFocus() ?? rows.find((one) => !isAnswered(one));
  if (row && isOrder(row)) {
    const text = row.querySelector(`[data-letter="${CSS.escape(key)}"]`);
    if (text) return () => press(text, row);
    if (key === "Backspace") return () => takeLast(row);
  }
  const pick = best && row === best && best.querySelector(`[data-letter="${CSS.escape(key)}"]`);
  // After the last rating the focus is on the best pick already: b then d must pick D there too, and not B.
  const isLetter = key !== "b" || lastKey === "b";
  return pick && isLetter ? () => press(pick, best) : shortcuts[key];
}

let lastKey = "";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || keys.open) return;
  if (isTyping(event.target)) {
    if (event.key === "Escape" && event.target.matches("textarea")) goTo(nextAfter(event.target));
    const row = event.target.closest("[data-question]");
    if (event.key !== "Enter" || !row || !sliderOf(row)) return;
    event.preventDefault();
    // Leaving the number sends it.
    goTo(rows[rows.indexOf(row) + 1]);
    return;
  }
  const act = actOn(event);
  lastKey = event.key;
  if (!act) return;
  event.preventDefault();
  act();
});

document.getElementById("show-keys").addEventListener("click", () => keys.showModal());
document.getElementById("close-keys").addEventListener("click", () => keys.close());

for (const row of rows) if (isOrder(row)) openOrder(row);

// What an earlier visit could not send is shown, marked, and sent now

for (const entry of queue.entries()) {
  const field = entry.url === form.dataset.writtenUrl && fieldOf(entry);
  if (field) {
    areaOf(field).value = entry.text;
    lastWritten.set(field, entry.text);
  }
  const row = isHere(entry) && rowOf(entry.question);
  if (row) choose(row, answerIn(entry));
}
showUnsent();
showAnswered();
if (state.dataset.savedAt) {
  showState("saved", state.dataset.saved, { time: clock(new Date(state.dataset.savedAt)) });
}
queue.run();
