"""What was uploaded is stored and exported as it was written; what is shown is made from it by the study's rule."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client

from annotations.models import PageCandidate, Study, StudyRole
from annotations.plan.plan import lock_plan
from annotations.plan.rehearsal import copy_study
from annotations.results.preferences.pairs import candidate_texts
from annotations.setup.lifecycle import sign_off
from annotations.setup.material import store_material, typography_checks
from annotations.setup.preview import page_as_previewed
from annotations.setup.rubrics import load_rubric
from annotations.setup.study import change_study, create_study
from annotations.tests.cast import shown
from generation.files.candidates import read_candidates
from generation.refusals import Refused

# Of each kind one text that the rule of verse changes.
ORIGINALS = {
    "code": "def f(x):\n\tif x:\n\n\t\treturn x -- 1\n",
    "table": "| a | b |\n|---|---|\n| 1 | `--x` |\r\n",
    "cpp": "std::vector<int> v{1,2};",
    "json": '{"a":1,"b":[1,2]}',
    "command": "pip install --upgrade  django...",
    "persian": "می\u200cخواهم کتاب\u200cها را",
    "hindi": "क्\u200dष और क्\u200cष",
    "emoji": "👩\u200d👩\u200d👧 done",
    "japanese": "「はい」と彼は言った。\n『本』",
    "dialogue": "A: Hi!\nB: Hello.\n\nA: Bye",
    "fullwidth": "ＡＢＣ　１２３！",
    "decomposed": "cafe\u0301",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "originals.jsonl"
    rows = [
        {"prompt": f"{kind}:  write\n  -- it", "method": method, "text": text + " " * spaces}
        for kind, text in ORIGINALS.items()
        for spaces, method in enumerate(("one", "two"))
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def draft(db: None, file: Path) -> Study:
    study = create_study(slug="kinds", rubric=load_rubric("qa"), by=None)
    store_material(study, read_candidates(file, "qa"), by=None)
    return study


def as_shown(study: Study, page: int) -> list[str]:
    """Return the texts of a page as an evaluator would see them, the shorter one first."""
    rating_page = page_as_previewed(Study.objects.get(pk=study.pk), 1 + (page - 1) // 10, 1 + (page - 1) % 10)
    return sorted((card.text for card in rating_page.cards), key=len)


@pytest.mark.parametrize("rule", ["verse", "prose", "none"])
def test_every_export_gives_the_original_back(draft: Study, file: Path, rule: str, tmp_path: Path) -> None:
    change_study(draft, by=None, normalisation=rule)
    written = [json.loads(line) for line in file.read_text().splitlines()]
    texts = sorted(row["text"] for row in written)
    assert sorted(candidate_texts(draft).values()) == texts
    call_command("export_candidates", "kinds", "--output", str(tmp_path / "out.jsonl"))
    exported = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert sorted(row["text"] for row in exported) == texts
    assert {row["prompt"] for row in exported} == {row["prompt"] for row in written}


def test_api_lists_candidates_as_they_were_written(draft: Study, client: Client, alice: User) -> None:
    StudyRole.objects.create(study=draft, user=alice, role="owner")
    client.force_login(alice)
    found: list[Any] = client.get("/api/v1/studies/kinds/candidates/?page_size=100").json()["results"]
    one = [row["text"] for row in found if row["method"] == "one"]
    assert sorted(one) == sorted(ORIGINALS.values())


def test_rule_none_shows_what_was_written(draft: Study) -> None:
    change_study(draft, by=None, normalisation="none")
    for page, text in enumerate(ORIGINALS.values(), start=1):
        assert as_shown(draft, page)[0] == text


def test_rule_of_prose_changes_line_ends_and_composition_alone(draft: Study) -> None:
    assert draft.normalisation == "prose", "a new study of answers has it"
    expected = ORIGINALS | {
        "table": ORIGINALS["table"].replace("\r\n", "\n"),
        "decomposed": "café",
    }
    for page, text in enumerate(expected.values(), start=1):
        assert as_shown(draft, page)[0] == text


def test_rule_of_verse_levels_what_differs_in_blanks(draft: Study) -> None:
    change_study(draft, by=None, normalisation="verse")
    for page in range(1, len(ORIGINALS) + 1):
        one, other = as_shown(draft, page)
        assert one == other


def test_page_keeps_indentation_and_blank_lines(draft: Study, client: Client, alice: User) -> None:
    StudyRole.objects.create(study=draft, user=alice, role="owner")
    client.force_login(alice)
    page = client.get("/manage/studies/kinds/preview/subtasks/1/pages/1/").content.decode()
    assert '<div class="written">def f(x):\n\tif x:\n\n\t\treturn x -- 1\n</div>' in page
    assert 'class="written">code:  write\n  -- it</h1>' in page


def test_another_rule_takes_the_sign_off_back(draft: Study) -> None:
    sign_off(draft, by=None)
    assert change_study(draft, by=None, normalisation="none") == ("normalisation",)
    assert Study.objects.get(pk=draft.pk).signed_off_at is None


def test_rule_is_fixed_with_the_plan_and_the_launch(draft: Study) -> None:
    lock_plan(draft, staff=None, primary_criterion=draft.criteria.get(key="overall"))
    with pytest.raises(Refused, match="plan"):
        change_study(draft, by=None, normalisation="none")
    Study.objects.filter(pk=draft.pk).update(state="open", launched_at="2026-05-01T00:00Z")
    with pytest.raises(Refused, match="launched"):
        change_study(draft, by=None, normalisation="none")


def test_rule_must_be_one_of_three(draft: Study) -> None:
    with pytest.raises(ValidationError, match="normalisation"):
        change_study(draft, by=None, normalisation="some")


def test_rehearsal_shows_what_its_study_shows(draft: Study) -> None:
    change_study(draft, by=None, normalisation="none")
    copy = copy_study(draft, "kinds-rehearsal")
    assert copy.normalisation == "none"
    assert PageCandidate.objects.filter(page__subtask__study=copy).count() == 2 * len(ORIGINALS)


def test_material_page_tells_what_the_rule_changes(draft: Study, client: Client, alice: User) -> None:
    StudyRole.objects.create(study=draft, user=alice, role="owner")
    client.force_login(alice)
    page = shown(client, "/manage/studies/kinds/material/")
    # The table with its carriage return and the decomposed word, by two methods each.
    assert "It changes 4 of 24 texts" in page
    assert "| `--x` |␍⏎</q>" in page
    assert re.search(r"blanks at the beginning or the end of a line</th> ?<td", page)
    assert "Level them by another rule" in page
    change_study(draft, by=None, normalisation="none")
    assert "It changes nothing in the texts." in shown(client, "/manage/studies/kinds/material/")
    change_study(draft, by=None, normalisation="verse")
    page = shown(client, "/manage/studies/kinds/material/")
    assert "In marks, widths, blanks and line ends the methods do not differ." in page


def test_material_is_looked_at_with_one_query(draft: Study, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        checks = typography_checks(draft)
    assert (checks.looked_at, checks.changed, checks.methods) == (24, 4, ("one", "two"))
