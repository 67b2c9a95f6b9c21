"""Who rates a study, what each evaluator is shown, and what they answered."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, Q
from django.db.models.functions import Now
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from annotations.models.numbers import LARGEST_SCORE, NumberField
from annotations.models.pages import Page, Subtask
from annotations.models.recruitment import EvaluatorGroup, OpenLink
from annotations.models.study import Criterion, Study
from generation.models import Candidate

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def new_token() -> str:
    return secrets.token_urlsafe(16)


def letter_of(position: int) -> str:
    """Return the name that an evaluator sees of the text in a place: A for the first."""
    return chr(ord("A") + position)


# The time to answer has ended: by the database's clock, so that pages, tasks and the saving of an answer agree.
IS_OVER = Q(study__state=Study.State.CLOSED) | Q(deadline__lte=Now())


class EnrolmentQuerySet(models.QuerySet["Enrolment"]):
    def answering(self, user: User) -> EnrolmentQuerySet:
        """Those in which this user answers the questionnaire, with the study, whether it takes answers and is over."""
        own = self.filter(evaluator=user, source=Enrolment.Source.QUESTIONNAIRE)
        return own.select_related("study").with_is_open().with_is_over()

    def taking_part(self) -> EnrolmentQuerySet:
        """Those who have not withdrawn."""
        return self.filter(withdrawn_at=None)

    def with_time_left(self) -> EnrolmentQuerySet:
        """Those whose time is not over."""
        return self.exclude(IS_OVER)

    def with_is_over(self) -> EnrolmentQuerySet:
        """Read `is_over` with the rows, instead of with a query for each."""
        # The property keeps what was read, which django-stubs takes for a second definition.
        return self.annotate(  # type: ignore[no-redef]
            is_over=models.ExpressionWrapper(IS_OVER, output_field=models.BooleanField())
        )

    def with_is_open(self) -> EnrolmentQuerySet:
        """Annotate `is_open`: the study is open and the deadline ahead, by the database's clock."""
        return self.annotate(
            is_open=models.ExpressionWrapper(
                Q(study__state=Study.State.OPEN)
                & Q(deadline__gt=Now())
                & Q(source=Enrolment.Source.QUESTIONNAIRE),
                output_field=models.BooleanField(),
            )
        )


class Enrolment(models.Model):
    """An evaluator's part in a study."""

    class Source(models.TextChoices):
        QUESTIONNAIRE = "questionnaire", _("questionnaire")
        IMPORTED = "imported", _("imported record")
        SIMULATED = "simulated", _("simulated")

    evaluator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="enrolments"
    )
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="enrolments")
    # Its place in the balanced design of candidate orders, counted from 0.
    number = models.PositiveIntegerField()
    # The name under which reports and exports speak of the evaluator.
    pseudonym = models.CharField(max_length=150)
    source = models.CharField(max_length=16, choices=Source, default=Source.QUESTIONNAIRE)
    deadline = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())
    group = models.ForeignKey(
        EvaluatorGroup, on_delete=models.RESTRICT, null=True, blank=True, related_name="enrolments"
    )
    # The open link by which the evaluator joined, and who they are to the panel that sent them there.
    open_link = models.ForeignKey(OpenLink, on_delete=models.RESTRICT, null=True, related_name="enrolments")
    external_id = models.CharField(max_length=100, blank=True)
    external_session = models.CharField(max_length=100, blank=True)
    # Digest of the nonce of the form by which a new account came in: the same form lets nobody in twice.
    join_nonce = models.CharField(max_length=64, blank=True)
    consented_at = models.DateTimeField(null=True)
    # What was answered to the study's short form, by the questions' keys (`annotations.recruiting.consent`).
    form_answers = models.JSONField(default=dict, blank=True)
    # Whoever has withdrawn is nobody any more: the row keeps the place in the design and the number of answers removed.
    withdrawn_at = models.DateTimeField(null=True)
    answers_removed = models.PositiveIntegerField(null=True)

    objects = EnrolmentQuerySet.as_manager()

    class Meta:
        ordering = ["study", "number"]
        constraints = [
            models.UniqueConstraint(fields=["evaluator", "study"], name="enrolment_once"),
            models.UniqueConstraint(fields=["study", "number"], name="enrolment_number_once"),
            models.UniqueConstraint(fields=["study", "pseudonym"], name="enrolment_pseudonym_once"),
            # The target of the key that keeps an invitation's evaluator in its study.
            models.UniqueConstraint(fields=["study", "id"], name="enrolment_of_study"),
            models.UniqueConstraint(
                fields=["study", "external_id"],
                condition=~Q(external_id=""),
                name="enrolment_external_id_once",
            ),
            models.UniqueConstraint(
                fields=["join_nonce"], condition=~Q(join_nonce=""), name="enrolment_join_nonce_once"
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True, answers_removed__isnull=True)
                | Q(
                    withdrawn_at__isnull=False,
                    answers_removed__isnull=False,
                    external_id="",
                    external_session="",
                    form_answers={},
                ),
                name="enrolment_withdrawn_is_anonymous",
            ),
            models.CheckConstraint(
                condition=Q(source__in=["questionnaire", "imported", "simulated"]),
                name="enrolment_source_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pseudonym} in study {self.study_id}"

    @cached_property
    def is_over(self) -> bool:
        """Whether the time to answer has ended: the study is closed or the deadline past, by the database's clock.

        With a query, unless the row was read `with_is_over`.
        """
        return Enrolment.objects.filter(IS_OVER, pk=self.pk).exists()

    def awaits_training(self) -> bool:
        """Whether the training round is yet to be passed before the first real page; one query."""
        return (
            self.source == Enrolment.Source.QUESTIONNAIRE
            and Page.objects.filter(
                ~Exists(self.training_attempts.filter(is_passed=True)),
                subtask__study=self.study_id,
                role=Page.Role.TRAINING,
                subtask__study__quality_control__training_share__isnull=False,
            ).exists()
        )

    def needs_consent(self) -> bool:
        """Whether the evaluator has yet to agree before the first page. Reads the study."""
        return (
            self.source == Enrolment.Source.QUESTIONNAIRE
            and self.consented_at is None
            and self.study.asks_consent()
        )


class Assignment(models.Model):
    """A sub-task that an enrolled evaluator is asked to rate."""

    enrolment = models.ForeignKey(Enrolment, on_delete=models.CASCADE, related_name="assignments")
    subtask = models.ForeignKey(Subtask, on_delete=models.CASCADE)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["enrolment", "subtask"], name="assignment_once")]

    def __str__(self) -> str:
        return f"sub-task {self.subtask_id} for enrolment {self.enrolment_id}"


