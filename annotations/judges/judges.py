"""The judges of a study: taking their scores from files, listing and deleting them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from annotations.access.log import log_act
from annotations.judges.files import Score, ScoreFile
from annotations.models import Judge, JudgeRating, Study
from annotations.models.bounds import check_row
from generation.models.copying import copy_rows
from generation.refusals import Refused

MOST_JUDGES = 50


@dataclass(frozen=True)
class About:
    """What whoever brings scores says of them."""

    key: str
    label: str = ""
    version: str = ""
    saw_answers: str = Judge.SawAnswers.UNKNOWN
    has_own_scale: bool = False
    sampling: str = Judge.Sampling.ALL
    own_methods: tuple[str, ...] = ()


@transaction.atomic
def import_scores(
    study: Study, file: ScoreFile, about: About, *, replaces: bool = False, by: User | None
) -> tuple[Judge, bool]:
    """Store the scores of a file as those of a judge of a study, and say whether this call did so.

    The same file with the same facts again changes nothing. Raises ValidationError by field, and `Refused` where the
    judge has other scores that are not to be replaced, or there are too many judges.
    """
    facts = check_about(study, about) | {
        "sampling": about.sampling if file.other_prompts else Judge.Sampling.ALL,
        "source": {"file": file.name, "sha256": file.sha256},
    }
    Study.objects.locked(study, no_key=True)
    known = study.judges.filter(key=about.key).first()
    if known is not None:
        if all(getattr(known, name) == value for name, value in facts.items()):
            return known, False
        if known.kind != Judge.Kind.IMPORTED:
            raise Refused(_("The judge %(key)s is another one: take another name.") % {"key": about.key})
        if not replaces:
            raise Refused(
                _(
                    "The judge %(key)s has scores already: say that they are to be replaced, or take another name."
                )
                % {"key": about.key}
            )
        known.delete()
    elif study.judges.count() >= MOST_JUDGES:
        raise Refused(_("A study has at most %(most)d judges.") % {"most": MOST_JUDGES})
    judge = Judge.objects.create(study=study, key=about.key, created_by=by, **facts)
    store_scores(judge, file.scores)
    log_act(
        study, by, "judge.imported",
        judge=judge.key, file=file.name, sha256=file.sha256, scores=len(file.scores),
    )  # fmt: skip
    return judge, True


def check_about(study: Study, about: About) -> dict[str, Any]:
    """Return what is said of scores as the facts of their judge; raise ValidationError by field, and `Refused`."""
    check_methods(study, about.own_methods)
    facts: dict[str, Any] = {
        "label": about.label.strip() or about.key,
        "kind": Judge.Kind.IMPORTED,
        "version": about.version.strip(),
        "saw_answers": about.saw_answers,
        "has_own_scale": about.has_own_scale,
        "sampling": about.sampling,
        "own_methods": list(about.own_methods),
    }
    check_row(Judge(study=study, key=about.key, **facts))
    return facts


def check_methods(study: Study, keys: Sequence[str]) -> None:
    """Raise `Refused` for a method of the judge's own family that is none of the study's."""
    known = set(study.study_methods.values_list("method__key", flat=True))
    if unknown := [key for key in keys if key not in known]:
        raise Refused(
            _("%(methods)s is no method of the study; there are %(known)s.")
            % {"methods": ", ".join(unknown), "known": ", ".join(sorted(known))}
        )


def store_scores(judge: Judge, scores: Sequence[Score]) -> None:
    """Save scores of a judge; part of the caller's transaction."""
    copy_rows(
        JudgeRating,
        (
            "judge",
            "page_candidate",
            "prompt_name",
            "study_method",
            "criterion",
            "repeat",
            "position",
            "score",
        ),
        [(judge.pk, *score) for score in scores],
    )


def judges_of(study: Study) -> QuerySet[Judge]:
    """Return the judges of a study, each with the number of its scores and of the texts on pages that have one."""
    return study.judges.order_by("key").annotate(
        scores=Count("ratings"), texts=Count("ratings__page_candidate", distinct=True)
    )


@transaction.atomic
def delete_judge(judge: Judge, *, by: User | None) -> None:
    """Delete a judge with its scores."""
    Study.objects.locked(judge.study_id, no_key=True)
    log_act(judge.study, by, "judge.deleted", judge=judge.key)
    judge.delete()
