// Errors marked in a text: words are chosen by mouse, touch or keys, and a category marks them. All marks of a text are
// one answer, kept as JSON in a hidden field of its fieldset, whose change the page saves. Offsets count code points.

const fill = (words, values) => words.replace(/\{(\w+)\}/g, (_, name) => values[name]);

/** Where the pieces of a text begin and end, in UTF-16: characters as readers see them, or words and marks. */
function pieces(text, granularity, language) {
  if (Intl.Segmenter) {
    const found = new Intl.Segmenter(language || undefined, { granularity }).segment(text);
    return [...found].map(({ index, segment }) => ({ start: index, end: index + segment.length, segment }));
  }
  // The server widens a mark that would cut a character.
  const pattern = granularity === "word" ? /\s+|[^\s]+/gu : /./gsu;
  return [...text.matchAll(pattern)].map(({ index, 0: segment }) => ({ start: index, end: index + segment.length, segment }));
}

/** The text of a fieldset with its marks drawn in, and what of it is chosen, in UTF-16. */
class MarkableText {
  constructor(element) {
    this.element = element;
    this.text = element.textContent;
    const language = element.lang;
    this.graphemes = pieces(this.text, "grapheme", language);
    this.words = pieces(this.text, "word", language).filter(({ segment }) => segment.trim());
    // The place in UTF-16 of each code point, and of the end.
    this.units = [0];
    for (const point of this.text) this.units.push(this.units.at(-1) + point.length);
  }

