"""Texts that name their maker are pointed out by prompt and method before the sign-off, and keep nobody from it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from annotations.models import Page, PageCandidate, Study
from annotations.setup.lifecycle import sign_off
from annotations.setup.material.maker_names import texts_naming_their_maker
from annotations.tests.cast import build_study, build_user, shown
from generation.models import Candidate

NAMING = [
    "As GPT-4, I cannot say.",
    "as an AI language model, I do not have a body.",
    "Well, as an AI, I have no opinion.",
    "I am Claude, and I am glad to help.",
    "I’m ChatGPT.",
    "I'm just a language model without feelings.",
    "My name is Gemini. What is yours?",
    "I was trained by OpenAI on many texts.",
    "My knowledge cutoff is in 2023.",
    "作为一个AI，我没有感情。",
    "作为人工智能助手，我可以回答。",
    "您好，我是文心一言，很高兴认识您。",
    "我是一个大型语言模型。",
    "我叫豆包。",
    "我是由百度研发的。",
    "作为 ChatGPT，我不能。",
]
OTHERS = [
    "Claude Monet painted lilies, as Claude Debussy wrote of the sea.",
    "I am Claude Monet's neighbour.",
    "Gemini is a sign of the zodiac, as Leo is.",
    "Such as AI, robots and rockets.",
    "As an AI researcher said, models make things up.",
    "I am an AI engineer.",
    "A bard sang, as bards do, of a llama.",
    "Some people use ChatGPT to write letters; GPT-4 is one of its models.",
    "The air is as airy as an aisle.",
    "作为人工智能领域的专家，他常写文章。",
    "我是一名AI工程师。",
    "人工智能正在改变生活。",
    "千问万问，无人作答。",
    "作为一个诗人，我是山中客。",
    "豆包是一种点心。",
]


@pytest.fixture
def draft(db: None) -> Study:
    study = build_study(prompts=8)
    Study.objects.update(state=Study.State.DRAFT)
    return Study.objects.get(pk=study.pk)


def write(texts: list[str]) -> None:
    for pk, text in zip(Candidate.objects.order_by("pk").values_list("pk", flat=True), texts, strict=False):
        Candidate.objects.filter(pk=pk).update(text=text)


def test_texts_that_name_their_maker_are_found_and_others_are_not(draft: Study) -> None:
    write([*NAMING, *OTHERS])
    count, found = texts_naming_their_maker(draft, shown_at_most=len(NAMING + OTHERS))
    assert count == len(found)
    assert {one.text for one in found} == set(NAMING)
    assert all(one.words in one.text for one in found)


def test_the_material_says_by_which_prompt_and_method_and_the_set_up_how_many(
    draft: Study, client: Client
) -> None:
    place = PageCandidate.objects.get(page=Page.objects.all()[2], study_method__number=1)
    Candidate.objects.filter(pk=place.candidate_id).update(text="As GPT-4, I say: <moon>.")
    client.force_login(build_user("carol", is_staff=True))
    material = shown(client, "/manage/studies/poems/material/")
    assert "1 text seems to name its maker" in material
    assert "poems 古题 3</span> · Method 1: <q" in material
    assert ">As GPT-4</q>" in material
    assert "1 text seems to name its maker: see the material." in shown(client, "/manage/studies/poems/")
    sign_off(draft, by=None)
    assert draft.signed_off_at and draft.signed_off_at <= timezone.now()


def test_a_study_without_such_texts_says_nothing_of_them(draft: Study, client: Client) -> None:
    client.force_login(build_user("carol", is_staff=True))
    assert "name its maker" not in shown(client, "/manage/studies/poems/material/")
