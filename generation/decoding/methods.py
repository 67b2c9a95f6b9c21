"""The methods of the paper: which model, template, score and search each of them is.

All are the one search with other arguments. Sampling is the search with one beam and one sample: what is drawn is
kept, so the text is an ordinary sample from the model.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import asdict, replace

from generation.decoding.language_model import LanguageModel
from generation.decoding.requests import Form, Hypothesis, Request
from generation.decoding.sentence_search import search
from generation.decoding.templates import TEMPLATES, VERSE, Template
from generation.genres import GENRES
from generation.methods import FORWARD, METHODS, PRESETS, Method, SearchConfig
from generation.orders import LONGEST, Order, OrderRefused, Report, ScoredText, Step, Written
from generation.texts.characters import control_characters, simplified
from generation.texts.normalising import is_chinese, normalise_text
from generation.texts.sentence_embeddings import EMBEDDINGS
from generation.verse.forms import PoemForm, find_form

DEFAULT_FORM = "lushi5"
LINE_ENDS = re.compile(r"[\r\n\t]+")
# A short sentence without its marks.
CLAUSE = re.compile(r"\w+")
FREE = "free"
# The form that the verse model knows free verse by.
FREE_NAME = "古体"
# The verse model has learnt titles, not descriptions: of one it is asked for each word as for a title.
WORD = re.compile(r"\w+")
LONGEST_WORD, MOST_WORDS = 10, 3
# Of prompts that come with the site: they tell evaluators the form.
NAME_OF_FORM = re.compile("[五七]言[四八]句")


def compose(model: LanguageModel, order: Order, report: Report = lambda step: None) -> Written:
    """Write one text; raise `OrderRefused`."""
    return compose_many(model, [order], report)[0]


def compose_many(
    model: LanguageModel, orders: Sequence[Order], report: Report = lambda step: None
) -> list[Written]:
    """Write several texts by one method side by side, which costs less than one after the other.

    All orders must name the same method and preset. `report` hears of the first of them.
    """
    method, preset = find_method(orders[0].method), orders[0].preset
    if any((order.method, order.preset) != (orders[0].method, preset) for order in orders):
        raise ValueError("orders that are written side by side must be of one method and preset")
    prepared = [prepare(model, order) for order in orders]
    requests = [request for request, _ in prepared]
    is_verse = requests[0].pairs
    weights = method.verse if is_verse else method.prose
    weights = weights.as_preset(preset) if weights else None
    config = settings_of(model, method, preset, is_verse=is_verse)
    for request in requests:
        refuse_without_room(model, request, config)
    started = time.perf_counter()

    def watch(place: int, sentence: int, best: Hypothesis) -> None:
        if place == 0:
            form = requests[0].form
            report(Step(sentence, len(form.lengths) if form else config.most_sentences, best.text))

    found = search(model, requests, weights or FORWARD, config, watch)
    # Of texts that were written side by side each has taken its share of the time.
    seconds = (time.perf_counter() - started) / len(orders)
    provenance = {
        "model": model.name,
        "checkpoint": model.digest,
        "search": asdict(config),
        "weights": asdict(weights) if weights else None,
        **({"embeddings": EMBEDDINGS} if weights and weights.nearness else {}),
        **model.facts,
    }
    written = []
    for order, (request, unknown), hypotheses in zip(orders, prepared, found, strict=True):
        best, *others = [in_dress(hypothesis.scored_text(), order, request.form) for hypothesis in hypotheses]
        own = {
            "method": order.method,
            "template": request.template.key,
            "form": order.form,
            "preset": order.preset,
            "seed": order.seed,
            **({"opening": order.opening} if order.opening else {}),
        }
        written.append(Written(best, tuple(others), unknown, seconds, {**provenance, **own}))
    return written


def find_method(key: str) -> Method:
    try:
        return METHODS[key]
    except KeyError:
        raise OrderRefused(f"method: {key} is none of {', '.join(METHODS)}") from None


def settings_of(model: LanguageModel, method: Method, preset: str, *, is_verse: bool) -> SearchConfig:
    """Return the search's settings: those of the preset, or one sample with the model's own settings."""
    name = preset or ("poem" if is_verse else "qa")
    if name not in PRESETS:
        raise OrderRefused(f"preset: {name} is none of {', '.join(sorted(PRESETS))}")
    if method.verse is None:
        return replace(PRESETS[name], beams=1, samples=1, sampling=model.recommended, fewest_sentences=0)
    return PRESETS[name]


def check_words(order: Order) -> dict[str, str]:
    """Return what an order says in words, by field; raise `OrderRefused` where no model could read it."""
    # A description may have paragraphs; the template has one line for it.
    fields = {"description": LINE_ENDS.sub(" ", order.description), "author": order.author}
    subject = GENRES[order.genre].subject
    fields[subject] = order.prompt
    for name, text in fields.items():
        if found := control_characters(text):
            raise OrderRefused(f"{name}: holds the control character U+{ord(found[0]):04X}")
        if len(text.strip()) > LONGEST[name]:
            raise OrderRefused(
                f"{name}: is {len(text.strip())} characters long; at most {LONGEST[name]} are allowed"
            )
    if not order.prompt.strip():
        raise OrderRefused(f"{subject}: is empty")
    return fields


def prepare(model: LanguageModel, order: Order) -> tuple[Request, str]:
    """Return an order as a request and the characters of it that the model does not know; raise `OrderRefused`."""
    fields = check_words(order)
    template = find_template(model, order)
    unknown = ""
    for name, text in fields.items():
        text = model.without_marks(text).strip().rstrip("?？").strip("《》")
        text = simplified(text) if template.language == "zh" else text
        missing = model.unknown(text)
        unknown += missing
        fields[name] = "".join(character for character in text if character not in missing)
        if text and not fields[name].strip():
            raise OrderRefused(f"{name}: the model {model.name} knows none of the characters of {text}")
    genre = GENRES[order.genre]
    form = find_form_of(model, order) if genre.is_verse and template.language == "zh" else None
    fields["form"] = form.name if form else FREE_NAME
    fields["tune"] = form.tune if form else ""
    fields["genre"] = genre.name_zh if template.language == "zh" else genre.name_en
    about = words_of(fields["description"]) if template is VERSE else ()
    opening = opening_of(model, order, form)
    return Request(
        as_told(model, template), fields, form, genre.is_verse, order.seed, about, opening
    ), unknown


def opening_of(model: LanguageModel, order: Order, form: PoemForm | None) -> tuple[str, ...]:
    """Return the short sentences that stand already, with the marks of the form; raise `OrderRefused`."""
    if not order.opening:
        return ()
    if form is None:
        raise OrderRefused("opening: only a poem in a form can be gone on from")
    sentences = CLAUSE.findall(simplified(order.opening))
    if len(sentences) >= len(form.lengths) or form.wrong_length(sentences):
        raise OrderRefused(f"opening: is not the beginning of a poem in the form {form.name}")
    if unknown := model.unknown("".join(sentences)):
        raise OrderRefused(f"opening: the model {model.name} does not know {unknown}")
    return tuple(sentence + mark for sentence, mark in zip(sentences, form.marks, strict=False))


def words_of(description: str) -> tuple[str, ...]:
    """Return what a poem is about in single words: a description between its marks and blanks, the first of them.

    >>> words_of("车马喧阗，人潮、清晨 归家")
    ('车马喧阗', '人潮', '清晨')
    >>> words_of("七言四句")
    ()
    """
    words = (word for word in WORD.findall(description) if not NAME_OF_FORM.fullmatch(word))
    return tuple(dict.fromkeys(word for word in words if len(word) <= LONGEST_WORD))[:MOST_WORDS]


def as_told(model: LanguageModel, template: Template) -> Template:
    """Return the template with its prompt as a message to the model, if that was made to answer messages.

    Such a model mostly ends a text at once that only goes on from a prompt.
    """
    dialogue = model.in_dialogue(template.prompt)
    return template if dialogue is None else replace(template, prompt=dialogue, start=False)


def refuse_without_room(model: LanguageModel, request: Request, config: SearchConfig) -> None:
    """Raise `OrderRefused` where the model cannot hold a request with a whole poem, or one short sentence of prose."""
    template, form = request.template, request.form
    asked = template.write_inverse_prompt(request.fields, "") + request.inverse_text
    longest = max(len(model.encode(text, start=template.start)) for text in (request.prompt, asked))
    text = sum(form.lengths) + len(form.marks) if form else config.most_tokens
    if longest + text > model.positions:
        field = next(name for name in ("description", "question", "title") if request.fields.get(name))
        raise OrderRefused(
            f"{field}: is too long for the model {model.name}, which reads at most {model.positions:,} tokens"
        )


def find_template(model: LanguageModel, order: Order) -> Template:
    """Return the template that goes with the model, the genre and the language of the order."""
    if f"<{FREE_NAME}>" in model.marks:
        if not GENRES[order.genre].is_verse:
            raise OrderRefused(f"genre: the model {model.name} writes poems only")
        return VERSE
    kind = GENRES[order.genre].template
    kind = "poem_by_author" if kind == "poem" and order.author else kind
    return TEMPLATES[f"{kind}_{'zh' if is_chinese(order.prompt) else 'en'}"]


def find_form_of(model: LanguageModel, order: Order) -> PoemForm | None:
    """Return the form of a poem, None for free verse."""
    heads = simplified(order.heads)
    key = order.form or ("ci" if order.tune else DEFAULT_FORM)
    if key == FREE:
        if heads:
            raise OrderRefused("heads: an acrostic needs a form")
        return None
    if heads and not order.form:
        key = "jueju5" if len(heads) <= 4 else DEFAULT_FORM
    form = find_form(key, tune=order.tune, heads=heads)
    if unknown := model.unknown(heads):
        raise OrderRefused(f"heads: the model {model.name} does not know {unknown}")
    return form


def in_dress(text: ScoredText, order: Order, form: Form | None) -> ScoredText:
    """Return a text as it is shown; a ci gets the pauses that its tune has inside of short sentences."""
    words = text.text
    if isinstance(form, PoemForm):
        words = form.with_pauses([sentence.text for sentence in text.sentences])
    return replace(text, text=normalise_text(words, order.genre))
