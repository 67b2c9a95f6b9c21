"""The cast and the small study that the tests of every app share."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib.auth.models import User
from django.test import Client

from annotations.models import (
    BestChoice,
    ChecklistItem,
    Criterion,
    Enrolment,
    Page,
    PageCandidate,
    Placement,
    Rating,
    Study,
    StudyMethod,
    Subtask,
)
from annotations.setup.pages import PAGES_PER_SUBTASK, split
from generation.models import Candidate, GenerationRun, Method, Prompt

# Our keys of the methods that the authors' poem records call otherwise.
PUBLISHED_METHODS = {
    "jiuge": "jiuge",
    "noiq": "search_baseline",
    "nore": "inverse_prompting",
    "modern": "inverse_prompting_st",
}

# Lines to build poems from: the test's own, so that no two candidates of a study are alike.
OPENINGS = ["山中一夜雨", "江上数峰青", "孤舟随远水", "落日满秋城", "草色连天碧", "钟声隔岸清"]
CLOSINGS = ["树杪百重泉", "人归落雁前", "寒灯照客眠", "明月入窗来", "微风起白莲", "春在野人家"]

CRITERIA = [
    {
        "key": "format",
        "label": {"en": "Format", "zh-hans": "格律"},
        "question": {"en": "Does the poem keep to a form?", "zh-hans": "这首诗是否合乎格律？"},
        "low": {"en": "no form", "zh-hans": "不合格律"},
        "high": {"en": "faultless form", "zh-hans": "格律严整"},
        "minimum": 1,
        "maximum": 5,
    },
    {
        "key": "overall",
        "label": {"en": "Overall", "zh-hans": "总体"},
        "question": {"en": "How good is the poem as a whole?", "zh-hans": "总的来说，这首诗写得怎么样？"},
        "low": {"en": "poor", "zh-hans": "很差"},
        "high": {"en": "excellent", "zh-hans": "极好"},
        "minimum": 1,
        "maximum": 10,
        "is_overall": True,
    },
]


def build_user(name: str, *, is_staff: bool = False, password: str | None = None) -> User:
    """Create a user; without a password they can only be logged in by `force_login`, which is faster."""
    return User.objects.create_user(name, password=password, is_staff=is_staff)


def build_study(
    *,
    slug: str = "poems",
    prompts: int = 2,
    methods: int = 4,
    pages_per_subtask: int = PAGES_PER_SUBTASK,
    genre: str = "poem",
) -> Study:
    """Create a study of `prompts` pages with `methods` candidates each and the two criteria of `CRITERIA`.

    The methods have the keys `method-0`, `method-1`, ... and are shared by all studies built in one test.
    """
    study = Study.objects.create(
        slug=slug,
        genre=genre,
        normalisation="prose",
        title={"en": "Poems on old themes", "zh-hans": "古题新诗"},
        instructions={
            "en": "Read the four poems, rate each of them, then pick the best one.",
            "zh-hans": "请读四首诗，逐首打分，再选出最好的一首。",
        },
    )
    Criterion.objects.bulk_create(
        Criterion(study=study, number=number, **fields) for number, fields in enumerate(CRITERIA)
    )
    runs = build_runs(methods)
    study_methods = StudyMethod.objects.bulk_create(
        StudyMethod(study=study, method=run.method, number=number) for number, run in enumerate(runs)
    )
    built_prompts = Prompt.objects.bulk_create(
        Prompt(genre=genre, text=f"{slug} 古题 {number + 1}") for number in range(prompts)
    )
    batches = split(built_prompts, pages_per_subtask)
    subtasks = Subtask.objects.bulk_create(
        Subtask(study=study, number=number) for number in range(1, len(batches) + 1)
    )
    pages = Page.objects.bulk_create(
        Page(subtask=subtask, number=number, prompt=prompt)
        for subtask, batch in zip(subtasks, batches, strict=True)
        for number, prompt in enumerate(batch, start=1)
    )
    shown = [(page, study_method) for page in pages for study_method in study_methods]
    PageCandidate.objects.bulk_create(
        PageCandidate(page=page, candidate=candidate, study_method=study_method)
        for candidate, (page, study_method) in zip(build_candidates(built_prompts, runs), shown, strict=True)
    )
    return study


def build_runs(count: int) -> list[GenerationRun]:
    """Create a run of each of the first methods; in few statements, since nearly every test begins with them."""
    keys = [f"method-{number}" for number in range(count)]
    Method.objects.bulk_create(
        [Method(key=key, label=f"Method {number}") for number, key in enumerate(keys)], ignore_conflicts=True
    )
    methods = Method.objects.in_bulk(keys, field_name="key")
    return GenerationRun.objects.bulk_create(
        GenerationRun(method=methods[key], state=GenerationRun.State.DONE) for key in keys
    )


def build_candidates(prompts: list[Prompt], runs: list[GenerationRun]) -> list[Candidate]:
    return Candidate.objects.bulk_create(
        Candidate(
            run=run,
            prompt=prompt,
            text=f"{OPENINGS[number % 6]}，{CLOSINGS[number % 6]}。\n"
            f"{OPENINGS[(number + 2) % 6]}，{CLOSINGS[(prompt.pk + number) % 6]}。",
        )
        for prompt in prompts
        for number, run in enumerate(runs)
    )


def placements(study: Study, evaluator: User, *, subtask: int = 1, page: int = 1) -> list[Placement]:
    """Return the candidates of a page in the order in which this evaluator sees them."""
    return list(
        Placement.objects.filter(
            enrolment__study=study,
            enrolment__evaluator=evaluator,
            page__subtask__number=subtask,
            page__number=page,
        ).order_by("position")
    )


def answer_everything(enrolment: Enrolment, *, best_method: int = 3) -> None:
    """Rate every candidate with the number of its method plus one, and pick one method on every page."""
    criteria = list(Criterion.objects.filter(study=enrolment.study))
    shown = PageCandidate.objects.filter(page__subtask__study=enrolment.study).select_related("study_method")
    for page_candidate in shown:
        number = page_candidate.study_method.number
        for criterion in criteria:
            Rating.objects.create(
                enrolment=enrolment,
                candidate_id=page_candidate.candidate_id,
                criterion=criterion,
                score=number + 1,
            )
        if number == best_method:
            BestChoice.objects.create(
                enrolment=enrolment,
                page_id=page_candidate.page_id,
                candidate_id=page_candidate.candidate_id,
            )


def shown(client: Client, path: str, language: str = "en") -> str:
    """Return the page at a path, with every run of white space (no-break ones as well) as one space."""
    response = client.get(path, headers={"accept-language": language})
    assert response.status_code == HTTPStatus.OK, response.status_code
    return " ".join(response.content.decode().split())


def build_checklist_study(*, prompts: int = 2, methods: int = 4) -> Study:
    """Create a study that asks a checklist: two items of the study, and one of each prompt, which counts double."""
    study = build_study(prompts=prompts, methods=methods)
    Study.objects.filter(pk=study.pk).update(protocol="checklist", has_best_picks=False)
    study.criteria.exclude(is_overall=True).delete()
    ChecklistItem.objects.bulk_create(
        [
            ChecklistItem(study=study, number=1, text={"en": "It rhymes.", "zh-hans": "押韵。"}),
            ChecklistItem(study=study, number=2, text={"en": "It has four lines."}, may_not_apply=False),
            *(
                ChecklistItem(study=study, page=page, number=1, text={"en": "It names the rain."}, weight=2)
                for page in Page.objects.filter(subtask__study=study)
            ),
        ]
    )
    study.refresh_from_db()
    return study
