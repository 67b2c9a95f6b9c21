"""Ratings of known effect sizes, for trying the report without people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from annotations.models import (
    BestChoice,
    ChecklistAnswer,
    Criterion,
    Enrolment,
    Judgement,
    Page,
    PageCandidate,
    Placement,
    Rating,
    Study,
    TurnRating,
)
from annotations.models.bounds import MOST_SIMULATED, check_number
from annotations.plan.check_simulation import answer_known, repeated_pages
from annotations.plan.checklist_simulation import SimulatedItem, simulated_items
from annotations.plan.marking_simulation import SimulatedMarks, simulated_marks, store_marks
from annotations.plan.turn_simulation import SimulatedTurns, simulated_turns, turn_ratings
from annotations.protocols.protocol import Judged
from annotations.questionnaire.marking.marks import Mark
from annotations.recruiting.enrolment import enrol
from generation.refusals import Refused
from stats.scores import Bools, Floats, Ints

BATCH = 5000


@dataclass(frozen=True)
class Effects:
    """What the simulated ratings are made of, in points of a scale from 1 to 10 (halved on 1 to 5, and so on).

    The first method of the study has the mean `base`, each next one `step` more. The spreads are standard
    deviations: of evaluators' leniency, of their liking of a method, of prompts' difficulty, of a method's luck with a
    prompt, and of single ratings. The defaults are of the size found in the published poem study.
    """

    base: float = 5.0
    step: float = 0.5
    leniency: float = 1.2
    liking: float = 0.8
    difficulty: float = 0.4
    luck: float = 0.6
    noise: float = 1.2
    # Chance that the pick is drawn at random instead of being a highest-rated candidate.
    slip: float = 0.05
    # Share of evaluators who answer pages with known answers as they come.
    careless: float = 0.15


def simulated_scores(
    rng: np.random.Generator,
    effects: Effects,
    *,
    evaluators: int,
    prompts: int,
    methods: int,
    criteria: int,
    repeats: Mapping[int, int] | None = None,
) -> Floats:
    """Return latent scores on a scale from 1 to 10, shape (evaluators, prompts, methods, criteria).

    `repeats` has the first showing of pages that come again: they differ from it by single ratings alone.
    """
    shape = (evaluators, prompts, methods)
    scores = (
        effects.base
        + effects.step * np.arange(methods)
        + effects.leniency * rng.standard_normal((evaluators, 1, 1))
        + effects.liking * rng.standard_normal((evaluators, 1, methods))
        + effects.difficulty * rng.standard_normal((1, prompts, 1))
        + effects.luck * rng.standard_normal((1, prompts, methods))
    )
    scores = np.broadcast_to(scores, shape).copy()
    for again, first in (repeats or {}).items():
        scores[:, again] = scores[:, first]
    latent: Floats = scores[..., None] + effects.noise * rng.standard_normal((*shape, criteria))
    return latent


def on_scale(latent: Floats, criterion: Criterion) -> Floats:
    """Return latent scores of 1 to 10 as whole points of the criterion's scale."""
    width = criterion.maximum - criterion.minimum
    points: Floats = np.rint(criterion.minimum + (latent - 1) * width / 9)
    return np.clip(points, criterion.minimum, criterion.maximum)


@dataclass(frozen=True)
class SimulatedAnswers:
    """What new simulated evaluators answer: scores (E, P, M, C) on their scales and picks (E, P), and for what.

    `placed` (E, P, M) says whose page shows which text; scores of others are nobody's answers. `pages` (P,) are primary
    keys, `candidates` (P,) those of the candidates by the place of their method, and `criteria` those of the study in
    their order.
    """

    enrolments: list[Enrolment]
    placed: Bools
    pages: list[int]
    candidates: list[dict[int, int]]
    criteria: list[Criterion]
    scores: Floats
    picks: Ints
    # The judgements of each page that is judged as a whole, by evaluator, page (as places) and criterion.
    judged: dict[tuple[int, int, int], Judged]
    # What is said of the items of a checklist, of texts on one's pages alone.
    items: list[SimulatedItem]
    # The errors marked in each text, where a study has errors marked.
    marks: SimulatedMarks
    # The scores of the turns of dialogues, where a criterion rates them.
    turns: SimulatedTurns

    def marks_of(self, evaluator: int, pages: int) -> dict[int, tuple[Mark, ...]]:
        """Return the marks of an evaluator in the texts (primary keys) of so many of the first pages."""
        return {
            candidate: self.marks[evaluator, page, method]
            for page, candidates in enumerate(self.candidates[:pages])
            for method, candidate in candidates.items()
            if self.placed[evaluator, page, method]
        }


