"""Checking the training pages of an evaluator: how they did, and whether they passed.

Whoever tries again changes answers and has them checked once more. What is right is told where nothing hangs on it any
more: in practice, and once a round with a passing mark is passed or has no attempt left.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from annotations.models import (
    AnswerChange,
    Enrolment,
    KnownAnswer,
    Page,
    QualityControl,
    Study,
    TrainingAttempt,
)
from annotations.models.answers import letter_of
from annotations.models.texts_by_language import TextsByLanguage
from annotations.questionnaire.progress import StudyProgress, study_progress
from annotations.recruiting.sharing_out import assign_subtasks
from generation.refusals import Refused


@dataclass(frozen=True)
class Feedback:
    """What is right about a text of a training page, or before it is told what was asked, and whether it was met."""

    words: str
    is_right: bool


@dataclass(frozen=True)
class PageFeedback:
    """A training page with what is to be said of the answers to it."""

    number: int
    prompt: str
    explanation: TextsByLanguage
    answers: tuple[Feedback, ...]


@dataclass(frozen=True)
class Training:
    """Where an evaluator stands with the training pages; `share` is the passing mark, None where they are practice."""

    progress: StudyProgress
    share: float | None
    attempts_allowed: int
    attempts: tuple[TrainingAttempt, ...]
    last_change: int

    @property
    def has_mark(self) -> bool:
        return self.share is not None

    @property
    def is_passed(self) -> bool:
        return any(one.is_passed for one in self.attempts)

    @property
    def is_answered(self) -> bool:
        pages = self.progress.training
        return pages is not None and pages.is_finished

    @property
    def last(self) -> TrainingAttempt | None:
        return self.attempts[-1] if self.attempts else None

    @property
    def is_changed(self) -> bool:
        """Whether an answer was given after the last attempt."""
        return self.last is None or self.last_change > self.last.last_change

    @property
    def is_failed(self) -> bool:
        """Whether the round was not passed and cannot be tried again."""
        return self.has_mark and not self.is_passed and len(self.attempts) >= self.attempts_allowed

    @property
    def tells_answers(self) -> bool:
        """Whether nobody can pass any more by what is told to be right."""
        return not self.has_mark or self.is_passed or self.is_failed

    @property
    def attempts_left(self) -> int:
        return max(self.attempts_allowed - len(self.attempts), 0)


def training_of(enrolment: Enrolment, progress: StudyProgress | None = None) -> Training | None:
    """Return where an evaluator stands with the training, or None where there is none.

    With at most four queries, where the study's quality control was read with it.
    """
    progress = progress or study_progress(enrolment)
    if progress.training is None:
        return None
    control = getattr(enrolment.study, "quality_control", None) or QualityControl()
    share = control.training_share
    return Training(
        progress,
        None if share is None else float(share),
        control.training_attempts,
        tuple(enrolment.training_attempts.order_by("number")),
        _last_change(enrolment),
    )


@transaction.atomic
def check_training(enrolment: Enrolment) -> TrainingAttempt:
    """Compare the answers to the training pages with what is right, and keep how they did.

    Whoever passes is given their sub-tasks. Checking twice what has not changed is one attempt. Raises `Refused` where
    answers are missing, none are taken now or no attempt is left, `EnrolmentRefused` where the study has all
    evaluators it needs.
    """
    # Before the enrolment, as everywhere, so that nobody waits for this while this waits for them.
    study = Study.objects.locked(enrolment.study_id)
    training = training_of(enrolment)
    if training is None or not training.is_answered:
        raise Refused(_("Answer all training pages first."))
    if training.last and (training.is_passed or not training.is_changed):
        return training.last
    if training.is_failed:
        raise Refused(_("There is no further attempt."))
    if not vars(Enrolment.objects.with_is_open().get(pk=enrolment.pk))["is_open"]:
        raise Refused(_("This study takes no answers now."))
    asked, right = _compared(study, enrolment)
    passed = training.share is not None and len(right) >= training.share * len(asked)
    attempt = TrainingAttempt.objects.create(
        enrolment=enrolment,
        number=len(training.attempts) + 1,
        asked=asked,
        right=right,
        is_passed=passed,
        last_change=training.last_change,
    )
    if passed and not enrolment.assignments.exists():
        assign_subtasks(study, enrolment)
    return attempt


def _last_change(enrolment: Enrolment) -> int:
    """Return the last step (primary key) in the history of the answers to training pages."""
    changes = AnswerChange.objects.filter(enrolment=enrolment, page__role=Page.Role.TRAINING)
    return changes.aggregate(last=Max("pk"))["last"] or 0


def _compared(study: Study, enrolment: Enrolment) -> tuple[list[int], list[int]]:
    """Return the known answers (primary keys) of the training pages that an evaluator was asked, and those met."""
    # Loaded where it is used: what computes takes longer to load than all the rest of a web process.
    from annotations.results.quality.known_answers import known_answers, met_answers
    from annotations.results.rating_table import rating_table

    table = rating_table(study, roles=[Page.Role.TRAINING], enrolment=enrolment)
    met = list(
        met_answers(table, known_answers(study, Page.Role.TRAINING), has_best_picks=study.has_best_picks)
    )
    return [one.known for one in met], [one.known for one in met if one.is_right]


def feedback(enrolment: Enrolment, training: Training) -> list[PageFeedback]:
    """Return what there is to say about each training page after the last attempt, with at most three queries."""
    attempt = training.last
    if attempt is None:
        return []
    study = enrolment.study
    letters = {
        candidate: letter_of(position)
        for candidate, position in enrolment.placements.filter(page__role=Page.Role.TRAINING).values_list(
            "candidate_id", "position"
        )
    }
    of_page: dict[int, list[Feedback]] = {}
    for one in KnownAnswer.objects.filter(pk__in=attempt.asked).select_related("page_candidate", "criterion"):
        letter = letters.get(one.page_candidate.candidate_id, "–")
        words = answer_words(one, letter) if training.tells_answers else asked_words(one)
        of_page.setdefault(one.page_candidate.page_id, []).append(Feedback(words, one.pk in attempt.right))
    pages = Page.objects.filter(subtask__study=study, role=Page.Role.TRAINING).select_related("prompt")
    return [
        PageFeedback(
            page.number,
            study.shown_prompt(page.prompt.heading),
            page.explanation if training.tells_answers else TextsByLanguage(),
            tuple(of_page.get(page.pk, ())),
        )
        for page in pages
    ]


def asked_words(known: KnownAnswer) -> str:
    """Return what an evaluator is asked about a text, without which text it is or what is right."""
    label = str(known.criterion.label) if known.criterion else ""
    if known.lowest is not None and known.highest is not None:
        return label
    return (
        _("The best text of the page: %(criterion)s") % {"criterion": label}
        if label
        else _("The best text of the page")
    )


def answer_words(known: KnownAnswer, letter: str) -> str:
    """Return what is right about a text in the words of its evaluator."""
    words = {"letter": letter, "criterion": str(known.criterion.label) if known.criterion else ""}
    if known.lowest is None or known.highest is None:
        if known.criterion is None:
            return _("Text %(letter)s is the best of the page.") % words
        return _("Text %(letter)s is the best of the page: %(criterion)s.") % words
    if known.lowest == known.highest:
        return _("Text %(letter)s, %(criterion)s: %(score)s is right.") % {
            **words,
            "score": f"{known.lowest:g}",
        }
    return _("Text %(letter)s, %(criterion)s: %(lowest)s to %(highest)s is right.") % {
        **words,
        "lowest": f"{known.lowest:g}",
        "highest": f"{known.highest:g}",
    }
