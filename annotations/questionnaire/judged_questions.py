"""What a page asks about all its texts together, and what an evaluator has answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from annotations.models import Criterion, Judgement, Study
from annotations.models.texts_by_language import TextsByLanguage
from annotations.protocols.protocol import AnswerToPage, Judged, Option

if TYPE_CHECKING:
    from annotations.questionnaire.cards import Card


@dataclass(frozen=True)
class JudgedQuestion:
    """A criterion asked about a page. Its name is the token of the first text and the criterion's key."""

    criterion: Criterion
    study: Study
    answer: AnswerToPage
    cards: Sequence[Card]
    stored: Judged | None
    # What stands before the label where questions of single texts have their letter.
    letter: str = ""

    @property
    def label(self) -> TextsByLanguage:
        label: TextsByLanguage = self.criterion.label
        return label

    @property
    def token(self) -> str:
        return self.cards[0].token

    @property
    def name(self) -> str:
        return f"{self.token}.{self.criterion.key}"

    @property
    def anchor(self) -> str:
        return f"page-{self.criterion.key}"

    @property
    def hint(self) -> str:
        """What the criterion asks, or what is done on any page of this protocol."""
        return str(self.criterion.question or self.answer.page.hint)

    @property
    def options(self) -> Sequence[Option]:
        return self.answer.page.options(self.study)

    @property
    def places(self) -> int:
        """How many texts are chosen in an order; none where there are options."""
        return self.answer.page.places(len(self.cards))

    @property
    def number(self) -> int | None:
        """The number of the option that is chosen."""
        return None if self.stored is None else self.answer.number_of(self.study, self.stored)

    @property
    def chosen(self) -> list[Card]:
        """The texts that are chosen so far, in their order."""
        places = self.stored.places if self.stored else None
        return [self.cards[place] for place in places or ()]

    @property
    def order(self) -> str:
        """The tokens of the texts that are chosen so far, with blanks between."""
        return " ".join(card.token for card in self.chosen)

    @property
    def choices(self) -> list[str]:
        """The tokens chosen for each place, empty where none is yet."""
        tokens = [card.token for card in self.chosen]
        return [*tokens, *[""] * (self.places - len(tokens))]

    @property
    def score(self) -> int | None:
        """Something where the question is answered in full, as of a rating."""
        if self.places:
            return len(self.chosen) if len(self.chosen) == self.places else None
        return self.number


def judged_questions(
    study: Study, criteria: Iterable[Criterion], cards: Sequence[Card], judgements: Iterable[Judgement]
) -> list[JudgedQuestion]:
    """Return the questions about a page, none where its texts are rated one by one."""
    answer = study.asks.answer
    if answer is None:
        return []
    stored = {
        one.criterion_id: Judged(
            one.preference, one.both_bad, None if one.places is None else tuple(one.places)
        )
        for one in judgements
    }
    return [
        JudgedQuestion(criterion, study, answer, cards, stored.get(criterion.pk)) for criterion in criteria
    ]
