"""What the report says of programs that rated a study: their scores read, and checked against the evaluators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from django.db.models import F, FloatField, Value
from django.db.models.functions import Cast, Coalesce, Length

from annotations.judges.wording import judge_name, judge_version
from annotations.models import Judge, JudgeRating, JudgeUnit, Page, PageCandidate, PromptDraw, Study
from annotations.models.judges import prompt_name
from annotations.results.copying import copied_numbers, places
from generation.models import Prompt
from stats.judges.checks import JudgeChecks, Judged, judge_checks
from stats.judges.combined import Draw
from stats.judges.scores import ANY, JudgeScores
from stats.ratings.table import RatingTable
from stats.reports.study_report import DrawnPromptFacts, JudgeFacts, PlanFacts, PromptDrawFacts
from stats.scores import Floats, Ints

SEED = 20260101
# What the names of prompts without a page begin with, which pages have not.
OTHER = "other: "


def judge_facts(
    study: Study,
    table: RatingTable,
    primary: str,
    samples_of: Sequence[int] | None,
    plan: PlanFacts | None,
) -> tuple[JudgeFacts, ...]:
    """Return every judge of a study with its checks on the ratings of valid evaluators, the primary criterion first.

    Of samples of one prompt the means are compared, of the judge as of evaluators.
    """
    judges = list(study.judges.all())
    if not judges:
        return ()
    pages = _Pages(study, table, samples_of)
    compared = table if samples_of is None else table.averaged(samples_of)
    criteria = sorted((one.key for one in table.criteria), key=lambda key: key != primary)
    return tuple(_facts(study, judge, pages, compared, criteria, plan) for judge in judges)


def _facts(
    study: Study,
    judge: Judge,
    pages: _Pages,
    compared: RatingTable,
    criteria: Sequence[str],
    plan: PlanFacts | None,
) -> JudgeFacts:
    scores = read_scores(judge, pages, compared)
    methods = {key: place for place, key in enumerate(compared.methods)}
    set_aside = plan.judge_set_aside if plan is not None and plan.judge == judge.key else ()
    judged = Judged(
        name=judge.key,
        scores=scores,
        lengths=pages.lengths,
        nothing=planted_scores(judge, criteria),
        own=[methods[key] for key in judge.own_methods if key in methods],
        draw=drawn_by(study, pages, scores),
        set_aside=pages.named(set_aside, scores),
        was_drawn=judge.sampling != Judge.Sampling.CHOSEN,
    )
    rng = np.random.default_rng(SEED)
    found: list[JudgeChecks] = []
    for criterion in criteria:
        # Pairs are compared on the primary criterion alone, or on the first that the judge has scores on.
        checks = judge_checks(compared, judged, criterion, rng, with_pairs=not found)
        if checks is not None:
            found.append(checks)
    kind: Any = judge.kind
    saw_answers: Any = judge.saw_answers
    sampling: Any = judge.sampling
    return JudgeFacts(
        key=judge.key,
        label=judge_name(judge),
        kind=kind,
        version=judge_version(judge),
        saw_answers=saw_answers,
        sampling=sampling,
        planned=_planned(judge, plan),
        scores=len(scores.score),
        set_aside=len(set_aside),
        checks=tuple(found),
    )


def draw_facts(study: Study) -> PromptDrawFacts | None:
    """Return how the platform drew the prompts that people rate, None where it did not."""
    draw: Any = PromptDraw.objects.filter(study=study).select_related("drawn_by").counted().first()
    if draw is None:
        return None
    return PromptDrawFacts(
        by=draw.by,
        strata=draw.tag,
        drawn=draw.drawn,
        prompts=draw.all,
        seed=draw.seed,
        who=draw.drawn_by.username if draw.drawn_by else "",
        at=draw.drawn_at.isoformat(),
        chances=tuple(
            DrawnPromptFacts(*row)
            for row in draw.prompts.order_by("pk").values_list("name", "stratum", "probability", "is_drawn")
        ),
    )


def drawn_by(study: Study, pages: _Pages, scores: JudgeScores) -> Draw | None:
    """Return how the platform drew the prompts that people rate, None where uniformly or not by the platform."""
    drawn = PromptDraw.objects.filter(study=study).first()
    if drawn is None or (drawn.by == PromptDraw.By.UNIFORM and not drawn.tag):
        return None
    rows = list(drawn.prompts.values_list("prompt_id", "name", "stratum", "probability"))
    strata = {stratum: number for number, stratum in enumerate(sorted({row[2] for row in rows}))}
    places = {name.removeprefix(OTHER): place for place, name in enumerate(scores.prompts)}
    stratum = np.zeros(len(scores.prompts), dtype=np.int64)
    probability = np.ones(len(scores.prompts))
    for prompt, name, own, chance in rows:
        place = pages.of_prompt.get(prompt, places.get(name))
        if place is not None:
            stratum[place], probability[place] = strata[own], chance
    return Draw(stratum=stratum) if drawn.tag else Draw(probability=probability)


def planted_scores(
    judge: Judge, criteria: Sequence[str]
) -> dict[str, dict[Literal["empty text", "single point"], Floats]]:
    """Return what a judge gave texts of nothing, by criterion."""
    names: dict[str, Literal["empty text", "single point"]] = {"empty": "empty text", "point": "single point"}
    found: dict[str, dict[Literal["empty text", "single point"], list[float]]] = {}
    units = JudgeUnit.objects.filter(run__judge=judge, is_read=True).exclude(planted="")
    for planted, scores in units.values_list("planted", "planted_scores"):
        for key, score in scores.items():
            found.setdefault(key, {}).setdefault(names[planted], []).append(score)
    return {
        key: {name: np.array(scores) for name, scores in of_kind.items()} for key, of_kind in found.items()
    }


def _planned(judge: Judge, plan: PlanFacts | None) -> Literal["checks", "combined", "another version"] | None:
    if plan is None or plan.judge != judge.key:
        return None
    if plan.judge_version and plan.judge_version != judge.version:
        return "another version"
    return plan.judge_use or None


class _Pages:
    """Where a study's pages stand in the table that is compared, and how long its texts are."""

    def __init__(self, study: Study, table: RatingTable, samples_of: Sequence[int] | None) -> None:
        first: dict[int, int] = {}
        place: dict[str, int] = {}
        for number, name in enumerate(table.prompts):
            what = number if samples_of is None else samples_of[number]
            place[name] = first.setdefault(what, len(first))
        shown = PageCandidate.objects.counted(study)
        rows_of_pages = list(
            shown.values_list("page", "page__subtask__number", "page__number", "page__prompt").distinct()
        )
        names = {page: f"{subtask}/{number}" for page, subtask, number, _ in rows_of_pages}
        self.of_prompt = {
            prompt: place[f"{subtask}/{number}"] for _, subtask, number, prompt in rows_of_pages
        }
        self.keys = sorted(names)
        self.place = np.array([place[names[key]] for key in self.keys], dtype=np.int64)
        self.methods = list(study.study_methods.order_by("number").values_list("pk", flat=True))
        self.criteria = [criterion.pk for criterion in study.criteria.all()]
        rows = copied_numbers(
            shown.values_list("page_id", "study_method_id", Cast(Length("candidate__text"), FloatField())), 3
        )
        shape = (len(first), len(self.methods))
        page, method = rows[:, :2].astype(np.int64).T
        cells = self.prompts_of(page) * shape[1] + places(self.methods, method)
        counts = np.bincount(cells, minlength=shape[0] * shape[1])
        sums = np.bincount(cells, rows[:, 2], shape[0] * shape[1])
        lengths: Floats = np.divide(sums, counts, out=np.zeros(len(sums)), where=counts > 0)
        self.lengths = lengths.reshape(shape)

    def named(self, names: Sequence[str], scores: JudgeScores) -> list[int]:
        """Return the places of prompts by their names, of those on pages and of the others that a judge scored."""
        if not names:
            return []
        wanted = set(names)
        shown = Prompt.objects.filter(pk__in=self.of_prompt)
        found = {self.of_prompt[prompt.pk] for prompt in shown if prompt_name(prompt) in wanted}
        others = {f"{OTHER}{name}" for name in names}
        return sorted(found | {place for place, name in enumerate(scores.prompts) if name in others})

    def prompts_of(self, pages: Ints) -> Ints:
        """Return the places of the prompts of pages, by primary keys."""
        found: Ints = self.place[np.searchsorted(self.keys, pages)]
        return found


