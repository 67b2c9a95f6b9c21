"""The turns of a page's dialogues as they are shown, and as questions with what the evaluator has answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from annotations.models import Criterion, Study
from annotations.questionnaire.prompt_parts import role_label
from annotations.questionnaire.rendering import rendered
from generation.texts.dialogues import rated_turns, turns_of
from generation.web.prepared import PreparedStatement

SCORES = PreparedStatement(
    "turns_of_page",
    """
    SELECT placement.token, rating.criterion_id, rating.turn, rating.score, rating.client_order, rating.saved_at
    FROM annotations_placement placement
    JOIN annotations_turnrating rating USING (enrolment_id, candidate_id)
    WHERE placement.enrolment_id = %(enrolment)s AND placement.page_id = %(page)s
    """,
    {"enrolment": "bigint", "page": "bigint"},
)


@dataclass(frozen=True)
class TurnScores:
    """The scores of the turns of a page's texts, by token, criterion (primary key) and turn."""

    scores: Mapping[tuple[str, int, int], float] = field(default_factory=dict)
    highest_order: int = 0
    saved_at: datetime | None = None


def turn_scores(criteria: Sequence[Criterion], *, enrolment: int, page: int) -> TurnScores:
    """Return what an evaluator has answered about turns (primary keys), with one query where a criterion rates them."""
    if not any(criterion.rates_turns for criterion in criteria):
        return TurnScores()
    with connection.cursor() as cursor:
        cursor.execute(SCORES.ready(), {"enrolment": enrolment, "page": page})
        rows = cursor.fetchall()
    return TurnScores(
        {(token, criterion, turn): int(score) for token, criterion, turn, score, *_ in rows},
        max((row[4] for row in rows), default=0),
        max((row[5] for row in rows), default=None),
    )


@dataclass(frozen=True)
class TurnQuestion:
    """A criterion asked about a turn of a text. Its name is the token, the criterion's key and the turn's number."""

    criterion: Criterion
    token: str
    letter: str
    turn: int
    score: float | None
    is_open: bool = True

    @property
    def key(self) -> str:
        return f"{self.criterion.key}:{self.turn}"

    @property
    def label(self) -> str:
        return _("Turn %(turn)d: %(criterion)s") % {"turn": self.turn, "criterion": self.criterion.label}

    @property
    def points(self) -> range:
        return self.criterion.points

    @property
    def off_scale(self) -> str:
        """What is said of a score that the criterion does not have."""
        bounds = {"minimum": self.criterion.minimum, "maximum": self.criterion.maximum}
        return _("A score must be a whole number from %(minimum)d to %(maximum)d.") % bounds

    @property
    def name(self) -> str:
        return f"{self.token}.{self.key}"

    @property
    def anchor(self) -> str:
        return f"{self.letter.lower()}-{self.criterion.key}-{self.turn}"

    @property
    def field_html(self) -> SafeString:
        return render_to_string("annotations/questionnaire/_question.html", {"question": self})

    @property
    def missing_html(self) -> SafeString:
        """Its place in the list of what is missing."""
        return render_to_string("annotations/questionnaire/_missing.html", {"question": self})


def turn_questions(
    criteria: Sequence[Criterion], text: str, token: str, letter: str, given: TurnScores, *, is_open: bool
) -> list[TurnQuestion]:
    """Return the questions about the turns of a text as it is stored, turn by turn; none where it is no dialogue."""
    rating = [criterion for criterion in criteria if criterion.rates_turns]
    if not rating:
        return []
    return [
        TurnQuestion(
            criterion, token, letter, turn, given.scores.get((token, criterion.pk, turn)), is_open=is_open
        )
        for turn in range(1, len(rated_turns(turns_of(text))) + 1)
        for criterion in rating
    ]


def dialogue_html(criteria: Sequence[Criterion], text: str, study: Study) -> SafeString | None:
    """Return the turns of a text as they are shown, numbered where a criterion rates them; None for no dialogue."""
    turns = shown_turns(text, study)
    if not turns:
        return None
    rates_turns = any(criterion.rates_turns for criterion in criteria)
    rated = rated_turns(turns) if rates_turns else []
    numbers = {place: number for number, place in enumerate(rated, start=1)}
    shown = [
        {"role": role_label(role), "number": numbers.get(place), "html": rendered(study.shown(words), study)}
        for place, (role, words) in enumerate(turns)
    ]
    return render_to_string("annotations/questionnaire/_dialogue.html", {"turns": shown})


def shown_turns(text: str, study: Study) -> list[tuple[str, str]]:
    """Return the role and the words of each turn of a dialogue; none where evaluators see the text as it is written.

    That is so where errors are marked in it, by its characters, and where texts are code.
    """
    if study.asks.marks_errors or study.rendering == Study.Rendering.CODE:
        return []
    return turns_of(text)


def dialogue_lines(text: str, study: Study) -> str:
    """Return a dialogue as plain text, a paragraph a turn; nothing where it is not shown as turns."""
    return "\n\n".join(
        f"{role_label(role)}: {study.shown(words)}" for role, words in shown_turns(text, study)
    )