  toPoints(unit) {
    let [low, high] = [0, this.units.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.units[middle] < unit) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** A stretch without the blanks at its ends, made wide enough to cut no character; undefined where nothing is left. */
  whole(start, end) {
    const first = this.graphemes.find((one) => one.end > start && one.end <= this.text.length && one.segment.trim());
    const last = this.graphemes.findLast((one) => one.start < end && one.segment.trim());
    return first && last && first.start < end && first.start < last.end && last.end > start
      ? { start: first.start, end: last.end }
      : undefined;
  }

  /** Draw the marks: `[start, end, grade]` in UTF-16, each with its place in the list. */
  draw(marks) {
    const cuts = new Set([0, this.text.length]);
    for (const { start, end } of marks) {
      cuts.add(start);
      cuts.add(end);
    }
    const places = [...cuts].sort((one, other) => one - other);
    const nodes = [];
    places.forEach((start, number) => {
      const end = places[number + 1];
      for (const mark of marks) {
        if (mark.start !== start || mark.end !== start) continue;
        const place = document.createElement("span");
        place.className = `missing-place grade-${mark.grade}`;
        place.dataset.mark = mark.number;
        nodes.push(place);
      }
      if (end === undefined) return;
      const covering = marks.filter((mark) => mark.start <= start && mark.end >= end && mark.start < mark.end);
      const words = document.createTextNode(this.text.slice(start, end));
      if (!covering.length) return nodes.push(words);
      const drawn = document.createElement("mark");
      drawn.className = `grade-${Math.max(...covering.map(({ grade }) => grade))}`;
      drawn.classList.toggle("is-doubled", covering.length > 1);
      drawn.dataset.mark = covering.at(-1).number;
      drawn.append(words);
      return nodes.push(drawn);
    });
    this.element.replaceChildren(...nodes);
  }

  /** The place in UTF-16 of a point of the page, clipped to this text. */
  placeOf(node, offset) {
    const range = document.createRange();
    range.selectNodeContents(this.element);
    if (range.comparePoint(node, offset) < 0) return 0;
    if (range.comparePoint(node, offset) > 0) return this.text.length;
    range.setEnd(node, offset);
    return range.toString().length;
  }

  /** The node and the offset of a place in UTF-16. */
  pointOf(place) {
    const walker = document.createTreeWalker(this.element, NodeFilter.SHOW_TEXT);
    let rest = place;
    let node = walker.nextNode();
    while (node && rest > node.length) {
      rest -= node.length;
      node = walker.nextNode();
    }
    return node ? [node, rest] : [this.element, 0];
  }

  /** Choose a stretch as if by hand, and bring it into view. */
  select({ start, end }) {
    const selection = window.getSelection();
    selection.setBaseAndExtent(...this.pointOf(start), ...this.pointOf(end));
    if (!selection.rangeCount) return;
    const box = selection.getRangeAt(0).getBoundingClientRect();
    const below = document.querySelector(".foot").getBoundingClientRect().top - 16;
    const above = (document.querySelector(".prompt")?.getBoundingClientRect().bottom ?? 0) + 16;
    if (box.bottom > below) window.scrollBy(0, box.bottom - below);
    else if (box.top < above) window.scrollBy(0, box.top - above);
  }
}

function openMarking(fieldset) {
  const words = (name, values = {}) => fill(fieldset.dataset[`words${name}`], values);
  const field = fieldset.querySelector("[data-marking]");
  const text = new MarkableText(fieldset.querySelector("[data-markable]"));
  const marker = fieldset.querySelector("[data-marker]");
  const list = fieldset.querySelector("[data-marks]");
  const done = fieldset.querySelector("[data-done]");
  const buttons = [...fieldset.querySelectorAll("[data-category]")];
  const severities = [...fieldset.querySelectorAll(".severities input")];
  const rated = [...(fieldset.closest(".card")?.querySelectorAll(".questions [data-question]") ?? [])];
  const isClosed = fieldset.dataset.closed !== undefined;
  // What is chosen, in UTF-16: undefined, a stretch, or the end of the text as an empty one.
  let chosen;
  // From which word or character on a choice by keys goes, and to which it has come.
  let anchor;
  let reached;

  const read = () => JSON.parse(field.value);
  const isMissing = (category) => buttons.find((one) => one.dataset.category === category)?.dataset.missingKind !== undefined;
  const quote = (start, end) => `“${text.text.slice(start, end)}”`;
  const say = (said) => (fieldset.querySelector("[data-status]").textContent = said);
  const units = ({ start, end }) => ({ start: text.units[start], end: text.units[end] });

  function wordsOf(mark) {
    if (mark.start === null) return words("Nowhere");
    const { start, end } = units(mark);
    if (start !== end) return quote(start, end);
    const next = text.words.find((one) => one.start >= start);
    return next ? words("Before", { words: quote(next.start, next.end) }) : words("End");
  }

  function showChosen() {
    let said = words("None");
    if (chosen) said = chosen.start === chosen.end ? words("End") : quote(chosen.start, chosen.end);
    fieldset.querySelector("[data-chosen]").textContent = said;
    fieldset.classList.toggle("has-choice", chosen !== undefined);
    return said;
  }

  function choose(stretch, { byKeys = false } = {}) {
    chosen = stretch;
    const said = showChosen();
    if (!byKeys) return;
    if (stretch) text.select(stretch);
    say(said);
  }

  function showList(marks) {
    const template = fieldset.querySelector("template");
    list.replaceChildren(
      ...marks.map((mark, number) => {
        const item = template.content.cloneNode(true).firstElementChild;
        item.dataset.number = number;
        item.querySelector("[data-go]").textContent = wordsOf(mark);
        for (const option of item.querySelectorAll("[data-field=category] option")) {
          option.disabled = (option.dataset.missingKind !== undefined) !== isMissing(mark.category);
        }
        for (const input of item.querySelectorAll("[data-field]")) input.value = mark[input.dataset.field];
        return item;
      }),
    );
  }

  /** Show an answer; the list stays as it is where its own fields have changed, as somebody is at work in it. */
  function show(value, { keepsList = false } = {}) {
    field.value = value;
    const { marks, done: isDone } = read();
    if (!keepsList) showList(marks);
    const grade = (mark) => severities.findIndex((one) => one.value === mark.severity) + 1;
    text.draw(
      marks
        .map((mark, number) => ({ ...mark, number, grade: grade(mark) }))
        .filter(({ start }) => start !== null)
        .map((mark) => ({ ...mark, ...units(mark) })),
    );
    done.checked = isDone;
    // A text is rated after its errors are marked.
    for (const row of rated) {
      row.classList.toggle("is-waiting", !isDone);
      if (!isClosed) for (const input of row.querySelectorAll("input")) input.disabled = !isDone;
    }
  }

  function save(answer, shown) {
    answer.marks.sort((one, other) => (one.start ?? Infinity) - (other.start ?? Infinity));
    show(JSON.stringify(answer), shown);
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }

  const severity = () => severities.find((one) => one.checked) ?? severities[0];

  function mark(button) {
    if (button.disabled) return;
    const answer = read();
    const missing = button.dataset.missingKind !== undefined;
    if (!missing && (!chosen || chosen.start === chosen.end)) return say(words("First"));
    if (answer.marks.length >= Number(fieldset.dataset.most)) return say(words("Many"));
    const [start, end] = chosen ? [text.toPoints(chosen.start), text.toPoints(chosen.end)] : [null, null];
    const made = { category: button.dataset.category, severity: severity().value, start, end: missing ? start : end, note: "" };
    const isThere = (one) => one.start === made.start && one.end === made.end && one.category === made.category;
    if (!answer.marks.some(isThere) || made.start === null) answer.marks.push(made);
    save(answer);
    const said = wordsOf(made);
    if (chosen && fieldset.contains(document.activeElement)) text.select(chosen);
    say(words("Marked", { words: said, category: button.dataset.label, severity: severity().dataset.label }));
  }

  /** The place in the list of the smallest mark that has all that is chosen; -1 without one. */
  function markOfChosen(marks) {
    if (!chosen) return -1;
    const [start, end] = [text.toPoints(chosen.start), text.toPoints(chosen.end)];
    let found = -1;
    marks.forEach((one, number) => {
      if (one.start === null || one.start > start || one.end < (one.start === one.end ? start : end)) return;
      if (found < 0 || one.end - one.start <= marks[found].end - marks[found].start) found = number;
    });
    return found;
  }

  function takeOut(number) {
    const answer = read();
    if (number < 0 || number >= answer.marks.length || isClosed) return;
    answer.marks.splice(number, 1);
    save(answer);
    say(words("Removed"));
  }

  function grade(input) {
    input.checked = true;
    const answer = read();
    const number = markOfChosen(answer.marks);
    say(input.dataset.label);
    if (number < 0 || isClosed || answer.marks[number].severity === input.value) return;
    answer.marks[number].severity = input.value;
    save(answer);
    if (chosen) text.select(chosen);
  }

  /** Choose the next word or character by keys, or as far as it. */
  function step(by, { extend, granularity }) {
    const all = granularity === "word" ? text.words : text.graphemes;
    const at = reached?.all === all ? reached.at : undefined;
    const from = chosen ? (by > 0 ? all.findLastIndex((one) => one.start < chosen.end) : all.findIndex((one) => one.end > chosen.start)) : undefined;
    const now = at ?? from;
    const next = now === undefined ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(now + by, 0), all.length);
    const piece = all[next] ?? { start: text.text.length, end: text.text.length };
    if (!extend || !anchor) anchor = extend && chosen ? { ...chosen } : piece;
    reached = { all, at: next };
    choose({ start: Math.min(anchor.start, piece.start), end: Math.max(anchor.end, piece.end) }, { byKeys: true });
  }

