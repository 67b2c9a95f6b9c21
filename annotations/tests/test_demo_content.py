from __future__ import annotations

import io
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from annotations.imports.demo import load_demo
from annotations.management.commands import build_demo_study
from annotations.models import Enrolment, Page, Study
from generation.files.candidates import read_candidates
from generation.models import Candidate, Method

FIXTURE = settings.BASE_DIR / "fixtures" / "tang-poets.jsonl"
POETS = {"li-bai": "李白", "du-fu": "杜甫", "bai-juyi": "白居易", "liu-yuxi": "刘禹锡"}


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    return [json.loads(line) for line in FIXTURE.read_text(encoding="utf-8").splitlines()]


def short_sentences(text: str) -> list[str]:
    return [short for short in re.split("[，。？！\n]", text) if short]


# The fixture
def test_the_demo_has_twenty_themes_by_four_poets() -> None:
    file = read_candidates(FIXTURE, "poem")
    assert len(file.prompts) == 20
    assert set(file.methods) == set(POETS)
    assert len(file.rows) == 80


def test_a_row_tells_poet_title_and_source(rows: list[dict[str, str]]) -> None:
    for row in rows:
        assert row["author"] == POETS[row["method"]]
        assert row["title"]
        assert re.fullmatch(
            r"chinese-poetry 2\.0\.1, quantangshi/poet\.tang\.[0-9]+\.json, [-0-9a-f]{36}", row["origin"]
        )


def test_no_poem_is_there_twice(rows: list[dict[str, str]]) -> None:
    assert len({row["text"] for row in rows}) == 80
    assert len({row["origin"] for row in rows}) == 80


def test_form_and_dress_tell_nothing_of_the_poet(rows: list[dict[str, str]]) -> None:
    for theme in {row["prompt"] for row in rows}:
        texts = [row["text"] for row in rows if row["prompt"] == theme]
        forms = {tuple(len(short) for short in short_sentences(text)) for text in texts}
        assert len(forms) == 1
        assert all(re.fullmatch(r"(\w+[，？]\w+[。？！]\n?)+", text) for text in texts)


def test_what_evaluators_see_names_neither_poet_nor_title(rows: list[dict[str, str]]) -> None:
    for row in rows:
        seen = row["prompt"] + row["description"] + row["text"]
        assert not any(poet in seen for poet in POETS.values())
        assert row["title"] not in seen


def test_texts_are_stored_as_they_are_in_the_fixture(rows: list[dict[str, str]]) -> None:
    assert [row.text for row in read_candidates(FIXTURE, "poem").rows] == [row["text"] for row in rows]


def test_poems_are_in_simplified_characters(rows: list[dict[str, str]]) -> None:
    for row in rows:
        everyday = row["text"].encode("gb2312", "replace").decode("gb2312")
        assert row["text"] == everyday


# The accounts
def test_the_demo_study_is_honest_about_what_it_is(db: None) -> None:
    load_demo()
    study = Study.objects.get(slug="tang-poets")
    assert study.title == {"en": "Four Tang poets", "zh-hans": "四位唐代诗人"}
    assert "demonstration" in study.instructions["en"]
    assert "演示" in study.instructions["zh-hans"]
    assert Page.objects.filter(subtask__study=study).count() == 20
    poets = Method.objects.filter(studymethod__study=study)
    assert dict(poets.values_list("key", "label")) == {
        "li-bai": "李白 Li Bai",
        "du-fu": "杜甫 Du Fu",
        "bai-juyi": "白居易 Bai Juyi",
        "liu-yuxi": "刘禹锡 Liu Yuxi",
    }


def test_one_is_administrator_one_researcher_and_two_are_evaluators(db: None) -> None:
    accounts = load_demo()
    assert [(role, username) for role, username, _ in accounts] == [
        ("administrator", "carol"), ("researcher", "rita"), ("evaluator", "alice"), ("evaluator", "bob"),
    ]  # fmt: skip
    for role, username, password in accounts:
        user = User.objects.get(username=username)
        assert user.check_password(password)
        assert user.is_staff == user.is_superuser == (role == "administrator")
        assert user.enrolments.filter(study__slug="tang-poets").exists() == (role == "evaluator")


def test_loading_again_changes_passwords_only(db: None) -> None:
    first = load_demo()
    before = Candidate.objects.count(), User.objects.count(), Enrolment.objects.count()
    User.objects.filter(username="alice").update(is_active=False)
    second = load_demo()
    assert (Candidate.objects.count(), User.objects.count(), Enrolment.objects.count()) == before
    assert not {password for *_, password in first} & {password for *_, password in second}
    alice = User.objects.get(username="alice")
    assert alice.is_active
    assert alice.check_password(second[2][2])
    assert not alice.check_password(first[2][2])


