"""Setting a checklist up: with the material, in the browser, by command and API; what keeps it from its launch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from annotations.models import ChecklistItem, Study
from annotations.recruiting.enrolment import enrol
from annotations.setup.lifecycle import launch, sign_off
from annotations.tests.cast import build_checklist_study
from generation.refusals import Refused

QUESTIONS = ["Why is the sky blue?", "Why is snow white?"]
LISTS: list[Any] = [
    [
        "It names scattering.",
        {"text": {"en": "It is short.", "zh-hans": "简短。"}, "weight": 2, "may_not_apply": False},
    ],
    "It names ice.\n它提到了光。\n",
]


@pytest.fixture
def draft(db: None) -> Study:
    call_command("create_study", "answers", rubric="checklist")
    return Study.objects.get()


def file_of(tmp_path: Path, lists: list[Any]) -> Path:
    path = tmp_path / "answers.jsonl"
    rows = [
        {"prompt": prompt, "method": method, "text": f"{method} on {prompt}", "Checklist": items}
        for prompt, items in zip(QUESTIONS, lists, strict=True)
        for method in ("one", "two")
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def items() -> list[tuple[Any, ...]]:
    found = ChecklistItem.objects.order_by("page__number", "number")
    return [
        (one.page and one.page.number, one.key, dict(one.text), one.weight, one.may_not_apply)
        for one in found
    ]


# What a browser sends of a row that nobody filled in.
EMPTY = {"weight": "1", "may_not_apply": "on"}
OF_PROMPTS = [
    (1, "prompt-1", {"en": "It names scattering."}, 1, True),
    (1, "prompt-2", {"en": "It is short.", "zh-hans": "简短。"}, 2, False),
    (2, "prompt-1", {"en": "It names ice."}, 1, True),
    (2, "prompt-2", {"zh-hans": "它提到了光。"}, 1, True),
]


def test_the_ready_made_checklist_begins_a_study_that_asks_one(draft: Study) -> None:
    assert draft.protocol == "checklist"
    assert draft.has_best_picks is False


def test_what_keeps_the_material_from_its_sign_off_stands_at_that_step(
    draft: Study, carol: User, client: Client, tmp_path: Path
) -> None:
    call_command("upload_material", "answers", file_of(tmp_path, ["", []]))
    client.force_login(carol)
    page = client.get("/manage/studies/answers/").content.decode()
    step = page[
        page.index("<h2>Preview and sign-off</h2>") : page.index("<h2>Plan, sample size and rehearsal</h2>")
    ]
    assert "2 prompts have no item of a checklist, and the study has none for all." in step


def test_items_of_a_prompt_come_with_the_material_and_go_with_it(draft: Study, tmp_path: Path) -> None:
    call_command("upload_material", "answers", file_of(tmp_path, LISTS))
    assert items() == OF_PROMPTS
    call_command("upload_material", "answers", file_of(tmp_path, ["", []]))
    assert items() == []


def test_prompts_alone_bring_their_items_too(draft: Study, tmp_path: Path) -> None:
    path = tmp_path / "prompts.csv"
    path.write_text('prompt,checklist\nWhy?,"It says why.\nIt is true."\n', encoding="utf-8")
    call_command("upload_material", "answers", path, prompts_only=True)
    assert [key for _page, key, *_ in items()] == ["prompt-1", "prompt-2"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ([{"text": ""}], "checklist[1].text: is empty"),
        ([{"weight": 2}], "checklist[1]: must be a text, or an object"),
        ([{"text": "x", "weight": 0}], "checklist[1].weight: must be a number from 0.001 to 1000"),
        ([{"text": "x", "weight": True}], "checklist[1].weight: must be a number"),
        ([{"text": "x", "may_not_apply": "no"}], "checklist[1].may_not_apply: must be true or false"),
        ([{"text": {"xx": "x"}}], "'xx' is none of the languages"),
        ([{"text": 3}], "checklist[1].text: must be a text by language"),
        ([{"text": "x" * 501}], "checklist[1].text: is 501 characters long"),
        ([{"text": "a\x07"}], "checklist[1].text: holds a control character"),
        (["x"] * 31, "checklist: has 31; at most 30 are allowed"),
        ("[1", "checklist: is not JSON"),
        ({"text": "x"}, "checklist: must be a list such as"),
    ],
)
def test_what_is_no_checklist_is_refused_with_its_place(
    draft: Study, tmp_path: Path, wrong: Any, said: str
) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("upload_material", "answers", file_of(tmp_path, [["x"], wrong]))
    assert said in str(refused.value)
    assert "line 3" in str(refused.value)
    assert not ChecklistItem.objects.exists()


def test_rows_of_one_prompt_say_the_same_checklist_or_none(draft: Study, tmp_path: Path) -> None:
    path = file_of(tmp_path, LISTS)
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    del rows[1]["Checklist"]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    call_command("upload_material", "answers", path)
    assert items() == OF_PROMPTS
    rows[1]["Checklist"] = ["Another."]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with pytest.raises(
        CommandError, match="line 2, checklist: differs from that of the same prompt in line 1"
    ):
        call_command("upload_material", "answers", path)


def test_items_for_every_prompt_are_set_by_command(draft: Study, tmp_path: Path) -> None:
    path = tmp_path / "items.txt"
    path.write_text("It is true.\nIt is polite.\n", encoding="utf-8")
    call_command("set_checklist", "answers", path)
    path.write_text('[{"text": "It is kind.", "weight": 3}]', encoding="utf-8")
    call_command("set_checklist", "answers", path)
    assert items() == [(None, "study-1", {"en": "It is kind."}, 3, True)]
    path.write_text("[{}]", encoding="utf-8")
    with pytest.raises(CommandError, match="must be a text, or an object"):
        call_command("set_checklist", "answers", path)
    with pytest.raises(CommandError, match="No such file"):
        call_command("set_checklist", "answers", tmp_path / "none.txt")
    assert len(items()) == 1


def test_items_for_every_prompt_are_edited_in_the_browser(client: Client, draft: Study, carol: User) -> None:
    client.force_login(carol)
    assert "/manage/studies/answers/checklist/" in client.get("/manage/studies/answers/").content.decode()
    form = {"items-TOTAL_FORMS": "2", "items-INITIAL_FORMS": "0"}
    row = {"items-0-text_en": "It is true.", "items-0-text_zh_hans": "属实。", "items-0-weight": "2.5"}
    bad = client.post("/manage/studies/answers/checklist/", form | row | {"items-0-weight": "0"})
    assert bad.status_code == 400
    assert not ChecklistItem.objects.exists()
    bare = client.post("/manage/studies/answers/checklist/", form | {"items-0-weight": "2"})
    assert "Give the item a text" in bare.content.decode()
    client.post(
        "/manage/studies/answers/checklist/",
        form | row | {"items-1-weight": "1", "items-1-may_not_apply": "on"},
    )
    assert items() == [(None, "study-1", {"en": "It is true.", "zh-hans": "属实。"}, 2.5, False)]
    empty = {f"items-{number}-{name}": value for number in (1, 2) for name, value in EMPTY.items()}
    again = {"items-TOTAL_FORMS": "3", "items-INITIAL_FORMS": "1", **row, **empty, "items-0-DELETE": "on"}
    client.post("/manage/studies/answers/checklist/", again)
    assert items() == []


def test_the_api_lists_and_replaces_the_items(client: Client, alice: User, carol: User) -> None:
    study = build_checklist_study()
    client.force_login(carol)
    path = "/api/v1/studies/poems/checklist/"
    listed = client.get(path).json()
    assert [(one["key"], one["page"]) for one in listed] == [
        ("study-1", None), ("study-2", None), ("prompt-1", 1), ("prompt-1", 2),
    ]  # fmt: skip
    body = json.dumps({"items": [{"text": {"en": "It scans."}}]})
    replaced = client.put(path, body, content_type="application/json").json()
    assert [one["text"].get("en") for one in replaced][:2] == ["It scans.", "It names the rain."]
    bad = client.put(path, json.dumps({"items": [{"text": {}}]}), content_type="application/json")
    assert bad.status_code in (400, 409)
    enrol(study, alice)
    fixed = client.put(path, body, content_type="application/json")
    assert "Evaluators are enrolled already" in json.dumps(fixed.json())
    page = client.get("/manage/studies/poems/checklist/").content.decode()
    assert "Evaluators are enrolled already" in page
    assert "It scans." in page
    refused = client.post(
        "/manage/studies/poems/checklist/", {"items-TOTAL_FORMS": "0", "items-INITIAL_FORMS": "0"}
    )
    assert refused.status_code == 400
    assert study.checklist_items.count() == 3


def test_a_launch_needs_an_item_for_every_prompt_and_one_criterion(draft: Study, tmp_path: Path) -> None:
    call_command("upload_material", "answers", file_of(tmp_path, [["It is true."], ""]))
    with pytest.raises(Refused, match="1 prompt has no item of a checklist"):
        sign_off(draft, by=None)
    items_file = tmp_path / "items.txt"
    items_file.write_text("It is true.\n", encoding="utf-8")
    call_command("set_checklist", "answers", items_file)
    criterion = draft.criteria.get()
    criterion.pk, criterion.key, criterion.number, criterion.is_overall = None, "other", 2, False
    criterion.save(force_insert=True)
    with pytest.raises(Refused, match="keep one criterion"):
        sign_off(draft, by=None)
    criterion.delete()
    sign_off(draft, by=None)
    launch(draft, by=None, without_plan=True)
    with pytest.raises(CommandError, match="has been launched"):
        call_command("set_checklist", "answers", items_file)


def test_the_preview_shows_the_items_of_each_prompt(client: Client, carol: User) -> None:
    build_checklist_study()
    client.force_login(carol)
    page = client.get("/manage/studies/poems/preview/subtasks/1/pages/2/").content.decode()
    assert page.count('class="question item"') == 12
    assert page.count("It names the rain.</legend>") == 4
