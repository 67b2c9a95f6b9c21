"""How much work an evaluator has before them, reckoned from their own pace."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from math import ceil
from statistics import median
from typing import Any

from django.db.models import Max

from annotations.models import Enrolment, Judgement, Rating
from annotations.questionnaire.progress import StudyProgress

# Fewer pages tell nothing of a pace.
FEWEST_PAGES = 3
# Whoever needs longer for a page has done something else meanwhile.
BREAK_SECONDS = 900


def minutes_left(enrolment: Enrolment, progress: StudyProgress) -> int | None:
    """Return the minutes that the pages with something missing will take, with at most one query.

    It is the median time between the ends of pages, breaks left out, for each page to come; None before the fourth
    page is answered and when nothing is missing. Above ten minutes it is rounded up to five, which is as good as it is.
    """
    pages = [page for subtask in progress.subtasks for page in subtask.pages]
    to_come = sum(not page.is_finished for page in pages)
    if not to_come or len(pages) - to_come <= FEWEST_PAGES:
        return None
    if enrolment.study.asks.answer is not None:
        by_page: Any = Judgement.objects.filter(enrolment=enrolment).values("page")
    else:
        by_page = Rating.objects.filter(
            enrolment=enrolment, candidate__pagecandidate__page__subtask__study=enrolment.study_id
        ).values("candidate__pagecandidate__page")
    ended = by_page.annotate(ended=Max("saved_at")).order_by("ended").values_list("ended", flat=True)
    seconds = page_seconds(list(ended))
    if len(seconds) < FEWEST_PAGES:
        return None
    minutes = ceil(median(seconds) * to_come / 60)
    return minutes if minutes <= 10 else 5 * ceil(minutes / 5)


def page_seconds(ended: list[datetime]) -> list[float]:
    """Return the seconds between the ends of pages, without those in which there was a break."""
    between = [(later - earlier).total_seconds() for earlier, later in pairwise(ended)]
    return [seconds for seconds in between if seconds <= BREAK_SECONDS]
