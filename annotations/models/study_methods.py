"""The methods that a study compares, and what it calls them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Coalesce, NullIf

from annotations.models.study import Study
from generation.models import Method, method_name


def method_label(path: str = "") -> Coalesce:
    """Return the expression of the label that a method has in a study, at the end of a path of look-ups.

    `method_name` makes of it, and of the key, what the method is called.
    """
    return Coalesce(NullIf(f"{path}label", Value("")), f"{path}method__label")


class StudyMethodQuerySet(models.QuerySet["StudyMethod"]):
    def names(self) -> dict[str, str]:
        """Return what the methods are called in the reader's language, by their keys in the order of reports."""
        found = self.order_by("number").values_list("method__key", method_label())
        return {key: method_name(key, label) for key, label in found}


class StudyMethod(models.Model):
    """A method that takes part in a study; its number is its place in reports."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="study_methods")
    method = models.ForeignKey(Method, on_delete=models.PROTECT)
    number = models.PositiveSmallIntegerField()
    # What reports of this study call the method; empty: as it is called elsewhere.
    label = models.CharField(max_length=120, blank=True, default="")

    objects = StudyMethodQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "method"], name="study_method_once"),
            models.UniqueConstraint(fields=["study", "number"], name="study_method_number_once"),
            models.UniqueConstraint(
                fields=["study", "label"], condition=~Q(label=""), name="study_method_label_once"
            ),
        ]

    def __str__(self) -> str:
        return f"method {self.number} of study {self.study_id}"

    @property
    def name(self) -> str:
        """What the method is called in this study, in the reader's language."""
        return method_name(self.method.key, self.label or self.method.label)