# What stands on an evaluator's pages, and what they answer, has no index of the enrolment alone: the keys of the tables
# below begin with it, and a database without statistics would take it and pass over all rows of the evaluator.


class Placement(models.Model):
    """Where a candidate stands on one evaluator's page, drawn once at assignment.

    The token is the only name of the candidate that the evaluator's browser ever receives.
    """

    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.CASCADE, related_name="placements", db_index=False
    )
    # Both are held by one key of two columns (`placement_stands_on_page`): to check each by itself as well would double
    # the time of an import.
    page = models.ForeignKey(Page, on_delete=models.CASCADE, db_constraint=False)
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, db_constraint=False)
    position = models.PositiveSmallIntegerField()
    token = models.CharField(max_length=22, default=new_token)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["enrolment", "candidate"], name="placement_candidate_once"),
            models.UniqueConstraint(fields=["enrolment", "page", "position"], name="placement_position_once"),
            # The target of the foreign key that keeps a best choice on its page.
            models.UniqueConstraint(fields=["enrolment", "page", "candidate"], name="placement_of_page"),
            # Not `unique` at the field, which would keep a second index for patterns.
            models.UniqueConstraint(fields=["token"], name="placement_token_once"),
        ]

    def __str__(self) -> str:
        return f"position {self.position} of page {self.page_id} for enrolment {self.enrolment_id}"

    @property
    def letter(self) -> str:
        """The name that the evaluator sees: A for the first place."""
        return letter_of(self.position)


class Rating(models.Model):
    """One score by an evaluator for a candidate on a criterion.

    Foreign keys of several columns and a trigger (`0027_ratings_from_elsewhere`) hold what one column cannot:
    the candidate is one that this evaluator was shown, the criterion is of the study, the score is on its scale.
    """

    # Both are held by one key of two columns (`rating_of_placed_candidate`).
    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.CASCADE, related_name="ratings", db_constraint=False, db_index=False
    )
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, db_constraint=False)
    criterion = models.ForeignKey(Criterion, on_delete=models.RESTRICT)
    # Whole but where it was imported (a trigger).
    score = NumberField()
    # Set on imported records alone: a value that the scale does not have, kept as it was found.
    off_scale = models.BooleanField(default=False)
    # Counted by the evaluator's browser: of two answers to one question the higher one is the later.
    client_order = models.BigIntegerField(default=0)
    saved_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["enrolment", "candidate", "criterion"], name="rating_once"),
            models.CheckConstraint(
                condition=Q(score__gte=-LARGEST_SCORE, score__lte=LARGEST_SCORE),
                name="rating_score_within_bounds",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.score} on criterion {self.criterion_id} for candidate {self.candidate_id}"


