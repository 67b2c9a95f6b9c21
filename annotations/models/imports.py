"""Ratings that were collected elsewhere: what they were read from, and what is kept beside those that count."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from annotations.models.answers import Enrolment
from annotations.models.numbers import LARGEST_SCORE, NumberField
from annotations.models.study import Criterion, Study
from generation.models import Candidate


class RatingImport(models.Model):
    """The files that all ratings of a study were imported from; a study that has one was collected elsewhere."""

    class Kind(models.TextChoices):
        RATINGS = "ratings", _("ratings of single texts")
        PAIRS = "pairs", _("comparisons of two texts")
        SPANS = "spans", _("errors marked in texts")

    study = models.OneToOneField(Study, on_delete=models.CASCADE, related_name="rating_import")
    kind = models.CharField(max_length=7, choices=Kind, default=Kind.RATINGS)
    # [{"name", "sha256"}, ...] in the order in which they were read.
    files = models.JSONField()
    # How they were read: `annotations.imports.ratings.Reading` as plain data.
    reading = models.JSONField()
    # What was found in them: `annotations.imports.ratings_summary.Summary` as plain data.
    summary = models.JSONField()
    # SHA-256 of the files' contents and the reading: the same import again changes nothing.
    digest = models.CharField(max_length=64)
    # Whether it is known who gave which rating; without names nothing is said about evaluators.
    names_evaluators = models.BooleanField(default=True)
    # Whether it is known where on its page a text was shown.
    has_positions = models.BooleanField(default=False)
    # Whoever rated anything counts, unless the rule for questionnaires was declared.
    everybody_counts = models.BooleanField(default=True)
    imported_at = models.DateTimeField(db_default=Now())
    # Nobody where it was imported from the command line.
    imported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["ratings", "pairs", "spans"]), name="rating_import_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(digest__regex="^[0-9a-f]{64}$"), name="rating_import_digest_is_sha256"
            ),
        ]

    def __str__(self) -> str:
        return f"ratings of study {self.study_id} from elsewhere"


class RepeatedRating(models.Model):
    """A further score by one evaluator for a text on a criterion: it tells how they agree with themselves.

    The first score is the `Rating`, and the one that counts.
    """

    enrolment = models.ForeignKey(Enrolment, on_delete=models.CASCADE, related_name="repeated_ratings")
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT)
    criterion = models.ForeignKey(Criterion, on_delete=models.RESTRICT)
    # Its place among the scores of this text, from 2.
    number = models.PositiveIntegerField()
    score = NumberField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment", "candidate", "criterion", "number"], name="repeated_rating_once"
            ),
            models.CheckConstraint(condition=Q(number__gte=2), name="repeated_rating_follows_the_first"),
            models.CheckConstraint(
                condition=Q(score__gte=-LARGEST_SCORE, score__lte=LARGEST_SCORE),
                name="repeated_rating_within_bounds",
            ),
        ]

    def __str__(self) -> str:
        return f"score {self.number} of candidate {self.candidate_id} in enrolment {self.enrolment_id}"
