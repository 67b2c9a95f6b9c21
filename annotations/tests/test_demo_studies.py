"""The demo studies with generated texts: what is in their files, and what the demo makes of them."""

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
from django.core.management import call_command
from django.test import Client

from annotations.imports.demo import load_demo
from annotations.management.commands.build_demo_study import Poem
from annotations.management.commands.match_human_poems import matched_rows
from annotations.models import PageCandidate, Study
from generation.files.candidates import read_candidates, shuffled
from generation.files.problems import FileRefused
from generation.models import GenerationRun, Provenance

FIXTURES = settings.BASE_DIR / "fixtures"
MACHINES = {
    "modern-poems": ["search_baseline", "inverse_prompting", "guided_search"],
    "everyday-questions": ["sampling", "prompting_baseline", "inverse_prompting"],
}


def rows_of(slug: str) -> list[dict[str, Any]]:
    return [
        json.loads(line) for line in (FIXTURES / f"{slug}.jsonl").read_text(encoding="utf-8").splitlines()
    ]


def test_every_modern_title_has_a_quatrain_by_each_method() -> None:
    file = read_candidates(FIXTURES / "modern-poems.jsonl", "poem")
    titles = json.loads((FIXTURES / "titles" / "modern.json").read_text(encoding="utf-8"))
    assert [prompt.text for prompt in file.prompts] == titles
    assert set(file.methods) == {"human", *MACHINES["modern-poems"]}
    for row in file.rows:
        assert re.fullmatch(r"(\w{7}[，？！]\w{7}[。？！]\n?){2}", row.text), row.text


def test_twenty_questions_have_an_answer_by_each_method() -> None:
    file = read_candidates(FIXTURES / "everyday-questions.jsonl", "qa")
    assert len(file.prompts) == 20
    assert set(file.methods) == {"human", *MACHINES["everyday-questions"]}


@pytest.mark.parametrize("slug", ["tang-poets", *MACHINES])
def test_the_order_of_the_texts_of_a_prompt_tells_nothing_of_their_methods(slug: str) -> None:
    rows = rows_of(slug)
    pages = [rows[first : first + 4] for first in range(0, len(rows), 4)]
    assert all(len({row["prompt"] for row in page}) == 1 for page in pages)
    methods = {row["method"] for row in rows}
    for place in range(4):
        counted = Counter(page[place]["method"] for page in pages)
        # The 0.9999 quantile of chi-square with three degrees of freedom.
        expected = len(pages) / len(methods)
        assert sum((counted[method] - expected) ** 2 / expected for method in methods) < 21.1
    by_method = [row for page in pages for row in sorted(page, key=lambda row: row["method"])]
    assert list(shuffled(by_method)) == rows


@pytest.mark.parametrize("slug", MACHINES)
def test_every_machine_text_tells_how_it_came_about(slug: str) -> None:
    for row in rows_of(slug):
        if row["method"] == "human":
            assert "provenance" not in row
            continue
        provenance = row["provenance"]
        assert provenance["facts"]["method"] == row["method"]
        assert len(provenance["facts"]["checkpoint"]) == 64
        assert provenance["seconds"] > 0
        assert provenance["score"] == pytest.approx(sum(provenance["terms"].values()), abs=1e-3)


def test_the_poems_were_searched_for_as_the_paper_evaluates() -> None:
    for row in rows_of("modern-poems"):
        if row["method"] != "human":
            search = row["provenance"]["facts"]["search"]
            assert (search["beams"], search["samples"]) == (10, 12)


def test_the_demo_has_all_three_studies_and_texts_to_be_written(db: None) -> None:
    load_demo()
    assert set(Study.objects.values_list("slug", flat=True)) == {"tang-poets", *MACHINES}
    for slug, machines in MACHINES.items():
        shown = PageCandidate.objects.filter(page__subtask__study__slug=slug)
        assert Provenance.objects.filter(candidate__pagecandidate__in=shown).count() == len(
            shown.filter(study_method__method__key__in=machines)
        )
    live = GenerationRun.objects.get(state="queued")
    assert (live.run_prompts.count(), live.method.key) == (8, "inverse_prompting_st")
    load_demo()
    assert GenerationRun.objects.filter(state="queued").count() == 1


def test_the_runs_of_shipped_texts_can_be_looked_at(client: Client, db: None) -> None:
    load_demo()
    run = GenerationRun.objects.filter(
        candidates__pagecandidate__page__subtask__study__slug="modern-poems",
        method__key="inverse_prompting",
    ).distinct().get()  # fmt: skip
    client.force_login(User.objects.get(username="carol"))
    assert "登埃菲尔铁塔" in client.get(run.get_absolute_url()).content.decode()
    # All but the run that is written live came out of files, and the list says so.
    listed = client.get("/manage/runs/").content.decode()
    assert listed.count(">imported<") == GenerationRun.objects.written_here().count() - 1 == 6
    first = client.get(f"{run.get_absolute_url()}prompts/1/").content.decode()
    assert run.run_prompts.get(number=1).prompt.text in first
    assert "poem_evaluation" in first


def test_only_rita_may_begin_studies_and_nobody_but_carol_is_staff(db: None) -> None:
    load_demo()
    may = {user.username: user.has_perm("annotations.add_study") for user in User.objects.all()}
    assert may == {"carol": True, "rita": True, "alice": False, "bob": False}
    assert [user.username for user in User.objects.filter(is_staff=True)] == ["carol"]


# The files
def test_a_study_can_be_exported_and_imported_with_its_provenance(db: None, tmp_path: Path) -> None:
    load_demo()
    file = tmp_path / "again.jsonl"
    call_command("export_candidates", "modern-poems", output=file, stdout=io.StringIO())
    kept = ("prompt", "description", "method", "text", "provenance")
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    exported = [{name: row[name] for name in kept if name in row} for row in lines]
    shipped = [{name: row[name] for name in kept if name in row} for row in rows_of("modern-poems")]
    assert exported == shipped


@pytest.mark.parametrize(
    ("provenance", "message"),
    [
        ("much", "provenance: must be an object with score, terms"),
        ({"score": 1, "colour": 2}, "provenance: must be an object with score, terms"),
        ({"score": "high"}, "provenance: score must be of the kind float"),
        ({"terms": []}, "provenance: terms must be of the kind dict"),
    ],
)
def test_provenance_that_is_none_is_refused_with_its_line(
    tmp_path: Path, provenance: object, message: str
) -> None:
    file = tmp_path / "texts.jsonl"
    rows: list[dict[str, object]] = [
        {"prompt": "月", "method": method, "text": f"{method}山月明。"} for method in ("a", "b")
    ]
    rows[1]["provenance"] = provenance
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with pytest.raises(FileRefused) as refused:
        read_candidates(file, "poem")
    assert "line 2" in str(refused.value)
    assert message in str(refused.value)


# The choice of human poems
def poem(title: str) -> Poem:
    return Poem("李白", title, (f"{title}一二三四五，", "六。"), (7, 4), f"source of {title}")


def test_a_title_gets_the_poem_with_the_rarest_common_character() -> None:
    poems = [poem("送山"), poem("送铁"), poem("送水"), poem("山水")]
    rows = list(matched_rows(["送铁塔", "山送水铁"], poems, "七言四句"))
    assert [row["title"] for row in rows] == ["送铁", "山水"]
    assert {row["method"] for row in rows} == {"human"}


def test_no_human_poem_is_taken_twice() -> None:
    rows = list(matched_rows(["雨", "雨"], [poem("夜雨"), poem("雨雪")], ""))
    assert sorted(row["title"] for row in rows) == ["夜雨", "雨雪"]