def simulated_answers(study: Study, *, evaluators: int, seed: int, effects: Effects) -> SimulatedAnswers:
    """Enrol simulated evaluators and draw their answers to every page of a study."""
    check_number("evaluators", evaluators, most=MOST_SIMULATED)
    check_number("seed", seed, least=0, most=2**63 - 1)
    rng = np.random.default_rng(seed)
    criteria = list(study.criteria.all())
    by_page: dict[int, dict[int, int]] = {}
    methods = list(study.study_methods.order_by("number").values_list("pk", flat=True))
    for page, candidate, method in (
        PageCandidate.objects.filter(page__subtask__study=study)
        .exclude(page__role=Page.Role.TRAINING)
        .order_by("page__subtask__number", "page__number", "study_method__number")
        .values_list("page", "candidate", "study_method")
    ):
        by_page.setdefault(page, {})[methods.index(method)] = candidate
    candidates = list(by_page.values())
    if not (candidates and criteria):
        raise Refused(_("The study has no pages or no criteria yet, so there is nothing to answer."))
    latent = simulated_scores(
        rng,
        effects,
        evaluators=evaluators,
        prompts=len(candidates),
        methods=len(methods),
        criteria=len(criteria),
        repeats=repeated_pages(study, list(by_page)),
    )
    answer_known(study, latent, list(by_page), methods, criteria, careless=effects.careless, seed=seed)
    scores = np.stack(
        [on_scale(latent[..., index], criterion) for index, criterion in enumerate(criteria)], axis=-1
    )
    overall = next((index for index, criterion in enumerate(criteria) if criterion.is_overall), 0)
    slips = rng.random((evaluators, len(candidates))) < effects.slip
    enrolments = enrol_simulated(study, evaluators)
    there = placed_texts(enrolments, candidates, len(methods))
    drawn = np.where(there, rng.random((*slips.shape, len(methods))), -1).argmax(axis=2)
    direction = -1 if criteria[overall].lower_is_better else 1
    picks = np.where(slips, drawn, np.where(there, scores[..., overall] * direction, -np.inf).argmax(axis=2))
    judged = simulated_judgements(study, enrolments, candidates, latent)
    pages = list(by_page)
    items = (
        [
            one
            for one in simulated_items(study, rng, pages, latent[..., overall])
            if there[one.evaluator, one.page, one.method]
        ]
        if study.asks.texts is not None
        else []
    )
    marks = simulated_marks(study, rng, candidates, latent[..., overall])
    turns = simulated_turns(study, candidates, latent, criteria, seed=seed)
    return SimulatedAnswers(
        enrolments, there, pages, candidates, criteria, scores, picks, judged, items, marks, turns
    )


def simulated_judgements(
    study: Study, enrolments: list[Enrolment], candidates: list[dict[int, int]], latent: Floats
) -> dict[tuple[int, int, int], Judged]:
    """Return what the latent scores (E, P, M, C) make evaluators say of each page; nothing where texts are rated."""
    answer = study.asks.answer
    if answer is None:
        return {}
    place = placed_at(candidates)
    row = {enrolment.pk: number for number, enrolment in enumerate(enrolments)}
    worth: dict[tuple[int, int], list[Floats]] = {}
    for enrolment, candidate in (
        Placement.objects.filter(enrolment__in=enrolments)
        .order_by("position")
        .values_list("enrolment_id", "candidate_id")
    ):
        page, method = place[candidate]
        worth.setdefault((row[enrolment], page), []).append(latent[row[enrolment], page, method])
    return {
        (evaluator, page, criterion): answer.simulated(study, [float(one[criterion]) for one in texts])
        for (evaluator, page), texts in worth.items()
        for criterion in range(latent.shape[-1])
    }


def placed_at(candidates: list[dict[int, int]]) -> dict[int, tuple[int, int]]:
    """Return the page and the method of each candidate, as places."""
    return {
        candidate: (page, method)
        for page, of_page in enumerate(candidates)
        for method, candidate in of_page.items()
    }


