"""A study as an evaluator would see it, for those who run it: the same pages, and nothing is saved."""

from __future__ import annotations

import random
from dataclasses import dataclass
from string import ascii_uppercase

from django.db.models import Q
from django.http import Http404
from django.urls import reverse

from annotations.models import Page, PageCandidate, Study
from annotations.questionnaire.cards import Card, Question
from annotations.questionnaire.checklists.questions import AskedItem, checklist_questions
from annotations.questionnaire.judged_questions import judged_questions
from annotations.questionnaire.marking.questions import marking_questions
from annotations.questionnaire.page import RatingPage
from annotations.questionnaire.rendering import rendered
from annotations.questionnaire.saving import PageAddress
from annotations.questionnaire.turns.questions import TurnScores, dialogue_html, turn_questions
from annotations.questionnaire.written.fields import fields_of_page, fields_of_text
from generation.genres import GENRES


@dataclass(frozen=True)
class PreviewPage(RatingPage):
    """A page whose links lead through the preview; its tokens are letters that no answer is taken under."""

    def url_of(self, page: int) -> str:
        return reverse("annotations:preview_page", kwargs={**vars(self.address), "page": page})

    @property
    def answers_url(self) -> str:
        return ""

    @property
    def markings_url(self) -> str:
        return ""

    @property
    def written_url(self) -> str:
        return ""

    @property
    def study_url(self) -> str:
        return reverse("annotations:preview", args=[self.address.slug])


@dataclass(frozen=True)
class PreviewEnrolment:
    """What the page of a rating asks its enrolment for."""

    study: Study
    is_open: bool = True


def page_as_previewed(study: Study, subtask: int, number: int) -> PreviewPage:
    """Return a page of a study, or raise 404. Makes four queries, however large the study is.

    The order of the texts is drawn for this page and always the same; it is that of no evaluator.
    """
    pages = list(Page.objects.filter(subtask__study=study, subtask__number=subtask).select_related("prompt"))
    page = next((page for page in pages if page.number == number), None)
    if page is None:
        raise Http404
    shown = list(PageCandidate.objects.filter(page=page).order_by("pk").select_related("candidate"))
    random.Random(f"preview/{study.order_seed}/{page.pk}").shuffle(shown)  # noqa: S311
    shown = shown[: study.page_size(len(shown))]
    criteria = list(study.criteria.all())
    is_judged = study.asks.answer is not None
    items = (
        [AskedItem(one, {}) for one in study.checklist_items.filter(Q(page=None) | Q(page=page))]
        if study.asks.texts is not None
        else None
    )
    lettered = list(zip(ascii_uppercase, shown, strict=False))
    markings = marking_questions(
        study, [(letter, letter, one.candidate.text) for letter, one in lettered], of=None
    )
    cards = [
        Card(
            token=letter,
            letter=letter,
            text=markings[letter].text.shown if markings else study.shown(one.candidate.text),
            questions=[
                *turn_questions(criteria, one.candidate.text, letter, letter, TurnScores(), is_open=True),
                *(
                    Question(criterion, letter, letter, None)
                    for criterion in criteria
                    if not (is_judged or criterion.derived)
                ),
            ]
            if items is None
            else checklist_questions(items, letter, letter, is_open=True),
            is_best=False,
            is_verse=GENRES[page.prompt.genre].is_verse,
            html=dialogue_html(criteria, one.candidate.text, study)
            or rendered(study.shown(one.candidate.text), study),
            marking=markings.get(letter),
            written=fields_of_text(study, {}, letter, letter, study.shown(one.candidate.text), is_open=True),
        )
        for letter, one in lettered
    ]
    return PreviewPage(
        study=study,
        address=PageAddress(study.slug, subtask, number),
        prompt=page.prompt,
        pages=len(pages),
        cards=cards,
        highest_order=0,
        saved_at=None,
        judged=judged_questions(study, criteria, cards, []),
        written=fields_of_page(study, {}, [card.token for card in cards], is_open=True),
    )
