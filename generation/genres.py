"""The kinds of text that a study can be about, one record each: a new kind is a new record (pure)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Genre:
    """A kind of text: how it is set and asked for, and the words for it.

    `subject` is what a prompt is to the kind, `template` the sort of prompt that a language model gets for it and
    `name_en`, `name_zh` what that calls the text. `task`, `given` and `written` are for the data sheet of a study.
    """

    key: str
    label: str
    is_verse: bool
    subject: str
    template: str
    name_en: str
    name_zh: str
    task: str
    given: str
    written: str


GENRES = {
    genre.key: genre
    for genre in (
        Genre(
            key="poem",
            label="poem",
            is_verse=True,
            subject="title",
            template="poem",
            name_en="Poem",
            name_zh="诗",
            task="Poetry generation from a title.",
            given="Text: the title of a poem.",
            written="Text: a poem of several lines.",
        ),
        Genre(
            key="qa",
            label="question and answer",
            is_verse=False,
            subject="question",
            template="qa",
            name_en="Answer",
            name_zh="回答",
            task="Open-domain question answering in long form.",
            given="Text: a question, with its description where it has one.",
            written="Text: an answer of several sentences.",
        ),
        Genre(
            key="summary",
            label="summary",
            is_verse=False,
            subject="title",
            template="genre",
            name_en="Summary",
            name_zh="摘要",
            task="Summarisation of a text.",
            given="Text: what is to be summarised, or its title with the text as its description.",
            written="Text: a summary of several sentences.",
        ),
        Genre(
            key="text",
            label="text",
            is_verse=False,
            subject="title",
            template="genre",
            name_en="Article",
            name_zh="文章",
            task="Text generation from a prompt.",
            given="Text: a prompt, with its description where it has one.",
            written="Text of one or several sentences.",
        ),
    )
}


def genre_choices() -> list[tuple[str, str]]:
    """Return the keys and labels of all kinds, for a field or an option."""
    return [(genre.key, genre.label) for genre in GENRES.values()]
