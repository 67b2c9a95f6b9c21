// Sends the answers of one study, one at a time, and keeps each on this device until the server has it.

const FIRST_RETRY = 1_000;
const LONGEST_RETRY = 30_000;
const TIMEOUT = 20_000;
const LONGEST_KEPT_ALIVE = 15_000;

/** Entries under a prefix, in localStorage or, where the browser refuses that, in memory. */
function openJournal(prefix) {
  let storage;
  try {
    storage = window.localStorage;
    storage.setItem(prefix, "");
    storage.removeItem(prefix);
  } catch {
    storage = undefined;
  }
  return {
    isKept: storage !== undefined,
    entries() {
      const names = storage ? Object.keys(storage).filter((name) => name.startsWith(prefix)) : [];
      return names.map((name) => JSON.parse(storage.getItem(name)));
    },
    keep(name, entry) {
      try {
        storage?.setItem(prefix + name, JSON.stringify(entry));
      } catch {
        this.isKept = false;
      }
    },
    drop(name, entry) {
      // Another window may have kept a later answer to the same question meanwhile.
      const kept = storage && JSON.parse(storage.getItem(prefix + name));
      if (kept && kept.order <= entry.order) storage.removeItem(prefix + name);
    },
  };
}

function csrfToken() {
  // Read afresh each time: logging in again changes it.
  const cookie = /(?:^|; )(?:__Host-)?csrftoken=([^;]*)/.exec(document.cookie);
  return cookie ? cookie[1] : document.querySelector("[name=csrfmiddlewaretoken]").value;
}

/**
 * The server's time in milliseconds, whatever the device's clock says: from the last that was heard of it, by how long
 * ago that was. A clock that is put forward while the page is open is for the server to bound.
 */
function serverClock(heard) {
  let sinceStart;
  let byDevice;
  function hear(time) {
    heard = time;
    sinceStart = performance.now();
    byDevice = Date.now();
  }
  // The first stands still while some devices sleep, the second goes back where a clock is put right.
  const now = () => Math.round(heard + Math.max(performance.now() - sinceStart, Date.now() - byDevice, 0));
  hear(heard);
  return { now, hear };
}

/** Send one entry; the outcome's kind is saved, closed, refused, loggedOut, paused, failing or unreachable. */
async function send({ url, ...entry }) {
  const { token, criterion, score, places, marks, done, digest, kind, text, order, seconds } = entry;
  const body = JSON.stringify({ token, criterion, score, places, marks, done, digest, kind, text, order, seconds });
  let response;
  try {
    response = await fetch(url, {
      method: "POST",
      redirect: "manual",
      // What outlives its page may be no longer, by the rule of browsers for all such requests together.
      keepalive: body.length < LONGEST_KEPT_ALIVE,
      signal: AbortSignal.timeout(TIMEOUT),
      headers: {
        "Content-Type": "application/json",
        "Content-Language": document.documentElement.lang,
        "X-CSRFToken": csrfToken(),
      },
      body,
    });
  } catch {
    return { kind: "unreachable" };
  }
  if (response.type === "opaqueredirect") return { kind: "loggedOut" };
  const reply = await response.json().catch(() => undefined);
  if (response.status === 401) return { kind: "loggedOut", message: reply?.error };
  if (response.ok && reply) return { kind: "saved", reply };
  if (response.status === 403) return reply ? { kind: "closed", message: reply.error } : { kind: "loggedOut" };
  if (reply && response.status === 409) return { kind: "paused" };
  if (reply && (response.status === 400 || response.status === 404)) {
    return { kind: "refused", message: reply.error };
  }
  return { kind: "failing" };
}

/**
 * Open the queue of a study's unsent answers, at a time by the server's clock.
 *
 * `report(outcome, entry)` is called when an entry is about to be sent (kind "saving") and with each outcome.
 * An entry is known by its page's address and its question; a newer answer takes the older one's place.
 */
export function openQueue({ prefix, highestOrder, serverTime, report }) {
  const journal = openJournal(prefix);
  const clock = serverClock(serverTime);
  const waiting = new Map();
  let highest = highestOrder;
  let retryAfter = FIRST_RETRY;
  let timer;
  let running;
  let current;

  const nameOf = (entry) => `${entry.url} ${entry.question}`;

  for (const entry of journal.entries().sort((one, other) => one.order - other.order)) {
    waiting.set(nameOf(entry), entry);
    highest = Math.max(highest, entry.order);
  }

  function drop(entry) {
    journal.drop(nameOf(entry), entry);
    if (waiting.get(nameOf(entry))?.order === entry.order) waiting.delete(nameOf(entry));
  }

  /** Take an outcome into account; returns whether the next entry may be sent. */
  function settle(entry, outcome) {
    const mayGoOn = ["saved", "closed", "refused"].includes(outcome.kind);
    if (mayGoOn) {
      drop(entry);
      retryAfter = FIRST_RETRY;
      if (outcome.reply) {
        highest = Math.max(highest, outcome.reply.order);
        if (outcome.reply.latest) clock.hear(Date.parse(outcome.reply.saved_at));
      }
    } else if (outcome.kind !== "loggedOut") {
      clearTimeout(timer);
      timer = setTimeout(run, retryAfter);
      retryAfter = Math.min(2 * retryAfter, LONGEST_RETRY);
    }
    report(outcome, entry);
    return mayGoOn;
  }

  async function sendAll() {
    clearTimeout(timer);
    let outcome = { kind: "saved" };
    while (waiting.size) {
      [current] = waiting.values();
      report({ kind: "saving" }, current);
      outcome = await send(current);
      if (!settle(current, outcome)) break;
    }
    return outcome;
  }

  /** Send what is waiting; resolves with the last outcome once all is sent or the sending got stuck. */
  function run() {
    running ??= sendAll().finally(() => {
      running = current = undefined;
    });
    return running;
  }

  /** Send at once what is not under way: the page may be closed, and the requests outlive it. */
  function flush() {
    for (const entry of waiting.values()) {
      if (entry !== current) send(entry).then((outcome) => settle(entry, outcome));
    }
  }

  function runAgain() {
    retryAfter = FIRST_RETRY;
    if (waiting.size) run();
  }

  window.addEventListener("online", runAgain);
  window.addEventListener("focus", runAgain);
  window.addEventListener("pageshow", runAgain);
  window.addEventListener("pagehide", flush);
  document.addEventListener("visibilitychange", () => (document.hidden ? flush() : runAgain()));
  window.addEventListener("beforeunload", (event) => {
    if (waiting.size && !journal.isKept) event.preventDefault();
  });

  return {
    run,
    isKept: () => journal.isKept,
    entries: () => [...waiting.values()],
    add(answer) {
      highest = Math.max(clock.now(), highest + 1);
      const entry = { ...answer, order: highest };
      waiting.set(nameOf(entry), entry);
      journal.keep(nameOf(entry), entry);
      run();
    },
  };
}