def placed_texts(enrolments: list[Enrolment], candidates: list[dict[int, int]], methods: int) -> Bools:
    """Return which texts the pages of each enrolment show (E, P, M), with one query."""
    place = placed_at(candidates)
    row = {enrolment.pk: number for number, enrolment in enumerate(enrolments)}
    placed = np.zeros((len(enrolments), len(candidates), methods), dtype=np.bool_)
    for enrolment, candidate in Placement.objects.filter(enrolment__in=enrolments).values_list(
        "enrolment_id", "candidate_id"
    ):
        placed[row[enrolment], *place[candidate]] = True
    return placed


def enrol_simulated(study: Study, evaluators: int) -> list[Enrolment]:
    """Enrol new simulated evaluators, who are marked so for good and cannot log in."""
    first = study.enrolments.filter(source=Enrolment.Source.SIMULATED).count()
    enrolments = []
    for number in range(first + 1, first + evaluators + 1):
        name = f"simulated-{number}"
        user = simulated_user(f"{study.slug}/{name}")
        enrolments.append(enrol(study, user, pseudonym=name, source=Enrolment.Source.SIMULATED))
    return enrolments


@transaction.atomic
def simulate_ratings(
    study: Study,
    *,
    evaluators: int,
    seed: int,
    effects: Effects | None = None,
    pages_answered: Sequence[int] | None = None,
) -> list[Enrolment]:
    """Fill a study with the answers of simulated evaluators, all at once, and return their enrolments.

    Methods differ by `effects.step` on every criterion. Everybody answers every page, or so many from the first as
    `pages_answered` says of each.
    """
    answers = simulated_answers(study, evaluators=evaluators, seed=seed, effects=effects or Effects())
    if study.asks.answer is not None:
        Judgement.objects.bulk_create(
            (
                Judgement(
                    enrolment=answers.enrolments[row],
                    page_id=answers.pages[page],
                    criterion=answers.criteria[criterion],
                    preference=one.preference,
                    both_bad=one.both_bad,
                    places=None if one.places is None else list(one.places),
                )
                for (row, page, criterion), one in answers.judged.items()
            ),
            batch_size=BATCH,
        )
        return answers.enrolments
    if study.asks.texts is not None:
        ChecklistAnswer.objects.bulk_create(
            (
                ChecklistAnswer(
                    enrolment=answers.enrolments[one.evaluator],
                    candidate_id=answers.candidates[one.page][one.method],
                    item=one.item,
                    answer=one.answer,
                )
                for one in answers.items
            ),
            batch_size=BATCH,
        )
        return answers.enrolments
    for row, enrolment in enumerate(answers.enrolments):
        pages = len(answers.pages) if pages_answered is None else pages_answered[row]
        points = answers.scores[row].astype(int).tolist()
        Rating.objects.bulk_create(
            (
                Rating(enrolment=enrolment, candidate_id=candidate, criterion=criterion, score=score)
                for page, (candidates, of_page) in enumerate(
                    zip(answers.candidates[:pages], points[:pages], strict=True)
                )
                for method, candidate in candidates.items()
                if answers.placed[row, page, method]
                for criterion, score in zip(answers.criteria, of_page[method], strict=True)
                if not criterion.derived
            ),
            batch_size=BATCH,
        )
        TurnRating.objects.bulk_create(
            (
                one
                for page, candidates in enumerate(answers.candidates[:pages])
                for method, candidate in candidates.items()
                if answers.placed[row, page, method]
                for one in turn_ratings(
                    enrolment, candidate, answers.criteria, answers.turns.get((row, page, method), ())
                )
            ),
            batch_size=BATCH,
        )
        if study.asks.marks_errors:
            marked = answers.marks_of(row, pages)
            store_marks(study, enrolment, marked)
        if not study.has_best_picks:
            continue
        picked = answers.picks[row].tolist()
        BestChoice.objects.bulk_create(
            BestChoice(enrolment=enrolment, page_id=page, candidate_id=candidates[pick])
            for page, candidates, pick in zip(
                answers.pages[:pages], answers.candidates[:pages], picked[:pages], strict=True
            )
        )
    return answers.enrolments


def simulated_user(username: str) -> User:
    """Return a new user that cannot log in, neither by password nor otherwise."""
    user = User(username=username, is_active=False)
    user.set_unusable_password()
    user.save()
    return user
