"""Studies of the demonstration that have answers: one that is finished, with its report, and one half done.

Their evaluators are simulated, which every page about them says. Where the published records are at hand, the study
that they are of is the finished one to look at first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from annotations.access.roles import give_role
from annotations.imports.demo import EVERYDAY_QUESTIONS, TANG_POETS
from annotations.imports.published_records import read_records
from annotations.imports.studies import import_records
from annotations.models import BestChoice, Rating, ReportLink, Study, StudyRole
from annotations.plan.plan import lock_plan
from annotations.plan.rehearsal import copy_study
from annotations.plan.simulation import Effects, simulate_ratings
from annotations.results.sharing import FINISHED, MOST_DAYS, PUBLISHED, share_report
from annotations.setup.lifecycle import close_study

HALF_DONE = "half-done"
EVALUATORS = 12
# How many of the 20 pages each evaluator of the study half done has answered.
PAGES_ANSWERED = (20, 20, 20, 14, 9, 5, 2, 0)
TITLES: Mapping[str, Mapping[str, str]] = {
    FINISHED: {
        "en": "Everyday questions, finished (simulated evaluators)",
        "zh-hans": "日常问题：已完成（模拟的评阅人）",
    },
    HALF_DONE: {
        "en": "Four Tang poets, half done (simulated evaluators)",
        "zh-hans": "四位唐代诗人：进行到一半（模拟的评阅人）",
    },
    PUBLISHED: {"en": "The published study of poems", "zh-hans": "已发表的诗歌评测"},
}


@transaction.atomic
def load_results(records: Sequence[Path] = ()) -> None:
    """Load the studies with answers that are not there yet, and share the report of the finished ones.

    `records` are the two published files, of candidates and answers; raises `FileRefused` where they are damaged.
    """
    rita = User.objects.get(username="rita")
    finished = Study.objects.filter(slug=FINISHED).first() or finished_study(rita)
    if not Study.objects.filter(slug=HALF_DONE).exists():
        half_done_study(rita)
    shown = [finished]
    if records:
        shown.append(import_records(read_records(*records), slug=PUBLISHED, title=TITLES[PUBLISHED]).study)
        give_role(shown[-1], rita, StudyRole.Role.OWNER, by=None)
    for study in shown:
        if not ReportLink.objects.good().filter(study=study).exists():
            share_report(study, days=MOST_DAYS, by=rita)


def demo_copy(slug: str, of: str, owner: User) -> Study:
    """Copy a study of the demonstration with its texts, to be answered by simulated evaluators."""
    study = copy_study(Study.objects.get(slug=of), slug)
    study.title, study.payment = TITLES[slug], Decimal(50)
    study.save(update_fields=["title", "payment"])
    give_role(study, owner, StudyRole.Role.OWNER, by=None)
    return study


def finished_study(owner: User) -> Study:
    """Make the study that is finished: planned, answered by simulated evaluators, closed."""
    study = demo_copy(FINISHED, EVERYDAY_QUESTIONS, owner)
    primary = study.criteria.filter(is_overall=True).get()
    lock_plan(
        study,
        staff=owner,
        primary_criterion=primary,
        planned_effect=Decimal("0.5"),
        equivalence_margin=Decimal("0.3"),
        planned_evaluators=EVALUATORS,
        notes="A demonstration: the evaluators are simulated, so nothing here is a result about people."
        " 此为演示：评阅人由程序模拟，所有结果都不是关于人的结论。",
    )
    simulate_ratings(study, evaluators=EVALUATORS, seed=7, effects=Effects(slip=0.1))
    close_study(study)
    return study


def half_done_study(owner: User) -> Study:
    """Make the study that is half done, its answers spread over the last hours."""
    study = demo_copy(HALF_DONE, TANG_POETS, owner)
    enrolments = simulate_ratings(
        study, evaluators=len(PAGES_ANSWERED), seed=11, pages_answered=PAGES_ANSWERED
    )
    now = timezone.now()
    for hours, enrolment in enumerate(enrolments, start=1):
        for answers in (Rating.objects, BestChoice.objects):
            answers.filter(enrolment=enrolment).update(saved_at=now - timedelta(hours=3 * hours))
    return study
