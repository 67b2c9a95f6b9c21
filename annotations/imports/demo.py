"""The demo studies and the accounts to try them with."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.db import transaction

from annotations.imports.studies import import_study
from annotations.models import Page, Study
from annotations.recruiting.enrolment import enrol
from annotations.setup.rubrics import load_rubric
from generation.files.candidates import read_candidates
from generation.models import GenerationRun
from generation.runs.runs import queue_run

TANG_POETS = "tang-poets"
MODERN_POEMS = "modern-poems"
EVERYDAY_QUESTIONS = "everyday-questions"
LIVE_TEXTS = 8


@dataclass(frozen=True)
class DemoStudy:
    """A study that comes with the site: `fixtures/<slug>.jsonl`, rated by a ready-made rubric."""

    slug: str
    rubric: str
    title: Mapping[str, str]
    instructions: Mapping[str, str]
    labels: Mapping[str, str] = field(default_factory=dict)


STUDIES = (
    DemoStudy(
        TANG_POETS,
        "poem",
        {"en": "Four Tang poets", "zh-hans": "四位唐代诗人"},
        {
            "en": (
                "This is a demonstration. No machine wrote here: each page has a theme and four real poems of the"
                " Tang dynasty that name it, by four poets. The 'methods' of this study are the poets, and which poem"
                " is whose is not shown. Rate every poem on every quality, then pick the one you like best. You may"
                " change any answer until the deadline."
            ),
            "zh-hans": (
                "这是一次演示，其中没有机器写的诗：每一页有一个题目和四首写到它的唐诗，分别出自四位诗人。本研究所比较"
                "的“方法”就是诗人，哪首诗是谁写的不会显示。请为每首诗逐项打分，再选出您认为最好的一首。截止时间之前"
                "，任何回答都可以修改。"
            ),
        },
        {
            "li-bai": "李白 Li Bai",
            "du-fu": "杜甫 Du Fu",
            "bai-juyi": "白居易 Bai Juyi",
            "liu-yuxi": "刘禹锡 Liu Yuxi",
        },
    ),
    DemoStudy(
        MODERN_POEMS,
        "poem",
        {"en": "Modern titles, old forms", "zh-hans": "今题古体"},
        {
            "en": (
                "This is a demonstration with real texts. Each page has a title of today and four quatrains. Three"
                " were written for the title by machines; the fourth is by a poet of the Tang dynasty, under the"
                " nearest of the titles of that time, since nobody then wrote about an escalator. Which is which is"
                " not shown. Rate every poem on every quality, then pick the one you like best. You may change any"
                " answer until the deadline."
            ),
            "zh-hans": (
                "这是一次演示，诗都是真的：每一页有一个今天的题目和四首七言绝句。其中三首由机器按题而作，另一首出自唐"
                "人之手，取自当时最相近的题目——那时毕竟没有人写过电梯。哪一首是谁写的不会显示。请为每首诗逐项打分，"
                "再选出您认为最好的一首。截止时间之前，任何回答都可以修改。"
            ),
        },
    ),
    DemoStudy(
        EVERYDAY_QUESTIONS,
        "qa",
        {"en": "Everyday questions", "zh-hans": "日常问题（英文）"},
        {
            "en": (
                "This is a demonstration with real texts. Each page has a question and four answers. Three were"
                " written by a small language model in different ways, one by a person; which is which is not shown."
                " Machines make things up: take no advice from here. Rate every answer on every quality, then pick the"
                " best one. You may change any answer until the deadline."
            ),
            "zh-hans": (
                "这是一次演示，问题和回答都是英文。每一页有一个问题和四个回答：三个由一个小语言模型以不同方式写成，一"
                "个由人写成，哪个是谁写的不会显示。机器会胡编，请勿当真。请为每个回答逐项打分，再选出最好的一个。截止"
                "时间之前，任何回答都可以修改。"
            ),
        },
    ),
)


@transaction.atomic
def load_demo() -> list[tuple[str, str, str]]:
    """Load the demo studies that are not there, and return (role, user name, password) of those who can try them.

    carol is an administrator, rita may begin studies, alice and bob are enrolled. Their passwords are made afresh each
    time: earlier ones stop working. The first time the workers get a few texts to write.
    """
    studies = [Study.objects.filter(slug=demo.slug).first() or import_demo_study(demo) for demo in STUDIES]
    accounts = [
        ("administrator", "carol", reset_account("carol", is_staff=True, is_superuser=True)),
        ("researcher", "rita", reset_account("rita")),
    ]
    add_study = Permission.objects.get(content_type__app_label="annotations", codename="add_study")
    User.objects.get(username="rita").user_permissions.add(add_study)
    for name in ("alice", "bob"):
        accounts.append(("evaluator", name, reset_account(name)))
        for study in studies:
            enrol(study, User.objects.get(username=name))
    if not GenerationRun.objects.written_here().filter(source={}).exists():
        write_live(User.objects.get(username="carol"))
    return accounts


def import_demo_study(demo: DemoStudy) -> Study:
    rubric = load_rubric(demo.rubric)
    study, _ = import_study(
        read_candidates(settings.BASE_DIR / "fixtures" / f"{demo.slug}.jsonl", rubric.genre),
        slug=demo.slug,
        rubric=rubric,
        title=demo.title,
        instructions=demo.instructions,
        labels=demo.labels,
    )
    return study


def write_live(started_by: User) -> GenerationRun:
    """Queue poems for a few of the modern titles, so that the workers can be seen at work."""
    pages = Page.objects.filter(subtask__study__slug=MODERN_POEMS).select_related("prompt")
    prompts = [page.prompt for page in pages[:LIVE_TEXTS]]
    return queue_run(
        "inverse_prompting_st", prompts, seed=2, config={"form": "jueju7"}, started_by=started_by
    )


def reset_account(username: str, *, is_staff: bool = False, is_superuser: bool = False) -> str:
    """Give an account, new or not, these rights and a new password, which is returned."""
    password = secrets.token_urlsafe(12)
    user, _ = User.objects.get_or_create(username=username)
    user.is_active, user.is_staff, user.is_superuser = True, is_staff, is_superuser
    user.set_password(password)
    user.save()
    return password
