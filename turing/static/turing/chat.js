// A live conversation: what is said comes as events, or by asking every second where no events come.

const EVERY = 1000;
const chat = document.getElementById("chat");
const problem = document.getElementById("problem");
const shown = {};
let cursor = chat.dataset.cursor;
let isOpen = false;

for (const talk of chat.querySelectorAll(".talk")) {
  shown[talk.dataset.side] = talk.querySelectorAll(".message").length;
  toEnd(talk);
}

function toEnd(talk) {
  const said = talk.querySelector(".said");
  said.scrollTop = said.scrollHeight;
}

function add({ side, number, by, text }) {
  // What came by both ways is shown once.
  if (number <= shown[side]) return;
  shown[side] = number;
  const talk = chat.querySelector(`.talk[data-side="${side}"]`);
  const isOwn = by === chat.dataset.own;
  const item = document.createElement("li");
  item.className = `message by-${isOwn ? "witness" : "interrogator"}`;
  const speaker = document.createElement("span");
  speaker.className = "speaker";
  speaker.textContent = isOwn ? chat.dataset.you : chat.dataset.them;
  const words = document.createElement("p");
  words.dir = "auto";
  words.translate = false;
  words.textContent = text;
  item.append(speaker, words);
  talk.querySelector(".messages").append(item);
  toEnd(talk);
}

function isOver() {
  location.reload();
}

async function ask() {
  const response = await fetch(`${chat.dataset.messages}?after=${cursor}`);
  if (!response.ok) return;
  const found = await response.json();
  found.said.forEach(add);
  cursor = found.cursor;
  if (found.is_over) isOver();
}

function listen() {
  if (!chat.dataset.events || !window.EventSource) return;
  const events = new EventSource(`${chat.dataset.events}?after=${cursor}`, { withCredentials: true });
  events.onopen = () => (isOpen = true);
  events.onerror = () => (isOpen = false);
  events.onmessage = (event) => {
    JSON.parse(event.data).said.forEach(add);
    cursor = event.lastEventId;
  };
  events.addEventListener("over", () => {
    events.close();
    isOver();
  });
}

// Sent again with its id until the site has it: nothing is lost and nothing doubled.
async function send(body) {
  for (;;) {
    try {
      const response = await fetch(location.href, { method: "POST", headers: { Accept: "application/json" }, body });
      if (response.ok) return "";
      if (response.status < 500) return (await response.json()).problem;
    } catch {
      // The network is away; once more.
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY));
  }
}

for (const form of chat.querySelectorAll("form.say")) {
  const input = form.querySelector("[name=text]");
  let last = Promise.resolve();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const body = new FormData(form);
    body.set("client_id", crypto.randomUUID?.() ?? randomId());
    input.value = "";
    // One after another, so that they arrive in the order in which they were written.
    last = last.then(async () => {
      const said = await send(body);
      problem.hidden = !said;
      problem.textContent = said;
      if (!isOpen) await ask().catch(() => {});
    });
  });
  // What is pasted was not written here.
  for (const kind of ["paste", "drop"]) input.addEventListener(kind, (event) => event.preventDefault());
}

// Where the page is not served securely the browser has no randomUUID.
function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const clock = document.getElementById("clock");
const end = performance.now() + 1000 * Number(clock.dataset.seconds);
function tick() {
  const left = Math.max(0, Math.round((end - performance.now()) / 1000));
  clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}
tick();
setInterval(tick, 500);
// They come by themselves here.
document.getElementById("look").hidden = true;
listen();
setInterval(() => {
  if (!isOpen) ask().catch(() => {});
}, EVERY);
