"""Ratings of the single turns of a text that is a dialogue."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from annotations.models.answers import Enrolment
from annotations.models.numbers import NumberField
from annotations.models.study import Criterion
from generation.models import Candidate


class TurnRating(models.Model):
    """One score by an evaluator for a turn of a candidate on a criterion; that of the whole text is a `Rating`.

    A trigger (`0041_checklists`) holds that the criterion rates turns, that the text has so many, and that the score is
    on its scale.
    """

    # Both are held by one key of two columns (`turn_rating_of_placed_candidate`).
    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.CASCADE, related_name="turn_ratings", db_constraint=False, db_index=False
    )
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, db_constraint=False)
    criterion = models.ForeignKey(Criterion, on_delete=models.RESTRICT)
    # From 1, among the turns of the text that are rated.
    turn = models.PositiveSmallIntegerField()
    score = NumberField()
    client_order = models.BigIntegerField(default=0)
    saved_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment", "candidate", "criterion", "turn"], name="turn_rating_once"
            ),
            models.CheckConstraint(condition=Q(turn__gte=1), name="turn_rating_turn_from_1"),
        ]

    def __str__(self) -> str:
        return f"{self.score} for turn {self.turn} of candidate {self.candidate_id}"
