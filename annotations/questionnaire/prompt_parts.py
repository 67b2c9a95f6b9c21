"""What a prompt gives to read beside its text, as the rule and the rendering of a study show it."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from annotations.models import Study
from annotations.questionnaire.rendering import rendered
from generation.models import Prompt
from generation.texts.languages import language_beside

# What is longer, or has more lines, is read in a box of its own and not as a heading.
LONGEST_HEADING, MOST_HEADING_LINES = 300, 4
# So much to read stands beside the candidates, where the screen has room.
LEAST_BESIDE = 600


@dataclass(frozen=True)
class Passage:
    """Something to read under a label; a dialogue has several texts, each by a role."""

    label: str
    # Role, text, and the tag of its language.
    texts: tuple[tuple[str, SafeString, str], ...]


def is_heading(text: str) -> bool:
    """Whether a prompt's text is short enough to stand over its page."""
    return bool(text) and len(text) <= LONGEST_HEADING and text.count("\n") < MOST_HEADING_LINES


def passages(prompt: Prompt, study: Study) -> list[Passage]:
    """Return all that a prompt gives to read but its heading and a short description."""
    text = study.shown_prompt(prompt.text)
    found = []
    if text and not is_heading(text):
        found.append(Passage(_("Prompt"), (("", *_shown(text, study)),)))
    found += [
        Passage(_part_label(part["name"]), (("", *_shown(study.shown(part["text"]), study)),))
        for part in prompt.parts
    ]
    if prompt.turns:
        turns = (
            (role_label(turn["role"]), *_shown(study.shown(turn["text"]), study)) for turn in prompt.turns
        )
        found.append(Passage(_("Dialogue"), tuple(turns)))
    return found


def is_much_to_read(prompt: Prompt) -> bool:
    """Whether what a prompt gives to read stands beside the candidates, to be looked at again with each of them."""
    given = [part["text"] for part in (*prompt.parts, *prompt.turns)]
    if not is_heading(prompt.text):
        given.append(prompt.text)
    return sum(map(len, given)) >= LEAST_BESIDE


def _shown(text: str, study: Study) -> tuple[SafeString, str]:
    """Return a text as it is shown, and the tag of its language: a source is often of another than its translations."""
    language = language_beside(text, study.text_language)
    # A source that goes with code is mostly prose, which letters of one width and long lines would make hard to read.
    if study.rendering == Study.Rendering.CODE:
        return format_html('<div class="written">{}</div>', text), language
    return rendered(text, study), language


def _part_label(name: str) -> str:
    labels = {
        "source": pgettext("part of a prompt", "Source"),
        "context": pgettext("part of a prompt", "Context"),
        "reference": pgettext("part of a prompt", "Reference"),
    }
    return labels.get(name.lower(), name)


def role_label(name: str) -> str:
    """Return the role of a turn in the reader's words."""
    labels = {
        "user": pgettext("role in a dialogue", "User"),
        "assistant": pgettext("role in a dialogue", "Assistant"),
        "system": pgettext("role in a dialogue", "System"),
    }
    return labels.get(name.lower(), name)
