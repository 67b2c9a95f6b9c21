"""What those who run a study watch while people answer: the funnel, the evaluators, the coverage, the agreement.

Nothing here is by method, so all of it may be seen while the study is sealed. The database sums up; the number of
queries does not depend on the study.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection, models
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from annotations.models import (
    Assignment,
    Criterion,
    Enrolment,
    Invitation,
    Page,
    PageCandidate,
    Rating,
    Study,
    Subtask,
)
from annotations.models.pages import TRAINING_SUBTASK
from annotations.monitoring.evaluator_sums import Coverage, EvaluatorSums, study_sums

if TYPE_CHECKING:
    from annotations.monitoring.agreement import Agreements
    from stats.scores import Floats, Ints


# More columns of the matrix than these are put together.
MOST_COLUMNS = 8
DAY = timedelta(days=1)

# The correlation of each evaluator's ratings with the mean of all others' of the same texts, as in `stats.quality`.
AGREEMENTS = """
SELECT enrolment_id, CASE WHEN count(*) >= %(fewest)s THEN corr(score, (total - score) / (raters - 1.0)) END
FROM (
    SELECT enrolment_id, score::float AS score, sum(score) OVER same_text AS total, count(*) OVER same_text AS raters
    FROM annotations_rating WHERE criterion_id = %(criterion)s AND candidate_id NOT IN (
        SELECT shown.candidate_id FROM annotations_pagecandidate shown
        JOIN annotations_page page ON page.id = shown.page_id
        JOIN annotations_subtask subtask ON subtask.id = page.subtask_id
        WHERE subtask.study_id = %(study)s AND page.role <> 'counted')
    WINDOW same_text AS (PARTITION BY candidate_id)
) rating
WHERE raters > 1
GROUP BY enrolment_id
"""


class Stage(models.TextChoices):
    """How far an evaluator has come."""

    WITHDRAWN = "withdrawn", _("withdrawn")
    ENROLLED = "enrolled", _("not started")
    STARTED = "started", _("started")
    EXCLUDED = "excluded", _("finished, not valid")
    VALID = "valid", _("valid")


@dataclass(frozen=True)
class EvaluatorRow:
    """One evaluator: how far, how fast, how carefully. What there is nothing to take of is None."""

    sums: EvaluatorSums
    stage: Stage
    # Answers a day since the first one; no span is taken for less than a day.
    pace: float | None
    last_seen: datetime | None
    page_seconds: float | None
    # With the mean of the others over the texts, on the overall criterion.
    agreement: float | None

    @property
    def enrolment(self) -> Enrolment:
        return self.sums.enrolment

    @property
    def progress(self) -> float:
        """The share of the answers asked for that is there."""
        return self.sums.answered / self.sums.asked if self.sums.asked else 0.0


@dataclass(frozen=True)
class Funnel:
    """How many came how far; each stage holds those of the next. `invited` is None where nobody was."""

    invited: int | None
    enrolled: int
    started: int
    finished: int
    valid: int
    withdrawn: int
    simulated: int
    imported: int


@dataclass(frozen=True)
class SubtaskRow:
    """How many evaluators a sub-task has, and how many of its prompts have how many complete ratings, by column."""

    number: int
    prompts: int
    assigned: int
    complete: int
    cells: tuple[int, ...]

    @property
    def asked(self) -> int:
        return self.prompts * self.assigned

    @property
    def shares(self) -> list[tuple[int, int]]:
        """Each cell with its share of the prompts in fifths, for its shade."""
        return [(cell, -(-5 * cell // self.prompts) if self.prompts else 0) for cell in self.cells]


@dataclass(frozen=True)
class Matrix:
    """Sub-tasks by the number of complete ratings of their prompts; `columns` are the numbers in words."""

    columns: tuple[str, ...]
    rows: tuple[SubtaskRow, ...]


@dataclass(frozen=True)
class Alpha:
    """Krippendorff's alpha on one criterion over the texts that two or more evaluators have rated."""

    criterion: Criterion
    texts: int
    ordinal: float | None
    interval: float | None


@dataclass(frozen=True)
class Dashboard:
    """Everything on the page."""

    funnel: Funnel
    evaluators: tuple[EvaluatorRow, ...]
    matrix: Matrix
    alphas: tuple[Alpha, ...]
    # The criterion of the agreement of single evaluators.
    criterion: Criterion | None

    @property
    def enrolments(self) -> list[Enrolment]:
        """With their groups, in order of enrolment."""
        return [row.enrolment for row in self.evaluators]


