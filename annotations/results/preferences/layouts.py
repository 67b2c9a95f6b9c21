"""What people preferred, laid out as training on it wants it: pairs, single texts that are good or not, or orders.

`LAYOUT_RULES` say what there is. The columns are those of TRL (huggingface.co/docs/trl/dataset_formats): `prompt`,
`chosen`, `rejected` for preferences, `prompt`, `completion`, `label` for unpaired ones; and `prompt`, `completions`,
`ranks` for lists. With `conversational` a prompt is a list of messages, and so is each text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from annotations.models import Enrolment, Study
from annotations.results.preferences.pairs import candidate_texts
from annotations.results.preferences.rationales import rationales
from annotations.results.preferences.wanted import Layout
from annotations.results.rating_table import page_prompts, valid_table
from annotations.results.report import primary_by_default
from annotations.results.seal import refuse_sealed
from generation.models import Prompt
from stats.ratings.table import RatingTable
from stats.reports.write_rows import Columns, Row, as_json
from stats.scores import Floats

LAYOUT_RULES = """\
Layouts, by the overall criterion or else the first, of scores that people gave or that come of what they compared:

pairs: of two texts of a page the one with the better score is chosen; equal ones give none.
unpaired: a text is good (`label` true) whose score is above the mean of the texts of its page, and not good below;
  at the mean it gives nothing.
ranked: all texts of a page, the best first, with their ranks (equal ones share one) and scores.

By the means of all valid evaluators, or with one row for each evaluator's own answer. The `rationale` has the reasons
that they wrote and what they answered to a checklist."""

WHERE: Columns = {
    "criterion": "text",
    "evaluator": "text",
    "subtask": "integer",
    "page": "integer",
    "study": "text",
    "prompt_id": "text",
    "tags": "json",
    "simulated": "boolean",
    # Reasons and answers to a checklist, a line each; empty where there are none.
    "rationale": "text",
}


@dataclass(frozen=True)
class Judged:
    """The scores of the texts (M,) of a page by one evaluator, or their means by all; NaN without one."""

    evaluator: str | None
    page: str
    scores: Floats
    evaluators: int


def columns_of(layout: Layout, *, conversational: bool = False) -> Columns:
    """Return the columns of a layout."""
    text: Any = "json" if conversational else "text"
    own: dict[Layout, Columns] = {
        "pairs": {
            "prompt": text, "chosen": text, "rejected": text, "margin": "real", "evaluators": "integer",
            "chosen_method": "text", "rejected_method": "text",
        },
        "unpaired": {
            "prompt": text, "completion": text, "label": "boolean", "score": "real", "evaluators": "integer",
            "method": "text",
        },
        "ranked": {
            "prompt": text, "completions": "json", "ranks": "json", "scores": "json", "evaluators": "integer",
            "methods": "json",
        },
    }  # fmt: skip
    return {**own[layout], **WHERE}


def layout_rows(
    study: Study, layout: Layout, *, conversational: bool = False, by_evaluator: bool = False
) -> Iterator[Row]:
    """Return the rows of a study in a layout, by page and then by evaluator; raise `Sealed`."""
    refuse_sealed(study)
    table = valid_table(study).with_off_scale_missing()
    return _rows(study, table, layout, conversational=conversational, by_evaluator=by_evaluator)


def _rows(
    study: Study, table: RatingTable, layout: Layout, *, conversational: bool, by_evaluator: bool
) -> Iterator[Row]:
    if not table.criteria:
        return
    criterion = primary_by_default(table)
    direction = table.criteria[table.criterion_index(criterion)].direction
    prompts, texts = page_prompts(study), candidate_texts(study)
    is_simulated = study.enrolments.filter(source=Enrolment.Source.SIMULATED).exists()
    said_why = rationales(study, frozenset(table.evaluators))
    for judged in pages_judged(table, criterion, by_evaluator=by_evaluator):
        prompt = prompts[judged.page]
        asked = as_json(messages_of(prompt)) if conversational else prompt.content.whole_text()
        where = (
            criterion,
            judged.evaluator,
            *map(int, judged.page.split("/")),
            study.slug,
            prompt.external_id or None,
            as_json(prompt.tags),
            is_simulated,
        )
        known = {
            place: texts[judged.page, method]
            for place, method in enumerate(table.methods)
            if np.isfinite(judged.scores[place]) and texts.get((judged.page, method))
        }

        def said(place: int, known: dict[int, str] = known) -> Any:
            return as_json(answer_of(known[place])) if conversational else known[place]

        def why(named: dict[str, int], judged: Judged = judged) -> str | None:
            by_name = {name: table.methods[place] for name, place in named.items()}
            return said_why.of(judged.page, by_name, judged.evaluator)

        worth = {place: float(judged.scores[place]) * direction for place in known}
        if layout == "ranked" and len(known) > 1:
            order = sorted(known, key=lambda place: -worth[place])
            yield (
                asked,
                as_json([answer_of(known[place]) if conversational else known[place] for place in order]),
                as_json([1 + sum(other > worth[place] for other in worth.values()) for place in order]),
                as_json([float(judged.scores[place]) for place in order]),
                judged.evaluators,
                as_json([table.methods[place] for place in order]),
                *where,
                why({f"completion {number}": place for number, place in enumerate(order, start=1)}),
            )
        elif layout == "unpaired" and len(known) > 1:
            mean = sum(worth.values()) / len(worth)
            for place in known:
                if abs(worth[place] - mean) > 1e-9:
                    yield (
                        asked, said(place), worth[place] > mean, float(judged.scores[place]), judged.evaluators,
                        table.methods[place], *where, why({"completion": place}),
                    )  # fmt: skip
        elif layout == "pairs":
            for one, other in combinations(known, 2):
                if worth[one] == worth[other] or known[one] == known[other]:
                    continue
                chosen, rejected = (one, other) if worth[one] > worth[other] else (other, one)
                yield (
                    asked, said(chosen), said(rejected), worth[chosen] - worth[rejected], judged.evaluators,
                    table.methods[chosen], table.methods[rejected], *where,
                    why({"chosen": chosen, "rejected": rejected}),
                )  # fmt: skip


def pages_judged(table: RatingTable, criterion: str, *, by_evaluator: bool) -> Iterator[Judged]:
    """Yield the scores of each page, by its mean or by each evaluator."""
    pages = table.for_criterion(criterion).first_ratings().pages()
    for number, page in enumerate(table.prompts):
        own = np.flatnonzero(pages.prompt == number)
        if by_evaluator:
            for row in own.tolist():
                yield Judged(table.evaluators[pages.evaluator[row]], page, pages.scores[row], 1)
        elif len(own):
            scores = pages.scores[own]
            given = (~np.isnan(scores)).sum(axis=0)
            sums = np.nansum(scores, axis=0)
            means = np.divide(sums, given, out=np.full(len(given), np.nan), where=given > 0)
            yield Judged(None, page, means, len(own))


def messages_of(prompt: Prompt) -> list[dict[str, str]]:
    """Return a prompt as messages: its turns by their roles, then what it asks, with its parts, of the user."""
    turns = [{"role": turn["role"], "content": turn["text"]} for turn in prompt.turns]
    named = [f"{part['name']}:\n{part['text']}" for part in prompt.parts]
    asked = [text for text in (prompt.text, prompt.description) if text]
    content = "\n\n".join([*named, "\n".join(asked)] if asked else named)
    return [*turns, {"role": "user", "content": content}] if content else turns


def answer_of(text: str) -> list[dict[str, str]]:
    """Return a text as the message that answers."""
    return [{"role": "assistant", "content": text}]
