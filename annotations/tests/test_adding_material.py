"""Texts by further methods, and further prompts, join the material of a draft without taking what it has."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from annotations.jobs.running import run_next
from annotations.models import Page, PageCandidate, PromptDraw, StaffAct, Study
from annotations.setup.lifecycle import launch, sign_off
from annotations.setup.material import material_checks, store_material
from annotations.setup.material.additions import add_material, planned_addition
from annotations.setup.rubrics import load_rubric
from annotations.setup.run_forms import RunForm
from annotations.setup.runs import add_finished_runs, start_run
from annotations.setup.study import create_study
from annotations.tests.test_generating import write_all
from annotations.uploads import waiting as uploads
from generation.files.candidates import CandidateFile, read_candidates
from generation.files.prompts import PromptFile
from generation.prompts import PromptContent
from generation.refusals import Refused

SETUP = "/manage/studies/mine/material/"
FIRST = "prompt,method,text\nWhy?,A,Because.\nHow?,A,Thus.\n"
SECOND = "prompt,method,text\nWhy?,B,So.\nHow?,B,This way.\n"
CONFIRMED = {"column-0": "prompt", "column-1": "method", "column-2": "text"}


@pytest.fixture
def draft(alice: User) -> Study:
    study = create_study(slug="mine", rubric=load_rubric("qa"), by=alice)
    Study.objects.filter(pk=study.pk).update(prompts_per_subtask=3)
    study.refresh_from_db()
    return study


@pytest.fixture
def as_alice(draft: Study, client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def read(text: str, **options: Any) -> CandidateFile:
        path = tmp_path / "more.csv"
        path.write_text(text)
        return read_candidates(path, "qa", **{"is_addition": True, **options})

    return read


def stored(study: Study) -> dict[str, dict[str, str]]:
    """The texts of a study by prompt and method, in the order of its pages."""
    found: dict[str, dict[str, str]] = {
        str(page.prompt): {} for page in Page.objects.filter(subtask__study=study).select_related("prompt")
    }
    for one in PageCandidate.objects.filter(page__subtask__study=study).select_related(
        "page__prompt", "candidate", "study_method__method"
    ):
        found[str(one.page.prompt)][one.study_method.method.key] = one.candidate.text
    return found


def plain(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", response.content.decode()).split())


def sent(client: Client, content: str, name: str = "more.csv") -> str:
    file = SimpleUploadedFile(name, content.encode())
    return str(client.post(f"{SETUP}candidates/", {"candidates": file}).headers["Location"])


def test_a_second_method_comes_in_a_second_file(as_alice: Client, draft: Study) -> None:
    assert as_alice.post(sent(as_alice, FIRST), CONFIRMED).headers["Location"] == SETUP
    assert stored(draft) == {"Why?": {"A": "Because."}, "How?": {"A": "Thus."}}
    with pytest.raises(Refused, match="at least two methods"):
        sign_off(draft, by=None)
    page = sent(as_alice, SECOND)
    assert (
        '<input type="radio" name="adds" value="1" id="id_adds_0" checked>'
        in as_alice.get(page).content.decode()
    )
    look = as_alice.post(page, {**CONFIRMED, "adds": "1"})
    said = plain(look)
    assert "What would be added 2 texts 0 further prompts 2 prompts that the study has" in said
    assert "Further methods: B Every prompt would have a text by every method." in said
    assert "B" not in stored(draft)["Why?"], "a look adds nothing"
    for _press in range(2):
        done = as_alice.post(page, {**CONFIRMED, "adds": "1", "is_looked_at": "1", "nonce": "n" * 22})
        assert done.headers["Location"] == SETUP
    assert stored(draft) == {"Why?": {"A": "Because.", "B": "So."}, "How?": {"A": "Thus.", "B": "This way."}}
    act = StaffAct.objects.get(act="study.material_added")
    assert (act.details["texts"], act.details["prompts"], act.details["methods"]) == (2, 0, 1)
    sign_off(draft, by=None)


def test_a_look_and_the_page_say_which_prompts_would_lack_what(
    as_alice: Client, draft: Study, read: Any
) -> None:
    store_material(draft, read(FIRST), by=None)
    page = sent(as_alice, "prompt,method,text\nWhy?,B,So.\nWhen?,B,Now.\n")
    said = plain(as_alice.post(page, {**CONFIRMED, "adds": "1"}))
    assert "2 texts 1 further prompt 1 prompt that the study has" in said
    assert "2 texts would be missing then: How? (B) When? (A)" in said
    as_alice.post(page, {**CONFIRMED, "adds": "1", "is_looked_at": "1"})
    assert list(stored(draft)) == ["Why?", "How?", "When?"]
    assert "How? (B) When? (A)" in plain(as_alice.get(SETUP))
    with pytest.raises(Refused, match="2 texts are missing"):
        sign_off(draft, by=None)


def test_further_prompts_fill_the_last_sub_task_and_then_new_ones(draft: Study, read: Any) -> None:
    store_material(draft, read(FIRST), by=None)
    more = PromptFile("x", "ab", "qa", tuple(PromptContent(text) for text in ("Who?", "Why?", "When?")))
    addition = add_material(draft, more, by=None)
    assert (addition.new_prompts, addition.known_prompts, addition.missing) == (2, 1, 2)
    assert list(stored(draft)) == ["Why?", "How?", "Who?", "When?"]
    assert [one.pages.count() for one in draft.subtasks.all()] == [3, 1]
    with pytest.raises(Refused, match="has all these prompts already"):
        add_material(draft, more, by=None)


def test_a_prompt_is_known_by_its_id_or_by_what_both_files_say(draft: Study, read: Any) -> None:
    told = "id,prompt,description,tag:topic,method,text\n1,Why?,In short.,x,A,Because.\n2,How?,,y,A,Thus.\n"
    store_material(draft, read(told), by=None)
    add_material(draft, read("prompt,method,text\nWhy?,B,So.\nHow?,B,This way.\n"), by=None)
    add_material(draft, read("prompt,id,method,text\nWhy?,1,C,So!\nHow?,2,C,This!\n"), by=None)
    assert stored(draft) == {
        "Why?": {"A": "Because.", "B": "So.", "C": "So!"},
        "How?": {"A": "Thus.", "B": "This way.", "C": "This!"},
    }
    assert Page.objects.count() == 2
    with pytest.raises(Refused, match="line 2, prompt: differs from that of the same prompt in the study"):
        add_material(draft, read("prompt,id,method,text\nWhere?,1,D,Here.\n"), by=None)


def test_what_may_be_any_of_several_prompts_is_refused(draft: Study, read: Any) -> None:
    told = "prompt,description,method,text\nSum up.,One,A,a\nSum up.,Two,A,b\n"
    store_material(draft, read(told), by=None)
    with pytest.raises(Refused, match=r"'Sum up\.' may be any of several prompts of the study: give its id"):
        add_material(draft, read("prompt,method,text\nSum up.,B,c\n"), by=None)
    add_material(draft, read("prompt,description,method,text\nSum up.,Two,B,c\n"), by=None)
    assert PageCandidate.objects.get(study_method__method__key="B").page.number == 2


def test_every_check_of_the_first_upload_holds(draft: Study, read: Any, alice: User) -> None:
    store_material(draft, read(FIRST), by=None)
    for refusal, text in (
        ("line 2, method: A has a text for this prompt in the study already", FIRST),
        ("Another method of the study is called", "prompt,method,text\nWhy?,a,Yes.\n"),
    ):
        with pytest.raises(Refused, match=refusal):
            add_material(draft, read(text), by=None)
    with pytest.raises(Refused, match="of another kind"):
        add_material(draft, PromptFile("x", "ab", "poem", (PromptContent("月"),)), by=None)
    many = "".join(f"Why?,m{number},{number}\n" for number in range(26))
    with pytest.raises(Refused, match="26 methods, and no page can show more"):
        add_material(draft, read(f"prompt,method,text\n{many}"), by=None)
    run = start_run(draft, "sampling")
    with pytest.raises(Refused, match="under way"):
        add_material(draft, read(SECOND), by=None)
    run.run.delete()
    draw = PromptDraw.objects.create(study=draft, by="uniform", seed=1)
    with pytest.raises(Refused, match="were drawn from this material"):
        planned_addition(draft, read(SECOND))
    draw.delete()
    add_material(draft, read(SECOND), by=None)
    sign_off(draft, by=None)
    add_material(draft, read("prompt,method,text\nWho?,A,I.\nWho?,B,You.\n"), by=None)
    assert draft.signed_off_at is None
    sign_off(draft, by=None)
    launch(draft, by=None, without_plan=True)
    with pytest.raises(Refused, match="has been launched"):
        add_material(draft, read("prompt,method,text\nWhen?,A,Now.\nWhen?,B,Then.\n"), by=None)


def test_a_sample_joins_the_page_of_the_same_sample(draft: Study, read: Any) -> None:
    rows = "prompt,method,sample,text\nWhy?,A,1,a\nWhy?,A,2,b\n"
    store_material(draft, read(rows), by=None)
    add_material(draft, read("prompt,method,sample,text\nWhy?,B,2,d\nWhy?,B,1,c\nWhy?,B,3,e\n"), by=None)
    found = Page.objects.order_by("subtask__number", "number")
    assert [sorted(page.page_candidates.values_list("candidate__text", flat=True)) for page in found] == [
        ["a", "c"], ["b", "d"], ["e"],
    ]  # fmt: skip
    assert material_checks(draft).missing_at[0].methods == ("A",)


def test_a_run_writes_for_the_prompts_that_came_later(draft: Study) -> None:
    store_material(
        draft, PromptFile("x", "ab", "qa", (PromptContent("Why?"), PromptContent("How?"))), by=None
    )
    start_run(draft, "sampling")
    write_all(lambda number: f"First {number}.")
    add_finished_runs()
    assert "sampling" not in dict(RunForm(draft).fields["method"].choices)  # type: ignore[attr-defined]
    with pytest.raises(Refused, match="has texts by Sampling already"):
        start_run(draft, "sampling")
    add_material(draft, PromptFile("x", "ab", "qa", (PromptContent("When?"),)), by=None)
    form = RunForm(draft)
    assert form["method"].initial == "sampling", "the study's own method that lacks texts is chosen"
    start_run(draft, "sampling")
    write_all(lambda number: f"Later {number}.")
    add_finished_runs()
    assert {prompt: text["sampling"] for prompt, text in stored(draft).items()} == {
        "Why?": "First 1.", "How?": "First 2.", "When?": "Later 1.",
    }  # fmt: skip
    assert material_checks(draft).missing == 0


def test_methods_and_presets_of_a_run_explain_themselves(draft: Study) -> None:
    form = str(RunForm(draft))
    assert "Inverse prompting: tries many short sentences" in form
    assert "for answers (qa): 5 beams of 5 samples" in form


def test_prompts_are_added_by_typing_them(as_alice: Client, draft: Study) -> None:
    as_alice.post(f"{SETUP}prompts/", {"prompts": "Why?"})
    refused = as_alice.post(f"{SETUP}prompts/", {"prompts": "How?"})
    assert "Tick the box to replace what there is." in plain(refused)
    as_alice.post(f"{SETUP}prompts/", {"prompts": "How?\nWhy?", "adds": "1"})
    file = SimpleUploadedFile("list.txt", b"When?\n")
    as_alice.post(f"{SETUP}prompts/", {"prompts_file": file, "adds": "1"})
    assert list(stored(draft)) == ["Why?", "How?", "When?"]
    as_alice.post(f"{SETUP}prompts/", {"prompts": "Where?", "is_meant": "on"})
    assert list(stored(draft)) == ["Where?"]


def test_a_worker_adds_a_large_file(
    as_alice: Client, draft: Study, read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_material(draft, read(FIRST), by=None)
    monkeypatch.setattr(uploads, "LARGEST_IN_A_REQUEST", 10)
    page = as_alice.post(sent(as_alice, SECOND), {**CONFIRMED, "adds": "1"}).headers["Location"]
    assert page.startswith("/manage/jobs/")
    assert run_next()
    assert stored(draft)["Why?"] == {"A": "Because.", "B": "So."}


def test_the_api_looks_and_adds(as_alice: Client, draft: Study) -> None:
    url = "/api/v1/studies/mine/material/"
    csv: dict[str, Any] = {"content_type": "text/csv"}
    assert as_alice.put(url, FIRST, **csv).status_code == 200
    look = as_alice.post(f"{url}?look=true", SECOND.replace("How?,B,This way.\n", ""), **csv)
    assert json.loads(look.content) == {
        "texts": 1, "new_methods": ["B"], "new_prompts": 0, "known_prompts": 1, "missing": 1,
        "missing_at": [{"prompt": "How?", "methods": ["B"]}],
    }  # fmt: skip
    assert "B" not in stored(draft)["Why?"]
    assert as_alice.post(url, SECOND, **csv).json()["missing"] == 0
    assert stored(draft)["How?"] == {"A": "Thus.", "B": "This way."}
    again = as_alice.post(url, SECOND, **csv)
    assert (again.status_code, len(stored(draft)["How?"])) == (409, 2), "a repeated call adds nothing"
    assert as_alice.post(f"{url}?kind=prompts", "prompt\nWhen?\n", **csv).json()["new_prompts"] == 1
    assert as_alice.get(url).json()["missing_at"][0]["methods"] == ["A", "B"]


def test_the_command_looks_and_adds(draft: Study, tmp_path: Path) -> None:
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text(FIRST)
    second.write_text(SECOND.replace("How?,B,This way.\n", "When?,B,Now.\n"))
    call_command("upload_material", "mine", first, stdout=io.StringIO())
    with pytest.raises(CommandError, match="--look goes with --add"):
        call_command("upload_material", "mine", second, "--look")
    output = io.StringIO()
    call_command("upload_material", "mine", second, "--add", "--look", stdout=output)
    assert output.getvalue().splitlines() == [
        "would be added: 2 texts by B, 1 prompts; 1 prompts of the file were there",
        "  How?: no text by B",
        "  When?: no text by A",
        "  2 texts are missing in all",
    ]
    assert len(stored(draft)) == 2
    call_command("upload_material", "mine", second, "--add", stdout=output)
    assert stored(draft)["When?"] == {"B": "Now."}