def read_scores(judge: Judge, pages: _Pages, compared: RatingTable) -> JudgeScores:
    """Return the scores of a judge: prompts that people rate as in their table, the others after them."""
    numbers: list[Any] = [
        "study_method_id",
        Coalesce(F("criterion_id"), Value(ANY)),
        "score",
        "repeat",
        Coalesce(F("position"), Value(-1)),
    ]
    own = JudgeRating.objects.filter(judge=judge)
    on_pages: Any = own.filter(page_candidate__page__role=Page.Role.COUNTED).values_list(
        "page_candidate__page_id", *numbers
    )
    shown = copied_numbers(on_pages, 6)
    others = list(own.filter(page_candidate=None).order_by("pk").values_list("prompt_name", *numbers))
    names = {name: number for number, name in enumerate(dict.fromkeys(row[0] for row in others))}
    after = np.array([row[1:] for row in others], dtype=np.float64).reshape(-1, 5)
    rest = np.vstack([shown[:, 1:], after])
    prompts = len(compared.prompts)
    prompt = np.concatenate(
        [
            pages.prompts_of(shown[:, 0].astype(np.int64)),
            np.array([prompts + names[row[0]] for row in others], dtype=np.int64),
        ]
    )
    method, criterion = rest[:, :2].astype(np.int64).T
    is_any = criterion == ANY
    criterion[~is_any] = places(pages.criteria, criterion[~is_any])
    repeat, position = rest[:, 3:].astype(np.int64).T
    return JudgeScores(
        prompt=prompt,
        method=places(pages.methods, method),
        criterion=criterion,
        score=rest[:, 2],
        repeat=repeat,
        position=position,
        prompts=(*compared.prompts, *(f"{OTHER}{name}" for name in names)),
        methods=len(pages.methods),
        has_own_scale=judge.has_own_scale,
    )
