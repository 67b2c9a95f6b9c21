"""Pairs of texts of which people preferred one: data to train a model on preferences.

`RULES` say which pairs there are. The columns `prompt`, `chosen` and `rejected` are strings, the standard format with
an explicit prompt that TRL's preference trainers read as it is (huggingface.co/docs/trl/dataset_formats); they
leave the other columns alone, but for its reward trainer, which takes `margin` as the least difference of
rewards to aim at.

- `prompt`: all that the prompt says as one text: its parts and turns, each after its name and a colon, then the
  question or title and, on a new line, its description; `subtask`, `page`: their numbers
- `prompt_id`, `parts`, `turns`, `tags`: what else is known of the prompt, parts and turns as lists of objects
- `margin`: by ratings, the mean difference in points of the scale; by picks, the difference of the two texts' picks as
  a share of both, above 0 and at most 1
- `evaluators`: how many have a say in the pair; `agreement`: the share of these who preferred the chosen text
- `chosen_method`, `rejected_method`, `study`: keys and slug
- `source`: `ratings` or `picks`; `criterion`: its key, empty for picks
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from annotations.models import Enrolment, PageCandidate, Study
from annotations.results.consistency import inconsistent_picks
from annotations.results.preferences.wanted import Source
from annotations.results.rating_table import page_prompts, valid_table
from annotations.results.seal import refuse_sealed
from stats.ratings.table import RatingTable
from stats.reports.write_rows import Columns, Row, as_json
from stats.scores import Floats, Ints

RULES = """\
Only valid evaluators have a say: those who answered every page, and consistently on enough of them. Of these, an
inconsistent page (its pick was rated overall below another text) is left out unless asked for.

By ratings, those have a say in a pair who rated both texts on the overall criterion; the text with the better mean
is chosen. A score off its scale counts as missing.

By picks, those have a say who picked one of the two as the best of the page; the text picked more often is chosen.
Who picked a third text says nothing about these two.

Two texts of a prompt give one pair; an exact tie gives none, and neither do two texts that are the same or a text that
is empty."""

COLUMNS: Columns = {
    "prompt": "text",
    "chosen": "text",
    "rejected": "text",
    "margin": "real",
    "evaluators": "integer",
    "agreement": "real",
    "chosen_method": "text",
    "rejected_method": "text",
    "subtask": "integer",
    "page": "integer",
    "study": "text",
    "source": "text",
    "criterion": "text",
    "prompt_id": "text",
    "parts": "json",
    "turns": "json",
    "tags": "json",
    # Whether any evaluator of the study is simulated: then the pairs are nobody's preferences.
    "simulated": "boolean",
}


@dataclass(frozen=True)
class Pair:
    """What was said of two methods' texts, one entry for each prompt, shape (P,).

    `margin` is above 0 where b is the better one, 0 on a tie or where nobody has a say.
    """

    a: int
    b: int
    margin: Floats
    evaluators: Ints
    prefer_a: Ints
    prefer_b: Ints


def pairs_by_ratings(table: RatingTable) -> Iterator[Pair]:
    """Yield every pair of methods as rated overall."""
    if table.overall is None:
        raise ValueError("the study has no overall criterion")
    prompts, direction = len(table.prompts), table.overall.direction
    pages = table.with_off_scale_missing().for_criterion(table.overall.key).first_ratings().pages()
    for a, b in combinations(range(len(table.methods)), 2):
        difference = pages.pair(a, b).differences
        evaluators = np.bincount(difference.prompt, minlength=prompts)
        better = direction * difference.value
        # Sums of whole numbers are exact, and a tie exactly 0.
        margin = np.bincount(difference.prompt, better, prompts) / np.maximum(evaluators, 1)
        prefer_a, prefer_b = (
            np.bincount(difference.prompt[preferred], minlength=prompts)
            for preferred in (better < 0, better > 0)
        )
        yield Pair(a, b, margin, evaluators, prefer_a, prefer_b)


def pairs_by_picks(table: RatingTable) -> Iterator[Pair]:
    """Yield every pair of methods as picked."""
    picks = [
        np.bincount(table.picks.prompt[table.picks.method == method], minlength=len(table.prompts))
        for method in range(len(table.methods))
    ]
    for a, b in combinations(range(len(table.methods)), 2):
        evaluators = picks[a] + picks[b]
        yield Pair(a, b, (picks[b] - picks[a]) / np.maximum(evaluators, 1), evaluators, picks[a], picks[b])


PAIRS: dict[Source, Callable[[RatingTable], Iterator[Pair]]] = {
    "ratings": pairs_by_ratings,
    "picks": pairs_by_picks,
}


def preferences(
    study: Study, source: Source, *, min_margin: float = 0, include_inconsistent: bool = False
) -> list[Row]:
    """Return the pairs of a study as rows of `COLUMNS`, by prompt and then by method; see `RULES`.

    Raises `Sealed`, and `ValueError` for pairs by ratings where the study has no overall criterion.
    """
    refuse_sealed(study)
    table = valid_table(study)
    if not include_inconsistent:
        table = table.without_pages_of(inconsistent_picks(table))
    criterion = table.overall.key if source == "ratings" and table.overall is not None else ""
    pairs = list(PAIRS[source](table))
    prompts, texts = page_prompts(study), candidate_texts(study)
    is_simulated = study.enrolments.filter(source=Enrolment.Source.SIMULATED).exists()

    rows: list[Row] = []
    for index, number in enumerate(table.prompts):
        prompt = prompts[number]
        for pair in pairs:
            margin = float(pair.margin[index])
            a, b = table.methods[pair.a], table.methods[pair.b]
            chosen, rejected = (b, a) if margin > 0 else (a, b)
            text, other = texts.get((number, chosen)), texts.get((number, rejected))
            if margin == 0 or abs(margin) < min_margin or not text or not other or text == other:
                continue
            agreeing = (pair.prefer_b if margin > 0 else pair.prefer_a)[index]
            evaluators = int(pair.evaluators[index])
            rows.append(
                (
                    prompt.content.whole_text(),
                    text,
                    other,
                    abs(margin),
                    evaluators,
                    float(agreeing / evaluators),
                    chosen,
                    rejected,
                    *map(int, number.split("/")),
                    study.slug,
                    source,
                    criterion,
                    prompt.external_id or None,
                    as_json(prompt.parts),
                    as_json(prompt.turns),
                    as_json(prompt.tags),
                    is_simulated,
                )
            )
    return rows


def candidate_texts(study: Study) -> dict[tuple[str, str], str]:
    """Return the texts of a study by the names of page and method in a score table."""
    shown = PageCandidate.objects.counted(study).values_list(
        "page__subtask__number", "page__number", "study_method__method__key", "candidate__text"
    )
    return {(f"{subtask}/{page}", method): text for subtask, page, method, text in shown}