def dashboard(study: Study) -> Dashboard:
    """Return what is watched of a study, with seven queries; some more where scores are made of other answers."""
    sums = study_sums(study)
    criteria = list(study.criteria.all())
    criterion = next((one for one in criteria if one.is_overall), criteria[0] if criteria else None)
    made = made_agreements(study, criterion)
    agreements = rated_agreements(study, criterion) if made is None else by_enrolment(sums.evaluators, made)
    evaluators = evaluator_rows(sums.evaluators, agreements)
    return Dashboard(
        funnel=funnel(study, evaluators),
        evaluators=evaluators,
        matrix=matrix(study, sums.coverage),
        alphas=alphas(study, criteria) if made is None else made_alphas(criteria, made),
        criterion=criterion,
    )


def made_agreements(study: Study, criterion: Criterion | None) -> Agreements | None:
    """Return the agreement of scores that are made of other answers than ratings; None where texts are rated."""
    if not is_made_of_answers(study):
        return None
    # Loaded where it is used: what computes takes longer to load than all the rest of a web process.
    from annotations.monitoring.agreement import agreements_so_far

    return agreements_so_far(study, criterion.key if criterion else None)


def is_made_of_answers(study: Study) -> bool:
    """Whether any score of a study is made of answers that are no ratings."""
    asks = study.asks
    return asks.answer is not None or asks.texts is not None or asks.marks_errors


def rated_agreements(study: Study, criterion: Criterion | None) -> dict[int, float | None]:
    """Return the agreement of each enrolment (primary key) with the others' ratings, with one query."""
    from stats.quality import FEWEST_TEXTS

    if criterion is None:
        return {}
    return dict(selected(AGREEMENTS, criterion=criterion.pk, study=study.pk, fewest=FEWEST_TEXTS))


def by_enrolment(evaluators: Sequence[EvaluatorSums], made: Agreements) -> dict[int, float | None]:
    return {one.enrolment.pk: made.correlations.get(one.enrolment.pseudonym) for one in evaluators}


def made_alphas(criteria: Sequence[Criterion], made: Agreements) -> tuple[Alpha, ...]:
    """Return how far the evaluators agree on each criterion, where scores are made of other answers."""
    return tuple(Alpha(one, **vars(made.alphas[one.key])) for one in criteria)


def evaluator_rows(
    evaluators: Sequence[EvaluatorSums], agreements: Mapping[int, float | None]
) -> tuple[EvaluatorRow, ...]:
    """Return the rows of the evaluators in order of enrolment."""
    rows = []
    for one in evaluators:
        # Answers that were imported have no history.
        has_history = one.first_change_at is not None
        first_at = one.first_change_at if has_history else one.first_at
        last_at = one.last_change_at if has_history else one.last_at
        rows.append(
            EvaluatorRow(
                sums=one,
                stage=stage(one),
                pace=pace(one, first_at, last_at),
                last_seen=last_at,
                page_seconds=one.page_seconds,
                agreement=agreements.get(one.enrolment.pk),
            )
        )
    return tuple(rows)


