"""The checks of every evaluator: known answers, hasty and straight-lined pages, pages that were left, pasted text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from django.db.models import Count, Sum

from annotations.models import Page, PageEvent, Study, TrainingAttempt
from annotations.results.quality.known_answers import known_answers, met_answers, right_pages
from annotations.results.quality.repeats import self_agreement_on_repeats
from annotations.results.quality.straight_lines import LONGEST_BY_CHANCE, straight_lines
from annotations.results.rating_table import page_seconds, rating_table
from stats.ratings.table import RatingTable
from stats.reports.quality_facts import EvaluatorChecks, Flag, QualityFacts, QualityRules
from stats.scores import Ints


def quality_facts(study: Study, counted: RatingTable) -> QualityFacts | None:
    """Return the checks of a study on the answers of everybody, whose table is `counted`; None where it has none.

    Nothing here is by method. In a constant number of queries, two where nothing is declared.
    """
    rules = quality_rules(study)
    if rules is None:
        return None
    met = list(
        met_answers(
            rating_table(study, roles=[Page.Role.KNOWN]),
            known_answers(study, Page.Role.KNOWN),
            has_best_picks=study.has_best_picks,
        )
        if rules.known_pages
        else ()
    )
    known = right_pages(met)
    attempts = training_attempts(study)
    events = page_events(study) if rules.has_flags else {}
    timed, hasty = hasty_pages(study, counted, rules.hasty_seconds)
    pages, rated, straight = straight_lines(study, counted)
    found = []
    for place, evaluator in enumerate(counted.evaluators):
        answered, right = known.get(evaluator, (0, 0))
        left, away, pasted = events.get(evaluator, (0, 0.0, 0))
        tried, passed = attempts.get(evaluator, (0, False))
        checks = EvaluatorChecks(
            evaluator=evaluator,
            known=answered,
            known_right=right,
            timed=int(timed[place]),
            hasty=int(hasty[place]),
            rated=int(rated[place]),
            straight=int(straight[place]),
            pages=int(pages[place]),
            left=left,
            seconds_away=away,
            pasted=pasted,
            training_attempts=tried,
            training_passed=passed,
            flags=(),
        )
        found.append(replace(checks, flags=flags_of(checks, rules)))
    return QualityFacts(
        rules=rules, evaluators=tuple(found), self_agreement=self_agreement_on_repeats(study, counted)
    )


def quality_rules(study: Study) -> QualityRules | None:
    """Return what a study declared; None where that is nothing."""
    roles = dict(
        Page.objects.filter(subtask__study=study)
        .exclude(role=Page.Role.COUNTED)
        .order_by()
        .values("role")
        .annotate(pages=Count("pk"))
        .values_list("role", "pages")
    )
    control = getattr(study, "quality_control", None)
    if control is None:
        return None
    known, training = roles.get(Page.Role.KNOWN, 0), roles.get(Page.Role.TRAINING, 0)
    if not (known or training or control.repeats_per_subtask or control.has_flags):
        return None
    return QualityRules(
        known_pages=known,
        known_answer_share=float(control.known_answer_share),
        repeats_per_subtask=control.repeats_per_subtask,
        training_pages=training,
        training_share=None if control.training_share is None else float(control.training_share),
        training_attempts=control.training_attempts,
        has_flags=control.has_flags,
        hasty_seconds=control.hasty_seconds,
        flag_share=float(control.flag_share),
        pages_in_line=None if study.asks.answer is None else LONGEST_BY_CHANCE,
    )


def flags_of(checks: EvaluatorChecks, rules: QualityRules) -> tuple[Flag, ...]:
    """Return what is to be looked at of an evaluator, by what was declared."""
    flags: list[Flag] = []
    if checks.known and checks.known_right < rules.known_answer_share * checks.known:
        flags.append("known answers")
    if rules.has_flags:
        shares: dict[Flag, tuple[int, int]] = {
            "hasty": (checks.hasty, checks.timed),
            "straight lines": (checks.straight, checks.rated),
            "left": (checks.left, checks.pages),
        }
        flags += [flag for flag, (some, of) in shares.items() if some > rules.flag_share * of]
        if checks.pasted:
            flags.append("pasted")
    return tuple(flags)


def training_attempts(study: Study) -> Mapping[str, tuple[int, bool]]:
    """Return how often each evaluator tried the training round, and whether they passed it."""
    found: dict[str, tuple[int, bool]] = {}
    for evaluator, passed in TrainingAttempt.objects.filter(enrolment__study=study).values_list(
        "enrolment__pseudonym", "is_passed"
    ):
        number, before = found.get(evaluator, (0, False))
        found[evaluator] = number + 1, before or passed
    return found


def page_events(study: Study) -> Mapping[str, tuple[int, float, int]]:
    """Return of each evaluator how many pages were left, for how many seconds in all, and how often text was pasted."""
    left = (
        PageEvent.objects.filter(enrolment__study=study)
        .order_by()
        .values_list("enrolment__pseudonym", "kind")
        .annotate(pages=Count("page", distinct=True), seconds=Sum("seconds"), times=Count("pk"))
    )
    found: dict[str, tuple[int, float, int]] = {}
    for evaluator, kind, pages, seconds, times in left:
        known = found.get(evaluator, (0, 0.0, 0))
        found[evaluator] = (
            (pages, seconds or 0.0, known[2]) if kind == PageEvent.Kind.LEFT else (*known[:2], times)
        )
    return found


def hasty_pages(study: Study, counted: RatingTable, seconds: int) -> tuple[Ints, Ints]:
    """Return how many pages of each evaluator have a time, and how many of them were in view for less (E,)."""
    times = page_seconds(study, counted)
    evaluators = len(counted.evaluators)
    return (
        np.bincount(times.evaluator, minlength=evaluators),
        np.bincount(times.evaluator[times.value < seconds], minlength=evaluators),
    )