# The choice
def entry(author: str, title: str, *lines: str, number: int) -> dict[str, Any]:
    return {"author": author, "title": title, "paragraphs": list(lines), "id": f"id-{number}"}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small package with poems on one theme, the moon, made for these tests."""
    monkeypatch.setattr(build_demo_study, "THEMES", [("月", "月", "光明云江家上去后")])
    collection = tmp_path / "package" / "dist" / "quantangshi"
    collection.mkdir(parents=True)
    (tmp_path / "package" / "package.json").write_text('{"version": "9.9"}', encoding="utf-8")
    poems = [
        entry("杜甫", "月", "山中一片月，江上幾家人。", "不見來時路，空聞去後春。", number=0),
        # Not on the theme: by its title alone, or by its text alone.
        entry("李白", "月", "光明一片雲，江上幾家人。", "不見來時路，空聞去後春。", number=1),
        entry("李白", "雲", "山中明月光，江上月光明。", "不見月光路，空聞明月春。", number=2),
        # Named once, named twice, named twice and twice again.
        entry("李白", "山月", "山中一片月，江上幾家人。", "不見來時路，空聞去後秋。", number=3),
        entry("李白", "秋月", "山中一片月，江月幾家人。", "不見來時路，空聞去後秋。", number=4),
        entry("李白", "冬月", "山中一片月，江月幾家人。", "不見來時路，空聞去後冬。", number=5),
        # Not eligible: of no form, or with a character that is not in everyday use.
        entry("李白", "月", "月月月月月，月月月。", "不見來時路，空聞去後秋。", number=6),
        entry("李白", "月", "月月月月月，月月月月猨。", "不見來時路，空聞去後秋。", number=7),
        entry("王維", "月", "月月月月月，月月月月明。", "不見來時路，空聞去後秋。", number=8),
        entry("白居易", "月", "山中一片月，江上幾家燈。", "不見來時路，空聞去後春。", number=9),
        entry("劉禹錫", "月", "山中一片月，江上幾家船。", "不見來時路，空聞去後春。", number=10),
        # Of another form, and not by all four.
        entry("劉禹錫", "月", *["月月月月月，月月月月明。"] * 4, number=11),
    ]
    (collection / "poet.tang.10.json").write_text(json.dumps(poems[5:]), encoding="utf-8")
    (collection / "poet.tang.2.json").write_text(json.dumps(poems[:5]), encoding="utf-8")
    return tmp_path / "package"


def build(package: Path) -> list[dict[str, str]]:
    output = package.parent / "demo.jsonl"
    call_command("build_demo_study", str(package), "--output", str(output), stdout=io.StringIO())
    return [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]


def test_the_poem_that_names_its_theme_most_is_chosen_and_of_equals_the_first(package: Path) -> None:
    chosen = {row["method"]: row for row in build(package)}
    sources = {method: row["origin"].split("-")[-1] for method, row in chosen.items()}
    assert sources == {"li-bai": "4", "du-fu": "0", "bai-juyi": "9", "liu-yuxi": "10"}
    assert chosen["li-bai"] == {
        "prompt": "《月》",
        "description": "四首写“月”的唐诗，都是五言四句。",
        "method": "li-bai",
        "text": "山中一片月，江月几家人。\n不见来时路，空闻去后秋。",
        "title": "秋月",
        "author": "李白",
        "origin": "chinese-poetry 9.9, quantangshi/poet.tang.2.json, id-4",
    }


def test_no_poem_enters_two_themes(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_demo_study, "THEMES", [("月", "月", ""), ("又月", "月", "")])
    with pytest.raises(CommandError, match="no form in which all poets have a poem on 又月"):
        build(package)


def test_the_form_is_that_in_which_the_weakest_poem_is_best(package: Path) -> None:
    path = package / "dist" / "quantangshi" / "poet.tang.30.json"
    poems = [
        entry(poet, "月", *[f"月月月月{mark}，月月月月明。"] * 4, number=20 + number)
        for number, (poet, mark) in enumerate(zip(("李白", "杜甫", "白居易"), "甲乙丙", strict=True))
    ]
    path.write_text(json.dumps(poems), encoding="utf-8")
    chosen = build(package)
    assert Counter(len(short_sentences(row["text"])) for row in chosen) == {8: 4}
    assert chosen[0]["description"] == "四首写“月”的唐诗，都是五言八句。"


def test_a_folder_without_the_collection_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"holds no poet\.tang\.\*\.json"):
        build(tmp_path)
