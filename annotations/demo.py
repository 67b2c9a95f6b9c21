"""The demo study and the accounts to try it with."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from annotations.importing import import_study
from annotations.models import Study
from annotations.recruiting import enrol
from annotations.rubrics import load_rubric
from generation.importing import read_candidates

SLUG = "tang-poets"
LABELS = {
    "li-bai": "李白 Li Bai",
    "du-fu": "杜甫 Du Fu",
    "bai-juyi": "白居易 Bai Juyi",
    "liu-yuxi": "刘禹锡 Liu Yuxi",
}
INSTRUCTIONS_EN = (
    "This is a demonstration. No machine wrote here: each page has a theme and four real poems of the Tang dynasty "
    "that name it, by four poets. The 'methods' of this study are the poets, and which poem is whose is not shown. "
    "Rate every poem on every quality, then pick the one you like best. You may change any answer until the deadline."
)
INSTRUCTIONS_ZH = (
    "这是一次演示，其中没有机器写的诗：每一页有一个题目和四首写到它的唐诗，分别出自四位诗人。"
    "本研究所比较的“方法”就是诗人，哪首诗是谁写的不会显示。请为每首诗逐项打分，再选出您认为最好的一首。"
    "截止时间之前，任何回答都可以修改。"
)


@transaction.atomic
def load_demo() -> list[tuple[str, str, str]]:
    """Load the demo study if it is not there, and return (role, user name, password) of those who can try it.

    carol is staff; alice and bob are enrolled. Their passwords are made afresh each time: earlier ones stop working.
    """
    study = Study.objects.filter(slug=SLUG).first() or import_demo_study()
    carol = {"is_staff": True, "is_superuser": True}
    accounts = [("staff", "carol", reset_account("carol", **carol))]
    for name in ("alice", "bob"):
        accounts.append(("evaluator", name, reset_account(name)))
        enrol(study, User.objects.get(username=name))
    return accounts


def import_demo_study() -> Study:
    rubric = load_rubric("poem")
    study, _ = import_study(
        read_candidates(settings.BASE_DIR / "fixtures" / f"{SLUG}.jsonl", rubric.genre),
        slug=SLUG,
        rubric=rubric,
        title_en="Four Tang poets",
        title_zh="四位唐代诗人",
        instructions_en=INSTRUCTIONS_EN,
        instructions_zh=INSTRUCTIONS_ZH,
        labels=LABELS,
    )
    return study


def reset_account(username: str, *, is_staff: bool = False, is_superuser: bool = False) -> str:
    """Give an account, new or not, these rights and a new password, which is returned."""
    password = secrets.token_urlsafe(12)
    user, _ = User.objects.get_or_create(username=username)
    user.is_active, user.is_staff, user.is_superuser = True, is_staff, is_superuser
    user.set_password(password)
    user.save()
    return password
