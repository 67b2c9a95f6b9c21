"""One page as its evaluator sees it: the candidates in their order, the questions, and what is answered.

Of a candidate it shows the letter, the text and the token, and never anything that tells the method.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain

from django.http import Http404
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.functional import cached_property

from annotations.models import Enrolment, ErrorCategory, ErrorSeverity, Judgement, Study
from annotations.models.answers import letter_of
from annotations.models.pages import TRAINING_SUBTASK
from annotations.questionnaire.cards import Card, Question
from annotations.questionnaire.checklists.questions import ChecklistQuestion, asked_items, checklist_questions
from annotations.questionnaire.judged_questions import JudgedQuestion, judged_questions
from annotations.questionnaire.marking.questions import MarkingQuestion, marking_questions
from annotations.questionnaire.page_rows import criteria_of, find_page, texts_of
from annotations.questionnaire.prompt_parts import Passage, is_heading, is_much_to_read, passages
from annotations.questionnaire.rendering import rendered
from annotations.questionnaire.saving import PageAddress
from annotations.questionnaire.turns.questions import (
    TurnQuestion,
    dialogue_html,
    turn_questions,
    turn_scores,
)
from annotations.questionnaire.written.fields import (
    WrittenField,
    fields_of_page,
    fields_of_text,
    written_on,
)
from generation.genres import GENRES
from generation.models import Prompt

# Three lines on a phone.
LONGEST_PINNED_PROMPT = 54
# Characters from which a text and its scales do not stand on a screen together; a Chinese character counts as two.
LONG_TEXT, CJK = 360, 0x2E80


@dataclass(frozen=True)
class RatingPage:
    """What the template of a page needs."""

    study: Study
    address: PageAddress
    prompt: Prompt
    # Pages of this sub-task.
    pages: int
    cards: list[Card]
    # The highest client order and the latest time among the stored answers of this page.
    highest_order: int
    saved_at: datetime | None
    # What is asked about all texts together, where they are not rated one by one.
    judged: Sequence[JudgedQuestion] = ()
    # What may be written about the page.
    written: Sequence[WrittenField] = ()
    # Whether it is noted that the page was left, or something pasted.
    notes_events: bool = False

    @property
    def written_url(self) -> str:
        return reverse("annotations:written", kwargs=vars(self.address))

    @cached_property
    def may_write(self) -> tuple[bool, bool]:
        """Whether reasons and corrected texts may be written."""
        return self.study.reasons != Study.Reasons.NONE, self.study.has_corrections

    @cached_property
    def all_written(self) -> list[WrittenField]:
        """All places to write on the page."""
        return [*(field for card in self.cards for field in card.written), *self.written]

    @cached_property
    def is_verse(self) -> bool:
        return GENRES[self.prompt.genre].is_verse

    @property
    def error_categories(self) -> Sequence[ErrorCategory]:
        return self.markings[0].scheme.categories if self.markings else ()

    @property
    def severities(self) -> Sequence[ErrorSeverity]:
        return self.markings[0].scheme.severities if self.markings else ()

    @property
    def layout(self) -> str:
        """By what the texts are laid out: errors marked in them, their lines, or their length."""
        if self.markings:
            return "marked"
        return "verse" if self.is_verse else "long" if self.has_long_texts else "prose"

    @property
    def is_training(self) -> bool:
        return self.address.subtask == TRAINING_SUBTASK

    @property
    def is_set_in_lines(self) -> bool:
        """Whether the lines of a text stand for themselves, as in verse."""
        return self.study.normalisation == Study.Normalisation.VERSE and self.study.rendering == "plain"

    @cached_property
    def title(self) -> str:
        """The prompt as the study's rule shows it; nothing where it is too long for a heading, or is a dialogue."""
        return self.shown_text if is_heading(self.shown_text) else ""

    @cached_property
    def shown_text(self) -> str:
        return self.study.shown_prompt(self.prompt.text)

    @property
    def shown_parts(self) -> list[dict[str, str]]:
        """The named parts of the prompt, each with `name` and `text`, as the study's rule shows them."""
        return [part | {"text": self.study.shown(part["text"])} for part in self.prompt.parts]

    @property
    def shown_turns(self) -> list[dict[str, str]]:
        """The turns of the prompt, each with `role` and `text`, as the study's rule shows them."""
        return [turn | {"text": self.study.shown(turn["text"])} for turn in self.prompt.turns]

    @cached_property
    def passages(self) -> list[Passage]:
        """What there is to read beside the heading."""
        return passages(self.prompt, self.study)

    @property
    def is_read_beside(self) -> bool:
        return is_much_to_read(self.prompt)

    @cached_property
    def description(self) -> str:
        return self.study.shown_prompt(self.prompt.description)

    @property
    def has_long_texts(self) -> bool:
        """Whether the scales of a text must follow it while it is read, to be in view."""
        if self.judged or self.markings:
            return False
        longest = max((card.text for card in self.cards), key=len, default="")
        return not self.is_verse and len(longest) + sum(ord(one) > CJK for one in longest) >= LONG_TEXT

    @property
    def prompt_is_long(self) -> bool:
        """Whether the prompt would cover much of a small screen if it were pinned there."""
        return len(self.title) > LONGEST_PINNED_PROMPT

    @property
    def best(self) -> str | None:
        """The token of the candidate picked as best."""
        return next((card.token for card in self.cards if card.is_best), None)

    @cached_property
    def markings(self) -> list[MarkingQuestion]:
        """The questions about the errors of texts."""
        return [card.marking for card in self.cards if card.marking is not None]

    @property
    def questions(
        self,
    ) -> Iterator[Question | ChecklistQuestion | TurnQuestion | JudgedQuestion | MarkingQuestion]:
        rated = (question for card in self.cards for question in card.questions)
        return chain(self.markings, rated, self.judged)

    @property
    def items(self) -> list[ChecklistQuestion]:
        """The items of the checklist, as they are asked about the first text."""
        asked = self.cards[0].questions if self.cards else ()
        return [one for one in asked if isinstance(one, ChecklistQuestion)]

    @cached_property
    def total(self) -> int:
        return sum(1 for _question in self.questions) + self.study.has_best_picks

    @cached_property
    def answered(self) -> int:
        return sum(question.score is not None for question in self.questions) + (self.best is not None)

    @cached_property
    def url(self) -> str:
        return self.url_of(self.address.page)

    @property
    def answers_url(self) -> str:
        name = (
            "judgements"
            if self.judged
            else "answers"
            if self.study.asks.texts is None
            else self.study.protocol
        )
        return reverse(f"annotations:{name}", kwargs=vars(self.address))

    @property
    def markings_url(self) -> str:
        """Where marks are sent; empty where none are made."""
        return reverse("annotations:markings", kwargs=vars(self.address)) if self.markings else ""

    @property
    def events_url(self) -> str:
        return reverse("annotations:events", kwargs=vars(self.address)) if self.notes_events else ""

    @property
    def back_url(self) -> str:
        """The page before, or from the first one the study."""
        return self.neighbour_url(self.address.page - 1)

    @cached_property
    def next_url(self) -> str:
        """The page after, or from the last one the study."""
        return self.neighbour_url(self.address.page + 1)

    def url_of(self, page: int) -> str:
        """The address of a page of this sub-task."""
        return page_url(replace(self.address, page=page))

    def neighbour_url(self, page: int) -> str:
        if 1 <= page <= self.pages:
            return self.url_of(page)
        return (
            reverse("annotations:training", args=[self.address.slug]) if self.is_training else self.study_url
        )

    @property
    def study_url(self) -> str:
        return reverse("annotations:study", args=[self.address.slug])


