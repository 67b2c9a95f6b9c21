// Texts put in an order: each is chosen after the other by a button or its letter, and moved by arrows or dragging.

/** The tokens that are chosen in a row, in their order. */
export const orderOf = (row) => row.querySelector("[data-order]").value.split(" ").filter(Boolean);

export const isOrder = (row) => row.dataset.places !== undefined;

/** Show an order (tokens with blanks between) without saving it. */
export function showOrder(row, value) {
  row.querySelector("[data-order]").value = value;
  const order = orderOf(row);
  const list = row.querySelector(".chosen");
  const template = row.querySelector("template");
  const buttons = [...row.querySelectorAll("[data-token]")];
  for (const button of buttons) button.setAttribute("aria-pressed", String(order.includes(button.dataset.token)));
  // The places that are still free are there from the beginning, so that choosing a text moves nothing on the page.
  const [best, worst] = [list.dataset.best, list.dataset.worst];
  const free = Array.from({ length: Number(row.dataset.places) - order.length }, (_, place) => {
    const item = document.createElement("li");
    item.className = "free";
    if (best) item.textContent = order.length + place ? worst : best;
    return item;
  });
  list.replaceChildren(
    ...order.map((token, place) => {
      const item = template.content.cloneNode(true).firstElementChild;
      const letter = buttons.find((button) => button.dataset.token === token).textContent.trim();
      const colon = document.documentElement.lang.startsWith("zh") ? "：" : ": ";
      item.dataset.place = place;
      item.querySelector("b").textContent = best ? `${place ? worst : best}${colon}${letter}` : letter;
      for (const button of item.querySelectorAll("[data-move]")) {
        button.setAttribute("aria-label", button.getAttribute("aria-label").replace("{letter}", letter));
      }
      return item;
    }),
    ...free,
  );
}

/** Save an order as if it were typed: the page hears a change. */
function setOrder(row, order) {
  showOrder(row, order.join(" "));
  row.querySelector("[data-order]").dispatchEvent(new Event("change", { bubbles: true }));
}

function choose(row, token) {
  const order = orderOf(row);
  const places = Number(row.dataset.places);
  const texts = [...row.querySelectorAll("[data-token]")].map((button) => button.dataset.token);
  if (order.includes(token)) return setOrder(row, order.filter((other) => other !== token));
  const next = order.length === places ? [...order.slice(0, -1), token] : [...order, token];
  // Of all texts the last one has no choice.
  const rest = texts.filter((other) => !next.includes(other));
  return setOrder(row, rest.length === 1 && next.length === places - 1 ? [...next, ...rest] : next);
}

/** Take the text that was chosen last out again. */
export const takeLast = (row) => setOrder(row, orderOf(row).slice(0, -1));

function move(row, from, to) {
  const order = orderOf(row);
  if (to < 0 || to >= order.length || from === to) return;
  order.splice(to, 0, ...order.splice(from, 1));
  setOrder(row, order);
}

/** Let the buttons and the list of a row take clicks and drags. */
export function openOrder(row) {
  let dragged;
  const placeOf = (target) => {
    const item = target.closest("li[data-place]");
    return item === null ? undefined : Number(item.dataset.place);
  };
  row.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (button?.dataset.token) choose(row, button.dataset.token);
    if (!button?.dataset.move) return;
    const from = placeOf(button);
    const to = from + Number(button.dataset.move);
    move(row, from, to);
    row.querySelector(`li[data-place="${to}"] [data-move="${button.dataset.move}"]`)?.focus();
  });
  row.addEventListener("dragstart", ({ target }) => {
    dragged = row.querySelector("[data-move]")?.disabled ? undefined : placeOf(target);
  });
  row.addEventListener("dragover", (event) => dragged !== undefined && event.preventDefault());
  row.addEventListener("drop", (event) => {
    const to = placeOf(event.target);
    if (dragged === undefined || to === undefined) return;
    event.preventDefault();
    move(row, dragged, to);
    dragged = undefined;
  });
  showOrder(row, row.querySelector("[data-order]").value);
}