  const forward = () => (getComputedStyle(text.element).direction === "rtl" ? "ArrowLeft" : "ArrowRight");

  function press(event) {
    const { key, shiftKey: extend } = event;
    if (key === "ArrowLeft" || key === "ArrowRight") {
      const granularity = event.ctrlKey || event.altKey || event.metaKey ? "grapheme" : "word";
      return () => step(key === forward() ? 1 : -1, { extend, granularity });
    }
    if (event.ctrlKey || event.altKey || event.metaKey) return undefined;
    const button = buttons.find((one) => one.dataset.letter === key);
    if (button) return () => mark(button);
    if (/^[1-9]$/.test(key)) return () => severities[Number(key) - 1] && grade(severities[Number(key) - 1]);
    if (key === "Backspace" || key === "Delete") return () => takeOut(markOfChosen(read().marks));
    if (key === "Enter") return isClosed ? undefined : finish;
    return undefined;
  }

  function finish() {
    if (!read().done) save({ ...read(), done: true });
    const rows = [...document.querySelectorAll("[data-question]")];
    (rows[rows.indexOf(fieldset) + 1] ?? document.getElementById("next")).focus();
  }

  // The keys of the page find the fieldset; those of the marks are the marker's.
  fieldset.addEventListener("focus", () => marker.focus());
  marker.addEventListener("focus", () => {
    if (chosen) text.select(chosen);
  });
  marker.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const act = press(event);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });

  fieldset.addEventListener("change", (event) => {
    const { target } = event;
    if (target === field) return;
    // What the page hears of is the answer as a whole.
    event.stopPropagation();
    if (target === done) save({ ...read(), done: done.checked });
    else if (severities.includes(target)) grade(target);
    else if (target.dataset.field) {
      const answer = read();
      const item = target.closest("li");
      // A note that is still being written goes along.
      for (const input of item.querySelectorAll("[data-field]")) {
        answer.marks[Number(item.dataset.number)][input.dataset.field] = input.value.replace(/\s+/g, " ").trim();
      }
      save(answer, { keepsList: true });
    }
  });

  for (const button of buttons) {
    // What is chosen stays so while a button is pressed.
    button.addEventListener("pointerdown", (event) => event.preventDefault());
    button.addEventListener("click", () => mark(button));
  }
  list.addEventListener("click", ({ target }) => {
    const item = target.closest("li");
    if (target.closest("[data-out]")) {
      takeOut(Number(item.dataset.number));
      marker.focus({ preventScroll: true });
    } else if (target.closest("[data-go]")) {
      const one = read().marks[Number(item.dataset.number)];
      if (one.start !== null) choose(units(one), { byKeys: true });
    }
  });
  text.element.addEventListener("click", ({ target }) => {
    const drawn = target.closest("[data-mark]");
    if (!drawn || !window.getSelection().isCollapsed) return;
    choose(units(read().marks[Number(drawn.dataset.mark)]));
    list.children[Number(drawn.dataset.mark)]?.scrollIntoView({ block: "nearest" });
    for (const item of list.children) item.classList.toggle("is-chosen", item.dataset.number === drawn.dataset.mark);
  });
  text.element.addEventListener("pointerdown", () => {
    anchor = reached = undefined;
  });
  document.addEventListener("selectionchange", () => {
    const selection = window.getSelection();
    if (selection.isCollapsed || !selection.rangeCount) return;
    const range = selection.getRangeAt(0);
    if (!text.element.contains(selection.anchorNode)) return;
    const stretch = text.whole(
      text.placeOf(range.startContainer, range.startOffset),
      text.placeOf(range.endContainer, range.endOffset),
    );
    if (stretch && (stretch.start !== chosen?.start || stretch.end !== chosen?.end)) {
      anchor = reached = undefined;
      choose(stretch);
    }
  });
  fieldset.addEventListener("show-marks", ({ detail }) => show(detail ?? '{"marks": [], "done": false}'));
  show(field.value);
}

for (const fieldset of document.querySelectorAll(".marking")) openMarking(fieldset);
