"""What commands have in common that do one thing to one study."""

from __future__ import annotations

from django.core.management.base import CommandError

from annotations.models import Enrolment, Study


def study_named(slug: str) -> Study:
    """Return the study of this slug; raise `CommandError` where there is none."""
    study = Study.objects.filter(slug=slug).first()
    if study is None:
        raise CommandError(f"{slug}: no such study")
    return study


def evaluators_named(study: Study, pseudonyms: list[str]) -> list[Enrolment]:
    """Return the evaluators of these pseudonyms, in this order; raise `CommandError` where one is nobody's."""
    found = {
        one.pseudonym: one
        for one in study.enrolments.filter(pseudonym__in=pseudonyms).select_related("study")
    }
    if unknown := [name for name in pseudonyms if name not in found]:
        raise CommandError(f"{study}: nobody is called {', '.join(unknown)}")
    return [found[name] for name in pseudonyms]