class BestChoice(models.Model):
    """The candidate that an evaluator picked as the best of a page."""

    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.CASCADE, related_name="best_choices", db_index=False
    )
    page = models.ForeignKey(Page, on_delete=models.CASCADE)
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT)
    client_order = models.BigIntegerField(default=0)
    saved_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["enrolment", "page"], name="best_choice_once")]

    def __str__(self) -> str:
        return f"best of page {self.page_id} for enrolment {self.enrolment_id}"


# An answer about a whole page is either a preference between its two texts or an order of its texts.
IS_PREFERENCE = Q(preference__isnull=False, preference__gte=-2, preference__lte=2, places__isnull=True)
IS_ORDER = Q(preference__isnull=True, both_bad=False, places__isnull=False)


def order_field() -> ArrayField[Any, Any]:
    """Return the field of an order: texts by their places on the evaluator's page, from 0, the first chosen first."""
    return ArrayField(models.SmallIntegerField(), null=True)


class Judgement(models.Model):
    """One answer of an evaluator about a whole page on a criterion: what its study's protocol asks.

    A trigger (`0031_protocols`) holds that the criterion is of the study and that the page is the evaluator's and has
    the texts that are named.
    """

    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.CASCADE, related_name="judgements", db_index=False
    )
    page = models.ForeignKey(Page, on_delete=models.CASCADE)
    criterion = models.ForeignKey(Criterion, on_delete=models.RESTRICT)
    # From -2 (the first text is much better) to 2 (the second is).
    preference = models.SmallIntegerField(null=True)
    both_bad = models.BooleanField(default=False)
    places = order_field()
    client_order = models.BigIntegerField(default=0)
    saved_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["enrolment", "page", "criterion"], name="judgement_once"),
            models.CheckConstraint(condition=IS_PREFERENCE | IS_ORDER, name="judgement_is_one_answer"),
            models.CheckConstraint(
                condition=Q(both_bad=False) | Q(preference=0), name="judgement_both_bad_prefers_none"
            ),
        ]

    def __str__(self) -> str:
        return f"judgement on page {self.page_id} by enrolment {self.enrolment_id}"


class AnswerChange(models.Model):
    """One step in the history of an answer: a rating, a pick, a judgement, an answer to an item, or marks in a text.

    A pick has no criterion, a judgement no candidate. The score of a checklist's item is its answer; a rating of a turn
    has the number of that.
    """

    enrolment = models.ForeignKey(Enrolment, on_delete=models.CASCADE, related_name="changes")
    page = models.ForeignKey(Page, on_delete=models.CASCADE)
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, null=True)
    criterion = models.ForeignKey(Criterion, on_delete=models.RESTRICT, null=True)
    item = models.ForeignKey("annotations.ChecklistItem", on_delete=models.RESTRICT, null=True)
    turn = models.PositiveSmallIntegerField(null=True)
    score = NumberField(null=True)
    preference = models.SmallIntegerField(null=True)
    both_bad = models.BooleanField(default=False, db_default=False)
    places = order_field()
    # The marks in a text, and whether they were all: `{"is_done": true, "marks": [...]}`.
    marking = models.JSONField(null=True)
    client_order = models.BigIntegerField()
    # How long the page had been open and in view, as the browser counted it.
    seconds_on_page = models.FloatField(null=True)
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    Q(criterion__isnull=True, item__isnull=True, turn__isnull=True, score__isnull=True)
                    | Q(criterion__isnull=False, item__isnull=True, score__isnull=False)
                    | Q(criterion__isnull=True, item__isnull=False, turn__isnull=True, score__isnull=False),
                    candidate__isnull=False,
                    preference__isnull=True,
                    places__isnull=True,
                    marking__isnull=True,
                )
                | Q(
                    marking__isnull=False,
                    candidate__isnull=False,
                    criterion__isnull=True,
                    item__isnull=True,
                    turn__isnull=True,
                    score__isnull=True,
                    preference__isnull=True,
                    places__isnull=True,
                )
                | Q(
                    IS_PREFERENCE | IS_ORDER,
                    candidate__isnull=True,
                    criterion__isnull=False,
                    item__isnull=True,
                    turn__isnull=True,
                    score__isnull=True,
                    marking__isnull=True,
                ),
                name="change_is_one_answer",
            ),
        ]

    def __str__(self) -> str:
        return f"change of enrolment {self.enrolment_id} at {self.changed_at}"