def selected(sql: str, **parameters: int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def stage(sums: EvaluatorSums) -> Stage:
    """Return how far an evaluator has come."""
    if sums.enrolment.withdrawn_at:
        return Stage.WITHDRAWN
    if sums.is_valid:
        return Stage.VALID
    if sums.is_finished:
        return Stage.EXCLUDED
    return Stage.STARTED if sums.is_started else Stage.ENROLLED


def pace(sums: EvaluatorSums, first_at: datetime | None, last_at: datetime | None) -> float | None:
    """Return the answers a day since the first one: until now, or the last one of whoever can give no more."""
    if first_at is None or last_at is None or not sums.answered:
        return None
    is_over = sums.is_finished or sums.enrolment.is_over
    return sums.answered / (max((last_at if is_over else timezone.now()) - first_at, DAY) / DAY)


def funnel(study: Study, evaluators: Sequence[EvaluatorRow]) -> Funnel:
    """Return how many evaluators came how far, with one query."""
    invited = Invitation.objects.filter(study=study, revoked_at=None).count()
    part = [row for row in evaluators if row.stage != Stage.WITHDRAWN]
    sources = [row.enrolment.source for row in part]
    return Funnel(
        invited=invited or None,
        enrolled=len(part),
        started=sum(row.sums.is_started for row in part),
        finished=sum(row.sums.is_finished for row in part),
        valid=sum(row.sums.is_valid for row in part),
        withdrawn=len(evaluators) - len(part),
        simulated=sources.count(Enrolment.Source.SIMULATED),
        imported=sources.count(Enrolment.Source.IMPORTED),
    )


def matrix(study: Study, coverage: Sequence[Coverage]) -> Matrix:
    """Return which sub-tasks have how many complete ratings, with one query."""
    by_subtask: dict[int, dict[int, int]] = defaultdict(dict)
    for one in coverage:
        by_subtask[one.subtask][one.evaluators] = one.prompts
    assigned = Assignment.objects.filter(subtask=models.OuterRef("pk")).order_by()
    subtasks = (
        Subtask.objects.filter(study=study, number__gt=TRAINING_SUBTASK)
        .annotate(
            prompts=Count("pages", filter=models.Q(pages__role=Page.Role.COUNTED)),
            assigned=models.functions.Coalesce(
                models.Subquery(assigned.values("subtask").annotate(n=Count("pk")).values("n")), 0
            ),
        )
        .order_by("number")
        .values_list("pk", "number", "prompts", "assigned")
    )
    bins = column_bins(max((one.evaluators for one in coverage), default=0))
    rows = []
    for pk, number, prompts, evaluators in subtasks:
        counts = by_subtask.get(pk, {})
        # A sub-task that nobody was given has no page in the sums.
        counts = counts | {0: counts.get(0, 0) + prompts - sum(counts.values())}
        cells = tuple(sum(counts.get(times, 0) for times in one) for one in bins)
        complete = sum(times * pages for times, pages in counts.items())
        rows.append(SubtaskRow(number, prompts, evaluators, complete, cells))
    return Matrix(tuple(in_words(one) for one in bins), tuple(rows))


def column_bins(highest: int) -> list[range]:
    """Return the numbers of complete ratings that each column of the matrix stands for: none first, the rest alike."""
    width = max(1, -(-highest // (MOST_COLUMNS - 1)))
    return [range(1), *(range(start, start + width) for start in range(1, highest + 1, width))]


def in_words(numbers: range) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}–{numbers[-1]}"


def alphas(study: Study, criteria: Sequence[Criterion]) -> tuple[Alpha, ...]:
    """Return how far the evaluators agree on each criterion, with one query.

    Whoever has rated is counted, finished or not: it is watched while they answer.
    """
    import numpy as np

    from annotations.results.copying import copied_integers
    from stats.agreement import krippendorff_alphas

    counts = copied_integers(
        Rating.objects.filter(enrolment__study=study)
        .exclude(candidate__in=PageCandidate.objects.beside_results(study))
        .values_list("criterion_id", "candidate_id", "score")
        .annotate(times=Count("pk")),
        columns=4,
    )
    found = []
    for criterion in criteria:
        ratings = packed(counts[counts[:, 0] == criterion.pk, 1:])
        alpha = krippendorff_alphas(ratings)
        texts = int((~np.isnan(ratings)).sum(axis=0).__ge__(2).sum())
        found.append(Alpha(criterion, texts, alpha["ordinal"], alpha["interval"]))
    return tuple(found)


def packed(counts: Ints) -> Floats:
    """Return (text, score, times) as ratings (raters, texts) with NaN below: alpha does not ask who gave a rating."""
    import numpy as np

    counts = counts[np.argsort(counts[:, 0], kind="stable")]
    text = np.repeat(counts[:, 0], counts[:, 2])
    scores = np.repeat(counts[:, 1], counts[:, 2])
    _texts, starts, column, raters = np.unique(
        text, return_index=True, return_inverse=True, return_counts=True
    )
    ratings = np.full((int(raters.max(initial=0)), len(starts)), np.nan)
    ratings[np.arange(len(text)) - starts[column], column] = scores
    return ratings


SORTS: dict[str, Callable[[EvaluatorRow], Any]] = {
    "evaluator": lambda row: row.enrolment.number,
    "stage": lambda row: list(Stage).index(row.stage),
    "progress": lambda row: row.progress,
    "pace": lambda row: row.pace,
    "last_seen": lambda row: row.last_seen,
    "page_seconds": lambda row: row.page_seconds,
    "inconsistent": lambda row: row.sums.inconsistent_share,
    "agreement": lambda row: row.agreement,
}


def sorted_rows(rows: Sequence[EvaluatorRow], sort: str) -> list[EvaluatorRow]:
    """Return the rows by a column of `SORTS`, downwards with a minus in front; what has no value comes last."""
    key = SORTS[sort.removeprefix("-")]
    known = sorted((row for row in rows if key(row) is not None), key=key, reverse=sort.startswith("-"))
    return known + [row for row in rows if key(row) is None]