def page_url(address: PageAddress) -> str:
    return reverse("annotations:page", kwargs=vars(address))


def load_page(enrolment: Enrolment, subtask: int, number: int) -> RatingPage:
    """Return a page of this enrolment (read `answering`), or raise 404; six queries, however large the study is."""
    found = find_page(enrolment, subtask, number)
    if found is None:
        raise Http404
    prompt, page, pages, notes_events = found
    study = enrolment.study
    is_judged, is_open = study.asks.answer is not None, vars(enrolment)["is_open"]
    items = asked_items(enrolment, page) if study.asks.texts is not None else None
    criteria, texts = criteria_of(study.pk), texts_of(enrolment, page)
    written = written_on(enrolment, page)
    turns = turn_scores(criteria, enrolment=enrolment.pk, page=page)
    judgements = list(Judgement.objects.filter(enrolment=enrolment, page=page)) if is_judged else []
    markings = marking_questions(
        study,
        [(text.token, letter_of(text.position), text.text) for text in texts],
        of=(enrolment.pk, page),
        is_open=vars(enrolment)["is_open"],
    )
    cards = [
        Card(
            token=text.token,
            letter=letter_of(text.position),
            text=(shown := markings[text.token].text.shown if markings else study.shown(text.text)),
            questions=[
                *turn_questions(
                    criteria, text.text, text.token, letter_of(text.position), turns, is_open=is_open
                ),
                *(
                    Question(
                        criterion,
                        text.token,
                        letter_of(text.position),
                        text.scores.get(criterion.pk),
                        is_open=is_open,
                    )
                    for criterion in criteria
                    if not (is_judged or criterion.derived)
                ),
            ]
            if items is None
            else checklist_questions(items, text.token, letter_of(text.position), is_open=is_open),
            is_best=text.is_best,
            is_verse=GENRES[prompt.genre].is_verse,
            html=dialogue_html(criteria, text.text, study) or rendered(shown, study),
            marking=markings.get(text.token),
            written=fields_of_text(
                study, written, text.token, letter_of(text.position), shown, is_open=is_open
            ),
        )
        for text in texts
    ]
    answered: list[Judgement | MarkingQuestion] = [*judgements, *markings.values()]
    tokens = [card.token for card in cards]
    return RatingPage(
        study=study,
        address=PageAddress(study.slug, subtask, number),
        prompt=prompt,
        pages=pages,
        cards=cards,
        highest_order=max(
            (
                *(one.highest_order for one in (*texts, *(items or ()), *written.values(), turns)),
                *(one.client_order for one in answered),
            ),
            default=0,
        ),
        saved_at=max(
            (
                *(one.saved_at for one in (*texts, *(items or ()), *written.values(), turns) if one.saved_at),
                *(one.saved_at for one in answered if one.saved_at),
            ),
            default=None,
        ),
        judged=judged_questions(study, criteria, cards, judgements),
        written=fields_of_page(study, written, tokens, is_open=is_open),
        notes_events=notes_events,
    )


def journal_name(enrolment: Enrolment) -> str:
    """Return the name under which a browser keeps this enrolment's unsent answers: tells nothing, never changes."""
    return salted_hmac("annotations.sheet.journal_name", str(enrolment.pk), algorithm="sha256").hexdigest()[
        :24
    ]
