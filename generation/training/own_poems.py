"""Poems that a model wrote for titles, to learn from them: the titles, the poems, and which of them are kept."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from transformers import PreTrainedTokenizerFast

from generation.files.whole_files import written_whole
from generation.orders import Written
from generation.refusals import Refused
from generation.training.examples import Example, forward_text
from generation.training.settings import SelfTraining
from generation.training.titles import sample_titles, telling_titles
from generation.verse.corpus import Poem, form_of, sentences_of

# Writes a poem for each title.
Writer = Callable[[Sequence[str]], Sequence[Written]]
# Written side by side and kept together: an interrupted group is written anew with the same neighbours.
TITLES_AT_ONCE = 8


@dataclass(frozen=True)
class OwnPoem:
    """A poem of a model's own; `form` is empty where it is of none that the model knows."""

    title: str
    form: str
    text: str
    score: float

    @property
    def example(self) -> Example:
        """The poem as a text to learn, without an author."""
        return forward_text(self.form, f"《{self.title}》", self.text)


def own_poem(title: str, written: Written) -> OwnPoem:
    """Return the best text that was written for a title as a poem normalised like the corpus."""
    return poem_of_text(title, written.best.text, written.best.score)


def poem_of_text(title: str, text: str, score: float) -> OwnPoem:
    """Return a text in lines as a poem normalised like the corpus."""
    text = "".join(text.split())
    return OwnPoem(title, form_of(sentences_of(text)) or "", text, score)


def draw_titles(
    poems: list[Poem], tokenizer: PreTrainedTokenizerFast, settings: SelfTraining, cycle: int
) -> list[str]:
    """Draw a cycle's titles from those of the training part that say something and whose characters are known.

    Raise `Refused` where there are too few.
    """
    known = [title for title in telling_titles(poems) if not unknown(title, tokenizer)]
    return sample_titles(known, settings.titles, settings.seed, cycle)


def check_titles(titles: Sequence[str], tokenizer: PreTrainedTokenizerFast) -> None:
    """Raise `Refused` with the first title that is empty or not in the vocabulary."""
    for title in titles:
        if not title or unknown(title, tokenizer):
            raise Refused(f"the title “{title}” has characters that the model does not know")


def unknown(title: str, tokenizer: PreTrainedTokenizerFast) -> bool:
    """Return whether a title has characters that are not in the vocabulary."""
    return tokenizer.unk_token_id in tokenizer(title, add_special_tokens=False)["input_ids"]


def write_poems(
    path: Path,
    titles: Sequence[str],
    make_writer: Callable[[], Writer],
    report: Callable[[list[OwnPoem]], None],
) -> list[OwnPoem]:
    """Write a poem for each title that has none in the file yet, and return all.

    `report` is called with the poems so far after each group. `make_writer` is called only if there is one to write.
    """
    own = read_poems(path)
    if len(own) == len(titles):
        return own
    writer = make_writer()
    own = own[: len(own) // TITLES_AT_ONCE * TITLES_AT_ONCE]
    with written_whole(path) as file:
        file.writelines(map(line_of, own))
    for first in range(len(own), len(titles), TITLES_AT_ONCE):
        group = titles[first : first + TITLES_AT_ONCE]
        written = [own_poem(title, text) for title, text in zip(group, writer(group), strict=True)]
        own = own + written
        with path.open("a", encoding="utf-8") as file:
            file.writelines(map(line_of, written))
        report(own)
    return own


def line_of(poem: OwnPoem) -> str:
    return json.dumps(asdict(poem), ensure_ascii=False) + "\n"


def read_poems(path: Path) -> list[OwnPoem]:
    """Return the poems of a file, none where it is not there; a last line that was cut off counts for nothing."""
    if not path.exists():
        return []
    *lines, _ = path.read_text(encoding="utf-8", errors="ignore").split("\n")
    return [OwnPoem(**json.loads(line)) for line in lines]


def keep_poems(own: list[OwnPoem], settings: SelfTraining) -> list[OwnPoem]:
    """Return the poems to learn from, best first: of a form we know, with a high enough score.

    Raise `Refused` where none is.
    """
    least = settings.least_score
    good = [poem for poem in own if poem.form and (least is None or poem.score >= least)]
    good.sort(key=lambda poem: -poem.score)
    kept = good[: math.ceil(len(good) * settings.keep_share)]
    if not kept:
        raise Refused(f"none of the {len(own)} poems is to be kept")
    return kept
