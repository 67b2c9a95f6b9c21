"""What the pages of compositions say: how far a text is, what its scores mean, why there is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from generation.genres import GENRES
from generation.models import RunPrompt
from generation.models.lease import LOST
from generation.runs.explanation import figure
from generation.verse.forms import FormatPenalty

Words = str | Promise

TERMS: dict[str, Words] = {
    "inverse": gettext_lazy("Relevance"),
    "forward": gettext_lazy("Fluency"),
    "format": gettext_lazy("Rules of verse"),
    "copies": gettext_lazy("Words of the title"),
    "nearness": gettext_lazy("Meaning"),
}
BREACHES: dict[str, Words] = {
    "length": gettext_lazy("lengths"),
    "tones": gettext_lazy("tones"),
    "rhyme": gettext_lazy("rhymes"),
    "repetition": gettext_lazy("repeated characters"),
}
# Why an order was refused by the model (generation.decoding.methods), in the reader's language.
REFUSALS: list[tuple[str, Words]] = [
    (
        r"\w+: the model \S+ knows none of the characters of (?P<text>.+)",
        gettext_lazy("The model knows none of these characters: %(text)s"),
    ),
    (
        r"heads: the model \S+ does not know (?P<text>.+)",
        gettext_lazy("The model does not know these characters of the acrostic: %(text)s"),
    ),
    (
        r"\w+: is too long for the model .+|\w+: is \d+ characters long; .+",
        gettext_lazy("What you asked for is too long for the model."),
    ),
]


@dataclass(frozen=True)
class Score:
    """A term of a text's score: its name, what it says, and its figure."""

    name: Words
    meaning: str
    figure: str


def scores_in_words(terms: Mapping[str, float], genre: str, breaches: FormatPenalty | None) -> list[Score]:
    """Return the terms of a text in the order in which they are explained."""
    meanings = {
        "inverse": _("how readily the question can be guessed from single short sentences")
        if GENRES[genre].subject == "question"
        else _("how readily the title can be guessed from single short sentences"),
        "forward": _("how readily the model goes on like this"),
        "format": breaches_in_words(breaches),
        "copies": _("how many characters of the title the poem repeats"),
        "nearness": _("how near in meaning the text is to what was asked, by embeddings"),
    }
    return [Score(TERMS[term], meanings[term], figure(terms[term])) for term in TERMS if term in terms]


def breaches_in_words(breaches: FormatPenalty | None) -> str:
    """Say where a poem breaks its form."""
    counts = {name: getattr(breaches, name) for name in BREACHES} if breaches else {}
    found = [f"{BREACHES[name]} {count}" for name, count in counts.items() if count]
    if not found:
        return _("the poem keeps to the rules of its form")
    return _("the poem breaks the rules of its form: %(breaches)s") % {"breaches": ", ".join(found)}


def state_in_words(run_prompt: RunPrompt, *, has_worker: bool, ahead: int) -> str:
    """Say how far a text is, or why there is none."""
    state = RunPrompt.State
    if run_prompt.state == state.DONE:
        return _("Written.")
    if run_prompt.state == state.FAILED:
        return reason(run_prompt.error)
    if run_prompt.state == state.CANCELLED:
        return _("This was cancelled by whoever runs the site.")
    if not has_worker:
        return _("No worker is running. Your text keeps its place and is written once one is started.")
    if run_prompt.state == state.RUNNING:
        step: Mapping[str, object] | None = run_prompt.step
        if not step:
            return _("The first short sentence is being written.")
        return _("%(sentence)d of at most %(most)d short sentences are written.") % step
    if ahead:
        said = ngettext("%(count)d other text comes first.", "%(count)d other texts come first.", ahead)
        return said % {"count": ahead}
    return _("Waiting for a worker to be free.")


def reason(error: str) -> str:
    """Say why a text was not written; what is meant for operators stays with them."""
    if error == LOST:
        return _("The worker was lost while it wrote this text.")
    for pattern, words in REFUSALS:
        if match := re.fullmatch(pattern, error, re.DOTALL):
            return str(words) % match.groupdict()
    return _("Something went wrong while this text was written.")
